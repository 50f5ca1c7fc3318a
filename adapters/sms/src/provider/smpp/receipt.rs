//! What became of a message, in TLVs or in words. SMPP 3.4 §5.3.2.35, Appendix B

use transom_adapter::{Failure, Progress, Reason};
use transom_smpp::{Deliver, tag};

/// A delivery receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The message's id as the receipt writes it.
    pub id: String,
    /// How far it came.
    pub progress: Progress,
    /// Why it failed, when it did.
    pub failure: Option<Failure>,
}

/// Longer ids are no ids: 65 octets in 3.4.
const ID_BYTES_MAX: usize = 65;

/// Reads a receipt; `None` when it is a message that somebody wrote, or says nothing that can be used.
pub fn receipt(deliver: &Deliver) -> Option<Receipt> {
    // 3.4 §5.2.12: a receipt of the SMSC, or an intermediate notification.
    let is_marked = matches!(deliver.esm_class & 0x3c, 0x04 | 0x20);
    let told_id = deliver
        .tlv(tag::RECEIPTED_MESSAGE_ID)
        .map(|value| text_of(value));
    let told_state = deliver
        .tlv(tag::MESSAGE_STATE)
        .and_then(|value| value.first().copied());
    if !is_marked && (told_id.is_none() || told_state.is_none()) {
        return None;
    }
    let words = text_of(&deliver.text);
    let id = told_id.or_else(|| field(&words, "id"));
    let id = id.filter(|id| (1..=ID_BYTES_MAX).contains(&id.len()))?;
    let word = told_state.and_then(state_word).map(str::to_owned);
    let word = word.or_else(|| field(&words, "stat"))?.to_ascii_uppercase();
    let code = field(&words, "err").filter(|code| code.bytes().any(|byte| byte != b'0'));
    let (progress, reason) = outcome(&word);
    let failure = reason.map(|reason| {
        let code = code.map_or_else(|| word.clone(), |code| format!("{word} {code}"));
        Failure::new(reason).with_code(code)
    });
    Some(Receipt {
        id,
        progress,
        failure,
    })
}

/// Whether it says that it is a receipt, readable or not: then it is nobody's message.
pub(super) fn is_receipt(deliver: &Deliver) -> bool {
    matches!(deliver.esm_class & 0x3c, 0x04 | 0x20)
}

/// `message_state`. 3.4 §5.2.28, 5.0 §4.7.15
fn state_word(state: u8) -> Option<&'static str> {
    Some(match state {
        0 => "SCHEDLD",
        1 => "ENROUTE",
        2 => "DELIVRD",
        3 => "EXPIRED",
        4 => "DELETED",
        5 => "UNDELIV",
        6 => "ACCEPTD",
        7 => "UNKNOWN",
        8 => "REJECTD",
        9 => "SKIPPED",
        _ => return None,
    })
}

fn outcome(word: &str) -> (Progress, Option<Reason>) {
    match word {
        "DELIVRD" | "DELIVERED" => (Progress::Delivered, None),
        "ENROUTE" | "SCHEDLD" | "SCHEDULED" => (Progress::Sent, None),
        "ACCEPTD" | "ACCEPTED" => (Progress::Accepted, None),
        "EXPIRED" => (Progress::Expired, Some(Reason::Expired)),
        "UNDELIV" | "UNDELIVERABLE" => (Progress::Failed, Some(Reason::Unreachable)),
        "REJECTD" | "REJECTED" => (Progress::Failed, Some(Reason::Filtered)),
        "DELETED" | "SKIPPED" => (Progress::Failed, Some(Reason::Unspecified)),
        _ => (Progress::Unknown, None),
    }
}

/// The value of `name:` in `id:1 sub:001 … stat:DELIVRD err:000 text:…`, in whatever order and letter case, with or without a space
/// behind the colon. What follows `text:` is the message's own.
fn field(words: &str, name: &str) -> Option<String> {
    let head = find_name(words, "text")
        .and_then(|at| words.get(..at))
        .unwrap_or(words);
    let at = find_name(head, name)? + name.len() + 1;
    let value = head.get(at..)?.split_whitespace().next()?;
    // `id: sub:001`: there was no value, and this is the next name.
    (!value.contains(':')).then(|| value.to_owned())
}

