//! The desk ([`crate::gateway::registration::Desk`]) as operations come to it: load, decide, commit, say.

use std::sync::Arc;

use super::{Operations, Refusal};
use crate::{
    config::Registration as Mode,
    gateway::{
        Gateway,
        moment::Moment,
        registration::{self, Book, Desk, Effects, Person},
    },
    store::{
        Write,
        read::Ask,
        write::{Done, Wake},
    },
    texts::{Lang, Membership, Refused, Registration as Said, Text},
    xmpp::jid::BareJid,
};

/// Free numbers named in a refusal.
const NAMED: usize = 5;
/// Free numbers of the pool that are looked at.
const FREE_MAX: i64 = 1_000;

/// One person, as the database knows them.
pub(super) async fn load(
    on: &Operations,
    gateway: &Gateway,
    jid: &BareJid,
    choice: Option<&str>,
) -> Result<Person, Refusal> {
    let (user, now_ms) = (jid.to_string(), on.now_ms());
    let derived = gateway.adapter.own_address(&user);
    let ask = Ask::about_user(
        user.clone(),
        derived.map(|address| address.as_str().to_owned()),
    );
    let wanted = choice.and_then(|choice| registration::chosen_address(gateway, choice));
    let taken = match wanted {
        Some(address) => on.store.has_line(gateway.id, address.as_str()).await?,
        None => false,
    };
    Ok(Person {
        jid: jid.clone(),
        member: on.store.member(gateway.id, &user, "").await?,
        view: on.store.outward(gateway.id, &[ask], now_ms).await?,
        free: on.store.free_lines(gateway.id, now_ms, FREE_MAX).await?,
        taken,
        book: Book::default(),
    })
}

/// The gateway, as if everybody whom it admits could register: an operator decides here.
pub(super) fn opened(gateway: &Gateway) -> Gateway {
    let mut config = gateway.config.clone();
    config.registration = Mode::Open;
    Gateway {
        id: gateway.id,
        config,
        allow: gateway.allow.clone(),
        admins: gateway.admins.clone(),
        adapter: Arc::clone(&gateway.adapter),
        accounts: gateway.accounts.clone(),
        files: gateway.files.clone(),
        keeps_texts: gateway.keeps_texts,
        since: gateway.since,
    }
}

/// One person at the desk, who reads this language.
pub(super) fn at_desk<T>(
    on: &Operations,
    gateway: &Gateway,
    person: &Person,
    lang: Lang,
    action: impl FnOnce(&Desk<'_>) -> T,
) -> T {
    let ids = || on.ids.next();
    let moment = Moment {
        now: on.clock.now(),
        ids: &ids,
    };
    action(&Desk {
        gateway,
        person,
        moment: &moment,
        lang,
    })
}

/// Commits what came of it and lets a running process say it.
pub(super) async fn apply(
    on: &Operations,
    gateway: &Gateway,
    jid: &BareJid,
    effects: Effects,
) -> Result<(), Refusal> {
    let left = if effects.leaves() {
        Some(on.store.contacts_seen(gateway.id, jid.as_str()).await?)
    } else {
        None
    };
    // All of it or nothing: a number without its user would be lost to the pool.
    let mut writes = effects.claims;
    let claims = writes.len();
    writes.extend(effects.writes);
    if on.running.is_none() {
        // Nobody asks for presence now; the process that runs next does.
        writes.retain(|write| !matches!(write, Write::Contact(_)));
    }
    if effects.wakes {
        writes.push(Write::Wake(Wake {
            gateway_id: gateway.id,
            jid: jid.to_string(),
            at_ms: on.now_ms(),
        }));
    }
    let done = on.commit(writes).await?;
    if done
        .iter()
        .take(claims)
        .any(|done| *done == Done::Unchanged)
    {
        return Err(Refusal::Changed);
    }
    if effects.wakes {
        on.look_again().await;
    }
    if let Some(running) = &on.running {
        running.send(gateway.id, effects.answers).await;
        if let Some(contacts) = left {
            running.left(gateway.id, jid, contacts);
        }
    }
    Ok(())
}

/// The address that is claimed.
pub(super) fn claimed(effects: &Effects) -> Option<String> {
    effects.claims.iter().find_map(|write| match write {
        Write::Owner(row) if row.owned => Some(row.address.clone()),
        _ => None,
    })
}

/// What the desk says to a user, said to an operator.
pub(super) fn refused(said: &Text, user: &str, gateway: &Gateway, person: &Person) -> Refusal {
    let (user, name) = (user.to_owned(), gateway.config.name.clone());
    let free = || person.free.iter().take(NAMED).cloned().collect();
    match said {
        Text::Registration(Said::AlreadyRegistered { address }) => Refusal::Taken {
            address: address.clone(),
            owner: user,
        },
        Text::Registration(Said::BadAlias { alias }) => Refusal::BadAlias {
            address: alias.clone(),
        },
        Text::Registration(Said::Taken { address }) => Refusal::NotFree {
            address: address.clone(),
            gateway: name,
            free: free(),
        },
        Text::Refused(Refused::Recipient(_)) => Refusal::BadAddress { gateway: name },
        Text::Registration(Said::NoFreeLine)
        | Text::Refused(Refused::Membership(Membership::HasToChoose { .. })) => {
            Refusal::HasToChoose {
                user,
                gateway: name,
                free: free(),
            }
        }
        other => Refusal::BadRequest(other.render(Lang::En)),
    }
}

/// The language that the person registered in.
pub(super) fn stored_lang(person: &Person) -> Option<&str> {
    person.member.as_ref()?.lang.as_deref()
}
