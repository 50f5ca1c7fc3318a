//! The same words said twice in one session, and a message that the SMSC brings again.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use tokio::time::Instant;

/// What identical messages have in common.
pub(super) type Content = [u8; 32];

/// Contents of one session that are told apart; after that those that are not being taken in are forgotten.
const CONTENTS_MAX: usize = 10_000;
/// No SMSC waits shorter for an answer: what comes again sooner is another message, and later the same one.
const RESENT_AFTER: Duration = Duration::from_secs(2);
/// How often [`Numbers::seen`] is to be called.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// Numbers the messages of each content from 0. An SMSC gives no ids, and brings again what was not answered, in the next session: there
/// the first of this content is the repeat. Within one session the same words are said twice, also at once.
///
/// After this process has stood still what comes at once may have been brought one after the other: the same words are a repeat then.
#[derive(Debug)]
pub(super) struct Numbers {
    contents: HashMap<Content, Numbered>,
    /// When this process was last seen running.
    seen: Instant,
    /// When it was last found to have stood still.
    stood_still: Option<Instant>,
}

/// The messages of one content.
#[derive(Debug, Default)]
struct Numbered {
    /// All numbers below it were taken.
    next: u32,
    /// What was taken beyond: one before it is under way still, or was given back.
    beyond: BTreeSet<u32>,
    /// Those that are being taken in.
    under_way: Vec<Turn>,
    /// The one that came last.
    last: Option<Turn>,
}

/// A message that is being taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// Which of those of its content it is; a repeat has the number of the first.
    pub(super) number: u32,
    began: Instant,
}

impl Numbers {
    /// Of a session that begins.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            contents: HashMap::new(),
            seen: now,
            stood_still: None,
        }
    }

    /// This process runs.
    pub(super) fn seen(&mut self, now: Instant) {
        if now - self.seen >= RESENT_AFTER {
            self.stood_still = Some(now);
        }
        self.seen = now;
    }

    /// A message of this content came: it has the first number that was neither taken nor is held by one that came just before.
    pub(super) fn begin(&mut self, content: Content, now: Instant) -> Turn {
        self.seen(now);
        if self.contents.len() >= CONTENTS_MAX {
            let contents = &mut self.contents;
            contents.retain(|_, numbered| !numbered.under_way.is_empty());
        }
        let stood_still = self.stood_still.filter(|at| now - *at < RESENT_AFTER);
        let numbered = self.contents.entry(content).or_default();
        let same = numbered
            .last
            .filter(|last| stood_still.is_some_and(|at| last.began >= at));
        let is_held = |number: u32| {
            let mut held = numbered.under_way.iter();
            held.any(|turn| turn.number == number && now - turn.began < RESENT_AFTER)
        };
        let free = |number: &u32| !numbered.beyond.contains(number) && !is_held(*number);
        let mut numbers = numbered.next..=u32::MAX;
        let number = match same {
            Some(last) => last.number,
            None => numbers.find(free).unwrap_or(u32::MAX),
        };
        let turn = Turn { number, began: now };
        numbered.under_way.push(turn);
        numbered.last = Some(turn);
        turn
    }

    /// It was taken, or not: then its number is free for when it comes again.
    pub(super) fn end(&mut self, content: &Content, turn: Turn, taken: bool) {
        let Some(numbered) = self.contents.get_mut(content) else {
            return;
        };
        let place = numbered.under_way.iter().position(|held| *held == turn);
        place.map(|place| numbered.under_way.swap_remove(place));
        if taken && turn.number >= numbered.next {
            numbered.beyond.insert(turn.number);
        }
        while numbered.beyond.remove(&numbered.next) {
            numbered.next = numbered.next.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HI: Content = [1; 32];

    #[test]
    fn the_same_words_at_once_are_two_messages() {
        let now = Instant::now();
        let mut numbers = Numbers::new(now);
        let (one, two) = (numbers.begin(HI, now), numbers.begin(HI, now));
        let other = numbers.begin([2; 32], now);
        assert_eq!((one.number, two.number, other.number), (0, 1, 0));
        numbers.end(&HI, two, true);
        numbers.end(&HI, one, true);
        assert_eq!(numbers.begin(HI, now).number, 2);
    }

    #[test]
    fn what_was_not_taken_gives_its_number_back() {
        let now = Instant::now();
        let mut numbers = Numbers::new(now);
        let (one, two) = (numbers.begin(HI, now), numbers.begin(HI, now));
        numbers.end(&HI, one, false);
        numbers.end(&HI, two, true);
        let again = numbers.begin(HI, now);
        assert_eq!(again.number, 0, "that of no message that was taken");
        numbers.end(&HI, again, true);
        assert_eq!(numbers.begin(HI, now).number, 2);
    }

    #[test]
    fn what_is_brought_again_before_it_was_answered_is_the_same() {
        let began = Instant::now();
        let mut numbers = Numbers::new(began);
        let firsts = [numbers.begin(HI, began), numbers.begin(HI, began)];
        let later = began + RESENT_AFTER;
        numbers.seen(began + RESENT_AFTER / 2);
        let again = [numbers.begin(HI, later), numbers.begin(HI, later)];
        assert_eq!(again.map(|turn| turn.number), [0, 1]);
        assert_eq!(numbers.begin(HI, later).number, 2, "nobody says it twice");
        for turn in firsts.into_iter().chain(again) {
            numbers.end(&HI, turn, true);
        }
        assert_eq!(numbers.begin(HI, later + RESENT_AFTER).number, 2);
    }

    #[test]
    fn what_was_brought_again_and_again_while_this_process_stood_still_is_the_same() {
        let began = Instant::now();
        let mut numbers = Numbers::new(began);
        let first = numbers.begin(HI, began);
        numbers.end(&HI, first, true);
        let woken = began + 3 * RESENT_AFTER;
        let one = numbers.begin(HI, woken);
        let two = numbers.begin(HI, woken);
        numbers.end(&HI, one, true);
        let three = numbers.begin(HI, woken + LOOK);
        assert_eq!([one, two, three].map(|turn| turn.number), [1, 1, 1]);
        numbers.end(&HI, three, true);
        let later = woken + RESENT_AFTER - LOOK;
        numbers.seen(later);
        let another = numbers.begin(HI, later + LOOK);
        assert_eq!(another.number, 2, "it runs again");
    }

    #[test]
    fn contents_are_forgotten_but_for_those_under_way() {
        let now = Instant::now();
        let mut numbers = Numbers::new(now);
        let held = numbers.begin(HI, now);
        for content in 0..u32::try_from(CONTENTS_MAX).unwrap() + 5 {
            let mut other = [0; 32];
            other[..4].copy_from_slice(&content.to_be_bytes());
            let turn = numbers.begin(other, now);
            numbers.end(&other, turn, true);
        }
        assert!(numbers.contents.len() <= CONTENTS_MAX);
        numbers.end(&HI, held, true);
        assert_eq!(numbers.begin(HI, now).number, 1);
    }
}
