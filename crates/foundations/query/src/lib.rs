//! What is asked of rows, whatever language it was asked in: conditions, order, pages, aggregates, bound to a schema.
//!
//! Decides what a question means: three-valued logic, how values compare, where a path leads. Knows no text: OData's options and
//! FetchXML are lowered to it by those who read them. Knows no storage either: rows are seen through [`Rows`]. A question is
//! bound once, so a row is asked by position and nothing is looked up by name.

mod collation;
mod evaluate;
mod expression;
mod order;
mod pattern;

pub use collation::{compare_text, equal_text, fold_case};
pub use evaluate::{Rows, Verdict};
pub use expression::{Arithmetic, Comparison, Expression, Function, Hop, Path, TextFunction};
pub use order::{Order, compare_rows};
pub use pattern::Pattern;
