//! The SMSC's ids: hexadecimal in answers and decimal in receipts with some, the other way round with others.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The kind of our ids in [`ExternalId`](transom_adapter::ExternalId).
pub(super) const KIND: &str = "smpp";

/// What is known of how this SMSC writes ids. An id with a letter says which place has the hexadecimal ones; until one was seen ids are
/// taken as they are written, for a guess could hit another message.
#[derive(Debug, Default)]
pub(super) struct Ids {
    hex_in_answers: AtomicBool,
    hex_in_receipts: AtomicBool,
}

impl Ids {
    /// An id of a `submit_sm_resp`, in the one form in which it is kept.
    pub(super) fn answered(&self, id: &str) -> String {
        note(&self.hex_in_answers, id);
        plain(id)
    }

    /// The ids that a receipt can mean, the likeliest first.
    pub(super) fn of_receipt(&self, id: &str) -> Vec<String> {
        note(&self.hex_in_receipts, id);
        let plain = plain(id);
        let (answers, receipts) = (
            self.hex_in_answers.load(Relaxed),
            self.hex_in_receipts.load(Relaxed),
        );
        let other = match (answers, receipts) {
            (true, false) => plain.parse::<u64>().ok().map(|value| format!("{value:x}")),
            (false, true) => u64::from_str_radix(&plain, 16)
                .ok()
                .map(|value| value.to_string()),
            _ => None,
        };
        [Some(plain), other].into_iter().flatten().collect()
    }
}

fn note(seen: &AtomicBool, id: &str) {
    let is_hex = id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && id.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        seen.store(true, Relaxed);
    }
}

/// Small letters, no zeros in front.
fn plain(id: &str) -> String {
    let id = id.trim().to_ascii_lowercase();
    let shorter = id.trim_start_matches('0');
    if shorter.is_empty() {
        id
    } else {
        shorter.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_answers_are_learnt() {
        let ids = Ids::default();
        assert_eq!(ids.of_receipt("0006699"), ["6699"], "no guess");
        assert_eq!(ids.answered("00001A2B"), "1a2b");
        assert_eq!(ids.of_receipt("0000006699"), ["6699", "1a2b"]);
    }

    #[test]
    fn hexadecimal_receipts_are_learnt() {
        let ids = Ids::default();
        assert_eq!(ids.answered("6699"), "6699");
        assert_eq!(ids.of_receipt("1A2B"), ["1a2b", "6699"]);
        assert_eq!(ids.of_receipt("10"), ["10", "16"]);
    }

    #[test]
    fn other_ids_are_left_alone() {
        let ids = Ids::default();
        let uuid = "F47AC10B-58CC-4372-A567-0E02B2C3D479";
        assert_eq!(ids.of_receipt(&ids.answered(uuid)), [uuid.to_lowercase()]);
        assert_eq!(ids.of_receipt("0"), ["0"]);
    }
}
