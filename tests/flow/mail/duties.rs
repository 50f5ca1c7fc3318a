//! What a mail host owes others: somebody behind postmaster and abuse, and records that let mail from it be believed.

use super::*;
use transom_test_servers::Dnsmasq;

#[tokio::test]
async fn rfc2142_postmaster_and_abuse_reach_whoever_is_named() {
    if skipped(&[Server::Prosody, Server::Postfix]) {
        return;
    }
    let mut world = world(In::Lmtp).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    let complaint = |number: u8| {
        format!(
            "From: Net <abuse@net.example>\r\nSubject: c{number}\r\nMessage-ID: <c{number}@net.example>\r\n\r\nstop {number}\r\n"
        )
    };
    let send = async |world: &MailWorld, to: &str, mail: &str| {
        let lmtp = Mailer::lmtp(lmtp_of(world));
        lmtp.verdicts("abuse@net.example", &[to], mail).await
    };
    // Nobody is named yet: refused, and `check --live` says so.
    let refused = send(&world, "abuse@mail.example.org", &complaint(1)).await;
    assert!(refused[0].starts_with("550"), "{refused:?}");
    world.transom.sigterm().await;
    world.transom.set_env(
        "TRANSOM_GATEWAY__MAIL__POSTMASTER",
        "alice@mail.example.org",
    );
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    for (number, to) in [
        (2, "postmaster@mail.example.org"),
        (3, "Abuse@mail.example.org"),
    ] {
        let taken = send(&world, to, &complaint(number)).await;
        assert!(taken[0].starts_with("250"), "{taken:?}");
        let words = format!("stop {number}");
        alice
            .expect(&words, |stanza| {
                stanza.body().unwrap_or_default().contains(&words)
            })
            .await;
    }
}

fn words(output: &std::process::Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// What `check --live` says with a name server that knows these records.
async fn checked(records: &[&str]) -> String {
    let records: Vec<String> = records.iter().map(|record| (*record).to_owned()).collect();
    let dns = Dnsmasq::start(&records).await;
    let prosody = Prosody::builder().component(MAIL, "secret").start().await;
    let sink = MailSink::start().await;
    let http = free_port();
    let config = format!(
        r#"
[store]
[xmpp]
server = "{server}"
allow = ["example.org"]
[http]
listen = "{http}"
[gateway.mail]
adapter = "email"
domain = "{MAIL}"
secret = "secret"
address_domain = "{MAIL}"
resolver = "{dns}"
[gateway.mail.smtp]
url = "smtp://{sink}?tls=none"
[gateway.mail.dkim]
selector = "transom"
key_file = "dkim.pem"
"#,
        server = prosody.component_addr(),
        dns = dns.addr(),
        sink = sink.addr(),
    );
    let transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
        .config(&config)
        .http(http)
        .prepare();
    std::fs::write(transom.folder().join("dkim.pem"), KEY).expect("a key is written");
    words(&transom.command(&["check", "--live"]).await)
}

/// RFC 8463 appendix A.2, in PKCS #8; its public half is that of the record below.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
const PUBLIC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

#[tokio::test]
async fn check_live_says_which_records_a_name_server_has() {
    if skipped(&[Server::Prosody, Server::Dnsmasq]) {
        return;
    }
    let key = format!(
        "txt-record=transom._domainkey.mail.example.org,\"v=DKIM1; k=ed25519; p={PUBLIC}\""
    );
    // What does not fit into a datagram is asked for once more, by TCP.
    let long = |letter: &str| format!("txt-record=mail.example.org,\"{}\"", letter.repeat(250));
    let [first, second, third] = ["x", "y", "z"].map(long);
    let said = checked(&[
        "mx-host=mail.example.org,mx.example.org,10",
        "host-record=mx.example.org,192.0.2.7",
        "txt-record=mail.example.org,\"v=spf1 mx -all\"",
        &first,
        &second,
        &third,
        &key,
        "txt-record=_dmarc.mail.example.org,\"v=DMARC1; p=reject\"",
    ])
    .await;
    for wanted in [
        "mail.example.org MX is there: mx.example.org",
        "192.0.2.7 is named mx.example.org, as receivers want it",
        "mail.example.org TXT is there: v=spf1 mx -all",
        "transom._domainkey.mail.example.org TXT is there",
        "_dmarc.mail.example.org TXT is there: v=DMARC1; p=reject",
        "nobody reads postmaster@mail.example.org",
    ] {
        assert!(said.contains(wanted), "{wanted:?} in:\n{said}");
    }
}

#[tokio::test]
async fn check_live_says_which_records_are_missing_or_wrong() {
    if skipped(&[Server::Prosody, Server::Dnsmasq]) {
        return;
    }
    let said = checked(&[
        "mx-host=mail.example.org,mx.example.org,10",
        "address=/mx.example.org/192.0.2.7",
        "ptr-record=7.2.0.192.in-addr.arpa,another.example.org",
        "txt-record=mail.example.org,\"v=spf1 mx -all\"",
        "txt-record=mail.example.org,\"v=spf1 a -all\"",
        "txt-record=transom._domainkey.mail.example.org,\"v=DKIM1; k=ed25519; p=AAAA\"",
    ])
    .await;
    for wanted in [
        "192.0.2.7 should have the name mx.example.org (PTR); it has another.example.org",
        "mail.example.org TXT is there more than once",
        "transom._domainkey.mail.example.org TXT is another: v=DKIM1; k=ed25519; p=AAAA",
        "_dmarc.mail.example.org TXT is missing",
        "_dmarc.mail.example.org TXT \"v=DMARC1; p=reject",
    ] {
        assert!(said.contains(wanted), "{wanted:?} in:\n{said}");
    }
}

#[tokio::test]
async fn rfc7489_the_record_of_the_organization_counts_where_a_domain_has_none() {
    if skipped(&[Server::Prosody, Server::Dnsmasq]) {
        return;
    }
    let said = checked(&[
        "txt-record=_dmarc.example.org,\"v=DMARC1; p=reject; sp=quarantine\"",
        "txt-record=_dmarc.org,\"v=DMARC1; p=none\"",
    ])
    .await;
    let wanted = "_dmarc.mail.example.org TXT is missing, so _dmarc.example.org counts for it and asks for quarantine: \
                  v=DMARC1; p=reject; sp=quarantine";
    assert!(said.contains(wanted), "{wanted:?} in:\n{said}");
}
