//! SIP trunks and phones: signalling by rsipstack, RTP ports.
