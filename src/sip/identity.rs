//! Who calls, as the network says it: From, P-Asserted-Identity (RFC 3325), Privacy (RFC 3323), Diversion (RFC 5806),
//! History-Info (RFC 7044). A plain value made of header values. What only the network may assert is believed of trunks
//! alone.

/// Longest name or number taken from a message, characters.
const LONGEST: usize = 128;
/// Entries looked at in one header's list.
const ENTRIES: usize = 32;

/// Header values of an INVITE, each in its order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Headers<'a> {
    pub from: &'a str,
    pub to: &'a str,
    /// The user part of the request URI.
    pub dialled: &'a str,
    pub asserted: Vec<&'a str>,
    pub privacy: Vec<&'a str>,
    pub diversion: Vec<&'a str>,
    pub history: Vec<&'a str>,
}

/// What a call says of its caller and its way here.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Number or user part; empty when withheld.
    pub number: String,
    pub name: Option<String>,
    /// What was dialled.
    pub dialled: String,
    /// The caller wants to stay unnamed.
    pub withheld: bool,
    /// The network vouches for the number.
    pub asserted: bool,
    /// Who the call was for before it was diverted to us, and why (`unconditional`, `user-busy`, `no-answer`, ...).
    pub diverted_from: Option<String>,
    pub diverted_reason: Option<String>,
}

impl std::fmt::Debug for Identity {
    // All of it is the caller's own.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("withheld", &self.withheld).finish_non_exhaustive()
    }
}

/// Reads who calls. `trusted`: the call comes by a trunk. `ours`: the user part under which the trunk knows us, when
/// calls are sent to our registration and the number dialled stands in To.
pub fn read(headers: &Headers, trusted: bool, ours: Option<&str>) -> Identity {
    let from = addresses(headers.from).into_iter().next().unwrap_or_default();
    let mut number = from.user.clone();
    let mut name = from.name;
    let mut asserted = false;
    if trusted {
        let told: Vec<Address> = headers.asserted.iter().flat_map(|value| addresses(value)).collect();
        // Two are allowed, one of each scheme; a telephone number says more than a user name.
        let best = told.iter().find(|address| is_number(&address.user)).or(told.first());
        if let Some(best) = best.filter(|address| !address.user.is_empty()) {
            number = best.user.clone();
            name = told.iter().find_map(|address| address.name.clone()).or(name);
            asserted = true;
        }
    }
    let anonymous = |text: &str| text.eq_ignore_ascii_case("anonymous"); // RFC 3323, 4.1.1.3
    let private = |value: &&str| {
        let mut kinds = value.split([';', ',']).map(str::trim);
        kinds.any(|kind| ["id", "user", "header"].iter().any(|private| kind.eq_ignore_ascii_case(private)))
    };
    let withheld = headers.privacy.iter().any(private) || anonymous(&number) || (number.is_empty() && !asserted);
    let (diverted_from, diverted_reason) = if trusted { diverted(headers) } else { (None, None) };
    let to_us = ours.is_some_and(|ours| ours == headers.dialled);
    let dialled = match to_us.then(|| addresses(headers.to).into_iter().next()).flatten() {
        Some(to) if !to.user.is_empty() => to.user,
        _ => plain(headers.dialled.split(';').next().unwrap_or_default()),
    };
    Identity {
        number: if withheld { String::new() } else { number },
        name: name.filter(|name| !withheld && !anonymous(name)),
        dialled,
        withheld,
        asserted: asserted && !withheld,
        diverted_from,
        diverted_reason,
    }
}

/// The latest diversion: the first Diversion, else what History-Info tells of the last change of target.
fn diverted(headers: &Headers) -> (Option<String>, Option<String>) {
    let diversion =
        headers.diversion.iter().flat_map(|value| addresses(value)).find(|address| !address.user.is_empty());
    if let Some(latest) = diversion {
        let reason = latest.param("reason").map(|reason| reason.to_ascii_lowercase());
        return (Some(latest.user), reason);
    }
    let history: Vec<Address> = headers.history.iter().flat_map(|value| addresses(value)).collect();
    let Some(now) = history.last() else { return (None, None) };
    let before = history.iter().rev().find(|address| !address.user.is_empty() && address.user != now.user);
    match before {
        Some(before) => (Some(before.user.clone()), now.cause.or(before.cause).and_then(reason_of)),
        None => (None, None),
    }
}

