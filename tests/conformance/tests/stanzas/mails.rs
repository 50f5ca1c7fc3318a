//! Any mail at all becomes valid stanzas, from its bytes to the wire, within its time.
//!
//! Our fixtures by default; `TRANSOM_MAILS=FOLDER:FOLDER` for the `.eml` and `.txt` files of other folders and those inside them, with
//! `--nocapture` for the figures in docs/MAIL.md.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use transom::{
    gateway::{Gateway, payload::Payload, text_in},
    store::{
        Write,
        read::{Acquaintance, InRow, InwardRow, LineFound},
        write::NewIn,
    },
};
use transom_adapter::{AccountName, Network};
use transom_conformance::world::{NOW, at_this_moment, gateway};
use transom_email::measure;

use crate::oracle::{cleaned, message};

/// What a mail takes at most; a debug build on a busy machine gets more.
const GOAL: Duration = Duration::from_millis(50);

fn folders() -> Vec<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters/email/tests/fixtures");
    match std::env::var_os("TRANSOM_MAILS") {
        Some(folders) => std::env::split_paths(&folders).collect(),
        None => vec![ours],
    }
}

/// The mails in these folders and in those inside them.
fn mails(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = path.extension().and_then(|kind| kind.to_str());
            match kind {
                _ if path.is_dir() => folders.push(path),
                Some("eml" | "txt") => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// A user with an address, who has never heard of anybody.
fn line() -> LineFound {
    LineFound {
        line_id: 3,
        kind: "owned".to_owned(),
        fallback: None,
        opted_out: false,
        users: vec![InwardRow {
            user_id: 7,
            jid: "alice@example.org".to_owned(),
            state: "active".to_owned(),
            owner: true,
            conversation: None,
            plain_ms: 0,
            other_plain_ms: 0,
            blocked: false,
            shown_thread: None,
            threads: Vec::new(),
            quoted: Vec::new(),
            reactions: Vec::new(),
            acquaintance: Acquaintance::default(),
        }],
        answered: Vec::new(),
    }
}

fn row(new: NewIn) -> InRow {
    InRow {
        delivery_id: new.message_id,
        lane_id: -1,
        attempts: 0,
        jid: new.user_jid,
        peer: new.conversation.peer,
        line: new.line,
        stanza_id: new.stanza_id,
        body: new.body,
        payload: new.payload,
        created_ms: NOW.0,
        has_files: false,
    }
}

/// The stanzas that a mail becomes, each read by the other parser; how many, and how long they took without that.
fn check(gateway: &Gateway, raw: &[u8]) -> (usize, Duration) {
    let account = AccountName::new("g", "lmtp");
    let start = Instant::now();
    let incoming = measure::incoming(raw);
    let decide = |moment: &transom::gateway::moment::Moment<'_>| {
        text_in::decide(gateway, &account, &incoming, Some(&line()), NOW, moment.ids)
    };
    let writes = at_this_moment(decide).expect("its recipient is known");
    let rows = writes.into_iter().filter_map(|write| match write {
        Write::In(new) => Some(row(*new)),
        _ => None,
    });
    let rows: Vec<InRow> = rows.collect();
    let made: Vec<_> = rows
        .iter()
        .flat_map(|row| text_in::stanzas(gateway, row, &[], NOW, None))
        .collect();
    let took = start.elapsed();
    assert!(!made.is_empty(), "a mail is shown, whatever it is");
    let subject = rows
        .first()
        .and_then(|row| Payload::from_json(row.payload.as_deref()).subject);
    let first = message(made[0].clone());
    assert_eq!(
        first.subjects.values().next().cloned(),
        subject.map(|subject| cleaned(&subject)),
        "its subject arrives"
    );
    let count = made.len();
    for stanza in made {
        let ours = stanza.body().expect("a body").into_owned();
        let seen = message(stanza);
        assert_eq!(seen.bodies.values().next(), Some(&cleaned(&ours)));
    }
    (count, took)
}

#[test]
fn any_mail_becomes_valid_stanzas() {
    let gateway = gateway(Network::Email, "open");
    let paths = mails(folders());
    assert!(!paths.is_empty(), "there is a mail to read");
    let mut slowest = (Duration::ZERO, PathBuf::new());
    let (mut all, mut stanzas, mut slow) = (Duration::ZERO, 0, 0);
    for path in &paths {
        let raw = std::fs::read(path).expect("a mail");
        let caught = catch_unwind(AssertUnwindSafe(|| check(&gateway, &raw)));
        let (count, took) = caught.unwrap_or_else(|_| panic!("in {}", path.display()));
        stanzas += count;
        all += took;
        slow += usize::from(took > GOAL);
        if std::env::var_os("TRANSOM_MAILS_EACH").is_some() {
            eprintln!("{took:?}\t{count}\t{}", path.display());
        }
        slowest = slowest.max((took, path.clone()));
    }
    eprintln!(
        "{} mails, {stanzas} stanzas, {slow} mails slower than {GOAL:?}, {:?} each; slowest {:?} ({})",
        paths.len(),
        all / u32::try_from(paths.len()).expect("few"),
        slowest.0,
        slowest.1.display()
    );
}
