//! Userinfo: whom it answers, what it says, and what each refusal is put down to.

use http::Method;
use mocktenant_lab::Lab;
use mocktenant_verdict::{Setting, Switches};
use mocktenant_world::Edit;
use serde_json::{Value, json};

use crate::front_door::*;

const USERINFO: &str = "/adfs/userinfo";
const WEB_API: &str = "https://ax.contoso.com";

async fn shown(lab: &Lab, method: Method, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    send(lab, request(method, HOST, USERINFO, &[("authorization", &bearer)])).await
}

/// What the token endpoint gives a user of the native client.
async fn signed_in(lab: &Lab, more: &[(&str, &str)]) -> Value {
    let fields = [
        ("grant_type", "password"),
        ("client_id", NATIVE_CLIENT),
        ("username", "ada@contoso.com"),
        ("password", "ada-password-not-secret"),
        ("scope", "openid"),
    ];
    token_of(lab, &[&fields[..], more].concat()).await
}

/// What it gives the server application for itself.
async fn of_the_client(lab: &Lab, more: &[(&str, &str)]) -> Value {
    let fields = [("grant_type", "client_credentials"), ("client_id", CLIENT), ("client_secret", SECRET)];
    token_of(lab, &[&fields[..], more].concat()).await
}

async fn token_of(lab: &Lab, fields: &[(&str, &str)]) -> Value {
    let reply = post(lab, HOST, "/adfs/oauth2/token", fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// The check that decided the last exchange.
fn decided(lab: &Lab) -> String {
    lab.journal()
        .records()
        .pop()
        .unwrap()
        .failed_check()
        .map(|check| check.name.to_string())
        .unwrap_or_default()
}

#[tokio::test]
async fn userinfo_says_the_sub_of_the_id_token_and_nothing_else() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        let answer = signed_in(&lab, &[]).await;
        let id_token = mocktenant_token::Compact::parse(text(&answer, "id_token")).unwrap();
        let subject = id_token.claims().text("sub").unwrap();
        for method in [Method::GET, Method::POST] {
            let reply = shown(&lab, method, text(&answer, "access_token")).await;
            assert_eq!(reply.status, 200, "{profile}: {}", reply.header("www-authenticate"));
            assert_eq!(reply.json(), json!({ "sub": subject }));
            assert_eq!(reply.header("content-type"), "application/json;charset=UTF-8");
        }
    }
}

#[tokio::test]
async fn a_token_for_a_web_api_is_refused_before_windows_server_2022() {
    for profile in ["2016", "2019"] {
        let lab = lab_on(profile).await;
        let answer = signed_in(&lab, &[("resource", WEB_API)]).await;
        let reply = shown(&lab, Method::GET, text(&answer, "access_token")).await;
        assert_eq!((reply.status, &*reply.text()), (401, ""), "{profile}");
        assert_eq!(
            reply.header("www-authenticate"),
            "Bearer error=\"invalid_token\", error_description=\"MSIS9921: Received invalid UserInfo request. \
             Audience 'https://ax.contoso.com' in the access token is not same as the identifier of the UserInfo \
             relying party trust 'urn:microsoft:userinfo'.\""
        );
        assert_eq!(decided(&lab), "token-audience");
    }
}

#[tokio::test]
async fn windows_server_2022_takes_a_token_for_a_web_api_that_says_who_the_user_is() {
    let issued = Edit::add(
        Setting::of([
            "federation_services",
            "contoso",
            "application_groups",
            "Microsoft Dynamics 365 for Operations On-premises",
            "web_apis",
            "https://ax.contoso.com/namespaces/AXSF",
            "issued_claims",
        ]),
        json!([{ "type": "sub", "attribute": "objectSid" }]),
    );
    let lab = lab_with(vec![service("profile", "2022"), issued], Switches::default()).await;
    let answer = signed_in(&lab, &[("resource", WEB_API)]).await;
    let reply = shown(&lab, Method::GET, text(&answer, "access_token")).await;
    assert_eq!(
        (reply.status, reply.json()),
        (200, json!({ "sub": "S-1-5-21-1004336348-1177238915-682003330-1001" }))
    );
}

#[tokio::test]
async fn a_clients_own_token_is_nobodys_and_refused() {
    for (profile, resource) in [("2016", None), ("2019", None), ("2022", Some(WEB_API))] {
        let lab = lab_on(profile).await;
        let more: Vec<(&str, &str)> = resource.iter().map(|resource| ("resource", *resource)).collect();
        let answer = of_the_client(&lab, &more).await;
        let reply = shown(&lab, Method::GET, text(&answer, "access_token")).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
        assert_eq!(decided(&lab), "token-subject", "{profile}");
    }
}

