//! Why a row cannot be read or written.
//!
//! Decides our own words only; surfaces map the variants to their product's codes and texts.

use std::fmt;

use serde_json::Value;

use crate::key::Key;

/// Which unique key of a table is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyName {
    /// The primary key.
    Primary,
    /// The alternate key of that name.
    Alternate(String),
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => formatter.write_str("primary key"),
            Self::Alternate(name) => write!(formatter, "alternate key '{name}'"),
        }
    }
}

/// A reset took a transaction's reservations before it could commit: nothing was written, nothing is held any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rows were reset since this change began")]
pub struct Reset;

/// Why a read or a reservation is refused. A refused reservation changes nothing; the transaction stays usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The database has no such table.
    #[error("there is no table '{table}'")]
    UnknownTable {
        /// The name asked for.
        table: String,
    },
    /// No primary or alternate key has exactly these columns.
    #[error("table '{table}' has no key of the columns {columns:?}")]
    NoSuchKey {
        /// The table.
        table: String,
        /// The columns that were named.
        columns: Vec<String>,
    },
    /// The values of a unique key are taken, by a row or by another transaction's reservation.
    #[error("table '{table}': the {key} {columns:?} = {values:?} is taken")]
    DuplicateKey {
        /// The table.
        table: String,
        /// Which key.
        key: KeyName,
        /// The key's columns.
        columns: Vec<String>,
        /// Their values in the row that was refused, as written.
        values: Vec<Value>,
    },
    /// Another transaction has reserved the row.
    #[error("table '{table}': the row {key} is reserved by another transaction")]
    RowLocked {
        /// The table.
        table: String,
        /// The row's primary key.
        key: Key,
    },
    /// There is no such row.
    #[error("table '{table}': there is no row {key}")]
    NotFound {
        /// The table.
        table: String,
        /// The primary key asked for.
        key: Key,
    },
    /// The row exists although the precondition says it must not.
    #[error("table '{table}': the row {key} exists already")]
    AlreadyExists {
        /// The table.
        table: String,
        /// The row's primary key.
        key: Key,
    },
    /// The row has another version than the precondition asks for.
    #[error("table '{table}': the row {key} has version {actual}, not {expected}")]
    VersionMismatch {
        /// The table.
        table: String,
        /// The row's primary key.
        key: Key,
        /// The version asked for.
        expected: u64,
        /// The version it has; 0 for a row this very transaction inserts.
        actual: u64,
    },
    /// A new row lacks a primary key column, or has null in it.
    #[error("table '{table}': the key column '{column}' has no value")]
    MissingKeyColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A key column holds something that cannot be part of a key: a fraction, an array, an object.
    #[error("table '{table}': the value of the key column '{column}' cannot be part of a key")]
    InvalidKeyValue {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A change would give the row another primary key.
    #[error("table '{table}': the key column '{column}' cannot be changed")]
    KeyColumnChanged {
        /// The table.
        table: String,
        /// The first column that differs.
        column: String,
    },
    /// The row would be larger than [`crate::Limits::max_row_bytes`].
    #[error("table '{table}': the row is larger than {limit} bytes")]
    RowTooLarge {
        /// The table.
        table: String,
        /// The limit in bytes of JSON.
        limit: usize,
    },
    /// The database holds, and has reserved, [`crate::Limits::max_rows`] rows.
    #[error("the database is full: {limit} rows")]
    DatabaseFull {
        /// The limit in rows.
        limit: usize,
    },
    /// The database was replaced or cleared since the transaction began.
    #[error("the database was reset since the transaction began")]
    Reset,
}

/// Why a set of schemas makes no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Two tables of one name.
    #[error("two tables are named '{table}'")]
    DuplicateTable {
        /// The name.
        table: String,
    },
    /// Two alternate keys of one name, or of the same columns as another key.
    #[error("table '{table}': the key '{key}' is defined twice")]
    DuplicateKey {
        /// The table.
        table: String,
        /// The second key's name.
        key: String,
    },
    /// A key without columns, or with one column twice.
    #[error("table '{table}': the {key} needs distinct columns, at least one")]
    BadColumns {
        /// The table.
        table: String,
        /// The key.
        key: KeyName,
    },
}
