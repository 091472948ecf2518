//! A refusal explained from its records alone, as a journal file keeps them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test they are called from")]

use std::sync::Arc;

use mocktenant_diagnosis::{Explanation, Kind, explain_records};
use mocktenant_lab::Tree;
use mocktenant_lab::journal::{Record, RecordDocument};
use serde_json::{Value, json};

const THUMBPRINT: &str = "/environments/onebox/web_config/Infrastructure.S2SCertThumbprint";
const STORED: &str =
    "/environments/onebox/machine/certificates/LocalMachine/My/9F86D081884C7D659A2FEAA0C55AD015B0F00A08";
const REALM: &str = "/environments/onebox/web_config/Aad.Realm";
const FLIGHT: &str = "/environments/onebox/database/SysFlighting/DualWriteUnoAuthenticationFnoToCds/Enabled";
const TENANT: &str = "/environments/onebox/web_config/Aad.AADTenantId";
const ERP: &str = "00000015-0000-0000-c000-000000000000";

/// A record with these members, written as a line and read again.
fn line(members: Value) -> Arc<Record> {
    let mut record = json!({
        "sequence": 0, "id": "x-1", "parent": null, "kind": "request", "at": "2026-11-22T12:00:00Z", "surface": "",
        "endpoint": "", "request": { "method": "GET", "url": "https://localhost/" }, "error": null, "checks": [], "facts": [], "activities": {}, "micros": 0, "generation": 1,
    });
    let Value::Object(members) = members else { panic!("members") };
    record.as_object_mut().unwrap().extend(members);
    let record: RecordDocument = serde_json::from_str(&record.to_string()).unwrap();
    let again = Record::from(record.clone());
    assert_eq!(again.document(), record, "reads back what it wrote");
    Arc::new(again)
}

fn tree(records: impl IntoIterator<Item = Value>) -> Tree {
    Tree::of(records.into_iter().map(line).collect())
}

fn failed(name: &str, actual: &str, settings: &[&str]) -> Value {
    json!({ "name": name, "expected": "what is right", "actual": actual, "outcome": "failed", "settings": settings,
        "change": format!("mend {name}") })
}

fn input(name: &str, value: &str, setting: &str) -> Value {
    json!({ "name": name, "value": value, "setting": setting, "read_at_start": value })
}

/// A Dual Write that the AOS refused with this check, with what it read.
fn written(check: &Value, facts: &Value) -> Value {
    json!({ "sequence": 9, "surface": "aos", "machine": "environment/onebox/aos1", "error": "dual-write authentication",
        "request": { "method": "POST", "url": "https://localhost:7444/data/CustomersV3" },
        "answer": { "status": 400, "headers": { "content-type": "application/json" },
            "body": { "error": { "innererror": { "message": "Unable to get access token" } } } },
        "activities": { "activity-id": "4F1F2A0E" }, "checks": [check], "facts": facts })
}

/// What Entra or Dataverse answered to a call of it.
fn asked(surface: &str, check: &Value, facts: &Value) -> Value {
    json!({ "sequence": 8, "id": "x-1.1", "parent": "x-1", "surface": surface, "error": "AADSTS1",
        "answer": { "status": 401 }, "checks": [check], "facts": facts })
}

fn cause(records: impl IntoIterator<Item = Value>) -> (Kind, String) {
    let cause = explain_records(&tree(records), "last").unwrap().cause.unwrap();
    assert!(cause.origin.is_none() && cause.change.is_empty());
    (cause.kind, cause.setting.to_string())
}

fn certificate_missing() -> Value {
    written(
        &failed("certificate-found", "in no store", &[THUMBPRINT, STORED]),
        &json!([input("thumbprint", "9F86D081884C7D659A2FEAA0C55AD015B0F00A08", THUMBPRINT)]),
    )
}

#[test]
fn the_deciding_checks_own_advice_is_the_cause_and_the_missing_world_is_said() {
    let tree = tree([certificate_missing()]);
    let explanation = explain_records(&tree, "last").unwrap();
    assert_eq!(
        json!(explanation),
        json!({
            "schema": 1, "world": false, "exchange": "x-1", "symptom": "Unable to get access token",
            "checks": [{ "exchange": "x-1", "surface": "aos", "name": "certificate-found",
                "expected": "what is right", "actual": "in no store", "outcome": "failed",
                "settings": [THUMBPRINT, STORED], "change": "mend certificate-found" }],
            "cause": { "kind": "missing", "setting": STORED, "expected": "what is right", "actual": "in no store",
                "advice": "mend certificate-found", "change": [] },
            "also": [],
        })
    );
    let text = explanation.to_text();
    assert!(text.contains(&format!("        {STORED}\nadvice  mend certificate-found\nnote    ")), "{text}");
    assert!(text.ends_with("nothing was tried out\n"), "{text}");
}

