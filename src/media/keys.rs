//! Keys as RTP telephone events (RFC 4733): each press heard exactly once, each press sent three times over.

use super::Key;

/// Payload bytes of one event.
pub const EVENT_BYTES: usize = 4;

/// A payload that is no telephone event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a telephone event has at least 4 bytes of payload")]
pub struct Malformed;

/// Hears presses in a stream of event packets, of which any may be lost, doubled or out of order.
///
/// A press is known by its timestamp, which every packet of it carries (2.5.1.2), so it is reported by whichever
/// of its packets comes first. A key held beyond 65 535 units goes on in a segment whose timestamp follows
/// by that much (2.5.1.3) and stays one press.
#[derive(Debug, Default)]
pub struct Receiver {
    last: Option<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    timestamp: u32,
    event: u8,
    ended: bool,
}

/// Longest duration of a segment, timestamp units.
const SEGMENT: u32 = 0xffff;
/// An event that much older than the newest is no straggler: the sender has begun to count anew. Two seconds at
/// 8 kHz.
const STRAGGLER: u32 = 16_000;

impl Receiver {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the timestamp and payload of an event packet; gives the key when it shows a new press. Events that
    /// are no telephone keys (hook flash, modem tones) give none.
    pub fn receive(&mut self, timestamp: u32, payload: &[u8]) -> Result<Option<Key>, Malformed> {
        let [event, flags, _, _, ..] = *payload else { return Err(Malformed) };
        let Some(key) = Key::from_event(event) else { return Ok(None) };
        let ended = flags & 0x80 != 0;
        let Some(last) = &mut self.last else {
            self.last = Some(Press { timestamp, event, ended });
            return Ok(Some(key));
        };
        let ahead = timestamp.wrapping_sub(last.timestamp);
        if ahead == 0 {
            last.ended |= ended;
            return Ok(None);
        }
        if ahead.wrapping_neg() < STRAGGLER {
            return Ok(None); // a packet of an earlier press, overtaken
        }
        let goes_on = ahead == SEGMENT && event == last.event && !last.ended;
        *last = Press { timestamp, event, ended };
        Ok((!goes_on).then_some(key))
    }

    /// Forgets the stream: the sender is another one now.
    pub fn reset(&mut self) {
        self.last = None;
    }
}

/// One event packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// Set on the first packet of a press.
    pub marker: bool,
    /// RTP timestamp: that of the press's beginning.
    pub timestamp: u32,
    pub payload: [u8; EVENT_BYTES],
}

/// Sends presses, one packet a beat of 20 ms in place of sound: updates while the key is down, the end three
/// times, then a gap.
#[derive(Debug, Default)]
pub struct Sender {
    waiting: [Option<Key>; 32],
    first: usize,
    len: usize,
    /// Key, timestamp of its beginning, beats since.
    current: Option<(Key, u32, u32)>,
}

/// Timestamp units in a beat.
const BEAT: u32 = 160;
/// Beats that a key is held: 100 ms, twice what ITU-T Q.24 lets a receiver demand.
const HELD: u32 = 5;
/// The end is sent three times (2.5.1.4); a gap of 60 ms follows.
const BEATS: u32 = HELD + 2 + 3;
/// -10 dBm0.
const VOLUME: u8 = 10;

impl Sender {
    pub fn new() -> Self {
        Self::default()
    }

    /// Presses a key after those already waiting; false when 32 wait and it was dropped.
    pub fn press(&mut self, key: Key) -> bool {
        if self.len == self.waiting.len() {
            return false;
        }
        self.waiting[(self.first + self.len) % self.waiting.len()] = Some(key);
        self.len += 1;
        true
    }

    /// A press is under way or waiting: no sound should be sent now.
    pub fn is_busy(&self) -> bool {
        self.current.is_some() || self.len > 0
    }

    /// To be called every beat with the timestamp that its sound would carry; what to send in its place, if anything.
    pub fn beat(&mut self, timestamp: u32) -> Option<EventPacket> {
        self.beat_of(BEAT, timestamp)
    }

