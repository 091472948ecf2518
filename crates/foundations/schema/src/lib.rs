//! Shape of tables and entities: columns, keys, relationships, labels, and what a value may be.
//!
//! Decides which columns there are and of what type, what makes a row the same row, where a lookup leads and what a deletion
//! does. Knows no product: a table is a file in a surface, compiled to a constant, or a part of a declaration, compiled when it
//! is read; both have one shape ([`definition`]). Refusals are typed violations that a surface words.

pub mod cell;
mod column;
pub mod compile;
pub mod decimal;
pub mod definition;
pub mod emit;
pub mod files;
mod guid;
#[expect(missing_docs, reason = "records that a build script writes down; `schema` says what each member is")]
pub mod image;
mod kind;
pub mod moment;
mod relationship;
pub mod schema;
mod schemas;
pub mod value;

pub use cell::{Cell, CellRef};
pub use column::{Choice, Choices, Column, Key, State};
pub use compile::{DefinitionError, Unset, Whose, compile};
pub use decimal::Decimal;
pub use definition::{
    ChoiceDefinitions, ColumnDefinition, ColumnDefinitions, Deletion, Requirement, TableDefinition,
    TableDefinitions,
};
pub use guid::{Guid, NotAGuid};
pub use kind::Kind;
pub use relationship::{Navigation, Relationship};
pub use schema::{Schema, Table};
pub use schemas::{Complete, Findings, OfSchema, Schemas};
pub use value::{Rule, Violation};
