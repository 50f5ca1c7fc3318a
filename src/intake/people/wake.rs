//! What is held for users who are there again (semantics 23).

use super::{GREETED_MAX, Reception, Trouble};
use crate::{
    store::{
        Write,
        write::{Done, Wake},
    },
    xmpp::jid::BareJid,
};

impl Reception {
    /// Somebody is there: what is held goes on. Looked for once a minute; only a look that succeeded counts.
    pub(super) async fn look_for_held(&mut self, user: &BareJid) -> Result<(), Trouble> {
        let now_ms = self.intake.clock.now().0;
        if !self.unlooked.remove(user.as_str()) && !self.wakes.allows(user.as_str(), now_ms) {
            return Ok(());
        }
        let looked = self.wake_held(user, now_ms).await;
        if looked.is_err() && self.unlooked.len() < GREETED_MAX {
            self.unlooked.insert(user.to_string());
        }
        looked
    }

    async fn wake_held(&self, user: &BareJid, now_ms: i64) -> Result<(), Trouble> {
        let (store, gateway_id) = (&self.intake.store, self.intake.gateway.id);
        if store.has_held(gateway_id, user.as_str(), now_ms).await? {
            self.wake(user).await?;
        }
        Ok(())
    }

    /// What is held for this user goes on.
    pub(super) async fn wake(&self, user: &BareJid) -> Result<(), Trouble> {
        let wake = Wake {
            gateway_id: self.intake.gateway.id,
            jid: user.to_string(),
            at_ms: self.intake.clock.now().0,
        };
        if self.intake.writer.commit_one(Write::Wake(wake)).await? == Done::Written {
            self.intake.queue.look_again().await;
        }
        Ok(())
    }
}
