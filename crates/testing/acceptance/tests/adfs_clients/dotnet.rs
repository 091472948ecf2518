//! Clients of .NET: MSAL.NET, an ASP.NET API that takes AD FS's tokens, and an ASP.NET application that people sign in to.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;
use serde_json::json;

use crate::seen::{Seen, fact, parameter};
use crate::{Client, alike, by_name, flow};

/// What an AOS on-premises signs its users in as.
const AOS_CLIENT: &str = "d8230a86-015d-4c14-bcd6-c7fb65176b16";

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "MSAL.NET",
        pin: Pin::Package("Microsoft.Identity.Client"),
        language: Language::Dotnet,
        file: "msal_dotnet.cs",
        flows: &[
            flow("secret", alike::secret),
            flow("at the AOS", alike::at_the_aos),
            flow("certificate", alike::certificate),
            flow("certificate, chain sent", alike::chain),
            flow(".default alone", |seen| thrown(seen, "MsalServiceException", alike::default_alone)),
            flow("username and password", alike::password),
            flow("username and password, .default", alike::password),
            flow("username and password of a server application", alike::servers_password),
            flow("refresh by the cache", alike::never_kept),
            flow("wrong secret", |seen| thrown(seen, "MsalServiceException", alike::wrong_secret)),
            flow("unknown client", |seen| thrown(seen, "MsalServiceException", alike::unknown_client)),
            flow("wrong password", |seen| thrown(seen, "MsalUiRequiredException", alike::wrong_password)),
            flow("sign-in", signs_in),
            flow("sign-in, .default", signs_in),
            flow("sign-in of a server application", signs_in_to_a_server),
            flow("sign-in, wrong password", |seen| {
                stays(seen, "Incorrect user ID or password.", "MSIS9659");
                String::from("stays on the page; nothing comes back")
            }),
            flow("sign-in, redirect URI with a port", |seen| {
                stays(seen, "MSIS9224: ", "MSIS9224");
                String::from(
                    "AD FS's page with MSIS9224: ports are compared, so tell MSAL the registered one",
                )
            }),
            flow("sign-in without asking", without_asking),
            flow("a code twice", |seen| {
                thrown(seen, "MsalUiRequiredException", |seen| seen.refused("invalid_grant", "MSIS9612"))
            }),
            flow("device code", by_device),
            flow("device code, cancelled", |seen| {
                let code = seen.said["error"].as_str().unwrap().split(':').next().unwrap().to_owned();
                thrown(seen, "MsalServiceException", |_| String::new());
                assert_eq!(seen.token_requests().pop().unwrap()["answer"]["body"]["error"], *code);
                format!("`MsalServiceException`: `{code}`")
            }),
            flow("on-behalf-of", on_behalf_of),
            flow("on-behalf-of without user_impersonation", |seen| {
                thrown(seen, "MsalUiRequiredException", |seen| seen.refused("invalid_grant", "MSIS9650"))
            }),
            by_name("authority validated, by name", |seen| alike::named(seen, validated)),
            by_name("secret, by name", |seen| alike::named(seen, alike::secret)),
            by_name("certificate, by name", |seen| alike::named(seen, alike::certificate)),
            by_name("refresh by the cache, by name", |seen| alike::named(seen, alike::never_kept)),
            by_name("sign-in, by name", |seen| alike::named(seen, signs_in)),
            by_name("device code, by name", |seen| alike::named(seen, by_device)),
            by_name("on-behalf-of, by name", |seen| alike::named(seen, on_behalf_of)),
        ],
    },
    Client {
        name: "JwtBearer of ASP.NET Core",
        pin: Pin::Package("Microsoft.AspNetCore.Authentication.JwtBearer"),
        language: Language::Dotnet,
        file: "api_jwt_bearer.cs",
        flows: &[
            flow("as it is", foreign_issuer),
            flow("`ValidIssuer` told", let_in),
            flow("audience without its final slash", let_in),
            flow("a token for another resource", |seen| {
                invalid(
                    seen,
                    "SecurityTokenInvalidAudienceException IDX10214:",
                    "The audience '(null)' is invalid",
                )
            }),
            flow("a changed token", |seen| {
                invalid(seen, "SecurityTokenInvalidSignatureException IDX10511:", "The signature is invalid")
            }),
            by_name("`ValidIssuer` told, by name", |seen| alike::named(seen, let_in)),
        ],
    },
    Client {
        name: "OpenIdConnect of ASP.NET Core",
        pin: Pin::Package("Microsoft.AspNetCore.Authentication.OpenIdConnect"),
        language: Language::Dotnet,
        file: "openid_connect.cs",
        flows: &[
            flow("code", |seen| lets_in(seen, "code", "form_post")),
            flow("query", |seen| lets_in(seen, "code", "query")),
            flow("code and id token", |seen| lets_in(seen, "code id_token", "form_post")),
            flow("id token", |seen| lets_in(seen, "id_token", "form_post")),
            by_name("as the AOS, by name", |seen| {
                let said = alike::named(seen, |seen| lets_in(seen, "id_token", "form_post"));
                assert_eq!(alike::asked(seen, "client_id").as_deref(), Some(AOS_CLIENT));
                format!("{said}; with the client id of the AOS, whose issuer is the canonical one")
            }),
            flow("userinfo", |seen| {
                let said = lets_in(seen, "code", "form_post");
                assert_eq!(seen.endpoints().pop(), Some("userinfo"));
                format!(
                    "{said}; userinfo has `sub` alone, and takes the token where no `resource` was asked for"
                )
            }),
            flow("twice in one browser", |seen| {
                let said = lets_in(seen, "code", "form_post");
                assert_eq!(seen.said["asked_again"], 0, "{}", seen.said);
                format!("{said}; the second time nobody is asked")
            }),
            flow("an answer twice", |seen| {
                keeps_out(seen, "AuthenticationFailureException", "Correlation failed.")
            }),
            flow("without asking", |seen| {
                keeps_out(seen, "OpenIdConnectProtocolException", "'interaction_required'")
            }),
            flow("wrong secret", |seen| {
                let refused = seen.refused("invalid_client", "MSIS9622");
                format!("{}: {refused}", keeps_out(seen, "OpenIdConnectProtocolException", "MSIS9622"))
            }),
            flow("unregistered", |seen| {
                let page = seen.said["page"].as_str().unwrap();
                assert!(page.starts_with("MSIS9224: ") && seen.said["error"].is_null(), "{}", seen.said);
                String::from("AD FS's page with MSIS9224; the application hears nothing")
            }),
            flow("sign-out", |seen| {
                signs_out(seen);
                assert_eq!(
                    (&seen.said["gone"], &seen.said["page"]),
                    (&json!(true), &json!(null)),
                    "{}",
                    seen.said
                );
                String::from(
                    "ends both sessions and comes back: it sends `id_token_hint`, as `SaveTokens` keeps the token",
                )
            }),
            flow("sign-out, unregistered", |seen| {
                signs_out(seen);
                assert_eq!(seen.failed_check(), "post-logout-redirect-uri");
                assert_eq!(seen.said["page"], "You have successfully signed out.", "{}", seen.said);
                String::from(
                    "ends both sessions and stays on AD FS's page: register `/signout-callback-oidc` too",
                )
            }),
            flow("signed out elsewhere", |seen| {
                signs_out(seen);
                assert_eq!(seen.said["told"], 200, "{}", seen.said);
                String::from("told in a frame at its `logout_uri`, `/signout-oidc`, it ends its own session")
            }),
            by_name("code, by name", |seen| alike::named(seen, |seen| lets_in(seen, "code", "form_post"))),
        ],
    },
];

