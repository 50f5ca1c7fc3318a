//! Leaving a list: by one click (RFC 8058) where its signature vouches for that, else by a mail (RFC 2369 §3.2).

use super::{Intake, Place};
use crate::{
    gateway::payload::{LeavingMail, StoredUnsubscribe},
    texts::{Post, Text},
    xmpp::stanza::{Message, Stanza},
};

/// What RFC 8058 §3.1 has a POST say.
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";
/// What a mail says where the list asks for no words.
const WORD: &str = "unsubscribe";

pub(super) async fn leave(intake: &Intake, place: &Place<'_>) -> Result<Vec<Stanza>, Text> {
    let found = place
        .mail(intake, place.about, |mail| mail.unsubscribe.take())
        .await?;
    let (kept, ways) = found.ok_or(Text::from(Post::NoList))?;
    let StoredUnsubscribe { one_click, mail } = ways;
    if let Some(url) = one_click {
        let posted = intake.files.http.post_form(&url, ONE_CLICK).await;
        match &posted {
            Ok(()) => return Ok(vec![place.say(intake, Post::Unsubscribed)]),
            Err(error) => {
                tracing::info!(%error, "A list's unsubscription by one click failed.");
            }
        }
    }
    let mail = mail.ok_or(Text::from(Post::ListDoesNotLetGo))?;
    let LeavingMail { to, subject, body } = mail;
    let contact = place.contact_of(intake, &kept, &to).await;
    let contact = contact.ok_or(Text::from(Post::ListDoesNotLetGo))?;
    let subject = subject.unwrap_or_else(|| WORD.to_owned());
    let message = Message::chat(place.from.clone(), contact)
        .with_subject(subject)
        .with_body(body.unwrap_or_else(|| WORD.to_owned()));
    Ok(match place.send(intake, message).await? {
        Some(refused) => vec![refused],
        None => vec![place.say(intake, Post::UnsubscribeMailed)],
    })
}
