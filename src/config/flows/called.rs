//! `call` and `desk_steps`: one flow inside another, back again by its `return`. The called flow's steps are put beside the caller's, each
//! under the name of the step that calls (`verify/ask_pin`), so that what walks, proves and replays a flow needs to know
//! nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::problem::Problem;
use super::super::raw_flow as raw;
use super::super::tree::At;
use super::{Checker, House};
use crate::dialog::flow::{DESK_RETURN, Flow, Step};

/// Calls inside of calls at most.
const DEEPEST: usize = 8;
/// Steps of a flow at most, with all that it calls.
const MOST: usize = 10_000;

/// A flow as it was written.
#[derive(Clone, Copy)]
pub(in super::super) struct Written<'h> {
    pub raw: &'h raw::Flow,
    pub at: At<'h>,
    /// The same with what is misshapen in it.
    pub whole: At<'h>,
}

/// Where the steps of a flow are put.
struct Place<'h> {
    /// What stands before their names.
    prefix: String,
    /// The step after a `return`; none: there is nobody to return to.
    back: Option<String>,
    /// The flows on the way here.
    calls: Vec<&'h str>,
    flow: Written<'h>,
}

/// The flows that a flow's steps call, by what stands before the names of their steps.
pub(in super::super) type Called<'h> = BTreeMap<String, Written<'h>>;

/// Names of the flows that are called by some flow.
pub(in super::super) fn called<'h>(flows: impl Iterator<Item = &'h raw::Flow>) -> BTreeSet<&'h str> {
    let mut names = BTreeSet::new();
    for flow in flows {
        names.extend(flow.desk_steps.values().map(String::as_str));
        names.extend(flow.steps.values().filter_map(|step| match step {
            raw::Step::Call(call) => Some(call.call.as_str()),
            _ => None,
        }));
    }
    names
}

/// Whether a flow makes sense only where it is called.
pub(super) fn returns(flow: &raw::Flow) -> bool {
    flow.steps.values().any(|step| matches!(step, raw::Step::Return(_)))
}

