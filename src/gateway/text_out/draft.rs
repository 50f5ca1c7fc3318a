//! What an accepted message is sent as, and stored as.

use transom_adapter::{
    AccountName, Address, Key, MailWish, Member, Network, Outgoing, Plan, UnixMillis,
};

use super::{Candidate, edit, several::Sending};
use crate::{
    config::FilesNotCarried,
    gateway::{
        Gateway, caps, files, group,
        line_choice::Chosen,
        moment::Moment,
        payload::Payload,
        routes::{id_rows, stored_routes},
        settings::{Setting, Settings},
        threads,
    },
    store::{
        StoredRoute,
        read::{KnownLine, OutwardSnapshot},
        write::{ConversationRow, FurtherDelivery, MemberRow, NewFile, NewOut},
    },
    xmpp::jid,
};

/// What a message will be stored under.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) key: i64,
    pub(super) at: UnixMillis,
    pub(super) conversation_id: i64,
    pub(super) thread: Option<threads::Chosen>,
    pub(super) body: String,
    /// The name beside the address.
    pub(super) name: Option<String>,
    pub(super) wants_receipt: bool,
    pub(super) markable: bool,
    /// Whether the text may lead to files that cannot go with it.
    pub(super) links: bool,
    pub(super) files: Vec<NewFile>,
    /// What only mail has.
    pub(super) mail: MailWish,
}

impl Draft {
    /// Lets the text lead to the files, where the user, else the admin, wants that of networks without files; false when it is not to be.
    pub(super) fn link_files(&mut self, gateway: &Gateway) -> bool {
        let links: Option<Vec<String>> = self
            .files
            .iter()
            .map(|file| gateway.files.url(&file.token, &file.name))
            .collect();
        let Some(links) = links.filter(|_| self.links) else {
            return false;
        };
        for link in links {
            if !self.body.is_empty() {
                self.body.push('\n');
            }
            self.body.push_str(&link);
        }
        for file in &mut self.files {
            file.link = 1;
        }
        true
    }
}

