//! Requests that wait for their answers.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::xmpp::{
    jid::Jid,
    stanza::{Iq, Stanza},
};

#[derive(Debug, Default)]
pub(crate) struct Requests {
    waiting: HashMap<String, Waiting>,
    prune_at: usize,
}

#[derive(Debug)]
struct Waiting {
    from: Jid,
    answer: oneshot::Sender<Iq>,
}

impl Requests {
    pub(crate) fn add(&mut self, id: String, from: Jid, answer: oneshot::Sender<Iq>) {
        if self.waiting.len() >= self.prune_at {
            // Those who stopped waiting left their entries here.
            self.waiting
                .retain(|_, waiting| !waiting.answer.is_closed());
            self.prune_at = 64.max(2 * self.waiting.len());
        }
        self.waiting.insert(id, Waiting { from, answer });
    }

    /// Takes a stanza that answers one of the requests; gives back any other.
    pub(crate) fn take_answer(&mut self, stanza: Stanza) -> Option<Stanza> {
        let Stanza::Iq(iq) = stanza else {
            return Some(stanza);
        };
        let expected = !iq.is_request()
            && iq
                .id
                .as_deref()
                .and_then(|id| self.waiting.get(id))
                .is_some_and(|waiting| iq.from.as_ref() == Some(&waiting.from));
        let waiting = iq
            .id
            .as_deref()
            .filter(|_| expected)
            .and_then(|id| self.waiting.remove(id));
        let Some(waiting) = waiting else {
            return Some(iq.into());
        };
        waiting.answer.send(iq).ok();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{ns, stanza::Element};

    fn jid(text: &str) -> Jid {
        Jid::new(text).unwrap()
    }

    fn ping(to: &str) -> Iq {
        Iq::get(
            jid("sms.example.org"),
            jid(to),
            Element::new("ping", ns::PING),
        )
        .with_id("1")
    }

    #[test]
    fn only_the_one_who_was_asked_can_answer() {
        let mut requests = Requests::default();
        let (answer, mut answered) = oneshot::channel();
        requests.add("1".into(), jid("example.org"), answer);
        for other in [
            ping("mallory@example.org").result(None).unwrap(),
            ping("example.org").with_id("2").result(None).unwrap(),
            ping("example.org"),
        ] {
            assert_eq!(
                requests.take_answer(other.clone().into()),
                Some(other.into())
            );
        }
        assert!(answered.try_recv().is_err());
        assert_eq!(
            requests.take_answer(ping("example.org").result(None).unwrap().into()),
            None
        );
        assert_eq!(answered.try_recv().unwrap().id.as_deref(), Some("1"));
    }

    #[test]
    fn abandoned_requests_do_not_pile_up() {
        let mut requests = Requests::default();
        for number in 0..1000 {
            requests.add(number.to_string(), jid("example.org"), oneshot::channel().0);
        }
        assert!(requests.waiting.len() <= 128);
    }
}
