//! An address book that is attached in the chat with the gateway: what it holds takes the place of its link.

use std::{path::Path, time::Duration};

use tokio::{sync::mpsc, time::timeout};

use super::Intake;
use crate::{
    files::kind,
    operations::cards,
    xmpp::{
        stanza::{Message, MessageType, Stanza},
        xep::sharing::{self, Shared},
    },
};

/// How long its server may take; longer, and the link stays what it is.
const PATIENCE: Duration = Duration::from_secs(30);
const EXTENSIONS: [&str; 2] = ["vcf", "vcard"];
const TYPES: [&str; 3] = ["text/vcard", "text/x-vcard", "text/directory"];

/// Fetches it under the guard and puts it back among what is said, as the command that it means; `false`: there is none.
pub(super) fn bring(intake: &Intake, stanza: &Stanza, back: &mpsc::WeakSender<Stanza>) -> bool {
    let Stanza::Message(message) = stanza else {
        return false;
    };
    let Some(book) = attached(intake, message) else {
        return false;
    };
    let (message, back) = (message.clone(), back.clone());
    let http = intake.files.http.clone();
    intake.lifecycle.spawn("intake.card", async move {
        let fetching = http.fetch(&book.url, cards::FILE_BYTES_MAX, None);
        let fetched = timeout(PATIENCE, fetching).await;
        let text = match fetched {
            Ok(Ok(fetched)) => cards::essence(&String::from_utf8_lossy(&fetched.content)),
            Ok(Err(failure)) => {
                tracing::info!(%failure, "An address book cannot be fetched.");
                String::new()
            }
            Err(_) => String::new(),
        };
        // Without any card the command says what it wants.
        let text = if text.is_empty() { "-" } else { &text };
        let mut said = Message {
            children: Vec::new(),
            ..message
        };
        said = said.with_body(format!("import {text}"));
        if let Some(back) = back.upgrade() {
            back.try_send(said.into()).ok();
        }
    });
    true
}

/// The address book of somebody who may use the gateway.
fn attached(intake: &Intake, message: &Message) -> Option<Shared> {
    let is_chat = matches!(message.kind, MessageType::Chat | MessageType::Normal);
    let speaker = message.from.as_ref().filter(|from| from.node().is_some())?;
    if !is_chat || !intake.gateway.admits(&speaker.to_bare()) {
        return None;
    }
    sharing::files(message).into_iter().find(is_book)
}

fn is_book(file: &Shared) -> bool {
    let said = file.media_type.as_deref().and_then(kind::plain_type);
    if said.is_some_and(|said| TYPES.contains(&said.as_str())) {
        return true;
    }
    let path = file.url.split(['?', '#']).next().unwrap_or_default();
    let name = Path::new(file.name.as_deref().unwrap_or(path));
    let extension = name.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}
