//! Columns that are never empty.
//!
//! Decides which a row always has a value in: its state and status, and lookups that the organisation itself needs, its owner among
//! them. What would empty one is refused (D16: no row is written that could not be; the words are inferred). A new row whose state or
//! status is said to be null takes its defaults, as one that says nothing of them does.

use mocktenant_schema::{Column, Kind, Requirement, Table};
use mocktenant_tables::Values;

use crate::errors::DataverseError;
use crate::payload::Fault;
use crate::tables;

/// Whether rows of the column's table always have a value in it.
fn is_required(column: Column<'_>) -> bool {
    match column.kind() {
        Kind::State | Kind::Status => column.table().states().next().is_some(),
        Kind::Lookup => column.requirement() == Requirement::System,
        _ => false,
    }
}

/// Refuses values that empty a column which is never empty.
pub(super) fn not_emptied(table: Table<'_>, values: &Values) -> Result<(), Fault> {
    let emptied = values.iter().filter(|(_, cell)| cell.as_ref().is_null());
    let mut columns = emptied.filter_map(|(ordinal, _)| table.at(ordinal));
    let Some(column) = columns.find(|column| is_required(*column)) else { return Ok(()) };
    let (name, value) = (tables::property(column), "null");
    let error = DataverseError::ValueOutOfRange {
        column: column.name().into(),
        entity: table.name().into(),
        value: value.to_owned(),
    };
    Err(Fault::of(error, &name, value, "a value, or nothing said of it"))
}
