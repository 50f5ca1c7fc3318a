//! Looks at everything that an admin has to know of, and tells (semantics 24).

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use transom_adapter::{AccountState, Clock, Failure, Lifecycle, UnixMillis};
use uuid::Uuid;

use super::{
    balances::{self, balances},
    board::{Board, Concern, Known, Look, Saying},
};
use crate::{
    gateway::Gateway,
    queue::AccountStates,
    store::{Ids, Store, Write, Writer, write::TroubleRow},
    texts::{Admin, Text, Trouble},
    xmpp::{
        jid::BareJid,
        stanza::{Message, Stanza},
        stream::{LinkHandle, LinkState, Lost},
        xep::hints,
    },
};

/// Watches and tells.
#[derive(Clone)]
pub struct Watch {
    /// The gateways and their links; what concerns one is told through its own link, if that is up.
    pub gateways: Vec<(Arc<Gateway>, LinkHandle)>,
    /// Who is told.
    pub admins: Vec<BareJid>,
    /// Where accounts stand.
    pub accounts: AccountStates,
    /// Folders whose disk must not be full.
    pub folders: Vec<PathBuf>,
    /// The database, for reading.
    pub store: Store,
    /// The database, for writing.
    pub writer: Writer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Until when it works.
    pub lifecycle: Lifecycle,
}

/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);
/// When there was something to say and no link to say it by, or nobody knows what was said before.
const UNTOLD: Duration = Duration::from_secs(5);
/// Semantics 24: a message that waits for longer is trouble.
const WAITING_MAX: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// A message from outside is tried for so long; its record may be as old when it fails.
const INBOUND_MAX: Duration = Duration::from_hours(30 * 24);
/// A disk is nearly full below both: a twentieth of it, and this.
const FREE_BYTES_MIN: u64 = 1 << 30;

