//! Starting and stopping: every task of the process runs on one [`Lifecycle`].

use std::{future::Future, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// After an abort, work that was detached gets so long to end.
const DETACHED_MAX: Duration = Duration::from_secs(5);

/// Two stages of stopping and the tasks that heed them.
///
/// `drain`: take nothing new, finish what is under way. `abort`: drop everything. A task that panics drains the whole and marks it
/// failed, so that the process ends with an exit code instead of limping on.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    drain: CancellationToken,
    abort: CancellationToken,
    failed: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// A running one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a task until it ends or `abort` is called. `name` is for the log.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let this = self.clone();
        let guarded = async move {
            let watch = Watch {
                lifecycle: &this,
                name,
                done: false,
            };
            tokio::select! {
                biased;
                () = this.abort.cancelled() => {}
                () = task => {}
            }
            watch.done();
        };
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        drop(tokio::spawn(self.tasks.track_future(guarded)));
    }

    /// Runs a unit of work to its end whatever becomes of the caller; database work must not be cancelled.
    ///
    /// Returns `None` when the work panicked.
    pub async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        let task = tokio::spawn(self.tasks.track_future(work));
        task.await.ok()
    }

    /// Asks everything to finish.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Drops everything.
    pub fn abort(&self) {
        self.drain.cancel();
        self.abort.cancel();
    }

    /// Resolves when draining has begun.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Whether draining has begun.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Whether a task panicked.
    pub fn has_failed(&self) -> bool {
        self.failed.is_cancelled()
    }

    /// Waits until every task has ended; after `grace`, drops the rest. True when all ended by themselves.
    pub async fn finish(&self, grace: Duration) -> bool {
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_ok() {
            return true;
        }
        self.abort();
        // What must not be cut in two gets a little longer; what hangs must not keep the process.
        tokio::time::timeout(DETACHED_MAX, self.tasks.wait())
            .await
            .ok();
        false
    }
}

/// Notices a task that unwinds.
struct Watch<'a> {
    lifecycle: &'a Lifecycle,
    name: &'static str,
    done: bool,
}

impl Watch<'_> {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.done && std::thread::panicking() {
            tracing::error!(task = self.name, "A task panicked; stopping.");
            self.lifecycle.failed.cancel();
            self.lifecycle.drain.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn finish_waits_for_a_task_that_heeds_drain() {
        let life = Lifecycle::new();
        let inner = life.clone();
        life.spawn("heeds", async move { inner.draining().await });
        life.drain();
        assert!(life.finish(Duration::from_mins(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn finish_drops_a_task_that_ignores_drain() {
        let life = Lifecycle::new();
        life.spawn("ignores", std::future::pending());
        life.drain();
        assert!(!life.finish(Duration::from_mins(1)).await);
    }

    #[tokio::test]
    async fn a_panic_drains_everything() {
        let life = Lifecycle::new();
        life.spawn("panics", async { panic!("on purpose") });
        life.draining().await;
        assert!(life.has_failed());
    }

    #[tokio::test]
    async fn detached_work_ends_even_when_its_caller_is_dropped() {
        let life = Lifecycle::new();
        let (start, started) = tokio::sync::oneshot::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let inner = life.clone();
        let caller = Box::pin(async move {
            inner
                .detached(async move {
                    started.await.ok();
                    end.send(()).ok();
                })
                .await
        });
        drop(futures_poll_once(caller).await);
        start.send(()).unwrap();
        ended.await.unwrap();
    }

    /// Polls once and gives the future back.
    async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> F {
        std::future::poll_fn(|cx| {
            drop(std::pin::Pin::new(&mut future).poll(cx));
            std::task::Poll::Ready(())
        })
        .await;
        future
    }
}
