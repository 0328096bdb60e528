//! Where registered phones are (RFC 3261, 10.3). A plain value: requests and times go in, bindings come out.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Devices one user may have registered at once; a new one replaces the oldest.
const MAX_CONTACTS: usize = 8;
/// Questions in a row without an answer after which a phone is not rung any more.
const MISSES: u32 = 2;
/// A phone that did not answer is asked again this soon.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// How a message came or shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    /// Nobody on the way reads along.
    pub fn is_secure(self) -> bool {
        match self {
            Self::Udp | Self::Tcp => false,
            Self::Tls => true,
        }
    }
}

/// One device of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Contact URI as the phone wrote it (canonical form).
    pub contact: String,
    /// Where its REGISTER came from: requests go there, so phones behind NAT are reached.
    pub source: SocketAddr,
    pub transport: Transport,
    pub expires_at: Instant,
    /// It answers questions, or was not asked any.
    alive: bool,
    misses: u32,
    asked_at: Instant,
    call_id: String,
    cseq: u32,
    registered_at: Instant,
}

/// A REGISTER, read.
#[derive(Clone, Debug)]
pub struct Request {
    pub user: String,
    pub call_id: String,
    pub cseq: u32,
    pub source: SocketAddr,
    pub transport: Transport,
    /// The `Expires` header, seconds.
    pub expires: Option<u32>,
    pub contacts: Contacts,
}

#[derive(Clone, Debug)]
pub enum Contacts {
    /// `Contact: *`
    All,
    /// URI and its own `expires`; none is a question for the current bindings.
    Some(Vec<(String, Option<u32>)>),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// 423 with `Min-Expires`.
    TooBrief(u32),
    /// 400.
    BadRequest,
    /// 500: older than what is known (RFC 3261, 10.3, step 7).
    OutOfOrder,
}

/// A phone became reachable, stays so, or went away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub user: String,
    pub contact: String,
    /// Zero: gone.
    pub expires: Duration,
}

#[derive(Default)]
pub struct Registrar {
    users: HashMap<String, Vec<Binding>>,
}

impl Registrar {
    /// Applies a REGISTER whose sender was proved to be `request.user`. All of it or nothing.
    pub fn register(
        &mut self,
        now: Instant,
        limits: &RangeInclusive<u32>,
        request: &Request,
    ) -> Result<Vec<Registration>, Refused> {
        self.expire(now);
        let bindings = self.users.entry(request.user.clone()).or_default();
        let out_of_order = |binding: &Binding| binding.call_id == request.call_id && request.cseq <= binding.cseq;
        let mut changes = Vec::new();
        match &request.contacts {
            Contacts::All => {
                if request.expires != Some(0) {
                    return Err(Refused::BadRequest);
                }
                if bindings.iter().any(out_of_order) {
                    return Err(Refused::OutOfOrder);
                }
                changes.extend(bindings.drain(..).map(|gone| Registration {
                    user: request.user.clone(),
                    contact: gone.contact,
                    expires: Duration::ZERO,
                }));
            }
            Contacts::Some(contacts) => {
                let mut wanted = Vec::new();
                for (contact, expires) in contacts {
                    let seconds = match expires.or(request.expires).unwrap_or(*limits.end()) {
                        0 => 0,
                        seconds if seconds < *limits.start() => return Err(Refused::TooBrief(*limits.start())),
                        seconds => seconds.min(*limits.end()),
                    };
                    if bindings.iter().any(|binding| binding.contact == *contact && out_of_order(binding)) {
                        return Err(Refused::OutOfOrder);
                    }
                    wanted.push((contact, Duration::from_secs(seconds.into())));
                }
                for (contact, expires) in wanted {
                    bindings.retain(|binding| binding.contact != *contact);
                    if !expires.is_zero() {
                        bindings.push(Binding {
                            contact: contact.clone(),
                            source: request.source,
                            transport: request.transport,
                            expires_at: now + expires,
                            alive: true,
                            misses: 0,
                            asked_at: now,
                            call_id: request.call_id.clone(),
                            cseq: request.cseq,
                            registered_at: now,
                        });
                    }
                    changes.push(Registration { user: request.user.clone(), contact: contact.clone(), expires });
                }
                while bindings.len() > MAX_CONTACTS {
                    let gone = bindings.remove(0);
                    changes.push(Registration {
                        user: request.user.clone(),
                        contact: gone.contact,
                        expires: Duration::ZERO,
                    });
                }
            }
        }
        if bindings.is_empty() {
            self.users.remove(&request.user);
        }
        Ok(changes)
    }

