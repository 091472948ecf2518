//! Discovery, keys, instance discovery and federation metadata.

use http::Method;
use mocktenant_federation::read_metadata;
use mocktenant_keys::{Certificate, shipped};
use mocktenant_lab::{Addresses, Entrance, Lab, Request};
use serde_json::{Value, json};

use crate::front_door::*;

async fn document(lab: &Lab, host: &str, target: &str) -> Value {
    let reply = get(lab, host, target).await;
    assert_eq!(reply.status, 200, "{target}: {}", reply.description());
    assert_eq!(reply.header("cache-control"), "max-age=86400, private");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-methods"), "GET, OPTIONS");
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    reply.json()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[tokio::test]
async fn the_v1_configuration_of_an_alias() {
    let lab = lab().await;
    let read = document(&lab, HOST, "/common/.well-known/openid-configuration").await;
    insta::assert_snapshot!(pretty(&read), @r#"
    {
      "token_endpoint": "https://login.microsoftonline.com/common/oauth2/token",
      "token_endpoint_auth_methods_supported": [
        "client_secret_post",
        "private_key_jwt",
        "client_secret_basic"
      ],
      "jwks_uri": "https://login.microsoftonline.com/common/discovery/keys",
      "response_modes_supported": [
        "query",
        "fragment",
        "form_post"
      ],
      "subject_types_supported": [
        "pairwise"
      ],
      "id_token_signing_alg_values_supported": [
        "RS256"
      ],
      "response_types_supported": [
        "code",
        "id_token",
        "code id_token",
        "token id_token",
        "token"
      ],
      "scopes_supported": [
        "openid"
      ],
      "issuer": "https://sts.windows.net/{tenantid}/",
      "microsoft_multi_refresh_token": true,
      "authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/authorize",
      "device_authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/devicecode",
      "http_logout_supported": true,
      "frontchannel_logout_supported": true,
      "end_session_endpoint": "https://login.microsoftonline.com/common/oauth2/logout",
      "claims_supported": [
        "sub",
        "iss",
        "cloud_instance_name",
        "cloud_instance_host_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "acr",
        "amr",
        "nonce",
        "email",
        "given_name",
        "family_name",
        "nickname"
      ],
      "check_session_iframe": "https://login.microsoftonline.com/common/oauth2/checksession",
      "userinfo_endpoint": "https://login.microsoftonline.com/common/openid/userinfo",
      "kerberos_endpoint": "https://login.microsoftonline.com/common/kerberos",
      "tenant_region_scope": null,
      "cloud_instance_name": "microsoftonline.com",
      "cloud_graph_host_name": "graph.windows.net",
      "msgraph_host": "graph.microsoft.com",
      "rbac_url": "https://pas.windows.net"
    }
    "#);
}

#[tokio::test]
async fn the_v2_configuration_of_a_tenant() {
    let lab = lab().await;
    let read = document(&lab, HOST, &format!("/{DOMAIN}/v2.0/.well-known/openid-configuration")).await;
    insta::assert_snapshot!(pretty(&read), @r#"
    {
      "token_endpoint": "https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/oauth2/v2.0/token",
      "token_endpoint_auth_methods_supported": [
        "client_secret_post",
        "private_key_jwt",
        "client_secret_basic"
      ],
      "jwks_uri": "https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/discovery/v2.0/keys",
      "response_modes_supported": [
        "query",
        "fragment",
        "form_post"
      ],
      "subject_types_supported": [
        "pairwise"
      ],
      "id_token_signing_alg_values_supported": [
        "RS256"
      ],
      "response_types_supported": [
        "code",
        "id_token",
        "code id_token",
        "id_token token"
      ],
      "scopes_supported": [
        "openid",
        "profile",
        "email",
        "offline_access"
      ],
      "issuer": "https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/v2.0",
      "request_uri_parameter_supported": false,
      "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
      "authorization_endpoint": "https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/oauth2/v2.0/authorize",
      "device_authorization_endpoint": "https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/oauth2/v2.0/devicecode",
      "http_logout_supported": true,
      "frontchannel_logout_supported": true,
      "end_session_endpoint": "https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/oauth2/v2.0/logout",
      "claims_supported": [
        "sub",
        "iss",
        "cloud_instance_name",
        "cloud_instance_host_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "acr",
        "nonce",
        "preferred_username",
        "name",
        "tid",
        "ver",
        "at_hash",
        "c_hash",
        "email"
      ],
      "kerberos_endpoint": "https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/kerberos",
      "tenant_region_scope": "EU",
      "cloud_instance_name": "microsoftonline.com",
      "cloud_graph_host_name": "graph.windows.net",
      "msgraph_host": "graph.microsoft.com",
      "rbac_url": "https://pas.windows.net"
    }
    "#);
}

#[tokio::test]
async fn documents_speak_of_the_host_that_was_called() {
    let lab = lab().await;
    for version in ["", "/v2.0"] {
        let target = format!("/{TENANT}{version}/.well-known/openid-configuration");
        for host in [
            "login.microsoftonline.com",
            "login.windows.net",
            "sts.windows.net",
            LOCAL,
            "127.0.0.1:1",
            "[::1]:7443",
        ] {
            let read = document(&lab, host, &target).await;
            for name in ["token_endpoint", "jwks_uri", "authorization_endpoint", "end_session_endpoint"] {
                let url = read[name].as_str().unwrap();
                assert!(url.starts_with(&format!("https://{host}/{TENANT}/")), "{url}");
            }
            let local = host.contains(':');
            let issuer = match (version, local) {
                ("", _) => format!("https://sts.windows.net/{TENANT}/"),
                (_, true) => format!("https://{host}/{TENANT}/v2.0"),
                (_, false) => format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            };
            assert_eq!(read["issuer"], issuer, "{host}");
            // A second reader gets the same bytes.
            assert_eq!(document(&lab, host, &target).await, read);
        }
    }
    for (alias, tenant) in [
        ("common", "{tenantid}"),
        ("organizations", "{tenantid}"),
        ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"),
    ] {
        let read = document(&lab, HOST, &format!("/{alias}/v2.0/.well-known/openid-configuration")).await;
        assert_eq!(read["issuer"], format!("https://login.microsoftonline.com/{tenant}/v2.0"));
        assert_eq!(read["token_endpoint"], format!("https://{HOST}/{alias}/oauth2/v2.0/token"));
        assert_eq!(read["tenant_region_scope"], Value::Null);
    }
}

#[tokio::test]
async fn every_endpoint_of_a_document_that_is_built_answers() {
    let lab = lab().await;
    for version in ["", "/v2.0"] {
        let read =
            document(&lab, LOCAL, &format!("/{TENANT}{version}/.well-known/openid-configuration")).await;
        let path = |name: &str| {
            read[name].as_str().unwrap().strip_prefix("https://localhost:7443").unwrap().to_owned()
        };
        assert_eq!(get(&lab, LOCAL, &path("jwks_uri")).await.status, 200);
        assert_eq!(post(&lab, LOCAL, &path("token_endpoint"), &[]).await.code(), 900_144);
    }
}

#[tokio::test]
async fn the_keys_are_published_with_their_certificates() {
    let lab = lab().await;
    let signing = [shipped::token_signing(), shipped::token_signing_next()];
    for (target, issuer) in [
        (format!("/{TENANT}/discovery/keys"), None),
        ("/common/discovery/keys".to_owned(), None),
        (format!("/{TENANT}/discovery/v2.0/keys"), Some("https://login.microsoftonline.com/{tenantid}/v2.0")),
        ("/common/discovery/v2.0/keys".to_owned(), Some("https://login.microsoftonline.com/{tenantid}/v2.0")),
    ] {
        let keys = document(&lab, HOST, &target).await["keys"].as_array().unwrap().clone();
        assert_eq!(keys.len(), 2);
        for (key, identity) in keys.iter().zip(signing) {
            let names: Vec<&String> = key.as_object().unwrap().keys().collect();
            let mut expected = vec!["kty", "use", "kid", "x5t", "n", "e", "x5c"];
            expected.extend(issuer.map(|_| "issuer"));
            assert_eq!(names, expected);
            let certificate = Certificate::from_any(key["x5c"][0].as_str().unwrap().as_bytes()).unwrap();
            assert_eq!(&certificate, identity.certificate());
            assert_eq!(key["kid"], certificate.thumbprint().base64url());
            assert_eq!(key["kid"], key["x5t"]);
            assert_eq!(key["n"], identity.key().public().n_base64url());
            assert_eq!((&key["kty"], &key["use"], &key["e"]), (&json!("RSA"), &json!("sig"), &json!("AQAB")));
            assert_eq!(key.get("issuer").and_then(Value::as_str), issuer);
        }
    }
}

#[tokio::test]
async fn a_document_of_no_tenant_is_refused() {
    let lab = lab().await;
    let documents = [
        ".well-known/openid-configuration",
        "v2.0/.well-known/openid-configuration",
        "discovery/keys",
        "discovery/v2.0/keys",
        "federationmetadata/2007-06/federationmetadata.xml",
    ];
    for document in documents {
        for (tenant, error, code) in [
            ("fabrikam.com", "invalid_tenant", 90002),
            ("7d8f9a10-0000-4000-8000-000000000000", "invalid_tenant", 90002),
            ("secrets", "invalid_tenant", 90002),
            ("foo", "invalid_tenant", 90002),
            ("%7B0%7D", "invalid_tenant", 90002),
            ("00000000-0000-0000-0000-000000000000", "invalid_request", 900_021),
        ] {
            let reply = get(&lab, HOST, &format!("/{tenant}/{document}")).await;
            assert_eq!((reply.status, reply.code()), (400, code), "{tenant} {document}");
            assert_eq!(reply.json()["error"], error, "{tenant} {document}");
            assert_eq!(lab.journal().records().pop().unwrap().failed_check().unwrap().name, "tenant");
        }
    }
}

#[tokio::test]
async fn a_refused_document_has_the_header_fields_of_a_document() {
    let lab = lab().await;
    for target in [
        "/foo/.well-known/openid-configuration",
        "/foo/v2.0/.well-known/openid-configuration",
        "/foo/discovery/keys",
        "/foo/discovery/v2.0/keys",
        "/common/discovery/instance?authorization_endpoint=https%3A%2F%2Fevil.example%2Ft",
        "/common/discovery/instance",
    ] {
        let reply = get(&lab, HOST, target).await;
        assert_eq!(reply.status, 400, "{target}");
        assert_eq!(reply.header("cache-control"), "max-age=86400, private", "{target}");
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{target}");
        assert!(
            reply.headers.get("set-cookie").is_none() && reply.headers.get("pragma").is_none(),
            "{target}"
        );
    }
    let federation = get(&lab, HOST, "/foo/federationmetadata/2007-06/federationmetadata.xml").await;
    assert_eq!((federation.status, federation.header("cache-control")), (400, "max-age=86400, private"));
}

#[tokio::test]
async fn who_asks_for_an_application_is_led_to_the_keys_of_that_application() {
    let lab = lab().await;
    for (tenant, version, keys) in [
        (TENANT, "", "discovery/keys"),
        (TENANT, "/v2.0", "discovery/v2.0/keys"),
        ("common", "", "discovery/keys"),
        ("common", "/v2.0", "discovery/v2.0/keys"),
    ] {
        let target = format!("/{tenant}{version}/.well-known/openid-configuration");
        let plain = document(&lab, HOST, &target).await;
        let of_client = document(&lab, HOST, &format!("{target}?x=y&appid={CLIENT}")).await;
        assert_eq!(plain["jwks_uri"], format!("https://{HOST}/{tenant}/{keys}"));
        let jwks_uri = format!("https://{HOST}/{tenant}/{keys}?appid={CLIENT}");
        assert_eq!(of_client["jwks_uri"], jwks_uri);
        assert_eq!(of_client["issuer"], plain["issuer"]);
        let path = jwks_uri.strip_prefix("https://login.microsoftonline.com").unwrap();
        assert_eq!(
            document(&lab, HOST, path).await,
            document(&lab, HOST, &format!("/{tenant}/{keys}")).await
        );
        // What a stranger asked is nobody else's document.
        let strange = document(&lab, HOST, &format!("{target}?appid=a%22%26b%20%C3%A4")).await;
        assert_eq!(strange["jwks_uri"], format!("https://{HOST}/{tenant}/{keys}?appid=a%22%26b%20%C3%A4"));
        assert_eq!(document(&lab, HOST, &target).await, plain);
        assert_eq!(document(&lab, HOST, &format!("{target}?appid=")).await, plain);
    }
}

#[tokio::test]
async fn the_page_of_a_code_is_the_labs_own_and_says_so() {
    let lab = lab().await;
    let reply = post(&lab, LOCAL, &v1(), &by_secret(&[("client_secret", "wrong")])).await;
    let uri = reply.json()["error_uri"].as_str().unwrap().to_owned();
    let target = uri.strip_prefix("https://localhost:7443").unwrap();
    let page = get(&lab, LOCAL, target).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(
        text.contains("<h1>AADSTS7000215</h1>") && text.contains("Invalid client secret provided."),
        "{text}"
    );
    assert!(text.contains("not Microsoft&#39;s") || text.contains("not Microsoft's"), "{text}");
    assert!(!text.contains("<script") && !text.contains("src="), "{text}");
    // One code, several texts.
    let text = get(&lab, HOST, "/error?code=700027").await.body;
    assert_eq!(String::from_utf8(text.to_vec()).unwrap().matches("<h2>").count(), 5);
    for (target, status) in [
        ("/error?code=AADSTS90002", 200),
        ("/error?code=1", 404),
        ("/error?code=", 404),
        ("/error", 404),
        ("/error?code=%3Cscript%3E", 404),
    ] {
        let reply = get(&lab, HOST, target).await;
        assert_eq!(reply.status, status, "{target}");
        assert!(!String::from_utf8(reply.body.to_vec()).unwrap().contains("<script"), "{target}");
    }
    let put = send(&lab, Request::new(Method::PUT, HOST, "/error?code=90002", Entrance::Identity)).await;
    assert_eq!((put.status, put.header("allow")), (405, "GET"));
}

#[tokio::test]
async fn a_preflight_is_answered() {
    let lab = lab().await;
    let target = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let reply = send(&lab, Request::new(Method::OPTIONS, HOST, &target, Entrance::Identity)).await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(reply.header("access-control-allow-methods"), "GET, OPTIONS");
}

#[tokio::test]
async fn instance_discovery_knows_the_cloud_and_the_lab() {
    let lab = lab().await;
    let public = [(Entrance::Identity, "https://entra.lab.internal:9443".to_owned())];
    lab.set_addresses(
        Addresses::from(public).with_other(Entrance::Identity, "https://localhost:7999".to_owned()),
    );
    let asked = |endpoint: &str| {
        let endpoint: String = form_urlencoded::byte_serialize(endpoint.as_bytes()).collect();
        format!("/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}")
    };
    let read =
        document(&lab, HOST, &asked("https://login.windows.net/contoso.com/oauth2/v2.0/authorize")).await;
    let aliases =
        ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];
    let expected = json!({
        "tenant_discovery_endpoint": "https://login.windows.net/contoso.com/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": "login.microsoftonline.com",
            "preferred_cache": "login.windows.net",
            "aliases": aliases,
        }],
    });
    assert_eq!(pretty(&read), pretty(&expected));
    for (host, endpoint, discovery) in [
        (
            LOCAL,
            "https://localhost:7443/t/oauth2/v2.0/authorize",
            "https://localhost:7443/t/v2.0/.well-known/openid-configuration",
        ),
        (
            HOST,
            "https://entra.lab.internal:9443/t/oauth2/authorize",
            "https://entra.lab.internal:9443/t/.well-known/openid-configuration",
        ),
        (
            HOST,
            "https://localhost:7999/t/oauth2/authorize",
            "https://localhost:7999/t/.well-known/openid-configuration",
        ),
    ] {
        assert_eq!(document(&lab, host, &asked(endpoint)).await["tenant_discovery_endpoint"], discovery);
    }
    // SDKs leave the port out of the authority they ask about.
    for (host, endpoint, discovery) in [
        (LOCAL, "https://localhost/t/oauth2/v2.0/authorize", "https://localhost:7443/t/v2.0/"),
        ("[::1]:7443", "https://[::1]/t/oauth2/v2.0/authorize", "https://[::1]:7443/t/v2.0/"),
        (HOST, "https://localhost/t/oauth2/authorize", "https://localhost:7999/t/"),
        (HOST, "https://Entra.lab.internal/t/oauth2/authorize", "https://entra.lab.internal:9443/t/"),
        (
            "entra.lab.internal:9443",
            "https://entra.lab.internal/t/oauth2/authorize",
            "https://entra.lab.internal:9443/t/",
        ),
        (
            "login.microsoftonline.com:8443",
            "https://login.windows.net/t/oauth2/authorize",
            "https://login.windows.net:8443/t/",
        ),
        (LOCAL, "https://login.windows.net/t/oauth2/authorize", "https://login.windows.net/t/"),
    ] {
        let discovery = format!("{discovery}.well-known/openid-configuration");
        let read = document(&lab, host, &asked(endpoint)).await;
        assert_eq!(read["tenant_discovery_endpoint"], discovery, "{host} {endpoint}");
    }
    for (target, error, code) in [
        (asked("https://login.evil.example/t/oauth2/v2.0/authorize"), "invalid_instance", 50049),
        (asked("https://evil.example/t/oauth2/v2.0/authorize"), "invalid_instance", 50049),
        (asked("https://localhost:1/t/oauth2/v2.0/authorize"), "invalid_instance", 50049),
        (asked("http://login.microsoftonline.com/t/oauth2/authorize"), "invalid_request", 50050),
        (asked("rubbish"), "invalid_request", 50050),
        ("/common/discovery/instance".to_owned(), "invalid_request", 50050),
        ("/common/discovery/instance?authorization_endpoint=%".to_owned(), "invalid_request", 50050),
    ] {
        let reply = get(&lab, HOST, &target).await;
        assert_eq!((reply.status, reply.code()), (400, code), "{target}");
        assert_eq!(reply.json()["error"], error);
    }
}

