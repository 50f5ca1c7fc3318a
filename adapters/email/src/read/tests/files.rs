//! What of a mail is a file, and what is named in place of one.

use bytes::Bytes;

use super::*;

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
fn a_file_that_only_says_it_is_text_keeps_its_bytes() {
    let mail = incoming(&format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: text/plain; charset=utf-8; name=a.bin\nContent-Disposition: attachment; filename=a.bin\nContent-Transfer-Encoding: base64\n\n/wD+AA==\n--b--\n"
    ));
    let content = mail.attachments[0].content.as_deref();
    assert_eq!(content, Some(&[0xff, 0, 0xfe, 0][..]));
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
fn an_invitation_is_a_card_and_no_file() {
    let mail = incoming(&format!(
        "{HEAD}Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplease come\n--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Lunch\nDTSTART:20261102T110000Z\nEND:VEVENT\nEND:VCALENDAR\n--b--\n"
    ));
    assert_eq!(mail.text, "please come");
    assert_eq!(mail.attachments, []);
    assert_eq!(mail.mail.appointment.unwrap().title, "Lunch");
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
