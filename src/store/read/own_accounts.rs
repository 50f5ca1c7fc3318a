//! Accounts that users brought.

use super::{Row, Sql, Store, StoreError};
use crate::seal::{Bound, Sealed};

/// An account that a user brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnAccountRow {
    /// Its key.
    pub account_id: i64,
    /// The owner.
    pub user_id: i64,
    /// The owner's bare JID.
    pub jid: String,
    /// The language that the owner registered in.
    pub lang: Option<String>,
    /// Whether the owner uses the gateway now.
    pub is_user_active: bool,
    /// Its address.
    pub address: String,
    /// The servers, JSON.
    pub place: String,
    /// The login.
    pub sealed: Sealed,
    /// Whether its servers take the login no more.
    pub refused: bool,
    /// What they said.
    pub problem: Option<String>,
    /// Whether the owner knows.
    pub told: bool,
    /// When the login was kept.
    pub version_ms: i64,
    /// When the account was first kept.
    pub since_ms: i64,
}

impl OwnAccountRow {
    /// The row that its login is bound to.
    pub fn bound(&self) -> Bound {
        Bound {
            account_id: self.account_id,
            user_id: self.user_id,
        }
    }
}

const OF_GATEWAY: Sql = Sql::both(
    "SELECT o.account_id, o.user_id, u.jid, u.lang, CASE WHEN u.state = 'active' THEN 1 ELSE 0 END, l.address, o.place,
            o.key_id, o.sealed, CASE WHEN o.state = 'refused' THEN 1 ELSE 0 END, o.problem, o.told, o.changed_ms, o.since_ms
       FROM own_accounts o JOIN users u ON u.user_id = o.user_id JOIN lines l ON l.line_id = o.line_id
      WHERE o.gateway_id = $1",
);

const OF_USER: Sql = Sql::both(
    "SELECT o.account_id, o.user_id, u.jid, u.lang, CASE WHEN u.state = 'active' THEN 1 ELSE 0 END, l.address, o.place,
            o.key_id, o.sealed, CASE WHEN o.state = 'refused' THEN 1 ELSE 0 END, o.problem, o.told, o.changed_ms, o.since_ms
       FROM own_accounts o JOIN users u ON u.user_id = o.user_id JOIN lines l ON l.line_id = o.line_id
      WHERE o.user_id = $1
      ORDER BY o.since_ms, o.account_id",
);

const LOGIN: Sql = Sql::both(
    "SELECT o.key_id, o.sealed FROM own_accounts o WHERE o.account_id = $1 AND o.changed_ms = $2",
);

const PAGE: Sql = Sql::both(
    "SELECT o.account_id, o.user_id, o.key_id, o.sealed FROM own_accounts o
      WHERE o.account_id > $1 ORDER BY o.account_id LIMIT $2",
);

impl Store {
    /// The accounts that the users of a gateway brought.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn own_accounts(&self, gateway_id: i64) -> Result<Vec<OwnAccountRow>, StoreError> {
        let rows = self.rows(OF_GATEWAY, vec![gateway_id.into()]).await?;
        rows.iter().map(account).collect()
    }

    /// Those of one user, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn own_accounts_of(&self, user_id: i64) -> Result<Vec<OwnAccountRow>, StoreError> {
        let rows = self.rows(OF_USER, vec![user_id.into()]).await?;
        rows.iter().map(account).collect()
    }

    /// The login of an account as it is kept now; `None` when its owner has entered another since, or the account is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sealed_login(
        &self,
        account_id: i64,
        version_ms: i64,
    ) -> Result<Option<Sealed>, StoreError> {
        let of = vec![account_id.into(), version_ms.into()];
        let rows = self.rows(LOGIN, of).await?;
        rows.first().map(|row| sealed(row, 0)).transpose()
    }

    /// The sealed logins of all gateways behind a key, in its order.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sealed_after(
        &self,
        account_id: i64,
        limit: i64,
    ) -> Result<Vec<(Bound, Sealed)>, StoreError> {
        let rows = self
            .rows(PAGE, vec![account_id.into(), limit.into()])
            .await?;
        let login = |row: &Row| {
            let bound = Bound {
                account_id: row.int(0)?,
                user_id: row.int(1)?,
            };
            Ok((bound, sealed(row, 2)?))
        };
        rows.iter().map(login).collect()
    }
}

/// The key's id, and what it sealed.
fn sealed(row: &Row, at: usize) -> Result<Sealed, StoreError> {
    Ok(Sealed {
        key: row.text(at)?.to_owned(),
        text: row.text(at + 1)?.to_owned(),
    })
}

fn account(row: &Row) -> Result<OwnAccountRow, StoreError> {
    Ok(OwnAccountRow {
        account_id: row.int(0)?,
        user_id: row.int(1)?,
        jid: row.text(2)?.to_owned(),
        lang: row.opt_text(3)?.map(str::to_owned),
        is_user_active: row.flag(4)?,
        address: row.text(5)?.to_owned(),
        place: row.text(6)?.to_owned(),
        sealed: sealed(row, 7)?,
        refused: row.flag(9)?,
        problem: row.opt_text(10)?.map(str::to_owned),
        told: row.flag(11)?,
        version_ms: row.int(12)?,
        since_ms: row.int(13)?,
    })
}
