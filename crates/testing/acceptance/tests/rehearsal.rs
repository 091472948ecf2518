//! The rehearsal behind an explanation: it tries things out in a copy of the lab, and the lab notices nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use mocktenant_diagnosis::{Kind, explain};
use mocktenant_keys::{Algorithm, shipped};
use mocktenant_lab::{ClockChange, Command};
use mocktenant_testkit::Lab;
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_world::pointers;
use mocktenant_world::{Edit, Errand};
use serde_json::json;
use time::{Duration, OffsetDateTime};

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const OWN: &str = "c0117050-0000-4000-8000-00000000a002";

async fn edit(lab: &Lab, edits: Vec<Edit>) {
    lab.apply(edits).await;
    lab.restart("onebox").await;
}

/// Bytes this process holds in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn a_thousand_explanations_leave_memory_flat() {
    let lab = Lab::scenario("half-done").start().await;
    let refused = lab.drive().await.exchange().unwrap().to_owned();
    let explained = async |times: usize| {
        for _ in 0..times {
            assert!(explain(lab.lab(), &refused).await.unwrap().explained());
        }
    };
    explained(200).await;
    let before = resident();
    explained(1_000).await;
    let grown = resident().saturating_sub(before);
    // A copy that stayed would hold its world, its rows and its journal: far more than this for each.
    assert!(grown < 4 * 1024 * 1024, "{grown} bytes more after a thousand explanations");
}

#[tokio::test]
async fn an_explanation_changes_nothing_in_the_lab_it_explains() {
    let lab = Lab::scenario("half-done").seeded(8).start().await;
    let refused = lab.drive().await.exchange().unwrap().to_owned();
    let seen = || {
        let engine = lab.lab();
        let records: Vec<String> =
            engine.journal().records().iter().map(|record| record.id.to_string()).collect();
        (records, lab.world().generation(), lab.world().view().to_string())
    };
    let before = seen();
    let first = json!(explain(lab.lab(), &refused).await.unwrap());
    let second = json!(explain(lab.lab(), &refused).await.unwrap());
    assert_eq!(first, second, "explained twice, told the same");
    assert_eq!(seen(), before);
    // Nothing of the customer it tried out to create is there.
    let customers = lab.lab().world().caller().customer["CustomerAccount"].clone();
    let token = lab.client().token(&lab.settings().aos["onebox"].resource).await;
    let url = format!(
        "{}/data/CustomersV3?$filter=CustomerAccount%20eq%20'{}'",
        lab.settings().aos["onebox"].url,
        customers.as_str().unwrap()
    );
    let found = lab.client().bearer(&token).get(&url).await.json();
    assert_eq!(found["value"], json!([]), "{found}");
}

#[tokio::test]
async fn what_would_be_refused_next_is_told_in_order_each_with_its_change_or_what_it_needs() {
    let lab = Lab::start().await;
    let onebox = pointers::environment("onebox");
    let user = pointers::organization("contoso").application_user(OWN);
    let application = pointers::tenant(TENANT).application(OWN);
    edit(
        &lab,
        vec![
            Edit::replace(onebox.flight("DualWriteUnoAuthenticationFnoToCds").enabled(), 0),
            Edit::replace(application.enabled(), false),
            Edit::replace(user.roles(), json!([])),
        ],
    )
    .await;
    let refused = lab.drive().await;
    let explanation = explain(lab.lab(), refused.exchange().unwrap()).await.unwrap();
    let causes: Vec<_> = explanation.cause.into_iter().chain(explanation.also).collect();
    let named: Vec<_> = causes.iter().map(|cause| cause.setting.clone()).collect();
    let flight = onebox.flight("DualWriteUnoAuthenticationFnoToCds").enabled();
    assert_eq!(named, [flight, application.enabled(), user.roles()]);
    assert!(causes.iter().all(|cause| cause.needs.is_empty() && !cause.assumed));
    // All of them together heal, as they are.
    edit(&lab, causes.into_iter().flat_map(|cause| cause.change).collect()).await;
    assert!(lab.drive().await.status < 400);
}

#[tokio::test]
async fn where_only_a_person_knows_the_value_something_stands_in_and_is_said_to() {
    let lab = Lab::start().await;
    let user = pointers::organization("contoso").application_user(OWN);
    let application = pointers::tenant(TENANT).application(OWN);
    edit(&lab, vec![Edit::remove(application.setting()), Edit::remove(user.setting())]).await;
    let refused = lab.drive().await;
    let explanation = explain(lab.lab(), refused.exchange().unwrap()).await.unwrap();
    let cause = explanation.cause.unwrap();
    assert_eq!((cause.kind, &cause.setting), (Kind::Missing, &application.setting()));
    assert!(cause.assumed && cause.change.is_empty(), "{cause:?}");
    assert_eq!(cause.needs[0].path, application.setting());
    let next: Vec<_> = explanation.also.iter().map(|cause| cause.setting.clone()).collect();
    assert!(next.contains(&user.setting()), "{next:?}");
    // What stood in is never offered as a change.
    let told = json!(explanation.also).to_string();
    assert!(!told.contains("made up"), "{told}");
}

