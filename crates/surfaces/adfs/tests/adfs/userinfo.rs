//! Userinfo: whom it answers, what it says, and what each refusal is put down to.

use http::Method;
use mocktenant_lab::Lab;
use mocktenant_verdict::Switches;
use serde_json::json;

use crate::front_door::*;

const USERINFO: &str = "/adfs/userinfo";

async fn shown(lab: &Lab, method: Method, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    send(lab, request(method, USERINFO, &[("authorization", &bearer)])).await
}

/// What the token endpoint gives a user of the native client.
async fn signed_in(lab: &Lab, resource: &str) -> Reply {
    let reply = ask(lab, &by_password(&[("resource", resource)])).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// The token that it gives the server application for itself.
async fn of_the_client(lab: &Lab, resource: &str) -> String {
    ask(lab, &by_secret(&[("resource", resource)])).await.of("access_token")
}

#[tokio::test]
async fn userinfo_says_the_sub_of_the_id_token_and_nothing_else() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        let answer = signed_in(&lab, "").await;
        let subject = verified(&lab, &answer.of("id_token")).await.remove("sub").unwrap();
        for method in [Method::GET, Method::POST] {
            let reply = shown(&lab, method, &answer.of("access_token")).await;
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
        let answer = signed_in(&lab, RESOURCE).await;
        let reply = shown(&lab, Method::GET, &answer.of("access_token")).await;
        assert_eq!((reply.status, &*reply.text()), (401, ""), "{profile}");
        assert_eq!(
            reply.header("www-authenticate"),
            "Bearer error=\"invalid_token\", error_description=\"MSIS9921: Received invalid UserInfo request. \
             Audience 'https://ax.contoso.com/' in the access token is not same as the identifier of the UserInfo \
             relying party trust 'urn:microsoft:userinfo'.\""
        );
        assert_eq!(decided(&lab), "token-audience");
    }
}

#[tokio::test]
async fn windows_server_2022_takes_a_token_for_a_web_api_that_says_who_the_user_is() {
    let issued = json!([{ "type": "sub", "attribute": "objectSid" }]);
    let lab = edited([(service().profile(), "2022".into()), (web_api().issued_claims(), issued)]).await;
    let answer = signed_in(&lab, RESOURCE).await;
    let reply = shown(&lab, Method::GET, &answer.of("access_token")).await;
    let sid = "S-1-5-21-1004336348-1177238915-682003330-1001";
    assert_eq!((reply.status, reply.json()), (200, json!({ "sub": sid })));
}

#[tokio::test]
async fn a_clients_own_token_is_nobodys_and_refused() {
    for (profile, resource) in [("2016", ""), ("2019", ""), ("2022", RESOURCE)] {
        let lab = lab_on(profile).await;
        let token = of_the_client(&lab, resource).await;
        let reply = shown(&lab, Method::GET, &token).await;
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
        let reply = send(&lab, request(Method::GET, USERINFO, &headers)).await;
        assert_eq!((reply.status, &*reply.text()), (401, ""), "{authorization:?}");
        let told = (reply.header("www-authenticate"), &*decided(&lab));
        assert_eq!(told, (challenge, check), "{authorization:?}");
        let off = lab_with(Vec::new(), Switches::off([check])).await;
        assert_eq!(send(&off, request(Method::GET, USERINFO, &headers)).await.status, 200, "{check}");
    }
}

#[tokio::test]
async fn another_services_keys_issuer_and_time_are_not_taken() {
    let token = signed_in(&lab().await, "").await.of("access_token");
    for (setting, value, check) in [
        (service().signing_keys(), json!(["shipped:adfs-signing-next"]), "token-signature"),
        (service().host_name(), json!("sts.contoso.com"), "token-issuer"),
        (service().m365_compatibility(), json!(false), "token-issuer"),
        (service().clock(), json!("+66m"), "token-time"),
        (service().clock(), json!("-6m"), "token-time"),
    ] {
        let lab = edited([(setting.clone(), value)]).await;
        let bearer = format!("Bearer {token}");
        let mut request = request(Method::GET, USERINFO, &[("authorization", &bearer)]);
        request.host = LOCAL.into();
        let reply = send(&lab, request).await;
        let refused = (reply.status, reply.header("www-authenticate"));
        assert_eq!(refused, (401, "Bearer error=\"invalid_token\""), "{setting}");
        assert_eq!(decided(&lab), check, "{setting}");
        assert!(last_check(&lab, check).settings.contains(&setting), "{setting}");
    }
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let lab = lab().await;
    let answer = signed_in(&lab, "").await;
    assert_eq!(shown(&lab, Method::GET, &answer.of("id_token")).await.status, 401);
    assert_eq!(decided(&lab), "token-issuer");
    let remedy = format!("{:?}", last_check(&lab, "token-issuer").remedy);
    assert!(remedy.contains("send the access token"), "{remedy}");
}

#[tokio::test]
async fn a_check_that_is_turned_off_refuses_nobody() {
    for (resource, off) in [("", &["token-subject"][..]), (RESOURCE, &["token-subject", "token-audience"])] {
        let token = of_the_client(&lab().await, resource).await;
        let lab = lab_with(Vec::new(), Switches::off(off.iter().copied())).await;
        let reply = shown(&lab, Method::GET, &token).await;
        assert_eq!((reply.status, reply.json()), (200, json!({ "sub": "" })));
    }
}

#[tokio::test]
async fn a_pasted_access_token_is_judged_as_userinfo_would_and_an_assertion_as_the_token_endpoint_would() {
    let lab = lab().await;
    let token = signed_in(&lab, "").await.of("access_token");
    shown(&lab, Method::GET, &token).await;
    let of_request = lab.journal().records().pop().unwrap();
    let judged = lab.judge_at("adfs", &token).unwrap();
    assert_eq!(judged.checks, of_request.checks);
    assert!(judged.failed_check().is_none() && !judged.checks.is_empty(), "{judged:?}");
    let judged = lab.judge_at("adfs", &of_the_client(&lab, RESOURCE).await).unwrap();
    assert_eq!(judged.failed_check().unwrap().name, "token-audience");
    for assertion in [Draft::healthy(), Draft::healthy().claim("aud", "https://nobody.example")] {
        let judged = lab.judge_at("adfs", &assertion.signed()).unwrap();
        assert!(judged.checks.iter().all(|check| !check.name.starts_with("token-")), "{judged:?}");
    }
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
    let reply = send(&lab, request(Method::OPTIONS, USERINFO, &headers)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "https://az689774.vo.msecnd.net");
    assert_eq!(reply.header("access-control-allow-headers"), "authorization");
    let reply = send(&lab, request(Method::GET, USERINFO, &headers[..1])).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (401, headers[0].1));
}
