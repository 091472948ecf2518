//! Which rows a query finds, and in which order.
//!
//! Decides as both products do: filter, count, order, skip, top, and page after page behind the row where the last one ended. A
//! filter that fixes the columns of an index becomes a look-up in it. Of an order with a limit only that many rows are ever kept.
//! A query counts what it costs before it pays, and can be given up on the way. Which columns are answered is a surface's.

use std::cell::{Cell as Changing, RefCell};
use std::cmp::Ordering;
use std::ops::Bound;

use mocktenant_query::{Expression, Order, Rows, compare_text};
use mocktenant_schema::{Cell, CellRef, Decimal, Kind, Table};

use crate::key::Key;
use crate::record::Row;
use crate::redefine::sort_of;
use crate::snapshot::{At, Sight, Snapshot};

/// A query over one table.
#[derive(Clone, Copy)]
pub struct Query<'q> {
    /// The table.
    pub table: Table<'q>,
    /// Which rows.
    pub filter: Option<&'q Expression>,
    /// Their order, most significant item first; then, and without one, by primary key.
    pub order: &'q [Order],
    /// So many of them are left out first.
    pub skip: u64,
    /// Only those behind this row.
    pub after: Option<&'q After>,
    /// At most so many.
    pub top: Option<u64>,
    /// Whether to count all that pass the filter.
    pub count: bool,
    /// The most rows of one page, whatever `top` says; `None` for no bound.
    pub page_size: Option<u64>,
}

impl<'q> Query<'q> {
    /// All rows of a table.
    pub fn of(table: Table<'q>) -> Self {
        Self {
            table,
            filter: None,
            order: &[],
            skip: 0,
            after: None,
            top: None,
            count: false,
            page_size: None,
        }
    }
}

/// The row behind which a page begins: what it is ordered by, and its key. It need not be there any more.
#[derive(Clone, Debug, PartialEq)]
pub struct After {
    /// The values of the order's items.
    pub values: Vec<Cell>,
    /// Its primary key.
    pub key: Key,
}

/// What a query finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The rows, at most a page.
    pub rows: Vec<Row>,
    /// Every row that passes the filter, before skip and top; `None` unless they are counted.
    pub count: Option<u64>,
    /// More rows would follow if the page were not full: a reason for a next link.
    pub more: bool,
}

/// What a query costs before it is asked again whether it should go on, in comparisons of short values.
pub const STRIDE: usize = 5_000;

/// Bytes of a row or of a text that cost as much as a comparison.
const BYTES: usize = 64;

/// What a query has cost since it was asked last.
struct Work<'g> {
    since: Changing<usize>,
    given_up: Changing<bool>,
    go_on: RefCell<&'g mut dyn FnMut(usize) -> bool>,
}

impl Work<'_> {
    /// Takes so many comparisons, before they are made; `None` where the query should not go on.
    fn spend(&self, comparisons: usize) -> Option<()> {
        if self.given_up.get() {
            return None;
        }
        self.since.set(self.since.get().saturating_add(comparisons));
        if self.since.get() >= STRIDE {
            // nothing that is asked here asks a query
            self.given_up.set(!(self.go_on.borrow_mut())(self.since.take()));
        }
        self.going_on()
    }

    /// Nothing if the query was given up, on whatever way.
    fn going_on(&self) -> Option<()> {
        (!self.given_up.get()).then_some(())
    }
}

/// Runs a query; see [`Snapshot::query_while`]. It is there once, whoever asks: hence the pointer.
pub(crate) fn run(
    snapshot: &Snapshot,
    query: &Query<'_>,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Page> {
    let work = Work { since: Changing::new(0), given_up: Changing::new(false), go_on: RefCell::new(go_on) };
    let spend = |comparisons| work.spend(comparisons).is_some();
    let sight = Sight { snapshot, spend: Some(&spend) };
    let terms = 1 + query.filter.map_or(0, Expression::terms);
    let skip = to_length(query.skip);
    let top = query.top.map_or(usize::MAX, to_length);
    let limit = top.min(query.page_size.map_or(usize::MAX, to_length));
    // one more than asked for tells whether another page follows
    let probe = limit.saturating_add(1);
    let most = skip.saturating_add(probe);
    let mut best =
        Best { sight: &sight, work: &work, order: query.order, most, rows: Vec::new(), full: false };
    let mut first = Vec::new();
    let mut passed = 0_u64;
    for at in candidates(snapshot, query, &work)? {
        work.spend(terms + if terms > 1 { at.row.size() / BYTES } else { 0 })?;
        let passes = query.filter.is_none_or(|filter| filter.holds(&sight, at));
        // a condition that was given up on the way holds or not by chance
        work.going_on()?;
        if !passes {
            continue;
        }
        passed += 1;
        if query.after.is_some_and(|after| !is_behind(&sight, query, at, after)) {
            continue;
        }
        if !query.order.is_empty() {
            best.take(at)?;
        } else if first.len() < most {
            first.push(at);
        } else if !query.count {
            break;
        }
    }
    if !query.order.is_empty() {
        first = best.finished()?;
    }
    let mut found = first.into_iter().skip(skip).take(probe);
    let rows: Vec<Row> = found.by_ref().take(limit).map(|at| at.row.clone()).collect();
    let more = found.next().is_some() && top > limit;
    Some(Page { rows, count: query.count.then_some(passed), more })
}

