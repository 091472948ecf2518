//! Refusals: every code with status and OAuth error, the body, the header fields.

use http::Method;
use mocktenant_lab::{Entrance, Request};
use mocktenant_verdict::Switches;
use mocktenant_world::Edit;
use serde_json::{Value, json};

use crate::front_door::*;

#[tokio::test]
async fn every_refusal_of_a_request_has_its_code_status_and_error() {
    let lab = lab().await;
    let scope = "https://contoso.crm4.dynamics.com/.default";
    let two = "https://contoso.crm4.dynamics.com/.default api://contoso-api/.default";
    let v1_rows = [
        (by_secret(&[("grant_type", "")]), 400, "invalid_request", 900_144),
        (by_secret(&[("grant_type", "authorization_code")]), 400, "unsupported_grant_type", 70003),
        (by_secret(&[("grant_type", "magic")]), 400, "unsupported_grant_type", 70003),
        (by_secret(&[("client_id", "")]), 400, "invalid_request", 900_144),
        (by_secret(&[("client_id", "MY_APP_ID_HERE")]), 400, "unauthorized_client", 700_016),
        (by_secret(&[("client_secret", "")]), 401, "invalid_client", 7_000_216),
        (by_secret(&[("client_assertion", "x")]), 400, "invalid_request", 900_144),
        (by_secret(&[("client_assertion_type", ASSERTION_TYPE)]), 400, "invalid_request", 900_144),
        (by_secret(&[("client_secret", "wrong")]), 401, "invalid_client", 7_000_215),
        (
            by_secret(&[("client_id", RETIRED), ("client_secret", EXPIRED_SECRET)]),
            401,
            "invalid_client",
            7_000_222,
        ),
        (by_secret(&[("client_id", RETIRED), ("client_secret", "wrong")]), 401, "invalid_client", 7_000_222),
        (by_secret(&[("client_id", API), ("client_secret", "wrong")]), 401, "invalid_client", 7_000_215),
        (by_secret(&[("resource", "https://nowhere.example")]), 400, "invalid_resource", 500_011),
    ];
    let v2_rows = [
        (by_secret_v2(&[("scope", "")]), 400, "invalid_request", 90014),
        (by_secret_v2(&[("scope", "openid profile")]), 400, "invalid_scope", 1_002_012),
        (by_secret_v2(&[("scope", "/.default")]), 400, "invalid_scope", 70011),
        (by_secret_v2(&[("scope", "contoso.crm4.dynamics.com/.default")]), 400, "invalid_scope", 70011),
        (by_secret_v2(&[("scope", "nothing/.default")]), 400, "invalid_scope", 70011),
        (by_secret_v2(&[("scope", "nothing")]), 400, "invalid_scope", 1_002_012),
        (by_secret_v2(&[("scope", "User.Read")]), 400, "invalid_scope", 1_002_012),
        (by_secret_v2(&[("scope", two)]), 400, "invalid_scope", 28000),
        (by_secret_v2(&[("resource", "api://contoso-api")]), 400, "invalid_target", 9_010_010),
        (by_secret_v2(&[("resource", DATAVERSE), ("scope", "")]), 400, "invalid_request", 90014),
        (by_secret_v2(&[("scope", "https://nowhere.example/.default")]), 400, "invalid_resource", 500_011),
        (by_secret_v2(&[("scope", scope), ("client_secret", "wrong")]), 401, "invalid_client", 7_000_215),
    ];
    let rows = v1_rows.into_iter().map(|row| (v1(), row)).chain(v2_rows.into_iter().map(|row| (v2(), row)));
    for (target, (fields, status, error, code)) in rows {
        let reply = post(&lab, HOST, &target, &fields).await;
        let body = reply.json();
        assert_eq!(
            (reply.status, body["error"].as_str(), body["error_codes"].clone()),
            (status, Some(error), json!([code])),
            "{fields:?}: {}",
            reply.description()
        );
        assert!(reply.description().starts_with(&format!("AADSTS{code}: ")));
    }
}

