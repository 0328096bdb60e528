//! How many agents a load needs, and how long its callers wait: Erlang's delay system M/M/c (calls come at random,
//! conversations of random length, nobody hangs up, first come, first served).
//!
//! A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone
//! exchanges", Elektrotkeknikeren 13 (1917); in today's words V. B. Iversen, "Teletraffic Engineering and Network
//! Planning" (DTU), chapters on Erlang's loss system (B) and on delay systems (C). Load is in erlangs: calls a second
//! times the seconds each keeps an agent, wrap-up included.

/// Agents beyond this many are not counted: no call centre has them, and a mistaken load would count for ever.
const MOST_AGENTS: usize = 100_000;

/// Erlang B: the share of calls lost when nobody may wait. By B(0) = 1, B(n) = aB(n-1) / (n + aB(n-1)), which is
/// exact and does not overflow as the factorials of the closed form do.
pub fn erlang_b(erlangs: f64, agents: usize) -> f64 {
    (1..=agents).fold(1.0, |b, n| erlangs * b / (n as f64 + erlangs * b))
}

/// Erlang C: the share of calls that wait. 1 when the load is more than the agents can do. C = B / (1 - r(1 - B)) with
/// the occupancy r = a/c.
pub fn erlang_c(erlangs: f64, agents: usize) -> f64 {
    if erlangs <= 0.0 {
        return 0.0;
    }
    if erlangs >= agents as f64 {
        return 1.0;
    }
    let b = erlang_b(erlangs, agents);
    b / (1.0 - erlangs / agents as f64 * (1.0 - b))
}

/// The mean wait of all calls, s: W = C s / (c - a). `None` when the line only grows.
pub fn mean_wait_s(erlangs: f64, handling_s: f64, agents: usize) -> Option<f64> {
    let spare = agents as f64 - erlangs;
    (spare > 0.0).then(|| erlang_c(erlangs, agents) * handling_s / spare)
}

/// The share of calls answered within `within_s`: 1 - C exp(-(c - a) t / s).
pub fn service_level(erlangs: f64, handling_s: f64, agents: usize, within_s: f64) -> f64 {
    let spare = agents as f64 - erlangs;
    if spare <= 0.0 {
        return 0.0;
    }
    1.0 - erlang_c(erlangs, agents) * (-spare * within_s / handling_s).exp()
}

/// Seconds until the call at `position` (1 is next) is answered when all `agents` are busy: one of them becomes free
/// every s/c. `None` without agents. What callers are told.
pub fn wait_at(position: u32, handling_s: f64, agents: usize) -> Option<f64> {
    (agents > 0).then(|| handling_s * f64::from(position) / agents as f64)
}

/// What callers are to find.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// This share of calls, 0 to 1,
    pub share: f64,
    /// is answered within so many seconds,
    pub within_s: f64,
    /// by agents who are busy for no more than this share of their time, 0 to 1.
    pub occupancy: f64,
    /// The share of paid time in which agents take no calls (breaks, training, illness), 0 to below 1.
    pub shrinkage: f64,
}

