//! What a query works out of many rows: groups, counts, sums, averages, the least and the greatest.
//!
//! Decides the values of each group and the order of groups: the one that is asked for, else that of what they have in common.
//! Nulls count in `count` alone; a sum of none is nought, as documented. An average of whole numbers is whole, as in SQL Server.

use std::collections::{HashMap, HashSet};

use mocktenant_schema::moment::{civil, split};
use mocktenant_schema::{Cell, CellRef, Column, Decimal, Kind};
use mocktenant_tables::{Key, Row, Snapshot};
use mocktenant_world::Zone;

use super::join::{Joined, compare};
use super::lower::{Aggregation, Output, Part, Plan, What};

/// Most rows that are aggregated (Microsoft Learn, Dataverse: Aggregate data, limitations).
pub(crate) const MOST: u64 = 50_000;

/// A group: its values by output, and one of its rows.
pub(crate) struct Group {
    pub(crate) cells: Vec<Cell>,
    pub(crate) first: Option<Joined>,
}

/// Works out the groups of joined rows.
pub(crate) fn groups(
    plan: &Plan,
    aggregation: &Aggregation,
    rows: &Snapshot,
    joined: Vec<Joined>,
    zone: &Zone,
) -> Vec<Group> {
    let reader = Reader { plan, rows, zone };
    let grouping: Vec<&Output> =
        aggregation.outputs.iter().filter(|one| matches!(one.what, What::Group(_))).collect();
    let mut found: Vec<(Vec<Cell>, Vec<Joined>)> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for tuple in joined {
        let common: Vec<Cell> = grouping.iter().map(|output| reader.common(output, &tuple)).collect();
        let place = *places.entry(Key::of(common.iter().map(Cell::as_ref))).or_insert(found.len());
        match found.get_mut(place) {
            Some((_, tuples)) => tuples.push(tuple),
            None => found.push((common, vec![tuple])),
        }
    }
    if found.is_empty() && grouping.is_empty() {
        found.push((Vec::new(), Vec::new()));
    }
    found.sort_by(|(left, _), (right, _)| {
        let mut both = left.iter().zip(right);
        let ordering = both.find_map(|(left, right)| {
            Some(compare(left.as_ref(), right.as_ref())).filter(|ordering| ordering.is_ne())
        });
        ordering.unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut groups: Vec<Group> = found
        .into_iter()
        .map(|(common, tuples)| {
            let mut common = common.into_iter();
            let cells = aggregation.outputs.iter().map(|output| match output.what {
                What::Group(_) => common.next().unwrap_or_default(),
                _ => reader.measure(output, &tuples),
            });
            Group { cells: cells.collect(), first: tuples.first().cloned() }
        })
        .collect();
    groups.sort_by(|left, right| {
        let mut items = aggregation.order.iter();
        let ordering = items.find_map(|(at, descending)| {
            let cell = |group: &Group| group.cells.get(*at).cloned().unwrap_or_default();
            let ordering = compare(cell(left).as_ref(), cell(right).as_ref());
            Some(if *descending { ordering.reverse() } else { ordering }).filter(|ordering| ordering.is_ne())
        });
        ordering.unwrap_or(std::cmp::Ordering::Equal)
    });
    groups
}

struct Reader<'r> {
    plan: &'r Plan,
    rows: &'r Snapshot,
    zone: &'r Zone,
}

impl<'r> Reader<'r> {
    fn column(&self, output: &Output) -> Option<Column<'r>> {
        let level = self.plan.levels.get(output.level)?;
        self.rows.schema().at(level.table)?.at(output.column)
    }

    fn cell<'t>(&self, output: &Output, tuple: &'t Joined) -> CellRef<'t>
    where
        'r: 't,
    {
        let row: Option<&'t Row> = tuple.get(output.level).and_then(Option::as_ref);
        match (self.column(output), row) {
            (Some(column), Some(row)) => row.value(column),
            _ => CellRef::Null,
        }
    }

    /// What a row has in common with those of its group.
    fn common(&self, output: &Output, tuple: &Joined) -> Cell {
        let cell = self.cell(output, tuple);
        let What::Group(Some(part)) = output.what else { return cell.to_cell() };
        let day = match cell {
            CellRef::Moment(moment) if output.utc => split(moment).0,
            CellRef::Moment(moment) => split(self.zone.local(moment)).0,
            CellRef::Day(day) => day,
            _ => return Cell::Null,
        };
        let (year, month, day) = civil(day);
        Cell::Whole(match part {
            Part::Day => i64::from(day),
            Part::Month => i64::from(month),
            Part::Quarter => (i64::from(month) - 1) / 3 + 1,
            Part::Year => year,
        })
    }

    fn measure(&self, output: &Output, tuples: &[Joined]) -> Cell {
        let values = || tuples.iter().map(|tuple| self.cell(output, tuple)).filter(|cell| !cell.is_null());
        let best = |wanted: std::cmp::Ordering| {
            let found = values().reduce(|best, one| if compare(one, best) == wanted { one } else { best });
            found.map_or(Cell::Null, CellRef::to_cell)
        };
        match output.what {
            What::Group(_) => Cell::Null,
            What::Count => whole(tuples.len()),
            What::CountColumn { distinct: false } => whole(values().count()),
            What::CountColumn { distinct: true } => {
                whole(values().map(|cell| Key::of([cell])).collect::<HashSet<Key>>().len())
            }
            What::Least => best(std::cmp::Ordering::Less),
            What::Greatest => best(std::cmp::Ordering::Greater),
            What::Sum | What::Average => {
                let whole =
                    self.column(output).is_some_and(|one| matches!(one.kind(), Kind::Whole | Kind::Big));
                let (mut sum, mut count) = (Decimal::ZERO, 0_u64);
                for decimal in values().filter_map(decimal) {
                    sum = sum.plus(decimal);
                    count += 1;
                }
                match (output.what, count) {
                    (What::Average, 0) => Cell::Null,
                    (What::Average, count) => number(sum.divided_by(count), whole),
                    _ => number(sum, whole),
                }
            }
        }
    }
}

fn whole(count: usize) -> Cell {
    Cell::Whole(i64::try_from(count).unwrap_or(i64::MAX))
}

fn decimal(cell: CellRef<'_>) -> Option<Decimal> {
    match cell {
        CellRef::Whole(whole) => Some(Decimal::from_whole(whole)),
        CellRef::Decimal(decimal) => Some(decimal),
        CellRef::Double(double) => Decimal::from_double(double),
        _ => None,
    }
}

/// A number as the column it was worked out of has them: whole ones are cut off.
fn number(decimal: Decimal, whole: bool) -> Cell {
    const ONE: i128 = 10_i128.pow(10);
    let cut = || i64::try_from(decimal.units() / ONE).unwrap_or(i64::MAX);
    if whole { Cell::Whole(cut()) } else { Cell::Decimal(decimal) }
}
