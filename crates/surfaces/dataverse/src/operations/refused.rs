//! Refusals of the database and of the query language, in Dataverse's words.
//!
//! Decides which row of the catalogue an error of the layers below is. Never decides that there is one.

use mocktenant_odata::{Fault, QueryError};
use mocktenant_schema::Table;
use mocktenant_tables::TableError;

use crate::errors::{DataverseError, cut};
use crate::not_built;
use crate::representation::told;

/// A refusal of the database in Dataverse's words, of the row of this id that should have been written.
pub(super) fn refused(table: Table<'_>, id: &str, error: TableError) -> DataverseError {
    match error {
        TableError::DuplicateKey { key: 0, .. } | TableError::AlreadyExists { .. } => {
            DataverseError::DuplicateRecord
        }
        TableError::DuplicateKey { key, columns, values, .. } => {
            let Some(found) = table.keys().nth(key.saturating_sub(1)) else {
                return DataverseError::DuplicateRecord;
            };
            // the values another row has already, as the annotation `DuplicateAttributes` shows them
            let shown = columns.iter().zip(&values).map(|(name, cell)| {
                let value = told(cell).replace('&', "&amp;").replace('<', "&lt;");
                format!("<{name}>{value}</{name}>")
            });
            let attributes =
                format!("<DuplicateAttributes>{}</DuplicateAttributes>", shown.collect::<String>());
            let labels: Vec<&str> = found.columns().map(mocktenant_schema::Column::label).collect();
            DataverseError::DuplicateRecordEntityKey {
                key: found.label().into(),
                columns: labels.join(", "),
                entity: table.name().into(),
                attributes,
            }
        }
        TableError::NotFound { .. } => {
            DataverseError::ObjectDoesNotExist { entity: table.name().into(), id: id.to_owned() }
        }
        TableError::VersionMismatch { .. } => DataverseError::ConcurrencyVersionMismatch,
        TableError::RowTooLarge { .. } => DataverseError::RequestLengthTooLarge,
        TableError::Restricted { .. } => DataverseError::CannotDeleteDueToAssociation,
        TableError::TooManyRows { .. } => DataverseError::SqlTimeoutError,
        TableError::Reset | TableError::RowLocked { .. } => DataverseError::ServiceUnavailable,
        // a full database, a table of ours that is not there
        _ => DataverseError::Unexpected,
    }
}

/// A query option that cannot be read: one that is not built, or none at all.
pub(super) fn unreadable(error: &QueryError) -> DataverseError {
    match error {
        QueryError::Unknown(name) if not_built::option(name) => DataverseError::InvalidQueryOption,
        QueryError::Unknown(name) => DataverseError::UnknownQueryOption { name: cut(name) },
        QueryError::Fault { fault, .. } => faulty(fault),
        _ => DataverseError::QuerySyntax,
    }
}

/// What is wrong with an option.
pub(super) fn faulty(fault: &Fault) -> DataverseError {
    match fault {
        Fault::PropertyNotDeclared { kind, property } if !kind.starts_with("Edm.") => {
            let entity = kind.rsplit('.').next().unwrap_or_default().into();
            DataverseError::PropertyNotFound { property: cut(property), entity }
        }
        Fault::Unsupported(_) => DataverseError::InvalidQueryOption,
        Fault::UnknownFunction(name) if not_built::filter_function(name) => {
            DataverseError::InvalidQueryOption
        }
        Fault::TooManyTerms => DataverseError::TooManyConditionsInQuery,
        fault => DataverseError::QueryOption { sentence: fault.to_string() },
    }
}

/// What a fault says is not built.
pub(super) fn unbuilt(error: &QueryError) -> Option<String> {
    match error {
        QueryError::Unknown(name) if not_built::option(name) => Some(format!("the query option {name}")),
        QueryError::Fault { option, fault: Fault::Unsupported(what) } => Some(format!("{what} in {option}")),
        QueryError::Fault { option, fault: Fault::UnknownFunction(name) }
            if not_built::filter_function(name) =>
        {
            Some(format!("the function {name} in {option}"))
        }
        _ => None,
    }
}
