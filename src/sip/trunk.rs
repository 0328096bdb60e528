//! One trunk: which of its servers is spoken to, whether we are registered, when to try what again. A plain value: it
//! is told what happened and when, and says what to do next. Fail-over as in RFC 3263 4.3, waits as in RFC 5626 4.5, rest
//! for a server that asks for it as in RFC 3261 21.5.4.

use std::time::{Duration, Instant};

use super::targets::Target;

/// The first wait after every server has failed, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(4);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A server that asks to be left alone is left alone so long, at most.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// A server that answered nothing is asked again this soon before it counts as gone.
const SECOND_LOOK: Duration = Duration::from_secs(3);
const MISSES: u32 = 2;
/// A registration is never refreshed more often.
const SHORTEST: u32 = 10;

/// What a trunk wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Ask where its servers are.
    Lookup,
    /// Register here, for so many seconds.
    Register(Target, u32),
    /// Ask whether this server is there.
    Probe(Target),
}

/// How a server turned us away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It did not answer, is overloaded or broken: another one may do better.
    Server,
    /// The account, or what we asked: another server would say the same.
    Account,
    /// 423: ask for at least so many seconds.
    TooBrief(u32),
}

impl Refusal {
    /// What a final status other than 2xx says; none: no answer came.
    pub fn of(status: Option<u16>, least: Option<u32>) -> Self {
        match (status, least) {
            (Some(423), Some(least)) => Self::TooBrief(least),
            (None | Some(408 | 430 | 500 | 502..=504), _) => Self::Server,
            _ => Self::Account,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is known yet.
    Starting,
    Up,
    Down,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Trunk {
    /// Seconds wished for, where we register.
    register: Option<u32>,
    /// Zero: never.
    keep_alive: Duration,
    servers: Vec<Server>,
    /// Where we are registered, and until when.
    registered: Option<(Target, Instant)>,
    next_look: Instant,
    next_register: Option<Instant>,
    failures: u32,
    looked: bool,
}

#[derive(Clone, Debug)]
struct Server {
    target: Target,
    alive: bool,
    /// Failed in this round of attempts to register.
    tried: bool,
    misses: u32,
    next_probe: Option<Instant>,
    /// It asked to be left alone until then (503 with Retry-After).
    rests: Option<Instant>,
    /// A call was refused so: other calls stay away until then. It may have come from behind the server.
    no_calls: Option<Instant>,
}

impl Server {
    fn is_resting(&self, now: Instant) -> bool {
        self.rests.max(self.no_calls).is_some_and(|until| until > now)
    }

    /// The same time, or the end of its rest.
    fn rested(&self, at: Instant) -> Instant {
        self.rests.map_or(at, |until| until.max(at))
    }
}

impl Trunk {
    pub fn new(now: Instant, register: Option<u32>, keep_alive: Duration) -> Self {
        Self {
            register,
            keep_alive,
            servers: Vec::new(),
            registered: None,
            next_look: now,
            next_register: None,
            failures: 0,
            looked: false,
        }
    }

    /// What to do next, and when.
    pub fn next(&self) -> (Instant, Task) {
        let register = self.next_register.and_then(|at| {
            let server = self.candidate(at)?;
            Some((server.rested(at), Task::Register(server.target, self.register?)))
        });
        let probe = |server: &Server| Some((server.rested(server.next_probe?), Task::Probe(server.target)));
        let probes = self.servers.iter().filter_map(probe);
        let all = register.into_iter().chain(probes).chain([(self.next_look, Task::Lookup)]);
        all.min_by_key(|(at, _)| *at).unwrap_or((self.next_look, Task::Lookup))
    }

    /// The servers, in the order of trying. One that was known keeps what is known of it.
    pub fn found(&mut self, now: Instant, targets: Vec<Target>, again_in: Duration) {
        let known = std::mem::take(&mut self.servers);
        for target in targets {
            if self.servers.iter().any(|server| server.target == target) {
                continue;
            }
            let old = known.iter().find(|server| server.target == target);
            let fresh = Server {
                target,
                alive: true,
                tried: false,
                misses: 0,
                next_probe: (!self.keep_alive.is_zero()).then_some(now),
                rests: None,
                no_calls: None,
            };
            self.servers.push(old.map_or(fresh, |old| Server { tried: false, ..old.clone() }));
        }
        self.looked = true;
        self.next_look = now + again_in;
        let holds = self.registered.filter(|(at, _)| self.servers.iter().any(|server| server.target == *at));
        if self.register.is_some() && (holds.is_none() || self.next_register.is_none()) {
            self.registered = holds;
            self.next_register = Some(now);
        }
    }

    /// The domain has no servers, or nobody answers questions about it.
    pub fn not_found(&mut self, now: Instant, random: f64) {
        self.looked = true;
        self.failures += 1;
        self.next_look = now + wait(self.failures, random);
    }

    /// A server has registered us for so many seconds.
    pub fn registered(&mut self, now: Instant, target: Target, seconds: u32) {
        let seconds = seconds.max(SHORTEST);
        self.registered = Some((target, now + Duration::from_secs(seconds.into())));
        self.next_register = Some(now + refresh(seconds));
        self.failures = 0;
        for server in &mut self.servers {
            server.tried = false;
        }
        self.answered(now, target);
    }

    /// A server has not registered us. `random` is in 0..1.
    pub fn refused(&mut self, now: Instant, target: Target, refusal: Refusal, random: f64) {
        if let Refusal::TooBrief(least) = refusal
            && self.register.is_some_and(|wish| wish < least)
        {
            self.register = Some(least.min(86_400));
            self.next_register = Some(now);
            return;
        }
        if self.registered.is_some_and(|(at, until)| at == target || until <= now) {
            self.registered = None;
        }
        if let Some(server) = self.server(target) {
            server.tried = true;
        }
        self.next_register = match self.candidate(now) {
            Some(_) if refusal == Refusal::Server => Some(now),
            _ => {
                self.failures += 1;
                let at = now + wait(self.failures, random);
                // The next round begins with a new look: the domain's records may have changed.
                self.next_look = at;
                None
            }
        };
    }

    /// A server asked to be left alone for so many seconds: nothing is sent to it meanwhile.
    pub fn rests(&mut self, now: Instant, target: Target, seconds: u32) {
        if let Some(server) = self.server(target) {
            server.rests = Some(until(now, seconds));
        }
    }

    /// A call was refused for so many seconds: none is tried there meanwhile. Our registration goes on, for the refusal
    /// may be that of somebody behind the server.
    pub fn takes_no_calls(&mut self, now: Instant, target: Target, seconds: u32) {
        if let Some(server) = self.server(target) {
            server.no_calls = Some(until(now, seconds));
        }
    }

    /// Servers that want to be left alone.
    pub fn resting(&self, now: Instant) -> usize {
        self.servers.iter().filter(|server| server.is_resting(now)).count()
    }

    /// A server answered a question.
    pub fn answered(&mut self, now: Instant, target: Target) {
        let next = self.next_probe(now);
        if let Some(server) = self.server(target) {
            (server.alive, server.misses, server.next_probe) = (true, 0, next);
        }
    }

    /// A server answered nothing. One that does so again counts as gone, and so does our registration there.
    pub fn missed(&mut self, now: Instant, target: Target) {
        let next = self.next_probe(now);
        let Some(server) = self.servers.iter_mut().find(|server| server.target == target) else { return };
        server.misses += 1;
        let gone = server.misses >= MISSES;
        server.next_probe = if gone { next } else { Some(now + SECOND_LOOK) };
        if gone && std::mem::replace(&mut server.alive, false) && self.registered.is_some_and(|(at, _)| at == target) {
            self.registered = None;
            server.tried = true;
            self.next_register = Some(now);
        }
    }

    /// Where a call out is tried, in order: where we are registered, then the servers that are there, then the others;
    /// none that rests.
    pub fn ways(&self, now: Instant) -> Vec<Target> {
        let home = self.registered.filter(|(_, until)| *until > now).map(|(target, _)| target);
        let rank = |server: &&Server| match (Some(server.target) == home, server.alive) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        let mut servers: Vec<&Server> = self.servers.iter().filter(|server| !server.is_resting(now)).collect();
        servers.sort_by_key(rank); // stable: the records' order stays within a rank
        servers.into_iter().map(|server| server.target).collect()
    }

    /// Every server's address.
    pub fn servers(&self) -> impl Iterator<Item = Target> {
        self.servers.iter().map(|server| server.target)
    }

    /// Where to say goodbye.
    pub fn home(&self, now: Instant) -> Option<Target> {
        self.registered.filter(|(_, until)| *until > now).map(|(target, _)| target)
    }

    pub fn state(&self, now: Instant) -> State {
        let home = self.home(now).is_some();
        let up = match self.register {
            Some(_) => home && self.resting(now) < self.servers.len(),
            None => self.servers.iter().any(|server| server.alive && !server.is_resting(now)),
        };
        match (up, self.looked && (self.register.is_none() || self.failures > 0 || home)) {
            (true, _) => State::Up,
            (false, true) => State::Down,
            (false, false) => State::Starting,
        }
    }

    /// The server to register at: the first that has not failed in this round, those that are there first, those that
    /// rest last.
    fn candidate(&self, at: Instant) -> Option<&Server> {
        let untried = self.servers.iter().filter(|server| !server.tried);
        untried.min_by_key(|server| (server.rested(at), !server.alive)) // the first of equals
    }

    fn server(&mut self, target: Target) -> Option<&mut Server> {
        self.servers.iter_mut().find(|server| server.target == target)
    }

    fn next_probe(&self, now: Instant) -> Option<Instant> {
        (!self.keep_alive.is_zero()).then(|| now + self.keep_alive)
    }
}

fn until(now: Instant, seconds: u32) -> Instant {
    now + Duration::from_secs(seconds.into()).min(LONGEST_REST)
}

/// How long to wait after the `failures`th failed round: doubled each time up to a limit, and between half and all of
/// it, so that thousands of us do not come back at once (RFC 5626, 4.5).
fn wait(failures: u32, random: f64) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    longest.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0))
}

