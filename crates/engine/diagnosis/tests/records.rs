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

/// A failed check of a role, with what would mend it there.
fn failed(name: &str, role: &str, actual: &str, settings: &[&str], here: Option<(&str, &str)>) -> Value {
    let mut check = json!({ "name": name, "role": role, "expected": "what is right", "actual": actual,
        "outcome": "failed", "settings": settings, "change": format!("mend {name}") });
    if let Some((fault, setting)) = here {
        check["remedy"] = json!({ "here": { "fault": fault, "setting": setting } });
    }
    check
}

/// The caller's own check, which only repeats what a call was answered.
fn relaying(name: &str) -> Value {
    json!({ "name": name, "role": "address", "relays": true, "expected": "an answer", "actual": "none",
        "outcome": "failed", "settings": [REALM], "change": "look at the call" })
}

/// What calls were made with, in this role.
fn input(role: &str, value: &str, setting: &str, written: &str) -> Value {
    json!({ "name": role, "value": value, "setting": setting, "read_at_start": value, "role": role,
        "input": { "role": role, "written": written } })
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
        &failed("certificate-found", "key", "in no store", &[THUMBPRINT, STORED], Some(("missing", STORED))),
        &json!([input("key", "9F86D081884C7D659A2FEAA0C55AD015B0F00A08", THUMBPRINT, "{}")]),
    )
}

#[test]
fn the_deciding_checks_own_remedy_is_the_cause_and_the_missing_world_is_said() {
    let tree = tree([certificate_missing()]);
    let explanation = explain_records(&tree, "last").unwrap();
    assert_eq!(
        json!(explanation),
        json!({
            "schema": 1, "world": false, "exchange": "x-1", "symptom": "Unable to get access token",
            "checks": [{ "exchange": "x-1", "surface": "aos", "name": "certificate-found", "role": "key",
                "expected": "what is right", "actual": "in no store", "outcome": "failed",
                "settings": [THUMBPRINT, STORED], "change": "mend certificate-found",
                "remedy": { "here": { "fault": "missing", "setting": STORED } } }],
            "cause": { "kind": "missing", "setting": STORED, "expected": "what is right", "actual": "in no store",
                "advice": "mend certificate-found", "change": [] },
            "also": [],
        })
    );
    let text = explanation.to_text(false);
    assert!(
        text.contains(&format!("        {STORED}\nadvice  mend certificate-found\n\nx-1  aos\n  FAILED ")),
        "{text}"
    );
    assert!(text.ends_with("nothing was tried out\n"), "{text}");
}

#[test]
fn an_exchange_is_found_by_any_id_and_its_child_explains_the_same() {
    let child = asked("entra", &failed("application-registered", "client", "a", &[], None), &json!([]));
    let tree = tree([child, written(&relaying("token-issued"), &json!([]))]);
    let exchange = |what: &str| explain_records(&tree, what).map(|explanation| explanation.exchange);
    for what in ["last", "x-1", "x-1.1", " 4f1f2a0e ", "{4F1F2A0E}"] {
        assert_eq!(exchange(what).as_deref(), Some("x-1"), "{what}");
    }
    assert_eq!(exchange("x-2"), None);
}

#[test]
fn a_refused_call_is_blamed_on_what_it_presented_or_on_what_the_other_side_lacks() {
    let realm = input("client", "spn:x", REALM, "spn:{}");
    let mut off = realm.clone();
    off["input"]["switch"] = json!({ "fault": "wrong", "setting": FLIGHT });
    let refused = |check: Value, inputs: Value| {
        cause([asked("entra", &check, &json!([])), written(&relaying("token-issued"), &inputs)])
    };
    // Nothing is wrong there: what came from here is.
    let client = || failed("client-id", "client", "x", &[], None);
    assert_eq!(refused(client(), json!([realm])), (Kind::Setting, REALM.into()));
    // And where that is switched off, the switch is.
    assert_eq!(refused(client(), json!([off])), (Kind::Setting, FLIGHT.into()));
    // What is missing there is missing there, unless the caller has evidence of its own.
    let own = "/tenants/c/applications/x/certificates/6114";
    let key = || failed("certificate-registered", "key", "6114", &[own], Some(("missing", own)));
    assert_eq!(refused(key(), json!([realm])), (Kind::Missing, own.into()));
    let mut evident = relaying("token-issued");
    evident["remedy"] = json!({ "here": { "fault": "wrong", "setting": TENANT } });
    let records = [asked("entra", &key(), &json!([])), written(&evident, &json!([realm]))];
    assert_eq!(cause(records), (Kind::Setting, TENANT.into()));
    // A role in which nothing was presented: the first setting the caller's own check depends on.
    let unheard = || failed("of-a-newer-lab", "privilege", "b", &[], None);
    assert_eq!(refused(unheard(), json!([realm])), (Kind::Setting, REALM.into()));
}

