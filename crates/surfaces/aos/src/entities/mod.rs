//! Public data entities: their columns and keys as data, and what every one of them has in common.
//!
//! Decides how a record looks on the wire (context, entity tag, selected columns), which records a request sees (the
//! user's default company, or all with `cross-company=true`) and how a key in a URL is read. Writing is each entity's
//! own. Only the columns the first cut needs are described; a column of the real entity that is not here is kept as sent.

mod customers;
mod reference;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use mocktenant_lab::{Answer, Content, Exchange, Listing};
use mocktenant_odata::{Literal, QueryOptions, ResourceSegment, equal_text, percent_encode};
use mocktenant_tables::{Columns, Database, Query, Reference, Row, Schema, Selection, Snapshot};
use serde_json::{Map, Value};

use crate::bearer::Caller;
use crate::errors::ODataError;

pub(crate) use customers::{WriteError, create, delete, update};

/// The content type of every OData answer.
const JSON: &str = "application/json; odata.metadata=minimal";
/// Most records of one page (Microsoft Learn, finance and operations: Open Data Protocol).
const PAGE: u64 = 10_000;
/// Records that are written before others have the thread for a moment.
const AT_ONCE: usize = 256;

/// The value of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text, empty by default.
    Text,
    /// Text with a default.
    TextOr(&'static str),
    /// A number, 0 by default.
    Real,
    /// An enumeration by its member names; the first is the default.
    Enumeration(&'static [&'static str]),
}

impl Kind {
    fn default(self) -> Value {
        match self {
            Self::Text => Value::from(""),
            Self::TextOr(default) => Value::from(default),
            Self::Real => Value::from(0),
            Self::Enumeration(members) => Value::from(members.first().copied().unwrap_or_default()),
        }
    }
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// A column whose value has to exist elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relation {
    /// Column, its label, and what the related table is called.
    pub(crate) column: &'static str,
    pub(crate) label: &'static str,
    pub(crate) table: &'static str,
    /// Entity set that has the rows.
    pub(crate) set: &'static str,
    /// Its key, from columns of the referring row in the order of the key.
    pub(crate) key: &'static [&'static str],
}

/// One entity.
#[derive(Debug)]
pub(crate) struct Entity {
    /// Entity set.
    pub(crate) set: &'static str,
    /// The entity's own name, as texts call it.
    pub(crate) name: &'static str,
    /// Key columns.
    pub(crate) key: &'static [&'static str],
    /// All described columns, in the order answered.
    pub(crate) columns: &'static [Column],
    /// Columns that may not be empty, with their labels.
    pub(crate) mandatory: &'static [(&'static str, &'static str)],
    /// Columns that name rows of other entities.
    pub(crate) relations: &'static [Relation],
    /// Whether it can be written.
    pub(crate) writable: bool,
}

/// Every entity of this cut. A set whose rows refer to others comes after them.
pub(crate) static ENTITIES: [Entity; 4] =
    [reference::LEGAL_ENTITIES, reference::CURRENCIES, reference::CUSTOMER_GROUPS, customers::CUSTOMERS];

/// The column that says which company a record belongs to.
pub(crate) const COMPANY: &str = "dataAreaId";

impl Entity {
    /// The entity of a set's name.
    fn find(set: &str) -> Option<&'static Self> {
        ENTITIES.iter().find(|entity| entity.set.eq_ignore_ascii_case(set))
    }

    /// Its table.
    pub(crate) fn schema(&self) -> Schema {
        Schema::new(self.set, self.key.iter().copied())
    }

    /// Whether records belong to a company.
    fn by_company(&self) -> bool {
        self.key.contains(&COMPANY)
    }

    /// A row with every described column, in their order; unknown ones follow.
    pub(crate) fn completed(&self, mut row: Columns) -> Columns {
        let mut whole = Columns::new();
        for column in self.columns {
            let given = row.remove(column.name).filter(|value| !value.is_null());
            whole.insert(column.name.to_owned(), given.unwrap_or_else(|| column.kind.default()));
        }
        if let Some(Value::String(company)) = whole.get_mut(COMPANY) {
            // Finance & Operations keeps company ids in lower case.
            *company = company.to_lowercase();
        }
        whole.extend(row);
        whole
    }

    /// Changes with null turned into the column's default: a column of Finance & Operations is never null.
    fn without_nulls(&self, mut changes: Columns) -> Columns {
        for column in self.columns {
            if let Some(value) = changes.get_mut(column.name).filter(|value| value.is_null()) {
                *value = column.kind.default();
            }
        }
        changes
    }

    fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// What a key of this entity needs.
    fn key_error(&self) -> ODataError {
        ODataError::KeyInvalid { set: self.set.to_owned(), keys: self.key.join(", ") }
    }
}

/// What a request's path names.
pub(crate) struct Target {
    pub(crate) entity: &'static Entity,
    /// One record, or the whole set.
    pub(crate) record: Option<Reference>,
}

