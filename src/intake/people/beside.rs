//! Calls, who asks to be let in by writing, and presence that stays behind all messages.

use super::{Lookup, More, Reception, Trouble, present};
use crate::{
    gateway::{
        call,
        registration::{self, Effects},
    },
    xmpp::{
        jid::Jid,
        stanza::{Message, Stanza},
    },
};

impl Reception {
    /// Semantics 12.
    pub(super) async fn decline(&mut self, message: &Message) {
        let user = message.from.as_ref().map(Jid::to_bare);
        let user = user.map(|user| user.to_string()).unwrap_or_default();
        let now_ms = self.intake.clock.now().0;
        if !self.calls.allows(&user, now_ms) {
            self.intake.count("calls_too_many");
            return;
        }
        let answers = self.decide(|moment| Effects {
            answers: call::decline(&self.intake.gateway, message, moment),
            ..Effects::default()
        });
        self.finish(answers).await;
    }

    /// Semantics 14, *approval*: the first message asks the admins, once. It was refused already, and is not kept.
    pub(super) async fn apply_for(&self, message: &Message) -> Result<(), Trouble> {
        let Some(from) = &message.from else {
            return Ok(());
        };
        let jid = from.to_bare();
        let lookup = Lookup {
            jid: &jid,
            contact: "",
            more: More::Lines(None),
        };
        let gateway = &self.intake.gateway;
        self.settle(&lookup, |person, moment| {
            registration::apply_for(gateway, person, moment, message.lang.as_deref())
        })
        .await
    }

    /// Semantics 10: a user who comes with a thousand contacts asks a thousand questions. What answers them stays behind all messages.
    pub(super) async fn show(&self, effects: Effects) {
        for answer in effects.answers {
            let Stanza::Presence(presence) = answer else {
                continue;
            };
            if !present(&self.intake, presence).await {
                return;
            }
        }
    }
}
