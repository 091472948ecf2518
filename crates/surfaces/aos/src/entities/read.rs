//! Reading records: which records a request sees, and the answer.
//!
//! Decides which records are seen (the user's default company, or all with `cross-company=true`) and the pages of a list. What a
//! query may name is `bind`'s.

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange, Listing};
use mocktenant_odata::{QueryOptions, equal_text};
use mocktenant_query::{Comparison, Expression};
use mocktenant_schema::{Cell, CellRef};
use mocktenant_tables::{Database, Page, Query, Snapshot};
use serde_json::{Map, Value};

use super::expand::{Follower, Found};
use super::wire::{Metadata, OnTheWire, Style, context, json_bytes, record};
use super::{Asked, Entity, Member, Notes, Target};
use crate::bearer::Caller;
use crate::errors::ODataError;
use crate::query::CROSS_COMPANY;

/// Most records of one page (Microsoft Learn, finance and operations: Open Data Protocol).
pub(super) const PAGE: u64 = 10_000;
/// Records that are written before others have the thread for a moment.
pub(super) const AT_ONCE: usize = 256;
/// What the OData library writes before a plain value.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Which records a request sees.
#[derive(Clone)]
pub(crate) struct Visible {
    all: bool,
    company: Option<String>,
}

impl Visible {
    /// The caller's default company, unless the request asks for all.
    pub(crate) fn new(caller: &Caller, options: &QueryOptions) -> Self {
        let all = options.other(CROSS_COMPANY).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Self { all, company: caller.company.clone() }
    }

    /// The company that records of an entity have to be of, and the column that has it.
    fn company<'s>(&self, entity: Entity<'s>) -> Option<(Member<'s>, &str)> {
        if self.all {
            return None;
        }
        Some((entity.company()?, self.company.as_deref()?))
    }

    /// What a record has to be for the request to see it.
    pub(crate) fn condition(&self, entity: Entity<'_>) -> Option<Expression> {
        let (column, company) = self.company(entity)?;
        Some(Expression::column_is(column.ordinal(), Comparison::Equal, Cell::text(company)))
    }

    /// Whether the request sees a record of these values.
    pub(crate) fn shows<'s, 'v>(
        &self,
        entity: Entity<'s>,
        value: impl Fn(Member<'s>) -> CellRef<'v>,
    ) -> bool {
        self.company(entity).is_none_or(|(column, company)| {
            value(column).as_text().is_some_and(|own| equal_text(own, company, true))
        })
    }
}

/// A question about the records of an entity.
#[derive(Clone)]
pub(super) struct Question<'q> {
    pub(super) entity: Entity<'q>,
    pub(super) visible: &'q Visible,
    pub(super) asked: &'q Asked,
    pub(super) options: &'q QueryOptions,
    /// Records that are meant whatever the query says: those a link leads to.
    pub(super) among: Option<Expression>,
    /// Where the records are, below `/data`.
    pub(super) place: String,
}

impl Question<'_> {
    fn filter(&self) -> Option<Expression> {
        let all = [self.among.clone(), self.visible.condition(self.entity), self.asked.filter.clone()];
        all.into_iter().flatten().reduce(Expression::and)
    }
}

/// `GET` of a set or a record.
pub(crate) async fn read(
    exchange: &mut Exchange,
    database: &Database,
    target: &Target<'_>,
    visible: &Visible,
    (options, asked): (&QueryOptions, &Asked),
) -> Result<Answer, ODataError> {
    let entity = target.entity;
    let snapshot = database.snapshot();
    let Some(key) = &target.record else {
        let place = entity.set().to_owned();
        let question = Question { entity, visible, asked, options, among: None, place };
        return list(exchange, &snapshot, &question).await;
    };
    let row = snapshot.get(entity, key).filter(|row| visible.shows(entity, |column| row.value(column)));
    let row = row.ok_or(ODataError::UnknownRecord)?;
    let mut follower = Follower::new(&exchange.context, &snapshot, visible);
    let with = follower.follow(entity, row, &asked.selection.expand).await?;
    let found = Found { row: row.clone(), with };
    Ok(record(exchange, StatusCode::OK, entity, &found, (options, &asked.selection)))
}

