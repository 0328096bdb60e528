//! Overload: a prompt beyond the queue is refused when it is asked for, and room comes back.

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::speech::voice::{Options, Voice, VoiceError};

#[test]
fn a_full_voice_queue_refuses_at_once() {
    let languages = vec![Language::new("en")];
    let options = Options { languages, threads: 1, queue: 2, cache: None, ..Options::default() };
    let voice = Voice::load(&options).unwrap();
    let text = "This is a sentence that takes its time. ".repeat(8);
    let prompt = Prompt { language: Language::new("en"), pieces: vec![Piece::Text(text)] };

    let first = voice.speak(&prompt).unwrap();
    let second = voice.speak(&prompt).unwrap();
    assert!(matches!(voice.speak(&prompt), Err(VoiceError::Overloaded { limit: 2 })));

    // A listener who leaves makes room after the sentence in work; the other hears everything.
    drop(first);
    // Eight sentences and the seven pauses between them.
    assert_eq!(second.filter(|chunk| chunk.is_ok()).count(), 15);
    while matches!(voice.speak(&prompt), Err(VoiceError::Overloaded { .. })) {
        std::thread::yield_now(); // the thread is just ending its last job
    }
}
