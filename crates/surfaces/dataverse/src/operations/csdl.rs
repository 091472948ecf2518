//! `GET $metadata`: the document that says which types, links and sets there are.
//!
//! Decides who may read it (whoever is let in, as with the service document: no privilege is asked for), which form is meant, and
//! that it is XML whatever `Accept` says. Annotations come with `annotations=true`, or where `Prefer` asks for them.

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_odata::QueryOptions;

use super::{Call, admit, finish, organization};
use crate::errors::{DataverseError, cut, excerpt};
use crate::{Dataverse, csdl, not_built, principal};

/// What there is of query options here.
const OPTIONS_HERE: &str = "annotations=true or false, and $format for XML";

/// Whether a segment is the document's name.
pub(super) fn is_name(segment: &str) -> bool {
    matches!(segment, "$metadata" | "%24metadata")
}

/// `GET /api/data/v9.2/$metadata`.
pub(crate) fn answer(surface: &Dataverse, exchange: &mut Exchange) -> Answer {
    let outcome = run(surface, exchange);
    finish(exchange, outcome)
}

fn run(surface: &Dataverse, exchange: &mut Exchange) -> Result<Answer, DataverseError> {
    let organization = organization(exchange).ok_or(DataverseError::NotFound)?;
    let mut call = admit(surface, exchange, &organization)?;
    // the route's letter case is any, the document's name has one
    if !is_name(&call.raw) {
        return Err(DataverseError::ResourceNotFound { segment: cut(&call.raw) });
    }
    of(&mut call)
}

/// The same for a caller who was let in.
pub(super) fn of(call: &mut Call<'_>) -> Result<Answer, DataverseError> {
    if call.writes() {
        return Err(DataverseError::MethodNotAllowed);
    }
    call.ask(|list, _, _| principal::ask_no_role(list))?;
    let annotated = annotated(call)? || call.preferences.wants_annotation(csdl::AN_ANNOTATION);
    let document = csdl::document(&call.schema, annotated);
    let answer = Answer::typed(StatusCode::OK, Content::Xml(document, "application/xml"));
    Ok(call.applied(answer, None))
}

/// Whether the query asks for annotations.
fn annotated(call: &mut Call<'_>) -> Result<bool, DataverseError> {
    let mut options =
        QueryOptions::parse(call.exchange.request.query()).map_err(|error| call.unreadable(&error))?;
    let format = options.format.take().filter(|format| !matches!(format.as_str(), "xml" | "application/xml"));
    let mut annotated = false;
    let mut unbuilt = format.map(|format| format!("$format={}", excerpt(&format)));
    for (name, value) in std::mem::take(&mut options.others) {
        if !name.eq_ignore_ascii_case("annotations") {
            if not_built::option(&name) {
                unbuilt = Some(format!("the query option {}", excerpt(&name)));
            }
            continue;
        }
        match value.to_ascii_lowercase().as_str() {
            "true" => annotated = true,
            "false" => {}
            _ => unbuilt = Some(format!("annotations={}", excerpt(&value))),
        }
    }
    if options != QueryOptions::default() {
        unbuilt = Some("a query option of rows".to_owned());
    }
    match unbuilt {
        None => Ok(annotated),
        Some(what) => {
            call.exchange.trail.not_built(format!("{what} on $metadata"), OPTIONS_HERE);
            Err(DataverseError::InvalidQueryOption)
        }
    }
}