/// `GET` of `/$count` of a set.
pub(crate) async fn count(
    exchange: &mut Exchange,
    database: &Database,
    entity: Entity<'_>,
    visible: &Visible,
    (options, asked): (&QueryOptions, &Asked),
) -> Result<Answer, ODataError> {
    let question = Question { entity, visible, asked, options, among: None, place: String::new() };
    number(exchange, &database.snapshot(), &question).await
}

/// How many records pass the filter, as plain text.
pub(super) async fn number(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    question: &Question<'_>,
) -> Result<Answer, ODataError> {
    let filter = question.asked.filter.clone();
    let counted = Asked { filter, count: true, top: Some(0), ..Asked::default() };
    let page = found(exchange, snapshot, &Question { asked: &counted, ..question.clone() }).await?;
    let text = format!("{BYTE_ORDER_MARK}{}", page.count.unwrap_or_default());
    let answer = Answer::typed(StatusCode::OK, Content::Text(text.into(), "text/plain"));
    Ok(answer.with("odata-version", "4.0"))
}

async fn found(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    question: &Question<'_>,
) -> Result<Page, ODataError> {
    let Asked { order, top, skip, count, .. } = question.asked;
    let filter = question.filter();
    let query = Query {
        filter: filter.as_ref(),
        order,
        skip: *skip,
        top: *top,
        count: *count,
        page_size: Some(PAGE),
        ..Query::of(question.entity)
    };
    exchange.context.query(snapshot, query).await.map_err(|took_too_long| {
        exchange.trail.fact("given-up", took_too_long.to_string());
        ODataError::QueryTimeout
    })
}

/// The records of a set, one page of them: at most [`PAGE`], fewer where they are large.
pub(super) async fn list(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    question: &Question<'_>,
) -> Result<Answer, ODataError> {
    let page = found(exchange, snapshot, question).await?;
    let Question { entity, visible, asked: Asked { selection, .. }, options, .. } = question;
    let metadata = Metadata::asked(&exchange.request.headers, options.format.as_deref());
    let mut head = Map::new();
    if metadata != Metadata::None {
        let context = context(exchange, *entity, (options, selection), false);
        head.insert("@odata.context".into(), Value::from(context));
    }
    if let Some(count) = page.count {
        head.insert("@odata.count".into(), Value::from(count));
    }
    let mut listing = Listing::new(&head, "value");
    let base = crate::side::base_url(exchange);
    let style = Style { metadata, base: &base };
    let mut follower = Follower::new(&exchange.context, snapshot, visible);
    let mut full = false;
    for rows in page.rows.chunks(AT_ONCE) {
        for row in rows {
            let with = follower.follow(*entity, row, &selection.expand).await?;
            let element = OnTheWire { entity: *entity, row, selection, with: &with, style, context: None };
            full = !listing.push(&element);
            if full {
                break;
            }
        }
        if full {
            break;
        }
        exchange.context.breathe().await;
    }
    let (given, mut tail) = (listing.count(), Map::new());
    if page.more || given < page.rows.len() as u64 {
        tail.insert("@odata.nextLink".into(), Value::from(next_link(exchange, question, given)));
    }
    Ok(json_bytes(StatusCode::OK, listing.finish(&tail), metadata))
}

/// The same query after this page, which gave so many records.
fn next_link(exchange: &Exchange, question: &Question<'_>, given: u64) -> String {
    let replaced = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !matches!(name, "$skip" | "%24skip" | "$top" | "%24top" | "")
    };
    let mut pairs: Vec<String> =
        exchange.request.query().split('&').filter(replaced).map(str::to_owned).collect();
    if let Some(top) = question.asked.top {
        pairs.push(format!("$top={}", top.saturating_sub(given)));
    }
    pairs.push(format!("$skip={}", question.asked.skip.saturating_add(given)));
    format!("{}/data/{}?{}", crate::side::base_url(exchange), question.place, pairs.join("&"))
}
