//! The OData language: query options, keys, literals, preferences.
//!
//! Decides what a piece of text means by the OData 4.0 URL conventions, as Microsoft's own library reads it, and binds it to a
//! schema: what comes of it is a question that knows no text any more ([`mocktenant_query`]). Knows no product: which options and
//! functions a service allows is in its [`dialect`], and the words in which it refuses belong to the surfaces. Every parser is
//! bounded in length and depth, says where what it cannot read stands, and never panics.

mod apply;
pub mod bind;
mod cursor;
pub mod dialect;
mod error;
mod key;
mod lexer;
mod literal;
mod percent;
mod preference;
mod query;
mod select;
pub mod syntax;
mod terms;

pub use apply::{Apply, Measure, Method};
pub use bind::{Binder, Clock};
pub use dialect::{Dialect, QueryFunction, Type};
pub use error::{SyntaxError, SyntaxErrorKind};
pub use key::{Argument, Arguments, ResourceSegment};
pub use literal::Literal;
pub use mocktenant_query::{compare_text, equal_text, fold_case};
pub use mocktenant_schema::{Guid, NotAGuid};
pub use mocktenant_sentences::{At, Fault};
pub use percent::encode as percent_encode;
pub use preference::{Preferences, Return};
pub use query::{Expand, QueryError, QueryOptions};
pub use select::{Expansion, Selection};

/// The longest text any of these parsers reads after percent-decoding, in bytes: one option's value, one segment, one
/// `Prefer` value.
pub const MAX_TEXT: usize = 64 * 1024;

/// The longest raw query string, in bytes. Larger than [`MAX_TEXT`] because percent-encoding triples a text.
pub const MAX_QUERY: usize = 256 * 1024;

/// How many comparisons and other terms a `$filter` may have: every one may be asked of every row. Dataverse takes as many
/// conditions (Microsoft Learn: Query data using the Web API, condition limits).
pub const MAX_TERMS: usize = 500;

/// How many items `$orderby` may have: every one may be asked of every pair of rows.
pub const MAX_ORDER: usize = 32;

/// How many items all of `$expand` may have: each is looked for with every row. (Dataverse takes fifteen: its own
/// limit is the surface's.)
pub const MAX_EXPAND: usize = 32;

/// How deep `$expand` may nest.
pub const MAX_EXPAND_DEPTH: usize = 8;

/// How many options a query may have, those of the service itself included.
pub const MAX_OPTIONS: usize = 256;

/// How deep parentheses and `not` may nest.
pub const MAX_DEPTH: usize = 64;
