//! Mails that were made to harm, and any bytes at all.

use proptest::prelude::*;

use super::*;

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
        include_str!("../../../tests/fixtures/bounce-standard.eml").to_owned(),
        include_str!("../../../tests/fixtures/bounce-prose.eml").to_owned(),
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
