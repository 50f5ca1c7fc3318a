//! What an SMTP failure means for the message: the one place that decides.

use transom_adapter::{Failure, Outcome, Reason, Scope, Unproven};

use crate::status::{self, Status};

const STALE: &str = "a token of an earlier login is refused";

/// How far an attempt had come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Phase {
    /// TCP, TLS, greeting, EHLO.
    Connect,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, until 354.
    Data,
    /// The mail itself has been, or may have been, written whole: from here on nobody knows until the reply.
    Dot,
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server said no, with this code.
    Reply {
        phase: Phase,
        code: u16,
        text: String,
    },
    /// The login is refused with a token that was kept from an earlier one; the next one is new.
    Stale,
    /// No reply, or none that can be understood: cut, silence, garbage.
    Broken { phase: Phase, detail: String },
    /// The mail is larger than the server said it takes. RFC 1870
    TooLarge { bytes: usize, bytes_max: usize },
    /// The recipient's address is not ASCII, and the server does not take such. RFC 6531
    NotUtf8,
    /// The server lacks what the configuration insists on.
    Unfit { detail: String },
    /// A mail or an envelope that cannot be written.
    Ours { detail: String },
}

impl Trouble {
    /// The outcome for the queue.
    pub(crate) fn into_outcome(self) -> Outcome {
        match self {
            Self::Reply { phase, code, text } => of_reply(phase, code, &text),
            Self::Stale => {
                let failure = Failure::new(Reason::NetworkDown).with_detail(STALE);
                Outcome::Transient(failure)
            }
            Self::Broken { phase, detail } => {
                let failure =
                    Failure::new(Reason::NetworkDown).with_detail(status::for_log(&detail));
                match phase {
                    Phase::Dot => Outcome::Unknown(failure),
                    _ => Outcome::Transient(failure),
                }
            }
            Self::TooLarge { bytes, bytes_max } => {
                let detail = format!("the mail has {bytes} bytes, the server takes {bytes_max}");
                Outcome::Rejected(Failure::new(Reason::TooLarge).with_detail(detail))
            }
            Self::NotUtf8 => {
                let detail = "the server does not offer SMTPUTF8, which this address needs";
                Outcome::Rejected(Failure::new(Reason::Unsupported).with_detail(detail))
            }
            Self::Unfit { detail } => {
                Outcome::Misconfigured(Failure::new(Reason::OurAccount).with_detail(detail))
            }
            Self::Ours { detail } => {
                Outcome::Rejected(Failure::new(Reason::Unsupported).with_detail(detail))
            }
        }
    }

    /// Why a login was not kept.
    pub(crate) fn unproven(self, server: &str) -> Unproven {
        let server = server.to_owned();
        match self {
            Self::Reply {
                phase: Phase::Login,
                code: 500..,
                text,
            } => Unproven::Login {
                problem: status::for_log(&text),
            },
            Self::Reply { code, text, .. } => Unproven::Unreachable {
                server,
                problem: format!("{code} {}", status::for_log(&text)),
            },
            Self::Stale => Unproven::Unreachable {
                server,
                problem: STALE.to_owned(),
            },
            Self::Broken { detail, .. } => Unproven::Unreachable {
                server,
                problem: status::for_log(&detail),
            },
            Self::Unfit { detail } | Self::Ours { detail } => Unproven::Unfit {
                server,
                problem: detail,
            },
            Self::TooLarge { .. } | Self::NotUtf8 => Unproven::Unfit {
                server,
                problem: String::new(),
            },
        }
    }

    /// The sentence for `transom check --live`.
    pub(crate) fn explain(&self, place: &str) -> String {
        match self {
            Self::Reply {
                phase: Phase::Login,
                code,
                text,
            } => format!(
                "{place} refuses the login: {code} {}; check username and password",
                status::for_log(text)
            ),
            Self::Reply { code, text, .. } => {
                format!("{place} answers {code} {}", status::for_log(text))
            }
            Self::Broken { detail, .. } => {
                format!(
                    "{place} cannot be reached: {}; check url",
                    status::for_log(detail)
                )
            }
            Self::Stale => format!("{place}: {STALE}"),
            Self::Unfit { detail } | Self::Ours { detail } => format!("{place}: {detail}"),
            Self::NotUtf8 => format!("{place} takes only ASCII addresses"),
            Self::TooLarge { bytes_max, .. } => format!("{place} takes only {bytes_max} bytes"),
        }
    }
}

