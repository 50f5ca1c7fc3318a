//! A message from a user to the outside: refused with a reason, known already, or accepted with all that has to be written.

use sha2::{Digest, Sha256};
use transom_adapter::{AccountName, Address, Key, Network, Outgoing, Plan, UnixMillis};

use super::{
    Contact, Gateway, caps,
    line_choice::{self, Chosen},
    registration::{self, NewUser, Standing},
    text_in::Payload,
    threads,
};
use crate::{
    store::{
        read::{Ask, KnownConversation, KnownThread, KnownUser, OutwardSnapshot},
        write::{ConversationRow, IdRow, NewOut, ThreadRow},
    },
    texts::{Content, Encryption, Recipient, Refused},
    xmpp::{
        jid::{self, BareJid, Jid},
        stanza::{self, Message, MessageType},
    },
};

/// What a message comes to.
#[derive(Debug)]
pub enum Decision {
    /// Nothing that anybody has to be told: states, receipts, empty bodies.
    Ignored(&'static str),
    /// Not sent; the sender is told why.
    Refused(Refused),
    /// A repeat of one that was accepted.
    Repeated(i64),
    /// Accepted, once it is committed.
    Accepted(Box<Accepted>),
}

/// A message that will be sent.
#[derive(Debug)]
pub struct Accepted {
    /// What to write.
    pub out: NewOut,
    /// The registration that comes with it, on first use.
    pub new_user: Option<NewUser>,
    /// What to send.
    pub outgoing: Outgoing,
    /// How.
    pub plan: Plan,
}

/// A message that may be sent: it has a sender, a contact and a body.
#[derive(Debug)]
pub struct Candidate<'a> {
    message: &'a Message,
    from: &'a Jid,
    user: BareJid,
    contact: Contact,
    body: String,
}

/// What a message will be stored under.
#[derive(Debug)]
struct Draft {
    key: i64,
    conversation_id: i64,
    thread: Option<threads::Chosen>,
    body: String,
}

/// The parts of deciding that do not come from the message: time and keys.
pub struct Moment<'a> {
    /// Now.
    pub now: UnixMillis,
    /// The next key.
    pub ids: &'a (dyn Fn() -> i64 + Sync),
}

impl<'a> Candidate<'a> {
    /// Looks at a message to a contact alone, before anything is loaded.
    ///
    /// # Errors
    ///
    /// The decision, when it needs no more than the message.
    pub fn new(gateway: &Gateway, message: &'a Message) -> Result<Self, Decision> {
        let (Some(from), Some(to)) = (&message.from, &message.to) else {
            return Err(Decision::Ignored("no-address"));
        };
        if !matches!(message.kind, MessageType::Chat | MessageType::Normal) {
            return Err(Decision::Ignored("not-chat"));
        }
        let local = to.node().ok_or(Decision::Ignored("no-contact"))?;
        // Before the body: its fallback text must not be sent, nor be missed when there is none.
        if let Some(encryption) = message.is_encrypted() {
            return Err(refused(Content::Encrypted(named(&encryption))));
        }
        if message.retracts().is_some() {
            return Err(refused(Content::AlreadySent));
        }
        let body = message
            .body()
            .map(|body| stanza::without_otr_tag(&body).trim_end().to_owned())
            .unwrap_or_default();
        if body.trim_start().is_empty() {
            return Err(Decision::Ignored("no-body"));
        }
        let contact = gateway.contact(local.as_str()).map_err(|suggestion| {
            let suggestion = suggestion.map(|jid| jid.to_string());
            refused(Recipient::InvalidAddress {
                network: gateway.network(),
                suggestion,
            })
        })?;
        let user = from.to_bare();
        // Semantics 26: a correction that comes too late to replace anything is a new text.
        let body = if message.replaces().is_some() {
            format!("* {body}")
        } else {
            body
        };
        Ok(Self {
            message,
            from,
            user,
            contact,
            body,
        })
    }

