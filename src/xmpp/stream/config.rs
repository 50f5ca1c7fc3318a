//! What a link needs to know, and every limit and deadline it keeps.

use std::{sync::Arc, time::Duration};

use rustls::ClientConfig;
use secrecy::SecretString;
use tokio::sync::watch;

use super::Endpoint;
use crate::xmpp::{jid::DomainPart, stanza::Limits};

/// One component's connection.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// The component's name; the domain of every `from`.
    pub domain: DomainPart,
    /// The component's secret.
    pub secret: SecretString,
    /// Domains whose users are on this server: each is pinged itself as the barrier of what goes to it.
    pub home_domains: Vec<DomainPart>,
    /// Which domain is pinged for everybody else, and to keep the link alive; missing: the first of `home_domains`;
    /// without those a message to the component itself takes the ping's place.
    pub barrier_domain: Option<DomainPart>,
    /// For `tls://`; missing: what the operating system trusts.
    pub tls: Option<Arc<ClientConfig>>,
    /// What one stanza may hold, in either direction.
    pub limits: Limits,
    /// Deadlines.
    pub timing: Timing,
    /// Pauses between attempts to connect.
    pub backoff: Backoff,
    /// How much may wait to be written.
    pub queues: Queues,
    /// What ends the link for good.
    pub stop: StopWhen,
    /// Whether the link may be made, where another process may have it; missing: always.
    pub permit: Option<watch::Receiver<Permit>>,
}

/// Whether a link may be made. XEP-0114 knows one connection for a name: a second one throws the first out, or is refused, or shares
/// its stanzas at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It is ours to make.
    Yes,
    /// One that stands may stay; none is made.
    NotNow,
    /// Another process is about to make it: one that stands is read and answered on until the server ends it or it is stopped, and
    /// nothing is written any more that the other one can write as well.
    HandedOver,
    /// Another process has it: one that stands is closed gently.
    No,
}

impl LinkConfig {
    /// The defaults for a component.
    pub fn new(endpoint: Endpoint, domain: DomainPart, secret: SecretString) -> Self {
        Self {
            endpoint,
            domain,
            secret,
            home_domains: Vec::new(),
            barrier_domain: None,
            tls: None,
            limits: Limits::default(),
            timing: Timing::default(),
            backoff: Backoff::default(),
            queues: Queues::default(),
            stop: StopWhen::Draining,
            permit: None,
        }
    }

    /// Whether the link may be made, now.
    pub(crate) fn permit(&self) -> Permit {
        let permit = self.permit.as_ref();
        permit.map_or(Permit::Yes, |permit| *permit.borrow())
    }
}

/// What ends a link for good, gently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopWhen {
    /// Only [`LinkHandle::stop`](super::LinkHandle::stop): whoever holds the link has last words to send.
    Asked,
    /// As soon as the process drains, or [`LinkHandle::stop`](super::LinkHandle::stop).
    Draining,
}

/// Every deadline of a link.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// For name, connection and TLS together.
    pub connect: Duration,
    /// For the answer to the handshake.
    pub login: Duration,
    /// After half of it without traffic a ping is sent, after twice of it the connection is given up.
    pub keepalive: Duration,
    /// For the answer to a ping, and again for the message that takes its place.
    pub barrier: Duration,
    /// After it a ping is written once more: where another process had the name a moment ago, its connection may have got the answer.
    pub ping_again: Duration,
    /// For the server to take what is written.
    pub write: Duration,
    /// For the last words in both directions when the link stops or the server ends it.
    pub stop: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            login: Duration::from_secs(15),
            keepalive: Duration::from_mins(1),
            barrier: Duration::from_secs(30),
            ping_again: Duration::from_secs(3),
            write: Duration::from_secs(30),
            stop: Duration::from_secs(10),
        }
    }
}

/// How much may wait to be written.
#[derive(Clone, Copy, Debug)]
pub struct Queues {
    /// Sends that wait; more make the sender wait.
    pub messages: usize,
    /// Presences that wait; more are refused.
    pub presences: usize,
    /// How many presences are written a second, so that a start with thousands of users floods nobody.
    pub presences_per_second: u32,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            messages: 1024,
            presences: 8192,
            presences_per_second: 500,
        }
    }
}

/// Pauses between attempts to connect: each about twice the one before, with jitter.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The first pause.
    pub min: Duration,
    /// The longest pause.
    pub max: Duration,
    /// The first pause when somebody else holds the name: each attempt may disturb them.
    pub conflict_min: Duration,
    /// The longest pause when somebody else holds the name.
    pub conflict_max: Duration,
    /// The pause when the name is ours by agreement with other processes, and the last holder is about to let go.
    pub handed_over: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_mins(1),
            conflict_min: Duration::from_secs(30),
            conflict_max: Duration::from_mins(5),
            handed_over: Duration::from_millis(300),
        }
    }
}

impl Backoff {
    /// The pause after so many failures in a row; `chance` is between 0 and 1.
    pub(crate) fn pause(&self, failures: u32, conflict: bool, chance: f64) -> Duration {
        let (min, max) = if conflict {
            (self.conflict_min, self.conflict_max)
        } else {
            (self.min, self.max)
        };
        let doubled = min.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX));
        doubled
            .min(max)
            .mul_f64(chance.clamp(0.0, 1.0).mul_add(0.5, 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff::default();
        let seconds = |failures, conflict| backoff.pause(failures, conflict, 1.0).as_secs();
        assert_eq!(
            [0, 1, 2, 5, 6, 99].map(|n| seconds(n, false)),
            [1, 2, 4, 32, 60, 60]
        );
        assert_eq!([0, 1, 4, 99].map(|n| seconds(n, true)), [30, 60, 300, 300]);
    }

    #[test]
    fn jitter_takes_up_to_half() {
        let backoff = Backoff::default();
        assert_eq!(backoff.pause(0, false, 0.0), Duration::from_millis(500));
        assert_eq!(backoff.pause(99, false, 0.5), Duration::from_secs(45));
    }

    #[test]
    fn the_secret_is_not_shown() {
        let endpoint = "127.0.0.1:5347".parse().unwrap();
        let domain = "sms.example.org".parse().unwrap();
        let config = LinkConfig::new(endpoint, domain, "hunter2".into());
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
