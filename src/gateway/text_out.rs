//! A message from a user to the outside: refused with a reason, known already, or accepted with all that has to be written.

mod draft;
mod note;

use sha2::{Digest, Sha256};
use transom_adapter::{Address, Network, Outgoing, Plan, Refusal, UnixMillis};

use super::{
    Contact, Gateway, caps,
    line_choice::{self, Chosen},
    registration::{self, NewUser, Standing},
};
use note::{fresh_line, newcomer, note};

use crate::{
    store::{
        read::{Ask, OutwardSnapshot},
        write::NewOut,
    },
    texts::{Content, Encryption, Recipient, Refused},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::{self, Message, MessageType},
        xep::sharing::{self, Shared},
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
        if message.retracts().is_some() {
            return Err(refused(Content::AlreadySent));
        }
        let body = message
            .body()
            .map(|body| stanza::without_otr_tag(&body).trim_end().to_owned())
            .unwrap_or_default();
        let files = sharing::files(message);
        check_files(gateway, &files).map_err(Decision::Refused)?;
        let body = sharing::without_urls(&body, &files);
        if body.trim_start().is_empty() && files.is_empty() {
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
        let body = if message.replaces().is_some() && !body.is_empty() {
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
            files,
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
        let plan = planned.map_err(|refusal| {
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
        let out = self.row(gateway, &chosen, user.user_id, &plan, draft);
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
        let urls = self.files.iter().map(|file| file.url.as_str());
        let parts = [self.from.as_str(), to, id, &self.body];
        for part in parts.into_iter().chain(urls) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Some(format!("h{}", hex::encode(hash.finalize())))
    }
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
