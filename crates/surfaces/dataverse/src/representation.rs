//! Rows and refusals as the Web API writes them.
//!
//! Decides contexts, entity tags, annotations and the error envelope. Never decides what is answered. Lookups are
//! `_name_value`; formatted values and lookup annotations come only where `Prefer: odata.include-annotations` asks, types and links
//! only where `Accept` asks for full metadata. Rows that come with a row are written by `related`.

use std::sync::Arc;

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_odata::{Guid, Preferences, Selection};
use mocktenant_schema::moment::{day_text, moment_text};
use mocktenant_schema::{Cell, CellRef, Column, Kind, Schema, Table};
use mocktenant_tables::{At, Snapshot};
use mocktenant_world::Depth;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::errors::DataverseError;
use crate::expanded::Budget;
use crate::formatted;
use crate::principal::Principal;
use crate::tables::{self, DIALECT};

mod related;

const MINIMAL: &str = "application/json; odata.metadata=minimal";

const FULL: &str = "application/json; odata.metadata=full";

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// Most contexts are shorter, in bytes.
const CONTEXT: usize = 256;

/// Digits after the point with which money travels.
const MONEY_DIGITS: u8 = 4;

/// A JSON answer of the Web API.
pub(crate) fn json_answer(status: StatusCode, body: &impl Serialize) -> Answer {
    // texts, numbers and maps of them always have a JSON form
    json_bytes(status, serde_json::to_vec(body).unwrap_or_default())
}

/// The same of a document that is written already.
pub(crate) fn json_bytes(status: StatusCode, body: Vec<u8>) -> Answer {
    Answer::typed(status, Content::Json(body.into(), MINIMAL))
}

/// How much a request wants to be told beside values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Minimal,
    /// Types of values, and the addresses of what belongs to a row.
    Full,
}

impl Detail {
    /// What `Accept` says.
    pub(crate) fn of(accept: Option<&str>) -> Self {
        let full = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
            json && parts.any(|one| one.eq_ignore_ascii_case("odata.metadata=full"))
        };
        if accept.is_some_and(|accept| accept.split(',').any(full)) { Self::Full } else { Self::Minimal }
    }

    /// The content type of rows.
    fn content_type(self) -> &'static str {
        match self {
            Self::Minimal => MINIMAL,
            Self::Full => FULL,
        }
    }
}

/// Rows that are written already, with so much beside their values.
pub(crate) fn rows(status: StatusCode, body: Vec<u8>, detail: Detail) -> Answer {
    Answer::typed(status, Content::Json(body.into(), detail.content_type()))
}

/// Which annotations of a value a request asks for. Decided once: a preference may be a long list, and a page has many
/// values.
#[derive(Clone, Copy)]
pub(crate) struct Annotations {
    formatted: bool,
    navigation: bool,
    logical_name: bool,
}

impl Annotations {
    /// What the preferences say.
    pub(crate) fn of(preferences: &Preferences) -> Self {
        Self {
            formatted: preferences.wants_annotation(FORMATTED),
            navigation: preferences.wants_annotation(NAVIGATION),
            logical_name: preferences.wants_annotation(LOGICAL_NAME),
        }
    }
}

/// How far a caller may read the rows that come with a row, in the order of `$expand`.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) depth: Depth,
    pub(crate) below: Vec<Self>,
}

/// What a request asks of representations.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// Service root of the request, `https://<host>/api/data/v9.2`.
    pub(crate) root: &'a str,
    pub(crate) rows: &'a Snapshot,
    pub(crate) selection: &'a Selection,
    /// How far the caller may read what is expanded.
    pub(crate) reach: &'a [Reach],
    /// How much may come along.
    pub(crate) budget: &'a Budget,
    pub(crate) annotations: Annotations,
    /// Who is asking: of related rows, only those in its reach are shown.
    pub(crate) principal: &'a Principal,
    pub(crate) detail: Detail,
    /// Whether the row carries an entity tag.
    pub(crate) tagged: bool,
    /// Of the rows of a list, the most that come with one of them at a time; nothing for a row on its own.
    pub(crate) list: Option<u64>,
    /// Whether what is expanded is expanded itself, anywhere.
    pub(crate) nested: bool,
    /// The lookup by which the row came with another.
    pub(crate) link: Option<Column<'a>>,
}

