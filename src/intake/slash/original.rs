//! The whole mail as it came, as a file: the one that is answered (XEP-0461), else the last one.

use super::{Intake, Place};
use crate::{
    files::{kind::Kind, upload::NotUploaded},
    gateway::ids,
    store::write::FileRow,
    texts::{Cap, Post, Text},
    xmpp::{
        stanza::{Message, Stanza},
        xep::sharing::{self, Shared},
    },
};

pub(super) async fn give(intake: &Intake, place: &Place<'_>) -> Result<Vec<Stanza>, Text> {
    let pair = (place.user.as_str(), place.peer.as_str());
    let store = &intake.store;
    let found = store
        .original_of(intake.gateway.id, pair, place.about)
        .await;
    let row = found.map_err(|_| Text::from(Cap::Busy))?;
    let row = row.ok_or(Text::from(Post::NoOriginal))?;
    let url = given_out(intake, place, &row).await?;
    let shared = Shared {
        url,
        name: Some(row.name),
        media_type: Some(row.content_type),
        bytes: u64::try_from(row.bytes).ok(),
        sha256: row.digest.and_then(|digest| hex::decode(digest).ok()),
    };
    let id = ids::stanza_id(intake.clock.now());
    let mut given = Message::chat(place.contact.clone(), place.user.clone())
        .with_id(id.clone())
        .with_origin_id(id)
        .with_body(shared.url.as_str());
    given.children.extend(sharing::elements(&shared));
    Ok(vec![given.into()])
}

/// Where the user gets it: from the server's upload service, else from us.
async fn given_out(intake: &Intake, place: &Place<'_>, row: &FileRow) -> Result<String, Text> {
    let kind = Kind {
        name: row.name.clone(),
        content_type: row.content_type.clone(),
    };
    let content = intake.files.blobs.read(&row.token).await;
    let content = content.map_err(|_| Text::from(Post::NoOriginal))?;
    let uploads = &intake.files.uploads;
    let (now, domain) = (intake.clock.now(), place.user.domain());
    let put = uploads.put(&intake.link, domain.as_str(), &kind, content, now);
    let own = || intake.gateway.files.url(&row.token, &row.name);
    match put.await {
        Ok(url) => Ok(url),
        Err(NotUploaded::NoService) => own().ok_or(Text::from(Post::NoWayToGive)),
        Err(NotUploaded::Transient(_)) => own().ok_or(Text::from(Cap::Busy)),
    }
}
