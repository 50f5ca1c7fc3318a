//! A message from a user to the outside: refused with a reason, known already, or accepted with all that has to be written.

mod draft;
mod edit;
mod join;
mod note;
mod reaction;
mod reply;

use sha2::{Digest, Sha256};
use transom_adapter::{Address, Network, Outgoing, Plan, Refusal, UnixMillis};

use super::{
    Contact, Gateway, caps,
    line_choice::{self, Chosen},
    registration::{self, NewUser, Standing},
    settings::Settings,
    text_in,
};
pub(super) use draft::{id_rows, stored_routes};
pub use edit::Amended;
use edit::Edit;
use note::{fresh_line, newcomer, note};
pub use reaction::Kept;

use crate::{
    store::{
        read::{Ask, OutwardSnapshot},
        write::{Judged, NewOut, TakeBack, Word},
    },
    texts::{Content, Encryption, Recipient, Refused},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::{self, Message, MessageType},
        xep::{
            markers,
            reactions::Reactions,
            sharing::{self, Shared},
        },
    },
};

/// What a message comes to.
#[derive(Debug)]
pub enum Decision {
    /// Nothing that anybody has to be told: states, receipts, empty bodies.
    Ignored(&'static str),
    /// Not sent; the sender is told why.
    Refused(Refused),
    /// A reaction that is not sent; its sender is told why, and once more in the chat.
    Kept(Kept),
    /// A repeat of one that was accepted.
    Repeated(i64),
    /// Accepted, once it is committed.
    Accepted(Box<Accepted>),
    /// A held message becomes another, once that is committed.
    Amended(Box<Amended>),
    /// A held message is taken back, once that is committed.
    TakenBack(TakeBack),
}

/// A message that will be sent.
#[derive(Debug)]
pub struct Accepted {
    /// What to write.
    pub out: NewOut,
    /// The registration that comes with it, on first use.
    pub new_user: Option<NewUser>,
    /// Whoever is written to is no stranger: what waits of theirs is delivered.
    pub welcomed: Option<Judged>,
    /// What to send.
    pub outgoing: Outgoing,
    /// How.
    pub plan: Plan,
}

/// A message that may be sent: it has a sender, a contact, and a body or something to take back.
#[derive(Debug)]
pub struct Candidate<'a> {
    message: &'a Message,
    from: &'a Jid,
    user: BareJid,
    contact: Contact,
    body: String,
    repeat_key: Option<String>,
    edit: Option<Edit<'a>>,
    reaction: Option<Reactions>,
    /// What the client quoted of the message that this one answers.
    quoted: String,
    files: Vec<Shared>,
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
        let edit = Edit::of(message);
        if !edit::is_possible(gateway) && matches!(edit, Some(Edit::TakeBack(_))) {
            return Err(refused(Content::AlreadySent));
        }
        let reaction = reaction::of(message)?;
        let parted = reply::part(message, &message.body().unwrap_or_default());
        let (body, files) = match &reaction {
            // Its body is there for clients that know no reactions.
            Some(reaction) => (reaction.emoji.join(" "), Vec::new()),
            None => (
                stanza::without_otr_tag(&parted.written)
                    .trim_end()
                    .to_owned(),
                sharing::files(message),
            ),
        };
        check_files(gateway, &files).map_err(Decision::Refused)?;
        let text = sharing::without_urls(&body, &files);
        let is_empty = text.trim_start().is_empty() && files.is_empty();
        if is_empty && !matches!(edit, Some(Edit::TakeBack(_))) {
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
        let repeat_key = repeat_key(message, from, (&body, &files));
        Ok(Self {
            message,
            from,
            user,
            contact,
            body: text,
            repeat_key,
            edit,
            reaction,
            quoted: parted.fallback,
            files,
        })
    }

    /// What has to be loaded for it.
    pub fn ask(&self, gateway: &Gateway, place: usize) -> Ask {
        Ask {
            place,
            jid: self.user.to_string(),
            peer: self.contact.peer.as_str().to_owned(),
            repeat_key: self.repeat_key.clone(),
            own_key: self.message.origin_id().map(own_key),
            reply_to: self.refers_to().map(str::to_owned),
            edits: self.edits(gateway).map(str::to_owned),
            joins: u8::from(self.may_join(gateway)),
            has_threads: gateway.network() == Network::Email,
            address: gateway
                .adapter
                .own_address(self.user.as_str())
                .map(|address| address.as_str().to_owned()),
        }
    }

