//! Users: who they are, letting them in and out, giving them another JID.

use std::sync::Arc;

use super::{
    Conversation, Operations, ROWS_MAX, Refusal, Registration, Renamed, Reply, User, UserAdded,
    UserShown,
    desk::{apply, at_desk, claimed, load, opened, refused, stored_lang},
    rows, time,
};
use crate::{
    config::{GatewayConfig, Ownership},
    gateway::{Gateway, registration::Effects},
    store::{
        read::{ConversationListed, RegistrationRow},
        write::Operation,
    },
    texts::{Admin, Registration as Said},
    xmpp::jid::BareJid,
};

/// Conversations shown of one user.
const CONVERSATIONS: u32 = 20;
pub(super) const DAY_MS: i64 = 24 * 3_600_000;

pub(super) async fn list(on: &Operations, gateway: Option<&str>) -> Result<Reply, Refusal> {
    let users = on
        .store
        .users_listed(on.named(gateway)?, rows(ROWS_MAX))
        .await?;
    let user = |row: crate::store::read::UserListed| User {
        user: row.jid,
        gateway: row.gateway,
        state: row.state,
        since: time(row.since_ms),
        lines: row.lines,
    };
    Ok(Reply::Users(users.into_iter().map(user).collect()))
}

pub(super) async fn show(on: &Operations, user: &str) -> Result<Reply, Refusal> {
    let user = person(user)?.to_string();
    let today = on.now_ms().div_euclid(DAY_MS);
    let mut registrations = Vec::new();
    for row in on.store.registrations(&user, today).await? {
        registrations.push(registration_shown(on, &user, row).await?);
    }
    if registrations.is_empty() {
        return Err(Refusal::NoSuchUser {
            user,
            gateway: None,
        });
    }
    Ok(Reply::User(UserShown {
        user,
        registrations,
    }))
}

async fn registration_shown(
    on: &Operations,
    user: &str,
    row: RegistrationRow,
) -> Result<Registration, Refusal> {
    let lines = on
        .store
        .lines_shown(Some(row.gateway_id), None, rows(ROWS_MAX))
        .await?;
    let mine = lines
        .into_iter()
        .filter(|line| line.owners.iter().any(|owner| owner == user));
    let conversations = on
        .store
        .conversations_listed(row.user_id, rows(CONVERSATIONS))
        .await?;
    let mailboxes = on.store.own_accounts_of(row.user_id).await?;
    let gateway = on.by_name(&row.gateway);
    let conversation = |listed: ConversationListed| Conversation {
        contact: contact(gateway, &listed.peer),
        peer: listed.peer,
        line: listed.line,
        active: time(listed.active_ms),
    };
    Ok(Registration {
        gateway: row.gateway.clone(),
        state: row.state,
        lang: row.lang,
        since: time(row.since_ms),
        changed: time(row.changed_ms),
        lines: mine.map(|line| (line.address, line.state)).collect(),
        mailboxes: mailboxes.iter().map(|row| on.mailbox(row)).collect(),
        messages_today: row.used.0,
        segments_today: row.used.1,
        waiting_out: row.waiting.0,
        waiting_in: row.waiting.1,
        conversations_total: row.conversations,
        conversations: conversations.into_iter().map(conversation).collect(),
    })
}

pub(super) async fn add(
    on: &Operations,
    user: &str,
    gateway: Option<&str>,
    address: Option<&str>,
) -> Result<Reply, Refusal> {
    let gateway = on.find_or_only(gateway)?;
    let jid = person(user)?;
    let (user, name) = (jid.to_string(), gateway.config.name.clone());
    if !gateway.admits(&jid) {
        return Err(Refusal::NotAdmitted {
            user,
            gateway: name,
        });
    }
    let person = load(on, gateway, &jid, address).await?;
    let before = person.member.as_ref().map(|member| member.state.clone());
    let lang = gateway.lang(stored_lang(&person));
    let mut effects = Effects::default();
    match (before.as_deref(), address) {
        (Some("active"), None) => {
            return Err(Refusal::UserExists {
                user,
                gateway: name,
            });
        }
        // Who asked is told, and may still have to choose a number.
        (Some("pending"), None) => {
            at_desk(on, gateway, &person, lang, |desk| {
                desk.approve(&mut effects)
            });
        }
        _ => {}
    }
    let waits = before.as_deref() == Some("pending");
    if effects.writes.is_empty() {
        let open = opened(gateway);
        at_desk(on, &open, &person, lang, |desk| {
            let entered = if waits {
                desk.let_in(address, &mut effects)
            } else {
                desk.register(address, &mut effects)
            };
            entered.map(drop)
        })
        .map_err(|said| refused(&said, &user, gateway, &person))?;
        let told = at_desk(on, gateway, &person, lang, |desk| {
            desk.line(&Said::Approved.into())
        });
        effects.answers.push(told);
    }
    let given = claimed(&effects);
    apply(on, gateway, &jid, effects).await?;
    let own = || person.view.lines.get(&user)?.first();
    Ok(Reply::UserAdded(UserAdded {
        address: given.or_else(|| own().map(|line| line.address.clone())),
        user,
        gateway: name,
        before,
    }))
}

