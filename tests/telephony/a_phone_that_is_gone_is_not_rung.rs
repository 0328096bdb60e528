//! Registered phones are asked whether they are there: one that answers stays, one that vanished is not rung.

use std::time::Duration;

use crate::common;
use common::baresip::{Baresip, Phone};
use common::{eventually, settings};
use frontdesk::sip::{Endpoint, Error, InviteRequest, PhoneAccount, Settings, Target};

const SECONDS: Duration = Duration::from_secs(20);

#[tokio::test]
async fn it_is_noticed_long_before_its_registration_ends() {
    let phones = vec![PhoneAccount::new("alice", "desk", "secret")];
    let settings = Settings { phones, allow: Vec::new(), keep_alive: Duration::from_secs(1), ..settings() };
    let (endpoint, _calls) = Endpoint::start(settings).await.unwrap();
    for tcp in [false, true] {
        let registrar = endpoint.listening()[0];
        let mut phone = Baresip::start(&Phone { registrar, tcp, ..Phone::default() }).await;
        phone.wait_for("REGISTER_OK", SECONDS).await;
        let mut changes = endpoint.registrations();
        // Time for two questions.
        assert!(tokio::time::timeout(Duration::from_millis(2_500), changes.recv()).await.is_err(), "it is there");
        assert_eq!(endpoint.registered().len(), 1);
        // Killed: it says no goodbye.
        drop(phone);
        eventually("it is not there any more", SECONDS, || endpoint.registered().is_empty()).await;
        let change = changes.recv().await.unwrap();
        assert_eq!((change.user.as_str(), change.expires), ("alice", Duration::ZERO));
        assert_eq!(endpoint.counts().registrations, 1, "its registration has not ended");
        let to = Target::Registered("alice".into());
        let request = InviteRequest { to, from_display: String::new(), headers: Vec::new(), ring_timeout: SECONDS };
        assert!(matches!(endpoint.invite(request).await.err(), Some(Error::NotRegistered)));
        endpoint.reconfigure(Settings { phones: Vec::new(), ..common::settings() });
        let phones = vec![PhoneAccount::new("alice", "desk", "secret")];
        let keep_alive = Duration::from_secs(1);
        endpoint.reconfigure(Settings { phones, allow: Vec::new(), keep_alive, ..common::settings() });
    }
    endpoint.shutdown().await;
}
