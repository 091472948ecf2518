//! The rows of several tables that belong together.
//!
//! Decides which rows of a linked table belong to a row, what of them passes the filters, what stands where an outer link finds none,
//! and the order of joined rows. Counts the rows it looks at, so that whoever asks can end it. Never reads pages nor waits.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use mocktenant_query::{Expression, Hop, Rows, compare_text};
use mocktenant_schema::{Cell, CellRef};
use mocktenant_tables::{At, Key, Row, Snapshot};
use mocktenant_world::Zone;

use super::lower::{By, Plan, Sort, Test, Way};
use crate::formatted;

/// Rows of linked tables that one query looks at.
pub(crate) const LOOKED_AT: usize = 500_000;

/// Joined rows that one query holds at a time.
pub(crate) const HELD: usize = 50_000;

/// One row of each level; none where an outer link found none.
pub(crate) type Joined = Box<[Option<Row>]>;

/// It looked at more rows than it may, or holds more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Joins rows, and counts what that costs.
pub(crate) struct Joiner<'p> {
    plan: &'p Plan,
    rows: Snapshot,
    /// Rows of levels that no relationship leads to, by the value of their column.
    by_column: HashMap<usize, HashMap<Key, Vec<Row>>>,
    looked_at: usize,
}

impl<'p> Joiner<'p> {
    pub(crate) fn new(plan: &'p Plan, rows: &Snapshot) -> Self {
        Self { plan, rows: rows.clone(), by_column: HashMap::new(), looked_at: 0 }
    }

    /// How many rows of linked tables it has looked at.
    pub(crate) fn looked_at(&self) -> usize {
        self.looked_at
    }

    fn spend(&mut self, rows: usize) -> Result<(), TooMany> {
        self.looked_at = self.looked_at.saturating_add(rows);
        if self.looked_at > LOOKED_AT { Err(TooMany) } else { Ok(()) }
    }

    /// What becomes of a row of the entity, in the order its links are written.
    pub(crate) fn join(&mut self, row: &Row, joined: &mut Vec<Joined>) -> Result<(), TooMany> {
        let plan = self.plan;
        let mut some: Vec<Vec<Option<Row>>> = vec![vec![Some(row.clone())]];
        for (number, level) in plan.levels.iter().enumerate().skip(1) {
            let Some(join) = &level.join else { continue };
            let mut next = Vec::with_capacity(some.len());
            for tuple in some {
                let parent = tuple.get(join.parent).and_then(Option::as_ref);
                let found = match parent {
                    Some(parent) => self.found(number, parent)?,
                    None => Vec::new(),
                };
                let with = |one: Option<Row>| tuple.iter().cloned().chain([one]).collect::<Vec<_>>();
                // below a row that an outer link did not find there is nothing to be missed
                if found.is_empty() && (join.outer || parent.is_none()) {
                    next.push(with(None));
                }
                next.extend(found.into_iter().map(|one| with(Some(one))));
                if next.len() + joined.len() > HELD.saturating_add(1) {
                    return Err(TooMany);
                }
            }
            some = next;
        }
        for tuple in some {
            if plan.tests.iter().all(|test| self.holds(test, &tuple)) {
                joined.push(tuple.into_boxed_slice());
            }
        }
        Ok(())
    }

    /// The rows of a level that belong to a row and pass its filter.
    fn found(&mut self, number: usize, parent: &Row) -> Result<Vec<Row>, TooMany> {
        let plan = self.plan;
        let Some(level) = plan.levels.get(number) else { return Ok(Vec::new()) };
        let Some(join) = &level.join else { return Ok(Vec::new()) };
        let Some(around) = plan.levels.get(join.parent) else { return Ok(Vec::new()) };
        let from = At { table: around.table, row: parent };
        match join.way {
            Way::Hop(hop) => {
                let rows = self.rows.clone();
                let mut found = rows.related(from, hop);
                found.retain(|at| at.table == level.table);
                self.spend(found.len().max(1))?;
                let sight = rows.sight();
                let passes =
                    |at: &At<'_>| level.filter.as_ref().is_none_or(|filter| filter.holds(&sight, *at));
                Ok(found.into_iter().filter(passes).map(|at| at.row.clone()).collect())
            }
            Way::Column(_) => {
                self.spend(1)?;
                let value = self.rows.sight().cell(from, join.to).to_cell();
                if value.is_null() {
                    return Ok(Vec::new());
                }
                let all = self.by_column.get(&number).and_then(|all| all.get(&Key::of([value.as_ref()])));
                let found = all.cloned().unwrap_or_default();
                self.spend(found.len())?;
                Ok(found)
            }
        }
    }

