//! What a client saw, held against what the lab's journal says that it was sent.

use std::sync::Arc;

use base64::Engine as _;
use mocktenant_testkit::{Lab, Record};
use serde_json::{Value, json};

/// A token came, of the declared application and resource, and Dataverse took it.
pub(crate) fn accepted(lab: &Lab, seen: &Value) {
    let settings = lab.settings();
    // Some clients make it small.
    assert!(seen["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")), "{seen}");
    assert_eq!(seen["claims"]["appid"], settings.entra.client_id, "{seen}");
    assert_eq!(seen["claims"]["tid"], settings.entra.tenant_id);
    assert_eq!(seen["claims"]["aud"], settings.dataverse.resource);
    assert_eq!(seen["who_am_i"], 200, "Dataverse takes the token");
    assert_eq!(token_request(lab).status, 200);
    assert!(lab.journal().refused().is_empty(), "{}", lab.failure_report());
}

/// The machine's own identity.
pub(crate) const VM: &str = "c0117050-0000-4000-8000-00000000a005";

/// Each identity got its token by each of its names, at this endpoint, and nobody else did.
pub(crate) fn managed(lab: &Lab, seen: &Value, endpoint: &str) {
    for (named, client_id) in [
        ("own", VM),
        ("by_client_id", lab.settings().entra.client_id.as_str()),
        ("by_object_id", VM),
        ("by_resource_id", VM),
    ] {
        identity_of(lab, &seen[named], client_id);
    }
    assert_eq!(seen["customers"], 200, "the AOS takes its token");
    let stranger = seen["stranger"].as_str().unwrap();
    let requests = lab.journal().requests_to("imds");
    let refused = requests.last().unwrap();
    let id = if endpoint == "imds-token" {
        assert!(stranger.contains("Identity not found"), "{stranger}");
        "400 identity-assigned"
    } else {
        // The client looks for App Service's members in other letter case, and tells nothing of what it got.
        assert!(stranger.contains("(invalid_scope) None, None"), "{stranger}");
        "400 app-identity-assigned"
    };
    assert_eq!(refused.error.as_deref(), Some(id));
    for record in requests {
        assert_eq!((&*record.endpoint, &*record.scheme), (endpoint, "http"), "{record:?}");
    }
}

/// A token of this identity, which Dataverse took.
pub(crate) fn identity_of(lab: &Lab, seen: &Value, client_id: &str) {
    assert_eq!(seen["claims"]["appid"], client_id, "{seen}");
    assert_eq!(seen["claims"]["aud"], lab.settings().dataverse.resource);
    assert_eq!(seen["who_am_i"], 200, "Dataverse takes the token");
}

/// The client saw this error, and the journal says that this was sent.
pub(crate) fn refused(lab: &Lab, seen: &Value, error: &str, code: u32, status: u16) {
    assert_eq!(seen["error"], error, "{seen}");
    assert_eq!(seen["error_codes"], json!([code]), "{seen}");
    says(seen, &format!("AADSTS{code}: "));
    let record = token_request(lab);
    assert_eq!(record.status, status);
    assert_eq!(record.error.as_deref(), Some(format!("AADSTS{code}").as_str()));
    // What people paste into a search, byte for byte the same on both sides.
    let sent: Value = serde_json::from_slice(&record.response_body).unwrap();
    for member in ["error_description", "correlation_id", "trace_id", "timestamp"] {
        assert_eq!(seen[member], sent[member]);
    }
}

pub(crate) fn says(seen: &Value, text: &str) {
    let description = seen["error_description"].as_str().unwrap_or_default();
    assert!(description.contains(text), "{description:?} does not say {text:?}");
}

pub(crate) fn token_requests(lab: &Lab) -> Vec<Arc<Record>> {
    let requests = lab.journal().requests_to("entra");
    requests.into_iter().filter(|record| record.target.ends_with("/token")).collect()
}

pub(crate) fn token_request(lab: &Lab) -> Arc<Record> {
    let mut requests = token_requests(lab);
    assert_eq!(requests.len(), 1, "one token request");
    requests.remove(0)
}

pub(crate) fn last(lab: &Lab) -> Arc<Record> {
    lab.journal().requests_to("entra").pop().unwrap()
}

pub(crate) fn checked(record: &Record, name: &str) {
    let names: Vec<&str> = record.checks.iter().map(|check| &*check.name).collect();
    assert!(names.contains(&name), "{names:?}");
}

/// The client assertion that was sent: its JOSE header and its claims.
pub(crate) fn assertion(lab: &Lab) -> (Value, Value) {
    let record = token_request(lab);
    let form: Vec<(String, String)> = form_urlencoded::parse(&record.request_body).into_owned().collect();
    let assertion = &form.iter().find(|(name, _)| name == "client_assertion").unwrap().1;
    let mut parts = assertion.split('.').map(|part| {
        let part = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&part).unwrap()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}
