//! Ids that came too late: of their messages it was said that nobody knows, and the store has no id for them.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use transom_adapter::{Key, MessageRef};

/// The oldest are forgotten.
const IDS_MAX: usize = 1_000;

/// Which message and part an id is of, for its receipt. It lasts as long as the process.
#[derive(Debug, Default)]
pub(super) struct LateIds(Mutex<VecDeque<(String, Key, u16)>>);

impl LateIds {
    pub(super) fn learn(&self, id: String, key: Key, part: u16) {
        self.forget(&id);
        let mut ids = self.ids();
        if ids.len() >= IDS_MAX {
            ids.pop_front();
        }
        ids.push_back((id, key, part));
    }

    /// The SMSC gave the id to another message: it counts from the beginning again.
    pub(super) fn forget(&self, id: &str) {
        self.ids().retain(|(known, ..)| known != id);
    }

    pub(super) fn of(&self, id: &str) -> Option<MessageRef> {
        let ids = self.ids();
        let (_, key, part) = ids.iter().find(|(known, ..)| known == id)?;
        Some(MessageRef::Key(*key, *part))
    }

    fn ids(&self) -> MutexGuard<'_, VecDeque<(String, Key, u16)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_the_last_message_that_got_it() {
        let late = LateIds::default();
        late.learn("7".into(), Key(1), 0);
        late.learn("7".into(), Key(2), 1);
        assert_eq!(late.of("7"), Some(MessageRef::Key(Key(2), 1)));
        late.forget("7");
        assert_eq!(late.of("7"), None);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let late = LateIds::default();
        for id in 0..=IDS_MAX {
            late.learn(id.to_string(), Key(1), 0);
        }
        assert_eq!(late.of("0"), None);
        assert!(late.of("1").is_some());
    }
}
