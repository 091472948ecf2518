//! Refusals of the database and of the query language, in Dataverse's words.
//!
//! Decides which row of the catalogue an error of the layers below is. Never decides that there is one.

use mocktenant_odata::{QueryError, QueryErrorKind, SyntaxErrorKind};
use mocktenant_tables::{Columns, KeyName, Reference, TableError};

use crate::errors::{DataverseError, cut};
use crate::schema::{AlternateKey, Table};
use crate::{not_built, payload};

/// The values another row has already, as the annotation `DuplicateAttributes` shows them.
fn duplicate_attributes(key: &AlternateKey, row: &Columns) -> String {
    let shown = |column: &&str| {
        let value =
            row.get(*column).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let name = column.trim_start_matches('_').trim_end_matches("_value");
        let value = value.unwrap_or_default().replace('&', "&amp;").replace('<', "&lt;");
        format!("<{name}>{value}</{name}>")
    };
    let inner: String = key.columns.iter().map(shown).collect();
    format!("<DuplicateAttributes>{inner}</DuplicateAttributes>")
}

/// A refusal of the database in Dataverse's words, of a row that should have been written.
pub(super) fn refused(table: &'static Table, row: &Columns, error: TableError) -> DataverseError {
    match error {
        TableError::DuplicateKey { key: KeyName::Alternate(name), .. } => {
            let key = table.keys.iter().find(|key| key.name == name);
            key.map_or(DataverseError::DuplicateRecord, |key| DataverseError::DuplicateRecordEntityKey {
                key: key.name,
                columns: key.labels.to_owned(),
                entity: table.logical,
                attributes: duplicate_attributes(key, row),
            })
        }
        TableError::DuplicateKey { key: KeyName::Primary, .. } | TableError::AlreadyExists { .. } => {
            DataverseError::DuplicateRecord
        }
        TableError::NotFound { key, .. } => payload::missing(table, &Reference::Primary(key)),
        TableError::VersionMismatch { .. } => DataverseError::ConcurrencyVersionMismatch,
        TableError::RowTooLarge { .. } => DataverseError::RequestLengthTooLarge,
        TableError::Reset | TableError::RowLocked { .. } => DataverseError::ServiceUnavailable,
        TableError::NoSuchKey { .. } | TableError::InvalidKeyValue { .. } => DataverseError::QuerySyntax,
        // a full database, a table of ours that is not there
        _ => DataverseError::Unexpected,
    }
}

/// A query option that cannot be read: one that is not built, or none at all.
pub(super) fn unreadable(error: &QueryError) -> DataverseError {
    match &error.kind {
        QueryErrorKind::Syntax(SyntaxErrorKind::TooManyTerms { .. }) => {
            DataverseError::TooManyConditionsInQuery
        }
        QueryErrorKind::Unknown if not_built::option(&error.option) => DataverseError::InvalidQueryOption,
        QueryErrorKind::Unknown => DataverseError::UnknownQueryOption { name: cut(&error.option) },
        QueryErrorKind::Syntax(SyntaxErrorKind::UnsupportedFunction { name })
            if not_built::filter_function(name) =>
        {
            DataverseError::InvalidQueryOption
        }
        QueryErrorKind::Syntax(SyntaxErrorKind::UnsupportedName { .. }) => DataverseError::InvalidQueryOption,
        _ => DataverseError::QuerySyntax,
    }
}
