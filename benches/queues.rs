//! The floor against arithmetic: a thousand calls with fifty agents, then millions of calls at three loads whose mean wait
//! and share of waiting calls must be those of Erlang C, and the waits announced beside those that came; then every state
//! of two agents and three calls with a time-out, a callback or a log-out where both phones ring.
//! `cargo bench --bench queues` (add a number of calls a load, default 2000000, for a shorter run: `-- 300000`)

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Instant;

#[path = "../tests/conversation/no_order_of_two_agents_and_three_calls_breaks_a_queue.rs"]
#[allow(dead_code)]
mod every_state;
#[path = "../tests/conversation/queue_world.rs"]
#[allow(dead_code)]
mod queue_world;

use every_state::{NONE, both_ring, callbacks, visit};
use queue_world::{Left, QUEUE};

use frontdesk::acd::{About, Agent, Floor, FloorAction, FloorEvent, Queue, erlang};
use frontdesk::dialog::Language;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Calls that come before anything is counted.
const WARM_UP: usize = 50_000;

fn main() {
    let calls = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(2_000_000);
    let started = Instant::now();
    let day = simulate(50, 150.0, 40.0, 1_000, 0, 1);
    println!(
        "FIGURE 6.3-queues-thousand-calls {:.3} s limit < 2 -- 1000 calls, 50 agents, {} served",
        started.elapsed().as_secs_f64(),
        day.waits.len()
    );
    for (agents, erlangs) in [(5, 3.5), (10, 8.0), (20, 17.5)] {
        const HANDLING_S: f64 = 180.0;
        let started = Instant::now();
        let seen = simulate(agents, HANDLING_S, erlangs, calls, WARM_UP, 7 + agents as u64);
        let count = seen.waits.len() as f64;
        let mean = seen.waits.iter().sum::<f64>() / count;
        let waited = seen.waits.iter().filter(|wait| **wait > 0.0).count() as f64 / count;
        let (share, theory) = (
            erlang::erlang_c(erlangs, agents),
            erlang::mean_wait_s(erlangs, HANDLING_S, agents).expect("stable"), // each load is below its agents
        );
        let (load, error) = (erlangs / agents as f64 * 100.0, (mean / theory - 1.0) * 100.0);
        println!(
            "FIGURE 6.3-queues-erlang-{agents} {:.2} % limit <= 5 -- mean wait beside Erlang C's, {agents} agents busy for \
             {load:.1} %, {count} calls after {WARM_UP}: {mean:.2} s for {theory:.2} s; {waited:.4} waited for {share:.4}",
            error.abs()
        );
        let told = seen.told.iter().map(|(told, _)| told).sum::<f64>() / seen.told.len() as f64;
        let came = seen.told.iter().map(|(_, came)| came).sum::<f64>() / seen.told.len() as f64;
        println!(
            "FIGURE 6.3-queues-announced-{agents} {:.1} % -- first wait announced over the one that came: {told:.1} s for \
             {came:.1} s, {:.1} s to simulate",
            (told / came - 1.0) * 100.0,
            started.elapsed().as_secs_f64()
        );
        assert!((mean / theory - 1.0).abs() <= 0.05, "the mean wait is not Erlang C's");
        assert!((waited / share - 1.0).abs() <= 0.05, "the share that waits is not Erlang C's");
        assert!((told / came - 1.0).abs() <= 0.15, "what is announced is not what comes");
    }
    visit("three calls, a deadline", 3, Queue::new(QUEUE), Left { ticks: 1, ..NONE });
    visit("three calls, a callback", 3, callbacks(), Left { callbacks: 1, ..NONE });
    visit("two calls, both phones ring, a deadline, a log-out", 2, both_ring(), Left { ticks: 1, presence: 1, ..NONE });
}

struct Seen {
    /// Each call's wait after the warm-up, s.
    waits: Vec<f64>,
    /// The first wait announced, and the one that came, s.
    told: Vec<(f64, f64)>,
}

/// Calls at random, conversations of random length, nobody impatient: as Erlang assumed.
fn simulate(agents: usize, handling_s: f64, erlangs: f64, calls: usize, warm_up: usize, seed: u64) -> Seen {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut random = |mean_ms: f64| (-mean_ms * (1.0 - chance.random::<f64>()).ln()).round() as u64;
    let names = (0..agents).map(|n| format!("a{n}"));
    let people = names.map(|name| Agent { name, queues: ["desk".to_owned()].into(), ..Agent::default() });
    let queue = Queue { max_wait_ms: u64::MAX / 2, wrap_up_ms: 0, ..Queue::new("desk") };
    let mut floor = Floor::new(people, [queue]);
    for n in 0..agents {
        floor.handle(0, FloorEvent::LoggedIn { agent: format!("a{n}") });
    }
    let mut seen = Seen { waits: Vec::with_capacity(calls), told: Vec::new() };
    let mut here: HashMap<String, (usize, u64, Option<u32>)> = HashMap::new();
    // Ends of conversations, soonest first.
    let mut ends: BinaryHeap<Reverse<(u64, String, String)>> = BinaryHeap::new();
    let (mut arrival, mut came, total) = (0_u64, 0_usize, calls + warm_up);
    while seen.waits.len() < calls {
        let end = ends.peek().map(|Reverse((at, ..))| *at);
        let (now, event) = match end {
            Some(at) if came == total || at <= arrival => {
                let Some(Reverse((now, agent, call))) = ends.pop() else { break };
                (now, FloorEvent::Done { call, agent })
            }
            _ if came == total => break,
            _ => {
                let (now, call) = (arrival, came.to_string());
                here.insert(call.clone(), (came, now, None));
                came += 1;
                arrival += random(handling_s * 1_000.0 / erlangs);
                let (language, about) = (Language::new("en"), About::default());
                (now, FloorEvent::Entered { call, queue: "desk".into(), skills: vec![], language, priority: 0, about })
            }
        };
        for action in floor.handle(now, event) {
            match action {
                FloorAction::Offer { call, agent, .. } => {
                    let (number, since, told) = here.remove(&call).expect("each is offered once"); // answered at once
                    floor.handle(now, FloorEvent::Taken { call: call.clone(), agent: agent.clone() });
                    ends.push(Reverse((now + random(handling_s * 1_000.0), agent, call)));
                    if number >= warm_up {
                        let wait_s = (now - since) as f64 / 1_000.0;
                        seen.waits.push(wait_s);
                        seen.told.extend(told.map(|told| (f64::from(told), wait_s)));
                    }
                }
                FloorAction::Waiting { call, estimate_s, .. } => {
                    if let Some((_, _, told @ None)) = here.get_mut(&call) {
                        *told = estimate_s;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
    seen
}
