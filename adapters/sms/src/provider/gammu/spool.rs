//! The folders that smsd and we share. Everything changes its place by a rename, so that each file is in exactly one of them whenever one
//! of the two is killed.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// What became of a text that was put into the outbox.
#[derive(Debug)]
pub(super) enum Placed {
    /// It is there, also after a power cut.
    Surely,
    /// smsd can see it; whether the disk has it is not known.
    Perhaps(io::Error),
}

/// The folders.
#[derive(Clone, Debug)]
pub(super) struct Spool {
    pub(super) inbox: PathBuf,
    pub(super) outbox: PathBuf,
    pub(super) sent: PathBuf,
    pub(super) error: PathBuf,
    /// What went out and has no delivery report yet.
    pub(super) awaiting: PathBuf,
    /// What is over.
    pub(super) done: PathBuf,
    /// What could not be understood, for the admin.
    pub(super) unread: PathBuf,
}

/// What is added to a text's name for the folder of the reports about it.
const REPORTS: &str = ".reports";
/// Longer files are no texts.
const FILE_BYTES_MAX: u64 = 256 * 1024;

impl Spool {
    pub(super) fn at(folder: &Path) -> Self {
        let own = folder.join("transom");
        Self {
            inbox: folder.join("inbox"),
            outbox: folder.join("outbox"),
            sent: folder.join("sent"),
            error: folder.join("error"),
            awaiting: own.join("awaiting"),
            done: own.join("done"),
            unread: own.join("unread"),
        }
    }

    /// Runs work on files where it may block.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let spool = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&spool)).await;
        done.unwrap_or_else(|_| Err(io::Error::other("the work on files was broken off")))
    }

    /// Makes our folders, and looks whether smsd's are there.
    pub(super) fn prepare(&self) -> io::Result<()> {
        for folder in [&self.inbox, &self.outbox, &self.sent, &self.error] {
            fs::read_dir(folder).map_err(|error| named(folder, &error))?;
        }
        for folder in [&self.awaiting, &self.done, &self.unread] {
            fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
        }
        let probe = self.outbox.join(".transom");
        File::create(&probe).map_err(|error| named(&self.outbox, &error))?;
        fs::remove_file(probe)
    }

    /// Puts a text into the outbox, whole or not at all, on the disk before it is seen. What is there already, or further on its
    /// way, is left as it is. An error says that it is surely not there.
    pub(super) fn place(&self, name: &str, content: &[u8]) -> io::Result<Placed> {
        self.place_and(name, content, File::sync_all)
    }

    pub(super) fn place_and(
        &self,
        name: &str,
        content: &[u8],
        sync_folder: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<Placed> {
        // In the direction in which files move: one that is in none of them now was not there before.
        for folder in [
            &self.outbox,
            &self.sent,
            &self.error,
            &self.awaiting,
            &self.done,
        ] {
            if folder.join(name).try_exists()? {
                return Ok(Placed::Surely);
            }
        }
        // smsd does not look at hidden files.
        let hidden = self.outbox.join(format!(".{name}"));
        let mut file = File::create(&hidden)?;
        file.write_all(content)?;
        file.sync_all()?;
        let folder = File::open(&self.outbox)?;
        fs::rename(&hidden, self.outbox.join(name))?;
        Ok(sync_folder(&folder).map_or_else(Placed::Perhaps, |()| Placed::Surely))
    }

    /// The names in a folder, in order, hidden ones left out.
    pub(super) fn list(folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            names.extend(
                name.to_str()
                    .filter(|name| !name.starts_with('.'))
                    .map(str::to_owned),
            );
        }
        names.sort_unstable();
        Ok(names)
    }

    pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
        if fs::metadata(path)?.len() > FILE_BYTES_MAX {
            return Err(io::Error::other("longer than a text can be"));
        }
        fs::read(path)
    }

    /// Moves a file; one that is not there any more was moved by somebody.
    pub(super) fn shift(from: &Path, to: &Path) -> io::Result<()> {
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            moved => moved,
        }
    }

    /// Moves what came in into a folder, beside what lies there: smsd uses a name again once the file is gone.
    pub(super) fn put(from: &Path, folder: &Path, name: &str) -> io::Result<()> {
        let (mut to, mut number) = (folder.join(name), 1);
        while to.try_exists()? {
            number += 1;
            to = folder.join(format!("{name}.{number}"));
        }
        Self::shift(from, &to)
    }

    /// The folder for the reports about a file in `awaiting`.
    pub(super) fn reports_of(&self, name: &str) -> PathBuf {
        self.awaiting.join(format!("{name}{REPORTS}"))
    }

    /// The text whose reports are in a folder of this name.
    pub(super) fn reported(folder: &str) -> Option<&str> {
        folder.strip_suffix(REPORTS)
    }

    /// Nothing more is expected of a text that went out.
    pub(super) fn finish(&self, name: &str) -> io::Result<()> {
        Self::shift(&self.awaiting.join(name), &self.done.join(name))?;
        match fs::remove_dir_all(self.reports_of(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Removes what is over for longer than `keep`; what waits for a report as long is over, too.
    pub(super) fn tidy(&self, keep: Duration, now: SystemTime) -> io::Result<()> {
        let is_old = |path: &Path| {
            let modified = fs::metadata(path).and_then(|data| data.modified());
            modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > keep))
        };
        for name in Self::list(&self.done)? {
            let path = self.done.join(name);
            if is_old(&path) {
                fs::remove_file(path)?;
            }
        }
        for name in Self::list(&self.awaiting)? {
            let path = self.awaiting.join(&name);
            if path.is_file() && is_old(&path) {
                self.finish(&name)?;
            }
        }
        Ok(())
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
