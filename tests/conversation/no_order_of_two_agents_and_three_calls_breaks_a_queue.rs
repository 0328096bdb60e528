//! Two agents and three calls, exhaustively: every order of arrivals, answers, refusals, hang-ups, transfers, log-outs,
//! vanished laptops, time-outs and callbacks, with every message between calls and floor late by any amount. In each state
//! the floor's invariants hold (`Floor::check`), nobody is served out of order, no phone is rung for two calls; whenever
//! nothing is on its way, calls, phones and floor believe the same; and from there everything comes to its end.
//! How many log-outs, time-outs, transfers and callbacks a world may have is bounded: that makes it finite. Three calls with
//! a time-out are too many states for here; `cargo bench --bench queues` visits them. Stateright (MIT) does the visiting and
//! shows the shortest way to what is wrong.

use crate::queue_world::{Fault, Left, Move, QUEUE, World};
use frontdesk::acd::{Callbacks, Queue, Strategy};
use stateright::{Checker, Model, Property};

struct Desk {
    calls: usize,
    queue: Queue,
    left: Left,
    fault: Fault,
}

impl Model for Desk {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.calls, self.queue.clone(), 2, self.left, self.fault)]
    }

    fn actions(&self, state: &World, actions: &mut Vec<Move>) {
        actions.extend(state.moves());
    }

    fn next_state(&self, state: &World, step: Move) -> Option<World> {
        let mut next = state.clone();
        next.make(step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no promise is broken", |_, world: &World| world.wrong().is_none()),
            Property::always("left alone, everyone is free again", |_, world: &World| {
                // Where messages are on their way, the state in which they have arrived is visited too.
                !world.is_quiet() || world.clone().end().is_none()
            }),
        ]
    }
}

pub const NONE: Left = Left { ticks: 0, presence: 0, transfers: 0, callbacks: 0 };

pub fn visit(name: &str, calls: usize, queue: Queue, left: Left) {
    let started = std::time::Instant::now();
    let desk = Desk { calls, queue, left, fault: Fault::None };
    let checker = desk.checker().threads(2).spawn_bfs().join();
    println!("{name}: {} states, {:?}", checker.unique_state_count(), started.elapsed());
    assert!(checker.is_done());
    checker.assert_properties();
}

pub fn callbacks() -> Queue {
    let callbacks = Callbacks { attempts: 2, retry_ms: 30_000, ring_ms: 25_000, within_ms: 600_000 };
    Queue { callbacks: Some(callbacks), ..Queue::new(QUEUE) }
}

pub fn both_ring() -> Queue {
    Queue { strategy: Strategy::RingSeveral(2), ..Queue::new(QUEUE) }
}

#[test]
fn arrivals_answers_hang_ups_and_a_transfer() {
    visit("three calls, a transfer", 3, Queue::new(QUEUE), Left { transfers: 1, ..NONE });
}

#[test]
fn with_a_log_out_or_a_vanished_laptop() {
    visit("three calls, a log-out", 3, Queue::new(QUEUE), Left { presence: 1, ..NONE });
}

#[test]
fn with_time_outs() {
    visit("two calls, two deadlines", 2, Queue::new(QUEUE), Left { ticks: 2, ..NONE });
    visit("two calls, a deadline, a log-out", 2, Queue::new(QUEUE), Left { ticks: 1, presence: 1, ..NONE });
}

#[test]
fn when_both_phones_ring() {
    visit("three calls, both phones ring", 3, both_ring(), NONE);
}

#[test]
fn with_a_callback() {
    visit("two calls, a callback, a deadline", 2, callbacks(), Left { callbacks: 1, ticks: 1, ..NONE });
    visit("two calls, a callback, a log-out", 2, callbacks(), Left { callbacks: 1, presence: 1, ..NONE });
}

#[test]
fn every_classic_fault_would_be_found() {
    let left = Left { transfers: 1, presence: 1, ..NONE };
    for fault in [
        Fault::TwoAgents,
        Fault::StuckBusy,
        Fault::LostOnLogOut,
        Fault::TransferToTheBack,
        Fault::RingsForNobody,
        Fault::NeverWithdraws,
        Fault::DeclinedIsGone,
    ] {
        let desk = Desk { calls: 3, queue: Queue::new(QUEUE), left, fault };
        let found = desk.checker().threads(2).spawn_bfs().join();
        let way = found.discovery("no promise is broken").unwrap_or_else(|| panic!("{fault:?} goes unnoticed"));
        let last = way.last_state().wrong().unwrap_or_default();
        println!("{fault:?}: after {} moves: {last}", way.into_actions().len());
    }
}
