//! Managed identities: what stands around the checks. Whose machine it is, whose refusal is heard first, what is offered,
//! what is said not to be built, and which paths are IMDS's at all.

use mocktenant_lab::{Entrance, Request};
use mocktenant_verdict::{Edit, Outcome, Switches};
use mocktenant_world::pointers;
use serde_json::{Value, json};

use crate::front_door::*;
use crate::managed_identity::*;

#[tokio::test]
async fn the_first_to_refuse_is_the_service_and_only_then_entra() {
    let lab = lab().await;
    let target = format!(
        "/metadata/identity/oauth2/token?{}",
        query("2018-02-01", &[("resource", "https://nowhere.example")])
    );
    let reply = send(&lab, request(IMDS, &target, &[])).await;
    assert_eq!((reply.status, reply.json()), (400, error("Required metadata header not specified")));
}

#[tokio::test]
async fn whoever_names_a_stranger_is_nobody_and_gets_nobodys_token() {
    let nobody = || imds(&[("client_id", "nobody")]);
    let lab = lab().await;
    send(&lab, nobody()).await;
    let record = lab.journal().records().pop().unwrap();
    assert!(record.fact("client-id").is_none(), "{:?}", record.fact("client-id"));
    let skipped = check(&lab, "application-registered").outcome;
    assert_eq!(skipped, Outcome::Skipped { needs: "identity-unambiguous".into() });
    let off = lab_with(Vec::new(), Switches::off(["identity-assigned", "identity-unambiguous"])).await;
    assert_ne!(send(&off, nobody()).await.status, 200, "nobody's token is none of the machine's");
}

#[tokio::test]
async fn only_an_application_of_ones_own_could_be_assigned_and_only_by_its_client_id() {
    let lab = lab().await;
    for changes in [
        ("object_id", RETIRED),
        ("msi_res_id", RETIRED),
        ("client_id", "00000007-0000-0000-c000-000000000000"),
        ("client_id", "7d8f9a10-0000-4000-8000-000000000000"),
    ] {
        send(&lab, imds(&[changes])).await;
        let remedy = check(&lab, "identity-assigned").remedy.unwrap();
        assert!(remedy.here.is_none() && !remedy.instead.is_empty(), "{changes:?}: {remedy:?}");
    }
}

#[tokio::test]
async fn a_machine_without_identities_could_be_given_the_callers_unless_that_is_no_client_id() {
    let none = Edit::add(pointers::tenant(TENANT).managed_identities(), json!({}));
    let lab = lab_with(vec![none.clone()], Switches::default()).await;
    send(&lab, imds(&[])).await;
    let remedy = check(&lab, "identity-assigned").remedy.unwrap();
    assert_eq!(remedy.here.unwrap().setting, pointers::tenant(TENANT).managed_identity(CLIENT).setting());
    let no_id = Edit::add(pointers::caller().client_id(), "me");
    let lab = lab_with(vec![none, no_id], Switches::default()).await;
    send(&lab, imds(&[])).await;
    let remedy = check(&lab, "identity-assigned").remedy;
    assert!(remedy.is_none_or(|remedy| remedy.here.is_none()));
}

#[tokio::test]
async fn the_machine_is_the_callers_tenants_unless_that_one_has_no_identities() {
    const OTHER: &str = "c0117050-0000-4000-8000-000000000077";
    const ITS_OWN: &str = "c0117050-0000-4000-8000-00000000a077";
    let other = |identities: Value| {
        let application = json!({ "name": "other-vm", "object_id": "c0117050-0000-4000-8000-0000000b0077" });
        let tenant = json!({
            "name": "Fabrikam", "domains": ["fabrikam.example"], "region": "EU",
            "signing_keys": ["shipped:token-signing"], "applications": { ITS_OWN: application },
            "managed_identities": identities,
        });
        Edit::add(pointers::tenant(OTHER).setting(), tenant)
    };
    let own = json!({ ITS_OWN: { "assigned": "system", "resource_id": "/subscriptions/s/other-vm" } });
    let caller = Edit::add(pointers::caller().tenant(), OTHER);
    let graph = || imds(&[("resource", "https://nowhere.example")]);
    for (edits, tenant) in [
        (vec![other(own.clone())], TENANT),
        (vec![other(own.clone()), caller.clone()], OTHER),
        (vec![other(json!({})), caller], TENANT),
        (vec![other(own), Edit::add(pointers::tenant(TENANT).managed_identities(), json!({}))], OTHER),
    ] {
        let lab = lab_with(edits, Switches::default()).await;
        send(&lab, graph()).await;
        let record = lab.journal().records().pop().unwrap();
        assert_eq!(record.fact("tenant").unwrap().value, tenant);
    }
}

#[tokio::test]
async fn what_is_not_built_is_said_of_that_alone() {
    let lab = lab().await;
    let said = || {
        let record = lab.journal().records().pop().unwrap();
        record.fact("not-built").map(|fact| fact.value.to_string())
    };
    let target = format!("/msi/token?{}", query("2017-09-01", &[]));
    for request in [
        app_service(&[("api-version", "1")]),
        imds(&[("api-version", "2017-09-01")]),
        request(LOCAL, &target, &[("x-identity-header", "another")]),
    ] {
        assert_eq!(send(&lab, request).await.status / 100, 4);
        assert_eq!(said(), None);
    }
    send(&lab, imds(&[("resource", "api://AzureADTokenExchange")])).await;
    assert!(said().is_some(), "tokens for a federated credential");
    send(&lab, request(LOCAL, "/metadata/instances", &[])).await;
    assert_eq!(said().as_deref(), Some("the other documents of IMDS (/metadata/instances)"));
}

#[tokio::test]
async fn by_a_local_name_only_what_begins_as_imds_does_is_imds() {
    let lab = lab().await;
    let surface = |request: Request| async {
        send(&lab, request).await;
        lab.journal().records().pop().unwrap().surface.clone()
    };
    for (path, expected) in
        [("/metadata", "imds"), ("/metadata/", "imds"), ("/metadatabase", "entra"), ("/msi/tokens", "entra")]
    {
        assert_eq!(surface(request(LOCAL, path, &[])).await, expected, "{path}");
    }
    let mut elsewhere = request(LOCAL, "/metadata/instance", &[]);
    elsewhere.arrival.entrance = Entrance::environment("onebox");
    assert_ne!(surface(elsewhere).await, "imds", "an environment is no machine of Azure");
}
