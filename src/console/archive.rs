//! Calls that are over: found by what was said, read, and listened to with the words following. For supervisors all, for agents
//! their own, and those of the caller on their desk where the operator has it so; for analysts all, without their callers.

use std::convert::Infallible;
use std::io::Cursor;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::api::{Me, Shared, failed, refuse};
use super::{AgentsHear, view};
use crate::call::comparable;
use crate::media::Sound;
use crate::records::{CallHead, CallRecord, Error, Filter, Recording, Role};
use crate::web::{self, Problem};

/// Calls in one list.
const LISTED: usize = 100;
/// A recording goes out in pieces of so many bytes.
const PIECE: usize = 64 * 1024;

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/api/records", get(list))
        .route("/api/records/{call}", get(record))
        .route("/api/records/{call}/recording", get(recording))
}

#[derive(Deserialize)]
struct Search {
    /// Somewhere in caller, summary or transcript.
    #[serde(default)]
    text: String,
    /// Days, in UTC; both count.
    since: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

async fn list(State(shared): State<Shared>, me: Me, Query(search): Query<Search>) -> Result<Json<Value>, Problem> {
    let agent = match me.role() {
        Role::Agent => Some(hearing(&shared, &me)?.to_owned()),
        Role::Analyst | Role::Supervisor | Role::Administrator => None,
    };
    let without_caller = me.role() == Role::Analyst;
    let day = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let filter = Filter {
        since: search.since.map(day),
        until: search.until.map(|until| until.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, day)),
        text: Some(search.text.trim().to_owned()).filter(|text| !text.is_empty()),
        agent,
        without_caller,
        limit: Some(LISTED),
        ..Filter::default()
    };
    let calls = shared.archive.list(&filter).await.map_err(|error| failed(&error))?;
    shared.did(me.name(), "searched_records", "").await;
    let calls: Vec<_> = calls
        .iter()
        .map(|call| {
            json!({
                "call": call.call, "started": call.started, "duration_s": call.duration_s(),
                "caller": (!without_caller).then_some(&call.caller.number), "name": call.caller.name,
                "line": call.caller.line, "outcome": call.outcome, "cause": call.cause,
            })
        })
        .collect();
    Ok(Json(json!(calls)))
}

fn unread(error: Error) -> Problem {
    match error {
        Error::NoSuchCall(_) | Error::Ambiguous(_) => Problem::new(StatusCode::NOT_FOUND, "there is no such call"),
        error => failed(&error),
    }
}

/// The agent that this account is, who may hear recordings.
fn hearing<'m>(shared: &Shared, me: &'m Me) -> Result<&'m str, Problem> {
    match shared.settings.agents_hear {
        AgentsHear::Nothing => Err(refuse("role", StatusCode::FORBIDDEN, "agents hear no recordings here")),
        AgentsHear::Own | AgentsHear::Earlier => me.agent(),
    }
}

/// Whether this agent may hear a call that is over.
pub fn hears(shared: &Shared, agent: &str, head: &CallHead, talked: bool) -> bool {
    let of_the_caller = || {
        let theirs = head.caller.shown_number().map(comparable).filter(|number| !number.is_empty());
        theirs.is_some() && theirs == shared.board.caller_at(agent).as_deref().map(comparable)
    };
    let may = shared.settings.agents_hear;
    head.ended.is_some() && (talked && may >= AgentsHear::Own || may == AgentsHear::Earlier && of_the_caller())
}

/// A call's record, for who may read and hear it.
async fn readable(shared: &Shared, me: &Me, call: &str) -> Result<CallRecord, Problem> {
    if me.role() != Role::Agent {
        let record = shared.archive.show(call).await.map_err(unread)?;
        return match me.role() {
            Role::Analyst if record.head.ended.is_none() => Err(unread(Error::NoSuchCall(call.to_owned()))),
            Role::Analyst => {
                let flow = shared.archive.flow(&record.head.flow_hash).await.map_err(unread)?;
                Ok(record.without_caller(&flow))
            }
            _ => Ok(record),
        };
    }
    let agent = hearing(shared, me)?;
    // Whether there is such a call is nobody's business either.
    let not_theirs = || refuse("role", StatusCode::FORBIDDEN, "that call is not yours");
    let record = shared.archive.show(call).await.map_err(|_| not_theirs())?;
    let talked = record.legs.iter().any(|leg| leg.agent.as_deref() == Some(agent) && leg.answered_ms.is_some());
    match hears(shared, agent, &record.head, talked) {
        true => Ok(record),
        false => Err(not_theirs()),
    }
}

