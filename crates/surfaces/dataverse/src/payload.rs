//! A request body, read as one row of a table.
//!
//! Decides whether a body is one unambiguous JSON object and whether its values have the columns' types. Never decides
//! whether the row may be written. Mirrors the OData reader in front of Dataverse: unknown columns, values of another
//! type, lookups written directly and annotations without a name OData allows are refused; other annotations and columns
//! that only the organisation writes are ignored. A refusal says which column, which value and what was expected, for a
//! person; the product's own words say less.

use std::borrow::Cow;
use std::collections::HashMap;

use mocktenant_lab::request::media_type;
use mocktenant_odata::{Guid, Literal, ResourceSegment};
use mocktenant_tables::{Columns, Reference};
use mocktenant_token::strict_json::{self, Defect};
use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use crate::errors::{DataverseError, PayloadDefect, cut, excerpt};
use crate::not_built;
use crate::operations::key_of;
use crate::schema::{Choices, Column, Kind, Table, by_set};
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
    pub(crate) fn resolved(mut self, reader: &Reader<'_>) -> Result<Columns, Fault> {
        for (column, target, reference) in self.bindings {
            let row = reader.table(target).find(&reference);
            let id = row.and_then(|row| row.text(target.id)).ok_or_else(|| {
                let expected = format!("a row of {}", target.set);
                Fault::of(missing(target, &reference), column, &shown(&reference), expected)
            })?;
            self.columns.insert(column.to_owned(), Value::String(id.to_owned()));
        }
        Ok(self.columns)
    }
}

fn shown(reference: &Reference) -> String {
    match reference {
        Reference::Primary(key) => key.parts().first().map(ToString::to_string).unwrap_or_default(),
        Reference::Alternate { .. } => format!("{reference:?}"),
    }
}

/// Why a body is refused.
pub(crate) struct Fault {
    /// In the product's words.
    pub(crate) error: Box<DataverseError>,
    /// What is wrong where, for a person.
    pub(crate) about: Option<Box<About>>,
    /// What the real product has and this lab has not, and what is here.
    pub(crate) unbuilt: Option<Box<(String, &'static str)>>,
}

/// A member of a body that is refused.
pub(crate) struct About {
    pub(crate) column: String,
    pub(crate) value: String,
    pub(crate) expected: Cow<'static, str>,
}

impl From<DataverseError> for Fault {
    fn from(error: DataverseError) -> Self {
        Self { error: Box::new(error), about: None, unbuilt: None }
    }
}

impl Fault {
    pub(crate) fn of(
        error: DataverseError,
        column: &str,
        value: &str,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        let about = About { column: excerpt(column), value: excerpt(value), expected: expected.into() };
        Self { error: Box::new(error), about: Some(Box::new(about)), unbuilt: None }
    }

