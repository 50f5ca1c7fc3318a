//! What an SMSC's status means. SMPP 3.4 §5.1.3

use transom_adapter::{Failure, Outcome, Reason, Scope};
use transom_smpp::status;

/// What follows from a status that is not "no error".
pub(super) fn refused(code: u32) -> Outcome {
    let failure = |reason| Failure::new(reason).with_code(status::name(code));
    match code {
        status::THROTTLED | status::QUEUE_FULL => Outcome::Throttled {
            after: None,
            scope: Scope::Account,
            failure: failure(Reason::RateLimited),
        },
        // Out of order, not bound for sending, submission failed, come again, delivery failed, unknown.
        0x04 | 0x08 | 0x45 | 0x64 | 0xfe | 0xff => Outcome::Transient(failure(Reason::NetworkDown)),
        0x01 => Outcome::Rejected(failure(Reason::TooLarge)),
        0x0b | 0x50 | 0x51 => Outcome::Rejected(failure(Reason::NoSuchRecipient)),
        0x0a | 0x48 | 0x49 => Outcome::Rejected(failure(Reason::NotPermitted)),
        // Wrong service type, system type or validity: every message will be refused so.
        0x15 | 0x53 | 0x62 => Outcome::Misconfigured(failure(Reason::OurAccount)),
        _ => Outcome::Rejected(failure(Reason::Unspecified)),
    }
}

/// Why a message was not taken; `None` where it was.
pub(super) fn failure(code: u32) -> Option<Failure> {
    if code == status::OK {
        return None;
    }
    match refused(code) {
        Outcome::Throttled { failure, .. }
        | Outcome::Transient(failure)
        | Outcome::Rejected(failure)
        | Outcome::Misconfigured(failure)
        | Outcome::Unknown(failure) => Some(failure),
        Outcome::Accepted { .. } | Outcome::PartlyAccepted { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_apart() {
        let is = |code| match refused(code) {
            Outcome::Throttled { .. } => "later",
            Outcome::Transient(_) => "again",
            Outcome::Rejected(_) => "never",
            Outcome::Misconfigured(_) => "ours",
            _ => "?",
        };
        for (codes, word) in [
            (&[0x14, 0x58][..], "later"),
            (&[0x04, 0x08, 0x45, 0x64, 0xfe, 0xff], "again"),
            (
                &[0x01, 0x0a, 0x0b, 0x33, 0x50, 0x66, 0xc0, 0x400, u32::MAX],
                "never",
            ),
            (&[0x15, 0x53, 0x62], "ours"),
        ] {
            for code in codes {
                assert_eq!(is(*code), word, "{code:#x}");
            }
        }
    }
}
