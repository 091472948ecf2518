//! Which rows a request addresses: a table, and the row of it that its key names.
//!
//! Decides whether a key is one of the table's. Never looks whether the row is there.

use mocktenant_odata::{Arguments, Literal, QueryOptions, ResourceSegment};
use mocktenant_schema::{Cell, Column, Kind, Table, value};
use mocktenant_tables::{Database, Key, Row, Snapshot};

use crate::errors::DataverseError;
use crate::tables::DIALECT;

/// What a request addresses.
pub(super) struct Target<'s> {
    pub(super) table: Table<'s>,
    /// The row, if it names one.
    pub(super) reference: Option<Reference>,
    pub(super) options: QueryOptions,
    pub(super) database: Database,
}

/// A row by one of its table's keys.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// 0: the primary key; then the table's further keys.
    pub(crate) index: usize,
    pub(crate) key: Key,
    /// The key's values, by column.
    pub(crate) cells: Vec<(u16, Cell)>,
    /// The key as a person reads it.
    pub(crate) shown: String,
}

impl Reference {
    /// The row, if it is there.
    pub(crate) fn row<'r>(&self, rows: &'r Snapshot, table: Table<'_>) -> Option<&'r Row> {
        rows.find(table, self.index, &self.key)
    }

    /// The answer where it is not.
    pub(crate) fn missing(&self, table: Table<'_>) -> DataverseError {
        let entity = table.name().into();
        match self.index {
            0 => DataverseError::ObjectDoesNotExist { entity, id: self.shown.clone() },
            _ => DataverseError::RecordNotFoundByEntityKey { entity },
        }
    }
}

/// The row a segment names; `None` for the whole set. Ids are written without quotes, values of alternate keys as their
/// columns' types ask.
pub(crate) fn key_of<'q>(
    table: Table<'_>,
    segment: &ResourceSegment,
    alias: impl Fn(&str) -> Option<&'q str>,
) -> Result<Option<Reference>, DataverseError> {
    if segment.arguments == Arguments::None {
        return Ok(None);
    }
    let wrong = || DataverseError::QuerySyntax;
    let id = table.id().map_or("", Column::name);
    let named = segment.named_literals(id, alias).map_err(|_| wrong())?;
    let mut given = Vec::new();
    for (name, literal) in &named {
        let column = DIALECT.column(table, name).ok_or_else(wrong)?;
        given.push((column.ordinal(), name.as_str(), cell(column, literal).ok_or_else(wrong)?));
    }
    let keys = std::iter::once(table.key().map(Column::ordinal).collect::<Vec<u16>>())
        .chain(table.keys().map(|key| key.columns().map(Column::ordinal).collect()));
    for (index, columns) in keys.enumerate() {
        let values: Option<Vec<&(u16, &str, Cell)>> =
            columns.iter().map(|column| given.iter().find(|(one, ..)| one == column)).collect();
        let Some(values) = values.filter(|values| values.len() == given.len()) else { continue };
        let key = Key::of(values.iter().map(|(_, _, cell)| cell.as_ref()));
        let shown: Vec<String> =
            values.iter().map(|(_, _, cell)| crate::representation::told(cell)).collect();
        let cells = if index == 0 {
            Vec::new()
        } else {
            given.iter().map(|(at, _, cell)| (*at, cell.clone())).collect()
        };
        return Ok(Some(Reference { index, key, cells, shown: shown.join(",") }));
    }
    Err(wrong())
}

/// A value in a URL as a column keeps it; `None` if it is none of the column's.
fn cell(column: Column<'_>, literal: &Literal) -> Option<Cell> {
    match (column.kind(), literal) {
        (Kind::Id | Kind::Lookup, Literal::Guid(id)) => Some(Cell::Id(*id)),
        (Kind::Id | Kind::Lookup, _) | (_, Literal::Null) => None,
        (_, literal) => value::read(column, &literal.to_json()).ok().filter(|cell| !cell.is_null()),
    }
}
