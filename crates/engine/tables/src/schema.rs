//! What a table is called and what makes its rows unique.
//!
//! Decides keys only: columns that are no part of a key are whatever a surface writes.

use mocktenant_odata::Literal;
use serde_json::Value;

use crate::error::{KeyName, SchemaError, TableError};
use crate::key::{Key, KeyPart, Reference};
use crate::row::Columns;

/// A second unique key of a table.
///
/// A row in which any of the columns is null or absent has no entry in it, so that any number of such rows may exist.
/// (Decision: SQL Server's filtered unique index behaves like this; no source at hand says what each product does.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlternateKey {
    /// The key's name.
    pub name: String,
    /// Its columns, at least one.
    pub columns: Vec<String>,
}

/// One table: an entity set and its keys. Names are compared as they are spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The entity set, `accounts`.
    pub name: String,
    /// The primary key's columns, at least one; every row has a value in each.
    pub primary_key: Vec<String>,
    /// Further unique keys.
    pub alternate_keys: Vec<AlternateKey>,
}

impl Schema {
    /// A table with a primary key and no other.
    pub fn new<C: Into<String>>(name: impl Into<String>, primary_key: impl IntoIterator<Item = C>) -> Self {
        let primary_key = primary_key.into_iter().map(Into::into).collect();
        Self { name: name.into(), primary_key, alternate_keys: Vec::new() }
    }

    /// The same table with one more unique key.
    #[must_use]
    pub fn alternate_key<C: Into<String>>(
        mut self,
        name: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.alternate_keys.push(AlternateKey { name: name.into(), columns });
        self
    }

    /// The primary key of a row: [`TableError::MissingKeyColumn`] or [`TableError::InvalidKeyValue`] if it has none.
    pub fn primary(&self, row: &Columns) -> Result<Key, TableError> {
        let parts: Result<Vec<_>, _> = self
            .primary_key
            .iter()
            .map(|column| {
                self.part(row, column)?.ok_or_else(|| TableError::MissingKeyColumn {
                    table: self.name.clone(),
                    column: column.clone(),
                })
            })
            .collect();
        parts.map(Key::new)
    }

    /// The row's value of every alternate key in the schema's order, `None` where a column is null or absent.
    pub fn alternates(&self, row: &Columns) -> Result<Vec<Option<Key>>, TableError> {
        self.alternate_keys
            .iter()
            .map(|alternate| {
                // `collect` into a result of an option: any error wins, then any missing column
                let parts: Vec<Option<KeyPart>> = alternate
                    .columns
                    .iter()
                    .map(|column| self.part(row, column))
                    .collect::<Result<_, _>>()?;
                Ok(parts.into_iter().collect::<Option<Vec<_>>>().map(Key::new))
            })
            .collect()
    }

    /// The row that named key values of a URL point to: the key with exactly these columns, in any order.
    ///
    /// [`TableError::NoSuchKey`] if no key has them, [`TableError::InvalidKeyValue`] for null or a fraction.
    pub fn reference(&self, named: &[(String, Literal)]) -> Result<Reference, TableError> {
        let same = |columns: &[String]| {
            columns.len() == named.len()
                && columns.iter().all(|column| named.iter().any(|(name, _)| name == column))
        };
        let key = |columns: &[String]| {
            let parts: Result<Vec<_>, _> = columns
                .iter()
                .map(|column| {
                    let literal = named.iter().find(|(name, _)| name == column).map(|(_, literal)| literal);
                    literal.and_then(KeyPart::from_literal).ok_or_else(|| self.invalid(column))
                })
                .collect();
            parts.map(Key::new)
        };
        if same(&self.primary_key) {
            return key(&self.primary_key).map(Reference::Primary);
        }
        for (index, alternate) in self.alternate_keys.iter().enumerate() {
            if same(&alternate.columns) {
                return key(&alternate.columns).map(|key| Reference::Alternate { index, key });
            }
        }
        let columns = named.iter().map(|(name, _)| name.clone()).collect();
        Err(TableError::NoSuchKey { table: self.name.clone(), columns })
    }

    /// The row that values point to by the alternate key of that name.
    pub fn by_alternate(&self, name: &str, key: Key) -> Result<Reference, TableError> {
        match self.alternate_keys.iter().position(|alternate| alternate.name == name) {
            Some(index) => Ok(Reference::Alternate { index, key }),
            None => Err(TableError::NoSuchKey { table: self.name.clone(), columns: vec![name.to_owned()] }),
        }
    }

