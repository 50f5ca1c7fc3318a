//! `/original` in the chat with a contact: the whole mail as it came, as a file. With a reply to one of the contact's messages (XEP-0461)
//! that one's, else the last one's. Nothing of it leaves.

use tokio::sync::mpsc;
use transom_adapter::Network;

use super::Intake;
use crate::{
    files::{kind::Kind, upload::NotUploaded},
    gateway::{Gateway, refusal, text_in},
    store::write::FileRow,
    texts::{Cap, Post, Text},
    xmpp::{
        jid::BareJid,
        stanza::{Message, Stanza},
        xep::sharing::{self, Shared},
    },
};

/// Requests that may wait; more are told to come back.
const WAITING_MAX: usize = 64;
/// What is written for it.
const COMMAND: &str = "/original";

/// Where requests for originals go.
#[derive(Clone, Debug)]
pub(super) struct Originals(mpsc::Sender<Message>);

/// Whether a message asks for an original.
pub(super) fn asks(gateway: &Gateway, message: &Message) -> bool {
    let is_command = |body: &str| body.trim().eq_ignore_ascii_case(COMMAND);
    gateway.network() == Network::Email
        && message.to.as_ref().is_some_and(|to| to.node().is_some())
        && message
            .body()
            .is_some_and(|body| is_command(&last_line(&body)))
}

/// What was written below a quotation, which some clients put before a reply.
fn last_line(body: &str) -> String {
    let own = body.lines().filter(|line| !line.starts_with('>'));
    own.collect::<Vec<_>>().join("\n")
}

/// Starts the task; it ends when the intake does.
pub(super) fn start(intake: &Intake) -> Originals {
    let (asks, mut inbox) = mpsc::channel::<Message>(WAITING_MAX);
    let task = intake.clone();
    intake.lifecycle.spawn("intake.originals", async move {
        while let Some(message) = inbox.recv().await {
            let answer = match answer(&task, &message).await {
                Ok(given) => Some(given),
                Err(why) => refused(&task, &message, &why),
            };
            if let Some(answer) = answer {
                // The link may have gone meanwhile: whoever still wants it asks again.
                task.link.send(answer).await.ok();
            }
        }
    });
    Originals(asks)
}

impl Originals {
    pub(super) async fn take(&self, intake: &Intake, message: Message) {
        if let Err(full) = self.0.try_send(message)
            && let Some(answer) = refused(intake, &full.into_inner(), &Cap::Busy.into())
        {
            intake.link.send(answer).await.ok();
        }
    }
}

fn refused(intake: &Intake, message: &Message, why: &Text) -> Option<Stanza> {
    let lang = intake.gateway.lang(message.lang.as_deref());
    let error = message.error_reply(&refusal::error(why, lang));
    error.map(Stanza::from)
}

async fn answer(intake: &Intake, message: &Message) -> Result<Stanza, Text> {
    let nothing = || Text::from(Post::NoOriginal);
    let (Some(from), Some(to)) = (&message.from, &message.to) else {
        return Err(nothing());
    };
    let local = to.node().ok_or_else(nothing)?;
    let contact = intake.gateway.contact(local.as_str());
    let contact = contact.map_err(|_| nothing())?;
    let user = from.to_bare();
    let about = message.reply_to().map(text_in::message_of);
    let pair = (user.as_str(), contact.peer.as_str());
    let found = intake.store.original_of(intake.gateway.id, pair, about);
    let row = found.await.map_err(|_| Text::from(Cap::Busy))?;
    let row = row.ok_or_else(nothing)?;
    let url = given_out(intake, &user, &row).await?;
    let shared = Shared {
        url,
        name: Some(row.name),
        media_type: Some(row.content_type),
        bytes: u64::try_from(row.bytes).ok(),
        sha256: row.digest.and_then(|digest| hex::decode(digest).ok()),
    };
    let id = text_in::stanza_id(intake.clock.now());
    let mut given = Message::chat(to.to_bare(), user)
        .with_id(id.clone())
        .with_origin_id(id)
        .with_body(shared.url.as_str());
    given.children.extend(sharing::elements(&shared));
    Ok(given.into())
}

/// Where the user gets it: from the server's upload service, else from us.
async fn given_out(intake: &Intake, user: &BareJid, row: &FileRow) -> Result<String, Text> {
    let kind = Kind {
        name: row.name.clone(),
        content_type: row.content_type.clone(),
    };
    let content = intake.files.blobs.read(&row.token).await;
    let content = content.map_err(|_| Text::from(Post::NoOriginal))?;
    let uploads = &intake.files.uploads;
    let now = intake.clock.now();
    let put = uploads.put(&intake.link, user.domain().as_str(), &kind, content, now);
    let own = || intake.gateway.files.url(&row.token, &row.name);
    match put.await {
        Ok(url) => Ok(url),
        Err(NotUploaded::NoService) => own().ok_or(Text::from(Post::NoWayToGive)),
        Err(NotUploaded::Transient(_)) => own().ok_or(Text::from(Cap::Busy)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_before_the_command_is_no_part_of_it() {
        for body in [
            "/original",
            " /Original\n",
            "> what he wrote\n> more\n/original",
        ] {
            assert_eq!(last_line(body).trim().to_lowercase(), COMMAND, "{body}");
        }
        assert_ne!(last_line("/original please").trim(), COMMAND);
    }
}
