//! A database with very many contacts, as years of use would leave it.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, Executor as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    server::HOME,
    world::{Provider, config},
};

/// How much there is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Contacts of all users.
    pub(crate) contacts: usize,
    /// Texts that wait in chats which cannot go on.
    pub(crate) waiting: usize,
}

/// Users of a big gateway; a small one has a user for each twenty contacts.
const USERS: usize = 10_000;
/// Chats that the waiting texts stand in.
const BLOCKED: usize = 2_000;

impl Size {
    /// `CONTACTS` or `CONTACTS+WAITING`.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let (contacts, waiting) = text.split_once('+').unwrap_or((text, "0"));
        let size = Self {
            contacts: contacts.parse()?,
            waiting: waiting.parse()?,
        };
        ensure!(
            size.waiting == 0 || size.contacts > BLOCKED,
            "texts wait in {BLOCKED} chats: there must be more contacts"
        );
        Ok(size)
    }

    pub(crate) fn name(&self) -> String {
        let waiting = match self.waiting {
            0 => String::new(),
            waiting => format!(", {waiting} texts waiting"),
        };
        format!("{} contacts{waiting}", self.contacts)
    }

    pub(crate) fn users(&self) -> usize {
        USERS.min(self.contacts / 20).max(1)
    }

    /// A user's name.
    pub(crate) fn user(user: usize) -> String {
        format!("user{user}")
    }

    /// The phone of a user's contact.
    pub(crate) fn phone(contact: usize) -> String {
        format!("+1202{}", 2_000_000 + contact)
    }

    /// User and contact of the message of this number: the n-th most used chat comes up once where the first comes up n times.
    pub(crate) fn chat(&self, number: usize) -> (usize, usize) {
        // SplitMix64: the same numbers in every run. usize has 64 bits on everything that this runs on.
        let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits ^= bits >> 27;
        // Each octave of ranks as often as the next.
        let octaves = (self.contacts.ilog2() + 1) as usize;
        let octave = 1 << (bits % octaves);
        let rank = (octave + (bits >> 32) % octave - 1) % self.contacts;
        // Far from each other in the tables, as they would be. Blocked chats stand at the end, where no message goes.
        let free = self.contacts - if self.waiting > 0 { BLOCKED } else { 0 };
        let place = rank.wrapping_mul(7_919) % free;
        (place % self.users(), place / self.users())
    }
}

