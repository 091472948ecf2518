//! `GET /accounts?fetchXml=..`, `?savedQuery=` and `?userQuery=`: the rows a query finds that is XML.
//!
//! Decides which query is meant, whether the caller may read each of its tables and how far, how many rows come at once, and where
//! the next page begins. What the query means is `queries`'. One table is asked as any other query is; of joined rows only so many
//! are looked at and held, between which others have the thread. Mirrors captured answers: a page that is followed by another says so
//! in annotations, with a cookie where one leads on; a view's page has a link to the next besides.

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;
use mocktenant_lab::{Answer, Listing};
use mocktenant_odata::{Guid, QueryOptions};
use mocktenant_query::{Expression, Order};
use mocktenant_schema::{CellRef, Schema, Table};
use mocktenant_tables::{After, At, Key, Query, Snapshot};
use serde_json::{Map, Value, json};

use super::cookie::Cookie;
use super::{Call, Target, list};
use crate::errors::{DataverseError, OptionDefect};
use crate::not_built;
use crate::principal::Operation;
use crate::queries::Unanswerable;
use crate::queries::aggregate::{MOST, groups};
use crate::queries::conditions::Asker;
use crate::queries::fetch::Fetch;
use crate::queries::join::{HELD, Joined, Joiner, TooMany, distinct, sort};
use crate::queries::lower::{Plan, Way, lower};
use crate::queries::write::Writer;
use crate::representation::json_bytes;
use crate::store;

/// Rows of a page, and of what is asked for at a time.
const PAGE: u64 = 5_000;

/// Rows after which others have the thread for a moment.
const AT_ONCE: usize = 256;

/// Rows of linked tables, looked at, after which they have it too.
const LOOKED_AT_ONCE: usize = 5_000;

const COOKIE: &str = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie";
const MORE: &str = "Microsoft.Dynamics.CRM.morerecords";

/// The options that name a query, exactly spelt.
const NAMES: [&str; 3] = ["fetchXml", "savedQuery", "userQuery"];

