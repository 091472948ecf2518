//! Discovery, keys, metadata, webfinger, probe: members, order, what each profile lists, by which name.

use mocktenant_keys::shipped;
use mocktenant_verdict::Switches;
use mocktenant_world::Edit;
use serde_json::{Value, json};

use crate::front_door::*;

const CONFIGURATION: &str = "/adfs/.well-known/openid-configuration";
const METADATA: &str = "/FederationMetadata/2007-06/FederationMetadata.xml";

async fn profile(name: &str) -> mocktenant_lab::Lab {
    edited([(service().profile(), json!(name))]).await
}

fn texts(value: &Value) -> String {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

const MEMBERS: &str = "issuer authorization_endpoint token_endpoint jwks_uri token_endpoint_auth_methods_supported \
    response_types_supported response_modes_supported grant_types_supported subject_types_supported scopes_supported \
    id_token_signing_alg_values_supported token_endpoint_auth_signing_alg_values_supported access_token_issuer \
    claims_supported microsoft_multi_refresh_token userinfo_endpoint capabilities end_session_endpoint \
    as_access_token_token_binding_supported as_refresh_token_token_binding_supported \
    resource_access_token_token_binding_supported op_id_token_token_binding_supported \
    rp_id_token_token_binding_supported frontchannel_logout_supported frontchannel_logout_session_supported";

#[tokio::test]
async fn discovery_has_the_members_of_each_profile_in_their_order() {
    let claims = "aud iss iat exp auth_time nonce at_hash c_hash sub upn unique_name pwd_url pwd_exp";
    let grants = "authorization_code refresh_token client_credentials urn:ietf:params:oauth:grant-type:jwt-bearer \
                  implicit password srv_challenge";
    let device = "urn:ietf:params:oauth:grant-type:device_code device_code";
    for (name, more_claims, more_grants, last, capabilities) in [
        ("2016", "sid", "", "", ""),
        ("2019", "mfa_auth_time sid", device, "device_authorization_endpoint", ""),
        ("2022", "mfa_auth_time sid nbf", device, "device_authorization_endpoint", "kdf_ver2"),
    ] {
        let reply = get(&profile(name).await, HOST, CONFIGURATION).await;
        let members: Vec<String> =
            MEMBERS.split_whitespace().chain(last.split_whitespace()).map(str::to_owned).collect();
        assert_eq!(reply.members(), members, "{name}");
        let document = reply.json();
        assert_eq!(texts(&document["claims_supported"]), format!("{claims} {more_claims}"), "{name}");
        assert_eq!(
            texts(&document["grant_types_supported"]),
            format!("{grants} {more_grants}").trim(),
            "{name}"
        );
        assert_eq!(texts(&document["capabilities"]), capabilities, "{name}");
        assert_eq!(
            texts(&document["response_types_supported"]),
            "code id_token code id_token id_token token code token code id_token token"
        );
        assert_eq!(
            texts(&document["token_endpoint_auth_methods_supported"]),
            "client_secret_post client_secret_basic private_key_jwt windows_client_authentication"
        );
    }
}

#[tokio::test]
async fn an_issuer_keeps_the_letter_case_of_the_host_name_and_an_endpoint_does_not() {
    let lab = lab().await;
    let reply = get(&lab, "ADFS.contoso.com", CONFIGURATION).await;
    let text = reply.text();
    assert!(text.starts_with(r#"{"issuer":"https:\/\/ADFS.contoso.com\/adfs","authorization_endpoint":"https:\/\/adfs.contoso.com\/adfs\/oauth2\/authorize\/""#), "{text}");
    let document = reply.json();
    for (member, value) in [
        ("token_endpoint", "https://adfs.contoso.com/adfs/oauth2/token/"),
        ("jwks_uri", "https://adfs.contoso.com/adfs/discovery/keys"),
        ("access_token_issuer", "http://ADFS.contoso.com/adfs/services/trust"),
        ("userinfo_endpoint", "https://adfs.contoso.com/adfs/userinfo"),
        ("end_session_endpoint", "https://adfs.contoso.com/adfs/oauth2/logout"),
        ("device_authorization_endpoint", "https://adfs.contoso.com/adfs/oauth2/devicecode"),
    ] {
        assert_eq!(document[member], value, "{member}");
    }
    assert_eq!(reply.header("content-type"), "application/json;charset=UTF-8");
}

#[tokio::test]
async fn on_localhost_everything_but_the_access_token_issuer_follows_the_address() {
    let document = get(&lab().await, LOCAL, CONFIGURATION).await.json();
    assert_eq!(document["issuer"], format!("https://{LOCAL}/adfs"));
    assert_eq!(document["token_endpoint"], format!("https://{LOCAL}/adfs/oauth2/token/"));
    assert_eq!(document["access_token_issuer"], "http://ADFS.contoso.com/adfs/services/trust");
}

#[tokio::test]
async fn without_the_compatibility_the_identifier_is_the_issuer_of_id_tokens() {
    let lab = edited([(service().m365_compatibility(), json!(false))]).await;
    let document = get(&lab, HOST, CONFIGURATION).await.json();
    assert_eq!(document["access_token_issuer"], document["issuer"]);
    let metadata = get(&lab, HOST, METADATA).await.text();
    assert!(metadata.contains(r#"entityID="https://ADFS.contoso.com/adfs""#));
    let token = ask(&lab, &by_secret(&[])).await.of("access_token");
    assert_eq!(verified(&lab, &token).await["iss"], "https://ADFS.contoso.com/adfs");
}

#[tokio::test]
async fn a_scope_description_of_the_service_is_listed_behind_the_built_in_ones() {
    let lab = edited([(service().scope_descriptions(), json!(["ugs"]))]).await;
    let document = get(&lab, HOST, CONFIGURATION).await.json();
    let built_in =
        "allatclaims email user_impersonation logon_cert aza profile vpn_cert winhello_cert openid";
    assert_eq!(texts(&document["scopes_supported"]), format!("{built_in} ugs"));
}

#[tokio::test]
async fn an_untouched_service_publishes_its_signing_key_and_nobody_elses() {
    let document = get(&lab().await, HOST, "/adfs/discovery/keys").await.json();
    let keys = document["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    let members: Vec<&String> = keys[0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["kty", "use", "alg", "kid", "x5t", "n", "e", "x5c"]);
    let certificate = shipped::adfs_signing().certificate();
    assert_eq!(keys[0]["kid"], certificate.thumbprint().base64url());
    assert_eq!(keys[0]["kid"], keys[0]["x5t"]);
    assert_eq!(keys[0]["x5c"], json!([certificate.base64_der()]));
    assert!(certificate.subject().contains("ADFS Signing - ADFS.contoso.com"), "{}", certificate.subject());
}

#[tokio::test]
async fn after_a_rollover_both_keys_are_published_and_the_next_one_signs() {
    let rolled = json!(["shipped:adfs-signing-next", "shipped:adfs-signing"]);
    let lab = edited([(service().signing_keys(), rolled)]).await;
    let keys = get(&lab, HOST, "/adfs/discovery/keys").await.json();
    let next = shipped::adfs_signing_next().certificate().thumbprint().base64url();
    let kids: Vec<&Value> = keys["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(kids, [&json!(next), &json!(shipped::adfs_signing().certificate().thumbprint().base64url())]);
    let token = ask(&lab, &by_secret(&[])).await.of("access_token");
    assert_eq!(header_of(&token)["kid"], next);
    verified(&lab, &token).await;
    let metadata = get(&lab, HOST, METADATA).await.text();
    for identity in [shipped::adfs_signing(), shipped::adfs_signing_next()] {
        assert!(metadata.contains(&identity.certificate().base64_der()));
    }
}

#[tokio::test]
async fn metadata_is_signed_by_the_primary_key_and_the_same_to_the_byte() {
    use mocktenant_federation::{signed_text, signed_tree, verify};
    let lab = lab().await;
    let reply = get(&lab, HOST, METADATA).await;
    assert_eq!(reply.header("content-type"), "application/samlmetadata+xml");
    let text = signed_text(reply.body.to_vec()).unwrap();
    let tree = signed_tree(&text).unwrap();
    verify(tree.root(), "ID", shipped::adfs_signing().certificate()).unwrap();
    assert!(verify(tree.root(), "ID", shipped::adfs_signing_next().certificate()).is_err());
    let other = crate::front_door::lab().await;
    assert_eq!(
        get(&other, "ADFS.CONTOSO.com", "/federationmetadata/2007-06/federationmetadata.XML").await.body,
        reply.body
    );
    assert!(reply.text().contains(r#"entityID="http://ADFS.contoso.com/adfs/services/trust""#));
    assert!(!reply.text().contains("mocktenant"), "nothing of ours, but for the keys' own subject");
    let local = get(&lab, LOCAL, METADATA).await.text();
    assert!(local.contains(&format!(r#"Location="https://{LOCAL}/adfs/ls/""#)) && local != reply.text());
}

#[tokio::test]
async fn webfinger_says_of_the_service_that_it_trusts_itself() {
    let lab = lab().await;
    let rel = "http%3A%2F%2Fschemas.microsoft.com%2Frel%2Ftrusted-realm";
    for (host, own) in [(HOST, "https://adfs.contoso.com"), (LOCAL, "https://localhost:7443")] {
        let reply = get(&lab, host, &format!("/.well-known/webfinger?rel={rel}&resource={own}")).await;
        assert_eq!(
            reply.text(),
            format!(
                r#"{{"subject":"{own}","links":[{{"rel":"http://schemas.microsoft.com/rel/trusted-realm","href":"{own}"}}]}}"#
            )
        );
    }
    for target in [
        format!("/.well-known/webfinger?rel={rel}&resource=https://evil.example"),
        format!("/.well-known/webfinger?rel={rel}"),
        "/.well-known/webfinger?resource=https://adfs.contoso.com".to_owned(),
        "/.well-known/webfinger".to_owned(),
    ] {
        let reply = get(&lab, HOST, &target).await;
        assert_eq!((reply.status, reply.body.len()), (404, 0), "{target}");
    }
}

#[tokio::test]
async fn the_probe_is_an_empty_200() {
    let reply = get(&lab().await, LOCAL, "/adfs/probe").await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
}

#[tokio::test]
async fn security_headers_stand_on_answers_of_200_from_2019_on() {
    const NAMES: [&str; 4] =
        ["strict-transport-security", "x-frame-options", "x-xss-protection", "content-security-policy"];
    for (name, host, expected) in
        [("2016", HOST, [false; 4]), ("2019", HOST, [true; 4]), ("2019", LOCAL, [false, true, true, true])]
    {
        let lab = profile(name).await;
        let reply = get(&lab, host, CONFIGURATION).await;
        assert_eq!(NAMES.map(|one| reply.headers.contains_key(one)), expected, "{name} {host}");
        assert_eq!(reply.header("server"), "Microsoft-HTTPAPI/2.0 Microsoft-HTTPAPI/2.0");
        let refused = ask(&lab, &by_secret(&[("client_secret", "x")])).await;
        assert_eq!(NAMES.map(|one| refused.headers.contains_key(one)), [false; 4], "{name}");
    }
    let reply = get(&profile("2022").await, HOST, CONFIGURATION).await;
    assert_eq!(reply.header("x-xss-protection"), "1; mode=block");
    assert_eq!(
        reply.header("content-security-policy"),
        "default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data:;"
    );
}

#[tokio::test]
async fn a_browser_may_read_an_answer_from_an_origin_that_the_service_trusts_and_from_no_other() {
    let trusted = "https://az689774.vo.msecnd.net";
    let from = |origin: &str| {
        let mut request = getting(HOST, CONFIGURATION);
        request.headers.insert("origin", origin.parse().unwrap());
        request
    };
    let lab = lab().await;
    let reply = send(&lab, from(trusted)).await;
    assert_eq!((reply.header("access-control-allow-origin"), reply.header("vary")), (trusted, "Origin"));
    for other in ["https://app.contoso.com", "null", "http://az689774.vo.msecnd.net"] {
        let reply = send(&lab, from(other)).await;
        assert!(!reply.headers.contains_key("access-control-allow-origin"), "{other}");
        let record = lab.journal().records().pop().unwrap();
        let fact = record.fact("origin-not-trusted").unwrap().clone();
        assert!(fact.value.contains(other) && fact.value.contains("cannot read"), "{}", fact.value);
        assert_eq!(fact.setting.unwrap().to_string(), service().cors_trusted_origins().to_string());
    }
    assert!(
        !send(&profile("2016").await, from(trusted))
            .await
            .headers
            .contains_key("access-control-allow-origin")
    );
    let mut preflight = form_request(
        HOST,
        TOKEN,
        &[],
        &[("origin", trusted), ("access-control-request-headers", "content-type")],
    );
    preflight.method = http::Method::OPTIONS;
    let reply = send(&lab, preflight).await;
    assert_eq!((reply.status, reply.header("access-control-allow-headers")), (200, "content-type"));
}

#[tokio::test]
async fn a_world_without_a_federation_service_has_nothing_there() {
    let behind = mocktenant_world::pointers::environment("onprem").setting();
    let nobody = vec![Edit::remove(behind), Edit::remove(service().setting())];
    let lab = lab_with(nobody, Switches::default()).await;
    for target in [CONFIGURATION, "/adfs/ls", METADATA, TOKEN] {
        let reply = get(&lab, LOCAL, target).await;
        assert_eq!((reply.status, reply.body.len()), (404, 0), "{target}");
    }
    let reply = send(&lab, form_request(LOCAL, TOKEN, &by_secret(&[]), &[])).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn the_clock_of_the_service_alone_is_a_setting() {
    let lab = edited([(service().clock(), json!("+20m"))]).await;
    let token = ask(&lab, &by_secret(&[])).await.of("access_token");
    assert_eq!(verified(&lab, &token).await["iat"], NOW.unix_timestamp() + 1200);
    let assertion = Draft::healthy().signed();
    assert_eq!(ask(&lab, &by_assertion(&assertion)).await.refusal().1, "MSIS9622");
    assert_eq!(decided(&lab), "assertion-time");
}
