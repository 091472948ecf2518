//! Paging cookies: where a page ended, for the address of the next.
//!
//! Decides their form, and that one which was not written for this query is refused. Mirrors captured links: a `<cookie>` with the
//! page's number, in it, escaped, another with the first and the last value of each column of the order and of the key. Only the
//! last ones are read: a page goes on behind that row, whether it is still there or not.

use std::fmt::Write as _;

use mocktenant_odata::percent_encode;
use mocktenant_query::Order;
use mocktenant_schema::{Cell, Column, Table, value};
use mocktenant_tables::{After, Row};
use serde_json::Value;

use super::list::behind;
use crate::errors::{DataverseError, OptionDefect};
use crate::representation::told;

/// The longest cookie that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// A cookie that was read.
pub(super) struct Cookie {
    /// The number of the page it leads to.
    pub(super) page: u64,
    pub(super) after: After,
}

impl Cookie {
    /// Writes one for the page of this number, behind a page with these first and last rows; ready for an address.
    pub(super) fn write(
        table: Table<'_>,
        order: &[Order],
        page: u64,
        first: &(Vec<Cell>, Cell),
        last: &(Vec<Cell>, Cell),
    ) -> String {
        let inner = Self::inner(table, order, page.saturating_sub(1), first, last);
        let escaped = lower(&percent_encode(&inner, ""));
        let cookie =
            format!("<cookie pagenumber=\"{page}\" pagingcookie=\"{escaped}\" istracking=\"False\" />");
        percent_encode(&cookie, "=/")
    }

    /// Writes one for the annotation of FetchXML's answers, of the page of this number: what is in it stands there doubly escaped.
    /// As captured, the number outside is always 2.
    pub(super) fn annotation(
        table: Table<'_>,
        order: &[Order],
        page: u64,
        first: &(Vec<Cell>, Cell),
        last: &(Vec<Cell>, Cell),
    ) -> String {
        let once = lower(&percent_encode(&Self::inner(table, order, page, first, last), ""));
        let twice = percent_encode(&once, "");
        format!("<cookie pagenumber=\"2\" pagingcookie=\"{twice}\" istracking=\"False\" />")
    }

    fn inner(
        table: Table<'_>,
        order: &[Order],
        page: u64,
        first: &(Vec<Cell>, Cell),
        last: &(Vec<Cell>, Cell),
    ) -> String {
        let mut inner = format!("<cookie page=\"{page}\">");
        for (index, item) in order.iter().enumerate() {
            let name = name_of(table, item);
            let value = |row: &(Vec<Cell>, Cell)| row.0.get(index).cloned().unwrap_or_default();
            element(&mut inner, &name, &value(last), &value(first));
        }
        let id = table.id().map_or("", Column::name);
        // Writing to a String cannot fail.
        let _ = write!(inner, "<{id} last=\"{{{}}}\" first=\"{{{}}}\" />", upper(&last.1), upper(&first.1));
        inner.push_str("</cookie>");
        inner
    }

    /// Reads one that was written for a query of this table and order, percent-decoded once.
    pub(super) fn read(table: Table<'_>, order: &[Order], text: &str) -> Result<Self, DataverseError> {
        let read = || {
            if text.len() > LONGEST {
                return None;
            }
            let page = attribute(text, "pagenumber")?.parse().ok().filter(|page| *page > 1)?;
            let escaped = attribute(text, "pagingcookie")?;
            let (_, after) = Self::position(table, order, &decoded(escaped)?)?;
            Some(Self { page, after })
        };
        read().ok_or_else(malformed)
    }

    /// Reads what stands inside one, as `paging-cookie` of FetchXML has it: the page is then the one that ended there.
    pub(super) fn read_inner(table: Table<'_>, order: &[Order], text: &str) -> Result<Self, DataverseError> {
        let found = Self::position(table, order, text).filter(|_| text.len() <= LONGEST);
        found.map(|(page, after)| Self { page, after }).ok_or_else(malformed)
    }

