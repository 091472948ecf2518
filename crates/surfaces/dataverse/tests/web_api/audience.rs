//! Tokens for somebody else, and how a caller comes by one.

use http::Method;

use crate::support::{Bench, bearer, claims_with};

#[tokio::test]
async fn a_token_that_was_asked_for_without_a_resource_is_told_so() {
    let bench = Bench::new().await;
    let graph = "00000002-0000-0000-c000-000000000000";
    let authorization = bearer(&claims_with("aud", graph));
    let seen =
        bench.send(Method::GET, "/api/data/v9.2/WhoAmI", None, &[("authorization", &authorization)]).await;
    assert_eq!(seen.status().as_u16(), 401);
    let record = bench.lab.journal().records().pop().unwrap();
    let check = record.failed_check().unwrap();
    let said = "a token for Azure AD Graph: it was asked for at the v1 endpoint without `resource`";
    assert_eq!((&*check.name, check.actual.as_str()), ("token-audience", &*format!("{graph}, {said}")));
    assert_eq!(check.change.as_deref(), Some(said));
}
