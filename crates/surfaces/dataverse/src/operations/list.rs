//! `GET /accounts`: the rows that pass a filter.
//!
//! Decides which rows of the caller's reach come, in which order, and how many at once. `$skip` is refused as Dataverse refuses it.
//! Pages have at most 5,000 rows, fewer if `odata.maxpagesize` asks and `$top` does not, and fewer where they are large; the link to
//! the next holds a paging cookie, so that rows which come and go meanwhile make no other appear twice or never.

use std::sync::Arc;

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Listing};
use mocktenant_odata::{Binder, QueryError, QueryOptions};
use mocktenant_query::{Comparison, Expression, Order};
use mocktenant_schema::{Cell, Table};
use mocktenant_tables::{After, At, Page, Query, Snapshot};
use mocktenant_world::Depth;
use serde_json::{Map, Value, json};

use super::cookie::Cookie;
use super::{Call, Target, aggregate, fetched};
use crate::errors::DataverseError;
use crate::not_built;
use crate::principal::Operation;
use crate::representation::{self, Shape};
use crate::store;
use crate::tables::DIALECT;

/// Rows of a page.
const PAGE: u64 = 5_000;

/// Rows that are written before others have the thread for a moment.
const AT_ONCE: usize = 256;

/// Most rows `@odata.count` counts.
const COUNT_LIMIT: u64 = 5_000;

/// The version of all definitions, which never change here: the number is the lab's own, its form the product's.
const METADATA_VERSION: &str = "1000000";

