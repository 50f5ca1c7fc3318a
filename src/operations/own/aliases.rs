//! Addresses that a user makes for one purpose and gives up again (semantics 16 and 28).

use super::Me;
use crate::{
    gateway::registration,
    operations::{Alias, Refusal, Reply, time},
    store::{
        Write,
        read::AliasListed,
        write::{LineRow, Operation, OwnerRow},
    },
    texts::{Post, Text},
};

/// Addresses of one user; more is a mistake or a game.
const ALIASES_MAX: usize = 100;
/// What makes an address one that nobody guesses.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const GUESSES: usize = 8;
/// What the purpose may be called.
const WORD_CHARS_MAX: usize = 30;

impl Me<'_> {
    pub(super) async fn aliases(&self) -> Result<Reply, Refusal> {
        self.mine().await?;
        let rows = self.listed().await?;
        let shown = |row: AliasListed| Alias {
            address: row.address,
            since: time(row.since_ms),
            writers: row.writers,
            first: row.first,
        };
        Ok(Reply::Aliases(rows.into_iter().map(shown).collect()))
    }

    pub(super) async fn alias(&self, word: &str) -> Result<Reply, Refusal> {
        self.mine().await?;
        if self.listed().await?.len() >= ALIASES_MAX {
            return Err(refused(Post::TooManyAliases));
        }
        let word: String = word
            .trim()
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(WORD_CHARS_MAX)
            .collect();
        let word = word.trim_matches('-');
        let random: [u8; GUESSES] = rand::random();
        let letter = |byte: &u8| {
            let letter = LETTERS.get(usize::from(*byte) % LETTERS.len());
            letter.copied().map(char::from)
        };
        let tail: String = random.iter().filter_map(letter).collect();
        let address = registration::chosen_address(self.gateway, &format!("{word}.{tail}"));
        let address = address.ok_or_else(|| refused(Post::BadAliasWord))?;
        let (address, at_ms) = (address.as_str().to_owned(), self.on.now_ms());
        let line = LineRow {
            line_id: self.on.ids.next(),
            gateway_id: self.gateway.id,
            address: address.clone(),
            kind: "owned",
            state: "active",
            source: "alias",
            routes: "[]".to_owned(),
            fallback: None,
            at_ms,
        };
        let owner = OwnerRow {
            gateway_id: self.gateway.id,
            address: address.clone(),
            jid: self.jid.clone(),
            owned: true,
            at_ms,
        };
        let writes = vec![Write::Line(line), Write::Owner(owner)];
        self.on.commit(writes).await?;
        Ok(Reply::Said(Post::AliasMade { address }.into()))
    }

    pub(super) async fn alias_drop(&self, address: &str) -> Result<Reply, Refusal> {
        self.mine().await?;
        let address = address.trim().to_lowercase();
        let rows = self.listed().await?;
        let found = rows.iter().find(|row| row.address == address);
        let line_id = match found {
            Some(row) => row.line_id,
            None => return Err(refused(Post::NoSuchAlias { address })),
        };
        let at_ms = self.on.now_ms();
        self.on
            .operate(Operation::ReleaseLine { line_id, at_ms })
            .await?;
        Ok(Reply::Said(Post::AliasDropped { address }.into()))
    }

    async fn listed(&self) -> Result<Vec<AliasListed>, Refusal> {
        let rows = self.on.store.aliases_of(self.gateway.id, &self.jid).await?;
        Ok(rows)
    }
}

fn refused(text: Post) -> Refusal {
    Refusal::Said(Box::new(Text::from(text)))
}
