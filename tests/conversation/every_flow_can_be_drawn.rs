//! The picture of a flow holds all of it: every step, and every way from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use frontdesk::config::{self, Config, Secrets};
use frontdesk::dialog::flow::{Flow, Step};
use frontdesk::graph;

fn shipped(name: &str) -> Config {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What stands in the attributes `name` of a document, each as often as it does.
fn attributes(svg: &str, name: &str) -> Vec<String> {
    let begins = format!(" {name}=\"");
    svg.split(&begins).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

fn ways(flow: &Flow) -> BTreeSet<(String, String)> {
    let mut ways = BTreeSet::new();
    for (name, step) in &flow.steps {
        let next: Vec<&String> = match step {
            Step::Say { next, .. } | Step::Disclose { next, .. } => vec![next],
            Step::Menu { options, .. } => {
                let answered = flow.knowledge.iter().filter_map(|free| free.next.as_ref());
                options.iter().map(|option| &option.next).chain(answered).collect()
            }
            Step::Ask(ask) => vec![&ask.next],
            Step::Form(form) => vec![&form.next],
            Step::Fetch(fetch) => {
                let refused = fetch.refused.iter().map(|refused| &refused.next);
                [&fetch.next, &fetch.not_found, &fetch.failed].into_iter().chain(refused).collect()
            }
            Step::Remember { next, .. } => vec![next],
            Step::Experiment { ways } => ways.keys().collect(),
            Step::Decide { branches, otherwise } => {
                branches.iter().map(|branch| &branch.next).chain([otherwise]).collect()
            }
            Step::Hours { open, closed, .. } => vec![open, closed],
            Step::Callback(callback) => callback.next.iter().chain(&callback.declined).collect(),
            Step::Message(message) => message.next.iter().collect(),
            Step::Transfer(_) | Step::HangUp { .. } => vec![],
        };
        ways.extend(next.into_iter().map(|next| (name.clone(), next.clone())));
    }
    ways
}

#[test]
fn every_step_and_every_way_of_every_shipped_flow_is_in_its_picture() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut drawn = 0;
    for file in files.filter(|file| file.ends_with(".yaml")) {
        let config = shipped(&file);
        for (name, flow) in &config.flows {
            let svg = graph::draw(&config.flows, name).unwrap();
            let steps: BTreeSet<String> = attributes(&svg, "data-step").into_iter().collect();
            // A called flow is one box.
            let called = |step: &str| step.contains('/');
            let own: BTreeSet<String> = flow.steps.keys().filter(|step| !called(step)).cloned().collect();
            assert_eq!(steps, own, "{file}, {name}");
            let arrows: BTreeSet<(String, String)> =
                attributes(&svg, "data-from").into_iter().zip(attributes(&svg, "data-to")).collect();
            for way in ways(flow).into_iter().filter(|(from, to)| !called(from) && !called(to)) {
                assert!(arrows.contains(&way), "{file}, {name}: no arrow {way:?}");
            }
            assert!(arrows.contains(&(String::new(), flow.start.clone())), "{file}, {name}: no start");
            assert_eq!(svg.matches("at any question").count(), 2, "{file}, {name}: the way to a person, and its title");
            assert_eq!(svg, graph::draw(&config.flows, name).unwrap(), "twice the same");
            well_formed(&svg);
            drawn += 1;
        }
    }
    assert!(drawn >= 6, "{drawn} flows");
}

#[test]
fn labels_say_by_what_key_intent_and_condition_a_way_is_taken() {
    let config = shipped("bank.yaml");
    let svg = graph::draw(&config.flows, "bank").unwrap();
    for label in ["1 \u{b7} balance", "not found", "failed", "more is yes", "otherwise", "open", "closed"] {
        assert!(svg.contains(&format!(">{label}<")), "no {label:?}");
    }
    let dashed: Vec<&str> = svg.lines().filter(|line| line.contains("class=\"edge failure\"")).collect();
    assert_eq!(dashed.len(), 4, "not found and failed, of two steps: {dashed:#?}");
    assert_eq!(graph::draw(&BTreeMap::new(), "bank"), None);
}

#[test]
fn a_called_flow_is_one_box_and_drawn_alone_it_leads_back() {
    let config = called();
    let svg = graph::draw(&config.flows, "desk").unwrap();
    assert_eq!(attributes(&svg, "data-step"), ["menu", "talk", "verify"]);
    assert!(svg.contains("class=\"step call\" id=\"step-verify\"") && svg.contains(">flow identify<"), "{svg}");
    assert!(svg.contains("data-from=\"verify\" data-to=\"talk\""), "{svg}");

    let inside = graph::draw(&config.flows, "identify").unwrap();
    assert_eq!(attributes(&inside, "data-step"), ["ask_name", "done"]);
    assert!(inside.contains("class=\"step return\" id=\"step-done\""), "{inside}");
    well_formed(&inside);
}

fn called() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.yaml");
    std::fs::write(
        &path,
        r#"
lines: { desk: { numbers: ["1"], flow: desk } }
agents: { anna: { password: { env: NOWHERE }, queues: [desk] } }
queues: { desk: {} }
flows:
  - flow: desk
    language: en
    person: { queue: desk }
    start: menu
    steps:
      menu: { menu: "A <b> & \"c\"?", options: [{ key: 1, phrases: [yes & no], next: verify }] }
      verify: { call: identify, next: talk }
      talk: { transfer: desk }
  - flow: identify
    language: en
    person: { queue: desk }
    start: ask_name
    steps:
      ask_name: { ask: Who are you?, slot: who, type: free, next: done }
      done: { return: true }
"#,
    )
    .unwrap();
    config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Every element is closed in its order, and no `&` or `<` stands alone.
fn well_formed(svg: &str) {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("not closed: {part}"));
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}>");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "</{name}>"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split_whitespace().next().unwrap()),
        }
        for entity in [tag, text].into_iter().flat_map(|part| part.split('&').skip(1)) {
            let known = ["amp;", "lt;", "gt;", "quot;"].iter().any(|name| entity.starts_with(name));
            assert!(known, "&{entity}");
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