/// What a request that a browser was sent with had, the first time.
fn asked(seen: &Seen, name: &str) -> Option<String> {
    let record = seen.requests().into_iter().find(|record| record["endpoint"] == "authorize").unwrap();
    let url = record["request"]["url"].as_str().unwrap();
    let (_, query) = url.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).find(|(is, _)| is == name).map(|(_, value)| value.into_owned())
}

/// What the token endpoint was asked for, in order.
fn grants(seen: &Seen) -> Vec<&str> {
    seen.token_requests().into_iter().map(|record| fact(record, "grant-type")).collect()
}

/// It proved that it is who asked: the verifier of the challenge went with the code.
fn proved(seen: &Seen) {
    assert_eq!(asked(seen, "code_challenge_method").as_deref(), Some("S256"));
    assert!(parameter(seen.token_requests()[0], "code_verifier").is_some());
}

/// `AcquireTokenInteractive`, a silent call, and the same again.
fn signs_in(seen: &Seen) -> String {
    seen.user("authorization_code", "Public");
    proved(seen);
    assert_eq!(grants(seen), ["authorization_code", "refresh_token", "authorization_code"]);
    assert_eq!(seen.said["user"], seen.settings["user"]["name"], "{}", seen.said);
    assert_eq!((&seen.said["kept"], &seen.said["asked_again"]), (&json!(false), &json!(0)), "{}", seen.said);
    assert_eq!(seen.said["refreshed"]["auth_time"], seen.said["claims"]["auth_time"]);
    let scope = parameter(seen.token_requests()[0], "scope").unwrap();
    format!(
        "works, with PKCE; asks for `{scope}`; a silent call refreshes, and the session answers the next request"
    )
}

