//! What the header of a mail says by itself, where nothing else of it is read.

use mail_parser::MessageParser;
use sha2::{Digest, Sha256};
use transom_adapter::Notice;

use super::{ANSWERS_MAX, Letter, Mail, class, repeats, without_lone_returns};
use crate::{headers::Headers, ids::OwnIds};

/// A mail of which only the header is read: it is too large, or it has defeated the decoder.
pub(crate) fn named_only(head: &[u8], sender: Option<&str>, notice: Notice) -> Letter {
    let head = without_lone_returns(head);
    let message = MessageParser::default()
        .parse_headers(&*head)
        .unwrap_or_default();
    let headers = Headers::new(&message, sender);
    let message_id = headers.message_id();
    let digest = Sha256::digest(&*head).into();
    let mail = Mail {
        repeats: repeats(message_id.as_deref(), digest, &head),
        author: headers.author(),
        from: headers.author(),
        from_name: headers.author_name(),
        others: Vec::new(),
        text: String::new(),
        subject: headers.subject(false),
        answers: headers.answers(ANSWERS_MAX),
        message_id,
        class: class::class(&headers),
        sent_at: headers.sent_at(),
        attachments: Vec::new(),
        notice: Some(notice),
        shortened: false,
        suspicions: Vec::new(),
        appointment: None,
        reaction: Vec::new(),
        asks_displayed: None,
        unsubscribe: None,
        original: None,
    };
    Letter {
        mail,
        bounce: None,
        loops: None,
    }
}

/// The Message-ID that a header names; none of our own, which nobody has to read.
pub(crate) fn message_id(head: &[u8], ids: &OwnIds) -> Option<String> {
    let head = without_lone_returns(head);
    let message = MessageParser::default().parse_headers(&*head)?;
    let id = Headers::new(&message, None).message_id()?;
    ids.key_of_message_id(&id).is_none().then_some(id)
}
