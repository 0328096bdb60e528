//! The listener on real speech: turns begin with their first syllable and end after the right silence.

use crate::babble::{babble, over};
use frontdesk::dialog::Expect;
use frontdesk::media::{self, FRAME_MS, Frame};
use frontdesk::speech::{Heard, Listener, ListenerSettings, Meaning, TurnId};

fn fixture(file: &str, rate: u32) -> Vec<i16> {
    let sound = media::file::read(format!("audio_fixtures/{file}")).unwrap();
    let narrow = media::telephone_channel(&sound.samples, sound.rate);
    media::resample(&narrow, 8_000, rate)
}

fn silence(rate: u32, ms: u32) -> Vec<i16> {
    vec![0; (rate / 1000 * ms) as usize]
}

/// Events with the ms at which each came.
fn listen(listener: &mut Listener, rate: u32, sound: &[i16]) -> Vec<(u64, Heard)> {
    let mut events = Vec::new();
    for (i, samples) in sound.chunks((rate / 50) as usize).enumerate() {
        let now_ms = i as u64 * u64::from(FRAME_MS);
        events.extend(listener.hear(now_ms, &Frame::from_samples(rate, samples)).map(|e| (now_ms, e)));
    }
    events
}

fn turns(events: &[(u64, Heard)]) -> Vec<(u64, u64, u64, usize)> {
    let turn = |(at, event): &(u64, Heard)| match event {
        Heard::TurnEnded { audio, start_ms, end_ms, .. } => Some((*at, *start_ms, *end_ms, audio.len())),
        _ => None,
    };
    events.iter().filter_map(turn).collect()
}

#[test]
fn a_sentence_is_one_turn_at_any_rate() {
    for rate in [8_000, 16_000, 48_000] {
        let speech = fixture("pocketsphinx/goforward.wav", rate);
        let sound = [silence(rate, 1_000), speech.clone(), silence(rate, 2_000)].concat();
        let speech_ms = speech.len() as u64 * 1000 / u64::from(rate);
        let events = listen(&mut Listener::new(ListenerSettings::default()), rate, &sound);
        assert_eq!(events[0].1, Heard::SpeechStarted);
        let turns = turns(&events);
        let [(at, start, end, samples)] = turns[..] else { panic!("{rate} Hz: {turns:?}") };
        assert!(start >= 1_000 && end <= 1_000 + speech_ms + 100, "{rate} Hz: {start} to {end} of {speech_ms}");
        assert!(at - end < 1_000, "{rate} Hz: ended {} ms after the last voice", at - end);
        // More sound than from first to last voice: the pre-roll and the pause.
        assert!(samples as u64 / 16 >= end - start + 400, "{rate} Hz: {samples} samples");
    }
}

#[test]
fn the_pause_gives_the_turn_ahead_of_its_end() {
    let sound = [silence(8_000, 500), fixture("asterisk/en-vm-reachoper.wav", 8_000), silence(8_000, 1_500)].concat();
    let events = listen(&mut Listener::new(ListenerSettings::default()), 8_000, &sound);
    let Some((end_at, Heard::TurnEnded { id, audio, .. })) = events.last() else { panic!("no turn ended") };
    let paused = events.iter().find_map(|(at, e)| match e {
        Heard::Paused { turn, id: paused, .. } if paused == id => Some((at, turn)),
        _ => None,
    });
    let (paused_at, turn) = paused.expect("a pause of the same id");
    assert!(paused_at + 300 < *end_at, "{paused_at} {end_at}");
    assert_eq!(turn, audio);
}

