//! The schemas of a product: its own tables, and what declarations add to them.
//!
//! Decides that a declaration's tables are compiled once, for as long as anybody uses what they made. Never decides what a table
//! needs to be one of the product's: the product completes what was written, and says what it finds in the whole.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::compile::{DefinitionError, Unset, Whose, compile};
use crate::definition::{ChoiceDefinitions, TableDefinitions};
use crate::schema::Schema;

/// What every table of a product has, added to those that were written: the product's schema, and the definitions.
pub type Complete = fn(&Schema, &TableDefinitions) -> TableDefinitions;

/// What of a schema with declared tables is none of a product's, as pointers below the definitions.
pub type Findings = fn(&Schema) -> Vec<DefinitionError>;

/// The schemas of one product.
pub struct Schemas {
    base: Arc<Schema>,
    unset: Unset,
    complete: Complete,
    findings: Findings,
    made: Mutex<HashMap<usize, Made>>,
}

/// A schema with the definitions it was made of: while they are held, their address is no others'.
struct Made {
    of: Weak<TableDefinitions>,
    schema: Weak<Schema>,
}

impl Schemas {
    /// Those of a product with these tables.
    pub fn new(base: &Schema, unset: Unset, complete: Complete, findings: Findings) -> Self {
        Self { base: Arc::new(base.clone()), unset, complete, findings, made: Mutex::default() }
    }

    /// The product's own.
    pub fn base(&self) -> &Arc<Schema> {
        &self.base
    }

    /// That of the product's tables and these; the same one as long as anybody has it.
    ///
    /// # Errors
    /// Every finding, as a pointer below the definitions.
    pub fn of(&self, declared: &Arc<TableDefinitions>) -> Result<Arc<Schema>, Vec<DefinitionError>> {
        if declared.is_empty() {
            return Ok(Arc::clone(&self.base));
        }
        let address = Arc::as_ptr(declared) as usize;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &Made| std::ptr::eq(one.of.as_ptr(), Arc::as_ptr(declared));
        if let Some(schema) = made.get(&address).filter(|one| same(one)).and_then(|one| one.schema.upgrade())
        {
            return Ok(schema);
        }
        let completed = (self.complete)(&self.base, declared);
        let none = ChoiceDefinitions::new();
        let schema = Arc::new(compile(&self.base, &completed, &none, (Whose::Declaration, self.unset))?);
        let findings = (self.findings)(&schema);
        if !findings.is_empty() {
            return Err(findings);
        }
        if made.len().is_power_of_two() {
            made.retain(|_, one| one.schema.strong_count() > 0);
        }
        made.insert(address, Made { of: Arc::downgrade(declared), schema: Arc::downgrade(&schema) });
        Ok(schema)
    }
}

/// What is made once of a schema: its documents, for as long as anybody uses it.
pub struct OfSchema<T> {
    made: Mutex<Vec<(Weak<Schema>, T)>>,
}

impl<T: Clone> OfSchema<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { made: Mutex::new(Vec::new()) }
    }

    /// What was made of this one, or is made now.
    pub fn get(&self, schema: &Arc<Schema>, make: impl FnOnce(&Schema) -> T) -> T {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // while one is kept its schema's address is no other's
        made.retain(|(of, _)| of.strong_count() > 0);
        if let Some((_, found)) = made.iter().find(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(schema))) {
            return found.clone();
        }
        let new = make(schema);
        made.push((Arc::downgrade(schema), new.clone()));
        new
    }
}

impl<T: Clone> Default for OfSchema<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{ColumnDefinition, TableDefinition};

    fn size() -> (String, ColumnDefinition) {
        ("size".to_owned(), ColumnDefinition { kind: "whole".to_owned(), ..ColumnDefinition::plain() })
    }

    fn product() -> Schema {
        let id = ColumnDefinition { kind: "id".to_owned(), ..ColumnDefinition::plain() };
        let table = TableDefinition {
            columns: [("boxid".to_owned(), id)].into_iter().collect(),
            ..TableDefinition::default()
        };
        let tables = [("box".to_owned(), table)].into_iter().collect();
        let choices = ChoiceDefinitions::new();
        compile(&Schema::default(), &tables, &choices, (Whose::Product, Unset::Null)).unwrap()
    }

    fn more(columns: impl IntoIterator<Item = (String, ColumnDefinition)>) -> Arc<TableDefinitions> {
        let table = TableDefinition { columns: columns.into_iter().collect(), ..TableDefinition::default() };
        Arc::new([("box".to_owned(), table)].into_iter().collect())
    }

    #[test]
    fn what_is_declared_is_compiled_once_while_it_is_in_use() {
        let schemas = Schemas::new(&product(), Unset::Null, |_, tables| tables.clone(), |_| Vec::new());
        let nothing = schemas.of(&Arc::default()).unwrap();
        assert!(Arc::ptr_eq(&nothing, schemas.base()));
        let declared = more([size()]);
        let first = schemas.of(&declared).unwrap();
        assert!(first.table("box").unwrap().column("size").is_some_and(crate::Column::is_declared));
        assert!(Arc::ptr_eq(&first, &schemas.of(&declared).unwrap()));
        let other = more([size()]);
        assert!(
            !Arc::ptr_eq(&first, &schemas.of(&other).unwrap()),
            "other definitions, though they are equal"
        );
        drop(first);
        assert!(schemas.of(&declared).is_ok(), "made again");
    }

    #[test]
    fn what_does_not_hold_together_is_said_each_time() {
        let schemas = Schemas::new(&product(), Unset::Null, |_, tables| tables.clone(), |_| Vec::new());
        let wrong = ColumnDefinition { kind: "colour".to_owned(), ..ColumnDefinition::plain() };
        let declared = more([("shade".to_owned(), wrong)]);
        for _ in 0..2 {
            let findings = schemas.of(&declared).unwrap_err();
            assert_eq!(findings[0].at, "/box/columns/shade/type");
        }
    }

    #[test]
    fn what_a_product_finds_in_the_whole_keeps_it_from_being_one() {
        let finding =
            |_: &Schema| vec![DefinitionError { at: "/box".to_owned(), why: "is too small".to_owned() }];
        let schemas = Schemas::new(&product(), Unset::Null, |_, tables| tables.clone(), finding);
        assert!(schemas.of(&Arc::default()).is_ok(), "of the product's own nobody asks");
        assert_eq!(schemas.of(&more([size()])).unwrap_err()[0].why, "is too small");
    }
}
