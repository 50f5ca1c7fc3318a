//! What happens in smsd's folders: looked at every second, committed, and only then moved on. A kill between the two means that the same
//! is committed again, which the core knows for a repeat.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    time::{Duration, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};
use transom_adapter::{Context, Event, ExternalId, Failure, MessageRef, Progress, Reason, Report};

use super::{
    Backup, GammuAccount, Kind, OutName,
    backup::{self, text},
    decode,
    spool::Spool,
};
use crate::{Number, Segments, provider::received::Received};

/// Files that go on in one pass from each folder; the others come up when these have.
const FILES_MAX: usize = 256;
const EVERY: Duration = Duration::from_secs(1);
/// After a fault of the disk, or while the store is busy.
const PAUSE: Duration = Duration::from_secs(5);
/// A file that cannot be read after so many looks will not get better.
const LOOKS_MAX: u32 = 60;
/// Passes between two times of tidying up.
const TIDY_EVERY: u32 = 3600;

/// Runs until the lifecycle drains.
pub(super) async fn run(account: &GammuAccount, context: &Context) {
    let mut looks = HashMap::new();
    let mut passes = 0_u32;
    // Without `bind`, and harmless after it.
    let mut ready = account.spool.with(Spool::prepare).await.is_ok();
    loop {
        let done = if ready {
            pass(account, context, &mut looks).await
        } else {
            Err(io::Error::other("the folders are not there"))
        };
        if done.is_err() {
            context.meter.count(&account.name, "spool_trouble");
            ready = account.spool.with(Spool::prepare).await.is_ok();
        }
        if passes.is_multiple_of(TIDY_EVERY) && ready {
            let now = u64::try_from(context.clock.now().0).unwrap_or(0);
            let (keep, now) = (account.keep, UNIX_EPOCH + Duration::from_millis(now));
            drop(account.spool.with(move |spool| spool.tidy(keep, now)).await);
        }
        passes = passes.wrapping_add(1);
        let next = context
            .clock
            .now()
            .after(if done.is_ok() { EVERY } else { PAUSE });
        tokio::select! {
            () = context.clock.sleep_until(next) => {}
            () = context.lifecycle.draining() => return,
        }
    }
}

/// One look at everything.
async fn pass(
    account: &GammuAccount,
    context: &Context,
    looks: &mut HashMap<String, u32>,
) -> io::Result<()> {
    let watch = Watch { account, context };
    watch.sent().await?;
    watch.refused().await?;
    watch.settle().await?;
    watch.inbox(looks).await
}

struct Watch<'a> {
    account: &'a GammuAccount,
    context: &'a Context,
}

