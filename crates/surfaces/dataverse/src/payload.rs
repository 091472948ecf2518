//! A request body, read as one row of a table, with the rows that are to be made with it.
//!
//! Decides whether a body is one unambiguous JSON object and whether its values are values of its columns. Never decides
//! whether the row may be written. Mirrors the OData reader in front of Dataverse: unknown columns, values of another
//! type, lookups written directly and annotations without a name OData allows are refused; other annotations and columns
//! that only the organisation writes are ignored. A refusal says which column, which value and what was expected, for a
//! person; the product's own words say less.

use std::borrow::Cow;
use std::collections::HashMap;

use mocktenant_lab::request::media_type;
use mocktenant_odata::ResourceSegment;
use mocktenant_odata::bind::hop;
use mocktenant_query::Hop;
use mocktenant_schema::{Cell, Column, Kind, Navigation, Rule, Schema, Table, Violation, value};
use mocktenant_tables::{Row, Snapshot, Values};
use mocktenant_token::strict_json::{self, Defect};
use serde_json::{Map, Value};

use crate::errors::{DataverseError, PayloadDefect, cut, excerpt};
use crate::not_built;
use crate::operations::{Reference, key_of};
use crate::tables::{self, DIALECT};

/// Longest body read, in bytes.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// Most rows that one body makes.
pub(crate) const MAX_ROWS: usize = 1_000;

/// What a body wants to change, typed but with its lookups not yet resolved.
#[derive(Default)]
pub(crate) struct Changes {
    /// Values by column.
    pub(crate) values: Values,
    /// `@odata.bind` members of lookups: the column, its navigation property, the table it points to, the row it names.
    bindings: Vec<(u16, String, usize, Reference)>,
    /// Rows to be made with it.
    pub(crate) nested: Vec<Nested>,
}

/// Rows that a body has at a navigation property.
pub(crate) struct Nested {
    pub(crate) navigation: String,
    pub(crate) hop: Hop,
    /// The lookup between both: a column of the row, or of those that are nested.
    pub(crate) lookup: u16,
    pub(crate) table: usize,
    pub(crate) rows: Vec<Changes>,
    /// Rows that are there already.
    pub(crate) links: Vec<Reference>,
}

impl Changes {
    /// The values with every binding resolved to the id of an existing row.
    pub(crate) fn resolve(&mut self, rows: &Snapshot) -> Result<(), Fault> {
        for (column, navigation, table, reference) in std::mem::take(&mut self.bindings) {
            let Some(target) = rows.schema().at(table) else { continue };
            let id = reference.row(rows, target).map(|row| id_of(target, row));
            let Some(id) = id else {
                let expected = format!("a row of {}", target.set());
                return Err(Fault::of(reference.missing(target), &navigation, &reference.shown, expected));
            };
            self.values.set(column, id);
        }
        Ok(())
    }

    /// How many rows it makes, itself included.
    fn rows(&self) -> usize {
        1 + self.nested.iter().flat_map(|nested| &nested.rows).map(Self::rows).sum::<usize>()
    }
}

/// The primary key of a row.
pub(crate) fn id_of(table: Table<'_>, row: &Row) -> Cell {
    table.id().map_or(Cell::Null, |column| row.value(column).to_cell())
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

/// Whether a content type says JSON.
pub(crate) fn is_json(content_type: Option<&str>) -> bool {
    content_type.and_then(media_type).is_some_and(|kind| kind == mime::APPLICATION_JSON)
}

/// What requests of a change set made so far: addresses by `Content-ID`.
pub(crate) type Made = HashMap<String, String>;

/// Reads a body as changes to a row of `table`. In a change set `$1` stands for what an earlier request `made`.
pub(crate) fn read(
    schema: &Schema,
    table: Table<'_>,
    body: &[u8],
    made: Option<&Made>,
) -> Result<Changes, Fault> {
    let members = members(table, body)?;
    let reading = Reading { schema, made };
    let changes = reading.row(table, members)?;
    if changes.rows() > MAX_ROWS {
        let refused = DataverseError::RequestLengthTooLarge;
        return Err(Fault::of(
            refused,
            "the body",
            &changes.rows().to_string(),
            format!("at most {MAX_ROWS} rows"),
        ));
    }
    Ok(changes)
}

/// A body as one JSON object.
pub(crate) fn members(table: Table<'_>, body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if body.len() > MAX_BODY {
        return Err(DataverseError::RequestLengthTooLarge.into());
    }
    object(body).map_err(|inner| DataverseError::payload(table.set(), inner).into())
}

