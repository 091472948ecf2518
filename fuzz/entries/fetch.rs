//! What FetchXML has to keep, whatever is asked: an answer of Dataverse in JSON, rows or a refusal of its own, and never a defect of
//! ours.

use std::fmt::Write as _;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use http::Method;
use http::header::{AUTHORIZATION, HeaderValue};
use mocktenant_dataverse::Dataverse;
use mocktenant_keys::{Algorithm, shipped};
use mocktenant_lab::{ClockChange, Command, Entrance, Lab, Request, real_now};
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_verdict::Setting;
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::{Map, Value, json};

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const CLIENT: &str = "c0117050-0000-4000-8000-00000000a001";
const HOST: &str = "contoso.crm4.dynamics.com";
const ACCOUNT: &str = "c0117050-0000-4000-8000-00000000ac01";

/// An organisation with a company and its contacts, and a token for it.
static LAB: LazyLock<(Lab, HeaderValue)> = LazyLock::new(|| {
    let contact = |n: u32| {
        let contact = json!({
            "lastname": format!("C{n}"), "annualincome": n * 1000, "parentcustomerid": ACCOUNT, "createdon": "2026-01-01T00:00:00Z",
        });
        (format!("c{n}"), contact)
    };
    let contacts: Map<String, Value> = (0..12).map(contact).collect();
    let account = json!({ "company": { "accountid": ACCOUNT, "name": "Company", "accountnumber": "H-1", "revenue": 5 } });
    let records = |set: &str| Setting::of(["organizations", "contoso", "records", set]);
    let edits =
        [Edit::add(records("accounts"), account), Edit::add(records("contacts"), Value::Object(contacts))];
    let world = World::contoso().expect("the default world compiles");
    let world = world.edited(&edits, EditedBy::Scenario("fuzz".into())).expect("rows are added");
    let lab = Lab::builder(Arc::new(world)).surface(Dataverse::new()).journal_budget(64 * 1024).build();
    let now = real_now();
    freeze(&lab, now);
    let signer = shipped::token_signing();
    let kid = signer.certificate().thumbprint().base64url();
    let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid });
    let now = now.unix_timestamp();
    let claims = json!({
        "aud": format!("https://{HOST}"), "iss": format!("https://sts.windows.net/{TENANT}/"), "iat": now, "nbf": now, "exp": now + 3600,
        "appid": CLIENT, "appidacr": "1", "oid": "c0117050-0000-4000-8000-00000000b001", "tid": TENANT, "ver": "1.0",
    });
    let header = HeaderSegment::new(header.as_object().expect("an object")).expect("a header");
    let token = mint(signer.key(), Algorithm::Rs256, &header, &claims).expect("a token is signed");
    (lab, HeaderValue::from_str(&format!("Bearer {token}")).expect("a header's value"))
});

fn freeze(lab: &Lab, now: time::OffsetDateTime) {
    let frozen = poll(pin!(lab.apply(Command::Clock(ClockChange::Freeze(now)))));
    assert!(matches!(frozen, Some(Ok(_))), "the clock stands");
}

fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Asks for contacts by the bytes as FetchXML.
pub(crate) fn fetch(data: &[u8]) {
    let (lab, bearer) = &*LAB;
    let mut target = String::from("/api/data/v9.2/contacts?fetchXml=");
    for byte in data {
        // a text takes all that is written to it
        let _ = write!(target, "%{byte:02x}");
    }
    let mut request = Request::new(Method::GET, HOST, &target, Entrance::organization("contoso"));
    request.headers.insert(AUTHORIZATION, bearer.clone());
    let Some(answer) = poll(pin!(lab.answer(request))) else { unreachable!("Dataverse calls nobody") };
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    match answer.status.as_u16() {
        200 => assert!(body["value"].is_array(), "{body}"),
        400 => assert!(body["error"]["code"].as_str().is_some_and(|code| code.starts_with("0x")), "{body}"),
        // more rows were looked at than may be, for longer
        500 => assert_eq!(body["error"]["code"], "0x80044151", "{body}"),
        other => panic!("{other}: {body}"),
    }
}
