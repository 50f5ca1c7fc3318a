//! Telnyx's error codes, for answers and for reports alike. Telnyx, "API Error Codes" and "Messaging error codes".

use transom_adapter::{Reason, Scope};

use crate::provider::answer::{ErrorRow, Verdict};

use Verdict::{Misconfigured, Rejected, Throttled, Transient};

#[rustfmt::skip]
pub(super) const TABLE: &[ErrorRow] = &[
    // The request.
    ErrorRow::new(10001, Rejected, Reason::NoSuchRecipient),                // inactive number
    ErrorRow::new(10002, Rejected, Reason::NoSuchRecipient),                // not a number
    ErrorRow::new(10003, Rejected, Reason::Unsupported),                    // a URL that is none
    ErrorRow::new(10004, Rejected, Reason::Unspecified),                    // a parameter is missing
    ErrorRow::new(10005, Misconfigured, Reason::OurAccount),                // no such resource
    ErrorRow::new(10007, Transient, Reason::NetworkDown),                   // unexpected error
    ErrorRow::new(10008, Transient, Reason::NetworkDown),                   // request timeout
    ErrorRow::new(10009, Misconfigured, Reason::OurAccount),                // authentication
    ErrorRow::new(10010, Misconfigured, Reason::OurAccount),                // authorization
    ErrorRow::new(10011, Throttled(Scope::Account), Reason::RateLimited),   // too many requests
    ErrorRow::new(10015, Rejected, Reason::Unspecified),                    // bad request
    ErrorRow::new(10016, Rejected, Reason::NoSuchRecipient),                // not in E.164
    ErrorRow::new(20100, Misconfigured, Reason::OurAccount),                // no credit
    // The way to the handset; mostly in reports.
    ErrorRow::new(40001, Rejected, Reason::NotATextNumber),                 // a landline, or not routable
    ErrorRow::new(40002, Transient, Reason::Filtered),                      // spam, temporarily
    ErrorRow::new(40003, Rejected, Reason::Filtered),                       // spam, for good
    ErrorRow::new(40004, Transient, Reason::Unspecified),                   // refused there: "retry after delay"
    ErrorRow::new(EXPIRED, Rejected, Reason::Expired),
    ErrorRow::new(40006, Transient, Reason::Unreachable),                   // the carrier's server is down
    ErrorRow::new(40007, Rejected, Reason::NotPermitted),                   // loop
    ErrorRow::new(40008, Rejected, Reason::Unreachable),                    // the carrier did not take it
    ErrorRow::new(40009, Rejected, Reason::Unsupported),                    // body
    ErrorRow::new(40010, Rejected, Reason::OurAccount),                     // number without a 10DLC campaign
    ErrorRow::new(40011, Throttled(Scope::Line), Reason::RateLimited),      // upstream's limit
    ErrorRow::new(40012, Rejected, Reason::NoSuchRecipient),                // upstream: destination
    ErrorRow::new(40013, Rejected, Reason::OurAccount),                     // upstream: source
    ErrorRow::new(EXPIRED_IN_QUEUE, Rejected, Reason::Expired),
    ErrorRow::new(40015, Rejected, Reason::Filtered),                       // Telnyx's own spam filter
    ErrorRow::new(40300, Rejected, Reason::OptedOut),                       // STOP, by messaging profile
    ErrorRow::new(40301, Rejected, Reason::Unsupported),                    // type of message
    ErrorRow::new(40302, Rejected, Reason::TooLarge),                       // more than ten parts
    ErrorRow::new(40305, Rejected, Reason::OurAccount),                     // "from" is not ours
    ErrorRow::new(40310, Rejected, Reason::NoSuchRecipient),                // "to"
    ErrorRow::new(40312, Misconfigured, Reason::OurAccount),                // profile disabled
    ErrorRow::new(40318, Throttled(Scope::Line), Reason::RateLimited),      // queue full
    ErrorRow::new(40333, Throttled(Scope::Account), Reason::RateLimited),   // spending limit of the profile
];

/// Both mean that it waited too long.
pub(super) const EXPIRED: u32 = 40005;
pub(super) const EXPIRED_IN_QUEUE: u32 = 40014;