/// Whether an option names a query: in another letter case none is meant, and it is refused as not built.
pub(super) fn is_option(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The option of a request that names a query, and what it says.
pub(super) fn option(options: &QueryOptions) -> Option<(&str, &str)> {
    let found = options.others.iter().find(|(name, _)| is_option(name))?;
    Some((found.0.as_str(), found.1.as_str()))
}

/// Refuses one where no collection is asked for: it is never passed over.
pub(super) fn refuse(call: &mut Call<'_>, options: &QueryOptions) -> Result<(), DataverseError> {
    let Some((name, _)) = option(options) else { return Ok(()) };
    call.exchange.trail.not_built(format!("the query option {name}"), not_built::QUERIES_HERE);
    Err(DataverseError::InvalidQueryOption)
}

/// The rows, all of them or those `within`.
pub(super) async fn answer(
    call: &mut Call<'_>,
    target: &Target<'_>,
    within: Option<Expression>,
) -> Result<Answer, DataverseError> {
    let Some((name, value)) = option(&target.options) else { return Err(DataverseError::Unexpected) };
    let is_view = name != "fetchXml";
    beside(&target.options, is_view)?;
    let text = match name {
        "fetchXml" => value.to_owned(),
        "savedQuery" => saved(call, target, "savedquery", value)?,
        _ => saved(call, target, "userquery", value)?,
    };
    let mut fetch = Fetch::read(&text).map_err(|why| told(call, why))?;
    if target.options.count {
        if fetch.top.is_some() {
            return Err(DataverseError::FetchTopWithPaging { attribute: "returntotalrecordcount" });
        }
        fetch.total = true;
    }
    let asker = Asker {
        now: call.now(),
        zone: call.principal.zone.clone(),
        user: store::id(&call.principal.id),
        business_unit: store::id(&call.organization.business_unit),
    };
    let schema = Arc::clone(&call.schema);
    let mut plan = lower(&schema, &asker, &fetch).map_err(|why| told(call, why))?;
    if plan.levels.first().is_none_or(|level| level.table != target.table.position()) {
        let set = target.table.set().into();
        return Err(DataverseError::FetchOtherEntity { entity: crate::errors::cut(&fetch.entity), set });
    }
    let mut within = within;
    for level in &mut plan.levels {
        let table = schema.at(level.table).ok_or(DataverseError::Unexpected)?;
        let depth = call.authorize(table, Operation::Read)?;
        level.filter = list::reachable(call, table, depth, [level.filter.take(), within.take()]);
    }
    let until = Instant::now() + call.exchange.context.query_time();
    let asking = Asking { table: target.table, fetch: &fetch, plan: &plan, is_view, until };
    asking.run(call, target).await
}

/// Only `$count` may stand beside a query, and the place where a view goes on.
fn beside(options: &QueryOptions, is_view: bool) -> Result<(), DataverseError> {
    let queries = options.others.iter().filter(|(name, _)| is_option(name)).count();
    let asked = [
        ("$select", options.select.is_some()),
        ("$filter", options.filter.is_some()),
        ("$orderby", !options.orderby.is_empty()),
        ("$top", options.top.is_some()),
        ("$expand", !options.expand.is_empty()),
        ("$apply", options.apply.is_some()),
        ("$skiptoken", options.skiptoken.is_some() && !is_view),
        ("fetchXml", queries > 1),
    ];
    match asked.into_iter().find(|(_, there)| *there) {
        Some((name, _)) => Err(DataverseError::OptionBesideQuery { name: name.to_owned() }),
        None => Ok(()),
    }
}

/// Records what a query that is not answered asks for.
fn told(call: &mut Call<'_>, why: Unanswerable) -> DataverseError {
    match why {
        Unanswerable::Refused(error) => {
            if let DataverseError::FetchUnknownAttribute { entity, attribute } = &*error {
                let expected = nearest(&call.schema, entity, attribute);
                call.exchange.trail.refused(format!("'{attribute}' in the query"), expected);
            }
            *error
        }
        Unanswerable::NotBuilt(what) => {
            call.exchange.trail.not_built(what, not_built::QUERIES_HERE);
            DataverseError::InvalidQueryOption
        }
    }
}

/// The column that was meant by a name, if it is spelt nearly so.
fn nearest(schema: &Schema, entity: &str, attribute: &str) -> String {
    let bare = attribute.strip_prefix('_').and_then(|rest| rest.strip_suffix("_value")).unwrap_or(attribute);
    let table = schema.tables().find(|table| table.schema_name() == entity);
    let near = table.and_then(|table| table.columns().find(|one| one.name().eq_ignore_ascii_case(bare)));
    near.map_or_else(|| format!("a column of {entity}"), |column| column.name().to_owned())
}

/// The FetchXML of a view that the caller may read.
fn saved(call: &mut Call<'_>, target: &Target<'_>, name: &str, id: &str) -> Result<String, DataverseError> {
    let schema = Arc::clone(&call.schema);
    let table = schema.table(name).ok_or(DataverseError::Unexpected)?;
    let guid = Guid::parse(id.trim()).ok_or(DataverseError::QuerySyntax)?;
    let depth = call.authorize(table, Operation::Read)?;
    let rows = target.database.snapshot();
    let missing = || DataverseError::ObjectDoesNotExist { entity: name.into(), id: guid.to_string() };
    let row = rows.get(table, &Key::of([CellRef::Id(guid)])).ok_or_else(missing)?;
    let value = |name: &str| table.column(name).map_or(CellRef::Null, |column| row.value(column));
    call.reach((table, Operation::Read, depth), value)?;
    call.exchange.trail.fact("query", value("name").as_text().unwrap_or_default().to_owned());
    Ok(value("fetchxml").as_text().unwrap_or_default().to_owned())
}

/// A query that is being asked.
struct Asking<'a> {
    table: Table<'a>,
    fetch: &'a Fetch,
    plan: &'a Plan,
    /// Whether it is a saved one, whose pages a link leads through.
    is_view: bool,
    /// When it is given up.
    until: Instant,
}

/// A page of joined rows.
struct Found {
    rows: Vec<Joined>,
    /// All rows there are.
    count: Option<u64>,
    more: bool,
}

/// Where a page begins.
struct Start {
    /// The number of the page.
    page: u64,
    /// Rows that are left out first.
    skip: u64,
    after: Option<After>,
}

