//! What is written and what an American at a telephone says.

use frontdesk::dialog::Piece;

fn check(make: fn(String) -> Piece, cases: &[(&str, &str)]) {
    crate::read_as("en", make, cases);
}

#[test]
fn codes() {
    check(
        Piece::Code,
        &[
            ("47A", "four seven A"),
            ("1234", "one two three four"),
            ("12345", "one two three, four five"),
            ("123456", "one two three, four five six"),
            ("1234567", "one two three, four five six seven"),
            ("12345678", "one two three four, five six seven eight"),
            ("123456789", "one two three, four five six, seven eight nine"),
            ("1234567890", "one two three, four five six, seven eight nine zero"),
            ("4111111111111111", "four one one one, one one one one, one one one one, one one one one"),
            ("AB-12", "A B dash one two"),
            ("sf1093", "S F one zero nine three"),
            ("x_9", "X underscore nine"),
            ("007", "zero zero seven"),
            ("1 2 3", "one, two, three"),
            ("#12*", "pound one two star"),
            ("A/7.3", "A slash seven dot three"),
            ("", ""),
        ],
    );
}

#[test]
fn money() {
    check(
        Piece::Money,
        &[
            ("1234.50 USD", "one thousand two hundred thirty-four dollars and fifty cents"),
            ("1 USD", "one dollar"),
            ("1.01 USD", "one dollar and one cent"),
            ("0.99 USD", "ninety-nine cents"),
            ("0.01 USD", "one cent"),
            ("0 USD", "zero dollars"),
            ("0.00 USD", "zero dollars"),
            ("-12.05 USD", "minus twelve dollars and five cents"),
            ("USD 20", "twenty dollars"),
            ("1,000,000 usd", "one million dollars"),
            ("12.5 EUR", "twelve euros and fifty cents"),
            ("1 GBP", "one pound"),
            ("2.30 GBP", "two pounds and thirty pence"),
            ("0.01 GBP", "one penny"),
            ("100 CNY", "one hundred yuan"),
            ("88 RMB", "eighty-eight yuan"),
            ("5000 JPY", "five thousand yen"),
            ("3 CAD", "three Canadian dollars"),
            ("7.25 CHF", "seven Swiss francs and twenty-five centimes"),
            ("9.999 USD", "ten dollars"),
            ("15 XYZ", "fifteen X Y Z"),
            ("12 dollars", "twelve dollars"),
            ("$5", "five dollars"),
        ],
    );
}

