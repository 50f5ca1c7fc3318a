//! Parameters and rows: text, integers and null, as both engines carry them.

use sqlx::{
    Column as _, Row as _, TypeInfo as _, ValueRef as _,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

use crate::store::{StoreError, json::without_nul};

/// A parameter.
#[derive(Clone, Debug)]
pub(in crate::store) enum Param {
    Int(i64),
    Text(String),
    Null,
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(without_nul(value.to_owned()))
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(without_nul(value))
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Int(i64),
    Text(String),
    Null,
}

/// One row of an answer, read by position.
#[derive(Debug)]
pub(in crate::store) struct Row(Vec<Value>);

impl Row {
    pub(in crate::store) fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            other => Err(StoreError::inconsistent(column, other)),
        }
    }

    pub(in crate::store) fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    pub(in crate::store) fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            other => Err(StoreError::inconsistent(column, other)),
        }
    }

    pub(in crate::store) fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    pub(in crate::store) fn flag(&self, column: usize) -> Result<bool, StoreError> {
        self.int(column).map(|value| value != 0)
    }
}

pub(super) fn sqlite_arguments(params: &[Param]) -> Result<SqliteArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
    for param in params {
        match param {
            Param::Int(value) => arguments.add(*value),
            Param::Text(value) => arguments.add(value.clone()),
            Param::Null => arguments.add(None::<String>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

pub(super) fn pg_arguments(params: &[Param]) -> Result<PgArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
    for param in params {
        match param {
            Param::Int(value) => arguments.add(*value),
            Param::Text(value) => arguments.add(value.as_str()),
            Param::Null => arguments.add(None::<String>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

pub(super) fn sqlite_row(row: &SqliteRow) -> Result<Row, StoreError> {
    let read = |index: usize| -> Result<Value, StoreError> {
        let raw = row.try_get_raw(index)?;
        Ok(match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "TEXT" => Value::Text(row.try_get_unchecked(index)?),
            _ => Value::Int(row.try_get_unchecked(index)?),
        })
    };
    (0..row.len()).map(read).collect::<Result<_, _>>().map(Row)
}

pub(super) fn pg_row(row: &PgRow) -> Result<Row, StoreError> {
    let read = |column: &sqlx::postgres::PgColumn| -> Result<Value, StoreError> {
        let index = column.ordinal();
        if row.try_get_raw(index)?.is_null() {
            return Ok(Value::Null);
        }
        Ok(match column.type_info().name() {
            "INT8" => Value::Int(row.try_get(index)?),
            "INT4" => Value::Int(i64::from(row.try_get::<i32, _>(index)?)),
            _ => Value::Text(row.try_get(index)?),
        })
    };
    row.columns()
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map(Row)
}