impl Watch {
    /// Runs until the lifecycle drains.
    pub async fn run(self) {
        let Some(mut board) = self.remembered().await else {
            return;
        };
        let mut asked_at = None;
        loop {
            let now = self.clock.now();
            let mut seen = self.links();
            seen.extend(self.accounts());
            seen.extend(self.disks());
            seen.extend(self.rows(&board, now).await);
            if asked_at.is_none_or(|at: UnixMillis| now >= at.after(balances::EVERY)) {
                asked_at = Some(now);
                seen.extend(balances(self.gateways.iter().map(|(gateway, _)| gateway)).await);
            }
            let mut next = now.after(EVERY);
            for saying in board.look(seen, now) {
                if self.tell(&saying, now).await {
                    board.said(&saying);
                    self.remember(&saying).await;
                } else {
                    next = now.after(UNTOLD);
                }
            }
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                () = self.lifecycle.draining() => return,
            }
        }
    }

    /// What the last process had told of: the end of it is still to be said. `None`: it could not be read before the process drains.
    async fn remembered(&self) -> Option<Board> {
        let mut board = Board::default();
        let rows = loop {
            let error = match self.store.troubles().await {
                Ok(rows) => break rows,
                Err(error) => error,
            };
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Cannot read what admins were told."
            );
            if error.is_data() {
                break Vec::new();
            }
            tokio::select! {
                () = self.clock.sleep_until(self.clock.now().after(UNTOLD)) => {}
                () = self.lifecycle.draining() => return None,
            }
        };
        for row in rows {
            let Some(Ok(concern)) = row.concern.as_deref().map(serde_json::from_str) else {
                continue;
            };
            let known = Known {
                concern,
                since: UnixMillis(row.since_ms),
                said: Some(UnixMillis(row.said_ms)),
            };
            board.0.insert(row.name, known);
        }
        Some(board)
    }

    async fn remember(&self, saying: &Saying) {
        let after = saying.after.as_ref();
        let millis = |at: Option<UnixMillis>| at.map_or(0, |at| at.0);
        let row = TroubleRow {
            name: saying.name.clone(),
            concern: after.and_then(|known| serde_json::to_string(&known.concern).ok()),
            since_ms: millis(after.map(|known| known.since)),
            said_ms: millis(after.and_then(|known| known.said)),
        };
        if let Err(error) = self.writer.commit_one(Write::Trouble(row)).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "What admins were told is not remembered; they may be told again."
            );
        }
    }

    fn links(&self) -> Vec<(String, Look)> {
        let look = |(gateway, link): &(Arc<Gateway>, LinkHandle)| {
            let domain = gateway.config.domain.to_string();
            let look = match &*link.state().borrow() {
                LinkState::Up { .. } => Look::Good,
                LinkState::Down { error, .. } if error.needs_operator() => {
                    let remedy = link.remedy(error);
                    Look::Bad(Concern::Trouble(Trouble::LinkRefused {
                        gateway: domain,
                        problem: error.to_string(),
                        remedy: format!(
                            "Prosody: {}\nejabberd: {}",
                            remedy.prosody, remedy.ejabberd
                        ),
                    }))
                }
                LinkState::Down { .. }
                | LinkState::Connecting
                | LinkState::Elsewhere
                | LinkState::Stopped => Look::Unclear,
            };
            (format!("link {}", gateway.config.name), look)
        };
        self.gateways.iter().map(look).collect()
    }

    fn accounts(&self) -> Vec<(String, Look)> {
        let board = self.accounts.now();
        let look = |(name, standing): (&transom_adapter::AccountName, &crate::queue::Standing)| {
            let look = match &standing.state {
                AccountState::Up => Look::Good,
                // It logs in again by itself, and what waits for too long is told anyway.
                AccountState::Down(_) => Look::Unclear,
                AccountState::LoggedOut(failure) => Look::Bad(Concern::Trouble(Trouble::Account {
                    account: name.to_string(),
                    problem: problem(failure),
                })),
            };
            (format!("account {name}"), look)
        };
        board.iter().map(look).collect()
    }

    fn disks(&self) -> Vec<(String, Look)> {
        let look = |folder: &PathBuf| {
            let look = match rustix::fs::statvfs(folder) {
                Ok(disk) => room(disk.f_bavail, disk.f_blocks, disk.f_frsize),
                Err(_) => Look::Unclear,
            };
            (format!("disk {}", folder.display()), look)
        };
        self.folders.iter().map(look).collect()
    }

    /// What the database says: messages that wait, texts that belong to nobody, users who cannot be reached.
    async fn rows(&self, board: &Board, now: UnixMillis) -> Vec<(String, Look)> {
        let mut seen = Vec::new();
        let day_ago = UnixMillis(now.0 - millis(DAY));
        for (gateway, _) in &self.gateways {
            let name = &gateway.config.name;
            let look = match self.store.oldest_waiting(gateway.id).await {
                Ok(Some((oldest_ms, messages))) => {
                    waiting(name, UnixMillis(oldest_ms), messages, now)
                }
                Ok(None) => Look::Good,
                Err(_) => Look::Unclear,
            };
            seen.push((format!("waiting {name}"), look));
        }
        let unowned = self.store.unowned_since(day_ago.0).await;
        let oldest_key = Ids::of(UnixMillis(now.0 - millis(INBOUND_MAX)));
        let failed = self.store.failed_inward(oldest_key, day_ago.0).await;
        let unowned = unowned.map(|lines| {
            lines.into_iter().map(|(line, messages)| {
                let look = Concern::Trouble(Trouble::Unowned {
                    line: line.clone(),
                    messages,
                });
                (format!("unowned {line}"), Look::Bad(look))
            })
        });
        let failed = failed.map(|users| {
            users.into_iter().map(|(user, messages)| {
                let name = format!("user {user}");
                (name, Look::Bad(Concern::Unreachable { user, messages }))
            })
        });
        let known = [unowned.is_ok(), failed.is_ok()];
        let bad: Vec<_> = unowned
            .into_iter()
            .flatten()
            .chain(failed.into_iter().flatten())
            .collect();
        let named: BTreeSet<&String> = bad.iter().map(|(name, _)| name).collect();
        // What the rows name no longer is over.
        for (prefix, known) in ["unowned ", "user "].into_iter().zip(known) {
            let over = board
                .0
                .keys()
                .filter(|name| name.starts_with(prefix) && !named.contains(name));
            seen.extend(
                over.filter(|_| known)
                    .map(|name| (name.clone(), Look::Good)),
            );
        }
        seen.extend(bad);
        seen
    }

    /// Through the gateway's own link or any other; false: nobody was told.
    async fn tell(&self, saying: &Saying, now: UnixMillis) -> bool {
        let own = |(gateway, _): &&(Arc<Gateway>, LinkHandle)| {
            saying.name.split(' ').nth(1) == Some(gateway.config.name.as_str())
        };
        let up = || self.gateways.iter().filter(|(_, link)| link.is_up());
        let Some((gateway, link)) = up().find(own).or_else(|| up().next()) else {
            return false;
        };
        let lang = gateway.lang(None);
        let bodies = saying
            .lines
            .iter()
            .map(|line| Text::from(line.clone()).render(lang));
        let stanzas: Vec<Stanza> = bodies
            .flat_map(|body| {
                let to = |admin: &BareJid| {
                    let id = Uuid::new_v7(uuid_time(now)).to_string();
                    let message = Message::chat(gateway.own_jid(), admin.clone());
                    let message = message
                        .with_id(id.clone())
                        .with_origin_id(id)
                        .with_lang(lang.tag());
                    Stanza::from(message.with_body(body.clone()).with_child(hints::store()))
                };
                self.admins.iter().map(to).collect::<Vec<_>>()
            })
            .collect();
        for line in &saying.lines {
            if matches!(line, Admin::AllClear(_)) {
                tracing::info!(
                    concern = saying.name,
                    "The admins are told that it is over."
                );
            } else {
                tracing::warn!(concern = saying.name, "The admins are told of trouble.");
            }
        }
        match link.send_tracked(stanzas).await {
            Ok(()) => true,
            Err(Lost::Link) => false,
            // It would be refused again each time.
            Err(Lost::Refused(refusal)) => {
                let error = &refusal as &dyn std::error::Error;
                tracing::error!(error, "The admins cannot be told of trouble.");
                true
            }
        }
    }
}

