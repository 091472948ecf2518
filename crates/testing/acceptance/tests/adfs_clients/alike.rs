//! What is judged alike whatever the library: its application's tokens, its user's, what it keeps and what it refreshes.
//!
//! Decides by the token and by what the journal saw of it; whether it was kept is what the program says, and that nobody was
//! asked again. Never knows a library.

use serde_json::{Value, json};

use crate::seen::{Seen, fact, parameter, signed_with};

/// Kept, so that the only token request is the first one.
fn is_kept(seen: &Seen) {
    assert_eq!(seen.said["kept"], true, "{}", seen.said);
}

/// The scope that was asked for.
fn scope(record: &Value) -> String {
    parameter(record, "scope").unwrap()
}

/// The same where AD FS was called by the name it has in the world.
pub(crate) fn named(seen: &Seen, judge: fn(&Seen) -> String) -> String {
    seen.by_its_name();
    judge(seen)
}

/// An application's token by its secret, then the same one again.
pub(crate) fn secret(seen: &Seen) -> String {
    seen.app_only("secret");
    is_kept(seen);
    format!("works, then kept; asks for `{}`", scope(seen.token_request()))
}

/// The same by its certificate.
pub(crate) fn certificate(seen: &Seen) -> String {
    seen.app_only("certificate");
    is_kept(seen);
    let signed = signed_with(seen.token_request());
    assert!(!signed.ends_with("x5c"), "{signed}");
    format!("works, then kept; {signed}")
}

/// The same with the certificate itself sent.
pub(crate) fn chain(seen: &Seen) -> String {
    seen.app_only("certificate");
    is_kept(seen);
    let signed = signed_with(seen.token_request());
    assert!(signed.ends_with(", x5c"), "{signed}");
    format!("works, then kept; {signed}")
}

/// `.default` with other scopes beside it, which the library adds by itself: so it is no lone one, and is taken.
pub(crate) fn default_beside(seen: &Seen) -> String {
    seen.app_only("secret");
    let asked = scope(seen.token_request());
    let (first, beside) = asked.split_once(' ').unwrap_or_else(|| panic!("nothing stands beside {asked}"));
    assert_eq!(first, "https://ax.contoso.com//.default");
    assert!(beside.split(' ').any(|name| name == "openid"), "{asked}");
    format!("works, because it adds scopes: it asks for `{asked}`")
}

/// `.default` and nothing else, which AD FS refuses.
pub(crate) fn default_alone(seen: &Seen) -> String {
    let refused = seen.refused("access_denied", "MSIS9605");
    let asked = scope(seen.token_request());
    assert_eq!(asked, "https://ax.contoso.com//.default");
    format!("{refused}; it asks for `{asked}`")
}

/// A secret of nobody's.
pub(crate) fn wrong_secret(seen: &Seen) -> String {
    seen.refused("invalid_client", "MSIS9622")
}

/// Tokens of the application and of the user, taken by an AOS behind this AD FS.
pub(crate) fn at_the_aos(seen: &Seen) -> String {
    assert_eq!(seen.said["rows"], json!([3, 3]), "{}", seen.said);
    let to_aos = |record: &&Value| record["surface"] == "aos" && record["kind"] == "request";
    let answered: Vec<&Value> = seen.records.iter().filter(to_aos).collect();
    let rows: Vec<&str> = answered.iter().map(|record| fact(record, "caller")).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    for record in answered {
        assert!(record["error"].is_null(), "{record}");
    }
    String::from("taken, of the application and of the user")
}

/// A client that AD FS does not know.
pub(crate) fn unknown_client(seen: &Seen) -> String {
    seen.refused("invalid_client", "MSIS9607")
}

/// A password of nobody's.
pub(crate) fn wrong_password(seen: &Seen) -> String {
    seen.refused("invalid_grant", "MSIS9659")
}

/// A user's token by the password, by OAuth and by nothing else.
pub(crate) fn password(seen: &Seen) -> String {
    users(seen, "Public");
    assert_eq!(seen.said["user"], seen.settings["user"]["name"], "{}", seen.said);
    format!("works; asks for `{}`", scope(seen.token_request()))
}

/// The same for a server application, which proves itself besides.
pub(crate) fn servers_password(seen: &Seen) -> String {
    users(seen, "Confidential");
    assert_eq!(fact(seen.token_request(), "credential"), "secret");
    String::from("works: `apptype` is `Confidential`")
}

fn users(seen: &Seen, app_type: &str) {
    seen.user("password", app_type);
    // No realm, no WS-Trust.
    let known = ["openid-configuration", "token"];
    assert!(seen.endpoints().iter().all(|endpoint| known.contains(endpoint)), "{:?}", seen.endpoints());
    seen.token_request();
}

