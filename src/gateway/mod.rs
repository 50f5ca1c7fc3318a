//! The translation and its policy: pure and synchronous, one file an event.
//!
//! A snapshot of what the database knows and a stanza (or an event from outside) go in; what to write and what to answer comes
//! out. Nothing here waits, asks the clock or touches a socket.
//!
//! - [`text_out`]: a message from a user to the outside; [`line_choice`] picks the line, [`caps`] counts.
//! - [`text_in`]: a message from outside to a user.
//! - [`group`]: several people as one contact.
//! - [`files`]: which files are taken, and what is written of them.
//! - [`payload`]: what is stored of a message besides its body; [`settings`]: what a user has chosen.
//! - [`told`]: what became of a message: receipts, errors, notices.
//! - [`registration`]: XEP-0077; [`subscription`]: presence that comes, [`presence`] that goes; [`answers`]: every other request.
//! - [`info`]: what the gateway and contacts say that they can do. [`target`]: whom a stanza is for. [`ids`]: of our stanzas.
//! - [`call`]: no calls. [`picture`]: what is shown beside a name.
//! - [`refusal`]: the one table from causes to stanza errors and sentences.

pub mod answers;
pub mod call;
mod caps;
pub mod files;
pub mod group;
pub mod ids;
pub mod info;
mod line_choice;
mod mail_facts;
pub mod moment;
pub mod parts;
pub mod payload;
pub mod picture;
mod policy;
pub mod presence;
pub mod refusal;
pub mod registration;
mod routes;
pub mod settings;
pub mod subscription;
pub mod target;
pub mod text_in;
pub mod text_out;
mod threads;
pub mod told;
mod uri;

use std::{collections::HashMap, sync::Arc, time::Duration};

use transom_adapter::{AccountName, Adapter, Address, ContactError, Network, UnixMillis};

use files::FilePolicy;

use crate::{
    config::{AccessList, GatewayConfig},
    store::read::PIN,
    texts::Lang,
    xmpp::{
        jid::{self, BareJid, Jid},
        ns,
        stanza::{Element, Message, Stanza},
    },
};

/// One gateway, as the pure part sees it: its configuration and its adapter.
pub struct Gateway {
    /// Its key in the database.
    pub id: i64,
    /// The common part of its configuration.
    pub config: GatewayConfig,
    /// Who may use any gateway.
    pub allow: AccessList,
    /// Who decides on new users, where that needs a decision.
    pub admins: Vec<BareJid>,
    /// The adapter, for its pure parts.
    pub adapter: Arc<dyn Adapter>,
    /// The keys of its accounts.
    pub accounts: HashMap<AccountName, i64>,
    /// What the configuration says of files.
    pub files: FilePolicy,
    /// How long texts are kept.
    pub keeps_texts: Duration,
    /// When this process began.
    pub since: UnixMillis,
}

/// What a contact's JID means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// The outside person.
    pub peer: Address,
    /// Our line, when the JID pins one (semantics 9).
    pub line: Option<Address>,
}

impl Gateway {
    /// The kind of network.
    pub fn network(&self) -> Network {
        self.adapter.network()
    }

    /// Whether this user may use the gateway (semantics 13).
    pub fn admits(&self, user: &BareJid) -> bool {
        self.allow.admits(user)
            && self
                .config
                .allow
                .as_ref()
                .is_none_or(|allow| allow.admits(user))
    }

    /// The language for a stanza with this `xml:lang`.
    pub fn lang(&self, tag: Option<&str>) -> Lang {
        Lang::negotiate(tag, self.config.lang)
    }

    /// Reads a contact's local part, still escaped.
    ///
    /// # Errors
    ///
    /// The JID that was probably meant, where it can be told.
    pub fn contact(&self, local: &str) -> Result<Contact, Option<BareJid>> {
        let unescaped = jid::unescape(local).map_err(|_| None)?;
        let (peer, line) = match unescaped.split_once(PIN) {
            Some((peer, line)) => (peer, Some(Address::new(line))),
            None => (unescaped.as_str(), None),
        };
        // What was pasted as a link is what people type (`tel:`, `mailto:`), and so is what it should have been.
        let meant = |error: ContactError| error.suggestion.or_else(|| self.read_typed(peer).ok());
        let of_one = || self.adapter.peer(peer).map_err(meant);
        match group::read(self, peer).unwrap_or_else(of_one) {
            Ok(peer) => Ok(Contact { peer, line }),
            Err(suggestion) => {
                Err(suggestion.and_then(|address| self.jid_of(&address, line.as_ref())))
            }
        }
    }

    /// The JID of a contact; `None` for an address that fits in no JID.
    pub fn jid_of(&self, peer: &Address, line: Option<&Address>) -> Option<BareJid> {
        let mut local = if group::is_group(peer.as_str()) {
            peer.as_str().to_owned()
        } else {
            self.adapter.local_part(peer)
        };
        if let Some(line) = line {
            local.push_str(PIN);
            local.push_str(line.as_str());
        }
        let local = jid::escape(&local).ok()?;
        BareJid::new(&format!("{local}@{}", self.config.domain)).ok()
    }

    /// The JID of a contact by what the roster knows it as; the opposite of [`target::Target::key`].
    pub fn jid_of_key(&self, key: &str) -> Option<BareJid> {
        match key.split_once(PIN) {
            Some((peer, line)) => self.jid_of(&Address::new(peer), Some(&Address::new(line))),
            None => self.jid_of(&Address::new(key), None),
        }
    }

    /// Reads what a person typed or clicked as an address: as people write it, or as a `tel:`, `sms:` or `mailto:` URI.
    ///
    /// # Errors
    ///
    /// [`ContactError`] when no address can be read from it.
    pub fn read_typed(&self, typed: &str) -> Result<Address, ContactError> {
        self.adapter.read_typed(&uri::address(typed))
    }

    /// The gateway's own JID.
    pub fn own_jid(&self) -> Jid {
        Jid::from(self.config.domain.clone())
    }

    /// A line of the gateway's own chat with somebody.
    pub fn say(&self, to: &BareJid, body: String, lang: Lang, now: UnixMillis) -> Stanza {
        // Semantics 7.
        let id = ids::stanza_id(now);
        Message::chat(self.own_jid(), to.clone())
            .with_id(id.clone())
            .with_origin_id(id)
            .with_lang(lang.tag())
            .with_body(body)
            // Converse.js takes whatever comes from a JID without a local part for an announcement of the server and shows it in no
            // chat, unless this is there. It has no meaning for anybody else.
            .with_child(Element::new("mentions", ns::MENTIONS))
            .into()
    }

    /// The key of an account: of the configuration, or of one that a user brought, which has it in its name.
    pub fn account_id(&self, account: &AccountName) -> Option<i64> {
        let known = self.accounts.get(account).copied();
        known.or_else(|| account.own_key())
    }

    /// The scope that external ids of an account are unique in: mail ids are unique world-wide, others within their account.
    pub fn scope_id(&self, account: &AccountName) -> Option<i64> {
        match self.network() {
            Network::Email => Some(self.id),
            Network::Sms => self.account_id(account),
        }
    }
}
