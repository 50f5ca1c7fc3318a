//! Whom a user writes with, and whom not.

use transom_adapter::Address;

use super::Me;
use crate::{
    operations::{Blocked, Contact, OptedOut, Refusal, Reply, time, users::contact},
    store::{read::ContactListed, write::Operation},
};

/// Contacts in a list that is shown.
pub(super) const CONTACTS: i64 = 200;
/// Characters of a name.
const NAME_MAX: usize = 100;

impl Me<'_> {
    pub(super) async fn contacts(&self, limit: i64) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let rows = self.on.store.contacts_listed(user_id, limit).await?;
        let shown = |row: ContactListed| Contact {
            contact: contact(Some(self.gateway), &row.peer),
            peer: row.peer,
            name: row.name,
            line: row.line,
            active: time(row.active_ms),
            blocked: row.blocked,
        };
        Ok(Reply::Contacts(rows.into_iter().map(shown).collect()))
    }

    pub(super) async fn rename(&self, peer: &str, name: &str) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let peer = self.known(user_id, peer).await?;
        let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let name: String = name
            .chars()
            .filter(|c| !c.is_control())
            .take(NAME_MAX)
            .collect();
        let operation = Operation::NameContact {
            user_id,
            peer: peer.clone(),
            name: Some(name.clone()).filter(|name| !name.is_empty()),
            yields: false,
        };
        self.on.operate(operation).await?;
        Ok(Reply::ContactRenamed { peer, name })
    }

    pub(super) async fn forget(&self, peer: &str) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let peer = self.known(user_id, peer).await?;
        let operation = Operation::ForgetContact {
            user_id,
            peer: peer.clone(),
        };
        if !self.on.operate(operation).await? {
            return Err(Refusal::StillWaits { peer });
        }
        self.on.look_again().await;
        Ok(Reply::ContactRemoved { peer })
    }

    pub(super) async fn block(&self, peer: &str, blocked: bool) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let peer = self.read(peer)?.as_str().to_owned();
        let operation = Operation::Block {
            gateway_id: self.gateway.id,
            user_id,
            peer: peer.clone(),
            blocked,
            at_ms: self.on.now_ms(),
        };
        // Whoever is blocked is asked about no longer; whoever was blocked already is blocked.
        if !self.on.operate(operation).await? && !blocked {
            return Err(Refusal::NotBlocked { peer });
        }
        let gateways = Vec::new();
        Ok(Reply::Block {
            peer,
            gateways,
            blocked,
        })
    }

    pub(super) async fn blocks(&self, limit: i64) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let rows = self
            .on
            .store
            .blocks_of(self.gateway.id, user_id, limit)
            .await?;
        let gateway = &self.gateway.config.name;
        let blocked = |(peer, since_ms): (String, i64)| Blocked {
            peer,
            gateway: gateway.clone(),
            since: time(since_ms),
        };
        Ok(Reply::Blocks(rows.into_iter().map(blocked).collect()))
    }

    pub(super) async fn optouts(&self, limit: i64) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let listed = self.on.store.optouts_of(user_id, limit).await?;
        Ok(Reply::Optouts(
            listed.into_iter().map(OptedOut::from).collect(),
        ))
    }

    /// The peer, if there is a conversation with it.
    async fn known(&self, user_id: i64, peer: &str) -> Result<String, Refusal> {
        let peer = self.read(peer)?.as_str().to_owned();
        if self.on.store.knows_peer(user_id, &peer).await? {
            Ok(peer)
        } else {
            Err(Refusal::NoSuchContact { peer })
        }
    }

    /// The address that somebody wrote: as people do, or the contact's whole JID.
    pub(super) fn read(&self, typed: &str) -> Result<Address, Refusal> {
        let own = format!("@{}", self.gateway.config.domain);
        let typed = typed.trim();
        if let Some(local) = typed.strip_suffix(&own)
            && let Ok(contact) = self.gateway.contact(local)
        {
            return Ok(contact.peer);
        }
        self.gateway
            .read_typed(typed)
            .map_err(|_| Refusal::BadPeer {
                peer: typed.chars().take(100).collect(),
            })
    }
}
