//! Accounts: who there is, what they may, and links by which they set their passwords. The trail of what was done.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Me, Shared, body, failed};
use super::sessions;
use crate::records::Role;
use crate::web::Problem;

/// A link for a new colleague is good for so long.
const LINK: TimeDelta = TimeDelta::hours(72);
const LONGEST_NAME: usize = 64;
const DEEDS: u32 = 500;

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/api/accounts", get(accounts).post(put_account))
        .route("/api/accounts/{name}", delete(remove_account))
        .route("/api/accounts/{name}/link", post(link))
        .route("/api/audit", get(audit))
}

async fn accounts(State(shared): State<Shared>, me: Me) -> Result<Json<Value>, Problem> {
    me.at_least(Role::Administrator)?;
    let accounts = shared.archive.accounts().await.map_err(|error| failed(&error))?;
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| {
            json!({ "name": account.name, "role": account.role, "agent": account.agent, "made": account.made,
                "has_password": account.password.is_some() })
        })
        .collect();
    Ok(Json(json!({ "accounts": accounts, "agents": shared.board.agents() })))
}

#[derive(Deserialize)]
struct Account {
    name: String,
    role: Role,
    #[serde(default)]
    agent: Option<String>,
}

/// Makes an account, or changes what one may; whoever is logged in by it must do so again.
async fn put_account(
    State(shared): State<Shared>,
    me: Me,
    headers: HeaderMap,
    given: Body,
) -> Result<StatusCode, Problem> {
    me.at_least(Role::Administrator)?;
    let Account { name, role, agent } = body(&headers, given).await?;
    let wrong = |what| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, what);
    let plain = |c: char| c.is_alphanumeric() || "-_.@ ".contains(c);
    if name.trim() != name || name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(plain) {
        return Err(wrong("a name has letters, digits, `-`, `_`, `.`, `@` and spaces"));
    }
    if agent.as_ref().is_some_and(|agent| !shared.board.knows(agent)) {
        return Err(wrong("there is no such agent in the configuration"));
    }
    if role == Role::Agent && agent.is_none() {
        return Err(wrong("which agent of the configuration is it?"));
    }
    if role == Role::Analyst && agent.is_some() {
        return Err(wrong("an analyst has no desk: callers are not known there"));
    }
    if me.name() == name && role != Role::Administrator {
        return Err(wrong("nobody takes the keys from themselves"));
    }
    shared.archive.put_account(&name, role, agent.as_deref()).await.map_err(|error| failed(&error))?;
    if me.name() != name {
        shared.end_sessions(&name);
    }
    shared.did(me.name(), "put_account", &name).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_account(State(shared): State<Shared>, me: Me, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    me.at_least(Role::Administrator)?;
    if me.name() == name {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "nobody takes the keys from themselves"));
    }
    if !shared.archive.remove_account(&name).await.map_err(|error| failed(&error))? {
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such account"));
    }
    shared.end_sessions(&name);
    shared.did(me.name(), "removed_account", &name).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The secret of a link by which this account's password is set, once. Given to the administrator alone, and kept nowhere.
async fn link(State(shared): State<Shared>, me: Me, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    me.at_least(Role::Administrator)?;
    if shared.archive.account(&name).await.map_err(|error| failed(&error))?.is_none() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such account"));
    }
    let (secret, until) = (sessions::secret(), Utc::now() + LINK);
    shared.archive.invite(&name, &sessions::digest(&secret), until).await.map_err(|error| failed(&error))?;
    shared.did(me.name(), "made_link", &name).await;
    Ok(Json(json!({ "link": secret, "until": until })))
}

async fn audit(State(shared): State<Shared>, me: Me) -> Result<Json<Value>, Problem> {
    me.at_least(Role::Administrator)?;
    let deeds = shared.archive.deeds(DEEDS).await.map_err(|error| failed(&error))?;
    Ok(Json(json!(deeds)))
}