impl<'a> Shape<'a> {
    /// The context of a set, `...$metadata#accounts(name)`.
    pub(crate) fn context(&self, table: Table<'_>) -> String {
        let mut context = String::with_capacity(CONTEXT);
        context.extend([self.root, "/$metadata#", table.set()]);
        let open = context.len();
        shown(&mut context, self.rows, table, self.selection);
        if context.len() > open {
            context.insert(open, '(');
            context.push(')');
        }
        context
    }

    /// One row within a set: entity tag, columns, annotations.
    pub(crate) fn members(self, at: At<'a>) -> Members<'a> {
        Members { shape: self, at, context: None }
    }

    /// One row on its own.
    pub(crate) fn entity(self, table: Table<'_>, at: At<'a>) -> Members<'a> {
        let mut context = self.context(table);
        context.push_str("/$entity");
        Members { shape: self, at, context: Some(context) }
    }

    /// The columns of a table that are answered: those asked for in their order, what comes with them, and the key.
    fn columns(&self, table: Table<'a>) -> Vec<Column<'a>> {
        let Some(asked) = &self.selection.columns else { return tables::shown(table).collect() };
        let asked: Vec<Column<'a>> = asked.iter().filter_map(|column| table.at(*column)).collect();
        let mut columns = asked.clone();
        let mut add = |column: Option<Column<'a>>| {
            if let Some(column) = column.filter(|column| !columns.contains(column)) {
                columns.push(column);
            }
        };
        if asked.iter().any(|column| formatted::is_amount(*column)) {
            add(table.column("transactioncurrencyid"));
        }
        // as there are so many: each has its number behind the word
        for number in ["1", "2", "3"] {
            let of =
                |name: &str| name.strip_prefix("address")?.strip_prefix(number)?.strip_prefix('_').map(drop);
            if asked.iter().any(|column| column.kind() == Kind::Text && of(column.name()).is_some()) {
                add(table.column(&format!("address{number}_composite")));
            }
        }
        // as captured: the lookup of a reference, and the one by which a row came with a row of a list
        for expansion in self.selection.expand.iter().filter(|expansion| expansion.reference) {
            add(table.navigation(&expansion.navigation).and_then(|step| step.relationship().column()));
        }
        add(self.link);
        add(table.id());
        // as captured: of a user its id as an owner comes too (users and teams are owners, whose key that is)
        add(table.column("ownerid").filter(|column| column.kind() == Kind::Id));
        columns
    }
}

/// A row as it is answered.
pub(crate) struct Members<'a> {
    shape: Shape<'a>,
    at: At<'a>,
    context: Option<String>,
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { shape, at, context } = self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(context) = context {
            map.serialize_entry("@odata.context", context)?;
        }
        let Some(table) = shape.rows.schema().at(at.table) else { return map.end() };
        let address = (shape.detail == Detail::Full).then(|| address(table, at.row));
        if let Some(address) = &address {
            let kind = format!("#{}.{}", DIALECT.namespace, table.name());
            map.serialize_entry("@odata.type", &kind)?;
            map.serialize_entry("@odata.id", &format!("{}/{address}", shape.root))?;
        }
        if shape.tagged {
            map.serialize_entry("@odata.etag", &at.row.etag())?;
        }
        if let Some(address) = &address {
            map.serialize_entry("@odata.editLink", address)?;
        }
        for column in shape.columns(table) {
            value(&mut map, shape, column, *at)?;
        }
        for (index, expansion) in shape.selection.expand.iter().enumerate() {
            shape.expanded(&mut map, (table, *at), expansion, shape.reach.get(index))?;
        }
        if let Some(address) = &address {
            shape.links(&mut map, table, address)?;
        }
        if shape.budget.is_spent() {
            return Err(serde::ser::Error::custom("more comes along than may"));
        }
        map.end()
    }
}