/// Where `name:` begins as a word of its own.
fn find_name(words: &str, name: &str) -> Option<usize> {
    let wanted = format!("{name}:");
    let lower = words.to_ascii_lowercase();
    let starts = lower.match_indices(&wanted).map(|(at, _)| at);
    let mut alone = starts.filter(|at| {
        *at == 0
            || lower
                .as_bytes()
                .get(at - 1)
                .is_some_and(u8::is_ascii_whitespace)
    });
    alone.next()
}

fn text_of(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use transom_smpp::Tlv;

    use super::*;

    fn told(text: &str) -> Option<Receipt> {
        receipt(&Deliver {
            esm_class: 0x04,
            text: text.to_owned().into(),
            ..Deliver::default()
        })
    }

    fn brief(receipt: Option<Receipt>) -> Option<(String, Progress)> {
        receipt.map(|receipt| (receipt.id, receipt.progress))
    }

    #[test]
    fn receipts_are_read_from_words() {
        let delivered = |id: &str| Some((id.to_owned(), Progress::Delivered));
        for (text, is) in [
            (
                "id:0123456789 sub:001 dlvrd:001 submit date:2611262200 done date:2611262201 stat:DELIVRD err:000 text:hello",
                delivered("0123456789"),
            ),
            ("ID:AB12 STAT:DELIVRD", delivered("AB12")),
            ("stat:DELIVRD id: 77 err:000", delivered("77")),
            ("id:7 stat:ENROUTE", Some(("7".into(), Progress::Sent))),
            ("id:7 stat:ACCEPTD", Some(("7".into(), Progress::Accepted))),
            ("id:7 stat:EXPIRED", Some(("7".into(), Progress::Expired))),
            (
                "id:7 stat:UNDELIV err:069",
                Some(("7".into(), Progress::Failed)),
            ),
            ("id:7 stat:WHATEVER", Some(("7".into(), Progress::Unknown))),
            ("text:id:8 stat:DELIVRD", None),
            ("id: sub:001 stat:DELIVRD", None),
            ("paid:7 stat:DELIVRD", None),
            ("id:7", None),
            ("", None),
        ] {
            assert_eq!(brief(told(text)), is, "{text}");
        }
        let failure = told("id:7 stat:UNDELIV err:069 text:")
            .unwrap()
            .failure
            .unwrap();
        assert_eq!(
            (failure.reason, failure.code.as_deref()),
            (Reason::Unreachable, Some("UNDELIV 069"))
        );
    }

    #[test]
    fn tlvs_say_it_better() {
        let tlv = |tag, value: &'static [u8]| Tlv {
            tag,
            value: value.into(),
        };
        let deliver = |esm_class, tlvs| Deliver {
            esm_class,
            tlvs,
            text: "id:1 stat:ENROUTE".into(),
            ..Deliver::default()
        };
        let both = vec![
            tlv(tag::RECEIPTED_MESSAGE_ID, b"abc\0"),
            tlv(tag::MESSAGE_STATE, &[2]),
        ];
        let is = Some(("abc".to_owned(), Progress::Delivered));
        assert_eq!(brief(receipt(&deliver(0x04, both.clone()))), is);
        assert_eq!(
            brief(receipt(&deliver(0x00, both))),
            is,
            "an SMSC that forgets esm_class"
        );
        let half = vec![tlv(tag::RECEIPTED_MESSAGE_ID, b"abc\0")];
        assert_eq!(
            brief(receipt(&deliver(0x04, half))),
            Some(("abc".into(), Progress::Sent))
        );
        assert_eq!(
            receipt(&deliver(0x00, Vec::new())),
            None,
            "somebody quotes a receipt"
        );
    }

    proptest! {
        #[test]
        fn noise_is_no_panic(esm_class in any::<u8>(), text in prop::collection::vec(any::<u8>(), 0..200), value in prop::collection::vec(any::<u8>(), 0..80)) {
            let tlvs = vec![
                Tlv { tag: tag::RECEIPTED_MESSAGE_ID, value: value.clone().into() },
                Tlv { tag: tag::MESSAGE_STATE, value: value.into() },
            ];
            receipt(&Deliver { esm_class, text: text.into(), tlvs, ..Deliver::default() });
        }

        #[test]
        fn words_in_any_order(order in Just(vec!["id:7", "sub:001", "dlvrd:001", "submit date:2611262200", "done date:2611262201", "stat:DELIVRD", "err:000"]).prop_shuffle()) {
            prop_assert_eq!(brief(told(&order.join(" "))), Some(("7".to_owned(), Progress::Delivered)));
        }
    }
}