/// Slots of a step that not everybody may see.
fn personal(step: &raw::Step) -> Vec<&str> {
    match step {
        raw::Step::Ask(ask) if ask.personal => vec![&ask.slot],
        raw::Step::Form(form) => {
            form.slots.iter().filter(|slot| slot.personal).map(|slot| slot.slot.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

impl<'h> Checker<'_, 'h> {
    /// All steps of the flow and of those that it calls, put into `flow`.
    pub(super) fn steps(&mut self, written: Written<'h>, flow: &mut Flow) -> Called<'h> {
        let mut called = Called::new();
        let calls = vec![written.raw.flow.as_str()];
        let place = Place { prefix: String::new(), back: None, calls, flow: written };
        self.put(&place, flow, &mut called);
        for (name, callee) in &written.raw.desk_steps {
            let at = written.at.get("desk_steps");
            self.name(name, at);
            let own = format!("(desk)/{name}");
            if let Some(start) = self.call(callee, at.get(name), &own, DESK_RETURN, &place, flow, &mut called) {
                flow.desk_steps.insert(name.clone(), start);
                flow.steps.insert(DESK_RETURN.to_owned(), Step::Transfer(flow.person.clone()));
            }
        }
        let personal = flow.made_of(flow.personal.iter().map(String::as_str).collect());
        flow.personal = personal.into_iter().map(str::to_owned).collect();
        called
    }

    fn put(&mut self, place: &Place<'h>, flow: &mut Flow, called: &mut Called<'h>) {
        let steps = place.flow.at.get("steps");
        for (name, step) in &place.flow.raw.steps {
            let at = steps.get(name);
            let own = format!("{}{name}", place.prefix);
            let step = match step {
                raw::Step::Call(call) => {
                    // The way on leads from the called flow's end: a mistake in it is told here.
                    let known: Vec<&str> =
                        place.flow.whole.get("steps").entries().map(|(name, _)| name.text.as_str()).collect();
                    if !known.contains(&call.next.as_str()) {
                        let problem = at.get("next").problem(format!("there is no step `{}`", call.next));
                        let problem = problem.expected("the name of a step of this flow");
                        self.problems.push(problem.suggest(&call.next, known));
                    }
                    let next = format!("{}{}", place.prefix, call.next);
                    to(self.call(&call.call, at.get("call"), &own, &next, place, flow, called).unwrap_or(next))
                }
                raw::Step::Return(step) => {
                    if !step.back {
                        let problem = at.get("return").problem("a step that does not return");
                        self.problems.push(problem.expected("`return: true`"));
                    }
                    place.back.clone().map_or_else(|| Step::Transfer(flow.person.clone()), to)
                }
                step => {
                    flow.personal.extend(personal(step).into_iter().map(str::to_owned));
                    led(self.step(step, at), &place.prefix)
                }
            };
            flow.steps.insert(own, step);
        }
    }

    /// Puts the flow `name`, which is called at `at`, beside the others; its first step.
    #[allow(clippy::too_many_arguments)] // two call sites
    fn call(
        &mut self,
        name: &str,
        at: At<'h>,
        own: &str,
        next: &str,
        place: &Place<'h>,
        flow: &mut Flow,
        called: &mut Called<'h>,
    ) -> Option<String> {
        let house: &House<'h> = self.house;
        let Some(written) = house.flows.get(name).copied() else {
            if !house.flow_names.contains(name) {
                let problem = at.problem(format!("there is no flow `{name}`"));
                let problem = problem.expected("a flow of this configuration");
                self.problems.push(problem.suggest(name, house.flow_names.iter().copied()));
            }
            return None;
        };
        if place.calls.contains(&name) {
            let problem = at.problem(format!("flow `{name}` calls itself"));
            self.problems.push(problem.expected("a flow that does not lead back here").remedy("go back by `next`"));
            return None;
        }
        if place.calls.len() > DEEPEST || flow.steps.len() + written.raw.steps.len() > MOST {
            let problem = at.problem("too many calls inside of calls");
            self.problems.push(problem.expected(format!("at most {DEEPEST}, and {MOST} steps in all")));
            return None;
        }
        self.take_names(written, place.flow, flow);
        let prefix = format!("{own}/");
        let start = format!("{prefix}{}", written.raw.start);
        called.insert(prefix.clone(), written);
        let calls = place.calls.iter().copied().chain([written.raw.flow.as_str()]).collect();
        self.put(&Place { prefix, back: Some(next.to_owned()), calls, flow: written }, flow, called);
        Some(start)
    }

    /// The intents and hours of a called flow belong to its caller, too.
    fn take_names(&mut self, written: Written<'h>, caller: Written<'h>, flow: &mut Flow) {
        let twice = |at: At, what: &str, name: &str| {
            let message = format!("`{}` calls this flow, and has another {what} `{name}`", caller.raw.flow);
            Problem::new(at.place_of(name), message).expected("a name of its own, or the same in both")
        };
        for (name, of) in super::types(written.raw) {
            if flow.types.get(&name).is_some_and(|other| *other != of) {
                self.problems.push(twice(written.at.get("types"), "type for", &name));
            }
            flow.types.insert(name, of);
        }
        for (name, intent) in self.intents(&written.raw.intents, written.at.get("intents")) {
            if flow.intents.get(&name).is_some_and(|other| *other != intent) {
                self.problems.push(twice(written.at.get("intents"), "intent", &name));
            }
            flow.intents.insert(name, intent);
        }
        for (name, hours) in &written.raw.hours {
            let at = written.at.get("hours");
            let Some(hours) = super::opening_hours(hours, at.get(name), self.problems) else { continue };
            if flow.hours.get(name).is_some_and(|other| *other != hours) {
                self.problems.push(twice(at, "hours", name));
            }
            flow.hours.insert(name.clone(), hours);
        }
    }
}

/// A step that only leads on.
fn to(step: String) -> Step {
    Step::Decide { branches: Vec::new(), otherwise: step }
}

/// The step with what stands before the names it leads to.
fn led(mut step: Step, prefix: &str) -> Step {
    let lead = |next: &mut String| next.insert_str(0, prefix);
    match &mut step {
        Step::Say { next, .. } | Step::Disclose { next, .. } => lead(next),
        Step::Menu { options, .. } => options.iter_mut().for_each(|option| lead(&mut option.next)),
        Step::Ask(ask) => lead(&mut ask.next),
        Step::Form(form) => lead(&mut form.next),
        Step::Fetch(fetch) => {
            let refused = fetch.refused.iter_mut().map(|refused| &mut refused.next);
            let spent = fetch.attempts.iter_mut().map(|attempts| &mut attempts.spent);
            let ways = [&mut fetch.next, &mut fetch.not_found, &mut fetch.failed].into_iter();
            ways.chain(refused).chain(spent).for_each(lead);
        }
        Step::Remember { next, .. } => lead(next),
        Step::Experiment { ways } => {
            let led = std::mem::take(ways).into_iter().map(|(to, percent)| (format!("{prefix}{to}"), percent));
            *ways = led.collect();
        }
        Step::Decide { branches, otherwise } => {
            branches.iter_mut().for_each(|branch| lead(&mut branch.next));
            lead(otherwise);
        }
        Step::Hours { open, closed, .. } => [open, closed].into_iter().for_each(lead),
        Step::Callback(callback) => callback.next.iter_mut().chain(&mut callback.declined).for_each(lead),
        Step::Message(message) => message.next.iter_mut().for_each(lead),
        Step::Transfer(_) | Step::HangUp { .. } => {}
    }
    step
}
