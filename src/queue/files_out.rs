//! The files that go with a message: fetched under the guard, made to fit, and stored, before the first attempt. What cannot be had is
//! an outcome like any other.

use bytes::Bytes;
use transom_adapter::{
    Attempt, Failure, FetchFailure, Fetched, FileLimits, Network, OutFile, Outcome, Reason, Route,
    Scope, StoredFile,
};

use super::{
    OutWork,
    attempt::Try,
    lanes::Next,
    order::{Finished, Order},
    verdict::backoff,
};
use crate::{
    files::kind::{self, Kind},
    hooks::{Step, step},
    store::{
        Write,
        write::{FileRow, FileState},
    },
};

/// The message does not go on with its files: what becomes of it instead.
struct Stopped(Box<Outcome>);

impl Try {
    /// Gets the files, and gives the message back to its lane; without them it fails, or is tried again later.
    pub(super) async fn prepare(self) {
        let finished = match self.files().await {
            Ok(files) => {
                let mut work: Box<OutWork> = self.work.clone();
                work.outgoing.files = files;
                work.needs_files = false;
                // A correction may have planned it anew as a text alone.
                if !work.outgoing.files.is_empty() {
                    work.routes.retain(|route| self.takes_files(route));
                    work.route = 0;
                }
                Finished {
                    give_back: Some(work),
                    next: Next::Prepared,
                    ..Finished::go_on()
                }
            }
            Err(Stopped(outcome)) => {
                let attempt = Attempt {
                    number: self.work.attempts + 1,
                    unit: self.work.unit,
                    started_at: self.surroundings.clock.now(),
                };
                self.conclude(attempt, *outcome).await
            }
        };
        let order = Order::Finished {
            lane_id: self.lane_id,
            slot: self.slot,
            finished,
        };
        self.finished.send(order).await.ok();
    }

    async fn files(&self) -> Result<Vec<OutFile>, Stopped> {
        let rows = self.surroundings.store.files_of(self.work.message_id).await;
        let mut rows = rows.map_err(|error| self.later(Reason::OurAccount, error.to_string()))?;
        let carried = rows.iter().filter(|row| !row.link).count();
        let limits = self.limits();
        if carried > limits.map_or(0, |limits| limits.count_max.into()) {
            return Err(refused(
                Reason::FileNotTaken,
                "no account takes so many files",
            ));
        }
        for row in &mut rows {
            match row.state {
                FileState::Stored => {}
                FileState::Waiting => self.fetch(row, limits, carried).await?,
                FileState::Failed | FileState::Expired => {
                    return Err(refused(
                        Reason::FileGone,
                        "its content is not kept any more",
                    ));
                }
            }
        }
        let carried: Vec<&FileRow> = rows.iter().filter(|row| !row.link).collect();
        let total: u64 = carried.iter().map(|row| size(row)).sum();
        if limits.is_some_and(|limits| total > limits.total_bytes_max) {
            return Err(refused(Reason::FileTooLarge, "all of them together"));
        }
        Ok(carried
            .into_iter()
            .filter_map(|row| self.out(row))
            .collect())
    }

    fn takes_files(&self, route: &Route) -> bool {
        let account = self.gateway.account(&route.account);
        account.is_some_and(|account| account.capabilities().files.is_some())
    }

    /// What every account takes that may carry the message: the least of each.
    fn limits(&self) -> Option<FileLimits> {
        let routes = self.work.routes.iter();
        let each = routes.filter_map(|route| {
            let account = self.gateway.account(&route.account)?;
            account.capabilities().files
        });
        each.reduce(|one, other| FileLimits {
            count_max: one.count_max.min(other.count_max),
            bytes_max: one.bytes_max.min(other.bytes_max),
            total_bytes_max: one.total_bytes_max.min(other.total_bytes_max),
            types: one.types,
        })
    }