#[test]
fn an_exchange_is_found_by_any_id_and_its_child_explains_the_same() {
    let child =
        asked("entra", &failed("application-registered", "a", &["/tenants/c/applications/a"]), &json!([]));
    let tree = tree([child, written(&failed("token-issued", "AADSTS1", &[REALM]), &json!([]))]);
    let exchange = |what: &str| explain_records(&tree, what).map(|explanation| explanation.exchange);
    for what in ["last", "x-1", "x-1.1", " 4f1f2a0e "] {
        assert_eq!(exchange(what).as_deref(), Some("x-1"), "{what}");
    }
    assert_eq!(exchange("x-2"), None);
}

#[test]
fn a_thumbprint_that_is_none_is_blamed_itself() {
    let facts = json!([input("thumbprint", "\u{200e}9F86", THUMBPRINT)]);
    let check = failed("certificate-found", "a character that cannot be seen", &[THUMBPRINT]);
    assert_eq!(cause([written(&check, &facts)]), (Kind::Setting, THUMBPRINT.into()));
}

#[test]
fn a_refused_call_is_blamed_on_the_input_it_was_made_with() {
    let refused = |flight: &str, client: &str| {
        let facts = json!([
            input("realm", "spn:x", REALM),
            input("flight", flight, FLIGHT),
            input("tenant-id", "contoso.example", TENANT),
        ]);
        let own = failed("certificate-registered", "6114", &["/tenants/c/applications/x/certificates/6114"]);
        let client = json!([{ "name": "client-id", "value": client }]);
        cause([asked("entra", &own, &client), written(&failed("token-issued", "AADSTS1", &[REALM]), &facts)])
    };
    assert_eq!(refused("on", ERP), (Kind::Setting, REALM.into()));
    assert_eq!(refused("off", ERP), (Kind::Setting, FLIGHT.into()));
    let own = (Kind::Missing, String::from("/tenants/c/applications/x/certificates/6114"));
    assert_eq!(refused("on", "c0117050-0000-4000-8000-00000000a002"), own);

    let facts = json!([input("tenant-id", "nowhere.example", TENANT)]);
    let tenant = asked("entra", &failed("tenant", "nowhere.example", &[]), &json!([]));
    let written = written(&failed("token-issued", "AADSTS90002", &[REALM]), &facts);
    assert_eq!(cause([tenant, written]), (Kind::Setting, TENANT.into()), "named by the record");
}

#[test]
fn a_call_of_the_aos_is_never_its_callers_fault_and_a_wrong_request_is() {
    let child = || asked("dataverse", &failed("of-a-newer-lab", "b", &[]), &json!([]));
    let write = |name: &str| written(&failed(name, "401", &[]), &json!([]));
    assert_eq!(cause([child(), write("dataverse-accepted")]), (Kind::Setting, "/environments/onebox".into()));

    let secret = failed("secret-matches", "another", &["/tenants/c/applications/x/secrets"]);
    let token = json!({ "surface": "entra", "answer": { "status": 401 }, "error": "AADSTS7000215", "checks": [secret] });
    assert_eq!(cause([token]), (Kind::Caller, "/caller/client_secret".into()));
    let unasked = json!({ "surface": "dataverse", "answer": { "status": 404 },
        "request": { "method": "GET", "url": "https://localhost:7446/nowhere" } });
    assert_eq!(cause([unasked]), (Kind::Caller, "/caller".into()));
}

#[test]
fn what_was_not_refused_has_no_cause() {
    let tree = tree([json!({ "surface": "entra", "answer": { "status": 200 } })]);
    let explanation: Explanation = explain_records(&tree, "x-1").unwrap();
    assert!(!explanation.explained());
    assert!(explanation.to_text().contains("\nnothing was refused\nnote    "), "{}", explanation.to_text());
    assert!(explain_records(&tree, "last").is_none());
    assert!(explain_records(&Tree::default(), "last").is_none());
}

#[test]
fn no_value_of_a_file_passes_for_a_line_of_ours() {
    let evil = "a\ncause   b\u{1b}\u{202e}";
    let check = json!({ "name": evil, "expected": evil, "actual": evil, "outcome": "failed", "settings": [evil],
        "error": evil, "change": evil });
    let skipped = json!({ "name": evil, "expected": "", "actual": "", "outcome": "skipped", "needs": evil });
    let tree = tree([
        json!({ "id": evil, "surface": evil, "answer": { "status": 400 }, "checks": [check, skipped] }),
    ]);
    let text = explain_records(&tree, "last").unwrap().to_text();
    assert_eq!(text.lines().filter(|line| line.starts_with("cause")).count(), 1, "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}
