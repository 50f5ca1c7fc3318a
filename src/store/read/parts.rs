//! Parts of longer texts that wait for the others.

use serde::Serialize;

use super::{Param, Row, Sql, Store, StoreError, for_rows, json};

/// What the parts of one text have in common.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
pub struct PartsOf {
    /// Our address.
    pub line: String,
    /// Who wrote it.
    pub peer: String,
    /// What they say of themselves.
    pub reference: u16,
    /// How many there are.
    pub total: u8,
}

/// A part that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptPart {
    /// Its key; rises with time.
    pub part_id: i64,
    /// The account that brought it.
    pub scope_id: i64,
    /// Which text it is of.
    pub of: PartsOf,
    /// Which one it is, from 1.
    pub number: u8,
    /// The name that came with it.
    pub peer_name: Option<String>,
    /// What it says.
    pub body: String,
    /// When it was sent, as far as the network says.
    pub sent_ms: Option<i64>,
    /// When it came.
    pub at_ms: i64,
}

const KEPT: Sql = for_rows!(
    "SELECT p.part_id, p.scope_id, p.line, p.peer, p.reference, p.total, p.number, p.peer_name, p.body, p.sent_ms, p.at_ms
       FROM",
    "CROSS JOIN parts p
      WHERE p.gateway_id = $2 AND p.line = r.value ->> 'line' AND p.peer = r.value ->> 'peer'
        AND p.reference = CAST(r.value ->> 'reference' AS BIGINT) AND p.total = CAST(r.value ->> 'total' AS BIGINT)
      ORDER BY p.part_id"
);

// Where a reference came round again there may be enough numbers for a text that is not whole; who puts it together sees that.
const DUE: Sql = Sql::both(
    "SELECT p.line, p.peer, p.reference, p.total
       FROM parts p
      WHERE p.gateway_id = $1
      GROUP BY p.line, p.peer, p.reference, p.total
     HAVING MIN(p.at_ms) < $2 OR COUNT(DISTINCT p.number) >= p.total
      ORDER BY MIN(p.at_ms) LIMIT $3",
);

impl Store {
    /// The parts of these texts, in the order in which they came.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn parts(
        &self,
        gateway_id: i64,
        of: &[PartsOf],
    ) -> Result<Vec<KeptPart>, StoreError> {
        let params: Vec<Param> = vec![json(of), gateway_id.into()];
        let rows = self.rows(KEPT, params).await?;
        rows.iter().map(kept).collect()
    }

    /// The texts of which all parts may be there, and those that a part came of before that time: the oldest, at most so many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn parts_due(
        &self,
        gateway_id: i64,
        before_ms: i64,
        limit: i64,
    ) -> Result<Vec<PartsOf>, StoreError> {
        let params = vec![gateway_id.into(), before_ms.into(), limit.into()];
        let rows = self.rows(DUE, params).await?;
        rows.iter().map(|row| parts_of(row, 0)).collect()
    }
}

fn kept(row: &Row) -> Result<KeptPart, StoreError> {
    Ok(KeptPart {
        part_id: row.int(0)?,
        scope_id: row.int(1)?,
        of: parts_of(row, 2)?,
        number: octet(row.int(6)?),
        peer_name: row.opt_text(7)?.map(str::to_owned),
        body: row.text(8)?.to_owned(),
        sent_ms: row.opt_int(9)?,
        at_ms: row.int(10)?,
    })
}

fn parts_of(row: &Row, at: usize) -> Result<PartsOf, StoreError> {
    Ok(PartsOf {
        line: row.text(at)?.to_owned(),
        peer: row.text(at + 1)?.to_owned(),
        reference: u16::try_from(row.int(at + 2)?).unwrap_or(u16::MAX),
        total: octet(row.int(at + 3)?),
    })
}

fn octet(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
