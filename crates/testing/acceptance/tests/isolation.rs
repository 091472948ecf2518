//! What a lab keeps to itself: its world, its journal, its name.

use http::Method;
use mocktenant_scenario as scenario;
use mocktenant_testkit::mocktenant_world::pointers;
use mocktenant_testkit::{Command, Edit, Lab, Reply, Setting};
use serde_json::json;

#[tokio::test]
async fn two_labs_in_one_process_never_see_each_other() {
    let healthy = Lab::start().await;
    let broken = Lab::scenario("app-user-missing").start().await;
    let (left, right) = (healthy.settings(), broken.settings());
    assert_ne!(left.instance, right.instance);
    assert_ne!(left.entra.base_url, right.entra.base_url);
    assert_ne!(left.ca_pem_text, right.ca_pem_text, "each has a CA of its own");
    assert!(left.ca_pem.exists() && right.ca_pem.exists());

    let created = create_customer(&healthy, "TWO-1").await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert!(broken.journal().requests_to("aos").is_empty());
    let refused = create_customer(&broken, "TWO-1").await;
    assert_ne!(refused.status, 201);
    assert!(healthy.journal().refused().is_empty(), "{}", healthy.failure_report());

    // An edit, a record and a clock of one are nothing to the other.
    let name = Setting::fixed("/organizations/contoso/name");
    broken.apply([Edit::replace(name.clone(), "Fabrikam")]).await;
    assert_eq!(healthy.world().get(&name), Some(&json!("Contoso")));
    let rows = accounts(&healthy).await.json();
    assert_eq!(rows["value"].as_array().unwrap().len(), 1, "{rows}");
    let rows = accounts(&broken).await.json();
    assert_eq!(rows["value"].as_array().unwrap().len(), 0, "{rows}");

    // Both worlds publish the same keys and names, so a token for a name of the world is good in either; one for an
    // address is good at that address.
    let who_am_i = format!("{}/api/data/v9.2/WhoAmI", right.dataverse.url);
    let named = healthy.client().token("https://contoso.crm4.dynamics.com").await;
    assert_eq!(broken.client().bearer(&named).get(&who_am_i).await.status, 200);
    let addressed = healthy.client().token(&left.dataverse.resource).await;
    assert_eq!(broken.client().bearer(&addressed).get(&who_am_i).await.status, 401);

    let gone = left.ca_pem.clone();
    drop(healthy);
    assert!(!gone.exists(), "a stopped lab leaves nothing behind");
    assert_eq!(accounts(&broken).await.status, 200, "the other one goes on");
}

