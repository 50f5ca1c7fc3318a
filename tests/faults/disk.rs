//! A disk that is full for a while: sources are told to come back, nothing committed is damaged, work goes on by itself. And one that is
//! very slow.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use transom_test_servers::{PATIENCE, Prosody, Server, Transom, skipped, until};

use crate::{
    house::{SECRET, alone, lines, links_up, prosody},
    time::Time,
    traffic::{Others, Traffic},
    world::{LINE, SMS, Twilio},
};

const PEER: &str = "+12025550199";
const SEED: u64 = 3;

/// A small file system, in which the database's log has room: up to 8 MiB.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Self {
        let path = folder.join("small");
        std::fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]);
        let mounted = mount.arg(&path).status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "tmpfs cannot be mounted"
        );
        Self(path)
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.join("filler")).unwrap();
        for size in [64 * 1024, 1024, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn clear(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.0.display());
        }
    }
}

/// A process that can be started, with its database in this file system, and alice's traffic by networks that take everything.
struct Scene {
    prosody: Prosody,
    transom: Transom,
    twilio: Twilio,
    others: Others,
    time: Time,
}

impl Scene {
    async fn set(store: &str) -> Self {
        let prosody = prosody(&["alice"]).await;
        let others = Others::start(SEED, 0).await;
        let gateways = lines("alice") + &others.config(SECRET);
        let (mut transom, twilio) = alone(prosody.component_addr(), &gateways, store).await;
        let time = Time::of(&mut transom);
        Self {
            prosody,
            transom,
            twilio,
            others,
            time,
        }
    }

    async fn begin(mut self) -> (Prosody, Transom, Traffic) {
        self.transom.start().await;
        links_up(&self.transom).await;
        let alice = self.prosody.client("alice", "phone").await;
        let traffic = Traffic::new(self.twilio, (SMS, alice), SEED, 0);
        let mut traffic = traffic.beside(self.others, SEED).by(&self.time);
        traffic.begin().await;
        (self.prosody, self.transom, traffic)
    }
}

async fn accounted_for(traffic: &mut Traffic, transom: &Transom, (what, faults): (&str, &str)) {
    traffic.settle(&[transom.http()], transom).await;
    for account in traffic.accounts(transom).await {
        account.settled(what, faults, transom);
        account.in_order(transom);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_in_words_and_work_resumes_by_itself() {
    if skipped(&[
        Server::Prosody,
        Server::Dovecot,
        Server::NpmSmsc,
        Server::Mount,
    ]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path());
    let store = format!(
        "[store]\nurl = \"sqlite://{}/transom.db\"\n",
        disk.0.display()
    );
    let (_prosody, mut transom, mut traffic) = Scene::set(&store).await.begin().await;
    let http = transom.http();
    let phones = Twilio::start(http).await;
    for _ in 0..5 {
        traffic.burst(&[http]).await;
    }
    disk.fill();
    let full = async || {
        let answer = phones.deliver("SMfull", PEER, LINE, "no room").await;
        matches!(answer, Ok(500..)).then_some(())
    };
    until("the source to be told to come back", PATIENCE, full)
        .await
        .unwrap();
    for _ in 0..3 {
        traffic.knock(&[http]).await;
    }
    let ready = transom_test_servers::get(http, "/readyz").await.unwrap();
    assert_eq!(
        ready.status,
        503,
        "it says that it cannot store: {}",
        ready.text()
    );
    disk.clear();
    let taken = async || {
        let answer = phones.deliver("SMfull", PEER, LINE, "no room").await;
        (answer == Ok(200)).then_some(())
    };
    until("the text to be taken", PATIENCE, taken)
        .await
        .unwrap();
    let what = ("1 process, SQLite, full disk", "1");
    accounted_for(&mut traffic, &transom, what).await;
    // What is on the disk is whole.
    transom.restart().await;
    links_up(&transom).await;
    let list = transom.command(&["queue", "list", "--json"]).await;
    assert!(
        list.status.success(),
        "{}",
        String::from_utf8_lossy(&list.stderr)
    );
}

/// What makes every sync of a process slow, compiled.
fn slow_sync(folder: &Path) -> PathBuf {
    let library = folder.join("slow_sync.so");
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/slow_sync.c");
    let compiled = compile.arg(&library).arg(source).status();
    assert!(compiled.is_ok_and(|status| status.success()), "cc");
    library
}

#[tokio::test]
async fn a_slow_disk_slows_the_sources_and_loses_nothing() {
    if skipped(&[Server::Prosody, Server::Dovecot, Server::NpmSmsc]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::set("").await;
    let library = slow_sync(folder.path());
    let library = library.display().to_string();
    scene.transom.set_env("LD_PRELOAD", &library);
    let (_prosody, transom, mut traffic) = scene.begin().await;
    let http = transom.http();
    for _ in 0..6 {
        traffic.burst(&[http]).await;
    }
    let what = ("1 process, SQLite, 250 ms a sync", "every sync");
    accounted_for(&mut traffic, &transom, what).await;
    // The fault was there; a transaction that had nothing to write needs no sync.
    let seconds = metric(&transom, "transom_store_commit_seconds_sum").await;
    let commits = metric(&transom, "transom_store_commit_seconds_count").await;
    assert!(
        seconds >= 0.125 * commits,
        "the disk was not slow: {commits} commits in {seconds} s"
    );
}

async fn metric(transom: &Transom, name: &str) -> f64 {
    let value = transom.metric(name).await;
    value.unwrap_or_else(|| panic!("{name} is not on the page"))
}
