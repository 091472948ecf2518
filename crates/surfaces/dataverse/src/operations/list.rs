//! `GET /accounts`: the rows that pass a filter.
//!
//! Decides which query options there are (`$select $filter $orderby $top $count`, `$skiptoken` from our own next link),
//! that they name columns of the table, and that a filter compares values of one type. `$skip` is refused as Dataverse
//! refuses it; navigation paths are not built and are refused too. Pages have at most 5,000 rows, fewer if
//! `odata.maxpagesize` asks and `$top` does not, and fewer where they are large.

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Listing};
use mocktenant_odata::{Comparison, Filter, Literal, Operand, PropertyPath, QueryOptions};
use mocktenant_tables::{Page, Query, Row};
use mocktenant_world::Depth;
use serde_json::{Map, json};

use super::expand;
use super::refused::unreadable;
use super::{Call, Target};
use crate::errors::{DataverseError, cut, excerpt};
use crate::not_built;
use crate::payload::comparable;
use crate::principal::Operation;
use crate::representation::json_bytes;
use crate::schema::{Column, Kind, Table};

/// Rows of a page.
const PAGE: u64 = 5_000;

/// Rows that are written before others have the thread for a moment.
const AT_ONCE: usize = 256;

/// Most rows `@odata.count` counts.
const COUNT_LIMIT: u64 = 5_000;

/// The version of all definitions, which never change here: the number is the lab's own, its form the product's.
const METADATA_VERSION: &str = "1000000";

/// The request's query options, and how many rows earlier pages had.
pub(super) fn options(call: &mut Call<'_>) -> Result<(QueryOptions, u64), DataverseError> {
    let query = call.exchange.request.query();
    let (tokens, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| is_skip_token(pair));
    let page = match tokens.as_slice() {
        [] => 0,
        [token] => {
            let offset = token.split_once('=').and_then(|(_, offset)| offset.parse().ok());
            offset.ok_or(DataverseError::QuerySyntax)?
        }
        _ => return Err(DataverseError::QuerySyntax),
    };
    let options = QueryOptions::parse(&others.join("&")).map_err(|error| {
        let refusal = unreadable(&error);
        if refusal == DataverseError::InvalidQueryOption {
            call.exchange.trail.not_built(error.to_string(), not_built::OPTIONS_HERE);
        }
        refusal
    })?;
    if let Some((name, _)) = options.others.iter().find(|(name, _)| not_built::option(name)) {
        call.exchange.trail.not_built(format!("the query option {name}"), not_built::OPTIONS_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    if options.skip.is_some() {
        return Err(DataverseError::SkipNotSupported);
    }
    Ok((options, page))
}

fn is_skip_token(pair: &str) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name);
    name == "$skiptoken" || name.eq_ignore_ascii_case("%24skiptoken")
}

pub(super) async fn answer(call: &mut Call<'_>, target: &Target) -> Result<Answer, DataverseError> {
    let table = target.table;
    check(call, target)?;
    let depth = call.authorize(table, Operation::Read)?;

    let expand = expand::of(call, table, &target.options)?;
    let preferred = call.preferences.max_page_size.filter(|_| target.options.top.is_none());
    let page_size = Some(preferred.unwrap_or(PAGE).min(PAGE));
    let query = Query { page_size, skip: target.page, ..Query::new(&target.options) };
    let page = pages(call, target, depth, query).await?;
    let reader = call.reader(&target.database);

    let mut head = Map::new();
    head.insert("@odata.context".to_owned(), json!(call.shape(&target.options, &expand).context(table)));
    if let Some(count) = page.count {
        head.insert("@odata.count".to_owned(), json!(count.min(COUNT_LIMIT)));
    }
    let total = page.count.map_or(json!(-1), |count| json!(count.min(COUNT_LIMIT)));
    let exceeded = page.count.is_some_and(|count| count > COUNT_LIMIT);
    for (name, value) in [
        ("Microsoft.Dynamics.CRM.totalrecordcount", total),
        ("Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded", json!(exceeded)),
        ("Microsoft.Dynamics.CRM.globalmetadataversion", json!(METADATA_VERSION)),
    ] {
        if call.preferences.wants_annotation(name) {
            head.insert(format!("@{name}"), value);
        }
    }
    let mut listing = Listing::new(&head, "value");
    for rows in page.rows.chunks(AT_ONCE) {
        let shape = call.shape(&target.options, &expand);
        if !rows.iter().all(|row| listing.push(&shape.members(&reader, table, row))) {
            break;
        }
        call.exchange.context.breathe().await;
    }
    let (given, mut tail) = (listing.count(), Map::new());
    if page.more || given < page.rows.len() as u64 {
        tail.insert("@odata.nextLink".to_owned(), json!(next_link(call, table, target, given)));
    }
    Ok(call.applied(json_bytes(StatusCode::OK, listing.finish(&tail)), preferred))
}

