//! frontdesk: a voice call-centre IVR engine.
//!
//! Rooms that decide (`call`, `dialog`, `acd`) are plain values: told what happened and when, they answer
//! with what to do. Rooms that do (`sip`, `speech`, `records`, ...) are thin shells around them; `engine`
//! is where they meet. `docs/architecture.md` draws the picture.

pub mod acd;
pub mod answers;
pub mod call;
pub mod cli;
pub mod config;
pub mod console;
pub mod dialog;
pub mod emotion;
pub mod engine;
pub mod graph;
pub mod learn;
pub mod local;
pub mod media;
pub mod models;
pub mod privacy;
pub mod records;
pub mod sip;
pub mod speech;
pub mod telemetry;
pub mod web;
pub mod webrtc;
