//! Every sentence, as the stanza error that carries it or as a line of a chat.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use transom::{
    gateway::refusal,
    texts::{
        Admin, Cap, Chat, Content, Dialogue, Encryption, Failed, Label, Lang, Membership, Notice,
        Quoted, Recipient, Refusal, Registration, Text, Told, Topic, Trouble,
    },
    xmpp::stanza::Message,
};
use transom_adapter::{Network, Reason};
use xmpp_parsers::{minidom::Element, stanza_error::StanzaError};

use crate::{
    oracle::{cleaned, message},
    world::{USER, jid, words},
};

/// One of each, with these words of other people in it.
#[expect(clippy::too_many_lines, reason = "a list of every sentence")]
pub(crate) fn all(words: &str) -> Vec<Text> {
    let given = || words.to_owned();
    let (until, after) = (Timestamp::UNIX_EPOCH, Duration::from_hours(25));
    let quoted = || Quoted::beginning(words);
    let mut all: Vec<Text> = vec![
        Membership::NotRegistered { gateway: given() }.into(),
        Membership::RegistrationClosed.into(),
        Membership::AwaitingApproval.into(),
        Membership::NotAllowed { gateway: given() }.into(),
        Membership::Disabled {
            gateway: given(),
            until,
        }
        .into(),
        Membership::NoLine { gateway: given() }.into(),
        Membership::NoMailbox { gateway: given() }.into(),
        Membership::LineRetired.into(),
        Membership::LineConflict.into(),
        Recipient::CountryNotAllowed {
            region: Some(given()),
        }
        .into(),
        Recipient::CountryNotAllowed { region: None }.into(),
        Recipient::PremiumNumber.into(),
        Recipient::EmergencyNumber.into(),
        Recipient::CannotBeAnswered.into(),
        Recipient::UnsupportedAddress.into(),
        Recipient::OptedOut.into(),
        Recipient::Blocked.into(),
        Recipient::BlockedByUser.into(),
        Recipient::Colleague { jid: given() }.into(),
        Content::TooLong {
            segments: 9,
            segments_max: 8,
        }
        .into(),
        Content::TooLarge { bytes_max: 1 << 20 }.into(),
        Content::Empty.into(),
        Content::AttachmentsNotSupported.into(),
        Content::TooManyRecipients { recipients_max: 10 }.into(),
        Content::AlreadySent.into(),
        Content::ReactionKept.into(),
        Content::ReactionToList.into(),
        Notice::GoesOn { name: given() }.into(),
        Notice::SentElsewhere { text: quoted() }.into(),
        Content::Call.into(),
        Cap::MessagesPerDay { max: 200, until }.into(),
        Cap::SegmentsPerDay { max: 300, until }.into(),
        Cap::GatewayPerDay { until }.into(),
        Cap::NewPeersPerHour { max: 20, until }.into(),
        Cap::NoRoute.into(),
        Cap::Busy.into(),
        Failed::GaveUp { after }.into(),
        Failed::Unknown.into(),
        Failed::Internal.into(),
        Notice::NotDelivered {
            excerpt: quoted(),
            reason: Box::new(Failed::Unknown.into()),
        }
        .into(),
        Notice::MayHaveArrived { excerpt: quoted() }.into(),
        Notice::DeliveredAfterAll { excerpt: quoted() }.into(),
        Notice::NoReport {
            excerpt: quoted(),
            after,
        }
        .into(),
        Notice::Delayed {
            excerpt: quoted(),
            remaining: after,
        }
        .into(),
        Notice::Stopped.into(),
        Notice::Started.into(),
        Notice::ByOwner {
            name: given(),
            text: Quoted::whole(words),
        }
        .into(),
        Notice::MailEncrypted.into(),
        Notice::MailSigned.into(),
        Notice::MailTooLarge { bytes: 1 << 25 }.into(),
        Notice::MailUnreadable { bytes: 5 }.into(),
        Notice::Attachment {
            name: given(),
            bytes: 5,
        }
        .into(),
        Admin::ApprovalRequest {
            user: given(),
            gateway: given(),
        }
        .into(),
        Admin::UserUnreachable {
            user: given(),
            messages: 3,
        }
        .into(),
        Registration::AlreadyRegistered { address: given() }.into(),
        Registration::RequestSent.into(),
        Registration::Approved.into(),
        Registration::Declined.into(),
        Registration::NoFreeLine.into(),
        Registration::Taken { address: given() }.into(),
        Registration::BadAlias { alias: given() }.into(),
        Registration::Disabled { until }.into(),
        Registration::Restored.into(),
        Registration::Unregistered.into(),
        Chat::UnknownCommand { command: quoted() }.into(),
        Dialogue::ConfirmUnregister.into(),
        Dialogue::BadValue(Label::Word(given())).into(),
        Dialogue::MayBeSkipped { now: Some(given()) }.into(),
        Told::Renamed {
            peer: given(),
            name: given(),
        }
        .into(),
        Told::Announcement { text: quoted() }.into(),
        Refusal::NoSuchMessage { id: given() }.into(),
    ];
    let encryptions = [
        Encryption::Omemo,
        Encryption::OpenPgp,
        Encryption::Otr,
        Encryption::Other,
    ];
    all.extend(encryptions.map(|encryption| Content::Encrypted(encryption).into()));
    all.extend(Reason::ALL.map(|reason| Failed::Partly { reason }.into()));
    for trouble in troubles(words) {
        all.extend([
            Admin::Trouble(trouble.clone()).into(),
            Admin::AllClear(trouble).into(),
        ]);
    }
    for network in [Network::Sms, Network::Email] {
        all.extend(of_network(words, network));
    }
    all
}

