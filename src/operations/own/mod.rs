//! What users do: each sees and changes only what is theirs, at the gateway where they ask.

mod aliases;
mod contacts;
mod export;
mod import;
mod mail;
mod mailboxes;
mod proof;
mod registration;
mod settings;
mod strangers;

use transom_adapter::Alphabet;

use contacts::CONTACTS;

use super::{
    Asker, Cost, Operations, Refusal, Reply, Request, Sent, Usage, time,
    users::{DAY_MS, person},
};
use crate::{
    gateway::Gateway,
    store::read::{Ask, KnownUser, SentRow},
    texts::{Membership, Refused, Text},
};

/// Somebody who asks, found at the gateway.
struct Me<'a> {
    on: &'a Operations,
    gateway: &'a Gateway,
    asker: &'a Asker,
    jid: String,
}

/// A user who asks, with the registration.
struct Mine {
    user_id: i64,
}

/// Messages in a list.
const MESSAGES: i64 = 20;

/// Does what a user asks.
///
/// # Errors
///
/// [`Refusal::NotAllowed`] for what only admins may do.
pub(super) async fn perform(
    on: &Operations,
    asker: &Asker,
    request: Request,
) -> Result<Reply, Refusal> {
    let gateway = on.find(&asker.gateway)?;
    let me = Me {
        on,
        gateway,
        asker,
        jid: asker.jid.to_string(),
    };
    if !gateway.admits(&asker.jid) {
        let gateway = gateway.config.domain.to_string();
        return Err(said(Membership::NotAllowed { gateway }));
    }
    match request {
        Request::Offer => me.offer().await,
        Request::Register { address } => me.register(address.as_deref()).await,
        Request::Unregister => me.unregister().await,
        Request::Verify { number } => me.verify(&number).await,
        Request::VerifyCode { code } => me.enter_code(&code).await,
        Request::Status => me.status().await,
        Request::Cost { text } => Ok(cost(gateway, &text)),
        Request::Settings => me.settings().await,
        Request::SettingsChange { values } => me.change(&values).await,
        Request::Contacts => me.contacts(CONTACTS).await,
        Request::ContactRename { peer, name } => me.rename(&peer, &name).await,
        Request::ContactRemove { peer } => me.forget(&peer).await,
        Request::BlockAdd {
            peer,
            gateway: None,
        } => me.block(&peer, true).await,
        Request::BlockRemove {
            peer,
            gateway: None,
        } => me.block(&peer, false).await,
        Request::BlockList { gateway: None } => me.blocks(CONTACTS).await,
        Request::Mailboxes => me.mailboxes().await,
        Request::MailboxAdd { address } => me.mailbox_add(&address).await,
        Request::MailboxRemove { address } => me.mailbox_remove(&address).await,
        Request::Aliases => me.aliases().await,
        Request::Alias { word } => me.alias(&word).await,
        Request::AliasDrop { address } => me.alias_drop(&address).await,
        Request::ContactsImport {
            cards, user: None, ..
        } => me.import(&cards).await,
        Request::Optouts { .. } => me.optouts(CONTACTS).await,
        Request::Original { peer } => me.original(&peer).await,
        Request::Strangers => me.strangers().await,
        Request::Judge { peer, word } => me.judge(&peer, word).await,
        Request::Allowed => me.allowed().await,
        Request::Messages => me.messages().await,
        Request::Trace { id } => me.trace(&id).await,
        Request::Usage => me.usage().await,
        Request::Export => me.export().await,
        _ => Err(Refusal::NotAllowed),
    }
}

impl Me<'_> {
    /// The registration.
    async fn mine(&self) -> Result<Mine, Refusal> {
        let found = self.on.store.user(self.gateway.id, &self.jid).await?;
        let (user_id, _) = found.ok_or_else(|| {
            said(Membership::NotRegistered {
                gateway: self.gateway.config.domain.to_string(),
            })
        })?;
        Ok(Mine { user_id })
    }

    async fn messages(&self) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let rows = self.on.store.sent(user_id, MESSAGES).await?;
        let sent = |row: SentRow| Sent {
            id: row.delivery_id.to_string(),
            peer: row.peer,
            accepted: time(row.created_ms),
            state: row.state,
            segments: row.segments,
            reason: row.reason,
        };
        Ok(Reply::Sent(rows.into_iter().map(sent).collect()))
    }

    /// Another user's message is no message.
    async fn trace(&self, id: &str) -> Result<Reply, Refusal> {
        let Reply::Messages(mut lives) = super::trace::trace(self.on, id).await? else {
            return Err(Refusal::Changed);
        };
        lives.retain(|life| {
            life.user.as_deref() == Some(self.jid.as_str())
                && life.gateway == self.gateway.config.name
        });
        if lives.is_empty() {
            let id = id.chars().take(100).collect();
            return Err(Refusal::NoSuchMessage { id });
        }
        Ok(Reply::Messages(lives))
    }

    async fn usage(&self) -> Result<Reply, Refusal> {
        self.mine().await?;
        let now_ms = self.on.now_ms();
        let ask = Ask::about_user(self.jid.clone(), None);
        let view = self
            .on
            .store
            .outward(self.gateway.id, &[ask], now_ms)
            .await?;
        let used = |of: fn(&KnownUser) -> i64| view.users.get(&self.jid).map_or(0, of);
        let limits = &self.gateway.config.limits;
        Ok(Reply::Usage(Usage {
            messages: (used(|user| user.messages), limits.messages_per_day),
            segments: (used(|user| user.segments), limits.segments_per_day),
            new_peers: (used(|user| user.new_peers), limits.new_peers_per_hour),
            gateway: (view.gateway_messages, limits.gateway_per_day),
            until: time((now_ms.div_euclid(DAY_MS) + 1) * DAY_MS),
        }))
    }
}

/// An admin reads an address book for a user.
pub(super) async fn import_for(
    on: &Operations,
    user: &str,
    gateway: Option<&str>,
    cards: &str,
) -> Result<Reply, Refusal> {
    let gateway = on.find_or_only(gateway)?;
    let jid = person(user)?;
    // Who is not registered would be spoken to, and it is an admin who asks.
    if on.store.user(gateway.id, jid.as_str()).await?.is_none() {
        return Err(Refusal::NoSuchUser {
            user: jid.to_string(),
            gateway: Some(gateway.config.name.clone()),
        });
    }
    let asker = Asker {
        jid,
        gateway: gateway.config.name.clone(),
        lang: gateway.config.lang,
    };
    let me = Me {
        on,
        gateway,
        asker: &asker,
        jid: asker.jid.to_string(),
    };
    me.import(cards).await
}

/// Asks the adapter, which knows what it sends.
pub(super) fn cost(gateway: &Gateway, text: &str) -> Reply {
    Reply::Cost(gateway.adapter.cost(text).map(|cost| Cost {
        characters: text.chars().count(),
        segments: cost.segments.into(),
        segments_max: gateway.config.limits.segments_per_message,
        characters_left: cost.characters_left,
        unicode: cost.alphabet == Alphabet::Unicode,
        costly: cost.costly,
        replaced: cost.replaced,
    }))
}

/// What users read about their mail accounts.
fn said_text(text: impl Into<Text>) -> Refusal {
    Refusal::Said(Box::new(text.into()))
}

/// What users read elsewhere too.
fn said(text: impl Into<Refused>) -> Refusal {
    Refusal::Said(Box::new(Text::from(text.into())))
}
