//! `transom export` and `transom import`.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use transom_adapter::{Clock as _, Lifecycle, SystemClock};

use super::{
    Exit, operate,
    say::{complain, print},
};
use crate::{
    app::lock,
    config::{Config, Loaded, StoreUrl},
    operations::Request,
    store::{MoveError, Store},
};

/// Writes everything, then marks the database as moved.
pub(super) async fn export(loaded: Loaded, file: PathBuf, bodies: bool) -> Exit {
    let config = loaded.config;
    if let StoreUrl::Sqlite(path) = &config.store.url
        && !path.exists()
    {
        complain(&format!("there is no database {} yet", path.display()));
        return Exit::Unavailable;
    }
    let _lock = match alone(&config).await {
        Ok(lock) => lock,
        Err(exit) => return exit,
    };
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file);
    let out = match made {
        Ok(out) => out,
        Err(error) => return cannot(&file, &error),
    };
    let exported = async {
        let store = Store::open(&config.store.url, Lifecycle::new()).await?;
        store.migrate(false).await?;
        nobody_works_on(&store).await?;
        // The file of before may be cut or lost. The mark keeps this database from running, not from being read.
        let before = store.moved().await?;
        let rows = write(&store, out, bodies).await?;
        // Only now: a file that is not whole must not stop the only database that is.
        store
            .mark_moved(&SystemClock.now().timestamp().to_string())
            .await?;
        store.close().await;
        Ok::<_, MoveError>((rows, before))
    };
    match exported.await {
        Ok((rows, before)) => {
            if let Some(when) = before {
                complain(&format!(
                    "This database was exported on {when} already; see that only one of what is imported from it runs."
                ));
            }
            print(&format!(
                "Wrote {rows} rows to {}. This database is marked as moved and refuses to run; copy the folder of files by hand.",
                file.display()
            ));
            Exit::Done
        }
        Err(error) => {
            fs::remove_file(&file).ok();
            failed(&error)
        }
    }
}

async fn write(store: &Store, out: File, bodies: bool) -> Result<u64, MoveError> {
    let mut out = BufWriter::new(out);
    let rows = store.export(&mut out, bodies).await?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(rows)
}

/// Reads everything back, into a database that is empty.
pub(super) async fn import(loaded: Loaded, file: PathBuf) -> Exit {
    let config = loaded.config;
    let lines = match File::open(&file) {
        Ok(lines) => lines,
        Err(error) => return cannot(&file, &error),
    };
    let _lock = match alone(&config).await {
        Ok(lock) => lock,
        Err(exit) => return exit,
    };
    let imported = async {
        let store = Store::open(&config.store.url, Lifecycle::new()).await?;
        store.migrate(true).await?;
        nobody_works_on(&store).await?;
        let rows = store.import(&mut BufReader::new(lines)).await?;
        store.close().await;
        Ok::<u64, MoveError>(rows)
    };
    match imported.await {
        Ok(rows) => {
            print(&format!(
                "Read {rows} rows. `transom run` goes on with them."
            ));
            Exit::Done
        }
        Err(error) => failed(&error),
    }
}

/// Makes sure that no process of another machine does.
async fn nobody_works_on(store: &Store) -> Result<(), MoveError> {
    if store.is_worked_on().await? {
        return Err(MoveError::InUse);
    }
    Ok(())
}

/// Makes sure that nothing runs on this machine.
async fn alone(config: &Config) -> Result<Option<File>, Exit> {
    let asked = operate::of_running(config, &Request::Now).await;
    if !matches!(asked, Ok(None)) {
        complain("a transom runs on this database; stop it first");
        return Err(Exit::Unavailable);
    }
    lock(&config.store.url).map_err(|error| {
        complain(&error.to_string());
        Exit::Unavailable
    })
}

fn cannot(file: &Path, error: &io::Error) -> Exit {
    complain(&format!("{}: {error}", file.display()));
    Exit::BadData
}

fn failed(error: &MoveError) -> Exit {
    complain(&error.to_string());
    match error {
        MoveError::Store(_) | MoveError::File(_) | MoveError::InUse => Exit::Unavailable,
        MoveError::Line { .. } | MoveError::CutShort | MoveError::NotEmpty { .. } => Exit::BadData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Environment, store::StoreError};

    fn loaded(folder: &Path, database: &str) -> Loaded {
        let text = format!(
            "[store]\nurl = \"sqlite://{database}\"\n[xmpp]\nallow = [\"example.org\"]\n[gateway.sms]\nadapter = \"sms\"\n\
             domain = \"sms.example.org\"\nsecret = \"component\"\nregion = \"US\"\n[gateway.sms.provider.main]\n\
             kind = \"simulator\"\n"
        );
        Config::parse(&text, &folder.join("transom.toml"), &Environment::default()).unwrap()
    }

    #[tokio::test]
    async fn a_file_that_was_cut_is_exported_again_from_a_database_that_still_does_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (
            || loaded(folder.path(), "from.db"),
            || loaded(folder.path(), "to.db"),
        );
        let open = async |loaded: Loaded| {
            let url = loaded.config.store.url;
            let store = Store::open(&url, Lifecycle::new()).await.unwrap();
            store.migrate(true).await.unwrap();
            store
        };
        open(from()).await.close().await;
        let (first, second) = (folder.path().join("1.jsonl"), folder.path().join("2.jsonl"));
        assert_eq!(export(from(), first.clone(), false).await, Exit::Done);
        let whole = fs::read(&first).unwrap();
        fs::write(&first, &whole[..whole.len() - 3]).unwrap();
        assert_eq!(import(to(), first).await, Exit::BadData);
        assert_eq!(export(from(), second.clone(), false).await, Exit::Done);
        assert_eq!(import(to(), second).await, Exit::Done);
        let refused = open(from()).await.refuse_moved().await;
        assert!(
            matches!(refused, Err(StoreError::Moved { .. })),
            "{refused:?}"
        );
        open(to()).await.refuse_moved().await.unwrap();
    }
}