/// Reads the last segment of a path below `/data`.
pub(crate) fn target(raw: &str, options: &QueryOptions) -> Result<Target, ODataError> {
    let name = raw.split(['(', '%']).next().unwrap_or_default();
    let segment = match (Entity::find(name), ResourceSegment::parse(raw)) {
        (_, Ok(segment)) => segment,
        (Some(entity), Err(_)) => return Err(entity.key_error()),
        (None, Err(_)) => return Err(ODataError::UnknownResource),
    };
    let entity = Entity::find(&segment.name).ok_or(ODataError::UnknownResource)?;
    let single = match entity.key {
        [only] => only,
        _ => "",
    };
    let named: Vec<(String, Literal)> =
        segment.named_literals(single, |name| options.alias(name)).map_err(|_| entity.key_error())?;
    let record = if segment.arguments == mocktenant_odata::Arguments::None {
        None
    } else {
        Some(entity.schema().reference(&named).map_err(|_| entity.key_error())?)
    };
    Ok(Target { entity, record })
}

/// The methods a target takes, as `Allow` lists them.
pub(crate) fn allowed(target: &Target) -> &'static [Method] {
    const READ: &[Method] = &[Method::GET];
    const SET: &[Method] = &[Method::GET, Method::POST];
    const RECORD: &[Method] = &[Method::GET, Method::PATCH, Method::DELETE];
    match (&target.record, target.entity.writable) {
        (_, false) => READ,
        (None, true) => SET,
        (Some(_), true) => RECORD,
    }
}

/// Which records a request sees.
#[derive(Clone)]
pub(crate) struct Visible {
    all: bool,
    company: Option<String>,
}

impl Visible {
    /// The caller's default company, unless the request asks for all.
    pub(crate) fn new(caller: &Caller, options: &QueryOptions) -> Self {
        let all = options.other("cross-company").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Self { all, company: caller.company.clone() }
    }

    pub(crate) fn shows(&self, entity: &Entity, row: &Row) -> bool {
        match (&self.company, entity.by_company() && !self.all) {
            (Some(company), true) => row.text(COMPANY).is_some_and(|own| equal_text(own, company, true)),
            _ => true,
        }
    }
}

/// `GET` of a set or a record.
pub(crate) async fn read(
    exchange: &mut Exchange,
    database: &Database,
    target: &Target,
    visible: &Visible,
    options: &QueryOptions,
) -> Result<Answer, ODataError> {
    if options.expand.is_some() {
        return Err(ODataError::QueryInvalid { why: "$expand is not supported for this entity".to_owned() });
    }
    let entity = target.entity;
    let snapshot = database.snapshot();
    let Some(reference) = &target.record else {
        return list(exchange, &snapshot, entity, visible, options).await;
    };
    let select = options.select.as_deref();
    let table = snapshot.table(entity.set).ok_or(ODataError::Internal)?;
    let row =
        table.find(reference).filter(|row| visible.shows(entity, row)).ok_or(ODataError::UnknownRecord)?;
    let mut body = Map::new();
    body.insert("@odata.context".into(), Value::from(context(exchange, entity, select, true)));
    body.extend(on_the_wire(row, &Selection::of(select)));
    Ok(json(StatusCode::OK, &body))
}

/// The records of a set, one page of them: at most [`PAGE`], fewer where they are large.
async fn list(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    entity: &'static Entity,
    visible: &Visible,
    options: &QueryOptions,
) -> Result<Answer, ODataError> {
    let query = Query { page_size: Some(PAGE), ..Query::new(options) };
    let among = visible.clone();
    let page = exchange.context.query(snapshot, entity.set, query, move |row| among.shows(entity, row)).await;
    let page = page.map_err(|took_too_long| {
        exchange.trail.fact("given-up", took_too_long.to_string());
        ODataError::QueryTimeout
    })?;
    let select = options.select.as_deref();
    let mut head = Map::new();
    head.insert("@odata.context".into(), Value::from(context(exchange, entity, select, false)));
    if let Some(count) = page.count {
        head.insert("@odata.count".into(), Value::from(count));
    }
    let mut listing = Listing::new(&head, "value");
    let selection = Selection::of(select);
    for rows in page.rows.chunks(AT_ONCE) {
        if !rows.iter().all(|row| listing.push(&on_the_wire(row, &selection))) {
            break;
        }
        exchange.context.breathe().await;
    }
    let (given, mut tail) = (listing.count(), Map::new());
    if page.more || given < page.rows.len() as u64 {
        tail.insert("@odata.nextLink".into(), Value::from(next_link(exchange, entity, options, given)));
    }
    Ok(json_bytes(StatusCode::OK, listing.finish(&tail)))
}

