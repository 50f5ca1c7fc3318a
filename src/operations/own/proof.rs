//! A mobile number of the user's own, proved by a code that is sent to it.

use super::{Me, said_text};
use crate::{
    gateway::settings::MOBILE,
    operations::{
        Refusal, Reply,
        codes::{Entered, WORKS_FOR},
        trial::{self, Trial},
    },
    store::write::Operation,
    texts::{Proof, Text},
    xmpp::xep::hints,
};

/// The resource that the code comes from: nobody's.
const RESOURCE: &str = "transom-verify";

impl Me<'_> {
    /// A code goes to the number, by the user's own line.
    pub(super) async fn verify(&self, typed: &str) -> Result<Reply, Refusal> {
        self.wanted().await?;
        let bad = || Refusal::BadPeer {
            peer: typed.chars().take(100).collect(),
        };
        let number = self.gateway.read_typed(typed).map_err(|_| bad())?;
        let contact = self.gateway.jid_of(&number, None).ok_or_else(bad)?;
        let (name, now) = (&self.gateway.config.name, self.on.clock.now());
        let code = self.on.codes.make(name, &self.asker.jid, &number, now);
        let code = code.ok_or_else(|| said_text(Proof::TooOften))?;
        let gateway = self.gateway.config.domain.to_string();
        let text = Text::from(Proof::Code { gateway, code });
        let code = Trial {
            user: &self.asker.jid,
            resource: RESOURCE,
            contact,
            text,
            lang: self.asker.lang,
            // Who reads what is kept must not prove anything with it.
            with: hints::no_store(),
        };
        trial::hand_in(self.on, self.gateway, code).await?;
        let number = number.as_str().to_owned();
        let works_for = WORKS_FOR;
        Ok(Reply::Said(Proof::Sent { number, works_for }.into()))
    }

    /// The code that came there.
    pub(super) async fn enter_code(&self, typed: &str) -> Result<Reply, Refusal> {
        let user_id = self.wanted().await?;
        let (name, now) = (&self.gateway.config.name, self.on.clock.now());
        let number = match self.on.codes.enter(name, &self.asker.jid, typed, now) {
            Entered::Right(number) => number.as_str().to_owned(),
            Entered::Wrong { left } => return Err(said_text(Proof::Wrong { left })),
            Entered::Nothing => return Err(said_text(Proof::NoCode)),
        };
        let operation = Operation::Settings {
            user_id,
            changes: serde_json::json!({ MOBILE: number }).to_string(),
            lang: None,
        };
        if !self.on.operate(operation).await? {
            return Err(Refusal::Changed);
        }
        Ok(Reply::Said(Proof::Proved { number }.into()))
    }

    /// The user, where such a proof is wanted.
    async fn wanted(&self) -> Result<i64, Refusal> {
        if !self.gateway.config.verify_mobile {
            return Err(said_text(Proof::NotWanted));
        }
        Ok(self.mine().await?.user_id)
    }
}
