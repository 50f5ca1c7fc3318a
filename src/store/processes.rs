//! The processes that run on this database, and which of them has which gateway.
//!
//! Time is the database's own, so that no process's clock matters. A process that has let its time pass is removed by whoever
//! notices, and its gateways are free with that; what it still commits afterwards counts as evidence only (`write/attempt.rs`).
//! One that was killed is noticed earlier: the database server sees its [`Session`] end.

use std::time::Duration;

use super::{Param, Sql, Store, StoreError};

/// A process that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Joined {
    /// New at each start, and after each time it was taken for dead.
    pub process_id: i64,
    /// What its keys are made with; 0 stands for commands that work on the database alone.
    pub number: i64,
}

/// A connection that stands for as long as its process lives, as the database server knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Session {
    /// Its `pg_stat_activity.pid`; 0: none stands.
    pub backend: i64,
    /// Its `backend_start`, microseconds since 1970.
    pub since_micros: i64,
}

/// What a process learns when it says that it lives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beat {
    /// The processes that live and take work, itself among them unless it leaves.
    pub workers: Vec<i64>,
    /// Who has which gateway.
    pub holders: Vec<HolderRow>,
    /// A process seems to have died: it is worth asking again soon.
    pub is_one_missing: bool,
}

/// Who has a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HolderRow {
    /// The gateway.
    pub gateway_id: i64,
    /// The process; `None`: nobody.
    pub process_id: Option<i64>,
    /// It gives it up to whoever takes it.
    pub offered: bool,
    /// Its link stands.
    pub up: bool,
}

/// A counter that every start takes the next value of.
const COUNT: Sql = Sql::both(
    "INSERT INTO meta (name, value) VALUES ('process', '1')
     ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
     RETURNING CAST(value AS BIGINT)",
);

const JOIN: Sql = Sql {
    // One process at a time on a file, for as long as it holds the lock: nobody else judges it.
    sqlite: "INSERT INTO processes (process_id, number, leaving, until_ms, backend, since_micros)
             VALUES ($1, $2, 0, 9223372036854775807 + 0 * $3, $4, $5)",
    postgres: "INSERT INTO processes (process_id, number, leaving, until_ms, backend, since_micros)
               VALUES ($1, $2, 0, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + $3, $4, $5)",
};

const HOLDER: Sql = Sql::both(
    "INSERT INTO holders (gateway_id, process_id, offered, up) VALUES ($1, NULL, 0, 0) ON CONFLICT (gateway_id) DO NOTHING",
);

const BEAT: Sql = Sql {
    sqlite: "UPDATE processes SET leaving = leaving + 0 * $2, backend = $3, since_micros = $4 WHERE process_id = $1",
    postgres: "UPDATE processes SET until_ms = CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + $2,
                      backend = $3, since_micros = $4
                WHERE process_id = $1 AND until_ms > CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
};

const JUDGE: Sql = Sql {
    sqlite: "DELETE FROM processes WHERE until_ms < 0",
    postgres: "DELETE FROM processes WHERE until_ms <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
};

/// Who has no session any more. Not to be told from a database server that was started again, nor from a pooler that gives out other
/// connections, if it is not silent as well.
const MISSING: Sql = Sql {
    sqlite: "SELECT process_id, 0 FROM processes WHERE until_ms < 0 * $1",
    postgres: "SELECT p.process_id,
                      CASE WHEN p.until_ms <= CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + $1 THEN 1 ELSE 0 END
                 FROM processes p
                WHERE p.backend <> 0
                  AND p.since_micros >= CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)
                  AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a
                                   WHERE a.pid = p.backend
                                     AND (a.backend_start IS NULL
                                          OR CAST(EXTRACT(EPOCH FROM a.backend_start) * 1000000 AS BIGINT) = p.since_micros))",
};

const WORKERS: Sql =
    Sql::both("SELECT process_id FROM processes WHERE leaving = 0 ORDER BY process_id");

/// Who lives, and has its session on this very database: a copy has the rows of those that work on what it was made of.
const LIVING: Sql = Sql {
    // Whoever has the lock of the file is alone.
    sqlite: "SELECT 0",
    postgres: "SELECT COUNT(*) FROM processes p
                WHERE p.until_ms > CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)
                  AND (p.backend = 0
                       OR EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = p.backend AND a.datname = current_database()))",
};

const HOLDERS: Sql =
    Sql::both("SELECT gateway_id, process_id, offered, up FROM holders ORDER BY gateway_id");

const CLAIM: Sql = Sql::both(
    "UPDATE holders SET process_id = $1, offered = 0, up = 0
      WHERE gateway_id = $2 AND (process_id IS NULL OR (offered = 1 AND process_id <> $1))
        AND EXISTS (SELECT 1 FROM processes p WHERE p.process_id = $1 AND p.leaving = 0)",
);

const UP: Sql = Sql::both("UPDATE holders SET up = 1 WHERE gateway_id = $2 AND process_id = $1");

const LEAVING: Sql = Sql::both("UPDATE processes SET leaving = 1 WHERE process_id = $1");

const OFFER: Sql = Sql::both("UPDATE holders SET offered = 1 WHERE process_id = $1");

const LEAVE: Sql = Sql::both("DELETE FROM processes WHERE process_id = $1");

impl Store {
    /// Whether several processes may run on this database: on PostgreSQL, not on a file.
    pub fn is_shared(&self) -> bool {
        self.database.is_postgres()
    }

