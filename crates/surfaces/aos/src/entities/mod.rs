//! Public data entities: their columns and keys as data, and what every one of them has in common.
//!
//! Decides what a record holds that nobody sent, and in which spelling. A row keeps what was given and leaves out the rest of
//! the entity's columns (a customer has 309): what those hold is the same in every row, so it is kept once, in the entity's
//! [`Shape`]. Reading is `read`'s, its form `wire`'s, writing `write`'s.

mod columns;
mod customers;
mod enumerations;
mod kind;
mod known;
mod read;
mod reference;
mod target;
mod wire;
mod write;

use std::collections::HashMap;
use std::sync::LazyLock;

use mocktenant_tables::{Columns, Schema};
use mocktenant_verdict::foreign::cut;
use serde_json::Value;

use kind::Column;

pub(crate) use kind::told;
pub(crate) use known::{operator, option, place};
pub(crate) use read::{Visible, check, count, read};
pub(crate) use target::{NoSuchTarget, Target, allowed, target};
pub(crate) use wire::{created, failed, no_content, refusal};
pub(crate) use write::{WriteError, create, delete, insert, update};

/// The namespace of every type.
pub(crate) const NAMESPACE: &str = "Microsoft.Dynamics.DataEntities";
/// The column that says which company a record belongs to.
pub(crate) const COMPANY: &str = "dataAreaId";
/// The columns that name a company; the product keeps them in lower case.
const COMPANIES: [&str; 2] = [COMPANY, "LegalEntityId"];
/// How much of a name a search name takes.
const SEARCH_NAME: usize = 20;

/// A column whose value has to exist elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relation {
    /// Column, its label, and what the related table is called.
    pub(crate) column: &'static str,
    pub(crate) label: &'static str,
    pub(crate) table: &'static str,
    /// Entity set that has the rows.
    pub(crate) set: &'static str,
    /// Its key, from columns of the referring row in the order of the key.
    pub(crate) key: &'static [&'static str],
}

/// A text column that takes some words only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    pub(crate) column: &'static str,
    pub(crate) words: &'static [&'static str],
}

/// One entity.
#[derive(Debug)]
pub(crate) struct Entity {
    /// Entity set, and the name of its rows' type.
    pub(crate) set: &'static str,
    pub(crate) kind: &'static str,
    /// The entity's own name, as texts call it.
    pub(crate) name: &'static str,
    /// Its first table: the label people know, and the name.
    pub(crate) label: &'static str,
    pub(crate) table: &'static str,
    /// Key columns.
    pub(crate) key: &'static [&'static str],
    /// Links to other entities; following one is not built.
    pub(crate) links: &'static [&'static str],
    /// Columns that are not empty where nobody sets them.
    pub(crate) defaults: &'static [(&'static str, &'static str)],
    /// The column that begins as the first characters of another.
    pub(crate) shortened: Option<(&'static str, &'static str)>,
    /// The columns by which a text names a record, with the label of the first.
    pub(crate) caption: &'static [(&'static str, &'static str)],
    /// Columns that may not be empty, with their labels.
    pub(crate) mandatory: &'static [(&'static str, &'static str)],
    /// Columns that take some words only.
    pub(crate) allowed: &'static [Allowed],
    /// Columns that name rows of other entities.
    pub(crate) relations: &'static [Relation],
    /// How many tables it is made of, and which of them its rows are in here: an entity tag has a pair of each.
    pub(crate) sources: usize,
    pub(crate) written: &'static [usize],
    /// Whether it can be written here.
    pub(crate) writable: bool,
    /// Its columns.
    pub(crate) shape: LazyLock<Shape>,
}

/// The columns of an entity, ready to be asked.
#[derive(Debug)]
pub(crate) struct Shape {
    /// All columns, in the order answered.
    columns: &'static [Column],
    by_name: HashMap<&'static str, &'static Column>,
    /// What every column holds that a row leaves out.
    empty: Columns,
}

impl Shape {
    fn of(columns: &'static [Column]) -> Self {
        let by_name = columns.iter().map(|column| (column.name, column)).collect();
        let empty = columns.iter().map(|column| (column.name.to_owned(), column.kind.empty())).collect();
        Self { columns, by_name, empty }
    }
}

/// Every entity of this cut. A set whose rows refer to others comes after them.
pub(crate) static ENTITIES: [&Entity; 4] =
    [&reference::LEGAL_ENTITIES, &reference::CURRENCIES, &reference::CUSTOMER_GROUPS, &customers::CUSTOMERS];

impl Entity {
    /// The entity of a set's name, which has letter case.
    fn find(set: &str) -> Option<&'static Self> {
        ENTITIES.into_iter().find(|entity| entity.set == set)
    }

    /// Its table.
    pub(crate) fn schema(&self) -> Schema {
        Schema::new(self.set, self.key.iter().copied())
    }

    /// Whether records belong to a company.
    fn by_company(&self) -> bool {
        self.key.contains(&COMPANY)
    }

    fn column(&self, name: &str) -> Option<&'static Column> {
        self.shape.by_name.get(name).copied()
    }

    /// A new row as it is kept: what was given, in the form the product answers with, and what is not simply empty. A column
    /// the entity has not (an extension's, in a declared record) is kept as it is.
    pub(crate) fn completed(&self, row: Columns) -> Columns {
        let mut kept = Columns::new();
        for (name, value) in row {
            match self.column(&name) {
                Some(_) if value.is_null() => {}
                Some(column) => {
                    let value = column.kind.take(value.clone()).unwrap_or(value);
                    kept.insert(name, value);
                }
                None => {
                    kept.insert(name, value);
                }
            }
        }
        for company in COMPANIES {
            if let Some(Value::String(company)) = kept.get_mut(company) {
                *company = company.to_lowercase();
            }
        }
        for (column, default) in self.defaults {
            kept.entry(*column).or_insert_with(|| Value::from(*default));
        }
        if let Some((short, whole)) = self.shortened
            && !kept.contains_key(short)
            && let Some(begin) = kept.get(whole).and_then(Value::as_str).map(|name| cut(name, SEARCH_NAME))
        {
            let begin = Value::from(begin);
            kept.insert(short.to_owned(), begin);
        }
        kept
    }
}