    /// Takes rows that pass the filter of a level which no relationship leads to, to be found by their column.
    pub(crate) fn index(&mut self, number: usize, column: u16, some: &[Row]) -> Result<(), TooMany> {
        self.spend(some.len())?;
        let Some(level) = self.plan.levels.get(number) else { return Ok(()) };
        let rows = self.rows.clone();
        let sight = rows.sight();
        let index = self.by_column.entry(number).or_default();
        for row in some {
            let key = Key::of([sight.cell(At { table: level.table, row }, column)]);
            index.entry(key).or_default().push(row.clone());
        }
        Ok(())
    }

    fn holds(&self, test: &Test, tuple: &[Option<Row>]) -> bool {
        match test {
            Test::All(all) => all.iter().all(|one| self.holds(one, tuple)),
            Test::Any(all) => all.iter().any(|one| self.holds(one, tuple)),
            Test::Of(level, expression) => match tuple.get(*level).and_then(Option::as_ref) {
                Some(row) => {
                    let table = self.plan.levels.get(*level).map_or(usize::MAX, |level| level.table);
                    expression.holds(&self.rows.sight(), At { table, row })
                }
                None => holds_of_nothing(expression),
            },
        }
    }
}

/// Whether a condition holds where there is no row: as if every column were null.
fn holds_of_nothing(expression: &Expression) -> bool {
    struct Nothing;
    impl Rows for Nothing {
        type Row = ();
        fn cell(&self, (): (), _: u16) -> CellRef<'_> {
            CellRef::Null
        }
        fn follow(&self, (): (), _: Hop) -> Option<()> {
            None
        }
        fn many(&self, (): (), _: Hop, _: &mut dyn FnMut(()) -> bool) -> bool {
            true
        }
    }
    expression.holds(&Nothing, ())
}

/// Puts joined rows in the plan's order; those that are equal keep theirs.
pub(crate) fn sort(plan: &Plan, rows: &Snapshot, joined: Vec<Joined>) -> Vec<Joined> {
    let key = |tuple: &Joined| -> Vec<Cell> {
        plan.sorts.iter().map(|item| value(plan, rows, item, tuple)).collect()
    };
    let mut keyed: Vec<(Vec<Cell>, Joined)> = joined.into_iter().map(|tuple| (key(&tuple), tuple)).collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let mut both = plan.sorts.iter().zip(left.iter().zip(right));
        let differing = both.find_map(|(item, (left, right))| {
            let ordering = compare(left.as_ref(), right.as_ref());
            let ordering = if item.descending { ordering.reverse() } else { ordering };
            ordering.is_ne().then_some(ordering)
        });
        differing.unwrap_or(Ordering::Equal)
    });
    keyed.into_iter().map(|(_, tuple)| tuple).collect()
}

/// How two values are ordered: null before all, texts without regard to case.
pub(crate) fn compare(left: CellRef<'_>, right: CellRef<'_>) -> Ordering {
    left.compare(right, |left, right| compare_text(left, right, true)).unwrap_or(Ordering::Equal)
}

fn value(plan: &Plan, rows: &Snapshot, item: &Sort, tuple: &Joined) -> Cell {
    let found = || {
        let row = tuple.get(item.level)?.as_ref()?;
        let at = At { table: plan.levels.get(item.level)?.table, row };
        let column = rows.schema().at(at.table)?.at(item.column)?;
        let cell = row.value(column);
        Some(match item.by {
            By::Value => cell.to_cell(),
            By::Reading => read(rows, column, at).map_or(Cell::Null, Cell::text),
        })
    };
    found().unwrap_or_default()
}

/// What a person reads of a choice or a lookup.
pub(crate) fn read(rows: &Snapshot, column: mocktenant_schema::Column<'_>, at: At<'_>) -> Option<String> {
    let cell = at.row.value(column);
    match column.kind() {
        mocktenant_schema::Kind::Lookup if cell.is_null() => None,
        mocktenant_schema::Kind::Lookup => formatted::named(rows, column, cell)?.name,
        // a choice is read the same everywhere
        _ => formatted::value(rows, column, at, cell, &Zone::UTC),
    }
}

/// Leaves out rows whose answered values are those of one before.
pub(crate) fn distinct(plan: &Plan, rows: &Snapshot, joined: Vec<Joined>) -> Vec<Joined> {
    let mut seen: HashSet<Key> = HashSet::new();
    let mut kept = Vec::new();
    for tuple in joined {
        let cells: Vec<Cell> = plan
            .levels
            .iter()
            .enumerate()
            .flat_map(|(number, level)| {
                level.shown.iter().map(move |shown| (number, level.table, shown.column))
            })
            .map(|(number, table, column)| {
                let column = rows.schema().at(table).and_then(|table| table.at(column));
                let row = tuple.get(number).and_then(Option::as_ref);
                column.zip(row).map_or(Cell::Null, |(column, row)| row.value(column).to_cell())
            })
            .collect();
        if seen.insert(Key::of(cells.iter().map(Cell::as_ref))) {
            kept.push(tuple);
        }
    }
    kept
}
