//! Names and pictures of contacts, by each way to ask for them.

use super::*;

#[test]
fn a_card_names_the_contact() {
    let answer = ask(
        &mail(),
        IqType::Get,
        r"bob\40example.com@mail.example.org",
        "<vCard xmlns='vcard-temp'/>",
    );
    let card = answer.payload().unwrap();
    assert_eq!(
        card.child_text("FN", ns::VCARD).as_deref(),
        Some("bob@example.com")
    );
    assert_eq!(
        card.child("EMAIL", ns::VCARD)
            .unwrap()
            .child_text("USERID", ns::VCARD)
            .as_deref(),
        Some("bob@example.com")
    );
}

#[test]
fn a_card_has_the_name_that_the_user_knows_and_a_picture() {
    let gateway = sms("open");
    let alice = user("active").calling("Bob Smith");
    let effects = ask_as(
        &gateway,
        &alice,
        IqType::Get,
        BOB,
        "<vCard xmlns='vcard-temp'/>",
    );
    let card = payload(&effects);
    assert_eq!(
        card.child_text("FN", ns::VCARD).as_deref(),
        Some("Bob Smith")
    );
    let photo = card.child("PHOTO", ns::VCARD).unwrap();
    assert_eq!(
        photo.child_text("TYPE", ns::VCARD).as_deref(),
        Some("image/png")
    );
    let vcard4 = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>";
    let effects = ask_as(&gateway, &alice, IqType::Get, BOB, vcard4);
    let name = payload(&effects).child("fn", ns::VCARD4).unwrap();
    assert_eq!(
        name.child_text("text", ns::VCARD4).as_deref(),
        Some("Bob Smith")
    );
    let own = ask(&gateway, IqType::Get, GW, "<vCard xmlns='vcard-temp'/>");
    assert!(own.payload().unwrap().child("PHOTO", ns::VCARD).is_some());
}

#[test]
fn every_way_leads_to_the_picture_that_presence_names() {
    let gateway = sms("open");
    let alice = user("active").calling("Bob Smith").seeing(true, true);
    let probe = crate::gateway::registration::fixture::presence(
        crate::xmpp::stanza::PresenceType::Probe,
        BOB,
    );
    let target = Target::read(&gateway, &probe.to.clone().unwrap());
    let effects = with_moment(|moment| {
        crate::gateway::subscription::decide(&gateway, &probe, &target, &alice, moment)
    });
    let Some(Stanza::Presence(presence)) = effects.answers.first() else {
        panic!("{:?}", effects.seen())
    };
    let update = presence.child("x", ns::VCARD_UPDATE).unwrap();
    let id = update.child_text("photo", ns::VCARD_UPDATE).unwrap();
    for (node, item, found) in [
        (ns::AVATAR_METADATA, "", true),
        (ns::AVATAR_DATA, &*id, true),
        (ns::AVATAR_DATA, "another", false),
        (ns::VCARD4_NODE, "current", true),
        (ns::NICK, "", true),
    ] {
        let inside = if item.is_empty() {
            String::new()
        } else {
            format!("<item id='{item}'/>")
        };
        let query = format!(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'>{inside}</items></pubsub>"
        );
        let effects = ask_as(&gateway, &alice, IqType::Get, BOB, &query);
        let items = payload(&effects).child("items", ns::PUBSUB).unwrap();
        let first = items.child("item", ns::PUBSUB);
        assert_eq!(first.is_some(), found, "{node} {item}");
        if found && node.contains("avatar") {
            assert_eq!(first.unwrap().attr("id"), Some(&*id), "{node}");
        }
    }
    let other =
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:example:x'/></pubsub>";
    let effects = ask_as(&gateway, &alice, IqType::Get, BOB, other);
    assert_eq!(effects.seen(), ["item-not-found"]);
}

#[test]
fn a_name_in_place_of_a_number_is_shown_without_its_context() {
    let to = "acme\\20bank;phone-context=alpha@sms.example.org";
    let gateway = sms("open");
    // The fixture's network has no such names, the real one has.
    let Target::Nobody(_) = Target::read(&gateway, &crate::xmpp::jid::Jid::new(to).unwrap()) else {
        panic!("the fixture has changed")
    };
    assert_eq!(card::shown("acme bank;phone-context=alpha"), "acme bank");
    assert_eq!(card::shown("+12025550147"), "+12025550147");
}
