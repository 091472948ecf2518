//! `GET EntityDefinitions(..)`: which tables and columns there are, and what their values may be.
//!
//! Decides which definitions a path and a query ask for: tables, one table, its `Attributes`, one of them, both cast to a
//! type, and the `OptionSet` of one. Whoever is let in may read them (every role a real organisation comes with may).
//! Writing them, relationships, keys and global option sets are not built. Filters compare; functions over definitions are
//! refused as the product refuses them.

use http::StatusCode;
use mocktenant_lab::Answer;
use std::sync::Arc;

use mocktenant_odata::syntax::{Binary, Syntax, Unary};
use mocktenant_odata::{Literal, QueryOptions, ResourceSegment, equal_text};
use mocktenant_schema::{Column, Schema, Table};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::list;
use crate::errors::{DataverseError, cut, excerpt};
use crate::metadata::{self, Definition};
use crate::not_built;
use crate::principal;
use crate::representation::json_answer;

const SET: &str = "EntityDefinitions";
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Whether a path that begins so leads to definitions.
pub(super) fn begin(first: &str) -> bool {
    first.strip_prefix(SET).is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', '%']))
}

/// Definitions of tables, or of columns cast to a type.
#[derive(Clone, Copy)]
enum Type<'p> {
    Entity,
    Attribute(Option<&'p str>),
}

impl Type<'_> {
    /// Its name in texts.
    fn name(self) -> &'static str {
        match self {
            Self::Entity => "EntityMetadata",
            Self::Attribute(_) => "AttributeMetadata",
        }
    }

    /// Whether the product has a property that is not here.
    fn unbuilt(self, name: &str) -> bool {
        match self {
            Self::Entity => not_built::entity_property(name),
            Self::Attribute(_) => not_built::attribute_property(name),
        }
    }

    /// Whether definitions of this type have a property here.
    fn has(self, schema: &Schema, name: &str) -> bool {
        match self {
            Self::Entity => {
                schema.tables().next().is_some_and(|table| metadata::entity(table).contains_key(name))
            }
            Self::Attribute(cast) => {
                let mut columns = schema.tables().flat_map(metadata::defined);
                let one = columns.find(|column| cast.is_none_or(|cast| metadata::cast(*column) == cast));
                one.is_some_and(|column| metadata::attribute(column).contains_key(name))
            }
        }
    }
}

pub(super) fn answer(call: &mut Call<'_>) -> Result<Answer, DataverseError> {
    let path = call.exchange.request.path().to_owned();
    let below: Vec<&str> = path.trim_end_matches('/').split('/').skip(4).collect();
    let [first, below @ ..] = below.as_slice() else { return Err(DataverseError::NotFound) };
    if call.writes() {
        let method = call.exchange.request.method.clone();
        let what = format!("{} {method}", excerpt(first));
        call.exchange.trail.not_built(what, not_built::DEFINITIONS_HERE);
        return Err(DataverseError::NotImplemented);
    }
    call.ask(|list, _, _| principal::ask_no_role(list))?;
    let schema = Arc::clone(&call.schema);
    let options = list::options(call)?;
    let segment = ResourceSegment::parse(first).map_err(|_| DataverseError::QuerySyntax)?;
    let key = key(&segment, &options)?;
    let Some(key) = key else {
        let [] = below else { return Err(call.leads_nowhere()) };
        expect_table(call, &options);
        let all = schema.tables().map(|table| (metadata::entity(table), Some((table, None)))).collect();
        let found = chosen(call, all, Type::Entity, &options)?;
        return Ok(many(call, SET, &options, &found));
    };
    let table = match &key {
        Key::Name(name) => schema.table(name),
        Key::Id(id) => schema.tables().find(|table| metadata::entity_id(*table) == *id),
    };
    let Some(table) = table else {
        return Err(no_table(call, key));
    };
    call.exchange.trail.fact("table", table.name().to_owned());
    match below {
        [] => one(call, SET, (metadata::entity(table), Some((table, None))), Type::Entity, &options),
        ["Attributes", rest @ ..] => attributes(call, table, None, rest, &options),
        [segment, rest @ ..] if segment.starts_with("Attributes(") => {
            attributes(call, table, Some(segment), rest, &options)
        }
        [part, ..] => {
            if not_built::entity_property(part.split('(').next().unwrap_or_default()) {
                call.exchange.trail.not_built(excerpt(part), not_built::DEFINITIONS_HERE);
                return Err(DataverseError::NotImplemented);
            }
            Err(DataverseError::ResourceNotFound { segment: cut(part) })
        }
    }
}