impl Candidate<'_> {
    /// The key and, where the network has them, the thread.
    pub(super) fn draft(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        place: usize,
        chosen: &Chosen<'_>,
        moment: &Moment<'_>,
    ) -> Draft {
        let key = (moment.ids)();
        let settings = snapshot.users.get(self.user.as_str());
        let settings = settings.map_or_else(Settings::default, |user| {
            Settings::from_json(&user.settings)
        });
        let name = self.name(gateway, &settings);
        let wants_receipt = self.wants_receipt(&settings);
        let markable = self.wants_marker(&settings);
        let by_default = gateway.config.files == FilesNotCarried::Link;
        let links = settings.wants_file_links().unwrap_or(by_default);
        let conversation_id = chosen
            .conversation
            .map_or_else(moment.ids, |known| known.conversation_id);
        let files = files::outgoing(gateway, &self.files, key, (moment.now, moment.ids));
        if gateway.network() != Network::Email {
            return Draft {
                key,
                at: moment.now,
                conversation_id,
                thread: None,
                body: self.body.clone(),
                files,
                name,
                wants_receipt,
                markable,
                links,
                mail: MailWish::default(),
            };
        }
        let wish = threads::wish(self.message, &self.body);
        let known = snapshot
            .threads
            .get(&conversation_id)
            .map_or(&[][..], Vec::as_slice);
        let answered = snapshot.answered.get(&place);
        let mut thread =
            threads::choose(known, answered, self.message, &wish, moment.now, moment.ids);
        // In a thread of another line's chat the mail cannot be named.
        let of_this = answered.is_some_and(|answered| {
            answered.message_id.is_some() && answered.message_id == thread.last_id
        });
        thread.reaction = self.reaction.is_some() && of_this;
        // A file without a word: what it is called is what the mail is about.
        if let Some(file) = files.first().filter(|_| thread.subject.is_empty()) {
            thread.subject.clone_from(&file.name);
        }
        let quote = self.quotation(gateway, snapshot, place, (&settings, &thread));
        Draft {
            key,
            at: moment.now,
            conversation_id,
            thread: Some(thread),
            body: wish.body,
            files,
            name,
            wants_receipt,
            mail: MailWish {
                attendance: super::attendance::attendance(self.message),
                quote,
                unstyled: self.message.is_unstyled(),
                ..wish_of(&settings)
            },
            markable,
            links,
        }
    }

    pub(super) fn new_row(
        &self,
        gateway: &Gateway,
        chosen: &Chosen<'_>,
        user_id: i64,
        sending: &Sending,
        draft: Draft,
    ) -> NewOut {
        let plan = &sending.plan;
        let pinned = self.contact.line.is_some();
        let Draft {
            key,
            at,
            conversation_id,
            thread,
            body,
            files,
            name,
            wants_receipt,
            markable,
            links: _,
            mail,
        } = draft;
        let fleeting = self.is_fleeting();
        let payload = Payload {
            pinned,
            markable,
            fleeting,
            thread: thread.as_ref().map(|thread| thread.headers().into()),
            name,
            group: sending.stored(),
            wish: mail,
            ..Payload::default()
        };
        let message_id = plan
            .ids
            .iter()
            .find(|id| id.kind == "message-id")
            .map(|id| id.value.clone());
        let thread = thread.map(|thread| thread.row(conversation_id, message_id, at.0));
        let routes = stored_routes(plan);
        NewOut {
            conversation: ConversationRow {
                conversation_id,
                gateway_id: gateway.id,
                user_id,
                line_id: chosen.line.line_id,
                peer: self.contact.peer.as_str().to_owned(),
                peer_name: self.group_name(),
                at_ms: at.0,
                plain_ms: if pinned { 0 } else { at.0 },
                shown_thread: thread.as_ref().map(|thread| thread.thread_id),
                members: sending.people(),
                answers_to: None,
                group: self.member_rows(conversation_id),
            },
            message_id: key,
            thread,
            body,
            payload: (payload != Payload::default()).then(|| payload.to_json()),
            fleeting,
            stanza_id: self.stanza_id(),
            repeat_key: self.repeat_key.clone(),
            full_jid: self.from.to_string(),
            receipt: wants_receipt,
            // Each member that is reached at once is a part that reports are about.
            units: routes
                .first()
                .map_or(1, |route| route.1.max(sending.reached())),
            segments: plan.segments,
            routes: StoredRoute::to_json(&routes),
            ids: id_rows(gateway, plan, key),
            day: caps::day(at),
            files,
            held_until_ms: edit::held_until(gateway, at),
            reached: sending.reached(),
            recipient: sending.recipient.clone(),
            further: sending.further.iter().map(further).collect(),
        }
    }

    /// XEP-0334: the user wants it kept nowhere.
    pub(super) fn is_fleeting(&self) -> bool {
        let hints = self.message.hints();
        hints.no_store || hints.no_permanent_store
    }

    /// The members of a group that the stanza itself names, where its name does not say them.
    fn member_rows(&self, conversation_id: i64) -> Vec<MemberRow> {
        let named = group::is_named(self.contact.peer.as_str());
        let members = self.named.iter().filter(|_| named);
        let row = |member: &Member| MemberRow {
            conversation_id,
            address: member.address.as_str().to_owned(),
            name: member.name.clone(),
        };
        members.map(row).collect()
    }

    /// What a group is called, after its members.
    fn group_name(&self) -> Option<String> {
        let peer = self.contact.peer.as_str();
        if self.named.is_empty() || !group::is_group(peer) {
            return None;
        }
        let shown = |member: &Member| {
            let name = member.name.as_deref();
            name.unwrap_or(member.address.as_str()).to_owned()
        };
        let names: Vec<String> = self.named.iter().map(shown).collect();
        Some(group::name_of(names.iter().map(String::as_str)))
    }

    /// The name beside the address, where the network shows names: never one that looks like another address.
    pub(super) fn name(&self, gateway: &Gateway, settings: &Settings) -> Option<String> {
        let node = self
            .user
            .node()
            .filter(|_| gateway.network() == Network::Email)?;
        if let Some(name) = settings.get(Setting::Name) {
            return Some(name.to_owned());
        }
        jid::unescape(node.as_str())
            .ok()
            .filter(|name| !name.contains('@'))
    }
}

/// The message as it goes to one person.
pub(super) fn outgoing(
    gateway: &Gateway,
    chosen: &Chosen<'_>,
    draft: &Draft,
    to: &Address,
) -> Outgoing {
    Outgoing {
        key: Key(draft.key),
        from: Address::new(chosen.line.address.clone()),
        from_name: draft.name.clone(),
        to: to.clone(),
        text: draft.body.clone(),
        thread: draft.thread.as_ref().map(threads::Chosen::headers),
        created_at: draft.at,
        routes: routes(gateway, chosen.line),
        files: files::planned(&draft.files),
        group: None,
        mail: draft.mail.clone(),
    }
}

/// A delivery to one more member, as it is stored.
fn further((outgoing, plan): &(Outgoing, Plan)) -> FurtherDelivery {
    let routes = stored_routes(plan);
    FurtherDelivery {
        delivery_id: outgoing.key.0,
        recipient: outgoing.to.as_str().to_owned(),
        segments: plan.segments,
        units: routes.first().map_or(1, |route| route.1),
        routes: StoredRoute::to_json(&routes),
    }
}

/// What the user chose for every mail.
fn wish_of(settings: &Settings) -> MailWish {
    let chosen = |setting| settings.get(setting).map(str::to_owned);
    MailWish {
        signature: chosen(Setting::Signature),
        subject: chosen(Setting::Subject),
        asks_displayed: settings.asks_displayed(),
        ..MailWish::default()
    }
}

/// The accounts that may carry what leaves by this line.
pub(super) fn routes(gateway: &Gateway, line: &KnownLine) -> Vec<AccountName> {
    let name = |name: &String| AccountName::new(&gateway.config.name, name);
    line.routes.iter().map(name).collect()
}