    /// The same by another clock: `units` of it are a beat.
    pub fn beat_of(&mut self, units: u32, timestamp: u32) -> Option<EventPacket> {
        if self.current.is_none() {
            let key = self.waiting[self.first].take()?;
            self.first = (self.first + 1) % self.waiting.len();
            self.len -= 1;
            self.current = Some((key, timestamp, 0));
        }
        let (key, begun, beats) = self.current?;
        self.current = (beats + 1 < BEATS).then_some((key, begun, beats + 1));
        if beats >= HELD + 2 {
            return None; // the gap
        }
        let duration = ((beats + 1).min(HELD) * units) as u16;
        let end = if beats + 1 >= HELD { 0x80 } else { 0 };
        let [high, low] = duration.to_be_bytes();
        Some(EventPacket { marker: beats == 0, timestamp: begun, payload: [key.event(), end | VOLUME, high, low] })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All packets of these keys, 20 ms a beat from timestamp `from`.
    fn sent(keys: &str, from: u32) -> Vec<EventPacket> {
        sent_at(keys, from).into_iter().map(|(_, packet)| packet).collect()
    }

    /// The same, with the beat that each was sent on.
    fn sent_at(keys: &str, from: u32) -> Vec<(usize, EventPacket)> {
        let mut sender = Sender::new();
        for key in keys.chars() {
            assert!(sender.press(Key::new(key).unwrap()));
        }
        let mut packets = vec![];
        for beat in 0.. {
            if !sender.is_busy() {
                break;
            }
            packets.extend(sender.beat(from.wrapping_add(beat as u32 * BEAT)).map(|packet| (beat, packet)));
        }
        packets
    }

    fn heard<'a>(packets: impl IntoIterator<Item = &'a EventPacket>) -> String {
        let mut receiver = Receiver::new();
        packets
            .into_iter()
            .filter_map(|p| receiver.receive(p.timestamp, &p.payload).unwrap())
            .map(Key::as_char)
            .collect()
    }

    #[test]
    fn a_press_looks_as_the_rfc_wants_it() {
        let packets = sent("5", 1_000);
        let durations: Vec<u16> = packets.iter().map(|p| u16::from_be_bytes([p.payload[2], p.payload[3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        assert!(packets.iter().all(|p| p.timestamp == 1_000 && p.payload[0] == 5));
        assert_eq!(packets.iter().map(|p| p.marker).collect::<Vec<_>>()[..2], [true, false]);
        assert_eq!(packets.iter().filter(|p| p.payload[1] & 0x80 != 0).count(), 3);
    }

    #[test]
    fn a_row_of_keys_arrives_and_equal_keys_stay_apart() {
        assert_eq!(heard(&sent("1122#*A00", 4_294_967_000)), "1122#*A00");
    }

    #[test]
    fn a_key_held_for_minutes_is_one_press() {
        let mut receiver = Receiver::new();
        let mut keys = 0;
        for segment in 0..20u32 {
            for duration in [0x1000u16, 0x8000, 0xffff] {
                let [high, low] = duration.to_be_bytes();
                let timestamp = 77u32.wrapping_add(segment * SEGMENT);
                keys += u32::from(receiver.receive(timestamp, &[7, 10, high, low]).unwrap().is_some());
            }
        }
        assert_eq!(keys, 1);
        let later = 77 + 20 * SEGMENT + 900;
        assert!(receiver.receive(later, &[7, 10, 0, 160]).unwrap().is_some(), "and the next press counts");
    }

    #[test]
    fn a_sender_that_counts_anew_is_heard() {
        let mut packets = sent("1", 500_000);
        packets.extend(sent("2", 1_000));
        assert_eq!(heard(&packets), "12");
    }

    #[test]
    fn other_events_and_torn_packets() {
        let mut receiver = Receiver::new();
        assert_eq!(receiver.receive(1, &[16, 10, 0, 160]), Ok(None), "hook flash");
        assert_eq!(receiver.receive(1, &[1, 10, 0]), Err(Malformed));
        assert_eq!(receiver.receive(1, &[]), Err(Malformed));
        assert!(receiver.receive(1, &[1, 10, 0, 160]).unwrap().is_some());
    }

    #[test]
    fn a_full_queue_says_so() {
        let mut sender = Sender::new();
        let key = Key::new('1').unwrap();
        assert_eq!((0..40).filter(|_| sender.press(key)).count(), 32);
    }

    proptest! {
        /// Of each press any packets may be lost, as long as one is left; packets may be doubled, and late by less
        /// than the gap between presses.
        #[test]
        fn each_press_is_heard_exactly_once(
            keys in "[0-9*#A-D]{1,12}",
            from: u32,
            fate in proptest::collection::vec((0usize..3, 0usize..3), 84),
            kept in proptest::collection::vec(0usize..7, 12),
        ) {
            let mut arriving = vec![];
            for (n, (beat, packet)) in sent_at(&keys, from).into_iter().enumerate() {
                let (copies, delay) = fate[n];
                let copies = if kept[n / 7] == n % 7 { copies.max(1) } else { copies };
                arriving.extend((0..copies).map(|_| (beat + delay, packet)));
            }
            arriving.sort_by_key(|(at, _)| *at);
            prop_assert_eq!(heard(arriving.iter().map(|(_, packet)| packet)), keys);
        }

        #[test]
        fn nothing_that_arrives_panics(
            packets in proptest::collection::vec((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..9)), 0..50),
        ) {
            let mut receiver = Receiver::new();
            for (timestamp, payload) in packets {
                let _ = receiver.receive(timestamp, &payload);
            }
        }
    }
}
