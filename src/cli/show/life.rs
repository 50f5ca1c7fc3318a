//! One message's life, fact by fact.

use jiff::Timestamp;

use super::{age, second};
use crate::{
    cli::table::Facts,
    operations::{Direction, Life},
};

/// The life, in the order in which it was lived.
pub(super) fn facts(life: &Life, now: Timestamp) -> String {
    let mut facts = Facts::default();
    who(life, &mut facts);
    facts.add("accepted", second(life.accepted));
    facts.add_some("last attempt", life.started.map(second));
    facts.add_some("ended", life.ended.map(second));
    progress(life, &mut facts, now);
    facts.add_some("told", life.told.as_ref());
    facts.add_some("to be told", life.to_tell.as_ref());
    facts.add(
        "text",
        if life.text_is_kept {
            "still kept"
        } else {
            "no longer kept"
        },
    );
    ids(life, &mut facts);
    facts.to_string()
}

fn who(life: &Life, facts: &mut Facts) {
    facts.add("id", format!("{} ({})", life.id, life.key));
    let user = life.user.as_deref().unwrap_or("nobody");
    let (from, to) = match life.direction {
        Direction::Out => (format!("{user}, as {}", life.line), life.peer.clone()),
        Direction::In => (life.peer.clone(), format!("{user}, on {}", life.line)),
    };
    facts.add("from", from);
    facts.add("to", to);
    facts.add("gateway", &life.gateway);
    facts.add_some("contact", life.contact.as_ref());
}

fn progress(life: &Life, facts: &mut Facts, now: Timestamp) {
    let parts = match life.units {
        0 | 1 => String::new(),
        units => format!(", {} of {units} parts through", life.units_done),
    };
    facts.add("state", format!("{}{parts}", life.state));
    facts.add_some("next", life.due.map(|due| next(due, now)));
    let account = life.account.as_ref();
    let by = account.map_or_else(String::new, |account| format!(", the last by {account}"));
    facts.add("attempts", format!("{}{by}", life.attempts));
    if !life.providers.is_empty() {
        facts.add("can go by", life.providers.join(", "));
    }
    if life.segments > 0 {
        facts.add("segments", life.segments.to_string());
    }
    let failed = [life.reason.as_deref(), life.code.as_deref()];
    let failed: Vec<&str> = failed.into_iter().flatten().collect();
    if !failed.is_empty() {
        facts.add("reason", failed.join(", code "));
    }
}

fn ids(life: &Life, facts: &mut Facts) {
    for stanza in &life.stanzas {
        let receipt = if stanza.wants_receipt {
            ", wants a receipt"
        } else {
            ""
        };
        let id = if stanza.id.is_empty() {
            "(no id)"
        } else {
            &stanza.id
        };
        facts.add("stanza", format!("{id} of {}{receipt}", stanza.jid));
    }
    for id in &life.network_ids {
        let part = match life.units {
            0 | 1 => String::new(),
            _ => format!(", part {}", id.part + 1),
        };
        facts.add(
            "network id",
            format!("{} {}{part}: {}", id.kind, id.value, id.progress),
        );
    }
}

fn next(due: Timestamp, now: Timestamp) -> String {
    if due > now {
        format!("in {} ({})", age(now, due), second(due))
    } else {
        "now".to_owned()
    }
}
