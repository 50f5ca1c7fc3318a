//! So often in a while, and no more, for each of many.

use std::collections::HashMap;

/// Counts by name; bounded in memory.
#[derive(Debug)]
pub(super) struct Throttle {
    most: u32,
    window_ms: i64,
    /// When each window began, and how often since.
    known: HashMap<String, (i64, u32)>,
}

/// Names that are remembered; beyond, the old ones are forgotten and in the worst case all.
const NAMES_MAX: usize = 10_000;

impl Throttle {
    /// At most so often in so many milliseconds.
    pub(super) fn new(most: u32, window_ms: i64) -> Self {
        Self {
            most,
            window_ms,
            known: HashMap::new(),
        }
    }

    /// Whether it may happen once more now; if so, it is counted.
    pub(super) fn allows(&mut self, name: &str, now_ms: i64) -> bool {
        self.share(name, now_ms) == Share::Within
    }

    /// The same, with a word for the first time that it may not.
    pub(super) fn share(&mut self, name: &str, now_ms: i64) -> Share {
        if let Some((begun, count)) = self.known.get_mut(name) {
            if now_ms - *begun >= self.window_ms {
                (*begun, *count) = (now_ms, 0);
            }
            *count = count.saturating_add(1);
            return Share::of(*count, self.most);
        }
        if self.known.len() >= NAMES_MAX {
            self.known
                .retain(|_, (begun, _)| now_ms - *begun < self.window_ms);
            if self.known.len() >= NAMES_MAX {
                self.known.clear();
            }
        }
        self.known.insert(name.to_owned(), (now_ms, 1));
        Share::of(1, self.most)
    }
}

/// What somebody has of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Share {
    /// There is enough.
    Within,
    /// Just used up: whoever has to know is told now, and once.
    UsedUp,
    /// Used up, as was told.
    Beyond,
}

impl Share {
    fn of(count: u32, most: u32) -> Self {
        match count.cmp(&most.saturating_add(1)) {
            std::cmp::Ordering::Less => Self::Within,
            std::cmp::Ordering::Equal => Self::UsedUp,
            std::cmp::Ordering::Greater => Self::Beyond,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_share_in_each_window() {
        let mut throttle = Throttle::new(2, 1000);
        assert!(throttle.allows("a", 0) && throttle.allows("a", 1));
        assert_eq!(throttle.share("a", 998), Share::UsedUp);
        assert_eq!(throttle.share("a", 999), Share::Beyond);
        assert!(throttle.allows("b", 999));
        assert!(throttle.allows("a", 1000));
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let mut throttle = Throttle::new(1, 1000);
        for name in 0..3 * NAMES_MAX {
            assert!(throttle.allows(&name.to_string(), 0));
        }
        assert!(throttle.known.len() <= NAMES_MAX);
    }
}
