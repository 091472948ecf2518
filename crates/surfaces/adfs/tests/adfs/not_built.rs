//! What the real service has and the lab has not gets the product's page for "cannot", and is said to be missing; what
//! nobody has gets the page of a path without a handler.

use http::Method;

use crate::front_door::*;

fn said(lab: &mocktenant_lab::Lab) -> Option<String> {
    let record = lab.journal().records().pop().unwrap();
    record.fact("not-built").map(|fact| fact.value.to_string())
}

#[tokio::test]
async fn endpoints_that_the_documents_advertise_answer_the_page_and_are_said_to_be_missing() {
    let lab = lab().await;
    for target in [
        "/adfs/ls",
        "/adfs/ls/?wa=wsignin1.0",
        "/adfs/ls/idpinitiatedsignon",
        "/adfs/services/trust/mex",
        "/adfs/services/trust/13/usernamemixed",
        "/adfs/portal/updatepassword/",
    ] {
        for method in [Method::GET, Method::POST] {
            let mut request = form_request(HOST, target, &[], &[]);
            request.method = method.clone();
            let reply = send(&lab, request).await;
            assert_eq!(
                (reply.status, reply.header("content-type")),
                (200, "text/html; charset=utf-8"),
                "{target}"
            );
            assert!(reply.text().contains("MSIS7012"), "{method} {target}");
            assert!(said(&lab).is_some(), "{method} {target}");
        }
    }
}

#[tokio::test]
async fn grants_that_discovery_lists_are_said_to_be_missing() {
    let lab = lab().await;
    let configuration = get(&lab, HOST, "/adfs/.well-known/openid-configuration").await.json();
    for grant in configuration["grant_types_supported"].as_array().unwrap() {
        let grant = grant.as_str().unwrap();
        let reply = ask(&lab, &by_secret(&[("grant_type", grant)])).await;
        let built = [
            "client_credentials",
            "password",
            "refresh_token",
            "authorization_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:device_code",
            "device_code",
        ]
        .contains(&grant);
        assert_eq!(said(&lab).is_none(), built, "{grant}");
        assert_eq!(reply.text().contains("MSIS7012"), !built, "{grant}");
    }
    let reply =
        ask(&lab, &by_secret(&[("use_windows_client_authentication", "true"), ("client_secret", "")])).await;
    assert!(reply.text().contains("MSIS7012") && said(&lab).unwrap().contains("windows"));
}

#[tokio::test]
async fn a_path_nobody_has_is_one_without_a_handler() {
    let lab = lab().await;
    for (method, target, shown) in [
        (Method::GET, "/adfs/oauth2/token", "/adfs/oauth2/token"),
        (Method::GET, "/adfs/nothing", "/adfs/nothing"),
        (Method::GET, "/adfs", "/adfs"),
        (Method::DELETE, "/adfs/discovery/keys", "/adfs/discovery/keys"),
        (Method::GET, "/adfs/wsfed", "/adfs/wsfed"),
    ] {
        let mut request = getting(HOST, target);
        request.method = method;
        let reply = send(&lab, request).await;
        assert_eq!(reply.status, 200, "{target}");
        let text = format!(
            "MSIS7065: There are no registered protocol handlers on path {shown} to process the incoming request."
        );
        assert!(reply.text().contains(&text), "{target}: {}", reply.text());
        assert_eq!(said(&lab), None, "{target}");
    }
    let reply = get(&lab, HOST, "/federationmetadata/nothing.xml").await;
    assert_eq!((reply.status, reply.body.len()), (404, 0));
}
