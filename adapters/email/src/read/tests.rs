use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use transom_adapter::testkit::signer;

/// The mail server whose Authentication-Results count.
pub(super) const OWN_SERVER: &str = "mx.example.org";

fn ids() -> OwnIds {
    let ids = OwnIds::new(signer(), "mail.example.org".to_owned());
    ids.trusting(vec![OWN_SERVER.to_owned()])
}

/// What speaks against the sender of a mail.
pub(super) fn suspicions_of(raw: &[u8]) -> Vec<Suspicion> {
    let mail = read(raw, None, &ids()).mail;
    let to = Address::new("alice@mail.example.org");
    mail.for_recipient(&to, None).mail.suspicions
}

/// How one leaves the list that a mail came by.
pub(super) fn unsubscribe_of(mail: &str) -> Option<transom_adapter::Unsubscribe> {
    let mail = read(mail.as_bytes(), None, &ids()).mail;
    let to = Address::new("alice@mail.example.org");
    let facts = mail.for_recipient(&to, None).mail;
    facts.unsubscribe.map(|found| *found)
}

fn letter(mail: &str) -> Letter {
    read(mail.replace('\n', "\r\n").as_bytes(), None, &ids())
}

fn incoming(mail: &str) -> Incoming {
    letter(mail)
        .mail
        .for_recipient(&Address::new("alice@mail.example.org"), None)
}

const HEAD: &str = "Return-Path: <bob@example.com>\nFrom: Bob <Bob@Example.com>\nTo: alice@mail.example.org\nSubject: Lunch\nMessage-ID: <1@example.com>\nDate: Mon, 2 Nov 2026 10:00:00 +0100\n";

#[test]
fn an_ordinary_mail_is_understood() {
    let mail = incoming(&format!("{HEAD}\nHello Alice,\n\nlunch?\n"));
    assert_eq!(mail.from, Address::new("bob@example.com"));
    assert_eq!(mail.from_name.as_deref(), Some("Bob"));
    assert_eq!(mail.subject.as_deref(), Some("Lunch"));
    assert_eq!(mail.message_id.as_deref(), Some("1@example.com"));
    assert_eq!(mail.text, "Hello Alice,\n\nlunch?");
    assert_eq!(mail.sent_at, Some(UnixMillis(1_793_610_000_000)));
    assert_eq!(mail.class, Class::Human);
    assert_eq!(mail.mail, MailFacts::default());
}

#[test]
fn an_answer_names_its_parents_from_the_nearest() {
    let mail = incoming(&format!(
        "{HEAD}In-Reply-To: <c@x>\nReferences: <a@x> <b@x>\n <c@x>\n\nyes\n"
    ));
    assert_eq!(mail.answers, ["c@x", "b@x", "a@x"]);
    let mail = incoming(
        &HEAD
            .replace("Lunch", "AW: Re: Lunch")
            .replace("\nDate", "\nIn-Reply-To: <c@x>\nDate"),
    );
    assert_eq!(mail.subject.as_deref(), Some("Lunch"));
}

#[test]
fn quotations_are_cut_only_from_answers_to_us() {
    let own = ids().message_id(Key(7));
    let body =
        "Yes!\n\nOn Mon, 2 Nov 2026 at 09:00, Alice <alice@mail.example.org> wrote:\n> Lunch?\n";
    let mail = incoming(&format!("{HEAD}In-Reply-To: <{own}>\n\n{body}"));
    assert_eq!((mail.text.as_str(), mail.mail.shortened), ("Yes!", true));
    let mail = incoming(&format!("{HEAD}In-Reply-To: <other@x>\n\n{body}"));
    assert_eq!(
        (mail.text.as_str(), mail.mail.shortened),
        (body.trim_end(), false)
    );
}

