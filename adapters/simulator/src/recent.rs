//! The attempts that a simulated network remembers, so that it recognises a repeat.

use std::collections::{HashMap, VecDeque};

use crate::text::Delivery;

/// Attempts that are remembered; an older one, repeated, would be taken as new.
const RECENT_MAX: usize = 32_768;

/// The latest attempts.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    seen: HashMap<Delivery, Seen>,
    order: VecDeque<Delivery>,
}

/// What the network remembers of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// It has an id, and a repeat gets the same.
    Accepted,
    /// It stands on a phone's page, and the next attempt may end otherwise.
    Tried,
}

impl Recent {
    pub(crate) fn find(&self, delivery: Delivery) -> Option<Seen> {
        self.seen.get(&delivery).copied()
    }

    pub(crate) fn remember(&mut self, delivery: Delivery, seen: Seen) {
        if self.seen.insert(delivery, seen).is_some() {
            return;
        }
        self.order.push_back(delivery);
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transom_adapter::Key;

    #[test]
    fn only_the_latest_are_remembered() {
        let mut recent = Recent::default();
        for key in 0..=i64::try_from(RECENT_MAX).unwrap() {
            recent.remember((Key(key), 0), Seen::Accepted);
            recent.remember((Key(key), 0), Seen::Accepted);
        }
        assert_eq!(recent.find((Key(0), 0)), None);
        assert_eq!(recent.find((Key(1), 0)), Some(Seen::Accepted));
        assert_eq!(recent.seen.len(), RECENT_MAX);
    }
}
