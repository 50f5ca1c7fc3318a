//! Archives (XEP-0313) and a second device (XEP-0280): what was said is there once, wherever one looks.

use transom_test_servers::{Element, Feature, PATIENCE, Server, XmppClient, until};

use crate::world::{LINE, Twilio, World, alices_line, chat, contact, is_receipt_of};

on_each_server! {
    what_was_said_is_once_on_each_device_and_once_in_the_archive,
}

const PEER: &str = "+12025550147";
const ALICE: &str = "alice@example.org";
const ARCHIVE: &str = "urn:xmpp:mam:2";
const CARBONS: &str = "urn:xmpp:carbons:2";

async fn device(world: &World, resource: &str) -> XmppClient {
    let mut device = world.server.client("alice", resource).await;
    let enable = format!("<enable xmlns='{CARBONS}'/>");
    let done = device.iq("set", ALICE, &enable).await;
    assert_eq!(done.attr("type"), Some("result"), "{done}");
    device
}

/// The messages with the contact in alice's archive, oldest first.
async fn archived(device: &mut XmppClient) -> Vec<Element> {
    device.take_rest();
    device.barrier().await;
    let before = device.received().len();
    let query = format!("<query xmlns='{ARCHIVE}' queryid='q'/>");
    let done = device.iq("set", ALICE, &query).await;
    assert_eq!(done.attr("type"), Some("result"), "{done}");
    let results = device.received().iter().skip(before);
    let inner = results.filter_map(|stanza| {
        stanza.child_in("result", ARCHIVE)?;
        stanza
            .find("forwarded", "urn:xmpp:forward:0")?
            .child("message")
    });
    let about = |message: &&Element| {
        let ends = [message.attr("from"), message.attr("to")];
        ends.iter().flatten().any(|jid| jid.contains(PEER))
    };
    inner.filter(about).cloned().collect()
}

fn bodies(messages: &[Element]) -> Vec<String> {
    messages.iter().filter_map(Element::body).collect()
}

async fn what_was_said_is_once_on_each_device_and_once_in_the_archive(on: Server) {
    proves!(
        "XEP-0280, XEP-0313: once on each device, once in the archive, failures and receipts too",
        Prosody,
        Ejabberd
    );
    let features = [Feature::Offline, Feature::Archive];
    let mut world = World::prepare_on(on, &features, &alices_line(), "", |builder| builder).await;
    world.transom.start().await;
    world.up().await;
    let mut phone = device(&world, "phone").await;
    let mut desk = device(&world, "desk").await;
    phone
        .send(&chat(&contact(PEER), "m1", "from the phone"))
        .await;
    let sent = world.twilio.text("from the phone").await;
    let copy = desk
        .expect("a copy of what the phone sent", |stanza| {
            stanza.child_in("sent", CARBONS).is_some()
        })
        .await;
    assert!(copy.to_string().contains("from the phone"), "{copy}");
    let (first, delivered) = (Twilio::sid(1), "delivered");
    assert_eq!(
        world.twilio.report(&sent, &first, delivered, "").await,
        Ok(200)
    );
    let came = world
        .twilio
        .deliver("SMin", PEER, LINE, "from outside")
        .await;
    assert_eq!(came, Ok(200));
    for device in [&mut phone, &mut desk] {
        device
            .expect("the receipt", |stanza| is_receipt_of(stanza, "m1"))
            .await;
        device
            .expect("the answer", |stanza| {
                stanza.body().as_deref() == Some("from outside")
            })
            .await;
    }
    // A failure that is told while nobody is there.
    phone.send(&chat(&contact(PEER), "m2", "to be lost")).await;
    let lost = world.twilio.text("to be lost").await;
    phone.barrier().await;
    phone.disconnect().await;
    desk.barrier().await;
    desk.disconnect().await;
    let second = Twilio::sid(2);
    assert_eq!(
        world
            .twilio
            .report(&lost, &second, "undelivered", "30003")
            .await,
        Ok(200)
    );
    is_once(&mut device(&world, "tablet").await).await;
}

/// What another device finds that was not there.
async fn is_once(tablet: &mut XmppClient) {
    let mut archive = Vec::new();
    let is_told = async || {
        archive = archived(tablet).await;
        let said = bodies(&archive);
        said.iter()
            .any(|body| body.starts_with('\u{26a0}'))
            .then_some(())
    };
    let told = until("the failure in the archive", PATIENCE, is_told).await;
    told.unwrap_or_else(|late| panic!("{late}: {archive:?}"));
    let said = bodies(&archive);
    let failed = said.iter().filter(|body| body.starts_with('\u{26a0}'));
    assert_eq!(failed.count(), 1, "{said:?}");
    for once in ["from the phone", "from outside", "to be lost"] {
        let count = said.iter().filter(|body| *body == once);
        assert_eq!(count.count(), 1, "{once}: {said:?}");
    }
    let receipts = archive.iter().filter(|stanza| is_receipt_of(stanza, "m1"));
    assert_eq!(receipts.count(), 1, "{archive:?}");
    let ids: Vec<&str> = archive
        .iter()
        .filter(|stanza| stanza.attr("type") != Some("error"))
        .filter_map(|stanza| stanza.attr("id"))
        .collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "no id twice: {ids:?}");
}
