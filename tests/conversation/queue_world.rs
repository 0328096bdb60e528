//! Callers, agents' phones and the floor, with every message between them on its way for as long as it likes (in order
//! from each call and to each call, as the engine's channels keep it). Small enough to be visited whole, and with books of
//! its own to compare the floor's with.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use frontdesk::acd::{About, Agent, AgentState, Floor, FloorAction, FloorEvent, NoCallback, Queue, Rules};
use frontdesk::call::AgentFailure;
use frontdesk::dialog::Language;

pub const AGENTS: [&str; 2] = ["ann", "bob"];
pub const QUEUE: &str = "desk";

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The floor reads the next message of this call.
    ToFloor(usize),
    /// This call reads the floor's next message.
    ToCall(usize),
    Arrives(usize),
    HangsUp(usize),
    /// The caller would rather be called.
    Agrees(usize),
    /// The caller, dialled, picks up, or does not.
    PicksUp(usize),
    DoesNotPickUp(usize),
    Answers(usize),
    Declines(usize),
    /// The agent, talking, ends the conversation, or puts the caller back into the queue.
    AgentHangsUp(usize),
    Transfers(usize),
    LogsIn(usize),
    LogsOut(usize),
    Vanishes(usize),
    /// The floor's next deadline comes.
    Time,
}

/// A fault put between floor and world, to see that it is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fault {
    #[default]
    None,
    /// A call is offered to a second agent.
    TwoAgents,
    /// A hang-up that comes after the answer is lost.
    StuckBusy,
    /// With its agent's log-out the call is gone.
    LostOnLogOut,
    /// A call that is passed on is taken for a new one.
    TransferToTheBack,
    /// A hang-up while the phone rings is lost.
    RingsForNobody,
    /// Nobody is told to stop ringing.
    NeverWithdraws,
    /// A declined call is taken for one that hung up.
    DeclinedIsGone,
}

/// How much may happen; a world with an end can be visited whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    pub ticks: u8,
    pub presence: u8,
    pub transfers: u8,
    pub callbacks: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Up {
    Enter,
    Leave,
    Taken(usize),
    NotTaken(usize, bool),
    Done(usize),
    Agreed,
    Answered,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Down {
    Offer(usize),
    /// And whether the agent is gone.
    Stop(usize, bool),
    GivenUp,
    Dial,
    StopDialling,
    /// And whether the call waits on as before.
    CallbackOver(bool),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    #[default]
    New,
    Waiting,
    Talking(usize),
    /// Hung up, to be called.
    Kept,
    Dialled,
    Gone,
}

/// The engine's side of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Shell {
    stage: Stage,
    ringing: BTreeSet<usize>,
    /// Rung, and answered after another; the floor is to say so.
    late: BTreeSet<usize>,
    agreed: bool,
    up: VecDeque<Up>,
    down: VecDeque<Down>,
}

impl Shell {
    fn silence(&mut self) {
        self.ringing.clear();
        self.late.clear();
    }
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub struct World {
    floor: Floor,
    shells: Vec<Shell>,
    left: Left,
    fault: Fault,
    now: u64,
    /// Own books: the order in which calls first came, and who is to be at the front.
    came: Vec<usize>,
    front: BTreeSet<usize>,
    /// Has the agent who was held for it while it was dialled.
    held: Option<usize>,
    several: bool,
    /// The first promise that was broken on the way.
    broken: Option<String>,
}

fn agent_number(name: &str) -> usize {
    AGENTS.iter().position(|agent| *agent == name).unwrap()
}

impl World {
    pub fn new(calls: usize, queue: Queue, logged_in: usize, left: Left, fault: Fault) -> Self {
        let agents =
            AGENTS.map(|name| Agent { name: name.into(), queues: [QUEUE.to_owned()].into(), ..Agent::default() });
        let several = matches!(queue.strategy, frontdesk::acd::Strategy::RingSeveral(_));
        let mut floor = Floor::new(agents, [queue]).with_rules(Rules::default());
        for agent in &AGENTS[..logged_in] {
            floor.handle(0, FloorEvent::LoggedIn { agent: (*agent).into() });
        }
        Self {
            floor,
            shells: vec![Shell::default(); calls],
            left,
            fault,
            now: 0,
            came: Vec::new(),
            front: BTreeSet::new(),
            held: None,
            several,
            broken: None,
        }
    }

