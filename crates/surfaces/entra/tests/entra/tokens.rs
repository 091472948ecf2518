//! What is issued: claims, order, header, response, and for which resources.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use mocktenant_keys::{Thumbprint256, shipped};
use mocktenant_lab::{Addresses, Entrance};
use mocktenant_token::{Compact, HeaderSegment};
use mocktenant_verdict::Switches;
use mocktenant_world::Edit;
use serde_json::{Map, Value, json};

use crate::front_door::*;

/// The claims, verified by an independent library with the keys the lab publishes.
pub(crate) async fn verified(lab: &mocktenant_lab::Lab, token: &str) -> Map<String, Value> {
    let keys = get(lab, HOST, &format!("/{TENANT}/discovery/v2.0/keys")).await.json();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let jwk = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap().clone();
    let key =
        DecodingKey::from_rsa_components(jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode::<Map<String, Value>>(token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn a_v1_token_has_the_claims_of_v1_in_their_order() {
    let lab = lab().await;
    let reply = post(&lab, HOST, &v1(), &by_secret(&[])).await;
    assert_eq!(reply.status, 200, "{}", reply.description());
    let now = NOW.unix_timestamp();
    let body = reply.json();
    assert_eq!(
        body.as_object().unwrap().keys().collect::<Vec<_>>(),
        [
            "token_type",
            "expires_in",
            "ext_expires_in",
            "expires_on",
            "not_before",
            "resource",
            "access_token"
        ]
    );
    assert_eq!(
        (&body["expires_in"], &body["expires_on"], &body["not_before"], &body["resource"]),
        (
            &json!("3599"),
            &json!((now + 3600).to_string()),
            &json!((now - 300).to_string()),
            &json!(DATAVERSE)
        )
    );
    let token = reply.token();
    let claims = verified(&lab, &token).await;
    assert_eq!(
        claims.keys().collect::<Vec<_>>(),
        [
            "aud",
            "iss",
            "iat",
            "nbf",
            "exp",
            "aio",
            "appid",
            "appidacr",
            "idp",
            "idtyp",
            "oid",
            "rh",
            "sub",
            "tenant_region_scope",
            "tid",
            "uti",
            "ver",
            "xms_act_fct",
            "xms_ftd",
            "xms_idrel",
            "xms_rd",
            "xms_sub_fct",
        ]
    );
    for (name, value) in [
        ("aud", json!(DATAVERSE)),
        ("iss", json!(format!("https://sts.windows.net/{TENANT}/"))),
        ("idp", json!(format!("https://sts.windows.net/{TENANT}/"))),
        ("iat", json!(now - 300)),
        ("nbf", json!(now - 300)),
        ("exp", json!(now + 3600)),
        ("appid", json!(CLIENT)),
        ("appidacr", json!("1")),
        ("idtyp", json!("app")),
        ("oid", json!(CLIENT_OBJECT)),
        ("sub", json!(CLIENT_OBJECT)),
        ("tenant_region_scope", json!("EU")),
        ("tid", json!(TENANT)),
        ("ver", json!("1.0")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["uti"].as_str().unwrap().len(), 22);
    let compact = Compact::parse(&token).unwrap();
    assert_eq!(compact.header().members().keys().collect::<Vec<_>>(), ["typ", "alg", "x5t", "kid"]);
    assert_eq!(compact.header().x5t(), compact.header().kid());
}

#[tokio::test]
async fn a_v2_token_has_the_claims_of_v2_in_their_order() {
    let lab = lab().await;
    let reply = post(&lab, HOST, &v2(), &by_secret_v2(&[("scope", "api://contoso-api/.default")])).await;
    let body = reply.json();
    assert_eq!(
        body.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["token_type", "expires_in", "ext_expires_in", "access_token"]
    );
    assert_eq!((&body["expires_in"], &body["ext_expires_in"]), (&json!(3599), &json!(3599)));
    let token = reply.token();
    let claims = verified(&lab, &token).await;
    assert_eq!(
        claims.keys().collect::<Vec<_>>(),
        [
            "aud", "iss", "iat", "nbf", "exp", "aio", "azp", "azpacr", "oid", "rh", "roles", "sub", "tid",
            "uti", "ver", "xms_ftd",
        ]
    );
    assert_eq!(claims["aud"], API);
    assert_eq!(claims["azp"], CLIENT);
    assert_eq!(claims["iss"], format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    assert_eq!(claims["roles"], json!(["Tasks.Read.All"]));
    assert_eq!(claims["ver"], "2.0");
    let compact = Compact::parse(&token).unwrap();
    assert_eq!(compact.header().members().keys().collect::<Vec<_>>(), ["typ", "alg", "kid"]);
}

#[tokio::test]
async fn only_a_token_for_dataverse_says_the_region_and_not_when_the_tenant_was_made() {
    let lab = lab().await;
    for (resource, dataverse) in [
        (DATAVERSE, true),
        ("https://contoso.api.crm4.dynamics.com", true),
        ("00000007-0000-0000-c000-000000000000", true),
        ("https://usnconeboxax1aos.cloud.onebox.dynamics.com", false),
        ("https://graph.windows.net", false),
    ] {
        let token = post(&lab, HOST, &v1(), &by_secret(&[("resource", resource)])).await.token();
        let claims = verified(&lab, &token).await;
        let names: Vec<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(names.contains(&"tenant_region_scope"), dataverse, "{resource}");
        assert_eq!(names.contains(&"xms_tcdt"), !dataverse, "{resource}");
        assert!(!names.contains(&"xms_aud_guid"), "{resource}");
    }
}

#[tokio::test]
async fn a_v1_request_without_a_resource_is_for_azure_ad_graph() {
    let lab = lab().await;
    let graph = "00000002-0000-0000-c000-000000000000";
    // A scope says nothing at the v1 endpoint.
    for fields in [by_secret(&[("resource", "")]), by_secret_v2(&[])] {
        let reply = post(&lab, HOST, &v1(), &fields).await;
        assert_eq!((reply.status, &reply.json()["resource"]), (200, &json!(graph)));
        assert_eq!(verified(&lab, &reply.token()).await["aud"], graph);
        let record =
            lab.journal().records().into_iter().rev().find(|record| record.endpoint == "token").unwrap();
        assert_eq!(record.fact("resource").unwrap().value, graph);
        assert!(record.fact("resource-not-asked").unwrap().value.contains("Azure AD Graph"));
    }
    let asked = post(&lab, HOST, &v1(), &by_secret(&[("resource", graph)])).await;
    assert_eq!(asked.status, 200);
    assert!(lab.journal().records().pop().unwrap().fact("resource-not-asked").is_none());
    // A tenant without it has nothing to give.
    let without = lab_with(vec![Edit::remove(application(graph, &[]))], Switches::default()).await;
    assert_eq!(post(&without, HOST, &v1(), &by_secret(&[("resource", "")])).await.code(), 500_011);
}

#[tokio::test]
async fn a_token_for_microsoft_graph_verifies_for_nobody_who_takes_it_as_it_is() {
    let lab = lab().await;
    let by_v1 =
        post(&lab, HOST, &v1(), &by_secret(&[("resource", "https://graph.microsoft.com")])).await.token();
    let by_v2 = post(&lab, HOST, &v2(), &by_secret_v2(&[("scope", ".default")])).await.token();
    let key = shipped::token_signing().key().public();
    let mut nonces = Vec::new();
    for token in [by_v1, by_v2] {
        let compact = Compact::parse(&token).unwrap();
        let header = compact.header();
        assert_eq!(header.members().keys().collect::<Vec<_>>(), ["typ", "nonce", "alg", "x5t", "kid"]);
        assert_eq!((header.x5t(), header.kid()), (header.kid(), header.x5t()));
        let signature = compact.signature();
        assert!(!key.verify(mocktenant_keys::Algorithm::Rs256, compact.signing_input(), signature));
        // What Graph does before it verifies.
        let nonce = header.text("nonce").unwrap();
        let mut members = header.members().clone();
        members["nonce"] = Thumbprint256::of_der(nonce.as_bytes()).base64url().into();
        let claims = token.split('.').nth(1).unwrap();
        let input = format!("{}.{claims}", HeaderSegment::new(&members).unwrap().as_str());
        assert!(key.verify(mocktenant_keys::Algorithm::Rs256, input.as_bytes(), signature));
        nonces.push(nonce.to_owned());
    }
    assert_ne!(nonces[0], nonces[1]);
    // Any other resource's has no nonce.
    let other =
        post(&lab, HOST, &v1(), &by_secret(&[("resource", "https://graph.windows.net")])).await.token();
    verified(&lab, &other).await;
    assert_eq!(Compact::parse(&other).unwrap().header().text("nonce"), None);
}

#[tokio::test]
async fn the_version_follows_the_resource_and_not_the_endpoint() {
    let lab = lab().await;
    let claims = |token: String| Value::Object(Compact::parse(&token).unwrap().claims().members().clone());
    let v1_by_v2 = claims(post(&lab, HOST, &v2(), &by_secret_v2(&[])).await.token());
    assert_eq!((&v1_by_v2["ver"], &v1_by_v2["aud"]), (&json!("1.0"), &json!(DATAVERSE)));
    let v2_by_v1 =
        claims(post(&lab, HOST, &v1(), &by_secret(&[("resource", "api://contoso-api")])).await.token());
    assert_eq!((&v2_by_v1["ver"], &v2_by_v1["aud"]), (&json!("2.0"), &json!(API)));
}

#[tokio::test]
async fn only_the_v2_issuer_follows_a_local_host() {
    let lab = lab().await;
    let issuer = |token: String| Compact::parse(&token).unwrap().claims().text("iss").unwrap().to_owned();
    let api = by_secret_v2(&[("scope", "api://contoso-api/.default")]);
    assert_eq!(
        issuer(post(&lab, LOCAL, &v2(), &api).await.token()),
        format!("https://localhost:7443/{TENANT}/v2.0")
    );
    assert_eq!(
        issuer(post(&lab, "login.windows.net", &v2(), &api).await.token()),
        format!("https://login.microsoftonline.com/{TENANT}/v2.0")
    );
    assert_eq!(
        issuer(post(&lab, LOCAL, &v1(), &by_secret(&[])).await.token()),
        format!("https://sts.windows.net/{TENANT}/")
    );
}

#[tokio::test]
async fn the_audience_is_what_was_asked_for() {
    let lab = lab().await;
    let public = [
        (Entrance::organization("contoso"), "https://localhost:7446".to_owned()),
        (Entrance::environment("onebox"), "https://fno.lab.example".to_owned()),
    ];
    lab.set_addresses(
        Addresses::from(public)
            .with_other(Entrance::environment("onebox"), "https://localhost:7444".to_owned())
            .with_other(Entrance::organization("contoso"), "https://127.0.0.1:7446".to_owned()),
    );
    for resource in [
        "https://contoso.crm4.dynamics.com",
        "https://contoso.crm4.dynamics.com/",
        "https://Contoso.crm4.Dynamics.com",
        "https://usnconeboxax1aos.cloud.onebox.dynamics.com",
        "00000015-0000-0000-c000-000000000000",
        "spn:00000015-0000-0000-c000-000000000000",
        "00000007-0000-0000-C000-000000000000",
        "https://localhost:7446",
        "https://localhost:7444/",
        "https://fno.lab.example",
        "https://127.0.0.1:7446",
        "https://contoso.api.crm4.dynamics.com",
        "https://contoso.api.crm4.dynamics.com/",
        "https://graph.microsoft.com",
    ] {
        let token = post(&lab, HOST, &v1(), &by_secret(&[("resource", resource)])).await.token();
        assert_eq!(Compact::parse(&token).unwrap().claims().text("aud"), Some(resource));
        let scope = format!("{resource}/.default");
        let token = post(&lab, HOST, &v2(), &by_secret_v2(&[("scope", &scope)])).await.token();
        assert_eq!(Compact::parse(&token).unwrap().claims().text("aud"), Some(resource));
        let record = lab.journal().records().pop().unwrap();
        assert_eq!(record.fact("audience").unwrap().value, resource);
        assert_eq!(record.fact("resource").unwrap().value, resource);
    }
    for resource in [
        "http://contoso.crm4.dynamics.com",
        "https://contoso.crm4.dynamics.com//",
        "https://contoso.crm4.dynamics.com/api/data/v9.2",
        "https://contoso.api.crm.dynamics.com",
        "https://other.crm4.dynamics.com",
        "https://localhost:7443",
        "contoso.crm4.dynamics.com",
        "00000015-0000-0000-c000-000000000000/",
        "nothing",
    ] {
        let reply = post(&lab, HOST, &v1(), &by_secret(&[("resource", resource)])).await;
        assert_eq!((reply.status, reply.code()), (400, 500_011), "{resource}");
        let text =
            format!("The resource principal named {resource} was not found in the tenant named {TENANT}.");
        assert!(reply.description().contains(&text), "{}", reply.description());
    }
}

#[tokio::test]
async fn a_certificate_is_told_from_a_secret() {
    let lab = lab().await;
    let token = present(&lab, &Draft::healthy().signed()).await.token();
    assert_eq!(Compact::parse(&token).unwrap().claims().text("appidacr"), Some("2"));
}

#[tokio::test]
async fn a_secret_is_taken_by_basic_too() {
    let lab = lab().await;
    let basic = |id: &str, secret: &str| {
        use base64::Engine as _;
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(id), encoded(secret));
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    };
    let special = "a:b+c %~/ä";
    let edits = vec![Edit::replace(application(CLIENT, &["secrets", "default", "value"]), special)];
    let other = lab_with(edits, Switches::default()).await;
    for (lab, secret, code) in [(&lab, SECRET, 0), (&lab, "wrong", 7_000_215), (&other, special, 0)] {
        let fields = by_secret(&[("client_id", ""), ("client_secret", "")]);
        let request = form_request(HOST, &v1(), &fields, &[("authorization", &basic(CLIENT, secret))]);
        let reply = send(lab, request).await;
        assert_eq!(reply.code(), code, "{}", reply.description());
    }
}

#[tokio::test]
async fn the_trail_of_a_token_is_complete() {
    let lab = lab().await;
    let reply = post(&lab, HOST, &format!("/{DOMAIN}/oauth2/token"), &by_secret(&[])).await;
    let record = lab.journal().records().pop().unwrap();
    for (name, value) in [
        ("tenant", TENANT),
        ("client-id", CLIENT),
        ("credential", "secret"),
        ("resource", DATAVERSE),
        ("token-version", "1.0"),
        ("audience", DATAVERSE),
        ("object-id", CLIENT_OBJECT),
    ] {
        assert_eq!(record.fact(name).unwrap().value, value, "{name}");
    }
    let request_id = record.activities.iter().find(|(name, _)| *name == "request-id").unwrap();
    assert_eq!(reply.header("x-ms-request-id"), &*request_id.1);
    assert!(request_id.1.ends_with("00"));
    assert!(!record.refused());
}
