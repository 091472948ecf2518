//! What is issued: claims, order, header, response, by each grant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::front_door::*;

fn keys(claims: &Map<String, Value>) -> String {
    claims.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_client_credentials_token_has_the_claims_of_a_capture_in_their_order() {
    let lab = lab().await;
    let reply = ask(&lab, &by_secret(&[])).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.members(), ["access_token", "token_type", "expires_in"]);
    let body = reply.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(3600)));
    for (name, value) in [
        ("content-type", "application/json;charset=UTF-8"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
    ] {
        assert_eq!(reply.header(name), value);
    }
    let token = reply.of("access_token");
    let header = header_of(&token);
    assert_eq!(keys(&header), "typ alg x5t kid");
    assert_eq!(header["x5t"], header["kid"]);
    let now = NOW.unix_timestamp();
    assert_eq!(
        Value::Object(verified(&lab, &token).await).to_string(),
        json!({
            "aud": RESOURCE,
            "iss": "http://ADFS.contoso.com/adfs/services/trust",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "apptype": "Confidential",
            "appid": SERVER,
            "authmethod": "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password",
            "auth_time": "2026-08-21T10:00:00.250Z",
            "ver": "1.0",
        })
        .to_string()
    );
}

#[tokio::test]
async fn the_audience_is_the_identifier_that_was_asked_for() {
    let lab = lab().await;
    for asked in [RESOURCE, "https://ax.contoso.com", WEB_API] {
        let token = ask(&lab, &by_secret(&[("resource", asked)])).await.of("access_token");
        assert_eq!(verified(&lab, &token).await["aud"], asked);
    }
    let token = ask(&lab, &by_secret(&[("resource", "")])).await.of("access_token");
    let claims = verified(&lab, &token).await;
    assert_eq!(claims["aud"], "urn:microsoft:userinfo");
    assert!(!claims.contains_key("sub"), "an application has no subject");
    let token = ask(&lab, &by_password(&[("resource", SERVER), ("scope", "")])).await.of("access_token");
    assert_eq!(verified(&lab, &token).await["aud"], format!("microsoft:identityserver:{SERVER}"));
}