#[tokio::test]
async fn an_exchange_is_explained_as_of_its_own_time_however_late_somebody_asks() {
    let lab = Lab::scenario("half-done").start().await;
    let refused = lab.drive().await;
    let at_once = explain(lab.lab(), refused.exchange().unwrap()).await.unwrap();
    // By then the token it was refused with has run out, and others were given.
    lab.command(Command::Clock(ClockChange::Forward(Duration::hours(5)))).await;
    assert_eq!(lab.drive().await.status, refused.status);
    let later = explain(lab.lab(), refused.exchange().unwrap()).await.unwrap();
    assert_eq!(json!(later), json!(at_once));
    assert_eq!(at_once.cause.unwrap().kind, Kind::Setting);
}

#[tokio::test]
async fn a_key_that_was_rolled_over_under_a_running_product_is_healed_by_a_restart() {
    let lab = Lab::start().await;
    lab.apply([Edit::add(pointers::caller().count(), 1)]).await;
    assert!(lab.drive_as(Errand::Load).await.status < 400);
    let keys = pointers::tenant(TENANT).signing_keys();
    lab.apply([Edit::replace(keys, json!(["shipped:token-signing-next"]))]).await;
    let refused = lab.drive().await;
    // The organisation no longer takes the token the AOS was given by the old key and goes on with.
    assert_eq!(refused.status, 400);
    let cause = explain(lab.lab(), refused.exchange().unwrap()).await.unwrap().cause.unwrap();
    assert_eq!(cause.kind, Kind::Restart, "{}", cause.to_line());
    lab.command(Command::Restart { environment: "onebox".into(), node: None }).await;
    assert!(lab.drive().await.status < 400);
}

#[tokio::test]
async fn nothing_secret_leaves_with_an_explanation() {
    let lab = Lab::start().await;
    // A request that nobody answers, with secrets where they should not be.
    let url = format!("{}/{TENANT}/oauth2/nothing?client_secret=TOPSECRET", lab.settings().entra.base_url);
    let answer = lab.client().get(&url).await;
    let told = json!(explain(lab.lab(), answer.exchange().unwrap()).await.unwrap()).to_string();
    assert!(told.contains("oauth2/nothing") && !told.contains("TOPSECRET"), "{told}");

    // A private key that was replaced after it was read.
    let stored =
        lab.world().get(&pointers::environment("onebox").store("LocalMachine", "My")).unwrap().clone();
    let thumbprint = stored.as_object().unwrap().keys().next().unwrap().clone();
    let key = pointers::environment("onebox")
        .stored_certificate("LocalMachine", "My", &thumbprint)
        .private_key()
        .key();
    let der = mocktenant_keys::shipped::onebox_s2s().key().pkcs8_der().to_vec();
    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", der));
    lab.apply([Edit::replace(key, pem)]).await;
    let exchange = lab.drive().await;
    let told = json!(explain(lab.lab(), exchange.exchange().unwrap()).await.unwrap()).to_string();
    assert!(told.contains("private_key") && !told.contains("BEGIN PRIVATE KEY"), "{told}");
}

#[tokio::test]
async fn a_strangers_request_changes_nothing_that_is_declared() {
    let lab = Lab::start().await;
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", lab.settings().entra.base_url);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", OWN),
        ("client_secret", "wrong"),
        ("scope", "https://contoso.crm4.dynamics.com/.default"),
    ];
    let answer = lab.client().post_form(&url, &form).await;
    let cause = explain(lab.lab(), answer.exchange().unwrap()).await.unwrap().cause.unwrap();
    assert_eq!(cause.kind, Kind::Caller);
    assert!(cause.change.is_empty() && cause.needs.is_empty() && !cause.assumed, "{cause:?}");
}

#[tokio::test]
async fn a_clock_that_is_off_by_a_second_is_not_why_a_token_has_run_out() {
    let lab = Lab::start().await;
    let aos = lab.settings().aos["onebox"].clone();
    let token = lab.client().token(&aos.resource).await;
    edit(&lab, vec![Edit::add(pointers::environment("onebox").clock(), "+1s")]).await;
    lab.command(Command::Clock(ClockChange::Forward(Duration::hours(3)))).await;
    let url = format!("{}/data/CustomersV3", aos.url);
    let answer = lab.client().bearer(&token).get(&url).await;
    assert_eq!(answer.status, 401);
    let cause = explain(lab.lab(), answer.exchange().unwrap()).await.unwrap().cause.unwrap();
    assert_eq!(cause.kind, Kind::Caller, "{}", cause.to_line());
}

