//! What every test here begins with: a schema from the text of its tables, and rows by the names of their columns.

use std::sync::Arc;

use mocktenant_schema::{Cell, ChoiceDefinitions, Schema, Table, TableDefinitions, Unset, Whose, compile};
use mocktenant_tables::{Row, Transaction, Values};

/// The schema of tables as a person writes them.
pub(crate) fn schema(tables: &str) -> Arc<Schema> {
    schema_with(tables, Unset::Null)
}

/// The same, where a column without a value holds this.
pub(crate) fn schema_with(tables: &str, unset: Unset) -> Arc<Schema> {
    let tables: TableDefinitions = serde_saphyr::from_str(tables).unwrap();
    let compiled = compile(&Schema::default(), &tables, &ChoiceDefinitions::new(), (Whose::Product, unset));
    Arc::new(compiled.unwrap())
}

/// Values of a row, by the names of their columns.
pub(crate) fn values<'c>(table: Table<'_>, cells: impl IntoIterator<Item = (&'c str, Cell)>) -> Values {
    cells.into_iter().map(|(name, cell)| (table.column(name).unwrap().ordinal(), cell)).collect()
}

/// Commits a transaction of one insertion; the row.
pub(crate) fn insert(mut transaction: Transaction, table: Table<'_>, values: Values) -> Row {
    transaction.reserve_insert(table, values).unwrap();
    let mut commit = transaction.commit().unwrap();
    assert_eq!(commit.changes.len(), 1);
    commit.changes.remove(0).after.unwrap()
}