/// A user's token, refreshed twice: with the first refresh token, as no answer has another. What the requests were.
pub(crate) fn refreshed(seen: &Seen) -> Vec<&str> {
    seen.user("refresh_token", "Public");
    for refreshed in ["refreshed", "refreshed_again"] {
        let claims = &seen.said[refreshed];
        for name in ["iss", "aud", "upn", "unique_name", "apptype", "scp"] {
            assert_eq!(claims[name], seen.said["claims"][name], "{name}");
        }
        // It is about the same sign-in.
        assert_eq!(claims["auth_time"], seen.said["claims"]["auth_time"]);
    }
    let requests = seen.token_requests();
    let first = requests[0]["answer"]["body"].as_object().unwrap();
    assert!(first.contains_key("refresh_token"), "{first:?}");
    for refresh in &requests[1..] {
        assert!(refresh["answer"]["body"].get("refresh_token").is_none(), "{refresh}");
    }
    requests.into_iter().map(|record| fact(record, "grant-type")).collect()
}

/// A silent call, then two by force. AD FS answers with the names of scopes, without the resource they are on, and the
/// library keeps the token under those: it does not find it under what it asked for.
pub(crate) fn never_kept(seen: &Seen) -> String {
    assert_eq!(seen.said["kept"], false, "{}", seen.said);
    assert_eq!(refreshed(seen), ["password", "refresh_token", "refresh_token", "refresh_token"]);
    assert_eq!(seen.token_requests()[0]["answer"]["body"]["scope"], "openid profile");
    String::from("works; a token that is still good is not found in the cache, and refreshed too")
}

/// What an API answered: the status, and the code of the reason in its log.
pub(crate) fn answered(seen: &Seen, status: u16, reason: &str) {
    let said = &seen.said;
    assert_eq!((&said["status"], &said["reason"]), (&json!(status), &json!(reason)), "{said}");
    // The document and the keys, by the API, again where an issuer or a signature was not what it expected; the token, by
    // its caller.
    let mut endpoints = seen.endpoints();
    endpoints.sort_unstable();
    endpoints.dedup();
    assert_eq!(endpoints, ["keys", "openid-configuration", "token"]);
}

/// A user's token by a code, redeemed with the verifier of its challenge, then refreshed.
pub(crate) fn signed_in(seen: &Seen, app_type: &str) -> String {
    seen.only_adfs();
    let (claims, refreshed) = (&seen.said["claims"], &seen.said["refreshed"]);
    assert_eq!((&claims["upn"], &claims["apptype"]), (&seen.settings["user"]["name"], &json!(app_type)));
    for name in ["aud", "upn", "auth_time", "apptype"] {
        assert_eq!(refreshed[name], claims[name], "{name}");
    }
    let requests = seen.token_requests();
    let grants: Vec<&str> = requests.iter().map(|record| fact(record, "grant-type")).collect();
    assert_eq!(&grants[..2], ["authorization_code", "refresh_token"]);
    let proof = parameter(requests[0], "code_verifier");
    assert!(proof.is_some(), "{}", requests[0]);
    format!(
        "works, with PKCE; asks for `{}`; a silent call refreshes",
        asked(seen, "scope").unwrap_or_default()
    )
}

/// What the first authorization request had.
pub(crate) fn asked(seen: &Seen, name: &str) -> Option<String> {
    let record = seen.requests().into_iter().find(|record| record["endpoint"] == "authorize")?;
    let (_, query) = record["request"]["url"].as_str()?.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(is, _)| is == name).map(|(_, value)| value.into_owned())
}

/// AD FS's own page ends it: the client hears nothing, and the event log knows it by that number.
pub(crate) fn stays(seen: &Seen, number: &str) -> String {
    assert!(seen.token_requests().is_empty(), "{:?}", seen.endpoints());
    let last = seen.requests().pop().unwrap();
    assert_eq!((&last["answer"]["status"], &last["error"]), (&json!(200), &json!(number)));
    format!("AD FS's page with {number}; nothing comes back")
}

/// The client is sent back with an error.
pub(crate) fn sent_back(seen: &Seen, error: &str) -> String {
    let shown = seen.said["error"].as_str().unwrap_or_else(|| panic!("no error: {}", seen.said));
    assert!(shown.starts_with(error), "{shown}");
    assert!(seen.token_requests().is_empty(), "{:?}", seen.endpoints());
    format!("`{}`", shown.split(". ").next().unwrap_or_default())
}

/// A token by a code that somebody typed on another device.
pub(crate) fn by_device(seen: &Seen) -> String {
    seen.only_adfs_but("authorization_pending");
    assert!(seen.said["message"].as_str().unwrap().contains("/adfs/oauth2/deviceauth"), "{}", seen.said);
    let claims = &seen.said["claims"];
    assert_eq!((&claims["upn"], &claims["apptype"]), (&seen.settings["user"]["name"], &json!("Public")));
    let grant = parameter(seen.token_requests().pop().unwrap(), "grant_type").unwrap();
    format!("works; asks with `grant_type={grant}`")
}

/// What the middle tier was called with is for itself, and what it gets is for the resource and of the same user.
pub(crate) fn on_behalf_of(seen: &Seen) -> String {
    seen.user("urn:ietf:params:oauth:grant-type:jwt-bearer", "Confidential");
    let (assertion, claims) = (&seen.said["assertion"], &seen.said["claims"]);
    let middle = format!("microsoft:identityserver:{}", seen.adfs("client_id").as_str().unwrap());
    assert_eq!((&assertion["aud"], &assertion["upn"]), (&json!(middle), &claims["upn"]));
    String::from("works: a token of the user's for the resource, by the middle tier's secret")
}