/// When a registration of so many seconds is renewed: at half of it, or ten minutes before its end.
fn refresh(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(if seconds > 1_200 { seconds - 600 } else { seconds / 2 }))
}

#[cfg(test)]
mod tests {
    use super::super::registrar::Transport;
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn target(n: u8) -> Target {
        Target { address: ([192, 0, 2, n], 5060).into(), transport: Transport::Udp }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn looked(register: Option<u32>, keep_alive: u64) -> (Instant, Trunk) {
        let start = Instant::now();
        let mut trunk = Trunk::new(start, register, secs(keep_alive));
        assert_eq!(trunk.next(), (start, Task::Lookup));
        assert_eq!(trunk.state(start), State::Starting);
        trunk.found(start, vec![target(1), target(2)], HOUR);
        (start, trunk)
    }

    #[test]
    fn it_registers_and_refreshes_in_time() {
        let (start, mut trunk) = looked(Some(600), 0);
        assert_eq!(trunk.next(), (start, Task::Register(target(1), 600)));
        trunk.registered(start, target(1), 120);
        assert_eq!(trunk.state(start), State::Up);
        assert_eq!(trunk.next(), (start + secs(60), Task::Register(target(1), 600)), "as granted, not as wished");
        assert_eq!(trunk.state(start + secs(120)), State::Starting, "it has run out");
        trunk.registered(start, target(1), 0);
        assert_eq!(trunk.next().0, start + secs(5), "never in a circle");
        assert_eq!(refresh(3_600), secs(3_000));
    }

    #[test]
    fn a_server_that_fails_gives_way_to_the_next_and_all_to_a_wait() {
        let (start, mut trunk) = looked(Some(600), 0);
        trunk.refused(start, target(1), Refusal::of(Some(503), None), 1.0);
        assert_eq!(trunk.next(), (start, Task::Register(target(2), 600)));
        trunk.refused(start, target(2), Refusal::of(None, None), 1.0);
        assert_eq!(trunk.next(), (start + secs(4), Task::Lookup));
        assert_eq!(trunk.state(start), State::Down);
        trunk.found(start + secs(4), vec![target(2), target(3)], HOUR);
        assert_eq!(trunk.next(), (start + secs(4), Task::Register(target(2), 600)), "a new round");
        trunk.registered(start + secs(4), target(2), 600);
        assert_eq!(trunk.failures, 0);
    }

    #[test]
    fn a_server_that_asks_for_rest_is_left_alone() {
        let (start, mut trunk) = looked(Some(600), 30);
        for server in [1, 2] {
            trunk.answered(start, target(server));
        }
        trunk.rests(start, target(1), 100);
        trunk.refused(start, target(1), Refusal::of(Some(503), None), 1.0);
        assert_eq!(trunk.next(), (start, Task::Register(target(2), 600)));
        trunk.registered(start, target(2), 600);
        assert_eq!((trunk.ways(start), trunk.resting(start)), (vec![target(2)], 1));
        assert_eq!(trunk.next(), (start + secs(30), Task::Probe(target(2))), "the other is not even asked");
        trunk.rests(start, target(2), 40);
        assert_eq!(trunk.ways(start + secs(39)), [], "nobody wants a call");
        assert_eq!(trunk.next(), (start + secs(40), Task::Probe(target(2))));
        assert_eq!(trunk.ways(start + secs(100)), [target(2), target(1)]);
        // Who asks for days is asked again within the hour.
        trunk.rests(start, target(1), 1_000_000);
        assert_eq!(trunk.resting(start + secs(3_600)), 0);

        let (start, mut trunk) = looked(None, 0);
        trunk.rests(start, target(1), 10);
        assert_eq!(trunk.state(start), State::Up);
        trunk.rests(start, target(2), 5);
        assert_eq!((trunk.state(start), trunk.state(start + secs(5))), (State::Down, State::Up));
    }

    #[test]
    fn a_refused_call_keeps_calls_away_but_not_our_registration() {
        let (start, mut trunk) = looked(Some(600), 0);
        trunk.registered(start, target(1), 600);
        let renewal = trunk.next();
        trunk.takes_no_calls(start, target(1), 3_600);
        assert_eq!((trunk.ways(start), trunk.next()), (vec![target(2)], renewal));
        trunk.takes_no_calls(start, target(2), 60);
        assert_eq!((trunk.state(start), trunk.state(start + secs(60))), (State::Down, State::Up));
    }

    #[test]
    fn a_wrong_password_is_not_tried_everywhere() {
        let (start, mut trunk) = looked(Some(600), 0);
        trunk.refused(start, target(1), Refusal::of(Some(403), None), 0.0);
        assert_eq!(trunk.next(), (start + secs(2), Task::Lookup));
        let (start, mut trunk) = looked(Some(60), 0);
        trunk.refused(start, target(1), Refusal::of(Some(423), Some(300)), 0.0);
        assert_eq!(trunk.next(), (start, Task::Register(target(1), 300)));
        // One that asks for more time again and again is not believed for ever.
        trunk.refused(start, target(1), Refusal::of(Some(423), Some(300)), 0.0);
        assert_eq!(trunk.next().1, Task::Lookup);
    }

    #[test]
    fn waits_double_to_a_limit_and_spread() {
        let waits: Vec<u64> = (1..=9).map(|failures| wait(failures, 1.0).as_secs()).collect();
        assert_eq!(waits, [4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(wait(3, 0.0), secs(8));
        assert_eq!(wait(u32::MAX, 1.0), LONGEST_WAIT);
    }

    #[test]
    fn a_dead_server_is_left_and_comes_back() {
        let (start, mut trunk) = looked(Some(600), 30);
        trunk.registered(start, target(1), 600);
        trunk.answered(start, target(2));
        assert_eq!(trunk.next(), (start + secs(30), Task::Probe(target(1))));
        trunk.missed(start + secs(30), target(1));
        trunk.answered(start + secs(30), target(2));
        assert_eq!(trunk.next(), (start + secs(33), Task::Probe(target(1))), "a second look");
        assert_eq!(trunk.state(start + secs(33)), State::Up);
        trunk.missed(start + secs(33), target(1));
        assert_eq!(trunk.next(), (start + secs(33), Task::Register(target(2), 600)), "the next target is used");
        assert_eq!(trunk.ways(start + secs(33)), [target(2), target(1)]);
        trunk.registered(start + secs(34), target(2), 600);
        trunk.answered(start + secs(63), target(1));
        assert_eq!(trunk.ways(start + secs(64)), [target(2), target(1)], "home first");
    }

    #[test]
    fn without_registration_a_trunk_is_up_while_a_server_is_there() {
        let (start, mut trunk) = looked(None, 30);
        assert_eq!(trunk.state(start), State::Up);
        for (server, at) in [(1, 0), (1, 3), (2, 3), (2, 6)] {
            trunk.missed(start + secs(at), target(server));
        }
        assert_eq!(trunk.state(start + secs(6)), State::Down);
        assert_eq!(trunk.ways(start + secs(6)).len(), 2, "better a dead server than none");
        trunk.answered(start + secs(33), target(2));
        assert_eq!(trunk.state(start + secs(33)), State::Up);
        assert_eq!(trunk.ways(start + secs(33)), [target(2), target(1)]);
    }

    #[test]
    fn a_domain_without_servers_is_looked_up_again() {
        let start = Instant::now();
        let mut trunk = Trunk::new(start, Some(600), Duration::ZERO);
        trunk.not_found(start, 1.0);
        assert_eq!((trunk.next(), trunk.state(start)), ((start + secs(4), Task::Lookup), State::Down));
        trunk.not_found(start + secs(4), 1.0);
        assert_eq!(trunk.next().0, start + secs(12));
    }
}
