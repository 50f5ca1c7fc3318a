//! One message's whole life: when it came, where it went, what was said of it. Never its text.

use sha2::{Digest, Sha256};
use transom_adapter::Key;

use super::{
    Direction, ExternalId, Life, Operations, Refusal, Reply, StanzaSeen, queue::key, time,
    users::contact,
};
use crate::store::{
    read::{ExternalRow, LifeRow, StanzaRow, UnownedRow},
    write::{RESTORED, State},
};

/// Messages shown of one id: scripts reuse stanza ids.
const MESSAGES: i64 = 20;
/// What an outside network takes as an id ends there (RFC 5322 lines do).
const ID_BYTES_MAX: usize = transom_adapter::ExternalId::VALUE_BYTES_MAX;

pub(super) async fn trace(on: &Operations, id: &str) -> Result<Reply, Refusal> {
    let id = id.trim();
    let bare = id
        .strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id);
    let missing = || Refusal::NoSuchMessage {
        id: id.chars().take(100).collect(),
    };
    if bare.is_empty() || bare.len() > ID_BYTES_MAX {
        return Err(missing());
    }
    // As the intake knows repeats of an origin-id.
    let repeat_key = format!("o{}", hex::encode(Sha256::digest(bare.as_bytes())));
    let found = on
        .store
        .deliveries_named(key(bare), bare, &repeat_key, MESSAGES)
        .await?;
    let mut lives = Vec::new();
    for delivery_id in found {
        lives.extend(on.store.life(delivery_id).await?.map(|row| life(on, row)));
    }
    if let (true, Some(key)) = (lives.is_empty(), key(bare)) {
        let unowned = on.store.unowned(key).await?;
        lives.extend(unowned.map(|row| unowned_life(on, &row)));
    }
    if lives.is_empty() {
        return Err(missing());
    }
    Ok(Reply::Messages(lives))
}

pub(super) fn life(on: &Operations, row: LifeRow) -> Life {
    let waiting = row.waiting;
    let restored = waiting.code.as_deref() == Some(RESTORED);
    let state = match waiting.state {
        Some(State::Held) if restored => RESTORED,
        Some(state) => state.as_str(),
        None => "unknown",
    };
    let waits = matches!(state, "held" | "queued" | "sending");
    Life {
        id: waiting.id.to_string(),
        key: Key(waiting.id).to_string(),
        contact: contact(on.by_name(&waiting.gateway), &waiting.peer),
        gateway: waiting.gateway,
        direction: Direction::from_word(&waiting.direction),
        user: waiting.jid,
        line: waiting.line,
        peer: waiting.peer,
        state: state.to_owned(),
        accepted: time(waiting.created_ms),
        started: row.started_ms.map(time),
        ended: row.done_ms.map(time),
        due: waiting.due_ms.filter(|_| waits).map(time),
        attempts: waiting.attempts,
        account: row.account,
        providers: row.routes,
        units: row.units,
        units_done: row.units_done,
        segments: row.segments,
        reason: waiting.reason,
        code: waiting.code,
        told: row.told,
        to_tell: row.tell,
        text_is_kept: row.has_body,
        stanzas: row.stanzas.into_iter().map(stanza).collect(),
        network_ids: row.ids.into_iter().map(external).collect(),
    }
}

pub(super) fn unowned_life(on: &Operations, row: &UnownedRow) -> Life {
    let gateway = on
        .gateways
        .iter()
        .find(|gateway| gateway.id == row.gateway_id);
    Life {
        id: row.unowned_id.to_string(),
        key: Key(row.unowned_id).to_string(),
        gateway: gateway.map_or_else(String::new, |gateway| gateway.config.name.clone()),
        direction: Direction::In,
        user: None,
        line: row.line.clone(),
        peer: row.peer.clone(),
        contact: contact(gateway.map(|gateway| &**gateway), &row.peer),
        state: "unowned".to_owned(),
        accepted: time(row.at_ms),
        started: None,
        ended: None,
        due: None,
        attempts: 0,
        account: None,
        providers: Vec::new(),
        units: 1,
        units_done: 0,
        segments: 0,
        reason: None,
        code: None,
        told: None,
        to_tell: None,
        text_is_kept: true,
        stanzas: Vec::new(),
        network_ids: Vec::new(),
    }
}

fn stanza(row: StanzaRow) -> StanzaSeen {
    StanzaSeen {
        id: row.id,
        jid: row.full_jid,
        wants_receipt: row.receipt,
    }
}

fn external(row: ExternalRow) -> ExternalId {
    ExternalId {
        kind: row.kind,
        value: row.value,
        part: row.part,
        progress: row.progress,
    }
}