/// The address of a row below the service root, `accounts(<id>)`.
fn address(table: Table<'_>, row: &mocktenant_tables::Row) -> String {
    format!("{}({})", table.set(), id_text(table, row))
}

/// Writes a column with its annotations.
fn value<M: SerializeMap>(
    map: &mut M,
    shape: &Shape<'_>,
    column: Column<'_>,
    at: At<'_>,
) -> Result<(), M::Error> {
    let name = DIALECT.property(column);
    let cell = match column.kind() {
        Kind::Version => CellRef::Whole(i64::try_from(at.row.version()).unwrap_or(i64::MAX)),
        _ => at.row.value(column),
    };
    let Annotations { formatted, navigation, logical_name } = shape.annotations;
    if column.kind() == Kind::Lookup {
        let asked = !cell.is_null() && (formatted || navigation || logical_name);
        if let Some(named) = asked.then(|| formatted::named(shape.rows, column, cell)).flatten() {
            if let Some(text) = named.name.filter(|_| formatted) {
                map.serialize_entry(&format!("{name}@{FORMATTED}"), &text)?;
            }
            // as captured: who made a row is no property that is followed
            if navigation && !matches!(column.name(), "createdby" | "modifiedby") {
                map.serialize_entry(&format!("{name}@{NAVIGATION}"), named.navigation)?;
            }
            if logical_name {
                map.serialize_entry(&format!("{name}@{LOGICAL_NAME}"), named.table)?;
            }
        }
    } else if let Some(text) =
        formatted.then(|| formatted::value(shape.rows, column, at, cell, &shape.principal.zone)).flatten()
    {
        map.serialize_entry(&format!("{name}@{FORMATTED}"), &text)?;
    }
    if shape.detail == Detail::Full
        && let Some(kind) = related::kind(column).filter(|_| !cell.is_null())
    {
        map.serialize_entry(&format!("{name}@odata.type"), kind)?;
    }
    map.serialize_key(&*name)?;
    map.serialize_value(&Written { column, cell })
}

/// A value as the Web API writes it.
pub(crate) struct Written<'v> {
    pub(crate) column: Column<'v>,
    pub(crate) cell: CellRef<'v>,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.cell {
            CellRef::Null => serializer.serialize_unit(),
            CellRef::Flag(flag) => serializer.serialize_bool(flag),
            CellRef::Whole(whole) => serializer.serialize_i64(whole),
            CellRef::Decimal(number) => {
                let digits = match self.column.kind() {
                    Kind::Money => MONEY_DIGITS,
                    _ => self.column.precision(),
                };
                raw(number.fixed(digits), serializer)
            }
            CellRef::Double(double) => serializer.serialize_f64(double),
            CellRef::Text(text) => serializer.serialize_str(text),
            CellRef::Id(id) => serializer.serialize_str(id.write(&mut [0; Guid::LENGTH])),
            CellRef::Moment(moment) => serializer.serialize_str(&moment_text(moment)),
            CellRef::Day(day) => serializer.serialize_str(&day_text(day)),
        }
    }
}

