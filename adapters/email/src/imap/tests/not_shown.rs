//! Mails that are only named, or passed by, stop none behind them.

use transom_adapter::Notice;

use super::*;

/// facts c7: a mail that crashes the decoder is shown by its header, and the next one is read.
#[tokio::test]
async fn a_mail_that_crashes_the_decoder_is_named_and_the_next_is_read() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "before");
    watched.host.deliver(ALICE, crate::read::CRASHES);
    watched.host.deliver(ALICE, "behind");
    let messages = watched.messages(3).await;
    let texts: Vec<&str> = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    assert_eq!(texts, ["before", "", "behind"]);
    assert!(matches!(
        messages[1].mail.notice,
        Some(Notice::Unreadable { .. })
    ));
    let original = messages[1].mail.original.as_ref().expect("the whole mail");
    assert!(original.ends_with(format!("{}\r\n", crate::read::CRASHES).as_bytes()));
}

#[tokio::test]
async fn poison_is_named_and_the_next_mail_is_read() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().garbled.push(first);
    watched.host.deliver(ALICE, "poison");
    watched.host.deliver(ALICE, "good");
    let messages = watched.messages(2).await;
    assert!(matches!(
        messages[0].mail.notice,
        Some(Notice::Unreadable { .. })
    ));
    assert_eq!(messages[0].subject.as_deref(), Some("poison"));
    assert_eq!(messages[1].text, "good");
}

#[tokio::test]
async fn too_large_is_named_without_being_read() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().sizes.insert(first, 30_000_000);
    watched.host.deliver(ALICE, "large");
    let messages = watched.messages(1).await;
    assert_eq!(
        messages[0].mail.notice,
        Some(Notice::TooLarge { bytes: 30_000_000 })
    );
    let read = |command: &String| command.contains("BODY.PEEK[]");
    assert!(!watched.host.server().commands.iter().any(read));
}

#[tokio::test]
async fn a_mail_that_is_moved_away_before_it_is_read_holds_up_nothing() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().gone.push(first);
    watched.host.deliver(ALICE, "moved");
    watched.host.deliver(ALICE, "stays");
    assert_eq!(watched.texts(1).await, ["stays"]);
    assert_eq!(watched.meter.of("imap_gone"), 1);
}

#[tokio::test]
async fn nobodys_mail_is_counted_and_passed_by() {
    let watched = Watched::start().await.settled().await;
    watched
        .inbox
        .refuse(transom_adapter::Address::new("dave@mail.example.org"));
    watched.host.deliver("box@example.org", "foreign");
    watched.host.deliver("dave@mail.example.org", "unknown");
    watched.host.deliver(ALICE, "known");
    assert_eq!(watched.texts(1).await, ["known"]);
    let counts = (
        watched.meter.of("imap_no_recipient"),
        watched.meter.of("imap_unknown_recipient"),
    );
    assert_eq!(counts, (1, 1));
}
