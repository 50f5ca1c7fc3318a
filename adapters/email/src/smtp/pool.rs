//! A few connections kept open between mails.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::ClientConfig;
use tokio::time::Instant;

use super::{
    connection::{Connection, Deadlines, Opening},
    outcome::Trouble,
};
use crate::{config::SmtpConfig, net::Endpoint};

/// How many sends, and so connections, are under way at once: submission services begin to complain at five.
pub(crate) const CONNECTIONS: u16 = 4;

/// Servers hang up after a few minutes; a connection that waited this long is not worth the doubt.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Idle connections, at most [`CONNECTIONS`]. What is taken out and not given back is gone.
#[derive(Debug)]
pub(crate) struct Pool {
    config: SmtpConfig,
    tls: Option<Arc<ClientConfig>>,
    hello: String,
    deadlines: Deadlines,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Pool {
    pub(crate) fn new(
        config: SmtpConfig,
        tls: Option<Arc<ClientConfig>>,
        hello: String,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            config,
            tls,
            hello,
            deadlines,
            idle: Mutex::default(),
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.config.endpoint
    }

    /// What opening a connection takes.
    pub(crate) fn opening(&self) -> Opening<'_> {
        Opening {
            endpoint: &self.config.endpoint,
            login: self.config.login.as_ref(),
            tls: self.tls.as_ref(),
            hello: &self.hello,
            deadlines: self.deadlines,
        }
    }

    /// A connection that just answered: an idle one, or a new one.
    pub(crate) async fn take(&self) -> Result<Connection, Trouble> {
        while let Some((mut connection, since)) = self.pop() {
            if since.elapsed() < IDLE_MAX && connection.reset().await {
                return Ok(connection);
            }
        }
        Connection::open(self.opening()).await
    }

    /// Keeps a connection for the next mail.
    pub(crate) fn give_back(&self, connection: Connection) {
        let mut idle = self.lock();
        if idle.len() < usize::from(CONNECTIONS) {
            idle.push((connection, Instant::now()));
        }
    }

    /// Says goodbye on those that nobody took for a while.
    pub(crate) async fn close_idle(&self) {
        let stale: Vec<_> = {
            let mut idle = self.lock();
            idle.extract_if(.., |(_, since)| since.elapsed() >= IDLE_MAX)
                .collect()
        };
        for (connection, _) in stale {
            connection.quit().await;
        }
    }

    /// Says goodbye on all.
    pub(crate) async fn close_all(&self) {
        while let Some((connection, _)) = self.pop() {
            connection.quit().await;
        }
    }

    fn pop(&self) -> Option<(Connection, Instant)> {
        self.lock().pop()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