impl Asking<'_> {
    async fn run(&self, call: &mut Call<'_>, target: &Target<'_>) -> Result<Answer, DataverseError> {
        let free = self.fetch.count.is_none() && self.fetch.top.is_none();
        let preferred = call.preferences.max_page_size.filter(|_| free);
        let size = self.fetch.count.or(preferred).unwrap_or(PAGE).min(PAGE);
        let rows = target.database.snapshot();
        let writer = Writer::new(self.plan, &rows, &call.preferences, call.principal.zone.clone());
        if self.plan.aggregation.is_some() {
            return self.aggregated(call, &writer, size, preferred).await;
        }
        let start = self.start(target, size)?;
        let found = if self.plan.is_plain() {
            self.plain(call, &rows, &start, size).await?
        } else {
            self.joined(call, &rows, &start, size).await?
        };
        self.written(call, target, &writer, found, (&start, preferred)).await
    }

    /// The order by which a cookie leads on, if the query has one.
    fn cookie_order(&self) -> Option<Vec<Order>> {
        self.plan.order().filter(|_| self.plan.is_one_to_one())
    }

    /// Where the page begins that is asked for.
    fn start(&self, target: &Target<'_>, size: u64) -> Result<Start, DataverseError> {
        let order = self.cookie_order();
        if let Some(text) = target.options.skiptoken.as_deref() {
            let cookie = Cookie::read(self.table, &order.ok_or(OptionDefect::Cookie)?, text)?;
            return Ok(Start { page: cookie.page, skip: 0, after: Some(cookie.after) });
        }
        let page = self.fetch.page.unwrap_or(1);
        let cookie = match (self.fetch.cookie.as_deref(), &order) {
            (Some(text), Some(order)) => Some(Cookie::read_inner(self.table, order, text)?),
            _ => None,
        };
        // a cookie of a page behind the one that is asked for leads nowhere forward
        Ok(match cookie.filter(|cookie| cookie.page < page) {
            Some(cookie) => {
                let between = page - cookie.page - 1;
                Start { page, skip: between.saturating_mul(size), after: Some(cookie.after) }
            }
            None => Start { page, skip: (page - 1).saturating_mul(size), after: None },
        })
    }

    /// Rows of one table.
    async fn plain(
        &self,
        call: &mut Call<'_>,
        rows: &Snapshot,
        start: &Start,
        size: u64,
    ) -> Result<Found, DataverseError> {
        let order = self.plan.order().unwrap_or_default();
        let filter = self.plan.levels.first().and_then(|level| level.filter.as_ref());
        let query = Query {
            filter,
            order: &order,
            skip: start.skip,
            after: start.after.as_ref(),
            top: self.fetch.top.map(|top| top.min(PAGE)),
            count: self.fetch.total,
            page_size: Some(size),
            ..Query::of(self.table)
        };
        let page = list::pages(call, rows, query).await?;
        let joined = page.rows.into_iter().map(|row| vec![Some(row)].into_boxed_slice());
        Ok(Found { rows: joined.collect(), count: page.count, more: page.more })
    }

    /// Rows of several tables, or of one in an order, or as few, as no database gives them.
    async fn joined(
        &self,
        call: &mut Call<'_>,
        rows: &Snapshot,
        start: &Start,
        size: u64,
    ) -> Result<Found, DataverseError> {
        let length = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let (skip, size) = (length(start.skip), length(self.fetch.top.unwrap_or(size).min(PAGE)));
        let sorted = self.plan.order().is_none();
        let whole = sorted || self.plan.distinct || self.fetch.total;
        let wanted = skip.saturating_add(size).saturating_add(1);
        if wanted > HELD {
            return Err(given_up(call, TooMany));
        }
        // where all are counted, the page is still found behind the cookie
        let after = start.after.clone().filter(|_| !whole);
        let most = if whole { HELD } else { wanted };
        let mut all = self.gather(call, rows, after.clone(), (most, whole)).await?;
        if sorted {
            all = sort(self.plan, rows, all);
        }
        if self.plan.distinct {
            all = distinct(self.plan, rows, all);
        }
        let count = self.fetch.total.then_some(all.len() as u64);
        if let Some(behind) = start.after.as_ref().filter(|_| after.is_none()) {
            let order = self.plan.order().unwrap_or_default();
            all.retain(|tuple| self.is_behind(rows, &order, tuple, behind));
        }
        let mut left = all.into_iter().skip(skip);
        let rows: Vec<Joined> = left.by_ref().take(size).collect();
        let more = self.fetch.top.is_none() && left.next().is_some();
        Ok(Found { rows, count, more })
    }

    /// Whether a joined row comes behind where a page ended.
    fn is_behind(&self, rows: &Snapshot, order: &[Order], tuple: &Joined, behind: &After) -> bool {
        let Some(row) = tuple.first().and_then(Option::as_ref) else { return false };
        let (values, id) = list::after(rows, order, At { table: self.table.position(), row });
        let mut both = order.iter().zip(values.iter().zip(&behind.values));
        let differing = both.find_map(|(item, (here, there))| {
            let ordering = crate::queries::join::compare(here.as_ref(), there.as_ref());
            Some(if item.descending { ordering.reverse() } else { ordering })
                .filter(|ordering| ordering.is_ne())
        });
        differing.unwrap_or_else(|| Key::of([id.as_ref()]).cmp(&behind.key)).is_gt()
    }

    /// Lets others have the thread, as long as there is time.
    async fn breathe(&self, call: &mut Call<'_>) -> Result<(), DataverseError> {
        if Instant::now() > self.until {
            call.exchange.trail.fact("given-up", "the query takes longer than the lab gives it");
            return Err(DataverseError::SqlTimeoutError);
        }
        call.exchange.context.breathe().await;
        Ok(())
    }

    /// Joined rows in the order of the entity's: so many, or all where the `whole` of them is needed.
    async fn gather(
        &self,
        call: &mut Call<'_>,
        rows: &Snapshot,
        after: Option<After>,
        (most, whole): (usize, bool),
    ) -> Result<Vec<Joined>, DataverseError> {
        let order = self.plan.order().unwrap_or_default();
        let filter = self.plan.levels.first().and_then(|level| level.filter.as_ref());
        let (mut joiner, mut all, mut after) = (Joiner::new(self.plan, rows), Vec::new(), after);
        for (number, level) in self.plan.levels.iter().enumerate() {
            let Some(Way::Column(column)) = level.join.as_ref().map(|join| &join.way) else { continue };
            self.index(call, rows, &mut joiner, (number, *column)).await?;
        }
        let mut looked_at = 0;
        loop {
            let query = Query {
                filter,
                order: &order,
                after: after.as_ref(),
                page_size: Some(PAGE),
                ..Query::of(self.table)
            };
            let page = list::pages(call, rows, query).await?;
            for (number, row) in page.rows.iter().enumerate() {
                joiner.join(row, &mut all).map_err(|too_many| given_up(call, too_many))?;
                if all.len() >= most && !whole {
                    return Ok(all);
                }
                if all.len() > most {
                    return Err(given_up(call, TooMany));
                }
                if number % AT_ONCE == AT_ONCE - 1 || joiner.looked_at() - looked_at > LOOKED_AT_ONCE {
                    looked_at = joiner.looked_at();
                    self.breathe(call).await?;
                }
            }
            self.breathe(call).await?;
            let last = page.rows.last().filter(|_| page.more);
            let Some(row) = last else { return Ok(all) };
            let (values, id) = list::after(rows, &order, At { table: self.table.position(), row });
            after = Some(list::behind(values, &id));
        }
    }

    /// Gives the joiner the rows of a level that no relationship leads to.
    async fn index(
        &self,
        call: &mut Call<'_>,
        rows: &Snapshot,
        joiner: &mut Joiner<'_>,
        (number, column): (usize, u16),
    ) -> Result<(), DataverseError> {
        let Some(level) = self.plan.levels.get(number) else { return Ok(()) };
        let schema = Arc::clone(&call.schema);
        let table = schema.at(level.table).ok_or(DataverseError::Unexpected)?;
        let mut after = None;
        loop {
            let filter = level.filter.as_ref();
            let query = Query { filter, after: after.as_ref(), page_size: Some(PAGE), ..Query::of(table) };
            let page = list::pages(call, rows, query).await?;
            joiner.index(number, column, &page.rows).map_err(|too_many| given_up(call, too_many))?;
            let Some(row) = page.rows.last().filter(|_| page.more) else { return Ok(()) };
            let (values, id) = list::after(rows, &[], At { table: level.table, row });
            after = Some(list::behind(values, &id));
            self.breathe(call).await?;
        }
    }

    /// The groups of all rows.
    async fn aggregated(
        &self,
        call: &mut Call<'_>,
        writer: &Writer<'_>,
        size: u64,
        applied: Option<u64>,
    ) -> Result<Answer, DataverseError> {
        let Some(aggregation) = &self.plan.aggregation else { return Err(DataverseError::Unexpected) };
        let limit = aggregation.limit.unwrap_or(MOST).min(MOST);
        let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let all = self.gather(call, writer.rows, None, (most, false)).await?;
        if all.len() as u64 > limit {
            return Err(DataverseError::AggregateQueryRecordLimit);
        }
        let found = groups(self.plan, aggregation, writer.rows, all, &call.principal.zone);
        let length = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let skip = length((self.fetch.page.unwrap_or(1) - 1).saturating_mul(size));
        let count = found.len() as u64;
        let mut left = found.into_iter().skip(skip);
        let page: Vec<_> = left.by_ref().take(length(self.fetch.top.unwrap_or(size))).collect();
        let more = self.fetch.top.is_none() && left.next().is_some();
        let mut head = Map::new();
        head.insert("@odata.context".to_owned(), json!(context(call, writer, None)));
        head.extend(list::counted(call, self.fetch.total.then_some(count)));
        if more && call.preferences.wants_annotation(MORE) {
            head.insert(format!("@{MORE}"), json!(true));
        }
        let mut listing = Listing::new(&head, "value");
        for some in page.chunks(AT_ONCE) {
            if !writer.push_groups(aggregation, &mut listing, some) {
                break;
            }
            call.exchange.context.breathe().await;
        }
        Ok(call.applied(json_bytes(StatusCode::OK, listing.finish(&Map::new())), applied))
    }

    /// A page of rows. What follows it is told at its head, so one that is too large is written again with fewer.
    async fn written(
        &self,
        call: &mut Call<'_>,
        target: &Target<'_>,
        writer: &Writer<'_>,
        found: Found,
        (start, applied): (&Start, Option<u64>),
    ) -> Result<Answer, DataverseError> {
        let (mut page, mut more) = (found.rows, found.more);
        loop {
            let mut head = Map::new();
            head.insert("@odata.context".to_owned(), json!(context(call, writer, page.first())));
            head.extend(list::counted(call, found.count));
            head.extend(writer.fields());
            let next =
                if more { self.next(call, target, writer.rows, start, &page) } else { Next::default() };
            head.extend(next.head);
            let mut listing = Listing::new(&head, "value");
            for some in page.chunks(AT_ONCE) {
                if !writer.push(&mut listing, some) {
                    break;
                }
                call.exchange.context.breathe().await;
            }
            let given = usize::try_from(listing.count()).unwrap_or(usize::MAX);
            if given >= page.len() {
                return Ok(call.applied(json_bytes(StatusCode::OK, listing.finish(&next.tail)), applied));
            }
            page.truncate(given);
            more = true;
        }
    }

    /// What is said where more rows follow a page.
    fn next(
        &self,
        call: &Call<'_>,
        target: &Target<'_>,
        rows: &Snapshot,
        start: &Start,
        page: &[Joined],
    ) -> Next {
        let mut next = Next::default();
        let end = |tuple: Option<&Joined>, order: &[Order]| {
            let row = tuple?.first()?.as_ref()?;
            Some(list::after(rows, order, At { table: self.table.position(), row }))
        };
        if let Some(order) = self.cookie_order()
            && let (Some(first), Some(last)) = (end(page.first(), &order), end(page.last(), &order))
        {
            if call.preferences.wants_annotation(COOKIE) {
                let cookie = Cookie::annotation(self.table, &order, start.page, &first, &last);
                next.head.insert(format!("@{COOKIE}"), json!(cookie));
            }
            if self.is_view {
                let cookie = Cookie::write(self.table, &order, start.page + 1, &first, &last);
                let link = list::next_link(call, target, page.len() as u64, &cookie);
                next.tail.insert("@odata.nextLink".to_owned(), json!(link));
            }
        }
        if call.preferences.wants_annotation(MORE) {
            next.head.insert(format!("@{MORE}"), json!(true));
        }
        next
    }
}

/// What is said before the rows of a page that others follow, and behind them.
#[derive(Default)]
struct Next {
    head: Map<String, Value>,
    tail: Map<String, Value>,
}

fn context(call: &Call<'_>, writer: &Writer<'_>, first: Option<&Joined>) -> String {
    format!("{}/$metadata#{}", call.root, writer.context(first))
}

fn given_up(call: &mut Call<'_>, TooMany: TooMany) -> DataverseError {
    call.exchange.trail.fact("given-up", "the query looks at more rows than one answer is made of");
    DataverseError::AggregateQueryRecordLimit
}
