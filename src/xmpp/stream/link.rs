//! Keeps one component logged in, for ever.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use transom_adapter::Lifecycle;

use super::{
    Counters, LinkConfig, LinkError, LinkEvent, LinkHandle, LinkState, Permit, StopWhen,
    endpoint::connect,
    handle::Live,
    login::{LoggedIn, log_in},
    session::{Ends, Session},
};

/// So many quick attempts for a name that the last holder is about to let go of.
const HANDED_OVER_TRIES: u32 = 30;
/// After being thrown out by another process, while it is not known yet which of the two has the gateway.
const CONFLICT_PAUSE: std::time::Duration = std::time::Duration::from_secs(3);

/// One component's link: connects, logs in, reads and writes, and begins anew when it is lost.
#[derive(Debug)]
pub struct Link {
    config: LinkConfig,
    events: mpsc::Sender<LinkEvent>,
    live: watch::Sender<Option<Live>>,
    state: watch::Sender<LinkState>,
    counters: Arc<Counters>,
    stop: CancellationToken,
    /// The last failure that was logged with its remedy.
    explained: Option<LinkError>,
}

impl Link {
    /// Starts a link. It ends when it is stopped (see [`StopWhen`]), on the lifecycle's abort, or when nobody
    /// receives its events.
    pub fn spawn(
        config: LinkConfig,
        lifecycle: &Lifecycle,
        events: mpsc::Sender<LinkEvent>,
    ) -> LinkHandle {
        let (live, is_live) = watch::channel(None);
        let (state, states) = watch::channel(LinkState::Connecting);
        let (counters, stop) = (Arc::new(Counters::new()), CancellationToken::new());
        let handle = LinkHandle::new(
            &config,
            is_live,
            states,
            Arc::clone(&counters),
            stop.clone(),
        );
        let draining = lifecycle.clone();
        let stop_when = config.stop;
        let link = Self {
            config,
            events,
            live,
            state,
            counters,
            stop: stop.clone(),
            explained: None,
        };
        lifecycle.spawn("xmpp.link", async move {
            let forward_drain = async {
                draining.draining().await;
                stop.cancel();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = link.run() => {}
                () = forward_drain, if stop_when == StopWhen::Draining => {}
            }
        });
        handle
    }

    async fn run(mut self) {
        let mut failures = 0;
        while !self.stop.is_cancelled() && !self.events.is_closed() {
            if self.permission().await.is_err() {
                break;
            }
            self.state.send_replace(LinkState::Connecting);
            let began = Instant::now();
            let error = match self.attempt().await {
                Err(error) => error,
                Ok(Ended::Asked) => break,
                Ok(Ended::Withdrawn) => {
                    failures = 0;
                    match self.events.send(LinkEvent::Elsewhere).await {
                        Ok(()) => continue,
                        Err(_) => break,
                    }
                }
            };
            if began.elapsed() >= self.config.backoff.max {
                failures = 0;
            }
            if self.go_down(error, failures).await.is_err() {
                break;
            }
            failures += 1;
        }
        self.state.send_replace(LinkState::Stopped);
    }

    /// Waits until the link may be made. An error when nobody wants one any more.
    async fn permission(&mut self) -> Result<(), Unwanted> {
        let Some(permit) = self.config.permit.as_mut() else {
            return Ok(());
        };
        if *permit.borrow_and_update() == Permit::Yes {
            return Ok(());
        }
        self.state.send_replace(LinkState::Elsewhere);
        tokio::select! {
            permitted = permit.wait_for(|permit| *permit == Permit::Yes) => {
                permitted.map(drop).map_err(|_| Unwanted)
            }
            () = self.stop.cancelled() => Err(Unwanted),
            () = self.events.closed() => Err(Unwanted),
        }
    }

