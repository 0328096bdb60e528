//! `dialog::check`: the example flows are proven, and each of them, broken in one way, is told so at the place.

use std::collections::BTreeSet;

use crate::script;
use frontdesk::dialog::ProblemKind::*;
use frontdesk::dialog::flow::*;
use frontdesk::dialog::types::Type;
use frontdesk::dialog::{Language, Problem, ProblemKind, check};
use script::flows;

#[test]
fn good_flows_have_no_problem() {
    assert_eq!(check(&flows::bank()), []);
    assert_eq!(check(&flows::parcel()), []);
    assert_eq!(check(&flows::cafe()), []);
}

#[test]
fn every_way_to_break_a_form_is_told_at_its_place() {
    fn form(flow: &mut Flow) -> &mut Form {
        match step(flow, "order") {
            Step::Form(form) => form,
            other => panic!("{other:?}"),
        }
    }
    fn values(flow: &mut Flow, slot: usize) -> &mut Vec<ListValue> {
        match &mut form(flow).slots[slot].kind {
            SlotKind::List { values, .. } => values,
            other => panic!("{other:?}"),
        }
    }
    let mutations = [
        mutation(EmptyList, "order", "slots", |flow| {
            form(flow).slots.clear();
            *step(flow, "told") = Step::Say { say: flows::en("Done."), next: "menu".into() };
        }),
        mutation(EmptyList, "order", "slots/0/kind", |flow| values(flow, 0).clear()),
        mutation(DuplicateValue, "order", "slots/1/values/1", |flow| values(flow, 1)[1].also.push("Latte!".into())),
        mutation(SoundAlike, "order", "slots/1/values/6", |flow| values(flow, 1)[0].also.push("chy".into())),
        mutation(ValueIsPerson, "order", "slots/3/values/0", |flow| values(flow, 3)[0].also.push("operator".into())),
        mutation(DuplicateSlot, "order", "slots/1/slot", |flow| {
            form(flow).slots[1].slot = "size".into();
            *step(flow, "told") = Step::Say { say: flows::en("A {size}."), next: "menu".into() };
        }),
        mutation(SlotNeverAsked, "order", "slots/4/slot", |flow| form(flow).slots[4].kind = SlotKind::Free),
        mutation(BadLength, "order", "slots/4/kind", |flow| {
            form(flow).slots[4].kind = SlotKind::Number { min: Some(3.0), max: Some(2.0) };
        }),
        mutation(UnknownUnit, "amount", "kind", |flow| {
            ask(flow, "amount").kind = SlotKind::Money { currency: "dollars".into() };
        }),
        mutation(UnknownUnit, "amount", "kind", |flow| {
            ask(flow, "amount").kind = SlotKind::Postcode { country: "xx".into() };
            *step(flow, "sorry") = Step::HangUp { say: flows::en("Sorry.") };
        }),
        mutation(UnknownValue, "table", "confirm", |flow| {
            if let Step::Form(form) = step(flow, "table") {
                form.confirm = Some(flows::en("{date:date}?"));
            }
        }),
        mutation(BadTemplate, "order", "slots/0/ask", |flow| form(flow).slots[0].ask = Some(flows::en("What {size?"))),
        mutation(MissingLanguage, "order", "slots/0/ask", |flow| {
            form(flow).slots[0].ask = Some(Text::default());
        }),
        mutation(UnknownStep, "order", "next", |flow| form(flow).next = "tolt".into()),
    ];
    for mutation in mutations {
        let mut flow = flows::cafe();
        (mutation.breaks)(&mut flow);
        let problems: Vec<_> =
            check(&flow).into_iter().map(|problem| (problem.kind, problem.step, problem.field)).collect();
        let wanted = (mutation.kind, mutation.at.to_owned(), mutation.field.to_owned());
        assert!(problems.contains(&wanted), "{wanted:?}: {problems:?}");
    }
}

fn step<'a>(flow: &'a mut Flow, name: &str) -> &'a mut Step {
    flow.steps.get_mut(name).unwrap()
}

fn ask<'a>(flow: &'a mut Flow, name: &str) -> &'a mut Ask {
    match step(flow, name) {
        Step::Ask(ask) => ask,
        other => panic!("{other:?}"),
    }
}

