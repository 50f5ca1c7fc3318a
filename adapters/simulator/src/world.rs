//! The simulated network: its phones, its lines, and what happens to a text in it. Synchronous; held under one lock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use transom_adapter::{
    AccountName, Address, Failure, Outcome, Outgoing, Reason, Scope, UnixMillis,
};

use crate::{
    Behaviour, State, Text, Way,
    file::{Gallery, Handed},
    group::others_than,
    handset::Handset,
    post::{Fate, Notice, Post, id_of},
    recent::{Recent, Seen},
    text::{Delivery, Entry, Origin, Written},
};

/// Phones in the world; the one that was still for the longest time is dropped for a new one.
pub(crate) const PHONES_MAX: usize = 1_000;
/// A text may be this long, either way: more than any telephone network takes.
pub(crate) const TEXT_BYTES_MAX: usize = 8 * 1024;
/// What all texts together may take; above it the phones that were still for the longest time are dropped.
const WORLD_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Lines that the page can offer.
const LINES_MAX: usize = 1_000;
/// What a throttled text is told to wait.
const THROTTLED_FOR: Duration = Duration::from_secs(1);

/// The simulated network.
#[derive(Debug, Default)]
pub(crate) struct World {
    handsets: HashMap<Address, Handset>,
    /// The phones by the version of their last change.
    order: BTreeMap<u64, Address>,
    lines: BTreeMap<Arc<str>, Arc<Post>>,
    posts: Vec<Arc<Post>>,
    pub(crate) recent: Recent,
    pub(crate) gallery: Gallery,
    version: u64,
    /// The version at which a phone was last dropped: a page that is older has to begin anew.
    dropped_at: u64,
    text_bytes: usize,
}

impl World {
    /// The way back for this account; the same one for the same name.
    pub(crate) fn post(&mut self, name: AccountName) -> Arc<Post> {
        if let Some(post) = self.posts.iter().find(|post| post.account == name) {
            return Arc::clone(post);
        }
        let post = Arc::new(Post::new(name));
        self.posts.push(Arc::clone(&post));
        post
    }

    /// Makes a line belong to an account.
    pub(crate) fn add_line(&mut self, line: &str, post: Arc<Post>) {
        if self.lines.len() < LINES_MAX || self.lines.contains_key(line) {
            self.lines.insert(line.into(), post);
            self.version += 1;
        }
    }

    /// The way back for what is written to a line: its account's, or the only account's.
    pub(crate) fn post_of_line(&self, line: &str) -> Option<Arc<Post>> {
        let only = || match self.posts.as_slice() {
            [post] => Some(post),
            _ => None,
        };
        self.lines.get(line).or_else(only).cloned()
    }

    /// One attempt to send a text to one phone.
    pub(crate) fn deliver_one(
        &mut self,
        post: &Arc<Post>,
        (message, files): (&Outgoing, &[Handed]),
        unit: u16,
        now: UnixMillis,
    ) -> Outcome {
        let delivery = (message.key, unit);
        let seen = self.recent.find(delivery);
        if seen == Some(Seen::Accepted) {
            return accepted(delivery);
        }
        if message.text.len() > TEXT_BYTES_MAX {
            return Outcome::Rejected(Failure::new(Reason::TooLarge));
        }
        let state = reaction(self.handset(&message.to).behaviour, seen.is_some());
        let origin = Origin {
            post: Arc::clone(post),
            delivery,
            of_group: message.group.is_some(),
        };
        let sequence = match self.earlier(&message.to, delivery, seen) {
            Some(sequence) => {
                self.set_state(&message.to, sequence, state);
                sequence
            }
            None => self.receive((message, files), origin.clone(), state, now),
        };
        if let Some(fate) = fate_of(state) {
            origin.notify(&message.to, sequence, fate, now);
        }
        let outcome = outcome_of(state, delivery);
        let accepted = matches!(outcome, Outcome::Accepted { .. });
        let seen = if accepted {
            Seen::Accepted
        } else {
            Seen::Tried
        };
        self.recent.remember(delivery, seen);
        outcome
    }

    /// What became of an attempt, as far as the network remembers an acceptance.
    pub(crate) fn reconcile(&self, delivery: Delivery) -> Option<Outcome> {
        let is_accepted = self.recent.find(delivery) == Some(Seen::Accepted);
        is_accepted.then(|| accepted(delivery))
    }

