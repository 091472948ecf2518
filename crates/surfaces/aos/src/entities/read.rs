//! Reading records: what a request may ask for, which records it sees, and the answer.
//!
//! Decides which columns a query may name, which records are seen (the user's default company, or all with
//! `cross-company=true`), and the pages of a list. A query that follows links to other entities, or asks for an option that
//! only the product has, is refused in the product's words and recorded as not built.

use std::borrow::Cow;
use std::collections::HashSet;

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange, Listing, Trail};
use mocktenant_odata::{Evaluation, Filter, QueryOptions, equal_text};
use mocktenant_tables::{Database, Query, Row, Selection, Snapshot};
use serde_json::{Map, Value};

use super::kind::told;
use super::wire::{Metadata, OnTheWire, context, json_bytes, record};
use super::{COMPANY, Entity, Target};
use crate::bearer::Caller;
use crate::errors::ODataError;

/// Most records of one page (Microsoft Learn, finance and operations: Open Data Protocol).
const PAGE: u64 = 10_000;
/// Records that are written before others have the thread for a moment.
const AT_ONCE: usize = 256;
/// The option that shows all companies.
const CROSS_COMPANY: &str = "cross-company";
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

    pub(crate) fn shows(&self, entity: &Entity, row: &Row) -> bool {
        match (&self.company, entity.by_company() && !self.all) {
            (Some(company), true) => row.text(COMPANY).is_some_and(|own| equal_text(own, company, true)),
            _ => true,
        }
    }
}

/// Whether a query is about what the entity has. Options that are the service's own and mean nothing to it are passed over,
/// as the product does; the record says which.
pub(crate) fn check(trail: &mut Trail, entity: &Entity, options: &QueryOptions) -> Result<(), ODataError> {
    let ignored: Vec<Cow<'_, str>> = options
        .others
        .iter()
        .filter(|(name, value)| {
            let asked = name == CROSS_COMPANY
                && ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
            !asked && !name.starts_with('@')
        })
        .map(|(name, _)| told(name))
        .collect();
    if !ignored.is_empty() {
        trail.fact("ignored-options", ignored.join(", "));
    }
    let mut asked: HashSet<&str> = HashSet::new();
    for item in options.select.iter().flatten().filter(|item| item.as_str() != "*" && asked.insert(item)) {
        named(trail, entity, item.split('/'), "$select")?;
    }
    for path in options.filter.iter().flat_map(Filter::properties) {
        named(trail, entity, path.segments().iter().map(String::as_str), "$filter")?;
    }
    for item in &options.orderby {
        named(trail, entity, item.property.segments().iter().map(String::as_str), "$orderby")?;
    }
    let Some(expand) = &options.expand else { return Ok(()) };
    for item in expand.split(',') {
        let link = item.split(['(', '/']).next().unwrap_or_default().trim();
        if entity.links.contains(&link) {
            trail.not_built(format!("$expand={link}"), "one entity set at a time");
            return Err(ODataError::LinkRefused { link: link.to_owned(), option: "$expand" });
        }
    }
    let property = expand.split(['(', '/', ',']).next().unwrap_or_default().trim().to_owned();
    trail.refused(format!("'{}' in $expand", told(&property)), format!("a link of {}", entity.set));
    Err(ODataError::PropertyUnknown { property, kind: entity.kind })
}

/// Whether a path that a query names is a column of the entity.
fn named<'p>(
    trail: &mut Trail,
    entity: &Entity,
    mut path: impl Iterator<Item = &'p str>,
    option: &'static str,
) -> Result<(), ODataError> {
    let (first, more) = (path.next().unwrap_or_default(), path.next().is_some());
    if entity.column(first).is_some() && !more {
        return Ok(());
    }
    if entity.links.contains(&first) {
        trail.not_built(format!("{option} through the link {first}"), "columns of the entity itself");
        return Err(ODataError::LinkRefused { link: first.to_owned(), option });
    }
    let property = first.to_owned();
    let meant = entity.shape.columns.iter().find(|column| column.name.eq_ignore_ascii_case(first));
    let expected =
        meant.map_or_else(|| format!("a column of {}", entity.set), |column| column.name.to_owned());
    trail.refused(format!("'{}' in {option}", told(&property)), expected);
    Err(ODataError::PropertyUnknown { property, kind: entity.kind })
}

