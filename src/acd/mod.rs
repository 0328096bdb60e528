//! Queues and agents: who gets which call. Pure: `Floor::handle(now, FloorEvent) -> Vec<FloorAction>`.
