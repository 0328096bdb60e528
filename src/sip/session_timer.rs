//! Session timers (RFC 4028), the deciding half: what to agree on, who refreshes, when to refresh and when to give the
//! call up. No clock and no message here: `stack/refresh.rs` reads headers, sends the refreshes and the BYE.

use std::time::{Duration, Instant};

/// No session may be asked to be shorter than this, seconds (RFC 4028, 4).
pub const LEAST: u32 = 90;
/// The side that waits gives up this long before the end, or a third of the interval if that is less (section 10).
const MARGIN: Duration = Duration::from_secs(32);

/// What an operator wants, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Asked for in calls that do not say; 0 asks for none, and still grants what a peer asks.
    pub expires: u32,
    /// A peer that asks for less is told so (422).
    pub min: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { expires: 1_800, min: LEAST }
    }
}

/// Who sends the refreshes, as one transaction names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

impl Refresher {
    pub fn name(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// `Session-Expires`: seconds, and who refreshes where it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expires {
    pub seconds: u32,
    pub refresher: Option<Refresher>,
}

impl Expires {
    /// Reads the header's value; `None` for what is none.
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let seconds = parts.next()?.parse().ok()?;
        let refresher = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            match (name.trim().to_ascii_lowercase().as_str(), value.trim().to_ascii_lowercase().as_str()) {
                ("refresher", "uac") => Some(Refresher::Uac),
                ("refresher", "uas") => Some(Refresher::Uas),
                _ => None,
            }
        });
        Some(Self { seconds, refresher })
    }
}

/// What a request (INVITE, UPDATE) says about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `Supported: timer` (or required).
    pub supported: bool,
    pub expires: Option<Expires>,
    /// `Min-SE`; 0 when it is not there.
    pub min: u32,
}

/// The interval is shorter than we admit: 422 with this `Min-SE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooBrief(pub u32);

/// What our 2xx says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    pub seconds: u32,
    pub refresher: Refresher,
    /// The 2xx carries `Require: timer`.
    pub require: bool,
}

/// What is answered to a request (section 9, table 2). `we_refresh` is how it stood before, in a call that has a timer:
/// it stays so unless the request says otherwise.
pub fn grant(limits: &Limits, asked: &Asked, we_refresh: Option<bool>) -> Result<Option<Granted>, TooBrief> {
    let seconds = match asked.expires {
        // A peer that does not know timers (a proxy asked in its place) could do nothing with a 422.
        Some(expires) if asked.supported && expires.seconds < limits.min => return Err(TooBrief(limits.min)),
        Some(expires) => match limits.expires {
            0 => expires.seconds,
            ours => expires.seconds.min(ours.max(limits.min)),
        },
        None if limits.expires == 0 => return Ok(None),
        None => limits.expires,
    };
    let seconds = seconds.max(asked.min).max(1);
    let refresher = match (asked.supported, asked.expires.and_then(|expires| expires.refresher), we_refresh) {
        (false, ..) => Refresher::Uas,
        (true, Some(said), _) => said,
        (true, None, Some(false)) => Refresher::Uac,
        // Ours to choose: who refreshes learns first that the peer is gone.
        (true, None, _) => Refresher::Uas,
    };
    Ok(Some(Granted { seconds, refresher, require: asked.supported }))
}

/// What a 2xx to a request of ours agreed on: seconds, and whether we refresh. `None`: no timer, or none any more.
pub fn agreed(expires: Option<Expires>) -> Option<(u32, bool)> {
    let expires = expires?;
    Some((expires.seconds.max(1), expires.refresher != Some(Refresher::Uas)))
}

/// What is asked the next time, after a 422 with this `Min-SE`. `None`: it asks for no more than we offered, so that
/// asking again would come to the same.
pub fn after_too_brief(limits: &Limits, asked: u32, told: u32) -> Option<Limits> {
    (told > asked).then_some(Limits { expires: told, min: limits.min.max(told) })
}

/// A running timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    interval: Duration,
    we_refresh: bool,
    since: Instant,
    /// The next attempt of ours; none while one is under way.
    attempt: Option<Instant>,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Refresh,
    /// Nobody has refreshed in time: BYE.
    End,
}

impl Timer {
    /// From the 2xx on.
    pub fn start(now: Instant, seconds: u32, we_refresh: bool) -> Self {
        let interval = Duration::from_secs(seconds.into());
        Self { interval, we_refresh, since: now, attempt: we_refresh.then(|| now + interval / 2) }
    }

    pub fn we_refresh(&self) -> bool {
        self.we_refresh
    }

    pub fn seconds(&self) -> u32 {
        self.interval.as_secs() as u32 // it was made of so many
    }

    /// What comes next, and when.
    pub fn next(&self) -> (Instant, Due) {
        let end = self.since + self.interval - MARGIN.min(self.interval / 3);
        match self.attempt {
            Some(at) if at < end => (at, Due::Refresh),
            _ => (end, Due::End),
        }
    }

    /// A refresh of ours is on its way.
    pub fn asking(&mut self) {
        self.attempt = None;
    }