/// A row to be put in order.
struct Ranked<'s> {
    at: At<'s>,
    /// What it is ordered by.
    by: Box<[CellRef<'s>]>,
    /// What a comparison with it costs.
    weight: usize,
}

/// The first rows of an order, as many as are wanted.
struct Best<'s> {
    sight: &'s Sight<'s>,
    work: &'s Work<'s>,
    order: &'s [Order],
    most: usize,
    rows: Vec<Ranked<'s>>,
    /// As many as are wanted are in order, and the last of them bounds what comes after it.
    full: bool,
}

impl<'s> Best<'s> {
    fn take(&mut self, at: At<'s>) -> Option<()> {
        let (sight, order) = (self.sight, self.order);
        let worst = self.most.checked_sub(1).filter(|_| self.full).and_then(|last| self.rows.get(last));
        if let Some(worst) = worst {
            self.work.spend(worst.weight)?;
            let mut by = order.iter().zip(&worst.by);
            let ordering = by.find_map(|(item, worst)| {
                Some(compare_by(item, sight.value(at, &item.by), *worst)).filter(|one| one.is_ne())
            });
            // of two that are equal the earlier one comes first
            if ordering.is_none_or(Ordering::is_gt) {
                return Some(());
            }
        }
        let by: Box<[CellRef<'s>]> = order.iter().map(|item| sight.value(at, &item.by)).collect();
        let text = |cell: &CellRef<'_>| cell.as_text().map_or(0, str::len) / BYTES;
        let weight = by.iter().map(|cell| 1 + text(cell)).sum();
        self.rows.push(Ranked { at, by, weight });
        if self.rows.len() >= self.most.saturating_mul(2).max(1_024) {
            self.sort()?;
            self.full = self.rows.len() >= self.most;
            self.rows.truncate(self.most);
        }
        Some(())
    }

    fn compare(&self, left: &Ranked<'_>, right: &Ranked<'_>) -> Ordering {
        let both = self.order.iter().zip(left.by.iter().zip(&right.by));
        both.map(|(item, (left, right))| compare_by(item, *left, *right))
            .find(|one| one.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Rows in order; equal ones stay as they were. Sorted in short runs that are merged, so that it can be given up.
    fn sort(&mut self) -> Option<()> {
        const RUN: usize = 1_024;
        let mut runs: Vec<Vec<Ranked<'s>>> = Vec::with_capacity(self.rows.len().div_ceil(RUN));
        let mut rows = std::mem::take(&mut self.rows).into_iter().peekable();
        while rows.peek().is_some() {
            let mut run: Vec<Ranked<'s>> = rows.by_ref().take(RUN).collect();
            // Sorting compares a row with about as many others as their number has binary digits.
            let digits = run.len().max(2).ilog2() as usize;
            let cost = run.iter().map(|row| row.weight.saturating_mul(digits));
            self.work.spend(cost.fold(0, usize::saturating_add))?;
            run.sort_by(|left, right| self.compare(left, right));
            runs.push(run);
        }
        while runs.len() > 1 {
            let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
            let mut before = runs.into_iter();
            while let Some(left) = before.next() {
                match before.next() {
                    Some(right) => merged.push(self.merge(left, right)?),
                    None => merged.push(left),
                }
            }
            runs = merged;
        }
        self.rows = runs.pop().unwrap_or_default();
        Some(())
    }

    /// Two sorted runs as one.
    fn merge(&self, left: Vec<Ranked<'s>>, right: Vec<Ranked<'s>>) -> Option<Vec<Ranked<'s>>> {
        let mut both = Vec::with_capacity(left.len() + right.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
            self.work.spend(one.weight.min(other.weight))?;
            both.extend(if self.compare(one, other).is_gt() { right.next() } else { left.next() });
        }
        both.extend(left);
        both.extend(right);
        Some(both)
    }

    fn finished(mut self) -> Option<Vec<At<'s>>> {
        self.sort()?;
        self.rows.truncate(self.most);
        Some(self.rows.into_iter().map(|row| row.at).collect())
    }
}

/// Which of two values of an item of an order comes first.
fn compare_by(item: &Order, left: CellRef<'_>, right: CellRef<'_>) -> Ordering {
    let ordering =
        left.compare(right, |left, right| compare_text(left, right, true)).unwrap_or(Ordering::Equal);
    if item.descending { ordering.reverse() } else { ordering }
}

/// Whether a row comes behind the one where the last page ended.
fn is_behind<'s>(sight: &Sight<'s>, query: &Query<'_>, at: At<'s>, after: &After) -> bool {
    for (item, value) in query.order.iter().zip(&after.values) {
        let ordering = compare_by(item, sight.value(at, &item.by), value.as_ref());
        if ordering.is_ne() {
            return ordering.is_gt();
        }
    }
    sight.snapshot.key_of(at).is_some_and(|key| key > after.key)
}