fn signs_in_to_a_server(seen: &Seen) -> String {
    seen.user("refresh_token", "Confidential");
    proved(seen);
    assert_eq!(grants(seen), ["authorization_code", "refresh_token"]);
    assert_eq!(seen.said["user"], seen.settings["user"]["name"], "{}", seen.said);
    assert_eq!(seen.said["refreshed"]["upn"], seen.said["claims"]["upn"]);
    String::from("works, by secret and PKCE; a silent call refreshes: `apptype` is `Confidential`")
}

/// AD FS's page says so, and no answer comes back.
fn stays(seen: &Seen, text: &str, number: &str) {
    assert_eq!(seen.said["exception"], "MsalClientException", "{}", seen.said);
    assert!(seen.said["error"].as_str().unwrap().contains(text), "{}", seen.said);
    assert!(seen.token_requests().is_empty(), "{:?}", seen.endpoints());
    let last = seen.requests().pop().unwrap();
    assert_eq!((&last["answer"]["status"], &last["error"]), (&json!(200), &json!(number)));
}

fn without_asking(seen: &Seen) -> String {
    assert_eq!(asked(seen, "prompt").as_deref(), Some("none"));
    assert_eq!(seen.failed_check(), "interaction-allowed");
    let error = seen.said["error"].as_str().unwrap();
    assert!(error.starts_with("interaction_required: "), "{}", seen.said);
    // Not MsalUiRequiredException, which is thrown where the token endpoint says so.
    assert_eq!(seen.said["exception"], "MsalServiceException", "{}", seen.said);
    format!("`MsalServiceException`: `{error}`")
}

fn by_device(seen: &Seen) -> String {
    assert!(seen.said["message"].as_str().unwrap().contains("/adfs/oauth2/deviceauth"), "{}", seen.said);
    let claims = &seen.said["claims"];
    assert_eq!((&claims["upn"], &claims["apptype"]), (&seen.settings["user"]["name"], &json!("Public")));
    assert_eq!(seen.said["user"], seen.settings["user"]["name"], "{}", seen.said);
    let grant = parameter(seen.token_requests().pop().unwrap(), "grant_type").unwrap();
    format!("works; asks with `grant_type={grant}`")
}

/// What the middle tier was called with is for itself, and what it gets is for the resource and of the same user.
fn on_behalf_of(seen: &Seen) -> String {
    seen.user("urn:ietf:params:oauth:grant-type:jwt-bearer", "Confidential");
    let (assertion, claims) = (&seen.said["assertion"], &seen.said["claims"]);
    assert_eq!(
        assertion["aud"],
        json!(format!("microsoft:identityserver:{}", seen.adfs("client_id").as_str().unwrap()))
    );
    assert_eq!((&assertion["upn"], &claims["appid"]), (&claims["upn"], &seen.adfs("client_id")));
    String::from("works: a token of the user's for the resource, by the middle tier's secret")
}

