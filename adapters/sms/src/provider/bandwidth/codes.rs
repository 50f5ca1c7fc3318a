//! Codes of Bandwidth's failed messages. Bandwidth, "Messaging errors": 4xxx is said of the message, 5xxx of the service. Codes
//! without a row are refusals without a known reason.

use transom_adapter::{Reason, Scope};

use crate::provider::answer::{ErrorRow, Verdict};

use Verdict::{Rejected, Throttled, Transient};

#[rustfmt::skip]
pub(super) const TABLE: &[ErrorRow] = &[
    ErrorRow::new(EXPIRED, Rejected, Reason::Expired),
    ErrorRow::new(4432, Rejected, Reason::NotPermitted),                    // country
    ErrorRow::new(4470, Rejected, Reason::Filtered),                        // spam
    ErrorRow::new(4482, Rejected, Reason::OptedOut),
    ErrorRow::new(4701, Transient, Reason::Unreachable),
    ErrorRow::new(4702, Transient, Reason::Unreachable),
    ErrorRow::new(4720, Rejected, Reason::NoSuchRecipient),
    ErrorRow::new(4721, Rejected, Reason::Unreachable),
    ErrorRow::new(4740, Rejected, Reason::OurAccount),                      // source number
    ErrorRow::new(4750, Rejected, Reason::Unspecified),                     // destination rejected
    ErrorRow::new(4770, Rejected, Reason::Filtered),                        // spam, by the carrier
    ErrorRow::new(4773, Rejected, Reason::OurAccount),                      // number without a 10DLC campaign
    ErrorRow::new(4774, Rejected, Reason::OurAccount),                      // number without a 10DLC campaign
    ErrorRow::new(4775, Rejected, Reason::OptedOut),
    ErrorRow::new(4780, Throttled(Scope::Line), Reason::RateLimited),       // throughput
    ErrorRow::new(4781, Throttled(Scope::Line), Reason::RateLimited),       // throughput of the campaign
    ErrorRow::new(4785, Throttled(Scope::Line), Reason::RateLimited),       // daily limit
    ErrorRow::new(4795, Rejected, Reason::OurAccount),                      // toll-free number not verified
    ErrorRow::new(5100, Transient, Reason::NetworkDown),
    ErrorRow::new(5101, Transient, Reason::NetworkDown),
    ErrorRow::new(5106, Rejected, Reason::Unreachable),                     // Bandwidth's own repeats are used up
    ErrorRow::new(5111, Transient, Reason::NetworkDown),
    ErrorRow::new(5201, Transient, Reason::NetworkDown),
    ErrorRow::new(5211, Transient, Reason::NetworkDown),
    ErrorRow::new(5220, Transient, Reason::NetworkDown),
    ErrorRow::new(5500, Transient, Reason::NetworkDown),
    ErrorRow::new(5501, Transient, Reason::NetworkDown),
    ErrorRow::new(5600, Throttled(Scope::Account), Reason::RateLimited),
];

/// Its expiration passed.
pub(super) const EXPIRED: u32 = 4360;

/// Bandwidth was told nothing, which is no failure.
pub(super) const NOT_KNOWN: &[u32] = &[5999, 9902, 9999];