/// What stands in a segment's parentheses.
enum Key {
    Name(String),
    Id(String),
}

fn key(segment: &ResourceSegment, options: &QueryOptions) -> Result<Option<Key>, DataverseError> {
    let named = segment.named_literals("MetadataId", |name| options.alias(name));
    match named.map_err(|_| DataverseError::QuerySyntax)?.as_slice() {
        [] => Ok(None),
        [(name, Literal::String(text))] if name == "LogicalName" => Ok(Some(Key::Name(text.clone()))),
        [(name, Literal::Guid(id))] if name == "MetadataId" => Ok(Some(Key::Id(id.to_string()))),
        _ => Err(DataverseError::QuerySyntax),
    }
}

fn no_table(call: &mut Call<'_>, key: Key) -> DataverseError {
    let (name, id) = match key {
        Key::Name(name) => (name, NOBODY.to_owned()),
        Key::Id(id) => (String::new(), id),
    };
    if not_built::table(&name) {
        call.exchange.trail.not_built(format!("the table {name}"), not_built::SETS_HERE);
    } else {
        let schema = Arc::clone(&call.schema);
        let tables: Vec<&str> = schema.tables().map(Table::name).collect();
        let what = format!("the table '{}'", excerpt(&name));
        call.exchange.trail.refused(what, format!("one of {}", tables.join(", ")));
    }
    DataverseError::NoEntityMetadata { name: cut(&name), id }
}

/// Says that a table which a filter asks for is one that real organisations have and this lab has not.
fn expect_table(call: &mut Call<'_>, options: &QueryOptions) {
    let asked = options.filter.as_ref().and_then(|filter| required(filter, "LogicalName"));
    if let Some(name) = asked
        && not_built::table(name)
    {
        call.exchange.trail.not_built(format!("the table {name}"), not_built::SETS_HERE);
    }
}

/// The text that a property has to be for a filter to hold.
fn required<'f>(filter: &'f Syntax, property: &str) -> Option<&'f str> {
    match filter {
        Syntax::Binary(Binary::And, left, right) => {
            required(left, property).or_else(|| required(right, property))
        }
        Syntax::Binary(Binary::Equal, left, right) => match (&**left, &**right) {
            (Syntax::Path(path), Syntax::Literal(Literal::String(text)))
            | (Syntax::Literal(Literal::String(text)), Syntax::Path(path)) => {
                (path.as_slice() == [property]).then_some(text)
            }
            _ => None,
        },
        _ => None,
    }
}

