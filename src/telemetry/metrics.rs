//! Counting what `names` lists, and the page that Prometheus reads.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::{Error, names};

/// Bounds of every duration, seconds: from a packet's jitter to a long call.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 180.0,
    600.0, 1800.0,
];

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    page: PrometheusHandle,
}

impl Metrics {
    /// Starts counting; once a process. Until then whatever is counted goes nowhere.
    pub fn install() -> Result<Self, Error> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
            .map_err(|_| Error::MetricsTaken)?
            .build_recorder();
        let page = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|_| Error::MetricsTaken)?;
        names::describe();
        Ok(Self { page })
    }

    /// All figures in Prometheus' text format.
    pub fn render(&self) -> String {
        self.page.run_upkeep();
        self.page.render()
    }
}