    /// What may happen next.
    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        if self.broken.is_some() {
            return moves;
        }
        for (call, shell) in self.shells.iter().enumerate() {
            if !shell.up.is_empty() {
                moves.push(Move::ToFloor(call));
            }
            if !shell.down.is_empty() {
                moves.push(Move::ToCall(call));
            }
            match shell.stage {
                // Calls are alike: they may as well come in this order.
                Stage::New if call == 0 || self.shells[call - 1].stage != Stage::New => moves.push(Move::Arrives(call)),
                Stage::New | Stage::Kept | Stage::Gone => {}
                Stage::Dialled => moves.extend([Move::PicksUp(call), Move::DoesNotPickUp(call)]),
                Stage::Waiting | Stage::Talking(_) => moves.push(Move::HangsUp(call)),
            }
            if shell.stage == Stage::Waiting && !shell.agreed && shell.ringing.is_empty() && self.left.callbacks > 0 {
                moves.push(Move::Agrees(call));
            }
            for agent in shell.ringing.difference(&shell.late) {
                moves.extend([Move::Answers(*agent), Move::Declines(*agent)]);
            }
            if let Stage::Talking(agent) = shell.stage {
                moves.push(Move::AgentHangsUp(agent));
                // Where several ring, an old offer on its way could be taken for a new one: see `Strategy::RingSeveral`.
                let settled = shell.up.is_empty() && shell.down.is_empty() && shell.ringing.is_empty();
                if self.left.transfers > 0 && (settled || !self.several) {
                    moves.push(Move::Transfers(agent));
                }
            }
        }
        if self.left.presence > 0 {
            for (agent, name) in AGENTS.iter().enumerate() {
                let offline = self.floor.agent(name) == Some(&AgentState::Offline);
                match offline {
                    true => moves.push(Move::LogsIn(agent)),
                    false => moves.extend([Move::LogsOut(agent), Move::Vanishes(agent)]),
                }
            }
        }
        if self.left.ticks > 0 && self.floor.next_deadline().is_some() {
            moves.push(Move::Time);
        }
        moves
    }

    /// The call on whose leg this agent's phone is.
    fn on_phone(&self, agent: usize) -> Option<usize> {
        self.shells.iter().position(|shell| shell.ringing.contains(&agent) || shell.stage == Stage::Talking(agent))
    }

