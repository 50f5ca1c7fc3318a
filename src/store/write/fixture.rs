//! Messages that tests begin with; what a test is about, it says itself.

use super::{ConversationRow, NewOut};

/// A chat with one person, of user 10 by line 20 of gateway 1.
pub(crate) fn conversation(conversation_id: i64, peer: &str, at_ms: i64) -> ConversationRow {
    ConversationRow {
        conversation_id,
        gateway_id: 1,
        user_id: 10,
        line_id: 20,
        peer: peer.to_owned(),
        peer_name: None,
        at_ms,
        plain_ms: at_ms,
        shown_thread: None,
        members: 1,
        answers_to: None,
        group: Vec::new(),
    }
}

/// What alice wrote in it: a text of one segment that waits, by no account yet.
pub(crate) fn written(message_id: i64, conversation: ConversationRow) -> NewOut {
    NewOut {
        conversation,
        message_id,
        body: "hi".to_owned(),
        fleeting: false,
        payload: None,
        stanza_id: format!("s{message_id}"),
        repeat_key: None,
        full_jid: "alice@example.org/x".to_owned(),
        receipt: false,
        units: 1,
        segments: 1,
        routes: "[]".to_owned(),
        thread: None,
        ids: Vec::new(),
        day: 0,
        files: Vec::new(),
        held_until_ms: None,
        reached: 1,
        recipient: None,
        further: Vec::new(),
    }
}