#[test]
fn a_wrong_request_is_its_callers_by_the_role_of_what_was_refused() {
    let token = |role: &str| {
        let check = failed("asked", role, "another", &["/tenants/c"], None);
        json!({ "surface": "entra", "answer": { "status": 401 }, "error": "E1", "checks": [check] })
    };
    for (role, member) in [
        ("secret", "/caller/client_secret"),
        ("client", "/caller/client_id"),
        ("resource", "/caller/resource"),
        ("authority", "/caller/tenant"),
        ("record", "/caller/customer"),
        ("request", "/caller"),
    ] {
        assert_eq!(cause([token(role)]), (Kind::Caller, member.into()), "{role}");
    }
    let unasked = json!({ "surface": "dataverse", "answer": { "status": 404 },
        "request": { "method": "GET", "url": "https://localhost:7446/nowhere" } });
    assert_eq!(cause([unasked]), (Kind::Caller, "/caller".into()));
}

#[test]
fn a_part_of_a_request_that_was_refused_without_a_check_is_named_with_what_was_expected_there() {
    let facts = json!([{ "name": "refused", "value": "CreditLimit = 'much'" }, { "name": "expected", "value": "a number" }]);
    let refused = json!({ "surface": "aos", "answer": { "status": 400 }, "error": "400 payload", "facts": facts,
        "request": { "method": "POST", "url": "https://localhost:7444/data/CustomersV3",
            "headers": { "content-type": "application/json" }, "body": { "CreditLimit": "much" } } });
    let cause = explain_records(&tree([refused]), "last").unwrap().cause.unwrap();
    assert_eq!((cause.kind, cause.setting.as_str()), (Kind::Caller, "/caller/customer"));
    assert!(cause.to_line().ends_with("expected a number, got CreditLimit = 'much'"), "{}", cause.to_line());
}

#[test]
fn a_record_of_an_older_lab_is_explained_by_its_settings() {
    let old = json!({ "name": "certificate-found", "expected": "e", "actual": "a", "outcome": "failed",
        "settings": [THUMBPRINT], "change": "mend it" });
    assert_eq!(cause([written(&old, &json!([]))]), (Kind::Setting, THUMBPRINT.into()));
}

#[test]
fn what_was_not_refused_has_no_cause() {
    let tree = tree([json!({ "surface": "entra", "answer": { "status": 200 } })]);
    let explanation: Explanation = explain_records(&tree, "x-1").unwrap();
    assert!(!explanation.explained());
    assert!(
        explanation.to_text(false).contains("\nnothing was refused\nnote    "),
        "{}",
        explanation.to_text(false)
    );
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
    let text = explain_records(&tree, "last").unwrap().to_text(false);
    assert_eq!(text.lines().filter(|line| line.starts_with("cause")).count(), 1, "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn a_refused_body_is_explained_by_its_column_its_value_and_what_was_expected() {
    let record = json!({ "sequence": 3, "surface": "dataverse", "error": "0x80048d19",
        "request": { "method": "POST", "url": "https://localhost:7446/api/data/v9.2/accounts" },
        "answer": { "status": 400 }, "facts": [
            { "name": "refused", "value": "numberofemployees = many" },
            { "name": "expected", "value": "Edm.Int32" },
        ] });
    let cause = explain_records(&tree([record]), "last").unwrap().cause.unwrap();
    assert_eq!(cause.kind, Kind::Caller);
    assert_eq!(cause.expected, "Edm.Int32");
    assert_eq!(cause.actual, "numberofemployees = many");
}
