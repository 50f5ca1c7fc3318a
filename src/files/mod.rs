//! Attachments: what they are, where their contents are kept, and for how long.
//!
//! - [`blobs`]: contents on the disk, each under an unguessable token; nothing is there half.
//! - [`kind`]: names and media types that agree with each other and with the content.
//! - [`pictures`]: pictures made to fit.
//! - [`upload`]: the upload service of a user's server (XEP-0363).
//! - [`sweep`]: what has expired, and what nobody knows of.
//!
//! What is known of a file stands in the database (`store::write::NewFile`); when it is fetched, kept and given out is the queue's
//! business.

pub mod blobs;
pub mod kind;
pub mod pictures;
pub mod sweep;
pub mod upload;

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use tokio::sync::Semaphore;
use transom_adapter::{HttpClient, UnixMillis};

use crate::{
    config::FilesConfig,
    store::{
        Store, StoreError,
        write::{FileRow, FileState},
    },
};
use blobs::Blobs;
use upload::Uploads;

pub use blobs::PutError;
pub(crate) use upload::service_of;

/// Everything that is done with files. Cheap to clone.
#[derive(Clone)]
pub struct Files {
    /// Their contents.
    pub blobs: Arc<Blobs>,
    /// Fetches them.
    pub http: HttpClient,
    /// Gives them to upload services.
    pub uploads: Arc<Uploads>,
    /// The largest one, in bytes.
    pub size_bytes_max: u64,
    store: Store,
    /// One picture at a time is in memory, decoded.
    shrinking: Arc<Semaphore>,
}

/// A file that can be given out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Served {
    /// Where its content is.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
}

impl Files {
    /// Opens the folder. Blocks for a look at each file in it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or read.
    pub fn open(config: &FilesConfig, http: HttpClient, store: Store) -> std::io::Result<Self> {
        Ok(Self {
            blobs: Arc::new(Blobs::open(config.directory.clone(), config.quota_bytes)?),
            uploads: Arc::new(Uploads::new(http.clone())),
            http,
            size_bytes_max: config.size_bytes_max,
            store,
            shrinking: Arc::new(Semaphore::new(1)),
        })
    }

    /// One with room for a mebibyte.
    #[cfg(test)]
    pub(crate) fn for_test(directory: PathBuf, store: Store) -> Self {
        let config = FilesConfig {
            directory,
            size_bytes_max: 1 << 20,
            quota_bytes: 1 << 20,
            allow_hosts: Vec::new(),
        };
        let http = HttpClient::new(transom_adapter::HttpLimits::default()).unwrap();
        Self::open(&config, http, store).unwrap()
    }

    /// The file whose URL holds this token, unless it has expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn served(&self, token: &str, now: UnixMillis) -> Result<Option<Served>, StoreError> {
        let Some(path) = self.blobs.path(token) else {
            return Ok(None);
        };
        let row = self.store.file(token).await?;
        // Its time may be over a little before its content is removed.
        let stored = |row: &FileRow| {
            row.state == FileState::Stored && row.expires_ms.is_none_or(|end| now.0 < end)
        };
        Ok(row.filter(stored).map(|row| Served {
            path,
            name: row.name,
            content_type: row.content_type,
        }))
    }

    /// A picture made to fit; `None` when it is none, or cannot be made to fit.
    pub async fn shrink(&self, content: Bytes, bytes_max: u64) -> Option<Bytes> {
        let _alone = self.shrinking.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || pictures::shrink(&content, bytes_max))
            .await
            .ok()?
    }
}