async fn record(State(shared): State<Shared>, me: Me, Path(call): Path<String>) -> Result<Json<Value>, Problem> {
    let record = readable(&shared, &me, &call).await?;
    shared.did(me.name(), "saw_record", &record.head.call).await;
    let lines: Vec<_> = record.timeline.iter().filter_map(view::line).collect();
    Ok(Json(json!({
        "call": record.head.call, "started": record.head.started, "duration_s": record.head.duration_s(),
        "caller": { "number": (me.role() != Role::Analyst).then_some(&record.head.caller.number),
            "name": record.head.caller.name, "line": record.head.caller.line,
            "dialled": record.head.caller.dialled },
        "outcome": record.head.outcome, "summary": record.summary.as_ref().map(view::summary),
        "headline": record.headline(), "lines": lines,
        "wrap_ups": record.wrap_ups, "legs": record.legs.iter().filter_map(|leg| leg.agent.as_ref()).collect::<Vec<_>>(),
        "recording_at_ms": record.recordings.first().map(|recording| recording.at_ms),
    })))
}

/// The first recording as a WAV file, the caller left and what the caller heard right; parts of it by `Range` (RFC 9110, 14).
async fn recording(
    State(shared): State<Shared>,
    me: Me,
    Path(call): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = readable(&shared, &me, &call).await?;
    let none = || Problem::new(StatusCode::NOT_FOUND, "there is no recording of it");
    let recording = record.recordings.into_iter().next().ok_or_else(none)?;
    let archive = shared.archive.clone();
    let sound = move |recording: &Recording, channel| archive.sound(recording, channel).ok();
    // One at a time: an hour of a call is some hundred megabytes while it is read.
    static READING: Semaphore = Semaphore::const_new(1);
    let place = READING.acquire().await.map_err(|_| none())?;
    let made = tokio::task::spawn_blocking(move || {
        let _place = place;
        wav(&sound(&recording, 0)?, &sound(&recording, 1)?)
    });
    let bytes = Bytes::from(made.await.ok().flatten().ok_or_else(none)?);
    let all = bytes.len();
    let range = web::text(&headers, header::RANGE).and_then(|range| part(range, all));
    if range.is_none_or(|(from, _)| from == 0) {
        shared.did(me.name(), "heard_recording", &record.head.call).await;
    }
    let mut response = match range {
        Some((from, to)) => {
            let mut response = pieces(StatusCode::PARTIAL_CONTENT, bytes.slice(from..to));
            let range = format!("bytes {from}-{}/{all}", to - 1);
            web::insert(response.headers_mut(), header::CONTENT_RANGE, &range);
            response
        }
        None => pieces(StatusCode::OK, bytes),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(response)
}

/// So that a slow reader is seen to read.
fn pieces(status: StatusCode, bytes: Bytes) -> Response {
    let all = bytes.len();
    let cut = move |at: usize| bytes.slice(at..bytes.len().min(at + PIECE));
    let body = stream::iter((0..all).step_by(PIECE).map(move |at| Ok::<_, Infallible>(cut(at))));
    let mut response = (status, Body::from_stream(body)).into_response();
    web::insert(response.headers_mut(), header::CONTENT_LENGTH, &all.to_string());
    response
}

/// `bytes=from-to` and `bytes=from-`, as far as there is such a part.
fn part(range: &str, all: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from = from.parse::<usize>().ok()?;
    let to = if to.is_empty() { all } else { to.parse::<usize>().ok()?.checked_add(1)?.min(all) };
    (from < to).then_some((from, to))
}

fn wav(left: &Sound, right: &Sound) -> Option<Vec<u8>> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: left.rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).ok()?;
    for (left, right) in left.samples.iter().zip(&right.samples) {
        writer.write_sample(*left).ok()?;
        writer.write_sample(*right).ok()?;
    }
    writer.finalize().ok()?;
    Some(file.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_was_asked_for_and_there() {
        assert_eq!(part("bytes=0-", 10), Some((0, 10)));
        assert_eq!(part("bytes=3-5", 10), Some((3, 6)));
        assert_eq!(part("bytes=3-99", 10), Some((3, 10)));
        for odd in ["bytes=10-", "bytes=5-3", "bytes=-4", "items=0-", "bytes=0-18446744073709551615"] {
            assert_eq!(part(odd, 10), None, "{odd}");
        }
    }
}
