//! A row: its columns, its version, its number.
//!
//! Decides nothing about columns. Mirrors SQL Server's `rowversion` (one counter per database, moved by every change)
//! and the record numbers of Finance and Operations (one sequence per table).

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use serde_json::{Map, Value};

/// A row's columns by name, in the order they were written.
pub type Columns = Map<String, Value>;

/// Where the record numbers of a table begin. [inferred: the decoded entity tags of a Finance and Operations sample
/// hold numbers that begin with 5637144]
pub const FIRST_RECID: i64 = 5_637_144_576;

/// A committed row. Cheap to clone; never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The columns.
    pub columns: Arc<Columns>,
    /// Grows with every change anywhere in the database, so no two states of rows share one. Never 0.
    pub version: u64,
    /// The row's number within its table, from [`FIRST_RECID`], kept by updates; insertion order follows it.
    pub recid: i64,
}

impl Row {
    /// The weak entity tag of the row's version, `W/"123"`.
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// The version in an entity tag as [`Row::etag`] writes it, also without `W/`; `None` for any other text.
    pub fn version_of_etag(etag: &str) -> Option<u64> {
        let etag = etag.trim();
        let digits = etag.strip_prefix("W/").unwrap_or(etag).strip_prefix('"')?.strip_suffix('"')?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    }

    /// One column; `None` if absent.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.columns.get(column)
    }

    /// A column's text; `None` if absent or no text.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.get(column).and_then(Value::as_str)
    }

    /// The columns that `$select` names, in the row's order; all of them for `None` or `*`. A path selects its first
    /// name; a name the row lacks is left out.
    pub fn project(&self, select: Option<&[String]>) -> Columns {
        self.selected(&Selection::of(select))
    }

    /// The same for a selection that is asked of many rows.
    pub fn selected(&self, selection: &Selection<'_>) -> Columns {
        let Some(names) = &selection.0 else { return Columns::clone(&self.columns) };
        self.columns
            .iter()
            .filter(|(column, _)| names.contains(column.as_str()))
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect()
    }
}

/// The columns `$select` names, ready to be asked of many rows: however often it names one, a row is asked once.
#[derive(Debug, Clone)]
pub struct Selection<'s>(Option<HashSet<&'s str>>);

impl<'s> Selection<'s> {
    /// What `$select` says; everything for `None` or `*`.
    pub fn of(select: Option<&'s [String]>) -> Self {
        let names = select.filter(|names| !names.iter().any(|name| name == "*"));
        Self(names.map(|names| names.iter().filter_map(|name| name.split('/').next()).collect()))
    }

    /// Whether a column is among them.
    pub fn has(&self, column: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(column))
    }
}

/// Whether the columns take at most `limit` bytes as JSON; writes nothing anywhere.
pub(crate) fn fits(columns: &Columns, limit: usize) -> bool {
    struct Budget(usize);
    impl io::Write for Budget {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Budget(limit), columns).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entity_tag_reads_back_and_nothing_else_does() {
        let row = Row { columns: Arc::default(), version: 42, recid: FIRST_RECID };
        assert_eq!(row.etag(), "W/\"42\"");
        assert_eq!(Row::version_of_etag(&row.etag()), Some(42));
        assert_eq!(Row::version_of_etag("\"42\""), Some(42));
        for text in ["", "*", "W/42", "W/\"\"", "W/\"+4\"", "W/\"99999999999999999999\""] {
            assert_eq!(Row::version_of_etag(text), None, "{text}");
        }
    }

    #[test]
    fn a_selection_keeps_the_order_of_the_row() {
        let columns = json!({"b": 1, "a": 2, "c": {"d": 3}}).as_object().cloned().unwrap();
        let row = Row { columns: Arc::new(columns), version: 1, recid: FIRST_RECID };
        let select = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Value::Object(row.project(Some(&names))).to_string()
        };
        assert_eq!(select(&["c/d", "b", "missing"]), r#"{"b":1,"c":{"d":3}}"#);
        assert_eq!(select(&["*"]), r#"{"b":1,"a":2,"c":{"d":3}}"#);
        assert_eq!(row.project(None).len(), 3);
    }

    #[test]
    fn size_is_counted_as_json() {
        let columns = json!({"a": "xy"}).as_object().cloned().unwrap();
        assert!(fits(&columns, 10));
        assert!(!fits(&columns, 9));
    }
}
