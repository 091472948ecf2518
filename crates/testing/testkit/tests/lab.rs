//! The lab of other people's tests: starting, breaking, healing, reading, failing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::panic::AssertUnwindSafe;

use mocktenant_testkit::mocktenant_world::{EditedBy, pointers};
use mocktenant_testkit::{Edit, Errand, Lab, Reply, Setting};
use serde_json::json;
use time::macros::datetime;

fn token_form(lab: &Lab, secret: &str) -> Vec<(&'static str, String)> {
    let settings = lab.settings();
    vec![
        ("grant_type", "client_credentials".into()),
        ("client_id", settings.entra.client_id.clone()),
        ("client_secret", secret.into()),
        ("scope", format!("{}/.default", settings.dataverse.resource)),
    ]
}

async fn ask_for_token(lab: &Lab, secret: &str) -> Reply {
    let form = token_form(lab, secret);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    lab.client().post_form(&format!("{}/oauth2/v2.0/token", lab.settings().entra.authority), &form).await
}

#[tokio::test]
async fn a_customer_of_a_healthy_world_arrives_and_the_journal_tells_its_way() {
    let lab = Lab::start().await;
    let created = lab.drive().await;
    assert_eq!(created.status, 201, "{}", created.text());

    let journal = lab.journal();
    assert!(journal.refused().is_empty() && journal.failed_check().is_none());
    let asked = journal.only_request_to("aos");
    assert_eq!(created.exchange(), Some(&*asked.id));
    let written = journal.requests_to("dataverse").pop().unwrap();
    assert_eq!((&*written.target, written.status), ("/api/data/v9.0/accounts", 204));
    assert_eq!(written.parent.as_deref(), created.exchange(), "Dataverse was asked because of it");
    assert_eq!(journal.find(&written.id).unwrap().sequence, written.sequence);
    assert!(lab.explain_last().is_none() && lab.failure_report().is_empty());
}

#[tokio::test]
async fn tables_and_columns_of_ones_own_are_declared_at_the_start_or_later() {
    let tables = pointers::organization("contoso").tables();
    let widget = json!({ "columns": { "new_name": "text", "new_size": { "type": "whole", "most": 9 } } });
    let world = mocktenant_testkit::World::contoso().unwrap();
    let world = world.edited(&[Edit::add(tables.join("new_widget"), widget)], EditedBy::Control).unwrap();
    let lab = Lab::builder().world(world).start().await;
    let api = format!("{}/api/data/v9.2", lab.settings().dataverse.resource);
    let client = lab.client().bearer(&lab.client().token(&lab.settings().dataverse.resource).await);
    let write = async |set: &str, body: serde_json::Value| {
        client.post_json(&format!("{api}/{set}"), &body).await.status
    };
    assert_eq!(write("new_widgets", json!({ "new_name": "Cog", "new_size": 9 })).await, 204);
    assert_eq!(write("new_widgets", json!({ "new_size": 10 })).await, 400);
    assert_eq!(write("accounts", json!({ "new_debt": 5 })).await, 400);
    let debt = json!({ "columns": { "new_debt": "money" } });
    lab.apply([Edit::add(tables.join("account"), debt)]).await;
    assert_eq!(write("accounts", json!({ "new_debt": 5 })).await, 204);
    assert_eq!(client.get(&format!("{api}/new_widgets")).await.json()["value"][0]["new_name"], "Cog");
    let wrong = Edit::add(tables.join("account"), json!({ "columns": { "name": "text" } }));
    let refused = lab.try_apply([wrong.clone()]).await.unwrap_err().to_string();
    assert!(refused.contains("/tables/account/columns/name: is a column of the product"), "{refused}");
    let world = mocktenant_testkit::World::contoso().unwrap().edited(&[wrong], EditedBy::Control).unwrap();
    let refused = Lab::builder().world(world).try_start().await.err().unwrap().to_string();
    assert!(refused.contains("/tables/account/columns/name: is a column of the product"), "{refused}");
}

