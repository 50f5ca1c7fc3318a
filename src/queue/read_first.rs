//! What was read from the database before word of it came.
//!
//! Between a commit and the word of it the database may be asked what waits, and has it already. When the word comes it is no news: what
//! was read is in the book, was handed out, or is done.

use std::collections::{HashSet, VecDeque};

/// Word comes within moments; so many reads later nobody waits for it any more.
const KEPT: usize = 16_384;

/// The deliveries that were read last.
#[derive(Debug, Default)]
pub(super) struct ReadFirst {
    known: HashSet<i64>,
    order: VecDeque<i64>,
}

impl ReadFirst {
    pub(super) fn add(&mut self, delivery_id: i64) {
        if !self.known.insert(delivery_id) {
            return;
        }
        self.order.push_back(delivery_id);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn has(&self, delivery_id: i64) -> bool {
        self.known.contains(&delivery_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_known_and_no_more_are_kept() {
        let mut read = ReadFirst::default();
        let last = i64::try_from(KEPT).unwrap();
        (0..=last).for_each(|id| read.add(id));
        read.add(last);
        assert!(!read.has(0) && read.has(1) && read.has(last));
        assert_eq!((read.known.len(), read.order.len()), (KEPT, KEPT));
    }
}
