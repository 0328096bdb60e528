//! At any question: the question once more, with its hint, slower, in another language, the one before, all from the
//! start. None of it counts as a failure, and none of it goes on for ever.

use frontdesk::call::{Action, Note, replay_log};
use frontdesk::dialog::Language;
use frontdesk::dialog::commands::{Command, Commands};
use frontdesk::dialog::flow::{Flow, Step};

use crate::script::flows::{bank, cafe};
use crate::script::{MONDAY, Script};

const MENU: &str =
    "What can I do for you? You can ask for your balance, report a lost card, or ask about opening hours.";

fn call(flow: Flow) -> Script {
    Script::at(flow, MONDAY)
}

fn given(script: &Script, slot: &str) -> Option<String> {
    let of_slot = |note: &Note| match note {
        Note::Slot { slot: name, value, .. } if name == slot => Some(value.clone()),
        _ => None,
    };
    script.notes().filter_map(of_slot).last()
}

#[test]
fn what_was_told_is_said_once_more_with_the_question() {
    let mut script = call(bank());
    script.says("opening hours").says("Sorry, what did you say?");
    assert_eq!(script.last_said(), format!("We are open Monday to Friday, nine to five. {MENU}"));
    script.says("opening hours").interrupts("Could you repeat that please?").quiet();
    assert_eq!(script.last_said(), MENU, "the answer was said again, and then the question");
    assert_eq!(script.said().iter().filter(|text| *text == "We are open Monday to Friday, nine to five.").count(), 3);
}

#[test]
fn a_repeated_question_counts_no_failure() {
    let mut script = call(bank());
    script.says("balance").says("bla bla").says("once more").says("pardon?").says("help");
    assert_eq!(script.queue(), None);
    assert!(script.last_said().starts_with("What is your account number?"), "{}", script.last_said());
    script.says("bla bla");
    assert_eq!(script.queue(), Some("service"), "the second failure still counts");
}

#[test]
fn help_tells_how_to_answer() {
    let mut script = call(bank());
    let hints = script.flow.lines.clone();
    let in_english = |text: &frontdesk::dialog::flow::Text| text.texts[&Language::new("en")].clone();
    script.says("help me please");
    assert_eq!(script.last_said(), format!("Welcome to Harbour Bank. {MENU} {}", in_english(&hints.hint_menu)));
    script.says("balance").says("what can I say?");
    assert_eq!(script.last_said(), format!("What is your account number? {}", in_english(&hints.hint_digits)));
}

#[test]
fn from_slower_on_prompts_are_slower() {
    let mut script = call(bank());
    script.says("can you speak a little slower please");
    script.says("balance");
    let pace = script.actions.iter().filter_map(|action| match action {
        Action::Say { slower, .. } => Some(*slower),
        _ => None,
    });
    assert_eq!(pace.collect::<Vec<_>>(), [false, false, true, true]);
}

#[test]
fn back_asks_the_question_before_and_forgets_its_answer() {
    let mut script = call(bank());
    script.says("balance").says("four oh seven one two three").says("go back");
    assert_eq!(script.last_said(), "What is your account number?", "what is read back is asked again");
    assert_eq!(given(&script, "account").as_deref(), Some(""));
    script.says("four oh seven one two four").says("yes").says("go back");
    assert_eq!(script.last_said(), "What is your account number?", "from the PIN to the account");
    assert_eq!(script.count(|action| matches!(action, Action::Unmask)), 1);
    script.says("go back").quiet();
    assert_eq!(script.last_said(), MENU);
    script.says("go back").quiet();
    assert_eq!(script.last_said(), MENU, "there is nothing before it");
}

#[test]
fn no_way_leads_back_before_what_was_done() {
    let mut script = call(bank());
    script.backends.insert("accounts".into(), Ok(serde_json::json!({ "balance": "12.50 GBP" })));
    script.says("balance").says("four oh seven one two three").says("yes").keys("1234#").wait(1_000).quiet();
    assert_eq!(script.last_said(), MENU);
    script.says("go back").quiet();
    assert_eq!(script.last_said(), format!("Your balance is 12.50 GBP. {MENU}"));
}

#[test]
fn back_in_a_form_asks_for_what_was_given_last() {
    let mut script = call(cafe());
    script.says("coffee").says("a large latte").says("dark roast");
    assert_eq!(script.last_said(), "Anything extra?");
    script.says("back");
    assert_eq!(script.last_said(), "Which roast?");
    assert_eq!(given(&script, "roast").as_deref(), Some(""));
}

#[test]
fn start_over_forgets_everything() {
    let mut script = call(bank());
    script.says("balance").says("four oh seven one two three").says("start over").quiet();
    assert_eq!(script.said()[script.said().len() - 2..], ["Welcome to Harbour Bank.", MENU]);
    assert_eq!(
        script.call.timeline().iter().filter(|entry| matches!(entry.note, Note::PersonWanted { .. })).count(),
        0
    );
}