    /// Puts a text on a phone that was written there; gives its place.
    pub(crate) fn write(
        &mut self,
        phone: &Address,
        line: &str,
        written: &Written<'_>,
        now: UnixMillis,
    ) -> u64 {
        self.handset(phone);
        let line = match self.lines.get_key_value(line) {
            Some((known, _)) => Arc::clone(known),
            None => line.into(),
        };
        let text = Text {
            way: Way::Written,
            line,
            text: written.text.into(),
            at: now,
            state: State::Sending,
            others: written.others.iter().map(ToString::to_string).collect(),
            files: self.gallery.keep(&written.files),
        };
        self.push(phone, Entry { text, origin: None })
    }

    /// Changes how a phone takes texts; what it held is let go when it may.
    pub(crate) fn set_behaviour(&mut self, phone: &Address, behaviour: Behaviour, now: UnixMillis) {
        let handset = self.handset(phone);
        handset.behaviour = behaviour;
        let state = reaction(behaviour, true);
        let fate = fate_of(state).filter(|_| behaviour != Behaviour::Throttled);
        let held: Vec<_> = handset
            .numbered()
            .filter(|(_, entry)| fate.is_some() && entry.text.state.is_held())
            .filter_map(|(sequence, entry)| Some((sequence, entry.origin.clone()?)))
            .collect();
        for (sequence, origin) in held {
            self.set_state(phone, sequence, state);
            self.recent.remember(origin.delivery, Seen::Accepted);
            if let Some(fate) = fate {
                origin.notify(phone, sequence, fate, now);
            }
        }
        self.touch(phone);
    }

    /// Changes how far a text came; nothing when the phone or the text was dropped meanwhile.
    pub(crate) fn set_state(&mut self, phone: &Address, sequence: u64, state: State) {
        if let Some(handset) = self.handsets.get_mut(phone) {
            handset.set_state(sequence, state);
            self.touch(phone);
        }
    }

    /// The gateway has committed these reports.
    pub(crate) fn mark_reported(&mut self, notices: &[Notice]) {
        for Notice {
            phone, sequence, ..
        } in notices
        {
            let state = self
                .find(phone)
                .and_then(|handset| handset.state(*sequence));
            if state == Some(State::OnPhone) {
                self.set_state(phone, *sequence, State::Reported);
            }
        }
    }

    pub(crate) fn find(&self, phone: &Address) -> Option<&Handset> {
        self.handsets.get(phone)
    }

    /// Counts changes; every state that can be seen has its own.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The version at which a phone was last dropped.
    pub(crate) fn dropped_at(&self) -> u64 {
        self.dropped_at
    }