pub(super) async fn remove(
    on: &Operations,
    user: &str,
    gateway: Option<&str>,
) -> Result<Reply, Refusal> {
    let jid = person(user)?;
    let asked = match gateway {
        Some(name) => vec![Arc::clone(on.find(name)?)],
        None => on.gateways.clone(),
    };
    let mut gateways = Vec::new();
    for gateway in &asked {
        let person = load(on, gateway, &jid, None).await?;
        let mut effects = Effects::default();
        let lang = gateway.lang(stored_lang(&person));
        let left = at_desk(on, gateway, &person, lang, |desk| {
            desk.unregister(&mut effects).map(drop)
        });
        if left.is_ok() {
            apply(on, gateway, &jid, effects).await?;
            gateways.push(gateway.config.name.clone());
        }
    }
    let user = jid.to_string();
    if gateways.is_empty() {
        let gateway = gateway.map(str::to_owned);
        return Err(Refusal::NoSuchUser { user, gateway });
    }
    Ok(Reply::UserRemoved { user, gateways })
}

/// Says no to somebody who asked (semantics 14).
pub(super) async fn decline(
    on: &Operations,
    user: &str,
    gateway: Option<&str>,
) -> Result<Reply, Refusal> {
    let gateway = on.find_or_only(gateway)?;
    let jid = person(user)?;
    let user = jid.to_string();
    let person = load(on, gateway, &jid, None).await?;
    let mut effects = Effects::default();
    let lang = gateway.lang(stored_lang(&person));
    at_desk(on, gateway, &person, lang, |desk| {
        desk.decline(&mut effects)
    });
    if effects.writes.is_empty() {
        return Err(Refusal::Said(Box::new(
            Admin::NothingToDecline { user }.into(),
        )));
    }
    apply(on, gateway, &jid, effects).await?;
    Ok(Reply::UserDeclined { user })
}

/// Semantics 19: everything moves; identities route at once.
pub(super) async fn rename(on: &Operations, old: &str, new: &str) -> Result<Reply, Refusal> {
    let (old_jid, new_jid) = (person(old)?, person(new)?);
    let (old, new) = (old_jid.to_string(), new_jid.to_string());
    let owned: Vec<String> = on
        .store
        .lines_shown(None, None, rows(ROWS_MAX))
        .await?
        .into_iter()
        .filter(|line| line.owners.contains(&old))
        .map(|line| line.address)
        .collect();
    let mut gateways = Vec::new();
    for row in on.store.registrations(&old, 0).await? {
        let admits = |gateway: &Gateway| gateway.admits(&new_jid);
        if !on.by_name(&row.gateway).is_none_or(admits) {
            return Err(Refusal::NotAdmitted {
                user: new,
                gateway: row.gateway,
            });
        }
        gateways.push(row.gateway);
    }
    if gateways.is_empty() && owned.is_empty() {
        return Err(Refusal::NoSuchUser {
            user: old,
            gateway: None,
        });
    }
    if let Some(row) = on.store.registrations(&new, 0).await?.into_iter().next() {
        return Err(Refusal::UserExists {
            user: new,
            gateway: row.gateway,
        });
    }
    let operation = Operation::Rename {
        old: old.clone(),
        new: new.clone(),
    };
    if !on.operate(operation).await? {
        return Err(Refusal::Changed);
    }
    on.look_again().await;
    let named_by = on
        .gateways
        .iter()
        .flat_map(|gateway| named_by(&gateway.config, &old_jid));
    Ok(Reply::UserRenamed(Renamed {
        named_by: named_by.collect(),
        old,
        new,
        gateways,
        lines: owned,
    }))
}

/// The options of the file that name this JID: at the next start they win (semantics 17).
fn named_by(config: &GatewayConfig, jid: &BareJid) -> Vec<String> {
    let names = |ownership: &Ownership| match ownership {
        Ownership::Owners(owners) => owners.contains(jid),
        Ownership::Shared { fallback } => fallback.as_ref() == Some(jid),
        Ownership::Pool => false,
    };
    let lines = config.lines.iter().filter(|line| names(&line.ownership));
    lines
        .map(|line| format!("gateway.{}.line {}", config.name, line.number))
        .collect()
}

/// A person's bare JID.
pub(super) fn person(text: &str) -> Result<BareJid, Refusal> {
    let jid = BareJid::new(text).ok().filter(|jid| jid.node().is_some());
    jid.ok_or_else(|| Refusal::NotAPerson {
        text: text.chars().take(100).collect(),
    })
}

/// A contact's JID, where the gateway is still there and the peer fits in one.
pub(super) fn contact(gateway: Option<&Gateway>, peer: &str) -> Option<String> {
    let jid = gateway?.jid_of(&transom_adapter::Address::new(peer), None)?;
    Some(jid.to_string())
}
