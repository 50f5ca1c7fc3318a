//! The service as a whole: how it is, what is said to everybody, how much the log says, the way to the operator's page.

use std::sync::Arc;

use super::{GatewayNow, Operations, Overview, Refusal, Reply, once::Purpose, time};
use crate::{
    gateway::Gateway,
    store::read::Counts,
    texts::{Lang, Quoted, Text, Told},
    xmpp::jid::BareJid,
};

/// The longest announcement.
const ANNOUNCEMENT_BYTES_MAX: usize = 4000;
/// Users written to before there is a pause, and the pause: a server must not take it for a flood.
const PAGE: i64 = 20;
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

pub(super) async fn overview(on: &Operations) -> Result<Reply, Refusal> {
    let day = on.now_ms().div_euclid(super::users::DAY_MS);
    let mut gateways = Vec::new();
    for gateway in &on.gateways {
        let counts = on.store.counts(gateway.id, day).await?;
        gateways.push(gateway_now(gateway, &counts));
    }
    let now = on.now_running().await;
    Ok(Reply::Overview(Overview { now, gateways }))
}

fn gateway_now(gateway: &Gateway, counts: &Counts) -> GatewayNow {
    let mut accounts: Vec<String> = gateway
        .accounts
        .keys()
        .map(|name| name.short().to_owned())
        .collect();
    accounts.sort();
    GatewayNow {
        gateway: gateway.config.name.clone(),
        domain: gateway.config.domain.to_string(),
        users: counts.users,
        pending: counts.pending,
        lines: counts.lines,
        waiting_out: counts.waiting_out,
        waiting_in: counts.waiting_in,
        oldest: counts.oldest_ms.map(time),
        unowned: counts.unowned,
        messages_today: counts.messages_today,
        accounts,
    }
}

/// Returns at once: the users are gone through beside everything else.
pub(super) async fn announce(
    on: &Operations,
    gateway: Option<&str>,
    text: String,
) -> Result<Reply, Refusal> {
    let gateway = Arc::clone(on.find_or_only(gateway)?);
    let text = text.trim().to_owned();
    if text.is_empty() || text.len() > ANNOUNCEMENT_BYTES_MAX {
        let limit = format!("the text has to have 1 to {ANNOUNCEMENT_BYTES_MAX} bytes");
        return Err(Refusal::BadRequest(limit));
    }
    let running = on.running.clone().ok_or(Refusal::NotRunning)?;
    let day = on.now_ms().div_euclid(super::users::DAY_MS);
    let users = on.store.counts(gateway.id, day).await?.users;
    tracing::info!(
        gateway = gateway.config.name,
        users,
        "An announcement goes out."
    );
    let (store, clock, sender) = (
        on.store.clone(),
        Arc::clone(&on.clock),
        Arc::clone(&running),
    );
    running.go_on(Box::pin(async move {
        let mut after = String::new();
        loop {
            let page = match store.active_users(gateway.id, &after, PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "An announcement stopped on its way: the users cannot be read."
                    );
                    return;
                }
            };
            let Some((last, _)) = page.last() else { return };
            after.clone_from(last);
            let said = page.iter().filter_map(|(jid, lang)| {
                let jid = BareJid::new(jid).ok()?;
                let lang = Lang::negotiate(lang.as_deref(), gateway.config.lang);
                let text = Quoted::whole(&text);
                let said = Text::from(Told::Announcement { text }).render(lang);
                Some(gateway.say(&jid, said, lang, clock.now()))
            });
            sender.send(gateway.id, said.collect()).await;
            clock.sleep_until(clock.now().after(PAUSE)).await;
        }
    }));
    Ok(Reply::Announcing {
        users: usize::try_from(users).unwrap_or_default(),
    })
}

pub(super) fn log_level(on: &Operations, level: &str) -> Result<Reply, Refusal> {
    let running = on.running.as_ref().ok_or(Refusal::NotRunning)?;
    let level = level.trim().to_lowercase();
    if !LEVELS.contains(&level.as_str()) || !running.log_level(&level) {
        let known = format!("the levels are {}", LEVELS.join(", "));
        return Err(Refusal::BadRequest(known));
    }
    tracing::warn!(level, "The log's level was changed by a command.");
    Ok(Reply::LogLevel(level))
}

/// What the log can say, least first.
pub const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

pub(super) fn admin_link(on: &Operations) -> Result<Reply, Refusal> {
    if on.running.is_none() {
        return Err(Refusal::NotRunning);
    }
    let link = on.once.link_here(Purpose::SignIn, on.clock.now())?;
    tracing::info!("A link to the operator's page was made.");
    Ok(Reply::AdminLink(link))
}