/// The rows a filter can let through, by primary key: those of an index that it fixes, or all.
fn candidates<'s>(
    snapshot: &'s Snapshot,
    query: &Query<'_>,
    work: &Work<'_>,
) -> Option<Box<dyn Iterator<Item = At<'s>> + 's>> {
    let table = query.table.position();
    let Some(rows) = snapshot.table(table) else { return Some(Box::new(std::iter::empty())) };
    let layout = snapshot.root.layout.tables.get(table);
    let schema = snapshot.schema().at(table);
    let at = move |row: &'s Row| At { table, row };
    if let (Some(filter), Some(layout), Some(schema)) = (query.filter, layout, schema) {
        let fixed = |columns: &Vec<u16>| fixed(filter, schema, columns);
        if let Some((index, keys)) =
            layout.unique.iter().map(fixed).enumerate().find_map(|(index, keys)| Some((index, keys?)))
        {
            let found = keys.iter().filter_map(|key| rows.by_key(index, key)).map(at).collect();
            return Some(Box::new(by_key(snapshot, found, work)?.into_iter()));
        }
        let sought = layout.plain.iter().enumerate().filter_map(|(index, columns)| {
            let keys = fixed(columns)?;
            let posted = keys.iter().map(|key| rows.posted(index, key)).sum::<usize>();
            Some((posted, index, keys))
        });
        // to put most rows of a table in order takes longer than to look at all, which are in order
        let fewest =
            sought.min_by_key(|(posted, ..)| *posted).filter(|(posted, ..)| *posted <= rows.rows.len() / 8);
        if let Some((posted, index, keys)) = fewest {
            work.spend(posted)?;
            let mut found = Vec::with_capacity(posted);
            for key in &keys {
                snapshot.posted(table, index, key, &mut |row| {
                    found.push(row);
                    true
                });
            }
            return Some(Box::new(by_key(snapshot, found, work)?.into_iter()));
        }
    }
    let from = match query.after {
        Some(after) if query.order.is_empty() && !query.count => Bound::Excluded(&after.key),
        _ => Bound::Unbounded,
    };
    let all = rows.unique.first().map(|index| index.range(from));
    Some(Box::new(all.into_iter().flatten().map(move |(_, row)| at(row))))
}

/// The keys by which an index of these columns gives every row that a filter lets through; `None` if it lets others through.
fn fixed(filter: &Expression, table: Table<'_>, columns: &[u16]) -> Option<Vec<Key>> {
    let one: Option<Vec<CellRef<'_>>> = columns
        .iter()
        .map(|column| as_kept(table.at(*column)?.kind(), filter.required(*column)?.as_ref()))
        .collect();
    if let Some(one) = one {
        return Some(vec![Key::of(one)]);
    }
    let [column] = columns else { return None };
    let kind = table.at(*column)?.kind();
    let among = filter.required_among(*column)?;
    let keys: Option<Vec<Key>> =
        among.iter().map(|cell| Some(Key::of([as_kept(kind, cell.as_ref())?]))).collect();
    let mut keys = keys?;
    keys.sort();
    keys.dedup();
    Some(keys)
}

/// Rows by primary key.
fn by_key<'s>(snapshot: &'s Snapshot, rows: Vec<At<'s>>, work: &Work<'_>) -> Option<Vec<At<'s>>> {
    if rows.len() < 2 {
        return Some(rows);
    }
    work.spend(rows.len().saturating_mul(rows.len().ilog2() as usize))?;
    let mut keyed: Vec<(Option<Key>, At<'s>)> =
        rows.into_iter().map(|at| (snapshot.key_of(at), at)).collect();
    keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
    keyed.dedup_by(|(left, _), (right, _)| left == right);
    Some(keyed.into_iter().map(|(_, at)| at).collect())
}

/// A fixed value as rows keep one of a column of this type; `None` where the two do not compare by their bytes.
fn as_kept(kind: Kind, cell: CellRef<'_>) -> Option<CellRef<'_>> {
    match (sort_of(kind), cell) {
        (Kind::Decimal, CellRef::Whole(whole)) => Some(CellRef::Decimal(Decimal::from_whole(whole))),
        (Kind::Decimal, CellRef::Decimal(_))
        | (Kind::Text, CellRef::Text(_))
        | (Kind::Id, CellRef::Id(_))
        | (Kind::Flag, CellRef::Flag(_))
        | (Kind::Whole, CellRef::Whole(_))
        | (Kind::Moment, CellRef::Moment(_))
        | (Kind::Day, CellRef::Day(_)) => Some(cell),
        _ => None,
    }
}

/// A count of rows as a length; more than memory holds is simply more.
fn to_length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
