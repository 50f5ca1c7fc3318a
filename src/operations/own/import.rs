//! An address book: its people become contacts with their names.

use std::collections::BTreeMap;

use super::Me;
use crate::{
    operations::{Refusal, Reply, cards},
    store::{Write, write::Operation},
};

/// Names written at once.
const BATCH: usize = 200;

impl Me<'_> {
    /// A name that the user gave already stays. Where the server lets us, they enter the roster; nobody is asked about each.
    pub(super) async fn import(&self, text: &str) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let all = cards::read(text);
        if all.is_empty() {
            return Err(Refusal::NoCards);
        }
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut left_out = 0;
        for card in &all {
            let read = |address: &String| self.gateway.read_typed(address).ok();
            let peers: Vec<_> = card.addresses.iter().filter_map(read).collect();
            // A card with a number and a mail address is of use to one gateway by one of them.
            left_out += usize::from(peers.is_empty());
            for peer in peers {
                let name = names.entry(peer.as_str().to_owned()).or_default();
                if name.is_empty() {
                    name.clone_from(&card.name);
                }
            }
        }
        let rows: Vec<(&String, &String)> = names.iter().collect();
        for batch in rows.chunks(BATCH) {
            let known = |(peer, name): &(&String, &String)| {
                Write::Operation(Operation::NameContact {
                    user_id,
                    peer: (*peer).clone(),
                    name: Some((*name).clone()).filter(|name| !name.is_empty()),
                    yields: true,
                })
            };
            self.on.commit(batch.iter().map(known).collect()).await?;
        }
        self.on
            .introduce(self.gateway, &self.asker.jid, names.keys())
            .await;
        Ok(Reply::Imported {
            contacts: names.len(),
            left_out,
        })
    }
}