    /// Every device of a user, the latest to register first, those that do not answer too: what a REGISTER is told.
    pub fn registered(&self, now: Instant, user: &str) -> Vec<Binding> {
        self.users.get(user).into_iter().flatten().filter(|binding| binding.expires_at > now).cloned().collect()
    }

    /// Devices of a user that can be rung, the latest to register first.
    pub fn bindings(&self, now: Instant, user: &str) -> Vec<Binding> {
        let here = |binding: &&Binding| binding.expires_at > now && binding.alive;
        let mut bindings: Vec<_> = self.users.get(user).into_iter().flatten().filter(here).cloned().collect();
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.registered_at));
        bindings
    }

    /// Everyone who can be rung.
    pub fn reachable(&self, now: Instant) -> Vec<Registration> {
        let alive = |binding: &&Binding| binding.expires_at > now && binding.alive;
        self.users
            .iter()
            .flat_map(|(user, bindings)| {
                bindings.iter().filter(alive).map(|binding| Registration {
                    user: user.clone(),
                    contact: binding.contact.clone(),
                    expires: binding.expires_at - now,
                })
            })
            .collect()
    }

    /// Devices whose turn it is to be asked whether they are still there; each is asked once in `every`.
    pub fn due_to_ask(&mut self, now: Instant, every: Duration) -> Vec<Binding> {
        let due = |binding: &&mut Binding| {
            let wait = if binding.misses == 1 { SECOND_LOOK.min(every) } else { every };
            binding.expires_at > now && now.saturating_duration_since(binding.asked_at) >= wait
        };
        let due = self.users.values_mut().flatten().filter(due);
        due.map(|binding| {
            binding.asked_at = now;
            binding.clone()
        })
        .collect()
    }

    /// A device answered a question, or did not. What changes by it.
    pub fn told(&mut self, now: Instant, asked: &Binding, answered: bool) -> Option<Registration> {
        let mut all = self.users.iter_mut().flat_map(|(user, bindings)| bindings.iter_mut().map(move |b| (user, b)));
        // One that registered anew meanwhile is another binding.
        let (user, binding) = all.find(|(_, binding)| {
            binding.contact == asked.contact && binding.source == asked.source && binding.cseq == asked.cseq
        })?;
        binding.misses = if answered { 0 } else { binding.misses.saturating_add(1) };
        let alive = answered || (binding.alive && binding.misses < MISSES);
        (std::mem::replace(&mut binding.alive, alive) != alive).then(|| Registration {
            user: user.clone(),
            contact: binding.contact.clone(),
            expires: if alive { binding.expires_at.saturating_duration_since(now) } else { Duration::ZERO },
        })
    }

    /// Whether a registered phone speaks from this address.
    pub fn knows_source(&self, now: Instant, source: SocketAddr, transport: Transport) -> bool {
        let from_there =
            |binding: &Binding| binding.source == source && binding.transport == transport && binding.expires_at > now;
        self.users.values().flatten().any(from_there)
    }

    /// Whose registered phone speaks from this address. Where several do (behind one proxy), the one that calls itself so.
    pub fn user_at(
        &self,
        now: Instant,
        source: SocketAddr,
        transport: Transport,
        calls_itself: &str,
    ) -> Option<String> {
        let from_there =
            |binding: &Binding| binding.source == source && binding.transport == transport && binding.expires_at > now;
        let mut users = self.users.iter().filter(|(_, bindings)| bindings.iter().any(from_there)).map(|(user, _)| user);
        match (users.next(), users.next()) {
            (one, None) => one.cloned(),
            (one, two) => one.into_iter().chain(two).chain(users).find(|user| *user == calls_itself).cloned(),
        }
    }

    /// Whether a registered phone is at this address, whatever its port.
    pub fn knows_address(&self, now: Instant, ip: IpAddr) -> bool {
        self.users.values().flatten().any(|binding| binding.source.ip() == ip && binding.expires_at > now)
    }

    /// Where a request to this contact URI is to be sent.
    pub fn route(&self, contact: &str) -> Option<(SocketAddr, Transport)> {
        self.users.values().flatten().find(|b| b.contact == contact).map(|b| (b.source, b.transport))
    }

    /// Forgets what has run out.
    pub fn expire(&mut self, now: Instant) -> Vec<Registration> {
        let mut gone = Vec::new();
        self.users.retain(|user, bindings| {
            bindings.retain(|binding| {
                let alive = binding.expires_at > now;
                if !alive {
                    gone.push(Registration {
                        user: user.clone(),
                        contact: binding.contact.clone(),
                        expires: Duration::ZERO,
                    });
                }
                alive
            });
            !bindings.is_empty()
        });
        gone
    }

    /// Forgets users that are no longer configured.
    pub fn keep_only(&mut self, known: impl Fn(&str) -> bool) -> Vec<Registration> {
        let mut gone = Vec::new();
        self.users.retain(|user, bindings| {
            let keep = known(user);
            if !keep {
                gone.extend(bindings.iter().map(|binding| Registration {
                    user: user.clone(),
                    contact: binding.contact.clone(),
                    expires: Duration::ZERO,
                }));
            }
            keep
        });
        gone
    }

    /// Bindings held.
    pub fn len(&self) -> usize {
        self.users.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RangeInclusive<u32> = 30..=3_600;

    fn request(cseq: u32, contacts: &[(&str, Option<u32>)]) -> Request {
        Request {
            user: "alice".into(),
            call_id: "one".into(),
            cseq,
            source: "192.0.2.1:40000".parse().unwrap(),
            transport: Transport::Udp,
            expires: None,
            contacts: Contacts::Some(contacts.iter().map(|(uri, expires)| ((*uri).to_owned(), *expires)).collect()),
        }
    }

    #[test]
    fn a_phone_comes_stays_and_expires() {
        let (start, mut registrar) = (Instant::now(), Registrar::default());
        let desk = [("sip:alice@10.0.0.1:5060", Some(60))];
        let changes = registrar.register(start, &LIMITS, &request(1, &desk)).unwrap();
        assert_eq!(changes[0].expires, Duration::from_secs(60));
        assert!(registrar.knows_source(start, "192.0.2.1:40000".parse().unwrap(), Transport::Udp));
        let at: SocketAddr = "192.0.2.1:40000".parse().unwrap();
        assert_eq!(registrar.route(desk[0].0).unwrap().0, at);
        registrar.register(start + Duration::from_secs(30), &LIMITS, &request(2, &desk)).unwrap();
        assert_eq!(registrar.len(), 1);
        assert_eq!(registrar.expire(start + Duration::from_secs(89)), []);
        assert_eq!(registrar.expire(start + Duration::from_secs(90)).len(), 1);
        assert_eq!(registrar.len(), 0);
    }

    #[test]
    fn several_devices_the_latest_first() {
        let (start, mut registrar) = (Instant::now(), Registrar::default());
        registrar.register(start, &LIMITS, &request(1, &[("sip:a@h1", None)])).unwrap();
        registrar.register(start + Duration::from_secs(1), &LIMITS, &request(2, &[("sip:a@h2", None)])).unwrap();
        let at = start + Duration::from_secs(2);
        let contacts: Vec<_> = registrar.bindings(at, "alice").into_iter().map(|b| b.contact).collect();
        assert_eq!(contacts, ["sip:a@h2", "sip:a@h1"]);
        for n in 0..20 {
            let contact = format!("sip:a@x{n}");
            registrar.register(at, &LIMITS, &request(10 + n, &[(&contact, None)])).unwrap();
        }
        assert_eq!(registrar.len(), MAX_CONTACTS);
    }

    #[test]
    fn unregistering_one_and_all() {
        let (start, mut registrar) = (Instant::now(), Registrar::default());
        registrar.register(start, &LIMITS, &request(1, &[("sip:a@h1", None), ("sip:a@h2", None)])).unwrap();
        let gone = registrar.register(start, &LIMITS, &request(2, &[("sip:a@h1", Some(0))])).unwrap();
        assert_eq!((gone[0].contact.as_str(), gone[0].expires), ("sip:a@h1", Duration::ZERO));
        let all = |expires| Request { expires, contacts: Contacts::All, ..request(3, &[]) };
        assert_eq!(registrar.register(start, &LIMITS, &all(None)), Err(Refused::BadRequest));
        assert_eq!(registrar.register(start, &LIMITS, &all(Some(0))).unwrap().len(), 1);
        assert_eq!(registrar.len(), 0);
    }

    #[test]
    fn a_phone_that_answers_no_more_is_not_rung_until_it_does() {
        let (start, mut registrar) = (Instant::now(), Registrar::default());
        let every = Duration::from_secs(60);
        registrar.register(start, &LIMITS, &request(1, &[("sip:a@h1", Some(600))])).unwrap();
        assert!(registrar.due_to_ask(start + Duration::from_secs(59), every).is_empty());
        let at = start + every;
        let asked = registrar.due_to_ask(at, every);
        assert_eq!(asked.len(), 1);
        assert_eq!(registrar.told(at, &asked[0], false), None, "once may be chance");
        let at = at + SECOND_LOOK;
        let asked = registrar.due_to_ask(at, every);
        let gone = registrar.told(at, &asked[0], false).unwrap();
        assert_eq!((gone.contact.as_str(), gone.expires), ("sip:a@h1", Duration::ZERO));
        assert!(registrar.bindings(at, "alice").is_empty() && registrar.reachable(at).is_empty());
        assert_eq!(registrar.registered(at, "alice").len(), 1, "it is registered all the same");
        let at = at + every;
        let asked = registrar.due_to_ask(at, every);
        let back = registrar.told(at, &asked[0], true).unwrap();
        assert!(back.expires > Duration::from_secs(400));
        assert_eq!(registrar.bindings(at, "alice").len(), 1);
        // An answer to an old question says nothing of a new registration.
        registrar.register(at, &LIMITS, &request(2, &[("sip:a@h1", Some(600))])).unwrap();
        assert_eq!(registrar.told(at, &asked[0], false), None);
        assert_eq!(registrar.bindings(at, "alice")[0].misses, 0);
    }

    #[test]
    fn too_brief_late_and_empty_requests() {
        let (start, mut registrar) = (Instant::now(), Registrar::default());
        let brief = request(1, &[("sip:a@h1", Some(5))]);
        assert_eq!(registrar.register(start, &LIMITS, &brief), Err(Refused::TooBrief(30)));
        let long = registrar.register(start, &LIMITS, &request(5, &[("sip:a@h1", Some(99_999))])).unwrap();
        assert_eq!(long[0].expires, Duration::from_secs(3_600));
        let late = request(4, &[("sip:a@h1", None)]);
        assert_eq!(registrar.register(start, &LIMITS, &late), Err(Refused::OutOfOrder));
        assert_eq!(registrar.register(start, &LIMITS, &request(6, &[])).unwrap(), []);
        assert_eq!(registrar.len(), 1);
    }
}
