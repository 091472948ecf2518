//! The OData language: query options, `$filter`, keys, literals, preferences.
//!
//! Decides what a piece of text means by the OData 4.0 URL conventions, and whether a row satisfies a filter. Knows no
//! product: which options, columns or functions a service allows, and the words in which it refuses, belong to the
//! surfaces. Every parser is bounded in length and depth, reports the byte offset of what it cannot read, and never
//! panics.

mod batch;
mod compare;
mod cursor;
mod error;
mod expand;
mod filter;
mod filter_parser;
mod instant;
mod key;
mod literal;
mod percent;
mod preference;
mod query;

pub use batch::{Batch, BatchError, BatchItem, Operation};
pub use mocktenant_query::{compare_text, equal_text, fold_case};
pub use compare::{Evaluation, compare_values};
pub use error::{QueryError, QueryErrorKind, SyntaxError, SyntaxErrorKind};
pub use expand::Expand;
pub use filter::{Comparison, Filter, Operand, PropertyPath, TextFunction};
pub use mocktenant_schema::{Guid, NotAGuid};
pub use key::{Argument, Arguments, ResourceSegment};
pub use literal::Literal;
pub use percent::encode as percent_encode;
pub use preference::{Preferences, Return};
pub use query::{OrderBy, QueryOptions};

/// The longest text any of these parsers reads after percent-decoding, in bytes: one option's value, one segment, one
/// `Prefer` value.
pub const MAX_TEXT: usize = 8 * 1024;

/// The longest raw query string, in bytes. Larger than [`MAX_TEXT`] because percent-encoding triples a text.
pub const MAX_QUERY: usize = 32 * 1024;

/// How many comparisons and other terms a `$filter` may have: every one may be asked of every row. Dataverse takes as many
/// conditions (Microsoft Learn: Query data using the Web API, condition limits).
pub const MAX_TERMS: usize = 500;

/// How many items `$orderby` may have: every one may be asked of every pair of rows.
pub const MAX_ORDER: usize = 32;

/// How many related rows one `$expand` may name: each is looked for with every row. (Dataverse takes fifteen: its own
/// limit is the surface's.)
pub const MAX_EXPAND: usize = 32;

/// How many options a query may have, those of the service itself included.
pub const MAX_OPTIONS: usize = 256;

/// How deep parentheses and `not` may nest.
pub const MAX_DEPTH: usize = 64;
