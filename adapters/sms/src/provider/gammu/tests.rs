use std::sync::Arc;

use std::{fs, io, path::PathBuf, time::Duration};

use proptest::prelude::*;
use serde_json::json;
use transom_adapter::{
    Event, MessageRef, Part, Progress, UnixMillis,
    testkit::{CountingMeter, FixedDirectory, RecordingInbox, conformance, context},
};

use super::*;
use crate::provider::testing::{FIRST, NOW, client, env, faults_of, message, section};

const LONG: &[u8] = include_bytes!("fixtures/long.txt");
const SHORT: &[u8] = include_bytes!("fixtures/short.txt");
const REPORT: &str = include_str!("fixtures/report.txt");
const PEER: &str = "+12025550147";

/// smsd's folders, without a smsd.
struct Folders {
    dir: tempfile::TempDir,
    account: GammuAccount,
    inbox: Arc<RecordingInbox>,
    meter: Arc<CountingMeter>,
}

impl Folders {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["inbox", "outbox", "sent", "error"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let account = account(&dir.path().display().to_string());
        Self {
            dir,
            account,
            inbox: Arc::default(),
            meter: Arc::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let names = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = names
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// As smsd does.
    fn shift(&self, from: &str, to: &str, name: &str) {
        fs::rename(self.path(from).join(name), self.path(to).join(name)).unwrap();
    }

    /// Runs until this holds.
    async fn until(&self, done: impl Fn(&Self) -> bool) {
        let context = context(
            Arc::clone(&self.inbox),
            FixedDirectory::default(),
            Arc::clone(&self.meter),
        );
        let patience = async {
            while !done(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = self.account.run(&context) => panic!("it goes on"),
            in_time = tokio::time::timeout(Duration::from_secs(30), patience) => in_time.unwrap(),
        }
    }

    async fn sent(&self, text: &str) -> String {
        let outcome = self.account.send(&message(text), FIRST).await;
        assert_eq!(outcome, Outcome::Accepted { ids: vec![] });
        let names = self.list("outbox");
        assert_eq!(names.len(), 1, "{names:?}");
        names[0].clone()
    }

    fn progress(&self) -> Vec<Progress> {
        let key = message("").key;
        let events = self.inbox.events().into_iter();
        events
            .map(|event| match event {
                Event::Report(report) => {
                    assert_eq!(report.about, [MessageRef::Key(key, 0)]);
                    report.progress
                }
                event => panic!("{event:?}"),
            })
            .collect()
    }
}

fn account(spool: &str) -> GammuAccount {
    let table = json!({ "spool": spool, "number": "+12025550100" });
    config::account(
        AccountName::new("sms", "main"),
        &section(table),
        &env(client()),
    )
    .unwrap()
}

fn report(to: &str, words: &str) -> String {
    let hex = |text: &str| {
        hex::encode_upper(
            text.encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect::<Vec<_>>(),
        )
    };
    REPORT
        .replace(&hex("+12025550148"), &hex(to))
        .replace("00440065006C006900760065007200650064", &hex(words))
}

#[tokio::test]
async fn it_is_a_good_account() {
    let folders = Folders::new();
    conformance::account(&folders.account);
    assert_eq!(folders.account.bind().await, Ok(()));
    let report = folders.account.check().await;
    assert_eq!((report.findings.len(), report.faults.len()), (1, 0));
    let nowhere = account("/nonexistent");
    assert!(nowhere.bind().await.is_err());
    assert_eq!(nowhere.check().await.faults.len(), 1);
    let outcome = nowhere.send(&message("a"), FIRST).await;
    assert!(matches!(outcome, Outcome::Misconfigured(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_text_lies_in_the_outbox_once_however_often_it_is_tried() {
    let folders = Folders::new();
    folders.account.bind().await.unwrap();
    let name = folders.sent("Привет 👋\r\n").await;
    let key = message("").key;
    let serial = format!("{:016x}", key.0);
    let wanted = format!("OUTC20260921_141320_{serial}_{PEER}_{key}.txtd");
    assert_eq!(name, wanted);
    let content = fs::read(folders.path("outbox").join(&name)).unwrap();
    assert_eq!(content.get(..2), Some(&[0xfe, 0xff][..]));
    assert_eq!(decode(&content), "Привет 👋\n");
    assert_eq!(folders.sent("Привет 👋\r\n").await, name);
    for folder in ["sent", "transom/awaiting", "transom/done"] {
        folders.shift("outbox", folder, &name);
        let outcome = folders.account.send(&message("again"), FIRST).await;
        assert_eq!(outcome, Outcome::Accepted { ids: vec![] });
        assert_eq!(
            folders.list("outbox"),
            Vec::<String>::new(),
            "it is in {folder}"
        );
        folders.shift(folder, "outbox", &name);
    }
}

/// What smsd can see may be sent: no other account may send it too.
#[tokio::test]
async fn a_text_that_only_the_disk_may_lose_is_in_doubt() {
    let folders = Folders::new();
    folders.account.bind().await.unwrap();
    let full = |_: &fs::File| Err(io::Error::from(io::ErrorKind::StorageFull));
    let placed = folders.account.spool.place_and("OUT1.txt", b"a", full);
    assert_eq!(folders.list("outbox"), ["OUT1.txt"]);
    let in_doubt = outcome(placed);
    assert!(matches!(in_doubt, Outcome::Unknown(_)), "{in_doubt:?}");
    let before = outcome(Err(io::ErrorKind::StorageFull.into()));
    assert!(matches!(before, Outcome::Transient(_)), "{before:?}");
}

/// Files of others, and texts whose reports never come: there are more of them than go on in one pass.
#[tokio::test]
async fn what_does_not_move_on_holds_up_nothing() {
    let folders = Folders::new();
    folders.account.bind().await.unwrap();
    for number in 0..300 {
        let foreign = format!("OUTC20250101_000000_00_{PEER}_sms{number}.txtd");
        fs::write(folders.path("sent").join(foreign), "x").unwrap();
        let name = OutName {
            created_at: UnixMillis(NOW.0 - 86_400_000),
            recipient: format!("+1202556{number:04}"),
            key: transom_adapter::Key(number),
            report: true,
        };
        let waiting = folders.path("transom/awaiting").join(name.to_string());
        fs::write(waiting, encode("x")).unwrap();
    }
    let name = folders.sent("hello").await;
    folders.shift("outbox", "sent", &name);
    folders
        .until(|f| f.list("transom/awaiting").contains(&name))
        .await;
    fs::write(folders.path("inbox/IN1.txt"), report(PEER, "Delivered")).unwrap();
    folders
        .until(|f| f.list("transom/done").contains(&name))
        .await;
    assert_eq!(folders.progress(), [Progress::Sent, Progress::Delivered]);
    assert_eq!(folders.list("transom/awaiting").len(), 300);
}

#[tokio::test]
async fn a_text_is_delivered_when_every_part_is() {
    let folders = Folders::new();
    folders.account.bind().await.unwrap();
    let name = folders.sent(&"a".repeat(161)).await;
    folders.shift("outbox", "sent", &name);
    folders
        .until(|f| f.list("transom/awaiting") == [name.as_str()])
        .await;
    assert_eq!(folders.progress(), [Progress::Sent]);
    fs::write(folders.path("inbox/IN1.txt"), report(PEER, "Delivered")).unwrap();
    fs::write(
        folders.path("inbox/IN2.txt"),
        report("+12025550199", "Delivered"),
    )
    .unwrap();
    fs::write(folders.path("inbox/IN3.txt"), report(PEER, "Pending")).unwrap();
    folders.until(|f| f.list("inbox").is_empty()).await;
    assert_eq!(folders.progress(), [Progress::Sent], "one of two parts");
    assert_eq!(folders.meter.of("report_unmatched"), 1);
    fs::write(folders.path("inbox/IN4.txt"), report(PEER, "Delivered")).unwrap();
    folders
        .until(|f| f.list("transom/awaiting").is_empty())
        .await;
    assert_eq!(folders.progress(), [Progress::Sent, Progress::Delivered]);
}

#[tokio::test]
async fn reports_of_one_name_are_one_each() {
    let folders = Folders::new();
    folders.account.bind().await.unwrap();
    let name = folders.sent(&"long text ".repeat(20)).await;
    folders.shift("outbox", "sent", &name);
    // The second comes in the same second, when the first has been taken.
    for _ in 0..2 {
        fs::write(folders.path("inbox/IN1.txt"), report(PEER, "Delivered")).unwrap();
        folders.until(|f| f.list("inbox").is_empty()).await;
    }
    folders
        .until(|f| f.list("transom/awaiting").is_empty())
        .await;
    assert_eq!(folders.progress(), [Progress::Sent, Progress::Delivered]);
}

#[tokio::test]
async fn a_text_that_fails_is_told() {
    for (words, progress) in [("Failed", Progress::Failed), ("Unknown", Progress::Unknown)] {
        let folders = Folders::new();
        folders.account.bind().await.unwrap();
        let name = folders.sent("hello").await;
        folders.shift("outbox", "sent", &name);
        fs::write(folders.path("inbox/IN1.txt"), report(PEER, words)).unwrap();
        folders
            .until(|f| f.list("transom/done").contains(&name))
            .await;
        assert_eq!(folders.progress(), [Progress::Sent, progress]);
    }
    let folders = Folders::new();
    folders.account.bind().await.unwrap();
    let name = folders.sent("hello").await;
    folders.shift("outbox", "error", &name);
    folders
        .until(|f| f.list("transom/done") == [name.as_str()])
        .await;
    assert_eq!(folders.progress(), [Progress::Failed]);
}

/// Two texts to one person: the first report may be about either.
#[tokio::test]
async fn a_report_is_never_taken_for_another_texts() {
    for (words, progress) in [
        ("Delivered", Progress::Delivered),
        ("Failed", Progress::Unknown),
    ] {
        let folders = Folders::new();
        folders.account.bind().await.unwrap();
        let one = folders.sent("ok").await;
        folders.shift("outbox", "sent", &one);
        let other = transom_adapter::Outgoing {
            key: transom_adapter::Key(7),
            ..message("ok?")
        };
        folders.account.send(&other, FIRST).await;
        let two = folders.list("outbox")[0].clone();
        folders.shift("outbox", "sent", &two);
        let progress_of_both = || -> Vec<Progress> {
            let events = folders.inbox.events().into_iter();
            let reports = events.filter_map(|event| match event {
                Event::Report(report) => Some(report.progress),
                _ => None,
            });
            reports.collect()
        };
        fs::write(folders.path("inbox/IN1.txt"), report(PEER, "Delivered")).unwrap();
        folders.until(|f| f.list("inbox").is_empty()).await;
        assert_eq!(progress_of_both(), [Progress::Sent; 2], "whose is it?");
        fs::write(folders.path("inbox/IN2.txt"), report(PEER, words)).unwrap();
        folders
            .until(|f| {
                let done = f.list("transom/done");
                done.contains(&one) && done.contains(&two)
            })
            .await;
        assert_eq!(progress_of_both()[2..], [progress; 2]);
    }
}

#[tokio::test]
async fn what_came_in_stays_until_it_is_stored() {
    let folders = Folders::new();
    folders.inbox.set_busy(true);
    fs::write(
        folders.path("inbox/IN20261126_211214_00_+12025550147_00.txt"),
        LONG,
    )
    .unwrap();
    fs::write(folders.path("inbox/notes.txt"), "of somebody else").unwrap();
    folders.until(|f| f.meter.of("spool_trouble") > 0).await;
    assert_eq!(folders.list("inbox").len(), 2, "nothing moved");
    folders.inbox.set_busy(false);
    fs::write(
        folders.path("inbox/IN20261126_211214_01_+12025550147_00.txt"),
        SHORT,
    )
    .unwrap();
    folders.until(|f| f.list("inbox") == ["notes.txt"]).await;
    let texts: Vec<_> = folders
        .inbox
        .events()
        .into_iter()
        .map(|event| match event {
            Event::Message(message) => {
                assert_eq!(
                    (message.from.as_str(), message.to.as_str()),
                    (PEER, "+12025550100")
                );
                assert_eq!(message.part, None);
                message.text
            }
            other => panic!("{other:?}"),
        })
        .collect();
    // Seen: gammu-smsd 1.42 with its dummy driver.
    let long = format!("Длинное сообщение здравствуй 👋 {}", "абвгд ".repeat(30));
    assert_eq!(texts, [long, "hello €".to_owned()]);
    assert_eq!(folders.list("transom/done").len(), 2);
}

#[test]
fn parts_of_a_text_whose_others_never_came_are_parts() {
    let account = account("/nonexistent");
    let mut parts = read_backup(LONG).unwrap();
    parts.remove(1);
    let events = watch::events("IN", LONG, &parts, &account);
    let numbers: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Message(message) => message.part,
            _ => None,
        })
        .collect();
    let part = |number| {
        Some(Part {
            reference: 15,
            total: 4,
            number,
        })
    };
    assert_eq!(numbers, [part(1), part(3), part(4)]);
}

#[test]
fn what_is_no_whole_file_is_none() {
    assert!(read_backup(SHORT).is_some());
    for length in 0..SHORT.len() {
        assert_eq!(read_backup(&SHORT[..length]), None, "{length}");
    }
    let text = String::from_utf8(SHORT.to_vec()).unwrap();
    for (from, to) in [
        ("PDU", "PUD"),
        ("Text00 = 00", "Text00 = z"),
        ("[SMS", "[sms"),
    ] {
        assert_eq!(
            read_backup(text.replace(from, to).as_bytes()),
            None,
            "{from}"
        );
    }
    let data = text.replace("Default_No_Compression", "8bit");
    assert_eq!(read_backup(data.as_bytes()).unwrap()[0].kind, Kind::Data);
}

#[test]
fn what_is_over_goes_in_time() {
    let folders = Folders::new();
    let spool = &folders.account.spool;
    spool.prepare().unwrap();
    for folder in ["transom/done", "transom/awaiting"] {
        fs::write(folders.path(folder).join("OUT.txt"), "x").unwrap();
    }
    let later = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 100);
    spool
        .tidy(Duration::from_hours(24 * 365 * 200), later)
        .unwrap();
    assert_eq!(folders.list("transom/done").len(), 1);
    spool.tidy(Duration::ZERO, later).unwrap();
    spool.tidy(Duration::ZERO, later).unwrap();
    assert_eq!(
        (
            folders.list("transom/done").len(),
            folders.list("transom/awaiting").len()
        ),
        (0, 0)
    );
}

#[test]
fn all_faults_are_told_at_once() {
    let table = json!({ "number": "12", "keep": "long", "reports": "false" });
    let faults = faults_of(config::account, table);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert_eq!(message("").created_at, UnixMillis(NOW.0));
}

thread_local! {
    /// Made once: a client reads the trust store.
    static SUBJECT: GammuAccount = account("/nonexistent");
}

proptest! {
    #[test]
    fn any_content_is_survived(
        start in 0_usize..4000, length in 0_usize..4000,
        noise in proptest::collection::vec(any::<u8>(), 0..40), at in 0_usize..4000,
    ) {
        let mut content: Vec<u8> = LONG.iter().skip(start).take(length).copied().collect();
        let at = at.min(content.len());
        content.splice(at..at, noise);
        content.extend(b"\n\n");
        if let Some(parts) = read_backup(&content) {
            SUBJECT.with(|account| watch::events("IN", &content, &parts, account));
        }
    }
}
