//! A consistent copy of the database, marked as one before it gets its name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Sql, Store, StoreError};
use crate::{
    config::StoreUrl,
    store::backend::{Database, private_file},
};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database did not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system did not take it.
    #[error("cannot write {}: {source}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// PostgreSQL has tools of its own.
    #[error(
        "this database is PostgreSQL's: copy it with `pg_dump --format=custom`; before transom runs on a copy that was put back, \
         mark it, so that nothing is sent twice:\npsql -c \"INSERT INTO meta (name, value) VALUES ('copy_of', 'pg_dump')\""
    )]
    NotAFile,
}

const COPY: Sql = Sql::both("VACUUM INTO $1");
const MARK: Sql = Sql::both(
    "INSERT INTO meta (name, value) VALUES ('copy_of', $1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
);

impl Store {
    /// Writes a copy, also while others write to the database. `made` says when, for whoever looks into it.
    ///
    /// The copy is marked, so that what it has queued is held when it is put back (semantics 36). It gets its name only after the mark:
    /// a copy without one would send everything again. Readable by its owner alone.
    ///
    /// # Errors
    ///
    /// [`CopyError`]; then there is no file, except that the process was killed: then it ends in `.partial`.
    pub async fn copy_to(&self, file: &Path, made: &str) -> Result<(), CopyError> {
        if !matches!(self.database, Database::Sqlite { .. }) {
            return Err(CopyError::NotAFile);
        }
        let at = |path: &Path, source| CopyError::File {
            path: path.to_owned(),
            source,
        };
        if file.symlink_metadata().is_ok() {
            return Err(at(file, io::ErrorKind::AlreadyExists.into()));
        }
        let mut partial = file.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        private_file(&partial).map_err(|error| at(&partial, error))?;
        let copied = self.fill(&partial, made).await;
        // A link, unlike a new name, never replaces what somebody else has written meanwhile.
        let named = copied.and_then(|()| {
            fs::File::open(&partial)
                .and_then(|copy| copy.sync_all())
                .and_then(|()| fs::hard_link(&partial, file))
                .map_err(|error| at(file, error))
        });
        fs::remove_file(&partial).map_err(|error| at(&partial, error))?;
        named
    }

    async fn fill(&self, partial: &Path, made: &str) -> Result<(), CopyError> {
        let path = partial.to_string_lossy().into_owned();
        self.rows(COPY, vec![path.into()]).await?;
        let copy = Database::open(&StoreUrl::Sqlite(partial.to_owned())).await?;
        let marked = async { copy.writer().await?.run(MARK, &[made.into()]).await };
        let marked = marked.await;
        copy.close().await;
        marked?;
        Ok(())
    }
}