/// What an explanation of the last answer names as its cause.
async fn cause_of(lab: &Lab, answer: &mocktenant_testkit::Reply) -> (Kind, String) {
    let cause = explain(lab.lab(), answer.exchange().unwrap()).await.unwrap().cause.unwrap();
    (cause.kind, cause.to_line())
}

#[tokio::test]
async fn what_is_not_built_is_the_cause_whichever_question_refused_it() {
    let lab = Lab::start().await;
    let caller = lab.world().caller().clone();
    for (version, grant, extra, said) in [
        ("", "password", ("username", "ada@contoso.com"), Some("the password grant (grant_type password)")),
        ("v2.0/", "refresh_token", ("refresh_token", "x"), Some("refresh tokens (grant_type refresh_token)")),
        (
            "",
            "client_credentials",
            ("token_type", "pop"),
            Some("tokens bound to a key (the parameter token_type)"),
        ),
        ("", "magic", ("a", "b"), None),
    ] {
        let url = format!("{}/{TENANT}/oauth2/{version}token", lab.settings().entra.base_url);
        let form = [
            ("grant_type", grant),
            ("client_id", &caller.client_id),
            ("client_secret", caller.client_secret.as_str()),
            extra,
        ];
        let answer = lab.client().post_form(&url, &form).await;
        assert_eq!(answer.status, 400, "{grant}");
        let (kind, line) = cause_of(&lab, &answer).await;
        match said {
            Some(said) => {
                assert_eq!(kind, Kind::Unbuilt, "{line}");
                assert!(line.starts_with(&format!("{said}: not built in this lab; built here: ")), "{line}");
            }
            None => assert_eq!(kind, Kind::Caller, "{line}"),
        }
    }
    let answer =
        lab.client().get(&format!("{}/{TENANT}/oauth2/authorize", lab.settings().entra.base_url)).await;
    assert_eq!((answer.status, cause_of(&lab, &answer).await.0), (404, Kind::Unbuilt));
}

#[tokio::test]
async fn a_token_that_was_asked_for_without_a_resource_is_explained_where_it_is_refused() {
    let lab = Lab::start().await;
    let caller = lab.world().caller().clone();
    let url = format!("{}/{TENANT}/oauth2/token", lab.settings().entra.base_url);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", caller.client_id.as_str()),
        ("client_secret", caller.client_secret.as_str()),
    ];
    let token = lab.client().post_form(&url, &form).await.json()["access_token"].as_str().unwrap().to_owned();
    let client = lab.client().bearer(&token);
    for url in [
        format!("{}/data/CustomersV3", lab.settings().aos["onebox"].url),
        format!("{}/api/data/v9.2/WhoAmI", lab.settings().dataverse.url),
    ] {
        let answer = client.get(&url).await;
        assert_eq!(answer.status, 401, "{url}");
        let (kind, line) = cause_of(&lab, &answer).await;
        assert_eq!(kind, Kind::Caller, "{line}");
        assert!(line.contains("it was asked for at the v1 endpoint without `resource`"), "{line}");
    }
    // What Microsoft Graph alone can verify fails here before anybody looks whom it is for.
    let token = lab.client().token("https://graph.microsoft.com").await;
    let url = format!("{}/api/data/v9.2/WhoAmI", lab.settings().dataverse.url);
    let answer = lab.client().bearer(&token).get(&url).await;
    assert_eq!(answer.status, 401);
    let told = explain(lab.lab(), answer.exchange().unwrap()).await.unwrap().to_text(true);
    assert!(told.contains("does not verify under a header with a nonce"), "{told}");
}

#[tokio::test]
async fn a_misspelt_thumbprint_is_the_requests_fault_and_nothing_was_mended_since() {
    let now = 1_790_000_000;
    let lab = Lab::builder().frozen_at(OffsetDateTime::from_unix_timestamp(now).unwrap()).start().await;
    let client = lab.world().caller().client_id.clone();
    let identity = shipped::sample_client();
    let base = &lab.settings().entra.base_url;
    let url = format!("{base}/{TENANT}/oauth2/token");
    for (x5t, holds) in [
        (identity.certificate().thumbprint().to_string(), "x5t holds the hexadecimal text itself"),
        (identity.certificate().thumbprint256().base64url(), "x5t holds a SHA-256"),
    ] {
        let header = json!({ "alg": "RS256", "typ": "JWT", "x5t": x5t });
        let header = HeaderSegment::new(header.as_object().unwrap()).unwrap();
        let claims =
            json!({ "aud": url, "iss": client, "sub": client, "jti": "1", "nbf": now, "exp": now + 600 });
        let assertion = mint(identity.key(), Algorithm::Rs256, &header, &claims).unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
            ("resource", "https://contoso.crm4.dynamics.com"),
        ];
        let answer = lab.client().post_form(&url, &form).await;
        assert_eq!(answer.status, 401, "{holds}");
        let (kind, line) = cause_of(&lab, &answer).await;
        assert!(kind == Kind::Caller && line.contains(holds) && !line.contains("mended since"), "{line}");
    }
}
