//! The other parser: rxml, minidom and xmpp-parsers, which share no code with ours.

use transom::xmpp::{ns, stanza::Stanza};
use xmpp_parsers::{
    avatar,
    blocking::BlocklistResult,
    caps::Caps,
    data_forms::DataForm,
    delay::Delay,
    disco::{DiscoInfoResult, DiscoItemsResult},
    displayed_markers::{Displayed, Markable},
    forwarding::Forwarded,
    hashes::Hash,
    http_upload::SlotRequest,
    ibr::LegacyQuery,
    iq::{Iq, IqPayload},
    jingle_message::JingleMI,
    message::Message,
    minidom::Element,
    nick::Nick,
    oob::Oob,
    ping::Ping,
    presence::Presence,
    pubsub::PubSub,
    reactions::Reactions,
    receipts::{Received, Request},
    roster::Roster,
    stanza_error::StanzaError,
    stanza_id::OriginId,
    time::TimeResult,
    vcard::VCard,
    vcard_update::VCardUpdate,
    version::VersionResult,
};

/// A stanza as the other parser sees it.
#[derive(Debug)]
pub(crate) enum Seen {
    Message(Box<Message>),
    Presence,
    Iq(Box<Iq>),
}

/// Writes a stanza as the link does and reads it back; every payload has to be one that others know, and to parse.
#[track_caller]
pub(crate) fn read(stanza: impl Into<Stanza>) -> Seen {
    let stanza = stanza.into();
    let mut wire = Vec::new();
    stanza.write(&mut wire);
    let wire = String::from_utf8(wire).expect("UTF-8");
    match seen(&wire) {
        Ok(seen) => seen,
        Err(why) => panic!("{why}\n{wire}"),
    }
}

/// As [`read`], for a message.
#[track_caller]
pub(crate) fn message(stanza: impl Into<Stanza>) -> Message {
    match read(stanza) {
        Seen::Message(message) => *message,
        other => panic!("no message: {other:?}"),
    }
}

/// What is left of a text on its way through XML 1.0: characters that it forbids are replaced, all others stay.
pub(crate) fn cleaned(text: &str) -> String {
    let forbidden = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    text.replace(forbidden, "\u{fffd}")
}

fn seen(wire: &str) -> Result<Seen, String> {
    let stream: Element = format!("<stream xmlns='jabber:client'>{wire}</stream>")
        .parse()
        .map_err(|why| format!("no XML: {why}"))?;
    let mut children = stream.children();
    let element = children.next().ok_or("nothing was written")?.clone();
    if children.next().is_some() || !stream.text().is_empty() {
        return Err("more than one stanza was written".to_owned());
    }
    let wrong = |why: xmpp_parsers::FromElementError| format!("not that stanza: {why}");
    match element.name() {
        "message" => {
            let message = Message::try_from(element).map_err(wrong)?;
            message.payloads.iter().try_for_each(payload)?;
            Ok(Seen::Message(Box::new(message)))
        }
        "presence" => {
            let presence = Presence::try_from(element).map_err(wrong)?;
            presence.payloads.iter().try_for_each(payload)?;
            Ok(Seen::Presence)
        }
        "iq" => {
            let iq = Iq::try_from(element).map_err(wrong)?;
            if let (
                _,
                IqPayload::Get(child) | IqPayload::Set(child) | IqPayload::Result(Some(child)),
            ) = iq.clone().split()
            {
                payload(&child)?;
            }
            Ok(Seen::Iq(Box::new(iq)))
        }
        name => Err(format!("a stanza <{name}/>")),
    }
}

macro_rules! parse_as {
    ($element:expr, $($type:ty),+) => {{
        let tried = [$(<$type>::try_from($element.clone()).map(drop).map_err(|why| why.to_string())),+];
        match tried.iter().find(|result| result.is_ok()) {
            Some(_) => Ok(()),
            None => Err(format!("payload {}: {tried:?}", $element.name())),
        }
    }};
}

