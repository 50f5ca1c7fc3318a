//! The XMPP wire. It knows nothing of gateways, adapters or SQL.
//!
//! ```text
//!            bytes ──cutter──▶ one element ──parser──▶ Element ──▶ Stanza ──▶ Batch ──▶ consumer
//! socket ◀──────────────────────────────────────────── write ◀── LinkHandle ◀── Stanza ◀── anybody
//! ```
//!
//! - [`stream`]: one XEP-0114 connection kept up for ever. Begin at [`stream::Link::spawn`], then
//!   [`stream::LinkHandle`] to send and [`stream::LinkEvent`] to receive; [`stream::LinkError`] says why there is no
//!   link, with the line of the server's configuration to change.
//! - [`stanza`]: [`stanza::Message`], [`stanza::Presence`], [`stanza::Iq`] over a small tree, [`stanza::Element`].
//! - [`xep`]: payloads, one file a XEP.
//! - [`jid`]: addresses, and XEP-0106 for foreign text in them. [`ns`]: all namespaces.
//!
//! What holds everywhere here:
//!
//! - Whatever comes from outside may be hostile. What is not XML ends the stream; what is XML but nothing for us is an
//!   [`stanza::Invalid`] and ends nothing: else anybody could cut the link by one odd message.
//! - No string leaves unescaped, none with characters that XML forbids, no stanza without right `from` and `to`.
//! - Errors and results are never answered: the builders of answers return `None` for them.
//! - Stanzas are in `jabber:client` here; only on the wire they are in `jabber:component:accept`.

pub mod jid;
pub mod ns;
pub mod stanza;
pub mod stream;
pub mod xep;
