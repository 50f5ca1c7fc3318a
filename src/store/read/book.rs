//! Whom a user knows: who was written with, and who was given a name.

use std::collections::HashMap;

use super::{Sql, Store, StoreError};

/// Somebody whom a user knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownContact {
    /// The peer.
    pub peer: String,
    /// What it is called: by the user, else by the network that it is on.
    pub name: Option<String>,
}

const CONTACTS_COUNTED: Sql =
    Sql::both("SELECT COUNT(*) FROM contacts WHERE user_id = $1 AND peer <> $2");

const BOOK: Sql = Sql::both(
    "SELECT v.peer,
            COALESCE((SELECT n.name FROM contacts n WHERE n.user_id = u.user_id AND n.peer = v.peer), v.peer_name),
            v.active_ms
       FROM users u JOIN conversations v ON v.user_id = u.user_id
      WHERE u.gateway_id = $1 AND u.jid = $2
      UNION ALL
     SELECT c.peer, c.name, 0
       FROM users u JOIN contacts c ON c.user_id = u.user_id
      WHERE u.gateway_id = $1 AND u.jid = $2 AND c.peer <> '' AND c.peer NOT LIKE '%;line=%'
      ORDER BY 3 DESC LIMIT $3",
);

/// As many as a registration remembers.
const SEEN_MAX: i64 = 10_000;

const SEEN: Sql = Sql::both(
    "SELECT c.peer FROM users u JOIN contacts c ON c.user_id = u.user_id
      WHERE u.gateway_id = $1 AND u.jid = $2 AND c.peer <> '' AND (c.subscribed = 1 OR c.asked = 1) ORDER BY c.peer LIMIT $3",
);

impl Store {
    /// The contacts that a user may have in the roster, as it knows them: whoever is seen there, or asked to be.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn contacts_seen(
        &self,
        gateway_id: i64,
        jid: &str,
    ) -> Result<Vec<String>, StoreError> {
        let params = vec![gateway_id.into(), jid.into(), SEEN_MAX.into()];
        self.rows(SEEN, params)
            .await?
            .iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// How many contacts of a user are remembered, this one not counted.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn contacts_counted(&self, user_id: i64, peer: &str) -> Result<i64, StoreError> {
        let params = vec![user_id.into(), peer.into()];
        let rows = self.rows(CONTACTS_COUNTED, params).await?;
        rows.first().map_or(Ok(0), |row| row.int(0))
    }

    /// The people a user knows, once each, those written with last first; at most `limit` rows are looked at.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn book(
        &self,
        gateway_id: i64,
        jid: &str,
        limit: i64,
    ) -> Result<Vec<KnownContact>, StoreError> {
        let params = vec![gateway_id.into(), jid.into(), limit.into()];
        let mut book: Vec<KnownContact> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for row in self.rows(BOOK, params).await? {
            let (peer, name) = (row.text(0)?.to_owned(), row.opt_text(1)?.map(str::to_owned));
            let known = places.get(&peer).and_then(|place| book.get_mut(*place));
            if let Some(known) = known {
                known.name = known.name.take().or(name);
            } else {
                places.insert(peer.clone(), book.len());
                book.push(KnownContact { peer, name });
            }
        }
        Ok(book)
    }
}
