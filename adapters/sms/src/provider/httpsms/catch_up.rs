//! httpSMS calls twice and gives up: what came while nobody answered is asked for, every minute and at the start.

use std::time::Duration;

use serde_json::Value;
use transom_adapter::{Context, Cursor, Event, UnixMillis};
use url::form_urlencoded::byte_serialize;

use super::{HttpsmsAccount, webhook};
use crate::provider::{answer, json};

const EVERY: Duration = Duration::from_mins(1);
const CURSOR: &str = "seen";
/// Looked at again: threads are stamped before their messages are stored.
const OVERLAP_MILLIS: i64 = 10 * 60 * 1000;

/// Runs until the lifecycle drains.
pub(super) async fn run(account: &HttpsmsAccount, context: &Context) {
    loop {
        if pass(account, context).await.is_none() {
            context.meter.count(&account.name, "catch_up_failed");
        }
        let next = context.clock.now().after(EVERY);
        tokio::select! {
            () = context.clock.sleep_until(next) => {}
            () = context.lifecycle.draining() => return,
        }
    }
}

/// Asks once; `None` when it could not be asked or not all of it be stored. Then the next pass begins at the same place.
pub(super) async fn pass(account: &HttpsmsAccount, context: &Context) -> Option<()> {
    let now = context.clock.now();
    let cursor = context.inbox.cursor(&account.name, CURSOR).await.ok()?;
    // Whoever comes new does not want the past.
    let since = cursor.and_then(|text| text.parse().ok()).unwrap_or(now.0);
    let mut events = Vec::new();
    for owner in &account.numbers {
        for thread in newer_threads(account, owner, since).await? {
            events.extend(messages(account, owner, &thread, since).await?);
        }
    }
    let value = now.0.saturating_sub(OVERLAP_MILLIS).max(since).to_string();
    let cursor = Cursor {
        name: CURSOR.to_owned(),
        value,
    };
    context
        .inbox
        .commit(&account.name, events, Some(cursor))
        .await
        .ok()
        .map(drop)
}

/// The contacts with something new.
async fn newer_threads(account: &HttpsmsAccount, owner: &str, since: i64) -> Option<Vec<String>> {
    let path = format!("/v1/message-threads?owner={}&limit=20", escaped(owner));
    let document = answer::document(account.http.call(account.get(&path)).await).ok()?;
    let threads = json::items(&document["data"]).iter();
    let newer = threads.filter(|thread| is_newer(&thread["order_timestamp"], since));
    Some(
        newer
            .filter_map(|thread| thread["contact"].as_str())
            .map(str::to_owned)
            .collect(),
    )
}

async fn messages(
    account: &HttpsmsAccount,
    owner: &str,
    contact: &str,
    since: i64,
) -> Option<Vec<Event>> {
    let path = format!(
        "/v1/messages?owner={}&contact={}&limit=20",
        escaped(owner),
        escaped(contact)
    );
    let document = answer::document(account.http.call(account.get(&path)).await).ok()?;
    let messages = json::items(&document["data"]).iter();
    let came = messages.filter(|message| {
        message["type"] == "mobile-originated" && is_newer(&message["order_timestamp"], since)
    });
    Some(
        came.filter_map(|message| webhook::message(message, &message["id"], account.home).ok())
            .collect(),
    )
}

fn is_newer(at: &Value, since: i64) -> bool {
    json::time(at).is_some_and(|UnixMillis(at)| at >= since)
}

fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
