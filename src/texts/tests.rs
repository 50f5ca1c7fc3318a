//! Rules that every sentence keeps in every language. That each exists in each, the compiler checks.

use std::time::Duration;

use jiff::Timestamp;
use transom_adapter::{Address, Network, Reason, Refusal};

use super::*;

fn midnight() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

/// One of every sentence that is told because something was not sent or did not arrive.
fn failures() -> Vec<Text> {
    let gateway = || "sms.example.org".to_owned();
    let until = midnight();
    let mut all: Vec<Text> = vec![
        Membership::NotRegistered { gateway: gateway() }.into(),
        Membership::RegistrationClosed.into(),
        Membership::AwaitingApproval.into(),
        Membership::NotAllowed { gateway: gateway() }.into(),
        Membership::NoLine { gateway: gateway() }.into(),
        Membership::NoMailbox { gateway: gateway() }.into(),
        Membership::LineRetired.into(),
        Membership::LineConflict.into(),
        Recipient::PremiumNumber.into(),
        Recipient::EmergencyNumber.into(),
        Recipient::CannotBeAnswered.into(),
        Recipient::OptedOut.into(),
        Recipient::Blocked.into(),
        Recipient::BlockedByUser.into(),
        Recipient::CountryNotAllowed { region: None }.into(),
        Content::Empty.into(),
        Content::Encrypted(Encryption::Omemo).into(),
        Content::Encrypted(Encryption::Other).into(),
        Content::AttachmentsNotSupported.into(),
        Content::AlreadySent.into(),
        Content::ReactionKept.into(),
        Content::ReactionToList.into(),
        Content::Call.into(),
        Cap::MessagesPerDay { max: 200, until }.into(),
        Cap::SegmentsPerDay { max: 300, until }.into(),
        Cap::NewPeersPerHour { max: 20, until }.into(),
        Cap::GatewayPerDay { until }.into(),
        Cap::NoRoute.into(),
        Cap::Busy.into(),
        Failed::Unknown.into(),
        Failed::Internal.into(),
    ];
    for network in [Network::Sms, Network::Email] {
        let suggestion = None;
        all.push(
            Recipient::InvalidAddress {
                network,
                suggestion,
            }
            .into(),
        );
        all.push(
            Membership::HasToChoose {
                gateway: gateway(),
                network,
            }
            .into(),
        );
        all.extend(Reason::ALL.map(|reason| Failed::Network { reason, network }.into()));
    }
    all
}

#[test]
fn a_failure_is_one_line_of_whole_sentences_in_each_language() {
    for text in failures() {
        for lang in Lang::ALL {
            let sentence = text.render(lang);
            assert!(sentence.ends_with('.'), "{sentence}");
            assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
            assert!(!sentence.contains(['\n', '{', '}']), "{sentence}");
            assert!(!sentence.contains("  "), "{sentence}");
        }
        assert_ne!(text.render(Lang::En), text.render(Lang::De));
    }
}

#[test]
fn encryption_is_called_by_the_name_that_users_know() {
    for (encryption, name) in [
        (Encryption::Omemo, "OMEMO"),
        (Encryption::OpenPgp, "OpenPGP"),
        (Encryption::Otr, "OTR"),
    ] {
        for lang in Lang::ALL {
            let sentence = Text::from(Content::Encrypted(encryption)).render(lang);
            assert!(sentence.contains(name), "{sentence}");
        }
    }
}

#[test]
fn a_wrong_spelling_is_answered_with_the_right_one() {
    let refusal = Refusal::InvalidAddress {
        suggestion: Some(Address::new("+12025550147")),
    };
    let refused = Refused::from_refusal(&refusal, Network::Sms, |address| {
        format!("{address}@sms.example.org")
    });
    let sentence = Text::from(refused).render(Lang::En);
    assert_eq!(
        sentence,
        "This is not how a phone number is written here. Write to +12025550147@sms.example.org."
    );
}