/// Fills a new database in a folder.
pub(crate) fn fill(binary: &Path, folder: &Path, size: &Size) -> Result<()> {
    fs::create_dir_all(folder)?;
    let nowhere = "127.0.0.1:1".parse()?;
    let file = folder.join("fill.toml");
    fs::write(&file, config(Provider::Simulator, 0, nowhere, nowhere))?;
    let migrated = Command::new(binary)
        .args(["migrate".as_ref(), "--config".as_ref(), file.as_os_str()])
        .current_dir(folder)
        .output()?;
    let said = String::from_utf8_lossy(&migrated.stderr);
    ensure!(migrated.status.success(), "transom migrate: {said}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(rows(&folder.join("transom.db"), size))
}

async fn rows(file: &Path, size: &Size) -> Result<()> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(false)
        .pragma("cache_size", "-200000")
        .connect()
        .await?;
    for statement in statements(size) {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    // What the process finds in daily use.
    connection.execute("PRAGMA journal_mode = WAL").await?;
    Ok(connection.close().await?)
}

/// A row of each table for each number. The keys are those of 2024, so that all of them are older than what comes.
fn statements(size: &Size) -> Vec<String> {
    let (users, contacts) = (size.users(), size.contacts);
    let numbers = |count: usize| {
        format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT {count})")
    };
    let key = |base: i64, of: &str| format!("({base} + ({of}) * 4)");
    let (user, line) = (|of: &str| key(1_000, of), |of: &str| key(1_000_000, of));
    let (chat, old) = (
        |of: &str| key(1_000_000_000, of),
        |of: &str| key(2_000_000_000, of),
    );
    let owner = format!("i % {users}");
    let phone = format!("'+1202' || (2000000 + i / {users})");
    let mut all = vec![
        "INSERT OR IGNORE INTO gateways (gateway_id, name) VALUES (1, 'sms')".to_owned(),
        format!(
            "{} INSERT INTO users (user_id, gateway_id, jid, state, since_ms, changed_ms)
             SELECT {}, 1, 'user' || i || '@{HOME}', 'active', 1, 1 FROM n",
            numbers(users),
            user("i")
        ),
        format!(
            "{} INSERT INTO lines (line_id, gateway_id, address, kind, state, source, routes, changed_ms)
             SELECT {}, 1, '+1212' || (2000000 + i), 'owned', 'active', 'command', '[]', 1 FROM n",
            numbers(users),
            line("i")
        ),
        format!(
            "{} INSERT INTO line_owners (line_id, jid, since_ms) SELECT {}, 'user' || i || '@{HOME}', 1 FROM n",
            numbers(users),
            line("i")
        ),
        format!(
            "{} INSERT INTO contacts (user_id, peer, subscribed, asked) SELECT {}, '', 1, 1 FROM n",
            numbers(users),
            user("i")
        ),
        format!(
            "{} INSERT INTO contacts (user_id, peer, subscribed, asked) SELECT {}, {phone}, 1, 1 FROM n",
            numbers(contacts),
            user(&owner)
        ),
        format!(
            "{} INSERT INTO conversations (conversation_id, gateway_id, user_id, line_id, peer, created_ms, active_ms, plain_ms, members)
             SELECT {}, 1, {}, {}, {phone}, 1, 1, 1, 1 FROM n",
            numbers(contacts),
            chat("i"),
            user(&owner),
            line(&owner)
        ),
        format!(
            "{} INSERT INTO lanes (lane_id, conversation_id, failures) SELECT {chat}, {chat}, 0 FROM n",
            numbers(contacts),
            chat = chat("i")
        ),
        // One chat in ten still has a text that was not forgotten yet.
        old_texts(&numbers(contacts / 10), &old("i"), &chat("i * 10")),
        old_stanzas(&numbers(contacts / 10), &old("i"), &user("(i * 10) % USERS").replace("USERS", &users.to_string())),
        old_deliveries(&numbers(contacts / 10), &old("i"), &chat("i * 10")),
    ];
    all.extend(waiting(size, &numbers(size.waiting), &chat));
    all
}

fn old_texts(numbers: &str, key: &str, chat: &str) -> String {
    format!(
        "{numbers} INSERT INTO messages (message_id, conversation_id, direction, created_ms, body)
         SELECT {key}, {chat}, 'out', 4000000000000, 'On my way, the train is late again. See you at eight?' FROM n"
    )
}

fn old_stanzas(numbers: &str, key: &str, user: &str) -> String {
    format!(
        "{numbers} INSERT INTO message_stanzas (message_id, user_id, stanza_id, repeat_key, full_jid, receipt, created_ms)
         SELECT {key}, {user}, 'old-' || {key}, 'oold-' || {key}, 'user@{HOME}/phone', 1, 1 FROM n"
    )
}

fn old_deliveries(numbers: &str, key: &str, chat: &str) -> String {
    format!(
        "{numbers} INSERT INTO deliveries (delivery_id, message_id, lane_id, state, units, units_done, segments, attempts, routes, told,
                                           created_ms, done_ms)
         SELECT {key}, {key}, {chat}, 'delivered', 1, 1, 1, 1, '[]', 'receipt', 1, 1 FROM n"
    )
}

/// Texts in chats that go on tomorrow.
fn waiting(size: &Size, numbers: &str, chat: &dyn Fn(&str) -> String) -> Vec<String> {
    if size.waiting == 0 {
        return Vec::new();
    }
    let first = size.contacts - BLOCKED;
    let key = "(3000000000 + i * 4)";
    let blocked = chat(&format!("{first} + i % {BLOCKED}"));
    vec![
        old_texts(numbers, key, &blocked),
        old_stanzas(numbers, key, "1000"),
        format!(
            "{numbers} INSERT INTO deliveries (delivery_id, message_id, lane_id, state, units, units_done, segments, attempts, routes,
                                               created_ms)
             SELECT {key}, {key}, {blocked}, 'queued', 1, 0, 1, 1, '[]', 1 FROM n"
        ),
        format!(
            "UPDATE lanes SET due_ms = CAST(unixepoch('now', '+1 day') AS INTEGER) * 1000, failures = 3
              WHERE lane_id >= {}",
            chat(&first.to_string())
        ),
    ]
}
