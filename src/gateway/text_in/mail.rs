//! What only mail has of a message from outside.

use transom_adapter::AccountName;

use super::Arrived;
use crate::{
    gateway::{payload::StoredMail, settings::Settings, threads},
    store::{read::InwardRow, write::IdRow},
};

/// What only mail has. The first of a list says how to leave it.
pub(super) fn mail_facts(
    arrived: &Arrived<'_>,
    thread: Option<&threads::Chosen>,
    user: &InwardRow,
) -> Option<Box<StoredMail>> {
    let message = arrived.message;
    let mut stored = StoredMail::of(message).unwrap_or_default();
    let is_first = thread.is_some() && !user.acquaintance.has_chat;
    stored.says_how_to_leave = is_first && stored.unsubscribe.is_some();
    if arrived.account.own_key().is_some() && !arrived.own {
        let shares = Settings::from_json(&user.acquaintance.settings).shares_read();
        stored.read_id = message.message_id.clone().filter(|_| shares);
        let matters = stored.read_id.is_some() || stored.asks_displayed.is_some();
        stored.own_account = matters.then(|| arrived.account.short().to_owned());
    }
    (*stored != StoredMail::default()).then_some(stored)
}

/// The ids that the message is known under from now on.
pub(super) fn id_rows(
    arrived: &Arrived<'_>,
    mail: Option<&StoredMail>,
    delivery_id: i64,
) -> Vec<IdRow> {
    let account = arrived.account;
    let Some(scope_id) = arrived.gateway.scope_id(account) else {
        return Vec::new();
    };
    let message_id = arrived.message.message_id.clone();
    let message_id = message_id.map(|id| ("message-id", id));
    let read_id = mail.and_then(|mail| mail.read_id.as_ref());
    let read_id = read_id.map(|id| (IN_MAILBOX, in_mailbox(account, id)));
    let row = |(kind, value): (&'static str, String)| IdRow {
        scope_id,
        kind,
        value,
        part: 0,
        delivery_id,
    };
    message_id.into_iter().chain(read_id).map(row).collect()
}

/// The kind of id under which a mail is known that lies in a mailbox of its reader's, and how it is written: one mail may lie in several.
pub const IN_MAILBOX: &str = "in-mailbox";

/// The id of this mail in the mailbox of this account.
pub fn in_mailbox(account: &AccountName, message_id: &str) -> String {
    format!("{} {message_id}", account.short())
}
