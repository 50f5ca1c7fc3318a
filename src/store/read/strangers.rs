//! Whom a user knows, and who waits for the user's word (semantics 30).

use serde::Serialize;

use super::{Connection, Row, Sql, Store, StoreError, for_rows, index, json};

/// What a user and somebody who writes are to each other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acquaintance {
    /// There is a chat.
    pub has_chat: bool,
    /// The user's roster has the contact.
    pub in_roster: bool,
    /// `waiting` or `allowed`, where there was a word about it.
    pub state: Option<String>,
    /// The user's own choices, a JSON object.
    pub settings: String,
}

/// One pair that is asked about.
#[derive(Serialize)]
pub(super) struct Pair<'a> {
    pub(super) place: usize,
    pub(super) user_id: i64,
    pub(super) peer: &'a str,
}

/// Somebody whose mail waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StrangerListed {
    /// Who.
    pub peer: String,
    /// The name that came with the mail.
    pub name: Option<String>,
    /// What the first mail is about.
    pub subject: Option<String>,
    /// `spam`, `disowned` or `asked`.
    pub why: String,
    /// How many mails wait.
    pub mails: i64,
    /// Since when.
    pub since_ms: i64,
}

/// A user who has to be told of strangers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsaid {
    /// The user.
    pub user_id: i64,
    /// The bare JID.
    pub jid: String,
    /// The language of the registration.
    pub lang: Option<String>,
    /// The user's own choices, a JSON object.
    pub settings: String,
    /// Since when the youngest of them waits.
    pub until_ms: i64,
}

const ACQUAINTANCES: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), u.user_id, u.settings,
            (SELECT COUNT(*) FROM conversations c WHERE c.user_id = u.user_id AND c.peer = r.value ->> 'peer'),
            (SELECT COUNT(*) FROM contacts k
              WHERE k.user_id = u.user_id AND k.peer = r.value ->> 'peer' AND k.subscribed = 1),
            (SELECT s.state FROM strangers s WHERE s.user_id = u.user_id AND s.peer = r.value ->> 'peer')
       FROM",
    "CROSS JOIN users u
      WHERE u.user_id = CAST(r.value ->> 'user_id' AS BIGINT)"
);

const LISTED: Sql = Sql::both(
    "SELECT s.peer, (SELECT MAX(c.peer_name) FROM conversations c WHERE c.user_id = s.user_id AND c.peer = s.peer),
            s.subject, s.why,
            (SELECT COUNT(*) FROM conversations c JOIN messages m ON m.conversation_id = c.conversation_id
              WHERE c.user_id = s.user_id AND c.peer = s.peer),
            s.since_ms
       FROM strangers s
      WHERE s.user_id = $1 AND s.state = 'waiting' AND s.since_ms <= $2 AND ($3 = 0 OR s.said_ms IS NULL)
      ORDER BY s.since_ms DESC, s.peer LIMIT $4",
);

const ALLOWED: Sql = Sql::both(
    "SELECT peer, since_ms FROM strangers WHERE user_id = $1 AND state = 'allowed' ORDER BY peer LIMIT $2",
);

// Who was told of some a little while ago is told of the next ones together.
const UNSAID: Sql = Sql::both(
    "SELECT u.user_id, u.jid, u.lang, u.settings, MAX(s.since_ms)
       FROM strangers s JOIN users u ON u.user_id = s.user_id
      WHERE s.state = 'waiting' AND s.said_ms IS NULL AND u.gateway_id = $1 AND u.state = 'active'
        AND NOT EXISTS (SELECT 1 FROM strangers o WHERE o.user_id = s.user_id AND o.said_ms > $2)
      GROUP BY u.user_id, u.jid, u.lang, u.settings LIMIT $3",
);

/// Asks about pairs; by place and user.
pub(super) async fn acquaintances(
    connection: &mut Connection,
    pairs: &[Pair<'_>],
) -> Result<Vec<(usize, i64, Acquaintance)>, StoreError> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let rows = connection.rows(ACQUAINTANCES, &[json(pairs)]).await?;
    let found = |row: &Row| {
        let known = Acquaintance {
            settings: row.text(2)?.to_owned(),
            has_chat: row.flag(3)?,
            in_roster: row.flag(4)?,
            state: row.opt_text(5)?.map(str::to_owned),
        };
        Ok((index(row.int(0)?), row.int(1)?, known))
    };
    rows.iter().map(found).collect()
}

impl Store {
    /// Whose mail waits for a user's word, the youngest first; `unsaid`: only those that the user was not told of.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn strangers(
        &self,
        user_id: i64,
        (until_ms, unsaid): (i64, bool),
        limit: i64,
    ) -> Result<Vec<StrangerListed>, StoreError> {
        let params = vec![
            user_id.into(),
            until_ms.into(),
            i64::from(unsaid).into(),
            limit.into(),
        ];
        let rows = self.rows(LISTED, params).await?;
        let listed = |row: &Row| {
            Ok(StrangerListed {
                peer: row.text(0)?.to_owned(),
                name: row.opt_text(1)?.map(str::to_owned),
                subject: row.opt_text(2)?.map(str::to_owned),
                why: row.text(3)?.to_owned(),
                mails: row.int(4)?,
                since_ms: row.int(5)?,
            })
        };
        rows.iter().map(listed).collect()
    }

    /// Whose mail never waits, by a user's own word, and since when.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn allowed_of(
        &self,
        user_id: i64,
        limit: i64,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = self
            .rows(ALLOWED, vec![user_id.into(), limit.into()])
            .await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?)))
            .collect()
    }

    /// The users of a gateway who have to be told of strangers, and were told of none since `quiet_since_ms`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn unsaid_strangers(
        &self,
        gateway_id: i64,
        quiet_since_ms: i64,
        limit: i64,
    ) -> Result<Vec<Unsaid>, StoreError> {
        let params = vec![gateway_id.into(), quiet_since_ms.into(), limit.into()];
        let rows = self.rows(UNSAID, params).await?;
        let unsaid = |row: &Row| {
            Ok(Unsaid {
                user_id: row.int(0)?,
                jid: row.text(1)?.to_owned(),
                lang: row.opt_text(2)?.map(str::to_owned),
                settings: row.text(3)?.to_owned(),
                until_ms: row.int(4)?,
            })
        };
        rows.iter().map(unsaid).collect()
    }
}