/// A query as the product runs it: without regard to case, `*` for any characters, over columns that rows may leave out.
fn query<'q>(entity: &'static Entity, options: &'q QueryOptions) -> Query<'q> {
    Query {
        page_size: Some(PAGE),
        how: Evaluation { wildcards: true, ..Evaluation::CASE_INSENSITIVE },
        defaults: Some(&entity.shape.empty),
        ..Query::new(options)
    }
}

/// `GET` of a set or a record.
pub(crate) async fn read(
    exchange: &mut Exchange,
    database: &Database,
    target: &Target,
    visible: &Visible,
    options: &QueryOptions,
    format: Option<&str>,
) -> Result<Answer, ODataError> {
    let entity = target.entity;
    let metadata = Metadata::asked(&exchange.request.headers, format);
    let snapshot = database.snapshot();
    let Some(reference) = &target.record else {
        return list(exchange, &snapshot, entity, visible, options, metadata).await;
    };
    let table = snapshot.table(entity.set).ok_or(ODataError::Internal)?;
    let row =
        table.find(reference).filter(|row| visible.shows(entity, row)).ok_or(ODataError::UnknownRecord)?;
    Ok(record(exchange, StatusCode::OK, entity, row, options, metadata))
}

/// `GET` of `/$count` of a set: how many records pass the filter, as plain text.
pub(crate) async fn count(
    exchange: &mut Exchange,
    database: &Database,
    entity: &'static Entity,
    visible: &Visible,
    options: &QueryOptions,
) -> Result<Answer, ODataError> {
    let options =
        QueryOptions { filter: options.filter.clone(), count: true, top: Some(0), ..QueryOptions::default() };
    let page = found(exchange, &database.snapshot(), entity, visible, &options).await?;
    let text = format!("{BYTE_ORDER_MARK}{}", page.count.unwrap_or_default());
    let answer = Answer::typed(StatusCode::OK, Content::Text(text.into(), "text/plain"));
    Ok(answer.with("odata-version", "4.0"))
}

async fn found(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    entity: &'static Entity,
    visible: &Visible,
    options: &QueryOptions,
) -> Result<mocktenant_tables::Page, ODataError> {
    let among = visible.clone();
    let query = query(entity, options);
    let visible = Box::new(move |row: &Row| among.shows(entity, row));
    let page = exchange.context.query(snapshot, entity.set, query, visible).await;
    page.map_err(|took_too_long| {
        exchange.trail.fact("given-up", took_too_long.to_string());
        ODataError::QueryTimeout
    })
}

/// The records of a set, one page of them: at most [`PAGE`], fewer where they are large.
async fn list(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    entity: &'static Entity,
    visible: &Visible,
    options: &QueryOptions,
    metadata: Metadata,
) -> Result<Answer, ODataError> {
    let page = found(exchange, snapshot, entity, visible, options).await?;
    let select = options.select.as_deref();
    let mut head = Map::new();
    if metadata != Metadata::None {
        head.insert("@odata.context".into(), Value::from(context(exchange, entity, select, false)));
    }
    if let Some(count) = page.count {
        head.insert("@odata.count".into(), Value::from(count));
    }
    let mut listing = Listing::new(&head, "value");
    let (selection, base) = (Selection::of(select), crate::side::base_url(exchange));
    for rows in page.rows.chunks(AT_ONCE) {
        let element =
            |row| OnTheWire { entity, row, selection: &selection, metadata, base: &base, context: None };
        if !rows.iter().all(|row| listing.push(&element(row))) {
            break;
        }
        exchange.context.breathe().await;
    }
    let (given, mut tail) = (listing.count(), Map::new());
    if page.more || given < page.rows.len() as u64 {
        tail.insert("@odata.nextLink".into(), Value::from(next_link(exchange, entity, options, given)));
    }
    Ok(json_bytes(StatusCode::OK, listing.finish(&tail), metadata))
}

/// The same query after this page, which gave so many records.
fn next_link(exchange: &Exchange, entity: &Entity, options: &QueryOptions, given: u64) -> String {
    let replaced = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !matches!(name, "$skip" | "%24skip" | "$top" | "%24top" | "")
    };
    let mut pairs: Vec<String> =
        exchange.request.query().split('&').filter(replaced).map(str::to_owned).collect();
    if let Some(top) = options.top {
        pairs.push(format!("$top={}", top.saturating_sub(given)));
    }
    pairs.push(format!("$skip={}", options.skip.unwrap_or(0).saturating_add(given)));
    format!("{}/data/{}?{}", crate::side::base_url(exchange), entity.set, pairs.join("&"))
}
