//! What would mend a start and a delivery: each question with its role and the setting to change, and a world that is
//! mended so gets past it.

use mocktenant_lab::journal::Kind;
use mocktenant_lab::outbound::CallError;
use mocktenant_verdict::{Change, Role};

use super::*;

const WEB_CONFIG: &str = "/environments/onebox/web_config";
const STORED: &str =
    "/environments/onebox/machine/certificates/LocalMachine/My/61142666E97BF830049B4B6CB322DBA8DFFB0C4D";
const LINK: &str = "/environments/onebox/database/DualWriteProjectConfiguration/ExternalEnvironmentURL";

fn key(name: &str) -> String {
    format!("{WEB_CONFIG}/{name}")
}

/// What failed first: at the last start, else in the last request.
fn decided(bench: &Bench) -> Option<Check> {
    let records = bench.lab.journal().records();
    let start =
        records.iter().rfind(|record| record.kind == Kind::Start).and_then(|start| start.failed_check());
    start.cloned().or_else(|| bench.last().failed_check().cloned())
}

fn change(check: &Check) -> Change {
    let remedy = check.remedy.as_ref().unwrap_or_else(|| panic!("{}: no remedy", check.name));
    remedy.here.clone().unwrap_or_else(|| panic!("{}: nothing to change here", check.name))
}

#[tokio::test]
async fn every_question_of_a_start_and_a_delivery_says_what_would_mend_it() {
    let thumbprint = key("Infrastructure.S2SCertThumbprint");
    let (private_key, readers) =
        (format!("{STORED}/private_key"), format!("{STORED}/private_key/readable_by"));
    let cases: [(Vec<Edit>, &str, Role, &str); 10] = [
        (vec![drop_setting(WEB_CONFIG)], "configuration-readable", Role::Configuration, WEB_CONFIG),
        (
            vec![set(&key("Aad.AADTenantId"), json!(""))],
            "configuration-readable",
            Role::Configuration,
            &key("Aad.AADTenantId"),
        ),
        (
            vec![set(&key("Aad.AADMetadataLocationFormat"), json!(""))],
            "configuration-readable",
            Role::Configuration,
            &key("Aad.AADMetadataLocationFormat"),
        ),
        (vec![set(&thumbprint, json!(""))], "thumbprint-configured", Role::Key, &thumbprint),
        (vec![set(&thumbprint, json!("garbage"))], "certificate-found", Role::Key, &thumbprint),
        (vec![drop_setting(STORED)], "certificate-found", Role::Key, STORED),
        (vec![drop_setting(&private_key)], "private-key-present", Role::Key, &private_key),
        (vec![set(&readers, json!(["SYSTEM"]))], "private-key-readable", Role::Key, &readers),
        (
            vec![set(&key("Aad.AADLoginWsfedEndpointFormat"), json!("no URL"))],
            "token-issued",
            Role::Address,
            &key("Aad.AADLoginWsfedEndpointFormat"),
        ),
        (vec![set(LINK, json!(""))], "dataverse-url-configured", Role::Resource, LINK),
    ];
    for (edits, name, role, setting) in cases {
        let bench = Bench::edited(&edits).await;
        let customer = Value::Object(bench.lab.world().caller().customer.clone());
        bench.post(&customer).await;
        let check = decided(&bench).unwrap_or_else(|| panic!("{name}: nothing failed"));
        assert_eq!((&*check.name, check.role), (name, Some(role)));
        let change = change(&check);
        assert_eq!(change.setting.as_str(), setting, "{name}: {change:?}");
        assert!(check.change.is_some(), "{name} has words for a person");
        // Ready edits, or what stands in for them.
        let stand_ins = change.needs.iter().flat_map(|need| need.stand_in.iter().cloned());
        let mend: Vec<Edit> = change.edits.iter().cloned().chain(stand_ins).collect();
        assert!(!mend.is_empty(), "{name}: {change:?}");
        bench.apply(&mend).await;
        bench.restart().await;
        bench.post(&customer).await;
        let after = decided(&bench);
        assert!(after.as_ref().is_none_or(|after| after.name != name), "{name}: {mend:?} leaves {after:?}");
    }
}

#[tokio::test]
async fn where_nobody_answers_at_the_link_the_link_is_what_is_wrong() {
    let bench = Bench::new().await;
    let nobody = CallError::Refused { host: "contoso.crm4.dynamics.com".to_owned(), port: 443 };
    bench.wire.script(Method::POST, "/accounts", Err(nobody));
    let customer = Value::Object(bench.lab.world().caller().customer.clone());
    bench.post(&customer).await;
    let check = decided(&bench).unwrap();
    assert_eq!(&*check.name, "dataverse-accepted");
    assert_eq!(change(&check).setting.as_str(), LINK);
}