impl Default for Target {
    /// 80 % within 20 s, agents busy for 85 % of their time at most; 30 % of it is spent otherwise.
    fn default() -> Self {
        Self { share: 0.8, within_s: 20.0, occupancy: 0.85, shrinkage: 0.3 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Staffing {
    /// At their phones.
    pub agents: usize,
    /// On the roster, so that so many are at their phones.
    pub rostered: usize,
    pub service_level: f64,
    pub mean_wait_s: f64,
    pub occupancy: f64,
}

/// The fewest agents for `calls` in `span_s` seconds that keep an agent for `handling_s` each. `None` for figures that
/// are none (not finite, negative, a target of 100 % or more) or beyond 100,000 agents.
pub fn staff(calls: f64, span_s: f64, handling_s: f64, target: Target) -> Option<Staffing> {
    let sane = [calls, span_s, handling_s, target.within_s].iter().all(|x| x.is_finite() && *x >= 0.0)
        && span_s > 0.0
        && (0.0..1.0).contains(&target.share)
        && (0.0..1.0).contains(&target.shrinkage)
        && target.occupancy > 0.0;
    if !sane {
        return None;
    }
    let erlangs = calls / span_s * handling_s;
    if erlangs == 0.0 {
        return Some(Staffing { agents: 0, rostered: 0, service_level: 1.0, mean_wait_s: 0.0, occupancy: 0.0 });
    }
    let least = (erlangs / target.occupancy.min(1.0)).max(erlangs.floor() + 1.0).ceil();
    if least > MOST_AGENTS as f64 {
        return None;
    }
    let agents = (least as usize..=MOST_AGENTS)
        .find(|&agents| service_level(erlangs, handling_s, agents, target.within_s) >= target.share)?;
    Some(Staffing {
        agents,
        rostered: (agents as f64 / (1.0 - target.shrinkage)).ceil() as usize,
        service_level: service_level(erlangs, handling_s, agents, target.within_s),
        mean_wait_s: mean_wait_s(erlangs, handling_s, agents)?,
        occupancy: erlangs / agents as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64, by: f64) -> bool {
        (found - wanted).abs() <= by
    }

    /// Erlang C by its definition, with sums and factorials: good for few agents.
    fn by_definition(a: f64, c: usize) -> f64 {
        let term = |n: usize| (1..=n).fold(1.0, |x, k| x * a / k as f64);
        let last = term(c) * c as f64 / (c as f64 - a);
        last / ((0..c).map(term).sum::<f64>() + last)
    }

    #[test]
    fn the_recursion_is_the_definition() {
        for c in 1..=30 {
            for load in [0.1, 0.5, 0.8, 0.95] {
                let a = load * c as f64;
                assert!(near(erlang_c(a, c), by_definition(a, c), 1e-12), "{c} agents, {a} erlangs");
            }
        }
        // One server: the share that waits is the load itself, and W = r s / (1 - r).
        assert!(near(erlang_c(0.7, 1), 0.7, 1e-12));
        assert!(near(mean_wait_s(0.7, 60.0, 1).unwrap(), 140.0, 1e-9));
        // Two: C = 2 r^2 / (1 + r).
        assert!(near(erlang_c(1.5, 2), 2.0 * 0.75 * 0.75 / 1.75, 1e-12));
    }

    #[test]
    fn the_worked_example_of_the_text_books() {
        // 100 calls in half an hour of 3 minutes each are 10 erlangs: 14 agents answer 88.8 % within 20 s.
        let target = Target { occupancy: 1.0, shrinkage: 0.3, ..Target::default() };
        let staffing = staff(100.0, 1_800.0, 180.0, target).unwrap();
        assert_eq!((staffing.agents, staffing.rostered), (14, 20));
        assert!(near(staffing.service_level, 0.888, 0.001), "{staffing:?}");
        assert!(near(staffing.mean_wait_s, 7.8, 0.1), "{staffing:?}");
        // One fewer is not enough.
        assert!(service_level(10.0, 180.0, 13, 20.0) < 0.8);
    }

    #[test]
    fn figures_that_are_none_are_answered_with_none() {
        for (calls, span, handling) in [(f64::NAN, 1.0, 1.0), (1.0, 0.0, 1.0), (-1.0, 1.0, 1.0), (1e300, 1.0, 1e300)] {
            assert_eq!(staff(calls, span, handling, Target::default()), None);
        }
        assert_eq!(staff(10.0, 1_800.0, 60.0, Target { share: 1.0, ..Target::default() }), None);
        assert_eq!(staff(0.0, 1_800.0, 60.0, Target::default()).unwrap().agents, 0);
        assert_eq!(mean_wait_s(5.0, 60.0, 5), None);
        assert_eq!(erlang_c(7.0, 5), 1.0);
        assert_eq!(wait_at(3, 120.0, 0), None);
    }
}
