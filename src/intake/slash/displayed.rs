//! Telling a sender who asked that a mail was displayed (RFC 8098), if the user wants that: once, and without trying again. It is a
//! courtesy, and nobody waits for it.

use std::time::Duration;

use transom_adapter::{
    AccountName, Address, Attempt, Displayed, Key, MailWish, Outcome, Outgoing, Thread,
};

use super::{Intake, Place, read};
use crate::{
    gateway::{ids, payload::AskedDisplayed, settings::Settings},
    texts::{Post, Text},
    xmpp::stanza::Stanza,
};

pub(super) async fn note(
    intake: &Intake,
    place: &Place<'_>,
    stanza_id: &str,
) -> Result<Vec<Stanza>, Text> {
    let about = Some(ids::message_of(stanza_id));
    let found = place
        .mail(intake, about, |mail| Some(std::mem::take(mail)))
        .await?;
    let Some((kept, mail)) = found else {
        return Ok(Vec::new());
    };
    // Whatever program it was read in first has asked its user about the confirmation.
    let is_read_here = read::here(intake, place, (&kept, &mail)).await?;
    let Some(asked) = mail.asks_displayed.filter(|_| is_read_here) else {
        return Ok(Vec::new());
    };
    let says = Settings::from_json(&kept.settings).says_displayed();
    // Committed before it is sent: several devices, and a kill, make it no second one.
    if says && read::once(intake, "displayed", kept.message_id).await {
        send(intake, (kept.line, kept.subject), asked, mail.own_account).await;
    }
    Ok(Vec::new())
}

/// It leaves by the account that the mail came by, where that is the user's own.
async fn send(
    intake: &Intake,
    (line, subject): (String, Option<String>),
    asked: AskedDisplayed,
    own_account: Option<String>,
) {
    let own = own_account.map(|short| AccountName::new(&intake.gateway.config.name, &short));
    let lang = intake.gateway.lang(None);
    let text = |post: Post| Text::from(post).render(lang);
    let subject = subject.unwrap_or_default();
    let outgoing = Outgoing {
        key: Key(intake.next_id()),
        from: Address::new(line),
        from_name: None,
        to: Address::new(asked.to),
        text: text(Post::WasDisplayed {
            subject: subject.clone(),
        }),
        thread: Some(Thread {
            subject: text(Post::Seen {
                subject: subject.clone(),
            }),
            ..Thread::default()
        }),
        created_at: intake.clock.now(),
        routes: own.into_iter().collect(),
        files: Vec::new(),
        group: None,
        mail: MailWish {
            displayed: Some(Displayed {
                message_id: asked.message_id,
                subject: Some(subject),
            }),
            ..MailWish::default()
        },
    };
    let adapter = &intake.gateway.adapter;
    let plan = adapter.plan(&outgoing);
    let route = plan.ok().and_then(|plan| plan.routes.into_iter().next());
    let account = route.and_then(|route| {
        let mut accounts = adapter.accounts().into_iter();
        let configured = accounts.find(|account| *account.name() == route.account);
        configured.or_else(|| intake.brought.get(&route.account))
    });
    let Some(account) = account else { return };
    let attempt = Attempt {
        number: 1,
        unit: 0,
        started_at: intake.clock.now(),
    };
    let deadline = Duration::from_secs(account.capabilities().send_seconds_max.into());
    let sent = tokio::time::timeout(deadline, account.send(&outgoing, attempt)).await;
    if !matches!(sent, Ok(Outcome::Accepted { .. })) {
        tracing::info!("A note that a mail was displayed was not taken; it is not tried again.");
    }
}