impl Watch<'_> {
    /// The modem took them.
    async fn sent(&self) -> io::Result<()> {
        let names = self.ours(|spool| Spool::list(&spool.sent)).await?;
        for name in names.into_iter().take(FILES_MAX) {
            self.commit(vec![report(&name, Progress::Sent, None)])
                .await?;
            let text = name.to_string();
            self.on_files(move |spool| {
                let next = if name.report {
                    &spool.awaiting
                } else {
                    &spool.done
                };
                Spool::shift(&spool.sent.join(&text), &next.join(&text))
            })
            .await?;
        }
        Ok(())
    }

    /// The modem did not take them, and smsd gave up.
    async fn refused(&self) -> io::Result<()> {
        let names = self.ours(|spool| Spool::list(&spool.error)).await?;
        for name in names.into_iter().take(FILES_MAX) {
            let failure = Failure::new(Reason::Unspecified).with_code("smsd");
            self.commit(vec![report(&name, Progress::Failed, Some(failure))])
                .await?;
            let text = name.to_string();
            self.on_files(move |spool| {
                Spool::shift(&spool.error.join(&text), &spool.done.join(&text))
            })
            .await?;
        }
        Ok(())
    }

    /// Texts with delivery reports: over once there is one for each part. A report does not say which of several texts to one
    /// person it is about: those are over together, or not at all.
    async fn settle(&self) -> io::Result<()> {
        let mut to_each: BTreeMap<String, Vec<OutName>> = BTreeMap::new();
        let listed = self.on_files(|spool| Spool::list(&spool.awaiting)).await?;
        let reported: HashSet<&str> = listed
            .iter()
            .filter_map(|name| Spool::reported(name))
            .collect();
        for name in ours(&listed) {
            let recipient = self.wire(&name.recipient);
            to_each.entry(recipient).or_default().push(name);
        }
        for names in to_each.into_values() {
            let files: Vec<String> = names.iter().map(ToString::to_string).collect();
            if !files.iter().any(|file| reported.contains(file.as_str())) {
                continue;
            }
            let of = files.clone();
            let verdict = self.on_files(move |spool| verdict(spool, &of)).await?;
            let Some((progress, reason)) = verdict else {
                continue;
            };
            let told = |name| report(name, progress, reason.map(Failure::new));
            self.commit(names.iter().map(told).collect()).await?;
            self.on_files(move |spool| files.iter().try_for_each(|file| spool.finish(file)))
                .await?;
        }
        Ok(())
    }

    /// A number in its one spelling.
    fn wire(&self, number: &str) -> String {
        Number::received(number, self.account.home)
            .wire()
            .to_owned()
    }

    async fn inbox(&self, looks: &mut HashMap<String, u32>) -> io::Result<()> {
        let names = self.on_files(|spool| Spool::list(&spool.inbox)).await?;
        let names: Vec<_> = names
            .into_iter()
            .filter(|name| name.starts_with("IN"))
            .take(FILES_MAX)
            .collect();
        looks.retain(|name, _| names.contains(name));
        for name in names {
            let path = name.clone();
            let content = self
                .on_files(move |spool| Ok(Spool::read(&spool.inbox.join(path))))
                .await?;
            let parts = content
                .as_ref()
                .ok()
                .and_then(|content| backup::read(content));
            let (Some(parts), Ok(content)) = (parts, content) else {
                // It may still be being written.
                let seen = looks.entry(name.clone()).or_default();
                *seen += 1;
                if *seen >= LOOKS_MAX {
                    self.context
                        .meter
                        .count(&self.account.name, "file_unreadable");
                    self.on_files(move |spool| {
                        Spool::put(&spool.inbox.join(&name), &spool.unread, &name)
                    })
                    .await?;
                }
                continue;
            };
            match parts.first() {
                Some(first) if first.kind == Kind::Report => {
                    self.delivery_report(name, first).await?;
                }
                _ => self.texts(name, &content, &parts).await?,
            }
        }
        Ok(())
    }

    async fn texts(&self, name: String, content: &[u8], parts: &[Backup]) -> io::Result<()> {
        let events = events(&name, content, parts, self.account);
        if events.is_empty() {
            self.context
                .meter
                .count(&self.account.name, "file_without_text");
        }
        self.commit(events).await?;
        self.on_files(move |spool| Spool::put(&spool.inbox.join(&name), &spool.done, &name))
            .await
    }

    /// A report names the recipient and nothing that we know besides. It lies with the oldest text to them that waits for one.
    async fn delivery_report(&self, name: String, report: &Backup) -> io::Result<()> {
        let recipient = self.wire(&report.number);
        let waiting = self.ours(|spool| Spool::list(&spool.awaiting)).await?;
        let pending = text(report.units.iter().copied()) == "Pending";
        let about = waiting
            .into_iter()
            .filter(|_| !pending)
            .find(|waiting| self.wire(&waiting.recipient) == recipient);
        if about.is_none() && !pending {
            self.context
                .meter
                .count(&self.account.name, "report_unmatched");
        }
        self.on_files(move |spool| {
            let from = spool.inbox.join(&name);
            let Some(about) = about else {
                return Spool::put(&from, &spool.done, &name);
            };
            let folder = spool.reports_of(&about.to_string());
            std::fs::create_dir_all(&folder)?;
            Spool::put(&from, &folder, &name)
        })
        .await?;
        self.settle().await
    }

    /// The files of ours among these.
    async fn ours(
        &self,
        list: impl FnOnce(&Spool) -> io::Result<Vec<String>> + Send + 'static,
    ) -> io::Result<Vec<OutName>> {
        Ok(ours(&self.on_files(list).await?))
    }

    async fn on_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Spool) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.account.spool.with(work).await
    }

    async fn commit(&self, events: Vec<Event>) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let committed = self
            .context
            .inbox
            .commit(&self.account.name, events, None)
            .await;
        committed.map(drop).map_err(io::Error::other)
    }
}

