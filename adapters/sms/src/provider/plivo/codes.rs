//! Codes of Plivo's delivery reports. Plivo, "Messaging error codes".

use transom_adapter::{Reason, Scope};

use crate::provider::answer::{ErrorRow, Verdict};

use Verdict::{Misconfigured, Rejected, Throttled, Transient};

#[rustfmt::skip]
pub(super) const TABLE: &[ErrorRow] = &[
    ErrorRow::new(10, Rejected, Reason::Unsupported),                   // invalid message
    ErrorRow::new(20, Transient, Reason::NetworkDown),                  // network error: "you can retry later"
    ErrorRow::new(30, Rejected, Reason::Filtered),                      // spam
    ErrorRow::new(40, Rejected, Reason::OurAccount),                    // source number
    ErrorRow::new(50, Rejected, Reason::NoSuchRecipient),               // destination number
    ErrorRow::new(60, Rejected, Reason::NotPermitted),                  // loop
    ErrorRow::new(70, Rejected, Reason::Unreachable),                   // destination for good unavailable
    ErrorRow::new(80, Transient, Reason::Unreachable),                  // destination for now unavailable
    ErrorRow::new(90, Rejected, Reason::NotPermitted),                  // no route
    ErrorRow::new(100, Rejected, Reason::NotPermitted),                 // prohibited by the carrier
    ErrorRow::new(110, Throttled(Scope::Line), Reason::RateLimited),    // queue full
    ErrorRow::new(200, Rejected, Reason::OptedOut),                     // STOP
    ErrorRow::new(300, Transient, Reason::NetworkDown),                 // Plivo's network failed
    ErrorRow::new(EXPIRED, Rejected, Reason::Expired),
    ErrorRow::new(450, Rejected, Reason::NotPermitted),                 // destination country barred
    ErrorRow::new(451, Throttled(Scope::Line), Reason::RateLimited),    // daily limit of the number
    ErrorRow::new(900, Misconfigured, Reason::OurAccount),              // no credit
    ErrorRow::new(910, Rejected, Reason::OurAccount),                   // account disabled
    ErrorRow::new(1000, Rejected, Reason::Unspecified),                 // unknown
];

/// Its validity ended.
pub(super) const EXPIRED: u32 = 420;
