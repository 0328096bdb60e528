//! What agents do: follow their desk, say whether they take calls, answer, hold, pass on, write down. What supervisors see.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::api::{Me, PING, Shared, body, failed, refuse};
use super::archive;
use super::board::{News, NotTheirs, Presence, What, Wish};
use crate::records::{Corrections, Role};
use crate::web::{Problem, typed};
use crate::webrtc::{IceServer, SDP, Session};

/// The longest notes, letters.
const NOTES: usize = 10_000;
/// The longest headline, letters.
const HEADLINE: usize = 200;
/// A caller's earlier calls that are shown.
const EARLIER: usize = 8;
/// A wall is drawn anew at most this often.
const WALL: Duration = Duration::from_millis(500);
/// The longest question to the knowledge base, letters.
const LONGEST_QUESTION: usize = 500;
/// The longest name or number that a caller is passed on to.
const LONGEST_NAME: usize = 64;

/// Sounds of agents who talk by their browser, by their keys.
#[derive(Clone, Default)]
pub struct Talks(Arc<Mutex<HashMap<String, Session>>>);

impl Talks {
    fn of(&self, id: &str) -> Result<Session, Problem> {
        let talks = self.0.lock().unwrap_or_else(PoisonError::into_inner); // a map, never half changed
        talks.get(id).cloned().ok_or(Problem::new(StatusCode::NOT_FOUND, "there is no such sound (any more)"))
    }

    fn insert(&self, session: Session) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(session.id().to_owned(), session); // likewise
    }

    fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id); // likewise
    }
}

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/api/desk", get(desk))
        .route("/api/here", post(here))
        .route("/api/state", post(state))
        .route("/api/directory", get(directory))
        .route("/api/ice", get(ice))
        .route("/api/calls/{call}/answer", post(answer))
        .route("/api/calls/{call}/order", post(order))
        .route("/api/calls/{call}/earlier", get(earlier))
        .route("/api/calls/{call}/suggest", get(suggest))
        .route("/api/calls/{call}/wrap-up", put(wrap_up))
        .route("/api/calls/{call}/intents", get(intents))
        .route("/api/sound/{id}", patch(change_sound).delete(end_sound))
        .route("/api/wall", get(wall))
        .route("/api/calls/{call}", get(story))
}

fn not_theirs(_: NotTheirs) -> Problem {
    refuse("call", StatusCode::CONFLICT, "that call is not yours (any more)")
}

/// An open page, known by its stream as long as this lives.
struct Following {
    shared: Shared,
    me: Me,
    presence: Presence,
    news: mpsc::Receiver<News>,
    first: Option<Value>,
    pings: tokio::time::Interval,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.presence.stream()); // a map
    }
}

/// The desk's news (server-sent events): `desk` with all there is to show, then `ring`, `call`, `line`, `party`, `over`,
/// `state` as they happen. `ping` wants a POST to `/api/here`.
async fn desk(State(shared): State<Shared>, me: Me) -> Result<Response, Problem> {
    let agent = me.agent()?;
    let gone = || refuse("agent", StatusCode::NOT_FOUND, "there is no such agent in the configuration");
    let (first, news, presence) = shared.board.open(agent).ok_or_else(gone)?;
    let heard = Box::new(presence.heard());
    let mut streams = shared.streams.lock().unwrap_or_else(PoisonError::into_inner); // a map, never half changed
    streams.insert(presence.stream(), (me.name().to_owned(), heard));
    drop(streams);
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let following = Following { shared, me, presence, news, first: Some(first), pings };
    let events = stream::unfold(following, async |mut following| {
        if let Some(first) = following.first.take() {
            let event = Event::default().event("desk").data(first.to_string());
            return Some((Ok::<_, Infallible>(event), following));
        }
        let event = tokio::select! {
            news = following.news.recv() => {
                let news = news?; // it took too little: the page comes back and is told all
                Event::default().event(news.kind).data(&*news.json)
            }
            _ = following.pings.tick() => {
                if following.presence.is_silent() || !following.shared.is_logged_in(&following.me) {
                    return None;
                }
                Event::default().event("ping").data("{}")
            }
        };
        Some((Ok(event), following))
    });
    Ok(Sse::new(events).into_response())
}

