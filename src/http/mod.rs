//! The one HTTP listener: webhooks, health, metrics, the operator's page and the simulator's.
//!
//! ```text
//!   accept ─▶ connection (deadlines, limits) ─▶ routes ─▶ gate (count, headers, 503, panic ─▶ 500)
//!                                                          ├─ /webhook/…  account.webhook ─▶ inbox.commit ─▶ the provider's answer
//!                                                          ├─ /healthz /readyz /metrics
//!                                                          ├─ /files/…      attachments
//!                                                          └─ /simulator/… /admin/…  Page
//! ```
//!
//! A webhook is answered 2xx only after the commit, and a commit runs to its end whatever becomes of the caller.
//! [`Server::bind`] opens the port early, so that READY can be told before the first request is answered.

mod body;
mod files;
mod gate;
mod health;
mod listen;
mod page;
mod peer;
mod public_url;
mod reply;
mod routes;
mod simulator;
mod site;
mod webhook;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use ipnet::IpNet;
use transom_adapter::{Account, AccountName, Clock, Inbox};
use url::Url;

use crate::{files::Files, metrics::Metrics};

pub use health::{LinkHealth, Readiness};
pub use listen::Server;
pub use page::{Page, PageReply};

/// How the server listens: `[http]` of the configuration.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What providers and people see. May have a path, which a proxy may remove on the way or leave.
    pub public_url: Option<Url>,
    /// The proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
}

/// The accounts that webhooks may be for.
pub type Accounts = Arc<HashMap<AccountName, Arc<dyn Account>>>;

/// What requests are answered with.
#[derive(Clone)]
pub struct HttpState {
    /// Every account of every gateway.
    pub accounts: Accounts,
    /// Where their events are committed.
    pub inbox: Arc<dyn Inbox>,
    /// What signatures' ages are measured by.
    pub clock: Arc<dyn Clock>,
    /// What `/metrics` shows, and where requests are counted.
    pub metrics: Metrics,
    /// What `/readyz` asks.
    pub ready: Arc<dyn Readiness>,
    /// The page at `/simulator/`; without it there is none.
    pub simulator: Option<Arc<dyn Page>>,
    /// What is given out at `/files/`; without it there is nothing.
    pub files: Option<Files>,
    /// The operator's page at `/admin/`; without it there is none.
    pub admin: Option<Arc<dyn Page>>,
}
