//! Sentence embeddings and intents: CPU a sentence (limit 60 ms, aim 20), and with
//! `FRONTDESK_BANKING77=train.csv` (PolyAI, CC BY 4.0) accuracy on sentences not learned: every fifth held out
//! (wanted 0.90), and all but 10 an intent (wanted 0.80), with the time to learn and to load again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use frontdesk::answers::e5::E5;
use frontdesk::answers::{Embedder, Progress, Understander};

fn main() {
    let path = frontdesk::models::file("e5-small-q4.bin").unwrap_or_else(|error| panic!("{error}"));
    let embedder = Embedder::new(E5::load(&path).expect("a model"), 1);
    let sentences = [
        "what is my balance",
        "I think I left my card somewhere, can you stop it please",
        "我的包裹到哪里了？还要等多久，已经三天没有更新了。",
        "hello, I am calling because the transfer I made last Tuesday to my landlord has still not arrived",
    ];
    for sentence in sentences {
        let began = cpu_s();
        for _ in 0..50 {
            std::hint::black_box(embedder.model().embed(sentence));
        }
        let (ms, pieces) = ((cpu_s() - began) * 20.0, embedder.model().tokens(sentence).len());
        println!(
            "FIGURE 5.1-embedding-{pieces}-pieces {ms:.1} ms limit <= 60 -- CPU to embed a sentence of {pieces} word pieces (aim 20)"
        );
    }
    if let Some(path) = std::env::var_os("FRONTDESK_BANKING77") {
        banking77(&embedder, Path::new(&path));
    }
}

/// Process CPU seconds, user and system (proc(5); 100 ticks a second).
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("proc(5)");
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn banking77(embedder: &Embedder, path: &Path) {
    let text = std::fs::read_to_string(path).expect("train.csv");
    let rows: Vec<(String, String)> = csv(&text).into_iter().skip(1).collect();
    let fifth = judge(embedder, &rows, |_, i| !i.is_multiple_of(5));
    tell("fifth-held-out", 90, "four fifths of all learned", &[fifth]);
    let tens: Vec<Judged> =
        [0, 10, 20].map(|first| judge(embedder, &rows, |nth, _| (first..first + 10).contains(&nth))).into();
    tell("10-an-intent", 80, "10 an intent learned, in the mean of three different tens", &tens);
}

/// What became of one split.
struct Judged {
    sentences: usize,
    /// Shares of them: with the right intent first, and that above the threshold, too.
    right: f64,
    sure: f64,
    learning_s: f64,
    loading_s: f64,
}

/// Learns the rows that `learned` picks by their place in their intent and in all, and judges by the others (about
/// 2,000 of them, evenly taken).
fn judge(embedder: &Embedder, rows: &[(String, String)], learned: impl Fn(usize, usize) -> bool) -> Judged {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut intents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut held_out = Vec::new();
    for (i, (text, intent)) in rows.iter().enumerate() {
        let nth = seen.entry(intent).or_default();
        if learned(*nth, i) {
            intents.entry(intent.clone()).or_default().push(text.clone());
        } else {
            held_out.push((text, intent));
        }
        *nth += 1;
    }
    let every = (held_out.len() / 2_000).max(1);
    let held_out: Vec<_> = held_out.into_iter().step_by(every).collect();
    let cache = tempfile::tempdir().expect("a temporary folder");
    let began = Instant::now();
    let load = |progress: &(dyn Fn(Progress) + Sync)| {
        Understander::load(embedder, &intents, cache.path(), progress).expect("a cache")
    };
    load(&|_| {});
    let learning_s = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let understander = load(&|_| {});
    let loading_s = began.elapsed().as_secs_f64();
    let (mut right, mut sure) = (0, 0);
    for (text, intent) in &held_out {
        let understood = understander.understand_now(text, &[]);
        let best = understood.intents.first().expect("an intent");
        right += usize::from(best.intent == **intent);
        sure += usize::from(best.intent == **intent && best.score >= understood.threshold);
    }
    let share = |n: usize| n as f64 / held_out.len() as f64;
    Judged { sentences: held_out.len(), right: share(right), sure: share(sure), learning_s, loading_s }
}

fn tell(name: &str, wanted: u32, what: &str, splits: &[Judged]) {
    let mean = |of: fn(&Judged) -> f64| splits.iter().map(of).sum::<f64>() / splits.len() as f64;
    let most = |of: fn(&Judged) -> f64| splits.iter().map(of).fold(0.0, f64::max);
    println!(
        "FIGURE 5.1-banking77-{name} {:.1} % limit >= {wanted} -- right intent of 77 on {} sentences held out, {what} ({:.1} % right and \
         above the threshold)",
        mean(|split| split.right) * 100.0,
        splits.iter().map(|split| split.sentences).sum::<usize>(),
        mean(|split| split.sure) * 100.0
    );
    println!(
        "FIGURE 5.1-banking77-{name}-learn {:.0} s limit <= 600 -- to learn these, one thread",
        most(|s| s.learning_s)
    );
    println!("FIGURE 5.1-banking77-{name}-load {:.2} s limit <= 2 -- to load what was learned", most(|s| s.loading_s));
}

/// Two columns, the first perhaps in quotes.
fn csv(text: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (first, after) = match rest.strip_prefix('"') {
            None => rest.split_once(',').expect("two columns"),
            Some(quoted) => {
                let mut end = quoted.find('"').expect("a closing quote");
                while quoted[end + 1..].starts_with('"') {
                    end += 2 + quoted[end + 2..].find('"').expect("a closing quote");
                }
                (&quoted[..end], &quoted[end + 2..])
            }
        };
        let (second, after) = after.split_once('\n').unwrap_or((after, ""));
        rows.push((first.replace("\"\"", "\""), second.trim().to_owned()));
        rest = after;
    }
    rows
}
