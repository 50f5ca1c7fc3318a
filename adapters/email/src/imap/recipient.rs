//! Who a mail in the mailbox is for.

use mail_parser::{Message, MessageParser};
use transom_adapter::{Address, CheckReport};

use crate::{
    address,
    config::{ImapConfig, Whose},
    headers::Headers,
    ids::OwnIds,
    intake::Source,
};

/// More of our users than this in one mail's To and Cc is no mail to them.
const RECIPIENTS_MAX: usize = 20;

/// Where mail hosts write the envelope's recipient.
const KNOWN_HEADERS: &[&str] = &[
    "Delivered-To",
    "X-Original-To",
    "X-Gm-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Delivered-To",
];

/// The recipients at our domain. semantics 29: the topmost instance of the header alone, since whoever wrote the mail may have
/// written others below it.
pub(crate) fn recipients(raw: &[u8], config: &ImapConfig, ids: &OwnIds) -> Vec<Address> {
    let (header, fallback) = match &config.whose {
        Whose::Owner(owner) => return vec![owner.clone()],
        Whose::Recipients { header, fallback } => (header, *fallback),
    };
    let Some(message) = MessageParser::default().parse_headers(raw) else {
        return Vec::new();
    };
    let headers = Headers::new(&message, None);
    if let Some(value) = headers.first(header) {
        return ours(value, ids).into_iter().collect();
    }
    if !fallback {
        return Vec::new();
    }
    addressed(&message, ids)
}

/// What a mailbox is to its mails.
pub(crate) fn source(config: &ImapConfig) -> Source {
    match config.whose {
        Whose::Owner(_) => Source::OwnMailbox,
        Whose::Recipients { .. } => Source::Mailbox,
    }
}

fn ours(value: &str, ids: &OwnIds) -> Option<Address> {
    let bare = value.trim().trim_start_matches('<').trim_end_matches('>');
    address::canonical(bare).filter(|address| ids.is_ours(address))
}

fn addressed(message: &Message<'_>, ids: &OwnIds) -> Vec<Address> {
    let (mut found, mut readers) = (Vec::new(), Vec::new());
    let lists = [message.to(), message.cc()];
    for addr in lists
        .into_iter()
        .flatten()
        .flat_map(mail_parser::Address::iter)
    {
        let Some(own) = addr.address().and_then(|address| ours(address, ids)) else {
            continue;
        };
        let reader = ids.reader(&own);
        if !readers.contains(&reader) {
            readers.push(reader);
            found.push(own);
        }
        if found.len() == RECIPIENTS_MAX {
            break;
        }
    }
    found
}

/// Which headers of these mails hold our addresses, for `check`.
pub(crate) fn survey(
    heads: &[Vec<u8>],
    config: &ImapConfig,
    ids: &OwnIds,
    report: &mut CheckReport,
) {
    if heads.is_empty() {
        let finding = "the mailbox is empty, so nobody can say which header carries the recipient; send it a mail and check again";
        report.findings.push(finding.to_owned());
        return;
    }
    let Whose::Recipients {
        header: configured, ..
    } = &config.whose
    else {
        return;
    };
    let configured = configured.as_str();
    let others = KNOWN_HEADERS.iter().copied();
    let names = others.filter(|name| !name.eq_ignore_ascii_case(configured));
    let count = |name: &str| {
        let carries = |head: &&Vec<u8>| {
            let message = MessageParser::default().parse_headers(head.as_slice());
            message.is_some_and(|message| {
                let headers = Headers::new(&message, None);
                headers
                    .first(name)
                    .is_some_and(|value| ours(value, ids).is_some())
            })
        };
        heads.iter().filter(carries).count()
    };
    let (all, own) = (heads.len(), count(configured));
    report.findings.push(format!(
        "{configured} carries our recipient in {own} of the last {all} mails"
    ));
    let better = names
        .map(|name| (count(name), name))
        .max()
        .filter(|(best, _)| *best > own);
    if let Some((best, name)) = better {
        report.faults.push(format!(
            "{name} carries it in {best} of them: set recipient_header = \"{name}\""
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Login, net::Endpoint};
    use transom_adapter::testkit::signer;

    fn config(fallback: bool) -> ImapConfig {
        ImapConfig {
            since_days: 0,
            sent_every: std::time::Duration::ZERO,
            silence: crate::config::SILENCE,
            endpoint: Endpoint::parse("imap://x?tls=none", ("imap", 143), ("imaps", 993)).unwrap(),
            login: Login {
                username: String::new(),
                password: String::new().into(),
                tokens: None,
            },
            mailbox: "INBOX".to_owned(),
            whose: Whose::Recipients {
                header: "Delivered-To".to_owned(),
                fallback,
            },
        }
    }

    fn ids() -> OwnIds {
        OwnIds::new(signer(), "mail.example.org".to_owned())
    }

    fn found(head: &str, fallback: bool) -> Vec<String> {
        let raw = format!("{head}\r\n\r\n");
        let found = recipients(raw.as_bytes(), &config(fallback), &ids());
        found.iter().map(ToString::to_string).collect()
    }

    const ALICE: &str = "alice@mail.example.org";

    #[test]
    fn only_the_topmost_instance_counts() {
        assert_eq!(
            found("Delivered-To: <Alice@mail.example.org>", false),
            [ALICE]
        );
        let two = "Delivered-To: alice@mail.example.org\r\nDelivered-To: carol@mail.example.org";
        assert_eq!(found(two, false), [ALICE]);
        let foreign = "Delivered-To: box@example.org\r\nDelivered-To: alice@mail.example.org\r\nTo: alice@mail.example.org";
        assert_eq!(found(foreign, true), Vec::<String>::new());
    }

    #[test]
    fn a_mailbox_with_an_owner_is_the_owner_s_whatever_it_says() {
        let owner = Address::new("alice@corp.example");
        let config = ImapConfig {
            whose: Whose::Owner(owner.clone()),
            ..config(false)
        };
        for head in [
            "Delivered-To: carol@mail.example.org",
            "To: x@example.com",
            "nonsense",
        ] {
            let raw = format!("{head}\r\n\r\n");
            let found = recipients(raw.as_bytes(), &config, &ids());
            assert_eq!(found, std::slice::from_ref(&owner), "{head}");
        }
    }

    #[test]
    fn to_and_cc_count_only_when_asked_for() {
        let head = "To: Alice <alice@mail.example.org>, x@example.com\r\nCc: carol@mail.example.org, alice@mail.example.org";
        assert_eq!(found(head, false), Vec::<String>::new());
        assert_eq!(found(head, true), [ALICE, "carol@mail.example.org"]);
        let details =
            "To: alice@mail.example.org, alice+1@mail.example.org\r\nCc: alice+2@mail.example.org";
        assert_eq!(found(details, true), [ALICE], "one reader");
        assert_eq!(
            found("Bcc: alice@mail.example.org", true),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_survey_names_the_better_header() {
        let mut report = CheckReport::default();
        let head =
            b"X-Original-To: alice@mail.example.org\r\nDelivered-To: box@example.org\r\n\r\n"
                .to_vec();
        survey(&[head], &config(false), &ids(), &mut report);
        assert_eq!(
            report.findings,
            ["Delivered-To carries our recipient in 0 of the last 1 mails"]
        );
        assert!(
            report.faults[0].contains("recipient_header = \"X-Original-To\""),
            "{report:?}"
        );
    }
}
