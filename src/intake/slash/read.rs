//! What a user has read, shared between the chat and a mailbox of the user's own, both ways, where the user wants that. A courtesy: tried
//! once, and nobody is told when it fails.

use std::time::Duration;

use transom_adapter::AccountName;

use super::{Intake, Kept, MAILS_MAX, Place};
use crate::{
    gateway::{
        ids,
        payload::{Payload, StoredMail},
        settings::Settings,
        text_in,
    },
    store::{
        Write,
        read::MailRow,
        write::{Done, Seen},
    },
    texts::{Cap, Text},
    xmpp::{
        jid::Jid,
        xep::{markers, privilege::Privileges},
    },
};

/// For the mailbox's answer.
const MARKING_MAX: Duration = Duration::from_secs(30);

/// Notes something that happens to a message once; false when it has happened before, or cannot be noted.
pub(super) async fn once(intake: &Intake, what: &str, message_id: i64) -> bool {
    let done = intake.writer.commit_one(mark(intake, what, message_id));
    done.await.is_ok_and(|done| done == Done::Written)
}

fn mark(intake: &Intake, what: &str, message_id: i64) -> Write {
    Write::Seen(Seen {
        scope_id: intake.gateway.id,
        digest: format!("{what}-{message_id}"),
        at_ms: intake.clock.now().0,
        stale_ms: 0,
    })
}

/// A mail was displayed in the chat: it and those before it (XEP-0333) are read in the mailbox. False when it was read there first, and this
/// is the echo of that.
pub(super) async fn here(
    intake: &Intake,
    place: &Place<'_>,
    (kept, mail): (&Kept, &StoredMail),
) -> Result<bool, Text> {
    let shares = Settings::from_json(&kept.settings).shares_read();
    let (Some(account), Some(_), true) = (&mail.own_account, &mail.read_id, shares) else {
        return Ok(true);
    };
    let pair = (place.user.as_str(), place.peer.as_str());
    let rows = intake
        .store
        .mails_of(intake.gateway.id, pair, None, MAILS_MAX)
        .await
        .map_err(|_| Text::from(Cap::Busy))?;
    let own = |row: MailRow| {
        let mail = Payload::from_json(row.payload.as_deref()).mail?;
        let is_there = mail.own_account.as_ref() == Some(account);
        Some((row.message_id, mail.read_id.filter(|_| is_there)?))
    };
    let until = rows
        .into_iter()
        .filter(|row| row.message_id <= kept.message_id);
    let mails: Vec<(i64, String)> = until.filter_map(own).collect();
    let marks = mails.iter().map(|(id, _)| mark(intake, "read", *id));
    let done = intake.writer.commit(marks.collect()).await;
    // What stands before one that was read is read.
    let is_new = |(_, done): &(_, Done)| *done == Done::Written;
    let new = mails.into_iter().zip(done.unwrap_or_default());
    let read: Vec<String> = new.take_while(is_new).map(|((_, id), _)| id).collect();
    if read.is_empty() {
        return Ok(false);
    }
    let name = AccountName::new(&intake.gateway.config.name, account);
    if let Some(account) = intake.brought.get(&name) {
        // Others' commands do not wait for a mailbox.
        intake.lifecycle.spawn("intake.read", async move {
            tokio::time::timeout(MARKING_MAX, account.mark_read(&read))
                .await
                .ok();
        });
    }
    Ok(true)
}

/// A mail was read in another program: the user's clients are told so in the user's own name (XEP-0356), where the server allows that.
pub(super) async fn elsewhere(intake: &Intake, account: &AccountName, message_id: &str) {
    let gateway = &intake.gateway;
    let id = text_in::in_mailbox(account, message_id);
    let found = intake
        .store
        .mail_by_id(gateway.id, (text_in::IN_MAILBOX, &id))
        .await;
    let Ok(Some(found)) = found else { return };
    if !Settings::from_json(&found.mail.settings).shares_read() {
        return;
    }
    let payload = Payload::from_json(found.mail.payload.as_deref());
    let line = transom_adapter::Address::new(found.mail.line);
    let contact = gateway.jid_of(
        &transom_adapter::Address::new(found.peer),
        payload.pinned.then_some(&line),
    );
    let (Some(contact), Ok(user), Some(stanza_id)) =
        (contact, Jid::new(&found.jid), found.stanza_id)
    else {
        return;
    };
    // Before it is told: what comes back of it, or was our own doing, ends here.
    if !once(intake, "read", found.mail.message_id).await {
        return;
    }
    let announced = intake.rosters.announced();
    let allowed = announced.settled(user.domain().as_str()).await;
    let Some(allowed) = allowed.filter(Privileges::shows_messages) else {
        return;
    };
    let marker =
        markers::displayed(contact, user, &stanza_id).with_id(ids::stanza_id(intake.clock.now()));
    let told = text_in::in_the_users_name(gateway, &allowed, marker);
    intake.link.send(told).await.ok();
}