    /// Moves that are not possible change nothing.
    pub fn make(&mut self, step: Move) {
        match step {
            Move::ToFloor(call) => {
                if let Some(up) = self.shells[call].up.pop_front() {
                    self.floor_reads(call, up);
                }
            }
            Move::ToCall(call) => {
                if let Some(down) = self.shells[call].down.pop_front() {
                    self.call_reads(call, down);
                }
            }
            Move::Arrives(call) => {
                let shell = &mut self.shells[call];
                if shell.stage == Stage::New {
                    shell.stage = Stage::Waiting;
                    shell.up.push_back(Up::Enter);
                }
            }
            Move::HangsUp(call) => {
                let shell = &mut self.shells[call];
                if matches!(shell.stage, Stage::Waiting | Stage::Talking(_)) {
                    let kept = shell.agreed && shell.stage == Stage::Waiting;
                    shell.stage = if kept { Stage::Kept } else { Stage::Gone };
                    shell.silence();
                    shell.up.push_back(Up::Leave);
                }
            }
            Move::Agrees(call) => {
                let shell = &mut self.shells[call];
                if shell.stage == Stage::Waiting && !shell.agreed && shell.ringing.is_empty() && self.left.callbacks > 0
                {
                    self.left.callbacks -= 1;
                    shell.agreed = true;
                    shell.up.push_back(Up::Agreed);
                }
            }
            Move::PicksUp(call) | Move::DoesNotPickUp(call) => {
                let shell = &mut self.shells[call];
                if shell.stage == Stage::Dialled {
                    let there = matches!(step, Move::PicksUp(_));
                    (shell.stage, shell.agreed) = if there { (Stage::Waiting, false) } else { (Stage::Kept, true) };
                    shell.up.push_back(if there { Up::Answered } else { Up::Failed });
                }
            }
            Move::Answers(agent) => {
                if let Some(call) = self.on_phone(agent) {
                    let shell = &mut self.shells[call];
                    // The second to answer is no less sure of it: the floor decides.
                    if shell.ringing.contains(&agent) && shell.late.insert(agent) {
                        shell.up.push_back(Up::Taken(agent));
                        if shell.stage == Stage::Waiting {
                            shell.ringing.remove(&agent);
                            shell.late.remove(&agent);
                            shell.stage = Stage::Talking(agent);
                            shell.agreed = false; // there is no need
                        }
                    }
                }
            }
            Move::Declines(agent) => {
                if let Some(call) = self.on_phone(agent)
                    && !self.shells[call].late.contains(&agent)
                    && self.shells[call].ringing.remove(&agent)
                {
                    self.shells[call].up.push_back(Up::NotTaken(agent, false));
                }
            }
            Move::AgentHangsUp(agent) => {
                if let Some(shell) = self.shells.iter_mut().find(|shell| shell.stage == Stage::Talking(agent)) {
                    shell.stage = Stage::Gone;
                    shell.silence();
                    shell.up.push_back(Up::Done(agent));
                }
            }
            Move::Transfers(agent) => {
                if self.left.transfers > 0
                    && let Some(shell) = self.shells.iter_mut().find(|shell| shell.stage == Stage::Talking(agent))
                {
                    self.left.transfers -= 1;
                    (shell.stage, shell.agreed) = (Stage::Waiting, false);
                    shell.silence();
                    shell.up.extend([Up::Done(agent), Up::Enter]);
                }
            }
            Move::LogsIn(agent) | Move::LogsOut(agent) | Move::Vanishes(agent) => {
                self.left.presence = self.left.presence.saturating_sub(1);
                let name = AGENTS[agent].to_owned();
                let talks = match self.floor.agent(&name) {
                    Some(AgentState::OnCall { call, .. }) => Some(call.clone()),
                    _ => None,
                };
                self.tell_floor(match step {
                    Move::LogsIn(_) => FloorEvent::LoggedIn { agent: name },
                    Move::LogsOut(_) => FloorEvent::LoggedOut { agent: name },
                    _ => FloorEvent::Vanished { agent: name },
                });
                if let (Fault::LostOnLogOut, Some(call), Move::LogsOut(_)) = (self.fault, talks, step) {
                    self.tell_floor(FloorEvent::Left { call });
                }
            }
            Move::Time => {
                if let Some(deadline) = self.floor.next_deadline() {
                    self.left.ticks = self.left.ticks.saturating_sub(1);
                    self.now = self.now.max(deadline);
                    self.tell_floor(FloorEvent::Tick);
                }
            }
        }
    }

    fn floor_reads(&mut self, call: usize, up: Up) {
        let id = call.to_string();
        let agent = |agent: usize| AGENTS[agent].to_owned();
        let has = |floor: &Floor, talks: bool| {
            AGENTS.iter().any(|name| match floor.agent(name) {
                Some(AgentState::OnCall { call, .. }) => talks && *call == id,
                Some(AgentState::Offered { call, .. }) => !talks && *call == id,
                _ => false,
            })
        };
        let event = match up {
            Up::Enter => {
                match self.came.contains(&call) {
                    false => self.came.push(call),
                    true if self.fault == Fault::TransferToTheBack => {
                        self.tell_floor(FloorEvent::Left { call: id.clone() });
                    }
                    true => {}
                }
                self.front.remove(&call);
                FloorEvent::Entered {
                    call: id.clone(),
                    queue: QUEUE.into(),
                    skills: vec![],
                    language: Language::new("en"),
                    priority: 0,
                    about: About::default(),
                }
            }
            Up::Leave if self.fault == Fault::StuckBusy && has(&self.floor, true) => return,
            Up::Leave if self.fault == Fault::RingsForNobody && has(&self.floor, false) => return,
            Up::Leave => FloorEvent::Left { call: id.clone() },
            Up::Taken(a) => FloorEvent::Taken { call: id.clone(), agent: agent(a) },
            Up::NotTaken(_, false) if self.fault == Fault::DeclinedIsGone => FloorEvent::Left { call: id.clone() },
            Up::NotTaken(a, gone) => {
                if gone && has(&self.floor, true) {
                    self.front.insert(call);
                }
                let failure = if gone { AgentFailure::Unreachable } else { AgentFailure::Declined };
                FloorEvent::NotTaken { call: id.clone(), agent: agent(a), failure }
            }
            Up::Done(a) => FloorEvent::Done { call: id.clone(), agent: agent(a) },
            Up::Agreed => FloorEvent::CallbackAgreed { call: id.clone() },
            Up::Answered => {
                // The agent who was held is gone: first in line.
                let held = AGENTS.iter().any(
                    |name| matches!(self.floor.agent(name), Some(AgentState::Reserved { call, .. }) if *call == id),
                );
                if held {
                    self.held = Some(call);
                } else {
                    self.front.insert(call);
                }
                FloorEvent::CallbackAnswered { call: id.clone() }
            }
            Up::Failed => FloorEvent::CallbackFailed { call: id.clone() },
        };
        self.tell_floor(event);
    }