    fn unbuilt(mut self, what: String, built: &'static str) -> Self {
        self.unbuilt = Some(Box::new((what, built)));
        self
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

/// What requests of a change set made so far: addresses by `Content-ID`.
pub(crate) type Made = HashMap<String, String>;

/// Reads a body as changes to a row of `table`. In a change set `$1` stands for what an earlier request `made`.
pub(crate) fn read(table: &'static Table, body: &[u8], made: Option<&Made>) -> Result<Changes, Fault> {
    if body.len() > MAX_BODY {
        return Err(DataverseError::RequestLengthTooLarge.into());
    }
    let members = object(body).map_err(|inner| DataverseError::payload(table.set, inner))?;
    let mut changes = Changes { columns: Columns::new(), bindings: Vec::new() };
    for (name, value) in members {
        if let Some(navigation) = name.strip_suffix("@odata.bind") {
            bind(table, navigation, &value, made, &mut changes)?;
        } else if let Some((_, annotation)) = name.split_once('@') {
            // other annotations say nothing about the row
            if !is_annotation(annotation) {
                let inner = PayloadDefect::AnnotationName { name: cut(annotation) };
                return Err(refused(table, inner, &name, &value, "an annotation with a period in its name"));
            }
        } else if let Some(column) = table.column(&name) {
            if let Some(value) = checked(table, column, value)? {
                changes.columns.insert(name, value);
            }
        } else if let Some((column, target)) = table.navigation(&name) {
            if !value.is_null() {
                return Err(nested(table, target, &name, &value));
            }
            changes.columns.insert(column.name.to_owned(), Value::Null);
        } else {
            let inner = PayloadDefect::UnknownProperty { name: cut(&name), entity: table.logical };
            return Err(refused(table, inner, &name, &value, format!("a column of {}", table.logical)));
        }
    }
    Ok(changes)
}

/// Whether OData allows the name: a period that is not at an end.
fn is_annotation(name: &str) -> bool {
    name.contains('.') && !name.starts_with('.') && !name.ends_with('.')
}

/// What is there where a navigation property takes a row: a bare id, or a row that would have to be created.
fn nested(table: &'static Table, target: &'static Table, name: &str, value: &Value) -> Fault {
    let expected = format!("{name}@odata.bind with \"/{}(<id>)\"", target.set);
    if !value.is_object() && !value.is_array() {
        let inner = PayloadDefect::ValueForNavigation { name: name.to_owned() };
        return refused(table, inner, name, value, expected);
    }
    let inner = PayloadDefect::NestedResource { name: name.to_owned() };
    refused(table, inner, name, value, expected)
        .unbuilt(format!("deep insert of {name}"), "...@odata.bind to rows that are there")
}

fn refused(
    table: &Table,
    inner: PayloadDefect,
    column: &str,
    value: &Value,
    expected: impl Into<Cow<'static, str>>,
) -> Fault {
    Fault::of(DataverseError::payload(table.set, inner), column, &text_of(value), expected)
}

/// A value as a person reads it: texts without their quotes.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn bind(
    table: &'static Table,
    navigation: &str,
    value: &Value,
    made: Option<&Made>,
    changes: &mut Changes,
) -> Result<(), Fault> {
    let Some((column, target)) = table.navigation(navigation) else {
        let inner = PayloadDefect::UndeclaredProperty { name: cut(navigation) };
        let expected = format!("a navigation property of {}", table.logical);
        return Err(refused(table, inner, navigation, value, expected));
    };
    let address = || format!("\"/{}(<id>)\"", target.set);
    let invalid = || {
        refused(
            table,
            PayloadDefect::InvalidBinding { name: navigation.to_owned() },
            navigation,
            value,
            address(),
        )
    };
    if value.is_null() {
        changes.columns.insert(column.name.to_owned(), Value::Null);
        return Ok(());
    }
    let text = value.as_str().ok_or_else(invalid)?;
    let text = match (made, text.strip_prefix('$')) {
        (Some(made), Some(id)) => made.get(id).map(String::as_str).ok_or_else(|| {
            let error = DataverseError::ContentIdReference { id: cut(text) };
            Fault::of(error, navigation, text, "the Content-ID of an earlier request of the change set")
        })?,
        _ => text,
    };
    let segment = ResourceSegment::parse(relative(text));
    let set = segment.as_ref().ok().and_then(|segment| by_set(&segment.name));
    let (Ok(segment), Some(set)) = (&segment, set) else {
        let named = segment.as_ref().map_or(relative(text), |segment| segment.name.as_str());
        let error = DataverseError::UnparsedUrl { segment: cut(named) };
        let fault = Fault::of(error, navigation, text, address());
        return Err(match not_built::entity_set(named) {
            Some(_) => fault.unbuilt(format!("the entity set {named}"), not_built::SETS_HERE),
            None => fault,
        });
    };
    if set.set != target.set {
        return Err(invalid());
    }
    let reference = key_of(target, segment, |_| None).map_err(|_| invalid())?.ok_or_else(invalid)?;
    if column.writable {
        changes.bindings.push((column.name, target, reference));
    }
    Ok(())
}

/// A binding without its service root: `/accounts(..)`, `accounts(..)` and `https://<host>/api/data/v9.2/accounts(..)` are
/// the same, also with two slashes before the set. Whose host it is makes no difference.
fn relative(text: &str) -> &str {
    let path = match text.split_once("/api/data/") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, segment)| segment),
        None => text,
    };
    path.trim_start_matches('/')
}