    /// Decides. An accepted message is noted in the snapshot, so that the next of the batch knows of it.
    pub fn decide(
        mut self,
        gateway: &Gateway,
        snapshot: &mut OutwardSnapshot,
        place: usize,
        moment: &Moment<'_>,
    ) -> Decision {
        let key = self
            .repeat_key
            .clone()
            .map(|key| (self.user.to_string(), key));
        let of_batch = || key.as_ref().and_then(|key| snapshot.accepted.get(key));
        if let Some(message_id) = snapshot.repeats.get(&place).or_else(of_batch) {
            return Decision::Repeated(*message_id);
        }
        let decided = self
            .decide_edit(gateway, snapshot, place, moment)
            .or_else(|| self.word_reaction(gateway, snapshot, place));
        if let Some(decision) = decided {
            return decision;
        }
        if self.edit.is_none() {
            self.put_quotation(gateway, snapshot, place);
        }
        if let Some(decision) = self.join(gateway, snapshot, moment) {
            return decision;
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
        self.check_blocks(snapshot, known.map(|user| user.user_id))?;
        let fresh = fresh_line(&standing);
        let chosen = if let Some(line) = &fresh {
            Chosen {
                line,
                conversation: None,
                opted_out: false,
            }
        } else {
            let user_id = known.map(|user| user.user_id);
            line_choice::choose(
                gateway,
                snapshot,
                self.user.as_str(),
                user_id,
                &self.contact,
            )?
        };
        if chosen.opted_out {
            return Err(Recipient::OptedOut.into());
        }
        let mut draft = self.draft(gateway, snapshot, place, &chosen, moment);
        let mut outgoing = self.outgoing(gateway, &chosen, &draft);
        let mut planned = gateway.adapter.plan(&outgoing);
        if planned == Err(Refusal::FilesNotTaken) && draft.link_files(gateway) {
            outgoing = self.outgoing(gateway, &chosen, &draft);
            planned = gateway.adapter.plan(&outgoing);
        }
        let plan = planned.map_err(|refusal| refused_plan(gateway, &refusal))?;
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
        let out = self.new_row(gateway, &chosen, user.user_id, &plan, draft);
        let new_user = match standing {
            Standing::New(new) => Some(*new),
            Standing::Known(_) => None,
        };
        let pair = (user.user_id, out.conversation.peer.clone());
        let waits = snapshot.waiting_strangers.contains(&pair);
        let welcomed = waits.then_some(Judged {
            user_id: user.user_id,
            peer: pair.1,
            word: Word::Accept,
            at_ms: moment.now.0,
        });
        Ok(Accepted {
            out,
            new_user,
            welcomed,
            outgoing,
            plan,
        })
    }

    fn check_blocks(
        &self,
        snapshot: &OutwardSnapshot,
        user_id: Option<i64>,
    ) -> Result<(), Refused> {
        let peer = self.contact.peer.as_str();
        let blocked = |user| snapshot.blocked.contains(&(user, peer.to_owned()));
        if blocked(0) {
            return Err(Recipient::Blocked.into());
        }
        if user_id.is_some_and(blocked) {
            return Err(Recipient::BlockedByUser.into());
        }
        Ok(())
    }

    /// The message that it answers or reacts to; one of ours may have come in several stanzas.
    fn refers_to(&self) -> Option<&str> {
        let reaction = self.reaction.as_ref().map(|reaction| reaction.of.as_str());
        let id = reaction.or_else(|| self.message.reply_to());
        id.map(text_in::message_of)
    }

    /// The stanza's id, as receipts, errors and corrections name it.
    fn stanza_id(&self) -> String {
        let origin = self.message.origin_id().map(str::to_owned);
        self.message.id.clone().or(origin).unwrap_or_default()
    }

    fn wants_receipt(&self, settings: &Settings) -> bool {
        self.message.wants_receipt() && settings.wants_receipts() && self.message.id.is_some()
    }

    fn wants_marker(&self, settings: &Settings) -> bool {
        let asked = markers::is_markable(self.message) && self.message.id.is_some();
        asked && settings.wants_receipts()
    }
}

/// How a message will be sent.
fn plan(gateway: &Gateway, outgoing: &Outgoing) -> Result<Plan, Refused> {
    let planned = gateway.adapter.plan(outgoing);
    planned.map_err(|refusal| refused_plan(gateway, &refusal))
}

fn refused_plan(gateway: &Gateway, refusal: &Refusal) -> Refused {
    let jid = |address: &Address| {
        gateway
            .jid_of(address, None)
            .map_or(String::new(), |jid| jid.to_string())
    };
    Refused::from_refusal(refusal, gateway.network(), jid)
}

/// Semantics 6: the origin-id; without one, the id with everything that a script that reuses ids changes.
fn repeat_key(message: &Message, from: &Jid, (body, files): (&str, &[Shared])) -> Option<String> {
    if let Some(origin) = message.origin_id() {
        return Some(format!(
            "o{}",
            hex::encode(Sha256::digest(origin.as_bytes()))
        ));
    }
    let id = message.id.as_deref()?;
    let to = message.to.as_ref().map(Jid::as_str).unwrap_or_default();
    let mut hash = Sha256::new();
    let urls = files.iter().map(|file| file.url.as_str());
    for part in [from.as_str(), to, id, body].into_iter().chain(urls) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    Some(format!("h{}", hex::encode(hash.finalize())))
}

/// How a message is known that we gave to the user's server in the user's name: it comes back, and is never sent.
pub(super) fn own_key(origin_id: &str) -> String {
    let id = text_in::message_of(origin_id);
    format!("p{}", hex::encode(Sha256::digest(id.as_bytes())))
}

/// What can be said of files before anybody has seen them.
fn check_files(gateway: &Gateway, files: &[Shared]) -> Result<(), Refused> {
    if files.iter().any(Shared::is_encrypted) {
        return Err(Content::Encrypted(Encryption::Omemo).into());
    }
    let bytes_max = gateway.files.size_bytes_max;
    if files
        .iter()
        .any(|file| file.bytes.is_some_and(|bytes| bytes > bytes_max))
    {
        return Err(Content::TooLarge { bytes_max }.into());
    }
    Ok(())
}

fn refused(why: impl Into<Refused>) -> Decision {
    Decision::Refused(why.into())
}

/// An encryption by the name that users know.
pub fn named(encryption: &stanza::Encryption) -> Encryption {
    match encryption {
        stanza::Encryption::Omemo | stanza::Encryption::AesGcm => Encryption::Omemo,
        stanza::Encryption::OpenPgp => Encryption::OpenPgp,
        stanza::Encryption::Otr => Encryption::Otr,
        stanza::Encryption::Other(_) => Encryption::Other,
    }
}
