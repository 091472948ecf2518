//! Rows of the resources: snapshots, keys, transactions.
//!
//! Decides which rows exist, which keys are taken, and who may change what next. A read looks at an immutable
//! [`Snapshot`]; a write reserves its row and its unique keys in a [`Transaction`] and can then wait for an outbound
//! call as long as it likes: only a reset makes [`Transaction::commit`] fail, and dropping the transaction leaves no trace. Locks
//! are taken and released inside each call, so none is ever held across an await. Knows no column's meaning, no
//! product's texts and no time.
//!
//! Keys compare as under the SQL collations of both products: texts (and GUIDs, which rows hold as texts) without
//! regard to case. The columns keep the case they were written with.

mod database;
mod error;
mod key;
mod query;
mod row;
mod schema;
mod snapshot;
mod transaction;

pub use database::{Database, Draft, Limits};
pub use error::{KeyName, Reset, SchemaError, TableError};
pub use key::{Key, KeyPart, Reference};
pub use query::{Page, Query, STRIDE, Scan};
pub use row::{Columns, FIRST_RECID, Row, Selection};
pub use schema::{AlternateKey, Schema};
pub use snapshot::{Snapshot, TableView};
pub use transaction::{Change, ChangeKind, Commit, Precondition, Reserved, Transaction};
