//! The contents of files on the disk, each under its token. Written beside, synced, and moved into place: what is there is whole.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use transom_adapter::UnixMillis;

/// 128 bits in hexadecimal.
const TOKEN_CHARS: usize = 32;
/// What is being written; a kill leaves it behind.
const UNFINISHED: &str = ".unfinished-";

/// The folder.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    quota_bytes: u64,
    used_bytes: Arc<AtomicU64>,
    /// How many were moved into place.
    moved: AtomicU64,
    /// How many of those are in the folder for good.
    durable: Mutex<u64>,
}

/// A content that was not kept.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// All files together are as large as they may be.
    #[error("all files together would be larger than files.quota")]
    Full,
    /// The disk is full, or out of order.
    #[error("the file cannot be written: {0}")]
    Disk(#[from] io::Error),
    /// The token is none.
    #[error("not a token")]
    BadToken,
}

/// A token that nobody can guess.
pub fn token() -> String {
    hex::encode(rand::random::<[u8; TOKEN_CHARS / 2]>())
}

impl Blobs {
    /// Opens the folder, makes it where it is missing, and removes what was left half.
    ///
    /// # Errors
    ///
    /// When it cannot be made or read.
    pub fn open(folder: PathBuf, quota_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        restrict(&folder)?;
        let mut used = 0;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
            } else if is_token(&name.to_string_lossy()) {
                used += entry.metadata()?.len();
            }
        }
        Ok(Self {
            folder,
            quota_bytes,
            used_bytes: Arc::new(AtomicU64::new(used)),
            moved: AtomicU64::new(0),
            durable: Mutex::new(0),
        })
    }

    /// Where the content of this token is; `None` for what is no token: nothing else names a file.
    pub fn path(&self, token: &str) -> Option<PathBuf> {
        is_token(token).then(|| self.folder.join(token))
    }

    /// Keeps a content; returns once it would survive a power cut, with its SHA-256 in hexadecimal.
    ///
    /// # Errors
    ///
    /// [`PutError`]; then nothing is kept.
    pub async fn put(&self, token: &str, content: Bytes) -> Result<String, PutError> {
        let path = self.path(token).ok_or(PutError::BadToken)?;
        let reserved = Reserved::new(&self.used_bytes, content.len() as u64, self.quota_bytes)?;
        let unfinished = self.folder.join(format!("{UNFINISHED}{token}"));
        let work = move || {
            // A repeat after a kill, or after a failure: the same file again.
            let before = fs::metadata(&path).map_or(0, |known| known.len());
            let written = write(&unfinished, &path, &content);
            if written.is_err() {
                fs::remove_file(&unfinished).ok();
            }
            let digest = hex::encode(Sha256::digest(&content));
            written.map(|()| (before, digest))
        };
        let (before, digest) = tokio::task::spawn_blocking(work)
            .await
            .map_err(io::Error::other)??;
        self.settle().await?;
        reserved.keep();
        self.release(before);
        Ok(digest)
    }

    /// Returns once the folder knows for good what was moved into place. The name is part of the folder, which has to be synced too: once for
    /// all who moved something before that began.
    async fn settle(&self) -> io::Result<()> {
        let moved = self.moved.fetch_add(1, Ordering::SeqCst) + 1;
        let mut durable = self.durable.lock().await;
        if *durable >= moved {
            return Ok(());
        }
        let all = self.moved.load(Ordering::SeqCst);
        let folder = self.folder.clone();
        let sync = move || File::open(folder)?.sync_all();
        tokio::task::spawn_blocking(sync)
            .await
            .map_err(io::Error::other)??;
        *durable = all;
        Ok(())
    }

    /// The whole content of this token.
    ///
    /// # Errors
    ///
    /// When it is not there, or the disk is out of order.
    pub async fn read(&self, token: &str) -> io::Result<Bytes> {
        let path = self.path(token).ok_or(io::ErrorKind::NotFound)?;
        tokio::fs::read(path).await.map(Bytes::from)
    }

    /// Removes contents; what is not there is removed already.
    pub async fn remove(&self, tokens: Vec<String>) {
        let paths: Vec<PathBuf> = tokens.iter().filter_map(|token| self.path(token)).collect();
        let work = move || {
            let mut freed = 0;
            for path in paths {
                let bytes = fs::metadata(&path).map_or(0, |known| known.len());
                match fs::remove_file(&path) {
                    Ok(()) => freed += bytes,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => tracing::warn!(%error, "A file cannot be removed."),
                }
            }
            freed
        };
        let freed = tokio::task::spawn_blocking(work).await.unwrap_or_default();
        self.release(freed);
    }

    /// The tokens of all contents that were written before this time.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub async fn older_than(&self, before: UnixMillis) -> io::Result<Vec<String>> {
        let folder = self.folder.clone();
        let work = move || {
            let mut tokens = Vec::new();
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if is_token(&name) && written_at(&entry.path())? < before {
                    tokens.push(name);
                }
            }
            Ok(tokens)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(io::Error::other)?
    }

    /// How large all of them are together.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    fn release(&self, bytes: u64) {
        release(&self.used_bytes, bytes);
    }
}