#[derive(Deserialize)]
struct Here {
    stream: u64,
}

/// The page is there.
async fn here(State(shared): State<Shared>, me: Me, headers: HeaderMap, given: Body) -> Result<StatusCode, Problem> {
    let Here { stream } = body(&headers, given).await?;
    let streams = shared.streams.lock().unwrap_or_else(PoisonError::into_inner); // a map, never half changed
    match streams.get(&stream) {
        Some((account, heard)) if account == me.name() => {
            heard();
            Ok(StatusCode::NO_CONTENT)
        }
        _ => Err(Problem::new(StatusCode::NOT_FOUND, "there is no such stream (any more)")),
    }
}

#[derive(Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State_ {
    Ready,
    Paused { reason: String },
    Off,
}

/// Whether the agent takes calls.
async fn state(State(shared): State<Shared>, me: Me, headers: HeaderMap, given: Body) -> Result<StatusCode, Problem> {
    let agent = me.agent()?;
    let (wish, did, about) = match body(&headers, given).await? {
        State_::Ready => (Wish::Ready, "ready", String::new()),
        State_::Off => (Wish::Off, "off", String::new()),
        State_::Paused { reason } if shared.settings.pauses.contains(&reason) => {
            (Wish::Paused(reason.clone()), "paused", reason)
        }
        State_::Paused { .. } => {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no such reason for a pause"));
        }
    };
    shared.board.wish(agent, wish);
    shared.did(me.name(), did, &about).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn directory(State(shared): State<Shared>, me: Me) -> Result<Json<Value>, Problem> {
    Ok(Json(shared.board.directory(me.agent()?)))
}

/// STUN and TURN servers, as `RTCPeerConnection` wants them.
async fn ice(State(shared): State<Shared>, me: Me) -> Result<Json<Value>, Problem> {
    me.may_talk()?;
    let server = |server: &IceServer| match server.login(SystemTime::now()) {
        Some((username, credential)) => json!({ "urls": server.urls, "username": username, "credential": credential }),
        None => json!({ "urls": server.urls }),
    };
    Ok(Json(shared.relays.load().iter().map(server).collect()))
}

/// The agent's browser takes a call that rings: its offer (SDP) for our answer, as WHIP has it.
async fn answer(
    State(shared): State<Shared>,
    me: Me,
    Path(call): Path<String>,
    headers: HeaderMap,
    given: Body,
) -> Result<Response, Problem> {
    typed(&headers, SDP)?;
    let agent = me.agent()?;
    if !shared.board.rings(&call, agent) {
        return Err(not_theirs(NotTheirs));
    }
    let taken = shared.sound.take_within(given, agent.to_owned(), String::new(), shared.settings.sound_lost).await?;
    shared.board.answer(&call, agent, taken.incoming).map_err(not_theirs)?;
    shared.did(me.name(), "answered", &call).await;
    Ok(begin_sound(&shared, taken.session, taken.answer, taken.over).await)
}

/// A page's sound that was taken: known as long as it lasts.
pub async fn begin_sound(shared: &Shared, session: Session, answer: String, over: JoinHandle<()>) -> Response {
    shared.talks.insert(session.clone());
    let (talks, id) = (shared.talks.clone(), session.id().to_owned());
    tokio::spawn(async move {
        let _ = over.await; // however it ended
        talks.remove(&id);
    });
    session.created(answer, &format!("/api/sound/{}", session.id()), &shared.relays.load_full()).await
}

async fn change_sound(
    State(shared): State<Shared>,
    _: Me,
    Path(id): Path<String>,
    headers: HeaderMap,
    given: Body,
) -> Result<Response, Problem> {
    shared.talks.of(&id)?.change(&headers, given).await
}

async fn end_sound(State(shared): State<Shared>, _: Me, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    shared.talks.of(&id)?.end();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Wanted {
    HangUp,
    Hold { on: bool },
    Mute { on: bool },
    StopRecording,
    Key { key: char },
    Transfer { to: String },
    Consult { to: String },
    ConsultOver,
    JoinAll,
    DeskStep { step: String },
    DeskStepOver,
    ConsultDone,
    SkipBriefing,
}

/// Something is to be done in the agent's call.
async fn order(
    State(shared): State<Shared>,
    me: Me,
    Path(call): Path<String>,
    headers: HeaderMap,
    given: Body,
) -> Result<StatusCode, Problem> {
    let agent = me.agent()?;
    let wrong = |what| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, what);
    let name = |to: String| match to.is_empty() || to.chars().count() > LONGEST_NAME {
        true => Err(wrong("whom to?")),
        false => Ok(to),
    };
    let (what, did) = match body(&headers, given).await? {
        Wanted::HangUp => (What::HangUp, Some("hung_up")),
        Wanted::Hold { on } => (What::Hold(on), None),
        Wanted::Mute { on } => (What::Mute(on), None),
        Wanted::StopRecording => (What::StopRecording, Some("stopped_recording")),
        Wanted::Key { key } if crate::media::Key::new(key).is_some() => (What::Key(key), None),
        Wanted::Key { .. } => return Err(wrong("no key of a telephone")),
        Wanted::Transfer { to } => (What::Transfer(name(to)?), Some("transferred")),
        Wanted::Consult { to } => (What::Consult(name(to)?), Some("consulted")),
        Wanted::ConsultOver => (What::ConsultOver, None),
        Wanted::JoinAll => (What::JoinAll, Some("joined_all")),
        Wanted::DeskStep { step } => (What::DeskStep(name(step)?), Some("lent_to_bot")),
        Wanted::DeskStepOver => (What::DeskStepOver, None),
        Wanted::ConsultDone => (What::ConsultDone, Some("transferred")),
        Wanted::SkipBriefing => (What::SkipBriefing, None),
    };
    shared.board.order(&call, agent, what).map_err(not_theirs)?;
    if let Some(did) = did {
        shared.did(me.name(), did, &call).await;
    }
    Ok(StatusCode::ACCEPTED)
}

/// What the caller's earlier calls came to.
async fn earlier(State(shared): State<Shared>, me: Me, Path(call): Path<String>) -> Result<Json<Value>, Problem> {
    let agent = me.agent()?;
    let number = shared.board.number(&call, agent).map_err(not_theirs)?;
    let Some(number) = number else { return Ok(Json(json!([]))) };
    let earlier = shared.archive.earlier(&number, EARLIER + 1).await.map_err(|error| failed(&error))?;
    let earlier = earlier.into_iter().filter(|earlier| earlier.head.call != call).take(EARLIER);
    let earlier: Vec<_> = earlier
        .map(|earlier| {
            json!({
                "hear": archive::hears(&shared, agent, &earlier.head, earlier.agents.iter().any(|other| other == agent)),
                "call": earlier.head.call, "started": earlier.head.started, "duration_s": earlier.head.duration_s(),
                "outcome": earlier.head.outcome, "line": earlier.head.caller.line, "headline": earlier.headline,
                "wrap_ups": earlier.wrap_ups,
            })
        })
        .collect();
    shared.did(me.name(), "saw_earlier_calls", &call).await;
    Ok(Json(json!(earlier)))
}

#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    words: String,
}