/// What a status in a History-Info's Reason means, in Diversion's words (RFC 6044, 4.1).
fn reason_of(cause: u16) -> Option<String> {
    let reason = match cause {
        302 | 380 => "unconditional",
        486 => "user-busy",
        408 | 487 => "no-answer",
        480 => "deflection",
        404 | 503 => "unavailable",
        _ => return None,
    };
    Some(reason.to_owned())
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Address {
    name: Option<String>,
    user: String,
    params: Vec<(String, String)>,
    /// `cause` of a Reason among the URI's headers, or of its own parameter (RFC 4458).
    cause: Option<u16>,
}

impl Address {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Addresses of a header's value: `"Name" <sip:user@host>;param=value, ...`. What cannot be read is left out.
fn addresses(value: &str) -> Vec<Address> {
    outside(value, ',').into_iter().take(ENTRIES).filter_map(address).collect()
}

fn address(text: &str) -> Option<Address> {
    let text = text.trim();
    let (name, uri, params) = match find_outside_quotes(text, '<') {
        Some(open) => {
            let close = open + text[open..].find('>')?;
            (&text[..open], &text[open + 1..close], &text[close + 1..])
        }
        None => text.split_once(';').map_or(("", text, ""), |(uri, params)| ("", uri, params)),
    };
    let (uri, uri_headers) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, rest) = uri.split_once(':')?;
    let user = match scheme.trim().to_ascii_lowercase().as_str() {
        "sip" | "sips" => rest.rsplit_once('@').map_or("", |(user, _)| user.split(':').next().unwrap_or_default()),
        "tel" => rest,
        _ => return None,
    };
    let params = outside(params, ';').into_iter().filter_map(|param| {
        let (key, value) = param.trim().split_once('=').unwrap_or((param.trim(), ""));
        (!key.is_empty()).then(|| (key.trim().to_owned(), plain(value)))
    });
    let name = Some(plain(name)).filter(|name| !name.is_empty());
    let told = format!("{};{}", decode(uri_headers), decode(rest));
    Some(Address { name, user: number(user), params: params.collect(), cause: cause(&told) })
}

/// `cause=486` somewhere in a text.
fn cause(text: &str) -> Option<u16> {
    let text = text.to_ascii_lowercase();
    let after = text.split("cause=").nth(1)?;
    after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// A user part as it is shown: decoded, without parameters; a telephone number without visual separators.
fn number(user: &str) -> String {
    let user = plain(&decode(user.split(';').next().unwrap_or_default()));
    let bare: String = user.chars().filter(|c| !"-.() ".contains(*c)).collect();
    if is_number(&bare) { bare } else { user }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || "*#".contains(c))
}

/// What a peer writes, without quotes, control characters and excess.
fn plain(text: &str) -> String {
    let text = text.trim().trim_matches('"');
    let text = text.chars().filter(|c| !c.is_control() && *c != '\\').take(LONGEST).collect::<String>();
    text.trim().to_owned()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%').then(|| after.get(..2)).flatten();
        let hex = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Pieces between separators that stand outside quotes and angle brackets.
fn outside(text: &str, separator: char) -> Vec<&str> {
    let (mut pieces, mut begin) = (Vec::new(), 0);
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            c if c == separator && !quoted && !angle => {
                pieces.push(&text[begin..at]);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(&text[begin..]);
    pieces
}

fn find_outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().find_map(|(at, c)| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == wanted && !quoted => return Some(at),
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<'a>() -> Headers<'a> {
        Headers {
            from: "\"Ann, Caller\" <sip:5551234@pbx.example;user=phone>;tag=1",
            dialled: "800",
            ..Headers::default()
        }
    }

    #[test]
    fn from_counts_where_nothing_better_is_told() {
        let who = read(&headers(), true, None);
        assert_eq!((who.number.as_str(), who.name.as_deref()), ("5551234", Some("Ann, Caller")));
        assert_eq!((who.dialled.as_str(), who.withheld, who.asserted), ("800", false, false));
        let bare = Headers { from: "sip:+49%2030-12@a;tag=x", ..headers() };
        assert_eq!(read(&bare, false, None).number, "+493012");
    }

    #[test]
    fn an_asserted_identity_is_believed_of_trunks_only() {
        let told = Headers {
            asserted: vec!["\"Bank\" <sip:+442071838750@x.example>, <tel:+44-207-183-8750;ext=1>"],
            ..headers()
        };
        let who = read(&told, true, None);
        assert_eq!((who.number.as_str(), who.name.as_deref(), who.asserted), ("+442071838750", Some("Bank"), true));
        assert_eq!(read(&told, false, None).number, "5551234");
        // A user name before a number: the number says more.
        let both = Headers { asserted: vec!["<sip:ann@x.example>", "<tel:+4930123>"], ..headers() };
        assert_eq!(read(&both, true, None).number, "+4930123");
    }

    #[test]
    fn a_withheld_number_stays_withheld() {
        for privacy in ["id", "user;id;critical", "Header"] {
            let told = Headers { asserted: vec!["<tel:+4930123>"], privacy: vec![privacy], ..headers() };
            let who = read(&told, true, None);
            assert_eq!((who.number.as_str(), who.name, who.withheld), ("", None, true), "{privacy}");
        }
        for privacy in ["none", "session", "history"] {
            assert!(!read(&Headers { privacy: vec![privacy], ..headers() }, true, None).withheld, "{privacy}");
        }
        let anonymous = Headers { from: "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1", ..headers() };
        assert!(read(&anonymous, true, None).withheld);
        // The network may know what From hides, and say so without asking for privacy.
        let known = Headers { asserted: vec!["<tel:+4930123>"], ..anonymous };
        assert_eq!(read(&known, true, None).number, "+4930123");
    }

    #[test]
    fn a_diversion_names_the_one_the_call_was_for() {
        let told = Headers {
            diversion: vec![
                "<sip:+15550111@x>;reason=user-busy;counter=1, \"First\" <sip:+15550100@x>;reason=unconditional",
            ],
            ..headers()
        };
        let who = read(&told, true, None);
        assert_eq!(
            (who.diverted_from.as_deref(), who.diverted_reason.as_deref()),
            (Some("+15550111"), Some("user-busy"))
        );
        assert_eq!(read(&told, false, None).diverted_from, None, "a stranger asserts nothing");
        // RFC 7044, Appendix B: the reason stands in the diverting entry's URI.
        let history = Headers {
            history: vec![
                "<sip:+15550111@x?Reason=SIP%3Bcause%3D408%3Btext%3D%22No%20answer%22>;index=1",
                "<sip:800@y;cause=408>;index=1.1;mp=1",
            ],
            ..headers()
        };
        let who = read(&history, true, None);
        assert_eq!(
            (who.diverted_from.as_deref(), who.diverted_reason.as_deref()),
            (Some("+15550111"), Some("no-answer"))
        );
        let straight = Headers { history: vec!["<sip:800@y>;index=1, <sip:800@z>;index=1.1"], ..headers() };
        assert_eq!(read(&straight, true, None).diverted_from, None);
    }

    #[test]
    fn calls_to_our_registration_were_dialled_as_to_says() {
        let told = Headers { to: "<sip:+4930555@carrier>", dialled: "account7", ..headers() };
        assert_eq!(read(&told, true, Some("account7")).dialled, "+4930555");
        assert_eq!(read(&told, true, Some("other")).dialled, "account7");
        assert_eq!(read(&told, true, None).dialled, "account7");
    }

    #[test]
    fn nonsense_is_read_as_little_as_possible() {
        for nonsense in
            ["", "<", "<>", "\"", "<sip:", "sip:@", "%", "<sip:%zz@x>", ",,,,", "\"a\\", "mailto:a@b", "<tel:>;=;"]
        {
            let told = Headers {
                from: nonsense,
                to: nonsense,
                asserted: vec![nonsense],
                privacy: vec![nonsense],
                diversion: vec![nonsense],
                history: vec![nonsense, nonsense],
                dialled: nonsense,
            };
            let who = read(&told, true, Some(nonsense));
            assert!(who.number.len() < 8 && who.diverted_reason.is_none(), "{nonsense}");
        }
        let long = format!("<sip:{}@x>", "9".repeat(10_000));
        assert_eq!(read(&Headers { from: &long, ..headers() }, true, None).number.len(), LONGEST);
        let control = Headers { from: "\"a\u{7}\r\nb\" <sip:1@x>", ..headers() };
        assert_eq!(read(&control, true, None).name.as_deref(), Some("ab"));
    }
}
