//! Pages of other origins: a preflight without a token, and what a browser may read of each answer.

use crate::support::{Bench, Seen};
use http::Method;

const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const ORIGIN: (&str, &str) = ("origin", "http://localhost:1234");
const EXPOSED: [&str; 9] = [
    "Preference-Applied",
    "OData-EntityId",
    "Location",
    "ETag",
    "OData-Version",
    "Content-Encoding",
    "Transfer-Encoding",
    "Content-Length",
    "Retry-After",
];

fn is_for_all(seen: &Seen, what: &str) {
    assert_eq!(seen.header("access-control-allow-origin"), Some("*"), "{what}");
    let exposed = seen.header("access-control-expose-headers").unwrap();
    let exposed: Vec<&str> = exposed.split(',').collect();
    assert!(EXPOSED.iter().all(|name| exposed.contains(name)), "{what}: {exposed:?}");
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_allows_what_it_asks_for() {
    let bench = Bench::new().await;
    let asked = "authorization,content-type,if-none-match,odata-maxversion,odata-version,prefer";
    let one = "/api/data/v9.2/accounts(c0117050-0000-4000-8000-0000000fffff)";
    for (method, target) in [
        ("GET", "/api/data/v9.2/WhoAmI"),
        ("GET", "/api/data/v9.2/accounts?$select=name&$top=3"),
        ("POST", ACCOUNTS),
        ("POST", "/api/data/v9.2/$batch"),
        ("PATCH", one),
        ("DELETE", one),
        ("PUT", "/api/data/v9.2/accounts(c0117050-0000-4000-8000-0000000fffff)/telephone1"),
    ] {
        let headers =
            [ORIGIN, ("access-control-request-method", method), ("access-control-request-headers", asked)];
        let seen = bench.send(Method::OPTIONS, target, None, &headers).await;
        assert_eq!(seen.status().as_u16(), 200, "{method} {target}");
        is_for_all(&seen, target);
        assert_eq!(seen.header("access-control-allow-methods"), Some(method), "{target}");
        assert_eq!(seen.header("access-control-allow-headers"), Some(asked), "{target}");
        assert!(seen.response.body.is_empty() && seen.header("www-authenticate").is_none());
    }
}

#[tokio::test]
async fn every_answer_may_be_read_refusals_too() {
    let bench = Bench::new().await;
    is_for_all(&bench.call_with(Method::GET, ACCOUNTS, None, &[ORIGIN]).await, "a list");
    let made = bench.call_with(Method::POST, ACCOUNTS, Some("{}"), &[ORIGIN]).await;
    is_for_all(&made, "a new row");
    assert!(made.header("odata-entityid").is_some());
    is_for_all(
        &bench.call_with(Method::GET, &format!("{ACCOUNTS}?$filter=x"), None, &[ORIGIN]).await,
        "a refusal",
    );
    is_for_all(&bench.send(Method::GET, ACCOUNTS, None, &[ORIGIN]).await, "a stranger");
    is_for_all(
        &bench.call_with(Method::GET, "/api/data/v9.2/acounts", None, &[ORIGIN]).await,
        "nothing there",
    );
}

#[tokio::test]
async fn only_the_web_api_answers_preflights() {
    let bench = Bench::new().await;
    let headers = [ORIGIN, ("access-control-request-method", "POST")];
    let seen = bench.send(Method::OPTIONS, "/xrmservices/2011/organization.svc/web", None, &headers).await;
    assert_ne!(seen.status().as_u16(), 200);
    // what is echoed has an end
    let long = "x-".to_owned() + &"a".repeat(2_000);
    let headers =
        [ORIGIN, ("access-control-request-method", "GET"), ("access-control-request-headers", &long)];
    let seen = bench.send(Method::OPTIONS, ACCOUNTS, None, &headers).await;
    assert_eq!((seen.status().as_u16(), seen.header("access-control-allow-headers")), (200, None));
}