/// `Attributes`, one of them, and what can follow: a type, and the options of one.
fn attributes(
    call: &mut Call<'_>,
    table: Table<'_>,
    segment: Option<&str>,
    rest: &[&str],
    options: &QueryOptions,
) -> Result<Answer, DataverseError> {
    let (cast, rest) = match rest {
        [name, rest @ ..] if name.starts_with(not_built::PREFIX) => {
            let bare = name.trim_start_matches(not_built::PREFIX);
            if !metadata::casts(&call.schema, bare) && bare != "AttributeMetadata" {
                return Err(DataverseError::ResourceNotFound { segment: cut(name) });
            }
            (Some(bare).filter(|bare| *bare != "AttributeMetadata"), rest)
        }
        rest => (None, rest),
    };
    let kind = Type::Attribute(cast);
    let of_cast = |column: &Column<'_>| cast.is_none_or(|cast| metadata::cast(*column) == cast);
    let place = format!("{SET}('{}')/Attributes", table.name());
    let typed = cast.map(|cast| format!("/{}{cast}", not_built::PREFIX)).unwrap_or_default();
    let Some(segment) = segment else {
        let [] = rest else { return Err(call.leads_nowhere()) };
        let columns = metadata::defined(table).filter(of_cast);
        let all = columns.map(|column| (metadata::attribute(column), Some((table, Some(column)))));
        let found = chosen(call, all.collect(), kind, options)?;
        return Ok(many(call, &format!("{place}{typed}"), options, &found));
    };
    let segment = ResourceSegment::parse(segment).map_err(|_| DataverseError::QuerySyntax)?;
    let asked = key(&segment, options)?.ok_or(DataverseError::QuerySyntax)?;
    let found = metadata::defined(table).filter(of_cast).find(|column| match &asked {
        Key::Name(name) => column.name() == name,
        Key::Id(id) => metadata::attribute_id(*column) == *id,
    });
    let Some(column) = found else {
        let (Key::Name(name) | Key::Id(name)) = asked;
        let columns = format!("a column of {}", table.name());
        call.exchange.trail.refused(format!("the column '{}'", excerpt(&name)), columns);
        return Err(DataverseError::NoAttributeMetadata { name: cut(&name), entity: table.name().into() });
    };
    let place = format!("{place}({}){typed}", metadata::attribute_id(column));
    match rest {
        [] => {
            let definition = (metadata::attribute(column), Some((table, Some(column))));
            one(call, &place, definition, kind, options)
        }
        ["OptionSet"] if cast.is_some() => {
            let set = metadata::option_set(column);
            let set = set.ok_or(DataverseError::ResourceNotFound { segment: "OptionSet".to_owned() })?;
            let shown = options_of(&set, options)?;
            let context = format!("{}/$metadata#{place}/OptionSet/$entity", call.root);
            let mut body = Map::new();
            body.insert("@odata.context".to_owned(), json!(context));
            body.extend(shown);
            Ok(json_answer(StatusCode::OK, &Value::Object(body)))
        }
        [next, ..] => Err(DataverseError::ResourceNotFound { segment: cut(next) }),
    }
}

/// A definition, and whose it is: what can be expanded hangs on that.
type Found<'s> = (Definition, Option<(Table<'s>, Option<Column<'s>>)>);

