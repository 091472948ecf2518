//! `$filter`, `$orderby`, `$skip`, `$top` and pages over one table.
//!
//! Decides which rows and in which order, as OData does: filter, count, order, skip, top. A filter that fixes all
//! columns of a key becomes one look-up. A query can say before what it costs, and be given up on the way. Columns are not selected here, see [`Row::project`].

use mocktenant_odata::{Evaluation, Filter, Literal, QueryOptions};

use crate::key::{Key, KeyPart, Reference};
use crate::row::Row;
use crate::snapshot::TableView;

/// The order in which rows come when `$orderby` does not say.
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
    /// The request's options; `select` and `expand` are not looked at.
    pub options: &'q QueryOptions,
    /// How texts compare.
    pub how: Evaluation,
    /// The order where `$orderby` leaves one open.
    pub scan: Scan,
    /// The most rows of one page, whatever `$top` says; `None` for no bound.
    pub page_size: Option<u64>,
}

impl<'q> Query<'q> {
    /// A query as both products run it: without regard to case, in key order, on one page.
    pub fn new(options: &'q QueryOptions) -> Self {
        Self { options, how: Evaluation::CASE_INSENSITIVE, scan: Scan::KeyOrder, page_size: None }
    }
}

/// What a query finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The rows, at most a page.
    pub rows: Vec<Row>,
    /// Every row that passes the filter, before `$skip` and `$top`; `None` unless `$count=true`.
    pub count: Option<u64>,
    /// More rows would follow if the page were not full: a reason for a next link.
    pub more: bool,
}

/// What a query costs before it is asked again whether it should go on, in comparisons.
const STRIDE: usize = 50_000;

/// What a query has cost.
struct Work<G> {
    since: usize,
    go_on: G,
}

impl<G: Fn() -> bool> Work<G> {
    /// Takes so many comparisons; `None` where the query should not go on.
    fn spend(&mut self, comparisons: usize) -> Option<()> {
        self.since = self.since.saturating_add(comparisons);
        if self.since < STRIDE {
            return Some(());
        }
        self.since = 0;
        (self.go_on)().then_some(())
    }
}

/// What a query costs at worst, in comparisons; see [`TableView::cost`].
pub(crate) fn cost(table: &TableView<'_>, query: &Query<'_>) -> usize {
    let options = query.options;
    if point(table, options.filter.as_ref()).is_some() {
        return 1;
    }
    let whole = options.filter.is_some() || options.count || !options.orderby.is_empty();
    let looked_at = if whole {
        table.len()
    } else {
        let limit =
            options.top.map_or(usize::MAX, to_length).min(query.page_size.map_or(usize::MAX, to_length));
        to_length(options.skip.unwrap_or(0)).saturating_add(limit).min(table.len())
    };
    // Sorting compares a row with about as many others as its number has binary digits.
    let sorting = options.orderby.len().saturating_mul(table.len().max(1).ilog2() as usize);
    looked_at.saturating_mul(per_row(options).saturating_add(sorting))
}

fn per_row(options: &QueryOptions) -> usize {
    options.filter.as_ref().map_or(0, Filter::terms).saturating_add(1)
}

/// Runs a query; see [`TableView::query_while`].
pub(crate) fn run(
    table: &TableView<'_>,
    query: &Query<'_>,
    visible: impl Fn(&Row) -> bool,
    go_on: impl Fn() -> bool,
) -> Option<Page> {
    let options = query.options;
    let mut work = Work { since: 0, go_on };
    let passes = |row: &Row| {
        visible(row) && options.filter.as_ref().is_none_or(|filter| filter.matches(&row.columns, query.how))
    };
    let candidates: Box<dyn Iterator<Item = &Row>> = match point(table, options.filter.as_ref()) {
        Some(reference) => Box::new(table.find(&reference).into_iter()),
        None => table.iter(query.scan),
    };
    let skip = to_length(options.skip.unwrap_or(0));
    let top = options.top.map_or(usize::MAX, to_length);
    let limit = top.min(query.page_size.map_or(usize::MAX, to_length));
    // one more than asked for tells whether another page follows
    let probe = limit.saturating_add(1);
    let (per_row, ordered) = (per_row(options), !options.orderby.is_empty());
    let (mut passed, mut found) = (0, Vec::new());
    for row in candidates {
        work.spend(per_row)?;
        if !passes(row) {
            continue;
        }
        passed += 1;
        if ordered || (passed > skip && found.len() < probe) {
            found.push(row);
        }
        if !ordered && !options.count && found.len() >= probe {
            break;
        }
    }
    if ordered {
        found = sorted(&found, options, query.how, &mut work)?;
        found = found.into_iter().skip(skip).take(probe).collect();
    }
    let more = found.len() > limit && top > limit;
    let rows = found.into_iter().take(limit).cloned().collect();
    Some(Page { rows, count: options.count.then_some(passed as u64), more })
}

/// Rows by `$orderby`; equal ones stay as they were. Sorted in short runs that are merged, so that it can be given up.
fn sorted<'r>(
    rows: &[&'r Row],
    options: &QueryOptions,
    how: Evaluation,
    work: &mut Work<impl Fn() -> bool>,
) -> Option<Vec<&'r Row>> {
    const RUN: usize = 1024;
    let compare = |left: &Row, right: &Row| options.compare(&left.columns, &right.columns, how);
    let items = options.orderby.len();
    let mut runs = Vec::with_capacity(rows.len().div_ceil(RUN));
    for run in rows.chunks(RUN) {
        work.spend(run.len() * items * RUN.ilog2() as usize)?;
        let mut run = run.to_vec();
        run.sort_by(|left, right| compare(left, right));
        runs.push(run);
    }
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut before = runs.into_iter();
        while let Some(left) = before.next() {
            let Some(right) = before.next() else {
                merged.push(left);
                break;
            };
            let mut both = Vec::with_capacity(left.len() + right.len());
            let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
            while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
                work.spend(items)?;
                both.extend(if compare(one, other).is_gt() { right.next() } else { left.next() });
            }
            both.extend(left);
            both.extend(right);
            merged.push(both);
        }
        runs = merged;
    }
    Some(runs.pop().unwrap_or_default())
}

/// The one row a filter can let through, if it fixes every column of a key to a text, GUID, whole number or boolean:
/// those equal in a filter exactly when they are equal as keys (the filter is still asked about the row found).
fn point(table: &TableView<'_>, filter: Option<&Filter>) -> Option<Reference> {
    let filter = filter?;
    let key = |columns: &[String]| {
        let parts: Option<Vec<KeyPart>> = columns
            .iter()
            .map(|column| match filter.required_value(column)? {
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
