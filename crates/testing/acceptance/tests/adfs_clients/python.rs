//! Clients of Python: MSAL, ADAL (retired, and still in scripts), django-auth-adfs (an API that takes the tokens, a site that
//! people sign in to), Authlib.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;
use serde_json::json;

use crate::seen::{Seen, fact, parameter, signed_with};
use crate::{Client, Flow, alike, by_name, flow};

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "MSAL for Python",
        pin: Pin::Requirement("msal"),
        language: Language::Python,
        file: "msal_python.py",
        flows: MSAL,
    },
    Client {
        name: "ADAL for Python",
        pin: Pin::Requirement("adal"),
        language: Language::Python,
        file: "adal_python.py",
        flows: ADAL,
    },
    Client {
        name: "django-auth-adfs",
        pin: Pin::Requirement("django-auth-adfs"),
        language: Language::Python,
        file: "django_api.py",
        flows: DJANGO_API,
    },
    Client {
        name: "django-auth-adfs, a site",
        pin: Pin::Requirement("django-auth-adfs"),
        language: Language::Python,
        file: "django_site.py",
        flows: DJANGO_SITE,
    },
    Client {
        name: "Authlib",
        pin: Pin::Requirement("Authlib"),
        language: Language::Python,
        file: "authlib_python.py",
        flows: AUTHLIB,
    },
];

