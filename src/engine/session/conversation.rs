//! Caller, agent and who else is in the conversation: on each beat everybody hears whom they are to hear.

use std::time::Instant;

use super::{Request, Session, Sounding, Waiting};
use crate::call::{AgentFailure, Event, Supervision};
use crate::media::{Frame, Key, PARTIES, Port};

/// Everybody's sound; none: they are not there (yet).
#[derive(Default)]
pub struct Ports<'p> {
    pub caller: Option<&'p mut dyn Port>,
    pub agent: Option<&'p mut dyn Port>,
    pub supervisor: Option<&'p mut dyn Port>,
    /// Whom the agent consults while the caller is on hold, or has brought into the conversation.
    pub third: Option<&'p mut dyn Port>,
}

/// Places in the mixer.
const CALLER: usize = 0;
const AGENT: usize = 1;
const SUPERVISOR: usize = 2;
const THIRD: usize = 3;

/// What decides who hears whom.
#[derive(Clone, Copy)]
struct Hearing {
    /// The agent holds the caller.
    holds: bool,
    supervisor: Option<Supervision>,
}

impl Hearing {
    fn hears(self, listener: usize, speaker: usize) -> bool {
        match (listener, speaker) {
            (CALLER, _) | (AGENT | THIRD, CALLER) if self.holds => false,
            (CALLER | THIRD, SUPERVISOR) => self.supervisor == Some(Supervision::Barge),
            (AGENT, SUPERVISOR) => matches!(self.supervisor, Some(Supervision::Whisper | Supervision::Barge)),
            _ => listener != speaker,
        }
    }
}

impl Session {
    /// What part a supervisor has in the call from now on; none: there is no supervisor.
    pub fn supervise(&mut self, part: Option<Supervision>) {
        self.supervisor = part;
    }

    /// Caller and agent hear each other, and so do others who are there.
    #[allow(clippy::too_many_arguments)] // one call site
    pub(super) fn talk(
        &mut self,
        at: Instant,
        from_caller: &Frame,
        to_caller: &mut Frame,
        caller: &mut dyn Port,
        agent: &mut dyn Port,
        mut supervisor: Option<&mut dyn Port>,
        mut third: Option<&mut dyn Port>,
    ) {
        let mut from_agent = Frame::silence(agent.rate());
        let received = agent.receive(at, &mut from_agent);
        if self.agent_muted {
            from_agent = Frame::silence(agent.rate());
        }
        let (from_supervisor, _) = taken(at, &mut supervisor);
        let (from_third, third_key) = taken(at, &mut third);
        let voices: [Option<&Frame>; PARTIES] =
            [Some(from_caller), Some(&from_agent), from_supervisor.as_ref(), from_third.as_ref()];
        let hearing = Hearing { holds: self.agent_holds, supervisor: self.supervisor };
        let mixer = &mut self.mixer;
        let mut hear = |listener, out: &mut Frame| {
            let voices = voices.iter().enumerate().filter(|(speaker, _)| hearing.hears(listener, *speaker));
            mixer.hear(listener, voices.filter_map(|(speaker, voice)| Some((speaker, (*voice)?))), out)
        };
        hear(CALLER, to_caller);
        let mut tell = |listener, port: &mut dyn Port| {
            let mut told = Frame::silence(port.rate());
            let sounds = hear(listener, &mut told);
            port.send(at, sounds.then_some(&told));
        };
        tell(AGENT, agent);
        if let Some(supervisor) = supervisor {
            tell(SUPERVISOR, supervisor);
        }
        if let Some(key) = third_key.filter(|_| self.agent_holds) {
            agent.send_key(key);
        }
        let key = received.key.or_else(|| self.agent_keys.pop_front());
        let mut to_whom: &mut dyn Port = &mut *caller;
        if let Some(third) = third {
            tell(THIRD, third);
            if self.agent_holds {
                to_whom = third;
            }
        }
        if let Some(key) = key {
            to_whom.send_key(key);
        }
        if self.agent_holds {
            let sound = self.waiting_sounds.of(&self.queue, self.rate);
            self.waiting.get_or_insert_with(|| Waiting::start(sound, self.rate)).next(to_caller);
        }
        if let (Some(overhear), false) = (&mut self.overhear, self.agent_holds) {
            let somebody = self.echo.hears_somebody(from_caller, &self.played);
            for (who, audio, start_ms, end_ms) in overhear.hear(self.now_ms, (from_caller, somebody), &from_agent) {
                self.requests.push(Request::Overhear { who, audio, language: self.language.clone(), start_ms, end_ms });
            }
            self.played = *to_caller;
        }
        self.join(to_caller, Sounding::Agent);
        caller.send(at, Some(to_caller));
        if received.timed_out {
            self.tell(Event::AgentFailed { agent: self.agent.clone(), failure: AgentFailure::Unreachable });
        }
    }