/// The definitions that pass the filter, with what is selected and expanded.
fn chosen(
    call: &mut Call<'_>,
    all: Vec<Found<'_>>,
    kind: Type<'_>,
    options: &QueryOptions,
) -> Result<Vec<Definition>, DataverseError> {
    if let Some(filter) = &options.filter {
        check(call, filter, kind)?;
    }
    if !options.orderby.is_empty() || options.top.is_some() {
        call.exchange.trail.not_built("$orderby and $top of definitions", not_built::DEFINITIONS_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    expands(call, options, kind)?;
    let passes = |found: &Found<'_>| options.filter.as_ref().is_none_or(|filter| holds(filter, &found.0));
    all.into_iter().filter(passes).map(|found| shaped(call, found, kind, options)).collect()
}

/// Whether `$select` names what is there.
fn expands(call: &mut Call<'_>, options: &QueryOptions, kind: Type<'_>) -> Result<(), DataverseError> {
    for name in options.select.iter().flatten().filter(|name| *name != "*") {
        known(call, name, kind)?;
    }
    Ok(())
}

/// Whether a filter names properties that are here, and compares.
fn check(call: &mut Call<'_>, filter: &Syntax, kind: Type<'_>) -> Result<(), DataverseError> {
    match filter {
        Syntax::Path(path) => known(call, path.first().map_or("", String::as_str), kind),
        Syntax::Binary(_, left, right) => {
            check(call, left, kind)?;
            check(call, right, kind)
        }
        Syntax::Unary(_, inner) => check(call, inner, kind),
        Syntax::Call { name, .. } => {
            let function = ["contains", "startswith", "endswith"].into_iter().find(|one| one == name);
            call.exchange.trail.refused(format!("{} in $filter", excerpt(name)), "comparisons");
            match function {
                Some(name) => Err(DataverseError::MetadataFunction { name }),
                None => Err(DataverseError::InvalidQueryOption),
            }
        }
        Syntax::Lambda { .. } => Err(DataverseError::InvalidQueryOption),
        Syntax::Literal(_) | Syntax::Alias(_) | Syntax::Bracketed(_) | Syntax::List(_) => Ok(()),
    }
}

/// Whether a definition satisfies a filter: comparisons of its members, `and`, `or`, `not`.
fn holds(filter: &Syntax, definition: &Definition) -> bool {
    match filter {
        Syntax::Binary(Binary::And, left, right) => holds(left, definition) && holds(right, definition),
        Syntax::Binary(Binary::Or, left, right) => holds(left, definition) || holds(right, definition),
        Syntax::Unary(Unary::Not, inner) => !holds(inner, definition),
        Syntax::Binary(operator, left, right) => {
            let (left, right) = (member(left, definition), member(right, definition));
            let same = match (&left, &right) {
                (Value::String(one), Value::String(other)) => equal_text(one, other, true),
                (one, other) => one == other,
            };
            let order = left.as_f64().zip(right.as_f64()).and_then(|(one, other)| one.partial_cmp(&other));
            match operator {
                Binary::Equal => same,
                Binary::NotEqual => !same,
                Binary::GreaterThan => order.is_some_and(std::cmp::Ordering::is_gt),
                Binary::GreaterThanOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
                Binary::LessThan => order.is_some_and(std::cmp::Ordering::is_lt),
                Binary::LessThanOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
                _ => false,
            }
        }
        one => member(one, definition) == Value::Bool(true),
    }
}

/// A literal, or a member at its path.
fn member(syntax: &Syntax, definition: &Definition) -> Value {
    match syntax {
        Syntax::Literal(literal) => literal.to_json(),
        Syntax::Path(path) => {
            let mut names = path.iter();
            let first = names.next().and_then(|name| definition.get(name));
            names.try_fold(first, |value, name| Some(value?.get(name))).flatten().cloned().unwrap_or_default()
        }
        _ => Value::Null,
    }
}

fn known(call: &mut Call<'_>, name: &str, kind: Type<'_>) -> Result<(), DataverseError> {
    if kind.has(&call.schema, name) {
        return Ok(());
    }
    if kind.unbuilt(name) {
        let what = format!("the property {name} of {}", kind.name());
        call.exchange.trail.not_built(what, not_built::DEFINITIONS_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    Err(DataverseError::PropertyNotFound { property: cut(name), entity: kind.name().into() })
}

/// What a query shows of a definition: what it selects, the id, and what it expands.
fn shaped(
    call: &mut Call<'_>,
    (definition, of): Found<'_>,
    kind: Type<'_>,
    options: &QueryOptions,
) -> Result<Definition, DataverseError> {
    let mut shown = selected(definition, options);
    for expand in &options.expand {
        let name = expand.navigation.as_str();
        let nested = expand.options.as_deref().map(QueryOptions::nested).transpose();
        let nested = nested.map_err(|error| call.unreadable(&error))?.unwrap_or_default();
        match (kind, of, name) {
            (Type::Entity, Some((table, _)), "Attributes") => {
                let all = metadata::defined(table);
                let all = all.map(|column| (metadata::attribute(column), Some((table, Some(column)))));
                let inner = chosen(call, all.collect(), Type::Attribute(None), &nested)?;
                shown.insert(name.to_owned(), json!(inner));
            }
            (Type::Attribute(Some(_)), Some((_, Some(column))), "OptionSet" | "GlobalOptionSet") => {
                let set = metadata::option_set(column);
                let Some(set) = set else { return Err(unknown(kind, name)) };
                // the choices here have sets of their own
                let value = match name {
                    "OptionSet" => Value::Object(options_of(&set, &nested)?),
                    _ => Value::Null,
                };
                shown.insert(name.to_owned(), value);
            }
            // the types in common have neither
            (Type::Attribute(None), _, "OptionSet" | "GlobalOptionSet") => return Err(unknown(kind, name)),
            _ if kind.unbuilt(name) => {
                call.exchange.trail.not_built(format!("$expand={name}"), not_built::DEFINITIONS_HERE);
                return Err(DataverseError::InvalidQueryOption);
            }
            _ => return Err(unknown(kind, name)),
        }
    }
    Ok(shown)
}

fn unknown(kind: Type<'_>, name: &str) -> DataverseError {
    DataverseError::PropertyNotFound { property: cut(name), entity: kind.name().into() }
}

/// What `$select` keeps, in its order; the type and the id come with every selection.
fn selected(mut definition: Definition, options: &QueryOptions) -> Definition {
    let Some(select) = options.select.as_ref().filter(|select| !select.iter().any(|name| name == "*")) else {
        return definition;
    };
    let mut shown = Definition::new();
    let names = ["@odata.type"].into_iter().chain(select.iter().map(String::as_str)).chain(["MetadataId"]);
    for name in names {
        if let Some((name, value)) = definition.remove_entry(name) {
            shown.insert(name, value);
        }
    }
    shown
}

/// An option set as `$select` asks.
fn options_of(set: &Definition, options: &QueryOptions) -> Result<Definition, DataverseError> {
    for name in options.select.iter().flatten().filter(|name| *name != "*") {
        if !set.contains_key(name.as_str()) {
            return Err(DataverseError::PropertyNotFound {
                property: cut(name),
                entity: "OptionSetMetadata".into(),
            });
        }
    }
    Ok(selected(set.clone(), options))
}

/// What stands behind a context's place: selected and expanded properties.
fn selection(options: &QueryOptions) -> String {
    let names = names(options);
    if names.is_empty() { String::new() } else { format!("({})", names.join(",")) }
}

/// Selected and expanded properties, these with their own in parentheses; nothing else that is asked of them.
fn names(options: &QueryOptions) -> Vec<String> {
    let selected = options.select.iter().flatten().filter(|name| *name != "*");
    let mut names: Vec<String> = selected.cloned().collect();
    names.extend(options.expand.iter().map(|item| {
        // what cannot be read was refused before there was anything to say it of
        let inner = item.options.as_deref().and_then(|text| QueryOptions::nested(text).ok());
        inner.map_or_else(
            || item.navigation.clone(),
            |inner| format!("{}({})", item.navigation, self::names(&inner).join(",")),
        )
    }));
    names
}

fn many(call: &Call<'_>, place: &str, options: &QueryOptions, found: &[Definition]) -> Answer {
    let mut body = Map::new();
    let context = format!("{}/$metadata#{place}{}", call.root, selection(options));
    body.insert("@odata.context".to_owned(), json!(context));
    if options.count {
        body.insert("@odata.count".to_owned(), json!(found.len()));
    }
    body.insert("value".to_owned(), json!(found));
    json_answer(StatusCode::OK, &Value::Object(body))
}

fn one(
    call: &mut Call<'_>,
    place: &str,
    found: Found<'_>,
    kind: Type<'_>,
    options: &QueryOptions,
) -> Result<Answer, DataverseError> {
    expands(call, options, kind)?;
    let shown = shaped(call, found, kind, options)?;
    let mut body = Map::new();
    let context = format!("{}/$metadata#{place}{}/$entity", call.root, selection(options));
    body.insert("@odata.context".to_owned(), json!(context));
    body.extend(shown);
    Ok(json_answer(StatusCode::OK, &Value::Object(body)))
}
