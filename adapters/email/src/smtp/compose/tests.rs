//! Mails as they leave, read again as others read them.

use super::*;
use mail_parser::MimeHeaders;
use transom_adapter::{Address, Group, Key, Member, testkit};

fn ids() -> OwnIds {
    OwnIds::new(testkit::signer(), "mail.example.org".to_owned())
}

fn outgoing(text: &str) -> Outgoing {
    testkit::outgoing("alice@mail.example.org", "bob@example.com", text)
}

fn composed(message: &Outgoing) -> String {
    composed_with(message, &[])
}

fn composed_with(message: &Outgoing, contents: &[Vec<u8>]) -> String {
    let mail = compose(message, contents, &ids(), (&Writing::default(), None)).unwrap();
    let mail = String::from_utf8(mail).unwrap();
    assert!(mail.is_ascii());
    assert!(
        mail.lines().all(|line| line.len() <= 998),
        "RFC 5322 §2.1.1"
    );
    mail
}

fn thread(subject: &str, in_reply_to: Option<&str>, references: &[&str]) -> Thread {
    Thread {
        subject: subject.to_owned(),
        in_reply_to: in_reply_to.map(str::to_owned),
        references: references.iter().map(|id| (*id).to_owned()).collect(),
        reaction: false,
    }
}

#[test]
fn a_mail_holds_what_it_must_and_nothing_else() {
    let mut message = outgoing("Hello Bob\nhow are you?");
    message.from_name = Some("Alice Liddell".to_owned());
    message.thread = Some(thread("Lunch", None, &[]));
    let mail = composed(&message);
    let id = ids().message_id(message.key);
    let want = format!(
        "From: \"Alice Liddell\" <alice@mail.example.org>\r\n\
         To: bob@example.com\r\n\
         Subject: Lunch\r\n\
         Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n\
         Message-ID: <{id}>\r\n\
         X-Loop: mail.example.org\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 7bit\r\n\
         \r\n\
         Hello Bob\r\nhow are you?"
    );
    assert_eq!(mail, want);
    assert_eq!(mail, composed(&message), "the same bytes on every attempt");
}

#[test]
fn a_mail_to_several_shows_each_of_them_everybody() {
    let mut message = outgoing("hello all");
    let group = |message: &Outgoing| Group {
        key: Key(77),
        members: vec![
            Member {
                name: Some("Bob, \"the\" Builder\r\nBcc: x@example.com".to_owned()),
                ..Member::to(message.to.clone())
            },
            Member {
                copy: true,
                name: Some("eve@example.com".to_owned()),
                ..Member::to(Address::new("carol@example.net"))
            },
        ],
        at_once: false,
    };
    message.group = Some(group(&message));
    let mail = composed(&message);
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("\r\nTo: bob@example.com\r\n"),
        "a name that shows an address is none: {head}"
    );
    assert!(head.contains("\r\nCc: carol@example.net\r\n"), "{head}");
    assert!(!head.contains("\r\nBcc"), "{head}");
    let id = ids().message_id(Key(77));
    assert!(head.contains(&format!("Message-ID: <{id}>")), "{head}");
    let to_carol = Outgoing {
        key: Key(78),
        to: Address::new("carol@example.net"),
        ..message
    };
    assert_eq!(composed(&to_carol), mail, "the same mail to each of them");
}

#[test]
fn an_answer_names_what_it_answers() {
    let mut message = outgoing("yes");
    message.thread = Some(thread("Lunch", Some("p@x"), &["a@x", "b@x", "p@x"]));
    let mail = composed(&message);
    assert!(mail.contains("\r\nSubject: Re: Lunch\r\n"), "{mail}");
    assert!(mail.contains("\r\nIn-Reply-To: <p@x>\r\n"), "{mail}");
    assert!(
        mail.contains("\r\nReferences: <a@x> <b@x> <p@x>\r\n"),
        "{mail}"
    );
}

