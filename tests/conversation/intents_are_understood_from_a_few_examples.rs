//! A handful of examples an intent, in English and Mandarin: sentences that say the same otherwise are understood,
//! everything else is "none of these", what was learned is found again, and an overloaded pool says nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use frontdesk::answers::e5::E5;
use frontdesk::answers::{Embedder, IntentError, Progress, Understander};
use frontdesk::call::Understanding;

fn intents(list: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    list.iter().map(|(name, texts)| ((*name).into(), texts.iter().map(|text| (*text).into()).collect())).collect()
}

fn bank() -> BTreeMap<String, Vec<String>> {
    intents(&[
        (
            "balance",
            &[
                "what's my balance",
                "how much money do I have",
                "tell me my account balance",
                "check the balance of my account",
                "how much is left in my account",
            ],
        ),
        (
            "lost_card",
            &[
                "I lost my card",
                "my card was stolen",
                "please block my card",
                "I can't find my debit card",
                "someone took my bank card",
            ],
        ),
        (
            "opening_hours",
            &[
                "when are you open",
                "what are your opening hours",
                "are you open on Saturday",
                "what time does the branch close",
                "until when can I come to the bank",
            ],
        ),
    ])
}

fn parcels() -> BTreeMap<String, Vec<String>> {
    intents(&[
        ("track", &["查包裹", "我的快递到哪了", "我想查一下物流", "我的包裹什么时候能到", "快递怎么还没到"]),
        ("pickup", &["我要寄快递", "上门取件", "帮我约个快递员来取件", "我想寄一个包裹", "能来我家收件吗"]),
        ("complaint", &["我要投诉", "包裹破了", "快递员态度很差", "东西寄丢了", "我的货物损坏了要赔偿"]),
    ])
}

fn embedder() -> Embedder {
    let path = frontdesk::models::file("e5-small-q4.bin").unwrap_or_else(|error| panic!("{error}"));
    Embedder::new(E5::load(&path).unwrap(), 2)
}

fn load(embedder: &Embedder, intents: &BTreeMap<String, Vec<String>>, cache: &Path) -> Understander {
    Understander::load(embedder, intents, cache, &|_| {}).unwrap()
}

/// The best intent, if it is sure enough.
fn chosen(understanding: &Understanding) -> Option<&str> {
    understanding.intents.first().filter(|best| best.score >= understanding.threshold).map(|best| best.intent.as_str())
}

#[test]
fn sentences_are_understood_in_both_languages_and_the_rest_is_none() {
    let (embedder, cache) = (embedder(), tempfile::tempdir().unwrap());
    type Said = (&'static str, Option<&'static str>);
    let cases: [(BTreeMap<_, _>, &[Said]); 2] = [
        (
            bank(),
            &[
                ("could you tell me how much I've got on my account please", Some("balance")),
                ("I'd like to know my current balance", Some("balance")),
                ("my wallet is gone and the card was in it", Some("lost_card")),
                ("I think I left my card somewhere, can you stop it", Some("lost_card")),
                ("do you open on weekends", Some("opening_hours")),
                ("at what time do you close today", Some("opening_hours")),
                ("how do I bake a chocolate cake", None),
                ("which dinosaurs could fly", None),
                ("turn left at the next crossing", None),
                ("my brother plays the violin", None),
            ],
        ),
        (
            parcels(),
            &[
                ("帮我看看我的包裹现在在哪里", Some("track")),
                ("我买的东西到哪儿了", Some("track")),
                ("我有个箱子要寄到上海", Some("pickup")),
                ("可以派人过来拿件吗", Some("pickup")),
                ("收到的箱子摔坏了，我很生气", Some("complaint")),
                ("你们服务太差了，我要投诉", Some("complaint")),
                ("恐龙是怎么灭绝的", None),
                ("巧克力蛋糕怎么烤", None),
                ("我弟弟会拉小提琴", None),
            ],
        ),
    ];
    let (mut right, mut all) = (0, 0);
    for (intents, sentences) in cases {
        let understander = load(&embedder, &intents, cache.path());
        for &(text, expected) in sentences {
            let understanding = understander.understand_now(text, &[]);
            println!("{text}: {understanding:?}");
            assert!(understanding.intents.iter().all(|intent| (0.0..=1.0).contains(&intent.score)));
            assert!(understanding.intents.is_sorted_by(|a, b| a.score >= b.score), "best first");
            right += usize::from(chosen(&understanding) == expected);
            all += 1;
        }
    }
    assert!(right >= all - 1, "{right} of {all} understood");
}

