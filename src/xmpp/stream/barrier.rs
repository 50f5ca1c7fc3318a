//! Knowing that the server has what was written (semantics 2).
//!
//! XEP-0114 has no acknowledgement. A ping written after a stanza on the same stream comes back after the server has
//! worked on the stanza; whether as result or as error does not matter. Pings are shared: one at most is under way to
//! each domain, and all stanzas written meanwhile ride on the next. A server that drops components' requests is
//! found out by a message to ourselves, and messages then take the pings' place.

use std::{collections::HashMap, mem, time::Duration};

use tokio::{sync::oneshot, time::Instant};

use super::Timing;
use crate::xmpp::{
    jid::{BareJid, DomainPart, Jid},
    ns,
    stanza::{Element, Iq, Message, MessageType, Stanza},
};

#[derive(Debug)]
pub(crate) struct Barriers {
    own: Jid,
    lanes: Vec<Lane>,
    tickets: HashMap<u64, Ticket>,
    next_ticket: u64,
    next_probe: u64,
    prefix: String,
    patience: Duration,
    again: Duration,
    requests_dropped: bool,
}

/// What waits for one domain's answers.
#[derive(Debug, Default)]
struct Lane {
    /// Who is pinged; nobody: a message to ourselves is the only way.
    domain: Option<Jid>,
    /// Written after the probe that is under way.
    waiting: Vec<u64>,
    probe: Option<Probe>,
    /// A probe is wanted although nothing waits: to keep the connection alive.
    wanted: bool,
}

#[derive(Debug)]
struct Probe {
    /// One for each time that it was written; the answer to any of them proves the same.
    ids: Vec<String>,
    kind: Kind,
    tickets: Vec<u64>,
    /// When it is written once more.
    again_at: Instant,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ping,
    Message,
}

#[derive(Debug)]
struct Ticket {
    lanes: usize,
    done: oneshot::Sender<()>,
}

/// Neither a ping nor a message to ourselves came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unanswered;

impl Barriers {
    /// One lane for each of `targets`, and one for everybody else, who are asked for at `fallback`.
    pub(crate) fn new(
        own: &DomainPart,
        targets: &[DomainPart],
        fallback: Option<&DomainPart>,
        timing: &Timing,
    ) -> Self {
        let jid = |domain: &DomainPart| Jid::from(BareJid::from(domain.clone()));
        let domains = targets
            .iter()
            .map(Some)
            .chain([fallback.or(targets.first())]);
        Self {
            own: jid(own),
            lanes: domains
                .map(|domain| Lane {
                    domain: domain.map(jid),
                    ..Lane::default()
                })
                .collect(),
            tickets: HashMap::new(),
            next_ticket: 0,
            next_probe: 0,
            prefix: format!("b{:016x}", rand::random::<u64>()),
            patience: timing.barrier,
            again: timing.ping_again,
            requests_dropped: false,
        }
    }

