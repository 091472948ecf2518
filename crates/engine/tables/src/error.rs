//! Why a row cannot be read or written.
//!
//! Decides our own words only; surfaces map the variants to their product's codes and texts.

use mocktenant_schema::Cell;

/// A reset took a transaction's reservations before it could commit: nothing was written, nothing is held any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rows were reset since this change began")]
pub struct Reset;

/// Why a read or a reservation is refused. A refused reservation changes nothing; the transaction stays usable.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The schema has no such table, or one whose rows are not kept.
    #[error("there is no such table")]
    UnknownTable,
    /// The values of a unique key are taken, by a row or by another transaction's reservation.
    #[error("table '{table}': the key of {columns:?} = {values:?} is taken")]
    DuplicateKey {
        /// The table.
        table: String,
        /// Which key: 0 is the primary one, then the schema's further keys.
        key: usize,
        /// The key's columns.
        columns: Vec<String>,
        /// Their values in the row that was refused.
        values: Vec<Cell>,
    },
    /// Another transaction has reserved the row.
    #[error("table '{table}': the row is reserved by another transaction")]
    RowLocked {
        /// The table.
        table: String,
    },
    /// There is no such row.
    #[error("table '{table}': there is no such row")]
    NotFound {
        /// The table.
        table: String,
    },
    /// The row exists although the precondition says it must not.
    #[error("table '{table}': the row exists already")]
    AlreadyExists {
        /// The table.
        table: String,
    },
    /// The row has another version than the precondition asks for.
    #[error("table '{table}': the row has version {actual}, not {expected}")]
    VersionMismatch {
        /// The table.
        table: String,
        /// The version asked for.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
    /// A row without a value in a column of its primary key.
    #[error("table '{table}': the key column '{column}' has no value")]
    MissingKeyColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A change of a column of the primary key.
    #[error("table '{table}': the key column '{column}' cannot be changed")]
    KeyColumnChanged {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A row that takes more bytes than one may.
    #[error("table '{table}': a row has at most {limit} bytes")]
    RowTooLarge {
        /// The table.
        table: String,
        /// Bytes a row may take.
        limit: usize,
    },
    /// No room for another row.
    #[error("there are at most {limit} rows")]
    DatabaseFull {
        /// Rows there may be.
        limit: usize,
    },
    /// A row that cannot go while others lead to it.
    #[error("table '{table}': rows of '{by}' lead to the row")]
    Restricted {
        /// The table of the row that was to go.
        table: String,
        /// The table of the rows that lead to it.
        by: String,
        /// The relationship.
        relationship: String,
    },
    /// A deletion that would take more rows with it than one may.
    #[error("a deletion takes at most {limit} rows with it")]
    TooManyRows {
        /// Rows it may take.
        limit: usize,
    },
    /// A reset took the transaction's reservations.
    #[error("the rows were reset since this change began")]
    Reset,
}
