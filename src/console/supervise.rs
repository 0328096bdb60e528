//! What supervisors do in live calls: listen, whisper to the agent, join in, take the agent's place.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use super::api::{Me, Shared, body, refuse};
use super::board::{Supervise, Unsupervised};
use super::calls::begin_sound;
use crate::call::Supervision;
use crate::records::Role;
use crate::web::{Problem, typed};
use crate::webrtc::SDP;

pub fn router() -> Router<Shared> {
    Router::new().route("/api/calls/{call}/listen", post(listen)).route("/api/calls/{call}/supervise", post(supervise))
}

impl From<Unsupervised> for Problem {
    fn from(why: Unsupervised) -> Self {
        let (status, detail) = match why {
            Unsupervised::Over => (StatusCode::NOT_FOUND, "that call is over"),
            Unsupervised::Another => (StatusCode::CONFLICT, "another supervisor is in that call"),
            Unsupervised::NotIn => (StatusCode::CONFLICT, "you are not in that call (any more)"),
            Unsupervised::NoAgent => (StatusCode::CONFLICT, "no agent talks to the caller now"),
            Unsupervised::Busy => (StatusCode::CONFLICT, "you have a call of your own"),
        };
        Problem::new(status, detail)
    }
}

/// The supervisor's browser comes into a call: its offer (SDP) for our answer, as WHIP has it. At first nobody hears it.
async fn listen(
    State(shared): State<Shared>,
    me: Me,
    Path(call): Path<String>,
    headers: HeaderMap,
    given: Body,
) -> Result<Response, Problem> {
    typed(&headers, SDP)?;
    me.at_least(Role::Supervisor)?;
    shared.board.lets_in(&call, me.name())?;
    let taken =
        shared.sound.take_within(given, me.name().to_owned(), String::new(), shared.settings.sound_lost).await?;
    shared.board.supervise(&call, me.name(), Supervise::Join(Box::new(taken.incoming)))?;
    shared.did(me.name(), "listened_in", &call).await;
    Ok(begin_sound(&shared, taken.session, taken.answer, taken.over).await)
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Wanted {
    Listen,
    Whisper,
    Barge,
    TakeOver,
    Leave,
}

/// Another part in a call that the supervisor is in.
async fn supervise(
    State(shared): State<Shared>,
    me: Me,
    Path(call): Path<String>,
    headers: HeaderMap,
    given: Body,
) -> Result<StatusCode, Problem> {
    me.at_least(Role::Supervisor)?;
    let (what, did) = match body(&headers, given).await? {
        Wanted::Listen => (Supervise::As(Supervision::Listen), "listened_in"),
        Wanted::Whisper => (Supervise::As(Supervision::Whisper), "whispered"),
        Wanted::Barge => (Supervise::As(Supervision::Barge), "barged_in"),
        Wanted::TakeOver => {
            let agent = me.agent()?;
            if !shared.board.knows(agent) {
                return Err(refuse("agent", StatusCode::NOT_FOUND, "there is no such agent in the configuration"));
            }
            (Supervise::TakeOver(agent.to_owned()), "took_over")
        }
        Wanted::Leave => (Supervise::Leave, "left_call"),
    };
    shared.board.supervise(&call, me.name(), what)?;
    shared.did(me.name(), did, &call).await;
    Ok(StatusCode::ACCEPTED)
}