    /// What has to be loaded for it.
    pub fn ask(&self, gateway: &Gateway, place: usize) -> Ask {
        Ask {
            place,
            jid: self.user.to_string(),
            peer: self.contact.peer.as_str().to_owned(),
            repeat_key: self.repeat_key(),
            reply_to: self.message.reply_to().map(str::to_owned),
            has_threads: gateway.network() == Network::Email,
            address: gateway
                .adapter
                .own_address(self.user.as_str())
                .map(|address| address.as_str().to_owned()),
        }
    }

    /// Decides. An accepted message is noted in the snapshot, so that the next of the batch knows of it.
    pub fn decide(
        self,
        gateway: &Gateway,
        snapshot: &mut OutwardSnapshot,
        place: usize,
        moment: &Moment<'_>,
    ) -> Decision {
        let key = self.repeat_key().map(|key| (self.user.to_string(), key));
        let of_batch = || key.as_ref().and_then(|key| snapshot.accepted.get(key));
        if let Some(message_id) = snapshot.repeats.get(&place).or_else(of_batch) {
            return Decision::Repeated(*message_id);
        }
        match self.accept(gateway, snapshot, place, moment) {
            Ok(accepted) => {
                note(snapshot, &self.user, &accepted);
                Decision::Accepted(Box::new(accepted))
            }
            Err(why) => Decision::Refused(why),
        }
    }

    fn accept(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        place: usize,
        moment: &Moment<'_>,
    ) -> Result<Accepted, Refused> {
        let standing =
            registration::standing(gateway, snapshot, &self.user, moment.ids, moment.now.0)?;
        let known = match &standing {
            Standing::Known(user) => Some(*user),
            Standing::New(_) => None,
        };
        let peer = self.contact.peer.as_str();
        let blocked = |user| snapshot.blocked.contains(&(user, peer.to_owned()));
        if blocked(0) || known.is_some_and(|user| blocked(user.user_id)) {
            return Err(Recipient::Blocked.into());
        }
        let fresh = fresh_line(&standing);
        let chosen = match &fresh {
            Some(line) => Chosen {
                line,
                conversation: None,
                opted_out: false,
            },
            None => {
                let user_id = known.map(|user| user.user_id);
                line_choice::choose(
                    gateway,
                    snapshot,
                    self.user.as_str(),
                    user_id,
                    &self.contact,
                )?
            }
        };
        if chosen.opted_out {
            return Err(Recipient::OptedOut.into());
        }
        let draft = self.draft(gateway, snapshot, place, &chosen, moment);
        let outgoing = self.outgoing(gateway, &chosen, &draft, moment.now);
        let plan = gateway.adapter.plan(&outgoing).map_err(|refusal| {
            let jid = |address: &Address| {
                gateway
                    .jid_of(address, None)
                    .map_or(String::new(), |jid| jid.to_string())
            };
            Refused::from_refusal(&refusal, gateway.network(), jid)
        })?;
        let newcomer = newcomer(&standing);
        let user = known.unwrap_or(&newcomer);
        caps::check(
            gateway,
            snapshot,
            user,
            &plan,
            chosen.conversation.is_none(),
            moment.now,
        )?;
        let out = self.row(gateway, &chosen, user.user_id, &plan, draft, moment);
        let new_user = match standing {
            Standing::New(new) => Some(*new),
            Standing::Known(_) => None,
        };
        Ok(Accepted {
            out,
            new_user,
            outgoing,
            plan,
        })
    }

    /// The key and, where the network has them, the thread.
    fn draft(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        place: usize,
        chosen: &Chosen<'_>,
        moment: &Moment<'_>,
    ) -> Draft {
        let key = (moment.ids)();
        let conversation_id = chosen
            .conversation
            .map_or_else(moment.ids, |known| known.conversation_id);
        if gateway.network() != Network::Email {
            return Draft {
                key,
                conversation_id,
                thread: None,
                body: self.body.clone(),
            };
        }
        let wish = threads::wish(self.message, &self.body);
        let known = snapshot
            .threads
            .get(&conversation_id)
            .map_or(&[][..], Vec::as_slice);
        let replied = snapshot.replied.get(&place).copied();
        let thread = threads::choose(known, replied, self.message, &wish, moment.now, moment.ids);
        Draft {
            key,
            conversation_id,
            thread: Some(thread),
            body: wish.body,
        }
    }

