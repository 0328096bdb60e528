//! `/metrics` for Prometheus, `/healthz` (the process runs) and `/readyz` (calls may come; 503 while they may not).
//! No login: bind it to loopback, or to a network of operators' own.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State as With};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Error, Health, Metrics, names};

/// The server while it runs; it stops when this is dropped.
pub struct Server {
    /// Where it listens: the port that was found, when 0 was asked for.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `allowed` says who may ask; others get 403.
pub async fn serve(
    address: SocketAddr,
    allowed: impl Fn(IpAddr) -> bool + Clone + Send + Sync + 'static,
    metrics: Metrics,
    health: Health,
) -> Result<Server, Error> {
    let failed = |source| Error::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = Router::new()
        .route("/metrics", get(figures))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .layer(middleware::from_fn(move |ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request, next: Next| {
            let allowed = allowed(from.ip());
            async move { if allowed { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() } }
        }))
        .with_state((metrics, health))
        .into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "metrics and health are no longer served");
        }
    });
    Ok(Server { address, task })
}

async fn figures(With((metrics, _)): With<(Metrics, Health)>) -> impl IntoResponse {
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    metrics::gauge!(names::TASKS).set(tasks as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}

async fn ready(With((_, health)): With<(Metrics, Health)>) -> impl IntoResponse {
    let ready = health.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "parts": health.snapshot() })))
}
