//! Customers (CustomersV3): the entity that can be written, and whose changes Dual Write takes to Dataverse.
//!
//! Decides what a customer needs (account, name, group; group, currency and company have to exist) and the order of a
//! write: read the body, reserve the record, deliver it, commit. If the delivery fails the reservation is dropped, and
//! there is no record, as in the real unit of work.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use mocktenant_lab::request::media_type;
use mocktenant_lab::{Context, Exchange, Trail};
use mocktenant_tables::{
    Columns, Commit, Database, Key, KeyPart, Precondition, Reference, Row, Snapshot, TableError, Transaction,
};
use mocktenant_token::strict_json;
use mocktenant_verdict::foreign::cut;
use serde_json::Value;

use super::reference::COMPANY_EXISTS;
use super::{COMPANY, Column, Entity, Kind, Relation, Visible, etag};
use crate::bearer::Caller;
use crate::dual_write::map::{CUSTOMERS as MAP, Map};
use crate::dual_write::{self, Operation};
use crate::errors::{DualWriteError, ODataError};
use crate::node::NodeState;

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// Customers.
pub(super) const CUSTOMERS: Entity = Entity {
    set: "CustomersV3",
    name: "CustCustomerV3Entity",
    key: &["dataAreaId", "CustomerAccount"],
    columns: &[
        text("dataAreaId"),
        text("CustomerAccount"),
        text("OrganizationName"),
        Column { name: "PartyType", kind: Kind::Enumeration(&["Organization", "Person"]) },
        text("PartyNumber"),
        text("CustomerGroupId"),
        text("SalesCurrencyCode"),
        Column { name: "LanguageId", kind: Kind::TextOr("en-us") },
        text("InvoiceAccount"),
        Column { name: "CreditLimit", kind: Kind::Real },
        text("PrimaryContactEmail"),
        text("PrimaryContactPhone"),
        text("DeliveryAddressStreet"),
        text("DeliveryAddressCity"),
        text("DeliveryAddressZipCode"),
        text("DeliveryAddressState"),
        text("DeliveryAddressCounty"),
        text("DeliveryAddressCountryRegionISOCode"),
    ],
    mandatory: &[
        ("CustomerAccount", "Customer account"),
        ("OrganizationName", "Name"),
        ("CustomerGroupId", "Customer group"),
    ],
    relations: &[
        COMPANY_EXISTS,
        Relation {
            column: "CustomerGroupId",
            label: "Customer group",
            table: "Customer groups",
            set: "CustomerGroups",
            key: &["dataAreaId", "CustomerGroupId"],
        },
        Relation {
            column: "SalesCurrencyCode",
            label: "Currency",
            table: "Currency",
            set: "Currencies",
            key: &["SalesCurrencyCode"],
        },
    ],
    writable: true,
};

/// Why a write did not happen.
pub(crate) enum WriteError {
    /// The request is wrong.
    OData(ODataError),
    /// It did not arrive in Dataverse.
    DualWrite(DualWriteError),
}

impl From<ODataError> for WriteError {
    fn from(error: ODataError) -> Self {
        Self::OData(error)
    }
}

impl From<DualWriteError> for WriteError {
    fn from(error: DualWriteError) -> Self {
        Self::DualWrite(error)
    }
}

/// `POST /data/CustomersV3`: the committed record.
pub(crate) async fn create(
    exchange: &mut Exchange,
    node: &NodeState,
    database: &Database,
    entity: &'static Entity,
    caller: &Caller,
) -> Result<Row, WriteError> {
    let mut row = body(exchange, entity)?;
    if text_of(&row, COMPANY).is_empty()
        && let Some(company) = &caller.company
    {
        row.insert(COMPANY.to_owned(), Value::from(company.as_str()));
    }
    let row = entity.completed(row);
    validate(entity, &database.snapshot(), &row)?;
    let mut transaction = Transaction::begin(database);
    let reserved = transaction.reserve_insert(entity.set, row).map_err(|error| refused(entity, error))?;
    deliver(&exchange.context, &mut exchange.trail, node, entity, Operation::Insert, &reserved.columns)
        .await?;
    let commit = commit(exchange, transaction)?;
    let row = commit.changes.into_iter().find_map(|change| change.after);
    Ok(row.ok_or(ODataError::Internal)?)
}