#[tokio::test]
async fn every_kind_of_tenant_segment_has_its_code() {
    let lab = lab().await;
    for (segment, error, code) in [
        ("7d8f9a10-0000-4000-8000-000000000000", "invalid_request", 90002),
        ("fabrikam.onmicrosoft.com", "invalid_request", 90002),
        ("00000000-0000-0000-0000-000000000000", "invalid_request", 900_021),
        ("authorize", "invalid_request", 900_023),
        ("%7B0%7D", "invalid_request", 900_023),
        ("contoso", "invalid_request", 900_023),
        ("common", "invalid_request", 50059),
        ("Organizations", "invalid_request", 50059),
        ("consumers", "invalid_request", 9_001_023),
        ("9188040d-6c67-4c5b-b112-36a304b66dad", "invalid_request", 9_001_023),
    ] {
        for endpoint in ["oauth2/token", "oauth2/v2.0/token"] {
            let reply = post(&lab, HOST, &format!("/{segment}/{endpoint}"), &by_secret(&[])).await;
            assert_eq!((reply.status, reply.code()), (400, code), "{segment}");
            assert_eq!(reply.json()["error"], error, "{segment}");
        }
    }
    let zero = "/00000000-0000-0000-0000-000000000000/oauth2/token";
    assert!(post(&lab, HOST, zero, &by_secret(&[])).await.description().starts_with(
        "AADSTS900021: Requested tenant identifier '00000000-0000-0000-0000-000000000000' is not valid. Tenant \
         identifiers may not be an empty GUID. Trace ID: "
    ));
    let reply = post(&lab, HOST, "/Fabrikam.com/oauth2/token", &by_secret(&[])).await;
    assert!(
        reply.description().starts_with("AADSTS90002: Tenant 'Fabrikam.com' not found. Check to make sure")
    );
    for segment in [TENANT.to_uppercase().as_str(), DOMAIN, "CONTOSO.com", "contoso%2Ecom"] {
        let reply = post(&lab, HOST, &format!("/{segment}/OAuth2/Token/"), &by_secret(&[])).await;
        assert_eq!(reply.status, 200, "{segment}: {}", reply.description());
    }
}

#[tokio::test]
async fn the_body_of_a_refusal_is_entra_s() {
    let lab = lab().await;
    let correlation = "3f0c5e0e-7a5b-4a51-8c0f-0c4f2b9f1a11";
    let request = form_request(
        "login.windows.net",
        &v1(),
        &by_secret(&[("client_secret", "wrong")]),
        &[
            ("client-request-id", correlation),
            ("return-client-request-id", "true"),
            ("x-client-current-telemetry", "5|1,0,,,|"),
        ],
    );
    let reply = send(&lab, request).await;
    let trace = reply.header("x-ms-request-id").to_owned();
    let expected = json!({
        "error": "invalid_client",
        "error_description": format!(
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client \
             secret value, not the client secret ID, for a secret added to app '{CLIENT}'. Trace ID: {trace} \
             Correlation ID: {correlation} Timestamp: 2026-08-21 10:00:00Z"
        ),
        "error_codes": [7_000_215],
        "timestamp": "2026-08-21 10:00:00Z",
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": "https://login.windows.net/error?code=7000215",
    });
    let body = reply.json();
    assert_eq!(body, expected);
    let order = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(order(&body), order(&expected));
    assert_eq!(reply.header("x-ms-clitelem"), "1,7000215,0,,");
    assert_eq!(reply.header("client-request-id"), correlation);
    assert!(reply.headers.get("www-authenticate").is_none());
}

