//! Webhooks, outwards: what waits in the records' outbox is sent, signed, until it is taken (a status of 2xx) or a day has
//! passed. At least once: a crash between the answer and its being written down sends it again under the same id. A webhook
//! that is slow or gone holds up no other, and never a call.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use reqwest::{Client, StatusCode, redirect};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{debug, error, info, warn};

use crate::call::{Caller, FactKind};
use crate::config::{Config, Webhook};
use crate::records::{Archive, CallRecord, Delivery, Error, Occasion, Store, Subscriber};
use crate::telemetry::names;
use crate::web::signature;

/// How often the outbox is looked into.
const LOOK: Duration = Duration::from_secs(1);
/// Messages under way to one webhook at once.
const AT_ONCE: u32 = 8;
/// Time limits of one try.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a webhook is waited for, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One try may take so long.
    pub answer: Duration,
    /// Before the first repetition; doubled for each,
    pub first: Duration,
    /// up to this.
    pub longest: Duration,
    /// Older messages are given up.
    pub give_up: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            first: Duration::from_secs(5),
            longest: Duration::from_secs(1_800),
            give_up: Duration::from_secs(24 * 3_600),
        }
    }
}

impl Patience {
    /// Until the next try after so many in vain. Half of it is left to chance: what failed together must not come back
    /// together.
    fn after(self, attempts: u32) -> Duration {
        let wait = self.first.saturating_mul(2_u32.saturating_pow(attempts)).min(self.longest);
        wait.mul_f64(0.75 + rand::random::<f64>() / 2.0)
    }
}

/// What came of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Taken,
    /// 410: the receiver wants no more of this.
    Gone,
    Failed,
}

/// Webhooks as the configuration of the day names them.
pub struct Webhooks {
    store: Store,
    today: watch::Receiver<Arc<Config>>,
    patience: Patience,
}

impl Webhooks {
    /// From here on what is written to `store` is written into the outbox, too.
    pub fn new(store: Store, today: watch::Receiver<Arc<Config>>, patience: Patience) -> Self {
        subscribe(&store, &today.borrow());
        Self { store, today, patience }
    }

    /// Sends what waits, until there is no configuration any more.
    pub async fn run(mut self) {
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(self.patience.answer)
            .redirect(redirect::Policy::none()) // a redirect would carry the message to where nobody configured
            .user_agent(concat!("frontdesk/", env!("CARGO_PKG_VERSION")))
            .build();
        let sender = match (client, self.store.archive().await) {
            (Ok(client), Ok(archive)) => Sender { archive, client, patience: self.patience },
            (Err(error), _) => return error!(%error, "webhooks are told nothing before the next restart"),
            (_, Err(error)) => return error!(%error, "webhooks are told nothing before the next restart"),
        };
        let mut look = tokio::time::interval(LOOK);
        let mut busy: HashMap<String, JoinHandle<()>> = HashMap::new();
        self.today.mark_changed();
        loop {
            tokio::select! {
                changed = self.today.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let config = self.today.borrow().clone();
                    subscribe(&self.store, &config);
                    sender.forget_others(&config).await;
                }
                _ = look.tick() => {}
            }
            busy.retain(|_, task| !task.is_finished());
            let config = self.today.borrow().clone();
            for webhook in config.webhooks.values() {
                busy.entry(webhook.name.clone())
                    .or_insert_with(|| tokio::spawn(sender.clone().send_due(webhook.clone())));
            }
        }
    }
}

fn subscribe(store: &Store, config: &Config) {
    let one = |webhook: &Webhook| Subscriber { hook: webhook.name.clone(), occasions: webhook.occasions.clone() };
    store.subscribe(config.webhooks.values().map(one).collect());
}

#[derive(Clone)]
struct Sender {
    archive: Archive,
    client: Client,
    patience: Patience,
}

impl Sender {
    async fn forget_others(&self, config: &Config) {
        let hooks: Vec<String> = config.webhooks.keys().cloned().collect();
        match self.archive.dismiss_but(&hooks).await {
            Ok(0) => {}
            Ok(gone) => warn!(gone, "messages to webhooks that are no longer configured are dropped"),
            Err(error) => warn!(%error, "the webhooks' outbox cannot be tidied up"),
        }
    }

    /// All that one webhook is to be told by now.
    async fn send_due(self, webhook: Webhook) {
        loop {
            let due = match self.archive.due(&webhook.name, Utc::now(), AT_ONCE).await {
                Ok(due) if due.is_empty() => return,
                Ok(due) => due,
                Err(error) => return warn!(webhook = webhook.name, %error, "a webhook's outbox cannot be read"),
            };
            for sent in join_all(due.iter().map(|delivery| self.send(&webhook, delivery))).await {
                if let Err(error) = sent {
                    return warn!(webhook = webhook.name, %error, "a webhook's outbox cannot be used");
                }
            }
        }
    }

