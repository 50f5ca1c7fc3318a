//! Where the keys come from: a file, or a credential that systemd hands over.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Keys, NotAKeyFile};

/// The keys of this process, and the file that they are in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyRing {
    path: PathBuf,
    keys: Arc<RwLock<Arc<Keys>>>,
}

/// Why a key file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there, or may not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no key file.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: NotAKeyFile,
    },
    /// Everybody may read it.
    #[error("{}: everybody on this machine may read it", .0.display())]
    Open(PathBuf),
}

/// The name of the credential.
const CREDENTIAL: &str = "transom.key";
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The file of the keys: systemd's credential `transom.key` where there is one, else the configured file.
pub fn locate(configured: Option<&Path>) -> Option<PathBuf> {
    let credential = env::var_os("CREDENTIALS_DIRECTORY")
        .map(|folder| Path::new(&folder).join(CREDENTIAL))
        .filter(|path| path.exists());
    credential.or_else(|| configured.map(Path::to_owned))
}

impl KeyRing {
    /// The keys of the credential or of the configured file; `None` where there is neither.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] when there is one that is of no use.
    pub fn load(configured: Option<&Path>) -> Result<Option<Self>, KeyFileError> {
        locate(configured).map(Self::read).transpose()
    }

    /// The keys of a file.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`].
    pub fn read(path: PathBuf) -> Result<Self, KeyFileError> {
        let keys = Arc::new(RwLock::new(Arc::new(read(&path)?)));
        Ok(Self { path, keys })
    }

    /// The keys now.
    pub fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys to seal with. The file is read again before: another process on the same database may have exchanged them, and what is
    /// sealed with a key that has left the file is lost with this process. Where the file cannot be read they are as they were.
    pub fn newest(&self) -> Arc<Keys> {
        if let Err(error) = self.reload() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "The key file cannot be read again; a login is sealed with the key that was there."
            );
        }
        self.keys()
    }

    /// Reads the file again: somebody may have added a key, or taken one away.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`]; then the keys stay.
    pub fn reload(&self) -> Result<(), KeyFileError> {
        let keys = Arc::new(read(&self.path)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn read(path: &Path) -> Result<Keys, KeyFileError> {
    let failed = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(KeyFileError::Open(path.to_owned()));
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let text = SecretString::from(text);
    Keys::parse(text.expose_secret()).map_err(|problem| KeyFileError::Content {
        path: path.to_owned(),
        problem,
    })
}

/// Writes a key file: for its owner's eyes alone, and never half of it. The owner of an earlier one stays.
///
/// # Errors
///
/// [`KeyFileError::Io`]; then the earlier one is as it was.
pub fn write(path: &Path, keys: &Keys) -> Result<(), KeyFileError> {
    write_whole(path, &keys.to_text()).map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })
}

fn write_whole(path: &Path, text: &SecretString) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    fs::remove_file(&unfinished).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    if let Ok(earlier) = path.metadata() {
        // Whoever is not root owns it already, or could not have read it.
        fchown(&file, Some(earlier.uid()), Some(earlier.gid())).ok();
        let mode = earlier.permissions().mode() & 0o770;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.write_all(text.expose_secret().as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // The name is durable with its folder.
    File::open(folder)?.sync_all()
}