#[tokio::test]
async fn the_caller_does_what_its_world_says_and_what_a_test_asks_for() {
    let lab = Lab::start().await;
    let rows = |reply: &Reply| reply.json()["value"].as_array().map(Vec::len);
    for errand in [Errand::ReadCustomers, Errand::DataverseRequest] {
        assert_eq!(rows(&lab.drive_as(errand).await), Some(0), "{errand:?}");
    }
    assert_eq!(lab.drive().await.status, 201);
    for errand in [Errand::ReadCustomers, Errand::DataverseRequest] {
        assert_eq!(rows(&lab.drive_as(errand).await), Some(1), "{errand:?}");
    }
    let does = Setting::fixed("/caller/does");
    lab.apply([Edit::replace(does.clone(), "load"), Edit::add(Setting::fixed("/caller/count"), 3)]).await;
    for _ in 0..2 {
        assert_eq!(lab.drive().await.status, 201, "under another number each time");
    }
    assert_eq!(lab.journal().requests_to("aos").iter().filter(|asked| asked.status == 201).count(), 7);
    let error = lab.try_apply([Edit::replace(does, "lode")]).await.unwrap_err();
    assert!(error.to_string().contains("/caller"), "{error}");
}

#[tokio::test]
async fn a_user_is_signed_in_and_refused_as_the_world_has_it() {
    let lab = Lab::start().await;
    let signed_in = lab.sign_in().await;
    assert!(signed_in.code().is_some() && signed_in.refresh_token().is_some());
    assert_eq!(signed_in.claims()["upn"], "ada@contoso.com");
    assert_eq!(signed_in.parameter("state"), Some("signing-in"));
    let sign_in = pointers::caller().sign_in();
    lab.apply([Edit::replace(sign_in.flow(), "id_token")]).await;
    let signed_in = lab.sign_in().await;
    assert_eq!((signed_in.code(), &signed_in.claims()["upn"]), (None, &json!("ada@contoso.com")));

    lab.apply([Edit::add(sign_in.password(), "wrong")]).await;
    let refused = lab.try_sign_in().await.unwrap_err();
    assert!(refused.text().contains("Incorrect user ID or password."), "{}", refused.text());
    let cause = lab.explain_last().unwrap().cause.unwrap();
    assert_eq!(cause.setting, sign_in.password());
    lab.apply(cause.change).await;
    assert!(lab.try_sign_in().await.is_ok());
    // The caller of the world still does what the world says.
    assert_eq!(lab.drive().await.status, 201);
}

#[tokio::test]
async fn a_wrong_request_is_a_wrong_world() {
    let lab = Lab::start().await;
    lab.apply([Edit::add(Setting::fixed("/caller/resource"), "https://contoso.crm4.dynamics.com")]).await;
    assert_eq!(lab.drive().await.status, 401, "the token is for another resource");
    // What the world says of its resource is about its own errand.
    assert_eq!(lab.drive_as(Errand::DataverseRequest).await.status, 200);
    lab.apply([Edit::replace(Setting::fixed("/caller/client_secret"), "wrong")]).await;
    let refused = lab.drive().await;
    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("invalid_client")));
}

#[tokio::test]
async fn typed_settings_are_those_of_the_document() {
    let lab = Lab::start().await;
    let settings = lab.settings();
    let document = serde_json::to_value(settings).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(settings.entra.authority, format!("{}/{}", settings.entra.base_url, settings.entra.tenant_id));
    assert_eq!(document["entra"]["client_id"], settings.entra.client_id);
    assert_eq!(std::fs::read_to_string(&settings.ca_pem).unwrap(), settings.ca_pem_text);
    for file in [&settings.entra.certificate_pem, &settings.entra.certificate_pfx, &settings.ca_bundle_pem] {
        assert!(file.as_ref().unwrap().is_absolute() && file.as_ref().unwrap().exists());
    }
    assert!(settings.ca_pem.starts_with(lab.directory()));
    assert_eq!(settings.custom_api.as_ref().unwrap().uri, "api://contoso-api");
}

