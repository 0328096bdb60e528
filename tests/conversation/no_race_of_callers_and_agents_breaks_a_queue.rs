//! Five calls and two agents, 10,000 orders of events drawn at random, longer than can be visited whole: hang-up against
//! answer, log-out against ring, time-out against answer, transfer, vanished laptop and callback, with every message between
//! calls and floor late by any amount. The classic faults of call queues, put in on purpose, are all found.

use crate::queue_world::{Fault, Left, QUEUE, World};
use frontdesk::acd::{Callbacks, Queue, Strategy};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

const LEFT: Left = Left { ticks: 25, presence: 8, transfers: 4, callbacks: 3 };

fn queue(rings: usize) -> Queue {
    let strategy = if rings > 1 { Strategy::RingSeveral(rings) } else { Strategy::LongestIdle };
    let callbacks = Callbacks { attempts: 2, retry_ms: 30_000, ring_ms: 25_000, within_ms: 600_000 };
    Queue { strategy, callbacks: Some(callbacks), ..Queue::new(QUEUE) }
}

/// What is wrong after these moves, if anything is.
fn run(mut world: World, picks: &[u16]) -> Option<String> {
    let mut way = Vec::new();
    for pick in picks {
        let moves = world.moves();
        if moves.is_empty() {
            break;
        }
        way.push(moves[usize::from(*pick) % moves.len()]);
        world.make(way[way.len() - 1]);
        if let Some(wrong) = world.wrong() {
            return Some(format!("{wrong}, after {way:?}"));
        }
    }
    world.end().map(|wrong| format!("{wrong}, in the end, after {way:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_race(rings in 1..3_usize, there in 0..3_usize, picks in prop::collection::vec(any::<u16>(), 10..150)) {
        let world = World::new(5, queue(rings), there, LEFT, Fault::None);
        prop_assert_eq!(run(world, &picks), None);
    }
}

#[test]
fn every_classic_fault_would_be_found() {
    for fault in [
        Fault::TwoAgents,
        Fault::StuckBusy,
        Fault::LostOnLogOut,
        Fault::TransferToTheBack,
        Fault::RingsForNobody,
        Fault::NeverWithdraws,
        Fault::DeclinedIsGone,
    ] {
        let mut chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let found = (1..=50_000).find_map(|order| {
            let picks: Vec<u16> = (0..100).map(|_| chance.next_u32() as u16).collect();
            run(World::new(5, queue(1), 2, LEFT, fault), &picks).map(|wrong| (order, wrong))
        });
        let (order, wrong) = found.unwrap_or_else(|| panic!("{fault:?} goes unnoticed"));
        println!("{fault:?}: order {order}: {wrong}");
    }
}
