//! A lab to call, the default world's ids, and client assertions to present.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mocktenant_adfs::Adfs;
use mocktenant_keys::{Algorithm, Identity, SigningKey, shipped};
use mocktenant_lab::{ClockChange, Command, Entrance, Lab, Random, Request};
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_verdict::{Check, Setting, Switches};
use mocktenant_world::{Edit, EditedBy, World, pointers};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-08-21 10:00:00.25 UTC);
pub(crate) const SERVICE: &str = "contoso";
pub(crate) const GROUP: &str = "Microsoft Dynamics 365 for Operations On-premises";
/// The sample client, a server application.
pub(crate) const SERVER: &str = "c0117050-0000-4000-8000-00000000a001";
/// The sample native client.
pub(crate) const NATIVE: &str = "c0117050-0000-4000-8000-00000000a101";
pub(crate) const SECRET: &str = "contoso-app-secret-not-secret";
pub(crate) const USER: &str = "ada@contoso.com";
pub(crate) const PASSWORD: &str = "ada-password-not-secret";
pub(crate) const RESOURCE: &str = "https://ax.contoso.com/";
pub(crate) const WEB_API: &str = "https://ax.contoso.com/namespaces/AXSF";
pub(crate) const HOST: &str = "adfs.contoso.com";
pub(crate) const LOCAL: &str = "localhost:7443";
pub(crate) const TOKEN: &str = "/adfs/oauth2/token";
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `error` and the MSIS number; both empty for a success.
    pub(crate) fn refusal(&self) -> (String, String) {
        let json = self.json();
        let text = json["error_description"].as_str().unwrap_or_default();
        let number = text.split(':').next().unwrap_or_default();
        (json["error"].as_str().unwrap_or_default().to_owned(), number.to_owned())
    }

    pub(crate) fn of(&self, member: &str) -> String {
        let json = self.json();
        json[member].as_str().unwrap_or_else(|| panic!("no {member}: {json}")).to_owned()
    }

    pub(crate) fn members(&self) -> Vec<String> {
        self.json().as_object().unwrap().keys().cloned().collect()
    }
}

/// A lab of the default world with these edits, with the clock at [`NOW`].
pub(crate) async fn lab_with(edits: Vec<Edit>, switches: Switches) -> Lab {
    let world = World::contoso().unwrap();
    let world = if edits.is_empty() { world } else { world.edited(&edits, EditedBy::Control).unwrap() };
    let builder = Lab::builder(Arc::new(world)).surface(Adfs).random(Random::seeded(1));
    let lab = builder.switches(switches).build();
    lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
    lab
}

/// A lab of the default world with other keys of its own.
pub(crate) async fn seeded(seed: u64) -> Lab {
    let world = Arc::new(World::contoso().unwrap());
    let lab = Lab::builder(world).surface(Adfs).random(Random::seeded(seed)).build();
    lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
    lab
}

/// A lab of the default world.
pub(crate) async fn lab() -> Lab {
    lab_with(Vec::new(), Switches::default()).await
}

/// One with these edits.
pub(crate) async fn edited(edits: impl IntoIterator<Item = (Setting, Value)>) -> Lab {
    let edits = edits.into_iter().map(|(setting, value)| Edit::add(setting, value));
    lab_with(edits.collect(), Switches::default()).await
}

/// The Windows Servers there are.
pub(crate) const PROFILES: [&str; 3] = ["2016", "2019", "2022"];

/// One whose service runs on this Windows Server.
pub(crate) async fn lab_on(profile: &str) -> Lab {
    edited([(service().profile(), profile.into())]).await
}

pub(crate) fn service() -> pointers::FederationService {
    pointers::federation_service(SERVICE)
}

pub(crate) fn web_api() -> pointers::WebApi {
    service().application_group(GROUP).web_api(WEB_API)
}

pub(crate) async fn send(lab: &Lab, request: Request) -> Reply {
    let response = lab.answer(request).await;
    Reply { status: response.status.as_u16(), headers: response.headers, body: response.body }
}

pub(crate) fn getting(host: &str, target: &str) -> Request {
    Request::new(Method::GET, host, target, Entrance::Identity)
}

pub(crate) async fn get(lab: &Lab, host: &str, target: &str) -> Reply {
    send(lab, getting(host, target)).await
}

/// A POST of a raw body.
pub(crate) fn posting(host: &str, target: &str, content_type: &str, body: impl Into<Bytes>) -> Request {
    let mut request = Request::new(Method::POST, host, target, Entrance::Identity);
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
    request.body = Ok(body.into());
    request
}

