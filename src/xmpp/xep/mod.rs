//! Payloads: one file a XEP that the gateway speaks. Builders give an [`Element`](super::stanza::Element), parsers
//! take one; what is unknown is passed over, what is missing is `None`.

pub mod addresses;
pub mod adhoc;
pub mod avatar;
pub mod blocking;
pub mod delay;
pub mod disco;
pub mod fallback;
pub mod forms;
pub mod gateway;
pub mod hints;
pub mod last;
pub mod markers;
pub mod ping;
pub mod privilege;
pub mod pubsub;
pub mod reactions;
pub mod receipts;
pub mod register;
pub mod roster;
pub mod search;
pub mod sharing;
pub mod time;
pub mod upload;
pub mod vcard;
pub mod version;
