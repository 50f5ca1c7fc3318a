//! What users are told of their messages: receipts, errors and lines in the chat (semantics 21 and 22).

use transom_adapter::{Address, Reason, UnixMillis};

use super::{
    Gateway, group,
    payload::{Payload, StoredGroup, StoredMember},
    refusal,
};
use crate::{
    store::{
        read::{TellRow, ToldStanza},
        write::{State, TellKind},
    },
    texts::{Failed, Lang, Notice, Quoted, Text},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::{Message, MessageType},
        xep::{markers, receipts},
    },
};

/// An error that is known later than this after the message may find its resource gone.
const LATE_MS: i64 = 60_000;

/// The stanzas that tell it; the same each time they are made.
pub fn stanzas(
    gateway: &Gateway,
    row: &TellRow,
    is_online: impl Fn(&str) -> bool,
    now: UnixMillis,
) -> Vec<Message> {
    let Some(first) = row.stanzas.first() else {
        return Vec::new();
    };
    let payload = Payload::from_json(row.payload.as_deref());
    if payload.automatic {
        return Vec::new();
    }
    let line = Address::new(row.line.clone());
    let contact = gateway.jid_of(
        &Address::new(row.peer.clone()),
        payload.pinned.then_some(&line),
    );
    let (Some(contact), Ok(full)) = (contact, Jid::new(&first.full_jid)) else {
        return Vec::new();
    };
    let telling = Telling {
        gateway,
        row,
        contact,
        user: full.to_bare(),
        first_id: &first.stanza_id,
        lang: gateway.lang(row.lang.as_deref()),
        fleeting: payload.fleeting,
        group: payload.group,
    };
    match row.kind {
        TellKind::Receipt => telling.receipt(),
        TellKind::Read => {
            let is_untold = row.told != Some(TellKind::Receipt);
            let receipt = is_untold.then(|| telling.receipt());
            let marker = payload.markable.then(|| telling.marker());
            receipt.into_iter().flatten().chain(marker).collect()
        }
        TellKind::Error => {
            let mut resources = row.stanzas.iter().map(|stanza| &stanza.full_jid);
            // Some of a group may have it: which ones have not is said where archives keep it.
            let of_group = !telling.missing().is_empty();
            let late = of_group
                || now.0 - row.created_ms > LATE_MS
                || !resources.all(|full| is_online(full));
            telling.error(late)
        }
        TellKind::Doubt => vec![telling.notice(
            "doubt",
            Notice::MayHaveArrived {
                excerpt: telling.excerpt(),
            },
        )],
        TellKind::Silence => {
            let after = gateway.config.report_after;
            vec![telling.notice(
                "silence",
                Notice::NoReport {
                    excerpt: telling.excerpt(),
                    after,
                },
            )]
        }
        TellKind::Delay => {
            let until = UnixMillis(row.created_ms).after(gateway.config.give_up);
            let remaining = until.since(now);
            vec![telling.notice(
                "delay",
                Notice::Delayed {
                    excerpt: telling.excerpt(),
                    remaining,
                },
            )]
        }
        TellKind::Night => telling.night(now),
    }
}

struct Telling<'a> {
    gateway: &'a Gateway,
    row: &'a TellRow,
    contact: BareJid,
    user: BareJid,
    first_id: &'a str,
    lang: Lang,
    /// What is said here is archived, and the user wants none of it kept.
    fleeting: bool,
    group: Option<Box<StoredGroup>>,
}

