//! Requests that ran out of time, and whose answer may still come in this session.

use std::collections::VecDeque;

use crate::requests::Mark;

/// The oldest are forgotten.
const REQUESTS_MAX: usize = 1_000;

/// By sequence number.
#[derive(Debug, Default)]
pub(crate) struct Overdue(VecDeque<(u32, Mark)>);

impl Overdue {
    pub(crate) fn add(&mut self, sequence: u32, mark: Mark) {
        if self.0.len() >= REQUESTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((sequence, mark));
    }

    /// Whose answer has come; only the first answer counts.
    pub(crate) fn take(&mut self, sequence: u32) -> Option<Mark> {
        let place = self.0.iter().position(|(known, _)| *known == sequence)?;
        self.0.remove(place).map(|(_, mark)| mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut overdue = Overdue::default();
        let most = u32::try_from(REQUESTS_MAX).unwrap();
        for sequence in 0..=most {
            overdue.add(sequence, Mark(i64::from(sequence), 0));
        }
        assert_eq!(overdue.take(0), None);
        assert_eq!(overdue.take(most), Some(Mark(i64::from(most), 0)));
        assert_eq!(overdue.take(most), None);
    }
}
