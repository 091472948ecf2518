//! Filter, order, skip, top and pages over one table, in whichever language they were written.
//!
//! Decides which rows and in which order, as OData does: filter, count, order, skip, top. A filter that fixes all
//! columns of a key becomes one look-up. A query counts what it costs before it pays, and can be given up
//! on the way. Columns are not selected here, see [`Row::project`]. A [`Query`] is no text of OData's: what else comes to be
//! asked in, such as FetchXML, is lowered to the same filter and order.

use std::cmp::Ordering;

use mocktenant_odata::{Evaluation, Filter, Literal, OrderBy, PropertyPath, QueryOptions};
use serde_json::Value;

use crate::key::{Key, KeyPart, Reference};
use crate::row::{Columns, Row};
use crate::snapshot::TableView;

/// The order in which rows come when a query does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scan {
    /// By primary key.
    #[default]
    KeyOrder,
    /// By record number: oldest first, updates change nothing.
    InsertionOrder,
}

/// A query over one table.
#[derive(Debug, Clone, Copy)]
pub struct Query<'q> {
    /// Which rows.
    pub filter: Option<&'q Filter>,
    /// Their order, most significant item first.
    pub order: &'q [OrderBy],
    /// So many of them are left out first.
    pub skip: u64,
    /// At most so many.
    pub top: Option<u64>,
    /// Whether to count all that pass the filter.
    pub count: bool,
    /// How texts compare.
    pub how: Evaluation,
    /// The order where `order` leaves one open.
    pub scan: Scan,
    /// The most rows of one page, whatever `top` says; `None` for no bound.
    pub page_size: Option<u64>,
    /// What the columns hold that rows leave out; `None` where rows are whole.
    pub defaults: Option<&'static Columns>,
}

impl<'q> Query<'q> {
    /// What a query string asks for, as both products run it: without regard to case, in key order, on one page.
    pub fn new(options: &'q QueryOptions) -> Self {
        let how = Evaluation::CASE_INSENSITIVE;
        Self {
            filter: options.filter.as_ref(),
            order: &options.orderby,
            skip: options.skip.unwrap_or(0),
            top: options.top,
            count: options.count,
            how,
            scan: Scan::KeyOrder,
            page_size: None,
            defaults: None,
        }
    }
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

/// Bytes of text that cost as much as a comparison.
const BYTES: usize = 32;

/// What a query has cost since it was asked last.
struct Work<'g> {
    since: usize,
    go_on: &'g mut dyn FnMut(usize) -> bool,
}

impl Work<'_> {
    /// Takes so many comparisons, before they are made; `None` where the query should not go on.
    fn spend(&mut self, comparisons: usize) -> Option<()> {
        self.since = self.since.saturating_add(comparisons);
        if self.since < STRIDE {
            return Some(());
        }
        (self.go_on)(std::mem::take(&mut self.since)).then_some(())
    }
}

/// What it costs to ask rows whether they pass a filter.
struct Asking {
    terms: usize,
    /// Comparisons of one column with another: they may read all of both.
    pairs: usize,
}

impl Asking {
    fn of(filter: Option<&Filter>) -> Self {
        Self { terms: filter.map_or(0, Filter::terms), pairs: filter.map_or(0, Filter::pairs) }
    }

    fn cost(&self, row: &Row) -> usize {
        let texts = || row.columns.values().filter_map(Value::as_str).map(str::len).sum::<usize>() / BYTES;
        1 + self.terms + if self.pairs > 0 { self.pairs.saturating_mul(texts()) } else { 0 }
    }
}

