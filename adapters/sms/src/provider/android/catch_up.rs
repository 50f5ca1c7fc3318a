//! What the phone received while nobody was here to be called: its inbox is asked for once at the start, and comes by webhook.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use transom_adapter::{Context, Cursor, UnixMillis};

use super::AndroidAccount;

/// How often it is noted that we were here.
const NOTE_EVERY: Duration = Duration::from_mins(5);
/// Asked for again at the start: a call that was under way, and clocks that differ.
const OVERLAP: Duration = Duration::from_mins(15);
/// After a phone that could not be asked.
const PAUSE: Duration = Duration::from_mins(1);
const CURSOR: &str = "here";

/// Runs until the lifecycle drains.
pub(super) async fn run(account: &AndroidAccount, context: &Context) {
    let Some(since) = last_here(account, context).await else {
        return;
    };
    let mut asked = since.is_none();
    loop {
        let now = context.clock.now();
        if let Some(since) = since.filter(|_| !asked) {
            asked = ask(account, since, now).await;
            context.meter.count(
                &account.name,
                if asked {
                    "inbox_asked"
                } else {
                    "inbox_not_asked"
                },
            );
        }
        if asked {
            let value = now.0.to_string();
            let cursor = Cursor {
                name: CURSOR.to_owned(),
                value,
            };
            context
                .inbox
                .commit(&account.name, Vec::new(), Some(cursor))
                .await
                .ok();
        }
        let next = now.after(if asked { NOTE_EVERY } else { PAUSE });
        tokio::select! {
            () = context.clock.sleep_until(next) => {}
            () = context.lifecycle.draining() => return,
        }
    }
}

/// When we were last here; the outer `None` when the process ends before that is known.
async fn last_here(account: &AndroidAccount, context: &Context) -> Option<Option<UnixMillis>> {
    loop {
        if let Ok(cursor) = context.inbox.cursor(&account.name, CURSOR).await {
            return Some(cursor.and_then(|text| text.parse().ok()).map(UnixMillis));
        }
        let next = context.clock.now().after(PAUSE);
        tokio::select! {
            () = context.clock.sleep_until(next) => {}
            () = context.lifecycle.draining() => return None,
        }
    }
}

/// Whether it need not be asked again.
async fn ask(account: &AndroidAccount, since: UnixMillis, now: UnixMillis) -> bool {
    let overlap = i64::try_from(OVERLAP.as_millis()).unwrap_or(0);
    let since = UnixMillis(since.0.saturating_sub(overlap));
    let mut body =
        json!({ "since": since.timestamp().to_string(), "until": now.timestamp().to_string() });
    if let Some(device) = &account.device {
        body["deviceId"] = device.as_str().into();
    }
    let reply = account
        .http
        .call(account.post("/inbox/export").json(&body))
        .await;
    // An app without an inbox does not get one in a minute; a password can be mended, and a limit ends.
    let is_final = |status: StatusCode| {
        status.is_success()
            || matches!(
                status,
                StatusCode::NOT_FOUND
                    | StatusCode::METHOD_NOT_ALLOWED
                    | StatusCode::NOT_IMPLEMENTED
            )
    };
    reply.is_ok_and(|reply| is_final(reply.status))
}
