//! Queues and agents: who gets which call. Pure: `Floor::handle(now, FloorEvent) -> Vec<FloorAction>`. Beside it the
//! arithmetic of staffing (`erlang`) and of the days to come (`forecast`).
//!
//! What holds after every event, whatever came and in whatever order (`Floor::check` looks for all that the floor's own
//! books can show; `tests/conversation/queue*` look from outside, with books of their own):
//! 1. *Pairs.* An agent has at most one call. A call has at most one agent who talks; others may be rung for it, and
//!    once one talks every other was told to stop. What a call says of its agents, the agents say of the call.
//! 2. *Order.* A call waits in exactly one place or has an agent: never both, never neither. Nobody is served before
//!    someone who ranks higher and whom the agent could have taken. A caller whom an agent did not take, or passed on,
//!    or whose wait was over and began anew, has the place of the first arrival; one whose agent vanished in
//!    mid-conversation is at the front.
//! 3. *Work.* No agent is free while a call waits that they could take now. (A call that is kept for its own agent, and
//!    a callback that is not due, cannot be taken now.)
//! 4. *Patience.* Nobody waits longer than the queue lets them, nor for agents of whom none is logged in.
//! 5. *Silence.* For a call that is gone nobody is rung and nothing more is said.
//! 6. *Freedom.* Who has no call is not busy: a hang-up, an answer, a log-out and a time-out in any order leave the agent
//!    free, away or in wrap-up, with a deadline where one is needed. `next_deadline` is never in the past.
//! 7. *Presence.* Only who is logged in, not paused, not occupied elsewhere and able is rung.
//! 8. *Callbacks.* A call that is kept in place after its caller hung up is dialled only when an agent is held for it,
//!    inside its hours, and no more often than allowed; it ends by an answer, a cancellation, or one `CallbackOver`.
//! 9. *Places.* The places told are those of the order of service: 1, 2, 3, ... in each queue.

mod callback;
mod choose;
mod desk;
pub mod erlang;
mod event;
mod floor;
pub mod forecast;
mod invariants;
mod queue;
mod ticket;
mod wait;

pub use desk::{Agent, AgentState};
pub use event::{About, FloorAction, FloorEvent, GiveUp, NoCallback, Reason};
pub use floor::Floor;
pub use invariants::Broken;
pub use queue::{Callbacks, Outlet, Overflow, Queue, Rules, Sticky, Strategy, When};
