//! Clients of Node.js: MSAL and openid-client.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;

use crate::python::basic;
use crate::seen::{Seen, parameter, signed_with};
use crate::{Client, Flow, alike, by_name, flow};

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "MSAL for Node.js",
        pin: Pin::NodePackage("@azure/msal-node"),
        language: Language::Node24,
        file: "msal_node.mjs",
        flows: MSAL,
    },
    Client {
        name: "openid-client for Node.js",
        pin: Pin::NodePackage("openid-client"),
        language: Language::Node,
        file: "openid_client.mjs",
        flows: OPENID_CLIENT,
    },
];

const MSAL: &[Flow] = &[
    flow("secret", msal_secret),
    flow("certificate", |seen| msal_certificate(seen, "RS256, x5t")),
    flow("certificate, chain sent", |seen| msal_certificate(seen, "RS256, x5t, x5c")),
    flow("certificate by its SHA-256 thumbprint", |seen| {
        let signed = signed_with(seen.token_request());
        assert_eq!(signed, "PS256, x5t#S256");
        format!("{}; {signed}", seen.refused("invalid_client", "MSIS9622"))
    }),
    flow("username and password", msal_user),
    flow("username and password, .default", |seen| {
        let scope = parameter(seen.token_request(), "scope").unwrap();
        assert!(scope.contains("https://ax.contoso.com//.default") && scope.contains("openid"), "{scope}");
        format!("{}: MSAL adds the scopes that AD FS knows", msal_user(seen))
    }),
    flow("refresh by the cache", |seen| {
        // What AD FS says was granted names no resource, so a token in the cache is not found by one.
        assert_eq!(seen.said["kept"], false, "{}", seen.said);
        format!(
            "{}; a token that is still good is not found in the cache, and refreshed too",
            refreshed(seen, 3)
        )
    }),
    flow("refresh token", |seen| refreshed(seen, 2)),
    flow(".default alone", |seen| seen.refused("access_denied", "MSIS9605")),
    flow("wrong secret", |seen| seen.refused("invalid_client", "MSIS9622")),
    flow("unknown client", |seen| seen.refused("invalid_client", "MSIS9607")),
    flow("wrong password", |seen| seen.refused("invalid_grant", "MSIS9659")),
    flow("unknown resource", |seen| seen.refused("invalid_resource", "MSIS9602")),
    flow("sign-in", msal_sign_in),
    flow("sign-in, form post", |seen| {
        assert_eq!(alike::asked(seen, "response_mode").as_deref(), Some("form_post"));
        msal_sign_in(seen)
    }),
    flow("sign-in of a server application", |seen| alike::signed_in(seen, "Confidential")),
    flow("sign-in without asking", |seen| alike::sent_back(seen, "interaction_required")),
    flow("sign-in, unknown resource", |seen| alike::sent_back(seen, "invalid_resource: MSIS9602")),
    flow("device code", alike::by_device),
    flow("on-behalf-of", alike::on_behalf_of),
    by_name("sign-in, by name", |seen| alike::named(seen, msal_sign_in)),
    by_name("secret, by name", |seen| {
        seen.by_its_name();
        msal_secret(seen)
    }),
    by_name("certificate, by name", |seen| {
        seen.by_its_name();
        msal_certificate(seen, "RS256, x5t")
    }),
    by_name("username and password, by name", |seen| {
        seen.by_its_name();
        msal_user(seen)
    }),
    by_name("without known authorities, by name", Seen::unknown_to_microsoft),
];

fn msal_sign_in(seen: &Seen) -> String {
    let said = alike::signed_in(seen, "Public");
    seen.id_token();
    assert_eq!(seen.said["user"], seen.settings["user"]["name"], "{}", seen.said);
    said
}

fn msal_secret(seen: &Seen) -> String {
    let said = seen.app_only("secret");
    // A known authority is believed as it is: no webfinger, and nobody else is asked.
    assert_eq!(seen.endpoints(), ["openid-configuration", "token"]);
    assert_eq!(seen.said["again"], true, "{}", seen.said);
    format!("{said}, then kept")
}

fn msal_certificate(seen: &Seen, signed: &str) -> String {
    let said = seen.app_only("certificate");
    assert_eq!(signed_with(seen.token_request()), signed);
    format!("{said}; {signed}")
}

fn msal_user(seen: &Seen) -> String {
    let said = seen.user("password", "Public");
    assert_eq!(seen.endpoints(), ["openid-configuration", "token"], "no realm of the user is asked for");
    assert_eq!(seen.said["username"], "ada@contoso.com");
    seen.id_token();
    said
}

/// The user's token by a refresh token, the last of so many requests.
fn refreshed(seen: &Seen, requests: usize) -> String {
    let said = seen.user("refresh_token", "Public");
    assert_eq!(seen.token_requests().len(), requests, "{:?}", seen.endpoints());
    said
}

const OPENID_CLIENT: &[Flow] = &[
    flow("sign-in", |seen| {
        let refused = seen.refused("invalid_request", "MSIS9609");
        let request = seen.token_request();
        assert_eq!(parameter(request, "redirect_uri").as_deref(), Some("http://localhost/"));
        assert!(parameter(request, "code_verifier").is_some());
        format!(
            "signs in, then {refused}: of `http://localhost` it makes `http://localhost/`, so register a redirect URI with a path"
        )
    }),
    flow("discovery", |seen| {
        seen.only_adfs();
        assert_eq!(seen.endpoints(), ["openid-configuration"]);
        assert_eq!(seen.said["issuer"], seen.adfs("base_url"));
        String::from("taken; the issuer follows the address")
    }),
    flow("secret, post", |seen| {
        assert!(seen.token_request()["request"]["headers"].get("authorization").is_none());
        seen.app_only("secret")
    }),
    flow("secret, basic", |seen| {
        basic(seen);
        seen.app_only("secret")
    }),
    flow("secret, with resource", |seen| {
        assert_eq!(parameter(seen.token_request(), "scope"), None);
        seen.app_only("secret")
    }),
    flow("private key JWT as it is", |seen| {
        let refused = seen.refused("invalid_client", "MSIS9622");
        let failed = seen.failed_check();
        assert_eq!(failed, "assertion-audience");
        format!("{refused}: its audience is the issuer")
    }),
    flow("private key JWT for the token endpoint", |seen| {
        let said = seen.app_only("certificate");
        format!("{said}; {}", signed_with(seen.token_request()))
    }),
    flow("username and password", |seen| seen.user("password", "Public")),
    flow("refresh token", |seen| refreshed(seen, 2)),
    flow("id token", |seen| {
        seen.only_adfs();
        seen.id_token();
        assert!(seen.said["touched"].as_str().unwrap().starts_with("JWSSignatureVerificationFailed"));
        assert_eq!(seen.said["issuer"], seen.adfs("base_url"));
        String::from("valid, by the published keys")
    }),
    flow(".default alone", |seen| seen.refused("access_denied", "MSIS9605")),
    flow("wrong secret", |seen| seen.refused("invalid_client", "MSIS9622")),
    flow("wrong password", |seen| seen.refused("invalid_grant", "MSIS9659")),
];
