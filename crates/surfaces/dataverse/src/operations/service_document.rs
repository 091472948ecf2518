//! The service document: which entity sets an organisation has (OData JSON Format 4.0 section 5).
//!
//! Decides their order, by name, and nothing else: whoever is let in may read it, no privilege is asked for. That it lists
//! sets alone, each with `name`, `kind` and `url` in this order, is what the OData library writes; no capture of a real one
//! is known. Mirrors what Power Query and connection tests call first.

use std::sync::Arc;

use http::StatusCode;
use mocktenant_lab::{Answer, Exchange};
use serde_json::{Value, json};

use super::{Call, admit, finish, organization};
use crate::Dataverse;
use crate::errors::DataverseError;
use crate::principal;
use crate::representation::json_answer;

/// `GET /api/data/v9.2/`.
pub(crate) fn answer(surface: &Dataverse, exchange: &mut Exchange) -> Answer {
    let outcome = run(surface, exchange);
    finish(exchange, outcome)
}

fn run(surface: &Dataverse, exchange: &mut Exchange) -> Result<Answer, DataverseError> {
    let organization = organization(exchange).ok_or(DataverseError::NotFound)?;
    of(&mut admit(surface, exchange, &organization)?)
}

/// The same for a caller who was let in.
pub(super) fn of(call: &mut Call<'_>) -> Result<Answer, DataverseError> {
    if call.writes() {
        return Err(DataverseError::MethodNotAllowed);
    }
    call.ask(|list, _, _| principal::ask_no_role(list))?;
    let schema = Arc::clone(&call.schema);
    let mut names: Vec<&str> = schema.tables().map(mocktenant_schema::Table::set).collect();
    names.sort_unstable();
    let set = |name: &str| json!({ "name": name, "kind": "EntitySet", "url": name });
    let body = json!({
        "@odata.context": format!("{}/$metadata", call.root),
        "value": names.into_iter().map(set).collect::<Vec<Value>>(),
    });
    Ok(json_answer(StatusCode::OK, &body))
}
