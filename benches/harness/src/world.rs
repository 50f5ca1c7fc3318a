//! The people of the loads, and the configuration that lets them write.

use std::{fmt::Write, net::SocketAddr};

use anyhow::Result;

use crate::{
    server::{DOMAIN, HOME, Link, SECRET},
    tally::mark,
    webhook::ACCOUNT,
};

/// Users, each with a line of their own.
pub(crate) const USERS: usize = 100;
/// Phones that each user writes with.
pub(crate) const CONTACTS: usize = 20;
/// What the webhooks are signed with.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The domain of our mail addresses.
pub(crate) const MAIL_DOMAIN: &str = "mail.example.org";
/// No cap is met.
const LIMITS: &str = "messages_per_day = 100000000
segments_per_day = 100000000
new_peers_per_hour = 100000000
gateway_per_day = 100000000";

/// Who writes to whom in the message of this number: every chat once, then all again.
pub(crate) fn chat(number: usize) -> (usize, usize) {
    (number % USERS, number / USERS % CONTACTS)
}

/// A line of ours.
pub(crate) fn line(user: usize) -> String {
    format!("+12125550{:03}", 100 + user % 100)
}

/// A phone.
pub(crate) fn phone(contact: usize) -> String {
    // 555-0191 to 555-0195 are the odd phones of the simulator.
    format!("+12025550{:03}", 120 + contact)
}

/// How a user's text looks when it comes from a client through a server.
pub(crate) fn text_out(out: &mut String, user: usize, contact: usize, mark: &str) {
    chat_text(out, &format!("user{user}"), &phone(contact), mark);
}

/// The same, of any user to any phone.
pub(crate) fn chat_text(out: &mut String, user: &str, phone: &str, mark: &str) {
    write!(
        out,
        "<message from='{user}@{HOME}/phone.Zf3k' to='{phone}@{DOMAIN}' type='chat' id='{mark}' xml:lang='en'>\
         <body>{mark} On my way, the train is late again. See you at eight?</body>\
         <active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>\
         <markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='{mark}'/></message>"
    )
    .ok();
}

/// Makes the owners of all lines users: nobody becomes one by what comes in. XEP-0077
pub(crate) fn register(link: &Link) -> Result<()> {
    let load = link.tally.begin(USERS);
    for user in 0..USERS {
        let id = mark(load, user);
        link.write(&format!(
            "<iq from='user{user}@{HOME}/phone' to='{DOMAIN}' type='set' id='{id}'>\
             <query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'/></query></iq>"
        ))?;
    }
    link.tally.all().map(drop)
}

/// How a user's mail looks as a chat message.
pub(crate) fn mail_out(out: &mut String, user: usize, contact: usize, mark: &str) {
    write!(
        out,
        "<message from='user{user}@{HOME}/phone.Zf3k' to='person{contact}\\40example.com@{DOMAIN}' type='chat' id='{mark}' xml:lang='en'>\
         <body>{mark} On my way, the train is late again. See you at eight?</body>\
         <request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='{mark}'/></message>"
    )
    .ok();
}

/// A mail as it is handed over, and as it lies in a mailbox.
pub(crate) fn mail_in(user: usize, contact: usize, number: usize, mark: &str) -> String {
    let (to, from) = (
        format!("user{user}@{MAIL_DOMAIN}"),
        format!("person{contact}@example.com"),
    );
    format!(
        "Return-Path: <{from}>\r\nDelivered-To: {to}\r\n\
         Received: from mx.example.com (mx.example.com [192.0.2.1]) by mail.example.org with ESMTP id {number:x}\r\n\
         From: Person {contact} <{from}>\r\nTo: {to}\r\nSubject: The train\r\n\
         Date: Thu, 26 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{mark}@example.com>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         {mark} Running late, start without me. See you at the caf=C3=A9.\r\n\r\n-- =20\r\nPerson {contact}\r\n"
    )
}

/// A configuration with one gateway for mail: out to `smtp`, in as the section `inlet` says.
pub(crate) fn mail_config(
    smtp: SocketAddr,
    inlet: &str,
    server: SocketAddr,
    http: SocketAddr,
) -> String {
    format!(
        r#"[store]
url = "sqlite://transom.db"
[xmpp]
server = "{server}"
allow = ["{HOME}"]
[http]
listen = "{http}"
[gateway.mail]
adapter = "email"
domain = "{DOMAIN}"
secret = "{SECRET}"
address_domain = "{MAIL_DOMAIN}"
home = "{HOME}"
receipts = "accepted"
hold = "0s"
merge = "0s"
[gateway.mail.limits]
{LIMITS}
[gateway.mail.smtp]
url = "smtp://{smtp}?tls=none"
{inlet}
"#
    )
}

/// Which provider the lines have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Simulator,
    /// One that only calls.
    Twilio,
    /// One whose API stands there.
    TwilioAt {
        /// Its address.
        api: SocketAddr,
        /// Whether it can call us and tells what became of a text.
        reports: bool,
        /// How many texts it takes at once.
        window: u16,
    },
}

/// A configuration with one gateway and so many users.
pub(crate) fn config(
    provider: Provider,
    users: usize,
    server: SocketAddr,
    http: SocketAddr,
) -> String {
    let twilio = |api: SocketAddr| {
        format!(
            "kind = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"{TOKEN}\"\nbase_url = \"http://{api}\""
        )
    };
    let section = match provider {
        Provider::Simulator => "kind = \"simulator\"".to_owned(),
        // Nothing is ever sent there.
        Provider::Twilio => twilio(http),
        Provider::TwilioAt { api, window, .. } => format!("{}\nwindow = {window}", twilio(api)),
    };
    // Who cannot be called hears no more than that a text was taken.
    let (public_url, receipts) = match provider {
        Provider::TwilioAt { reports: false, .. } => (String::new(), "accepted"),
        _ => (format!("public_url = \"http://{http}\""), "delivered"),
    };
    let mut config = format!(
        r#"[store]
url = "sqlite://transom.db"
[xmpp]
server = "{server}"
allow = ["{HOME}"]
[http]
listen = "{http}"
{public_url}
[gateway.sms]
adapter = "sms"
domain = "{DOMAIN}"
secret = "{SECRET}"
region = "US"
receipts = "{receipts}"
[gateway.sms.limits]
{LIMITS}
[gateway.sms.provider.main]
{section}
"#
    );
    for user in 0..users {
        let line = line(user);
        write!(
            config,
            "[[gateway.sms.line]]\nnumber = \"{line}\"\nowner = \"user{user}@{HOME}\"\n"
        )
        .ok();
    }
    config
}