    /// Whether a process works on this database, wherever it runs. On a file that is for its lock to say, and here it is false.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn is_worked_on(&self) -> Result<bool, StoreError> {
        let rows = self.rows(LIVING, Vec::new()).await?;
        let living = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(living > 0)
    }

    /// Says that this process runs, for `lease` from now.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn join(&self, lease: Duration, session: Session) -> Result<Joined, StoreError> {
        const NUMBERS: i64 = 1023;
        let database = self.database.clone();
        let work = async move {
            let mut connection = database.writer().await?;
            let rows = connection.rows(COUNT, &[]).await?;
            let process_id = rows.first().ok_or(StoreError::Gone)?.int(0)?;
            let number = 1 + process_id.rem_euclid(NUMBERS);
            if !connection.is_postgres() {
                let everybody = Sql::both("DELETE FROM processes");
                connection.run(everybody, &[]).await?;
            }
            let params = [
                process_id.into(),
                number.into(),
                millis(lease),
                session.backend.into(),
                session.since_micros.into(),
            ];
            connection.run(JOIN, &params).await?;
            Ok(Joined { process_id, number })
        };
        let joined = self.lifecycle.detached(work).await;
        joined.unwrap_or(Err(StoreError::Gone))
    }

    /// Makes known that there is this gateway, for somebody to have.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn holder_row(&self, gateway_id: i64) -> Result<(), StoreError> {
        self.change(HOLDER, vec![gateway_id.into()]).await.map(drop)
    }

    /// Says that this process lives, for `lease` from now, and removes those that let their time pass, or whose session ended and
    /// that have been `silent`. `None`: it is itself taken for dead; it has to [`join`](Self::join) again.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn beat(
        &self,
        process_id: i64,
        session: Session,
        lease: Duration,
        silent: Duration,
    ) -> Result<Option<Beat>, StoreError> {
        let database = self.database.clone();
        let work = async move {
            let mut connection = database.writer().await?;
            let lives = [
                process_id.into(),
                millis(lease),
                session.backend.into(),
                session.since_micros.into(),
            ];
            if connection.run(BEAT, &lives).await? == 0 {
                return Ok(None);
            }
            connection.run(JUDGE, &[]).await?;
            let heard_of = millis(lease.saturating_sub(silent));
            let missing = connection.rows(MISSING, &[heard_of]).await?;
            for row in &missing {
                if row.flag(1)? {
                    connection.run(LEAVE, &[row.int(0)?.into()]).await?;
                }
            }
            let workers = connection.rows(WORKERS, &[]).await?;
            let holders = connection.rows(HOLDERS, &[]).await?;
            let holder = |row: &super::Row| {
                Ok(HolderRow {
                    gateway_id: row.int(0)?,
                    process_id: row.opt_int(1)?,
                    offered: row.flag(2)?,
                    up: row.flag(3)?,
                })
            };
            let workers: Result<_, StoreError> = workers.iter().map(|row| row.int(0)).collect();
            let holders: Result<_, StoreError> = holders.iter().map(holder).collect();
            Ok(Some(Beat {
                workers: workers?,
                holders: holders?,
                is_one_missing: !missing.is_empty(),
            }))
        };
        let beat = self.lifecycle.detached(work).await;
        beat.unwrap_or(Err(StoreError::Gone))
    }

    /// Takes a gateway that nobody has, or that is offered; false when somebody else was quicker.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn claim(&self, process_id: i64, gateway_id: i64) -> Result<bool, StoreError> {
        let params = vec![process_id.into(), gateway_id.into()];
        self.change(CLAIM, params).await.map(|rows| rows > 0)
    }

    /// The link of a gateway that this process has stands.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn holder_up(&self, process_id: i64, gateway_id: i64) -> Result<(), StoreError> {
        let params = vec![process_id.into(), gateway_id.into()];
        self.change(UP, params).await.map(drop)
    }

    /// This process takes no more work, and gives its gateways to whoever takes them.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn offer(&self, process_id: i64) -> Result<(), StoreError> {
        self.change(LEAVING, vec![process_id.into()]).await?;
        self.change(OFFER, vec![process_id.into()]).await.map(drop)
    }

    /// This process ends; what it had is free.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn leave(&self, process_id: i64) -> Result<(), StoreError> {
        self.change(LEAVE, vec![process_id.into()]).await.map(drop)
    }

    /// Tells the other processes something; nothing on a file, where there are none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn notify(&self, text: String) -> Result<(), StoreError> {
        const NOTIFY: Sql = Sql {
            sqlite: "SELECT 1 WHERE $1 IS NULL",
            postgres: "SELECT CAST(pg_notify('transom', $1) AS TEXT)",
        };
        self.rows(NOTIFY, vec![Param::Text(text)]).await.map(drop)
    }

    /// What other processes tell from now on; `None` on a file.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        let Some((listener, session)) = self.database.listen("transom").await? else {
            return Ok(None);
        };
        Ok(Some(Listener { listener, session }))
    }

    async fn change(&self, sql: Sql, params: Vec<Param>) -> Result<u64, StoreError> {
        let database = self.database.clone();
        let work = async move { database.writer().await?.run(sql, &params).await };
        let done = self.lifecycle.detached(work).await;
        done.unwrap_or(Err(StoreError::Gone))
    }
}

/// What other processes tell.
pub struct Listener {
    listener: sqlx::postgres::PgListener,
    session: Session,
}

impl Listener {
    /// What the database server knows it by.
    pub fn session(&self) -> Session {
        self.session
    }

    /// The next that is told; `None` when the connection was lost and something may have been missed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be reached.
    pub async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let told = self.listener.try_recv().await?;
        Ok(told.map(|told| told.payload().to_owned()))
    }
}

fn millis(time: Duration) -> Param {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).into()
}
