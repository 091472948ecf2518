//! One request to the Web API, from its token to its answer.
//!
//! Decides the order: token and application user first (so that a stranger learns nothing), then version, resource and
//! body, then the privilege, then the rows. Each operation on rows has a file of its own. The organisation calls
//! nobody, and waits only where it reads many rows.

mod address;
mod aggregate;
mod allowed;
mod append;
mod astray;
pub(crate) mod batch;
mod below;
mod call;
mod cookie;
mod create;
pub(crate) mod csdl;
mod definitions;
mod delete;
mod fetched;
mod functions;
mod given;
mod hierarchy;
mod list;
mod refused;
mod required;
mod retrieve;
pub(crate) mod service_document;
mod update;

use std::sync::Arc;

use http::Method;
use mocktenant_lab::{Answer, Exchange};
use mocktenant_odata::ResourceSegment;
use mocktenant_schema::Schema;
use mocktenant_world::Organization;

use crate::errors::DataverseError;
use crate::{Dataverse, bearer, headers, representation, tables};

use address::Target;
use call::{Call, admit};

pub(crate) use address::{Reference, key_of};
pub(crate) use allowed::allowed;
pub(crate) use astray::{astray, stranger};
pub(crate) use cookie::next_page;

/// A function of the service root.
pub(crate) fn function(surface: &Dataverse, exchange: &mut Exchange) -> Answer {
    let outcome = functions::run(surface, exchange);
    finish(exchange, outcome)
}

/// Whatever is at a path below the version: a table, one row of it, definitions.
pub(crate) async fn resource(surface: &Dataverse, exchange: &mut Exchange) -> Answer {
    let outcome = table(surface, exchange).await;
    finish(exchange, outcome)
}

/// The anonymous probe of the SOAP endpoint, by which clients find authority and resource. SOAP itself is not built: the
/// endpoint answers every request with the challenge.
pub(crate) fn organization_service(exchange: &mut Exchange) -> Answer {
    exchange.trail.not_built("SOAP", "the anonymous probe of the endpoint, and the Web API");
    finish(exchange, Err(DataverseError::Unauthorized))
}

/// Dresses an answer, or a refusal in the words of the catalogue.
pub(crate) fn finish(exchange: &mut Exchange, outcome: Result<Answer, DataverseError>) -> Answer {
    let answer = worded(exchange, outcome);
    headers::dress(exchange, answer)
}

/// An answer, or a refusal in the words of the catalogue.
fn worded(exchange: &mut Exchange, outcome: Result<Answer, DataverseError>) -> Answer {
    match outcome {
        Ok(answer) => answer,
        Err(error) => {
            representation::tell_unknown_name(exchange, &error);
            let answer = representation::refusal(exchange, &error);
            if error == DataverseError::MethodNotAllowed
                && let Some(allowed) = allowed(exchange)
            {
                return answer.with("allow", allowed);
            }
            match organization(exchange) {
                Some(organization) if error == DataverseError::Unauthorized => {
                    answer.with_text("www-authenticate", &bearer::challenge(exchange, &organization))
                }
                _ => answer,
            }
        }
    }
}

fn organization(exchange: &Exchange) -> Option<Arc<Organization>> {
    exchange.context.world().organization(exchange.context.organization()?).cloned()
}

async fn table(surface: &Dataverse, exchange: &mut Exchange) -> Result<Answer, DataverseError> {
    let organization = organization(exchange).ok_or(DataverseError::NotFound)?;
    let mut call = admit(surface, exchange, &organization)?;
    dispatch(surface, &mut call).await
}

/// What stands below the version in a path.
enum Below {
    Nothing,
    Document,
    Definitions,
    One,
    Count,
    More,
}

impl Below {
    fn of(path: &str) -> Self {
        let mut segments = path.trim_end_matches('/').split('/').skip(4);
        match (segments.next(), segments.next(), segments.next()) {
            (None, ..) => Self::Nothing,
            (Some(first), None, _) if csdl::is_name(first) => Self::Document,
            (Some(first), ..) if definitions::begin(first) => Self::Definitions,
            (Some(_), None, _) => Self::One,
            (Some(first), Some("$count" | "%24count"), None) if !first.contains('(') => Self::Count,
            _ => Self::More,
        }
    }

    fn is_one(&self) -> bool {
        matches!(self, Self::One)
    }
}