#[tokio::test]
async fn the_header_fields_are_entra_s() {
    let lab = lab().await;
    let reply = post(&lab, HOST, &v1(), &by_secret(&[])).await;
    for (name, value) in [
        ("cache-control", "no-store, no-cache"),
        ("pragma", "no-cache"),
        ("content-type", "application/json; charset=utf-8"),
        ("expires", "-1"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\""),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    let cookies: Vec<&str> =
        reply.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 3);
    assert!(
        cookies[0].starts_with("fpc=")
            && cookies[0].contains("; expires=Sun, 20-Sep-2026 10:00:00 GMT; path=/")
    );
    assert!(reply.headers.get("x-ms-clitelem").is_none() && reply.headers.get("client-request-id").is_none());
    let local = post(&lab, LOCAL, &v1(), &by_secret(&[])).await;
    assert!(local.headers.get("strict-transport-security").is_none());
    let refused = post(&lab, LOCAL, &v1(), &[]).await;
    assert!(refused.headers.get("strict-transport-security").is_none());
    assert_eq!(refused.json()["error_uri"], "https://localhost:7443/error?code=900144");
}

#[tokio::test]
async fn codes_without_a_page_have_no_error_uri() {
    let lab = lab().await;
    for fields in [
        by_secret(&[("grant_type", "magic")]),
        by_secret(&[("client_id", "00000000-0000-0000-0000-000000000000")]),
    ] {
        assert!(post(&lab, HOST, &v1(), &fields).await.json().get("error_uri").is_none());
    }
}

#[tokio::test]
async fn a_correlation_id_that_is_no_guid_is_replaced() {
    let lab = lab().await;
    for id in ["", "x", "<script>"] {
        let request = form_request(HOST, &v1(), &[], &[("client-request-id", id)]);
        let reply = send(&lab, request).await;
        let correlation = reply.json()["correlation_id"].as_str().unwrap().to_owned();
        assert_eq!(correlation.len(), 36);
    }
    let id = "3f0c5e0e-7a5b-4a51-8c0f-0c4f2b9f1a11";
    let reply = post(&lab, HOST, &v1(), &[("client-request-id", id)]).await;
    assert_eq!(reply.json()["correlation_id"], id);
}

#[tokio::test]
async fn another_method_or_path_gets_entra_s_own_answer() {
    let lab = lab().await;
    for target in [v1(), v2()] {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
            let reply = send(&lab, Request::new(method.clone(), HOST, &target, Entrance::Identity)).await;
            assert_eq!(reply.status, 400, "{method}");
            let said = format!(
                "AADSTS900561: The endpoint only accepts POST, OPTIONS requests. Received a {method} request. Trace ID: "
            );
            assert!(
                method == Method::HEAD || reply.description().starts_with(&said),
                "{}",
                reply.description()
            );
        }
    }
    let reply = get(&lab, HOST, "/nothing/here/at/all").await;
    assert_eq!((reply.status, reply.body.len()), (404, 0));
    let target = format!("/{TENANT}/discovery/keys");
    let reply = send(&lab, Request::new(Method::PUT, HOST, &target, Entrance::Identity)).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET, OPTIONS"));
    assert_eq!(lab.journal().records().pop().unwrap().error.as_deref(), Some("405"));
}

#[tokio::test]
async fn the_federation_service_s_paths_are_left_to_it() {
    let lab = lab().await;
    for target in
        ["/adfs/oauth2/token", "/FederationMetadata/2007-06/FederationMetadata.xml", "/.well-known/webfinger"]
    {
        let reply = get(&lab, LOCAL, target).await;
        // A lab of Entra alone has nobody there.
        assert_eq!(reply.status, 421, "{target}");
    }
}

#[tokio::test]
async fn a_disabled_resource_and_a_tenant_without_dataverse_are_refused() {
    let dataverse = "00000007-0000-0000-c000-000000000000";
    let disabled = vec![Edit::replace(application(dataverse, &["enabled"]), false)];
    let reply = post(&lab_with(disabled, Switches::default()).await, HOST, &v1(), &by_secret(&[])).await;
    assert_eq!((reply.status, reply.code()), (400, 500_014));
    let removed = vec![Edit::remove(application(dataverse, &[]))];
    let lab = lab_with(removed, Switches::default()).await;
    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[])).await.code(), 500_011);
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.failed_check().unwrap().settings, [application(dataverse, &[])]);
}

