//! Codes of Sinch's delivery reports. Sinch, "Delivery report error codes".

use transom_adapter::Reason;

use crate::provider::answer::{ErrorRow, Verdict};

use Verdict::{Rejected, Transient};

#[rustfmt::skip]
pub(super) const TABLE: &[ErrorRow] = &[
    ErrorRow::new(402, Rejected, Reason::NotPermitted),     // unroutable
    ErrorRow::new(403, Transient, Reason::NetworkDown),     // internal error
    ErrorRow::new(404, Transient, Reason::Unreachable),     // temporary delivery failure
    ErrorRow::new(405, Rejected, Reason::Unspecified),      // a parameter without a value
    ErrorRow::new(EXPIRED, Rejected, Reason::Expired),
    ErrorRow::new(407, Rejected, Reason::Unspecified),      // cancelled by us
    ErrorRow::new(408, Rejected, Reason::NotPermitted),     // refused inside Sinch
    ErrorRow::new(410, Rejected, Reason::OurAccount),       // no default originator fits
    ErrorRow::new(411, Rejected, Reason::TooLarge),         // more parts than allowed
    ErrorRow::new(412, Rejected, Reason::OurAccount),       // the region is not provisioned
    ErrorRow::new(413, Rejected, Reason::OurAccount),       // the account is blocked, or out of credit
    ErrorRow::new(414, Rejected, Reason::Unsupported),      // media
    ErrorRow::new(415, Rejected, Reason::NotPermitted),     // MMS refused by the carrier
    ErrorRow::new(416, Rejected, Reason::Unsupported),      // MMS not supported there
    ErrorRow::new(417, Rejected, Reason::Unreachable),
    ErrorRow::new(418, Rejected, Reason::Unspecified),      // not recognised
];

/// It waited too long before the carrier took it.
pub(super) const EXPIRED: u32 = 406;
