//! What users do with mails that came.

use super::Me;
use crate::{
    operations::{Refusal, Reply},
    texts::{Post, Text},
};

impl Me<'_> {
    /// Where the last mail of somebody is, as it came.
    pub(super) async fn original(&self, peer: &str) -> Result<Reply, Refusal> {
        self.mine().await?;
        let peer = self.read(peer)?;
        let pair = (self.jid.as_str(), peer.as_str());
        let store = &self.on.store;
        let row = store.original_of(self.gateway.id, pair, None).await?;
        let row = row.ok_or_else(|| Refusal::Said(Box::new(Text::from(Post::NoOriginal))))?;
        let said = match self.gateway.files.url(&row.token, &row.name) {
            Some(url) => Post::Original { url },
            None => Post::WriteOriginal {
                contact: self
                    .gateway
                    .jid_of(&peer, None)
                    .map_or_else(|| peer.to_string(), |jid| jid.to_string()),
            },
        };
        Ok(Reply::Said(said.into()))
    }
}