/// What the operators' pages say to these words, best first.
async fn suggest(
    State(shared): State<Shared>,
    me: Me,
    Path(call): Path<String>,
    Query(Words { words }): Query<Words>,
) -> Result<Json<Value>, Problem> {
    let meaning = shared.board.meaning(&call, me.agent()?).map_err(not_theirs)?;
    let words: String = words.chars().take(LONGEST_QUESTION).collect();
    match meaning.filter(|_| !words.trim().is_empty()) {
        Some(meaning) => Ok(Json(json!(meaning.suggest(&words).await))),
        None => Ok(Json(json!([]))),
    }
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    disposition: Option<String>,
    #[serde(default)]
    notes: String,
    #[serde(flatten)]
    corrections: Corrections,
}

/// What callers of this call's flow may want, by name, with the words for it: to correct what was made of the call.
async fn intents(State(shared): State<Shared>, me: Me, Path(call): Path<String>) -> Result<Json<Value>, Problem> {
    let agent = me.agent()?;
    // In it now, or on record: of a call that just began the record may still be on its way.
    let theirs = shared.board.number(&call, agent).is_ok()
        || shared.archive.talked(&call, agent).await.map_err(|error| failed(&error))?;
    if !theirs {
        return Err(not_theirs(NotTheirs));
    }
    Ok(Json(json!(shared.archive.intents(&call).await.map_err(|error| failed(&error))?)))
}

