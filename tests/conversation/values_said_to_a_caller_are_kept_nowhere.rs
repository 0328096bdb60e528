//! Personal data at rest: neither speaking nor preparing keeps a sentence that a caller's value takes part in.

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::speech::voice::{Options, Voice};

#[test]
fn values_said_to_a_caller_are_kept_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let languages = vec![Language::new("en")];
    let voice = Voice::load(&Options { languages, cache: Some(folder.path().into()), ..Options::default() }).unwrap();
    let pieces = vec![
        Piece::Text("Thank you. Your account number is ".into()),
        Piece::Code("4071".into()),
        Piece::Text(" and your balance is ".into()),
        Piece::Money("12.50 USD".into()),
        Piece::Text(". Is that right?".into()),
    ];
    let prompt = Prompt { language: Language::new("en"), pieces };
    voice.prepare(std::slice::from_ref(&prompt), |_, _| {}).unwrap();
    for chunk in voice.speak(&prompt).unwrap() {
        chunk.unwrap();
    }
    // "Thank you." and "Is that right?": the sentence between holds values.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}
