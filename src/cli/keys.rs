//! `transom key rotate`: a new key into the file, everything sealed with it, the old key out of the file.
//!
//! Each step is done whole or not at all, and what is sealed opens between them: interrupted anywhere, the next call goes on. Whoever
//! types the command changes the file; the running process, which may not write there, reads it again.

use std::{io, path::Path};

use clap::Subcommand;

use super::{
    Exit, operate,
    say::{complain, print},
};
use crate::{
    config::{Config, Loaded},
    operations::{Reply, Request, Resealed},
    seal::{KeyFileError, KeyRing, Keys, locate, write},
};

/// `transom key`
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Exchange the key: add one to the key file, seal everything with it, take the old one out.
    ///
    /// Also while transom runs. Interrupted, it goes on where it was when it is called again. Makes the file if there is none.
    Rotate,
}

/// Exchanges the key.
pub(super) async fn rotate(loaded: Loaded) -> Exit {
    let config = loaded.config;
    let Some(path) = locate(config.store.key_file.as_deref()) else {
        complain(
            "store.key_file is not set: name a file outside the database's folder, then repeat this",
        );
        return Exit::Config;
    };
    let keys = match KeyRing::read(path.clone()) {
        Ok(ring) => ring.keys(),
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return make(&path);
        }
        Err(error) => return failed(&error),
    };
    // Two keys are a rotation that was interrupted, or a key that was put there by hand: that one is the new one.
    let keys = if keys.count() > 1 {
        (*keys).clone()
    } else {
        let more = keys.with_another();
        if let Err(error) = write(&path, &more) {
            return failed(&error);
        }
        more
    };
    match reseal(&config, &keys).await {
        Ok(report) => finish(&config, &path, &keys, &report).await,
        Err(trouble) => trouble.complain(),
    }
}

async fn reseal(config: &Config, keys: &Keys) -> Result<Resealed, operate::Trouble> {
    let key = keys.newest_id().to_owned();
    let reply = operate::perform(config.clone(), Request::Reseal { key }).await?;
    Ok(match reply {
        Reply::Resealed(report) => report,
        _ => Resealed::default(),
    })
}

/// Takes out what seals nothing any more.
async fn finish(config: &Config, path: &Path, keys: &Keys, report: &Resealed) -> Exit {
    let kept = keys.only(&report.needed);
    if let Err(error) = write(path, &kept) {
        return failed(&error);
    }
    // A process that runs lets go of it too.
    if let Err(trouble) = reseal(config, &kept).await {
        return trouble.complain();
    }
    let reply = Reply::Resealed(report.clone());
    print(&operate::shown(&reply, false));
    if report.unreadable > 0 {
        return Exit::BadData;
    }
    Exit::Done
}

fn make(path: &Path) -> Exit {
    match write(path, &Keys::generate()) {
        Ok(()) => {
            print(&format!(
                "Made {}. Keep a copy of it apart from the database's; transom reads it at its next start.",
                path.display()
            ));
            Exit::Done
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &KeyFileError) -> Exit {
    complain(&format!("the key file cannot be used: {error}"));
    Exit::Config
}
