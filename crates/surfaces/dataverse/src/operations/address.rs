//! Which rows a request addresses: a table, and the row of it that its key names.
//!
//! Decides whether a key is one of the table's. Never looks whether the row is there.

use mocktenant_odata::{Arguments, Literal, QueryOptions, ResourceSegment};
use mocktenant_tables::{Columns, Database, Reference};

use super::expand::Expansion;
use crate::errors::DataverseError;
use crate::payload;
use crate::schema::{Kind, Table};

/// What a request addresses.
pub(super) struct Target {
    pub(super) table: &'static Table,
    /// The row, if it names one.
    pub(super) reference: Option<Reference>,
    pub(super) segment: ResourceSegment,
    pub(super) options: QueryOptions,
    /// What a write brings with the row it answers.
    pub(super) expand: Vec<Expansion>,
    /// Rows of earlier pages, from `$skiptoken`.
    pub(super) page: u64,
    pub(super) database: Database,
    /// RFC 3339, whole seconds.
    pub(super) now: String,
}

impl Target {
    /// The columns that the URL's alternate key gives, ready to be written; empty for the primary key.
    pub(super) fn key_columns(&self) -> Columns {
        let named = self.segment.named_literals(self.table.id, |name| self.options.alias(name));
        let named = named.unwrap_or_default();
        named
            .into_iter()
            .filter(|(name, _)| name != self.table.id)
            .map(|(name, literal)| (name, literal.to_json()))
            .collect()
    }

    /// The primary key in the URL.
    pub(super) fn id_in_url(&self) -> Option<String> {
        match &self.reference {
            Some(Reference::Primary(key)) => {
                let id = key.parts().first().map(ToString::to_string).unwrap_or_default();
                Some(id.trim_matches('\'').to_owned())
            }
            _ => None,
        }
    }
}

/// The row a segment names; `None` for the whole set. Ids are written without quotes, values of alternate keys as their
/// columns' types ask.
pub(crate) fn key_of<'q>(
    table: &Table,
    segment: &ResourceSegment,
    alias: impl Fn(&str) -> Option<&'q str>,
) -> Result<Option<Reference>, DataverseError> {
    if segment.arguments == Arguments::None {
        return Ok(None);
    }
    let syntax = |_| DataverseError::QuerySyntax;
    let named = segment.named_literals(table.id, alias).map_err(syntax)?;
    for (name, literal) in &named {
        let kind = table.column(name).map(|column| column.kind);
        let fits = match kind {
            Some(Kind::Identifier | Kind::Lookup { .. }) => matches!(literal, Literal::Guid(_)),
            Some(kind) => *literal != Literal::Null && payload::comparable(kind, literal),
            None => false,
        };
        if !fits {
            return Err(DataverseError::QuerySyntax);
        }
    }
    table.keys_of_rows().reference(&named).map(Some).map_err(|_| DataverseError::QuerySyntax)
}
