//! What a user finds and blocks: the own contacts and no other.

use super::*;

#[test]
fn only_own_contacts_are_found() {
    let gateway = sms("open");
    let mut alice = user("active");
    alice.book.contacts = vec![crate::store::read::KnownContact {
        peer: "+12025550147".to_owned(),
        name: Some("Bob".to_owned()),
    }];
    let find = |person: &Person, inside: &str| {
        let query = format!("<query xmlns='jabber:iq:search'>{inside}</query>");
        let effects = ask_as(&gateway, person, IqType::Set, GW, &query);
        payload(&effects).to_xml()
    };
    for inside in [
        "<nick>bob</nick>",
        "<x xmlns='jabber:x:data' type='submit'><field var='nick'><value>+1 202-555-0147</value></field></x>",
    ] {
        assert!(find(&alice, inside).contains(BOB), "{inside}");
        assert!(!find(&user("active"), inside).contains(BOB), "{inside}");
    }
    let effects = ask_as(
        &gateway,
        &alice,
        IqType::Get,
        GW,
        "<query xmlns='jabber:iq:search'/>",
    );
    assert!(Form::in_element(payload(&effects)).is_some());
}

#[test]
fn a_user_has_a_list_of_the_blocked() {
    let gateway = sms("open");
    let mut alice = user("active");
    alice.book.blocked = vec!["+12025550147".to_owned()];
    let ask = |person: &Person, kind, inside: &str| {
        let payload = inside.replacen(' ', " xmlns='urn:xmpp:blocking' ", 1);
        ask_as(&gateway, person, kind, GW, &payload)
    };
    let list = ask(&alice, IqType::Get, "<blocklist />");
    assert!(payload(&list).to_xml().contains(BOB));
    let item = format!("<item jid='{BOB}'/>");
    let twice = format!("<block >{item}{item}</block>");
    assert!(ask(&alice, IqType::Set, &twice).written().is_empty());
    let block = ask(&user("active"), IqType::Set, &twice);
    assert_eq!(block.seen(), ["result"]);
    assert_eq!(block.written(), ["block +12025550147 true"]);
    for unblock in [
        format!("<unblock >{item}</unblock>"),
        "<unblock />".to_owned(),
    ] {
        let effects = ask(&alice, IqType::Set, &unblock);
        assert_eq!(effects.written(), ["block +12025550147 false"], "{unblock}");
    }
    let foreign = format!("<block >{item}<item jid='+12025550148@else.example'/></block>");
    for (person, inside, condition) in [
        (&alice, "<block />", "bad-request"),
        (&alice, foreign.as_str(), "item-not-found"),
        (
            &alice,
            "<block ><item jid='sms.example.org'/></block>",
            "item-not-found",
        ),
        (
            &stranger("bob@example.org"),
            "<unblock />",
            "registration-required",
        ),
    ] {
        let effects = ask(person, IqType::Set, inside);
        assert_eq!(effects.seen(), [condition], "{inside}");
        assert!(effects.written().is_empty());
    }
}
