//! The query string of a resource request: system query options, aliases, custom options.
//!
//! Decides what the options say (URL conventions 5); which of them a resource honours is the surface's. Names and
//! values are percent-decoded once. `+` in a value is read as a space, as form-encoding clients write it; a client that
//! means a plus sign (`2026-11-22T00:00:00+01:00`) has to send `%2B`.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::compare::{Evaluation, compare_values};
use crate::cursor::Cursor;
use crate::error::{QueryError, QueryErrorKind, SyntaxError, SyntaxErrorKind, excerpt};
use crate::filter::{Filter, PropertyPath};
use crate::percent;
use crate::{MAX_OPTIONS, MAX_ORDER, MAX_QUERY, MAX_TEXT};

/// One item of `$orderby`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// What to sort by.
    pub property: PropertyPath,
    /// `desc`; ascending otherwise.
    pub descending: bool,
}

impl OrderBy {
    /// The order of two rows by this item alone; a missing property sorts as null, first when ascending.
    pub fn compare(
        &self,
        left: &Map<String, Value>,
        right: &Map<String, Value>,
        how: Evaluation,
    ) -> Ordering {
        self.compare_with(left, right, None, how)
    }

    /// The order of two rows by several items, the most significant first. What rows hold in columns they leave out is in
    /// `defaults`.
    pub fn compare_all(
        items: &[Self],
        left: &Map<String, Value>,
        right: &Map<String, Value>,
        (defaults, how): (Option<&Map<String, Value>>, Evaluation),
    ) -> Ordering {
        items
            .iter()
            .map(|item| item.compare_with(left, right, defaults, how))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The same of rows that leave out columns: what they hold is in `defaults`.
    fn compare_with<'r>(
        &self,
        left: &'r Map<String, Value>,
        right: &'r Map<String, Value>,
        defaults: Option<&'r Map<String, Value>>,
        how: Evaluation,
    ) -> Ordering {
        let value = |row: &'r _| self.property.value_or(row, defaults).unwrap_or(&Value::Null);
        let ascending = compare_values(value(left), value(right), how);
        if self.descending { ascending.reverse() } else { ascending }
    }
}

/// What a query string asks for. The default asks for nothing in particular.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryOptions {
    /// `$select`: property paths, qualified wildcards, or `*`, as written; `None` if the option is absent.
    pub select: Option<Vec<String>>,
    /// `$filter`
    pub filter: Option<Filter>,
    /// `$top`
    pub top: Option<u64>,
    /// `$skip`
    pub skip: Option<u64>,
    /// `$orderby`, most significant first; empty if absent.
    pub orderby: Vec<OrderBy>,
    /// `$count=true`
    pub count: bool,
    /// `$expand`, decoded and otherwise unread.
    pub expand: Option<String>,
    /// Everything whose name does not begin with `$`, decoded, in order: `cross-company`, and aliases such as `@p1`.
    pub others: Vec<(String, String)>,
}

