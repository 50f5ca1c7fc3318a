use proptest::prelude::*;
use transom_adapter::testkit;

use super::*;
use crate::gateway::registration::fixture::{mail, sms};

const BOB: &str = "+12025550147";
const CAROL: &str = "+12025550148";

fn peer(network: Network, members: &[&str]) -> String {
    let members: Vec<Address> = members.iter().map(|member| Address::new(*member)).collect();
    peer_of(network, &members).unwrap().as_str().to_owned()
}

#[test]
fn numbers_are_a_group_in_their_order_and_each_once() {
    let want = format!("{BOB},{CAROL}");
    assert_eq!(peer(Network::Sms, &[CAROL, BOB, CAROL]), want);
    assert_eq!(peer(Network::Sms, &[BOB, BOB]), BOB, "one person");
    assert_eq!(peer_of(Network::Sms, &[]), None);
    assert!(is_group(&want) && !is_named(&want) && !is_group(BOB));
    assert_eq!(listed(&want), [Address::new(BOB), Address::new(CAROL)]);
    assert!(
        !is_group("smith, ltd;phone-context=alpha"),
        "a sender's name"
    );
}

#[test]
fn what_does_not_fit_a_local_part_is_named_after_its_members() {
    let named = peer(Network::Email, &["carol@x.example", "bob@x.example"]);
    assert_eq!(
        named,
        peer(Network::Email, &["bob@x.example", "carol@x.example"])
    );
    assert!(is_named(&named) && is_group(&named), "{named}");
    assert!(listed(&named).is_empty());
    let eleven: Vec<String> = (0..11).map(|last| format!("+120255501{last:02}")).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    assert!(is_named(&peer(Network::Sms, &eleven)));
    for wrong in [
        "g-",
        "g-aaaa",
        "g-bob@example.com",
        &named.to_uppercase(),
        &format!("{named}a"),
    ] {
        assert!(!is_named(wrong), "{wrong}");
    }
}

#[test]
fn other_spellings_are_told_the_right_jid() {
    let gateway = sms("open");
    let right = format!("{BOB},{CAROL}");
    let jid = Some(format!("{right}@sms.example.org"));
    let suggestion = |local: &str| {
        gateway
            .contact(local)
            .unwrap_err()
            .map(|jid| jid.to_string())
    };
    assert_eq!(gateway.contact(&right).unwrap().peer.as_str(), right);
    assert_eq!(suggestion(&format!("{CAROL},{BOB}")), jid);
    assert_eq!(suggestion(&format!("{BOB},{CAROL},{BOB}")), jid);
    assert_eq!(suggestion("12025550147,12025550148"), jid);
    assert_eq!(
        suggestion(&format!("{BOB},{BOB}")),
        Some(format!("{BOB}@sms.example.org"))
    );
    for hopeless in [",", "+12025550147,", "+12025550147,bob", "a,b"] {
        assert_eq!(suggestion(hopeless), None, "{hopeless}");
    }
    let many = [BOB; 11].join(",");
    assert_eq!(suggestion(&many), None, "more than ten");
    let pinned = gateway
        .contact(&format!("{right};line=+12025550100"))
        .unwrap();
    assert_eq!(pinned.peer.as_str(), right);
    assert_eq!(pinned.line, Some(Address::new("+12025550100")));
}

#[test]
fn a_named_group_is_a_contact_of_any_network() {
    let named = peer(Network::Email, &["bob@x.example", "carol@x.example"]);
    for gateway in [sms("open"), mail()] {
        let contact = gateway.contact(&named).unwrap();
        let jid = gateway.jid_of(&contact.peer, None).unwrap();
        assert_eq!(jid.node().map(ToString::to_string), Some(named.clone()));
    }
}

fn incoming(from: &str, others: &[&str]) -> Incoming {
    Incoming {
        others: others
            .iter()
            .map(|other| Member::to(Address::new(*other)))
            .collect(),
        ..testkit::incoming(from, "+12025550100", "hi")
    }
}

#[test]
fn an_incoming_group_is_the_same_whoever_writes() {
    let gateway = sms("open");
    let of = |message: &Incoming| of_incoming(&gateway, message).map(|(peer, _)| peer);
    let group = Some(Address::new(format!("{BOB},{CAROL}")));
    assert_eq!(of(&incoming(BOB, &[CAROL])), group);
    assert_eq!(
        of(&incoming(CAROL, &[BOB, "+12025550100"])),
        group,
        "our own number aside"
    );
    assert_eq!(of(&incoming(BOB, &[])), None);
    assert_eq!(
        of(&incoming(BOB, &[BOB, "+12025550100"])),
        None,
        "nobody else"
    );
    let automatic = Incoming {
        class: Class::Bulk,
        ..incoming(BOB, &[CAROL])
    };
    assert_eq!(of(&automatic), None, "a mailing is no conversation");
}

