//! What the gateway and its contacts say that they can do, and that they do it.

use super::*;

#[test]
fn disco_says_what_is_really_there() {
    let gateway = sms("open");
    for (to, category, kind) in [(GW, "gateway", "sms"), (BOB, "client", "sms")] {
        let answer = ask(
            &gateway,
            IqType::Get,
            to,
            "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        );
        let info = Info::from_element(answer.payload().unwrap()).unwrap();
        assert_eq!(
            (
                info.identities[0].category.as_str(),
                info.identities[0].kind.as_str()
            ),
            (category, kind)
        );
        assert_eq!(info.has(ns::RECEIPTS), to == BOB);
        assert_eq!(info.has(ns::REGISTER), to == GW);
        assert!(
            !info
                .features
                .iter()
                .any(|feature| feature.contains("omemo") || feature.contains("openpgp"))
        );
    }
    let smtp = ask(
        &mail(),
        IqType::Get,
        "mail.example.org",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    );
    assert_eq!(
        Info::from_element(smtp.payload().unwrap())
            .unwrap()
            .identities[0]
            .kind,
        "smtp"
    );
}

#[test]
fn every_feature_is_answered() {
    let gateway = sms("open");
    let ways = [
        (ns::DISCO_INFO, "query"),
        (ns::DISCO_ITEMS, "query"),
        (ns::VERSION, "query"),
        (ns::VCARD, "vCard"),
        (ns::VCARD4, "vcard"),
        (ns::TIME, "time"),
        (ns::PING, "ping"),
        (ns::GATEWAY, "query"),
    ];
    for (to, info) in [
        (GW, info::of_gateway(&gateway)),
        (BOB, info::of_contact(&gateway)),
    ] {
        for (namespace, name) in ways.iter().filter(|(namespace, _)| info.has(namespace)) {
            let answer = ask(
                &gateway,
                IqType::Get,
                to,
                &format!("<{name} xmlns='{namespace}'/>"),
            );
            assert_eq!(answer.kind, IqType::Result, "{namespace} at {to}");
        }
    }
}

#[test]
fn the_node_of_caps_is_answered_and_no_other() {
    let gateway = sms("open");
    let query = |node: &str| {
        format!("<query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/>")
    };
    let node = format!("{CAPS_NODE}#{}", info::of_contact(&gateway).caps_hash());
    let answer = ask(&gateway, IqType::Get, BOB, &query(&node));
    assert_eq!(answer.payload().unwrap().attr("node"), Some(node.as_str()));
    assert_eq!(
        ask(&gateway, IqType::Get, BOB, &query("other"))
            .error()
            .unwrap()
            .condition,
        Condition::ItemNotFound
    );
}

#[test]
fn whom_to_turn_to_stands_in_the_gateways_disco_alone() {
    let gateway = sms("open");
    let info = info::of_gateway(&gateway);
    assert_eq!(info.forms[0].form_type(), Some(ns::SERVER_INFO));
    assert_eq!(
        info.forms[0].value("admin-addresses"),
        Some("xmpp:admin@example.org")
    );
    assert!(info::of_contact(&gateway).forms.is_empty());
}
