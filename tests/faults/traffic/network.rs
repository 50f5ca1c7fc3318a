//! What the traffic has to know of a network, and the moods of one.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;

use crate::random::Random;

/// Conversations of each network.
pub(super) const CHATS: usize = 8;

/// What a network has got, and how it calls.
#[async_trait(?Send)]
pub(crate) trait Network {
    /// As the table calls what it carries.
    fn name(&self) -> &'static str;

    /// The component's.
    fn domain(&self) -> &str;

    /// What the ids of alice's stanzas begin with.
    fn mark(&self) -> char;

    /// The local part of a contact's JID, of the [`CHATS`].
    fn peer(&self, chat: usize) -> String;

    /// The condition that alice is told when the network refuses a message for good.
    fn refusal(&self) -> &'static str;

    /// What it has done so far.
    fn record(&self) -> &Record;

    /// How it feels.
    fn moods(&self) -> &Moods;

    /// Whether what comes once more is known for a repeat, however late.
    fn may_repeat(&self) -> bool {
        true
    }

    /// Whether a report finds its message even when nobody heard that the network took it.
    fn finds_reports(&self) -> bool {
        true
    }

    /// A message for alice; true when transom has said that it is stored. `transom`: where its HTTP listens.
    async fn bring(&mut self, number: usize, transom: SocketAddr) -> bool;

    /// Says something of what it took: the `place`th. True when transom has said that it is stored.
    async fn report(&mut self, place: usize, word: Word, transom: SocketAddr) -> bool;

    /// Brings [`record`](Self::record) up to date.
    async fn look(&mut self) {}

    /// Ends what hangs, without an answer.
    async fn let_go(&mut self) {}

    /// From now on it takes nothing, or it takes again.
    async fn down(&mut self, is_down: bool) {
        self.moods().down(is_down);
    }

    /// What transom knows an incoming message by.
    fn incoming_id(&self, number: usize) -> String;
}

/// What is said of a message that was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// It is on its way.
    Sent,
    /// The other side has it.
    Delivered,
    /// The other side did not get it.
    Failed,
}

impl Word {
    /// What is said in turn of one that was delivered: once, twice, late, in a changed order, and with a contradiction.
    pub(super) fn by_chance(random: &mut Random) -> &'static [Self] {
        match random.below(10) {
            0..=4 => &[Self::Delivered],
            5 => &[Self::Delivered, Self::Delivered],
            6 => &[Self::Sent, Self::Delivered],
            7 | 8 => &[Self::Delivered, Self::Sent],
            _ => &[Self::Delivered, Self::Failed],
        }
    }
}

/// A message that the network took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Taken {
    /// Which of alice's.
    pub(crate) number: usize,
    /// By which the other side recognises it: two ids are two messages.
    pub(crate) id: String,
}

/// What a network has done, in the order of its doing.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Done>>);

#[derive(Default)]
pub(crate) struct Done {
    /// Taken.
    pub(crate) taken: Vec<Taken>,
    /// Refused for good at least once.
    pub(crate) refused: BTreeSet<usize>,
    /// Not taken at once: whoever may overtake those.
    pub(crate) put_off: BTreeSet<usize>,
}

impl Record {
    pub(super) fn lock(&self) -> MutexGuard<'_, Done> {
        self.0.lock().unwrap()
    }

    /// Takes it; how many it has with it.
    pub(super) fn take(&self, number: usize, id: impl FnOnce(usize) -> String) -> String {
        let mut done = self.lock();
        let id = id(done.taken.len() + 1);
        done.taken.push(Taken {
            number,
            id: id.clone(),
        });
        id
    }
}

/// What a network does with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    /// Takes it and says so.
    Takes,
    /// Has no room just now.
    Throttles,
    /// Is out of order.
    Fails,
    /// Never takes this one.
    Refuses,
    /// Is gone before a byte of an answer, without it or with it.
    Cuts { takes: bool },
    /// Says nothing, without it or with it.
    Hangs { takes: bool },
}

/// The moods of a network, which come by chance.
#[derive(Clone)]
pub(crate) struct Moods(Arc<Temper>);

struct Temper {
    random: Mutex<Random>,
    in_a_thousand: u64,
    is_down: AtomicBool,
}

impl Moods {
    /// It has so many in a thousand messages that it does not simply take.
    pub(crate) fn new(seed: u64, in_a_thousand: u64) -> Self {
        Self(Arc::new(Temper {
            random: Mutex::new(Random::new(seed)),
            in_a_thousand,
            is_down: AtomicBool::new(false),
        }))
    }

    /// From now on it is out of order, or it is in order again.
    pub(crate) fn down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::Relaxed);
    }

    pub(super) fn next(&self) -> Mood {
        if self.0.is_down.load(Ordering::Relaxed) {
            return Mood::Fails;
        }
        let mut random = self.0.random.lock().unwrap();
        if random.below(1_000) >= self.0.in_a_thousand {
            return Mood::Takes;
        }
        let takes = random.below(2) == 0;
        match random.below(13) {
            0..=2 => Mood::Throttles,
            3..=5 => Mood::Fails,
            6 | 7 => Mood::Refuses,
            8..=11 => Mood::Cuts { takes },
            _ => Mood::Hangs { takes },
        }
    }
}

/// Which message it is: the number behind the word at the beginning of a line.
pub(super) fn number_in(text: &str, word: &str) -> Option<usize> {
    let mut lines = text.lines();
    lines.find_map(|line| {
        line.trim_end()
            .strip_prefix(word)?
            .strip_prefix(' ')?
            .parse()
            .ok()
    })
}
