//! The agents' desk and the supervisors' wall, in a browser: who may log in (`sessions`, `password`), the live state that pages
//! follow (`board`), what they may do (`api`, `calls`, `staff`), and the pages themselves.
//!
//! The engine writes the [`Board`] and takes the orders of agents from it; [`Console`] serves the rest. Agents who have no
//! telephone talk by [`crate::webrtc::Sound`]. `docs/desk.md` is the page for those who use it.

mod api;
mod archive;
mod board;
mod calls;
mod figures;
mod openapi;
mod outlook;
mod pages;
mod password;
mod sessions;
mod staff;
mod supervise;
mod view;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use api::Console;
pub use board::{
    Became, Board, Member, News, NotTheirs, ORDERS, Order, Patience, People, Presence, Supervise, Unsupervised, What,
    Wish,
};
pub use outlook::{Outlook, since as outlook_since};

use crate::webrtc::IceServer;

/// What an operator decides about the desk, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM files; none: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    pub ice_servers: Vec<IceServer>,
    /// Names by which it may be asked without TLS, besides `localhost` and addresses.
    pub names: Vec<String>,
    /// Reverse proxies whose word for an address is taken.
    pub proxies: Vec<IpNet>,
    pub dispositions: Vec<String>,
    pub pauses: Vec<String>,
    /// How long a log-in lasts.
    pub session: Duration,
    pub log_ins_per_minute: u32,
    pub agents_hear: AgentsHear,
    /// An agent whose sound is gone has this long: then the caller goes to somebody else.
    pub sound_lost: Duration,
}

/// Which recordings agents may hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgentsHear {
    Nothing,
    /// Of calls that they talked in.
    #[default]
    Own,
    /// And of the other calls of the caller who is on their desk.
    Earlier,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Web(#[from] crate::web::Error),
    #[error(transparent)]
    Records(#[from] crate::records::Error),
}
