//! Entra's refusals: the catalogue, and the body every one of them is put in.
//!
//! Decides the shape of the error body (members, their order, the text around the message, when `error_uri` is there).
//! The texts are in `catalogue`. Never decides which error a request deserves.

mod catalogue;
mod managed_identity;

use mocktenant_lab::CatalogueRow;

pub use self::catalogue::{EntraError, OAuth};
pub use self::managed_identity::{Body, ManagedIdentityError};
use mocktenant_idp::form::FormError;
use mocktenant_idp::json::{push_member, push_name};

/// Our product identifier and change text, as the checks want them.
pub(crate) fn describe(error: &EntraError) -> (&'static str, &'static str) {
    let row = error.row();
    (row.id, row.change)
}

impl From<FormError> for EntraError {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Malformed => Self::FormMalformed,
            FormError::Repeated { name } => Self::ParameterDuplicated { name },
        }
    }
}

impl EntraError {
    /// The number behind `AADSTS`, as `error_codes` carries it.
    pub fn code(&self) -> &'static str {
        let id = self.row().id;
        id.strip_prefix("AADSTS").unwrap_or(id)
    }
}

/// The ids and times an error body carries.
pub(crate) struct Stamp<'e> {
    /// Trace id, equal to `x-ms-request-id`.
    pub(crate) trace_id: &'e str,
    /// Correlation id.
    pub(crate) correlation_id: &'e str,
    /// `yyyy-MM-dd HH:mm:ssZ`.
    pub(crate) timestamp: &'e str,
    /// `https://` base of the host that was called.
    pub(crate) base: &'e str,
}

/// The error body. Members and order as observed (a full body in msal-js#5491); single spaces between the labels, as since
/// the end of 2023.
pub(crate) fn body(error: &EntraError, stamp: &Stamp<'_>) -> Vec<u8> {
    let row = error.row();
    let code = error.code();
    let description = format!(
        "{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}",
        row.id,
        error.text(),
        stamp.trace_id,
        stamp.correlation_id,
        stamp.timestamp
    );
    let mut out = Vec::with_capacity(description.len() + 320);
    out.push(b'{');
    push_member(&mut out, "error", row.class.error);
    push_member(&mut out, "error_description", &description);
    push_name(&mut out, "error_codes");
    out.push(b'[');
    out.extend_from_slice(code.as_bytes());
    out.push(b']');
    push_member(&mut out, "timestamp", stamp.timestamp);
    push_member(&mut out, "trace_id", stamp.trace_id);
    push_member(&mut out, "correlation_id", stamp.correlation_id);
    if row.class.has_page {
        push_member(&mut out, "error_uri", &format!("{}/error?code={code}", stamp.base));
    }
    out.push(b'}');
    out
}

/// The catalogue for documents and the control API.
pub(crate) fn catalogue_rows() -> Vec<CatalogueRow> {
    EntraError::ROWS
        .iter()
        .map(|row| CatalogueRow {
            id: row.id,
            status: row.status,
            class: row.class.error.to_owned(),
            template: row.template,
            fidelity: row.fidelity,
            source: row.source,
            cause: row.cause,
            change: row.change,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_invalid_client_is_401() {
        for row in EntraError::ROWS {
            let unauthorized = row.class.error == "invalid_client";
            assert_eq!(row.status == 401, unauthorized, "{}", row.name);
            assert!(row.status != 200 && !row.cause.is_empty() && !row.source.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn a_row_from_the_article_says_what_is_inferred() {
        for row in EntraError::ROWS.iter().filter(|row| row.source.starts_with("Microsoft Entra article")) {
            assert!(row.source.ends_with("OAuth error and status inferred)"), "{}", row.name);
        }
    }

    #[test]
    fn every_identifier_is_a_number_behind_the_prefix() {
        for row in EntraError::ROWS {
            let digits = row.id.strip_prefix("AADSTS").unwrap();
            assert!(digits.parse::<u32>().is_ok(), "{}", row.name);
        }
    }
}
