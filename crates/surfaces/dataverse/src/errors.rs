//! The texts of Dataverse, and nothing but the texts.
//!
//! Decides code, status and wording of every refusal, each with how sure we are of it. Never decides when one is due:
//! that is [`crate::bearer`], [`crate::principal`] and [`crate::operations`]. Our own cause and change stand beside each
//! row and never reach the wire.

mod batch;
mod catalogue;
mod fetch;
mod option;
mod payload;

pub use batch::BatchDefect;
pub use catalogue::DataverseError;
pub use fetch::FetchDefect;
pub(crate) use mocktenant_token::strict_json::excerpt;
pub(crate) use option::OptionDefect;
pub use payload::PayloadDefect;

/// At most 64 characters of a foreign text, for a text of the product: nothing of ours marks the cut. Checks and facts take
/// [`excerpt`].
pub(crate) fn cut(text: &str) -> String {
    mocktenant_verdict::foreign::cut(text, 64).to_owned()
}

use mocktenant_lab::CatalogueRow;

/// Identifier and change of an error, as [`mocktenant_verdict::Checklist`] wants them.
pub(crate) fn describe(error: &DataverseError) -> (&'static str, &'static str) {
    let row = error.row();
    (row.id, row.change)
}

/// The catalogue for documents and the control API.
pub(crate) fn rows() -> Vec<CatalogueRow> {
    DataverseError::ROWS
        .iter()
        .map(|row| CatalogueRow {
            id: row.id,
            status: row.status,
            class: row.class.to_owned(),
            template: row.template,
            fidelity: row.fidelity,
            source: row.source,
            cause: row.cause,
            change: row.change,
        })
        .collect()
}
