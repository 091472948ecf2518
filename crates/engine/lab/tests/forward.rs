//! Where answers send their callers, through `Lab::answer`: by the lab's own addresses who came by a local name, by names of
//! the world who came by one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod toy;

use http::{Method, StatusCode};
use mocktenant_lab::{Addresses, Entrance, Lab, Request};

use crate::toy::{ask, lab};

async fn sent_to(lab: &Lab, host: &str, to: &str) -> String {
    let target = format!("/leave?{to}");
    let response = lab.answer(Request::new(Method::GET, host, &target, Entrance::Identity)).await;
    assert_eq!(response.status, StatusCode::FOUND);
    response.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_came_by_a_local_name_is_sent_on_by_local_names_and_the_journal_shows_both() {
    let lab = lab();
    lab.set_addresses([(Entrance::Identity, "https://localhost:7443".to_owned())].into());
    let cases = [
        ("https://login.example.com/a?code=x#b", "https://localhost:7443/a?code=x#b"),
        (
            "HTTPS://Login.Example.com.:443?wreply=https://login.example.com/",
            "https://localhost:7443?wreply=https://login.example.com/",
        ),
        ("http://login.example.com", "https://localhost:7443"),
    ];
    for (to, sent) in cases {
        assert_eq!(sent_to(&lab, "localhost:7443", to).await, sent);
        assert_eq!(sent_to(&lab, "login.example.com", to).await, to, "a name of the world stays one");
    }
    for to in [
        "https://login.example.com:7443/",
        "https://elsewhere.example/",
        "/a",
        "urn:x",
        "https://u@login.example.com/",
    ] {
        assert_eq!(sent_to(&lab, "localhost:7443", to).await, to);
    }
    sent_to(&lab, "localhost:7443", cases[0].0).await;
    let record = lab.journal().records().pop().unwrap();
    let document = serde_json::to_value(record.document()).unwrap();
    assert_eq!(document["facts"][0]["value"], "https://login.example.com/a?code=***#b");
    assert_eq!(document["facts"][1]["value"], "https://localhost:7443/a?code=***#b");
    assert_eq!(document["answer"]["headers"]["location"], "https://localhost:7443/a?code=***#b");
}

#[tokio::test]
async fn an_address_of_the_labs_own_is_read_as_the_world_has_it() {
    let lab = lab();
    let addresses: Addresses = [(Entrance::Identity, "https://localhost:7443".to_owned())].into();
    lab.set_addresses(addresses.with_other(Entrance::Identity, "https://[::1]:7443".to_owned()));
    for own in ["https://LOCALHOST:7443/a?b", "https://[::1]:7443/a?b", "https://login.example.com/a?b"] {
        assert_eq!(
            sent_to(&lab, "localhost:7443", own).await,
            "https://localhost:7443/a?b",
            "there and back"
        );
    }
    let own = "https://localhost:7443/a";
    assert_eq!(
        sent_to(&lab, "login.example.com", own).await,
        own,
        "who came by a name of the world means it"
    );
    for other in ["https://localhost:7444/a", "https://localhost/a", "http://localhost/"] {
        assert_eq!(sent_to(&lab, "localhost:7443", other).await, other);
    }
}

#[tokio::test]
async fn a_page_that_posts_itself_is_translated_before_it_is_written_and_masked_when_it_is_shown() {
    let lab = lab();
    lab.set_addresses([(Entrance::Identity, "https://localhost:7443".to_owned())].into());
    let target = "/post?https://login.example.com/signin";
    let (status, page) = ask(&lab, Method::GET, "localhost", target).await;
    assert_eq!(status, 200);
    assert!(page.contains("action=\"https://localhost:7443/signin\">"), "{page}");
    assert!(page.contains("eyJ.eyJ.signature") && page.contains("0.secret"), "{page}");
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.fact("target").unwrap().value, "https://login.example.com/signin");
    assert_eq!(record.fact("target-sent").unwrap().value, "https://localhost:7443/signin");
    let shown = serde_json::to_value(record.document()).unwrap()["answer"]["body"].to_string();
    assert!(shown.contains("eyJ.eyJ.***") && shown.contains("action="), "{shown}");
    assert!(!shown.contains("signature") && !shown.contains("0.secret"), "{shown}");
    let (_, page) = ask(&lab, Method::GET, "login.example.com", target).await;
    assert!(page.contains("action=\"https://login.example.com/signin\">"), "{page}");
}

#[tokio::test]
async fn where_a_form_may_lead_is_translated_before_the_policy_is_written() {
    let lab = lab();
    lab.set_addresses([(Entrance::Identity, "https://localhost:7443".to_owned())].into());
    let actions = "/form?https://login.example.com/signin https://elsewhere.example/cb app://x https://login.example.com:1/";
    for (host, own) in
        [("localhost:7443", "https://localhost:7443"), ("login.example.com", "https://login.example.com")]
    {
        let response = lab.answer(Request::new(Method::GET, host, actions, Entrance::Identity)).await;
        assert_eq!(
            response.headers["content-security-policy"],
            format!(
                "default-src 'none'; form-action 'self' {own} https://elsewhere.example app: https://login.example.com:1"
            )
        );
        assert_eq!(response.headers["content-type"], "text/html; charset=utf-8");
        let record = lab.journal().records().pop().unwrap();
        assert!(record.fact("target").is_none(), "nobody is sent anywhere");
        let shown = serde_json::to_value(record.document()).unwrap();
        assert!(shown["answer"]["headers"]["content-security-policy"].as_str().unwrap().contains(own));
    }
}