#[test]
fn a_flow_of_two_languages_goes_on_in_the_other() {
    let mut flow = bank();
    let chinese = Language::new("zh");
    if let Some(Step::Menu { prompt, .. }) = flow.steps.get_mut("menu") {
        prompt.texts.insert(chinese.clone(), "请问您需要什么？".into());
    }
    if let Some(Step::Say { say, .. }) = flow.steps.get_mut("greeting") {
        say.texts.insert(chinese, "欢迎致电海港银行。".into());
    }
    let mut script = call(flow.clone());
    script.says("Chinese please");
    assert_eq!(script.last_said(), "欢迎致电海港银行。 请问您需要什么？");
    script.says("English");
    assert_eq!(script.last_said(), format!("Welcome to Harbour Bank. {MENU}"));
    script.says("change language");
    assert_eq!(script.last_said(), "欢迎致电海港银行。 请问您需要什么？");
}

#[test]
fn a_language_that_the_flow_does_not_speak_is_no_command() {
    let mut script = call(bank());
    script.says("balance").says("French please");
    assert!(!script.notes().any(|note| matches!(note, Note::Command { .. })));
}

#[test]
fn the_operators_own_words_go_before_a_command() {
    let mut flow = bank();
    if let Some(Step::Menu { options, .. }) = flow.steps.get_mut("menu") {
        options[2].phrases.push("start over".into());
    }
    let mut script = call(flow);
    script.says("start over").quiet();
    assert!(script.said().iter().any(|text| text.starts_with("We are open")), "{:?}", script.said());
}

#[test]
fn a_command_may_be_switched_off() {
    let flow = Flow { commands: Commands { off: [Command::Back].into(), ..Commands::default() }, ..bank() };
    let mut script = call(flow);
    script.says("balance").says("go back");
    assert!(script.last_said().contains("What is your account number?"), "{}", script.last_said());
    assert!(!script.notes().any(|note| matches!(note, Note::Command { .. })));
}

#[test]
fn the_star_repeats_where_nothing_else_uses_it() {
    let mut script = call(bank());
    script.says("balance").keys("*");
    assert_eq!(script.last_said(), "What is your account number?");
    script.keys("40*407123");
    assert_eq!(given(&script, "account").as_deref(), Some("407123"), "among digits it begins the entry anew");
    script.keys("*");
    assert!(script.last_said().starts_with("I heard 407123"), "{}", script.last_said());
    assert_eq!(script.queue(), None);
}

#[test]
fn who_only_gives_commands_reaches_a_person() {
    for words in ["repeat", "help", "go back", "start over"] {
        let mut script = call(bank());
        script.says("balance");
        for _ in 0..5 {
            assert_eq!(script.queue(), None, "{words}");
            script.says(words);
        }
        assert_eq!(script.queue(), Some("service"), "{words}");
    }
    let mut script = call(bank());
    for times in 0.. {
        assert!(times < 30, "round and round: {:?}", script.said());
        script.says("balance").says("go back");
        if script.queue().is_some() {
            break;
        }
    }
}

#[test]
fn commands_at_a_secret_keep_nothing_and_replay_the_same() {
    let mut script = call(bank());
    script.says("balance").says("four oh seven one two three").says("yes").says("please repeat that");
    assert_eq!(script.last_said(), "Please key in your PIN.");
    script.keys("*").says("what can I say").says("1 2 3 4 repeat");
    let flow = script.flow.clone();
    let again = replay_log(flow, &script.lines);
    assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&script.lines).unwrap());
    assert!(!serde_json::to_string(&script.lines).unwrap().contains("1 2 3 4"));
}

#[test]
fn a_question_that_failed_is_asked_in_other_words_and_a_repeated_one_in_the_same() {
    let mut flow = bank();
    if let Some(Step::Ask(ask)) = flow.steps.get_mut("account") {
        ask.again = Some(crate::script::flows::en("The six digits on your card, please."));
    }
    if let Some(Step::Menu { again, .. }) = flow.steps.get_mut("menu") {
        *again = Some(crate::script::flows::en("Your balance, a lost card, or opening hours?"));
    }
    let mut script = call(flow);
    script.says("bla bla");
    assert!(script.last_said().contains(" Your balance, a lost card, or opening hours?"), "{}", script.last_said());
    script.says("balance");
    assert_eq!(script.last_said(), "What is your account number?");
    script.says("bla bla");
    assert!(script.last_said().contains("The six digits on your card, please."), "{}", script.last_said());
    script.says("what was the question");
    assert!(script.last_said().starts_with("What is your account number?"), "{}", script.last_said());
    script.says("four oh seven one two three").says("no");
    assert_eq!(script.queue(), Some("service"), "the second failure");
}
