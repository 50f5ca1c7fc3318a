//! Mail in by LMTP, RFC 2033: the account `gateway/lmtp`. The mail server hands each mail over and is answered per recipient,
//! after the commit. The account `gateway/smtp_in` is the same over SMTP, from hosts that are named, with one answer a mail.

mod listener;
mod session;
mod wire;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::Semaphore, time::timeout};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, ConfigFault, Context, Failure,
    Holder, Outcome, Outgoing, Reason, Repeat, Reports, Sockets,
};

use crate::{config::LmtpConfig, ids::OwnIds, read::MAIL_BYTES_MAX};
use listener::Listener;
use session::{Limits, Protocol, Session};

/// Between tries to open the listener.
const REBIND: Duration = Duration::from_secs(10);

const LIMITS: Limits = Limits {
    mail_bytes_max: MAIL_BYTES_MAX,
    recipients_max: 100,
    refusals_max: 150,
    command: Duration::from_mins(5),
    data: Duration::from_mins(10),
    // Postfix opens twenty by default. Each may hold a whole mail.
    connections_max: 32,
    turn: Duration::from_secs(30),
};

/// Takes mail from the site's mail server.
#[derive(Debug)]
pub(crate) struct LmtpAccount {
    name: AccountName,
    ids: OwnIds,
    config: LmtpConfig,
    limits: Limits,
    bound: Mutex<Option<Listener>>,
}

impl LmtpAccount {
    pub(crate) fn new(name: AccountName, ids: OwnIds, config: LmtpConfig) -> Self {
        Self {
            name,
            ids,
            config,
            limits: LIMITS,
            bound: Mutex::default(),
        }
    }

    fn take_bound(&self) -> Option<Listener> {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound.take()
    }

    /// The listener of [`bind`](Account::bind), or a new one as soon as it can be had; `None` when draining begins first.
    async fn listener(&self, context: &Context) -> Option<Listener> {
        loop {
            if let Some(listener) = self.take_bound() {
                return Some(listener);
            }
            match self.bind().await {
                Ok(()) => continue,
                Err(fault) => {
                    tracing::error!(account = %self.name, %fault, "LMTP cannot listen; trying again.");
                }
            }
            let next = context.clock.now().after(REBIND);
            tokio::select! {
                () = context.clock.sleep_until(next) => {}
                () = context.lifecycle.draining() => return None,
            }
        }
    }

    /// Whether a host may hand mail over. Over SMTP only those that are named: anybody else could claim any sender.
    fn hears(&self, peer: Option<IpAddr>) -> bool {
        let Some(hosts) = &self.config.from_hosts else {
            return true;
        };
        peer.is_some_and(|peer| {
            let peer = peer.to_canonical();
            hosts.iter().any(|host| host.contains(&peer))
        })
    }

    fn serve(
        &self,
        context: &Context,
        stream: listener::Stream,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) {
        let session = Session {
            account: self.name.clone(),
            ids: self.ids.clone(),
            context: context.clone(),
            limits: self.limits,
            protocol: match self.config.from_hosts {
                Some(_) => Protocol::Smtp,
                None => Protocol::Lmtp,
            },
        };
        context.lifecycle.spawn("lmtp-session", async move {
            session.run(stream).await;
            drop(permit);
        });
    }
}

#[async_trait]
impl Account for LmtpAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: Repeat::Once,
            reports: Reports::None,
            concurrency: 1,
            send_seconds_max: 1,
            files: None,
            holder: Holder::Anyone,
        }
    }

    /// It only receives; [`plan`](transom_adapter::Adapter::plan) never names it.
    async fn send(&self, _message: &Outgoing, _attempt: Attempt) -> Outcome {
        let detail = "this account only receives";
        Outcome::Misconfigured(Failure::new(Reason::OurAccount).with_detail(detail))
    }

    fn inherit(&self, sockets: &Sockets) {
        match Listener::inherited(&self.config.listen, sockets) {
            Ok(listener) => {
                *self.bound.lock().unwrap_or_else(PoisonError::into_inner) = listener;
            }
            Err(error) => {
                tracing::warn!(account = %self.name, %error, "The service manager's listener cannot be used.");
            }
        }
    }

    async fn bind(&self) -> Result<(), ConfigFault> {
        if self
            .bound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
        {
            return Ok(());
        }
        let listener = Listener::open(&self.config.listen)
            .await
            .map_err(|error| ConfigFault {
                key: self.config.key.clone(),
                problem: format!("cannot listen: {error}"),
                remedy: "free the address or choose another".to_owned(),
            })?;
        *self.bound.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        Ok(())
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        let Some(listener) = self.listener(context).await else {
            return Ok(());
        };
        let permits = Arc::new(Semaphore::new(self.limits.connections_max));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = context.lifecycle.draining() => return Ok(()),
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: turning at full speed would not free any.
                    tracing::warn!(account = %self.name, %error, "LMTP could not take a connection.");
                    let next = context.clock.now().after(Duration::from_millis(200));
                    context.clock.sleep_until(next).await;
                    continue;
                }
            };
            if !self.hears(peer) {
                let meter = &context.meter;
                meter.refused(&self.name, "smtp_in_unnamed_host", peer);
                continue;
            }
            // Who comes behind it waits in the queue of the listener: a sender that is slowed comes sooner than one that is refused.
            let turn = timeout(self.limits.turn, Arc::clone(&permits).acquire_owned());
            let turn = tokio::select! {
                turn = turn => turn,
                () = context.lifecycle.draining() => {
                    session::turn_away(stream, session::CLOSING).await;
                    return Ok(());
                }
            };
            if let Ok(Ok(permit)) = turn {
                self.serve(context, stream, permit);
            } else {
                let meter = &context.meter;
                meter.refused(&self.name, "lmtp_too_many_connections", peer);
                session::turn_away(stream, "421 4.3.2 too many connections, please come back")
                    .await;
            }
        }
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let shown = self.config.listen.to_string();
        match Listener::open(&self.config.listen).await {
            Ok(_) => report
                .findings
                .push(format!("{shown} is free to listen on for mail")),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                let finding = format!("{shown} is in use, by a running transom or somebody else");
                report.findings.push(finding);
            }
            Err(error) => report
                .faults
                .push(format!("{shown} cannot be listened on: {error}")),
        }
        report
    }
}

#[cfg(test)]
mod tests;
