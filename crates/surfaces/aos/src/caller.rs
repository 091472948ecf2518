//! How the client of a world asks an AOS for what it does, how its browser opens the application, and who an AOS is in a
//! scenario.
//!
//! Decides the request: which set, which body, and the number a customer has when many are created; and what a person types
//! where AD FS asks. Never decides what comes of it: environment, customer and user are the world's `caller`, wrong or not.
//! Mirrors an integration that writes customers through OData, and a person at the application's URL.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use mocktenant_lab::caller::encoded;
use mocktenant_lab::{Ask, Entrance, SignInCall, Step};
use mocktenant_scenario::{Cast, Part};
use mocktenant_world::{Environment, Errand, SecretText, World};
use serde_json::{Map, Value};

use crate::configuration::{Configuration, named_thumbprint};
use crate::onprem;

/// The column that holds a customer's number, and how long one may be.
const NUMBER: &str = "CustomerAccount";
const NUMBER_CHARACTERS: usize = 20;
/// Typed where the directory has no such user and the world says no password.
const ANY_PASSWORD: &str = "any-password";

/// The request of an errand that is for an AOS.
pub(crate) fn step(world: &World, errand: Errand, number: u32) -> Option<Step> {
    let caller = world.caller();
    let environment = world.environment(&caller.environment)?;
    let ask = match errand {
        Errand::CreateCustomer => create(environment, &caller.customer),
        Errand::Load => create(environment, &numbered(&caller.customer, number)),
        Errand::ReadCustomers => read(environment, &caller.customer),
        Errand::DataverseRequest | Errand::SignIn | Errand::EverybodySignsIn => return None,
    };
    Some(Step { ask, resource: resource(environment) })
}

/// How the browser of a world's caller opens an application on-premises; `None` where it signs its user in to a client of its own.
pub(crate) fn sign_in(world: &World) -> Option<SignInCall> {
    let wanted = world.caller().sign_in.as_ref()?;
    let environment =
        world.environment(&wanted.provider).filter(|environment| environment.is_on_premises())?;
    let entrance = Entrance::Environment(environment.id.clone());
    let service = environment.identity.federation_service().and_then(|id| world.federation_service(id));
    let own = || service?.person(&wanted.user).map(|user| user.password.as_str());
    let password = wanted.password.as_ref().map(SecretText::as_str).or_else(own).unwrap_or(ANY_PASSWORD);
    Some(SignInCall {
        ask: Ask::get(entrance, &environment.host, format!("{}/", onprem::BASE)),
        // As the pages of AD FS call them.
        typed: vec![("UserName", wanted.user.clone()), ("Password", password.to_owned())],
        client: None,
        loses: wanted.loses.clone(),
    })
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
    let base = if environment.is_on_premises() { onprem::BASE } else { "" };
    Ask::get(entrance, &environment.host, format!("{base}/data/CustomersV3{query}"))
}

/// What a client asks a token for: the environment's URL, on-premises the way set-up registers it.
fn resource(environment: &Environment) -> String {
    let slash = if environment.is_on_premises() { "/" } else { "" };
    format!("https://{}{slash}", environment.host)
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

/// Whom the one-box asks for tokens as, and with which certificate; as whom an environment on-premises signs people in, and
/// for what it takes tokens.
pub(crate) fn cast(world: &World, cast: &mut Cast) {
    cast_one_box(world, cast);
    cast_on_premises(world, cast);
}

fn cast_one_box(world: &World, cast: &mut Cast) {
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

fn cast_on_premises(world: &World, cast: &mut Cast) {
    let environment = cast.name(Part::Onprem).ok().and_then(|name| world.environment(name));
    let Some(environment) = environment.filter(|environment| environment.is_on_premises()) else { return };
    let configuration = onprem::Configuration::read(environment, environment.nodes.first());
    let audience = &configuration.valid_audience.value;
    if !audience.is_empty() {
        cast.set(Part::Audience, audience);
    }
    let service = environment.identity.federation_service().and_then(|id| world.federation_service(id));
    let Some(service) = service else { return };
    if let Some(client) = service.client(&configuration.client_id.value) {
        cast.set(Part::NativeClient, &client.client_id);
        cast.set(Part::AxGroup, &client.group);
    }
    if let Some(web_api) = service.web_api(audience) {
        cast.set(Part::WebApi, &web_api.identifier);
    }
}