impl QueryOptions {
    /// Reads a raw query string (without its `?`) of at most [`MAX_QUERY`] bytes.
    ///
    /// An option may be spelled with an encoded dollar sign (`%24filter`). Unknown and repeated `$` options are errors,
    /// custom options may repeat.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        if raw.len() > MAX_QUERY {
            let kind = SyntaxErrorKind::TooLong { limit: MAX_QUERY };
            return Err(QueryError { option: String::new(), offset: MAX_QUERY, kind: kind.into() });
        }
        let mut options = Self::default();
        let mut seen: Vec<&'static str> = Vec::new();
        let mut start = 0;
        for (index, pair) in raw.split('&').enumerate() {
            if index >= MAX_OPTIONS {
                let kind = QueryErrorKind::TooMany { limit: MAX_OPTIONS };
                return Err(QueryError { option: String::new(), offset: start, kind });
            }
            if !pair.is_empty() {
                options.read_pair(pair, start, &mut seen)?;
            }
            start += pair.len() + 1;
        }
        Ok(options)
    }

    /// The first custom option of that name, exactly spelled.
    pub fn other(&self, name: &str) -> Option<&str> {
        self.others.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter alias, named with its `@`.
    pub fn alias(&self, name: &str) -> Option<&str> {
        if name.starts_with('@') { self.other(name) } else { None }
    }

    /// The order of two rows by `$orderby`.
    pub fn compare(
        &self,
        left: &Map<String, Value>,
        right: &Map<String, Value>,
        how: Evaluation,
    ) -> Ordering {
        self.compare_with(left, right, None, how)
    }

    /// The same of rows that leave out columns: what they hold is in `defaults`.
    pub fn compare_with(
        &self,
        left: &Map<String, Value>,
        right: &Map<String, Value>,
        defaults: Option<&Map<String, Value>>,
        how: Evaluation,
    ) -> Ordering {
        OrderBy::compare_all(&self.orderby, left, right, (defaults, how))
    }

    fn read_pair(
        &mut self,
        pair: &str,
        start: usize,
        seen: &mut Vec<&'static str>,
    ) -> Result<(), QueryError> {
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent::decode(raw_name, false).map_err(|error| QueryError {
            option: String::new(),
            offset: start + error.offset,
            kind: error.kind.into(),
        })?;
        let fail = |offset: usize, kind: QueryErrorKind| QueryError { option: excerpt(&name), offset, kind };
        let value_start = start + (pair.len() - raw_value.len());
        let value = percent::decode(raw_value, true)
            .map_err(|error| fail(value_start + error.offset, error.kind.into()))?;
        // an offset in the decoded value leads back to the raw query string
        let raw = |offset| value_start + percent::raw_offset(raw_value, offset);
        self.set(&name, &value, (start, value_start, &raw), seen)
    }

    /// The options in the parentheses of an item of `$expand`, decoded already. Offsets are not kept.
    pub(crate) fn nested(pairs: &[&str]) -> Result<Self, QueryError> {
        let mut options = Self::default();
        let mut seen: Vec<&'static str> = Vec::new();
        for pair in pairs.iter().map(|pair| pair.trim()).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            options.set(name.trim(), value, (0, 0, &|_| 0), &mut seen)?;
        }
        Ok(options)
    }

    /// Takes one option, decoded. `start` and `value_start` are its places in the raw query string, and `raw` says where an
    /// offset in its value is.
    fn set(
        &mut self,
        name: &str,
        value: &str,
        (start, value_start, raw): (usize, usize, &dyn Fn(usize) -> usize),
        seen: &mut Vec<&'static str>,
    ) -> Result<(), QueryError> {
        let fail = |offset: usize, kind: QueryErrorKind| QueryError { option: excerpt(name), offset, kind };
        let in_value = |error: SyntaxError| fail(raw(error.offset), error.kind.into());
        if !name.starts_with('$') {
            if name.starts_with('@') && self.alias(name).is_some() {
                return Err(fail(start, QueryErrorKind::Repeated));
            }
            self.others.push((name.to_owned(), value.to_owned()));
            return Ok(());
        }
        let Some(known) = KNOWN.into_iter().find(|known| *known == name) else {
            return Err(fail(start, QueryErrorKind::Unknown));
        };
        if seen.contains(&known) {
            return Err(fail(start, QueryErrorKind::Repeated));
        }
        seen.push(known);
        if value.len() > MAX_TEXT {
            return Err(in_value(SyntaxError::new(MAX_TEXT, SyntaxErrorKind::TooLong { limit: MAX_TEXT })));
        }
        let invalid = |expected| fail(value_start, QueryErrorKind::InvalidValue { expected });
        match known {
            "$select" => self.select = Some(select(value).map_err(in_value)?),
            "$filter" => self.filter = Some(Filter::parse(value).map_err(in_value)?),
            "$orderby" => self.orderby = orderby(value).map_err(in_value)?,
            "$top" => self.top = Some(whole(value).ok_or_else(|| invalid("a whole number"))?),
            "$skip" => self.skip = Some(whole(value).ok_or_else(|| invalid("a whole number"))?),
            "$count" => {
                self.count = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(invalid("true or false")),
                }
            }
            _ => self.expand = Some(value.to_owned()),
        }
        Ok(())
    }
}

const KNOWN: [&str; 7] = ["$select", "$filter", "$orderby", "$top", "$skip", "$count", "$expand"];