/// `PATCH` of one record.
pub(crate) async fn update(
    exchange: &mut Exchange,
    node: &NodeState,
    database: &Database,
    entity: &'static Entity,
    record: &Reference,
    visible: &Visible,
) -> Result<(), WriteError> {
    let (key, current) = existing(database, entity, record, visible)?;
    let mut changes = body(exchange, entity)?;
    for column in entity.key {
        let changed = changes.get(*column).and_then(KeyPart::from_json);
        if changes.contains_key(*column) && changed != current.get(column).and_then(KeyPart::from_json) {
            return Err(ODataError::KeyImmutable { column: (*column).to_owned() }.into());
        }
        // Repeated in another case, the key keeps the spelling it has.
        changes.remove(*column);
    }
    let precondition = precondition(&exchange.request.headers, &current)?;
    let changes = entity.without_nulls(changes);
    let mut transaction = Transaction::begin(database);
    // Merged with the record as it is now, not as it was read above.
    let reserved = transaction
        .reserve_update(entity.set, &key, changes, precondition)
        .map_err(|error| refused(entity, error))?;
    validate(entity, &database.snapshot(), &reserved.columns)?;
    deliver(&exchange.context, &mut exchange.trail, node, entity, Operation::Update, &reserved.columns)
        .await?;
    commit(exchange, transaction)?;
    Ok(())
}

/// `DELETE` of one record.
pub(crate) async fn delete(
    exchange: &mut Exchange,
    node: &NodeState,
    database: &Database,
    entity: &'static Entity,
    record: &Reference,
    visible: &Visible,
) -> Result<(), WriteError> {
    let (key, current) = existing(database, entity, record, visible)?;
    let precondition = precondition(&exchange.request.headers, &current)?;
    let mut transaction = Transaction::begin(database);
    let reserved =
        transaction.reserve_delete(entity.set, &key, precondition).map_err(|error| refused(entity, error))?;
    deliver(&exchange.context, &mut exchange.trail, node, entity, Operation::Delete, &reserved.columns)
        .await?;
    commit(exchange, transaction)?;
    Ok(())
}

/// Makes a write visible. A reset in the meantime took it away, here and in Dataverse.
fn commit(exchange: &Exchange, transaction: Transaction) -> Result<Commit, ODataError> {
    exchange.context.commit(transaction).map_err(|_| ODataError::Restarted)
}

async fn deliver(
    context: &Context,
    trail: &mut Trail,
    node: &NodeState,
    entity: &Entity,
    operation: Operation,
    row: &Arc<Columns>,
) -> Result<(), DualWriteError> {
    const MAPS: [&Map; 1] = [&MAP];
    for map in MAPS.into_iter().filter(|map| map.internal == entity.set) {
        dual_write::deliver(context, trail, node, map, operation, row).await?;
    }
    Ok(())
}

fn existing(
    database: &Database,
    entity: &Entity,
    record: &Reference,
    visible: &Visible,
) -> Result<(Key, Row), ODataError> {
    let snapshot = database.snapshot();
    let table = snapshot.table(entity.set).ok_or(ODataError::Internal)?;
    let found = table.find_with_key(record).filter(|(_, row)| visible.shows(entity, row));
    found.map(|(key, row)| (key.clone(), row.clone())).ok_or(ODataError::UnknownRecord)
}

/// `If-Match`: none and `*` take the record as it is, a tag only that version.
fn precondition(headers: &HeaderMap, current: &Row) -> Result<Precondition, ODataError> {
    let Some(wanted) = headers.get(http::header::IF_MATCH) else { return Ok(Precondition::MustExist) };
    let wanted = wanted.to_str().unwrap_or_default().trim();
    if wanted == "*" {
        Ok(Precondition::MustExist)
    } else if wanted == etag(current) {
        Ok(Precondition::Version(current.version))
    } else {
        Err(ODataError::PreconditionFailed)
    }
}