const MSAL: &[Flow] = &[
    flow("secret", msal_secret),
    flow("at the AOS", alike::at_the_aos),
    flow("certificate", msal_certificate),
    flow("certificate, chain sent", |seen| {
        let said = msal_certificate(seen);
        assert!(said.ends_with("x5c"), "{said}");
        said
    }),
    flow("username and password", msal_user),
    flow("username and password of a server application", |seen| seen.user("password", "Confidential")),
    flow("username and password, .default", |seen| {
        let said = seen.user("password", "Public");
        let scope = parameter(seen.token_request(), "scope").unwrap();
        assert!(scope.contains("https://ax.contoso.com//.default") && scope.contains("openid"), "{scope}");
        format!("{said}: MSAL adds the scopes that AD FS knows")
    }),
    flow("refresh by the cache", |seen| {
        let said = refreshed(seen, 3);
        // What AD FS says was granted names no resource, so a token in the cache is not found by one.
        assert_eq!(seen.said["kept"], "identity_provider", "{}", seen.said);
        format!("{said}; a token that is still good is not found in the cache, and refreshed too")
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
    flow("sign-in, wrong password", |seen| alike::stays(seen, "MSIS9659")),
    flow("sign-in without asking", |seen| alike::sent_back(seen, "interaction_required")),
    flow("sign-in, unknown resource", |seen| alike::sent_back(seen, "invalid_resource: MSIS9602")),
    flow("sign-in, unknown client", |seen| alike::stays(seen, "MSIS9223")),
    flow("sign-in, unregistered", |seen| alike::stays(seen, "MSIS9224")),
    flow("device code", msal_device),
    flow("on-behalf-of", alike::on_behalf_of),
    flow("on-behalf-of without user_impersonation", |seen| seen.refused("invalid_grant", "MSIS9650")),
    by_name("sign-in, by name", |seen| alike::named(seen, msal_sign_in)),
    by_name("device code, by name", |seen| alike::named(seen, msal_device)),
    by_name("on-behalf-of, by name", |seen| alike::named(seen, alike::on_behalf_of)),
    by_name("secret, by name", |seen| {
        seen.by_its_name();
        msal_secret(seen)
    }),
    by_name("certificate, by name", |seen| {
        seen.by_its_name();
        msal_certificate(seen)
    }),
    by_name("username and password, by name", |seen| {
        seen.by_its_name();
        msal_user(seen)
    }),
];

fn msal_secret(seen: &Seen) -> String {
    let said = seen.app_only("secret");
    // An authority of AD FS is believed as it is: no webfinger, and nobody else is asked.
    assert_eq!(seen.endpoints(), ["openid-configuration", "token"]);
    assert_eq!(seen.said["again"], "cache", "{}", seen.said);
    format!("{said}, then kept")
}

fn msal_sign_in(seen: &Seen) -> String {
    let said = alike::signed_in(seen, "Public");
    seen.id_token();
    assert_eq!(alike::asked(seen, "code_challenge_method").as_deref(), Some("S256"));
    assert!(alike::asked(seen, "nonce").is_some());
    assert_eq!(seen.said["user"], seen.settings["user"]["name"], "{}", seen.said);
    assert_eq!((&seen.said["pages"], &seen.said["asked_again"]), (&json!(2), &json!(0)), "{}", seen.said);
    format!("{said}, and the session answers the next request")
}

fn msal_device(seen: &Seen) -> String {
    let said = alike::by_device(seen);
    assert_eq!(seen.said["user"], seen.settings["user"]["name"], "{}", seen.said);
    said
}

fn msal_certificate(seen: &Seen) -> String {
    let said = seen.app_only("certificate");
    let signed = signed_with(seen.token_request());
    // Never PS256 nor a SHA-256 thumbprint: MSAL knows that AD FS takes neither.
    assert!(matches!(signed.as_str(), "RS256, x5t" | "RS256, x5t, x5c"), "{signed}");
    format!("{said}; {signed}")
}

fn msal_user(seen: &Seen) -> String {
    let said = seen.user("password", "Public");
    assert_eq!(seen.endpoints(), ["openid-configuration", "token"], "no realm of the user is asked for");
    assert_eq!(seen.said["account"], "ada@contoso.com");
    seen.id_token();
    said
}

/// The user's token by a refresh token, the last of so many requests.
fn refreshed(seen: &Seen, requests: usize) -> String {
    let said = seen.user("refresh_token", "Public");
    assert_eq!(seen.token_requests().len(), requests, "{:?}", seen.endpoints());
    said
}

const ADAL: &[Flow] = &[
    flow("at the AOS", alike::at_the_aos),
    flow("secret", |seen| {
        assert_eq!(parameter(seen.token_request(), "scope"), None);
        seen.app_only("secret")
    }),
    flow("certificate", |seen| {
        let said = seen.app_only("certificate");
        let signed = signed_with(seen.token_request());
        assert_eq!(signed, "RS256, x5t");
        format!("{said}; {signed}")
    }),
    flow("username and password", |seen| {
        assert_eq!(seen.endpoints(), ["token"], "neither a realm nor WS-Trust");
        seen.user("password", "Public")
    }),
    flow("refresh token", |seen| refreshed(seen, 2)),
    flow("wrong secret", |seen| seen.refused("invalid_client", "MSIS9622")),
    flow("unknown client", |seen| seen.refused("invalid_client", "MSIS9607")),
    flow("wrong password", |seen| seen.refused("invalid_grant", "MSIS9659")),
    flow("unknown resource", |seen| seen.refused("invalid_resource", "MSIS9602")),
    by_name("secret, by name", |seen| {
        seen.by_its_name();
        seen.app_only("secret")
    }),
    by_name("authority validated, by name", Seen::unknown_to_microsoft),
];

const DJANGO_API: &[Flow] = &[
    flow("token of the user", |seen| {
        assert_eq!(seen.endpoints(), ["token", "openid-configuration", "keys"]);
        let base = seen.adfs("base_url");
        assert_eq!(seen.said["token_endpoint"], format!("{}/oauth2/token/", base.as_str().unwrap()));
        let asked = seen.requests()[1]["request"]["url"].as_str().unwrap().to_owned();
        assert!(asked.ends_with("?appid=c0117050-0000-4000-8000-00000000a001"), "{asked}");
        let_in(seen)
    }),
    flow("another audience", |seen| kept_out(seen, "Audience doesn't match")),
    flow("a changed token", |seen| kept_out(seen, "Signature verification failed")),
    flow("token without a user", |seen| kept_out(seen, "doesn't have the claim 'upn'")),
    flow("federation metadata", |seen| {
        assert_eq!(seen.endpoints(), ["openid-configuration", "keys", "federation-metadata", "token"]);
        assert_eq!(seen.said["keys"], true, "the same keys: {}", seen.said);
        format!("{}; its fallback is called by itself", let_in(seen))
    }),
    by_name("token of the user, by name", |seen| {
        seen.by_its_name();
        let_in(seen)
    }),
];

const DJANGO_SITE: &[Flow] = &[
    flow("sign-in", |seen| {
        let said = site_signed_in(seen);
        assert_eq!(seen.said["asked_again"], 0, "{}", seen.said);
        format!("{said}; the session answers the next request")
    }),
    flow("sign-in of a native application", |seen| {
        assert_eq!(parameter(seen.token_requests()[0], "client_secret"), None);
        site_signed_in(seen)
    }),
    flow("without single sign-on", |seen| {
        assert_eq!(alike::asked(seen, "prompt").as_deref(), Some("login"));
        assert!(seen.said["asked_again"].as_u64() > Some(0), "{}", seen.said);
        format!("{}; asked again, as `prompt=login` says", site_signed_in(seen))
    }),
    flow("sign-out", |seen| {
        let page = seen.said["page"].as_str().unwrap();
        assert!(page.ends_with("You have successfully signed out."), "{page}");
        assert!(seen.said["asked_again"].as_u64() > Some(0), "{}", seen.said);
        format!("{}; signed out at AD FS too, and asked again", site_signed_in(seen))
    }),
    flow("wrong secret", |seen| site_refused(seen, "MSIS9622")),
    flow("a code twice", |seen| site_refused(seen, "MSIS9612")),
    flow("unregistered", |seen| alike::stays(seen, "MSIS9224")),
    by_name("sign-in, by name", |seen| alike::named(seen, site_signed_in)),
];

/// Where somebody wanted to go, with whom the site takes her for.
fn site_signed_in(seen: &Seen) -> String {
    let (said, user) = (&seen.said, &seen.settings["user"]["name"]);
    seen.only_adfs();
    assert_eq!((&said["status"], &said["at"]), (&json!(200), &json!("by=date")), "{said}");
    assert_eq!((&said["user"], &said["email"]), (user, user), "{said}");
    let grants = seen.token_requests().into_iter().map(|record| fact(record, "grant-type"));
    assert!(grants.into_iter().all(|grant| grant == "authorization_code"));
    format!("signed in, as `{}`; asks with `resource`", user.as_str().unwrap())
}

/// Nobody is signed in, and the site's own log says what AD FS said.
fn site_refused(seen: &Seen, number: &str) -> String {
    let said = &seen.said;
    assert_eq!(said["status"], 401, "{said}");
    let why = said["why"][0].as_str().unwrap();
    assert!(why.starts_with("ADFS server returned an error") && why.contains(number), "{why}");
    format!("401 of the site; its log has {number}")
}

fn let_in(seen: &Seen) -> String {
    seen.only_adfs();
    let said = &seen.said;
    assert_eq!(
        (&said["user"], &said["email"]),
        (&json!("ada@contoso.com"), &json!("ada@contoso.com")),
        "{said}"
    );
    assert_eq!(said["first_name"], "CONTOSO\\ada", "{said}");
    assert_eq!(said["issuer"], "http://ADFS.contoso.com/adfs/services/trust", "{said}");
    String::from("taken, for `ada@contoso.com`")
}

fn kept_out(seen: &Seen, why: &str) -> String {
    assert!(seen.said["user"].is_null(), "{}", seen.said);
    let said = seen.said["why"].as_str().unwrap();
    assert!(said.contains(why), "{said}");
    seen.only_adfs();
    format!("let nobody in: `{why}`")
}

const AUTHLIB: &[Flow] = &[
    flow("at the AOS", alike::at_the_aos),
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
    flow("private key JWT", |seen| {
        let said = seen.app_only("certificate");
        format!("{said}; {}", signed_with(seen.token_request()))
    }),
    flow("private key JWT for the issuer", |seen| seen.refused("invalid_client", "MSIS9622")),
    flow("username and password", |seen| seen.user("password", "Public")),
    flow("username and password of a server application", |seen| seen.user("password", "Confidential")),
    flow("refresh token", |seen| {
        let said = refreshed(seen, 2);
        assert_eq!(seen.said["kept"], true, "{}", seen.said);
        format!("{said}; the refresh token stays")
    }),
    flow("id token", |seen| {
        seen.only_adfs();
        seen.id_token();
        assert_eq!(seen.said["touched"], "BadSignatureError");
        assert_eq!(seen.said["issuer"], seen.adfs("base_url"), "the issuer follows the address");
        String::from("valid, by the published keys")
    }),
    flow("sign-in", |seen| {
        let said = alike::signed_in(seen, "Public");
        seen.id_token();
        said
    }),
    flow("sign-in of a server application", |seen| {
        let said = alike::signed_in(seen, "Confidential");
        let code = seen.token_requests()[0];
        assert!(code["request"]["headers"].get("authorization").is_some(), "{code}");
        format!("{said}, by Basic")
    }),
    by_name("sign-in, by name", |seen| alike::named(seen, |seen| alike::signed_in(seen, "Public"))),
    flow("wrong secret", |seen| seen.refused("invalid_client", "MSIS9622")),
    flow("wrong secret, basic", |seen| {
        basic(seen);
        seen.refused("invalid_client", "MSIS9622")
    }),
    flow("wrong password", |seen| seen.refused("invalid_grant", "MSIS9659")),
];

/// The secret came by Basic.
pub(crate) fn basic(seen: &Seen) {
    let record = seen.token_request();
    assert!(record["request"]["headers"].get("authorization").is_some(), "{record}");
    assert_eq!(parameter(record, "client_secret"), None);
    assert_eq!(fact(record, "credential"), "secret");
}