// RFC 5321 §4.2.1: 4yz may work later, 5yz will not.
fn of_reply(phase: Phase, code: u16, text: &str) -> Outcome {
    let status = Status::find(first_word(text));
    let mut shown = code.to_string();
    if let Some(status) = status {
        shown = format!("{shown} {status}");
    }
    let failure = |reason| {
        Failure::new(reason)
            .with_code(shown.clone())
            .with_detail(status::for_log(text))
    };
    match code {
        // RFC 4954 §6: no or a wrong login. 454 there is temporary.
        530 | 534 | 535 | 538 => Outcome::Misconfigured(failure(Reason::OurAccount)),
        500..=599 if phase == Phase::Login => Outcome::Misconfigured(failure(Reason::OurAccount)),
        // A server that takes nothing at all may take something tomorrow, and it says nothing about this mail.
        500..=599 if phase == Phase::Connect => Outcome::Transient(failure(Reason::NetworkDown)),
        500..=599 => {
            let reason = match status::reason(status, text) {
                Reason::Unspecified => of_code(phase, code),
                reason => reason,
            };
            Outcome::Rejected(failure(reason))
        }
        400..=499 if is_rate_limit(status, text) => Outcome::Throttled {
            after: None,
            scope: Scope::Account,
            failure: failure(Reason::RateLimited),
        },
        400..=499 => {
            let reason = match status::reason(status, text) {
                Reason::Unspecified => Reason::NetworkDown,
                reason => reason,
            };
            Outcome::Transient(failure(reason))
        }
        // A reply that belongs to another question.
        _ if phase == Phase::Dot => Outcome::Unknown(failure(Reason::NetworkDown)),
        _ => Outcome::Transient(failure(Reason::NetworkDown)),
    }
}

/// Whether we send too much, and not whether this mail is wanted: greylisting is about this mail alone.
fn is_rate_limit(status: Option<Status>, text: &str) -> bool {
    // What the large hosts say it with.
    let registered = status.is_some_and(|status| (status.subject, status.detail) == (7, 28));
    let text = text.to_lowercase();
    let says = [
        "rate limit",
        "ratelimit",
        "too many messages",
        "too many connections",
        "too many emails",
        "sending limit",
        "quota exceeded for sender",
    ];
    registered || says.iter().any(|phrase| text.contains(phrase))
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// RFC 5321 §4.2.3, for servers without enhanced codes.
fn of_code(phase: Phase, code: u16) -> Reason {
    match (phase, code) {
        (Phase::Recipient, 550 | 551 | 553) => Reason::NoSuchRecipient,
        (Phase::Recipient, 552) => Reason::MailboxFull,
        (_, 552) => Reason::TooLarge,
        (Phase::Sender, 550 | 553) => Reason::NotPermitted,
        (Phase::Data | Phase::Dot, 550 | 554) => Reason::Filtered,
        _ => Reason::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(phase: Phase, code: u16, text: &str) -> Outcome {
        let text = text.to_owned();
        Trouble::Reply { phase, code, text }.into_outcome()
    }

    #[test]
    fn what_a_reply_means_depends_on_its_class_and_where_it_came() {
        let rejected = |outcome| match outcome {
            Outcome::Rejected(failure) => failure.reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            rejected(outcome(Phase::Recipient, 550, "5.1.1 unknown")),
            Reason::NoSuchRecipient
        );
        assert_eq!(
            rejected(outcome(Phase::Recipient, 550, "")),
            Reason::NoSuchRecipient
        );
        assert_eq!(
            rejected(outcome(Phase::Dot, 552, "5.3.4 big")),
            Reason::TooLarge
        );
        assert_eq!(rejected(outcome(Phase::Dot, 554, "no")), Reason::Filtered);
        assert_eq!(
            rejected(outcome(Phase::Sender, 553, "")),
            Reason::NotPermitted
        );
        let account = outcome(Phase::Sender, 530, "5.7.0 login first");
        assert!(matches!(account, Outcome::Misconfigured(_)), "{account:?}");
        for (phase, code) in [
            (Phase::Recipient, 450),
            (Phase::Dot, 451),
            (Phase::Connect, 554),
            (Phase::Login, 454),
            (Phase::Sender, 421),
            (Phase::Data, 250),
        ] {
            let got = outcome(phase, code, "later");
            assert!(matches!(got, Outcome::Transient(_)), "{code}: {got:?}");
        }
        let much = outcome(Phase::Sender, 450, "4.7.1 rate limit reached");
        assert!(matches!(much, Outcome::Throttled { .. }), "{much:?}");
        let shifted = outcome(Phase::Dot, 354, "go ahead");
        assert!(matches!(shifted, Outcome::Unknown(_)), "{shifted:?}");
    }

    #[test]
    fn only_after_the_dot_is_silence_an_unknown_outcome() {
        let broken = |phase| {
            let detail = "cut".to_owned();
            Trouble::Broken { phase, detail }.into_outcome()
        };
        for phase in [
            Phase::Connect,
            Phase::Login,
            Phase::Sender,
            Phase::Recipient,
            Phase::Data,
        ] {
            assert!(matches!(broken(phase), Outcome::Transient(_)), "{phase:?}");
        }
        assert!(matches!(broken(Phase::Dot), Outcome::Unknown(_)));
    }

    #[test]
    fn code_and_detail_hold_no_address() {
        let Outcome::Rejected(failure) =
            outcome(Phase::Recipient, 550, "5.1.1 <bob@example.com> no")
        else {
            panic!("not rejected")
        };
        assert_eq!(failure.code.as_deref(), Some("550 5.1.1"));
        assert_eq!(failure.detail.as_deref(), Some("5.1.1 …@example.com> no"));
    }
}
