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
        store.refuse_moved().await?;
        let rows = write(&store, out, bodies).await?;
        // Only now: a file that is not whole must not stop the only database that is.
        store
            .mark_moved(&SystemClock.now().timestamp().to_string())
            .await?;
        store.close().await;
        Ok::<u64, MoveError>(rows)
    };
    match exported.await {
        Ok(rows) => {
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

/// Makes sure that nothing runs on the database, as far as can be told from here.
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
        MoveError::Store(_) | MoveError::File(_) => Exit::Unavailable,
        MoveError::Line { .. } | MoveError::CutShort | MoveError::NotEmpty { .. } => Exit::BadData,
    }
}
