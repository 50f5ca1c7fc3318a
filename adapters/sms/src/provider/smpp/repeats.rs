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

/// Numbers the messages of each content from 0. An SMSC gives no ids, and brings again what was not answered, in the next session: there
/// the first of this content is the repeat. Within one session the same words are said twice, also at once.
#[derive(Debug, Default)]
pub(super) struct Numbers(HashMap<Content, Numbered>);

/// The messages of one content.
#[derive(Debug, Default)]
struct Numbered {
    /// All numbers below it were taken.
    next: u32,
    /// What was taken beyond: one before it is under way still, or was given back.
    beyond: BTreeSet<u32>,
    /// Those that are being taken in.
    under_way: Vec<Turn>,
}

/// A message that is being taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// Which of those of its content it is; a repeat has the number of the first.
    pub(super) number: u32,
    began: Instant,
}

impl Numbers {
    /// A message of this content came: it has the first number that was neither taken nor is held by one that came just before.
    pub(super) fn begin(&mut self, content: Content, now: Instant) -> Turn {
        if self.0.len() >= CONTENTS_MAX {
            self.0.retain(|_, numbered| !numbered.under_way.is_empty());
        }
        let numbered = self.0.entry(content).or_default();
        let is_held = |number: u32| {
            let mut held = numbered.under_way.iter();
            held.any(|turn| turn.number == number && now - turn.began < RESENT_AFTER)
        };
        let free = |number: &u32| !numbered.beyond.contains(number) && !is_held(*number);
        let number = (numbered.next..=u32::MAX).find(free).unwrap_or(u32::MAX);
        let turn = Turn { number, began: now };
        numbered.under_way.push(turn);
        turn
    }

    /// It was taken, or not: then its number is free for when it comes again.
    pub(super) fn end(&mut self, content: &Content, turn: Turn, taken: bool) {
        let Some(numbered) = self.0.get_mut(content) else {
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
        let (mut numbers, now) = (Numbers::default(), Instant::now());
        let (one, two) = (numbers.begin(HI, now), numbers.begin(HI, now));
        let other = numbers.begin([2; 32], now);
        assert_eq!((one.number, two.number, other.number), (0, 1, 0));
        numbers.end(&HI, two, true);
        numbers.end(&HI, one, true);
        assert_eq!(numbers.begin(HI, now).number, 2);
    }

    #[test]
    fn what_was_not_taken_gives_its_number_back() {
        let (mut numbers, now) = (Numbers::default(), Instant::now());
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
        let (mut numbers, began) = (Numbers::default(), Instant::now());
        let firsts = [numbers.begin(HI, began), numbers.begin(HI, began)];
        let later = began + RESENT_AFTER;
        let again = [numbers.begin(HI, later), numbers.begin(HI, later)];
        assert_eq!(again.map(|turn| turn.number), [0, 1]);
        assert_eq!(numbers.begin(HI, later).number, 2, "nobody says it twice");
        for turn in firsts.into_iter().chain(again) {
            numbers.end(&HI, turn, true);
        }
        assert_eq!(numbers.begin(HI, later + RESENT_AFTER).number, 2);
    }

    #[test]
    fn contents_are_forgotten_but_for_those_under_way() {
        let (mut numbers, now) = (Numbers::default(), Instant::now());
        let held = numbers.begin(HI, now);
        for content in 0..u32::try_from(CONTENTS_MAX).unwrap() + 5 {
            let mut other = [0; 32];
            other[..4].copy_from_slice(&content.to_be_bytes());
            let turn = numbers.begin(other, now);
            numbers.end(&other, turn, true);
        }
        assert!(numbers.0.len() <= CONTENTS_MAX);
        numbers.end(&HI, held, true);
        assert_eq!(numbers.begin(HI, now).number, 1);
    }
}