fn addressed_by(gateway: &Gateway, list: &str) -> Option<Result<(String, usize), Refused>> {
    let to = gateway.own_jid();
    let message = Message::chat(Jid::new("alice@example.org/phone").unwrap(), to);
    let list = format!("<addresses xmlns='http://jabber.org/protocol/address'>{list}</addresses>");
    let message = message.with_child(list.parse().unwrap());
    addressed(gateway, &message)
        .map(|read| read.map(|(contact, members)| (contact.peer.to_string(), members.len())))
}

#[test]
fn a_stanza_names_its_recipients() {
    let gateway = sms("open");
    let of = |list: &str| addressed_by(&gateway, list);
    let both = Some(Ok((format!("{BOB},{CAROL}"), 2)));
    assert_eq!(
        of(
            "<address type='to' uri='sms:+12025550148'/><address type='cc' jid='+12025550147@sms.example.org'/>"
        ),
        both
    );
    assert_eq!(
        of("<address type='to' uri='tel:+1-202-555-0147'/><address type='noreply'/>"),
        Some(Ok((BOB.to_owned(), 1))),
        "one is a person"
    );
    assert_eq!(
        of("<address type='to' jid='+12025550147@sms.example.org' delivered='true'/>"),
        None,
        "who has it already does not get it again"
    );
    let refused = |list: &str| of(list).unwrap().unwrap_err();
    let good = "<address type='to' uri='sms:+12025550148'/>";
    assert_eq!(
        refused(&format!(
            "{good}<address type='bcc' uri='sms:+12025550147'/>"
        )),
        RefusedGroup::Hidden.into()
    );
    assert_eq!(
        refused(&format!("{good}<address type='to' jid='@'/>")),
        RefusedGroup::Unreadable.into(),
        "not to a part of them"
    );
    let elsewhere = RefusedGroup::Elsewhere {
        address: "bob@example.com".into(),
    };
    assert_eq!(
        refused("<address type='to' jid='bob@example.com'/>"),
        elsewhere.into()
    );
    for uri in ["mailto:bob@example.com", "+12025550147", ""] {
        let list = format!("<address type='to' uri='{uri}'/>");
        assert!(
            matches!(
                refused(&list),
                Refused::Group(RefusedGroup::Elsewhere { .. })
            ),
            "{uri}"
        );
    }
    let group = format!("<address type='to' jid='{BOB},{CAROL}@sms.example.org'/>");
    assert!(matches!(
        refused(&group),
        Refused::Group(RefusedGroup::Elsewhere { .. })
    ));
    let each = |last| format!("<address type='to' uri='sms:+120255501{last:02}'/>");
    let eleven = (0..11).map(each).collect::<Vec<_>>().concat();
    assert_eq!(
        refused(&eleven),
        Content::TooManyRecipients { recipients_max: 10 }.into()
    );
}

#[test]
fn a_name_is_not_endless() {
    let names: Vec<String> = (0..50).map(|at| format!("Person {at}")).collect();
    let name = name_of(names.iter().map(String::as_str));
    assert!(name.starts_with("Person 0, Person 1, "), "{name}");
    assert!(
        name.ends_with('…') && name.chars().count() < NAME_CHARS_MAX + 20,
        "{name}"
    );
    assert_eq!(
        name_of(["x".repeat(500).as_str()].into_iter()).len(),
        500,
        "one is shown whole"
    );
}

proptest! {
    #[test]
    fn a_group_reads_back_from_its_name(last in prop::collection::vec(0_u32..10_000, 1..12)) {
        let gateway = sms("open");
        let members: Vec<Address> =
            last.iter().map(|last| Address::new(format!("+1202555{last:04}"))).collect();
        let peer = peer_of(Network::Sms, &members).unwrap();
        let jid = gateway.jid_of(&peer, None).unwrap();
        let contact = gateway.contact(jid.node().unwrap().as_str()).unwrap();
        prop_assert_eq!(&contact.peer, &peer);
        let mut reversed = members;
        reversed.reverse();
        prop_assert_eq!(peer_of(Network::Sms, &reversed), Some(peer));
    }

    #[test]
    fn whatever_is_written_there_is_a_contact_or_none(local in "[+,;g0-9a-z@.= -]{0,60}") {
        for gateway in [sms("open"), mail()] {
            if let Ok(contact) = gateway.contact(&local) {
                let jid = gateway.jid_of(&contact.peer, contact.line.as_ref());
                prop_assert!(contact.line.is_some() || jid.is_some(), "{local}");
            }
        }
    }
}