/// `GET /accounts/$count`: how many rows pass the filter, as text with a byte order mark.
pub(super) async fn count(call: &mut Call<'_>, target: &Target) -> Result<Answer, DataverseError> {
    let table = target.table;
    check(call, target)?;
    let depth = call.authorize(table, Operation::Read)?;
    let query = Query { order: &[], top: Some(0), count: true, ..Query::new(&target.options) };
    let found = pages(call, target, depth, query).await?;
    let count = found.count.unwrap_or_default().min(COUNT_LIMIT);
    let text = format!("\u{feff}{count}");
    Ok(Answer::typed(StatusCode::OK, Content::Text(text.into(), "text/plain")))
}

/// Whether the options name what there is, and compare what compares.
fn check(call: &mut Call<'_>, target: &Target) -> Result<(), DataverseError> {
    let table = target.table;
    check_select(table, &target.options)?;
    let filtered = target.options.filter.iter().flat_map(Filter::properties);
    let mut paths = filtered.chain(target.options.orderby.iter().map(|item| &item.property));
    if let Some(path) = paths.find(|path| leads_away(table, path)) {
        let path = excerpt(&path.segments().join("/"));
        call.exchange
            .trail
            .not_built(format!("the path {path} in a query option"), "columns of the table itself");
        return Err(DataverseError::InvalidQueryOption);
    }
    for item in &target.options.orderby {
        ordered(table, &item.property)?;
    }
    if let Some(filter) = &target.options.filter {
        check_filter(table, filter)?;
    }
    Ok(())
}

/// The rows a query finds among those in the caller's reach.
async fn pages(
    call: &mut Call<'_>,
    target: &Target,
    depth: Depth,
    query: Query<'_>,
) -> Result<Page, DataverseError> {
    let table = target.table;
    let snapshot = call.reader(&target.database).snapshot(table).clone();
    // another user's rows are as if they were not there
    let principal = call.principal.clone();
    let seen =
        Box::new(move |row: &Row| depth > Depth::Basic || principal.reaches(table, depth, &row.columns));
    let page = call.exchange.context.query(&snapshot, table.set, query, seen).await;
    page.map_err(|took_too_long| {
        call.exchange.trail.fact("given-up", took_too_long.to_string());
        DataverseError::SqlTimeoutError
    })
}

/// The address of the next page: this one's, with the number of rows already given and `$top` lessened by those of this
/// page, `delivered`. Real links carry a paging cookie there; what it holds is the server's own affair.
fn next_link(call: &Call<'_>, table: &Table, target: &Target, delivered: u64) -> String {
    let query = call.exchange.request.query();
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_skip_token(pair) && !is_top(pair))
        .map(str::to_owned)
        .collect();
    if let Some(top) = target.options.top {
        pairs.push(format!("$top={}", top.saturating_sub(delivered)));
    }
    pairs.push(format!("$skiptoken={}", target.page.saturating_add(delivered)));
    format!("{}/{}?{}", call.root, table.set, pairs.join("&"))
}

/// Whether a pair is `$top` however its name is encoded.
fn is_top(pair: &str) -> bool {
    QueryOptions::parse(pair).is_ok_and(|options| options.top.is_some())
}

/// Whether `$select` names columns of the table.
pub(super) fn check_select(table: &'static Table, options: &QueryOptions) -> Result<(), DataverseError> {
    for name in options.select.iter().flatten().filter(|name| *name != "*") {
        if table.column(name).is_none() {
            return Err(unknown(table, name));
        }
    }
    Ok(())
}

