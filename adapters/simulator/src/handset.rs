//! One simulated phone: its behaviour and its last texts.

use std::collections::VecDeque;

use serde::Serialize;

use crate::{
    Behaviour, State, Text,
    text::{Delivery, Entry},
};

/// Texts that a phone keeps; the oldest is dropped for a new one.
pub(crate) const TEXTS_MAX: usize = 200;

/// What stands at an address of the simulated network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A phone that takes and writes texts.
    Phone,
}

/// One simulated phone.
#[derive(Debug)]
pub(crate) struct Handset {
    pub(crate) kind: Kind,
    pub(crate) behaviour: Behaviour,
    /// The version of the world at its last change: unique among the phones.
    pub(crate) changed: u64,
    /// How many texts became readable on it, ever.
    pub(crate) received: u64,
    entries: VecDeque<Entry>,
    /// The sequence number of the first entry.
    first: u64,
}

impl Handset {
    pub(crate) fn new(number: &str, changed: u64) -> Self {
        Self {
            kind: Kind::Phone,
            behaviour: Behaviour::of_number(number),
            changed,
            received: 0,
            entries: VecDeque::new(),
            first: 0,
        }
    }

    /// Adds a text; gives its sequence number, and the place and text of the one that was dropped for it.
    pub(crate) fn push(&mut self, entry: Entry) -> (u64, Option<(u64, Entry)>) {
        let full = self.entries.len() >= TEXTS_MAX;
        let dropped = full.then(|| self.entries.pop_front()).flatten();
        let dropped = dropped.map(|entry| (self.first, entry));
        self.first += u64::from(dropped.is_some());
        self.received += u64::from(entry.text.state.is_readable());
        self.entries.push_back(entry);
        (self.first + self.entries.len() as u64 - 1, dropped)
    }

    /// Changes how far a text came; nothing when it was dropped meanwhile.
    pub(crate) fn set_state(&mut self, sequence: u64, state: State) {
        let index = sequence.checked_sub(self.first).map(usize::try_from);
        let Some(Ok(index)) = index else { return };
        if let Some(entry) = self.entries.get_mut(index) {
            let readable = state.is_readable() && !entry.text.state.is_readable();
            self.received += u64::from(readable);
            entry.text.state = state;
        }
    }

    /// The place and state of an attempt's text, the newest first: it is asked for on repeats only.
    pub(crate) fn find(&self, delivery: Delivery) -> Option<(u64, State)> {
        let is_it = |entry: &Entry| {
            let origin = entry.origin.as_ref();
            origin.is_some_and(|origin| origin.delivery == delivery)
        };
        self.numbered()
            .rfind(|(_, entry)| is_it(entry))
            .map(|(sequence, entry)| (sequence, entry.text.state))
    }

    /// The state of one text.
    pub(crate) fn state(&self, sequence: u64) -> Option<State> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        Some(self.entries.get(index)?.text.state)
    }

    /// The entries with their sequence numbers, oldest first.
    pub(crate) fn numbered(&self) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        let first = self.first;
        let entries = self.entries.iter().enumerate();
        entries.map(move |(index, entry)| (first + index as u64, entry))
    }

    /// The texts, oldest first.
    pub(crate) fn texts(&self) -> impl DoubleEndedIterator<Item = &Text> {
        self.entries.iter().map(|entry| &entry.text)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