/// Room that is taken before the content is written, and given back when it is not.
struct Reserved<'a> {
    used: &'a AtomicU64,
    bytes: u64,
}

impl<'a> Reserved<'a> {
    fn new(used: &'a AtomicU64, bytes: u64, quota: u64) -> Result<Self, PutError> {
        let more = |now: u64| now.checked_add(bytes).filter(|sum| *sum <= quota);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .map_err(|_| PutError::Full)?;
        Ok(Self { used, bytes })
    }

    fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        release(self.used, self.bytes);
    }
}

fn release(used: &AtomicU64, bytes: u64) {
    let less = |now: u64| Some(now.saturating_sub(bytes));
    used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .ok();
}

fn is_token(text: &str) -> bool {
    text.len() == TOKEN_CHARS
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn write(unfinished: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

fn written_at(path: &Path) -> io::Result<UnixMillis> {
    let modified = match fs::metadata(path) {
        Ok(known) => known.modified()?,
        // Removed meanwhile: not older than anything.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(UnixMillis(i64::MAX)),
        Err(error) => return Err(error),
    };
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(UnixMillis(0).after(since))
}

/// Files are as private as the messages that they came with.
#[cfg(unix)]
fn restrict(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn content(bytes: usize) -> Bytes {
        Bytes::from(vec![7; bytes])
    }

    #[tokio::test]
    async fn what_was_put_is_there_whole_and_again_after_a_start() {
        let folder = folder();
        let blobs = Blobs::open(folder.path().join("files"), 100).unwrap();
        let token = token();
        blobs.put(&token, content(60)).await.unwrap();
        assert_eq!(fs::read(blobs.path(&token).unwrap()).unwrap(), [7; 60]);
        let again = Blobs::open(folder.path().join("files"), 100).unwrap();
        assert_eq!(again.used_bytes(), 60);
    }

    #[tokio::test]
    async fn the_quota_holds_and_what_is_removed_makes_room() {
        let folder = folder();
        let blobs = Blobs::open(folder.path().to_owned(), 100).unwrap();
        let (first, second) = (token(), token());
        blobs.put(&first, content(60)).await.unwrap();
        assert!(matches!(
            blobs.put(&second, content(60)).await,
            Err(PutError::Full)
        ));
        assert!(!blobs.path(&second).unwrap().exists());
        // The same one once more takes no more room.
        blobs.remove(vec![second.clone()]).await;
        blobs.put(&first, content(40)).await.unwrap();
        assert_eq!(blobs.used_bytes(), 40);
        blobs.put(&second, content(60)).await.unwrap();
        blobs.remove(vec![first, second]).await;
        assert_eq!(blobs.used_bytes(), 0);
    }

    #[tokio::test]
    async fn a_disk_that_fails_keeps_no_room() {
        let folder = folder();
        let blobs = Blobs::open(folder.path().join("files"), 100).unwrap();
        fs::remove_dir(folder.path().join("files")).unwrap();
        let put = blobs.put(&token(), content(60)).await;
        assert!(matches!(put, Err(PutError::Disk(_))));
        assert_eq!(blobs.used_bytes(), 0);
    }

    #[test]
    fn what_a_kill_left_half_is_removed() {
        let folder = folder();
        let half = folder.path().join(format!("{UNFINISHED}{}", token()));
        fs::write(&half, "half").unwrap();
        fs::write(folder.path().join("README"), "not ours").unwrap();
        let blobs = Blobs::open(folder.path().to_owned(), 100).unwrap();
        assert!(!half.exists());
        assert!(folder.path().join("README").exists());
        assert_eq!(blobs.used_bytes(), 0);
    }

    #[test]
    fn only_tokens_name_files() {
        let folder = folder();
        let blobs = Blobs::open(folder.path().to_owned(), 100).unwrap();
        assert!(blobs.path(&token()).is_some());
        for text in [
            "",
            "..",
            "../../etc/passwd",
            "README",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789abcde/",
            "0123456789abcdef0123456789abcdef0",
        ] {
            assert_eq!(blobs.path(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn the_old_ones_are_listed() {
        let folder = folder();
        let blobs = Blobs::open(folder.path().to_owned(), 100).unwrap();
        let token = token();
        blobs.put(&token, content(1)).await.unwrap();
        assert_eq!(
            blobs.older_than(UnixMillis(i64::MAX)).await.unwrap(),
            [token]
        );
        assert!(blobs.older_than(UnixMillis(1000)).await.unwrap().is_empty());
    }
}
