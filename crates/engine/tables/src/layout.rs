//! Which indexes a schema's tables have, and how a step from a row to others is gone by them.
//!
//! Decides it once per schema: the primary key, every further unique key, and one index for each set of columns by which rows are
//! sought: of lookups and other relationships, and those the schema names.

use std::sync::Arc;

use mocktenant_query::Hop;
use mocktenant_schema::{Schema, Table};

/// The indexes of all tables.
pub(crate) struct Layout {
    pub(crate) schema: Arc<Schema>,
    pub(crate) tables: Vec<TableLayout>,
    steps: Vec<Steps>,
}

/// The indexes of one table: the columns of each.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct TableLayout {
    /// The primary key first.
    pub(crate) unique: Vec<Vec<u16>>,
    pub(crate) plain: Vec<Vec<u16>>,
}

/// Both directions of a relationship.
struct Steps {
    there: Step,
    back: Step,
}

/// How rows are found that a row leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// By a unique key of a table, from columns of the row.
    One { table: usize, index: usize, columns: Vec<u16> },
    /// By an index of a table, from columns of the row.
    Many { table: usize, index: usize, columns: Vec<u16> },
    /// By an index of the table between, and from there to one.
    Through { between: usize, index: usize, columns: Vec<u16>, then: Box<Step> },
    /// Nowhere.
    Nowhere,
}

impl Layout {
    pub(crate) fn of(schema: Arc<Schema>) -> Self {
        let mut tables: Vec<TableLayout> = schema.tables().map(TableLayout::of).collect();
        for relationship in schema.relationships().filter(|one| !one.is_many_to_many()) {
            let columns: Vec<u16> = relationship.pairs().map(|(own, _)| own).collect();
            if let Some(layout) = tables.get_mut(relationship.from().position()) {
                layout.seek_by(columns);
            }
        }
        let steps = schema.relationships().map(|one| Steps::of(one, &tables)).collect();
        Self { schema, tables, steps }
    }

    pub(crate) fn step(&self, hop: Hop) -> &Step {
        match self.steps.get(usize::from(hop.relationship)) {
            Some(steps) if hop.back => &steps.back,
            Some(steps) => &steps.there,
            None => &Step::Nowhere,
        }
    }
}

impl TableLayout {
    fn of(table: Table<'_>) -> Self {
        let ordinals = |columns: &mut dyn Iterator<Item = mocktenant_schema::Column<'_>>| -> Vec<u16> {
            columns.map(mocktenant_schema::Column::ordinal).collect()
        };
        let mut unique = vec![ordinals(&mut table.key())];
        unique.extend(table.keys().map(|key| ordinals(&mut key.columns())));
        let mut layout = Self { unique, plain: Vec::new() };
        for column in table.indexes() {
            layout.seek_by(vec![column.ordinal()]);
        }
        layout
    }

    /// Makes sure that rows are found by these columns.
    fn seek_by(&mut self, columns: Vec<u16>) {
        if !self.unique.contains(&columns) && !self.plain.contains(&columns) {
            self.plain.push(columns);
        }
    }
}

impl Steps {
    fn of(relationship: mocktenant_schema::Relationship<'_>, tables: &[TableLayout]) -> Self {
        let (from, to) = (relationship.from().position(), relationship.to().position());
        let pairs: Vec<(u16, u16)> = relationship.pairs().collect();
        if let Some(between) = relationship.through() {
            let Some((left, right)) = pairs.first().copied() else {
                return Self { there: Step::Nowhere, back: Step::Nowhere };
            };
            let between = between.position();
            let over = |start: usize, begin: u16, end: usize, goal: u16| {
                let key =
                    tables.get(start).and_then(|layout| layout.unique.first()).cloned().unwrap_or_default();
                let Some(index) = plain(tables, between, &[begin]) else { return Step::Nowhere };
                let then = Box::new(Step::One { table: end, index: 0, columns: vec![goal] });
                Step::Through { between, index, columns: key, then }
            };
            return Self { there: over(from, left, to, right), back: over(to, right, from, left) };
        }
        // the key of the other table that has the columns of the pairs
        let there = tables.get(to).and_then(|layout| {
            layout.unique.iter().enumerate().find_map(|(index, key)| {
                let columns: Option<Vec<u16>> = key
                    .iter()
                    .map(|column| pairs.iter().find(|(_, other)| other == column).map(|(own, _)| *own))
                    .collect();
                let columns = columns.filter(|columns| columns.len() == pairs.len())?;
                Some(Step::One { table: to, index, columns })
            })
        });
        let own: Vec<u16> = pairs.iter().map(|(own, _)| *own).collect();
        let others: Vec<u16> = pairs.iter().map(|(_, other)| *other).collect();
        let back = match tables.get(from) {
            Some(layout) => match layout.unique.iter().position(|key| *key == own) {
                Some(index) => Step::One { table: from, index, columns: others },
                None => plain(tables, from, &own).map_or(Step::Nowhere, |index| Step::Many {
                    table: from,
                    index,
                    columns: others,
                }),
            },
            None => Step::Nowhere,
        };
        Self { there: there.unwrap_or(Step::Nowhere), back }
    }
}

fn plain(tables: &[TableLayout], table: usize, columns: &[u16]) -> Option<usize> {
    tables.get(table)?.plain.iter().position(|one| one == columns)
}
