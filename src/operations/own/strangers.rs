//! Whose mail waits for the user's word, and the word (semantics 30).

use super::Me;
use crate::{
    operations::{Blocked, Judgement, Refusal, Reply, Stranger, time},
    store::{
        Write,
        read::StrangerListed,
        write::{Done, Judged, Word},
    },
    texts::{Post, Text},
};

/// Strangers in a list.
const STRANGERS: i64 = 100;

impl Me<'_> {
    pub(super) async fn strangers(&self) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let rows = self
            .on
            .store
            .strangers(user_id, (i64::MAX, false), STRANGERS)
            .await?;
        let shown = |row: StrangerListed| Stranger {
            peer: row.peer,
            name: row.name,
            subject: row.subject,
            why: row.why,
            mails: row.mails,
            since: time(row.since_ms),
        };
        Ok(Reply::Strangers(rows.into_iter().map(shown).collect()))
    }

    pub(super) async fn allowed(&self) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let rows = self.on.store.allowed_of(user_id, STRANGERS).await?;
        let gateway = &self.gateway.config.name;
        let allowed = |(peer, since_ms): (String, i64)| Blocked {
            peer,
            gateway: gateway.clone(),
            since: time(since_ms),
        };
        Ok(Reply::Allowed(rows.into_iter().map(allowed).collect()))
    }

    pub(super) async fn judge(&self, peer: &str, word: Judgement) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let peer = self.read(peer)?.as_str().to_owned();
        let judged = Judged {
            user_id,
            peer: peer.clone(),
            word: match word {
                Judgement::Accept => Word::Accept,
                Judgement::Discard => Word::Discard,
                Judgement::Allow => Word::Allow,
                Judgement::Disallow => Word::Disallow,
            },
            at_ms: self.on.now_ms(),
        };
        let done = self.on.commit(vec![Write::Judged(judged)]).await?;
        let found = done.iter().any(|done| *done != Done::Unchanged);
        let said = match word {
            Judgement::Disallow if !found => return Err(refused(Post::NotAllowed { peer })),
            _ if !found => return Err(refused(Post::DoesNotKnock { peer })),
            Judgement::Accept => Post::Accepted { peer },
            Judgement::Discard => Post::Discarded { peer },
            Judgement::Allow => Post::Allowed { peer },
            Judgement::Disallow => Post::Disallowed { peer },
        };
        self.on.look_again().await;
        Ok(Reply::Said(said.into()))
    }
}

fn refused(text: Post) -> Refusal {
    Refusal::Said(Box::new(Text::from(text)))
}
