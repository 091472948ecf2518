//! `$filter`, `$orderby`, `$skip`, `$top` and pages over one table.
//!
//! Decides which rows and in which order, as OData does: filter, count, order, skip, top. A filter that fixes all
//! columns of a key becomes one look-up. Columns are not selected here, see [`Row::project`].

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
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows, at most a page.
    pub rows: Vec<Row>,
    /// Every row that passes the filter, before `$skip` and `$top`; `None` unless `$count=true`.
    pub count: Option<u64>,
    /// More rows would follow if the page were not full: a reason for a next link.
    pub more: bool,
}

/// Runs a query; see [`TableView::query`].
pub(crate) fn run(table: &TableView<'_>, query: &Query<'_>, visible: impl Fn(&Row) -> bool) -> Page {
    let options = query.options;
    let passes = |row: &&Row| {
        visible(row) && options.filter.as_ref().is_none_or(|filter| filter.matches(&row.columns, query.how))
    };
    let candidates: Box<dyn Iterator<Item = &Row>> = match point(table, options.filter.as_ref()) {
        Some(reference) => Box::new(table.find(&reference).into_iter()),
        None => table.iter(query.scan),
    };
    let mut matching = candidates.filter(passes);

    let skip = to_length(options.skip.unwrap_or(0));
    let top = options.top.map_or(usize::MAX, to_length);
    let limit = top.min(query.page_size.map_or(usize::MAX, to_length));
    // one more than asked for tells whether another page follows
    let probe = limit.saturating_add(1);
    let mut count = None;
    let mut rows: Vec<Row> = if options.count || !options.orderby.is_empty() {
        let mut all: Vec<&Row> = matching.collect();
        count = options.count.then_some(all.len() as u64);
        all.sort_by(|left, right| options.compare(&left.columns, &right.columns, query.how));
        all.into_iter().skip(skip).take(probe).cloned().collect()
    } else {
        matching.by_ref().skip(skip).take(probe).cloned().collect()
    };
    let more = rows.len() > limit && top > limit;
    rows.truncate(limit);
    Page { rows, count, more }
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
