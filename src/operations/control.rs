//! The socket by which the commands reach a running process: one line of JSON there, one line back.
//!
//! Whoever may open it is an operator: it belongs to the user of the process, mode 0600, and whoever calls must be that user or root.

use std::{
    env, fs, io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};
use transom_adapter::Lifecycle;
use url::Url;

use super::{Actor, Operations, Refusal, Reply, Request};
use crate::config::{Config, StoreUrl};

/// A request: the ids of a few thousand messages, an address book.
const REQUEST_BYTES_MAX: u64 = 1024 * 1024;
/// A reply: the most rows, each as long as they get.
const REPLY_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// From the connection to the end of the answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// The same as the caller sees it, who waits for room too.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests at once; more wait.
const AT_ONCE: usize = 8;
/// After a failed accept: descriptors have run out, and come back.
const PAUSE: Duration = Duration::from_millis(100);
/// Where a packaged service has its runtime directory.
const SERVICE: &str = "/run/transom";

/// What comes back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It was done, or found.
    Reply(Reply),
    /// It was not.
    Refusal(Refusal),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens there.
    #[error("nothing listens on {}", .0.display())]
    Nobody(PathBuf),
    /// It belongs to another user.
    #[error("not allowed to speak to the running transom on {}: do this as root or as its user", .0.display())]
    Forbidden(PathBuf),
    /// It did not answer.
    #[error("the running transom on {} did not answer in time; it may have done what was asked", .0.display())]
    TimedOut(PathBuf),
    /// What came back is no answer.
    #[error("the running transom on {} broke off; see its log, and whether it has this version", .0.display())]
    Broken(PathBuf),
}

/// Where to look for the running process of this configuration; it listens on the first of them.
pub fn places(config: &Config) -> Vec<PathBuf> {
    match &config.store.url {
        // Beside the lock: who holds the one listens on the other.
        StoreUrl::Sqlite(path) => vec![path.with_extension("sock")],
        StoreUrl::Postgres(url) => {
            let name = format!("{}.sock", fingerprint(url.expose_secret()));
            let runtime = env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
            let folders = runtime
                .into_iter()
                .chain([config.base.clone(), PathBuf::from(SERVICE)]);
            folders.map(|folder| folder.join(&name)).collect()
        }
    }
}

/// Tells the databases of one machine apart; without user and password.
fn fingerprint(url: &str) -> String {
    let plain = Url::parse(url).map_or_else(
        |_| String::new(),
        |url| {
            let host = url.host_str().unwrap_or_default();
            format!("{host}:{}{}", url.port().unwrap_or(5432), url.path())
        },
    );
    let digest = Sha256::digest(plain.as_bytes());
    format!(
        "transom-{}",
        hex::encode(digest.get(..4).unwrap_or_default())
    )
}

/// The listening end.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Control {
    /// Listens; takes away what a killed process left.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::AddrInUse`] when somebody listens there or something else has that name.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Ok(there) = path.symlink_metadata() {
            let lives = std::os::unix::net::UnixStream::connect(path).is_ok();
            if lives || !there.file_type().is_socket() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let owner = path.symlink_metadata()?.uid();
        Ok(Self {
            listener,
            path: path.to_owned(),
            owner,
        })
    }

    /// Answers until the lifecycle drains.
    pub async fn serve(self, operations: Arc<Operations>, lifecycle: Lifecycle) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let accepting = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (permit, self.listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                accepted = accepting => accepted,
                () = lifecycle.draining() => break,
            };
            match accepted {
                Ok((stream, _)) if self.is_operator(&stream) => {
                    let operations = Arc::clone(&operations);
                    lifecycle.spawn("control", async move {
                        if timeout(DEADLINE, answer(stream, &operations))
                            .await
                            .is_err()
                        {
                            tracing::warn!("A command was not answered in time.");
                        }
                        drop(permit);
                    });
                }
                Ok(_) => tracing::warn!(
                    "Somebody else than the user of this process called on the control socket."
                ),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "The control socket does not accept."
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        // The next process takes it away otherwise.
        fs::remove_file(&self.path).ok();
    }

    /// The mode of the socket says the same; this holds from the very first moment.
    fn is_operator(&self, stream: &UnixStream) -> bool {
        stream
            .peer_cred()
            .is_ok_and(|peer| peer.uid() == self.owner || peer.uid() == 0)
    }
}

async fn answer(mut stream: UnixStream, operations: &Operations) {
    let (reader, mut writer) = stream.split();
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader.take(REQUEST_BYTES_MAX));
    if reader.read_until(b'\n', &mut line).await.is_err() || line.is_empty() {
        return;
    }
    let answer = if line.ends_with(b"\n") {
        match serde_json::from_slice::<Request>(&line) {
            Ok(request) => match operations.perform(Actor::Admin, request).await {
                Ok(reply) => Answer::Reply(reply),
                Err(refusal) => Answer::Refusal(refusal),
            },
            Err(error) => Answer::Refusal(Refusal::BadRequest(error.to_string())),
        }
    } else {
        let limit = format!("it has no end within {REQUEST_BYTES_MAX} bytes");
        Answer::Refusal(Refusal::BadRequest(limit))
    };
    let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
    bytes.push(b'\n');
    // Whoever hung up does not want to know.
    writer.write_all(&bytes).await.ok();
    writer.shutdown().await.ok();
}

/// Asks the running process.
///
/// # Errors
///
/// [`AskError`]; with [`AskError::Nobody`] nothing was done, otherwise nobody knows.
pub async fn ask(path: &Path, request: &Request) -> Result<Answer, AskError> {
    let place = || path.to_owned();
    let mut stream = UnixStream::connect(path)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => AskError::Forbidden(place()),
            _ => AskError::Nobody(place()),
        })?;
    let asking = async {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        // One that answers before it has read all has said why.
        stream.write_all(&line).await.ok();
        let mut bytes = Vec::new();
        stream.take(REPLY_BYTES_MAX).read_to_end(&mut bytes).await?;
        Ok::<_, io::Error>(serde_json::from_slice(&bytes)?)
    };
    match timeout(PATIENCE, asking).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(AskError::Broken(place())),
        Err(_) => Err(AskError::TimedOut(place())),
    }
}
