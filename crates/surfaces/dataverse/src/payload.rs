//! A request body, read as one row of a table.
//!
//! Decides whether a body is one unambiguous JSON object and whether its values have the columns' types. Never decides
//! whether the row may be written. Mirrors the OData reader in front of Dataverse: unknown columns, values of another
//! type, lookups written directly and nested rows are refused; annotations and columns that only the organisation writes
//! are ignored.

use mocktenant_lab::request::media_type;
use mocktenant_odata::{Guid, Literal, ResourceSegment};
use mocktenant_tables::{Columns, Reference};
use mocktenant_token::strict_json::{self, Defect};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::errors::{DataverseError, PayloadDefect, cut};
use crate::operations::key_of;
use crate::schema::{Column, Kind, Table, by_set};
use crate::store::Reader;

/// Longest body read, in bytes.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// What a body wants to change, typed but with its lookups not yet resolved.
pub(crate) struct Changes {
    /// Values by column.
    pub(crate) columns: Columns,
    /// `@odata.bind` members: the lookup column, the table it points to, the row it names.
    bindings: Vec<(&'static str, &'static Table, Reference)>,
}

impl Changes {
    /// The columns with every binding resolved to the id of an existing row.
    pub(crate) fn resolved(mut self, reader: &Reader<'_>) -> Result<Columns, DataverseError> {
        for (column, target, reference) in self.bindings {
            let row = reader.table(target).find(&reference);
            let id = row.and_then(|row| row.text(target.id)).ok_or_else(|| missing(target, &reference))?;
            self.columns.insert(column.to_owned(), Value::String(id.to_owned()));
        }
        Ok(self.columns)
    }
}

/// The answer to a reference that names no row.
pub(crate) fn missing(table: &'static Table, reference: &Reference) -> DataverseError {
    match reference {
        Reference::Primary(key) => {
            let id = key.parts().first().map(ToString::to_string).unwrap_or_default();
            DataverseError::ObjectDoesNotExist { entity: table.logical, id: id.trim_matches('\'').to_owned() }
        }
        Reference::Alternate { .. } => DataverseError::RecordNotFoundByEntityKey { entity: table.logical },
    }
}

/// Whether a content type says JSON.
pub(crate) fn is_json(content_type: Option<&str>) -> bool {
    content_type.and_then(media_type).is_some_and(|kind| kind == mime::APPLICATION_JSON)
}

/// Reads a body as changes to a row of `table`.
pub(crate) fn read(table: &'static Table, body: &[u8]) -> Result<Changes, DataverseError> {
    if body.len() > MAX_BODY {
        return Err(DataverseError::RequestLengthTooLarge);
    }
    let members = object(body).map_err(|inner| DataverseError::payload(table.set, inner))?;
    let mut changes = Changes { columns: Columns::new(), bindings: Vec::new() };
    for (name, value) in members {
        if let Some(navigation) = name.strip_suffix("@odata.bind") {
            bind(table, navigation, &value, &mut changes)?;
        } else if name.contains('@') {
            // annotations say nothing about the row
        } else if let Some(column) = table.column(&name) {
            if let Some(value) = checked(table, column, value)? {
                changes.columns.insert(name, value);
            }
        } else if let Some((column, _)) = table.navigation(&name) {
            if !value.is_null() {
                return Err(refused(table, PayloadDefect::NestedResource { name }));
            }
            changes.columns.insert(column.name.to_owned(), Value::Null);
        } else {
            return Err(DataverseError::InvalidProperty { property: cut(&name), entity: table.logical });
        }
    }
    Ok(changes)
}

fn refused(table: &Table, inner: PayloadDefect) -> DataverseError {
    DataverseError::payload(table.set, inner)
}

fn bind(
    table: &'static Table,
    navigation: &str,
    value: &Value,
    changes: &mut Changes,
) -> Result<(), DataverseError> {
    let Some((column, target)) = table.navigation(navigation) else {
        return Err(refused(table, PayloadDefect::UndeclaredProperty { name: cut(navigation) }));
    };
    let invalid = || refused(table, PayloadDefect::InvalidBinding { name: navigation.to_owned() });
    if value.is_null() {
        changes.columns.insert(column.name.to_owned(), Value::Null);
        return Ok(());
    }
    let text = value.as_str().ok_or_else(invalid)?;
    let segment = ResourceSegment::parse(relative(text)).map_err(|_| invalid())?;
    if by_set(&segment.name).is_none_or(|named| named.set != target.set) {
        return Err(invalid());
    }
    let reference = key_of(target, &segment, |_| None).map_err(|_| invalid())?.ok_or_else(invalid)?;
    if column.writable {
        changes.bindings.push((column.name, target, reference));
    }
    Ok(())
}

/// A binding without its service root: `/accounts(..)`, `accounts(..)` and `https://<host>/api/data/v9.2/accounts(..)` are
/// the same. Whose host it is makes no difference.
fn relative(text: &str) -> &str {
    match text.split_once("/api/data/") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, segment)| segment),
        None => text.strip_prefix('/').unwrap_or(text),
    }
}

