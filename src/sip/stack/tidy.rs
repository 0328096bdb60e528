//! Requests and responses that say the right thing in an unusual way, put as the stack can read them: it takes white space
//! around `;` and `=` (RFC 3261, 25.1: SEMI, EQUAL) for a part of a parameter's name, and then finds no tag.

use rsipstack::sip::{HasHeaders, Header, headers};

/// The From and To of a message, by whose tags everything is found.
pub(super) fn tidy(message: &mut impl HasHeaders) {
    for header in message.headers_mut().iter_mut() {
        match header {
            Header::From(value) => {
                if let Some(tidied) = tidied(value.value()) {
                    *value = headers::From::new(tidied);
                }
            }
            Header::To(value) => {
                if let Some(tidied) = tidied(value.value()) {
                    *value = headers::To::new(tidied);
                }
            }
            _ => {}
        }
    }
}

/// Without white space around `;` and `=` of parameters; none: it has none.
fn tidied(value: &str) -> Option<String> {
    let (mut out, mut quoted, mut escaped, mut bracketed) = (String::with_capacity(value.len()), false, false, false);
    for c in value.chars() {
        let within = quoted || bracketed;
        match c {
            '"' if !escaped => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ';' | '=' if !within => out.truncate(out.trim_end().len()),
            _ if !within && c.is_whitespace() && out.ends_with([';', '=']) => continue,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        out.push(c);
    }
    (out != value).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_parameters_goes_and_nothing_else() {
        for (value, expected) in [
            ("sip:a@b ;   tag    = 1918181833n", "sip:a@b;tag=1918181833n"),
            (r#""J \" ; x = <y>"   <sip:j@b;a = b> ; tag = 98"#, r#""J \" ; x = <y>"   <sip:j@b;a = b>;tag=98"#),
            (r#""a\\" <sip:a@b>;	tag=1"#, r#""a\\" <sip:a@b>;tag=1"#),
        ] {
            assert_eq!(tidied(value).as_deref(), Some(expected));
        }
        for good in ["<sip:a@b>;tag=1", r#""A ; b = c" <sip:a@b>;tag=1"#, "A B <sip:a@b>", ""] {
            assert_eq!(tidied(good), None, "{good}");
        }
    }
}