#[test]
fn html_is_read_where_the_plain_text_is_none() {
    let alternative = |plain: &str, html: &str| {
        incoming(&format!(
            "{HEAD}MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n{plain}\n--b\nContent-Type: text/html\n\n{html}\n--b--\n"
        ))
        .text
    };
    assert_eq!(alternative("plain", "<p>html</p>"), "plain");
    assert_eq!(alternative("", "<p>html <b>text</b></p>"), "html text");
    let long = "much more is said here ".repeat(30);
    assert!(
        alternative("View this in your browser", &format!("<p>{long}</p>"))
            .starts_with("much more")
    );
    let only = incoming(&format!(
        "{HEAD}Content-Type: text/html\n\n<p>Hi<br>there</p>"
    ));
    assert_eq!(only.text, "Hi\nthere");
}

#[test]
fn charsets_are_believed_only_when_they_fit() {
    let text = |head: &str, body: &[u8]| {
        let mut raw = format!("{HEAD}{head}\n").replace('\n', "\r\n").into_bytes();
        raw.extend_from_slice(body);
        let letter = read(&raw, None, &ids());
        letter.mail.for_recipient(&Address::new("a@x"), None).text
    };
    assert_eq!(
        text(
            "Content-Type: text/plain; charset=iso-8859-1\n",
            b"Gr\xfc\xdfe"
        ),
        "Grüße"
    );
    assert_eq!(
        text("Content-Type: text/plain\n", "Grüße".as_bytes()),
        "Grüße"
    );
    assert_eq!(text("", b"Gr\xfc\xdfe \x80"), "Grüße €");
    assert_eq!(
        text(
            "Content-Type: text/plain; charset=us-ascii\n",
            b"Gr\xfc\xdfe"
        ),
        "Grüße"
    );
    assert_eq!(
        text(
            "Content-Type: text/plain; charset=iso-2022-jp\n",
            b"\x1b$B%F%9%H\x1b(B"
        ),
        "テスト"
    );
    assert_eq!(
        text(
            "Content-Type: text/plain; charset=gb2312\n",
            b"\xc4\xe3\xba\xc3"
        ),
        "你好"
    );
    let encoded =
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n";
    assert_eq!(text(encoded, b"Gr=C3=BC=C3=9Fe=\r\n!"), "Grüße!");
}

#[test]
fn names_and_subjects_hold_nothing_unseen() {
    let mail = incoming(
        &HEAD
            .replace("Bob <", "=?utf-8?q?B=C3=B6b_=E2=80=AEgro?= <")
            .replace("Lunch", "=?utf-8?q?a=07=E2=80=8Bb?="),
    );
    assert_eq!(mail.from_name.as_deref(), Some("Böb gro"));
    assert_eq!(mail.subject.as_deref(), Some("a b"));
    let spoof = incoming(&HEAD.replace("Bob <", "\"boss@example.org\" <"));
    assert_eq!(spoof.from_name, None);
    let nobody = incoming("Subject: x\n\ntext\n");
    assert_eq!(nobody.from.as_str(), "unknown@mail.invalid");
}

#[test]
fn what_machines_write_is_told_apart() {
    let class = |head: &str| letter(&format!("{HEAD}{head}\n\ntext\n")).mail.class();
    assert_eq!(class("X-Nothing: 1"), Class::Human);
    assert_eq!(class("Auto-Submitted: no"), Class::Human);
    assert_eq!(
        class("Auto-Submitted: auto-replied (vacation)"),
        Class::AutoReply
    );
    assert_eq!(class("Auto-Submitted: auto-generated"), Class::Bulk);
    assert_eq!(
        class("List-Id: <l.example.com>\nPrecedence: bulk"),
        Class::List
    );
    assert_eq!(class("List-Unsubscribe: <https://x.example>"), Class::Bulk);
    assert_eq!(class("Precedence: junk"), Class::Bulk);
    let null = letter(&format!(
        "{}\n\ntext",
        HEAD.replace("<bob@example.com>", "<>")
    ));
    assert_eq!(null.mail.class(), Class::AutoReply);
}

