//! Registrations that nobody came back to.

use super::Reception;
use crate::{
    gateway::registration::DISABLED_FOR,
    intake::Intake,
    store::{Write, write::Unregister},
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
            let over = Write::Unregister(Unregister {
                gateway_id: gateway.id,
                jid,
                at_ms,
            });
            if let Err(trouble) = self.commit(vec![over]).await {
                tracing::error!(
                    error = &trouble as &dyn std::error::Error,
                    "Cannot end a registration."
                );
                return;
            }
        }
    }
}