    /// The lines that are known, in their order.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Arc<str>> {
        self.lines.keys()
    }

    /// The phones that changed after this version, the latest change first.
    pub(crate) fn changed_since(&self, version: u64) -> impl Iterator<Item = (&Address, &Handset)> {
        let numbers = self.order.range(version.saturating_add(1)..).rev();
        numbers.filter_map(|(_, number)| Some((number, self.handsets.get(number)?)))
    }

    /// Puts a text on the phone that it was sent to; gives its place.
    fn receive(
        &mut self,
        (message, files): (&Outgoing, &[Handed]),
        origin: Origin,
        state: State,
        now: UnixMillis,
    ) -> u64 {
        let text = Text {
            way: Way::Received,
            line: self.learn_line(&message.from, &origin.post),
            text: message.text.as_str().into(),
            at: now,
            state,
            others: others_than(&message.to, message),
            files: self.gallery.keep(files),
        };
        let origin = Some(origin);
        self.push(&message.to, Entry { text, origin })
    }

    fn learn_line(&mut self, line: &Address, post: &Arc<Post>) -> Arc<str> {
        if let Some((known, _)) = self.lines.get_key_value(line.as_str()) {
            return Arc::clone(known);
        }
        let learnt: Arc<str> = line.as_str().into();
        if self.lines.len() < LINES_MAX {
            self.lines.insert(Arc::clone(&learnt), Arc::clone(post));
        }
        learnt
    }

    /// The place of an attempt that stands on the phone already.
    fn earlier(&self, phone: &Address, delivery: Delivery, seen: Option<Seen>) -> Option<u64> {
        seen?;
        let (sequence, _) = self.find(phone)?.find(delivery)?;
        Some(sequence)
    }

    /// The phone with this number, which appears if it was not there.
    fn handset(&mut self, number: &Address) -> &mut Handset {
        if !self.handsets.contains_key(number) {
            if self.handsets.len() >= PHONES_MAX {
                self.drop_stillest();
            }
            self.version += 1;
            self.order.insert(self.version, number.clone());
        }
        let version = self.version;
        self.handsets
            .entry(number.clone())
            .or_insert_with(|| Handset::new(number.as_str(), version))
    }

    fn push(&mut self, phone: &Address, entry: Entry) -> u64 {
        let at = entry.text.at;
        self.text_bytes += entry.text.text.len();
        let Some(handset) = self.handsets.get_mut(phone) else {
            return 0;
        };
        let (sequence, dropped) = handset.push(entry);
        if let Some((sequence, entry)) = dropped {
            self.let_go(phone, sequence, &entry, at);
        }
        self.touch(phone);
        while self.text_bytes > WORLD_BYTES_MAX && self.handsets.len() > 1 {
            self.drop_stillest();
        }
        sequence
    }

    fn drop_stillest(&mut self) {
        let Some((_, number)) = self.order.pop_first() else {
            return;
        };
        let Some(handset) = self.handsets.remove(&number) else {
            return;
        };
        for (sequence, entry) in handset.numbered() {
            self.let_go(&number, sequence, entry, entry.text.at);
        }
        self.version += 1;
        self.dropped_at = self.version;
    }

    /// A text leaves the world; one that was still waiting for its phone has expired.
    fn let_go(&mut self, phone: &Address, sequence: u64, entry: &Entry, now: UnixMillis) {
        self.text_bytes = self.text_bytes.saturating_sub(entry.text.text.len());
        if let (State::Waiting, Some(origin)) = (entry.text.state, &entry.origin) {
            origin.notify(phone, sequence, Fate::Expired, now);
        }
    }

    fn touch(&mut self, phone: &Address) {
        let Some(handset) = self.handsets.get_mut(phone) else {
            return;
        };
        self.version += 1;
        let number = self.order.remove(&handset.changed);
        handset.changed = self.version;
        self.order
            .insert(self.version, number.unwrap_or_else(|| phone.clone()));
    }
}

impl Origin {
    pub(crate) fn notify(&self, phone: &Address, sequence: u64, fate: Fate, at: UnixMillis) {
        self.post.push(Notice {
            phone: phone.clone(),
            sequence,
            delivery: self.delivery,
            of_group: self.of_group,
            fate,
            at,
        });
    }
}

/// What a phone does with a text.
fn reaction(behaviour: Behaviour, tried_before: bool) -> State {
    match behaviour {
        Behaviour::Throttled if !tried_before => State::Throttled,
        Behaviour::Normal | Behaviour::Throttled => State::OnPhone,
        Behaviour::Off => State::Waiting,
        Behaviour::Unassigned => State::Refused,
        Behaviour::Failing => State::Failed,
        Behaviour::Unknown => State::Unknown,
    }
}

/// What is reported at once.
fn fate_of(state: State) -> Option<Fate> {
    match state {
        State::OnPhone => Some(Fate::Delivered),
        State::Failed => Some(Fate::Unreachable),
        _ => None,
    }
}

/// What the gateway is answered.
fn outcome_of(state: State, delivery: Delivery) -> Outcome {
    match state {
        State::Refused => Outcome::Rejected(Failure::new(Reason::NoSuchRecipient)),
        State::Throttled => Outcome::Throttled {
            after: Some(THROTTLED_FOR),
            scope: Scope::Request,
            failure: Failure::new(Reason::RateLimited),
        },
        State::Unknown => {
            Outcome::Unknown(Failure::new(Reason::NetworkDown).with_detail("simulated silence"))
        }
        _ => accepted(delivery),
    }
}

fn accepted(delivery: Delivery) -> Outcome {
    Outcome::Accepted {
        ids: vec![id_of(delivery)],
    }
}
