//! What the owner of an account is told.

use transom_adapter::Clock;

use crate::{
    gateway::Gateway,
    store::{
        Write, Writer,
        read::OwnAccountRow,
        write::{Operation, OwnAccount as Change},
    },
    texts::{Lang, Own, Text},
    xmpp::{jid::BareJid, stream::LinkHandle},
};

/// Says once that the login is refused; it counts as said when the user's server has it.
pub(super) async fn tell(
    gateway: &Gateway,
    link: &LinkHandle,
    row: &OwnAccountRow,
    clock: &dyn Clock,
    writer: &Writer,
) {
    let Ok(user) = BareJid::new(&row.jid) else {
        return;
    };
    let lang = Lang::negotiate(row.lang.as_deref(), gateway.config.lang);
    let text = Text::from(Own::LoginRefused {
        address: row.address.clone(),
        problem: row.problem.clone().unwrap_or_default(),
    });
    let said = gateway.say(&user, text.render(lang), lang, clock.now());
    if !link.is_up() || link.send_tracked(vec![said]).await.is_err() {
        // The next look says it.
        return;
    }
    let told = Change::Told {
        account_id: row.account_id,
        version_ms: row.version_ms,
    };
    let told = writer
        .commit_one(Write::Operation(Operation::Own(told)))
        .await;
    if let Err(error) = told {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "It is not kept that a user was told of a refused login; it may be told again."
        );
    }
}
