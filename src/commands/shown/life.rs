//! One message's life, fact by fact, in the order in which it was lived.

use jiff::Timestamp;

use super::{Block, Shower, age, second};
use crate::{
    operations::{Direction, Life},
    texts::{Label, Told},
};

type Facts = Vec<(String, String)>;

impl Shower {
    pub(super) fn life(&self, life: &Life) -> Block {
        let mut facts = self.who(life);
        facts.push(self.fact(Label::Accepted, second(life.accepted)));
        facts.extend(
            life.started
                .map(|at| self.fact(Label::LastAttempt, second(at))),
        );
        facts.extend(life.ended.map(|at| self.fact(Label::Ended, second(at))));
        facts.extend(self.progress(life));
        let some =
            |label, value: &Option<String>| value.clone().map(|value| self.fact(label, value));
        facts.extend(some(Label::Told, &life.told));
        facts.extend(some(Label::ToBeTold, &life.to_tell));
        facts.push(self.fact(Label::Text, self.text(Told::TextKept(life.text_is_kept))));
        facts.extend(self.ids(life));
        Block::Facts(facts)
    }

    fn who(&self, life: &Life) -> Facts {
        let ours = life.line.clone();
        let user = life.user.clone();
        let user = user.unwrap_or_else(|| self.text(Label::Nobody));
        let (from, to) = match life.direction {
            Direction::Out => (
                self.text(Told::AsLine { user, line: ours }),
                life.peer.clone(),
            ),
            Direction::In => (
                life.peer.clone(),
                self.text(Told::OnLine { user, line: ours }),
            ),
        };
        let mut facts = vec![
            self.fact(Label::Id, format!("{} ({})", life.id, life.key)),
            self.fact(Label::From, from),
            self.fact(Label::To, to),
            self.fact(Label::Gateway, &*life.gateway),
        ];
        facts.extend(
            life.contact
                .as_ref()
                .map(|jid| self.fact(Label::Contact, &**jid)),
        );
        facts
    }

    fn progress(&self, life: &Life) -> Facts {
        let state = self.word(&life.state);
        let state = match life.units {
            0 | 1 => state,
            of => {
                let done = life.units_done;
                format!("{state}, {}", self.text(Told::PartsThrough { done, of }))
            }
        };
        let mut facts = vec![self.fact(Label::State, state)];
        facts.extend(life.due.map(|due| self.fact(Label::Next, self.when(due))));
        let attempts = match &life.account {
            Some(account) => format!(
                "{}, {}",
                life.attempts,
                self.text(Told::LastBy(account.clone()))
            ),
            None => life.attempts.to_string(),
        };
        facts.push(self.fact(Label::Attempts, attempts));
        if !life.providers.is_empty() {
            facts.push(self.fact(Label::CanGoBy, life.providers.join(", ")));
        }
        if life.segments > 0 {
            facts.push(self.fact(Label::Segments, life.segments.to_string()));
        }
        let failed = [life.reason.as_deref(), life.code.as_deref()];
        let failed: Vec<&str> = failed.into_iter().flatten().collect();
        if !failed.is_empty() {
            facts.push(self.fact(Label::Reason, failed.join(", code ")));
        }
        facts
    }

    fn ids(&self, life: &Life) -> Facts {
        let mut facts = Vec::new();
        for stanza in &life.stanzas {
            let id = if stanza.id.is_empty() {
                self.text(Told::NoId)
            } else {
                stanza.id.clone()
            };
            let mut text = format!("{id} · {}", stanza.jid);
            if stanza.wants_receipt {
                text.push_str(", ");
                text.push_str(&self.text(Told::WantsReceipt));
            }
            facts.push(self.fact(Label::Stanza, text));
        }
        for id in &life.network_ids {
            let part = match life.units {
                0 | 1 => String::new(),
                _ => format!(", {}", self.text(Told::Part(id.part + 1))),
            };
            let text = format!("{} {}{part}: {}", id.kind, id.value, id.progress);
            facts.push(self.fact(Label::NetworkId, text));
        }
        facts
    }

    fn when(&self, due: Timestamp) -> String {
        if due > self.now {
            let length = self.text(Told::In(age(self.now, due)));
            format!("{length} ({})", second(due))
        } else {
            self.text(Told::Now)
        }
    }
}
