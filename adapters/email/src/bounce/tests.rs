use super::*;
use crate::{
    intake::{Fate, Source, decide, decide_sent},
    read,
};
use transom_adapter::{Address, Event, Incoming, Reason, testkit::signer};

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
    fate_in(Source::Server, fixture, to)
}

fn fate_in(source: Source, fixture: &str, to: &str) -> Fate {
    let mail = fixture
        .replace("ORIGINAL-ID", &ids().message_id(Key(7)))
        .replace('\n', "\r\n");
    let letter = read::read(mail.as_bytes(), None, &ids());
    decide(&letter, &Address::new(to), source, &ids())
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

fn shown(fixture: &str, to: &str) -> Incoming {
    match fate(fixture, to) {
        Fate::Take(event) => match *event {
            Event::Message(message) => *message,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Our delivery 7 by its Message-ID, or the one of its message that was for Bob.
fn bobs() -> MessageRef {
    MessageRef::OneOf(Key(7), vec![Address::new("bob@example.com")])
}

const USER: &str = "alice@mail.example.org";

#[test]
fn a_standard_bounce_fails_its_mail() {
    let report = report(STANDARD, USER);
    assert_eq!(report.about, [bobs()]);
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
    let bob = "Final-Recipient: rfc822; bob@example.com";
    let carol = "Original-Recipient: rfc822;<Carol@Example.com>\nFinal-Recipient: rfc822; c@elsewhere.example";
    for fixture in [STANDARD, RECEIPT] {
        let about = report(&fixture.replace(bob, carol), USER).about;
        let names = ["carol@example.com", "c@elsewhere.example"].map(Address::new);
        assert_eq!(about, [MessageRef::OneOf(Key(7), names.to_vec())]);
    }
    let failed = format!("X-Failed-Recipients: carol@example.com\n{PROSE}");
    let about = report(&failed, USER).about;
    let names = vec![Address::new("carol@example.com")];
    assert_eq!(about, [MessageRef::OneOf(Key(7), names)]);
    let forged = STANDARD.replace("Reporting-MTA", "Original-Envelope-Id: 8\nReporting-MTA");
    assert_eq!(report(&forged, USER).about, [bobs()]);
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
        (
            vec![MessageRef::OneOf(Key(7), Vec::new())],
            Progress::Failed
        )
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
fn a_bounce_of_what_a_user_sent_by_another_program_is_shown_in_the_own_mailbox() {
    let own = |fixture: &str| {
        let foreign = fixture.replace("ORIGINAL-ID", "1@example.com");
        fate_in(Source::OwnMailbox, &foreign, "alice@corp.example")
    };
    for fixture in [STANDARD, DELAY] {
        let fate = own(fixture);
        let Fate::Take(event) = fate else {
            panic!("{fate:?}")
        };
        assert!(matches!(*event, Event::Message(_)), "{event:?}");
    }
    // What that program asked for is told there.
    assert_eq!(own(RECEIPT), Fate::Drop("mail_bounce_unmatched"));
    let ours = fate_in(Source::OwnMailbox, STANDARD, "alice@corp.example");
    assert!(matches!(ours, Fate::Take(event) if matches!(*event, Event::Report(_))));
    let foreign = STANDARD.replace("ORIGINAL-ID", "1@example.com");
    let shared = fate_in(Source::Mailbox, &foreign, USER);
    assert_eq!(shared, Fate::Drop("mail_bounce_unmatched"));
}

#[test]
fn what_lies_in_a_mailbox_is_shown_however_many_hops_it_took() {
    let hops = "Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0100\n".repeat(31);
    let mail = format!("{hops}From: bob@example.com\n\nhello\n");
    assert_eq!(fate(&mail, USER), Fate::Loop);
    for source in [Source::Mailbox, Source::OwnMailbox] {
        let fate = fate_in(source, &mail, USER);
        assert!(matches!(fate, Fate::Take(_)), "{fate:?}");
    }
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
    assert!(shown(mail, USER).text.contains("user unknown"));
}

#[test]
fn a_person_with_a_hosts_address_or_name_is_heard() {
    let answer = |from: &str, more: &str, text: &str| {
        let mail = format!(
            "From: {from}\nReturn-Path: <pat@example.com>\nSubject: Re: our newsletter\nIn-Reply-To: <ORIGINAL-ID>\n{more}\n{text}\n"
        );
        assert!(shown(&mail, USER).text.contains(text), "{mail}");
    };
    let text = "your server was on our spam list by mistake, please write again";
    answer("Pat <postmaster@example.com>", "", text);
    answer("Mail Delivery System <postmaster@example.com>", "", text);
    let list = "List-Id: <news.example.com>\nPrecedence: list\n";
    answer("Pat <postmaster@example.com>", list, text);
    let away = "Auto-Submitted: auto-replied\n";
    let text = "The red one is no longer available";
    answer("Pat <postmaster@example.com>", away, text);
    answer("\"Pat (Mail Delivery Team)\" <pat@example.com>", "", text);
}

#[test]
fn a_postmaster_who_sends_our_mail_back_is_heard() {
    let returned = |head: &str| {
        format!(
            "From: Pat <postmaster@example.com>\nReturn-Path: <postmaster@example.com>\n{head}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nIt was not delivered since your server was blocked. Please write again.\n--b\nContent-Type: message/rfc822\n\nFrom: alice@mail.example.org\nMessage-ID: <ORIGINAL-ID>\n\nLunch?\n--b--\n"
        )
    };
    for head in [
        "Subject: Re: Undeliverable: Lunch\nIn-Reply-To: <1@example.com>",
        "Subject: Fwd: Undeliverable: Lunch",
        "Subject: Your mail of Monday",
    ] {
        let message = shown(&returned(head), USER);
        assert!(message.text.contains("Please write again"), "{head}");
    }
    // Nobody but a host writes to a bounce address, and no answer is read at no-reply.
    let answer = returned("Subject: Re: Lunch\nIn-Reply-To: <ORIGINAL-ID>");
    let nobodys = answer.replace("postmaster@", "no-reply@");
    for mail in [&answer, &nobodys] {
        assert!(shown(mail, USER).text.contains("Please write again"));
        let report = report(mail, &ids().bounce_address(Key(9)));
        assert_eq!(report.about, [MessageRef::Key(Key(9), 0)]);
    }
    // As a host without null sender writes.
    let report = report(&returned("Subject: Undeliverable: Lunch"), USER);
    assert_eq!(report.about, [MessageRef::OneOf(Key(7), Vec::new())]);
}

/// The bounce in its parts, below words of who passes it on.
fn passed_on(head: &str) -> String {
    let parts = STANDARD.split_once("\n\n").unwrap().1;
    let words = "Dinner is at eight. Why did my mail to Carol come back?";
    let parts = parts.replace("Your message could not be delivered.", words);
    format!("{head}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n{parts}")
}

const BOB: &str = "From: Bob <bob@example.com>\nReturn-Path: <bob@example.com>\nTo: alice@mail.example.org\nSubject: Dinner";

#[test]
fn rfc6522_1_a_person_who_passes_a_report_on_is_heard() {
    let pat = BOB.replace("bob@", "postmaster@");
    let list = format!("{BOB}\nList-Id: <news.example.com>");
    for head in [BOB, &pat, &list] {
        let ours = passed_on(head);
        let foreign = ours.replace("ORIGINAL-ID", "1@example.com");
        let read = ours
            .replace(
                "message/delivery-status",
                "message/disposition-notification",
            )
            .replace("Action:", "Disposition: manual-action; displayed\nAction:");
        for mail in [&ours, &foreign, &read] {
            assert!(shown(mail, USER).text.contains("Dinner is at eight"));
        }
    }
    // Nobody writes to a bounce address.
    let report = report(&passed_on(BOB), &ids().bounce_address(Key(9)));
    assert_eq!(report.about, [MessageRef::Key(Key(9), 0)]);
}

#[test]
fn a_program_need_not_write_a_whole_report() {
    for head in [
        BOB.replace("<bob@example.com>\nTo", "<>\nTo"),
        BOB.replace("<bob@example.com>\nTo", "<MAILER-DAEMON@example.com>\nTo"),
        BOB.replace("Bob <bob@", "<mailer-daemon@"),
        format!("{BOB}\nAuto-Submitted: auto-generated (failure)"),
        format!("{BOB}\nX-Failed-Recipients: carol@example.com"),
        BOB.replace("Bob <bob@", "<postmaster@")
            .replace("Dinner", "Undeliverable: Lunch"),
    ] {
        let report = report(&passed_on(&head), USER);
        assert_eq!(report.about, [bobs()], "{head}");
        assert_eq!(report.failure.unwrap().reason, Reason::MailboxFull);
    }
}

#[test]
fn rfc3464_2_a_whole_report_is_one_whoever_sends_it() {
    let honest = STANDARD
        .replace("Return-Path: <>", "Return-Path: <reports@mx.example.com>")
        .replace("MAILER-DAEMON@", "reports@")
        .replace("Auto-Submitted: auto-replied\n", "");
    assert_eq!(report(&honest, USER).progress, Progress::Failed);
    let foreign = honest.replace("ORIGINAL-ID", "1@example.com");
    assert_eq!(fate(&foreign, USER), Fate::Drop("mail_bounce_unmatched"));
}

#[test]
fn a_person_who_copies_the_notification_of_a_service_is_heard() {
    let json =
        r#"{"notificationType":"Bounce","mail":{"commonHeaders":{"messageId":"<ORIGINAL-ID>"}}}"#;
    let mail = format!("{BOB}\n\nWhat does this mean?\n{json}\n");
    assert!(shown(&mail, USER).text.contains("What does this mean?"));
    let service = mail.replace("Bob <bob@", "<no-reply@");
    assert_eq!(report(&service, USER).progress, Progress::Failed);
}

#[test]
fn a_bounce_that_a_user_passes_on_by_another_program_is_sent() {
    let head = "From: alice@mail.example.org\nReturn-Path: <alice@mail.example.org>\nTo: bob@example.com\nSubject: Dinner";
    let mail = passed_on(head).replace('\n', "\r\n");
    let letter = read::read(mail.as_bytes(), None, &ids());
    let Fate::Take(event) = decide_sent(&letter, &Address::new(USER)) else {
        panic!("dropped")
    };
    assert!(matches!(*event, Event::Sent(_)));
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
            let message = shown(&persons(from, subject, &answer), USER);
            assert_eq!(message.text.trim(), text);
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
        let text = shown(&mail.replace("ORIGINAL-ID", original), USER).text;
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
    assert_eq!(about(&sent, USER), [bobs()]);
    // Without its form it counts where nobody else writes to, or where a mailer says its name.
    let mixed = sent.replace(
        "multipart/report; report-type=delivery-status;",
        "multipart/mixed;",
    );
    let to = ids().bounce_address(Key(9));
    assert_eq!(about(&mixed, &to), [MessageRef::Key(Key(9), 0)]);
    let named = mixed.replace("x@example.com", "mailer-daemon@example.com");
    assert_eq!(about(&named, USER), [bobs()]);
}