#[tokio::test]
async fn whoever_shows_no_token_is_asked_for_one() {
    let lab = lab().await;
    for (authorization, challenge, check) in [
        (None, "Bearer", "token-present"),
        (Some("Basic YTpi"), "Bearer", "token-present"),
        (Some("Bearer two words"), "Bearer error=\"invalid_token\"", "token-well-formed"),
        (Some("Bearer x.y.z"), "Bearer error=\"invalid_token\"", "token-well-formed"),
    ] {
        let headers: Vec<(&str, &str)> = authorization.iter().map(|sent| ("authorization", *sent)).collect();
        let reply = send(&lab, request(Method::GET, HOST, USERINFO, &headers)).await;
        assert_eq!((reply.status, &*reply.text()), (401, ""), "{authorization:?}");
        assert_eq!(
            (reply.header("www-authenticate"), &*decided(&lab)),
            (challenge, check),
            "{authorization:?}"
        );
    }
}

#[tokio::test]
async fn another_services_keys_and_issuer_are_not_taken() {
    let answer = signed_in(&lab().await, &[]).await;
    let token = text(&answer, "access_token");
    for (member, value, check) in [
        ("signing_keys", json!(["shipped:adfs-signing-next"]), "token-signature"),
        ("host_name", json!("sts.contoso.com"), "token-issuer"),
        ("m365_compatibility", json!(false), "token-issuer"),
        ("clock", json!("+66m"), "token-time"),
        ("clock", json!("-6m"), "token-time"),
    ] {
        let lab = lab_with(vec![put(member, value)], Switches::default()).await;
        let bearer = format!("Bearer {token}");
        let reply = send(&lab, request(Method::GET, LOCAL, USERINFO, &[("authorization", &bearer)])).await;
        let refused = (reply.status, reply.header("www-authenticate"));
        assert_eq!(refused, (401, "Bearer error=\"invalid_token\""), "{member}");
        assert_eq!(decided(&lab), check, "{member}");
    }
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let lab = lab().await;
    let answer = signed_in(&lab, &[]).await;
    assert_eq!(shown(&lab, Method::GET, text(&answer, "id_token")).await.status, 401);
    let record = lab.journal().records().pop().unwrap();
    let check = record.failed_check().unwrap();
    assert_eq!(check.name, "token-issuer");
    assert!(format!("{:?}", check.remedy).contains("send the access token"), "{check:?}");
}

#[tokio::test]
async fn a_check_that_is_turned_off_refuses_nobody() {
    let answer = of_the_client(&lab().await, &[("resource", WEB_API)]).await;
    let token = text(&answer, "access_token");
    let off = Switches::off(["token-audience", "token-subject"]);
    let reply = shown(&lab_with(Vec::new(), off).await, Method::GET, token).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "sub": "" })));
}

#[tokio::test]
async fn a_pasted_access_token_is_judged_as_userinfo_would_and_an_assertion_as_the_token_endpoint_would() {
    let lab = lab().await;
    let answer = signed_in(&lab, &[]).await;
    let token = text(&answer, "access_token");
    shown(&lab, Method::GET, token).await;
    let of_request = lab.journal().records().pop().unwrap();
    let judged = lab.judge_at("adfs", token).unwrap();
    assert_eq!(judged.checks, of_request.checks);
    assert!(judged.failed_check().is_none() && !judged.checks.is_empty(), "{judged:?}");
    let answer = of_the_client(&lab, &[("resource", WEB_API)]).await;
    let judged = lab.judge_at("adfs", text(&answer, "access_token")).unwrap();
    assert_eq!(judged.failed_check().unwrap().name, "token-audience");
    let judged = lab.judge_at("adfs", "x").unwrap();
    assert_eq!(judged.failed_check().unwrap().name, "assertion-well-formed");
}

#[tokio::test]
async fn a_browser_app_of_a_trusted_origin_may_ask_and_read() {
    let lab = lab().await;
    let headers = [
        ("origin", "https://az689774.vo.msecnd.net"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    let reply = send(&lab, request(Method::OPTIONS, HOST, USERINFO, &headers)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "https://az689774.vo.msecnd.net");
    assert_eq!(reply.header("access-control-allow-headers"), "authorization");
    let reply = send(&lab, request(Method::GET, HOST, USERINFO, &headers[..1])).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (401, headers[0].1));
}