#[test]
fn a_yes_ends_sooner_than_stories_and_the_model_is_heeded() {
    let sound = [silence(8_000, 500), fixture("pocketsphinx/cards-001.wav", 8_000), silence(8_000, 3_000)].concat();
    let silence_before_the_end = |expect: Expect, probability: Option<f32>| {
        let mut listener = Listener::new(ListenerSettings::default());
        listener.expect(expect);
        for (i, samples) in sound.chunks(160).enumerate() {
            let now_ms = i as u64 * 20;
            for event in listener.hear(now_ms, &Frame::from_samples(8_000, samples)) {
                match (event, probability) {
                    (Heard::Paused { id, .. }, Some(p)) => assert_eq!(listener.turn_probability(id, p), None),
                    (Heard::TurnEnded { end_ms, .. }, _) => return now_ms - end_ms,
                    _ => {}
                }
            }
        }
        panic!("the turn never ended");
    };
    assert!(silence_before_the_end(Expect::YesNo, None) < silence_before_the_end(Expect::Free, None));
    let digits = || Expect::Digits { min: 1, max: 8 };
    assert_eq!(silence_before_the_end(digits(), Some(0.97)), silence_before_the_end(digits(), None));
    assert!(silence_before_the_end(Expect::Free, Some(0.97)) < silence_before_the_end(Expect::Free, None));
    assert!(silence_before_the_end(Expect::Free, Some(0.05)) > silence_before_the_end(Expect::Free, None) + 250);
}

/// A sentence and silence, heard by a listener; `step` sees after each frame the pause that lasts, with the end of its
/// speech, and how often the turn model was asked. Gives what `step` does first.
fn through_a_pause<T>(mut step: impl FnMut(&mut Listener, u64, Option<(TurnId, u64)>, usize) -> Option<T>) -> T {
    let sound = [silence(8_000, 500), fixture("pocketsphinx/cards-001.wav", 8_000), silence(8_000, 3_000)].concat();
    let mut listener = Listener::new(ListenerSettings::default());
    listener.expect(Expect::Free);
    let (mut paused, mut asked) = (None, 0);
    for (i, samples) in sound.chunks(160).enumerate() {
        let now_ms = i as u64 * 20;
        for event in listener.hear(now_ms, &Frame::from_samples(8_000, samples)) {
            match event {
                Heard::Paused { id, end_ms, .. } => paused = Some((id, end_ms)),
                Heard::Resumed => paused = None,
                Heard::Lasting { .. } => asked += 1,
                _ => {}
            }
        }
        if let Some(found) = step(&mut listener, now_ms, paused, asked) {
            return found;
        }
    }
    panic!("no pause that lasts");
}

#[test]
fn what_the_end_waited_for_ends_the_turn_at_once() {
    through_a_pause(|listener, now_ms, paused, asked| {
        let (id, _) = paused.filter(|(_, end_ms)| now_ms > end_ms + 400)?;
        // Nothing was read: the turn model was asked without waiting for it.
        assert_eq!(asked, 1);
        assert_eq!(listener.meaning(id + 1, Some(Meaning::Complete)), None, "of another pause");
        let ended = listener.meaning(id, Some(Meaning::Complete));
        assert!(matches!(ended, Some(Heard::TurnEnded { id: of, .. }) if of == id), "{ended:?}");
        Some(())
    });
}

#[test]
fn the_turn_model_is_asked_when_the_text_is_there() {
    let asked_after = |read_after_ms: u64| {
        through_a_pause(|listener, now_ms, paused, asked| {
            let (id, end_ms) = paused?;
            let read = now_ms >= end_ms + read_after_ms;
            let asks = asked > 0 || read && matches!(listener.meaning(id, None), Some(Heard::Lasting { .. }));
            asks.then_some(now_ms - end_ms)
        })
    };
    let (soon, later, last) = (asked_after(100), asked_after(230), asked_after(9_000));
    assert!(soon < later && later < last && last < 400, "{soon} {later} {last}");
}

#[test]
fn what_holds_up_a_prompt_is_read_at_a_real_pause_only() {
    let sound = [silence(8_000, 500), fixture("pocketsphinx/cards-001.wav", 8_000), silence(8_000, 1_000)].concat();
    let last_pause = |waits: bool| {
        let mut listener = Listener::new(ListenerSettings::default());
        listener.waited_for(waits);
        let events = listen(&mut listener, 8_000, &sound);
        let paused = |(at, event): &(u64, Heard)| matches!(event, Heard::Paused { .. }).then_some(*at);
        events.iter().filter_map(paused).next_back().unwrap()
    };
    assert!((20..=60).contains(&(last_pause(true) - last_pause(false))));
}

