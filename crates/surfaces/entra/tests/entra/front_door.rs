//! A lab to call, the default world's ids, and client assertions to present.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mocktenant_entra::{Entra, ManagedIdentity};
use mocktenant_keys::{Algorithm, Identity, SigningKey, shipped};
use mocktenant_lab::{ClockChange, Command, Entrance, Lab, Random, Request};
use mocktenant_verdict::{Setting, Switches};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-08-21 10:00:00 UTC);
pub(crate) const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
pub(crate) const DOMAIN: &str = "contoso.onmicrosoft.com";
pub(crate) const CLIENT: &str = "c0117050-0000-4000-8000-00000000a001";
pub(crate) const CLIENT_OBJECT: &str = "c0117050-0000-4000-8000-0000000b0001";
pub(crate) const RETIRED: &str = "c0117050-0000-4000-8000-00000000a003";
pub(crate) const API: &str = "c0117050-0000-4000-8000-00000000a004";
pub(crate) const SECRET: &str = "contoso-app-secret-not-secret";
pub(crate) const EXPIRED_SECRET: &str = "contoso-expired-secret-not-secret";
pub(crate) const DATAVERSE: &str = "https://contoso.crm4.dynamics.com";
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(crate) const HOST: &str = "login.microsoftonline.com";
pub(crate) const LOCAL: &str = "localhost:7443";

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

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The AADSTS number; 0 for a success.
    pub(crate) fn code(&self) -> u64 {
        self.json()["error_codes"][0].as_u64().unwrap_or(0)
    }

    pub(crate) fn description(&self) -> String {
        self.json()["error_description"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn token(&self) -> String {
        let json = self.json();
        json["access_token"].as_str().unwrap_or_else(|| panic!("no token: {json}")).to_owned()
    }
}

/// A lab of the default world with these edits, with the clock at [`NOW`].
pub(crate) async fn lab_with(edits: Vec<Edit>, switches: Switches) -> Lab {
    let world = World::contoso().unwrap();
    let world = if edits.is_empty() { world } else { world.edited(&edits, EditedBy::Control).unwrap() };
    let lab = Lab::builder(Arc::new(world))
        .surface(Entra::new())
        .surface(ManagedIdentity)
        .random(Random::seeded(1))
        .switches(switches)
        .build();
    lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
    lab
}

/// A lab of the default world.
pub(crate) async fn lab() -> Lab {
    lab_with(Vec::new(), Switches::default()).await
}

pub(crate) async fn send(lab: &Lab, request: Request) -> Reply {
    let response = lab.answer(request).await;
    Reply { status: response.status.as_u16(), headers: response.headers, body: response.body }
}

pub(crate) async fn get(lab: &Lab, host: &str, target: &str) -> Reply {
    send(lab, Request::new(Method::GET, host, target, Entrance::Identity)).await
}

/// A POST of a raw body.
pub(crate) fn posting(host: &str, target: &str, content_type: &str, body: impl Into<Bytes>) -> Request {
    let mut request = Request::new(Method::POST, host, target, Entrance::Identity);
    if !content_type.is_empty() {
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
    }
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

pub(crate) async fn post(lab: &Lab, host: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
    send(lab, form_request(host, target, fields, &[])).await
}

/// The v1 token endpoint of the tenant.
pub(crate) fn v1() -> String {
    format!("/{TENANT}/oauth2/token")
}

/// The v2 token endpoint of the tenant.
pub(crate) fn v2() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

/// A v1 request by secret, healthy but for what is replaced; an empty value takes the field out.
pub(crate) fn by_secret<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("resource", DATAVERSE),
    ];
    change(&mut fields, changes);
    fields
}

/// A v2 request by secret.
pub(crate) fn by_secret_v2<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("scope", "https://contoso.crm4.dynamics.com/.default"),
    ];
    change(&mut fields, changes);
    fields
}

fn change<'f>(fields: &mut Vec<(&'f str, &'f str)>, changes: &[(&'f str, &'f str)]) {
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
}

/// A v1 request by assertion.
pub(crate) async fn present(lab: &Lab, assertion: &str) -> Reply {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
        ("resource", DATAVERSE),
    ];
    post(lab, HOST, &v1(), &fields).await
}

/// A client assertion, healthy until something is changed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: SigningKey,
}

impl Draft {
    /// The sample client's: RS256 and `x5t`, for ten minutes.
    pub(crate) fn healthy() -> Self {
        Self::of(shipped::sample_client())
    }

    /// By this identity, in the sample client's name.
    pub(crate) fn of(identity: &Identity) -> Self {
        let now = NOW.unix_timestamp();
        Self {
            header: object(json!({
                "alg": "RS256",
                "typ": "JWT",
                "x5t": identity.certificate().thumbprint().base64url(),
            })),
            claims: object(json!({
                "aud": format!("https://{HOST}/{TENANT}/oauth2/token"),
                "iss": CLIENT,
                "sub": CLIENT,
                "jti": "0b7d2c0a-6d1b-4a54-9f0e-3f1f2a6b7c8d",
                "nbf": now,
                "exp": now + 600,
            })),
            algorithm: Algorithm::Rs256,
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

    pub(crate) fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self.header("alg", algorithm.name())
    }

    pub(crate) fn signed(&self) -> String {
        let segment =
            |members: &Map<String, Value>| URL_SAFE_NO_PAD.encode(serde_json::to_vec(members).unwrap());
        self.signed_raw(&segment(&self.header), &segment(&self.claims))
    }

    /// Signs segments that are encoded already.
    pub(crate) fn signed_raw(&self, header: &str, claims: &str) -> String {
        let input = format!("{header}.{claims}");
        let signature = self.key.sign(self.algorithm, input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Null takes a member out.
fn set(members: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        members.shift_remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => unreachable!("an object literal"),
    }
}

/// A setting below an application of the tenant.
pub(crate) fn application(client_id: &str, below: &[&str]) -> Setting {
    let mut setting = Setting::of(["tenants", TENANT, "applications", client_id]);
    for segment in below {
        setting = setting.join(segment);
    }
    setting
}
