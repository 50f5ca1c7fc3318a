//! The file of SQLite: whose it is, and what is said when it is somebody else's.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use crate::store::StoreError;

/// Makes the file of a database, its owner's alone whatever the umask: it holds what people write to each other. SQLite gives the files
/// beside it the same mode.
pub(in crate::store) fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut private = fs::OpenOptions::new();
    private.write(true).create_new(true).mode(0o600);
    private.open(path)
}

/// What root makes would keep the service out, which runs as another user: it goes to the owner of the database, and of the folder if
/// there is no database or if root has put it there.
pub(crate) fn give_to_owner(made: &fs::File, database: &Path) {
    let named = database.metadata().ok().filter(|owner| owner.uid() != 0);
    if let Some(owner) = named.or_else(|| folder(database).metadata().ok()) {
        // Whoever is not root owns it already, or may not give it away.
        fchown(made, Some(owner.uid()), Some(owner.gid())).ok();
    }
}

/// The folder that a file is in.
pub(in crate::store) fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// SQLite's own words for a file that belongs to somebody else say neither which one nor what to do.
pub(super) fn cannot_use(path: &Path, error: sqlx::Error) -> StoreError {
    const CANNOT_OPEN: i32 = 14;
    match code(&error) {
        Some(CANNOT_OPEN) => StoreError::Closed {
            path: path.to_owned(),
            source: error,
        },
        _ => error.into(),
    }
}

/// What to do about an error, where its own words do not say it: a file that may be read opens, and refuses the first commit.
pub(in crate::store) fn advice(error: &sqlx::Error) -> &'static str {
    const READ_ONLY: i32 = 8;
    match code(error) {
        Some(READ_ONLY) => {
            "; the file has to belong to the user that transom runs as, and its disk to take what is written"
        }
        _ => "",
    }
}

/// SQLite's primary code, which is in the lowest byte of the extended one. PostgreSQL's have five characters.
fn code(error: &sqlx::Error) -> Option<i32> {
    let error = error
        .as_database_error()?
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    let code = sqlx::error::DatabaseError::code(error)?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;
    use crate::{app::lock, config::StoreUrl, store::backend::Database};

    #[tokio::test]
    async fn a_new_database_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let open = async || {
            Database::open(&StoreUrl::Sqlite(path.clone()))
                .await
                .unwrap()
        };
        let database = open().await;
        for name in ["new.db", "new.db-wal", "new.db-shm"] {
            let mode = fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
        }
        drop(database);
        // An admin's own choice stays.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        drop(open().await);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[tokio::test]
    async fn what_root_makes_in_the_services_folder_is_the_services() {
        let folder = tempfile::tempdir().unwrap();
        // Only root can give anything away.
        if chown(folder.path(), Some(4321), Some(4321)).is_err() {
            eprintln!("skipped: only root can give a folder away");
            return;
        }
        let path = folder.path().join("new.db");
        let url = StoreUrl::Sqlite(path.clone());
        let held = lock(&url).unwrap();
        let database = Database::open(&url).await.unwrap();
        for name in ["new.lock", "new.db", "new.db-wal", "new.db-shm"] {
            let owner = fs::metadata(folder.path().join(name)).unwrap().uid();
            assert_eq!(owner, 4321, "{name}");
        }
        database.close().await;
        drop(held);
        // A backup that root put back, and a command before its owner was set right.
        fs::remove_file(folder.path().join("new.lock")).unwrap();
        chown(&path, Some(0), Some(0)).unwrap();
        lock(&url).unwrap();
        let owner = |path: &Path| fs::metadata(path).unwrap().uid();
        assert_eq!(owner(&path.with_extension("lock")), 4321);
        assert_eq!(owner(&path), 0, "it may be root's on purpose");
    }

    #[tokio::test]
    async fn a_database_that_cannot_be_opened_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        // No file for SQLite, whoever asks.
        let path = folder.path().join("new.db");
        fs::create_dir(&path).unwrap();
        let error = Database::open(&StoreUrl::Sqlite(path.clone()))
            .await
            .unwrap_err()
            .to_string();
        let todo = format!(
            "chown --reference={} {}*",
            folder.path().display(),
            path.display()
        );
        assert!(error.contains("unable to open database file"), "{error}");
        assert!(error.ends_with(&todo), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_may_only_be_read_is_said_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("new.db"));
        let database = Database::open(&url).await.unwrap();
        let mut writer = database.writer().await.unwrap();
        writer
            .batch("CREATE TABLE t (x INTEGER); PRAGMA query_only = on")
            .await
            .unwrap();
        // As SQLite says it of a file that is another user's; root may write to all of them.
        let error = writer.batch("INSERT INTO t VALUES (1)").await.unwrap_err();
        assert!(error.to_string().contains("has to belong to"), "{error}");
    }
}