fn fetch<'a>(flow: &'a mut Flow, name: &str) -> &'a mut Fetch {
    match step(flow, name) {
        Step::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn options<'a>(flow: &'a mut Flow, name: &str) -> &'a mut Vec<MenuOption> {
    match step(flow, name) {
        Step::Menu { options, .. } => options,
        other => panic!("{other:?}"),
    }
}

fn lead(flow: &mut Flow, name: &str, to: &str) {
    match step(flow, name) {
        Step::Say { next, .. } => *next = to.into(),
        Step::Ask(ask) => ask.next = to.into(),
        Step::Fetch(fetch) => fetch.next = to.into(),
        other => panic!("{other:?}"),
    }
}

/// One way to break the bank's flow: where and what is to be reported.
struct Mutation {
    breaks: fn(&mut Flow),
    at: &'static str,
    field: &'static str,
    kind: ProblemKind,
}

fn mutation(kind: ProblemKind, at: &'static str, field: &'static str, breaks: fn(&mut Flow)) -> Mutation {
    Mutation { breaks, at, field, kind }
}

fn value(variable: &str, test: Test) -> Condition {
    Condition::Value { variable: variable.into(), test }
}

fn any(any: Vec<Condition>) -> Condition {
    Condition::Any { any }
}

fn decide(flow: &mut Flow, change: impl FnOnce(Condition) -> Condition) {
    if let Step::Decide { branches, .. } = step(flow, "decide") {
        branches[0].when = change(branches[0].when.clone());
    }
}

/// After the opening hours were told.
fn shut(flow: &mut Flow) {
    flow.steps.insert("shut".into(), Step::HangUp { say: flows::en("Goodbye.") });
}

fn remember(flow: &mut Flow, name: &str, template: &str) {
    let values = [(name.to_owned(), template.to_owned())].into();
    flow.steps.insert("keep".into(), Step::Remember { values, next: "menu".into() });
    lead(flow, "opening", "keep");
}

