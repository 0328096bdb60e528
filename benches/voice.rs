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
    /// First sound, the peer's.
    first_peer: &'static str,
}

const CASES: [Case; 2] = [
    Case {
        language: "en",
        text: "Thank you for calling Northern Bank. Your balance is $1,234.50, and your next payment is due on \
               November 21st. Is there anything else that I can do for you today?",
        limit: 0.1,
        peer: "found before, by rten: 0.02",
        first_peer: "found before: 70",
    },
    Case {
        language: "zh",
        text: "您好，欢迎致电客户服务中心。您的账户余额为一千二百三十四元五角，下次还款日是十一月二十一日。请问还有什么可以帮您？",
        limit: 0.5,
        peer: "found before: 0.17 by rten, 0.10 by onnxruntime",
        first_peer: "clause by clause",
    },
];

/// Of each text; the median counts, so that a moment's load does not.
const ROUNDS: usize = 9;

fn main() {
    let begun = Instant::now();
    let options = Options { threads: 1, cache: None, ..Options::default() };
    let voice = Voice::load(&options).unwrap_or_else(|error| panic!("{error}"));
    println!("both voices loaded in {:.2} s", begun.elapsed().as_secs_f64());
    let mut good = true;
    for case in CASES {
        let prompt = Prompt { language: Language::new(case.language), pieces: vec![Piece::Text(case.text.into())] };
        let (mut factors, mut firsts, mut seconds) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let mut first = None;
            let mut samples = 0.0;
            for chunk in voice.speak(&prompt).unwrap_or_else(|error| panic!("{error}")) {
                let chunk = chunk.unwrap_or_else(|error| panic!("{error}"));
                first.get_or_insert_with(|| begun.elapsed().as_secs_f64() * 1e3);
                samples += chunk.samples.len() as f64 / f64::from(chunk.rate);
            }
            factors.push(begun.elapsed().as_secs_f64() / samples);
            firsts.extend(first);
            seconds = samples;
        }
        let (factor, first_ms) = (median(factors), median(firsts));
        let Case { language, limit, peer, first_peer, .. } = case;
        println!("{language}: {seconds:.1} s of speech, pauses included; one thread, median of {ROUNDS}");
        println!(
            "FIGURE 2.0-voice-{language}-speed {factor:.3} s/s limit <= {limit} -- to make a second of speech ({peer})"
        );
        println!(
            "FIGURE 2.0-voice-{language}-first {first_ms:.0} ms -- from a text not prepared to its first sound ({first_peer})"
        );
        good &= factor <= limit;
    }
    // Prepared prompts start at once.
    let prompt = Prompt { language: Language::new("zh"), pieces: vec![Piece::Text(CASES[1].text.into())] };
    voice.prepare(std::slice::from_ref(&prompt), |_, _| {}).unwrap_or_else(|error| panic!("{error}"));
    let begun = Instant::now();
    let chunks = voice.speak(&prompt).unwrap_or_else(|error| panic!("{error}")).count();
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    println!(
        "FIGURE 2.0-voice-prepared {ms:.3} ms limit <= 1 -- from a prepared text to the last of its {chunks} pieces of sound"
    );
    good &= ms <= 1.0;
    if !good {
        println!("a limit is missed");
        std::process::exit(1);
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
