//! Rows of the resources: snapshots, keys, indexes, transactions, queries.
//!
//! Decides which rows exist, which keys are taken, who may change what next, and which rows a query finds. A read looks at an
//! immutable [`Snapshot`], of which the schema is a part; a write reserves its row and its unique keys in a [`Transaction`] and can
//! then wait for an outbound call as long as it likes: only a reset makes [`Transaction::commit`] fail, and dropping the
//! transaction leaves no trace. Locks are taken and released inside each call, so none is ever held across an await. Knows no
//! column's meaning, no product's texts and no time.
//!
//! Keys compare as under the SQL collations of both products: texts without regard to case. The columns keep the case they were
//! written with.

mod database;
mod deletion;
mod error;
mod key;
mod layout;
mod leftovers;
mod query;
mod record;
mod redefine;
mod snapshot;
mod transaction;
mod tree;

pub use database::{Database, Draft, Limits};
pub use error::{Reset, TableError};
pub use key::Key;
pub use leftovers::Leftovers;
pub use query::{After, Page, Query, STRIDE};
pub use record::{Cells, FIRST_RECID, Row, Standing, Values};
pub use snapshot::{At, Sight, Snapshot};
pub use transaction::{Change, ChangeKind, Commit, Precondition, Reserved, Transaction};