    /// While no agent talks, a supervisor hears the caller and what the caller hears. What must be kept nowhere is not for
    /// their ears either.
    pub(super) fn listen_in(&mut self, at: Instant, from_caller: &Frame, to_caller: &Frame, port: &mut dyn Port) {
        port.receive(at, &mut Frame::silence(port.rate()));
        let mut told = Frame::silence(port.rate());
        let voices = [(CALLER, from_caller), (AGENT, to_caller)].into_iter().filter(|_| !self.masked);
        let sounds = self.mixer.hear(SUPERVISOR, voices, &mut told);
        port.send(at, sounds.then_some(&told));
    }
}

/// What somebody says on this beat.
fn taken(at: Instant, port: &mut Option<&mut dyn Port>) -> (Option<Frame>, Option<Key>) {
    let Some(port) = port else { return (None, None) };
    let mut frame = Frame::silence(port.rate());
    let received = port.receive(at, &mut frame);
    (Some(frame), received.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom caller, agent, supervisor and third hear.
    fn heard(holds: bool, supervisor: Option<Supervision>) -> [Vec<usize>; PARTIES] {
        let hearing = Hearing { holds, supervisor };
        std::array::from_fn(|listener| (0..PARTIES).filter(|speaker| hearing.hears(listener, *speaker)).collect())
    }

    #[test]
    fn a_supervisor_is_heard_by_nobody_by_the_agent_or_by_all() {
        let all = vec![CALLER, AGENT, THIRD];
        let [caller, agent, supervisor, third] = heard(false, Some(Supervision::Listen));
        assert_eq!((caller, agent, third), (vec![AGENT, THIRD], vec![CALLER, THIRD], vec![CALLER, AGENT]));
        assert_eq!(supervisor, all);
        let [caller, agent, supervisor, third] = heard(false, Some(Supervision::Whisper));
        assert_eq!((caller, third), (vec![AGENT, THIRD], vec![CALLER, AGENT]));
        assert_eq!((agent, supervisor), (vec![CALLER, SUPERVISOR, THIRD], all.clone()));
        let [caller, agent, supervisor, third] = heard(false, Some(Supervision::Barge));
        assert_eq!((caller, agent), (vec![AGENT, SUPERVISOR, THIRD], vec![CALLER, SUPERVISOR, THIRD]));
        assert_eq!((supervisor, third), (all, vec![CALLER, AGENT, SUPERVISOR]));
    }

    #[test]
    fn a_caller_on_hold_is_heard_by_the_supervisor_alone_and_hears_nobody() {
        for part in [None, Some(Supervision::Listen), Some(Supervision::Whisper), Some(Supervision::Barge)] {
            let [caller, agent, supervisor, third] = heard(true, part);
            assert!(caller.is_empty());
            assert!(!agent.contains(&CALLER) && !third.contains(&CALLER) && supervisor.contains(&CALLER), "{part:?}");
            assert!(agent.contains(&THIRD) && third.contains(&AGENT), "agent and third consult: {part:?}");
        }
    }
}
