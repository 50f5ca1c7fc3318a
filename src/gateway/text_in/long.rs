//! A text that is too long for a chat comes with a file that holds it whole.

use bytes::Bytes;
use transom_adapter::{Attachment, Incoming};

use super::pieces::is_beyond;
use crate::gateway::files::{self, FilePolicy};

/// Its name, the same in every language: clients and people know the extension.
const NAME: &str = "message.txt";
const TYPE: &str = "text/plain";

/// Attaches the text to a message, where it is too long for the chat and such a file may be kept. Before the message is decided on, so
/// that the file is on the disk before the commit like any other.
pub fn attach(policy: &FilePolicy, message: &mut Incoming) {
    let bytes = message.text.len() as u64;
    if bytes > policy.size_bytes_max || !is_beyond(&message.text) {
        return;
    }
    message.attachments.push(Attachment {
        name: NAME.to_owned(),
        content_type: TYPE.to_owned(),
        bytes,
        content: Some(Bytes::copy_from_slice(message.text.as_bytes())),
    });
}

/// The place of that file among those of the message.
pub(super) fn place(policy: &FilePolicy, message: &Incoming) -> Option<i64> {
    let last = message.attachments.last()?;
    let content = last.content.as_ref()?;
    let is_text = last.name == NAME && *content == message.text.as_bytes();
    let kept = files::kept(policy, message).count();
    let place = i64::try_from(kept).ok()? - 1;
    (is_text && is_beyond(&message.text)).then_some(place)
}