fn waiting(gateway: &str, oldest: UnixMillis, messages: u64, now: UnixMillis) -> Look {
    let age = now.since(oldest);
    if age < WAITING_MAX {
        return Look::Good;
    }
    Look::Bad(Concern::Trouble(Trouble::Waiting {
        gateway: gateway.to_owned(),
        age,
        messages,
    }))
}

/// Whether a disk of so many blocks has enough of them.
fn room(available: u64, blocks: u64, block_bytes: u64) -> Look {
    let bytes_free = available.saturating_mul(block_bytes);
    if bytes_free >= FREE_BYTES_MIN || available >= blocks / 20 {
        return Look::Good;
    }
    Look::Bad(Concern::Trouble(Trouble::Disk { bytes_free }))
}

/// `our-account 14: the SMSC refuses the password`
fn problem(failure: &Failure) -> String {
    let code = failure.code.as_ref().map(|code| format!(" {code}"));
    let detail = failure.detail.as_ref().map(|detail| format!(": {detail}"));
    let (code, detail) = (code.unwrap_or_default(), detail.unwrap_or_default());
    format!("{}{code}{detail}", failure.reason.as_str())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn uuid_time(now: UnixMillis) -> uuid::Timestamp {
    let seconds = now.0.div_euclid(1000).unsigned_abs();
    uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0)
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
    use tokio::time::timeout;
    use transom_adapter::testkit::ManualClock;

    use super::*;
    use crate::{config::StoreUrl, metrics::Metrics};

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn an_hour_of_waiting_is_trouble() {
        let since = |minutes: i64| waiting("sms", UnixMillis(NOW.0 - minutes * 60_000), 3, NOW);
        assert_eq!(since(59), Look::Good);
        assert!(matches!(
            since(60),
            Look::Bad(Concern::Trouble(Trouble::Waiting { messages: 3, .. }))
        ));
    }

    #[test]
    fn a_disk_is_nearly_full_with_little_left_of_it_and_little_at_all() {
        let gib = 1 << 18;
        assert_eq!(room(30 * gib, 100 * gib, 4096), Look::Good);
        assert_eq!(room(2 * gib, 100 * gib, 4096), Look::Good, "two whole GiB");
        assert_eq!(room(gib / 10, gib, 4096), Look::Good, "a small disk");
        assert!(matches!(room(gib / 2, 100 * gib, 4096), Look::Bad(_)));
        assert!(matches!(room(0, gib, 4096), Look::Bad(_)));
        assert_eq!(room(u64::MAX, u64::MAX, 4096), Look::Good);
    }

    #[tokio::test]
    async fn what_was_told_is_read_until_it_can_be_read() {
        let (folder, lifecycle) = (tempfile::tempdir().unwrap(), Lifecycle::new());
        let file = folder.path().join("test.db");
        let store = Store::open(&StoreUrl::Sqlite(file.clone()), lifecycle.clone())
            .await
            .unwrap();
        store.migrate(true).await.unwrap();
        let (clock, metrics) = (Arc::new(ManualClock::at(NOW)), Metrics::new());
        let watch = Watch {
            gateways: Vec::new(),
            admins: Vec::new(),
            accounts: AccountStates::new(clock.clone(), metrics.clone()),
            folders: Vec::new(),
            writer: store.writer(metrics),
            store,
            clock: clock.clone(),
            lifecycle,
        };
        let url = format!("sqlite://{}", file.display());
        let sql = async |statement: &'static str| {
            let mut connection = SqliteConnection::connect(&url).await.unwrap();
            let statement = sqlx::raw_sql(AssertSqlSafe(statement));
            statement.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        };
        let concern = Concern::Trouble(Trouble::Disk { bytes_free: 1 });
        let told = TroubleRow {
            name: "disk /".into(),
            concern: serde_json::to_string(&concern).ok(),
            since_ms: 1,
            said_ms: 2,
        };
        let told = watch.writer.commit_one(Write::Trouble(told)).await;
        told.unwrap();
        sql("ALTER TABLE troubles RENAME TO hidden").await;
        let mut remembering = std::pin::pin!(watch.remembered());
        let a_while = Duration::from_millis(200);
        let early = timeout(a_while, &mut remembering).await;
        assert!(early.is_err(), "nothing is known yet");
        sql("ALTER TABLE hidden RENAME TO troubles").await;
        clock.advance(UNTOLD);
        let board = timeout(Duration::from_secs(20), remembering).await.unwrap();
        let board = board.unwrap();
        assert_eq!(board.0["disk /"].said, Some(UnixMillis(2)));
    }
}
