//! What a record needs: mandatory columns, words, rows it refers to.
//!
//! Decides which record is refused, and in which order the questions are asked. All of it stands in `tables/`: what has to be given
//! (and when), which words a text column takes, which relationships are enforced. A record is looked at as it will be, beside
//! everything else that is written with it.

use mocktenant_lab::Trail;
use mocktenant_schema::{Cell, CellRef, Relationship, Requirement};
use mocktenant_tables::{TableError, Transaction, Values};
use mocktenant_verdict::foreign::cut;

use super::complete::{is_needed, key_there};
use super::values::{is_blank, shown_cell, spelt, told};
use super::{Entity, Notes};
use crate::errors::ODataError;

/// Whether a record may be written.
pub(super) fn validate(
    trail: &mut Trail,
    entity: Entity<'_>,
    transaction: &Transaction,
    values: &Values,
) -> Result<(), ODataError> {
    mandatory(trail, entity, values)?;
    words(trail, entity, values)?;
    for relationship in entity.outgoing().filter(|one| one.is_enforced()) {
        related(trail, entity, transaction, values, relationship)?;
    }
    Ok(())
}

fn mandatory(trail: &mut Trail, entity: Entity<'_>, values: &Values) -> Result<(), ODataError> {
    let mut missing = Vec::new();
    for column in entity.columns().filter(|column| column.requirement() == Requirement::Mandatory) {
        if is_needed(entity, column, values) {
            missing.extend(is_blank(values.value(column)).then_some(column));
        } else if entity.person_names().all(|name| is_blank(values.value(name))) {
            // one of a person's names takes the place of an organisation's
            missing.extend(entity.person_names().next());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|column| column.name()).collect();
    trail.refused(format!("{} = ''", names.join(", ")), "a value");
    let fields: Vec<String> = missing.iter().map(|column| ODataError::field(column.label())).collect();
    let fields = fields.join("; ");
    Err(ODataError::FieldMandatory { entity: entity.aot().into(), fields, table: entity.root().into() })
}

fn words(trail: &mut Trail, entity: Entity<'_>, values: &Values) -> Result<(), ODataError> {
    for column in entity.columns() {
        let Some(words) = column.note("words") else { continue };
        let value = values.value(column).as_text().unwrap_or_default();
        if !value.is_empty() && !words.split(',').any(|word| word == value) {
            let words: Vec<&str> = words.split(',').collect();
            trail.refused(format!("{} = '{}'", column.name(), told(value)), words.join(" or "));
            return Err(ODataError::ValueRefused {
                entity: entity.aot().into(),
                column: column.name().into(),
            });
        }
    }
    Ok(())
}

fn related(
    trail: &mut Trail,
    entity: Entity<'_>,
    transaction: &Transaction,
    values: &Values,
    relationship: Relationship<'_>,
) -> Result<(), ODataError> {
    let column = relationship.pairs().next().and_then(|(own, _)| entity.at(own));
    let Some(column) = column.filter(|column| !is_blank(values.value(*column))) else { return Ok(()) };
    let target = relationship.to();
    let exists = match key_there(relationship, values) {
        Some(key) => {
            transaction.get(target, 0, &key).map_err(|error| refused(trail, entity, error))?.is_some()
        }
        // a relationship that names no record by its key holds nobody back
        None => true,
    };
    if exists {
        return Ok(());
    }
    let value = match values.value(column) {
        CellRef::Text(text) => text.to_owned(),
        other => spelt(column, other),
    };
    let sent = format!("{} = '{}'", column.name(), told(&value));
    trail.refused(sent, format!("the key of a record of {}", target.set()));
    Err(ODataError::RelationMissing {
        entity: entity.aot().into(),
        value: shortened(&value),
        field: column.label().into(),
        table: target.root_label().into(),
        column: column.name().into(),
    })
}

/// What the rows refuse, in the product's words.
pub(super) fn refused(trail: &mut Trail, entity: Entity<'_>, error: TableError) -> ODataError {
    refused_record(trail, (entity, &Values::default()), error)
}

/// The same where the record that was to be written is known: a sentence may name it.
pub(super) fn refused_record(
    trail: &mut Trail,
    (entity, record): (Entity<'_>, &Values),
    error: TableError,
) -> ODataError {
    let (name, label, table) = (entity.aot().into(), entity.root_label().into(), entity.root().into());
    match error {
        TableError::DuplicateKey { columns, values, .. } => {
            let key: Values = columns
                .iter()
                .zip(values)
                .filter_map(|(name, cell)| Some((entity.column(name)?.ordinal(), cell)))
                .collect();
            let shown = key.iter().filter_map(|(at, cell)| {
                let column = entity.at(at)?;
                Some(format!("{} = {}", column.name(), shown_cell(column, cell.as_ref())))
            });
            trail.refused(shown.collect::<Vec<_>>().join(", "), "a key that no record has");
            ODataError::RecordExists { entity: name, label, table, caption: caption(entity, &key, record) }
        }
        TableError::RowLocked { .. } => ODataError::RecordBusy { entity: name, label, table },
        TableError::NotFound { .. } => ODataError::UnknownRecord,
        TableError::VersionMismatch { .. } | TableError::AlreadyExists { .. } => {
            ODataError::PreconditionFailed
        }
        TableError::RowTooLarge { .. } => ODataError::TooLarge,
        TableError::Reset => ODataError::Restarted,
        TableError::Restricted { table: there, by, .. } => {
            let label = |table: &str| entity.beside_by_set(table).map_or("", Notes::root_label).into();
            trail.refused(
                format!("the end of a record of {there}"),
                format!("no record of {by} that refers to it"),
            );
            ODataError::DependentsExist { entity: name, label: label(&there), dependent: label(&by) }
        }
        other => {
            trail.refused(other.to_string(), "a record that can be kept");
            ODataError::PayloadRefused
        }
    }
}

/// A record as a text names it: the first column with its label, then the values of the others. What is empty is left out.
/// [inferred: that it is; a capture has two values of the record that was sent]
fn caption(entity: Entity<'_>, key: &Values, record: &Values) -> String {
    let mut caption = String::new();
    for column in entity.caption() {
        let cell = key.get(column.ordinal()).map_or_else(|| record.value(column), Cell::as_ref);
        if is_blank(cell) {
            continue;
        }
        let value = match cell {
            CellRef::Text(text) => shortened(text),
            other => spelt(column, other),
        };
        let begun = if caption.is_empty() { format!("{}: ", column.label()) } else { format!("{caption}, ") };
        caption = format!("{begun}{value}");
    }
    caption
}

/// Foreign text cut for a message.
fn shortened(text: &str) -> String {
    cut(text, 64).to_owned()
}
