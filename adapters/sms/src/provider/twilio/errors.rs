//! Twilio's error codes, for answers and for status callbacks alike. Codes without a row are refusals without a known reason.

use transom_adapter::{Failure, Reason, Scope};

use crate::provider::answer::{self, ErrorRow, Verdict};

use Verdict::{Misconfigured, Rejected, Throttled, Transient};

/// "Validity Period Expired".
pub(super) const VALIDITY_EXPIRED: u32 = 30036;

/// Twilio, "Error and Warning Dictionary".
#[rustfmt::skip]
pub(super) const TABLE: &[ErrorRow] = &[
    // The account.
    ErrorRow::new(20003, Misconfigured, Reason::OurAccount),                    // authentication
    ErrorRow::new(20005, Misconfigured, Reason::OurAccount),                    // account not active
    ErrorRow::new(20008, Misconfigured, Reason::OurAccount),                    // test credentials
    ErrorRow::new(20404, Misconfigured, Reason::OurAccount),                    // no such account or resource
    ErrorRow::new(20429, Throttled(Scope::Account), Reason::RateLimited),       // too many requests: "never processed"
    ErrorRow::new(20503, Transient, Reason::NetworkDown),                       // service unavailable
    ErrorRow::new(14107, Throttled(Scope::Line), Reason::RateLimited),          // too many from this number
    ErrorRow::new(63038, Throttled(Scope::Account), Reason::RateLimited),       // the account's daily limit
    // The request.
    ErrorRow::new(21211, Rejected, Reason::NoSuchRecipient),                    // "To" is not a number
    ErrorRow::new(21212, Rejected, Reason::OurAccount),                         // "From" is not a number
    ErrorRow::new(21266, Rejected, Reason::NotPermitted),                       // "To" and "From" are the same
    ErrorRow::new(21408, Rejected, Reason::NotPermitted),                       // the country is off in the console
    ErrorRow::new(21602, Rejected, Reason::Unsupported),                        // no body
    ErrorRow::new(21603, Rejected, Reason::OurAccount),                         // no "From"
    ErrorRow::new(21604, Rejected, Reason::NoSuchRecipient),                    // no "To"
    ErrorRow::new(21606, Rejected, Reason::OurAccount),                         // "From" is not ours or cannot text
    ErrorRow::new(21608, Rejected, Reason::OurAccount),                         // trial account, unverified recipient
    ErrorRow::new(21609, Misconfigured, Reason::OurAccount),                    // status callback: http.public_url is not fit
    ErrorRow::new(21610, Rejected, Reason::OptedOut),                           // the recipient sent STOP
    ErrorRow::new(21611, Throttled(Scope::Line), Reason::RateLimited),          // this number's queue is full
    ErrorRow::new(21612, Rejected, Reason::NotPermitted),                       // no route for this pair
    ErrorRow::new(21614, Rejected, Reason::NotATextNumber),
    ErrorRow::new(21617, Rejected, Reason::TooLarge),                           // above 1600 characters
    ErrorRow::new(21619, Rejected, Reason::Unsupported),                        // no body and no media
    ErrorRow::new(21620, Rejected, Reason::Unsupported),                        // media URL
    ErrorRow::new(21635, Rejected, Reason::NotATextNumber),                     // landline
    ErrorRow::new(21659, Rejected, Reason::OurAccount),                         // "From" is not a Twilio number
    ErrorRow::new(21660, Rejected, Reason::OurAccount),                         // "From" belongs to another account
    ErrorRow::new(21703, Misconfigured, Reason::OurAccount),                    // the Messaging Service has no senders
    ErrorRow::new(21705, Misconfigured, Reason::OurAccount),                    // no such Messaging Service
    // The way to the handset; mostly in status callbacks.
    ErrorRow::new(30001, Throttled(Scope::Line), Reason::RateLimited),          // queue overflow
    ErrorRow::new(30002, Misconfigured, Reason::OurAccount),                    // account suspended
    ErrorRow::new(30003, Transient, Reason::Unreachable),                       // handset off or out of reach
    ErrorRow::new(30004, Rejected, Reason::Filtered),                           // blocked
    ErrorRow::new(30005, Rejected, Reason::NoSuchRecipient),                    // unknown handset
    ErrorRow::new(30006, Rejected, Reason::NotATextNumber),                     // landline: "do not retry"
    ErrorRow::new(30007, Rejected, Reason::Filtered),                           // carrier's filter
    ErrorRow::new(30008, Transient, Reason::Unspecified),                       // unknown error
    ErrorRow::new(30022, Throttled(Scope::Line), Reason::RateLimited),          // 10DLC throughput
    ErrorRow::new(30023, Throttled(Scope::Line), Reason::RateLimited),          // 10DLC daily cap
    ErrorRow::new(30032, Rejected, Reason::OurAccount),                         // toll-free number not verified
    ErrorRow::new(30034, Rejected, Reason::OurAccount),                         // number without a 10DLC campaign
    ErrorRow::new(VALIDITY_EXPIRED, Rejected, Reason::Expired),
    ErrorRow::new(30410, Transient, Reason::NetworkDown),                       // provider timed out
    ErrorRow::new(30450, Rejected, Reason::Filtered),                           // SMS pumping protection
    ErrorRow::new(30453, Rejected, Reason::Filtered),                           // SMS pumping protection
    ErrorRow::new(30532, Rejected, Reason::OurAccount),                         // personal use is not eligible for 10DLC
    ErrorRow::new(30610, Throttled(Scope::Request), Reason::NotPermitted),      // quiet hours at the recipient's
];

/// The failure of this code.
pub(super) fn failure(code: u32) -> Failure {
    answer::failure(TABLE, code)
}