/// Whether a payload is one that we mean to write, and right as far as the other parser knows it.
fn payload(element: &Element) -> Result<(), String> {
    let namespace = element.ns();
    match (element.name(), namespace.as_str()) {
        ("error", ns::CLIENT) => parse_as!(element, StanzaError),
        ("c", ns::CAPS) => parse_as!(element, Caps),
        ("delay", ns::DELAY) => parse_as!(element, Delay),
        ("nick", ns::NICK) => parse_as!(element, Nick),
        ("origin-id", ns::STANZA_ID) => parse_as!(element, OriginId),
        ("ping", ns::PING) => parse_as!(element, Ping),
        ("query", ns::DISCO_INFO) => parse_as!(element, DiscoInfoResult),
        ("query", ns::DISCO_ITEMS) => parse_as!(element, DiscoItemsResult),
        ("query", ns::REGISTER) => registration(element),
        ("query", ns::VERSION) => parse_as!(element, VersionResult),
        ("received", ns::RECEIPTS) => parse_as!(element, Received),
        ("request", ns::RECEIPTS) => parse_as!(element, Request),
        ("vCard", ns::VCARD) => parse_as!(element, VCard),
        ("x", ns::VCARD_UPDATE) => parse_as!(element, VCardUpdate),
        ("query", ns::ROSTER) => parse_as!(element, Roster),
        ("reject", ns::JINGLE_MESSAGE) => parse_as!(element, JingleMI),
        ("request", ns::UPLOAD) => parse_as!(element, SlotRequest),
        ("x", ns::OOB) => parse_as!(element, Oob),
        ("file-sharing", ns::SFS) => {
            let inside = element.children().flat_map(Element::children);
            let mut hashes = inside.filter(|child| child.name() == "hash");
            hashes.try_for_each(|hash| parse_as!(hash, Hash))
        }
        ("markable", ns::CHAT_MARKERS) => parse_as!(element, Markable),
        ("displayed", ns::CHAT_MARKERS) => parse_as!(element, Displayed),
        ("reactions", ns::REACTIONS) => parse_as!(element, Reactions),
        ("time", ns::TIME) => parse_as!(element, TimeResult),
        ("blocklist", ns::BLOCKING) => parse_as!(element, BlocklistResult),
        ("pubsub", ns::PUBSUB) => published(element),
        ("x", ns::FORMS) => parse_as!(element, DataForm),
        ("privilege", ns::PRIVILEGE_1 | ns::PRIVILEGE_2) => {
            element.children().try_for_each(payload)
        }
        ("forwarded", ns::FORWARD) => parse_as!(element, Forwarded),
        ("command", ns::COMMANDS) => element
            .children()
            .filter(|child| child.name() == "x")
            .try_for_each(payload),
        // The other parser does not know these; their form is checked by our own tests.
        ("query", ns::GATEWAY | ns::SEARCH)
        | ("vcard", ns::VCARD4)
        | ("reply", ns::REPLY)
        | ("mentions", ns::MENTIONS)
        | ("response" | "action", ns::QUICK_RESPONSE)
        | ("addresses", ns::ADDRESSES)
        | ("x", ns::ROSTER_EXCHANGE)
        | ("store" | "no-store", ns::HINTS) => Ok(()),
        (name, namespace) => Err(format!("nobody knows <{name} xmlns='{namespace}'/>")),
    }
}

/// XEP-0060: the items of a node, and what is in them.
fn published(pubsub: &Element) -> Result<(), String> {
    parse_as!(pubsub, PubSub)?;
    let items = pubsub.children().flat_map(Element::children);
    items
        .flat_map(Element::children)
        .try_for_each(|payload| match payload.name() {
            "data" => parse_as!(payload, avatar::Data),
            "metadata" => parse_as!(payload, avatar::Metadata),
            _ => self::payload(payload),
        })
}

/// XEP-0077 §3: the old fields and a form side by side, which the other parser reads one at a time.
fn registration(query: &Element) -> Result<(), String> {
    let mut fields = query.clone();
    if let Some(form) = fields.remove_child("x", ns::FORMS) {
        payload(&form)?;
    }
    parse_as!(fields, LegacyQuery)
}
