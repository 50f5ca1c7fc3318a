//! A message from a user to the outside: refused with a reason, known already, or accepted with all that has to be written.

mod attendance;
mod check;
mod draft;
mod edit;
mod join;
mod note;
mod owners;
mod proof;
mod quotation;
mod reaction;
mod repeat;
mod reply;
mod several;

use transom_adapter::{Address, Member, Network, Outgoing, Plan, Refusal};

use super::{
    Contact, Gateway, caps, group, ids,
    line_choice::{self, Chosen},
    moment::Moment,
    registration::{self, NewUser, Standing},
    settings::Settings,
};
pub use attendance::{attendance_element, without_own_payloads};
use check::{check_blocks, check_colleague, of_local};
pub use edit::Amended;
use edit::Edit;
use note::{fresh_line, newcomer, note, welcomed};
pub use reaction::Kept;
use repeat::repeat_key;
use several::NotSent;

use crate::{
    store::{
        read::{Ask, OutwardSnapshot},
        write::{Judged, NewIn, NewOut, TakeBack},
    },
    texts::{Content, Encryption, GroupNotice, Recipient, Refused, RefusedGroup},
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
    /// The same for the other members of a group.
    pub further: Vec<(Outgoing, Plan)>,
    /// The same as the other owners of its line see it.
    pub shown: Vec<NewIn>,
    /// What the sender is told of how it is sent.
    pub notice: Option<GroupNotice>,
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
    /// The recipients that the stanza itself names (XEP-0033).
    named: Vec<Member>,
    /// It is for all of a group, where it would else be for one of it.
    to_all: bool,
}

impl<'a> Candidate<'a> {
    /// Looks at a message to a contact alone, before anything is loaded.
    ///
    /// # Errors
    ///
    /// The decision, when it needs no more than the message.
    pub fn new(gateway: &Gateway, message: &'a Message) -> Result<Self, Decision> {
        let (Some(from), Some(to)) = (&message.from, &message.to) else {
            return Err(Decision::Ignored("no_address"));
        };
        if !matches!(message.kind, MessageType::Chat | MessageType::Normal) {
            return Err(Decision::Ignored("not_chat"));
        }
        let to_whom = match to.node() {
            None => group::addressed(gateway, message).ok_or(Decision::Ignored("no_contact"))?,
            Some(local) => Ok((of_local(gateway, local.as_str())?, Vec::new())),
        };
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
            return Err(Decision::Ignored("no_body"));
        }
        let (contact, named) = to_whom.map_err(Decision::Refused)?;
        let (text, to_all) = several::to_all(gateway, &contact, text);
        let user = from.to_bare();
        let repeat_key = repeat_key(message, (from, &contact.peer), (&body, &files));
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
            named,
            to_all,
        })
    }

    /// What has to be loaded for it.
    pub fn ask(&self, gateway: &Gateway, place: usize) -> Ask {
        Ask {
            place,
            jid: self.user.to_string(),
            peer: self.contact.peer.as_str().to_owned(),
            repeat_key: self.repeat_key.clone(),
            own_key: self.message.origin_id().map(ids::own_key),
            reply_to: self.refers_to().map(str::to_owned),
            edits: self.edits(gateway).map(str::to_owned),
            joins: u8::from(self.may_join(gateway)),
            has_threads: gateway.network() == Network::Email,
            address: gateway
                .adapter
                .own_address(self.user.as_str())
                .map(|address| address.as_str().to_owned()),
            members: self.asked_members(),
            is_named_group: self.named.is_empty() && group::is_named(self.contact.peer.as_str()),
            is_own_address: gateway.adapter.gives_out(&self.contact.peer),
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
        let known_id = known.map(|user| user.user_id);
        check_blocks(snapshot, known_id, self.contact.peer.as_str())?;
        check_colleague(snapshot, self.user.as_str(), self.contact.peer.as_str())?;
        let fresh = fresh_line(&standing);
        let chosen = if let Some(line) = &fresh {
            Chosen {
                line,
                conversation: None,
                opted_out: false,
            }
        } else {
            let user = self.user.as_str();
            line_choice::choose(gateway, snapshot, user, known_id, &self.contact)?
        };
        if chosen.opted_out {
            return Err(Recipient::OptedOut.into());
        }
        let reach = self.reach(gateway, snapshot, &chosen, place)?;
        several::check_people(snapshot, known_id, (&reach, chosen.line.line_id))?;
        let mut draft = self.draft(gateway, snapshot, place, &chosen, moment);
        let mut sending = several::sending(gateway, (&chosen, &draft), &reach, moment);
        let has_no_files = |not_sent: &NotSent| not_sent.refusal == Refusal::FilesNotTaken;
        if sending.as_ref().is_err_and(has_no_files) && draft.link_files(gateway) {
            sending = several::sending(gateway, (&chosen, &draft), &reach, moment);
        }
        let sending = sending.map_err(|not_sent| not_sent.refused(gateway))?;
        if sending.separately
            && snapshot
                .shared
                .iter()
                .any(|shared| shared.line.line_id == chosen.line.line_id)
        {
            return Err(RefusedGroup::SharedLine.into());
        }
        let newcomer = newcomer(&standing);
        let user = known.unwrap_or(&newcomer);
        let is_new = chosen.conversation.is_none();
        let costs = caps::Costs {
            messages: sending.people().into(),
            segments: sending.segments(),
            new_peers: if is_new { sending.people().into() } else { 0 },
        };
        caps::check(gateway, snapshot, user, (&sending.plan, &costs), moment.now)?;
        let out = self.new_row(gateway, &chosen, user.user_id, &sending, draft);
        let shown = self.shown(gateway, snapshot, (&out, chosen.line), moment);
        let new_user = match standing {
            Standing::New(new) => Some(*new),
            Standing::Known(_) => None,
        };
        Ok(Accepted {
            welcomed: welcomed(snapshot, &out),
            out,
            new_user,
            outgoing: sending.outgoing,
            plan: sending.plan,
            further: sending.further,
            shown,
            notice: (sending.separately && is_new).then_some(GroupNotice::Separately),
        })
    }

    /// The members of a group that are known before anything is loaded.
    fn asked_members(&self) -> Vec<String> {
        let named = self.named.iter().map(|member| member.address.clone());
        let listed = group::listed(self.contact.peer.as_str());
        let all = named.chain(listed);
        all.map(|address| address.as_str().to_owned()).collect()
    }

    /// The message that it answers or reacts to; one of ours may have come in several stanzas.
    fn refers_to(&self) -> Option<&str> {
        let reaction = self.reaction.as_ref().map(|reaction| reaction.of.as_str());
        let id = reaction.or_else(|| self.message.reply_to());
        id.map(ids::message_of)
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
