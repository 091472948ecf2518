//! Writing a record: what it needs, and the order in which a write goes on.
//!
//! Decides which bodies are read (an entity's own columns, each in its own type), what a record needs (mandatory columns, rows
//! it refers to) and the order of a write: read the body, reserve the record, deliver it, commit. If the delivery fails the
//! reservation is dropped, and there is no record, as in the real unit of work. PUT is answered as PATCH: what it does to
//! columns it does not name is not known.

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

use super::kind::{shown, told};
use super::wire::etag;
use super::{COMPANY, Entity, NAMESPACE, Visible};
use crate::bearer::Caller;
use crate::dual_write::map::{CUSTOMERS as MAP, Map};
use crate::dual_write::{self, Operation};
use crate::errors::{DualWriteError, ODataError};
use crate::node::NodeState;

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
    let row = body(exchange, entity)?;
    insert(exchange, node, database, entity, caller, row).await
}

/// The same with columns that were read already.
pub(crate) async fn insert(
    exchange: &mut Exchange,
    node: &NodeState,
    database: &Database,
    entity: &'static Entity,
    caller: &Caller,
    mut row: Columns,
) -> Result<Row, WriteError> {
    if text_of(&row, COMPANY).is_empty()
        && let Some(company) = &caller.company
    {
        row.insert(COMPANY.to_owned(), Value::from(company.as_str()));
    }
    let row = entity.completed(row);
    validate(&mut exchange.trail, entity, &database.snapshot(), &row)?;
    let mut transaction = Transaction::begin(database);
    let reserved = transaction
        .reserve_insert(entity.set, row)
        .map_err(|error| refused(&mut exchange.trail, entity, error))?;
    deliver(&exchange.context, &mut exchange.trail, node, entity, Operation::Insert, &reserved.columns)
        .await?;
    let commit = commit(exchange, transaction)?;
    let row = commit.changes.into_iter().find_map(|change| change.after);
    Ok(row.ok_or(ODataError::Internal)?)
}

/// `PATCH` or `PUT` of one record.
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
            let sent = changes.get(*column).map(shown).unwrap_or_default();
            let kept = current.get(column).map(shown).unwrap_or_default();
            exchange.trail.refused(format!("{column} = {sent}"), kept);
            return Err(ODataError::KeyImmutable { column: (*column).to_owned() }.into());
        }
        // Repeated in another case, the key keeps the spelling it has.
        changes.remove(*column);
    }
    let precondition = precondition(&exchange.request.headers, entity, &current)?;
    let mut transaction = Transaction::begin(database);
    // Merged with the record as it is now, not as it was read above.
    let reserved = transaction
        .reserve_update(entity.set, &key, changes, precondition)
        .map_err(|error| refused(&mut exchange.trail, entity, error))?;
    validate(&mut exchange.trail, entity, &database.snapshot(), &reserved.columns)?;
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
    let precondition = precondition(&exchange.request.headers, entity, &current)?;
    let mut transaction = Transaction::begin(database);
    let reserved = transaction
        .reserve_delete(entity.set, &key, precondition)
        .map_err(|error| refused(&mut exchange.trail, entity, error))?;
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
    // Dual Write is no feature of an installation on-premises.
    let Some(node) = node.one_box() else { return Ok(()) };
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
fn precondition(headers: &HeaderMap, entity: &Entity, current: &Row) -> Result<Precondition, ODataError> {
    let Some(wanted) = headers.get(http::header::IF_MATCH) else { return Ok(Precondition::MustExist) };
    let wanted = wanted.to_str().unwrap_or_default().trim();
    if wanted == "*" {
        Ok(Precondition::MustExist)
    } else if wanted == etag(entity, current) {
        Ok(Precondition::Version(current.version))
    } else {
        Err(ODataError::PreconditionFailed)
    }
}

/// The request's columns: JSON, one object, each value of its column's type and in the form the product answers with. Null is
/// what the column holds unset. What describes the record, or a value of it, is no column and is passed over; what refers to
/// other records is refused.
fn body(exchange: &mut Exchange, entity: &'static Entity) -> Result<Columns, ODataError> {
    let Exchange { request, trail, .. } = exchange;
    let kind = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.and_then(media_type).is_none_or(|kind| kind != mime::APPLICATION_JSON) {
        return Err(ODataError::MediaType);
    }
    // A body that could not be had never gets here: the dispatch has refused it.
    let bytes: &Bytes = request.body.as_ref().map_err(|_| ODataError::BodyIncomplete)?;
    let sent = strict_json::object(bytes).map_err(|defect| {
        trail.refused(format!("the body: {defect}"), "one JSON object");
        ODataError::PayloadRefused
    })?;
    let mut row = Columns::new();
    for (name, value) in sent {
        if let Some((subject, annotation)) = name.split_once('@') {
            annotated(trail, entity, subject, annotation, &value)?;
            continue;
        }
        let Some(column) = entity.column(&name) else {
            unknown(trail, entity, &name, &value);
            return Err(ODataError::PayloadRefused);
        };
        let before = shown(&value);
        let Some(held) = column.kind.take(value) else {
            trail.refused(format!("{name} = {before}"), column.kind.expected());
            return Err(ODataError::PayloadRefused);
        };
        row.insert(name, held);
    }
    Ok(row)
}

