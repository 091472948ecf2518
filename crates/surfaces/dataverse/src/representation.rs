//! Rows and refusals as the Web API writes them.
//!
//! Decides contexts, entity tags, annotations and the error envelope. Never decides what is answered. Lookups are
//! `_name_value`; formatted values and lookup annotations come only where `Prefer: odata.include-annotations` asks.

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_odata::Preferences;
use mocktenant_tables::{Key, Row, Selection};
use serde_json::{Map, Value, json};

use crate::errors::DataverseError;
use crate::formatted;
use crate::operations::expand::Expansion;
use crate::principal::Principal;
use crate::schema::{self, Kind, Table, by_logical};
use crate::store::Reader;

const MINIMAL: &str = "application/json; odata.metadata=minimal";

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// A JSON answer of the Web API.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Answer {
    json_bytes(status, body.to_string().into_bytes())
}

/// The same of a document that is written already.
pub(crate) fn json_bytes(status: StatusCode, body: Vec<u8>) -> Answer {
    Answer::typed(status, Content::Json(body.into(), MINIMAL))
}

/// Which annotations of a lookup a request asks for. Decided once: a preference may be a long list, and a page has many
/// lookups.
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

/// What a request asks of representations.
pub(crate) struct Shape<'a> {
    /// Service root of the request, `https://<host>/api/data/v9.2`.
    pub(crate) root: &'a str,
    /// Columns of `$select`; `None` for all.
    pub(crate) select: Option<&'a [String]>,
    /// The same, ready to be asked of every row.
    pub(crate) selection: Selection<'a>,
    /// Annotations asked for.
    pub(crate) annotations: Annotations,
    /// Related rows that come with it.
    pub(crate) expand: &'a [Expansion],
    /// Who is asking: of related rows, only those in its reach are shown.
    pub(crate) principal: &'a Principal,
}

impl Shape<'_> {
    /// The context of a set, `...$metadata#accounts(name)`.
    pub(crate) fn context(&self, table: &Table) -> String {
        let set = table.set;
        let shown = shown(self.select, self.expand);
        if shown.is_empty() {
            format!("{}/$metadata#{set}", self.root)
        } else {
            format!("{}/$metadata#{set}({shown})", self.root)
        }
    }

    /// One row on its own.
    pub(crate) fn entity(&self, reader: &Reader<'_>, table: &Table, row: &Row) -> Value {
        let mut members = Map::new();
        members.insert("@odata.context".to_owned(), json!(format!("{}/$entity", self.context(table))));
        members.extend(self.members(reader, table, row));
        Value::Object(members)
    }

    /// One row within a set: entity tag, columns, annotations.
    pub(crate) fn members(&self, reader: &Reader<'_>, table: &Table, row: &Row) -> Map<String, Value> {
        // the primary key comes with every selection
        let selected = |name: &str| name == table.id || self.selection.has(name);
        let mut members = Map::new();
        members.insert("@odata.etag".to_owned(), json!(row.etag()));
        for column in table.all_columns().filter(|column| selected(column.name)) {
            let value = match column.kind {
                Kind::Version => json!(row.version),
                _ => row.get(column.name).cloned().unwrap_or_default(),
            };
            match (column.kind, value.as_str()) {
                (Kind::Lookup { navigation, target, or }, Some(id)) => {
                    let found = |(_, target): &(&str, &str)| named(reader, target, id).is_some();
                    let (navigation, target) = or.filter(found).unwrap_or((navigation, target));
                    self.annotate(reader, column.name, navigation, target, id, &mut members);
                }
                _ if self.annotations.formatted => {
                    if let Some(text) = formatted::value(reader, table, column, row, &value) {
                        members.insert(format!("{}@{FORMATTED}", column.name), json!(text));
                    }
                }
                _ => {}
            }
            members.insert(column.name.to_owned(), value);
        }
        for expansion in self.expand {
            members.insert(expansion.navigation.clone(), self.related(reader, expansion, row));
        }
        members
    }

    /// The row a lookup leads to; null where there is none, or none in reach.
    fn related(&self, reader: &Reader<'_>, expansion: &Expansion, row: &Row) -> Value {
        let Expansion { target, depth, select, inner, .. } = expansion;
        let found = row.text(expansion.column.name).and_then(|id| reader.table(target).get(&Key::text(id)));
        let Some(found) = found.filter(|found| self.principal.reaches(target, *depth, &found.columns)) else {
            return Value::Null;
        };
        let shape = Shape {
            root: self.root,
            select: select.as_deref(),
            selection: expansion.selection(),
            annotations: self.annotations,
            expand: inner,
            principal: self.principal,
        };
        let mut members = shape.members(reader, target, found);
        // as captured: rows below a related row have no entity tag
        for expansion in inner {
            if let Some(Value::Object(below)) = members.get_mut(&expansion.navigation) {
                below.shift_remove("@odata.etag");
            }
        }
        Value::Object(members)
    }

    fn annotate(
        &self,
        reader: &Reader<'_>,
        column: &str,
        navigation: &str,
        target: &str,
        id: &str,
        members: &mut Map<String, Value>,
    ) {
        let mut add = |annotation: &str, value: Value| {
            members.insert(format!("{column}@{annotation}"), value);
        };
        if self.annotations.formatted
            && let Some(name) = named(reader, target, id)
        {
            add(FORMATTED, name);
        }
        if self.annotations.navigation {
            add(NAVIGATION, json!(navigation));
        }
        if self.annotations.logical_name {
            add(LOGICAL_NAME, json!(target));
        }
    }
}

/// What a context says of columns and related rows.
fn shown(select: Option<&[String]>, expand: &[Expansion]) -> String {
    let all = select.is_none_or(|select| select.iter().any(|name| name == "*"));
    let mut names: Vec<String> =
        if all { Vec::new() } else { select.into_iter().flatten().cloned().collect() };
    for expansion in expand {
        let inner = shown(expansion.select.as_deref(), &expansion.inner);
        names.push(format!("{}({inner})", expansion.navigation));
    }
    names.join(",")
}

/// The primary name of a row, by its table's logical name; `None` if it is not there.
fn named(reader: &Reader<'_>, target: &str, id: &str) -> Option<Value> {
    let target = by_logical(target)?;
    let row = reader.table(target).get(&Key::text(id))?;
    Some(row.get(target.name).cloned().unwrap_or_default())
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
            let table = by_logical(entity);
            let near = table.and_then(|table| {
                table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(property))
            });
            let expected = near.map_or_else(|| format!("a column of {entity}"), |near| near.name.to_owned());
            exchange.trail.refused(format!("'{property}' in the query"), expected);
        }
        DataverseError::ResourceNotFound { segment } => {
            let sets: Vec<&str> = schema::TABLES.iter().map(|table| table.set).collect();
            let near = sets.iter().find(|set| set.eq_ignore_ascii_case(segment));
            let expected =
                near.map_or_else(|| format!("one of {}", sets.join(", ")), |near| (*near).to_owned());
            exchange.trail.refused(format!("the entity set '{segment}'"), expected);
        }
        _ => {}
    }
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
        for (name, value) in [("DuplicateAttributes", attributes.as_str()), ("DuplicateEntity", *entity)] {
            let name = format!("Microsoft.PowerApps.CDS.ErrorDetails.{name}");
            if preferences.wants_annotation(&name) {
                members.insert(format!("@{name}"), json!(value));
            }
        }
    }
    json_answer(status, &json!({ "error": members }))
}
