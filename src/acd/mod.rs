//! Queues and agents: who gets which call. Pure: `Floor::handle(now, FloorEvent) -> Vec<FloorAction>`.

mod event;
mod floor;
mod wait;

pub use event::{FloorAction, FloorEvent, GiveUp};
pub use floor::{Agent, AgentState, Floor, Queue};
