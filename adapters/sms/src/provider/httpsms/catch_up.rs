//! httpSMS calls twice and gives up: what came while nobody answered is asked for, every minute and at the start.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use transom_adapter::{Context, Cursor, Event, UnixMillis};
use url::form_urlencoded::byte_serialize;

use super::{HttpsmsAccount, webhook};
use crate::provider::{answer, json};

const EVERY: Duration = Duration::from_mins(1);
const CURSOR: &str = "seen";
/// Looked at again: threads are stamped before their messages are stored.
const OVERLAP_MILLIS: i64 = 10 * 60 * 1000;
/// As many as the server gives at once.
const PAGE: usize = 20;
/// Of one list in one pass: two thousand in a downtime are more than a phone receives in days.
const PAGES_MAX: usize = 100;

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

/// Asks once; `None` when it could not be asked or not all of it be stored. Then the next pass begins at the same place, and so it does
/// when more came than is read at once. What is brought twice by that is known by its id.
pub(super) async fn pass(account: &HttpsmsAccount, context: &Context) -> Option<()> {
    let now = context.clock.now();
    let cursor = context.inbox.cursor(&account.name, CURSOR).await.ok()?;
    // Whoever comes new does not want the past.
    let since = cursor.and_then(|text| text.parse().ok()).unwrap_or(now.0);
    let mut is_whole = true;
    for owner in &account.numbers {
        let threads = newer_threads(account, owner, since).await?;
        is_whole &= threads.is_whole;
        for contact in threads.found {
            let messages = messages(account, owner, &contact, since).await?;
            is_whole &= messages.is_whole;
            if !messages.found.is_empty() {
                let stored = context.inbox.commit(&account.name, messages.found, None);
                stored.await.ok()?;
            }
        }
    }
    if !is_whole {
        context.meter.count(&account.name, "catch_up_cut_short");
        return Some(());
    }
    let value = now.0.saturating_sub(OVERLAP_MILLIS).max(since).to_string();
    let cursor = Cursor {
        name: CURSOR.to_owned(),
        value,
    };
    let moved = context.inbox.commit(&account.name, vec![], Some(cursor));
    moved.await.ok().map(drop)
}

/// What is new of a list.
struct Newer<T> {
    found: T,
    /// There is no more of it.
    is_whole: bool,
}

/// The contacts with something new.
async fn newer_threads(
    account: &HttpsmsAccount,
    owner: &str,
    since: i64,
) -> Option<Newer<BTreeSet<String>>> {
    let path = format!("/v1/message-threads?owner={}", escaped(owner));
    let mut threads = newer(account, &path, since).await?;
    if threads.found.len() >= PAGE {
        // One that got a message meanwhile has moved to a page that was read before.
        threads.found.extend(page(account, &path, 0, since).await?);
    }
    let contacts = threads
        .found
        .iter()
        .filter_map(|thread| thread["contact"].as_str());
    Some(Newer {
        found: contacts.map(str::to_owned).collect(),
        is_whole: threads.is_whole,
    })
}

/// What came from this contact, oldest first.
async fn messages(
    account: &HttpsmsAccount,
    owner: &str,
    contact: &str,
    since: i64,
) -> Option<Newer<Vec<Event>>> {
    let (owner, contact) = (escaped(owner), escaped(contact));
    let path = format!("/v1/messages?owner={owner}&contact={contact}");
    let messages = newer(account, &path, since).await?;
    let came = messages
        .found
        .iter()
        .rev()
        .filter(|message| message["type"] == "mobile-originated");
    let events =
        came.filter_map(|message| webhook::message(message, &message["id"], account.home).ok());
    Some(Newer {
        found: events.collect(),
        is_whole: messages.is_whole,
    })
}

/// Reads a list, which has the newest first, until it is older.
async fn newer(account: &HttpsmsAccount, path: &str, since: i64) -> Option<Newer<Vec<Value>>> {
    let mut found = Vec::new();
    for number in 0..PAGES_MAX {
        let mut items = page(account, path, number * PAGE, since).await?;
        let is_whole = items.len() < PAGE;
        found.append(&mut items);
        if is_whole {
            return Some(Newer { found, is_whole });
        }
    }
    let is_whole = false;
    Some(Newer { found, is_whole })
}

/// What of one page is new.
async fn page(account: &HttpsmsAccount, path: &str, skip: usize, since: i64) -> Option<Vec<Value>> {
    let path = format!("{path}&limit={PAGE}&skip={skip}");
    let document = answer::document(account.http.call(account.get(&path)).await).ok()?;
    let items = json::items(&document["data"]).iter();
    let newer = items.filter(|item| is_newer(&item["order_timestamp"], since));
    Some(newer.cloned().collect())
}

fn is_newer(at: &Value, since: i64) -> bool {
    json::time(at).is_some_and(|UnixMillis(at)| at >= since)
}

fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
