//! What commands see of the running process.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use transom_adapter::{AccountName, AccountState, Lifecycle};

use super::{App, StartError, base::Base, found, readiness};
use crate::{
    accounts::OwnBoard,
    config::AccessList,
    gateway::Gateway,
    intake::{Rosters, Trial},
    operations::{
        AccountNow, LinkNow, Operations, Running,
        codes::Codes,
        control::{Control, places},
        mailboxes::Asked,
        once::Once,
        restored,
    },
    queue::{AccountStates, Queue, Standing, Teller},
    seal::KeyRing,
    xmpp::{
        jid::BareJid,
        stanza::{Message, Stanza},
        stream::{LinkHandle, LinkState},
    },
};

/// The living parts that operations touch.
pub(super) struct Live {
    pub(super) queue: Queue,
    pub(super) teller: Teller,
    /// Key and name of the gateway, and its link.
    pub(super) links: Vec<(i64, String, LinkHandle)>,
    /// By the gateway's key.
    pub(super) rosters: HashMap<i64, Rosters>,
    /// Whose servers the links are for.
    pub(super) allow: AccessList,
    /// Key of the gateway, and where its trials go.
    pub(super) trials: Vec<(i64, mpsc::Sender<Trial>)>,
    /// Where the accounts stand.
    pub(super) states: AccountStates,
    /// Where those stand that users brought.
    pub(super) own: OwnBoard,
    pub(super) lifecycle: Lifecycle,
    /// Changes the log's level, if that level exists.
    pub(super) log_level: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

/// Listens for commands. A process that cannot is of use all the same: it only says so.
pub(super) fn start(app: &App, operations: &Arc<Operations>, lifecycle: &Lifecycle) {
    let Some(path) = places(&app.config).into_iter().next() else {
        return;
    };
    match Control::bind(&path) {
        Ok(control) => {
            let serving = control.serve(Arc::clone(operations), lifecycle.clone());
            lifecycle.spawn("control", serving);
        }
        Err(error) => tracing::warn!(
            path = %path.display(),
            error = &error as &dyn std::error::Error,
            "Cannot listen for commands: `transom user` and the like will not work while this process runs."
        ),
    }
}

pub(super) fn operations(
    base: &Base,
    gateways: Vec<Arc<Gateway>>,
    (once, keys): (Once, Option<KeyRing>),
    running: Option<Arc<dyn Running>>,
) -> Operations {
    Operations {
        store: base.store.clone(),
        writer: base.writer.clone(),
        clock: Arc::clone(&base.clock),
        ids: base.ids.clone(),
        gateways,
        keys,
        asked: Asked::default(),
        codes: Codes::default(),
        once: Arc::new(once),
        running,
    }
}

/// Semantics 36: yesterday's backup must not send yesterday's messages again.
pub(super) async fn hold_if_copy(base: &Base) -> Result<(), StartError> {
    let held = restored::hold_if_copy(&base.store, &base.writer).await;
    let held = held.map_err(|error| StartError::System(error.to_string()))?;
    if let Some(messages) = held {
        tracing::warn!(
            messages,
            "This database was put back from a copy: what it had queued may have been sent since, and is held. See `transom queue list`, then `transom queue release` or `transom queue cancel`."
        );
    }
    Ok(())
}

#[async_trait]
impl Running for Live {
    async fn look_again(&self) {
        self.queue.changed().await;
        self.own.ring();
    }

    fn tell(&self, deliveries: Vec<i64>) {
        self.teller.tell(deliveries);
    }

    async fn introduce(&self, gateway_id: i64, user: &BareJid, contacts: Vec<BareJid>) {
        if let Some(rosters) = self.rosters.get(&gateway_id) {
            rosters.imported(user, contacts).await;
        }
    }

    fn left(&self, gateway_id: i64, user: &BareJid, contacts: Vec<String>) {
        if let Some(rosters) = self.rosters.get(&gateway_id) {
            rosters.left(user, contacts);
        }
    }

    async fn send(&self, gateway_id: i64, stanzas: Vec<Stanza>) {
        let link = self.links.iter().find(|(id, _, _)| *id == gateway_id);
        let (Some((_, _, link)), Some(rosters)) = (link, self.rosters.get(&gateway_id)) else {
            return;
        };
        for stanza in stanzas {
            // What is said at the desk is said once; without a link it is not.
            rosters.send(link, stanza).await;
        }
    }

    async fn try_message(&self, gateway_id: i64, message: Message) -> Option<Vec<Stanza>> {
        let (_, trials) = self.trials.iter().find(|(id, _)| *id == gateway_id)?;
        let (answer, answered) = oneshot::channel();
        trials.send(Trial { message, answer }).await.ok()?;
        answered.await.ok()
    }

    fn own_account(&self, account_id: i64) -> Option<AccountState> {
        self.own.state(account_id)
    }

    fn go_on(&self, work: BoxFuture<'static, ()>) {
        let life = self.lifecycle.clone();
        self.lifecycle.spawn("operation", async move {
            tokio::select! {
                () = work => {}
                () = life.draining() => {}
            }
        });
    }

    fn log_level(&self, level: &str) -> bool {
        (self.log_level)(level)
    }

    fn links(&self) -> Vec<LinkNow> {
        let now = |(_, gateway, link): &(i64, String, LinkHandle)| {
            let state = link.state().borrow().clone();
            let remedies = match &state {
                LinkState::Down { error, .. } => {
                    let remedy = link.remedy(error);
                    vec![remedy.prosody, remedy.ejabberd]
                }
                _ => Vec::new(),
            };
            LinkNow {
                gateway: gateway.clone(),
                up: matches!(state, LinkState::Up { .. }),
                detail: readiness::describe(&state),
                remedies,
                found: Vec::new(),
            }
        };
        self.links.iter().map(now).collect()
    }

    async fn found(&self, gateway: &str) -> Vec<String> {
        let link = self.links.iter().find(|(_, name, _)| name == gateway);
        let link = link.and_then(|(id, _, link)| Some((link, self.rosters.get(id)?)));
        match link {
            Some((link, rosters)) => found::servers(link, &rosters.announced(), &self.allow).await,
            None => Vec::new(),
        }
    }

    fn accounts(&self) -> Vec<AccountNow> {
        let board = self.states.now();
        let now = |(name, standing): (&AccountName, &Standing)| {
            let (up, failure) = match &standing.state {
                AccountState::Up => (true, None),
                AccountState::Down(failure) | AccountState::LoggedOut(failure) => {
                    (false, Some(failure))
                }
            };
            AccountNow {
                account: name.to_string(),
                up,
                detail: failure.map(readiness::words).unwrap_or_default(),
                since_ms: standing.since.0,
            }
        };
        board.iter().map(now).collect()
    }
}