    /// The value of one key column: `None` if null or absent.
    fn part(&self, row: &Columns, column: &str) -> Result<Option<KeyPart>, TableError> {
        match row.get(column) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => KeyPart::from_json(value).map(Some).ok_or_else(|| self.invalid(column)),
        }
    }

    fn invalid(&self, column: &str) -> TableError {
        TableError::InvalidKeyValue { table: self.name.clone(), column: column.to_owned() }
    }

    /// The error for a key of this table that is taken by another row.
    pub(crate) fn duplicate(&self, key: KeyName, row: &Columns) -> TableError {
        let columns = match &key {
            KeyName::Primary => &self.primary_key,
            KeyName::Alternate(name) => self
                .alternate_keys
                .iter()
                .find(|alternate| alternate.name == *name)
                .map_or(&self.primary_key, |alternate| &alternate.columns),
        };
        TableError::DuplicateKey {
            table: self.name.clone(),
            columns: columns.clone(),
            values: columns.iter().map(|column| row.get(column).cloned().unwrap_or_default()).collect(),
            key,
        }
    }

    /// Whether the keys make sense on their own.
    pub(crate) fn check(&self) -> Result<(), SchemaError> {
        let table = || self.name.clone();
        if !distinct(&self.primary_key) {
            return Err(SchemaError::BadColumns { table: table(), key: KeyName::Primary });
        }
        for (index, alternate) in self.alternate_keys.iter().enumerate() {
            if !distinct(&alternate.columns) {
                let key = KeyName::Alternate(alternate.name.clone());
                return Err(SchemaError::BadColumns { table: table(), key });
            }
            let earlier = self.alternate_keys.iter().take(index);
            let repeats = same_columns(&self.primary_key, &alternate.columns)
                || earlier.into_iter().any(|other| {
                    other.name == alternate.name || same_columns(&other.columns, &alternate.columns)
                });
            if repeats {
                return Err(SchemaError::DuplicateKey { table: table(), key: alternate.name.clone() });
            }
        }
        Ok(())
    }
}

fn distinct(columns: &[String]) -> bool {
    !columns.is_empty()
        && columns
            .iter()
            .enumerate()
            .all(|(index, column)| !columns.iter().skip(index + 1).any(|other| other == column))
}

fn same_columns(left: &[String], right: &[String]) -> bool {
    left.len() == right.len() && left.iter().all(|column| right.contains(column))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accounts() -> Schema {
        Schema::new("accounts", ["accountid"])
            .alternate_key("number", ["accountnumber"])
            .alternate_key("company", ["_msdyn_company_value", "accountnumber"])
    }

    #[test]
    fn named_values_find_the_key_of_exactly_their_columns_in_any_order() {
        let schema = accounts();
        let named = |names: &[&str]| -> Vec<(String, Literal)> {
            names.iter().map(|name| ((*name).to_owned(), Literal::String((*name).to_owned()))).collect()
        };
        assert_eq!(schema.reference(&named(&["accountid"])), Ok(Reference::Primary(Key::text("accountid"))));
        assert_eq!(
            schema.reference(&named(&["accountnumber", "_msdyn_company_value"])),
            Ok(Reference::Alternate { index: 1, key: Key::texts(["_msdyn_company_value", "accountnumber"]) })
        );
        assert!(matches!(schema.reference(&named(&["name"])), Err(TableError::NoSuchKey { .. })));
        assert!(matches!(schema.reference(&[]), Err(TableError::NoSuchKey { .. })));
        let null = [("accountid".to_owned(), Literal::Null)];
        assert!(matches!(schema.reference(&null), Err(TableError::InvalidKeyValue { .. })));
    }

    #[test]
    fn a_row_with_null_in_an_alternate_key_has_no_entry_in_it() {
        let row = json!({"accountid": "a", "accountnumber": "N", "_msdyn_company_value": null});
        let keys = accounts().alternates(row.as_object().unwrap()).unwrap();
        assert_eq!(keys, [Some(Key::text("n")), None]);
    }

    #[test]
    fn keys_that_cannot_work_are_refused() {
        assert!(matches!(
            Schema::new("t", Vec::<String>::new()).check(),
            Err(SchemaError::BadColumns { .. })
        ));
        assert!(matches!(Schema::new("t", ["a", "a"]).check(), Err(SchemaError::BadColumns { .. })));
        let repeated = Schema::new("t", ["a"]).alternate_key("k", ["a"]);
        assert!(matches!(repeated.check(), Err(SchemaError::DuplicateKey { .. })));
        assert_eq!(accounts().check(), Ok(()));
    }
}