    async fn send(&self, webhook: &Webhook, delivery: &Delivery) -> Result<(), Error> {
        let told = |result| {
            metrics::counter!(names::WEBHOOKS, "webhook" => webhook.name.clone(), "result" => result).increment(1);
        };
        let Delivery { id, call, attempts, .. } = delivery;
        let (webhook_name, attempts) = (&webhook.name, *attempts);
        let body = match body(&self.archive, delivery, webhook.personal).await {
            // Its key is not here: no later try would do better. Or it was erased while we looked.
            Err(error) if error.is_unreadable() || matches!(error, Error::NoSuchCall(_)) => {
                told("given_up");
                warn!(webhook = webhook_name, call, %error, "a webhook cannot be told of a call");
                return self.archive.dismiss(id).await;
            }
            body => body?,
        };
        match self.post(webhook, id, body.to_string()).await {
            Reply::Taken => {
                told("taken");
                debug!(webhook = webhook_name, call, attempts, "a webhook was told");
                self.archive.dismiss(id).await
            }
            reply => {
                let age = (Utc::now() - delivery.at).to_std().unwrap_or_default();
                if reply == Reply::Gone || age >= self.patience.give_up {
                    told("given_up");
                    error!(webhook = webhook_name, call, attempts, "a webhook will not hear of a call: given up");
                    return self.archive.dismiss(id).await;
                }
                told("failed");
                let wait = self.patience.after(attempts);
                info!(webhook = webhook_name, call, attempts, wait_s = wait.as_secs(), "trying a webhook again");
                self.archive.postpone(id, Utc::now() + TimeDelta::from_std(wait).unwrap_or_default()).await
            }
        }
    }

    async fn post(&self, webhook: &Webhook, id: &str, body: String) -> Reply {
        let secret = signature::secret(webhook.secret.expose()).unwrap_or_default(); // checked when it was read
        let timestamp = Utc::now().timestamp();
        let request = self
            .client
            .post(&webhook.url)
            .header("content-type", "application/json")
            .header(signature::ID, id)
            .header(signature::TIMESTAMP, timestamp)
            .header(signature::SIGNATURE, signature::sign(&secret, id, timestamp, body.as_bytes()))
            .body(body);
        // What it says besides the status is not read.
        match request.send().await.map(|response| response.status()) {
            Ok(status) if status.is_success() => Reply::Taken,
            Ok(StatusCode::GONE) => Reply::Gone,
            Ok(status) => {
                warn!(webhook = webhook.name, status = status.as_u16(), "a webhook did not take a message");
                Reply::Failed
            }
            Err(error) => {
                let why = match () {
                    () if error.is_timeout() => "it took too long",
                    () if error.is_connect() => "no connection",
                    () => "connection lost",
                };
                warn!(webhook = webhook.name, why, "a webhook could not be told");
                Reply::Failed
            }
        }
    }
}

/// What is sent: `type`, `timestamp` of what happened, and `data` (`docs/webhooks.md`).
async fn body(archive: &Archive, delivery: &Delivery, personal: bool) -> Result<Value, Error> {
    let mut record = archive.show(&delivery.call).await?;
    let mut detail = delivery.detail.clone();
    if !personal {
        let flow = archive.flow(&record.head.flow_hash).await?;
        record = record.without_caller(&flow);
        if let Some(summary) = &mut record.summary {
            summary.facts.retain(|fact| fact.kind != FactKind::LastWords);
        }
        for key in ["number", "text"] {
            detail.as_object_mut().and_then(|detail| detail.remove(key));
        }
    }
    let CallRecord { head, .. } = &record;
    let mut data = json!({
        "call": head.call, "line": head.caller.line, "dialled": head.caller.dialled, "started": head.started,
    });
    if personal {
        let Caller { number, name, withheld, .. } = &head.caller;
        let number = Some(number).filter(|_| !withheld);
        data["caller"] = json!({ "number": number, "name": name });
    }
    let more = match delivery.occasion {
        Occasion::CallEnded => ended(&record),
        Occasion::WrappedUp => {
            let wrap_up =
                record.wrap_ups.iter().find(|wrap_up| Some(wrap_up.agent.as_str()) == detail["agent"].as_str());
            json!(wrap_up)
        }
        Occasion::Alert | Occasion::MessageLeft | Occasion::CallbackKept | Occasion::CallbackOver => detail,
    };
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    Ok(json!({ "type": delivery.occasion, "timestamp": delivery.at, "data": data }))
}

fn ended(record: &CallRecord) -> Value {
    let agents = record.legs.iter().filter(|leg| leg.answered_ms.is_some()).filter_map(|leg| leg.agent.as_ref());
    let facts = record.summary.iter().flat_map(|summary| &summary.facts);
    let facts: Vec<_> = facts.map(|fact| json!({ "kind": fact.kind, "text": fact.text })).collect();
    let head = &record.head;
    json!({
        "flow": head.flow, "ended": head.ended, "duration_s": head.duration_s(), "cause": head.cause,
        "outcome": head.outcome, "language": head.language, "agents": agents.collect::<Vec<_>>(), "facts": facts,
        "reworded": record.reworded, "wrap_ups": record.wrap_ups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_ever_further_apart_and_last_a_day() {
        let patience = Patience::default();
        let (mut at, mut tries) = (Duration::ZERO, 0);
        while at < patience.give_up {
            let wait = patience.after(tries);
            let middle = Duration::from_secs(5 << tries.min(9)).min(patience.longest);
            assert!(wait >= middle.mul_f64(0.75) && wait <= middle.mul_f64(1.25), "{tries}: {wait:?}");
            at += wait;
            tries += 1;
        }
        assert!((40..80).contains(&tries), "{tries}");
        assert!(patience.after(u32::MAX) <= patience.longest.mul_f64(1.25));
    }
}
