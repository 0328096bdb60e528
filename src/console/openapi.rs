//! What the API is, for machines (OpenAPI 3.1). A test holds it against the router: every path here answers, and no other does.

use serde_json::{Map, Value, json};

/// Method, path, what it does, the least role (none: anybody), the body's properties.
type Operation =
    (&'static str, &'static str, &'static str, Option<&'static str>, &'static [(&'static str, &'static str)]);

pub const OPERATIONS: &[Operation] = &[
    ("get", "/api/session", "Who I am, the token of changes, and the lists that pages offer", None, &[]),
    ("post", "/api/log-in", "Log in; sets the cookie", None, &[("name", "string"), ("password", "string")]),
    ("post", "/api/log-out", "Log out", Some("agent"), &[]),
    ("post", "/api/password", "Set a password by a link, once", None, &[("link", "string"), ("password", "string")]),
    (
        "get",
        "/api/desk",
        "Server-sent events of my desk: desk, ring, call, line, party, over, state, ping",
        Some("agent"),
        &[],
    ),
    ("post", "/api/here", "The answer to a ping", Some("agent"), &[("stream", "integer")]),
    (
        "post",
        "/api/state",
        "Whether I take calls: ready, paused (with a reason) or off",
        Some("agent"),
        &[("state", "string"), ("reason", "string")],
    ),
    ("get", "/api/directory", "Whom a caller can be passed on to", Some("agent"), &[]),
    ("get", "/api/ice", "STUN and TURN servers for my browser", Some("agent"), &[]),
    ("post", "/api/calls/{call}/answer", "Take the call that rings: SDP for SDP, as WHIP has it", Some("agent"), &[]),
    (
        "post",
        "/api/calls/{call}/order",
        "Do: hang_up, hold, mute, stop_recording, key, transfer, consult, join_all, consult_over, consult_done, desk_step, \
            desk_step_over, skip_briefing",
        Some("agent"),
        &[("do", "string"), ("on", "boolean"), ("key", "string"), ("to", "string"), ("step", "string")],
    ),
    (
        "post",
        "/api/calls/{call}/listen",
        "Come into a call, unheard: SDP for SDP, as WHIP has it",
        Some("supervisor"),
        &[],
    ),
    (
        "post",
        "/api/calls/{call}/supervise",
        "In a call that I am in: listen, whisper, barge, take_over, leave",
        Some("supervisor"),
        &[("do", "string")],
    ),
    ("get", "/api/calls/{call}/earlier", "Earlier calls of the caller who is on my desk", Some("agent"), &[]),
    ("get", "/api/calls/{call}/suggest", "What the knowledge base says to `words`, best first", Some("agent"), &[]),
    (
        "put",
        "/api/calls/{call}/wrap-up",
        "What I write about a call of mine",
        Some("agent"),
        &[
            ("disposition", "string"),
            ("notes", "string"),
            ("intent", "string"),
            ("emotion", "string"),
            ("headline", "string"),
        ],
    ),
    ("get", "/api/calls/{call}/intents", "What a caller of my call may have wanted, by name", Some("agent"), &[]),
    ("patch", "/api/sound/{id}", "ICE candidates, or ICE anew (RFC 8840)", Some("agent"), &[]),
    ("delete", "/api/sound/{id}", "My sound ends", Some("agent"), &[]),
    ("get", "/api/wall", "Server-sent events of the wall: all of it, when it changes", Some("supervisor"), &[]),
    ("get", "/api/calls/{call}", "A live call's story", Some("supervisor"), &[]),
    ("get", "/api/records", "Calls by `text`, `since` and `until`, newest first; an agent's own", Some("agent"), &[]),
    ("get", "/api/records/{call}", "A call that is over; for agents, one that they may hear", Some("agent"), &[]),
    ("get", "/api/records/{call}/recording", "Its recording (WAV; `Range`); likewise", Some("agent"), &[]),
    ("get", "/api/accounts", "Accounts, and the agents of the configuration", Some("administrator"), &[]),
    (
        "post",
        "/api/accounts",
        "Make an account, or change what one may",
        Some("administrator"),
        &[("name", "string"), ("role", "string"), ("agent", "string")],
    ),
    ("delete", "/api/accounts/{name}", "Remove an account", Some("administrator"), &[]),
    ("post", "/api/accounts/{name}/link", "A link by which a password is set, once", Some("administrator"), &[]),
    ("get", "/api/audit", "Who did what, newest first", Some("administrator"), &[]),
    ("get", "/api/openapi.json", "This document", None, &[]),
];

pub fn document() -> Value {
    let mut paths = Map::new();
    for (method, path, summary, role, body) in OPERATIONS {
        let names = path.split(['{', '}']).skip(1).step_by(2);
        let parameters: Vec<_> = names
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        let mut operation = json!({
            "summary": summary,
            "responses": {
                "2XX": { "description": "It is so" },
                "4XX": { "$ref": "#/components/responses/Refused" },
            },
        });
        if !parameters.is_empty() {
            operation["parameters"] = json!(parameters);
        }
        match role {
            None => operation["security"] = json!([]),
            Some(role) => {
                let analysts = match path.starts_with("/api/records") {
                    true => " For analysts, too, of calls that are over and without their callers.",
                    false => "",
                };
                operation["description"] = json!(format!("For every {role} and above.{analysts}"));
                operation["security"] = match *method {
                    "get" => json!([{ "cookie": [] }]),
                    _ => json!([{ "cookie": [], "token": [] }]),
                };
            }
        }
        if !body.is_empty() {
            let properties: Map<_, _> =
                body.iter().map(|(name, kind)| ((*name).to_owned(), json!({ "type": kind }))).collect();
            let schema = json!({ "type": "object", "properties": properties, "required": [body[0].0] });
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        } else if path.ends_with("/answer") || path.ends_with("/listen") {
            let schema = json!({ "type": "string" });
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/sdp": { "schema": schema } } });
        }
        let path = paths.entry(*path).or_insert_with(|| json!({}));
        path[*method] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "frontdesk: the agents' desk", "version": env!("CARGO_PKG_VERSION"),
            "description": "Requests that change something come from the desk's own origin, with the session's cookie and the \
                token of GET /api/session.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-frontdesk",
                    "description": "`frontdesk` where there is no HTTPS" },
                "token": { "type": "apiKey", "in": "header", "name": "x-frontdesk-token" },
            },
            "responses": {
                "Refused": {
                    "description": "Why not (RFC 9457)",
                    "content": { "application/problem+json": { "schema": { "type": "object", "properties": {
                        "title": { "type": "string" }, "status": { "type": "integer" }, "detail": { "type": "string" },
                    } } } },
                },
            },
        },
    })
}
