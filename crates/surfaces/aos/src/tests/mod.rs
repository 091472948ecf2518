//! A lab with nothing but an AOS in it, and a wire behind it that answers as scripted.
//!
//! Full chains against the real surfaces are in the acceptance crate; here each answer of the AOS is met one at a time.

#[path = "../../../../testing/answers.rs"]
mod answers;
mod batches;
mod bearer;
mod declared;
mod documents;
mod dual_write;
mod entities;
mod hostile;
mod links;
mod odata;
mod remedies;
mod sets;
mod start;
mod unbuilt;
mod wire;

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use mocktenant_keys::{Algorithm, Identity, shipped};
use mocktenant_lab::journal::Record;
use mocktenant_lab::{ClockChange, Command, Entrance, Lab, LabBuilder, Machine, Random, Request, Response};
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_verdict::{Check, Setting, Switches};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::Aos;
use wire::Wire;

const HOST: &str = "usnconeboxax1aos.cloud.onebox.dynamics.com";
const URL: &str = "https://usnconeboxax1aos.cloud.onebox.dynamics.com";
const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const CLIENT: &str = "c0117050-0000-4000-8000-00000000a001";
const WRITE_EXCEPTION: &str = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException";
const NOW: OffsetDateTime = datetime!(2026-01-15 12:00:00 UTC);

struct Bench {
    lab: Lab,
    wire: Wire,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Switches::default(), &[]).await
    }

    async fn edited(edits: &[Edit]) -> Self {
        Self::with(Switches::default(), edits).await
    }

    async fn with(switches: Switches, edits: &[Edit]) -> Self {
        Self::of(edits, |lab| lab.switches(switches)).await
    }

    async fn of(edits: &[Edit], change: impl FnOnce(LabBuilder) -> LabBuilder) -> Self {
        // What stands behind AD FS has a bench of its own.
        let edits: Vec<Edit> =
            std::iter::once(drop_setting("/environments/onprem")).chain(edits.iter().cloned()).collect();
        let world = World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap();
        let lab = Lab::builder(Arc::new(world)).surface(Aos::new()).random(Random::seeded(7));
        let lab = change(lab).build();
        let wire = Wire::default();
        lab.set_outbound(wire.clone());
        lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
        lab.start_all().await;
        Self { lab, wire }
    }

    async fn apply(&self, edits: &[Edit]) {
        self.lab.apply(Command::Edit { edits: edits.to_vec(), by: EditedBy::Control }).await.unwrap();
    }

    async fn restart(&self) {
        self.lab.apply(Command::Restart { environment: "onebox".to_owned(), node: None }).await.unwrap();
    }

    async fn send(&self, request: Request) -> Response {
        let (method, url) = (request.method.clone(), format!("https://{}{}", request.host, request.target));
        let response = self.lab.answer(request).await;
        answers::keep(&method, &url, response.status, &response.headers, &response.body);
        response
    }

    async fn get(&self, target: &str) -> Response {
        self.send(request(Method::GET, target, Some(&good_token()), None)).await
    }

    async fn post(&self, body: &Value) -> Response {
        self.send(request(Method::POST, "/data/CustomersV3", Some(&good_token()), Some(&body.to_string())))
            .await
    }

    /// The record of the newest request.
    fn last(&self) -> Arc<Record> {
        let records = self.lab.journal().records();
        records
            .iter()
            .rev()
            .find(|record| record.endpoint != "start" && record.surface == "aos")
            .cloned()
            .unwrap()
    }
}

fn onebox() -> Entrance {
    Entrance::environment("onebox")
}

fn node() -> Machine {
    Machine::node("onebox", "aos1")
}

fn request(method: Method, target: &str, token: Option<&str>, body: Option<&str>) -> Request {
    let mut request = Request::new(method, HOST, target, onebox());
    if let Some(token) = token {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        request.headers.insert(AUTHORIZATION, value);
    }
    if let Some(body) = body {
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = Ok(body.to_owned().into());
    }
    request
}

/// The claims of a token that is accepted.
fn good_claims() -> Map<String, Value> {
    let claims = json!({
        "aud": URL,
        "iss": format!("https://sts.windows.net/{TENANT}/"),
        "iat": NOW.unix_timestamp() - 300,
        "nbf": NOW.unix_timestamp() - 300,
        "exp": NOW.unix_timestamp() + 3600,
        "appid": CLIENT,
        "oid": "c0117050-0000-4000-8000-0000000b0001",
        "tid": TENANT,
        "ver": "1.0",
    });
    claims.as_object().cloned().unwrap()
}

fn token_of(signer: &Identity, header: &Value, claims: &Map<String, Value>) -> String {
    let header = HeaderSegment::from_json(header.to_string().as_bytes());
    mint(signer.key(), Algorithm::Rs256, &header, claims).unwrap()
}

fn header_of(signer: &Identity) -> Value {
    let kid = signer.certificate().thumbprint().base64url();
    json!({ "typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid })
}

fn signed(claims: &Map<String, Value>) -> String {
    let signer = shipped::token_signing();
    token_of(signer, &header_of(signer), claims)
}

fn good_token() -> String {
    signed(&good_claims())
}

fn set(pointer: &str, value: Value) -> Edit {
    Edit::add(Setting::from_pointer(pointer), value)
}

fn drop_setting(pointer: &str) -> Edit {
    Edit::remove(Setting::from_pointer(pointer))
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn inner_message(response: &Response) -> String {
    body(response)["error"]["innererror"]["message"].as_str().unwrap().to_owned()
}

fn check<'r>(record: &'r Record, name: &str) -> &'r Check {
    record.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check {name}"))
}

fn failed(record: &Record) -> Vec<&str> {
    record.checks.iter().filter(|check| check.failed()).map(|check| &*check.name).collect()
}