/// The request's columns: JSON, one object, plain values of the right types. Annotations are not columns.
fn body(exchange: &Exchange, entity: &'static Entity) -> Result<Columns, ODataError> {
    let kind = exchange.request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.and_then(media_type).is_none_or(|kind| kind != mime::APPLICATION_JSON) {
        return Err(ODataError::MediaType);
    }
    // A body that could not be had never gets here: the dispatch has refused it.
    let bytes: &Bytes = exchange.request.body.as_ref().map_err(|_| ODataError::BodyIncomplete)?;
    let mut row = strict_json::object(bytes)
        .map_err(|defect| ODataError::BodyUnreadable { why: defect.to_string() })?;
    row.retain(|name, _| !name.contains('@'));
    for (name, value) in &row {
        let wrong = |expected: String| ODataError::ColumnType { column: shortened(name), expected };
        match (entity.column(name).map(|column| column.kind), value) {
            (_, Value::Null)
            | (Some(Kind::Text | Kind::TextOr(_)) | None, Value::String(_))
            | (Some(Kind::Real) | None, Value::Number(_))
            | (None, Value::Bool(_)) => {}
            (Some(Kind::Enumeration(members)), Value::String(member))
                if members.contains(&member.as_str()) => {}
            (Some(Kind::Enumeration(members)), _) => {
                return Err(wrong(format!("one of {}", members.join(", "))));
            }
            (Some(Kind::Text | Kind::TextOr(_)), _) => return Err(wrong("text".to_owned())),
            (Some(Kind::Real), _) => return Err(wrong("a number".to_owned())),
            (None, _) => return Err(wrong("a plain value".to_owned())),
        }
    }
    Ok(row)
}

fn validate(entity: &Entity, snapshot: &Snapshot, row: &Columns) -> Result<(), ODataError> {
    for (column, label) in entity.mandatory {
        if text_of(row, column).trim().is_empty() {
            return Err(ODataError::FieldMandatory {
                entity: entity.name.to_owned(),
                field: (*label).to_owned(),
            });
        }
    }
    for relation in entity.relations {
        let value = text_of(row, relation.column);
        let key = Key::texts(relation.key.iter().map(|column| text_of(row, column)));
        let exists = snapshot.table(relation.set).is_some_and(|table| table.get(&key).is_some());
        if !value.is_empty() && !exists {
            return Err(ODataError::RelationMissing {
                entity: entity.name.to_owned(),
                value: shortened(value),
                field: relation.label.to_owned(),
                table: relation.table.to_owned(),
            });
        }
    }
    Ok(())
}

fn refused(entity: &Entity, error: TableError) -> ODataError {
    let name = entity.name.to_owned();
    match error {
        TableError::DuplicateKey { columns, values, .. } => {
            let shown = columns.iter().zip(&values).map(|(column, value)| {
                format!("{column}: {}", value.as_str().map_or_else(|| value.to_string(), shortened))
            });
            ODataError::RecordExists { entity: name, key: shown.collect::<Vec<_>>().join(", ") }
        }
        TableError::RowLocked { .. } => ODataError::RecordBusy { entity: name },
        TableError::NotFound { .. } => ODataError::UnknownRecord,
        TableError::VersionMismatch { .. } | TableError::AlreadyExists { .. } => {
            ODataError::PreconditionFailed
        }
        TableError::RowTooLarge { .. } => ODataError::TooLarge,
        TableError::Reset => ODataError::Restarted,
        other => ODataError::BodyUnreadable { why: other.to_string() },
    }
}

fn text_of<'r>(row: &'r Columns, column: &str) -> &'r str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// Foreign text cut for a message.
fn shortened(text: &str) -> String {
    cut(text, 64).to_owned()
}