#[test]
fn what_was_learned_is_found_again_and_only_for_the_same_examples() {
    let (embedder, cache) = (embedder(), tempfile::tempdir().unwrap());
    let seen = Mutex::new(Vec::new());
    let heard = |progress| seen.lock().unwrap().push(progress);
    let first = Understander::load(&embedder, &bank(), cache.path(), &heard).unwrap();
    assert!(seen.lock().unwrap().iter().any(|progress| matches!(progress, Progress::Training { done: 6, of: 6 })));

    seen.lock().unwrap().clear();
    let began = Instant::now();
    let again = Understander::load(&embedder, &bank(), cache.path(), &heard).unwrap();
    assert!(seen.lock().unwrap().is_empty(), "nothing is learned twice");
    assert!(began.elapsed().as_secs() < 2);
    let text = "how much do I have";
    assert_eq!(first.understand_now(text, &[]), again.understand_now(text, &[]));

    let mut other = bank();
    other.get_mut("balance").unwrap().push("am I rich".into());
    Understander::load(&embedder, &other, cache.path(), &heard).unwrap();
    assert!(!seen.lock().unwrap().is_empty());

    // A damaged file is learned anew.
    for file in std::fs::read_dir(cache.path()).unwrap() {
        std::fs::write(file.unwrap().path(), "{").unwrap();
    }
    let anew = load(&embedder, &bank(), cache.path());
    assert_eq!(first.understand_now(text, &[]), anew.understand_now(text, &[]));
    let empty = Understander::load(&embedder, &intents(&[("nothing", &[])]), cache.path(), &heard);
    assert!(matches!(empty, Err(IntentError::NoExamples(name)) if name == "nothing"));
}

#[tokio::test]
async fn only_allowed_intents_are_named_and_a_crowd_is_answered_with_nothing() {
    let (embedder, cache) = (embedder(), tempfile::tempdir().unwrap());
    let understander = load(&embedder, &bank(), cache.path());
    let allowed = ["lost_card".to_string(), "balance".to_string()];
    let understanding = understander.understand("when do you close", &allowed).await;
    assert_eq!(understanding.intents.len(), 2);
    assert!(understanding.intents.iter().all(|intent| allowed.contains(&intent.intent)));
    assert_eq!(chosen(&understanding), None, "what was asked for is not on offer");

    let crowd: Vec<_> = (0..200)
        .map(|_| {
            let understander = understander.clone();
            tokio::spawn(async move { understander.understand("what is my balance", &[]).await })
        })
        .collect();
    let (mut answered, mut refused) = (0, 0);
    for one in crowd {
        let understanding = one.await.unwrap();
        if understanding == Understanding::default() {
            refused += 1;
        } else {
            assert_eq!(chosen(&understanding), Some("balance"));
            answered += 1;
        }
    }
    assert!(answered >= 34, "two at work and 32 waiting are answered: {answered}");
    assert!(refused > 0, "the queue has an end");
}

#[test]
fn sentences_that_mean_the_same_come_together() {
    let sentences = [
        "can I get travel insurance",
        "do you insure trips",
        "I want an insurance for my trip",
        "has the cheque been paid in",
        "is my cheque cleared yet",
        "我想知道今天美元的汇率",
        "美元现在多少钱",
    ];
    let rows = embedder().centred(&sentences);
    let found = frontdesk::learn::clusters(&rows, frontdesk::learn::Likeness::Meaning.threshold());
    assert_eq!(found, [vec![0, 1, 2], vec![3, 4], vec![5, 6]]);
}