#[test]
fn rfc3834_5_auto_submitted_in_all_its_spellings() {
    let class = |value: &str| {
        let mail = letter(&format!("{HEAD}Auto-Submitted: {value}\n\ntext\n")).mail;
        mail.class()
    };
    for by_hand in [
        "no",
        "No",
        " no ",
        "no (by hand)",
        "(by hand) no",
        "no; x=y",
    ] {
        assert_eq!(class(by_hand), Class::Human, "{by_hand:?}");
    }
    for answer in [
        "auto-replied",
        "AUTO-REPLIED",
        "auto-replied; owner-email=\"me@example.com\"",
        "auto-replied\t(vacation)",
        "(sieve) auto-replied",
        "auto-notified; owner-token=1",
    ] {
        assert_eq!(class(answer), Class::AutoReply, "{answer:?}");
    }
    for made in ["auto-generated", "auto-generated (cron)", "x-something-new"] {
        assert_eq!(class(made), Class::Bulk, "{made:?}");
    }
}

#[test]
fn our_own_mail_coming_back_is_a_loop() {
    let own = ids().message_id(Key(7));
    assert_eq!(
        letter(&HEAD.replace("1@example.com", &own)).loops,
        Some(Loop::Own)
    );
    assert_eq!(
        letter(&format!("X-Loop: MAIL.example.org\n{HEAD}\n")).loops,
        Some(Loop::Own)
    );
    assert_eq!(
        letter(&format!("X-Loop: other.example\n{HEAD}\n")).loops,
        None
    );
    // A provider gave it another id, and says which one it had.
    let renamed = format!("X-Microsoft-Original-Message-ID: <{own}>\n{HEAD}\n");
    assert_eq!(letter(&renamed).loops, Some(Loop::Own));
    let hops = "Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0100\n";
    assert_eq!(letter(&format!("{}{HEAD}\n", hops.repeat(30))).loops, None);
    assert_eq!(
        letter(&format!("{}{HEAD}\n", hops.repeat(31))).loops,
        Some(Loop::Hops)
    );
}

#[test]
fn encrypted_mail_is_named_and_not_shown() {
    let notice = |head: &str, body: &str| {
        let mail = incoming(&format!("{HEAD}MIME-Version: 1.0\n{head}\n\n{body}\n"));
        (mail.mail.notice, mail.text)
    };
    let hidden = (Some(Notice::Encrypted), String::new());
    let pgp =
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b";
    assert_eq!(
        notice(
            pgp,
            "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\n\n-----BEGIN PGP MESSAGE-----\n--b--"
        ),
        hidden
    );
    assert_eq!(
        notice(
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data",
            "AAAA"
        ),
        hidden
    );
    assert_eq!(
        notice(
            "Content-Type: text/plain",
            "-----BEGIN PGP MESSAGE-----\n\nabc"
        ),
        hidden
    );
    let signed =
        "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b";
    let body =
        "--b\n\nhello\n--b\nContent-Type: application/pgp-signature; name=s.asc\n\nsig\n--b--";
    let mail = incoming(&format!("{HEAD}MIME-Version: 1.0\n{signed}\n\n{body}\n"));
    assert_eq!((mail.text.as_str(), mail.attachments.len()), ("hello", 0));
    assert_eq!(mail.mail.notice, Some(Notice::Signed), "and named as such");
    let opaque = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m";
    let mail = incoming(&format!("{HEAD}{opaque}\n\nAAAA\n"));
    assert_eq!(mail.mail.notice, Some(Notice::Signed));
    let plain = incoming(&format!("{HEAD}\nhello\n"));
    assert_eq!(plain.mail.notice, None);
}

