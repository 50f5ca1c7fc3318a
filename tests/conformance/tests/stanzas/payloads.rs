//! Every payload that is read, held against the same payload with one fault: what is unknown is passed over, what is of another
//! namespace is something else, what is missing is missed.

use std::fmt::Debug;

use transom::{
    gateway::call,
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, Iq, IqType, Message},
        xep::{
            addresses, adhoc, blocking, delay, disco, fallback, forms::Form, gateway, hints::Hints,
            last, markers, ping, privilege::Privileges, pubsub, reactions, register, roster,
            search, sharing, time, upload, vcard, version,
        },
    },
};
use transom_conformance::{Damage, spoilt};

/// A payload that is right, how it is read, and what it cannot do without: the ends of the names of its parts.
struct Case {
    name: &'static str,
    xml: &'static str,
    read: fn(&Element) -> Option<String>,
    essential: &'static [&'static str],
}

fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}

fn message(payload: &Element) -> Message {
    Message::chat(jid("example.org"), jid("gw.example.org")).with_child(payload.clone())
}

fn iq(kind: IqType, payload: &Element) -> Iq {
    Iq::new(kind, jid("alice@example.org/phone"), jid("gw.example.org"))
        .with_id("1")
        .with_child(payload.clone())
}

fn shown<T: Debug>(read: Option<T>) -> Option<String> {
    read.map(|read| format!("{read:?}"))
}

fn is(read: bool) -> Option<String> {
    read.then(|| "yes".to_owned())
}

/// Lists, where nothing found is nothing read.
fn some<T: Debug>(read: Vec<T>) -> Option<String> {
    shown(Some(read).filter(|read| !read.is_empty()))
}