#[tokio::test]
async fn a_broken_world_is_healed_by_what_explain_says_and_a_restart() {
    let lab = Lab::scenario("half-done").start().await;
    assert_ne!(lab.drive().await.status, 201);
    assert_eq!(lab.journal().failed_check().unwrap().name, "certificate-registered");
    let cause = lab.explain_last().unwrap().cause.unwrap();
    assert_eq!(cause.name(), "Aad.Realm");
    assert!(lab.failure_report().contains("Aad.Realm"), "{}", lab.failure_report());

    lab.apply(cause.change).await;
    assert_ne!(lab.drive().await.status, 201, "read at start");
    lab.restart("onebox").await;
    assert_eq!(lab.drive().await.status, 201);
}

#[tokio::test]
async fn a_check_that_is_switched_off_refuses_nothing() {
    let strict = Lab::start().await;
    assert_eq!(ask_for_token(&strict, "wrong").await.status, 401);
    let lax = Lab::builder().switch_off(["secret-matches"]).start().await;
    assert_eq!(ask_for_token(&lax, "wrong").await.status, 200);
}

#[tokio::test]
async fn a_frozen_clock_and_a_seed_make_whole_answers_repeatable() {
    let instant = datetime!(2027-03-04 05:06:07 UTC);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let lab = Lab::builder().frozen_at(instant).seeded(42).start().await;
        assert!(lab.journal().records().iter().all(|record| record.at == instant));
        let answer = ask_for_token(&lab, "wrong").await;
        assert_eq!(answer.header("date"), Some("Thu, 04 Mar 2027 05:06:07 GMT"));
        answers.push((
            answer.exchange().unwrap().to_owned(),
            answer.json()["trace_id"].clone(),
            answer.json()["timestamp"].clone(),
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].2, "2027-03-04 05:06:07Z");
}

#[tokio::test]
async fn the_client_knows_the_names_of_the_world_and_no_others() {
    let lab = Lab::start().await;
    let path = format!("{}/v2.0/.well-known/openid-configuration", lab.settings().entra.tenant_id);
    let answer = lab.client().get(&format!("https://login.microsoftonline.com/{path}")).await;
    assert_eq!(answer.status, 200);
    let client = lab.client();
    let outside = tokio::spawn(async move { client.get("https://example.com/").await }).await;
    assert!(outside.is_err(), "nothing outside is called");
}

#[tokio::test]
async fn labs_that_share_a_state_directory_share_a_ca() {
    let state = tempfile::tempdir().unwrap();
    let left = Lab::builder().state(state.path()).start().await;
    let right = Lab::builder().state(state.path()).start().await;
    assert_eq!(left.settings().ca_pem_text, right.settings().ca_pem_text);
    assert_ne!(left.directory(), right.directory());
}

#[tokio::test]
async fn an_edit_that_makes_no_world_says_so_and_changes_nothing() {
    let lab = Lab::start().await;
    let host = Setting::fixed("/environments/onebox/host");
    let error = lab.try_apply([Edit::replace(host.clone(), json!(7))]).await.unwrap_err();
    assert!(error.to_string().contains("/environments/onebox"), "{error}");
    assert_eq!(lab.world().get(&host), Some(&json!("usnconeboxax1aos.cloud.onebox.dynamics.com")));
}

/// The message of a test that fails in `body`, on a runtime of its own.
fn message_of<F: Future<Output = ()>>(body: F) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(body))).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

#[test]
fn a_test_that_fails_ends_with_its_own_message_after_its_lab_is_explained() {
    let message = message_of(async {
        let lab = Lab::scenario("app-user-missing").start().await;
        let answer = lab.drive().await;
        assert_eq!(answer.status, 201, "the customer should be there");
    });
    assert!(message.contains("the customer should be there"), "{message}");
}

#[test]
fn what_a_test_got_wrong_is_said() {
    let message = message_of(async {
        Lab::scenario("no-such-scenario").start().await;
    });
    assert!(message.contains("no-such-scenario"), "{message}");
    let message = message_of(async {
        let lab = Lab::start().await;
        lab.drive().await;
        lab.drive().await;
        lab.journal().only_request_to("aos");
    });
    assert!(
        message.contains("2 requests to aos, expected one") && message.contains("/data/CustomersV3"),
        "{message}"
    );
}
