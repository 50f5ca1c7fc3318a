//! Messages from outside, and what senders are told of theirs.

use std::borrow::Cow;

use proptest::prelude::*;
use transom::{
    gateway::{
        Gateway,
        payload::{Payload, StoredNotice},
        text_in, told,
    },
    store::{
        read::{InRow, TellRow, ToldStanza},
        write::{State, TellKind},
    },
    xmpp::{stanza::Message, xep::delay},
};
use transom_adapter::{Reason, UnixMillis};

use crate::{
    oracle::{cleaned, message},
    world::{NOW, USER, gateways, words},
};

/// Zero to one of them.
fn maybe(words: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    proptest::option::of(words)
}

fn payload() -> impl Strategy<Value = Payload> {
    let notice = prop_oneof![
        Just(None),
        Just(Some(StoredNotice::Encrypted)),
        Just(Some(StoredNotice::Signed)),
        Just(Some(StoredNotice::TooLarge(9)))
    ];
    let files = proptest::collection::vec((words(), any::<u64>()), 0..3);
    let sent = prop_oneof![Just(None), Just(Some(0)), any::<i64>().prop_map(Some)];
    (
        maybe(words()),
        maybe(words()),
        maybe(words()),
        any::<(bool, bool)>(),
        notice,
        files,
        sent,
    )
        .prop_map(
            |(subject, name, xmpp_thread, (pinned, shows_subject), notice, files, sent_ms)| {
                Payload {
                    pinned,
                    sent_ms,
                    subject,
                    name,
                    xmpp_thread,
                    shows_subject,
                    notice,
                    files,
                    ..Payload::default()
                }
            },
        )
}

fn incoming(peer: &str, body: String, payload: &Payload) -> InRow {
    InRow {
        delivery_id: 1,
        lane_id: 1,
        attempts: 0,
        jid: "alice@example.org".to_owned(),
        peer: peer.to_owned(),
        line: "+12025550100".to_owned(),
        stanza_id: "01934b1e-7c7e-7000-8000-000000000000".to_owned(),
        body,
        payload: Some(payload.to_json()),
        created_ms: NOW.0 - 120_000,
        has_files: false,
    }
}

fn tell(
    kind: TellKind,
    told: Option<TellKind>,
    state: State,
    reason: Reason,
    body: &str,
) -> TellRow {
    TellRow {
        delivery_id: 1,
        kind,
        told,
        state,
        reason: Some(reason.as_str().to_owned()),
        gateway_id: 1,
        lang: Some("de".to_owned()),
        stanzas: vec![ToldStanza {
            full_jid: USER.to_owned(),
            stanza_id: body.to_owned(),
            receipt: true,
        }],
        peer: "+12025550147".to_owned(),
        line: "+12025550100".to_owned(),
        body: body.to_owned(),
        payload: None,
        created_ms: NOW.0 - 120_000,
        recipient: None,
        failed_parts: Vec::new(),
        others_have_it: true,
    }
}

fn check_incoming(gateway: &Gateway, peer: &str, body: &str, payload: &Payload) {
    let row = incoming(peer, body.to_owned(), payload);
    let Some(stanza) = text_in::stanzas(gateway, &row, &[], NOW, None).pop() else {
        assert!(
            gateway
                .jid_of(&transom_adapter::Address::new(peer), None)
                .is_none()
                || payload.pinned,
            "for {peer:?}"
        );
        return;
    };
    let ours = stanza.body().unwrap().into_owned();
    assert!(
        ours.contains(body) || body.len() > 8_000,
        "{body:?} in {ours:?}"
    );
    let subject = stanza.subject().map(|subject| cleaned(&subject));
    let seen = message(stanza);
    assert_eq!(seen.bodies.values().next(), Some(&cleaned(&ours)));
    assert_eq!(seen.subjects.values().next().cloned(), subject);
    assert_eq!(
        seen.id.map(|id| id.0).as_deref(),
        Some(row.stanza_id.as_str())
    );
    assert_eq!(seen.to.unwrap().to_string(), row.jid);
}