fn ours(names: &[String]) -> Vec<OutName> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn report(name: &OutName, progress: Progress, failure: Option<Failure>) -> Event {
    Event::Report(Report {
        about: vec![MessageRef::Key(name.key, 0)],
        progress,
        failure,
        at: None,
    })
}

/// What the reports about the texts to one person come to; `None` while some are missing.
fn verdict(spool: &Spool, names: &[String]) -> io::Result<Option<(Progress, Option<Reason>)>> {
    let (mut parts, mut said) = (0, Vec::new());
    for name in names {
        let sent = decode(&Spool::read(&spool.awaiting.join(name))?);
        parts += usize::from(Segments::of(&sent).count.max(1));
        let folder = spool.reports_of(name);
        if !folder.is_dir() {
            continue;
        }
        for report in Spool::list(&folder)? {
            let parts = backup::read(&Spool::read(&folder.join(report))?).unwrap_or_default();
            let words = parts.first().map(|part| text(part.units.iter().copied()));
            said.push(words.unwrap_or_default());
        }
    }
    let count = |word: &str| said.iter().filter(|words| *words == word).count();
    Ok(if count("Delivered") >= parts {
        Some((Progress::Delivered, None))
    } else if names.len() == 1 && count("Failed") > 0 {
        Some((Progress::Failed, Some(Reason::Unreachable)))
    } else if said.len() >= parts {
        // One of several failed: nobody can tell which.
        Some((Progress::Unknown, Some(Reason::Unspecified)))
    } else {
        None
    })
}

/// The texts in a file: one of all its parts, where it holds all of them; else each part by itself, for the core to join.
pub(super) fn events(
    name: &str,
    content: &[u8],
    parts: &[Backup],
    account: &GammuAccount,
) -> Vec<Event> {
    let texts: Vec<&Backup> = parts
        .iter()
        .filter(|part| part.kind == Kind::Text)
        .collect();
    // smsd uses a name again once the file is gone; the time at which it was written is in the content.
    let mut digest = Sha256::new_with_prefix(name);
    digest.update(content);
    let id = hex::encode(digest.finalize());
    let event = |index: usize, of: &[&Backup], part| {
        let from = of.first().map_or("", |part| &part.number);
        let id = ExternalId::new("gammu", format!("{id}-{index}"));
        let units = of
            .iter()
            .flat_map(|part| part.units.iter().copied().take_while(|unit| *unit != 0));
        let mut received = Received::new(id, from, &account.number, text(units));
        received.part = part;
        received.event(account.home)
    };
    if let Some(whole) = whole(&texts) {
        return vec![event(0, &whole, None)];
    }
    let single = texts.iter().enumerate();
    single
        .map(|(index, part)| event(index, &[part], part.part))
        .collect()
}

/// All parts of one text, in order.
fn whole<'a>(texts: &[&'a Backup]) -> Option<Vec<&'a Backup>> {
    let first = texts.first()?.part?;
    let mut parts = Vec::new();
    for number in 1..=first.total {
        let same = |part: &&&Backup| {
            part.part.is_some_and(|p| {
                p.number == number && p.total == first.total && p.reference == first.reference
            })
        };
        parts.push(*texts.iter().find(same)?);
    }
    (parts.len() == texts.len()).then_some(parts)
}