#[test]
fn a_failure_that_comes_late_is_told_as_the_semantics_say() {
    let body = "Shall we meet at the station at eight o'clock\n\ntomorrow?";
    let reason = Failed::Network {
        reason: Reason::NoSuchRecipient,
        network: Network::Sms,
    };
    let notice = Text::from(Notice::NotDelivered {
        excerpt: Quoted::beginning(body),
        reason: Box::new(reason.into()),
    });
    assert_eq!(
        notice.render(Lang::En),
        "⚠ Not delivered: \"Shall we meet at the station at eight o'…\": This number is not in service. Check it."
    );
    assert_eq!(
        notice.render(Lang::De),
        "⚠ Nicht zugestellt: „Shall we meet at the station at eight o'…“: Diese Nummer ist nicht vergeben. Prüfe sie."
    );
}

#[test]
fn an_excerpt_is_one_short_line() {
    for (text, want) in [
        ("", ""),
        ("short", "short"),
        ("  two\n lines ", "two lines"),
        (
            "1234567890123456789012345678901234567890",
            "1234567890123456789012345678901234567890",
        ),
        (
            "12345678901234567890123456789012345678901",
            "1234567890123456789012345678901234567890…",
        ),
    ] {
        assert_eq!(Quoted::beginning(text).to_string(), want);
    }
    let huge = "ä ".repeat(1_000_000);
    assert_eq!(Quoted::beginning(&huge).to_string().chars().count(), 40);
    assert_eq!(
        format!("{:?}", Quoted::whole("a secret")),
        "Quoted(8 bytes)"
    );
}

#[test]
fn limits_say_when_they_end() {
    let until = midnight();
    for lang in Lang::ALL {
        let sentence = Text::from(Cap::GatewayPerDay { until }).render(lang);
        assert!(sentence.contains("2026-11-24 00:00 UTC"), "{sentence}");
    }
}

#[test]
fn durations_are_in_words() {
    let failed = |hours| Failed::GaveUp {
        after: Duration::from_hours(hours),
    };
    let sentence = |hours, lang| Text::from(failed(hours)).render(lang);
    assert!(sentence(4, Lang::En).contains("within 4 hours"));
    assert!(sentence(48, Lang::De).contains("in 2 Tagen"));
}

#[test]
fn an_admin_hears_what_and_that_it_is_over() {
    let trouble = Trouble::Waiting {
        gateway: "sms".to_owned(),
        age: Duration::from_mins(90),
        messages: 12,
    };
    let told = Text::from(Admin::Trouble(trouble.clone())).render(Lang::En);
    assert_eq!(
        told,
        "⚠ In sms the oldest message has been waiting for 90 minutes; 12 wait in all. See \"transom queue list\"."
    );
    let over = Text::from(Admin::AllClear(trouble)).render(Lang::En);
    assert!(over.starts_with("✓ "), "{over}");
}

#[test]
fn what_is_said_about_a_mail_names_whom_it_is_about() {
    let card = Card {
        step: CardStep::Asked,
        title: "Lunch".to_owned(),
        when: "2026-11-02 12:00 – 13:30 (Europe/Berlin)".to_owned(),
        repeats: Some(CardRepeats::Weekly),
        place: Some("Room 1".to_owned()),
        organiser: Some("Carol".to_owned()),
    };
    let shown = Text::from(Mail::Appointment(Box::new(card))).render(Lang::En);
    assert_eq!(
        shown,
        "📅 Invitation: Lunch\nWhen: 2026-11-02 12:00 – 13:30 (Europe/Berlin), repeated in weeks\nWhere: Room 1\nFrom: Carol"
    );
    let disowned = Mail::Disowned {
        domain: "bank.example".to_owned(),
    };
    let names = Mail::NameShowsAddress {
        shown: "a@bank.example".to_owned(),
        from: "b@x.example".to_owned(),
    };
    for lang in [Lang::En, Lang::De] {
        assert!(
            Text::from(disowned.clone())
                .render(lang)
                .contains("bank.example")
        );
        assert!(
            Text::from(names.clone())
                .render(lang)
                .contains("b@x.example")
        );
        for quiet in [Mail::Spam, Mail::Unverified] {
            assert!(Text::from(quiet).render(lang).starts_with('⚠'));
        }
    }
}
