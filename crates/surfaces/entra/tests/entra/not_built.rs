//! What the real Entra has and this lab has not: refused in the product's words for "cannot", and said to be missing.

use http::Method;
use mocktenant_lab::{BUILT_HERE, Entrance, Lab, NOT_BUILT, Request};

use crate::front_door::*;

/// What the last exchange says is missing, and what there is instead.
fn missing(lab: &Lab) -> (Option<String>, Option<String>) {
    let record = lab.journal().records().pop().unwrap();
    let fact = |name| record.fact(name).map(|fact| fact.value.to_string());
    (fact(NOT_BUILT), fact(BUILT_HERE))
}

#[tokio::test]
async fn a_grant_of_entra_s_is_told_from_one_that_nobody_has() {
    let lab = lab().await;
    for (grant, what) in [
        ("authorization_code", "the authorization code grant"),
        ("refresh_token", "refresh tokens"),
        ("password", "the password grant"),
        ("device_code", "the device code grant"),
        ("urn:ietf:params:oauth:grant-type:device_code", "the device code grant"),
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", "on-behalf-of"),
        ("urn:ietf:params:oauth:grant-type:saml1_1-bearer", "the SAML 1.1 bearer grant"),
        ("urn:ietf:params:oauth:grant-type:saml2-bearer", "the SAML 2.0 bearer grant"),
    ] {
        for target in [v1(), v2()] {
            let reply = post(&lab, HOST, &target, &by_secret(&[("grant_type", grant)])).await;
            assert_eq!((reply.status, reply.code()), (400, 70003), "{grant}");
            let (not_built, built) = missing(&lab);
            assert_eq!(not_built.unwrap(), format!("{what} (grant_type {grant})"));
            assert_eq!(built.unwrap(), "client_credentials with a secret or a certificate");
        }
    }
    for nobody in ["magic", "Password", "implicit", "urn:ietf:params:oauth:grant-type:magic"] {
        assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[("grant_type", nobody)])).await.code(), 70003);
        assert_eq!(missing(&lab), (None, None), "{nobody}");
    }
    // What decides is what is said: here it is the tenant.
    post(&lab, HOST, "/nobody.example/oauth2/token", &by_secret(&[("grant_type", "password")])).await;
    assert_eq!(missing(&lab), (None, None));
}

#[tokio::test]
async fn a_parameter_that_would_mean_another_token_gets_none() {
    let lab = lab().await;
    for (name, value, what) in [
        ("token_type", "pop", "tokens bound to a key (the parameter token_type)"),
        ("token_type", "ssh-cert", "tokens bound to a key (the parameter token_type)"),
        ("req_cnf", "eyJraWQiOiJ4In0", "tokens bound to a key (the parameter req_cnf)"),
        ("request", "eyJhbGciOiJub25lIn0..", "signed requests (the parameter request)"),
        ("fmi_path", "a/b", "tokens for a federated managed identity (the parameter fmi_path)"),
    ] {
        for (target, fields) in [(v1(), by_secret(&[(name, value)])), (v2(), by_secret_v2(&[(name, value)]))]
        {
            let reply = post(&lab, HOST, &target, &fields).await;
            assert_eq!((reply.status, reply.code()), (400, 9_002_313), "{name}: {}", reply.description());
            assert_eq!(reply.json()["error"], "invalid_request");
            assert_eq!(missing(&lab).0.unwrap(), what);
            assert!(lab.journal().records().pop().unwrap().fact("audience").is_none());
        }
        // What else is wrong is said first, as the product would.
        let wrong = by_secret(&[(name, value), ("client_secret", "wrong")]);
        assert_eq!(post(&lab, HOST, &v1(), &wrong).await.code(), 7_000_215);
        assert_eq!(missing(&lab).0, None);
    }
    for (name, value) in
        [("token_type", "Bearer"), ("token_type", "bearer"), ("req_cnf", ""), ("x-client-SKU", "x")]
    {
        assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[(name, value)])).await.status, 200, "{name}");
        assert_eq!(missing(&lab), (None, None));
    }
}

