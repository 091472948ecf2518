//! Which methods a path takes: the `Allow` field of a 405.
//!
//! Decides by what the path leads to: a table, a row, a column, links. That the field names them is observed; which of them it names
//! for each kind of path is inferred from what the Web API documents. Never decides whether a method is answered.

use mocktenant_lab::Exchange;
use mocktenant_odata::ResourceSegment;

use super::{csdl, definitions, functions};
use crate::tables::{self, DIALECT};

const READ: &str = "GET";
const COLUMN: &str = "GET, PUT, DELETE";
const LINKS: &str = "GET, POST";
const ROW: &str = "GET, PATCH, DELETE";

/// What the path of a request takes, if it leads anywhere.
pub(crate) fn allowed(exchange: &Exchange) -> Option<&'static str> {
    let path = exchange.request.path();
    let mut segments = path.trim_matches('/').split('/').skip(3);
    let Some(first) = segments.next() else { return Some(READ) };
    if first.eq_ignore_ascii_case("$batch") || first.eq_ignore_ascii_case("%24batch") {
        return Some("POST");
    }
    if csdl::is_name(first) || definitions::begin(first) {
        return Some(READ);
    }
    let segment = ResourceSegment::parse(first).ok()?;
    if functions::is_function(&segment) {
        return Some(READ);
    }
    let rows = exchange.context.rows().ok()?.snapshot();
    let table = rows.schema().by_set(&segment.name)?;
    let has_key = first.contains('(');
    let Some(below) = segments.next() else {
        return Some(match (has_key, tables::is_stored(table)) {
            (_, false) => READ,
            (true, true) => ROW,
            (false, true) => LINKS,
        });
    };
    let name = ResourceSegment::parse(below).ok()?;
    let (column, step) = (DIALECT.column(table, &name.name), table.navigation(&name.name));
    Some(match (step, segments.next()) {
        (Some(_), Some("$ref" | "%24ref")) if below.contains('(') => "DELETE",
        (Some(step), Some("$ref" | "%24ref")) if step.is_many() => "GET, POST, DELETE",
        (Some(_), Some("$ref" | "%24ref")) => COLUMN,
        _ if column.is_some() => COLUMN,
        _ => READ,
    })
}
