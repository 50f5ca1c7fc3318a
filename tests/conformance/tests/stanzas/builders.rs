//! Payloads that are built by themselves, with any words in them.

use jiff::Timestamp;
use proptest::prelude::*;
use transom::xmpp::{
    jid::Jid,
    ns,
    stanza::{
        Condition, Element, ErrorType, Iq, IqType, Message, Presence, PresenceType, Stanza,
        StanzaError,
    },
    xep::{
        addresses::{self, Address, Role, Who},
        adhoc::{Action, Note, Stage, Status},
        delay,
        disco::{self, Identity, Info, Item},
        forms::{Field, Form, FormType},
        gateway, hints, ping,
        privilege::Privileges,
        receipts,
        register::Offer,
        version,
    },
};
use xmpp_parsers::stanza_error::StanzaError as SeenError;

use crate::{
    oracle::{cleaned, message, read},
    world::{USER, jid, words},
};

fn contact() -> Jid {
    jid("+12025550147@gw.example.org")
}

fn chat() -> Message {
    Message::chat(contact(), jid(USER))
}

fn result(payload: Element) -> Iq {
    Iq::new(IqType::Result, contact(), jid(USER))
        .with_id("1")
        .with_child(payload)
}

fn privileges(namespace: &'static str) -> Privileges {
    let xml = format!(
        "<message xmlns='jabber:client' from='example.org' to='gw.example.org'><privilege xmlns='{namespace}'>\
         <perm access='message' type='outgoing'/></privilege></message>"
    );
    match Stanza::try_from(xml.parse::<Element>().unwrap()) {
        Ok(Stanza::Message(message)) => Privileges::parse(&message).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn stanzas_without_words_parse() {
    read(receipts::receipt(contact(), jid(USER), "m1").with_child(hints::store()));
    read(
        chat()
            .with_child(receipts::request())
            .with_child(hints::no_store()),
    );
    read(chat().with_child(delay::delay("gw.example.org", Timestamp::UNIX_EPOCH)));
    read(Iq::get(contact(), jid("example.org"), ping::ping()).with_id("1"));
    read(Iq::new(IqType::Result, contact(), jid(USER)).with_id("1"));
    read(result(gateway::translated(&contact())));
    for kind in [
        PresenceType::Available,
        PresenceType::Unavailable,
        PresenceType::Subscribe,
        PresenceType::Unsubscribed,
    ] {
        read(Presence::new(kind, contact(), jid(USER)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_hold_any_words(words in words()) {
        let given = || words.clone();
        let built = chat().with_id(given()).with_origin_id(given()).with_body(given()).with_subject(given()).with_thread(given());
        let seen = message(built.with_reply_to(&contact(), given()).with_lang("de-AT"));
        prop_assert_eq!(seen.bodies.values().next(), Some(&cleaned(&words)));
        prop_assert_eq!(seen.subjects.values().next(), Some(&cleaned(&words)));
        prop_assert_eq!(seen.thread.map(|thread| thread.id), Some(cleaned(&words)));
        prop_assert_eq!(seen.id.map(|id| id.0), Some(cleaned(&words)));
        read(receipts::receipt(contact(), jid(USER), &words));
        for namespace in [ns::PRIVILEGE_1, ns::PRIVILEGE_2] {
            read(privileges(namespace).on_behalf(&jid("gw.example.org"), Message::chat(jid("alice@example.org"), contact()).with_body(given())));
        }
        let list = [(Role::Cc, Who::Jid(contact())), (Role::To, Who::Uri(given())), (Role::NoReply, Who::Nobody)];
        let list = list.map(|(role, who)| Address { role, who, desc: Some(given()), delivered: true });
        read(chat().with_child(addresses::addresses(&list)));
    }

    #[test]
    fn answers_hold_any_words(words in words()) {
        let given = || words.clone();
        let info = Info { identities: vec![Identity::new("gateway", "sms", given())], forms: Vec::new(), features: [ns::DISCO_INFO, ns::PING].map(str::to_owned).into() };
        read(result(info.to_element(Some(&words))));
        read(Presence::new(PresenceType::Available, contact(), jid(USER)).with_status(given()).with_child(info.caps("https://example.org")));
        let item = Item { jid: contact(), node: Some(given()), name: Some(given()) };
        read(result(disco::items(&[item], Some(&words))));
        read(result(version::answer("transom", &words)));
        read(result(gateway::prompt(&words, &words)));
        let field = Field::new("phone", "list-single").with_label(given()).with_value(given()).with_option(given(), given()).required();
        let form = Form::new(ns::REGISTER).with_title(given()).with_instructions(given()).with_field(field);
        let offer = Offer { instructions: given(), registered: true, fields: vec![("phone", given())], form: Some(form) };
        read(result(offer.to_element()));
    }

    #[test]
    fn commands_hold_any_words(words in words()) {
        let given = || words.clone();
        let column = Field::new("column-1", "text-single").with_label(given());
        let table = Form { kind: FormType::Result, reported: vec![column], items: vec![vec![given()]], ..Form::default() };
        let note = Note { is_error: true, text: given() };
        let stage = Stage { node: "cost".to_owned(), session: given(), status: Status::Executing, actions: vec![Action::Next, Action::Prev],
            notes: vec![note], form: Some(table.with_title(given())), lang: "en" };
        read(result(stage.to_element()));
    }

    #[test]
    fn errors_hold_any_words(words in words()) {
        let error = StanzaError::new(Condition::Gone(Some(words.clone())))
            .with_type(ErrorType::Modify)
            .with_text("en", words.clone())
            .with_by(jid("gw.example.org"))
            .with_application(Element::new("quota", "urn:example:quota").with_text(words.clone()));
        let request = Iq::get(jid(USER), contact(), ping::ping()).with_id(words.as_str());
        read(request.error_reply(&error).unwrap());
        let seen = message(Message::chat(jid(USER), contact()).with_id("1").error_reply(&error).unwrap());
        let seen = SeenError::try_from(seen.payloads.into_iter().find(|payload| payload.name() == "error").unwrap()).unwrap();
        prop_assert_eq!(seen.texts.get("en"), Some(&cleaned(&words)));
    }
}
