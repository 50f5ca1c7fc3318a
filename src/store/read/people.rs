//! Users, their rosters and lines, one by one: presence, registration and the commands ask these.

use super::{Param, Sql, Store, StoreError};

/// What a roster knows of a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Subscription {
    /// Whether the user sees the contact's presence.
    pub subscribed: bool,
    /// Whether the contact asked to see the user's.
    pub asked: bool,
}

/// A registration, and what its roster knows of one contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its key.
    pub user_id: i64,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// The language it registered in.
    pub lang: Option<String>,
    /// When the registration was last changed.
    pub changed_ms: i64,
    /// The contact that was asked for.
    pub contact: Subscription,
    /// What it is called: by the user, else by the network that it is on.
    pub name: Option<String>,
    /// How many contacts are remembered, that one not counted; 0 where nobody counted them.
    pub others: i64,
    /// The user's own choices, a JSON object.
    pub settings: String,
}

/// Stands between the peer and our line in the key of a contact that pins one (semantics 9).
pub const PIN: &str = ";line=";

/// A line as `transom line list` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineListed {
    /// Its key.
    pub line_id: i64,
    /// Our address.
    pub address: String,
    /// `owned`, `pool` or `shared`.
    pub kind: String,
    /// `active`, `retired` or `resting`.
    pub state: String,
    /// `file`, `command` or `registration`.
    pub source: String,
    /// The owners' bare JIDs.
    pub owners: Vec<String>,
}

/// The message that an error stanza is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorTarget {
    /// The delivery.
    pub delivery_id: i64,
    /// Its lane.
    pub lane_id: i64,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was accepted.
    pub created_ms: i64,
}

const SUBSCRIBERS: Sql = Sql::both(
    "SELECT u.jid FROM users u JOIN contacts c ON c.user_id = u.user_id
      WHERE u.gateway_id = $1 AND u.jid > $2 AND u.state = 'active' AND c.peer = '' AND c.subscribed = 1 ORDER BY u.jid LIMIT $3",
);

const LINES: Sql = Sql::both(
    "SELECT l.line_id, l.address, l.kind, l.state, l.source, o.jid
       FROM lines l LEFT JOIN line_owners o ON o.line_id = l.line_id
      WHERE l.gateway_id = $1 ORDER BY l.address, o.since_ms",
);

// $3 is the contact's key, $4 the peer in it.
const MEMBER: Sql = Sql::both(
    "SELECT u.user_id, u.state, u.lang, u.changed_ms, COALESCE(c.subscribed, 0), COALESCE(c.asked, 0),
            COALESCE(c.name,
                     (SELECT p.name FROM contacts p WHERE p.user_id = u.user_id AND p.peer = $4),
                     (SELECT v.peer_name FROM conversations v
                       WHERE v.user_id = u.user_id AND v.peer = $4 AND v.peer_name IS NOT NULL
                       ORDER BY v.active_ms DESC LIMIT 1)),
            u.settings
       FROM users u LEFT JOIN contacts c ON c.user_id = u.user_id AND c.peer = $3
      WHERE u.gateway_id = $1 AND u.jid = $2",
);

const FREE: Sql = Sql::both(
    "SELECT l.address FROM lines l
      WHERE l.gateway_id = $1 AND l.kind <> 'owned' AND l.kind = 'pool'
        AND (l.state = 'active' OR (l.state = 'resting' AND l.changed_ms < $2))
        AND NOT EXISTS (SELECT 1 FROM line_owners o WHERE o.line_id = l.line_id)
      ORDER BY l.address LIMIT $3",
);

const HELD: Sql = Sql::both(
    "SELECT l.lane_id FROM users u CROSS JOIN conversations c CROSS JOIN lanes l
      WHERE u.gateway_id = $1 AND u.jid = $2 AND u.state = 'active' AND c.user_id = u.user_id AND l.lane_id = -c.conversation_id
        AND l.due_ms > $3 LIMIT 1",
);

const DISABLED_BEFORE: Sql = Sql::both(
    "SELECT jid FROM users WHERE gateway_id = $1 AND state = 'disabled' AND changed_ms < $2 ORDER BY jid LIMIT $3",
);

/// Semantics 17: a number that was given up rests.
const REST_MS: i64 = 90 * 24 * 3_600_000;

/// Error stanzas find their message for seven days (semantics 2).
const ERRORS_MS: i64 = 7 * 24 * 3_600_000;

