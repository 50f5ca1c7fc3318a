//! STOP and START (semantics 33).

use transom_adapter::{AccountName, Incoming, Key, MailWish, Outgoing, UnixMillis};

use crate::{
    gateway::{
        Gateway, caps, group, ids,
        payload::{Payload, StoredWord},
        routes::{id_rows, stored_routes},
    },
    store::{
        StoredRoute,
        read::{InwardRow, LineFound},
        write::{Confirm, ConversationRow, NewOut, OptOut, Seen},
    },
    texts::{Text, Written},
};

/// A lone word, whatever its case, as people and providers know them.
const STOP: [&str; 8] = [
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
];
const START: [&str; 3] = ["start", "unstop", "yes"];

/// A pair is sent one confirmation in so long, whatever it says meanwhile.
const CONFIRM_AGAIN_MS: i64 = 24 * 3_600_000;

/// Whether the message is such a word. A mail that says STOP is none.
pub(super) fn word(message: &Incoming) -> Option<StoredWord> {
    if message.subject.is_some() || message.message_id.is_some() {
        return None;
    }
    let word = message.text.trim().to_lowercase();
    if STOP.contains(&word.as_str()) {
        return Some(StoredWord::Stop);
    }
    START.contains(&word.as_str()).then_some(StoredWord::Start)
}

/// What the user is told beside it: nothing of a "yes" that takes nothing back.
pub(super) fn told(message: &Incoming, line: &LineFound) -> Option<StoredWord> {
    word(message).filter(|word| *word == StoredWord::Stop || line.opted_out)
}

/// What it changes.
pub(super) fn opt_out(message: &Incoming, line: &LineFound, now: UnixMillis) -> Option<OptOut> {
    Some(OptOut {
        line_id: line.line_id,
        peer: message.from.as_str().to_owned(),
        out: word(message)? == StoredWord::Stop,
        at_ms: now.0,
    })
}

/// The one text that confirms a STOP, where the configuration wants that: to somebody who was not opted out before, and once a day at
/// most, so that two machines never keep writing to each other. A START is not confirmed: they see it by what comes.
pub(super) fn confirm(
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    (line, user): (&LineFound, &InwardRow),
    (conversation, ids): (&ConversationRow, &dyn Fn() -> i64),
) -> Option<Box<Confirm>> {
    let is_new = word(message)? == StoredWord::Stop && !line.opted_out;
    if !gateway.config.optout_replies || !is_new {
        return None;
    }
    let now = UnixMillis(conversation.at_ms);
    let (key, lang) = (ids(), gateway.config.lang);
    let outgoing = Outgoing {
        key: Key(key),
        from: message.to.clone(),
        from_name: None,
        to: message.from.clone(),
        text: Text::from(Written::StopConfirmed).render(lang),
        thread: None,
        created_at: now,
        routes: vec![account.clone()],
        files: Vec::new(),
        group: None,
        mail: MailWish::default(),
    };
    // Nobody asked for it: where it cannot be sent it is left out.
    let plan = gateway.adapter.plan(&outgoing).ok()?;
    let routes = stored_routes(&plan);
    let payload = Payload {
        automatic: true,
        ..Payload::default()
    };
    let out = NewOut {
        conversation: conversation.clone(),
        message_id: key,
        body: outgoing.text,
        fleeting: false,
        payload: Some(payload.to_json()),
        stanza_id: ids::stanza_id(now),
        repeat_key: None,
        full_jid: user.jid.clone(),
        receipt: false,
        units: routes.first().map_or(1, |route| route.1),
        segments: plan.segments,
        routes: StoredRoute::to_json(&routes),
        thread: None,
        ids: id_rows(gateway, &plan, key),
        day: caps::day(now),
        files: Vec::new(),
        held_until_ms: None,
        reached: 1,
        // Whoever wrote it in a group, and nobody else of it.
        recipient: group::is_group(&conversation.peer).then(|| message.from.as_str().to_owned()),
        further: Vec::new(),
    };
    let pair = format!("stop {} {}", line.line_id, message.from.as_str());
    let seen = Seen {
        scope_id: gateway.id,
        digest: super::digest(&[pair.as_bytes()]),
        at_ms: now.0,
        stale_ms: now.0 - CONFIRM_AGAIN_MS,
    };
    Some(Box::new(Confirm { seen, out }))
}
