//! Which words of a mail are shown.

use super::*;

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
fn a_mail_without_its_dividing_line_is_read_all_the_same() {
    let mail = incoming(&format!(
        "{HEAD}Content-Type: multipart/mixed;\nboundary=\"x-y-z\"\n\n--x-y-z\nContent-Type: text/plain\n\nstill here\n--x-y-z--\n"
    ));
    assert_eq!(mail.text, "still here");
}