    /// One connection from beginning to end.
    async fn attempt(&mut self) -> Result<Ended, LinkError> {
        let stop = self.stop.clone();
        let logged_in = tokio::select! {
            logged_in = self.log_in() => logged_in?,
            () = stop.cancelled() => return Ok(Ended::Asked),
        };
        let ends_here = stop.child_token();
        let (messages, to_send) = mpsc::channel(self.config.queues.messages.max(1));
        let (presences, to_tell) = mpsc::channel(self.config.queues.presences.max(1));
        let ends = Ends {
            config: &self.config,
            counters: &self.counters,
            events: &self.events,
            stop: &ends_here,
            state: &self.state,
            messages: to_send,
            presences: to_tell,
        };
        self.counters
            .connected
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.counters.note_traffic();
        self.explained = None;
        tracing::info!(domain = %self.config.domain, server = %self.config.endpoint, "Logged in to the XMPP server.");
        self.live.send_replace(Some(Live {
            messages,
            presences,
        }));
        self.state.send_replace(LinkState::Up {
            since: Instant::now(),
        });
        let withdrawn = withdrawn(self.config.permit.clone());
        let ended = match self.events.send(LinkEvent::Up).await {
            Ok(()) => {
                let mut session = std::pin::pin!(Session::new(logged_in, ends).run());
                tokio::select! {
                    ended = &mut session => ended,
                    () = withdrawn => {
                        self.state.send_replace(LinkState::Elsewhere);
                        ends_here.cancel();
                        session.await
                    }
                }
            }
            Err(_) => Ok(()),
        };
        self.live.send_replace(None);
        ended.map(|()| {
            if self.stop.is_cancelled() || !ends_here.is_cancelled() {
                Ended::Asked
            } else {
                Ended::Withdrawn
            }
        })
    }

    async fn log_in(&self) -> Result<LoggedIn, LinkError> {
        let LinkConfig {
            endpoint,
            domain,
            secret,
            tls,
            limits,
            timing,
            ..
        } = &self.config;
        let stream = connect(endpoint, tls.as_ref(), timing.connect).await?;
        log_in(stream, domain, secret, *limits, timing.login).await
    }

    /// Tells of the failure and waits until the next attempt is due. An error when nobody wants one.
    async fn go_down(&mut self, error: LinkError, failures: u32) -> Result<(), Unwanted> {
        let conflict = matches!(error, LinkError::ConflictAtLogin { .. });
        let backoff = &self.config.backoff;
        let is_agreed = self.config.permit.is_some();
        let pause = match &error {
            LinkError::ConflictAtLogin { .. } if is_agreed && failures < HANDED_OVER_TRIES => {
                backoff.handed_over
            }
            // Whoever has the name by now may have it by right: the word of that is on its way.
            LinkError::ConflictLive { .. } if is_agreed => CONFLICT_PAUSE,
            _ => backoff.pause(failures, conflict, rand::random()),
        };
        self.explain(&error, pause);
        self.state.send_replace(LinkState::Down {
            error: error.clone(),
            retry_at: Instant::now() + pause,
        });
        self.events
            .send(LinkEvent::Down(error))
            .await
            .map_err(|_| Unwanted)?;
        tokio::select! {
            () = sleep(pause) => Ok(()),
            () = self.stop.cancelled() => Err(Unwanted),
            () = self.events.closed() => Err(Unwanted),
        }
    }

    /// The remedy is logged once as long as the failure stays the same.
    fn explain(&mut self, error: &LinkError, pause: std::time::Duration) {
        let domain = self.config.domain.as_str();
        let retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        if self.explained.as_ref() == Some(error) {
            tracing::info!(domain, retry_in_ms, error = %error, "Still no link to the XMPP server.");
            return;
        }
        self.explained = Some(error.clone());
        let remedy = error.remedy(domain, self.config.endpoint.port());
        if error.needs_operator() {
            tracing::error!(
                domain, retry_in_ms, error = %error, prosody = remedy.prosody, ejabberd = remedy.ejabberd,
                "No link to the XMPP server; see what to change there."
            );
        } else {
            tracing::warn!(domain, retry_in_ms, error = %error, "Lost the link to the XMPP server.");
        }
    }
}

/// The link is to end.
struct Unwanted;

/// Why a connection ended without a fault.
enum Ended {
    /// The link was stopped.
    Asked,
    /// Another process has it now.
    Withdrawn,
}

/// Ends when the link may not stand any longer.
async fn withdrawn(permit: Option<watch::Receiver<Permit>>) {
    if let Some(mut permit) = permit
        && permit
            .wait_for(|permit| *permit == Permit::No)
            .await
            .is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}