/// What the agent leaves about a call of theirs.
async fn wrap_up(
    State(shared): State<Shared>,
    me: Me,
    Path(call): Path<String>,
    headers: HeaderMap,
    given: Body,
) -> Result<StatusCode, Problem> {
    let agent = me.agent()?;
    let Written { disposition, notes, corrections } = body(&headers, given).await?;
    if disposition.as_ref().is_some_and(|given| !shared.settings.dispositions.contains(given)) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no such disposition"));
    }
    if notes.chars().count() > NOTES {
        return Err(refuse("size", StatusCode::PAYLOAD_TOO_LARGE, "the notes are too long"));
    }
    if !shared.archive.talked(&call, agent).await.map_err(|error| failed(&error))? {
        return Err(not_theirs(NotTheirs));
    }
    if corrections.headline.as_ref().is_some_and(|headline| headline.chars().count() > HEADLINE) {
        return Err(refuse("size", StatusCode::PAYLOAD_TOO_LARGE, "the headline is too long"));
    }
    if let Some(intent) = &corrections.intent
        && !shared.archive.intents(&call).await.map_err(|error| failed(&error))?.contains_key(intent)
    {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no such intent"));
    }
    let written = shared.archive.wrap_up(&call, agent, disposition.as_deref(), &notes, &corrections).await;
    written.map_err(|error| failed(&error))?;
    shared.did(me.name(), "wrote_wrap_up", &call).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The wall (server-sent events): all of it whenever something changed, twice a second at most.
async fn wall(State(shared): State<Shared>, me: Me) -> Result<Response, Problem> {
    me.at_least(Role::Supervisor)?;
    let off = || Problem::new(StatusCode::NOT_FOUND, "there is no floor");
    let mut changes = shared.board.changes().ok_or_else(off)?;
    changes.mark_changed();
    let events = stream::unfold((shared, me, changes), async |(shared, me, mut changes)| {
        // Without a change times go on.
        let changed = tokio::time::timeout(PING, changes.changed()).await;
        if matches!(changed, Ok(Err(_))) || !shared.is_logged_in(&me) {
            return None;
        }
        tokio::time::sleep(WALL).await;
        changes.mark_unchanged();
        let event = Event::default().event("wall").data(shared.board.wall().to_string());
        Some((Ok::<_, Infallible>(event), (shared, me, changes)))
    });
    Ok(Sse::new(events).into_response())
}

/// One live call, for a supervisor.
async fn story(State(shared): State<Shared>, me: Me, Path(call): Path<String>) -> Result<Json<Value>, Problem> {
    me.at_least(Role::Supervisor)?;
    let over = || Problem::new(StatusCode::NOT_FOUND, "that call is over");
    let story = shared.board.story(&call).ok_or_else(over)?;
    shared.did(me.name(), "saw_call", &call).await;
    Ok(Json(story))
}