/// XEP-0203: when it was sent, on whatever is older than a minute.
#[test]
fn what_is_older_than_a_minute_says_since_when() {
    let gateway = gateways().into_iter().next().unwrap();
    for (age_ms, sent_ms, says_ms) in [
        (0, None, None),
        (60_000, None, None),
        (60_001, None, Some(60_001)),
        // The network held it for longer than we did.
        (1_000, Some(3_600_000), Some(3_600_000)),
        // A clock that is ahead of ours says nothing.
        (90_000, Some(-5_000), Some(90_000)),
    ] {
        let payload = Payload {
            sent_ms: sent_ms.map(|ago: i64| NOW.0 - ago),
            ..Payload::default()
        };
        let row = InRow {
            created_ms: NOW.0 - age_ms,
            ..incoming("+12025550147", "hello".to_owned(), &payload)
        };
        let stanzas = text_in::stanzas(&gateway, &row, &[], NOW, None);
        let says = stanzas.iter().map(|stanza| delay::since(&stanza.children));
        let wanted = says_ms.map(|ago: i64| UnixMillis(NOW.0 - ago).timestamp());
        let seconds = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_second);
        let says: Vec<_> = says.map(seconds).collect();
        assert_eq!(says, [seconds(wanted)], "{age_ms} {sent_ms:?}");
    }
}

#[test]
fn what_is_to_be_kept_nowhere_is_quoted_nowhere() {
    let [sms, _] = gateways();
    let mut row = tell(
        TellKind::Doubt,
        None,
        State::Unknown,
        Reason::ALL[0],
        "the secret",
    );
    let said = |row: &TellRow| {
        let stanzas = told::stanzas(&sms, row, |_| true, NOW);
        let bodies = stanzas.iter().filter_map(Message::body);
        bodies.map(Cow::into_owned).collect::<String>()
    };
    assert!(said(&row).contains("the secret"));
    let payload = Payload {
        fleeting: true,
        ..Payload::default()
    };
    row.payload = Some(payload.to_json());
    let said = said(&row);
    assert!(said.contains('…') && !said.contains("secret"), "{said}");
}

#[test]
fn everything_that_can_be_told_of_a_message_parses() {
    const KINDS: [TellKind; 7] = [
        TellKind::Receipt,
        TellKind::Read,
        TellKind::Error,
        TellKind::Doubt,
        TellKind::Silence,
        TellKind::Delay,
        TellKind::Night,
    ];
    const STATES: [State; 4] = [
        State::Expired,
        State::Failed,
        State::Unknown,
        State::Delivered,
    ];
    for gateway in &gateways() {
        for (kind, state) in KINDS
            .into_iter()
            .flat_map(|kind| STATES.map(|state| (kind, state)))
        {
            for reason in Reason::ALL {
                for mut row in [None, Some(TellKind::Error)]
                    .map(|told| tell(kind, told, state, reason, "hello"))
                {
                    let payload = Payload {
                        markable: true,
                        ..Payload::default()
                    };
                    row.payload = Some(payload.to_json());
                    let stanzas = told::stanzas(gateway, &row, |_| true, NOW);
                    assert!(!stanzas.is_empty(), "{row:?}");
                    stanzas.into_iter().map(message).for_each(drop);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_from_outside_arrives_as_it_was_written(body in words(), payload in payload()) {
        for gateway in &gateways() {
            check_incoming(gateway, "+12025550147", &body, &payload);
            check_incoming(gateway, "bob o'hara@example.com", &body, &payload);
        }
    }

    #[test]
    fn any_peer_either_has_a_contact_or_none(peer in words()) {
        for gateway in &gateways() {
            check_incoming(gateway, &peer, "hello", &Payload::default());
        }
    }

    #[test]
    fn what_is_told_quotes_any_text(body in words()) {
        for gateway in &gateways() {
            for kind in [TellKind::Receipt, TellKind::Error, TellKind::Doubt, TellKind::Silence, TellKind::Delay] {
                let row = tell(kind, Some(TellKind::Error), State::Failed, Reason::Filtered, &body);
                told::stanzas(gateway, &row, |_| false, NOW).into_iter().map(message).for_each(drop);
            }
        }
    }
}