    /// `done` is told when the server has what was written to these targets until now.
    pub(crate) fn track(&mut self, targets: &[usize], done: oneshot::Sender<()>) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let mut lanes = 0;
        for target in targets {
            if let Some(lane) = self.lanes.get_mut(*target) {
                lane.waiting.push(ticket);
                lanes += 1;
            }
        }
        self.tickets.insert(ticket, Ticket { lanes, done });
    }

    /// Asks for a sign of life.
    pub(crate) fn want_probe(&mut self) {
        if let Some(lane) = self.lanes.last_mut() {
            lane.wanted = true;
        }
    }

    /// How many sends wait for an answer.
    pub(crate) fn waiting(&self) -> usize {
        self.tickets.len()
    }

    /// Writes the pings that are due after what was just written; tells how many.
    pub(crate) fn write_due(&mut self, out: &mut Vec<u8>, now: Instant) -> usize {
        let mut written = 0;
        for index in 0..self.lanes.len() {
            let lane = &mut self.lanes[index];
            if lane.probe.is_some() || (lane.waiting.is_empty() && !lane.wanted) {
                continue;
            }
            lane.wanted = false;
            let tickets = mem::take(&mut lane.waiting);
            let kind = if self.requests_dropped || lane.domain.is_none() {
                Kind::Message
            } else {
                Kind::Ping
            };
            self.send_probe(index, kind, tickets, out, now);
            written += 1;
        }
        written
    }

    /// When [`tick`](Self::tick) has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lanes
            .iter()
            .filter_map(|lane| lane.probe.as_ref())
            .map(|probe| probe.deadline.min(probe.again_at))
            .min()
    }

    /// Time passed in which no answer could be read.
    pub(crate) fn postpone(&mut self, by: Duration) {
        for probe in self.lanes.iter_mut().filter_map(|lane| lane.probe.as_mut()) {
            probe.again_at += by;
            probe.deadline += by;
        }
    }

    /// Writes pings once more that are not answered, and replaces those by messages that were not answered in time.
    pub(crate) fn tick(&mut self, out: &mut Vec<u8>, now: Instant) -> Result<usize, Unanswered> {
        let mut written = 0;
        for index in 0..self.lanes.len() {
            let lane = &mut self.lanes[index];
            let Some(probe) = lane.probe.take_if(|probe| probe.deadline <= now) else {
                written += self.write_again(index, out, now);
                continue;
            };
            if probe.kind == Kind::Message {
                return Err(Unanswered);
            }
            let mut tickets = probe.tickets;
            tickets.append(&mut lane.waiting);
            self.send_probe(index, Kind::Message, tickets, out, now);
            written += 1;
        }
        Ok(written)
    }

    /// Takes a stanza that is the answer to a probe; gives back any other.
    pub(crate) fn take_answer(&mut self, stanza: Stanza) -> Option<Stanza> {
        let answered = self.lanes.iter_mut().find_map(|lane| {
            let domain = lane.domain.as_ref();
            let own = &self.own;
            lane.probe
                .take_if(|probe| probe.is_answered_by(&stanza, domain, own))
        });
        let Some(probe) = answered else {
            return Some(stanza);
        };
        // A message that came back although the ping did not: nobody answers our requests here.
        if probe.kind == Kind::Message
            && !self.requests_dropped
            && self.lanes.iter().any(|lane| lane.domain.is_some())
        {
            self.requests_dropped = true;
            tracing::warn!(
                domain = %self.own,
                "The server answers no pings of components; messages to ourselves take their place on this connection."
            );
        }
        for ticket in probe.tickets {
            self.punch(ticket);
        }
        None
    }

    fn punch(&mut self, ticket: u64) {
        let Some(open) = self.tickets.get_mut(&ticket) else {
            return;
        };
        open.lanes -= 1;
        if open.lanes == 0
            && let Some(ticket) = self.tickets.remove(&ticket)
        {
            // The sender may have stopped waiting.
            ticket.done.send(()).ok();
        }
    }

    /// Writes the ping that is under way in a lane once more, if that is due.
    fn write_again(&mut self, index: usize, out: &mut Vec<u8>, now: Instant) -> usize {
        let Some(Lane {
            probe: Some(probe),
            domain,
            ..
        }) = self.lanes.get_mut(index)
        else {
            return 0;
        };
        if probe.again_at > now || probe.kind == Kind::Message {
            return 0;
        }
        let id = next_id(&self.prefix, &mut self.next_probe);
        stanza_of(probe.kind, &self.own, domain.as_ref(), &id).write(out);
        probe.ids.push(id);
        probe.again_at = now + self.again;
        1
    }

    fn send_probe(
        &mut self,
        index: usize,
        kind: Kind,
        tickets: Vec<u64>,
        out: &mut Vec<u8>,
        now: Instant,
    ) {
        let id = next_id(&self.prefix, &mut self.next_probe);
        let lane = &mut self.lanes[index];
        stanza_of(kind, &self.own, lane.domain.as_ref(), &id).write(out);
        let deadline = now + self.patience;
        lane.probe = Some(Probe {
            ids: vec![id],
            kind,
            tickets,
            again_at: match kind {
                Kind::Ping => now + self.again,
                Kind::Message => deadline,
            },
            deadline,
        });
    }
}

fn next_id(prefix: &str, next: &mut u64) -> String {
    let id = format!("{prefix}-{next:x}");
    *next += 1;
    id
}

fn stanza_of(kind: Kind, own: &Jid, domain: Option<&Jid>, id: &str) -> Stanza {
    let own = own.clone();
    match (kind, domain) {
        (Kind::Ping, Some(domain)) => Iq::get(own, domain.clone(), Element::new("ping", ns::PING))
            .with_id(id)
            .into(),
        _ => Message::new(MessageType::Normal, own.clone(), own)
            .with_id(id)
            .into(),
    }
}

impl Probe {
    fn is_answered_by(&self, stanza: &Stanza, domain: Option<&Jid>, own: &Jid) -> bool {
        let is_it = |id: &String| stanza.id() == Some(id.as_str());
        if !self.ids.iter().any(is_it) {
            return false;
        }
        match (self.kind, stanza) {
            (Kind::Ping, Stanza::Iq(iq)) => !iq.is_request() && iq.from.as_ref() == domain,
            // It comes back as it went or, from a server that does not like it, as an error.
            (Kind::Message, Stanza::Message(message)) => message
                .from
                .as_ref()
                .is_some_and(|from| from.domain() == own.domain()),
            _ => false,
        }
    }
}

#[cfg(test)]
#[path = "barrier_tests.rs"]
mod tests;
