//! Real servers and scripted peers for transom's tests, all on loopback and without a service manager.
//!
//! A test starts what it needs and owns it:
//!
//! ```no_run
//! # async fn scenario() {
//! use transom_test_servers::Prosody;
//!
//! let prosody = Prosody::builder().user("alice").component("sms.example.org", "secret").start().await;
//! let mut alice = prosody.client("alice", "phone").await;
//! alice.message("sms.example.org", "m1", "help").await;
//! alice.expect("an answer", |stanza| stanza.attr("from") == Some("sms.example.org")).await;
//! # }
//! ```
//!
//! | kind | types |
//! |---|---|
//! | real servers | [`Prosody`], [`Ejabberd`], either as [`XmppServer`], [`Postfix`], [`Exim`], [`Dovecot`], [`Dnsmasq`], [`Kannel`], [`Gammu`], [`Jasmin`], [`NpmSmsc`], [`Postgres`] |
//! | the code under test | [`Transom`] |
//! | scripted peers | [`HttpDouble`], [`MailSink`], [`FakeSmsc`], and [`Proxy`], a wire that breaks |
//! | clients | [`XmppClient`], [`ScriptedClient`], [`Mailer`], [`Lines`], [`get`] |
//!
//! Every server has a folder and ports of its own, is ready when its `start` returns, and ends on drop; it also ends
//! when the test process is killed, for `setpriv --pdeathsig` ties it to that. Its logs are printed when the test
//! fails. Every wait has a deadline and panics with what it waited for. Nothing here depends on transom's own code,
//! so that a mistake there cannot hide itself.
//!
//! Where a server is missing, `tests/run` names it in `TRANSOM_TEST_SKIP`; a test asks [`skipped`] first. In CI
//! nothing is skipped.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test harness tells a failure by panicking"
)]

mod client;
mod clock;
mod daemon;
mod dnsmasq;
mod dovecot;
mod ejabberd;
mod exim;
mod gammu;
mod http_client;
mod http_double;
mod http_message;
mod jasmin;
mod kannel;
mod lines;
mod mail;
mod mail_sink;
mod mailer;
mod npm_smsc;
mod owner;
mod ports;
mod postfix;
mod postgres;
mod process;
mod prosody;
mod proxy;
mod scratch;
mod scripted;
mod skip;
mod smsc;
mod transom;
mod wait;
mod xml;
mod xmpp_server;

pub use client::XmppClient;
pub use clock::TurnedClock;
pub use dnsmasq::Dnsmasq;
pub use dovecot::{Dovecot, MAIL_PASSWORD, Mailboxes, StoredMail};
pub use ejabberd::{Component, Ejabberd};
pub use exim::{Exim, HandOver};
pub use gammu::{Gammu, GammuText};
pub use http_client::{get, post, post_with};
pub use http_double::{Answer, HttpDouble};
pub use http_message::{Request, Response, parameter};
pub use jasmin::Jasmin;
pub use kannel::{Kannel, KannelBuilder};
pub use lines::Lines;
pub use mail::Mail;
pub use mail_sink::{MailSink, Stage, Verdict};
pub use mailer::Mailer;
pub use npm_smsc::NpmSmsc;
pub use ports::free_port;
pub use postfix::{Postfix, PostfixBuilder};
pub use postgres::Postgres;
pub use process::Signal;
pub use prosody::{Feature, Federation, Prosody, ProsodyBuilder};
pub use proxy::Proxy;
pub use scripted::{Roles, ScriptedClient};
pub use skip::{Server, skipped};
pub use smsc::{FakeSmsc, Sms};
pub use transom::{Transom, TransomBuilder};
pub use wait::{PATIENCE, until, within};
pub use xml::{Element, Node, escape};
pub use xmpp_server::XmppServer;

/// The password of every XMPP user in these tests.
pub const USER_PASSWORD: &str = "wonderland";