#[test]
fn long_references_keep_the_first_and_the_last() {
    let ids: Vec<String> = (0..200).map(|n| format!("{n}@example.com")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (_, line) = references(&thread("", Some("199@example.com"), &ids));
    let line: Vec<&str> = line.split(' ').collect();
    assert_eq!(line.len(), REFERENCES_LAST + 1);
    assert_eq!(line.first(), Some(&"<0@example.com>"));
    assert_eq!(line.last(), Some(&"<199@example.com>"));
}

#[test]
fn nothing_from_outside_becomes_a_header() {
    let mut message = outgoing("text\r\n.\r\nMAIL FROM:<>\r\n");
    message.from_name = Some("Alice\r\nBcc: eve@example.com".to_owned());
    message.thread = Some(thread(
        "Hi\r\nBcc: eve@example.com\r\n\r\nbody",
        Some("a@x>\r\nBcc: eve@example.com"),
        &["b@x\r\n\r\nbody", "c d@x", "é@x", "ok@x"],
    ));
    let mail = composed(&message);
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(!head.contains("In-Reply-To"), "{head}");
    assert!(head.contains("\r\nReferences: <ok@x>\r\n"), "{head}");
}

#[test]
fn a_name_is_never_an_address() {
    assert_eq!(display_name(Some("alice@example.org"), "alice"), "alice");
    assert_eq!(display_name(None, "alice"), "alice");
    assert_eq!(display_name(Some("Zoë \u{202e}Ünal\u{7}"), "z"), "Zoë Ünal");
}

#[test]
fn text_beyond_ascii_is_encoded() {
    let mut message = outgoing("Grüße 👋");
    message.thread = Some(thread("Größe", None, &[]));
    let mail = composed(&message);
    assert!(mail.contains("Subject: =?utf-8?b?"), "{mail}");
    let encoded = mail.contains("Content-Transfer-Encoding: quoted-printable")
        || mail.contains("Content-Transfer-Encoding: base64");
    assert!(encoded, "{mail}");
}

#[test]
fn without_a_thread_the_first_words_are_the_subject() {
    assert_eq!(
        subject(&outgoing("  Short one\nmore"), &Writing::default()),
        "Short one"
    );
    let long = subject(&outgoing(&"word ".repeat(40)), &Writing::default());
    assert!(
        long.ends_with("word…") && long.chars().count() <= SUBJECT_CHARS,
        "{long}"
    );
    let mut answer = outgoing("x");
    answer.thread = Some(thread("RE: Lunch", Some("a@x"), &[]));
    assert_eq!(subject(&answer, &Writing::default()), "RE: Lunch");
}

#[test]
fn styled_text_has_an_html_alternative_and_plain_text_none() {
    let styled = composed(&outgoing("see *this* <b>"));
    assert!(
        styled.contains("Content-Type: multipart/alternative"),
        "{styled}"
    );
    assert!(
        styled.contains("<strong>*this*</strong> &lt;b&gt;"),
        "{styled}"
    );
    assert_eq!(
        styled,
        composed(&outgoing("see *this* <b>")),
        "the same bytes"
    );
    assert!(!composed(&outgoing("see this")).contains("text/html"));
    // XEP-0393: who says that there is none has typed characters.
    let mut unstyled = outgoing("2 *3* 4");
    unstyled.mail.unstyled = true;
    let unstyled = composed(&unstyled);
    assert!(!unstyled.contains("text/html"), "{unstyled}");
    assert!(unstyled.ends_with("2 *3* 4"), "{unstyled}");
}

#[test]
fn signature_and_subject_are_those_of_the_configuration() {
    let writing = Writing {
        signature: Some("Example Inc.".to_owned()),
        subject: Some("A message".to_owned()),
    };
    let mail = compose(&outgoing("hi"), &[], &ids(), (&writing, None)).unwrap();
    let mail = String::from_utf8(mail).unwrap();
    assert!(mail.ends_with("hi\r\n\r\n-- \r\nExample Inc."), "{mail}");
    assert!(mail.contains("Subject: A message\r\n"), "{mail}");
}

fn with_file(text: &str, name: &str, content_type: &str) -> Outgoing {
    let mut message = outgoing(text);
    message.files.push(transom_adapter::OutFile {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        bytes: 0,
        stored: None,
    });
    message
}

#[test]
fn files_are_attached_as_they_are() {
    let message = with_file("See this", "grüße \"x\".jpg", "image/jpeg");
    let content: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let mail = composed_with(&message, std::slice::from_ref(&content));
    assert_eq!(
        mail,
        composed_with(&message, std::slice::from_ref(&content)),
        "the same bytes on every attempt"
    );
    let read = mail_parser::MessageParser::default()
        .parse(mail.as_bytes())
        .unwrap();
    assert_eq!(read.body_text(0).as_deref(), Some("See this"));
    let attached = read.attachment(0).unwrap();
    assert_eq!(attached.contents(), content);
    assert_eq!(attached.attachment_name(), Some("grüße \"x\".jpg"));
    assert_eq!(attached.content_type().unwrap().subtype(), Some("jpeg"));
    assert_eq!(read.attachment_count(), 1);
}

#[test]
fn a_file_may_go_without_a_word() {
    let mail = composed_with(
        &with_file("", "notes.txt", "text/plain"),
        &[b"a\nb".to_vec()],
    );
    let read = mail_parser::MessageParser::default()
        .parse(mail.as_bytes())
        .unwrap();
    let attached = read
        .parts
        .iter()
        .find(|part| part.attachment_name() == Some("notes.txt"));
    assert_eq!(attached.unwrap().contents(), b"a\nb");
}

#[test]
fn a_files_name_becomes_no_header() {
    let message = with_file(
        "x",
        "a\r\nBcc: eve@example.com\r\n\r\nbody.txt",
        "text/\r\nX: y",
    );
    let mail = composed_with(&message, &[b"x".to_vec()]);
    assert!(
        !mail
            .lines()
            .any(|line| line.starts_with("Bcc") || line.starts_with("X: ")),
        "{mail}"
    );
}

#[test]
fn rfc2046_a_mail_as_a_file_is_not_said_to_be_one_where_it_is_encoded() {
    let message = with_file("x", "plan.eml", "message/rfc822");
    let mail = composed_with(&message, &[b"Subject: The plan\r\n\r\nx".to_vec()]);
    assert!(!mail.contains("message/rfc822"), "{mail}");
    assert!(mail.contains("application/octet-stream") && mail.contains("plan.eml"));
}

#[test]
fn rfc2046_a_boundary_has_seventy_characters_at_most() {
    let domain = format!("{}.example.org", "x".repeat(60));
    let ids = OwnIds::new(testkit::signer(), domain);
    for kind in ["alternative", "mixed", "report"] {
        assert!(boundary(kind, &outgoing("x"), &ids).len() <= 70, "{kind}");
    }
}
