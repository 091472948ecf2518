//! Every text an AOS of Finance & Operations puts on the wire, and nothing else.
//!
//! Decides texts, statuses and how sure we are of each; never whether something is refused. The `cause` and `change` of a
//! row are ours and stay in journal and documents. Where the real product's body is not public, the body is empty and
//! the row's text is empty too.

mod bearer;
mod dual_write;
mod log;
mod odata;
mod page;
mod sign_in;

use mocktenant_lab::CatalogueRow;
use mocktenant_verdict::Row;

pub(crate) use bearer::{BearerError, P3P};
pub(crate) use dual_write::{DualWriteError, Troubleshooting};
pub(crate) use log::LogText;
pub(crate) use odata::{ODataError, WRITE, envelope};
pub(crate) use page::{StartError, UNAVAILABLE};
pub(crate) use sign_in::SignInError;

/// The whole catalogue of this surface.
pub(crate) fn catalogue() -> Vec<CatalogueRow> {
    [
        StartError::ROWS,
        SignInError::ROWS,
        BearerError::ROWS,
        ODataError::ROWS,
        DualWriteError::ROWS,
        LogText::ROWS,
    ]
    .into_iter()
    .flatten()
    .map(row)
    .collect()
}

fn row(row: &Row<&'static str>) -> CatalogueRow {
    CatalogueRow {
        id: row.id,
        status: row.status,
        class: row.class.to_owned(),
        template: row.template,
        fidelity: row.fidelity,
        source: row.source,
        cause: row.cause,
        change: row.change,
    }
}
