//! Vonage's error codes, for answers and for status callbacks alike. Vonage, "Messages API errors".

use transom_adapter::{Reason, Scope};

use crate::provider::answer::{ErrorRow, Verdict};

use Verdict::{Misconfigured, Rejected, Throttled, Transient};

#[rustfmt::skip]
pub(super) const TABLE: &[ErrorRow] = &[
    ErrorRow::new(1000, Throttled(Scope::Account), Reason::RateLimited),
    ErrorRow::new(1010, Rejected, Reason::Unspecified),                     // missing parameters
    ErrorRow::new(1020, Rejected, Reason::Unspecified),                     // invalid parameters
    ErrorRow::new(1030, Transient, Reason::NetworkDown),                    // internal error
    ErrorRow::new(1040, Rejected, Reason::Unsupported),                     // invalid message
    ErrorRow::new(1050, Rejected, Reason::NotPermitted),                    // number barred
    ErrorRow::new(1060, Misconfigured, Reason::OurAccount),                 // account barred
    ErrorRow::new(1070, Misconfigured, Reason::OurAccount),                 // no credit
    ErrorRow::new(1080, Misconfigured, Reason::OurAccount),                 // account not enabled
    ErrorRow::new(1090, Rejected, Reason::TooLarge),
    ErrorRow::new(1100, Transient, Reason::NetworkDown),                    // communication failed
    ErrorRow::new(1120, Rejected, Reason::OurAccount),                      // sender address
    ErrorRow::new(1130, Rejected, Reason::Unspecified),                     // ttl
    ErrorRow::new(1150, Rejected, Reason::Unspecified),                     // invalid parameters
    ErrorRow::new(1160, Rejected, Reason::OurAccount),                      // destination not whitelisted: a trial account
    ErrorRow::new(1170, Rejected, Reason::NoSuchRecipient),                 // no number
    ErrorRow::new(1180, Transient, Reason::Unreachable),                    // absent for now
    ErrorRow::new(1190, Rejected, Reason::Unreachable),                     // absent for good
    ErrorRow::new(1200, Rejected, Reason::NotPermitted),                    // barred by the user
    ErrorRow::new(1210, Rejected, Reason::Filtered),                        // spam
    ErrorRow::new(1220, Transient, Reason::Unreachable),                    // handset busy
    ErrorRow::new(1230, Transient, Reason::NetworkDown),                    // network error
    ErrorRow::new(1240, Rejected, Reason::NoSuchRecipient),                 // illegal number
    ErrorRow::new(1241, Throttled(Scope::Line), Reason::RateLimited),       // too many to one recipient
    ErrorRow::new(1250, Rejected, Reason::NotPermitted),                    // unroutable
    ErrorRow::new(1260, Rejected, Reason::Unreachable),                     // destination unreachable
    ErrorRow::new(1300, Rejected, Reason::Filtered),                        // blocked by the carrier
    ErrorRow::new(1330, Transient, Reason::Unspecified),                    // unknown error
    ErrorRow::new(EXPIRED, Rejected, Reason::Expired),
    ErrorRow::new(1420, Rejected, Reason::OurAccount),                      // sender is not ours
];

/// Its ttl ended; comes as `rejected`.
pub(super) const EXPIRED: u32 = 1360;
