//! Registrations that nobody came back to.

use super::{Reception, Trouble};
use crate::{
    gateway::registration::DISABLED_FOR,
    intake::Intake,
    store::{StoreError, Write, write::Unregister},
    xmpp::jid::BareJid,
};

/// Registrations that end in one pass.
const SWEPT_MAX: i64 = 100;

impl Reception {
    /// Semantics 15: thirty days after the gateway left a roster, line and address are released.
    pub(super) async fn sweep(&self) {
        let Intake {
            store,
            gateway,
            clock,
            ..
        } = &self.intake;
        let at_ms = clock.now().0;
        let before_ms = at_ms - i64::try_from(DISABLED_FOR.as_millis()).unwrap_or(i64::MAX);
        let left = match store
            .disabled_before(gateway.id, before_ms, SWEPT_MAX)
            .await
        {
            Ok(left) => left,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "Cannot read who has left."
                );
                return;
            }
        };
        for jid in left {
            if let Err(trouble) = self.end(jid, before_ms).await {
                tracing::error!(
                    error = &trouble as &dyn std::error::Error,
                    "Cannot end a registration."
                );
                return;
            }
        }
    }

    /// Ends a registration, unless somebody came back to it since it was found.
    pub(super) async fn end(&self, jid: String, before_ms: i64) -> Result<(), Trouble> {
        let contacts = self.known_to(&jid).await?;
        let user = BareJid::new(&jid);
        let over = Write::Unregister(Unregister {
            gateway_id: self.intake.gateway.id,
            jid,
            disabled_before_ms: Some(before_ms),
            at_ms: self.intake.clock.now().0,
        });
        if !self.commit(vec![over]).await? {
            return Ok(());
        }
        if let Ok(user) = user {
            self.intake.rosters.left(&user, contacts);
        }
        Ok(())
    }

    /// Who has to leave the roster with the gateway.
    pub(super) async fn known_to(&self, jid: &str) -> Result<Vec<String>, StoreError> {
        let Intake { store, gateway, .. } = &self.intake;
        store.contacts_seen(gateway.id, jid).await
    }
}
