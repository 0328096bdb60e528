//! Metrics, traces, health.