fn mutations() -> Vec<Mutation> {
    vec![
        mutation(UnknownStep, "", "start", |flow| flow.start = "hour".into()),
        mutation(UnknownStep, "told", "next", |flow| lead(flow, "told", "menue")),
        mutation(UnknownStep, "menu", "options/1/next", |flow| options(flow, "menu")[1].next = "nowhere".into()),
        mutation(UnknownStep, "balance", "failed", |flow| fetch(flow, "balance").failed = "nowhere".into()),
        mutation(UnknownStep, "decide", "otherwise", |flow| {
            if let Step::Decide { otherwise, .. } = step(flow, "decide") {
                *otherwise = "nowhere".into();
            }
        }),
        mutation(UnknownHours, "hours", "hours", |flow| flow.hours.clear()),
        mutation(UnknownIntent, "menu", "options/0/intent", |flow| {
            options(flow, "menu")[0].intent = Some("balanse".into())
        }),
        mutation(DeadStep, "opening", "", |flow| options(flow, "menu")[2].next = "account".into()),
        mutation(LoopWithoutQuestion, "opening", "", |flow| {
            lead(flow, "opening", "told2");
            let told = Step::Say { say: flows::en("And again:"), next: "opening".into() };
            flow.steps.insert("told2".into(), told);
        }),
        mutation(LoopWithoutQuestion, "balance", "", |flow| fetch(flow, "balance").failed = "balance".into()),
        mutation(HangUpWithoutChance, "closed", "", |flow| {
            *step(flow, "closed") = Step::HangUp { say: flows::en("The bank is closed. Goodbye.") };
        }),
        mutation(HangUpWithoutChance, "shut", "", |flow| {
            shut(flow);
            lead(flow, "greeting", "shut");
        }),
        mutation(HangUpWithoutChance, "bye", "", |flow| {
            flow.steps.insert("bye".into(), Step::HangUp { say: flows::en("Bye.") });
            flow.steps.insert("hours".into(), Step::Say { say: flows::en("Hello."), next: "which".into() });
            let branch = Branch {
                when: Condition::Value { variable: "line".into(), test: Test::Is("x".into()) },
                next: "bye".into(),
            };
            flow.steps.insert("which".into(), Step::Decide { branches: vec![branch], otherwise: "greeting".into() });
        }),
        mutation(FailureHangsUp, "balance", "failed", |flow| {
            shut(flow);
            fetch(flow, "balance").failed = "shut".into();
        }),
        mutation(FailureHangsUp, "balance", "not_found", |flow| {
            shut(flow);
            lead(flow, "unknown_account", "shut");
        }),
        mutation(EmptyMenu, "menu", "options", |flow| options(flow, "menu").clear()),
        mutation(OptionWithoutWay, "menu", "options/2", |flow| {
            let option = &mut options(flow, "menu")[2];
            option.key = None;
            option.phrases.clear();
        }),
        mutation(DuplicateKey, "menu", "options/3/key", |flow| options(flow, "menu")[3].key = Some('1')),
        mutation(KeyZeroTaken, "menu", "options/0/key", |flow| options(flow, "menu")[0].key = Some('0')),
        mutation(BadKey, "menu", "options/0/key", |flow| options(flow, "menu")[0].key = Some('x')),
        mutation(DuplicatePhrase, "menu", "options/1/phrases", |flow| {
            options(flow, "menu")[1].phrases.push("Balance!".into())
        }),
        mutation(ValueIsPerson, "menu", "options/1/phrases", |flow| {
            options(flow, "menu")[1].phrases.push("insurance agent".into())
        }),
        mutation(DuplicateIntent, "menu", "options/1/intent", |flow| {
            options(flow, "menu")[1].intent = Some("balance".into())
        }),
        mutation(BadLength, "account", "kind", |flow| ask(flow, "account").kind = SlotKind::Digits { min: 0, max: 0 }),
        mutation(BadLength, "account", "kind", |flow| ask(flow, "account").kind = SlotKind::Digits { min: 6, max: 4 }),
        mutation(BadLength, "pin", "kind", |flow| ask(flow, "pin").kind = SlotKind::Digits { min: 1, max: 4 }),
        mutation(SecretNotByKeys, "pin", "kind", |flow| ask(flow, "pin").kind = SlotKind::Free),
        mutation(SecretSpoken, "told", "say", |flow| {
            *step(flow, "told") = Step::Say { say: flows::en("Your PIN is {pin:code}."), next: "menu".into() };
        }),
        mutation(UnknownValue, "told", "say", |flow| {
            *step(flow, "told") = Step::Say { say: flows::en("You have {balence:money}."), next: "menu".into() };
        }),
        mutation(UnknownValue, "decide", "branches/0/variable", |flow| {
            if let Step::Decide { branches, .. } = step(flow, "decide") {
                branches[0].when = Condition::Value { variable: "blok".into(), test: Test::Set };
            }
        }),
        mutation(UnknownValue, "decide", "branches/0/any/1/not/variable", |flow| {
            decide(flow, |was| any(vec![was, Condition::Not { not: Box::new(value("blok", Test::Set)) }]))
        }),
        mutation(TestNeverHolds, "decide", "branches/0/is", |flow| {
            decide(flow, |_| value("block", Test::Is("certainly".into())))
        }),
        mutation(TestNeverHolds, "decide", "branches/0/any/1/before", |flow| {
            decide(flow, |was| any(vec![was, value("block", Test::Before(Day::Today(0)))]))
        }),
        mutation(TestNeverHolds, "decide", "branches/0/is", |flow| {
            remember(flow, "fruit", "apple");
            decide(flow, |_| value("fruit", Test::Is("banana".into())))
        }),
        mutation(TestNeverHolds, "decide", "branches/0/above", |flow| {
            remember(flow, "fruit", "apple");
            decide(flow, |_| value("fruit", Test::Above(Limit::Number(5.0))))
        }),
        mutation(WrongType, "told", "say", |flow| {
            flow.types.insert("balance".into(), Type::Date);
        }),
        mutation(WrongType, "keep", "values/balance", |flow| {
            flow.types.insert("balance".into(), Type::Money);
            remember(flow, "balance", "apple");
        }),
        mutation(WrongType, "account", "kind", |flow| {
            flow.types.insert("account".into(), Type::Date);
        }),
        mutation(UnknownValue, "", "types/nothing", |flow| {
            flow.types.insert("nothing".into(), Type::Date);
        }),
        mutation(UnknownStep, "try", "ways/nowhere", |flow| {
            let ways = [("nowhere".into(), 50), ("menu".into(), 50)].into();
            flow.steps.insert("try".into(), Step::Experiment { ways });
            lead(flow, "opening", "try");
        }),
        mutation(UnfilledValue, "keep", "values/last", |flow| {
            remember(flow, "last", "{balance}");
        }),
        mutation(SecretSpoken, "spoken", "say", |flow| {
            let values = [("code".into(), "PIN {pin}".into())].into();
            flow.steps.insert("told".into(), Step::Remember { values, next: "spoken".into() });
            let spoken = Step::Say { say: flows::en("Your code is {code}."), next: "menu".into() };
            flow.steps.insert("spoken".into(), spoken);
        }),
        mutation(UnknownValue, "balance", "verifies", |flow| fetch(flow, "balance").verifies = Some("acount".into())),
        mutation(UnfilledValue, "opening", "say", |flow| {
            *step(flow, "opening") =
                Step::Say { say: flows::en("Your balance was {balance:money}."), next: "menu".into() };
        }),
        mutation(UnfilledValue, "balance", "with/account", |flow| options(flow, "menu")[2].next = "balance".into()),
        mutation(UnfilledValue, "unknown_account", "say", |flow| {
            *step(flow, "unknown_account") = Step::Say { say: flows::en("{balance}?"), next: "menu".into() };
        }),
        mutation(MissingLanguage, "opening", "say", |flow| {
            *step(flow, "opening") = Step::Say { say: flows::text("zh", "周一到周五"), next: "menu".into() };
        }),
        mutation(MissingLanguage, "account", "confirm", |flow| ask(flow, "account").confirm = Some(Text::default())),
        mutation(MissingLanguage, "", "lines", |flow| {
            flow.lines.patience.texts.remove(&Language::new("en"));
        }),
        mutation(BadTemplate, "told", "say", |flow| {
            *step(flow, "told") = Step::Say { say: flows::en("Your balance is {balance:cash}."), next: "menu".into() };
        }),
        mutation(BadTemplate, "", "lines/goodbye", |flow| flow.lines.goodbye = flows::en("Goodbye {")),
        mutation(UnknownValue, "", "lines/goodbye", |flow| flow.lines.goodbye = flows::en("Goodbye {account}")),
    ]
}