/// Digits only: a sign or a space is no whole number (ABNF `1*DIGIT`).
fn whole(value: &str) -> Option<u64> {
    if value.bytes().all(|byte| byte.is_ascii_digit()) { value.parse().ok() } else { None }
}

fn select(value: &str) -> Result<Vec<String>, SyntaxError> {
    // samples end it with a comma, and the products' reader passes over that one
    let value =
        value.trim_end().strip_suffix(',').filter(|rest| !rest.trim_end().ends_with(',')).unwrap_or(value);
    let mut cursor = Cursor::new(value)?;
    list(&mut cursor, |cursor| {
        if cursor.accept('*') {
            return Ok("*".to_owned());
        }
        let mut item = String::new();
        loop {
            let name = cursor.qualified_name().ok_or_else(|| cursor.unexpected("a property"))?;
            item.push_str(name);
            if cursor.rest().starts_with(".*") {
                cursor.advance(".*");
                item.push_str(".*");
                return Ok(item);
            }
            if !cursor.accept('/') {
                return Ok(item);
            }
            item.push('/');
        }
    })
}

fn orderby(value: &str) -> Result<Vec<OrderBy>, SyntaxError> {
    let mut cursor = Cursor::new(value)?;
    list(&mut cursor, |cursor| {
        let mut segments = Vec::new();
        loop {
            let name = cursor.identifier().ok_or_else(|| cursor.unexpected("a property"))?;
            segments.push(name.to_owned());
            if !cursor.accept('/') {
                break;
            }
        }
        let property = PropertyPath::new(segments).ok_or_else(|| cursor.unexpected("a property"))?;
        cursor.skip_space();
        let at = cursor.position();
        let descending = match cursor.identifier() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => {
                cursor.rewind(at);
                return Err(cursor.unknown_operator("'asc' or 'desc'"));
            }
        };
        Ok(OrderBy { property, descending })
    })
    .and_then(|items| {
        let kind = SyntaxErrorKind::TooManyItems { limit: MAX_ORDER };
        if items.len() > MAX_ORDER { Err(SyntaxError::new(0, kind)) } else { Ok(items) }
    })
}