#[test]
fn a_mail_inside_a_mail_is_a_file_as_it_came() {
    let inner = "From: Carol <carol@example.net>\nSubject: The plan\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n\
        --c\n\nsee there\n--c\nContent-Type: image/png; name=p.png\nContent-Transfer-Encoding: base64\n\nAAEC\n--c--\n";
    let mail = incoming(&format!(
        "{HEAD}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nlook\n--b\n\
         Content-Type: message/rfc822\n\n{inner}\n--b--\n"
    ));
    assert_eq!(mail.text, "look");
    let [file] = &mail.attachments[..] else {
        panic!("{:?}", mail.attachments);
    };
    assert_eq!(
        (file.name.as_str(), file.content_type.as_str()),
        ("The plan.eml", "message/rfc822")
    );
    let content = String::from_utf8_lossy(file.content.as_deref().unwrap()).replace('\r', "");
    assert_eq!(content.trim_end(), inner.trim_end());
}

#[test]
fn a_large_mail_inside_that_is_encoded_is_a_file_as_it_came() {
    let line = "U3ViamVjdDogVGhlIHBsYW4KCnNlZSB0aGVyZQo=\n";
    let inner = line.repeat(30_000);
    let mail = incoming(&format!(
        "{HEAD}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nlook\n--b\n\
         Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}--b--\n"
    ));
    assert_eq!(mail.text, "look");
    let [file] = &mail.attachments[..] else {
        panic!("{:?}", mail.attachments);
    };
    assert_eq!(
        (file.name.as_str(), file.content_type.as_str()),
        ("mail.eml", "message/rfc822")
    );
    assert!(
        file.content
            .as_ref()
            .unwrap()
            .starts_with(b"Subject: The plan\n\nsee")
    );
}

#[test]
fn files_are_named_with_their_size() {
    let mail = incoming(&format!(
        "{HEAD}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: Image/PNG; name=\"x.png\"\nContent-Disposition: attachment; filename=\"../../etc/\u{202e}x.png\"\nContent-Transfer-Encoding: base64\n\nAAECAw==\n--b--\n"
    ));
    let file = Attachment {
        name: "x.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: 4,
        content: Some(Bytes::from_static(&[0, 1, 2, 3])),
    };
    assert_eq!((mail.text.as_str(), mail.attachments), ("text", vec![file]));
}

#[test]
fn a_repeat_is_known_and_another_mail_is_not_taken_for_one() {
    let mail = |head: &str, body: &str| incoming(&format!("{head}\n{body}\n")).repeats;
    let first = mail(HEAD, "text");
    assert_eq!(
        first,
        mail(&format!("Received: by x\n{HEAD}"), "text"),
        "another way here"
    );
    assert_ne!(
        first,
        mail(HEAD, "other text"),
        "the same id with other content"
    );
    let bare = HEAD.replace("Message-ID: <1@example.com>\n", "");
    assert_eq!(
        mail(&bare, "text"),
        mail(&format!("Received: by x\n{bare}"), "text")
    );
    assert_ne!(
        mail(&bare, "text"),
        mail(&bare.replace("10:00", "11:00"), "text")
    );
}

#[test]
fn a_lone_return_ends_a_line() {
    let letter = read(HEAD.replace('\n', "\r").as_bytes(), None, &ids());
    let mail = letter.mail.for_recipient(&Address::new("a@x"), None);
    assert_eq!(mail.subject.as_deref(), Some("Lunch"));
    assert_eq!(&*without_lone_returns(b"a\rb\r\nc\r"), b"a\r\nb\r\nc\r\n");
}

#[test]
fn a_text_without_end_is_cut_and_says_so() {
    let mail = incoming(&format!("{HEAD}\n{}\n", "ä".repeat(TEXT_CHARS_MAX + 5)));
    assert!(mail.text.ends_with("ä […]") && mail.mail.shortened);
}

#[test]
fn nesting_and_many_parts_take_no_time() {
    let nested = (0..5_000).fold(String::new(), |nested, n| {
        nested + &format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")
    });
    letter(&format!("{HEAD}{nested}"));
    let many = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\nContent-Type: image/png\n\nx\n".repeat(5_000)
    );
    assert!(incoming(&many).attachments.len() <= 100);
    let messages = "--b\nContent-Type: message/rfc822\n\nSubject: x\n\n".repeat(2_000);
    letter(&format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{messages}"
    ));
}

