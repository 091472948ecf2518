//! The page behind `error_uri`: what this lab knows of a code.
//!
//! Decides only how the catalogue is shown to a person. The real address leads to a page of Microsoft's; this one is the
//! lab's own and says so, holds no script and loads nothing. Never claims more than the catalogue does.

use std::fmt::Write as _;

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange};

use crate::errors::EntraError;
use mocktenant_idp::form::Form;

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
/// Nothing may run or be loaded, and the page is nobody's frame.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers it.
pub(crate) fn answer(exchange: &Exchange) -> Answer {
    let form = Form::parse(exchange.request.query().as_bytes()).unwrap_or_default();
    let asked = form.get("code").unwrap_or_default().trim();
    let digits = asked.strip_prefix("AADSTS").unwrap_or(asked);
    let (status, page) = match page(digits) {
        Some(page) => (StatusCode::OK, page),
        None => (StatusCode::NOT_FOUND, unknown()),
    };
    Answer::typed(status, Content::Page(page.into()))
        .with("cache-control", "no-store")
        .with("content-security-policy", POLICY)
        .with("x-content-type-options", "nosniff")
}

/// The page of a code that has rows.
fn page(code: &str) -> Option<String> {
    let known = || EntraError::ROWS.iter().filter(|row| row.id.strip_prefix("AADSTS") == Some(code));
    let first = known().next()?;
    let mut out = String::with_capacity(2048);
    begin(&mut out, first.id);
    // Writing to a String cannot fail.
    for row in known() {
        let _ = write!(
            out,
            "<h2>{}, {}</h2>\n<p><q>{}</q></p>\n",
            row.class.error,
            row.status,
            escaped(row.template)
        );
        for text in [row.cause, row.change].into_iter().filter(|text| !text.is_empty()) {
            let _ = writeln!(out, "<p>{}</p>", escaped(text));
        }
        let fidelity = format!("{:?}", row.fidelity).to_lowercase();
        let _ = writeln!(out, "<p>The wording is {fidelity}: {}.</p>", escaped(row.source));
    }
    end(&mut out);
    Some(out)
}

fn unknown() -> String {
    let mut out = String::with_capacity(512);
    begin(&mut out, "No such code");
    out.push_str("<p>The catalogue of this lab has no such code.</p>\n");
    end(&mut out);
    out
}

fn begin(out: &mut String, title: &str) {
    let _ = writeln!(out, "{HEAD}<title>{title} - mocktenant</title>\n</head>\n<body>\n<h1>{title}</h1>");
}

fn end(out: &mut String) {
    out.push_str(
        "<p>This page is mocktenant's, a lab for tests, and not Microsoft's. <code>mocktenant explain</code> says which \
         setting made it refuse.</p>\n</body>\n</html>\n",
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_catalogue_has_a_page_with_all_its_rows() {
        for row in EntraError::ROWS {
            let page = page(&row.id["AADSTS".len()..]).unwrap_or_default();
            assert!(
                page.contains(&escaped(row.template)) && page.contains(&escaped(row.cause)),
                "{}",
                row.id
            );
            assert!(!page.contains("<script") && page.contains("not Microsoft's"), "{}", row.id);
        }
        assert_eq!(page("1"), None);
        assert_eq!(page(""), None);
    }
}