/// The value as it is stored; `None` where a request's value is ignored.
fn checked(table: &'static Table, column: &'static Column, value: Value) -> Result<Option<Value>, Fault> {
    if let Kind::Lookup { navigation, .. } = column.kind {
        let error = DataverseError::EntityReferenceUpdate;
        return Err(Fault::of(error, column.name, &text_of(&value), format!("{navigation}@odata.bind")));
    }
    if !column.writable {
        return Ok(None);
    }
    if value.is_null() {
        return Ok(Some(value));
    }
    let expected = column.kind.edm();
    let mismatch = |value: &Value| {
        let literal = cut(&text_of(value));
        refused(table, PayloadDefect::CannotConvert { literal, expected }, column.name, value, expected)
    };
    let whole = |value: &Value| {
        value.as_i64().filter(|number| i32::try_from(*number).is_ok()).ok_or_else(|| mismatch(value))
    };
    match column.kind {
        Kind::Text(limit) => {
            let Some(text) = value.as_str() else { return Err(mismatch(&value)) };
            // lengths count UTF-16 units, as .NET and SQL Server do
            let units = text.encode_utf16().count();
            if units > limit as usize {
                let error =
                    DataverseError::StringLengthTooLong { column: column.name, entity: table.logical, limit };
                let expected = format!("at most {limit} characters, not {units}");
                return Err(Fault::of(error, column.name, text, expected));
            }
        }
        Kind::Whole { least, most } => {
            let number = whole(&value)?;
            if !(least..=most).contains(&number) {
                let (column, entity) = (column.name, table.logical);
                let error = DataverseError::ValueOutOfRange { column, entity, value: number };
                return Err(Fault::of(error, column, &number.to_string(), format!("{least} to {most}")));
            }
        }
        Kind::Choice(options) => offered(table, column, options, whole(&value)?)?,
        Kind::State => {
            let number = whole(&value)?;
            if table.state(number).is_none() {
                let codes: Vec<(i64, &str)> =
                    table.states.iter().map(|state| (state.code, state.label)).collect();
                offered(table, column, &codes, number)?;
            }
        }
        // whether its state has it is known only with the row
        Kind::Status => {
            whole(&value)?;
        }
        Kind::Decimal | Kind::Money if value.is_number() => {}
        Kind::Flag if value.is_boolean() => {}
        Kind::Identifier => {
            let id = value.as_str().and_then(Guid::parse).ok_or_else(|| mismatch(&value))?;
            return Ok(Some(Value::String(id.to_string())));
        }
        Kind::Moment if value.as_str().is_some_and(|text| OffsetDateTime::parse(text, &Rfc3339).is_ok()) => {}
        Kind::Day if value.as_str().is_some_and(|text| day(text).is_some()) => {}
        Kind::Version if value.is_i64() => {}
        Kind::Decimal
        | Kind::Money
        | Kind::Flag
        | Kind::Moment
        | Kind::Day
        | Kind::Version
        | Kind::Lookup { .. } => return Err(mismatch(&value)),
    }
    Ok(Some(value))
}

/// Whether a choice column offers a value.
fn offered(
    table: &'static Table,
    column: &'static Column,
    options: &[(i64, &str)],
    value: i64,
) -> Result<(), Fault> {
    if options.iter().any(|(option, _)| *option == value) {
        return Ok(());
    }
    let options: Vec<String> = options.iter().map(|(option, _)| option.to_string()).collect();
    let accepted = options.join(",");
    let expected = format!("one of {accepted}");
    let error = DataverseError::NoSuchOption { column: column.name, entity: table.logical, value, accepted };
    Err(Fault::of(error, column.name, &value.to_string(), expected))
}

/// A date without a time.
pub(crate) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

/// Completes state and status of a row that is about to be written, `before` being what it was: a state alone takes its
/// default status, and a status has to be one of its state's.
pub(crate) fn settle_states(
    table: &'static Table,
    id: &str,
    before: Option<&Columns>,
    columns: &mut Columns,
) -> Result<(), Fault> {
    let number = |columns: &Columns, name: &str| columns.get(name).and_then(Value::as_i64);
    let first = || table.states.first().map(|state| state.code);
    let asked = number(columns, "statecode");
    let code = asked.or_else(|| before.and_then(|row| number(row, "statecode"))).or_else(first);
    let Some(state) = code.and_then(|code| table.state(code)) else { return Ok(()) };
    let statuses: Choices = state.statuses;
    match number(columns, "statuscode") {
        Some(status) if !statuses.iter().any(|(one, _)| *one == status) => {
            let state = format!("{}State.{}", table.schema_name(), state.label);
            let codes: Vec<String> = statuses.iter().map(|(one, _)| one.to_string()).collect();
            let expected = format!("a status of {state}: {}", codes.join(","));
            let error =
                DataverseError::InvalidStatus { status, state, entity: table.logical, id: id.to_owned() };
            return Err(Fault::of(error, "statuscode", &status.to_string(), expected));
        }
        None if asked.is_some() || before.is_none() => {
            columns.insert("statecode".to_owned(), state.code.into());
            if let Some((status, _)) = statuses.first() {
                columns.insert("statuscode".to_owned(), (*status).into());
            }
        }
        _ if before.is_none() => {
            columns.insert("statecode".to_owned(), state.code.into());
        }
        _ => {}
    }
    Ok(())
}

/// Whether a literal of a URL can stand for a value of this column.
pub(crate) fn comparable(kind: Kind, literal: &Literal) -> bool {
    match (kind, literal) {
        (_, Literal::Null)
        | (Kind::Text(_), Literal::String(_))
        | (
            Kind::Whole { .. }
            | Kind::Choice(_)
            | Kind::State
            | Kind::Status
            | Kind::Version
            | Kind::Decimal
            | Kind::Money,
            Literal::Integer(_),
        )
        | (Kind::Decimal | Kind::Money | Kind::Whole { .. }, Literal::Decimal(_))
        | (Kind::Flag, Literal::Bool(_))
        | (Kind::Identifier | Kind::Lookup { .. }, Literal::Guid(_))
        | (Kind::Moment | Kind::Day, Literal::DateTime(_)) => true,
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
