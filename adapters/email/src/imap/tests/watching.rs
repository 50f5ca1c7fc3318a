//! From which mail on the mailbox is watched, and how news are noticed.

use super::*;

#[tokio::test]
async fn the_first_run_starts_now_and_news_come_by_idle() {
    let host = Host::start().await;
    host.deliver(ALICE, "old");
    let watched = Watched::on(host).settled().await;
    assert!(watched.cursor().await.unwrap().starts_with("7:1:"));
    watched.host.deliver(ALICE, "new");
    let messages = watched.messages(1).await;
    assert_eq!(
        (messages[0].text.as_str(), messages[0].to.as_str()),
        ("new", ALICE)
    );
    assert!(watched.cursor().await.unwrap().starts_with("7:2:"));
    let changes = |command: &String| command.contains("STORE") || command.contains(" BODY[");
    assert!(
        !watched.host.server().commands.iter().any(changes),
        "nothing in the mailbox is changed"
    );
}

#[tokio::test]
async fn the_first_run_looks_back_when_asked_and_the_next_one_does_not() {
    let mut host = Host::start().await;
    host.since_days = 3650;
    host.deliver(ALICE, "old");
    host.deliver(ALICE, "older");
    let watched = Watched::on(host);
    assert_eq!(watched.texts(2).await, ["old", "older"]);
    let watched = watched.stopped().await;
    watched.run();
    watched.host.deliver(ALICE, "new");
    assert_eq!(watched.texts(3).await, ["old", "older", "new"]);
}

#[tokio::test]
async fn without_idle_the_mailbox_is_asked() {
    let host = Host::start().await;
    host.server().has_idle = false;
    let watched = Watched::on(host).settled().await;
    watched.host.deliver(ALICE, "polled");
    assert_eq!(watched.texts(1).await, ["polled"]);
}

#[tokio::test]
async fn idle_gone_deaf_is_noticed() {
    let host = Host::start().await;
    host.server().deaf = true;
    let watched = Watched::on(host).settled().await;
    watched.host.deliver(ALICE, "unheard");
    assert_eq!(watched.texts(1).await, ["unheard"]);
    assert!(
        watched.host.server().connections >= 2,
        "DONE was not answered either"
    );
}

#[tokio::test]
async fn a_busy_store_is_asked_again_and_the_mail_is_not_lost() {
    let watched = Watched::start().await.settled().await;
    watched.inbox.set_busy(true);
    watched.host.deliver(ALICE, "patient");
    let fetched = |command: &String| command.contains("BODY.PEEK[]");
    while !watched.host.server().commands.iter().any(fetched) {
        tokio::task::yield_now().await;
    }
    watched.inbox.set_busy(false);
    assert_eq!(watched.texts(1).await, ["patient"]);
}

#[tokio::test]
async fn a_renamed_folder_of_sent_mail_is_found_again() {
    let host = Host::start().await;
    host.server().sent = "Sent";
    let mut account = account(&host, FAST);
    account.config.sent_every = Duration::from_millis(20);
    let context = testkit::context(
        Arc::<RecordingInbox>::default(),
        FixedDirectory::default(),
        Arc::<CountingMeter>::default(),
    );
    let inner = context.clone();
    context
        .lifecycle
        .spawn("imap", async move { account.run(&inner).await.unwrap() });
    for name in ["Sent", "Gesendet"] {
        host.server().sent = name;
        let select = format!("SELECT \"{name}\"");
        let opened = async {
            while !host.server().commands.contains(&select) {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), opened).await;
        waited.unwrap_or_else(|_| panic!("{name} is opened"));
    }
    context.lifecycle.abort();
    host.lifecycle.abort();
}

#[tokio::test]
async fn draining_ends_the_watch() {
    let watched = Watched::start().await.settled().await;
    watched.context.lifecycle.drain();
    assert!(
        watched
            .context
            .lifecycle
            .finish(Duration::from_secs(5))
            .await
    );
}

#[test]
fn the_backoff_grows_and_stays_within_bounds() {
    for failures in 1..40 {
        let pause = PACE.backoff(failures);
        assert!(
            pause >= Duration::from_millis(500) && pause <= PACE.reconnect_max,
            "{failures}: {pause:?}"
        );
    }
}