/// A member of a body that is none of the entity's columns.
fn unknown(trail: &mut Trail, entity: &Entity, name: &str, value: &Value) {
    if entity.links.contains(&name) {
        trail.not_built(format!("records of {name} in the body of another"), "columns of the entity itself");
        return;
    }
    let near = entity.shape.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let expected = match near {
        Some(column) => format!("{}: names have letter case", column.name),
        None => format!("a column of {}", entity.set),
    };
    trail.refused(format!("{} = {}", told(name), shown(value)), expected);
}

/// An annotation in a body. A type has to be the record's own, and a reference to another record is not built.
fn annotated(
    trail: &mut Trail,
    entity: &Entity,
    subject: &str,
    annotation: &str,
    value: &Value,
) -> Result<(), ODataError> {
    match (subject, annotation) {
        ("", "odata.type") => {
            let own = format!("#{NAMESPACE}.{}", entity.kind);
            if value.as_str() == Some(own.as_str()) {
                return Ok(());
            }
            trail.refused(format!("@odata.type = {}", shown(value)), own);
            Err(ODataError::PayloadRefused)
        }
        (subject, "odata.bind") => {
            let what = format!("{}@odata.bind", told(subject));
            trail.not_built(what, "columns that name the other record");
            Err(ODataError::PayloadRefused)
        }
        _ => Ok(()),
    }
}

fn validate(
    trail: &mut Trail,
    entity: &'static Entity,
    snapshot: &Snapshot,
    row: &Columns,
) -> Result<(), ODataError> {
    let empty = |(column, _): &&(&str, &str)| text_of(row, column).trim().is_empty();
    let missing: Vec<_> = entity.mandatory.iter().filter(empty).collect();
    if !missing.is_empty() {
        let columns: Vec<&str> = missing.iter().map(|(column, _)| *column).collect();
        trail.refused(format!("{} = ''", columns.join(", ")), "a value");
        let fields: Vec<String> = missing.iter().map(|(_, label)| ODataError::field(label)).collect();
        let fields = fields.join("; ");
        return Err(ODataError::FieldMandatory { entity: entity.name, fields, table: entity.table });
    }
    for one in entity.allowed {
        let value = text_of(row, one.column);
        if !value.is_empty() && !one.words.contains(&value) {
            trail.refused(format!("{} = '{}'", one.column, told(value)), one.words.join(" or "));
            return Err(ODataError::ValueRefused { entity: entity.name, column: one.column });
        }
    }
    for relation in entity.relations {
        let value = text_of(row, relation.column);
        let key = Key::texts(relation.key.iter().map(|column| text_of(row, column)));
        let exists = snapshot.table(relation.set).is_some_and(|table| table.get(&key).is_some());
        if !value.is_empty() && !exists {
            let sent = format!("{} = '{}'", relation.column, told(value));
            let value = shortened(value);
            trail.refused(sent, format!("the key of a record of {}", relation.set));
            return Err(ODataError::RelationMissing {
                entity: entity.name,
                value,
                field: relation.label,
                table: relation.table,
                column: relation.column,
            });
        }
    }
    Ok(())
}

fn refused(trail: &mut Trail, entity: &'static Entity, error: TableError) -> ODataError {
    let Entity { name, label, table, .. } = entity;
    match error {
        TableError::DuplicateKey { columns, values, .. } => {
            let value = |column: &str| {
                let at = columns.iter().position(|known| known == column)?;
                values.get(at)?.as_str().map(shortened)
            };
            let shown: Vec<String> = columns
                .iter()
                .zip(&values)
                .map(|(column, value)| format!("{column} = {}", shown(value)))
                .collect();
            trail.refused(shown.join(", "), "a key that no record has");
            let caption = entity.caption.iter().filter_map(|(column, label)| Some((value(column)?, label)));
            let caption: Vec<String> = caption
                .enumerate()
                .map(|(at, (value, label))| if at == 0 { format!("{label}: {value}") } else { value })
                .collect();
            ODataError::RecordExists { entity: name, label, table, caption: caption.join(", ") }
        }
        TableError::RowLocked { .. } => ODataError::RecordBusy { entity: name, label, table },
        TableError::NotFound { .. } => ODataError::UnknownRecord,
        TableError::VersionMismatch { .. } | TableError::AlreadyExists { .. } => {
            ODataError::PreconditionFailed
        }
        TableError::RowTooLarge { .. } => ODataError::TooLarge,
        TableError::Reset => ODataError::Restarted,
        other => {
            trail.refused(other.to_string(), "a record that can be kept");
            ODataError::PayloadRefused
        }
    }
}

fn text_of<'r>(row: &'r Columns, column: &str) -> &'r str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// Foreign text cut for a message.
fn shortened(text: &str) -> String {
    cut(text, 64).to_owned()
}