/// The application let her in; its request was made that way.
fn lets_in(seen: &Seen, types: &str, mode: &str) -> String {
    let said = &seen.said;
    seen.only_adfs();
    assert_eq!(
        (&said["status"], &said["pages"], &said["upn"]),
        (&json!(200), &json!(1), &seen.settings["user"]["name"]),
        "{said}"
    );
    assert_eq!(asked(seen, "response_type").as_deref(), Some(types));
    // What is the default is not written down.
    assert_eq!(asked(seen, "response_mode").unwrap_or_else(|| String::from("query")), mode);
    assert!(asked(seen, "nonce").is_some(), "a nonce, whatever the response");
    assert_eq!(said["meanwhile"], json!(["Correlation", "OpenIdConnect.Nonce"]), "{said}");
    assert_eq!(said["left"], json!([]), "{said}");
    let redeemed = types.contains("code");
    assert_eq!(said["access_token"], redeemed, "{said}");
    if redeemed {
        assert!(parameter(seen.token_requests()[0], "client_secret").is_some());
    }
    // PKCE is for the code alone.
    assert_eq!(asked(seen, "code_challenge").is_some(), types == "code");
    let proof = if types == "code" { ", with PKCE" } else { "" };
    format!("lets in by `{types}` and `{mode}`{proof}")
}

/// Neither AD FS nor the application knows her any more.
fn signs_out(seen: &Seen) {
    let said = &seen.said;
    assert_eq!(seen.endpoints().pop(), Some("logout"));
    assert_eq!((&said["session_left"], &said["signed_in"]), (&json!(false), &json!(false)), "{said}");
}

fn keeps_out(seen: &Seen, exception: &str, text: &str) -> String {
    let said = &seen.said;
    assert_eq!((&said["status"], &said["exception"]), (&json!(403), &json!(exception)), "{said}");
    assert!(said["error"].as_str().unwrap().contains(text), "{said}");
    format!("`{exception}`: {text}")
}

fn thrown(seen: &Seen, exception: &str, judge: fn(&Seen) -> String) -> String {
    assert_eq!(seen.said["exception"], exception, "{}", seen.said);
    format!("`{exception}`: {}", judge(seen))
}

/// `WithAdfsAuthority(url)`, which is what a program has that nobody told of a lab.
fn validated(seen: &Seen) -> String {
    assert_eq!(seen.endpoints(), ["webfinger", "token"]);
    let url = seen.requests()[0]["request"]["url"].as_str().unwrap().to_ascii_lowercase();
    assert!(url.contains("/.well-known/webfinger?") && url.contains("rel=http"), "{url}");
    format!("asks the service's webfinger whether it is trusted; {}", alike::secret(seen))
}

fn invalid(seen: &Seen, reason: &str, description: &str) -> String {
    alike::answered(seen, 401, reason);
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{description}\"");
    assert_eq!(seen.said["challenge"], json!(challenge));
    let code = reason.trim_end_matches(':').rsplit(' ').next().unwrap();
    format!("401, {code}")
}

fn foreign_issuer(seen: &Seen) -> String {
    const ISSUER: &str = "http://ADFS.contoso.com/adfs/services/trust";
    let told = invalid(
        seen,
        "SecurityTokenInvalidIssuerException IDX10205:",
        &format!("The issuer '{ISSUER}' is invalid"),
    );
    format!(
        "{told}: discovery's `issuer` is another one; tell it `ValidIssuer`, the document's `access_token_issuer`"
    )
}

fn let_in(seen: &Seen) -> String {
    alike::answered(seen, 200, "");
    assert_eq!(seen.said["body"], seen.adfs("client_id"), "{}", seen.said);
    String::from("lets in what AD FS issued")
}