/// Runs a query; see [`TableView::query_while`]. It is there once, whoever asks: hence the pointers.
pub(crate) fn run(
    table: &TableView<'_>,
    query: &Query<'_>,
    visible: &dyn Fn(&Row) -> bool,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Page> {
    let mut work = Work { since: 0, go_on };
    let passes = |row: &Row| {
        let holds = |filter: &Filter| filter.matches_with(&row.columns, query.defaults, query.how);
        visible(row) && query.filter.is_none_or(holds)
    };
    let candidates: Box<dyn Iterator<Item = &Row>> = match point(table, query.filter, query.how) {
        Some(reference) => Box::new(table.find(&reference).into_iter()),
        None => table.iter(query.scan),
    };
    let skip = to_length(query.skip);
    let top = query.top.map_or(usize::MAX, to_length);
    let limit = top.min(query.page_size.map_or(usize::MAX, to_length));
    // one more than asked for tells whether another page follows
    let probe = limit.saturating_add(1);
    let (asking, ordered) = (Asking::of(query.filter), !query.order.is_empty());
    let (mut passed, mut found) = (0, Vec::new());
    for row in candidates {
        work.spend(asking.cost(row))?;
        if !passes(row) {
            continue;
        }
        passed += 1;
        if ordered || (passed > skip && found.len() < probe) {
            found.push(row);
        }
        if !ordered && !query.count && found.len() >= probe {
            break;
        }
    }
    if ordered {
        found = sorted(&found, query, &mut work)?;
        found = found.into_iter().skip(skip).take(probe).collect();
    }
    let more = found.len() > limit && top > limit;
    let rows = found.into_iter().take(limit).cloned().collect();
    Some(Page { rows, count: query.count.then_some(passed as u64), more })
}

/// A row to be put in order, and what a comparison with it costs.
type Weighed<'r> = (&'r Row, usize);

/// Rows in order; equal ones stay as they were. Sorted in short runs that are merged, so that it can be given up.
fn sorted<'r>(rows: &[&'r Row], query: &Query<'_>, work: &mut Work<'_>) -> Option<Vec<&'r Row>> {
    const RUN: usize = 1024;
    let compare = |left: &Weighed<'_>, right: &Weighed<'_>| {
        OrderBy::compare_all(query.order, &left.0.columns, &right.0.columns, (query.defaults, query.how))
    };
    let weigh = |row: &Row| {
        let text =
            |path: &PropertyPath| path.value_in(&row.columns).and_then(Value::as_str).map_or(0, str::len);
        query.order.iter().map(|item| 1 + text(&item.property) / BYTES).sum::<usize>()
    };
    let mut runs = Vec::with_capacity(rows.len().div_ceil(RUN));
    for run in rows.chunks(RUN) {
        let mut run: Vec<Weighed<'r>> = run.iter().map(|row| (*row, weigh(row))).collect();
        // Sorting compares a row with about as many others as their number has binary digits.
        let digits = run.len().max(2).ilog2() as usize;
        let cost = run.iter().map(|(_, weight)| weight.saturating_mul(digits));
        work.spend(cost.fold(0, usize::saturating_add))?;
        run.sort_by(compare);
        runs.push(run);
    }
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut before = runs.into_iter();
        while let Some(left) = before.next() {
            match before.next() {
                Some(right) => merged.push(merge(left, right, compare, work)?),
                None => merged.push(left),
            }
        }
        runs = merged;
    }
    Some(runs.pop().unwrap_or_default().into_iter().map(|(row, _)| row).collect())
}

/// Two sorted runs as one.
fn merge<'r>(
    left: Vec<Weighed<'r>>,
    right: Vec<Weighed<'r>>,
    compare: impl Fn(&Weighed<'_>, &Weighed<'_>) -> Ordering,
    work: &mut Work<'_>,
) -> Option<Vec<Weighed<'r>>> {
    let mut both = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        work.spend(one.1.min(other.1))?;
        both.extend(if compare(one, other).is_gt() { right.next() } else { left.next() });
    }
    both.extend(left);
    both.extend(right);
    Some(both)
}

/// The one row a filter can let through, if it fixes every column of a key to a text, GUID, whole number or boolean:
/// those equal in a filter exactly when they are equal as keys (the filter is still asked about the row found).
fn point(table: &TableView<'_>, filter: Option<&Filter>, how: Evaluation) -> Option<Reference> {
    let filter = filter?;
    let key = |columns: &[String]| {
        let parts: Option<Vec<KeyPart>> = columns
            .iter()
            .map(|column| match filter.required_value(column)? {
                // One text stands for many.
                Literal::String(text) if how.wildcards && text.contains('*') => None,
                literal
                @ (Literal::String(_) | Literal::Guid(_) | Literal::Integer(_) | Literal::Bool(_)) => {
                    KeyPart::from_literal(literal)
                }
                _ => None,
            })
            .collect();
        parts.map(Key::new)
    };
    let schema = table.schema();
    key(&schema.primary_key).map(Reference::Primary).or_else(|| {
        schema.alternate_keys.iter().enumerate().find_map(|(index, alternate)| {
            Some(Reference::Alternate { index, key: key(&alternate.columns)? })
        })
    })
}

/// A count of rows as a length; more than memory holds is simply more.
fn to_length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
