//! Clients of Go: MSAL.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;
use serde_json::{Value, json};

use crate::seen::{Seen, fact, parameter};
use crate::{Client, alike, by_name, flow};

pub(crate) const CLIENTS: &[Client] = &[Client {
    name: "MSAL for Go",
    pin: Pin::GoModule("github.com/AzureAD/microsoft-authentication-library-for-go"),
    language: Language::Go,
    file: "msal_go",
    flows: &[
        flow("secret", alike::secret),
        flow("certificate", alike::certificate),
        flow("certificate, chain sent", alike::chain),
        flow(".default alone", alike::default_beside),
        flow("username and password", password),
        flow("username and password, for userinfo", for_userinfo),
        flow("refresh by the cache", refresh),
        flow("wrong secret", |seen| refused(seen, "invalid_client", "MSIS9622")),
        flow("unknown client", |seen| refused(seen, "invalid_client", "MSIS9607")),
        flow("wrong password", |seen| refused(seen, "invalid_grant", "MSIS9659")),
        by_name("instance discovery left on, by name", asks_microsoft),
        flow("sign-in", sign_in),
        flow("device code", |seen| {
            seen.only_adfs_but("authorization_pending");
            assert!(seen.said["claims"]["sub"].is_string(), "{}", seen.said);
            let grant = parameter(seen.token_requests().pop().unwrap(), "grant_type").unwrap();
            format!("works, for userinfo; asks with `grant_type={grant}`")
        }),
        by_name("sign-in, by name", |seen| alike::named(seen, sign_in)),
        by_name("secret, by name", |seen| alike::named(seen, alike::secret)),
    ],
}];

/// For userinfo, as it gives no token of a resource.
fn sign_in(seen: &Seen) -> String {
    seen.only_adfs();
    let (claims, refreshed) = (&seen.said["claims"], &seen.said["refreshed"]);
    assert_eq!((&claims["aud"], &claims["apptype"]), (&json!("urn:microsoft:userinfo"), &json!("Public")));
    assert_eq!((&refreshed["sub"], &refreshed["auth_time"]), (&claims["sub"], &claims["auth_time"]));
    assert_eq!(seen.said["user"], seen.settings["user"]["name"]);
    let requests = seen.token_requests();
    let grants: Vec<&str> = requests.iter().map(|record| fact(record, "grant-type")).collect();
    assert_eq!(grants, ["authorization_code", "refresh_token"]);
    assert!(parameter(requests[0], "code_verifier").is_some());
    String::from("works, with a challenge of its caller's, for userinfo; refreshes for another scope")
}

/// AD FS answers with the names of scopes, without the resource they are on; MSAL for Go looks for what it asked for.
fn password(seen: &Seen) -> String {
    const ASKED: &str = "https://ax.contoso.com//openid";
    const SAYS: &str = "token response failed because declined scopes are present: ";
    assert_eq!(seen.said["error"], format!("{SAYS}{ASKED}"));
    seen.only_adfs();
    let record = seen.token_request();
    assert_eq!(parameter(record, "scope").unwrap(), format!("{ASKED} openid offline_access profile"));
    let answer = &record["answer"];
    assert_eq!((&answer["status"], &answer["body"]["scope"]), (&json!(200), &json!("openid profile")));
    format!("AD FS answers with a token, of `openid profile`; MSAL for Go gives none: `{SAYS}<scope>`")
}

fn for_userinfo(seen: &Seen) -> String {
    seen.only_adfs();
    let claims = &seen.said["claims"];
    assert_eq!((&claims["aud"], &claims["apptype"]), (&json!("urn:microsoft:userinfo"), &json!("Public")));
    assert!(claims["sub"].is_string(), "{claims}");
    assert_eq!(seen.said["user"], seen.settings["user"]["name"]);
    assert_eq!(fact(seen.token_request(), "grant-type"), "password");
    format!("works: asks for `{}`", parameter(seen.token_request(), "scope").unwrap())
}

/// It cannot be forced: it refreshes for a scope that it has no token of.
fn refresh(seen: &Seen) -> String {
    seen.only_adfs();
    assert_eq!(seen.said["kept"], true, "{}", seen.said);
    let refreshed = &seen.said["refreshed"];
    assert_eq!(refreshed["scp"], "email openid profile", "{}", seen.said);
    assert_eq!(refreshed["auth_time"], seen.said["claims"]["auth_time"]);
    let requests = seen.token_requests();
    let grants: Vec<_> = requests.iter().map(|record| fact(record, "grant-type")).collect();
    assert_eq!(grants, ["password", "refresh_token"]);
    String::from("kept; refreshed for another scope of userinfo")
}

/// An application that asks Microsoft about AD FS to look for what it has kept, is told that there is no such thing, and goes
/// on without: two calls, two tokens.
fn asks_microsoft(seen: &Seen) -> String {
    seen.by_its_name();
    let claims = &seen.said["claims"];
    assert_eq!((&claims["aud"], &claims["appid"]), (&seen.adfs("resource"), &seen.adfs("client_id")));
    let of_microsoft = |record: &&Value| record["kind"] == "request" && record["surface"] == "entra";
    let mut asked = seen.records.iter().filter(of_microsoft).filter(|record| !record["error"].is_null());
    let discovery = asked.next().unwrap_or_else(|| panic!("Microsoft was not asked: {:?}", seen.records));
    assert_eq!(discovery["error"], "AADSTS50049", "{discovery}");
    let url = discovery["request"]["url"].as_str().unwrap();
    assert!(url.contains("/common/discovery/instance?") && url.contains("adfs.contoso.com"), "{url}");
    assert_eq!((seen.token_requests().len(), &seen.said["kept"]), (2, &json!(false)), "{}", seen.said);
    String::from("works, but nothing is kept: it asks Microsoft, which knows no AD FS: AADSTS50049")
}

/// It shows the body of the answer as it came, with its escapes.
fn refused(seen: &Seen, error: &str, number: &str) -> String {
    let shown = seen.said["error"].as_str().unwrap();
    let (_, body) = shown.split_once("reply status code was 400:\n").unwrap_or_else(|| panic!("{shown}"));
    let unescaped: Value = serde_json::from_str(body).unwrap();
    assert_eq!(unescaped, seen.token_request()["answer"]["body"]);
    let shown = format!(
        "{}: {}",
        unescaped["error"].as_str().unwrap(),
        unescaped["error_description"].as_str().unwrap()
    );
    Seen { said: json!({ "error": shown }), settings: seen.settings.clone(), records: seen.records.clone() }
        .refused(error, number)
        + ", the body as it came"
}