/// The value in a body that is one column's.
pub(crate) fn alone(table: Table<'_>, body: &[u8]) -> Result<Value, Fault> {
    let members = members(table, body)?;
    let own = members.keys().find(|name| *name != "value" && !name.contains('@')).cloned();
    match (own, members.get("value")) {
        (None, Some(value)) => Ok(value.clone()),
        (name, _) => {
            let inner = PayloadDefect::TopLevelProperty { name: name.as_deref().map(cut) };
            Err(refused(
                table,
                inner,
                name.as_deref().unwrap_or("the body"),
                &Value::Object(members),
                "{\"value\":...}",
            ))
        }
    }
}

/// A body that is being read.
struct Reading<'b> {
    schema: &'b Schema,
    made: Option<&'b Made>,
}

impl Reading<'_> {
    fn row(&self, table: Table<'_>, members: Map<String, Value>) -> Result<Changes, Fault> {
        let mut changes = Changes::default();
        for (name, value) in members {
            if let Some(navigation) = name.strip_suffix("@odata.bind") {
                self.bind(table, navigation, &value, &mut changes)?;
            } else if let Some((subject, annotation)) = name.split_once('@') {
                annotated(table, subject, annotation, &value)?;
            } else if let Some(column) = DIALECT.column(table, &name) {
                if let Some(cell) = checked(column, &name, &value)? {
                    changes.values.set(column.ordinal(), cell);
                }
            } else if let Some(step) = table.navigation(&name) {
                self.nested(table, step, value, &mut changes)?;
            } else {
                let inner = PayloadDefect::UnknownProperty { name: cut(&name), entity: table.name().into() };
                let expected = format!("a column of {}", table.name());
                return Err(refused(table, inner, &name, &value, expected));
            }
        }
        Ok(changes)
    }

    /// What stands where a navigation property takes rows: rows to be made, none, or something else.
    fn nested(
        &self,
        table: Table<'_>,
        step: Navigation<'_>,
        value: Value,
        changes: &mut Changes,
    ) -> Result<(), Fault> {
        let (name, target) = (step.name(), step.target());
        let Some(lookup) = step.relationship().column() else {
            let inner = PayloadDefect::ValueForNavigation { name: name.to_owned() };
            let expected = format!("rows of {} joined by $ref", target.set());
            return Err(refused(table, inner, name, &value, expected)
                .unbuilt(format!("deep insert of {name}"), "$ref"));
        };
        let rows = match value {
            Value::Null if !step.is_many() => {
                changes.values.set(lookup.ordinal(), Cell::Null);
                return Ok(());
            }
            Value::Object(members) if !step.is_many() => vec![members],
            Value::Array(items) if step.is_many() => {
                let mut rows = Vec::with_capacity(items.len());
                for item in items {
                    match item {
                        Value::Object(members) => rows.push(members),
                        other => {
                            let inner = PayloadDefect::NotAnObject { found: "PrimitiveValue" };
                            return Err(refused(table, inner, name, &other, "a list of rows"));
                        }
                    }
                }
                rows
            }
            Value::Object(_) | Value::Array(_) => {
                let inner = PayloadDefect::Cardinality { name: name.to_owned(), many: step.is_many() };
                let expected = if step.is_many() { "a list of rows" } else { "one row" };
                return Err(refused(table, inner, name, &value, expected));
            }
            other => {
                let inner = PayloadDefect::ValueForNavigation { name: name.to_owned() };
                let expected = format!("{name}@odata.bind with \"/{}(<id>)\"", target.set());
                return Err(refused(table, inner, name, &other, expected));
            }
        };
        let rows = rows.into_iter().map(|members| self.row(target, members)).collect::<Result<_, _>>()?;
        changes.nested.push(Nested {
            navigation: name.to_owned(),
            hop: hop(step),
            lookup: lookup.ordinal(),
            table: target.position(),
            rows,
            links: Vec::new(),
        });
        Ok(())
    }

    fn bind(
        &self,
        table: Table<'_>,
        navigation: &str,
        value: &Value,
        changes: &mut Changes,
    ) -> Result<(), Fault> {
        let Some(step) = table.navigation(navigation) else {
            let inner = PayloadDefect::UndeclaredProperty { name: cut(navigation) };
            let expected = format!("a navigation property of {}", table.name());
            return Err(refused(table, inner, navigation, value, expected));
        };
        let column = step.relationship().column();
        if step.is_many() {
            let (Value::Array(items), Some(column)) = (value, column) else {
                return Err(unbound(table, step.target(), navigation, value));
            };
            let links =
                items.iter().map(|item| self.bound(table, step, item)).collect::<Result<Vec<_>, _>>()?;
            changes.nested.push(Nested {
                navigation: navigation.to_owned(),
                hop: hop(step),
                lookup: column.ordinal(),
                table: step.target().position(),
                rows: Vec::new(),
                links: links.into_iter().map(|(_, reference)| reference).collect(),
            });
            return Ok(());
        }
        let Some(column) = column else { return Err(unbound(table, step.target(), navigation, value)) };
        if value.is_null() {
            changes.values.set(column.ordinal(), Cell::Null);
            return Ok(());
        }
        let (target, reference) = self.bound(table, step, value)?;
        if column.is_for_create() || column.is_for_update() {
            changes.bindings.push((column.ordinal(), navigation.to_owned(), target, reference));
        }
        Ok(())
    }

    /// The row that an address in `@odata.bind` names, and its table.
    fn bound(
        &self,
        table: Table<'_>,
        step: Navigation<'_>,
        value: &Value,
    ) -> Result<(usize, Reference), Fault> {
        let (navigation, target) = (step.name(), step.target());
        let invalid = || unbound(table, target, navigation, value);
        let text = value.as_str().ok_or_else(invalid)?;
        if let Some(error) = unmade(self.made, text) {
            return Err(Fault::of(
                error,
                navigation,
                text,
                "the Content-ID of an earlier request of the change set",
            ));
        }
        let (set, segment) = self.address(text).map_err(|named| {
            let expected = format!("\"/{}(<id>)\"", target.set());
            let fault =
                Fault::of(DataverseError::UnparsedUrl { segment: cut(&named) }, navigation, text, expected);
            match not_built::entity_set(&named) {
                Some(_) => fault.unbuilt(format!("the entity set {named}"), not_built::SETS_HERE),
                None => fault,
            }
        })?;
        // one property may lead to rows of several tables
        let leads = table.navigations().any(|one| one.name() == navigation && one.target() == set);
        if !leads {
            return Err(invalid());
        }
        let reference = key_of(set, &segment, |_| None).map_err(|_| invalid())?.ok_or_else(invalid)?;
        Ok((set.position(), reference))
    }

    /// The table and the key of an address; else what it names that is no entity set.
    fn address(&self, text: &str) -> Result<(Table<'_>, ResourceSegment), String> {
        let referred = match (self.made, text.strip_prefix('$')) {
            (Some(made), Some(id)) => Some(made.get(id).ok_or_else(|| text.to_owned())?),
            _ => None,
        };
        let text = relative(referred.map_or(text, String::as_str));
        match ResourceSegment::parse(text) {
            Ok(segment) => match self.schema.by_set(&segment.name) {
                Some(set) => Ok((set, segment)),
                None => Err(segment.name),
            },
            Err(_) => Err(text.to_owned()),
        }
    }
}