    fn tell_floor(&mut self, event: FloorEvent) {
        for action in self.floor.handle(self.now, event) {
            let (id, down) = match action {
                FloorAction::Offer { call, agent, .. } => {
                    // An agent who was held for it is not taken from anybody now.
                    if self.held.take() != call.parse().ok() {
                        self.in_order(&call);
                    }
                    (call, Down::Offer(agent_number(&agent)))
                }
                FloorAction::Withdraw { .. } if self.fault == Fault::NeverWithdraws => continue,
                FloorAction::Withdraw { call, agent, failure } => {
                    (call, Down::Stop(agent_number(&agent), failure == AgentFailure::Unreachable))
                }
                FloorAction::GiveUp { call, .. } => (call, Down::GivenUp),
                FloorAction::Dial { call, .. } => (call, Down::Dial),
                FloorAction::StopDialling { call } => (call, Down::StopDialling),
                FloorAction::CallbackOver { call, why } => (call, Down::CallbackOver(why == NoCallback::NotOffered)),
                _ => continue,
            };
            let shell = &mut self.shells[id.parse::<usize>().unwrap()]; // our own names
            shell.down.push_back(down);
            if let (Fault::TwoAgents, Down::Offer(agent)) = (self.fault, down) {
                shell.down.push_back(Down::Offer(1 - agent));
            }
        }
    }

    fn rank(&self, call: usize) -> (bool, Option<usize>) {
        (!self.front.contains(&call), self.came.iter().position(|other| *other == call))
    }

    /// Nobody who ranks higher still waits while this call is offered.
    fn in_order(&mut self, id: &str) {
        let rank = self.rank(id.parse().unwrap()); // our own names
        let before = self.floor.waiting(QUEUE).find(|other| {
            // One who is to be called is not ready at any time.
            let other: usize = other.parse().unwrap(); // likewise
            !matches!(self.shells[other].stage, Stage::Kept | Stage::Dialled)
                && !self.shells[other].agreed
                && self.rank(other) < rank
        });
        if let Some(other) = before {
            self.broken = Some(format!("{id} is served before {other}"));
        }
    }

    fn call_reads(&mut self, call: usize, down: Down) {
        if let Down::Offer(agent) = down {
            let elsewhere = self.on_phone(agent).filter(|other| *other != call);
            if let (Some(other), Stage::Waiting) = (elsewhere, self.shells[call].stage) {
                self.broken =
                    Some(format!("{}'s phone is rung for call {call}, and is on call {other}", AGENTS[agent]));
            }
        }
        let shell = &mut self.shells[call];
        match (down, shell.stage) {
            (Down::Offer(agent), Stage::Waiting) => {
                if !self.several && !shell.ringing.is_empty() {
                    self.broken = Some(format!("call {call} is given to two agents"));
                }
                shell.ringing.insert(agent);
            }
            (Down::Offer(agent), Stage::Talking(other)) if !self.several && agent != other => {
                self.broken = Some(format!("call {call} is given to two agents"));
            }
            (Down::Offer(agent), Stage::Talking(_) | Stage::Kept) => shell.up.push_back(Up::NotTaken(agent, false)),
            // A phone that was called meanwhile is let go by the floor's own book: the call's end is on its way there.
            (Down::Offer(_), _) => {}
            (Down::Stop(agent, _), _) if shell.ringing.remove(&agent) => {
                shell.late.remove(&agent);
                shell.up.push_back(Up::NotTaken(agent, false));
            }
            (Down::Stop(agent, true), Stage::Talking(talks)) if agent == talks => {
                shell.stage = Stage::Waiting;
                shell.up.push_back(Up::NotTaken(agent, true));
            }
            (Down::Stop(..), _) => {}
            (Down::GivenUp, Stage::Waiting) => shell.stage = Stage::Gone,
            (Down::GivenUp, _) => {}
            (Down::Dial, Stage::Kept) => shell.stage = Stage::Dialled,
            // The caller has not hung up yet, and need not be dialled.
            (Down::Dial, Stage::Waiting) => {
                shell.agreed = false;
                shell.up.push_back(Up::Answered);
            }
            (Down::Dial, _) => shell.up.push_back(Up::Failed),
            (Down::StopDialling, Stage::Dialled) => {
                shell.stage = Stage::Kept;
                shell.up.push_back(Up::Failed);
            }
            (Down::StopDialling, _) => {}
            (Down::CallbackOver(true), Stage::Waiting) => shell.agreed = false,
            (Down::CallbackOver(false), Stage::Waiting) => {
                shell.agreed = false;
                shell.up.push_back(Up::Enter);
            }
            (Down::CallbackOver(_), Stage::Kept | Stage::Dialled) => shell.stage = Stage::Gone,
            (Down::CallbackOver(_), _) => {}
        }
    }