#[test]
fn a_mail_made_to_burst_is_named_only() {
    let header = format!("{HEAD}{}\n\ntext\n", "X-A: b\n".repeat(400_000));
    let parts = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\n\nx\n".repeat(200_000)
    );
    let part = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n{}\nx\n",
        "a:\n".repeat(1_000_000)
    );
    for bomb in [header, parts, part] {
        let mail = read(bomb.as_bytes(), None, &ids()).mail;
        assert!(matches!(mail.notice, Some(Notice::Unreadable { .. })));
        assert_eq!(mail.subject.as_deref(), Some("Lunch"));
    }
}

/// Ten thousand mails with a few bytes changed: none panics, none is endless.
#[test]
fn mutilated_mails_do_no_harm() {
    let seeds: Vec<Vec<u8>> = [
        format!("{HEAD}MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"b\"\n\n--b\nContent-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =\n\n> a\n--b\nContent-Type: text/html\n\n<p style=\"x\">a<!-- c --><a href='https://x'>b</a></p><blockquote>c\n--b--\n"),
        format!("{HEAD}In-Reply-To: <{}>\n\nYes\n\nOn Mon, 2 Nov 2026 at 09:00, A <a@x.example> wrote:\n> q\n-- \nBob\n", ids().message_id(Key(1))),
        include_str!("../../tests/fixtures/bounce-standard.eml").to_owned(),
        include_str!("../../tests/fixtures/bounce-prose.eml").to_owned(),
        format!("{HEAD}Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{}\n", "U3ViamVjdDogeA0KDQp5\n".repeat(3)),
        format!("{HEAD}Subject: =?utf-8?b?R3LDvMOfZQ==?= =?iso-2022-jp?b?GyRCJTklPw==?=\nContent-Type: text/plain; name*0*=utf-8''a%20b; name*1=c\n\nx\n"),
    ]
    .into_iter()
    .map(|mail| mail.replace('\n', "\r\n").into_bytes())
    .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        // xorshift64*: seeded, so that a failure comes again.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % below
    };
    for round in 0..10_000 {
        let mut mail = seeds[round % seeds.len()].clone();
        for _ in 0..=random(6) {
            if mail.is_empty() {
                break;
            }
            let at = random(mail.len());
            match random(4) {
                0 => mail[at] = u8::try_from(random(256)).unwrap(),
                1 => drop(mail.remove(at)),
                2 => mail.truncate(at + 1),
                _ => {
                    let piece = mail[at..(at + random(40)).min(mail.len())].to_vec();
                    let to = random(mail.len());
                    mail.splice(to..to, piece);
                }
            }
        }
        read(&mail, Some(""), &ids());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read(&bytes, None, &ids());
    }

    #[test]
    fn a_cut_is_a_prefix(text in "(>|-- |On 2026 10:00 <a@b.c> wrote:|From: A <a@b.c>|[a-z ]{0,9}|\n){0,40}") {
        prop_assert!(text.starts_with(reply::cut(&text, "mail.example.org")));
    }
}

#[test]
fn a_mail_without_its_dividing_line_is_read_all_the_same() {
    let mail = incoming(&format!(
        "{HEAD}Content-Type: multipart/mixed;\nboundary=\"x-y-z\"\n\n--x-y-z\nContent-Type: text/plain\n\nstill here\n--x-y-z--\n"
    ));
    assert_eq!(mail.text, "still here");
}

#[test]
fn an_invitation_is_a_card_and_no_file() {
    let mail = incoming(&format!(
        "{HEAD}Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplease come\n--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Lunch\nDTSTART:20261102T110000Z\nEND:VEVENT\nEND:VCALENDAR\n--b--\n"
    ));
    assert_eq!(mail.text, "please come");
    assert_eq!(mail.attachments, []);
    assert_eq!(mail.mail.appointment.unwrap().title, "Lunch");
}

