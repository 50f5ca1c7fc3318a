//! Everything of one database as JSON lines, and back into another: how an installation moves between SQLite and PostgreSQL.
//!
//! The first line says what it is, then a line a row, table by table in the order of the migrations, so that what is referred to comes
//! first; the last line counts them, so that a file that was cut short is known. Tables and columns are the database's own: what a
//! migration adds goes along by itself.

mod tables;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read as _, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Connection, Sql, Store, StoreError, migrate};
use tables::{Table, Wanted};

/// The form of the lines.
const FORMAT: i64 = 1;
/// Rows read and written at a time.
const PAGE: usize = 200;
/// The longest line: a body, escaped.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file did not.
    #[error("the file cannot be read or written: {0}")]
    File(#[from] io::Error),
    /// It is no file of ours, or one of another version.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The file ends before its end.
    #[error("the file was cut short: its last line is missing; export again")]
    CutShort,
    /// A process works on the database.
    #[error("a transom runs on this database, maybe on another machine; stop it, then repeat this")]
    InUse,
    /// There is something in the database already.
    #[error("the database is not empty: it has rows in {table}; import into a new one")]
    NotEmpty {
        /// Where.
        table: String,
    },
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    transom: String,
    format: i64,
    schema: i64,
    bodies: bool,
}

/// Any other line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Row {
        table: String,
        row: Map<String, Value>,
    },
    End {
        rows: u64,
    },
}

const WORD: &str = "export";

impl Store {
    /// Writes everything; says how many rows. Bodies of messages that are done with are left out unless `bodies`.
    ///
    /// Nothing else may use the database meanwhile.
    ///
    /// # Errors
    ///
    /// [`MoveError`]; then the file is not whole.
    pub async fn export(&self, out: &mut impl Write, bodies: bool) -> Result<u64, MoveError> {
        let mut connection = self.database.reader().await?;
        let head = Head {
            transom: WORD.to_owned(),
            format: FORMAT,
            schema: migrate::known(),
            bodies,
        };
        write_line(out, &head)?;
        let wanted = Wanted { rows: PAGE, bodies };
        let mut rows = 0;
        for name in tables::names() {
            let table = Table::describe(&mut connection, &name).await?;
            let mut after = None;
            loop {
                let page = table
                    .page(&mut connection, after.as_deref(), &wanted)
                    .await?;
                let Some(last) = page.last() else { break };
                after = Some(table.key_of(last));
                for row in page {
                    rows += 1;
                    let table = name.clone();
                    write_line(out, &Line::Row { table, row })?;
                }
            }
        }
        write_line(out, &Line::End { rows })?;
        out.flush()?;
        Ok(rows)
    }

    /// Reads everything back into an empty database, all of it or nothing; says how many rows.
    ///
    /// # Errors
    ///
    /// [`MoveError`]; then the database is as empty as before.
    pub async fn import(&self, lines: &mut impl BufRead) -> Result<u64, MoveError> {
        let mut connection = self.database.writer().await?;
        for name in tables::names().iter().filter(|name| *name != tables::META) {
            let table = Table::describe(&mut connection, name).await?;
            let one = Wanted {
                rows: 1,
                bodies: false,
            };
            if !table.page(&mut connection, None, &one).await?.is_empty() {
                let table = name.clone();
                return Err(MoveError::NotEmpty { table });
            }
        }
        connection.begin().await?;
        match fill(&mut connection, lines).await {
            Ok(rows) => {
                connection.commit().await?;
                Ok(rows)
            }
            Err(error) => {
                connection.rollback().await;
                Err(error)
            }
        }
    }

    /// Marks the database as moved away: `run` and the commands refuse it from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn mark_moved(&self, when: &str) -> Result<(), StoreError> {
        const MARK: Sql = Sql::both(
            "INSERT INTO meta (name, value) VALUES ('moved', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        let mut connection = self.database.writer().await?;
        connection.run(MARK, &[when.into()]).await.map(drop)
    }

    /// Refuses a database that was moved away.
    ///
    /// # Errors
    ///
    /// [`StoreError::Moved`].
    pub async fn refuse_moved(&self) -> Result<(), StoreError> {
        match self.moved().await? {
            Some(when) => Err(StoreError::Moved { when }),
            None => Ok(()),
        }
    }

    /// When the database was marked as moved away, if it was.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn moved(&self) -> Result<Option<String>, StoreError> {
        const MOVED: Sql = Sql::both("SELECT value FROM meta WHERE name = 'moved'");
        let rows = self.rows(MOVED, Vec::new()).await?;
        let when = rows.first().map(|row| row.text(0).map(str::to_owned));
        when.transpose()
    }
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Reads the next line; `None` at the end of the file.
fn next_line(lines: &mut impl BufRead, number: &mut u64) -> Result<Option<String>, MoveError> {
    *number += 1;
    let mut line = String::new();
    let count = lines.by_ref().take(LINE_BYTES_MAX).read_line(&mut line)?;
    if count == 0 {
        return Ok(None);
    }
    if !line.ends_with('\n') {
        return Err(MoveError::CutShort);
    }
    Ok(Some(line))
}

async fn fill(connection: &mut Connection, lines: &mut impl BufRead) -> Result<u64, MoveError> {
    let mut number = 0;
    let wrong = |line: u64, problem: String| MoveError::Line { line, problem };
    let first = next_line(lines, &mut number)?.unwrap_or_default();
    let head: Head = serde_json::from_str(&first)
        .map_err(|_| wrong(number, "this is no file of `transom export`".to_owned()))?;
    if head.transom != WORD || head.format != FORMAT || head.schema != migrate::known() {
        let problem = "it was written by another version; export and import with the same one";
        return Err(wrong(number, problem.to_owned()));
    }
    let (mut table, mut gathered, mut rows) = (None::<Table>, Vec::new(), 0);
    while let Some(line) = next_line(lines, &mut number)? {
        let line = serde_json::from_str(&line).map_err(|error| wrong(number, error.to_string()))?;
        match line {
            Line::Row { table: name, row } => {
                let is_same = table.as_ref().is_some_and(|table| table.name() == name);
                if !is_same || gathered.len() >= PAGE {
                    flush(connection, table.as_ref(), &mut gathered).await?;
                }
                if !is_same {
                    if !tables::names().contains(&name) {
                        return Err(wrong(number, format!("there is no table {name:?}")));
                    }
                    table = Some(Table::describe(connection, &name).await?);
                }
                let fits = table.as_ref().is_some_and(|table| table.fits(&row));
                if !fits {
                    return Err(wrong(number, format!("this is no row of {name}")));
                }
                gathered.push(Value::Object(row));
                rows += 1;
            }
            Line::End { rows: counted } => {
                flush(connection, table.as_ref(), &mut gathered).await?;
                if counted != rows {
                    let problem = format!("{rows} rows were read, and there should be {counted}");
                    return Err(wrong(number, problem));
                }
                return Ok(rows);
            }
        }
    }
    Err(MoveError::CutShort)
}

async fn flush(
    connection: &mut Connection,
    table: Option<&Table>,
    rows: &mut Vec<Value>,
) -> Result<(), StoreError> {
    match table {
        Some(table) if !rows.is_empty() => table.insert(connection, &std::mem::take(rows)).await,
        _ => Ok(()),
    }
}