    /// What is wrong: in the floor's own books, in the order of service; or, when no message is on its way, that not
    /// everybody believes the same.
    pub fn wrong(&self) -> Option<String> {
        let books = || self.floor.check().err().map(|broken| broken.to_string());
        self.broken.clone().or_else(books).or_else(|| if self.is_quiet() { self.disagreement() } else { None })
    }

    fn disagreement(&self) -> Option<String> {
        for (agent, name) in AGENTS.iter().enumerate() {
            let state = self.floor.agent(name)?;
            let phone = self.on_phone(agent).map(|call| (call.to_string(), self.shells[call].ringing.contains(&agent)));
            let believed = match state {
                AgentState::Offered { call, until_ms: Some(_) } => Some((call.clone(), true)),
                AgentState::Offered { call, until_ms: None } => {
                    return Some(format!("{name} has to stop ringing for call {call}, and nobody says so"));
                }
                AgentState::OnCall { call, .. } => Some((call.clone(), false)),
                AgentState::Reserved { call, .. } => {
                    let dialled = self.shells[call.parse::<usize>().ok()?].stage == Stage::Dialled;
                    match dialled {
                        true => None,
                        false => return Some(format!("{name} is held for call {call}, who is not dialled")),
                    }
                }
                _ => None,
            };
            if believed != phone {
                return Some(format!("{name} is {state:?}, the phone is on {phone:?} (call, and whether it rings)"));
            }
        }
        let waiting: BTreeSet<&str> = self.floor.waiting(QUEUE).map(String::as_str).collect();
        for (call, shell) in self.shells.iter().enumerate() {
            let waits = shell.stage == Stage::Waiting && shell.ringing.is_empty() || shell.stage == Stage::Kept;
            if waits != waiting.contains(call.to_string().as_str()) {
                return Some(format!("call {call} is {:?}, the floor has {waiting:?} waiting", shell.stage));
            }
        }
        None
    }

    /// No message is on its way.
    pub fn is_quiet(&self) -> bool {
        self.shells.iter().all(|shell| shell.up.is_empty() && shell.down.is_empty())
    }

    /// All messages arrive; everybody hangs up; time passes. Then every agent is free or away, and no call is left.
    pub fn end(mut self) -> Option<String> {
        if let Some(wrong) = self.deliver() {
            return Some(wrong);
        }
        for rounds in 0.. {
            for call in 0..self.shells.len() {
                self.make(Move::DoesNotPickUp(call));
                self.make(Move::HangsUp(call));
            }
            if let Some(wrong) = self.deliver() {
                return Some(wrong);
            }
            if self.floor.next_deadline().is_none() {
                break;
            }
            if rounds > 200 {
                return Some("it never ends".into());
            }
            self.make(Move::Time);
        }
        let states: BTreeMap<&str, _> = AGENTS.iter().map(|name| (*name, self.floor.agent(name))).collect();
        let free = |state: &&AgentState| matches!(state, AgentState::Available { .. } | AgentState::Offline);
        let all_free = states.values().all(|state| state.as_ref().is_some_and(free));
        (!all_free || self.floor.waiting(QUEUE).next().is_some()).then(|| format!("left alone: {states:?}"))
    }

    fn deliver(&mut self) -> Option<String> {
        while self.broken.is_none() && !self.is_quiet() {
            for call in 0..self.shells.len() {
                self.make(Move::ToFloor(call));
                self.make(Move::ToCall(call));
            }
        }
        self.wrong()
    }
}