#[tokio::test]
async fn a_secret_in_a_basic_header_is_as_good_as_one_in_the_form() {
    let lab = lab().await;
    let header = format!("Basic {}", STANDARD.encode(format!("{SERVER}:{SECRET}")));
    let fields = by_secret(&[("client_id", ""), ("client_secret", "")]);
    let reply = send(&lab, form_request(HOST, TOKEN, &fields, &[("authorization", &header)])).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn an_assertion_is_taken_for_the_token_endpoint_by_either_name_with_and_without_a_slash() {
    let lab = lab().await;
    for (host, audience) in [
        (HOST, "https://adfs.contoso.com/adfs/oauth2/token"),
        (HOST, "https://ADFS.contoso.com/adfs/oauth2/token/"),
        (LOCAL, "https://adfs.contoso.com/adfs/oauth2/token"),
        (LOCAL, "https://localhost:7443/adfs/oauth2/token/"),
        (LOCAL, "http://localhost:7443/adfs/oauth2/token"),
    ] {
        // What MSAL writes: times as texts.
        let now = NOW.unix_timestamp();
        let assertion = Draft::healthy()
            .claim("aud", audience)
            .claim("nbf", now.to_string())
            .claim("exp", (now + 600).to_string())
            .signed();
        let reply = send(&lab, form_request(host, TOKEN, &by_assertion(&assertion), &[])).await;
        assert_eq!(reply.status, 200, "{audience}: {} {}", reply.text(), decided(&lab));
        let claims = verified(&lab, &reply.of("access_token")).await;
        assert!(claims["authmethod"].as_str().unwrap().ends_with("/tlsclient"));
    }
    let without = changed(&by_assertion(""), &[]);
    let assertion = Draft::healthy().signed();
    let fields = changed(&without, &[("client_id", ""), ("client_assertion", &assertion)]);
    assert_eq!(ask(&lab, &fields).await.status, 200, "the issuer names the client");
}

#[tokio::test]
async fn a_users_answer_has_its_members_in_order_and_its_id_token_the_users_claims() {
    let lab = lab().await;
    let reply = ask(&lab, &by_password(&[])).await;
    assert_eq!(
        reply.members().join(" "),
        "access_token token_type expires_in resource refresh_token refresh_token_expires_in scope id_token"
    );
    let body = reply.json();
    assert_eq!(body["resource"], RESOURCE);
    assert_eq!(body["refresh_token_expires_in"], 28800);
    assert_eq!(body["scope"], "openid");
    let access = verified(&lab, &reply.of("access_token")).await;
    assert_eq!(
        keys(&access),
        "aud iss iat nbf exp upn unique_name email apptype appid authmethod auth_time ver scp"
    );
    for (name, value) in [
        ("upn", USER),
        ("unique_name", "CONTOSO\\ada"),
        ("email", "ada@contoso.com"),
        ("apptype", "Public"),
        ("appid", NATIVE),
        ("authmethod", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"),
        ("auth_time", "2026-08-21T10:00:00.250Z"),
        ("scp", "openid"),
    ] {
        assert_eq!(access[name], value, "{name}");
    }
    let id = reply.of("id_token");
    assert_eq!(keys(&header_of(&id)), "typ alg x5t kid");
    let id = verified(&lab, &id).await;
    assert_eq!(keys(&id), "aud iss iat nbf exp auth_time sub upn unique_name sid");
    assert_eq!(id["aud"], NATIVE);
    assert_eq!(id["iss"], "https://ADFS.contoso.com/adfs");
    assert_eq!(id["auth_time"], NOW.unix_timestamp());
    assert_eq!(id["sid"], "S-1-5-21-1004336348-1177238915-682003330-1001");
    assert_eq!(STANDARD.decode(id["sub"].as_str().unwrap()).unwrap().len(), 32);
}

#[tokio::test]
async fn a_users_token_for_userinfo_has_the_subject_of_the_id_token_as_its_last_claim() {
    let lab = lab().await;
    let reply = ask(&lab, &by_password(&[("resource", "")])).await;
    assert_eq!(reply.json()["resource"], "urn:microsoft:userinfo");
    let access = verified(&lab, &reply.of("access_token")).await;
    assert_eq!(keys(&access), "aud iss iat nbf exp apptype appid authmethod auth_time ver scp sub");
    let id = verified(&lab, &reply.of("id_token")).await;
    assert_eq!(access["sub"], id["sub"]);
    let fields = by_password(&[("resource", ""), ("client_id", SERVER), ("client_secret", SECRET)]);
    let other = verified(&lab, &ask(&lab, &fields).await.of("id_token")).await;
    assert_ne!(other["sub"], id["sub"], "pairwise: another client, another subject");
    assert_eq!(verified(&lab, &ask(&lab, &fields).await.of("access_token")).await["apptype"], "Confidential");
}

#[tokio::test]
async fn on_2016_there_is_no_nbf_and_no_kid_in_an_access_token() {
    let lab = edited([(service().profile(), json!("2016"))]).await;
    let reply = ask(&lab, &by_password(&[])).await;
    let (access, id) = (reply.of("access_token"), reply.of("id_token"));
    assert_eq!(keys(&header_of(&access)), "typ alg x5t");
    assert_eq!(keys(&header_of(&id)), "typ alg x5t kid");
    for token in [access, id] {
        assert!(!verified(&lab, &token).await.contains_key("nbf"));
    }
}

#[tokio::test]
async fn with_allatclaims_the_rules_of_the_resource_reach_the_id_token() {
    let lab = edited([(web_api().issued_claims(), json!([
        { "type": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "attribute": "mail" },
        { "type": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "attribute": "displayName" },
        { "type": "http://schemas.xmlsoap.org/claims/Group", "attribute": "memberOf" },
        { "type": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "value": "clerk" },
        { "type": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "value": "boss" },
        { "type": "urn:own", "value": "{\"a\":[1,true]}", "value_type": "http://www.w3.org/2001/XMLSchema#json" },
        { "type": "urn:flag", "value": "true", "value_type": "http://www.w3.org/2001/XMLSchema#boolean" },
        { "type": "urn:nothing", "attribute": "telephoneNumber" },
    ]))]).await;
    let reply = ask(&lab, &by_password(&[("scope", "openid allatclaims")])).await;
    let id = verified(&lab, &reply.of("id_token")).await;
    assert_eq!(
        keys(&id),
        "aud iss iat nbf exp auth_time sub upn unique_name sid group role urn:own urn:flag apptype appid authmethod ver scp"
    );
    assert_eq!(id["unique_name"], json!(["CONTOSO\\ada", "Ada Lovelace"]), "the built-in one and the rule's");
    assert_eq!(id["group"], json!(["CONTOSO\\Domain Users", "CONTOSO\\Finance"]));
    let access = verified(&lab, &reply.of("access_token")).await;
    assert_eq!(access["unique_name"], "Ada Lovelace");
    for token in [&id, &access] {
        assert_eq!(token["role"], json!(["clerk", "boss"]));
        assert_eq!(token["urn:own"], json!({ "a": [1, true] }));
        assert_eq!(token["urn:flag"], "true", "a boolean travels as a text");
        assert!(!token.contains_key("urn:nothing"));
    }
    let alone = ask(&lab, &by_secret(&[])).await.of("access_token");
    let alone = verified(&lab, &alone).await;
    assert_eq!(alone["role"], json!(["clerk", "boss"]), "what needs no user");
    assert!(!alone.contains_key("upn"));
    let without = ask(&lab, &by_password(&[("scope", "openid allatclaims"), ("resource", "")])).await;
    assert!(
        !verified(&lab, &without.of("id_token")).await.contains_key("role"),
        "without its resource no rules run"
    );
}

#[tokio::test]
async fn a_rules_upn_replaces_the_built_in_one() {
    let lab = edited([
        (service().user(USER).attribute("mail"), json!("lovelace@contoso.com")),
        (web_api().issued_claims(), json!([{ "type": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "attribute": "mail" }])),
    ])
    .await;
    let reply = ask(&lab, &by_password(&[("scope", "openid allatclaims")])).await;
    assert_eq!(verified(&lab, &reply.of("id_token")).await["upn"], "lovelace@contoso.com");
}

#[tokio::test]
async fn an_id_token_says_when_the_password_runs_out() {
    let lab = edited([(service().user(USER).password_expires(), json!("2026-08-21T11:00:00Z"))]).await;
    let id = verified(&lab, &ask(&lab, &by_password(&[])).await.of("id_token")).await;
    assert_eq!(id["pwd_exp"], "3600");
    assert_eq!(id["pwd_url"], "https://adfs.contoso.com/adfs/portal/updatepassword/");
    assert_eq!(keys(&id), "aud iss iat nbf exp auth_time sub upn unique_name pwd_url pwd_exp sid");
}

#[tokio::test]
async fn a_user_signs_in_by_either_name_in_any_case() {
    let lab = lab().await;
    for name in ["ADA@contoso.com", "CONTOSO\\ada", "contoso\\ADA"] {
        let reply = ask(&lab, &by_password(&[("username", name)])).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
    }
}

#[tokio::test]
async fn lifetimes_are_the_web_apis_and_the_sessions() {
    let lab = edited([(web_api().token_lifetime(), json!(5)), (service().sso_lifetime(), json!(10))]).await;
    let body = ask(&lab, &by_password(&[])).await.json();
    assert_eq!((&body["expires_in"], &body["refresh_token_expires_in"]), (&json!(300), &json!(600)));
}