#[tokio::test]
async fn a_credential_or_a_resource_of_entra_s_that_is_not_built_is_said_to_be() {
    let lab = lab().await;
    let token = Draft::healthy().signed();
    let pop = "urn:ietf:params:oauth:client-assertion-type:jwt-pop";
    for (kind, what) in [(pop, Some("assertions bound to a key")), ("urn:magic", None)] {
        let fields = by_secret(&[
            ("client_secret", ""),
            ("client_assertion_type", kind),
            ("client_assertion", &token),
        ]);
        assert_eq!(post(&lab, HOST, &v1(), &fields).await.code(), 900_144, "{kind}");
        assert_eq!(missing(&lab).0.as_deref(), what, "{kind}");
    }
    for (issuer, what) in [
        ("https://token.actions.githubusercontent.com", Some("federated credentials")),
        ("mocktenant sample client", None),
    ] {
        let token = Draft::healthy().claim("iss", issuer).signed();
        assert_eq!(present(&lab, &token).await.code(), 700_211, "{issuer}");
        assert_eq!(missing(&lab).0.as_deref(), what, "{issuer}");
    }
    for (target, fields) in [
        (v1(), by_secret(&[("resource", "api://AzureADTokenExchange")])),
        (v2(), by_secret_v2(&[("scope", "api://AzureADTokenExchange/.default")])),
        (v2(), by_secret_v2(&[("scope", "api://AzureADTokenExchange//.default")])),
    ] {
        assert_eq!(post(&lab, HOST, &target, &fields).await.code(), 500_011);
        assert_eq!(missing(&lab), (Some("tokens for a federated credential".to_owned()), None));
    }
    post(&lab, HOST, &v1(), &by_secret(&[("resource", "api://Nobodys")])).await;
    assert_eq!(missing(&lab).0, None);
}

#[tokio::test]
async fn a_regional_host_has_no_token_for_an_ordinary_application() {
    let lab = lab().await;
    for host in ["westus.login.microsoft.com", "EastUS2euap.login.microsoft.com:443"] {
        for (target, fields) in [(v1(), by_secret(&[])), (v2(), by_secret_v2(&[]))] {
            let reply = post(&lab, host, &target, &fields).await;
            assert_eq!((reply.status, reply.code()), (400, 100_007), "{}", reply.description());
            assert!(reply.description().starts_with(
                "AADSTS100007: This request was received by an Azure AD regional authentication endpoint. Only managed"
            ));
            assert_eq!(missing(&lab).0.unwrap(), "regional hosts");
            let uri = reply.json()["error_uri"].as_str().unwrap().to_lowercase();
            assert!(
                uri.starts_with(&format!("https://{}/", host.to_lowercase().trim_end_matches(":443"))),
                "{uri}"
            );
        }
    }
    // Which instance a region belongs to is no secret, and its documents are those of the service.
    let asked = "/common/discovery/instance?authorization_endpoint=https%3A%2F%2Fwestus.login.microsoft.com%2Ft%2Foauth2%2Fv2.0%2Fauthorize";
    assert_eq!(get(&lab, HOST, asked).await.status, 200);
    let configuration = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let read = get(&lab, "westus.login.microsoft.com", &configuration).await.json();
    assert_eq!(read["issuer"], format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    // No such name is a world's.
    for host in ["a.b.login.microsoft.com", "westus.login.windows.net", "login.microsoft.com.evil.example"] {
        assert_eq!(post(&lab, host, &v1(), &by_secret(&[])).await.status, 421, "{host}");
    }
}

#[tokio::test]
async fn an_endpoint_of_entra_s_that_is_not_built_is_said_to_be() {
    let lab = lab().await;
    let document = |version: &'static str| {
        let lab = lab.clone();
        async move {
            get(&lab, LOCAL, &format!("/{TENANT}{version}/.well-known/openid-configuration")).await.json()
        }
    };
    let mut targets: Vec<String> = Vec::new();
    for version in ["", "/v2.0"] {
        let read = document(version).await;
        for name in [
            "authorization_endpoint",
            "device_authorization_endpoint",
            "end_session_endpoint",
            "check_session_iframe",
            "userinfo_endpoint",
            "kerberos_endpoint",
        ] {
            let path = read[name].as_str().and_then(|url| url.strip_prefix("https://localhost:7443"));
            targets.extend(path.map(str::to_owned));
        }
    }
    assert_eq!(targets.len(), 10);
    targets.extend(
        [
            "/contoso.com/wsfed?wa=wsignin1.0",
            "/contoso.com/saml2",
            "/common/adminconsent",
            "/common/v2.0/adminconsent?client_id=x",
            "/common/UserRealm/ada@contoso.com?api-version=1.0",
            "/GetUserRealm.srf?login=ada@contoso.com",
            "/common/GetCredentialType",
            "/common/oauth2/deviceauth",
            "/common/oauth2/nativeclient",
            "/kmsi",
        ]
        .map(str::to_owned),
    );
    for target in targets {
        for method in [Method::GET, Method::POST] {
            let reply = send(&lab, Request::new(method, LOCAL, &target, Entrance::Identity)).await;
            assert_eq!((reply.status, reply.body.len()), (404, 0), "{target}");
            let (what, built) = missing(&lab);
            assert!(what.is_some() && built.unwrap().contains("client_credentials"), "{target}");
        }
    }
    for target in ["/", "/nothing/here/at/all", "/contoso.com/oauth2/authorise"] {
        assert_eq!(get(&lab, LOCAL, target).await.status, 404, "{target}");
        assert_eq!(missing(&lab), (None, None), "{target}");
    }
}