/// A form post with further header fields.
pub(crate) fn form_request(
    host: &str,
    target: &str,
    fields: &[(&str, &str)],
    headers: &[(&'static str, &str)],
) -> Request {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = posting(host, target, "application/x-www-form-urlencoded", body);
    for (name, value) in headers {
        request.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    request
}

/// A request with these header fields.
pub(crate) fn request(method: Method, target: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::new(method, HOST, target, Entrance::Identity);
    for (name, value) in headers {
        request.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    request
}

/// A token request under the service's own name.
pub(crate) async fn ask(lab: &Lab, fields: &[(&str, &str)]) -> Reply {
    send(lab, form_request(HOST, TOKEN, fields, &[])).await
}

/// Fields with others in their place; an empty value takes the field out.
pub(crate) fn changed<'f>(
    fields: &[(&'f str, &'f str)],
    changes: &[(&'f str, &'f str)],
) -> Vec<(&'f str, &'f str)> {
    let mut fields = fields.to_vec();
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    fields
}

/// A request by secret, healthy but for what is changed.
pub(crate) fn by_secret<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let healthy = [
        ("grant_type", "client_credentials"),
        ("client_id", SERVER),
        ("client_secret", SECRET),
        ("resource", RESOURCE),
    ];
    changed(&healthy, changes)
}

/// A request by password, healthy but for what is changed.
pub(crate) fn by_password<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let healthy = [
        ("grant_type", "password"),
        ("client_id", NATIVE),
        ("username", USER),
        ("password", PASSWORD),
        ("resource", RESOURCE),
        ("scope", "openid"),
    ];
    changed(&healthy, changes)
}

/// A request by assertion.
pub(crate) fn by_assertion(assertion: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("client_id", SERVER),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
        ("resource", RESOURCE),
    ]
}

/// The claims of a token, verified by an independent library with the keys that the service publishes.
pub(crate) async fn verified(lab: &Lab, token: &str) -> Map<String, Value> {
    use jsonwebtoken::{DecodingKey, Validation, decode};
    let keys = get(lab, HOST, "/adfs/discovery/keys").await.json();
    let header = header_of(token);
    let jwk =
        keys["keys"].as_array().unwrap().iter().find(|key| key["x5t"] == header["x5t"]).unwrap().clone();
    let (n, e) = (jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap());
    let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_rsa_components(n, e).unwrap();
    decode::<Map<String, Value>>(token, &key, &validation).unwrap().claims
}

/// The members of a token's header.
pub(crate) fn header_of(token: &str) -> Map<String, Value> {
    mocktenant_token::Compact::parse(token).unwrap().header().members().clone()
}

/// A check of the last exchange.
pub(crate) fn last_check(lab: &Lab, name: &str) -> Check {
    let record = lab.journal().records().pop().unwrap();
    record.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check {name}")).clone()
}

/// The name of the check that decided the last exchange.
pub(crate) fn decided(lab: &Lab) -> String {
    let record = lab.journal().records().pop().unwrap();
    record.failed_check().map_or_else(String::new, |check| check.name.to_string())
}

/// A client assertion, healthy until something is changed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) key: SigningKey,
}

impl Draft {
    /// The sample client's, for ten minutes.
    pub(crate) fn healthy() -> Self {
        Self::of(shipped::sample_client())
    }

    /// By this identity, in the sample client's name.
    pub(crate) fn of(identity: &Identity) -> Self {
        let now = NOW.unix_timestamp();
        let object = |value: Value| value.as_object().unwrap().clone();
        let x5t = identity.certificate().thumbprint().base64url();
        Self {
            header: object(json!({ "alg": "RS256", "typ": "JWT", "x5t": x5t })),
            claims: object(json!({
                "aud": format!("https://{HOST}{TOKEN}"),
                "exp": now + 600,
                "iss": SERVER,
                "jti": "22b3bb26-e046-42df-9c96-65dbd72c1c81",
                "nbf": now,
                "sub": SERVER,
            })),
            key: identity.key().clone(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    pub(crate) fn signed(&self) -> String {
        let algorithm = self.header.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name);
        let header = HeaderSegment::new(&self.header).unwrap();
        mint(&self.key, algorithm.unwrap_or(Algorithm::Rs256), &header, &self.claims).unwrap()
    }
}

fn set(members: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        members.shift_remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}