/// What is at the request's path below the version.
async fn dispatch(surface: &Dataverse, call: &mut Call<'_>) -> Result<Answer, DataverseError> {
    let schema = Arc::clone(&call.schema);
    match Below::of(call.exchange.request.path()) {
        Below::Nothing => service_document::of(call),
        Below::Document => csdl::of(call),
        Below::Definitions => definitions::answer(call),
        Below::One => rows(surface, call, &schema).await,
        Below::Count if !call.writes() => count(call, &schema).await,
        Below::Count => Err(call.leads_nowhere()),
        Below::More if call.writes() => {
            let _one_at_a_time = surface.begin_write(&call.exchange.context);
            drafted(call)
        }
        Below::More => below(call, &schema).await,
    }
}

/// How many rows there are, of a set.
async fn count(call: &mut Call<'_>, schema: &Schema) -> Result<Answer, DataverseError> {
    let segment = call.segment()?;
    let target = target(call, schema, &segment)?;
    match target.reference {
        None => list::count(call, &target, None).await,
        Some(_) => Err(call.leads_nowhere()),
    }
}

/// What stands below a row.
async fn below(call: &mut Call<'_>, schema: &Schema) -> Result<Answer, DataverseError> {
    let path = call.exchange.request.path().to_owned();
    let rest: Vec<&str> = path.trim_end_matches('/').split('/').skip(5).collect();
    let segment = call.segment()?;
    if schema.by_set(&segment.name).is_none() {
        return Err(call.leads_nowhere());
    }
    let target = target(call, schema, &segment)?;
    match &target.reference {
        Some(reference) => below::answer(call, &target, reference, &rest).await,
        None => Err(call.leads_nowhere()),
    }
}

/// A table, one row of it, or a function.
async fn rows(surface: &Dataverse, call: &mut Call<'_>, schema: &Schema) -> Result<Answer, DataverseError> {
    let segment = call.segment()?;
    if functions::is_function(&segment) {
        return functions::answer(call, &segment);
    }
    let target = target(call, schema, &segment)?;
    match &target.reference {
        _ if call.writes() => {
            let _one_at_a_time = surface.begin_write(&call.exchange.context);
            write(call, &target)
        }
        Some(reference) => {
            fetched::refuse(call, &target.options)?;
            retrieve::answer(call, &target, reference)
        }
        None => list::answer(call, &target, None).await,
    }
}

/// A write of rows, while whoever asks for it keeps others from writing.
fn drafted(call: &mut Call<'_>) -> Result<Answer, DataverseError> {
    let schema = Arc::clone(&call.schema);
    match Below::of(call.exchange.request.path()) {
        Below::Definitions => definitions::answer(call),
        Below::One => {
            let segment = call.segment()?;
            if functions::is_function(&segment) {
                return functions::answer(call, &segment);
            }
            let target = target(call, &schema, &segment)?;
            write(call, &target)
        }
        Below::More => below::write(call, &schema),
        _ => Err(call.leads_nowhere()),
    }
}

/// What a request addresses, once its query options are read.
fn target<'s>(
    call: &mut Call<'_>,
    schema: &'s Schema,
    segment: &ResourceSegment,
) -> Result<Target<'s>, DataverseError> {
    let Some(table) = schema.by_set(&segment.name) else { return Err(call.no_table(segment)) };
    call.exchange.trail.fact("table", table.set().to_owned());
    let options = list::options(call)?;
    let reference = key_of(table, segment, |name| options.alias(name))?;
    if call.writes() && Below::of(call.exchange.request.path()).is_one() && !tables::is_stored(table) {
        let method = &call.exchange.request.method;
        call.exchange.trail.not_built(format!("{method} {}", table.set()), "reading them");
        return Err(DataverseError::MethodNotAllowed);
    }
    let database = call.rows()?;
    Ok(Target { table, reference, options, database })
}

/// A write, while nobody else writes.
fn write(call: &mut Call<'_>, target: &Target<'_>) -> Result<Answer, DataverseError> {
    match (&call.exchange.request.method, &target.reference) {
        (&Method::POST, None) => create::answer(call, target),
        (&Method::PATCH, Some(reference)) => update::answer(call, target, reference),
        (&Method::DELETE, Some(reference)) => delete::answer(call, target, reference),
        _ => Err(DataverseError::MethodNotAllowed),
    }
}