fn of_network(words: &str, network: Network) -> Vec<Text> {
    let given = || words.to_owned();
    let mut all: Vec<Text> = vec![
        Membership::HasToChoose {
            gateway: given(),
            network,
        }
        .into(),
        Recipient::InvalidAddress {
            network,
            suggestion: None,
        }
        .into(),
        Recipient::InvalidAddress {
            network,
            suggestion: Some(given()),
        }
        .into(),
        Registration::Instructions { network }.into(),
        Registration::Registered {
            address: Some(given()),
            network,
        }
        .into(),
        Registration::Registered {
            address: None,
            network,
        }
        .into(),
        Dialogue::Help {
            gateway: given(),
            network,
            commands: vec![("cost", Topic::Cost)],
            admin: vec![("users", Topic::Users)],
        }
        .into(),
        Chat::Name { network }.into(),
        Chat::PromptDescription { network }.into(),
        Chat::Prompt { network }.into(),
    ];
    all.extend(Reason::ALL.map(|reason| Failed::Network { reason, network }.into()));
    all
}

fn troubles(words: &str) -> Vec<Trouble> {
    let given = || words.to_owned();
    vec![
        Trouble::LinkRefused {
            gateway: given(),
            problem: given(),
            remedy: given(),
        },
        Trouble::Account {
            account: given(),
            problem: given(),
        },
        Trouble::BalanceLow {
            account: given(),
            balance: given(),
        },
        Trouble::Waiting {
            gateway: given(),
            age: Duration::from_hours(2),
            messages: 2,
        },
        Trouble::Disk {
            bytes_free: 1 << 20,
        },
        Trouble::Unowned {
            line: given(),
            messages: 2,
        },
    ]
}

#[track_caller]
fn check(text: &Text, lang: Lang) {
    let original = Message::chat(jid(USER), jid("bob@gw.example.org"))
        .with_id("m1")
        .with_body("x");
    let sentence = cleaned(&text.render(lang));
    let error = original
        .error_reply(&refusal::error(text, lang))
        .expect("a message can be answered");
    let seen = message(error);
    let error = seen
        .payloads
        .iter()
        .find(|payload| payload.name() == "error")
        .expect("an error");
    let error = StanzaError::try_from(Element::clone(error)).unwrap();
    assert_eq!(error.texts.get(lang.tag()), Some(&sentence), "{text:?}");
    let line =
        message(Message::chat(jid("gw.example.org"), jid(USER)).with_body(text.render(lang)));
    assert_eq!(line.bodies.values().next(), Some(&sentence), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sentence_arrives_as_it_was_meant(words in words()) {
        for text in all(&words) {
            for lang in Lang::ALL {
                check(&text, lang);
            }
        }
    }
}
