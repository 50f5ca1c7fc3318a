//! Tables as the database itself describes them.

use serde_json::{Map, Value};

use super::super::{Connection, Param, Row, Sql, StoreError, json, migrate};

/// Facts about the installation; some stay behind.
pub(super) const META: &str = "meta";
/// What belongs to one database and not to the installation.
const STAYS: [&str; 2] = ["moved", "ready"];

/// Tables that say who runs on this database.
const OF_PROCESSES: [&str; 2] = ["processes", "holders"];

/// How much is read.
pub(super) struct Wanted {
    /// Rows at most.
    pub(super) rows: usize,
    /// Whether bodies of messages that are done with are.
    pub(super) bodies: bool,
}

/// One table.
pub(super) struct Table {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    is_integer: bool,
    /// Its place in the primary key, counted from 1; 0: none.
    key: i64,
}

const COLUMNS: Sql = Sql {
    sqlite: "SELECT name, CASE WHEN type = 'TEXT' THEN 'TEXT' ELSE 'BIGINT' END, pk FROM pragma_table_info($1) ORDER BY cid",
    postgres: "SELECT CAST(c.column_name AS TEXT),
                      CASE WHEN c.data_type = 'bigint' THEN 'BIGINT' ELSE 'TEXT' END,
                      CAST(COALESCE(k.ordinal_position, 0) AS BIGINT)
                 FROM information_schema.columns c
                 LEFT JOIN information_schema.table_constraints t
                   ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY'
                 LEFT JOIN information_schema.key_column_usage k
                   ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name
                  AND k.column_name = c.column_name
                WHERE c.table_schema = current_schema() AND c.table_name = $1 ORDER BY c.ordinal_position",
};

/// The tables, what is referred to before what refers to it: the order in which the migrations make them. One that is made anew keeps
/// its place.
pub(super) fn names() -> Vec<String> {
    let mut names = in_order(migrate::texts());
    names.retain(|name| !OF_PROCESSES.contains(&name.as_str()));
    names
}

fn in_order(texts: Vec<&str>) -> Vec<String> {
    // Whether it is there, and its name.
    let mut tables: Vec<(bool, &str)> = Vec::new();
    for line in texts.into_iter().flat_map(str::lines) {
        let words: Vec<&str> = line.trim_end_matches(';').split(' ').collect();
        match words[..] {
            ["CREATE", "TABLE", name, ..] => tables.push((true, name)),
            ["DROP", "TABLE", dropped] => {
                let its = tables.iter_mut().filter(|(_, name)| *name == dropped);
                its.for_each(|(is_there, _)| *is_there = false);
            }
            ["ALTER", "TABLE", old, "RENAME", "TO", new] => {
                let replaced = |(is_there, name): &(bool, &str)| !*is_there && *name == new;
                if let Some(place) = tables.iter().position(replaced) {
                    tables.retain(|(_, name)| *name != old);
                    if let Some(table) = tables.get_mut(place) {
                        table.0 = true;
                    }
                } else {
                    let its = tables.iter_mut().filter(|(_, name)| *name == old);
                    its.for_each(|(_, name)| *name = new);
                }
            }
            _ => {}
        }
    }
    let there = tables.into_iter().filter(|(is_there, _)| *is_there);
    there.map(|(_, name)| name.to_owned()).collect()
}

