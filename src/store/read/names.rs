//! Names that have keys: gateways, accounts; and how far accounts were read.

use std::collections::HashMap;

use super::{Param, Sql, Store, StoreError};

impl Store {
    /// The key of a gateway; `fresh` becomes it when the name is new.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn gateway_id(&self, name: &str, fresh: i64) -> Result<i64, StoreError> {
        const INSERT: Sql = Sql::both(
            "INSERT INTO gateways (gateway_id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        );
        const SELECT: Sql = Sql::both("SELECT gateway_id FROM gateways WHERE name = $1");
        self.named(INSERT, SELECT, name, fresh).await
    }

    /// The key of an account; `fresh` becomes it when the name is new.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn account_id(&self, name: &str, fresh: i64) -> Result<i64, StoreError> {
        const INSERT: Sql = Sql::both(
            "INSERT INTO accounts (account_id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        );
        const SELECT: Sql = Sql::both("SELECT account_id FROM accounts WHERE name = $1");
        self.named(INSERT, SELECT, name, fresh).await
    }

    async fn named(
        &self,
        insert: Sql,
        select: Sql,
        name: &str,
        fresh: i64,
    ) -> Result<i64, StoreError> {
        let mut connection = self.database.writer().await?;
        connection.run(insert, &[fresh.into(), name.into()]).await?;
        let rows = connection.rows(select, &[name.into()]).await?;
        rows.first().ok_or(StoreError::Gone)?.int(0)
    }

    /// How far an account's sources were read.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn cursors(&self, account_id: i64) -> Result<HashMap<String, String>, StoreError> {
        const SELECT: Sql = Sql::both("SELECT name, value FROM cursors WHERE account_id = $1");
        let rows = self.rows(SELECT, vec![Param::Int(account_id)]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))
            .collect()
    }
}