/// A record as an answer to its creation.
pub(crate) fn created(exchange: &Exchange, entity: &Entity, row: &Row) -> Answer {
    let mut body = Map::new();
    body.insert("@odata.context".into(), Value::from(context(exchange, entity, None, true)));
    body.extend(on_the_wire(row, &Selection::of(None)));
    let key: Vec<String> = entity
        .key
        .iter()
        .map(|column| {
            format!("{column}={}", Literal::String(row.text(column).unwrap_or_default().to_owned()))
        })
        .collect();
    let segment = percent_encode(&format!("{}({})", entity.set, key.join(",")), "'(),=");
    let location = format!("{}/data/{segment}", exchange.own_base_url());
    json(StatusCode::CREATED, &body).with_text("location", &location)
}

/// An OData answer with a body.
fn json(status: StatusCode, body: &Map<String, Value>) -> Answer {
    // Maps of strings to JSON values always have a JSON form.
    json_bytes(status, serde_json::to_vec(body).unwrap_or_default())
}

/// The same of a document that is written already.
fn json_bytes(status: StatusCode, bytes: Vec<u8>) -> Answer {
    Answer::typed(status, Content::Json(bytes.into(), JSON)).with("odata-version", "4.0")
}

/// An OData answer without a body.
pub(crate) fn no_content() -> Answer {
    Answer::empty(StatusCode::NO_CONTENT).with("odata-version", "4.0")
}

/// A refusal in the OData envelope.
pub(crate) fn refusal(error: &ODataError) -> Answer {
    let status = StatusCode::from_u16(error.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::typed(status, Content::Json(error.body().into(), JSON)).with("odata-version", "4.0")
}

/// Any other error in the OData envelope.
pub(crate) fn failed(status: u16, body: String) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Answer::typed(status, Content::Json(body.into(), JSON)).with("odata-version", "4.0")
}

/// The entity tag: base64 of the quoted pair of record version and record id.
pub(crate) fn etag(row: &Row) -> String {
    format!("W/\"{}\"", STANDARD.encode(format!("'{},{}'", row.version, row.recid)))
}

fn on_the_wire(row: &Row, selection: &Selection<'_>) -> Columns {
    let mut columns = Columns::new();
    columns.insert("@odata.etag".into(), Value::from(etag(row)));
    columns.extend(row.selected(selection));
    columns
}

fn context(exchange: &Exchange, entity: &Entity, select: Option<&[String]>, single: bool) -> String {
    let selected = select.map(|names| format!("({})", names.join(","))).unwrap_or_default();
    let suffix = if single { "/$entity" } else { "" };
    format!("{}/data/$metadata#{}{selected}{suffix}", exchange.own_base_url(), entity.set)
}

/// The same query after this page, which gave so many records.
fn next_link(exchange: &Exchange, entity: &Entity, options: &QueryOptions, given: u64) -> String {
    let replaced = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !matches!(name, "$skip" | "%24skip" | "$top" | "%24top" | "")
    };
    let mut pairs: Vec<String> =
        exchange.request.query().split('&').filter(replaced).map(str::to_owned).collect();
    if let Some(top) = options.top {
        pairs.push(format!("$top={}", top.saturating_sub(given)));
    }
    pairs.push(format!("$skip={}", options.skip.unwrap_or(0).saturating_add(given)));
    format!("{}/data/{}?{}", exchange.own_base_url(), entity.set, pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_sets_are_found_in_any_case_and_others_are_unknown() {
        let options = QueryOptions::default();
        assert_eq!(target("customersv3", &options).ok().map(|target| target.entity.set), Some("CustomersV3"));
        for unknown in ["Vendors", "$metadata", "", "()", "%", "%00", "a(b", "CustomersV4(dataAreaId='x')"] {
            assert_eq!(target(unknown, &options).err(), Some(ODataError::UnknownResource), "{unknown}");
        }
    }

    #[test]
    fn garbage_in_a_key_is_a_key_error_and_never_a_panic() {
        let options = QueryOptions::default();
        let long = format!("CustomersV3({})", "(".repeat(100_000));
        for bad in [
            "CustomersV3(",
            "CustomersV3()",
            "CustomersV3('DE-010')",
            "CustomersV3(dataAreaId='usmf')",
            "CustomersV3(dataAreaId='usmf',CustomerAccount=null)",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a',Other='b')",
            "CustomersV3(dataAreaId='usmf',dataAreaId='usmf')",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a'",
            "CustomersV3(dataAreaId=%FF,CustomerAccount='a')",
            "CustomersV3(@a)",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a')x",
            &long,
        ] {
            let error = target(bad, &options).err();
            assert!(matches!(error, Some(ODataError::KeyInvalid { .. })), "{bad:.80}: {error:?}");
        }
        let good = target("CustomersV3(CustomerAccount='DE-010',dataAreaId='USMF')", &options).unwrap();
        assert!(good.record.is_some());
        assert!(target("LegalEntities('USMF')", &options).unwrap().record.is_some());
    }
}