impl Telling<'_> {
    fn receipt(&self) -> Vec<Message> {
        let mut stanzas = Vec::new();
        if matches!(
            self.row.told,
            Some(TellKind::Error | TellKind::Doubt | TellKind::Silence)
        ) {
            stanzas.push(self.notice(
                "correction",
                Notice::DeliveredAfterAll {
                    excerpt: self.excerpt(),
                },
            ));
        }
        let asked = |(_, stanza): &(usize, &ToldStanza)| stanza.receipt;
        for (number, stanza) in (1..).zip(&self.row.stanzas).filter(asked) {
            // To the bare JID: a full one reaches one device only, and that may be gone.
            // Somebody has it after all, but not everybody.
            if !self.row.others_have_it {
                break;
            }
            let receipt =
                receipts::receipt(self.contact.clone(), self.user.clone(), &stanza.stanza_id);
            let id = match number {
                1 => self.id("receipt"),
                _ => self.id(&format!("receipt-{number}")),
            };
            stanzas.push(receipt.with_id(id));
        }
        stanzas
    }

    /// That the recipient looked at it, to the bare JID for the same reason as a receipt.
    fn marker(&self) -> Message {
        // XEP-0333 §5.1: a corrected message is known by its first id.
        markers::displayed(self.contact.clone(), self.user.clone(), self.first_id)
            .with_id(self.id("read"))
    }

    fn error(&self, late: bool) -> Vec<Message> {
        let text = self.about_members(self.failure());
        let error = |stanza: &ToldStanza| {
            let full = Jid::new(&stanza.full_jid).ok()?;
            let mut error = Message::new(MessageType::Error, self.contact.clone(), full)
                .with_child(refusal::error(&text, self.lang).to_element());
            // RFC 6120 §8.1.3: an error carries the id of its message.
            error.id = Some(stanza.stanza_id.clone()).filter(|id| !id.is_empty());
            Some(error)
        };
        let mut stanzas: Vec<Message> = self.row.stanzas.iter().filter_map(error).collect();
        if late {
            let reason = Box::new(text);
            stanzas.push(self.notice(
                "error",
                Notice::NotDelivered {
                    excerpt: self.excerpt(),
                    reason,
                },
            ));
        }
        stanzas
    }

    /// That it waits for the end of the quiet hours; nothing once they are over.
    fn night(&self, now: UnixMillis) -> Vec<Message> {
        let to = Address::new(
            self.row
                .recipient
                .as_ref()
                .unwrap_or(&self.row.peer)
                .clone(),
        );
        let listed = group::listed(to.as_str());
        let people = if listed.is_empty() { vec![to] } else { listed };
        let adapter = &self.gateway.adapter;
        let until = people
            .iter()
            .filter_map(|to| adapter.not_before(to, now))
            .max();
        let notice = until.map(|until| Notice::Waits {
            excerpt: self.excerpt(),
            until: until.timestamp(),
        });
        let stanza = notice.map(|notice| self.notice("night", notice));
        stanza.into_iter().collect()
    }

    /// The members of a group that it is about, as people know them.
    fn missing(&self) -> Vec<String> {
        let group = self.group.as_deref();
        let members = group.map_or(&[][..], |group| &group.members);
        if let Some(recipient) = &self.row.recipient {
            let known = members.iter().find(|member| member.address == *recipient);
            return vec![
                known
                    .map_or(recipient.as_str(), StoredMember::shown)
                    .to_owned(),
            ];
        }
        if group.is_none_or(|group| !group.at_once) {
            return Vec::new();
        }
        let part = |part: &u16| members.get(usize::from(*part));
        let failed = self.row.failed_parts.iter().filter_map(part);
        failed.map(|member| member.shown().to_owned()).collect()
    }

    /// The sentence, with which members of a group it is about.
    fn about_members(&self, text: Text) -> Text {
        let missing = self.missing();
        if missing.is_empty() {
            return text;
        }
        Text::Of {
            who: missing.join(", "),
            text: Box::new(text),
        }
    }

    fn failure(&self) -> Text {
        let reason = Reason::from_word(self.row.reason.as_deref().unwrap_or_default());
        let failed = match (self.row.state, reason) {
            (State::Expired, Reason::Expired | Reason::Unspecified) => Failed::GaveUp {
                after: self.gateway.config.give_up,
            },
            (State::Unknown, _) => Failed::Unknown,
            _ => Failed::Network {
                reason,
                network: self.gateway.network(),
            },
        };
        Text::from(failed)
    }

    /// A line in the chat, from the contact, that archives keep.
    fn notice(&self, what: &str, notice: Notice) -> Message {
        let message = Message::chat(self.contact.clone(), self.user.clone())
            .with_id(self.id(what))
            .with_origin_id(self.id(what))
            .with_lang(self.lang.tag())
            .with_body(self.about_members_once(notice).render(self.lang));
        if self.first_id.is_empty() {
            return message;
        }
        message.with_reply_to(&Jid::from(self.user.clone()), self.first_id)
    }

    /// A notice names the members, unless its reason does.
    fn about_members_once(&self, notice: Notice) -> Text {
        match notice {
            Notice::NotDelivered { .. } => notice.into(),
            // That everybody of a group at once may have it says the contact.
            _ if self.row.recipient.is_none() => notice.into(),
            _ => self.about_members(notice.into()),
        }
    }

    fn excerpt(&self) -> Quoted {
        if self.fleeting {
            return Quoted::whole("…");
        }
        Quoted::beginning(&self.row.body)
    }

    /// Ids of receipts and notices derive from the message's, so that a repeat of them is one (semantics 7).
    fn id(&self, what: &str) -> String {
        format!("{}-{what}", transom_adapter::Key(self.row.delivery_id))
    }
}