#[tokio::test]
async fn a_resource_that_requires_assignment_is_for_whoever_has_one_of_its_roles() {
    let dataverse = "00000007-0000-0000-c000-000000000000";
    let required = Edit::replace(application(dataverse, &["assignment_required"]), true);
    let lab = lab_with(vec![required.clone()], Switches::default()).await;
    let reply = post(&lab, HOST, &v1(), &by_secret(&[])).await;
    assert_eq!((reply.status, reply.code()), (400, 501_051));
    assert_eq!(reply.json()["error"], "invalid_grant");
    let failed = lab.journal().records().pop().unwrap().failed_check().unwrap().clone();
    assert_eq!(failed.settings, [application(dataverse, &["assignment_required"])]);
    let change = failed.remedy.unwrap().here.unwrap();
    assert_eq!(change.edits, [Edit::add(application(dataverse, &["assignment_required"]), false)]);

    let granted = Edit::add(application(CLIENT, &["granted_roles", dataverse]), json!(["Full.Access"]));
    let lab = lab_with(vec![required, granted], Switches::default()).await;
    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[])).await.status, 200);
}

#[tokio::test]
async fn public_flows_beside_a_credential_refuse_nothing() {
    let edits = vec![Edit::replace(application(CLIENT, &["public_client"]), true)];
    let lab = lab_with(edits, Switches::default()).await;
    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[])).await.status, 200);
}

#[tokio::test]
async fn a_browser_that_asks_before_it_posts_is_told_what_the_token_endpoint_takes() {
    let lab = lab().await;
    for target in [v1(), v2(), "/nobody.example/oauth2/token".to_owned()] {
        let reply = send(&lab, Request::new(Method::OPTIONS, HOST, &target, Entrance::Identity)).await;
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{target}");
        assert_eq!(reply.header("access-control-allow-methods"), "POST, OPTIONS");
        assert_eq!(
            reply.header("access-control-expose-headers"),
            "Content-Length, Content-Encoding, x-ms-request-id, x-ms-srs"
        );
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert!(!lab.journal().records().pop().unwrap().refused());
    }
}

#[tokio::test]
async fn a_refused_credential_is_a_401_without_a_challenge() {
    let lab = lab().await;
    let unsigned = Draft::of(mocktenant_keys::shipped::second_client()).signed();
    let replies = [
        post(&lab, HOST, &v1(), &by_secret(&[("client_secret", "wrong")])).await,
        post(&lab, HOST, &v2(), &by_secret_v2(&[("client_secret", "")])).await,
        present(&lab, &unsigned).await,
    ];
    for reply in replies {
        assert_eq!(reply.status, 401);
        assert!(reply.headers.get("www-authenticate").is_none());
    }
}

#[tokio::test]
async fn a_resource_at_the_v2_endpoint_may_repeat_the_scope_and_not_differ_from_it() {
    let lab = lab().await;
    for same in [DATAVERSE, "https://contoso.crm4.dynamics.com/", "https://CONTOSO.crm4.dynamics.com:443"] {
        let reply = post(&lab, HOST, &v2(), &by_secret_v2(&[("resource", same)])).await;
        assert_eq!(reply.status, 200, "{same}: {}", reply.description());
    }
    let other = by_secret_v2(&[("resource", "https://graph.microsoft.com")]);
    let said = "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.";
    assert!(post(&lab, HOST, &v2(), &other).await.description().starts_with(said));
}

#[tokio::test]
async fn an_external_issuer_is_led_to_the_page_of_today() {
    let lab = lab().await;
    let token = Draft::healthy().claim("iss", "https://token.actions.githubusercontent.com").signed();
    assert!(present(&lab, &token).await.description().contains(
        "for presented assertion issuer 'https://token.actions.githubusercontent.com'. Please check your federated \
         identity credential Subject, Audience and Issuer against the presented assertion. \
         https://learn.microsoft.com/entra/workload-id/workload-identity-federation Trace ID: "
    ));
}