const CASES: &[Case] = &[
    Case {
        name: "XEP-0004",
        xml: "<x xmlns='jabber:x:data' type='form'><title>T</title><instructions>I</instructions><field var='FORM_TYPE' type='hidden'>\
              <value>f</value></field><field var='a' type='list-single' label='A'><required/><option label='One'><value>1</value>\
              </option><value>1</value></field></x>",
        read: |payload| shown(Form::from_element(payload)),
        essential: &["x/type"],
    },
    Case {
        name: "XEP-0004: a table",
        xml: "<x xmlns='jabber:x:data' type='result'><reported><field var='a' label='A'/></reported><item><field var='a'>\
              <value>1</value></field></item></x>",
        read: |payload| shown(Form::from_element(payload)),
        essential: &["x/type"],
    },
    Case {
        name: "XEP-0012",
        xml: "<query xmlns='jabber:iq:last'/>",
        read: |payload| is(last::is_query(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0030: a question",
        xml: "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>",
        read: |payload| shown(disco::Query::parse(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0030: what something is",
        xml: "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='gateway' type='sms' name='N'/>\
              <feature var='urn:xmpp:ping'/></query>",
        read: |payload| shown(disco::Info::from_element(payload)),
        essential: &[],
    },
    Case {
        name: "XEP-0030: what there is",
        xml: "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='upload.example.org' node='n' name='N'/></query>",
        read: |payload| some(disco::parse_items(payload)),
        essential: &["query/item", "item/jid"],
    },
    Case {
        name: "XEP-0033",
        xml: "<addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='a@b' desc='A'/>\
              <address type='cc' uri='sms:+12025550148' delivered='true'/></addresses>",
        read: |payload| shown(addresses::parse(&message(payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0050",
        xml: "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s' action='next'>\
              <x xmlns='jabber:x:data' type='submit'><field var='a'><value>1</value></field></x></command>",
        read: |payload| shown(adhoc::Request::parse(&iq(IqType::Set, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0054",
        xml: "<vCard xmlns='vcard-temp'/>",
        read: |payload| is(vcard::is_query(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0055",
        xml: "<query xmlns='jabber:iq:search'><nick>0147</nick></query>",
        read: |payload| shown(search::Request::parse(&iq(IqType::Set, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0055: by form",
        xml: "<query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='submit'><field var='nick'><value>0147</value></field>\
              </x></query>",
        read: |payload| shown(search::Request::parse(&iq(IqType::Set, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0060",
        xml: "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'><item id='x'/></items></pubsub>",
        read: |payload| shown(pubsub::Read::parse(&iq(IqType::Get, payload))),
        essential: &["pubsub/items", "items/node"],
    },
    Case {
        name: "XEP-0066",
        xml: "<x xmlns='jabber:x:oob'><url>https://example.org/x.png</url><desc>D</desc></x>",
        read: |payload| some(sharing::files(&message(payload))),
        essential: &["x/url"],
    },
    Case {
        name: "XEP-0077",
        xml: "<query xmlns='jabber:iq:register'><phone>+12025550105</phone></query>",
        read: |payload| shown(register::parse(&iq(IqType::Set, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0077: by form",
        xml: "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='phone'>\
              <value>+12025550105</value></field></x></query>",
        read: |payload| shown(register::parse(&iq(IqType::Set, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0077: leaving",
        xml: "<query xmlns='jabber:iq:register'><remove/></query>",
        read: |payload| {
            let read = register::parse(&iq(IqType::Set, payload));
            is(read == Some(register::Request::Remove))
        },
        essential: &["query/remove"],
    },
    Case {
        name: "XEP-0092",
        xml: "<query xmlns='jabber:iq:version'/>",
        read: |payload| is(version::is_query(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0100",
        xml: "<query xmlns='jabber:iq:gateway'><prompt>0147</prompt></query>",
        read: |payload| shown(gateway::parse(&iq(IqType::Set, payload))),
        essential: &["query/prompt"],
    },
    Case {
        name: "XEP-0184: wanted",
        xml: "<request xmlns='urn:xmpp:receipts'/>",
        read: |payload| is(message(payload).wants_receipt()),
        essential: &[],
    },
    Case {
        name: "XEP-0184: given",
        xml: "<received xmlns='urn:xmpp:receipts' id='m1'/>",
        read: |payload| shown(message(payload).received_id()),
        essential: &["received/id"],
    },
    Case {
        name: "XEP-0191: blocking",
        xml: "<block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block>",
        read: |payload| shown(blocking::Request::parse(&iq(IqType::Set, payload))),
        // Read as a request that is answered with what is wrong.
        essential: &[],
    },
    Case {
        name: "XEP-0191: no longer blocking",
        xml: "<unblock xmlns='urn:xmpp:blocking'><item jid='a@b'/></unblock>",
        read: |payload| shown(blocking::Request::parse(&iq(IqType::Set, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0191: who is blocked",
        xml: "<blocklist xmlns='urn:xmpp:blocking'/>",
        read: |payload| shown(blocking::Request::parse(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0199",
        xml: "<ping xmlns='urn:xmpp:ping'/>",
        read: |payload| is(ping::is_ping(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0202",
        xml: "<time xmlns='urn:xmpp:time'/>",
        read: |payload| is(time::is_query(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0203",
        xml: "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-11-27T00:00:00Z'>Offline</delay>",
        read: |payload| shown(delay::since(std::slice::from_ref(payload))),
        essential: &["delay/stamp"],
    },
    Case {
        name: "XEP-0292",
        xml: "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>",
        read: |payload| is(vcard::is_query4(&iq(IqType::Get, payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0308",
        xml: "<replace xmlns='urn:xmpp:message-correct:0' id='m0'/>",
        read: |payload| shown(message(payload).replaces()),
        essential: &["replace/id"],
    },
    Case {
        name: "XEP-0333",
        xml: "<markable xmlns='urn:xmpp:chat-markers:0'/>",
        read: |payload| is(markers::is_markable(&message(payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0333: looked at",
        xml: "<displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/>",
        read: |payload| shown(markers::displayed_id(&message(payload))),
        essential: &["displayed/id"],
    },
    Case {
        name: "XEP-0334",
        xml: "<no-store xmlns='urn:xmpp:hints'/>",
        read: |payload| is(Hints::of(std::slice::from_ref(payload)).no_store),
        essential: &[],
    },
    Case {
        name: "XEP-0353",
        xml: "<propose xmlns='urn:xmpp:jingle-message:0' id='c1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>",
        read: |payload| is(call::is_proposal(&message(payload))),
        essential: &["propose/id"],
    },
    Case {
        name: "XEP-0356",
        xml: "<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='both' push='false'/>\
              <perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='get'/></perm></privilege>",
        read: |payload| shown(Privileges::parse(&message(payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0356: the first version",
        xml: "<privilege xmlns='urn:xmpp:privilege:1'><perm access='roster' type='both'/><perm access='message' type='outgoing'/></privilege>",
        read: |payload| shown(Privileges::parse(&message(payload))),
        essential: &[],
    },
    Case {
        name: "XEP-0359",
        xml: "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>",
        read: |payload| shown(message(payload).origin_id()),
        essential: &["origin-id/id"],
    },
    Case {
        name: "XEP-0363: a slot",
        xml: "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/1'><header name='Authorization'>x</header></put>\
              <get url='https://example.org/2'/></slot>",
        read: |payload| shown(upload::Slot::parse(&iq(IqType::Result, payload))),
        essential: &["slot/put", "put/url", "slot/get", "get/url"],
    },
    Case {
        name: "XEP-0363: the largest file",
        xml: "<query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'>\
              <value>urn:xmpp:http:upload:0</value></field><field var='max-file-size'><value>1000</value></field></x></query>",
        read: |payload| shown(upload::size_max(payload)),
        essential: &["query/x", "x/field", "field/var", "field/value"],
    },
    Case {
        name: "XEP-0380",
        xml: "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>",
        read: |payload| shown(message(payload).is_encrypted()),
        essential: &[],
    },
    Case {
        name: "XEP-0385",
        xml: "<reference xmlns='urn:xmpp:reference:0' type='data' begin='0' end='2'><media-sharing xmlns='urn:xmpp:sims:1'>\
              <file xmlns='urn:xmpp:jingle:apps:file-transfer:5'><name>x.png</name><media-type>image/png</media-type>\
              <size>10</size></file><sources><reference xmlns='urn:xmpp:reference:0' type='data' uri='https://example.org/x.png'/>\
              </sources></media-sharing></reference>",
        read: |payload| some(sharing::files(&message(payload))),
        essential: &[
            "reference/media-sharing",
            "media-sharing/sources",
            "sources/reference",
            "reference/uri",
        ],
    },
    Case {
        name: "XEP-0393",
        xml: "<unstyled xmlns='urn:xmpp:styling:0'/>",
        read: |payload| is(message(payload).is_unstyled()),
        essential: &[],
    },
    Case {
        name: "XEP-0424",
        xml: "<retract xmlns='urn:xmpp:message-retract:1' id='m0'/>",
        read: |payload| shown(message(payload).retracts()),
        essential: &["retract/id"],
    },
    Case {
        name: "XEP-0428",
        xml: "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='5'/></fallback>",
        read: |payload| {
            let parted = fallback::part(&message(payload), ns::REPLY, "> hi\nyes");
            shown(Some(parted.fallback).filter(|quoted| !quoted.is_empty()))
        },
        essential: &["fallback/for"],
    },
    Case {
        name: "XEP-0444",
        xml: "<reactions xmlns='urn:xmpp:reactions:0' id='m0'><reaction>\u{1f44d}</reaction></reactions>",
        read: |payload| shown(reactions::of(&message(payload))),
        essential: &["reactions/id"],
    },
    Case {
        name: "XEP-0447",
        xml: "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'><name>x.png</name>\
              <media-type>image/png</media-type><size>10</size></file><sources>\
              <url-data xmlns='http://jabber.org/protocol/url-data' target='https://example.org/x.png'/></sources></file-sharing>",
        read: |payload| some(sharing::files(&message(payload))),
        essential: &[
            "file-sharing/sources",
            "sources/url-data",
            "url-data/target",
        ],
    },
    Case {
        name: "XEP-0461",
        xml: "<reply xmlns='urn:xmpp:reply:0' to='a@b' id='m0'/>",
        read: |payload| shown(message(payload).reply_to()),
        essential: &["reply/id"],
    },
    Case {
        name: "OMEMO 2",
        xml: "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/></encrypted>",
        read: |payload| shown(message(payload).is_encrypted()),
        essential: &[],
    },
    Case {
        name: "OpenPGP",
        xml: "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>",
        read: |payload| shown(message(payload).is_encrypted()),
        essential: &[],
    },
    Case {
        name: "OMEMO",
        xml: "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>",
        read: |payload| shown(message(payload).is_encrypted()),
        essential: &[],
    },
    Case {
        name: "RFC 6121: a roster",
        xml: "<query xmlns='jabber:iq:roster'><item jid='a@gw.example.org' name='A' subscription='both'><group>G</group></item></query>",
        read: |payload| some(roster::entries(payload, "gw.example.org")),
        essential: &["query/item", "item/jid"],
    },
];

#[test]
fn what_is_unknown_is_passed_over_and_what_is_missing_is_missed() {
    let mut wrong = Vec::new();
    for case in CASES {
        let payload: Element = case.xml.parse().unwrap();
        let Some(right) = (case.read)(&payload) else {
            wrong.push(format!("{}: the right one is not read", case.name));
            continue;
        };
        for spoilt in spoilt(&payload) {
            let read = (case.read)(&spoilt.element);
            let what = format!(
                "{}, {:?} {}: {read:?}",
                case.name, spoilt.damage, spoilt.part
            );
            let is_root = !spoilt.part.contains('/');
            match spoilt.damage {
                Damage::Unknown if read.as_ref() != Some(&right) => wrong.push(what),
                Damage::Foreign if is_root && read.is_some() => wrong.push(what),
                Damage::Missing => {
                    let is_essential = case.essential.iter().any(|end| spoilt.part.ends_with(end));
                    if is_essential == read.is_some() {
                        wrong.push(what);
                    }
                }
                Damage::Unknown | Damage::Foreign | Damage::Repeated | Damage::Emptied => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nothing that stands for itself is read out of a namespace that is only alike.
#[test]
fn no_payload_is_read_as_another() {
    for case in CASES {
        for other in CASES {
            let payload: Element = other.xml.parse().unwrap();
            let own: Element = case.xml.parse().unwrap();
            if payload.namespace() == own.namespace() || payload.namespace() == ns::REFERENCE {
                continue;
            }
            let read = (case.read)(&payload);
            let both_files = case.name.starts_with("XEP-0066")
                || case.name.starts_with("XEP-0385")
                || case.name.starts_with("XEP-0447");
            let both_questions =
                case.name.starts_with("XEP-0030") && other.name.starts_with("XEP-0030");
            let both_privileges =
                case.name.starts_with("XEP-0356") && other.name.starts_with("XEP-0356");
            let both_encrypted = matches!(case.name, "XEP-0380" | "OMEMO" | "OMEMO 2" | "OpenPGP");
            assert!(
                read.is_none() || both_files || both_encrypted || both_questions || both_privileges,
                "{} read as {}: {read:?}",
                other.name,
                case.name
            );
        }
    }
}