    fn outgoing(
        &self,
        gateway: &Gateway,
        chosen: &Chosen<'_>,
        draft: &Draft,
        now: UnixMillis,
    ) -> Outgoing {
        let routes = chosen
            .line
            .routes
            .iter()
            .map(|name| AccountName::new(&gateway.config.name, name))
            .collect();
        Outgoing {
            key: Key(draft.key),
            from: Address::new(chosen.line.address.clone()),
            from_name: self.name(gateway),
            to: self.contact.peer.clone(),
            text: draft.body.clone(),
            thread: draft.thread.as_ref().map(threads::Chosen::headers),
            created_at: now,
            routes,
        }
    }

    fn row(
        &self,
        gateway: &Gateway,
        chosen: &Chosen<'_>,
        user_id: i64,
        plan: &Plan,
        draft: Draft,
        moment: &Moment<'_>,
    ) -> NewOut {
        let pinned = self.contact.line.is_some();
        let Draft {
            key,
            conversation_id,
            thread,
            body,
        } = draft;
        let payload = Payload {
            pinned,
            thread: thread.as_ref().map(|thread| thread.headers().into()),
            name: self.name(gateway),
            ..Payload::default()
        };
        let message_id = plan
            .ids
            .iter()
            .find(|id| id.kind == "message-id")
            .map(|id| id.value.clone());
        let thread = thread.map(|thread| thread.row(conversation_id, message_id, moment.now.0));
        let ids = plan.ids.iter().filter_map(|id| {
            let scope_id = plan
                .routes
                .first()
                .and_then(|route| gateway.scope_id(route))?;
            Some(IdRow {
                scope_id,
                kind: id.kind,
                value: id.value.clone(),
                part: id.part,
                delivery_id: key,
            })
        });
        let names: Vec<&str> = plan.routes.iter().map(AccountName::short).collect();
        NewOut {
            conversation: ConversationRow {
                conversation_id,
                gateway_id: gateway.id,
                user_id,
                line_id: chosen.line.line_id,
                peer: self.contact.peer.as_str().to_owned(),
                peer_name: None,
                at_ms: moment.now.0,
                plain_ms: if pinned { 0 } else { moment.now.0 },
                shown_thread: thread.as_ref().map(|thread| thread.thread_id),
            },
            message_id: key,
            thread,
            body,
            payload: (payload != Payload::default()).then(|| payload.to_json()),
            stanza_id: self
                .message
                .id
                .clone()
                .or_else(|| self.message.origin_id().map(str::to_owned))
                .unwrap_or_default(),
            repeat_key: self.repeat_key(),
            full_jid: self.from.to_string(),
            receipt: self.message.wants_receipt() && self.message.id.is_some(),
            units: plan.units.get(),
            segments: plan.segments,
            routes: serde_json::to_string(&names).unwrap_or_else(|_| "[]".to_owned()),
            ids: ids.collect(),
            day: caps::day(moment.now),
        }
    }

    /// The name beside the address, where the network shows names: never one that looks like another address.
    fn name(&self, gateway: &Gateway) -> Option<String> {
        let node = self
            .user
            .node()
            .filter(|_| gateway.network() == Network::Email)?;
        jid::unescape(node.as_str())
            .ok()
            .filter(|name| !name.contains('@'))
    }

    /// Semantics 6: the origin-id; without one, the id with everything that a script that reuses ids changes.
    fn repeat_key(&self) -> Option<String> {
        if let Some(origin) = self.message.origin_id() {
            return Some(format!(
                "o{}",
                hex::encode(Sha256::digest(origin.as_bytes()))
            ));
        }
        let id = self.message.id.as_deref()?;
        let to = self
            .message
            .to
            .as_ref()
            .map(Jid::as_str)
            .unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [self.from.as_str(), to, id, &self.body] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Some(format!("h{}", hex::encode(hash.finalize())))
    }
}

