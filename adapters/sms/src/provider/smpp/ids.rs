//! The SMSC's ids: hexadecimal in answers and decimal in receipts with some, the other way round with others.

use std::{
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use transom_adapter::{AccountName, Busy, Context, Cursor};

/// The kind of our ids in [`ExternalId`](transom_adapter::ExternalId).
pub(super) const KIND: &str = "smpp";
/// The name under which it is kept how an SMSC writes ids.
const CURSOR: &str = "ids";
/// After so many ids of digits alone they are decimal: of a hundred thousand rows of hexadecimal ones eight have no letter.
const DIGITS_ONLY: u8 = 20;
/// Between two attempts to keep what was learnt.
const AGAIN: Duration = Duration::from_secs(1);

/// How ids are written in one place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Form {
    #[default]
    Unknown,
    /// None had a letter so far.
    Decimal,
    /// One had a letter.
    Hexadecimal,
}

/// What is known of how this SMSC writes ids. An id with a letter says which place has the hexadecimal ones; until one was seen ids are
/// taken as they are written, for a guess could hit another message.
#[derive(Debug, Default)]
pub(super) struct Ids {
    seen: Mutex<Seen>,
    learnt: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    answers: Place,
    receipts: Place,
}

#[derive(Debug, Default)]
struct Place {
    form: Form,
    digits_only: u8,
}

/// What is kept of it, for the next process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Known {
    answers: Form,
    receipts: Form,
}

impl Ids {
    /// An id of a `submit_sm_resp`, in the one form in which it is kept.
    pub(super) fn answered(&self, id: &str) -> String {
        self.note(id, |seen| &mut seen.answers);
        plain(id)
    }

    /// The ids that a receipt can mean, the likeliest first.
    pub(super) fn of_receipt(&self, id: &str) -> Vec<String> {
        self.note(id, |seen| &mut seen.receipts);
        let known = self.known();
        let plain = plain(id);
        let other = match (known.answers, known.receipts) {
            (Form::Hexadecimal, Form::Unknown | Form::Decimal) => {
                plain.parse::<u64>().ok().map(|value| format!("{value:x}"))
            }
            (Form::Unknown | Form::Decimal, Form::Hexadecimal) => u64::from_str_radix(&plain, 16)
                .ok()
                .map(|value| value.to_string()),
            _ => None,
        };
        match other {
            // Where ids are counted up, the digits as they are written are another message's id in the other form.
            Some(other) if known.is_settled() => vec![other],
            Some(other) if other != plain => vec![other, plain],
            _ => vec![plain],
        }
    }

    /// What an earlier process learnt of this SMSC.
    ///
    /// # Errors
    ///
    /// [`Busy`] when the store cannot be asked now.
    pub(super) async fn recall(
        &self,
        (account, smsc): (&AccountName, &str),
        context: &Context,
    ) -> Result<Known, Busy> {
        let kept = context.inbox.cursor(account, CURSOR).await?;
        let known = Known::read(&kept.unwrap_or_default(), smsc);
        let mut seen = self.seen();
        seen.answers.form = seen.answers.form.max(known.answers);
        seen.receipts.form = seen.receipts.form.max(known.receipts);
        Ok(known)
    }

    /// Keeps what is learnt beyond what was kept.
    pub(super) async fn keep(
        &self,
        (account, smsc): (&AccountName, &str),
        context: &Context,
        mut kept: Known,
    ) -> Infallible {
        loop {
            let known = self.known();
            if known == kept {
                self.learnt.notified().await;
                continue;
            }
            let cursor = Cursor {
                name: CURSOR.to_owned(),
                value: known.write(smsc),
            };
            let committed = context
                .inbox
                .commit(account, Vec::new(), Some(cursor))
                .await;
            if committed.is_ok() {
                kept = known;
            } else {
                let again = context.clock.now().after(AGAIN);
                context.clock.sleep_until(again).await;
            }
        }
    }