/// The value as it is stored; `None` where a request's value is ignored.
fn checked(
    table: &'static Table,
    column: &'static Column,
    value: Value,
) -> Result<Option<Value>, DataverseError> {
    if let Kind::Lookup { .. } = column.kind {
        return Err(DataverseError::EntityReferenceUpdate);
    }
    if !column.writable {
        return Ok(None);
    }
    if value.is_null() {
        return Ok(Some(value));
    }
    let mismatch = |value: &Value| {
        let literal = match value {
            Value::String(text) => cut(text),
            other => cut(&other.to_string()),
        };
        refused(table, PayloadDefect::CannotConvert { literal, expected: column.kind.edm() })
    };
    let out_of_range = |value: i64| DataverseError::ValueOutOfRange {
        column: column.name,
        entity: table.logical,
        value: value.to_string(),
    };
    let whole = |value: &Value| {
        value.as_i64().filter(|number| i32::try_from(*number).is_ok()).ok_or_else(|| mismatch(value))
    };
    match column.kind {
        Kind::Text(limit) => {
            let Some(text) = value.as_str() else { return Err(mismatch(&value)) };
            // lengths count UTF-16 units, as .NET and SQL Server do
            if text.encode_utf16().count() > limit as usize {
                return Err(DataverseError::StringLengthTooLong {
                    column: column.name,
                    entity: table.logical,
                    limit,
                });
            }
        }
        Kind::Whole { least, most } => {
            let number = whole(&value)?;
            if !(least..=most).contains(&number) {
                return Err(out_of_range(number));
            }
        }
        Kind::Choice(options) => {
            let number = whole(&value)?;
            if !options.contains(&number) {
                return Err(out_of_range(number));
            }
        }
        Kind::Decimal if value.is_number() => {}
        Kind::Flag if value.is_boolean() => {}
        Kind::Identifier => {
            let id = value.as_str().and_then(Guid::parse).ok_or_else(|| mismatch(&value))?;
            return Ok(Some(Value::String(id.to_string())));
        }
        Kind::Moment if value.as_str().is_some_and(|text| OffsetDateTime::parse(text, &Rfc3339).is_ok()) => {}
        Kind::Version if value.is_i64() => {}
        Kind::Decimal | Kind::Flag | Kind::Moment | Kind::Version | Kind::Lookup { .. } => {
            return Err(mismatch(&value));
        }
    }
    Ok(Some(value))
}

/// Whether a literal of a URL can stand for a value of this column.
pub(crate) fn comparable(kind: Kind, literal: &Literal) -> bool {
    match (kind, literal) {
        (_, Literal::Null)
        | (Kind::Text(_), Literal::String(_))
        | (Kind::Whole { .. } | Kind::Choice(_) | Kind::Version | Kind::Decimal, Literal::Integer(_))
        | (Kind::Decimal | Kind::Whole { .. }, Literal::Decimal(_))
        | (Kind::Flag, Literal::Bool(_))
        | (Kind::Identifier | Kind::Lookup { .. }, Literal::Guid(_))
        | (Kind::Moment, Literal::DateTime(_)) => true,
        // documented filters write ids of lookups in quotes too
        (Kind::Identifier | Kind::Lookup { .. }, Literal::String(text)) => Guid::parse(text).is_some(),
        _ => false,
    }
}

/// Reads one JSON object as strictly as a token is read; a byte order mark before it is tolerated.
fn object(bytes: &[u8]) -> Result<Map<String, Value>, PayloadDefect> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(PayloadDefect::Empty);
    }
    strict_json::object(bytes).map_err(|defect| match defect {
        Defect::NotAnObject("an array") => PayloadDefect::NotAnObject { found: "StartArray" },
        Defect::NotAnObject(_) => PayloadDefect::NotAnObject { found: "PrimitiveValue" },
        Defect::Duplicate(name) => PayloadDefect::DuplicateProperty { name: cut(&name) },
        Defect::TooDeep => PayloadDefect::TooDeep,
        Defect::Syntax(_) => PayloadDefect::InvalidJson,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defect(body: &[u8]) -> PayloadDefect {
        object(body).unwrap_err()
    }

    #[test]
    fn only_one_unambiguous_object_is_a_body() {
        assert_eq!(defect(b""), PayloadDefect::Empty);
        assert_eq!(defect(b" \r\n"), PayloadDefect::Empty);
        assert_eq!(defect(b"{"), PayloadDefect::InvalidJson);
        assert_eq!(defect(b"{} {}"), PayloadDefect::InvalidJson);
        assert_eq!(defect(b"{\"a\":\"\xff\"}"), PayloadDefect::InvalidJson);
        assert_eq!(defect(b"{\"a\":1e999}"), PayloadDefect::InvalidJson);
        assert_eq!(defect(b"[]"), PayloadDefect::NotAnObject { found: "StartArray" });
        assert_eq!(defect(b"null"), PayloadDefect::NotAnObject { found: "PrimitiveValue" });
        assert_eq!(
            defect(br#"{"a":1,"\u0061":2}"#),
            PayloadDefect::DuplicateProperty { name: "a".to_owned() }
        );
        assert_eq!(defect("[".repeat(100_000).as_bytes()), PayloadDefect::TooDeep);
        assert!(object(b"\xEF\xBB\xBF{}").is_ok());
    }

    #[test]
    fn a_content_type_is_json_whatever_its_parameters() {
        for json in
            ["application/json", "Application/JSON; charset=utf-8", "application/json;odata.metadata=none"]
        {
            assert!(is_json(Some(json)), "{json}");
        }
        for other in [None, Some("text/json"), Some("application/x-www-form-urlencoded"), Some("")] {
            assert!(!is_json(other), "{other:?}");
        }
    }
}
