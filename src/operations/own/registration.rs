//! Becoming a user and ceasing to be one: the desk, asked by command.

use super::Me;
use crate::{
    gateway::registration::{Desk, Effects, Person},
    operations::{
        Offer, Refusal, Reply,
        desk::{apply, at_desk, load},
    },
    texts::Text,
};

/// Numbers that an offer names; any other can be typed.
const NUMBERS_SHOWN: usize = 50;
/// How often it is decided anew when somebody was quicker.
const ROUNDS: u32 = 3;

impl Me<'_> {
    pub(super) async fn offer(&self) -> Result<Reply, Refusal> {
        let person = load(self.on, self.gateway, &self.asker.jid, None).await?;
        let (own, given) = self.at_desk(&person, |desk| {
            let own = desk.own_line().map(|line| line.address.clone());
            (own, desk.given_address())
        });
        Ok(Reply::Offer(Offer {
            state: person.member.as_ref().map(|member| member.state.clone()),
            own,
            given,
            free: person.free.into_iter().take(NUMBERS_SHOWN).collect(),
            any: self.gateway.network() == transom_adapter::Network::Email
                && !self.gateway.adapter.only_own_accounts(),
        }))
    }

    pub(super) async fn register(&self, choice: Option<&str>) -> Result<Reply, Refusal> {
        self.settle(choice, |desk, effects| desk.register(choice, effects))
            .await
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is of one desk, the closure of any"
    )]
    pub(super) async fn unregister(&self) -> Result<Reply, Refusal> {
        self.settle(None, |desk, effects| desk.unregister(effects))
            .await
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is of one desk, the closure of any"
    )]
    pub(super) async fn status(&self) -> Result<Reply, Refusal> {
        let person = load(self.on, self.gateway, &self.asker.jid, None).await?;
        Ok(Reply::Said(self.at_desk(&person, |desk| desk.status())))
    }

    /// Decides and commits; decides anew when somebody was quicker. A refusal may have effects too: a request to the admins.
    async fn settle(
        &self,
        choice: Option<&str>,
        action: impl Fn(&Desk<'_>, &mut Effects) -> Result<Text, Text>,
    ) -> Result<Reply, Refusal> {
        for _ in 0..ROUNDS {
            let person = load(self.on, self.gateway, &self.asker.jid, choice).await?;
            let mut effects = Effects::default();
            let said = self.at_desk(&person, |desk| action(desk, &mut effects));
            match apply(self.on, self.gateway, &self.asker.jid, effects).await {
                Err(Refusal::Changed) => {}
                Err(other) => return Err(other),
                Ok(()) => {
                    return said
                        .map(Reply::Said)
                        .map_err(|why| Refusal::Said(Box::new(why)));
                }
            }
        }
        Err(Refusal::Changed)
    }

    fn at_desk<T>(&self, person: &Person, action: impl FnOnce(&Desk<'_>) -> T) -> T {
        at_desk(self.on, self.gateway, person, self.asker.lang, action)
    }
}
