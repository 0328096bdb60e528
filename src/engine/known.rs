//! What is known of whoever calls: by the table in memory, or by a backend that has until the greeting.

use std::collections::BTreeMap;

use crate::answers::Backends;
use crate::call::{Caller, Reply};
use crate::config::{People, PeopleFrom};

/// What `people` say of a caller. Takes as long as the backend may take at most; a caller who shows no number is nobody.
pub async fn known(
    people: Option<&People>,
    backends: &Backends,
    caller: &Caller,
    call: &str,
) -> BTreeMap<String, String> {
    let (Some(people), Some(number)) = (people, caller.shown_number()) else { return BTreeMap::new() };
    match &people.source {
        PeopleFrom::Table(_) => people.in_table(number),
        PeopleFrom::Backend { backend, timeout, .. } => {
            let with = [("number".to_owned(), number.to_owned())].into();
            let id = format!("{call}-0"); // requests of the call itself begin at 1
            match tokio::time::timeout(*timeout, backends.fetch(backend, &with, &id)).await {
                Ok(Reply::Found(said)) => people.in_reply(&said),
                Ok(Reply::Refused(_) | Reply::Failed(_)) => BTreeMap::new(),
                Err(_) => {
                    tracing::warn!(call, backend, "who calls was not known in time");
                    BTreeMap::new()
                }
            }
        }
    }
}