fn unknown(table: &'static Table, name: &str) -> DataverseError {
    DataverseError::PropertyNotFound { property: cut(name), entity: table.logical }
}

/// The column of a path that a row can be judged by.
/// Whether a path leads through a related row.
fn leads_away(table: &'static Table, path: &PropertyPath) -> bool {
    path.segments().len() > 1
        && path.segments().first().is_some_and(|first| table.navigation(first).is_some())
}

fn ordered(table: &'static Table, path: &PropertyPath) -> Result<&'static Column, DataverseError> {
    let column = table.column(path.column()).ok_or_else(|| unknown(table, path.column()))?;
    // paths lead through related rows, and versions are no column of the stored row: neither is built
    if path.segments().len() > 1 || column.kind == Kind::Version {
        return Err(DataverseError::InvalidQueryOption);
    }
    Ok(column)
}

fn check_filter(table: &'static Table, filter: &Filter) -> Result<(), DataverseError> {
    match filter {
        Filter::Compare { left, op, right } => check_comparison(table, left, *op, right),
        Filter::Truth(Operand::Property(path)) => {
            let column = ordered(table, path)?;
            if column.kind == Kind::Flag { Ok(()) } else { Err(DataverseError::QuerySyntax) }
        }
        Filter::Truth(Operand::Literal(Literal::Bool(_))) => Ok(()),
        Filter::Text { function, whole, part } => {
            let text = |operand: &Operand| match operand {
                Operand::Property(path) => {
                    ordered(table, path).map(|column| matches!(column.kind, Kind::Text(_)))
                }
                Operand::Literal(literal) => Ok(matches!(literal, Literal::String(_) | Literal::Null)),
                _ => Ok(false),
            };
            if text(whole)? && text(part)? {
                return Ok(());
            }
            Err(DataverseError::NoFunctionSignature { name: function.as_str() })
        }
        Filter::And(parts) | Filter::Or(parts) => parts.iter().try_for_each(|part| check_filter(table, part)),
        Filter::Not(inner) => check_filter(table, inner),
        _ => Err(DataverseError::QuerySyntax),
    }
}

fn check_comparison(
    table: &'static Table,
    left: &Operand,
    op: Comparison,
    right: &Operand,
) -> Result<(), DataverseError> {
    let kind = |operand: &Operand| match operand {
        Operand::Property(path) => ordered(table, path).map(|column| Some(column.kind)),
        _ => Ok(None),
    };
    let compatible = match (kind(left)?, left, kind(right)?, right) {
        (Some(kind), _, None, Operand::Literal(literal))
        | (None, Operand::Literal(literal), Some(kind), _) => comparable(kind, literal),
        (Some(left), _, Some(right), _) => left.edm() == right.edm(),
        _ => true,
    };
    if compatible {
        return Ok(());
    }
    let name = |operand: &Operand| match operand {
        Operand::Property(path) => {
            table.column(path.column()).map_or("Edm.Untyped", |column| column.kind.edm())
        }
        Operand::Literal(literal) => edm_of(literal),
        _ => "Edm.Untyped",
    };
    Err(DataverseError::IncompatibleOperands { left: name(left), right: name(right), operator: operator(op) })
}

fn edm_of(literal: &Literal) -> &'static str {
    match literal {
        Literal::Null => "Edm.Untyped",
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Integer(value) if i32::try_from(*value).is_ok() => "Edm.Int32",
        Literal::Integer(_) => "Edm.Int64",
        Literal::Decimal(_) => "Edm.Double",
        Literal::String(_) => "Edm.String",
        Literal::Guid(_) => "Edm.Guid",
        Literal::DateTime(_) => "Edm.DateTimeOffset",
        Literal::Enum { .. } => "Edm.EnumType",
    }
}

fn operator(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "Equal",
        Comparison::NotEqual => "NotEqual",
        Comparison::Greater => "GreaterThan",
        Comparison::GreaterOrEqual => "GreaterThanOrEqual",
        Comparison::Less => "LessThan",
        Comparison::LessOrEqual => "LessThanOrEqual",
    }
}