#[test]
fn a_file_that_only_says_it_is_text_keeps_its_bytes() {
    let mail = incoming(&format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: text/plain; charset=utf-8; name=a.bin\nContent-Disposition: attachment; filename=a.bin\nContent-Transfer-Encoding: base64\n\n/wD+AA==\n--b--\n"
    ));
    let content = mail.attachments[0].content.as_deref();
    assert_eq!(content, Some(&[0xff, 0, 0xfe, 0][..]));
}

#[test]
fn spam_is_shown_quietly() {
    let mail = incoming(&format!("X-Spam-Flag: YES\n{HEAD}\nbuy\n"));
    assert_eq!(mail.class, Class::Bulk);
    assert_eq!(mail.mail.suspicions, [Suspicion::Spam]);
}

#[test]
fn a_list_is_one_contact_and_says_who_wrote() {
    let list = "List-Id: \"Lunch, daily\" <lunch.example.com>\nList-Post: <https://x.example>, <mailto:lunch@lists.example.com>\n";
    let mail = incoming(&format!("{list}{HEAD}\nsoup?\n"));
    assert_eq!(mail.from, Address::new("lunch@lists.example.com"));
    assert_eq!(mail.from_name.as_deref(), Some("Lunch, daily"));
    assert_eq!(mail.text, "Bob: soup?");
    assert_eq!(mail.class, Class::List);
    // Nobody may write to it: then its author is who can be answered.
    let closed = incoming(&format!(
        "List-Id: <n.example.com>\nList-Post: NO\n{HEAD}\nnews\n"
    ));
    assert_eq!(
        (closed.from.as_str(), closed.text.as_str()),
        ("bob@example.com", "news")
    );
    // What one of ours wrote to it and gets back is still theirs.
    let back = letter(&format!(
        "{list}{}\nsoup?\n",
        HEAD.replace("Bob@Example.com", "alice@mail.example.org")
    ));
    assert!(back.mail.is_from(&Address::new("alice@mail.example.org")));
}

#[test]
fn the_others_of_a_mail_are_named_once_and_never_ourselves() {
    let others = |header: &str| {
        let mail = format!("From: Bob <bob@example.com>\n{header}Subject: x\n\nhi\n");
        let others = incoming(&mail).others.into_iter();
        let shown = |member: transom_adapter::Member| {
            let copy = if member.copy { "cc" } else { "to" };
            format!(
                "{copy} {} {}",
                member.address,
                member.name.unwrap_or_default()
            )
        };
        others.map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        others(
            "To: alice+x@mail.example.org, Carol C. <Carol@Example.net>\nCc: carol@example.net, Bob <bob@example.com>,\n dave@example.net\n"
        ),
        ["to carol@example.net Carol C.", "cc dave@example.net "]
    );
    assert_eq!(
        others("To: Team: \"eve@x.example\" <erin@example.net>, Frank <frank@example.net>;\n"),
        ["to erin@example.net ", "to frank@example.net Frank"],
        "a list with a name, and a name that is an address"
    );
    let none: [&str; 0] = [];
    assert_eq!(others("To: undisclosed-recipients:;\n"), none);
    assert_eq!(
        others("Bcc: dave@example.net\n"),
        none,
        "what was hidden stays hidden"
    );
    assert_eq!(others("To: <>, @, nonsense\n"), none);
    let many: Vec<String> = (0..60).map(|at| format!("p{at}@example.net")).collect();
    assert_eq!(
        others(&format!("To: {}\n", many.join(",\n "))),
        none,
        "a mailing"
    );
    let by_list =
        "To: carol@example.net\nList-Id: <l.example.net>\nList-Post: <mailto:l@example.net>\n";
    assert_eq!(others(by_list), none, "a list is one contact");
}