#[test]
fn numbers() {
    check(
        Piece::Number,
        &[
            ("0", "zero"),
            ("7", "seven"),
            ("13", "thirteen"),
            ("20", "twenty"),
            ("21", "twenty-one"),
            ("100", "one hundred"),
            ("101", "one hundred one"),
            ("110", "one hundred ten"),
            ("999", "nine hundred ninety-nine"),
            ("1000", "one thousand"),
            ("2026", "two thousand twenty-six"),
            ("10000", "ten thousand"),
            ("1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
            ("1000000000", "one billion"),
            ("-3.5", "minus three point five"),
            ("0.05", "zero point zero five"),
            ("+4", "four"),
            ("3.14159", "three point one four one five nine"),
            (
                "18446744073709551616",
                "one eight four four, six seven four four, zero seven three seven, zero nine five five, one six one six",
            ),
            ("12a", "twelve A"),
        ],
    );
}

#[test]
fn dates_and_times() {
    check(
        Piece::Date,
        &[
            ("2026-11-21", "November twenty-first, twenty twenty-six"),
            ("2000-01-01", "January first, two thousand"),
            ("2005-02-02", "February second, two thousand five"),
            ("1999-12-31", "December thirty-first, nineteen ninety-nine"),
            ("1905-03-03", "March third, nineteen oh five"),
            ("1900-07-12", "July twelfth, nineteen hundred"),
            ("2010-10-20", "October twentieth, twenty ten"),
            ("2026-11-21T14:05:00Z", "November twenty-first, twenty twenty-six"),
            ("next Monday", "next Monday"),
        ],
    );
    check(
        Piece::Time,
        &[
            ("14:05", "two oh five P M"),
            ("00:00", "midnight"),
            ("12:00", "noon"),
            ("12:30", "twelve thirty P M"),
            ("00:15", "twelve fifteen A M"),
            ("09:00", "nine A M"),
            ("9:45", "nine forty-five A M"),
            ("23:59", "eleven fifty-nine P M"),
            ("17:00:00", "five P M"),
            ("24:00", "midnight"),
            ("soon", "soon"),
        ],
    );
}

#[test]
fn telephone_numbers() {
    check(
        Piece::Phone,
        &[
            ("2125550100", "two one two, five five five, zero one zero zero"),
            ("(212) 555-0100", "two one two, five five five, zero one zero zero"),
            ("+1 212 555 0100", "plus one, two one two, five five five, zero one zero zero"),
            ("12125550100", "one, two one two, five five five, zero one zero zero"),
            ("1-800-555-0199", "one, eight hundred, five five five, zero one nine nine"),
            ("5550100", "five five five, zero one zero zero"),
            ("911", "nine one one"),
            ("555-0100 ext. 23", "five five five, zero one zero zero, extension two three"),
            ("555-0100x7", "five five five, zero one zero zero, extension seven"),
            ("+44 20 7946 0018", "plus four four, two zero, seven nine four six, zero zero one eight"),
        ],
    );
}

#[test]
fn running_text() {
    check(
        Piece::Text,
        &[
            // Amounts.
            ("It costs $12.50.", "It costs twelve dollars and fifty cents."),
            ("$1 off", "one dollar off"),
            ("$0.99", "ninety-nine cents"),
            ("$.50", "fifty cents"),
            ("a $3.2 million loan", "a three point two million dollars loan"),
            ("$5k", "five thousand dollars"),
            ("£20 or €30", "twenty pounds or thirty euros"),
            ("¥500", "five hundred yen"),
            ("-$40", "minus forty dollars"),
            ("40 USD", "forty dollars"),
            ("EUR 15", "fifteen euros"),
            ("75¢", "seventy-five cents"),
            ("US$100", "one hundred dollars"),
            // Times.
            ("at 3 pm", "at three P M"),
            ("at 3pm.", "at three P M."),
            ("at 3:30 p.m. tomorrow", "at three thirty P M tomorrow"),
            ("Call by 9 a.m. We open then.", "Call by nine A M. We open then."),
            ("at 8:05 AM", "at eight oh five A M"),
            ("at 15:30", "at three thirty P M"),
            ("from 9am-5pm", "from nine A M to five P M"),
            ("from 9 to 5", "from nine to five"),
            ("open 24/7", "open twenty-four seven"),
            // Dates.
            ("on 2026-11-21", "on November twenty-first, twenty twenty-six"),
            ("on 11/21/2026", "on November twenty-first, twenty twenty-six"),
            ("on 3/4/26", "on March fourth, twenty twenty-six"),
            ("Nov. 21", "November twenty-first"),
            ("November 21st, 2026", "November twenty-first, twenty twenty-six"),
            ("Sept 5", "September fifth"),
            ("21 November 2026", "the twenty-first of November, twenty twenty-six"),
            ("May 5 is fine", "May fifth is fine"),
            ("May I help you?", "May I help you?"),
            ("in 1999", "in nineteen ninety-nine"),
            ("since 2008", "since two thousand eight"),
            ("the 1990s", "the nineteen nineties"),
            ("the 80s", "the eighties"),
            // Numbers.
            ("1,234 parcels", "one thousand two hundred thirty-four parcels"),
            ("5000 members", "five thousand members"),
            ("2500 points", "twenty-five hundred points"),
            ("3.5 stars", "three point five stars"),
            ("version 1.2.3", "version one point two point three"),
            ("No. 5", "number five"),
            ("No, 5 is wrong", "No, five is wrong"),
            ("#3", "number three"),
            ("the 1st and 22nd", "the first and twenty-second"),
            ("the 3rd of 12", "the third of twelve"),
            ("press 1", "press one"),
            ("press #", "press pound"),
            ("press *", "press star"),
            ("5-7 days", "five to seven days"),
            ("1/2 price", "one half price"),
            ("3/4 full", "three quarters full"),
            ("2x faster", "two times faster"),
            ("account 12345678", "account one two three four, five six seven eight"),
            ("PIN 0420", "PIN zero four two zero"),
            ("-5 points", "minus five points"),
            ("a 12-month plan", "a twelve-month plan"),
            // Shares and measures.
            ("25%", "twenty-five percent"),
            ("0.5 %", "zero point five percent"),
            ("5 km", "five kilometers"),
            ("1 kg", "one kilogram"),
            ("2.5kg", "two point five kilograms"),
            ("70 mph", "seventy miles per hour"),
            ("20°C", "twenty degrees Celsius"),
            ("-4 °F", "minus four degrees Fahrenheit"),
            ("10 GB", "ten gigabytes"),
            ("30 min", "thirty minutes"),
            ("6 ft 2", "six feet two"),
            ("1 hr", "one hour"),
            // Abbreviations.
            ("Dr. Smith", "Doctor Smith"),
            ("Elm Dr.", "Elm Drive."),
            ("Mr. and Mrs. Jones", "Mister and Missus Jones"),
            ("St. Paul", "Saint Paul"),
            ("12 Main St.", "twelve Main Street."),
            ("Acme Inc. is closed", "Acme Incorporated is closed"),
            ("approx. 10", "approximately ten"),
            ("ext. 12", "extension twelve"),
            ("fees, etc.", "fees, et cetera."),
            ("e.g. cards", "for example, cards"),
            ("i.e. now", "that is, now"),
            ("the U.S. office", "the U S office"),
            ("in the U.S.A.", "in the U S A."),
            ("Mon. to Fri.", "Monday to Friday."),
            ("w/o fee", "without fee"),
            // Codes in text.
            ("gate B12", "gate B twelve"),
            ("order AB-1234", "order A B one two three four"),
            ("seat 7A", "seat seven A"),
            ("a 4G phone", "a four G phone"),
            ("MP3", "M P three"),
            ("flight BA117", "flight B A one one seven"),
            // Addresses.
            ("write to help@example.com", "write to help at example dot com"),
            ("j.smith_2@mail.co.uk", "J dot smith underscore two at mail dot co dot U K"),
            ("visit www.example.com.", "visit W W W dot example dot com."),
            ("https://example.org/pay", "example dot org slash pay"),
            ("see example.com/faq now", "see example dot com slash faq now"),
            // Telephone numbers in text.
            ("call 1-800-555-0199 now", "call one, eight hundred, five five five, zero one nine nine now"),
            ("call (212) 555-0100", "call two one two, five five five, zero one zero zero"),
            ("dial 9-1-1", "dial nine, one, one"),
            ("dial 555-0100", "dial five five five, zero one zero zero"),
            // Marks.
            ("you & me", "you and me"),
            ("5 + 3 = 8", "five plus three equals eight"),
            ("debit/credit", "debit credit"),
            ("\u{201c}Yes\u{201d}", "Yes"),
            ("it\u{2019}s here", "it's here"),
            ("well-known", "well-known"),
            ("Hello , world !", "Hello, world!"),
            // The article and the letter.
            ("A person will help.", "a person will help."),
            ("Choose option A or B.", "Choose option A or B."),
            ("A, B or C", "A, B or C"),
            ("I am here", "I am here"),
            ("", ""),
            ("   ", ""),
        ],
    );
}
