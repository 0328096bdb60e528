//! What Prometheus and an orchestrator read: figures with help texts, alive, ready or not.

use std::net::{Ipv4Addr, SocketAddr};

use frontdesk::telemetry::{Health, Metrics, State, names, serve};

#[tokio::test]
async fn health_and_metrics_are_there_for_machines() {
    let metrics = Metrics::install().unwrap();
    assert!(Metrics::install().is_err(), "one process counts once");
    let health = Health::default();
    let server = serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |_| true, metrics, health.clone()).await.unwrap();
    let get = async |path: &str| {
        let response = reqwest::get(format!("http://{}{path}", server.address)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".into()));
    assert_eq!(get("/readyz").await.0, 503, "nothing has started");
    health.set("sip", State::Ready);
    health.set("records", State::Starting);
    assert_eq!(get("/readyz").await.0, 503);
    health.set("records", State::Degraded);
    assert_eq!(get("/readyz").await, (200, r#"{"parts":{"records":"degraded","sip":"ready"},"ready":true}"#.into()));
    health.set("sip", State::Draining);
    assert_eq!(get("/readyz").await.0, 503);

    metrics::counter!(names::CALLS_ENDED, "cause" => "completed", "outcome" => "contained").increment(2);
    metrics::gauge!(names::CALLS_ACTIVE).set(3.0);
    metrics::histogram!(names::HEARING_SECONDS).record(0.42);
    let (status, page) = get("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "# HELP frontdesk_calls_ended_total Calls that ended, by cause and outcome",
        "# TYPE frontdesk_calls_ended_total counter",
        r#"frontdesk_calls_ended_total{cause="completed",outcome="contained"} 2"#,
        "frontdesk_calls_active 3",
        r#"frontdesk_hearing_seconds_bucket{le="0.5"} 1"#,
        r#"frontdesk_hearing_seconds_bucket{le="0.3"} 0"#,
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
}