/// A number with its digits.
pub(crate) fn raw<S: Serializer>(digits: String, serializer: S) -> Result<S::Ok, S::Error> {
    // digits with a point are JSON
    RawValue::from_string(digits).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

/// The id of a row as texts show it.
pub(crate) fn id_text(table: Table<'_>, row: &mocktenant_tables::Row) -> String {
    let id = table.id().and_then(|column| row.value(column).as_id());
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// A cell as a fact shows it.
pub(crate) fn told(cell: &Cell) -> String {
    match crate::store::plain(cell) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Appends what a context says of columns and related rows.
fn shown(context: &mut String, rows: &Snapshot, table: Table<'_>, selection: &Selection) {
    let begin = context.len();
    let mut part = |name: &[&str]| {
        if context.len() > begin {
            context.push(',');
        }
        context.extend(name.iter().copied());
    };
    for column in selection.columns.iter().flatten().filter_map(|column| table.at(*column)) {
        part(&[&*DIALECT.property(column)]);
    }
    for link in &selection.links {
        part(&[link]);
    }
    for expansion in &selection.expand {
        if expansion.reference {
            // as captured: the property, and what of it
            part(&[&expansion.navigation]);
            part(&[&expansion.navigation, "/$ref()"]);
            continue;
        }
        let mut inner = String::new();
        if let Some(target) = rows.schema().at(expansion.table) {
            shown(&mut inner, rows, target, &expansion.selection);
        }
        part(&[&expansion.navigation, "(", &inner, ")"]);
    }
}

/// The preferences of a request.
pub(crate) fn preferences(exchange: &Exchange) -> Preferences {
    let values = exchange.request.headers.get_all("prefer");
    Preferences::parse(values.iter().filter_map(|value| value.to_str().ok()))
}

/// Records which name of a request nobody has, and the nearest spelling, for the answer says only the first.
pub(crate) fn tell_unknown_name(exchange: &mut Exchange, error: &DataverseError) {
    match error {
        DataverseError::PropertyNotFound { property, entity } => {
            let schema = schema_of(exchange);
            let near = schema.table(entity).and_then(|table| {
                tables::shown(table).map(tables::property).find(|name| name.eq_ignore_ascii_case(property))
            });
            let expected = near.unwrap_or_else(|| format!("a column of {entity}"));
            exchange.trail.refused(format!("'{property}' in the query"), expected);
        }
        DataverseError::ResourceNotFound { segment } => {
            let schema = schema_of(exchange);
            let sets: Vec<&str> = schema.tables().map(Table::set).collect();
            let near = sets.iter().find(|set| set.eq_ignore_ascii_case(segment));
            let expected =
                near.map_or_else(|| format!("one of {}", sets.join(", ")), |near| (*near).to_owned());
            exchange.trail.refused(format!("the entity set '{segment}'"), expected);
        }
        _ => {}
    }
}

/// The tables of the organisation that answers.
fn schema_of(exchange: &Exchange) -> Arc<Schema> {
    let context = &exchange.context;
    let organization = context.organization().and_then(|name| context.world().organization(name));
    organization.map_or_else(tables::built_in, |organization| tables::of(organization))
}

/// A refusal: the error envelope, or an empty body where the catalogue has only a status.
pub(crate) fn refusal(exchange: &mut Exchange, error: &DataverseError) -> Answer {
    let row = error.row();
    exchange.trail.record_error(row.id);
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = error.text();
    if matches!(error, DataverseError::NoHttpResource { .. }) {
        return json_answer(status, &json!({ "error": { "code": "", "message": message } }));
    }
    if !row.id.starts_with("0x") {
        return Answer::empty(status).with("content-length", "0");
    }
    let mut members = Map::new();
    members.insert("code".to_owned(), json!(row.id));
    members.insert("message".to_owned(), json!(message));
    let preferences = preferences(exchange);
    let code = row.id.trim_start_matches("0x");
    let help = format!(
        "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{code}&client=platform"
    );
    for (name, value) in [
        ("Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus", "0"),
        ("Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode", "-2146233088"),
        ("Microsoft.PowerApps.CDS.HelpLink", help.as_str()),
        ("Microsoft.PowerApps.CDS.TraceText", ""),
        ("Microsoft.PowerApps.CDS.InnerError.Message", message.as_str()),
    ] {
        if preferences.wants_annotation(name) {
            members.insert(format!("@{name}"), json!(value));
        }
    }
    if let DataverseError::DuplicateRecordEntityKey { entity, attributes, .. } = error {
        for (name, value) in [("DuplicateAttributes", attributes.as_str()), ("DuplicateEntity", &**entity)] {
            let name = format!("Microsoft.PowerApps.CDS.ErrorDetails.{name}");
            if preferences.wants_annotation(&name) {
                members.insert(format!("@{name}"), json!(value));
            }
        }
    }
    json_answer(status, &json!({ "error": members }))
}