    /// The page, and the row it ended with.
    fn position(table: Table<'_>, order: &[Order], inner: &str) -> Option<(u64, After)> {
        let (page, rest) = inner.strip_prefix("<cookie page=\"")?.split_once("\">")?;
        let page = page.parse().ok().filter(|page| *page > 0)?;
        let mut rest = rest.strip_suffix("</cookie>")?;
        let mut values = Vec::with_capacity(order.len());
        for item in order {
            let column = item.by.hops.is_empty().then(|| table.at(item.by.column)).flatten();
            let (last, more) = taken(rest, &name_of(table, item))?;
            values.push(match (last, column) {
                (None, _) => Cell::Null,
                (Some(text), Some(column)) => cell(column, &text)?,
                (Some(text), None) => Cell::text(text),
            });
            rest = more;
        }
        let id = table.id()?;
        let (last, more) = taken(rest, id.name())?;
        let last = last?;
        let id = cell(id, last.strip_prefix('{')?.strip_suffix('}')?)?;
        more.is_empty().then(|| (page, behind(values, &id)))
    }
}

/// The cookie of the page behind these rows of a table in no order, ready for an address.
pub(crate) fn next_page(table: Table<'_>, first: &Row, last: &Row) -> String {
    let id = |row: &Row| table.id().map_or(Cell::Null, |column| row.value(column).to_cell());
    Cookie::write(table, &[], 2, &(Vec::new(), id(first)), &(Vec::new(), id(last)))
}

fn malformed() -> DataverseError {
    OptionDefect::Cookie.into()
}

fn name_of(table: Table<'_>, item: &Order) -> String {
    if item.by.hops.is_empty() {
        table.at(item.by.column).map_or("", Column::name).to_owned()
    } else {
        format!("link{}", item.by.column)
    }
}

fn upper(id: &Cell) -> String {
    told(id).to_uppercase()
}

/// `<name last="x" first="y" />`; a null has `lastnull`.
fn element(inner: &mut String, name: &str, last: &Cell, first: &Cell) {
    let one = |which: &str, cell: &Cell| match cell {
        Cell::Null => format!("{which}null=\"1\""),
        cell => format!("{which}=\"{}\"", escaped(&told(cell))),
    };
    // Writing to a String cannot fail.
    let _ = write!(inner, "<{name} {} {} />", one("last", last), one("first", first));
}

/// Percent signs with their digits in lower case, as .NET's older encoder writes them.
fn lower(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&digits.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

/// An attribute's value, as it stands there.
fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The `last` of the next element, which has this name, and what follows it.
fn taken<'t>(text: &'t str, name: &str) -> Option<(Option<String>, &'t str)> {
    let rest = text.strip_prefix('<')?.strip_prefix(name)?;
    let (attributes, more) = rest.split_once("/>")?;
    if attribute(attributes, "lastnull").is_some() {
        return Some((None, more));
    }
    Some((Some(unescaped(attribute(attributes, "last")?)), more))
}

fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let digits = text.get(at + 1..at + 3)?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

/// A value as a column keeps it.
fn cell(column: Column<'_>, text: &str) -> Option<Cell> {
    let as_text = value::read(column, &Value::from(text));
    let found = as_text.or_else(|_| {
        let number = serde_json::from_str::<Value>(text).unwrap_or_default();
        value::read(column, &number)
    });
    found.ok().filter(|cell| !cell.is_null())
}

#[cfg(test)]
mod tests {
    use mocktenant_query::Path;

    use super::*;

    #[test]
    fn a_cookie_leads_behind_the_row_it_was_written_for() {
        let schema = crate::tables::built_in();
        let table = schema.table("account").unwrap();
        let by =
            |name: &str| Order { by: Path::own(table.column(name).unwrap().ordinal()), descending: false };
        let order = [by("name"), by("revenue"), by("telephone1")];
        let id = crate::store::id("00000000-0000-0000-00aa-000010001002");
        let money = Cell::Decimal(mocktenant_schema::Decimal::parse("12.5").unwrap());
        let row = (vec![Cell::text("<A & \"B\"> ü"), money, Cell::Null], id.clone());
        let written = Cookie::write(table, &order, 2, &row, &row);
        assert!(
            written.starts_with("%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page"),
            "{written}"
        );
        let text = decoded(&written).unwrap();
        let read = Cookie::read(table, &order, &text).ok().unwrap();
        assert_eq!(read.page, 2);
        assert_eq!(read.after, behind(row.0.clone(), &id));
        for (forged, order) in [
            (text.as_str(), &order[..1]),
            ("", &order[..]),
            ("<cookie>", &order[..]),
            (&text.replace("pagenumber=\"2\"", "pagenumber=\"x\""), &order[..]),
            (&text.replace("1002", "zzzz"), &order[..]),
            (&"x".repeat(LONGEST + 1), &order[..]),
        ] {
            assert!(Cookie::read(table, order, forged).is_err(), "{forged:.200}");
        }
    }
}
