//! A Dataverse in a lab without sockets: the default world, a frozen clock, tokens on the shipped key.

#[path = "../../../../testing/answers.rs"]
mod answers;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use mocktenant_dataverse::Dataverse;
use mocktenant_keys::{Algorithm, Identity, shipped};
use mocktenant_lab::{ClockChange, Command, Entrance, Lab, LabBuilder, Random, Request, Response};
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_verdict::{Setting, Switches};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);
pub(crate) const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
pub(crate) const CLIENT: &str = "c0117050-0000-4000-8000-00000000a001";
pub(crate) const USER: &str = "c0117050-0000-4000-8000-0000000d1001";
pub(crate) const ORGANIZATION: &str = "c0117050-0000-4000-8000-0000000d0001";
pub(crate) const HOST: &str = "contoso.crm4.dynamics.com";
pub(crate) const API_HOST: &str = "contoso.api.crm4.dynamics.com";
pub(crate) const EURO: &str = "c0117050-0000-4000-8000-0000000e2002";

pub(crate) struct Bench {
    pub(crate) lab: Lab,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(Switches::default(), &[]).await
    }

    pub(crate) async fn edited(edits: &[Edit]) -> Self {
        Self::with(Switches::default(), edits).await
    }

    pub(crate) async fn with(switches: Switches, edits: &[Edit]) -> Self {
        Self::of(edits, |lab| lab.switches(switches)).await
    }

    /// An organisation that gives a query this long.
    pub(crate) async fn hurried(time: Duration, edits: &[Edit]) -> Self {
        Self::of(edits, |lab| lab.query_time(time)).await
    }

    async fn of(edits: &[Edit], change: impl FnOnce(LabBuilder) -> LabBuilder) -> Self {
        let world = World::contoso().unwrap().edited(edits, EditedBy::Scenario("test".into())).unwrap();
        let lab = Lab::builder(Arc::new(world)).surface(Dataverse::new()).random(Random::seeded(7));
        let lab = change(lab).build();
        lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
        Self { lab }
    }

    /// A request with a good token.
    pub(crate) async fn call(&self, method: Method, target: &str, body: Option<&str>) -> Seen {
        self.send(method, target, body, &[("authorization", &bearer(&claims()))]).await
    }

    /// A request with a good token and more headers.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        target: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Seen {
        let authorization = bearer(&claims());
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        self.send(method, target, body, &all).await
    }

    pub(crate) async fn get(&self, target: &str) -> Seen {
        self.call(Method::GET, target, None).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Seen {
        self.send_to(HOST, method, target, body, headers).await
    }

    pub(crate) async fn send_to(
        &self,
        host: &str,
        method: Method,
        target: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Seen {
        let mut request = Request::new(method, host, target, Entrance::organization("contoso"));
        if let Some(body) = body {
            request.body = Ok(body.as_bytes().to_vec().into());
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request.headers.insert("content-type", HeaderValue::from_static("application/json"));
            }
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            let name: HeaderName = name.parse().unwrap();
            request.headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let (method, url) = (request.method.clone(), format!("https://{host}{target}"));
        let response = self.lab.answer(request).await;
        answers::keep(&method, &url, response.status, &response.headers, &response.body);
        Seen { response }
    }

    /// Names of the last exchange's failed checks.
    pub(crate) fn failed_checks(&self) -> Vec<String> {
        let last = self.lab.journal().last_refusal();
        last.iter()
            .flat_map(|record| record.checks.iter().filter(|check| check.failed()))
            .map(|check| check.name.to_string())
            .collect()
    }
}

pub(crate) struct Seen {
    pub(crate) response: Response,
}

impl Seen {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.response.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.response.body)))
    }

    /// Status and error code; the code is empty where the body is.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = if self.response.body.is_empty() { Value::Null } else { self.json() };
        let code = body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
        (self.status().as_u16(), code.to_owned())
    }

    pub(crate) fn message(&self) -> String {
        self.json().pointer("/error/message").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// Claims of a token this organisation accepts.
pub(crate) fn claims() -> Value {
    let now = NOW.unix_timestamp();
    json!({
        "aud": format!("https://{HOST}"), "iss": format!("https://sts.windows.net/{TENANT}/"),
        "iat": now, "nbf": now - 300, "exp": now + 3600,
        "appid": CLIENT, "appidacr": "1", "oid": "c0117050-0000-4000-8000-00000000b001", "tid": TENANT, "ver": "1.0",
    })
}

/// The same with one claim changed.
pub(crate) fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

pub(crate) fn header_of(identity: &Identity) -> Value {
    let kid = identity.certificate().thumbprint().base64url();
    json!({ "typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid })
}

/// `Bearer ...` on the shipped key.
pub(crate) fn bearer(claims: &Value) -> String {
    let signer = shipped::token_signing();
    format!("Bearer {}", token(signer, &header_of(signer), claims))
}

pub(crate) fn token(signer: &Identity, header: &Value, claims: &Value) -> String {
    let header = HeaderSegment::new(header.as_object().unwrap()).unwrap();
    mint(signer.key(), Algorithm::Rs256, &header, claims).unwrap()
}

/// `/organizations/contoso/...`
pub(crate) fn organization(segments: &[&str]) -> Setting {
    let mut pointer = Setting::of(["organizations", "contoso"]);
    for segment in segments {
        pointer = pointer.join(segment);
    }
    pointer
}
