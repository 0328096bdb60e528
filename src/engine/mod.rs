//! Where rooms meet: one task a call around the pure `call::Call`, one for the floor, one clock beat for media.
