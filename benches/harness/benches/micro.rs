//! What single steps cost: `cargo bench -p transom-bench`.

#![expect(
    clippy::expect_used,
    reason = "criterion writes the main function; a benchmark that cannot go on ends"
)]

use std::{cell::Cell, hint::black_box};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use transom::{
    config::StoreUrl,
    metrics::Metrics,
    store::{
        Store, Write, Writer,
        write::{ConversationRow, LineRow, NewIn, Seen, UserRow},
    },
    xmpp::{
        jid::{escape, unescape},
        stanza::{Element, Stanza},
    },
};
use transom_adapter::Lifecycle;
use transom_sms::{Segments, cut};

const CHAT: &str = "<message xmlns='jabber:client' from='alice@example.org/phone.Zf3k' to='+12025550147@sms.example.org' \
    type='chat' id='0193-4b1e' xml:lang='en'><body>On my way, the train is late again. See you at eight &amp; bring the keys?</body>\
    <active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>\
    <markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='0193-4b1e'/></message>";

fn stanzas(c: &mut Criterion) {
    let read = || Stanza::try_from(CHAT.parse::<Element>().expect("XML")).expect("a message");
    let mut group = c.benchmark_group("stanza");
    group.throughput(Throughput::Bytes(CHAT.len() as u64));
    group.bench_function("read", |b| b.iter(read));
    let stanza = read();
    group.bench_function("write", |b| {
        let mut out = Vec::with_capacity(1024);
        b.iter(|| {
            out.clear();
            stanza.write(&mut out);
            black_box(out.len())
        });
    });
    group.finish();
}

fn addresses(c: &mut Criterion) {
    c.bench_function("address/there and back", |b| {
        b.iter(|| unescape(&escape(black_box("bob.o'hara@example.com")).expect("an address")));
    });
}

fn segments(c: &mut Criterion) {
    let gsm = "See you at the station, platform 9 [the small one]. ".repeat(8);
    let ucs2 = "Wir sehen uns am Bahnhof, Gleis 9 – 😀 żółw. ".repeat(8);
    for (name, text) in [("gsm7", &gsm), ("ucs2", &ucs2)] {
        c.bench_function(&format!("segments/count {name}"), |b| {
            b.iter(|| Segments::of(black_box(text)));
        });
        c.bench_function(&format!("segments/cut {name}"), |b| {
            b.iter(|| cut(black_box(text)).1.len());
        });
    }
}

/// A store on a real disk, with one user and one line.
struct Disk {
    writer: Writer,
    next: Cell<i64>,
    _folder: tempfile::TempDir,
}

impl Disk {
    async fn new() -> Self {
        // Not the folder for temporary files: that may be in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let store = Store::open(
            &StoreUrl::Sqlite(folder.path().join("bench.db")),
            Lifecycle::new(),
        )
        .await
        .expect("a store");
        store.migrate(true).await.expect("migrations");
        let writer = store.writer(Metrics::new());
        store.gateway_id("sms", 1).await.expect("a gateway");
        writer
            .commit(vec![Write::User(user()), Write::Line(line())])
            .await
            .expect("a user with a line");
        Self {
            writer,
            next: Cell::new(1000),
            _folder: folder,
        }
    }

    /// A text from outside, to be accepted.
    fn text(&self) -> Vec<Write> {
        let key = self.next.replace(self.next.get() + 2);
        vec![Write::In(Box::new(NewIn {
            seen: Seen {
                scope_id: 1,
                digest: format!("{key:064x}"),
                at_ms: 1,
                stale_ms: 0,
            },
            conversation: ConversationRow {
                conversation_id: 100 + key % 100,
                gateway_id: 1,
                user_id: 10,
                line_id: 20,
                peer: format!("+120255501{:02}", key % 100),
                peer_name: None,
                at_ms: key,
                plain_ms: key,
                shown_thread: None,
                members: 1,
                answers_to: None,
                group: Vec::new(),
            },
            message_id: key,
            body: "Running late, start without me!".to_owned(),
            payload: None,
            stanza_id: format!("{key:032x}"),
            user_jid: "alice@example.org".to_owned(),
            due_ms: Some(0),
            stranger: None,
            thread: None,
            line: "+12125550100".to_owned(),
            ids: Vec::new(),
            files: Vec::new(),
            confirm: None,
            repeat_key: None,
            fleeting: false,
        }))]
    }
}

fn user() -> UserRow {
    UserRow {
        user_id: 10,
        gateway_id: 1,
        jid: "alice@example.org".to_owned(),
        state: "active",
        lang: None,
        at_ms: 1,
    }
}

fn line() -> LineRow {
    LineRow {
        line_id: 20,
        gateway_id: 1,
        address: "+12125550100".to_owned(),
        kind: "owned",
        state: "active",
        source: "file",
        routes: "[]".to_owned(),
        fallback: None,
        at_ms: 1,
    }
}

/// Durable commits: read these beside the disk's fdatasync.
fn writer(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let disk = runtime.block_on(Disk::new());
    let mut group = c.benchmark_group("writer");
    group.sample_size(10);
    for together in [1, 100] {
        group.throughput(Throughput::Elements(together));
        group.bench_function(format!("accept {together} at once"), |b| {
            b.iter_batched(
                || (0..together).map(|_| disk.text()).collect::<Vec<_>>(),
                |texts| {
                    runtime.block_on(async {
                        let commits = texts.into_iter().map(|text| disk.writer.commit(text));
                        for done in join_all(commits).await {
                            done.expect("a commit");
                        }
                    });
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, stanzas, addresses, segments, writer);
criterion_main!(benches);
