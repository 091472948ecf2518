//! Parameters missing, repeated, oversized, in the wrong place; bodies that are none.

use http::Method;
use mocktenant_lab::request::BodyError;

use crate::front_door::*;

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused_whole() {
    let lab = lab().await;
    let whole = form_urlencoded::Serializer::new(String::new()).extend_pairs(by_secret(&[])).finish();
    let many = (0..200).map(|index| format!("&p{index}=1")).collect::<Vec<_>>().concat();
    for body in [
        format!("{whole}&grant_type=client_credentials"),
        format!("{whole}&client_id=x"),
        format!("{whole}&x=%ff"),
        format!("{whole}{many}"),
        format!("{whole}&x={}", "a".repeat(300 * 1024)),
    ] {
        let reply = send(&lab, posting(HOST, TOKEN, "application/x-www-form-urlencoded", body)).await;
        assert_eq!((reply.status, reply.refusal()), (400, ("invalid_request".into(), "MSIS9604".into())));
    }
    let reply =
        send(&lab, posting(HOST, TOKEN, "application/x-www-form-urlencoded; charset=utf-8", whole)).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn what_is_no_form_names_no_grant() {
    let lab = lab().await;
    for (kind, body) in [
        ("application/json", r#"{"grant_type":"client_credentials"}"#),
        ("text/plain", "grant_type=client_credentials"),
        ("application/x-www-form-urlencoded", ""),
        ("", "grant_type=client_credentials"),
    ] {
        let reply = send(&lab, posting(HOST, TOKEN, kind, body)).await;
        assert_eq!(reply.refusal(), ("invalid_request".into(), "MSIS9658".into()), "{kind}");
    }
    let query = format!("{TOKEN}?grant_type=client_credentials&client_id={SERVER}&client_secret={SECRET}");
    let reply = send(&lab, posting(HOST, &query, "application/x-www-form-urlencoded", "")).await;
    assert_eq!(reply.refusal().1, "MSIS9658", "the query is no form");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused_in_the_products_envelope() {
    let lab = lab().await;
    for (error, status) in
        [(BodyError::TooLarge { limit: 1 }, 400), (BodyError::Incomplete, 400), (BodyError::Timeout, 408)]
    {
        let mut request = form_request(HOST, TOKEN, &by_secret(&[]), &[]);
        request.body = Err(error);
        assert_eq!(send(&lab, request).await.status, status);
    }
}

#[tokio::test]
async fn every_parameter_of_every_grant_may_be_missing_empty_or_huge() {
    let lab = lab().await;
    let token = ask(&lab, &by_password(&[])).await.of("refresh_token");
    let assertion = Draft::healthy().signed();
    let refresh = [("grant_type", "refresh_token"), ("client_id", NATIVE), ("refresh_token", token.as_str())];
    let huge = "a".repeat(100 * 1024);
    for healthy in [by_secret(&[]), by_password(&[]), by_assertion(&assertion), refresh.to_vec()] {
        assert_eq!(ask(&lab, &healthy).await.status, 200);
        for (name, _) in &healthy {
            for value in ["", huge.as_str(), "\0", "\u{fffd}\u{202e}", "'\"<>&\\/", "%25%32"] {
                let mut fields = healthy.clone();
                for field in fields.iter_mut().filter(|(known, _)| known == name) {
                    field.1 = value;
                }
                let reply = ask(&lab, &fields).await;
                assert!([200, 400].contains(&reply.status), "{name}={value:.20}: {}", reply.status);
                assert!(reply.body.len() < 4096, "{name}={value:.20}: {} bytes", reply.body.len());
            }
        }
    }
}

#[tokio::test]
async fn a_head_request_has_the_header_of_a_get() {
    let lab = lab().await;
    let mut request = getting(HOST, "/adfs/.well-known/openid-configuration");
    request.method = Method::HEAD;
    assert_eq!(send(&lab, request).await.status, 200);
}