impl Store {
    /// A registration: its key and state.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn user(
        &self,
        gateway_id: i64,
        jid: &str,
    ) -> Result<Option<(i64, String)>, StoreError> {
        const SELECT: Sql =
            Sql::both("SELECT user_id, state FROM users WHERE gateway_id = $1 AND jid = $2");
        let rows = self
            .rows(SELECT, vec![gateway_id.into(), jid.into()])
            .await?;
        rows.first()
            .map(|row| Ok((row.int(0)?, row.text(1)?.to_owned())))
            .transpose()
    }

    /// What a user's roster knows of a contact.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn subscription(&self, user_id: i64, peer: &str) -> Result<Subscription, StoreError> {
        const SELECT: Sql =
            Sql::both("SELECT subscribed, asked FROM contacts WHERE user_id = $1 AND peer = $2");
        let rows = self.rows(SELECT, vec![user_id.into(), peer.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(Subscription::default());
        };
        Ok(Subscription {
            subscribed: row.flag(0)?,
            asked: row.flag(1)?,
        })
    }

    /// A registration and one contact of it; `''` is the gateway itself.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn member(
        &self,
        gateway_id: i64,
        jid: &str,
        peer: &str,
    ) -> Result<Option<Member>, StoreError> {
        let plain = peer.split_once(PIN).map_or(peer, |(plain, _)| plain);
        let params = vec![gateway_id.into(), jid.into(), peer.into(), plain.into()];
        let rows = self.rows(MEMBER, params).await?;
        let member = |row: &super::Row| {
            Ok(Member {
                user_id: row.int(0)?,
                state: row.text(1)?.to_owned(),
                lang: row.opt_text(2)?.map(str::to_owned),
                changed_ms: row.int(3)?,
                contact: Subscription {
                    subscribed: row.flag(4)?,
                    asked: row.flag(5)?,
                },
                name: row.opt_text(6)?.map(str::to_owned),
                others: 0,
                settings: row.text(7)?.to_owned(),
            })
        };
        rows.first().map(member).transpose()
    }

    /// The pool's numbers that nobody has.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn free_lines(
        &self,
        gateway_id: i64,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let params = vec![gateway_id.into(), (now_ms - REST_MS).into(), limit.into()];
        self.rows(FREE, params)
            .await?
            .iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// Whether something is held for a user until later.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_held(
        &self,
        gateway_id: i64,
        jid: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let params = vec![gateway_id.into(), jid.into(), now_ms.into()];
        Ok(!self.rows(HELD, params).await?.is_empty())
    }

    /// Users who have been disabled since before that time.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn disabled_before(
        &self,
        gateway_id: i64,
        before_ms: i64,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let params = vec![gateway_id.into(), before_ms.into(), limit.into()];
        self.rows(DISABLED_BEFORE, params)
            .await?
            .iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// The users behind `after` that see the gateway's own presence.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn subscribers(
        &self,
        gateway_id: i64,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let rows = self
            .rows(
                SUBSCRIBERS,
                vec![gateway_id.into(), after.into(), limit.into()],
            )
            .await?;
        rows.iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// Every line of a gateway.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn lines(&self, gateway_id: i64) -> Result<Vec<LineListed>, StoreError> {
        let mut lines: Vec<LineListed> = Vec::new();
        for row in self.rows(LINES, vec![gateway_id.into()]).await? {
            let owner = row.opt_text(5)?.map(str::to_owned);
            match lines.last_mut() {
                Some(line) if line.line_id == row.int(0)? => line.owners.extend(owner),
                _ => lines.push(LineListed {
                    line_id: row.int(0)?,
                    address: row.text(1)?.to_owned(),
                    kind: row.text(2)?.to_owned(),
                    state: row.text(3)?.to_owned(),
                    source: row.text(4)?.to_owned(),
                    owners: owner.into_iter().collect(),
                }),
            }
        }
        Ok(lines)
    }

    /// The inbound message that an error stanza with this id is about.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn error_target(
        &self,
        stanza_id: &str,
        jid: &str,
        now_ms: i64,
    ) -> Result<Option<ErrorTarget>, StoreError> {
        const SELECT: Sql = Sql::both(
            "SELECT d.delivery_id, d.lane_id, d.attempts, m.created_ms
               FROM message_stanzas s JOIN messages m ON m.message_id = s.message_id
               JOIN deliveries d ON d.message_id = m.message_id
              WHERE s.stanza_id = $1 AND s.full_jid = $2 AND m.direction = 'in' AND s.created_ms > $3",
        );
        let params: Vec<Param> = vec![stanza_id.into(), jid.into(), (now_ms - ERRORS_MS).into()];
        let rows = self.rows(SELECT, params).await?;
        let target = |row: &super::Row| {
            Ok(ErrorTarget {
                delivery_id: row.int(0)?,
                lane_id: row.int(1)?,
                attempts: u32::try_from(row.int(2)?).unwrap_or_default(),
                created_ms: row.int(3)?,
            })
        };
        rows.first().map(target).transpose()
    }
}
