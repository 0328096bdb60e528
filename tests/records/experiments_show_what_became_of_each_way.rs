//! The report tells what became of the calls that each way of an experiment was taken by, and how sure that is.

use frontdesk::call::{Caller, Event, Note};
use frontdesk::dialog::flow::Flow;
use serde_json::Value;

use crate::learning::{configured, flow, learn, written};
use crate::script::{MONDAY, Script};

const GREETINGS: &str = "
flow: desk
language: en
person: { queue: desk }
start: which
steps:
  which: { menu: New here?, options: [{ key: 1, phrases: [new], next: try }, { key: 2, phrases: [known], next: try }] }
  try: { experiment: { plain: 45, warm: 45, odd: 10 } }
  plain: { menu: The shop., options: [{ key: 1, phrases: [hours], next: hours }] }
  warm: { menu: Lovely that you call!, options: [{ key: 1, phrases: [hours], next: hours }] }
  odd: { menu: Yes?, options: [{ key: 1, phrases: [hours], next: hours }] }
  hours: { say: From nine to five., next: done }
  done: { hang_up: Goodbye. }
";

/// So many calls that go this way.
fn calls(flow: &Flow, way: &str, count: usize, talk: impl Fn(&mut Script)) -> Vec<Script> {
    let mut calls = Vec::new();
    for caller in 0..1_000 {
        if calls.len() == count {
            break;
        }
        let caller = Caller { number: format!("+442071230{caller:03}"), ..Caller::default() };
        let mut script = Script::from(Flow { attempts: 3, ..flow.clone() }, MONDAY, caller);
        script.says("nonsense").keys("1"); // a fall-back before the experiment is none of its doing
        if !script.notes().any(|note| matches!(note, Note::Experiment { way: taken, .. } if taken == way)) {
            continue;
        }
        talk(&mut script);
        if script.quiet().finished().is_none() {
            script.tell(Event::CallerHungUp);
        }
        calls.push(script);
    }
    assert_eq!(calls.len(), count);
    calls
}

#[tokio::test]
async fn each_way_has_its_outcomes_and_a_range_for_its_containment() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), GREETINGS);
    let flow = flow(&config);
    let mut all = calls(&flow, "plain", 4, |_| {});
    all.extend(calls(&flow, "warm", 6, |script| {
        script.says("gibberish").keys("1");
    }));
    all.extend(calls(&flow, "warm", 2, |script| {
        script.keys("0").quiet().connect("anna");
    }));
    written(&config, &all, &[]).await;

    let json: Value = serde_json::from_str(&learn(&["report", "CONFIG", "--json"], &config)).unwrap();
    let ways = json["experiments"].as_array().unwrap();
    let of = |way: &str, figure: &str| {
        let found = ways.iter().find(|figures| figures["way"] == way).unwrap_or_else(|| panic!("{json:#}"));
        found[figure].clone()
    };
    let counts = |way: &str| {
        ["calls", "contained", "handed_over", "abandoned", "fallbacks"].map(|figure| of(way, figure).as_u64().unwrap())
    };
    assert_eq!(counts("plain"), [4, 0, 0, 4, 0], "{json:#}");
    assert_eq!(counts("warm"), [8, 6, 2, 0, 6], "{json:#}");
    assert_eq!(counts("odd"), [0; 5], "nobody went that way yet");
    assert_eq!((of("warm", "flow"), of("warm", "step")), ("desk".into(), "try".into()));
    assert_eq!((of("warm", "containment"), of("odd", "containment_95")), (0.75.into(), Value::Null));
    let range = |way: &str| [0, 1].map(|end| (of(way, "containment_95")[end].as_f64().unwrap() * 1_000.0).round());
    assert_eq!((range("plain"), range("warm")), ([0.0, 490.0], [409.0, 929.0]), "Wilson's, of 0 in 4 and 6 in 8");

    let page = learn(&["report", "CONFIG"], &config);
    assert!(page.contains("<h2>Experiments</h2>") && page.contains("41 % to 93 %"), "{page}");
    assert!(page.contains("95 % range") && page.contains("<td>odd<td class=n>0<td class=n>-<td class=n>-"), "{page}");
    assert!(!page.contains("NaN") && !page.contains("<script"), "{page}");
}

#[tokio::test]
async fn a_flow_without_experiments_has_no_such_chart() {
    let folder = tempfile::tempdir().unwrap();
    let plain = GREETINGS.replace("next: try", "next: plain");
    let start = plain.find("  try:").unwrap();
    let end = start + plain[start..].find("  plain:").unwrap();
    let rest = plain.replace(&plain[start..end], "");
    let without: String = rest
        .lines()
        .filter(|line| !line.starts_with("  warm:") && !line.starts_with("  odd:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = configured(folder.path(), &without);
    let mut script = Script::new(Flow { attempts: 3, ..(*flow(&config)).clone() });
    script.keys("1").tell(Event::CallerHungUp);
    written(&config, &[script], &[]).await;
    assert!(!learn(&["report", "CONFIG"], &config).contains("Experiments"));
}
