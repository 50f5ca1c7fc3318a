//! A user of another host than the gateway's own: to transom what a federated one is (semantics 13).

use std::net::SocketAddr;

use transom_test_servers::{
    Dnsmasq, Element, Feature, Federation, Server, XmppServer, free_port, skipped,
};

use crate::world::{LINE, SECRET, SMS, Twilio, World, chat, condition, contact, is_receipt_of};

on_each_server! {
    a_user_of_another_host_writes_and_is_written_to_where_that_is_allowed,
    a_user_of_another_server_is_served_where_its_domain_is_allowed,
}

const PEER: &str = "+12025550147";
const FRANK: &str = "frank@far.example";

async fn a_user_of_another_host_writes_and_is_written_to_where_that_is_allowed(on: Server) {
    proves!(
        "a user of another host, where that is allowed",
        Prosody,
        Ejabberd
    );
    let line = format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"carol@other.net\"\n");
    let features = [Feature::Offline, Feature::SecondHost];
    let mut world = World::prepare_on(on, &features, &line, "", |builder| builder).await;
    let config = world.transom.config_text();
    let config = config.replace("allow = [\"example.org\"]", "allow = [\"other.net\"]");
    world.transom.configure(&config);
    world.transom.start().await;
    world.up().await;
    let mut carol = world.client("carol@other.net").await;
    carol.send(&chat(&contact(PEER), "c1", "from afar")).await;
    let sent = world.twilio.text("from afar").await;
    assert_eq!(sent.form("From").as_deref(), Some(LINE));
    let (sid, delivered) = (Twilio::sid(1), "delivered");
    assert_eq!(
        world.twilio.report(&sent, &sid, delivered, "").await,
        Ok(200)
    );
    carol
        .expect("the receipt", |stanza| is_receipt_of(stanza, "c1"))
        .await;
    let answer = world.twilio.deliver("SMa", PEER, LINE, "from nearby").await;
    assert_eq!(answer, Ok(200));
    let is_answer = |stanza: &Element| stanza.body().as_deref() == Some("from nearby");
    let answer = carol.expect("the answer", is_answer).await;
    assert_eq!(answer.attr("from"), Some(&*contact(PEER)), "{answer}");
    let registered = carol
        .iq("get", SMS, "<query xmlns='jabber:iq:register'/>")
        .await;
    let is_registered = registered.find("registered", "jabber:iq:register");
    assert!(is_registered.is_some(), "{registered}");
    // Whoever is not allowed is not, and be it a user of the gateway's own host.
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "a1", "from here")).await;
    let is_it = |stanza: &Element| stanza.attr("id") == Some("a1");
    let refused = alice.expect("the refusal", is_it).await;
    assert_eq!(
        condition(&refused).as_deref(),
        Some("forbidden"),
        "{refused}"
    );
    assert_eq!(world.twilio.sent().len(), 1);
}

/// Another server altogether, of the other kind, which finds the gateway by its name and is found by its own (RFC 6120 §3.2).
async fn a_user_of_another_server_is_served_where_its_domain_is_allowed(on: Server) {
    proves!(
        "federation: a user of another server, where its domain is allowed, and a sentence where it is not",
        Prosody,
        Ejabberd
    );
    if skipped(&[Server::Prosody, Server::Ejabberd, Server::Dnsmasq]) {
        return;
    }
    let (mut world, far, _names) = two_servers(on).await;
    let mut frank = far.client(FRANK, "phone").await;
    frank.send(&chat(&contact(PEER), "f1", "from afar")).await;
    let sent = world.twilio.text("from afar").await;
    assert_eq!(sent.form("From").as_deref(), Some(LINE));
    let (sid, delivered) = (Twilio::sid(1), "delivered");
    assert_eq!(
        world.twilio.report(&sent, &sid, delivered, "").await,
        Ok(200)
    );
    frank
        .expect("the receipt", |stanza| is_receipt_of(stanza, "f1"))
        .await;
    let answer = world.twilio.deliver("SMa", PEER, LINE, "from nearby").await;
    assert_eq!(answer, Ok(200));
    let is_answer = |stanza: &Element| stanza.body().as_deref() == Some("from nearby");
    let answer = frank.expect("the answer", is_answer).await;
    assert_eq!(answer.attr("from"), Some(&*contact(PEER)), "{answer}");
    // Requests find their way as well, and his name among the gateway's users.
    let registered = frank
        .iq("get", SMS, "<query xmlns='jabber:iq:register'/>")
        .await;
    let is_registered = registered.find("registered", "jabber:iq:register");
    assert!(is_registered.is_some(), "{registered}");
    // His domain is allowed no more.
    assert!(world.transom.sigterm().await.success());
    let config = world.transom.config_text();
    let config = config.replace("allow = [\"far.example\"]", "allow = [\"example.org\"]");
    let config = config.replace(FRANK, "alice@example.org");
    world.transom.configure(&config);
    world.transom.start().await;
    world.up().await;
    frank.send(&chat(&contact(PEER), "f2", "once more")).await;
    let is_it = |stanza: &Element| stanza.attr("id") == Some("f2");
    let refused = frank.expect("the refusal", is_it).await;
    assert_eq!(
        condition(&refused).as_deref(),
        Some("forbidden"),
        "{refused}"
    );
    assert_eq!(world.twilio.sent().len(), 1);
}

/// The gateway at a server of this kind; Frank, who has a line, at one of the other.
async fn two_servers(on: Server) -> (World, XmppServer, Dnsmasq) {
    let [near_port, far_port] = [free_port(), free_port()];
    let srv = |domain: &str, port: SocketAddr| {
        format!(
            "srv-host=_xmpp-server._tcp.{domain},localhost,{}",
            port.port()
        )
    };
    let names = Dnsmasq::start(&[
        srv(SMS, near_port),
        srv("example.org", near_port),
        srv("far.example", far_port),
        // ejabberd asks the system for addresses, whatever Erlang's own resolver goes by.
        "address=/localhost/127.0.0.1".to_owned(),
    ])
    .await;
    let federation = |listen| Federation {
        listen,
        names: names.addr(),
    };
    let other = match on {
        Server::Ejabberd => Server::Prosody,
        _ => Server::Ejabberd,
    };
    let components = [(SMS, SECRET)];
    let near = federation(near_port);
    let near = XmppServer::federated(on, "example.org", &components, &[], near).await;
    let far = federation(far_port);
    let far = XmppServer::federated(other, "far.example", &[], &[FRANK], far).await;
    let line = format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"{FRANK}\"\n");
    let mut world = World::around(near, &line, "", |builder| builder).await;
    let config = world.transom.config_text();
    let config = config.replace("allow = [\"example.org\"]", "allow = [\"far.example\"]");
    world.transom.configure(&config);
    world.transom.start().await;
    world.up().await;
    (world, far, names)
}
