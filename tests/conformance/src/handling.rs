//! The way of one stanza through all that is pure: read, decided on for people of every standing, answered.

use std::cell::LazyCell;

use transom::{
    gateway::{
        Gateway, answers, call, refusal,
        registration::{Effects, Person},
        subscription,
        target::Target,
        text_out::{Accepted, Candidate, Decision, Kept},
    },
    texts::{Lang, Text},
    xmpp::{
        jid::Jid,
        stanza::{Element, Iq, Message, Presence, Stanza},
        xep::{addresses, adhoc, delay, hints, privilege, roster, sharing, upload, vcard},
    },
};
use transom_adapter::Network;

use crate::world::{USER, at_this_moment, gateway, jid, person};

/// Whoever writes without saying to whom means this contact.
const CONTACT: &str = "+12025550147@gw.example.org";
/// Who writes from [`USER`].
const ALICE: &str = "alice@example.org";
/// A line of ours.
const LINE: &str = "+12025550100";

thread_local! {
    static GATEWAYS: LazyCell<Vec<Gateway>> = const { LazyCell::new(gateways) };
}

fn gateways() -> Vec<Gateway> {
    let modes = [
        (Network::Sms, "open"),
        (Network::Sms, "approval"),
        (Network::Email, "open"),
        (Network::Email, "closed"),
    ];
    modes.map(|(network, mode)| gateway(network, mode)).into()
}

/// Takes what a server might write: a stanza in `jabber:client`, or nothing at all. Panics when an answer is no stanza that a
/// server takes, when an answer is answered, or when what would be sent is empty.
pub fn handle(xml: &str) {
    let Ok(element) = xml.parse::<Element>() else {
        return;
    };
    let stanza = match Stanza::try_from(element) {
        Ok(stanza) => addressed(stanza),
        Err(invalid) => return invalid.error_reply().iter().for_each(check),
    };
    read(&stanza);
    GATEWAYS.with(|gateways| {
        for gateway in gateways.iter() {
            for (state, line) in [
                (None, None),
                (Some("active"), Some(LINE)),
                (Some("active"), None),
                (Some("disabled"), Some(LINE)),
            ] {
                decide(gateway, &person(ALICE, state, line, &[]), &stanza);
            }
        }
    });
}

/// A server never leaves out who writes; a fuzzer does.
fn addressed(mut stanza: Stanza) -> Stanza {
    let (from, to) = match &mut stanza {
        Stanza::Message(message) => (&mut message.from, &mut message.to),
        Stanza::Presence(presence) => (&mut presence.from, &mut presence.to),
        Stanza::Iq(iq) => (&mut iq.from, &mut iq.to),
    };
    from.get_or_insert_with(|| jid(USER));
    to.get_or_insert_with(|| jid(CONTACT));
    stanza
}

/// Every reader of a payload that no decision below comes to.
fn read(stanza: &Stanza) {
    match stanza {
        Stanza::Message(message) => {
            addresses::parse(message);
            privilege::Privileges::parse(message);
            delay::since(&message.children);
            hints::Hints::of(&message.children);
            let files = sharing::files(message);
            for file in &files {
                let [oob, sharing] = sharing::elements(file);
                reread(&oob);
                reread(&sharing);
            }
        }
        Stanza::Iq(iq) => {
            adhoc::Request::parse(iq);
            upload::Slot::parse(iq);
            vcard::is_query(iq);
            roster::is_push(iq);
            if let Some(payload) = iq.payload() {
                roster::entries(payload, "gw.example.org");
                upload::size_max(payload);
            }
        }
        Stanza::Presence(_) => {}
    }
}

fn decide(gateway: &Gateway, person: &Person, stanza: &Stanza) {
    at_this_moment(|moment| match stanza {
        Stanza::Message(message) if call::is_proposal(message) => {
            let answers = call::decline(gateway, message, moment);
            answers.iter().for_each(check);
        }
        Stanza::Message(message) => {
            let mut view = person.view.clone();
            let decision = match Candidate::new(gateway, message) {
                Ok(candidate) => candidate.decide(gateway, &mut view, 0, moment),
                Err(decision) => decision,
            };
            decided(&decision, message);
        }
        Stanza::Presence(presence) => {
            let target = presence
                .to
                .as_ref()
                .map_or(Target::Gateway, |to| Target::read(gateway, to));
            let effects = subscription::decide(gateway, presence, &target, person, moment);
            no_answer_to_an_error(presence, &effects);
            effects.answers.iter().for_each(check);
        }
        Stanza::Iq(iq) => {
            answers::needs(gateway, iq);
            let effects = answers::decide(gateway, iq, Some(person), moment);
            one_answer(iq, &effects);
            effects.answers.iter().for_each(check);
        }
    });
}

fn decided(decision: &Decision, message: &Message) {
    match decision {
        Decision::Accepted(accepted) => sendable(accepted),
        Decision::Refused(why) | Decision::Kept(Kept { why, .. }) => {
            let error = refusal::error(&Text::from(why.clone()), Lang::En);
            let answer = message.error_reply(&error);
            answer.map(Stanza::from).iter().for_each(check);
        }
        Decision::Ignored(_)
        | Decision::Repeated(_)
        | Decision::Amended(_)
        | Decision::TakenBack(_) => {}
    }
}

fn sendable(accepted: &Accepted) {
    let outgoing = &accepted.outgoing;
    assert!(
        !outgoing.text.trim().is_empty() || !outgoing.files.is_empty(),
        "nothing would be sent: {outgoing:?}"
    );
    assert!(!accepted.plan.routes.is_empty(), "{:?}", accepted.plan);
}

/// RFC 6120 §8.3.1
fn no_answer_to_an_error(presence: &Presence, effects: &Effects) {
    let is_error = presence.kind == transom::xmpp::stanza::PresenceType::Error;
    assert!(!is_error || effects.answers.is_empty(), "{presence:?}");
}

/// RFC 6120 §8.2.3
fn one_answer(iq: &Iq, effects: &Effects) {
    let is_answer = |stanza: &&Stanza| match stanza {
        Stanza::Iq(answer) => !answer.is_request() && answer.id == iq.id && answer.to == iq.from,
        Stanza::Message(_) | Stanza::Presence(_) => false,
    };
    let count = effects.answers.iter().filter(is_answer).count();
    assert_eq!(count, usize::from(iq.is_request()), "{iq:?}");
}

/// What a server takes: both addresses, and XML that reads as it was meant.
fn check(stanza: &Stanza) {
    let (from, to): (&Option<Jid>, &Option<Jid>) = match stanza {
        Stanza::Message(message) => (&message.from, &message.to),
        Stanza::Presence(presence) => (&presence.from, &presence.to),
        Stanza::Iq(iq) => (&iq.from, &iq.to),
    };
    assert!(from.is_some() && to.is_some(), "{stanza:?}");
    reread(&stanza.to_element());
}

fn reread(element: &Element) {
    let xml = element.to_xml();
    let again: Element = xml.parse().unwrap_or_else(|why| panic!("{why:?}: {xml}"));
    assert_eq!(again.to_xml(), xml);
}