    fn note(&self, id: &str, place: impl FnOnce(&mut Seen) -> &mut Place) {
        if place(&mut self.seen()).learns(id.trim()) {
            self.learnt.notify_one();
        }
    }

    fn known(&self) -> Known {
        let seen = self.seen();
        Known {
            answers: seen.answers.form,
            receipts: seen.receipts.form,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whether an id says more than was known.
    fn learns(&mut self, id: &str) -> bool {
        let is_number = (1..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
        let before = self.form;
        if is_number && id.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            self.form = Form::Hexadecimal;
        } else if is_number && self.form == Form::Unknown {
            self.digits_only += 1;
            if self.digits_only >= DIGITS_ONLY {
                self.form = Form::Decimal;
            }
        }
        self.form != before
    }
}

impl Known {
    /// Whether one place is known to be hexadecimal and the other to be decimal.
    fn is_settled(self) -> bool {
        self.answers != Form::Unknown && self.receipts != Form::Unknown
    }

    /// With the SMSC's name: another one at the same account writes as it likes.
    fn write(self, smsc: &str) -> String {
        let (answers, receipts) = (self.answers.word(), self.receipts.word());
        format!("{smsc} {answers} {receipts}")
    }

    fn read(kept: &str, smsc: &str) -> Self {
        let words: Vec<_> = kept.split(' ').collect();
        match words[..] {
            [of, answers, receipts] if of == smsc => Self {
                answers: Form::of_word(answers),
                receipts: Form::of_word(receipts),
            },
            _ => Self::default(),
        }
    }
}

impl Form {
    fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Decimal => "decimal",
            Self::Hexadecimal => "hexadecimal",
        }
    }

    fn of_word(word: &str) -> Self {
        let all = [Self::Decimal, Self::Hexadecimal];
        let mut known = all.into_iter().filter(|form| form.word() == word);
        known.next().unwrap_or_default()
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
        assert_eq!(ids.of_receipt("0000006699"), ["1a2b", "6699"]);
        assert_eq!(ids.of_receipt("7"), ["7"]);
    }

    #[test]
    fn hexadecimal_receipts_are_learnt() {
        let ids = Ids::default();
        assert_eq!(ids.answered("6699"), "6699");
        assert_eq!(ids.of_receipt("1A2B"), ["6699", "1a2b"]);
        assert_eq!(ids.of_receipt("10"), ["16", "10"]);
    }

    #[test]
    fn what_is_settled_is_not_guessed() {
        let ids = Ids::default();
        for id in 1..=DIGITS_ONLY {
            assert_eq!(ids.answered(&id.to_string()), id.to_string());
        }
        assert_eq!(ids.of_receipt("10"), ["10"], "decimal, for all one knows");
        assert_eq!(ids.of_receipt("A"), ["10"]);
        assert_eq!(ids.of_receipt("10"), ["16"], "not the tenth message");
        ids.answered("1f");
        assert_eq!(ids.of_receipt("10"), ["10"], "hexadecimal in both");
    }

    #[test]
    fn what_is_known_reads_back_for_the_same_smsc_alone() {
        let forms = [Form::Unknown, Form::Decimal, Form::Hexadecimal];
        for (answers, receipts) in forms.into_iter().flat_map(|a| forms.map(|b| (a, b))) {
            let known = Known { answers, receipts };
            let kept = known.write("[::1]:2775");
            assert_eq!(Known::read(&kept, "[::1]:2775"), known);
            assert_eq!(Known::read(&kept, "[::1]:2776"), Known::default());
        }
        for other in ["", "a:1", "a:1 decimal", "a:1 odd words", "a:1 b c d"] {
            assert_eq!(Known::read(other, "a:1"), Known::default(), "{other}");
        }
    }

    #[test]
    fn other_ids_are_left_alone() {
        let ids = Ids::default();
        let uuid = "F47AC10B-58CC-4372-A567-0E02B2C3D479";
        assert_eq!(ids.of_receipt(&ids.answered(uuid)), [uuid.to_lowercase()]);
        assert_eq!(ids.of_receipt("0"), ["0"]);
    }
}
