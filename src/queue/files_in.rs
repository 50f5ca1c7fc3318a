//! The files that came with a message: fetched from the provider, stored, and put where the user gets them, before the message is
//! handed over. Each step is committed, so that a kill repeats at most one of them.

use std::time::Duration;

use tokio::sync::mpsc;
use transom_adapter::{FetchFailure, Fetched, MediaRef, UnixMillis};

use super::{
    InWork, QueueGateway, Surroundings, Work, lanes::Next, order::Order, verdict::backoff,
};
use crate::{
    files::{kind, upload::NotUploaded},
    hooks::{Step, step},
    store::{
        Write,
        write::{FileRow, FileState},
    },
    xmpp::jid::Jid,
};

/// One message whose files are not settled.
pub(super) struct FilesIn {
    pub(super) surroundings: Surroundings,
    pub(super) gateway: QueueGateway,
    pub(super) lane_id: i64,
    pub(super) work: Box<InWork>,
    pub(super) failures: u32,
    pub(super) slot: usize,
    pub(super) finished: mpsc::Sender<Order>,
}

/// So long the text waits for its files; then they are only named.
const GIVE_UP: Duration = Duration::from_mins(30);

/// Something is out of order, and the files are looked at again later.
#[derive(Debug)]
struct Later(String);

impl FilesIn {
    /// Settles the files and gives the message back to its lane.
    pub(super) async fn run(self) {
        let (next, lost) = match self.settle().await {
            Ok(files) => {
                let work = InWork {
                    row: self.work.row.clone(),
                    files: Some(files),
                };
                (Next::Prepared, vec![Work::In(Box::new(work))])
            }
            Err(Later(problem)) => {
                let message_id = self.work.row.delivery_id;
                tracing::warn!(
                    message_id,
                    problem,
                    "Files cannot be had now; trying again."
                );
                // A text is due in seconds, whatever network it is from.
                let wait = backoff(transom_adapter::Network::Sms, self.failures, message_id);
                let due_ms = self.surroundings.clock.now().after(wait).0;
                let failures = self.failures + 1;
                (Next::At { due_ms, failures }, Vec::new())
            }
        };
        let order = Order::HandedOver {
            lane_id: self.lane_id,
            slot: self.slot,
            next,
            lost,
        };
        self.finished.send(order).await.ok();
    }

    async fn settle(&self) -> Result<Vec<FileRow>, Later> {
        let message_id = self.work.row.delivery_id;
        let rows = self.surroundings.store.files_of(message_id).await;
        let mut rows = rows.map_err(|error| Later(error.to_string()))?;
        for row in &mut rows {
            if row.state == FileState::Waiting {
                self.fetch(row).await?;
            }
            if row.state == FileState::Stored && row.url.is_none() {
                self.give_out(row).await?;
            }
        }
        Ok(rows)
    }

    async fn fetch(&self, row: &mut FileRow) -> Result<(), Later> {
        let bytes_max = self.surroundings.files.size_bytes_max;
        let kept = match self.fetched(row, bytes_max).await {
            Ok(fetched) => self.keep(row, fetched).await,
            Err(FetchFailure::Transient(problem)) => Err(Later(problem)),
            Err(failure) => {
                tracing::warn!(file_id = row.file_id, %failure, "A file is given up.");
                row.state = FileState::Failed;
                Ok(())
            }
        };
        if let Err(Later(problem)) = kept {
            if !self.is_over() {
                return Err(Later(problem));
            }
            tracing::warn!(file_id = row.file_id, problem, "A file is given up.");
            row.state = FileState::Failed;
        }
        self.commit(row).await;
        Ok(())
    }

    async fn fetched(&self, row: &FileRow, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        let by_id = |(_, id): &(&transom_adapter::AccountName, &i64)| Some(**id) == row.account_id;
        let name = self.gateway.gateway.accounts.iter().find(by_id);
        let account = name.and_then(|(name, _)| self.gateway.accounts.get(name));
        let (Some(account), Some(url)) = (account, &row.source) else {
            return Err(FetchFailure::Gone);
        };
        let media = MediaRef {
            url: url.clone(),
            content_type: Some(row.content_type.clone()),
        };
        account.fetch(&media, bytes_max).await
    }

    async fn keep(&self, row: &mut FileRow, fetched: Fetched) -> Result<(), Later> {
        let Fetched {
            content_type,
            content,
        } = fetched;
        // What was said with the message is as good as what the server says; the content decides.
        let said = content_type.unwrap_or_else(|| row.content_type.clone());
        let kind = kind::of(&row.name, Some(&said), &content);
        row.bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let blobs = &self.surroundings.files.blobs;
        let put = blobs.put(&row.token, content).await;
        step(Step::FileKept);
        row.digest = Some(put.map_err(|error| Later(error.to_string()))?);
        row.state = FileState::Stored;
        row.name = kind.name;
        row.content_type = kind.content_type;
        Ok(())
    }

    /// Puts a file where the user gets it: the server's upload service, else our own HTTP.
    async fn give_out(&self, row: &mut FileRow) -> Result<(), Later> {
        let own = || self.gateway.gateway.files.url(&row.token, &row.name);
        let url = match self.uploaded(row).await {
            Ok(url) => Some(url),
            Err(NotUploaded::NoService) => own(),
            Err(NotUploaded::Transient(problem)) => match own() {
                Some(url) => Some(url),
                None if self.is_over() => None,
                None => return Err(Later(problem)),
            },
        };
        if url.is_none() {
            let file_id = row.file_id;
            tracing::warn!(
                file_id,
                "A file can only be named: no upload service takes it, and http.public_url is not set."
            );
        }
        row.url = url;
        let keep = self.gateway.gateway.files.keep;
        row.expires_ms = Some(self.surroundings.clock.now().after(keep).0);
        self.commit(row).await;
        Ok(())
    }

    async fn uploaded(&self, row: &FileRow) -> Result<String, NotUploaded> {
        let Surroundings { files, clock, .. } = &self.surroundings;
        let user = Jid::new(&self.work.row.jid).map_err(|_| NotUploaded::NoService)?;
        let kind = kind::Kind {
            name: row.name.clone(),
            content_type: row.content_type.clone(),
        };
        let content = files.blobs.read(&row.token).await;
        let content = content.map_err(|error| NotUploaded::Transient(error.to_string()))?;
        let (link, domain) = (&self.gateway.link, user.domain().as_str());
        let url = files
            .uploads
            .put(link, domain, &kind, content, clock.now())
            .await?;
        step(Step::FileUploaded);
        Ok(url)
    }

    /// Whether the text has waited long enough.
    fn is_over(&self) -> bool {
        let accepted = UnixMillis(self.work.row.created_ms);
        self.surroundings.clock.now() > accepted.after(GIVE_UP)
    }

    async fn commit(&self, row: &FileRow) {
        let write = Write::File(row.clone());
        // Told no: somebody else has settled it.
        self.surroundings.writer.keep_one(write).await.ok();
    }
}
