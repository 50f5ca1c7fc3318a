//! Servers that say more than they were asked for.

use tokio::io::AsyncReadExt;
use transom_adapter::Notice;

use super::*;

const MIB: usize = 1024 * 1024;

/// What `check` finds wrong with a server that begins so, and then writes the other for as long as somebody reads it.
async fn fault_of(start: &'static str, endless: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut host = Host::start().await;
    host.port = listener.local_addr().unwrap().port();
    host.lifecycle.spawn("endless-imap", async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        while !endless.is_empty() && stream.write_all(endless).await.is_ok() {}
        // Until the other side goes.
        drop(stream.read_to_end(&mut Vec::new()).await);
    });
    let mut report = account(&host, FAST).check().await;
    host.lifecycle.abort();
    assert_eq!(report.faults.len(), 1, "{report:?}");
    report.faults.remove(0)
}

#[tokio::test]
async fn an_imap_string_too_large_is_refused_when_it_is_announced() {
    for start in [
        "* LIST () \"/\" {500000000}\r\n",
        "* OK ready\r\n* LIST () \"/\" {500000000}\r\n",
        "* OK ready\r\n* OK {30}\r\n* LIST () \"/\" {500000000}\r\n",
    ] {
        let fault = fault_of(start, b"").await;
        assert!(fault.contains("the server announces"), "{start}: {fault}");
    }
}

#[tokio::test]
async fn an_imap_line_without_end_is_not_read_on() {
    for start in ["* OK ", "* OK ready\r\n* SEARCH ", "* OK ready\r\n"] {
        let fault = fault_of(start, &[b'1'; 4096]).await;
        let want = "the server wrote an answer of more than 65536 bytes";
        assert!(fault.contains(want), "{start}: {fault}");
    }
}

/// A session with a mailbox that has one mail of this size. Its host gives mails whole, whatever was asked for.
async fn session_with_a_mail_of(bytes: usize) -> (Host, Session) {
    let host = Host::start().await;
    host.deliver(ALICE, &"a".repeat(bytes));
    let opened = Session::open(&account(&host, FAST).config, None, FAST).await;
    (host, opened.unwrap())
}

#[tokio::test]
async fn a_mail_that_is_given_whole_is_cut_to_what_was_asked_for() {
    let (host, mut session) = session_with_a_mail_of(5000).await;
    let mail = session.mail(1, 1000).await.unwrap().unwrap();
    assert_eq!(mail.len(), 1000);
    assert!(host.server().mails[0].1.starts_with(&mail));
    host.lifecycle.abort();
}

#[tokio::test]
async fn of_a_mail_far_larger_than_was_asked_for_nothing_is_read() {
    let (host, mut session) = session_with_a_mail_of(2 * MIB).await;
    let mail = session.mail(1, 1000).await;
    assert!(matches!(mail, Err(Trouble::Excess(_))), "{mail:?}");
    host.lifecycle.abort();
}

#[tokio::test]
async fn a_mail_larger_than_it_says_is_named_and_the_next_is_read() {
    let watched = Watched::start().await.settled().await;
    {
        let mut server = watched.host.server();
        let uid = server.next;
        server.next += 1;
        let mut mail =
            format!("Delivered-To: {ALICE}\r\nFrom: bob@example.com\r\nSubject: huge\r\n\r\n")
                .into_bytes();
        mail.resize(crate::read::MAIL_BYTES_MAX + 2 * MIB, b'a');
        server.mails.push((uid, mail));
        server.sizes.insert(uid, 1000);
    }
    watched.host.deliver(ALICE, "good");
    let messages = watched.messages(2).await;
    assert!(matches!(
        messages[0].mail.notice,
        Some(Notice::Unreadable { .. })
    ));
    assert_eq!(messages[0].subject.as_deref(), Some("huge"));
    assert_eq!(messages[1].text, "good");
}

#[tokio::test]
async fn an_imap_answer_that_nests_without_end_does_not_end_the_process() {
    let fault = fault_of("* OK ready\r\n* 1 FETCH (BODYSTRUCTURE ", &[b'('; 4096]).await;
    let want = "the server wrote an answer with more than 32 brackets";
    assert!(fault.contains(want), "{fault}");
}

#[tokio::test]
async fn a_search_that_finds_very_many_is_read() {
    const MAILS: u32 = 20_000;
    let (host, mut session) = session_with_a_mail_of(1).await;
    let uids = 1_000_000_000..1_000_000_000 + MAILS;
    host.server().mails = uids.clone().map(|uid| (uid, Vec::new())).collect();
    let found = session.search("ALL").await.unwrap();
    assert!(found.into_iter().eq(uids));
    host.lifecycle.abort();
}