#[test]
fn every_way_to_break_a_flow_is_told_at_its_place() {
    let mut kinds = BTreeSet::new();
    for Mutation { breaks, at, field, kind } in mutations() {
        let mut flow = flows::bank();
        breaks(&mut flow);
        let problems = check(&flow);
        let told = problems.iter().find(|problem| problem.kind == kind && problem.step == at && problem.field == field);
        let told = told.unwrap_or_else(|| panic!("{kind:?} at `{at}` {field} is not among {problems:#?}"));
        assert!(!told.message.is_empty() && !told.remedy.is_empty());
        kinds.insert(format!("{kind:?}"));
    }
    assert_eq!(kinds.len(), 24, "every kind of problem has a mutation: {kinds:?}");
}

#[test]
fn one_mistake_is_one_problem() {
    for (at, mutation) in mutations().iter().enumerate() {
        let mut flow = flows::bank();
        (mutation.breaks)(&mut flow);
        let others: Vec<Problem> = check(&flow).into_iter().filter(|problem| problem.kind != mutation.kind).collect();
        // A step that is cut off is dead, and so is all behind it; its values are then filled nowhere.
        let follow = |problem: &Problem| {
            matches!(
                problem.kind,
                DeadStep
                    | UnknownIntent
                    | MissingLanguage
                    | HangUpWithoutChance
                    | FailureHangsUp
                    | UnknownStep
                    | UnfilledValue
            )
        };
        assert!(others.iter().all(follow), "mutation {at}: {others:#?}");
    }
}

#[test]
fn what_decide_knows_may_be_used() {
    let mut flow = flows::bank();
    let greet = Step::Say { say: flows::en("Your last balance was {balance:money}."), next: "menu".into() };
    flow.steps.insert("again".into(), greet);
    let branch =
        Branch { when: Condition::Value { variable: "balance".into(), test: Test::Set }, next: "again".into() };
    flow.steps.insert("known".into(), Step::Decide { branches: vec![branch], otherwise: "menu".into() });
    lead(&mut flow, "opening", "known");
    assert_eq!(check(&flow), []);
}

#[test]
fn a_problem_reads_well() {
    let mut flow = flows::bank();
    lead(&mut flow, "told", "menue");
    assert_eq!(check(&flow)[0].to_string(), "step `told`, next: there is no step `menue`; did you mean `menu`?");
}
