//! What operators watch: logs, metrics, health. Never a caller's number or words: calls appear by their names.

mod health;
mod logs;
mod metrics;
pub mod names;
mod server;

pub use health::{Health, State};
pub use logs::{Format, init, init_at};
pub use metrics::Metrics;
pub use server::{Server, serve};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("FRONTDESK_LOG is no filter (such as `info` or `warn,frontdesk::sip=debug`): {0}")]
    Filter(String),
    #[error("logs are already being written another way")]
    LogsTaken,
    #[error("metrics are already being counted elsewhere")]
    MetricsTaken,
    #[error("cannot serve metrics and health on {address}")]
    Bind { address: std::net::SocketAddr, source: std::io::Error },
}