    /// It failed in a way that may pass (glare, a busy peer): again after this long.
    pub fn again(&mut self, now: Instant, after: Duration) {
        self.attempt = self.we_refresh.then(|| now + after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { expires: 1_800, min: 120 };

    fn asked(supported: bool, header: &str, min: u32) -> Asked {
        Asked { supported, expires: Expires::parse(header), min }
    }

    #[test]
    fn the_header_is_read_whatever_its_spelling() {
        for (value, seconds, refresher) in [
            ("1800", 1_800, None),
            ("90;refresher=uac", 90, Some(Refresher::Uac)),
            (" 4000 ; foo ; Refresher = UAS", 4_000, Some(Refresher::Uas)),
            ("90;refresher=proxy", 90, None),
        ] {
            assert_eq!(Expires::parse(value), Some(Expires { seconds, refresher }), "{value}");
        }
        for value in ["", "soon", "-1", "99999999999", ";refresher=uac"] {
            assert_eq!(Expires::parse(value), None, "{value}");
        }
    }

    #[test]
    fn what_is_granted_by_the_table_of_the_rfc() {
        use Refresher::{Uac, Uas};
        // Supported, Session-Expires, Min-SE, how it stood -> seconds, refresher, Require.
        for (supported, header, min, before, seconds, refresher, require) in [
            (true, "600;refresher=uac", 0, None, 600, Uac, true),
            (true, "600;refresher=uas", 0, None, 600, Uas, true),
            (true, "600", 0, None, 600, Uas, true),
            (true, "7200", 0, None, 1_800, Uas, true),
            (true, "7200;refresher=uac", 3_600, None, 3_600, Uac, true),
            (true, "", 0, None, 1_800, Uas, true),
            (true, "", 4_000, None, 4_000, Uas, true),
            (true, "600", 0, Some(false), 600, Uac, true),
            (true, "600", 0, Some(true), 600, Uas, true),
            (true, "600;refresher=uas", 0, Some(false), 600, Uas, true),
            (false, "", 0, None, 1_800, Uas, false),
            (false, "600;refresher=uac", 0, None, 600, Uas, false),
            (false, "60", 0, None, 60, Uas, false),
        ] {
            let granted = grant(&LIMITS, &asked(supported, header, min), before);
            let expected = Granted { seconds, refresher, require };
            assert_eq!(granted, Ok(Some(expected)), "{supported} {header:?} {min} {before:?}");
        }
    }

    #[test]
    fn what_is_too_brief_is_told() {
        assert_eq!(grant(&LIMITS, &asked(true, "119;refresher=uac", 0), None), Err(TooBrief(120)));
        assert!(grant(&LIMITS, &asked(true, "120", 0), None).is_ok());
        assert_eq!(after_too_brief(&LIMITS, 1_800, 3_600), Some(Limits { expires: 3_600, min: 3_600 }));
        assert_eq!(after_too_brief(&LIMITS, 1_800, 1_800), None, "no sense in asking again");
        assert_eq!(after_too_brief(&LIMITS, 1_800, 0), None);
    }

    #[test]
    fn an_operator_may_want_none_but_peers_get_theirs() {
        let none = Limits { expires: 0, min: 90 };
        assert_eq!(grant(&none, &asked(true, "", 0), None), Ok(None));
        let granted = grant(&none, &asked(true, "7200;refresher=uac", 0), None);
        assert_eq!(granted, Ok(Some(Granted { seconds: 7_200, refresher: Refresher::Uac, require: true })));
    }

    #[test]
    fn what_a_peer_agrees_to() {
        for (header, expected) in [
            ("", None),
            ("600;refresher=uac", Some((600, true))),
            ("600;refresher=uas", Some((600, false))),
            ("600", Some((600, true))),
        ] {
            assert_eq!(agreed(Expires::parse(header)), expected, "{header:?}");
        }
    }

    #[test]
    fn who_refreshes_does_at_half_time_and_who_waits_gives_up_in_time() {
        let start = Instant::now();
        let after = |timer: Timer| (timer.next().0.duration_since(start).as_secs(), timer.next().1);
        for (seconds, we_refresh, at, due) in [
            (1_800, true, 900, Due::Refresh),
            (1_800, false, 1_768, Due::End),
            (90, true, 45, Due::Refresh),
            (90, false, 60, Due::End),
            (96, false, 64, Due::End),
        ] {
            assert_eq!(after(Timer::start(start, seconds, we_refresh)), (at, due), "{seconds} {we_refresh}");
        }
        let mut timer = Timer::start(start, 1_800, true);
        timer.asking();
        assert_eq!(after(timer), (1_768, Due::End), "an answer that never comes");
        timer.again(start + Duration::from_secs(900), Duration::from_secs(3));
        assert_eq!(after(timer), (903, Due::Refresh), "glare");
        timer.again(start + Duration::from_secs(1_767), Duration::from_secs(3));
        assert_eq!(after(timer), (1_768, Due::End), "too late to try again");
        let mut waiting = Timer::start(start, 1_800, false);
        waiting.again(start, Duration::ZERO);
        assert_eq!(after(waiting), (1_768, Due::End), "not ours to refresh");
    }
}
