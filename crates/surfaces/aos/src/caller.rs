//! How the client of a world asks an AOS for what it does, and who an AOS is in a scenario.
//!
//! Decides the request: which set, which body, and the number a customer has when many are created. Never decides what
//! comes of it: environment and customer are the world's `caller`, wrong or not. Mirrors an integration that writes
//! customers through OData.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use mocktenant_lab::caller::encoded;
use mocktenant_lab::{Ask, Entrance, Step};
use mocktenant_scenario::{Cast, Part};
use mocktenant_world::{Environment, Errand, World};
use serde_json::{Map, Value};

use crate::configuration::{Configuration, named_thumbprint};

/// The column that holds a customer's number, and how long one may be.
const NUMBER: &str = "CustomerAccount";
const NUMBER_CHARACTERS: usize = 20;

/// The request of an errand that is for an AOS.
pub(crate) fn step(world: &World, errand: Errand, number: u32) -> Option<Step> {
    let caller = world.caller();
    let environment = world.environment(&caller.environment)?;
    let ask = match errand {
        Errand::CreateCustomer => create(environment, &caller.customer),
        Errand::Load => create(environment, &numbered(&caller.customer, number)),
        Errand::ReadCustomers => read(environment, &caller.customer),
        Errand::DataverseRequest | Errand::SignIn => return None,
    };
    Some(Step { ask, resource: format!("https://{}", environment.host) })
}

fn create(environment: &Environment, customer: &Map<String, Value>) -> Ask {
    let kind = HeaderValue::from_static("application/json");
    Ask {
        method: Method::POST,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
        body: Value::Object(customer.clone()).to_string().into(),
        ..customers(environment, "")
    }
}

/// The caller's own customer, by number; every customer where it has none.
fn read(environment: &Environment, customer: &Map<String, Value>) -> Ask {
    let query = customer.get(NUMBER).and_then(Value::as_str).map(|number| {
        let filter = format!("{NUMBER} eq '{}'", number.replace('\'', "''"));
        format!("?$filter={}", encoded(&filter))
    });
    customers(environment, &query.unwrap_or_default())
}

fn customers(environment: &Environment, query: &str) -> Ask {
    let entrance = Entrance::Environment(environment.id.clone());
    Ask::get(entrance, &environment.host, format!("/data/CustomersV3{query}"))
}

/// The same customer under a number of its own.
fn numbered(customer: &Map<String, Value>, number: u32) -> Map<String, Value> {
    let mut customer = customer.clone();
    let end = format!("-{number:08X}");
    let own = customer.get(NUMBER).and_then(Value::as_str).unwrap_or_default();
    let begin: String = own.chars().take(NUMBER_CHARACTERS - end.len()).collect();
    customer.insert(NUMBER.to_owned(), format!("{begin}{end}").into());
    customer
}

/// Whom the one-box asks for tokens as, and with which certificate.
pub(crate) fn cast(world: &World, cast: &mut Cast) {
    let onebox = cast.name(Part::Onebox).ok().and_then(|name| world.environment(name));
    let Some(environment) = onebox else { return };
    let configuration = Configuration::read(world, environment);
    if !configuration.client_id().is_empty() {
        cast.set(Part::App, &configuration.client_id().to_ascii_lowercase());
    }
    if let Some(thumbprint) = named_thumbprint(&configuration.thumbprint.value) {
        cast.set(Part::Cert, &thumbprint.to_string());
    }
}
