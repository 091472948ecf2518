//! Functions of the service root: who am I, and which version is this.
//!
//! Decides nothing but the two answers; neither needs a privilege.

use http::{Method, StatusCode};
use mocktenant_lab::{Answer, Exchange};
use mocktenant_odata::{Arguments, ResourceSegment};
use serde_json::json;

use super::astray::no_function;
use super::{Call, admit, organization};
use crate::Dataverse;
use crate::errors::DataverseError;
use crate::principal;
use crate::representation::json_answer;

/// Version of the organisation's database. The number is ours, its form is the product's.
const VERSION: &str = "9.2.25063.00152";

pub(super) fn run(surface: &Dataverse, exchange: &mut Exchange) -> Result<Answer, DataverseError> {
    let organization = organization(exchange).ok_or(DataverseError::NotFound)?;
    let mut call = admit(surface, exchange, &organization)?;
    let segment = call.segment()?;
    answer(&mut call, &segment)
}

/// Whether a segment names a function, with or without its namespace.
pub(super) fn is_function(segment: &ResourceSegment) -> bool {
    is_function_name(&segment.name)
}

/// The same of a bare name.
pub(super) fn is_function_name(name: &str) -> bool {
    matches!(bare(name), "WhoAmI" | "RetrieveVersion")
}

pub(super) fn answer(call: &mut Call<'_>, segment: &ResourceSegment) -> Result<Answer, DataverseError> {
    if !matches!(call.exchange.request.method, Method::GET | Method::HEAD) {
        return Err(no_function(call.exchange, &segment.name));
    }
    call.ask(|list, _, _| principal::ask_no_role(list))?;
    let plain = match &segment.arguments {
        Arguments::None => true,
        Arguments::Named(named) => named.is_empty(),
        Arguments::Key(_) => false,
    };
    let context = |response: &str| format!("{}/$metadata#Microsoft.Dynamics.CRM.{response}", call.root);
    let body = match bare(&segment.name) {
        "WhoAmI" if plain => json!({
            "@odata.context": context("WhoAmIResponse"),
            "BusinessUnitId": call.organization.business_unit,
            "UserId": call.principal.id,
            "OrganizationId": call.organization.id,
        }),
        "RetrieveVersion" if plain => json!({
            "@odata.context": context("RetrieveVersionResponse"),
            "Version": VERSION,
        }),
        "WhoAmI" | "RetrieveVersion" => return Err(DataverseError::QuerySyntax),
        // function names have letter case
        _ => return Err(call.no_table(segment)),
    };
    Ok(json_answer(StatusCode::OK, &body))
}

fn bare(name: &str) -> &str {
    name.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or(name)
}