/// The request's query options.
pub(super) fn options(call: &mut Call<'_>) -> Result<QueryOptions, DataverseError> {
    let options =
        QueryOptions::parse(call.exchange.request.query()).map_err(|error| call.unreadable(&error))?;
    let queries = !call.writes();
    let unbuilt = options.others.iter().map(|(name, _)| name.as_str());
    let unbuilt =
        unbuilt.filter(|name| !queries || !fetched::is_option(name)).find(|name| not_built::option(name));
    let format = options.format.as_deref().filter(|format| !matches!(*format, "json" | "application/json"));
    if let Some(name) = unbuilt.or_else(|| format.map(|_| "$format")) {
        call.exchange.trail.not_built(format!("the query option {name}"), not_built::OPTIONS_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    if options.skip.is_some() {
        return Err(DataverseError::SkipNotSupported);
    }
    Ok(options)
}

/// What a query asks, bound to its table.
struct Asked {
    filter: Option<Expression>,
    order: Vec<Order>,
}

fn asked(call: &mut Call<'_>, target: &Target<'_>) -> Result<Asked, DataverseError> {
    let schema = Arc::clone(&call.schema);
    let alias = |name: &str| target.options.alias(name).map(str::to_owned);
    let clock = || call.clock();
    let binder = Binder::new(&schema, &DIALECT, &alias, &clock);
    let fault = |option: &str, fault| QueryError::Fault { option: option.to_owned(), fault };
    let filter = target.options.filter.as_ref().map(|filter| binder.filter(target.table, filter)).transpose();
    let order = binder.order(target.table, &target.options.orderby);
    let filter = filter.map_err(|one| call.unreadable(&fault("$filter", one)))?;
    let order = order.map_err(|one| call.unreadable(&fault("$orderby", one)))?;
    Ok(Asked { filter, order })
}

impl Asked {
    /// Among the rows in the caller's reach: another user's are as if they were not there.
    fn in_reach(mut self, call: &Call<'_>, table: Table<'_>, depth: Depth) -> Self {
        let column = match table.view() {
            _ if depth > Depth::Basic => None,
            None if table.is_owned() => table.column("ownerid"),
            Some("users" | "user-settings") => table.id(),
            _ => None,
        };
        if let Some(column) = column {
            let own = store::id(&call.principal.id);
            self = self.and(Some(Expression::column_is(column.ordinal(), Comparison::Equal, own)));
        }
        self
    }

    /// Only those of which this is true too.
    fn and(self, condition: Option<Expression>) -> Self {
        let filter = match (self.filter, condition) {
            (Some(filter), Some(condition)) => Some(filter.and(condition)),
            (filter, condition) => filter.or(condition),
        };
        Self { filter, ..self }
    }
}

/// All of these conditions, and that rows are in the caller's reach.
pub(super) fn reachable(
    call: &Call<'_>,
    table: Table<'_>,
    depth: Depth,
    conditions: impl IntoIterator<Item = Option<Expression>>,
) -> Option<Expression> {
    let all = conditions.into_iter().fold(Asked { filter: None, order: Vec::new() }, Asked::and);
    all.in_reach(call, table, depth).filter
}

/// The rows, all of them or those `within`.
pub(super) async fn answer(
    call: &mut Call<'_>,
    target: &Target<'_>,
    within: Option<Expression>,
) -> Result<Answer, DataverseError> {
    if fetched::option(&target.options).is_some() {
        return fetched::answer(call, target, within).await;
    }
    if let Some(text) = target.options.apply.clone() {
        return aggregate::answer(call, target, &text, within).await;
    }
    listed(call, target, within, false).await
}

/// The addresses of the rows `within`.
pub(super) async fn references(
    call: &mut Call<'_>,
    target: &Target<'_>,
    within: Expression,
) -> Result<Answer, DataverseError> {
    let changed =
        [("$apply", target.options.apply.is_some()), ("$expand", !target.options.expand.is_empty())];
    if let Some((name, _)) = changed.iter().find(|(_, there)| *there) {
        call.exchange.trail.not_built(format!("{name} beside $ref"), not_built::OPTIONS_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    listed(call, target, Some(within), true).await
}

async fn listed(
    call: &mut Call<'_>,
    target: &Target<'_>,
    within: Option<Expression>,
    references: bool,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    let bound = call.bound_selection(target)?;
    let asked = asked(call, target)?;
    let cookie = target.options.skiptoken.as_deref().map(|text| Cookie::read(table, &asked.order, text));
    let cookie = cookie.transpose()?;
    let depth = call.authorize(table, Operation::Read)?;
    let shown = call.shown(bound)?;
    let asked = asked.and(within).in_reach(call, table, depth);

    let preferred = call.preferences.max_page_size.filter(|_| target.options.top.is_none());
    let size = preferred.unwrap_or(PAGE).min(PAGE);
    let page_size = Some(size);
    let rows = target.database.snapshot();
    let query = Query {
        filter: asked.filter.as_ref(),
        order: &asked.order,
        top: target.options.top,
        count: target.options.count,
        page_size,
        after: cookie.as_ref().map(|cookie| &cookie.after),
        ..Query::of(table)
    };
    let page = pages(call, &rows, query).await?;

    let shape = call.shape(&rows, &shown);
    let mut head = Map::new();
    let context = if references { references_context(call) } else { shape.context(table) };
    head.insert("@odata.context".to_owned(), json!(context));
    head.extend(counted(call, page.count));
    let mut listing = Listing::new(&head, "value");
    for some in page.rows.chunks(AT_ONCE) {
        let shape = Shape { list: Some(size), ..call.shape(&rows, &shown) };
        let position = table.position();
        let mut push = || {
            some.iter().all(|row| {
                let at = At { table: position, row };
                if references {
                    listing.push(&shape.reference(table, row))
                } else {
                    listing.push(&shape.members(at))
                }
            })
        };
        if !call.aside(&shown, &mut push) {
            break;
        }
        call.exchange.context.breathe().await;
    }
    let (given, mut tail) = (listing.count(), Map::new());
    // where some rows go into the answer the next page goes on behind them
    if given == 0 && !page.rows.is_empty() {
        return Err(call.more_than_may_come(&shown));
    }
    if page.more || given < page.rows.len() as u64 {
        let shown = usize::try_from(given).unwrap_or(usize::MAX);
        let number = cookie.map_or(1, |cookie| cookie.page);
        if let Some(last) = page.rows.get(..shown).and_then(<[_]>::last) {
            let first = page.rows.first().unwrap_or(last);
            let after = |row| after(&rows, &asked.order, At { table: table.position(), row });
            let next = Cookie::write(table, &asked.order, number + 1, &after(first), &after(last));
            tail.insert("@odata.nextLink".to_owned(), json!(next_link(call, target, given, &next)));
        }
    }
    let answer = representation::rows(StatusCode::OK, listing.finish(&tail), call.detail);
    Ok(call.applied(answer, preferred))
}

fn references_context(call: &Call<'_>) -> String {
    format!("{}/$metadata#Collection($ref)", call.root)
}

/// What an answer with several rows says of how many there are.
pub(super) fn counted(call: &Call<'_>, count: Option<u64>) -> Map<String, Value> {
    let mut head = Map::new();
    if let Some(count) = count {
        head.insert("@odata.count".to_owned(), json!(count.min(COUNT_LIMIT)));
    }
    let total = count.map_or(json!(-1), |count| json!(count.min(COUNT_LIMIT)));
    let exceeded = count.is_some_and(|count| count > COUNT_LIMIT);
    for (name, value) in [
        ("Microsoft.Dynamics.CRM.totalrecordcount", total),
        ("Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded", json!(exceeded)),
        ("Microsoft.Dynamics.CRM.globalmetadataversion", json!(METADATA_VERSION)),
    ] {
        if call.preferences.wants_annotation(name) {
            head.insert(format!("@{name}"), value);
        }
    }
    head
}

/// Where a page ends: what its order has of a row, and the row's key.
pub(super) fn after(rows: &Snapshot, order: &[Order], at: At<'_>) -> (Vec<Cell>, Cell) {
    use mocktenant_query::Rows as _;
    let sight = rows.sight();
    let values = order.iter().map(|item| sight.value(at, &item.by).to_cell()).collect();
    let id = rows.schema().at(at.table).and_then(mocktenant_schema::Table::id);
    (values, id.map_or(Cell::Null, |column| at.row.value(column).to_cell()))
}

/// `GET /accounts/$count`: how many rows pass the filter, as text with a byte order mark.
pub(super) async fn count(
    call: &mut Call<'_>,
    target: &Target<'_>,
    within: Option<Expression>,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    fetched::refuse(call, &target.options)?;
    call.bound_selection(target)?;
    let asked = asked(call, target)?;
    let depth = call.authorize(table, Operation::Read)?;
    let asked = asked.and(within).in_reach(call, table, depth);
    let rows = target.database.snapshot();
    let query = Query { filter: asked.filter.as_ref(), top: Some(0), count: true, ..Query::of(table) };
    let found = pages(call, &rows, query).await?;
    let count = found.count.unwrap_or_default().min(COUNT_LIMIT);
    let text = format!("\u{feff}{count}");
    Ok(Answer::typed(StatusCode::OK, Content::Text(text.into(), "text/plain")))
}

/// The rows a query finds.
pub(super) async fn pages(
    call: &mut Call<'_>,
    rows: &Snapshot,
    query: Query<'_>,
) -> Result<Page, DataverseError> {
    let page = call.exchange.context.query(rows, query).await;
    page.map_err(|took_too_long| {
        call.exchange.trail.fact("given-up", took_too_long.to_string());
        DataverseError::SqlTimeoutError
    })
}

/// The address of the next page: this one's, with the cookie and with `$top` lessened by the rows of this page, `delivered`.
pub(super) fn next_link(call: &Call<'_>, target: &Target<'_>, delivered: u64, cookie: &str) -> String {
    let query = call.exchange.request.query();
    // whatever way their names are encoded
    let kept = |pair: &&str| {
        let own = QueryOptions::parse(pair).unwrap_or_default();
        !pair.is_empty() && own.top.is_none() && own.skiptoken.is_none()
    };
    let mut pairs: Vec<String> = query.split('&').filter(kept).map(str::to_owned).collect();
    if let Some(top) = target.options.top {
        pairs.push(format!("$top={}", top.saturating_sub(delivered)));
    }
    pairs.push(format!("$skiptoken={cookie}"));
    let path = call.exchange.request.path().split('/').skip(4).collect::<Vec<_>>().join("/");
    format!("{}/{path}?{}", call.root, pairs.join("&"))
}

/// Where a page begins that goes on behind a row.
pub(super) fn behind(values: Vec<Cell>, id: &Cell) -> After {
    After { values, key: mocktenant_tables::Key::of([id.as_ref()]) }
}
