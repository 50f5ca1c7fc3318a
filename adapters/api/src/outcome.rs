//! What came of one attempt.

use std::time::Duration;

use crate::ExternalId;

/// What came of one [`Account::send`](crate::Account::send). The queue's one table maps it to what follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The network took it. It does not mean that anybody has it.
    Accepted {
        /// The ids by which reports will name it; empty where reports carry our own [`Key`](crate::Key).
        ids: Vec<ExternalId>,
    },
    /// Some parts were taken, the others were refused for good.
    PartlyAccepted {
        /// The ids of the parts that were taken.
        ids: Vec<ExternalId>,
        /// Why the others were not.
        rest: Failure,
    },
    /// Refused for good: the same message will be refused again.
    Rejected(Failure),
    /// Not taken now because too much was sent; surely not sent.
    Throttled {
        /// When to try again, if the network said so.
        after: Option<Duration>,
        /// What has to wait until then.
        scope: Scope,
        /// For the admin.
        failure: Failure,
    },
    /// Surely not sent, and likely to work later or elsewhere.
    Transient(Failure),
    /// It may have gone out, and nobody can tell.
    Unknown(Failure),
    /// The account itself is at fault (wrong password, no credit): surely not sent, and nothing else would be either.
    Misconfigured(Failure),
}

/// What a throttle applies to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// This message alone.
    Request,
    /// Everything from the same line.
    Line,
    /// Everything through the same account.
    Account,
}

/// Why something failed: a word for the user's sentence, a code for the admin, a detail for the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What the user is told.
    pub reason: Reason,
    /// The network's own code: `30003`, `550 5.1.1`.
    pub code: Option<String>,
    /// One line for the log, without message text, without whole addresses.
    pub detail: Option<String>,
}

impl Failure {
    /// A failure with a reason alone.
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            code: None,
            detail: None,
        }
    }

    /// Adds the network's code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds the line for the log.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Why something failed, as far as it matters to the person who wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// The recipient does not exist: unassigned number, no such mailbox.
    NoSuchRecipient,
    /// The recipient exists and cannot be reached now: handset off, server down for days.
    Unreachable,
    /// The number cannot take texts: a landline.
    NotATextNumber,
    /// The recipient's mailbox or handset memory is full.
    MailboxFull,
    /// Refused as spam or by a carrier's filter.
    Filtered,
    /// The recipient has opted out (STOP).
    OptedOut,
    /// The sender, the destination or the route is not permitted by the network.
    NotPermitted,
    /// Larger than the recipient's side takes.
    TooLarge,
    /// The network cannot carry this content.
    Unsupported,
    /// A file that goes with it could not be fetched or kept.
    FileGone,
    /// A file that goes with it is where nothing may be fetched from.
    FileForbidden,
    /// A file that goes with it is larger than what the network takes, and cannot be made smaller.
    FileTooLarge,
    /// A file that goes with it is of a kind that the network does not take.
    FileNotTaken,
    /// Too many messages.
    RateLimited,
    /// The network could not be reached or was out of order.
    NetworkDown,
    /// It waited too long, here or there.
    Expired,
    /// The account here is at fault; the admin has to act.
    OurAccount,
    /// The network gave a reason that says nothing to anybody, or none.
    Unspecified,
}

impl Reason {
    /// Every reason, for tables and tests.
    pub const ALL: [Self; 18] = [
        Self::NoSuchRecipient,
        Self::Unreachable,
        Self::NotATextNumber,
        Self::MailboxFull,
        Self::Filtered,
        Self::OptedOut,
        Self::NotPermitted,
        Self::TooLarge,
        Self::Unsupported,
        Self::FileGone,
        Self::FileForbidden,
        Self::FileTooLarge,
        Self::FileNotTaken,
        Self::RateLimited,
        Self::NetworkDown,
        Self::Expired,
        Self::OurAccount,
        Self::Unspecified,
    ];

    /// The stable word in the database and in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchRecipient => "no-such-recipient",
            Self::Unreachable => "unreachable",
            Self::NotATextNumber => "not-a-text-number",
            Self::MailboxFull => "mailbox-full",
            Self::Filtered => "filtered",
            Self::OptedOut => "opted-out",
            Self::NotPermitted => "not-permitted",
            Self::TooLarge => "too-large",
            Self::Unsupported => "unsupported",
            Self::FileGone => "file-gone",
            Self::FileForbidden => "file-forbidden",
            Self::FileTooLarge => "file-too-large",
            Self::FileNotTaken => "file-not-taken",
            Self::RateLimited => "rate-limited",
            Self::NetworkDown => "network-down",
            Self::Expired => "expired",
            Self::OurAccount => "our-account",
            Self::Unspecified => "unspecified",
        }
    }

    /// The reason with this word; an unknown one is [`Reason::Unspecified`], so that an older binary can read a newer row.
    pub fn from_word(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == word)
            .unwrap_or(Self::Unspecified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_from_its_word() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_word(reason.as_str()), reason);
        }
        assert_eq!(Reason::from_word("from-the-future"), Reason::Unspecified);
    }
}