#[tokio::test]
async fn the_journal_is_bounded_in_bytes_and_its_bodies_are_cut() {
    let lab = Lab::start().await;
    let client = lab.client();
    let url = format!("{}/oauth2/v2.0/token", lab.settings().entra.authority);
    let body = format!("grant_type=client_credentials&client_id=x&padding={}", "a".repeat(200 * 1024));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for _ in 0..120 {
        let answer = client.send(Method::POST, &url, &form, body.clone()).await;
        assert_eq!(answer.status / 100, 4, "{}", answer.text());
    }
    let journal = lab.lab().journal();
    let records = journal.records();
    let cut = 64 * 1024;
    let bytes: usize =
        records.iter().map(|record| record.request_body.len() + record.response_body.len()).sum();
    assert!(
        records.iter().all(|record| record.request_body.len() <= cut && record.response_body.len() <= cut)
    );
    assert!(bytes <= mocktenant_lab::JOURNAL_BUDGET, "{bytes} bytes");
    assert!(journal.dropped() > 0, "{} records kept", records.len());
    // What is kept is what came last.
    let sequences: Vec<u64> = records.iter().map(|record| record.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(sequences.len() > 10);
}

#[tokio::test]
async fn nothing_of_ours_is_in_an_emulated_answer_but_the_exchange_header() {
    for scenario in std::iter::once("").chain(scenario::names()) {
        let lab = Lab::start().await;
        if !scenario.is_empty() {
            lab.command(Command::Scenario { name: scenario.into() }).await;
        }
        // Wherever the story is told: what is asked here is asked of the one-box.
        lab.apply([Edit::replace(pointers::caller().environment(), "onebox")]).await;
        // A name somebody declares is data; this one happens to hold the word.
        let named = Setting::fixed(
            "/tenants/c0117050-0000-4000-8000-000000000001/applications/c0117050-0000-4000-8000-00000000a001/name",
        );
        lab.apply([Edit::replace(named, "sample client")]).await;
        for (what, answer) in whole_run(&lab).await {
            assert!(answer.exchange().is_some_and(|id| id.starts_with("x-")), "{scenario}: {what}");
            let mut headers = answer.headers.clone();
            headers.remove("x-mocktenant-exchange");
            let headers = format!("{headers:?}");
            for text in [headers.as_str(), &answer.text()] {
                assert!(!text.to_ascii_lowercase().contains("mocktenant"), "{scenario}: {what}: {text}");
            }
        }
        // Also what the AOS got from Entra and Dataverse.
        for record in lab.journal().records() {
            let text =
                format!("{}{}", record.response_headers, String::from_utf8_lossy(&record.response_body));
            let text = text.to_ascii_lowercase();
            assert!(!text.contains("mocktenant"), "{scenario}: {} {}: {text}", record.id, record.target);
        }
    }
}

/// Every kind of answer there is: documents, tokens, rows, refusals of each surface, what no route takes.
async fn whole_run(lab: &Lab) -> Vec<(String, Reply)> {
    let settings = lab.settings();
    let (entra, aos, dataverse) = (&settings.entra, &settings.aos["onebox"], &settings.dataverse);
    let client = lab.client();
    let mut answers = Vec::new();
    let authority = &entra.authority;
    let mut urls: Vec<String> = [
        "/.well-known/openid-configuration",
        "/v2.0/.well-known/openid-configuration",
        "/discovery/keys",
        "/discovery/v2.0/keys",
        "/federationmetadata/2007-06/federationmetadata.xml",
        "/oauth2/v2.0/token",
        "/nothing/here",
    ]
    .iter()
    .map(|path| format!("{authority}{path}"))
    .collect();
    for base in [&entra.base_url, &aos.url, &dataverse.url] {
        urls.extend(["/", "/nothing/here", "/%2e%2e/x"].iter().map(|path| format!("{base}{path}")));
    }
    urls.push(format!(
        "{}/common/discovery/instance?api-version=1.1&authorization_endpoint=x",
        entra.base_url
    ));
    urls.push(format!("{}/{}/v2.0/.well-known/openid-configuration", entra.base_url, "nowhere.example"));
    urls.push(format!("{}/data/CustomersV3", aos.url));
    urls.push(format!("{}/api/data/v9.2/accounts", dataverse.url));
    for url in urls {
        answers.push((format!("GET {url}"), client.get(&url).await));
        answers.push((format!("DELETE {url}"), client.send(Method::DELETE, &url, &[], "").await));
    }
    let token_url = format!("{authority}/oauth2/v2.0/token");
    let wrong = ["nonsense", "grant_type=client_credentials", "grant_type=password&client_id=x&scope=y"];
    for form in wrong {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        answers.push((format!("POST {form}"), client.send(Method::POST, &token_url, &headers, form).await));
    }
    for (url, resource) in [(&aos.url, &aos.resource), (&dataverse.url, &dataverse.resource)] {
        let token = client.token(resource).await;
        let allowed = client.bearer(&token);
        let stranger = client.bearer("eyJ.eyJ.x");
        for path in [
            "/data/CustomersV3",
            "/data/CustomersV3?cross-company=true&$top=2",
            "/data/CustomersV3?$filter=nonsense",
            "/data/LegalEntities",
            "/data/CustomerGroups",
            "/data/Currencies",
            "/data/Nothing",
            "/api/data/v9.2/WhoAmI",
            "/api/data/v9.0/accounts?$top=1",
            "/api/data/v9.2/accounts?$filter=nonsense",
            "/api/data/v9.2/accounts(00000000-0000-0000-0000-000000000001)",
            "/api/data/v9.2/systemusers",
            "/api/data/v9.2/nothing",
            "/api/data/v1.0/accounts",
        ] {
            let url = format!("{url}{path}");
            answers.push((url.clone(), allowed.get(&url).await));
            answers.push((url.clone(), stranger.get(&url).await));
            answers.push((format!("POST {url}"), allowed.post_json(&url, &json!({ "nothing": [1] })).await));
        }
    }
    answers.push(("a customer".into(), create_customer(lab, "RUN-1").await));
    answers.push(("the same customer".into(), create_customer(lab, "RUN-1").await));
    answers
}

async fn create_customer(lab: &Lab, account: &str) -> Reply {
    let aos = &lab.settings().aos["onebox"];
    let token = lab.client().token(&aos.resource).await;
    let mut customer = aos.sample_customer.clone();
    customer["CustomerAccount"] = json!(account);
    lab.client().bearer(&token).post_json(&format!("{}/data/CustomersV3", aos.url), &customer).await
}

async fn accounts(lab: &Lab) -> Reply {
    let dataverse = &lab.settings().dataverse;
    let token = lab.client().token(&dataverse.resource).await;
    lab.client().bearer(&token).get(&format!("{}/api/data/v9.2/accounts", dataverse.url)).await
}