impl Table {
    pub(super) async fn describe(
        connection: &mut Connection,
        name: &str,
    ) -> Result<Self, StoreError> {
        let rows = connection.rows(COLUMNS, &[name.into()]).await?;
        let column = |row: &Row| {
            Ok(Column {
                name: row.text(0)?.to_owned(),
                is_integer: row.text(1)? == "BIGINT",
                key: row.int(2)?,
            })
        };
        let columns: Result<Vec<Column>, StoreError> = rows.iter().map(column).collect();
        Ok(Self {
            name: name.to_owned(),
            columns: columns?,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The columns of the primary key, in its order.
    fn key(&self) -> Vec<&Column> {
        let mut key: Vec<&Column> = self
            .columns
            .iter()
            .filter(|column| column.key > 0)
            .collect();
        key.sort_by_key(|column| column.key);
        key
    }

    fn list(columns: &[&Column]) -> String {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    /// What is read of a column. What waits cannot be sent without its text, so that goes along in any case.
    fn expression(&self, column: &Column, bodies: bool) -> String {
        if bodies || self.name != "messages" || column.name != "body" {
            return column.name.clone();
        }
        "CASE WHEN EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.message_id
                              AND d.state IN ('held', 'queued', 'sending')) THEN body END"
            .to_owned()
    }

    /// The rows behind a key, in its order.
    pub(super) async fn page(
        &self,
        connection: &mut Connection,
        after: Option<&[Value]>,
        wanted: &Wanted,
    ) -> Result<Vec<Map<String, Value>>, StoreError> {
        let key = Self::list(&self.key());
        let mut params: Vec<Param> = after.unwrap_or_default().iter().map(param).collect();
        let places: Vec<String> = (1..=params.len()).map(|at| format!("${at}")).collect();
        let behind = if params.is_empty() {
            String::new()
        } else {
            format!(" WHERE ({key}) > ({})", places.join(", "))
        };
        params.push(i64::try_from(wanted.rows).unwrap_or(i64::MAX).into());
        let expression = |column: &Column| self.expression(column, wanted.bodies);
        let columns: Vec<String> = self.columns.iter().map(expression).collect();
        let text = format!(
            "SELECT {} FROM {}{behind} ORDER BY {key} LIMIT ${}",
            columns.join(", "),
            self.name,
            params.len()
        );
        let rows = connection.rows_of(text, &params).await?;
        let whole = |row: &Row| {
            let cell = |(at, column): (usize, &Column)| {
                let value = if column.is_integer {
                    row.opt_int(at)?.map_or(Value::Null, Value::from)
                } else {
                    row.opt_text(at)?.map_or(Value::Null, Value::from)
                };
                Ok((column.name.clone(), value))
            };
            self.columns.iter().enumerate().map(cell).collect()
        };
        let rows: Result<Vec<Map<String, Value>>, StoreError> = rows.iter().map(whole).collect();
        let mut rows = rows?;
        if self.name == META {
            rows.retain(|row| {
                !STAYS
                    .iter()
                    .any(|name| row.get("name") == Some(&Value::from(*name)))
            });
        }
        Ok(rows)
    }

    /// The key of a row.
    pub(super) fn key_of(&self, row: &Map<String, Value>) -> Vec<Value> {
        let value = |column: &&Column| row.get(&column.name).cloned().unwrap_or_default();
        self.key().iter().map(value).collect()
    }

    /// Whether this can be a row of the table.
    pub(super) fn fits(&self, row: &Map<String, Value>) -> bool {
        let fits = |column: &Column| match row.get(&column.name) {
            Some(Value::Null) => true,
            Some(Value::Number(number)) => column.is_integer && number.is_i64(),
            Some(Value::String(_)) => !column.is_integer,
            _ => false,
        };
        row.len() == self.columns.len() && self.columns.iter().all(fits)
    }

    pub(super) async fn insert(
        &self,
        connection: &mut Connection,
        rows: &[Value],
    ) -> Result<(), StoreError> {
        let columns: Vec<&Column> = self.columns.iter().collect();
        let value = |column: &&Column| {
            let kind = if column.is_integer { "BIGINT" } else { "TEXT" };
            format!("CAST(r.value ->> '{}' AS {kind})", column.name)
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let from = if connection.is_postgres() {
            "jsonb_array_elements($1::jsonb) AS r(value)"
        } else {
            "jsonb_each($1) AS r"
        };
        // The installation's own facts are there already, made by its first start; the moved ones win.
        let conflict = if self.name == META {
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        } else {
            ""
        };
        let text = format!(
            "INSERT INTO {} ({}) SELECT {} FROM {from} WHERE 1 = 1{conflict}",
            self.name,
            Self::list(&columns),
            values.join(", ")
        );
        connection.run_of(text, &[json(rows)]).await.map(drop)
    }
}

fn param(value: &Value) -> Param {
    match value {
        Value::Number(number) => number.as_i64().map_or(Param::Null, Param::Int),
        Value::String(text) => Param::Text(text.clone()),
        _ => Param::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_made_anew_keeps_its_place() {
        let first = "CREATE TABLE a (\n    x BIGINT\n);\nCREATE TABLE b (\nCREATE TABLE c (\n";
        let second = "CREATE TABLE a_new (\nDROP TABLE a;\nALTER TABLE a_new RENAME TO a;\nDROP TABLE c;\nCREATE TABLE d (\n";
        let third = "ALTER TABLE b RENAME TO e;\nALTER TABLE d ADD COLUMN y BIGINT;\n";
        assert_eq!(in_order(vec![first, second, third]), ["a", "e", "d"]);
    }
}
