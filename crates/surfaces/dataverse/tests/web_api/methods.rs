//! What a path takes, and how many requests a user has left.

use std::time::Duration;

use crate::support::{Bench, NOW, ORGANIZATION, bearer, claims_with};
use http::Method;
use mocktenant_lab::{ClockChange, Command, Scope};

const ROOT: &str = "/api/data/v9.2/";
const ROW: &str = "c0117050-0000-4000-8000-0000000e2002";
const OTHER_CLIENT: &str = "c0117050-0000-4000-8000-00000000a002";
const LEFT: &str = "x-ms-ratelimit-burst-remaining-xrm-requests";

#[tokio::test]
async fn a_405_names_what_the_path_takes() {
    let bench = Bench::new().await;
    let row = format!("transactioncurrencies({ROW})");
    for (method, path, allow) in [
        (Method::PUT, "accounts".to_owned(), "GET, POST"),
        (Method::DELETE, "accounts".to_owned(), "GET, POST"),
        (Method::POST, row.clone(), "GET, PATCH, DELETE"),
        (Method::PUT, row.clone(), "GET, PATCH, DELETE"),
        (Method::POST, format!("{row}/currencyname"), "GET, PUT, DELETE"),
        (Method::PATCH, format!("{row}/currencyname"), "GET, PUT, DELETE"),
        (Method::POST, format!("{row}/createdby/$ref"), "GET, PUT, DELETE"),
        (Method::PUT, format!("{row}/transactioncurrency_account/$ref"), "GET, POST, DELETE"),
        (Method::POST, "systemusers".to_owned(), "GET"),
        (Method::DELETE, format!("organizations({ORGANIZATION})"), "GET"),
        (Method::GET, "$batch".to_owned(), "POST"),
        (Method::POST, "$metadata".to_owned(), "GET"),
        (Method::DELETE, String::new(), "GET"),
    ] {
        let seen = bench.call(method.clone(), &format!("{ROOT}{path}"), Some("{}")).await;
        assert_eq!((seen.status().as_u16(), seen.header("allow")), (405, Some(allow)), "{method} {path}");
    }
    let seen = bench.send(Method::PUT, &format!("{ROOT}accounts"), Some("{}"), &[]).await;
    assert_eq!((seen.status().as_u16(), seen.header("allow")), (401, None), "a stranger learns nothing");
    assert_eq!(bench.get(ROOT).await.status().as_u16(), 200, "the service document");
}

#[tokio::test]
async fn what_is_left_of_a_users_requests_falls_until_a_window_ends() {
    let bench = Bench::new().await;
    let left =
        async || bench.get(&format!("{ROOT}WhoAmI")).await.header(LEFT).unwrap().parse::<u64>().unwrap();
    assert_eq!((left().await, left().await), (5_999, 5_998));
    let refused = bench.get(&format!("{ROOT}accounts?$filter=nonsense")).await;
    assert_eq!(refused.header(LEFT), Some("5997"), "a refused one counts too");
    let token = bearer(&claims_with("appid", OTHER_CLIENT));
    let other = bench.send(Method::GET, &format!("{ROOT}WhoAmI"), None, &[("authorization", &token)]).await;
    assert_eq!(other.header(LEFT), Some("5999"), "each user has its own");
    let stranger = bench.send(Method::GET, &format!("{ROOT}WhoAmI"), None, &[]).await;
    assert_eq!(stranger.header(LEFT), Some("6000"));
    assert_eq!(left().await, 5_996);
    let at =
        |seconds| bench.lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::from_secs(seconds))));
    at(299).await.unwrap();
    assert_eq!(left().await, 5_995);
    at(300).await.unwrap();
    assert_eq!(left().await, 5_999);
    bench.lab.apply(Command::Reset { scope: Some(Scope::organization("contoso")) }).await.unwrap();
    assert_eq!(left().await, 5_999);
}