#[tokio::test]
async fn the_federation_metadata_is_what_an_aos_asks_for() {
    let lab = lab().await;
    let target = "/contoso.com/FederationMetadata/2007-06/FederationMetadata.xml";
    let reply = get(&lab, "login.windows.net", target).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/xml; charset=utf-8"));
    let read = read_metadata(&reply.body).unwrap();
    assert_eq!(read.entity_id, format!("https://sts.windows.net/{TENANT}/"));
    let text = std::str::from_utf8(&reply.body).unwrap();
    assert!(text.contains(&format!("https://login.windows.net/{TENANT}/wsfed")));
    for identity in [shipped::token_signing(), shipped::token_signing_next()] {
        assert!(text.contains(&identity.certificate().base64_der()));
    }
    assert_eq!(get(&lab, "login.windows.net", target).await.body, reply.body);
    let local = get(&lab, LOCAL, target).await;
    assert!(
        std::str::from_utf8(&local.body).unwrap().contains(&format!("https://localhost:7443/{TENANT}/saml2"))
    );
    let common = get(&lab, HOST, "/common/federationmetadata/2007-06/federationmetadata.xml").await;
    assert_eq!(read_metadata(&common.body).unwrap().entity_id, "https://sts.windows.net/{tenantid}/");
}

#[tokio::test]
async fn an_edit_of_the_world_changes_the_documents() {
    let lab = lab().await;
    let target = format!("/{TENANT}/discovery/keys");
    assert_eq!(document(&lab, HOST, &target).await["keys"].as_array().unwrap().len(), 2);
    let setting = mocktenant_verdict::Setting::of(["tenants", TENANT, "signing_keys"]);
    let edits = vec![mocktenant_world::Edit::replace(setting, json!(["shipped:second-client"]))];
    let command = mocktenant_lab::Command::Edit { edits, by: mocktenant_world::EditedBy::Control };
    lab.apply(command).await.unwrap();
    let keys = document(&lab, HOST, &target).await["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["kid"], shipped::second_client().certificate().thumbprint().base64url());
    let token = post(&lab, HOST, &v1(), &by_secret(&[])).await.token();
    assert_eq!(jsonwebtoken::decode_header(&token).unwrap().kid.unwrap(), keys[0]["kid"]);
}

#[tokio::test]
async fn local_hosts_anybody_can_invent_do_not_fill_the_memory() {
    let lab = lab().await;
    for port in 1000..1600 {
        let host = format!("localhost:{port}");
        let read = document(&lab, &host, "/common/.well-known/openid-configuration").await;
        assert_eq!(read["jwks_uri"], format!("https://{host}/common/discovery/keys"));
    }
}
