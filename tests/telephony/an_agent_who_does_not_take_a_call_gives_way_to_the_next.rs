//! SIPp phones in and speaks (recorded human speech); the first agent's phone is busy, the second declines, the third
//! takes the call: caller and agent hear each other. A caller who hangs up while a phone rings stops its ringing.

use crate::common;
use common::engine::{Engine, desk_agent};
use common::people::*;
use common::sipp::Sipp;
use common::talk::tone_ms;
use frontdesk::call::{AgentFailure, Cause, Note, Outcome};
use frontdesk::media::{Frame, Tone, file};

#[tokio::test]
async fn an_agent_who_does_not_take_a_call_gives_way_to_the_next() {
    let (busy, declines) = (Sipp::phone("agent_is_busy").start(), Sipp::phone("agent_declines").start());
    let answers = Sipp::phone("agent_takes_a_call").start();
    let agents =
        desk_agent("abe", &busy.uri()) + &desk_agent("bea", &declines.uri()) + &desk_agent("cid", &answers.uri());
    let engine = Engine::start_with(&agents, "").await;

    let caller = Sipp::new("caller_plays", engine.address).plays("1000", &wish_then_tone()).speaks_for(20_000).start();
    let taken = engine
        .wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { agent } if agent == "cid"))
        .await;
    caller.finish().await;
    for phone in [busy, declines, answers] {
        phone.finish().await;
    }
    let record = engine.finished(SECONDS).await;
    let failures: Vec<_> = record
        .timeline
        .iter()
        .filter_map(|entry| match &entry.note {
            Note::AgentFailed { agent, failure } => Some((agent.as_str(), *failure)),
            _ => None,
        })
        .collect();
    assert_eq!(failures, [("abe", AgentFailure::Busy), ("bea", AgentFailure::Declined)]);
    assert_eq!(record.head.cause, Some(Cause::CallerHungUp));
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::HandedOver));
    // The agent's SIPp sends back what it hears: the caller's tone went to the agent and came back.
    let recording = file::read_channel(&record.recordings[0].path, 1).unwrap();
    let after = &recording.samples[taken.at_ms as usize * 8..];
    assert!(tone_ms(after, 8_000, CALLER) > 1_000, "{} ms of {} ms", tone_ms(after, 8_000, CALLER), after.len() / 8);
    engine.assert_replays(&record).await;
    assert_recording_replays(&engine, &record).await;
    engine.terminate().await;
}

#[tokio::test]
async fn a_phone_stops_ringing_when_the_caller_hangs_up() {
    let rings = Sipp::phone("agent_rings_only").start();
    let engine = Engine::start_with(&desk_agent("abe", &rings.uri()), "").await;
    let caller = Sipp::new("caller_plays", engine.address).plays("1000", &wish_then_tone()).speaks_for(10_000).start();
    engine.wait_for("the ringing", SECONDS, |note| matches!(note, Note::AgentRinging { .. })).await;
    caller.finish().await;
    rings.finish().await; // it was sent CANCEL
    let record = engine.finished(SECONDS).await;
    assert_eq!(record.summary.as_ref().unwrap().outcome, Some(Outcome::Abandoned));
    engine.assert_replays(&record).await;
    engine.terminate().await;
}

/// "... to speak with a representative", over the bot's greeting, and a tone for the rest.
fn wish_then_tone() -> Vec<i16> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/audio_fixtures/asterisk/en-speak-with-a-representative.wav");
    let mut samples = vec![0; 3 * 8_000];
    samples.extend(file::read(path).unwrap().at_rate(8_000).samples);
    samples.extend([0; 3 * 8_000]);
    let (mut tone, mut frame) = (Tone::sine(CALLER, -10.0), Frame::silence(8_000));
    for _ in 0..50 * 20 {
        tone.next(&mut frame);
        samples.extend(frame.samples());
    }
    samples
}
