//! AD FS's refusals: what a client is told, and how that is written.
//!
//! Decides the body of the token endpoint's refusals (two members, apostrophes and angle brackets escaped as .NET's
//! JavaScript writer does) and the challenge of userinfo's. The texts are in `catalogue`. Never decides which error a request
//! deserves.

mod catalogue;
pub(crate) mod event_text;
pub(crate) mod log;

use mocktenant_idp::form::FormError;
use mocktenant_idp::json::{push_name, push_string_escaping};
use mocktenant_lab::CatalogueRow;

pub use self::catalogue::{AdfsError, Told};

/// What .NET's JavaScript writer escapes beyond JSON.
const ESCAPED: &[u8] = b"'<>&";

/// Our product identifier and change text, as the checks want them.
pub(crate) fn describe(error: &AdfsError) -> (&'static str, &'static str) {
    let row = error.row();
    (row.id, row.change)
}

impl From<FormError> for AdfsError {
    fn from(_: FormError) -> Self {
        Self::FormMalformed
    }
}

/// The body of a refusal at the token endpoint.
pub(crate) fn body(error: &'static str, description: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(description.len() + 80);
    out.push(b'{');
    for (name, text) in [("error", error), ("error_description", description)] {
        push_name(&mut out, name);
        push_string_escaping(&mut out, text, ESCAPED);
    }
    out.push(b'}');
    out
}

/// The catalogue for documents and the control API: what clients are told, and behind it what is logged.
pub(crate) fn catalogue_rows() -> Vec<CatalogueRow> {
    let class = |told: Told| match told {
        Told::OAuth(error) | Told::Bearer(error) => error.to_owned(),
        Told::Page => "page".to_owned(),
    };
    AdfsError::ROWS
        .iter()
        .map(|row| CatalogueRow {
            id: row.id,
            status: row.status,
            class: class(row.class),
            template: row.template,
            fidelity: row.fidelity,
            source: row.source,
            cause: row.cause,
            change: row.change,
        })
        .chain(log::catalogue_rows())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_written_as_it_was_recorded() {
        let text = "MSIS9612: The authorization code received in 'code' parameter is invalid. ";
        let body = body("invalid_grant", text);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"error":"invalid_grant","error_description":"MSIS9612: The authorization code received in \u0027code\u0027 parameter is invalid. "}"#
        );
    }

    #[test]
    fn a_text_begins_with_its_number() {
        for row in AdfsError::ROWS.iter().filter(|row| row.id.starts_with("MSIS")) {
            assert!(row.template.starts_with(&format!("{}: ", row.id)), "{}", row.name);
            assert!(!row.cause.is_empty() && !row.change.is_empty(), "{}", row.name);
        }
    }
}