    async fn fetch(
        &self,
        row: &mut FileRow,
        limits: Option<FileLimits>,
        carried: usize,
    ) -> Result<(), Stopped> {
        let files = &self.surroundings.files;
        let url = row.source.clone().unwrap_or_default();
        let fetched = files.http.fetch(&url, files.size_bytes_max, None).await;
        let Fetched {
            content_type,
            content,
        } = fetched.map_err(|failure| self.not_fetched(failure))?;
        let said = content_type.filter(|said| kind::plain_type(said).is_some());
        let said = said.unwrap_or_else(|| row.content_type.clone());
        let kind = kind::of(&row.name, Some(&said), &content);
        let (kind, content) = match limits.filter(|_| !row.link) {
            Some(limits) => self.fitted(kind, content, limits, carried).await?,
            None => (kind, content),
        };
        row.bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let put = files.blobs.put(&row.token, content).await;
        step(Step::FileKept);
        let digest = put.map_err(|error| self.later(Reason::OurAccount, error.to_string()))?;
        row.digest = Some(digest);
        row.state = FileState::Stored;
        row.name = kind.name;
        row.content_type = kind.content_type;
        row.url = self.gateway.gateway.files.url(&row.token, &row.name);
        self.commit(Write::File(row.clone())).await;
        Ok(())
    }

    /// The file as the network takes it: a picture that is too large becomes smaller, all else is refused.
    async fn fitted(
        &self,
        kind: Kind,
        content: Bytes,
        limits: FileLimits,
        carried: usize,
    ) -> Result<(Kind, Bytes), Stopped> {
        let share = limits.total_bytes_max / u64::try_from(carried.max(1)).unwrap_or(1);
        let is_picture = kind.content_type.starts_with("image/");
        let bytes_max = if is_picture {
            limits.bytes_max.min(share)
        } else {
            limits.bytes_max
        };
        let fits = content.len() as u64 <= bytes_max;
        let taken = limits.takes(&kind.content_type);
        if fits && taken {
            return Ok((kind, content));
        }
        if is_picture && limits.takes("image/jpeg") {
            let smaller = self.surroundings.files.shrink(content, bytes_max).await;
            if let Some(smaller) = smaller {
                let kind = kind::of(&kind.name, Some("image/jpeg"), &smaller);
                return Ok((kind, smaller));
            }
        }
        Err(if taken {
            refused(Reason::FileTooLarge, "larger than what the account takes")
        } else {
            refused(
                Reason::FileNotTaken,
                "of a type that the account does not take",
            )
        })
    }

    fn out(&self, row: &FileRow) -> Option<OutFile> {
        Some(OutFile {
            name: row.name.clone(),
            content_type: row.content_type.clone(),
            bytes: size(row),
            stored: Some(StoredFile {
                path: self.surroundings.files.blobs.path(&row.token)?,
                url: row.url.clone(),
            }),
        })
    }

    fn not_fetched(&self, failure: FetchFailure) -> Stopped {
        let reason = match failure {
            FetchFailure::Transient(problem) => return self.later(Reason::FileGone, problem),
            FetchFailure::Gone => Reason::FileGone,
            FetchFailure::Forbidden => Reason::FileForbidden,
            FetchFailure::TooLarge { .. } => Reason::FileTooLarge,
        };
        refused(reason, &failure.to_string())
    }

    /// Nothing was sent. A web server is asked again as soon as a text is, whatever network the message is for.
    fn later(&self, reason: Reason, detail: String) -> Stopped {
        Stopped(Box::new(Outcome::Throttled {
            after: Some(backoff(Network::Sms, self.failures, self.work.delivery_id)),
            scope: Scope::Request,
            failure: Failure::new(reason).with_detail(detail),
        }))
    }
}

fn size(row: &FileRow) -> u64 {
    u64::try_from(row.bytes).unwrap_or(0)
}

fn refused(reason: Reason, detail: &str) -> Stopped {
    let failure = Failure::new(reason).with_detail(detail);
    Stopped(Box::new(Outcome::Rejected(failure)))
}
