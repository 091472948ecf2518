//! Managed identities: what IMDS and App Service give, whom they refuse and in which words.

use http::{HeaderName, HeaderValue, Method};
use mocktenant_lab::{Entrance, Lab, Request};
use mocktenant_verdict::{Check, Edit, Outcome, Switches};
use mocktenant_world::pointers;
use serde_json::{Value, json};

use crate::front_door::*;
use crate::tokens::verified;

pub(crate) const IMDS: &str = "169.254.169.254";
const VM: &str = "c0117050-0000-4000-8000-00000000a005";
const VM_OBJECT: &str = "c0117050-0000-4000-8000-0000000b0005";
const VM_RESOURCE: &str = "/subscriptions/c0117050-0000-4000-8000-0000000c0001/resourcegroups/contoso/providers/Microsoft.Compute/virtualMachines/contoso-vm";
const SAMPLE_RESOURCE: &str = "/subscriptions/c0117050-0000-4000-8000-0000000c0001/resourcegroups/contoso/providers/Microsoft.ManagedIdentity/userAssignedIdentities/sample-client";
const HEADER: &str = "contoso-identity-header-not-secret";
const AMBIGUOUS: &str = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request";

/// The query of a request, healthy but for what is replaced; an empty value takes the parameter out.
pub(crate) fn query(version: &str, changes: &[(&str, &str)]) -> String {
    let mut fields = vec![("api-version", version), ("resource", DATAVERSE)];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub(crate) fn request(host: &str, target: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::new(Method::GET, host, target, Entrance::Identity);
    for (name, value) in headers {
        request.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    request
}

/// A request to IMDS by its address.
pub(crate) fn imds(changes: &[(&str, &str)]) -> Request {
    let target = format!("/metadata/identity/oauth2/token?{}", query("2018-02-01", changes));
    request(IMDS, &target, &[("metadata", "true")])
}

/// A request of an app, as it was told by its variables.
pub(crate) fn app_service(changes: &[(&str, &str)]) -> Request {
    let target = format!("/msi/token?{}", query("2019-08-01", changes));
    request(LOCAL, &target, &[("x-identity-header", HEADER)])
}

/// A lab whose machine has these identities, by client id.
async fn assigned(identities: &Value) -> Lab {
    let setting = pointers::tenant(TENANT).managed_identities();
    lab_with(vec![Edit::add(setting, identities.clone())], Switches::default()).await
}

fn user(resource_id: &str) -> Value {
    json!({ "assigned": "user", "resource_id": resource_id })
}

pub(crate) fn check(lab: &Lab, name: &str) -> Check {
    let record = lab.journal().records().pop().unwrap();
    record.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{name}")).clone()
}

/// What decided the last exchange.
fn decided(lab: &Lab) -> String {
    let record = lab.journal().records().pop().unwrap();
    record.checks.iter().find(|check| check.failed()).map_or(String::new(), |check| check.name.to_string())
}

pub(crate) fn error(text: &str) -> Value {
    json!({ "error": "invalid_request", "error_description": text })
}

#[tokio::test]
async fn imds_answers_with_the_machines_own_identity_in_texts_and_in_their_order() {
    let lab = lab().await;
    let reply = send(&lab, imds(&[])).await;
    let body = reply.json();
    assert_eq!(reply.status, 200, "{body}");
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    let members = body.as_object().unwrap();
    assert_eq!(
        members.keys().collect::<Vec<_>>(),
        [
            "access_token",
            "client_id",
            "expires_in",
            "expires_on",
            "ext_expires_in",
            "not_before",
            "resource",
            "token_type"
        ]
    );
    assert!(members.values().all(Value::is_string), "{body}");
    let now = NOW.unix_timestamp();
    for (name, value) in [
        ("client_id", VM.to_owned()),
        ("expires_in", "86399".to_owned()),
        ("ext_expires_in", "86399".to_owned()),
        ("expires_on", (now + 86_400).to_string()),
        ("not_before", (now - 300).to_string()),
        ("resource", DATAVERSE.to_owned()),
        ("token_type", "Bearer".to_owned()),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    assert_eq!(lab.journal().records().pop().unwrap().surface, "imds");
}

#[tokio::test]
async fn a_managed_identitys_token_is_its_principals_lives_for_a_day_and_names_the_machine() {
    let lab = lab().await;
    let claims = verified(&lab, &send(&lab, imds(&[])).await.token()).await;
    let now = NOW.unix_timestamp();
    for (name, value) in [
        ("aud", json!(DATAVERSE)),
        ("iss", json!(format!("https://sts.windows.net/{TENANT}/"))),
        ("appid", json!(VM)),
        ("appidacr", json!("2")),
        ("idtyp", json!("app")),
        ("oid", json!(VM_OBJECT)),
        ("sub", json!(VM_OBJECT)),
        ("tid", json!(TENANT)),
        ("ver", json!("1.0")),
        ("iat", json!(now - 300)),
        ("exp", json!(now + 86_400)),
        ("xms_mirid", json!(VM_RESOURCE)),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let order: Vec<&str> =
        claims.keys().map(String::as_str).filter(|name| name.starts_with("xms_")).collect();
    assert_eq!(order, ["xms_act_fct", "xms_ftd", "xms_idrel", "xms_mirid", "xms_rd", "xms_sub_fct"]);
}

#[tokio::test]
async fn an_application_with_a_secret_is_no_machine() {
    let lab = lab().await;
    let claims = verified(&lab, &post(&lab, HOST, &v1(), &by_secret(&[])).await.token()).await;
    assert!(!claims.contains_key("xms_mirid"), "{claims:?}");
}

#[tokio::test]
async fn an_api_of_ones_own_gets_a_v2_token_under_the_name_that_was_called() {
    let lab = lab().await;
    let body = send(&lab, imds(&[("resource", "api://contoso-api")])).await;
    let claims = verified(&lab, &body.token()).await;
    assert_eq!((&claims["ver"], &claims["aud"], &claims["azp"]), (&json!("2.0"), &json!(API), &json!(VM)));
    assert_eq!(claims["iss"], format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    let local = send(&lab, app_service(&[("resource", "api://contoso-api")])).await;
    let claims = verified(&lab, &local.token()).await;
    assert_eq!(claims["iss"], format!("https://{LOCAL}/{TENANT}/v2.0"));
}

#[tokio::test]
async fn an_identity_is_named_by_client_id_object_id_or_resource_id_in_any_case() {
    let lab = lab().await;
    for (parameter, name) in [
        ("client_id", CLIENT),
        ("client_id", &CLIENT.to_uppercase()),
        ("object_id", CLIENT_OBJECT),
        ("principal_id", CLIENT_OBJECT),
        ("msi_res_id", SAMPLE_RESOURCE),
        ("mi_res_id", SAMPLE_RESOURCE),
        ("mi_res_id", &SAMPLE_RESOURCE.replace("resourcegroups", "resourceGroups")),
    ] {
        for request in [imds(&[(parameter, name)]), app_service(&[(parameter, name)])] {
            let body = send(&lab, request).await.json();
            assert_eq!(body["client_id"], CLIENT, "{parameter}={name}: {body}");
        }
    }
    let claims = verified(&lab, &send(&lab, imds(&[("client_id", CLIENT)])).await.token()).await;
    assert_eq!((&claims["oid"], &claims["xms_mirid"]), (&json!(CLIENT_OBJECT), &json!(SAMPLE_RESOURCE)));
}

#[tokio::test]
async fn names_that_are_not_one_identitys_name_none() {
    let lab = lab().await;
    for changes in [
        &[("client_id", "7d8f9a10-0000-4000-8000-000000000000")][..],
        &[("client_id", CLIENT_OBJECT)],
        &[("object_id", CLIENT)],
        &[("msi_res_id", "/subscriptions/none")],
        &[("client_id", CLIENT), ("object_id", VM_OBJECT)],
    ] {
        let reply = send(&lab, imds(changes)).await;
        assert_eq!((reply.status, reply.json()), (400, error("Identity not found")), "{changes:?}");
        assert_eq!(decided(&lab), "identity-assigned");
        let reply = send(&lab, app_service(changes)).await;
        let text = "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
        assert_eq!((reply.status, &reply.json()["Message"]), (400, &json!(text)), "{changes:?}");
    }
    let both = imds(&[("client_id", CLIENT), ("mi_res_id", SAMPLE_RESOURCE)]);
    assert_eq!(send(&lab, both).await.status, 200, "two names of one");
}

#[tokio::test]
async fn without_a_name_the_only_identity_is_meant_and_several_are_refused() {
    let (one, two) = (user("/subscriptions/s/one"), user("/subscriptions/s/two"));
    let alone = assigned(&json!({ CLIENT: one })).await;
    assert_eq!(send(&alone, imds(&[])).await.json()["client_id"], CLIENT);
    // App Service goes on to nobody.
    assert_eq!(send(&alone, app_service(&[])).await.status, 400);
    assert_eq!(decided(&alone), "identity-assigned");

    let several = assigned(&json!({ CLIENT: one, VM: two })).await;
    let reply = send(&several, imds(&[])).await;
    assert_eq!((reply.status, reply.json()), (400, error(AMBIGUOUS)));
    let unambiguous = check(&several, "identity-unambiguous");
    assert_eq!(unambiguous.actual, "none is named, of 2");
    assert_eq!(unambiguous.remedy.unwrap().instead, [CLIENT, VM]);
    assert_eq!(send(&several, imds(&[("client_id", VM)])).await.status, 200);

    let none = assigned(&json!({})).await;
    assert_eq!(send(&none, imds(&[])).await.json(), error("Identity not found"));
    assert_eq!(check(&none, "identity-assigned").actual, "the machine has none");
    let skipped = check(&none, "application-registered").outcome;
    assert_eq!(skipped, Outcome::Skipped { needs: "identity-unambiguous".into() });
}

#[tokio::test]
async fn imds_wants_its_header_and_nothing_that_says_forwarded() {
    let lab = lab().await;
    let target = format!("/metadata/identity/oauth2/token?{}", query("2018-02-01", &[]));
    for headers in
        [&[][..], &[("metadata", "True")], &[("metadata", "")], &[("metadata", "true"), ("metadata", "true")]]
    {
        let reply = send(&lab, request(IMDS, &target, headers)).await;
        let text = "Required metadata header not specified";
        assert_eq!((reply.status, reply.json()), (400, error(text)), "{headers:?}");
        assert_eq!(decided(&lab), "metadata-header");
    }
    // As SDKs probe it: with nothing at all.
    let probe = send(&lab, request(IMDS, "/metadata/identity/oauth2/token/", &[])).await;
    assert_eq!((probe.status, probe.header("server")), (400, "IMDS/150.870.65.476"));
    let forwarded = [("metadata", "true"), ("x-forwarded-for", "10.0.0.1")];
    assert_eq!(send(&lab, request(IMDS, &target, &forwarded)).await.status, 400);
    assert_eq!(decided(&lab), "not-forwarded");
    assert_eq!(check(&lab, "not-forwarded").actual, "X-Forwarded-For: 10.0.0.1");
}

#[tokio::test]
async fn imds_wants_a_version_it_has_and_a_resource() {
    let lab = lab().await;
    for version in ["", "2017-12-01", "2018-02-02", "9999-01-01", "latest"] {
        let reply = send(&lab, imds(&[("api-version", version)])).await;
        assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_request")), "{version}");
        assert_eq!(decided(&lab), "api-version");
    }
    for version in ["2018-02-01", "2019-08-01", "2025-04-07"] {
        assert_eq!(send(&lab, imds(&[("api-version", version)])).await.status, 200, "{version}");
    }
    let reply = send(&lab, imds(&[("resource", "")])).await;
    assert_eq!((reply.status, reply.json()), (400, error("Required query variable 'resource' is missing")));
    let resource = check(&lab, "resource").outcome;
    assert_eq!(resource, Outcome::Skipped { needs: "resource-given".into() });
    let twice =
        request(IMDS, "/metadata/identity/oauth2/token?resource=a&resource=b", &[("metadata", "true")]);
    assert_eq!(send(&lab, twice).await.status, 400);
    assert_eq!(decided(&lab), "query-readable");
}

#[tokio::test]
async fn what_entra_refuses_comes_through_imds_as_it_is() {
    let lab = lab().await;
    let reply = send(&lab, imds(&[("resource", "https://nowhere.example")])).await;
    let body = reply.json();
    assert_eq!((reply.status, reply.code(), &body["error"]), (400, 500_011, &json!("invalid_resource")));
    assert_eq!(body["error_uri"], "https://login.microsoftonline.com/error?code=500011");
    assert_eq!(decided(&lab), "resource");
    let reply = send(&lab, app_service(&[("resource", "https://nowhere.example")])).await;
    assert_eq!((reply.status, &reply.json()["StatusCode"]), (500, &json!(500)));
    assert_eq!(lab.journal().records().pop().unwrap().error.as_deref(), Some("AADSTS500011"));
}

#[tokio::test]
async fn an_identity_whose_application_is_disabled_or_gone_gets_no_token() {
    let application = pointers::tenant(TENANT).application(VM);
    let lab = lab_with(vec![Edit::add(application.enabled(), false)], Switches::default()).await;
    assert_eq!(send(&lab, imds(&[])).await.code(), 7_000_112);
    assert_eq!(decided(&lab), "application-enabled");
    let lab = lab_with(vec![Edit::remove(application.setting())], Switches::default()).await;
    assert_eq!(send(&lab, imds(&[])).await.code(), 700_016);
    assert_eq!(check(&lab, "application-registered").settings, [application.setting()]);
}

#[tokio::test]
async fn app_service_answers_who_knows_the_header_in_members_of_its_own() {
    let lab = lab().await;
    let body = send(&lab, app_service(&[])).await.json();
    assert_eq!(
        body.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["access_token", "expires_on", "resource", "token_type", "client_id"]
    );
    assert_eq!(body["expires_on"], (NOW.unix_timestamp() + 86_400).to_string());
    assert_eq!((&body["client_id"], &body["token_type"]), (&json!(VM), &json!("Bearer")));
    let target = format!("/msi/token?{}", query("2019-08-01", &[]));
    for headers in [&[][..], &[("x-identity-header", "another")], &[("metadata", "true")]] {
        let reply = send(&lab, request(LOCAL, &target, headers)).await;
        let body = reply.json();
        assert_eq!((reply.status, &body["StatusCode"]), (401, &json!(401)), "{headers:?}");
        assert_eq!(body["CorrelationId"].as_str().unwrap().len(), 36);
        assert_eq!(decided(&lab), "identity-header");
        let setting = pointers::tenant(TENANT).identity_header();
        assert_eq!(check(&lab, "identity-header").settings, [setting]);
    }
    for (changes, question) in
        [(("api-version", "2018-02-01"), "api-version"), (("resource", ""), "resource-given")]
    {
        assert_eq!(send(&lab, app_service(&[changes])).await.status, 400);
        assert_eq!(decided(&lab), question);
    }
}

#[tokio::test]
async fn a_tenant_without_app_service_knows_no_header() {
    let header = pointers::tenant(TENANT).identity_header();
    let lab = lab_with(vec![Edit::remove(header.clone())], Switches::default()).await;
    assert_eq!(send(&lab, app_service(&[])).await.status, 401);
    let remedy = check(&lab, "identity-header").remedy.unwrap().here.unwrap();
    assert_eq!((remedy.setting, remedy.needs.len()), (header, 1));
}

#[tokio::test]
async fn the_header_of_an_app_is_shown_nowhere() {
    let lab = lab().await;
    send(&lab, app_service(&[])).await;
    let record = lab.journal().records().pop().unwrap();
    let shown = serde_json::to_string(&record.document()).unwrap();
    assert!(!shown.contains(HEADER), "{shown}");
    // Nor is one that was sent to the wrong app, which no world declares.
    let target = format!("/msi/token?{}", query("2019-08-01", &[]));
    send(&lab, request(LOCAL, &target, &[("x-identity-header", "header-of-another-app")])).await;
    let record = lab.journal().records().pop().unwrap();
    let shown = serde_json::to_string(&record.document()).unwrap();
    assert!(!shown.contains("header-of-another-app"), "{shown}");
}

#[tokio::test]
async fn an_identity_that_could_be_assigned_is_offered_with_those_there_are() {
    let lab = lab().await;
    send(&lab, imds(&[("client_id", RETIRED)])).await;
    let remedy = check(&lab, "identity-assigned").remedy.unwrap();
    let setting = pointers::tenant(TENANT).managed_identity(RETIRED).setting();
    assert_eq!(remedy.here.unwrap().setting, setting);
    assert_eq!(remedy.instead, [VM, CLIENT]);
    send(&lab, imds(&[("object_id", "nobody")])).await;
    let remedy = check(&lab, "identity-assigned").remedy.unwrap();
    assert!(remedy.here.is_none());
    assert_eq!(remedy.instead, [VM_OBJECT, CLIENT_OBJECT]);
}

#[tokio::test]
async fn every_check_turned_off_lets_in_what_it_refused() {
    let target = format!("/metadata/identity/oauth2/token?{}", query("2018-02-01", &[]));
    let bare = || request(IMDS, &target, &[]);
    let forwarded = || request(IMDS, &target, &[("metadata", "true"), ("x-forwarded-for", "x")]);
    let no_header = || request(LOCAL, &format!("/msi/token?{}", query("2019-08-01", &[])), &[]);
    let of_app = || app_service(&[("api-version", "1")]);
    let cases: [(&str, &dyn Fn() -> Request); 5] = [
        ("metadata-header", &bare),
        ("not-forwarded", &forwarded),
        ("identity-header", &no_header),
        ("api-version", &|| imds(&[("api-version", "1")])),
        ("api-version", &of_app),
    ];
    for (name, request) in cases {
        let on = lab().await;
        assert_ne!(send(&on, request()).await.status, 200, "{name}");
        assert_eq!(decided(&on), name);
        let off = lab_with(Vec::new(), Switches::off([name])).await;
        assert_eq!(send(&off, request()).await.status, 200, "{name}");
    }
    // Nothing goes on without what these ask for: turned off they leave nothing to issue.
    for (name, request) in [
        ("resource-given", imds(&[("resource", "")])),
        ("identity-assigned", imds(&[("client_id", "nobody")])),
        ("resource", imds(&[("resource", "https://nowhere.example")])),
    ] {
        let off = lab_with(Vec::new(), Switches::off([name])).await;
        send(&off, request).await;
        assert_ne!(decided(&off), name);
    }
}

#[tokio::test]
async fn the_rest_of_imds_is_not_built_and_says_so_by_either_name() {
    let lab = lab().await;
    for (path, what) in [
        ("/metadata/instance?api-version=2021-02-01", "what IMDS knows of the machine (/metadata/instance)"),
        (
            "/metadata/instance/compute/location",
            "what IMDS knows of the machine (/metadata/instance/compute/location)",
        ),
        ("/metadata/identity/info", "the rest of IMDS's identity documents (/metadata/identity/info)"),
        ("/Metadata/Versions", "the list of IMDS versions (/metadata/versions)"),
        ("/metadata/nothing", "the other documents of IMDS (/metadata/nothing)"),
    ] {
        for host in [IMDS, LOCAL] {
            let reply = send(&lab, request(host, path, &[("metadata", "true")])).await;
            assert_eq!((reply.status, reply.json()), (404, json!({ "error": "Not found" })), "{host}{path}");
            let record = lab.journal().records().pop().unwrap();
            assert_eq!(record.fact("not-built").unwrap().value, what);
        }
    }
    let old = app_service(&[("api-version", "2017-09-01")]);
    send(&lab, old).await;
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.fact("not-built").unwrap().value, "App Service's version 2017-09-01");
}

#[tokio::test]
async fn each_name_has_its_own_paths_and_no_others() {
    let lab = lab().await;
    for (host, path) in [
        (IMDS, "/msi/token".to_owned()),
        (IMDS, v1()),
        (IMDS, "/".to_owned()),
        (IMDS, format!("/{TENANT}/v2.0/.well-known/openid-configuration")),
        (HOST, "/metadata/identity/oauth2/token".to_owned()),
        (HOST, "/msi/token".to_owned()),
    ] {
        assert_eq!(get(&lab, host, &path).await.status, 404, "{host}{path}");
    }
    // By a local name the path decides.
    let target = format!("/Metadata/Identity/oauth2/Token?{}", query("2018-02-01", &[]));
    assert_eq!(send(&lab, request(LOCAL, &target, &[("metadata", "true")])).await.status, 200);
    assert_eq!(get(&lab, LOCAL, &format!("/{TENANT}/discovery/keys")).await.status, 200);
}

#[tokio::test]
async fn only_get_is_taken() {
    let lab = lab().await;
    let mut post = imds(&[]);
    post.method = Method::POST;
    let reply = send(&lab, post).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET"));
    let mut head = imds(&[]);
    head.method = Method::HEAD;
    assert_eq!(send(&lab, head).await.status, 200);
}

#[tokio::test]
async fn a_caller_with_a_wrong_tenant_is_still_on_its_machine() {
    let wrong = Edit::add(pointers::caller().tenant(), "nowhere");
    let lab = lab_with(vec![wrong], Switches::default()).await;
    assert_eq!(send(&lab, imds(&[])).await.json()["client_id"], VM);
}

#[tokio::test]
async fn an_edit_of_an_identity_counts_at_once() {
    let lab = lab().await;
    assert_eq!(send(&lab, imds(&[])).await.status, 200);
    let gone = Edit::remove(pointers::tenant(TENANT).managed_identity(VM).setting());
    let command =
        mocktenant_lab::Command::Edit { edits: vec![gone], by: mocktenant_world::EditedBy::Control };
    lab.apply(command).await.unwrap();
    assert_eq!(send(&lab, imds(&[])).await.json()["client_id"], CLIENT, "the only one left");
}

#[tokio::test]
async fn whatever_is_asked_is_answered_in_the_bodies_of_the_services() {
    let lab = lab().await;
    let long = format!("resource={}", "a".repeat(300_000));
    let many = (0..200).map(|index| format!("p{index}=1")).collect::<Vec<_>>().join("&");
    for query in [
        "",
        "?",
        "&&&===",
        "resource",
        "resource=%ff",
        "resource=%00&api-version=2018-02-01",
        "api-version=2018-02-01&resource=https%3A%2F%2Fcontoso.crm4.dynamics.com%2F.default",
        "api-version=2018-02-01&resource=x&client_id=%F0%9F%92%A9",
        "api-version=2018-02-01&resource=x&msi_res_id=../..&mi_res_id=%2F",
        long.as_str(),
        many.as_str(),
    ] {
        for path in ["/metadata/identity/oauth2/token", "/msi/token"] {
            let headers = [("metadata", "true"), ("x-identity-header", HEADER)];
            let reply = send(&lab, request(LOCAL, &format!("{path}?{query}"), &headers)).await;
            let body = reply.json();
            let told = if path == "/msi/token" { &body["Message"] } else { &body["error_description"] };
            assert!((400..=500).contains(&reply.status) && told.is_string(), "{path}?{query:.80}: {body}");
        }
    }
}