/// The refusal of a `$1` that no earlier request of the change set made.
fn unmade(made: Option<&Made>, text: &str) -> Option<DataverseError> {
    let (made, id) = (made?, text.strip_prefix('$')?);
    (!made.contains_key(id)).then(|| DataverseError::ContentIdReference { id: cut(text) })
}

/// An address in `@odata.bind` or `@odata.id` that names a row: its table, and which.
pub(crate) fn row_named<'s>(
    schema: &'s Schema,
    text: &str,
    made: Option<&Made>,
) -> Result<(Table<'s>, Reference), DataverseError> {
    if let Some(error) = unmade(made, text) {
        return Err(error);
    }
    let reading = Reading { schema, made };
    let unparsed = |segment: String| DataverseError::UnparsedUrl { segment: cut(&segment) };
    let (set, segment) = reading.address(text).map_err(unparsed)?;
    let position = set.position();
    let reference = key_of(set, &segment, |_| None)?.ok_or_else(|| unparsed(text.to_owned()))?;
    let table = schema.at(position).ok_or(DataverseError::Unexpected)?;
    Ok((table, reference))
}

/// `@odata.bind` with something that names no row of the table it leads to.
fn unbound(table: Table<'_>, target: Table<'_>, navigation: &str, value: &Value) -> Fault {
    let inner = PayloadDefect::InvalidBinding { name: navigation.to_owned() };
    refused(table, inner, navigation, value, format!("\"/{}(<id>)\"", target.set()))
}

/// An annotation. A type has to be the table's own; others say nothing about the row.
fn annotated(table: Table<'_>, subject: &str, annotation: &str, value: &Value) -> Result<(), Fault> {
    // OData allows a period that is not at an end
    let allowed = annotation.contains('.') && !annotation.starts_with('.') && !annotation.ends_with('.');
    let name = format!("{subject}@{annotation}");
    if !allowed {
        let inner = PayloadDefect::AnnotationName { name: cut(annotation) };
        return Err(refused(table, inner, &name, value, "an annotation with a period in its name"));
    }
    if subject.is_empty() && annotation == "odata.type" {
        let own = DIALECT.type_name(table);
        let found = value.as_str().unwrap_or_default().trim_start_matches('#');
        if found != own {
            let inner = PayloadDefect::TypeNotAssignable { found: cut(found), expected: own.clone() };
            return Err(refused(table, inner, &name, value, format!("#{own}")));
        }
    }
    Ok(())
}

