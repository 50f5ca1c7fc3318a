//! Sections as they may stand in a file.

use super::*;
use serde_json::{Value, json};

pub(crate) fn section(table: &Value) -> Section {
    Section {
        key: "gateway.mail".to_owned(),
        table: table.as_object().cloned().unwrap(),
        base_dir: std::env::temp_dir(),
    }
}

#[test]
fn a_whole_section_is_understood() {
    let config = Config::from_section(&section(&json!({
        "address_domain": "Mail.Example.org",
        "home": "example.org",
        "smtp": {"url": "smtp://127.0.0.1:25?tls=none"},
        "imap": {"url": "imaps://mail.example.org", "username": "u", "password": "p"},
        "lmtp": {"listen": "unix:/run/transom/lmtp.sock"},
    })))
    .unwrap();
    assert_eq!(config.address_domain, "mail.example.org");
    let imap = config.imap.unwrap();
    assert_eq!(imap.mailbox, "INBOX");
    let by_header = Whose::Recipients {
        header: "Delivered-To".to_owned(),
        fallback: false,
    };
    assert_eq!(imap.whose, by_header);
    assert_eq!(imap.since_days, 0);
    let listen = Listen::Unix("/run/transom/lmtp.sock".into());
    assert_eq!(config.lmtp.unwrap().listen, listen);
}

#[test]
fn what_smtp_in_and_dkim_need_is_told() {
    let fault = |table: &Value| {
        let faults = Config::from_section(&section(table)).unwrap_err();
        faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let text = fault(&json!({
        "address_domain": "mail.example.org",
        "smtp_in": {"listen": "192.0.2.1:25", "from_hosts": []},
        "dkim": {"selector": "a b", "key_file": "none.pem"},
    }));
    assert!(
        text.contains("gateway.mail.smtp_in.from_hosts: is empty"),
        "{text}"
    );
    assert!(text.contains("gateway.mail.dkim.selector"), "{text}");
    let text = fault(&json!({
        "address_domain": "mail.example.org",
        "smtp_in": {"listen": "192.0.2.1:25", "from_hosts": ["mx.example.org"]},
        "dkim": {"selector": "transom", "key_file": "none.pem"},
    }));
    assert!(text.contains("is no IP address and no network"), "{text}");
    assert!(text.contains("gateway.mail.dkim.key_file"), "{text}");
}

#[test]
fn the_postmaster_is_a_user_and_since_is_in_days() {
    let read = |postmaster: &str, since: &str| {
        Config::from_section(&section(&json!({
            "address_domain": "mail.example.org",
            "postmaster": postmaster,
            "imap": {"url": "imaps://mx", "username": "u", "password": "p", "since": since},
        })))
    };
    let config = read("Alice@mail.example.org", "7d").unwrap();
    assert_eq!(
        config.postmaster.unwrap().as_str(),
        "alice@mail.example.org"
    );
    let imap = config.imap.unwrap();
    assert_eq!((imap.since_days, imap.silence.as_secs()), (7, 300));
    for (postmaster, since) in [
        ("abuse@mail.example.org", "now"),
        ("alice@example.net", "now"),
        ("alice@mail.example.org", "7"),
        ("alice@mail.example.org", "-1d"),
    ] {
        assert_eq!(
            read(postmaster, since).unwrap_err().len(),
            1,
            "{postmaster} {since}"
        );
    }
}

#[test]
fn one_trusted_server_or_several() {
    for (given, want) in [
        (json!("mx.example.org"), vec!["mx.example.org"]),
        (json!(["a", "b"]), vec!["a", "b"]),
    ] {
        let config = Config::from_section(&section(&json!({
            "address_domain": "mail.example.org",
            "trusted_authserv_id": given,
            "smtp_in": {"listen": "192.0.2.1:25", "from_hosts": ["192.0.2.7", "2001:db8::/64"]},
        })))
        .unwrap();
        assert_eq!(config.trusted_servers, want);
        assert_eq!(config.smtp_in.unwrap().from_hosts.unwrap().len(), 2);
    }
}

#[test]
fn every_fault_is_told_at_once_and_no_secret_with_it() {
    let faults = Config::from_section(&section(&json!({
        "address_domain": "not a domain",
        "smtp": {"url": "smtp://u:s3cret@mx", "username": "u", "password": "s3cret"},
        "imap": {"url": "imaps://mx", "username": "u"},
        "lmtp": {"listen": "2424"},
    })))
    .unwrap_err();
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "gateway.mail.address_domain: \"not a domain\" is not a domain; write one like mail.example.org",
            "gateway.mail.smtp.url: holds a name or password, which belong into keys of their own; write one like smtps://host:465",
            "gateway.mail.imap.password: missing; add it or password_file",
            "gateway.mail.lmtp.listen: \"2424\" is not an address to listen on; write 127.0.0.1:2424 or unix:/path",
        ]
    );
}

#[test]
fn unknown_keys_and_an_empty_gateway_are_faults() {
    let fault = |table: &Value| Config::from_section(&section(table)).unwrap_err()[0].to_string();
    let text = fault(
        &json!({"address_domain": "mail.example.org", "smtp": {"url": "smtps://mx", "usrname": "u"}}),
    );
    assert!(
        text.starts_with("gateway.mail.smtp: unknown field `usrname`"),
        "{text}"
    );
    let text =
        fault(&json!({"address_domain": "mail.example.org", "dkin": {"selector": "transom"}}));
    assert!(
        text.starts_with("gateway.mail: unknown field `dkin`"),
        "{text}"
    );
    let text = fault(&json!({"address_domain": "mail.example.org"}));
    assert!(text.contains("has none of the tables"), "{text}");
}

#[test]
fn the_schema_names_every_table() {
    let mut generator = SchemaGenerator::default();
    let text = serde_json::to_string(&schema(&mut generator)).unwrap();
    let tables = serde_json::to_string(generator.definitions()).unwrap();
    assert!(text.contains("address_domain"), "{text}");
    for word in ["recipient_header", "password_file", "listen"] {
        assert!(tables.contains(word), "{word}");
    }
}

#[test]
fn a_mailbox_may_be_silent_for_a_second_to_twenty_five_minutes() {
    let read = |seconds: i64| {
        let imap = json!({"url": "imaps://mx", "username": "u", "password": "p", "silence_seconds": seconds});
        let config = json!({"address_domain": "mail.example.org", "imap": imap});
        Config::from_section(&section(&config)).map(|config| config.imap.unwrap().silence.as_secs())
    };
    for seconds in [1, 1500] {
        assert_eq!(read(seconds).ok(), u64::try_from(seconds).ok());
    }
    for seconds in [-1, 0, 1501] {
        assert!(read(seconds).is_err(), "{seconds}");
    }
}

#[test]
fn numbers_and_switches_may_come_as_text() {
    let config = Config::from_section(&section(&json!({
        "address_domain": "mail.example.org",
        "imap": {
            "url": "imaps://mx", "username": "u", "password": "p",
            "recipient_fallback": "true", "silence_seconds": "60",
        },
        "own": {"per_user": "3", "sent_every_seconds": "900"},
    })))
    .unwrap();
    let imap = config.imap.unwrap();
    assert_eq!(imap.silence.as_secs(), 60);
    let by_header = Whose::Recipients {
        header: "Delivered-To".to_owned(),
        fallback: true,
    };
    assert_eq!(imap.whose, by_header);
    let own = config.own;
    assert_eq!((own.per_user, own.sent_every.as_secs()), (3, 900));
}