/// The line that a first use makes, as if it had been loaded.
fn fresh_line(standing: &Standing<'_>) -> Option<crate::store::read::KnownLine> {
    let Standing::New(new) = standing else {
        return None;
    };
    let (line, _) = new.address.as_ref()?;
    Some(crate::store::read::KnownLine {
        line_id: line.line_id,
        address: line.address.clone(),
        state: line.state.to_owned(),
        routes: Vec::new(),
        owners: 1,
    })
}

/// A user of this moment, who has used nothing yet.
fn newcomer(standing: &Standing<'_>) -> KnownUser {
    let user_id = match standing {
        Standing::New(new) => new.user.user_id,
        Standing::Known(user) => user.user_id,
    };
    KnownUser {
        user_id,
        state: "active".to_owned(),
        lang: None,
        messages: 0,
        segments: 0,
        new_peers: 0,
        changed_ms: 0,
    }
}

/// Notes what an accepted message changes for the rest of its batch.
fn note(snapshot: &mut OutwardSnapshot, user: &BareJid, accepted: &Accepted) {
    let conversation = &accepted.out.conversation;
    if let Some(new) = &accepted.new_user {
        let standing = Standing::New(Box::new(NewUser {
            user: new.user.clone(),
            address: None,
        }));
        snapshot.users.insert(user.to_string(), newcomer(&standing));
        if let Some((line, _)) = &new.address {
            snapshot.taken_addresses.insert(line.address.clone());
            let standing = Standing::New(Box::new(NewUser {
                user: new.user.clone(),
                address: new.address.clone(),
            }));
            snapshot
                .lines
                .entry(user.to_string())
                .or_default()
                .extend(fresh_line(&standing));
        }
    }
    let known = snapshot
        .conversations
        .entry((user.to_string(), conversation.peer.clone()))
        .or_default();
    let is_new = match known
        .iter_mut()
        .find(|known| known.conversation_id == conversation.conversation_id)
    {
        Some(known) => {
            known.plain_ms = known.plain_ms.max(conversation.plain_ms);
            false
        }
        None => {
            known.push(KnownConversation {
                conversation_id: conversation.conversation_id,
                line_id: conversation.line_id,
                active_ms: conversation.at_ms,
                plain_ms: conversation.plain_ms,
                opted_out: false,
            });
            true
        }
    };
    if let Some(thread) = &accepted.out.thread {
        note_thread(snapshot, thread);
    }
    if let Some(shared) = snapshot
        .shared
        .iter_mut()
        .find(|shared| shared.line.line_id == conversation.line_id)
    {
        shared
            .taken
            .insert(conversation.peer.clone(), conversation.user_id);
    }
    if let Some(user) = snapshot.users.get_mut(user.as_str()) {
        user.messages += 1;
        user.segments += i64::from(accepted.out.segments);
        user.new_peers += i64::from(is_new);
    }
    snapshot.gateway_messages += 1;
    if let Some(key) = &accepted.out.repeat_key {
        snapshot
            .accepted
            .insert((user.to_string(), key.clone()), accepted.out.message_id);
    }
}

fn note_thread(snapshot: &mut OutwardSnapshot, row: &ThreadRow) {
    let threads = snapshot.threads.entry(row.conversation_id).or_default();
    threads.retain(|thread| thread.thread_id != row.thread_id);
    threads.push(KnownThread {
        thread_id: row.thread_id,
        conversation_id: row.conversation_id,
        subject: row.subject.clone(),
        xmpp_thread: row.xmpp_thread.clone(),
        last_id: row.last_id.clone(),
        references: serde_json::from_str(&row.reference_ids).unwrap_or_default(),
        active_ms: row.active_ms,
    });
}

fn refused(why: impl Into<Refused>) -> Decision {
    Decision::Refused(why.into())
}

pub(super) fn named(encryption: &stanza::Encryption) -> Encryption {
    match encryption {
        stanza::Encryption::Omemo | stanza::Encryption::AesGcm => Encryption::Omemo,
        stanza::Encryption::OpenPgp => Encryption::OpenPgp,
        stanza::Encryption::Otr => Encryption::Otr,
        stanza::Encryption::Other(_) => Encryption::Other,
    }
}