/// Reads items separated by commas up to the end; at least one.
fn list<'t, T>(
    cursor: &mut Cursor<'t>,
    mut item: impl FnMut(&mut Cursor<'t>) -> Result<T, SyntaxError>,
) -> Result<Vec<T>, SyntaxError> {
    let mut items = Vec::new();
    loop {
        cursor.skip_space();
        items.push(item(cursor)?);
        cursor.skip_space();
        if cursor.at_end() {
            return Ok(items);
        }
        if !cursor.accept(',') {
            return Err(cursor.unexpected("',' or the end"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_options_of_real_clients_are_read() {
        let options = QueryOptions::parse(
            "$select=accountid,name&%24filter=name%20eq%20%27O%27%27Neil%27%20and+creditlimit+eq+5&$top=3&$skip=0\
             &$orderby=name%20desc,a/b&$count=true&$expand=primarycontactid($select=fullname)&cross-company=true",
        )
        .unwrap();
        assert_eq!(options.select, Some(vec!["accountid".into(), "name".into()]));
        assert_eq!(options.filter.as_ref().unwrap().to_string(), "name eq 'O''Neil' and creditlimit eq 5");
        assert_eq!((options.top, options.skip, options.count), (Some(3), Some(0), true));
        assert_eq!(options.orderby.len(), 2);
        assert!(options.orderby[0].descending && !options.orderby[1].descending);
        assert_eq!(options.expand.as_deref(), Some("primarycontactid($select=fullname)"));
        assert_eq!(options.other("cross-company"), Some("true"));
        assert_eq!(QueryOptions::parse("").unwrap(), QueryOptions::default());
        assert_eq!(QueryOptions::parse("&&a&").unwrap().others, [("a".to_owned(), String::new())]);
    }

    #[test]
    fn aliases_are_found_by_name_and_may_not_repeat() {
        let options = QueryOptions::parse("@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'").unwrap();
        assert_eq!(options.alias("@p1"), Some("Microsoft.Dynamics.CRM.EndpointAccessType'Default'"));
        assert_eq!(options.alias("@p2"), None);
        assert_eq!(QueryOptions::parse("@a=1&@a=2").unwrap_err().kind, QueryErrorKind::Repeated);
        assert_eq!(QueryOptions::parse("a=1&a=2").unwrap().others.len(), 2);
    }

    #[test]
    fn unknown_and_repeated_options_are_named_with_their_place() {
        let error = QueryOptions::parse("a=1&$apply=x").unwrap_err();
        assert_eq!((error.option.as_str(), error.offset, error.kind), ("$apply", 4, QueryErrorKind::Unknown));
        let error = QueryOptions::parse("$top=1&%24top=2").unwrap_err();
        assert_eq!((error.option.as_str(), error.offset, error.kind), ("$top", 7, QueryErrorKind::Repeated));
        assert_eq!(QueryOptions::parse("$Top=1").unwrap_err().kind, QueryErrorKind::Unknown);
    }

    #[test]
    fn errors_in_a_value_point_into_the_raw_query() {
        let error = QueryOptions::parse("x=1&$filter=name%20eq%20%27open").unwrap_err();
        assert_eq!((error.option.as_str(), error.offset), ("$filter", 24));
        assert_eq!(error.kind, QueryErrorKind::Syntax(SyntaxErrorKind::UnterminatedString));
        assert_eq!(QueryOptions::parse("$select=a,,b").unwrap_err().offset, 10);
        assert_eq!(QueryOptions::parse("$select=a,b,").unwrap().select.unwrap(), ["a", "b"]);
        assert!(QueryOptions::parse("$select=a,,").is_err() && QueryOptions::parse("$select=,").is_err());
        assert_eq!(QueryOptions::parse("$orderby=a%20up").unwrap_err().offset, 13);
        assert_eq!(QueryOptions::parse("a=%zz").unwrap_err().offset, 2);
        assert_eq!(QueryOptions::parse("%zz=a").unwrap_err().offset, 0);
    }

    #[test]
    fn numbers_and_booleans_have_one_spelling() {
        for raw in
            ["$top=-1", "$top=", "$top=+1", "$top=1.0", "$skip=99999999999999999999", "$count=True", "$count"]
        {
            let error = QueryOptions::parse(raw).unwrap_err();
            assert!(matches!(error.kind, QueryErrorKind::InvalidValue { .. }), "{raw}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let error = QueryOptions::parse(&"a".repeat(MAX_QUERY + 1)).unwrap_err();
        assert_eq!(error.kind, QueryErrorKind::Syntax(SyntaxErrorKind::TooLong { limit: MAX_QUERY }));
        let error = QueryOptions::parse(&format!("$expand={}", "a".repeat(MAX_TEXT + 1))).unwrap_err();
        assert_eq!(error.kind, QueryErrorKind::Syntax(SyntaxErrorKind::TooLong { limit: MAX_TEXT }));
    }

    #[test]
    fn what_is_asked_of_every_row_is_bounded_in_number() {
        let order = |items: usize| QueryOptions::parse(&format!("$orderby={}", vec!["a"; items].join(",")));
        assert_eq!(order(MAX_ORDER).unwrap().orderby.len(), MAX_ORDER);
        let kind = SyntaxErrorKind::TooManyItems { limit: MAX_ORDER };
        assert_eq!(order(MAX_ORDER + 1).unwrap_err().kind, kind.into());
        let many: Vec<String> = (0..=MAX_OPTIONS).map(|n| format!("@a{n}=1")).collect();
        assert!(QueryOptions::parse(&many[1..].join("&")).is_ok());
        let error = QueryOptions::parse(&many.join("&")).unwrap_err();
        assert_eq!(error.kind, QueryErrorKind::TooMany { limit: MAX_OPTIONS });
    }

    #[test]
    fn rows_sort_by_every_item_in_turn() {
        let options = QueryOptions::parse("$orderby=city,name desc").unwrap();
        let mut rows: Vec<Map<String, Value>> = [("B", "x"), ("a", "y"), ("A", "z")]
            .map(|(city, name)| json!({"city": city, "name": name}).as_object().cloned().unwrap())
            .to_vec();
        rows.sort_by(|left, right| options.compare(left, right, Evaluation::CASE_INSENSITIVE));
        let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["z", "y", "x"]);
    }
}
