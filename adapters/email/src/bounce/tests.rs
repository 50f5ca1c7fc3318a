use super::*;
use crate::{
    intake::{Fate, decide},
    read,
};
use transom_adapter::{Address, Event, Reason, testkit::signer};

const STANDARD: &str = include_str!("../../tests/fixtures/bounce-standard.eml");
const PROSE: &str = include_str!("../../tests/fixtures/bounce-prose.eml");
const DELAY: &str = include_str!("../../tests/fixtures/bounce-delay.eml");
const RECEIPT: &str = include_str!("../../tests/fixtures/receipt.eml");
const VACATION: &str = include_str!("../../tests/fixtures/vacation.eml");

fn ids() -> OwnIds {
    OwnIds::new(signer(), "mail.example.org".to_owned())
}

/// The fixture about our delivery 7, to this recipient.
fn fate(fixture: &str, to: &str) -> Fate {
    let mail = fixture
        .replace("ORIGINAL-ID", &ids().message_id(Key(7)))
        .replace('\n', "\r\n");
    let letter = read::read(mail.as_bytes(), None, &ids());
    decide(&letter, &Address::new(to), &ids())
}

fn report(fixture: &str, to: &str) -> Report {
    match fate(fixture, to) {
        Fate::Take(event) => match *event {
            Event::Report(report) => report,
            other => panic!("shown: {other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

const USER: &str = "alice@mail.example.org";

#[test]
fn a_standard_bounce_fails_its_mail() {
    let report = report(STANDARD, USER);
    assert_eq!(report.about, [MessageRef::Key(Key(7), 0)]);
    assert_eq!(report.progress, Progress::Failed);
    let failure = report.failure.unwrap();
    assert_eq!(
        (failure.reason, failure.code.as_deref()),
        (Reason::MailboxFull, Some("5.2.2"))
    );
    assert!(
        !failure.detail.unwrap().contains("bob@"),
        "no whole address"
    );
}

/// All of a mail to several have one Message-ID, that of the first delivery.
#[test]
fn rfc3464_a_report_on_a_mail_to_several_is_about_whom_it_names() {
    let envelope = format!(
        "Original-Envelope-Id: {}\nReporting-MTA",
        ids().envelope_id(Key(8))
    );
    let carols = STANDARD.replace("Reporting-MTA", &envelope);
    assert_eq!(report(&carols, USER).about, [MessageRef::Key(Key(8), 0)]);
    let forged = STANDARD.replace("Reporting-MTA", "Original-Envelope-Id: 8\nReporting-MTA");
    assert_eq!(report(&forged, USER).about, [MessageRef::Key(Key(7), 0)]);
}

#[test]
fn the_bounce_address_is_enough() {
    let bare = PROSE.replace("ORIGINAL-ID", "nothing@example.com");
    let to = ids().bounce_address(Key(9));
    let report = report(&bare, &to);
    assert_eq!(report.about, [MessageRef::Key(Key(9), 0)]);
    assert_eq!(report.failure.unwrap().reason, Reason::NoSuchRecipient);
}

#[test]
fn a_bounce_in_prose_is_understood() {
    let report = report(PROSE, USER);
    assert_eq!(
        (report.about, report.progress),
        (vec![MessageRef::Key(Key(7), 0)], Progress::Failed)
    );
}

#[test]
fn a_delay_is_no_failure() {
    assert_eq!(report(DELAY, USER).progress, Progress::Delayed);
}

#[test]
fn a_receipt_says_that_it_was_read() {
    let report = report(RECEIPT, USER);
    assert_eq!((report.progress, report.failure), (Progress::Read, None));
}

#[test]
fn a_bounce_of_nothing_of_ours_is_swallowed() {
    let foreign = STANDARD.replace("ORIGINAL-ID", "1@example.com");
    assert_eq!(fate(&foreign, USER), Fate::Drop("mail_bounce_unmatched"));
    let forged = STANDARD.replace(
        "ORIGINAL-ID",
        "m.aaaaaaaaaaaaaaaaaaaaaaaaaaaaa@mail.example.org",
    );
    assert_eq!(fate(&forged, USER), Fate::Drop("mail_bounce_unmatched"));
}

#[test]
fn a_vacation_note_is_a_message_even_at_the_bounce_address() {
    let to = ids().bounce_address(Key(9));
    let Fate::Take(event) = fate(VACATION, &to) else {
        panic!("dropped")
    };
    let Event::Message(message) = *event else {
        panic!("a report")
    };
    assert_eq!(message.class, Class::AutoReply);
    assert_eq!(message.mail.regarding, Some(Key(9)));
    assert!(message.text.contains("back on Monday"));
}

#[test]
fn a_person_who_writes_about_bounces_is_heard() {
    let mail = "From: Bob <bob@example.com>\nReturn-Path: <bob@example.com>\nSubject: Undelivered Mail Returned to Sender\n\nI got: 550 5.1.1 user unknown. Message-ID: <ORIGINAL-ID>\n";
    let Fate::Take(event) = fate(mail, USER) else {
        panic!("dropped")
    };
    assert!(matches!(*event, Event::Message(_)));
}

#[test]
fn groups_and_statuses_are_weighed() {
    let status = |groups: &str| {
        let mail = STANDARD.replace(
            "Final-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.2.2\n",
            groups,
        );
        report(&mail, USER).progress
    };
    assert_eq!(
        status("Action: delivered\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.1.1\n"),
        Progress::Failed
    );
    assert_eq!(
        status("Action: delivered\nStatus: 2.0.0\n"),
        Progress::Delivered
    );
    assert_eq!(status("Action: relayed\nStatus: 2.0.0\n"), Progress::Sent);
    assert_eq!(status("Status: 5.4.7\n"), Progress::Expired);
}

/// From somebody with a sender of their own.
fn persons(from: &str, subject: &str, rest: &str) -> String {
    format!(
        "Return-Path: <pat@example.com>\nFrom: {from}\nTo: {USER}\nSubject: {subject}\nMIME-Version: 1.0\n{rest}"
    )
}

fn shown(mail: &str) -> String {
    match fate(mail, USER) {
        Fate::Take(event) => match *event {
            Event::Message(message) => message.text,
            other => panic!("a report: {other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_of_a_postmaster_is_an_answer() {
    for (from, text) in [
        (
            "Pat <postmaster@example.com>",
            "your server was on our spam list by mistake, please write again",
        ),
        (
            "\"Pat (Mail Delivery Team)\" <pat@example.com>",
            "The red one is no longer available",
        ),
    ] {
        let answer = format!("In-Reply-To: <ORIGINAL-ID>\n\n{text}\n");
        for subject in ["Re: Lunch", "Re: Undelivered mail"] {
            assert_eq!(shown(&persons(from, subject, &answer)).trim(), text);
        }
    }
}

#[test]
fn what_a_person_says_above_a_bounce_is_heard() {
    let parts = STANDARD.split_once("--b\n").unwrap().1;
    let (_, parts) = parts.split_once("--b\n").unwrap();
    let words = "--b\nContent-Type: text/plain\n\nDinner is at eight. Why did my mail to Carol come back?\n--b\n";
    let mixed = "Content-Type: multipart/mixed; boundary=\"b\"\n\n";
    let mail = persons(
        "Bob <bob@example.com>",
        "Fwd: Undelivered Mail",
        &format!("{mixed}{words}{parts}"),
    );
    // One of ours comes back in it, or one of somebody else's.
    for original in ["ORIGINAL-ID", "nothing@example.com"] {
        let text = shown(&mail.replace("ORIGINAL-ID", original));
        assert!(text.starts_with("Dinner is at eight."), "{text}");
    }
}

#[test]
fn rfc6522_a_report_is_one_whoever_sends_it() {
    let sent = STANDARD
        .replace("Return-Path: <>", "Return-Path: <mta@example.com>")
        .replace("Auto-Submitted: auto-replied\n", "")
        .replace(
            "Mail Delivery System <MAILER-DAEMON@mx.example.com>",
            "Exchange <x@example.com>",
        );
    let about = |mail: &str, to: &str| report(mail, to).about;
    assert_eq!(about(&sent, USER), [MessageRef::Key(Key(7), 0)]);
    // Without its form it counts where nobody else writes to, or where a mailer says its name.
    let mixed = sent.replace(
        "multipart/report; report-type=delivery-status;",
        "multipart/mixed;",
    );
    let to = ids().bounce_address(Key(9));
    assert_eq!(about(&mixed, &to), [MessageRef::Key(Key(9), 0)]);
    let named = mixed.replace("x@example.com", "mailer-daemon@example.com");
    assert_eq!(about(&named, USER), [MessageRef::Key(Key(7), 0)]);
}