fn refused(
    table: Table<'_>,
    inner: PayloadDefect,
    column: &str,
    value: &Value,
    expected: impl Into<Cow<'static, str>>,
) -> Fault {
    Fault::of(DataverseError::payload(table.set(), inner), column, &text_of(value), expected)
}

/// A value as a person reads it: texts without their quotes.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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

/// The value as it is kept; `None` where a request's value is ignored.
pub(crate) fn checked(column: Column<'_>, name: &str, value: &Value) -> Result<Option<Cell>, Fault> {
    if column.kind() == Kind::Lookup {
        let error = DataverseError::EntityReferenceUpdate;
        return Err(Fault::of(error, name, &text_of(value), format!("{}@odata.bind", column.name())));
    }
    if !column.is_for_create() && !column.is_for_update() {
        return Ok(None);
    }
    value::read(column, value).map(Some).map_err(violated)
}

/// A violation in the product's words.
fn violated(violation: Violation<'_>) -> Fault {
    let Violation { rule, column, value } = violation;
    let (name, table) = (tables::property(column), column.table());
    let about = text_of(&value);
    let numbers = || column.range().map_or_else(String::new, |(least, most)| format!("{least} to {most}"));
    let (column_name, entity) = (Box::from(column.name()), Box::from(table.name()));
    match rule {
        Rule::Type => {
            let expected = DIALECT.type_of(column).name();
            let decimal = matches!(column.kind(), Kind::Decimal | Kind::Money) && value.is_string();
            let inner = if decimal {
                PayloadDefect::DecimalAsText
            } else {
                PayloadDefect::CannotConvert { literal: cut(&about), expected: expected.clone() }
            };
            refused(table, inner, &name, &value, expected)
        }
        Rule::Length => {
            let limit = column.length();
            let units = value.as_str().unwrap_or_default().encode_utf16().count();
            let error = DataverseError::StringLengthTooLong { column: column_name, entity, limit };
            Fault::of(error, &name, &about, format!("at most {limit} characters, not {units}"))
        }
        Rule::Range => {
            let error = DataverseError::ValueOutOfRange { column: column_name, entity, value: cut(&about) };
            Fault::of(error, &name, &about, numbers())
        }
        Rule::Choice => {
            let values: Vec<String> = match column.kind() {
                Kind::State => table.states().map(|state| state.value().to_string()).collect(),
                _ => column
                    .choices()
                    .into_iter()
                    .flat_map(mocktenant_schema::Choices::all)
                    .map(|one| one.value().to_string())
                    .collect(),
            };
            let accepted = values.join(",");
            let expected = format!("one of {accepted}");
            let value = value.as_i64().unwrap_or_default();
            let error = DataverseError::NoSuchOption { column: column_name, entity, value, accepted };
            Fault::of(error, &name, &about, expected)
        }
    }
}

/// Completes state and status of a row that is about to be written, `before` being what it was: a state alone takes its
/// default status, and a status has to be one of its state's.
pub(crate) fn settle_states(
    table: Table<'_>,
    id: &str,
    before: Option<&Row>,
    values: &mut Values,
) -> Result<(), Fault> {
    let (Some(state_column), Some(status_column)) = (table.column("statecode"), table.column("statuscode"))
    else {
        return Ok(());
    };
    let given = |column: Column<'_>| values.get(column.ordinal()).and_then(|cell| cell.as_ref().as_whole());
    let (asked, status) = (given(state_column), given(status_column));
    let first = || table.states().next().map(mocktenant_schema::State::value);
    let code = asked.or_else(|| before.and_then(|row| row.value(state_column).as_whole())).or_else(first);
    let Some(state) = table.states().find(|state| Some(state.value()) == code) else { return Ok(()) };
    let set =
        |values: &mut Values, column: Column<'_>, value| values.set(column.ordinal(), Cell::Whole(value));
    match status {
        Some(status) if !state.statuses().any(|one| one.value() == status) => {
            let text = format!("{}State.{}", table.schema_name(), state.label());
            let codes: Vec<String> = state.statuses().map(|one| one.value().to_string()).collect();
            let expected = format!("a status of {text}: {}", codes.join(","));
            let (entity, id) = (table.name().into(), id.to_owned());
            let error = DataverseError::InvalidStatus { status, state: text, entity, id };
            return Err(Fault::of(error, "statuscode", &status.to_string(), expected));
        }
        None if asked.is_some() || before.is_none() => {
            set(values, state_column, state.value());
            if let Some(status) = state.statuses().next() {
                set(values, status_column, status.value());
            }
        }
        _ if before.is_none() => set(values, state_column, state.value()),
        _ => {}
    }
    Ok(())
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