#[test]
fn a_caller_who_goes_on_is_not_cut() {
    let speech = fixture("pocketsphinx/cards-001.wav", 8_000);
    let sound = [silence(8_000, 500), speech.clone(), silence(8_000, 100), speech, silence(8_000, 1_500)].concat();
    let events = listen(&mut Listener::new(ListenerSettings::default()), 8_000, &sound);
    assert_eq!(turns(&events).len(), 1, "{:?}", turns(&events));
    assert!(events.iter().any(|(_, e)| *e == Heard::Resumed));
}

#[test]
fn an_endless_talker_is_cut_at_a_pause_and_loses_nothing() {
    let speech = fixture("pocketsphinx/librivox-0880.wav", 8_000);
    let mut sound = silence(8_000, 500);
    while sound.len() < 60 * 8_000 {
        sound.extend(&speech);
        sound.extend(silence(8_000, 100)); // and as much again at the edges of the recording
    }
    let mut listener = Listener::new(ListenerSettings::default());
    let mut events = listen(&mut listener, 8_000, &sound);
    events.extend(listener.finish().map(|e| (0, e)));
    let turns = turns(&events);
    assert!(turns.len() >= 3, "{turns:?}");
    let heard: usize = turns.iter().map(|t| t.3).sum();
    assert!(turns.iter().all(|t| t.3 <= 28 * 16_000 + 512), "{turns:?}");
    assert!(heard as f32 >= (sound.len() * 2) as f32 * 0.95, "{heard} of {}", sound.len() * 2);
}

#[test]
fn noise_and_clicks_are_no_turn() {
    let mut seed = 7u32;
    let mut sound: Vec<i16> = (0..80_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i16 / 64
        })
        .collect();
    for at in (4_000..80_000).step_by(9_000) {
        sound[at..at + 30].fill(20_000);
    }
    let events = listen(&mut Listener::new(ListenerSettings::default()), 8_000, &sound);
    assert_eq!(events, []);
}

#[test]
fn who_speaks_before_a_background_of_talk_is_heard_alone() {
    let speech = fixture("pocketsphinx/goforward.wav", 8_000);
    let (from, to) = (12 * 8_000, 12 * 8_000 + speech.len());
    let sound = over(babble(25 * 8_000, &speech), from, &speech);
    let mut listener = Listener::new(ListenerSettings::default());
    listener.waited_for(true);
    let mut events = Vec::new();
    for (n, samples) in sound.chunks(160).enumerate() {
        let now_ms = n as u64 * u64::from(FRAME_MS);
        for event in listener.hear(now_ms, &Frame::from_samples(8_000, samples)) {
            if now_ms < 10_000 && matches!(event, Heard::Unbroken { .. } | Heard::Paused { .. }) {
                listener.background(); // nothing was read of it
            }
            events.push((now_ms, event));
        }
    }
    let nothing_since = |from_ms: u64, to_ms: u64| !events.iter().any(|(at, _)| (from_ms..to_ms).contains(at));
    let first = events.iter().find(|(_, event)| matches!(event, Heard::Unbroken { .. } | Heard::Paused { .. }));
    assert!(first.is_some_and(|(at, _)| *at < 4_000), "what goes on is asked about in time: {first:?}");
    assert!(nothing_since(8_000, 11_900), "the background is not heard once it is known");
    let turns = turns(&events);
    let [(at, start, end, _)] = turns[..] else { panic!("one turn: {turns:?}") };
    let (from_ms, to_ms) = (from as u64 / 8, to as u64 / 8);
    assert!((from_ms..from_ms + 1_000).contains(&start), "{start} of {from_ms}");
    assert!(end <= to_ms + 100 && at <= to_ms + 1_500, "{start} to {end}, known at {at}, of {from_ms} to {to_ms}");
}
