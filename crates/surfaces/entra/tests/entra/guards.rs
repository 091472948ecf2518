//! The edges of what guards a token: the last moment of a secret, a secret that is almost the one, a header without one, and
//! what a question that could not be asked waits for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::shipped;
use mocktenant_lab::Lab;
use mocktenant_verdict::{Check, Edit, Outcome, Switches};
use serde_json::{Value, json};

use crate::front_door::*;

fn check(lab: &Lab, name: &str) -> Check {
    let record = lab.journal().records().pop().unwrap();
    record.checks.iter().find(|check| check.name == name).unwrap().clone()
}

#[tokio::test]
async fn a_secret_ends_at_its_moment_and_not_a_second_before() {
    for (expires, code) in [
        ("2026-08-21T10:00:00Z", 7_000_222),
        ("2026-08-21T10:00:01Z", 0),
        ("2026-08-21T09:59:59Z", 7_000_222),
    ] {
        let setting = application(CLIENT, &["secrets", "default", "expires"]);
        let lab = lab_with(vec![Edit::add(setting, expires)], Switches::default()).await;
        assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[])).await.code(), code, "{expires}");
    }
}

#[tokio::test]
async fn no_text_but_the_secret_itself_is_the_secret() {
    let lab = lab().await;
    let mut wrong: Vec<String> = Vec::new();
    for at in 0..SECRET.len() {
        let mut other = SECRET.as_bytes().to_vec();
        other[at] ^= 1;
        wrong.push(String::from_utf8(other).unwrap());
    }
    wrong.push("x".repeat(SECRET.len()));
    wrong.extend([SECRET[1..].to_owned(), SECRET[..SECRET.len() - 1].to_owned(), format!("{SECRET}x")]);
    wrong.extend([SECRET.to_uppercase(), format!("{SECRET} "), format!("{SECRET}\0")]);
    for secret in wrong {
        let reply = post(&lab, HOST, &v1(), &by_secret(&[("client_secret", &secret)])).await;
        assert_eq!(reply.code(), 7_000_215, "{secret:?}");
    }
    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[])).await.code(), 0);
}

#[tokio::test]
async fn a_basic_header_without_a_secret_presents_none() {
    let lab = lab().await;
    let header = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:")));
    let fields = by_secret(&[("client_id", ""), ("client_secret", "")]);
    let reply = send(&lab, form_request(HOST, &v1(), &fields, &[("authorization", &header)])).await;
    assert_eq!(reply.code(), 7_000_216);
}

#[tokio::test]
async fn who_cannot_be_looked_up_waits_for_what_is_missing() {
    let elsewhere = "/7d8f9a10-0000-4000-8000-000000000000/oauth2/token";
    // With `tenant` turned off the question is asked all the same, and still has nothing to look in.
    for (off, last) in [(Switches::default(), "tenant"), (Switches::off(["tenant"]), "client-id")] {
        let lab = lab_with(Vec::new(), off).await;
        for (target, client, needs) in [
            (v1(), "", "client-id"),
            (elsewhere.to_owned(), CLIENT, "tenant"),
            (elsewhere.to_owned(), "", last),
        ] {
            post(&lab, HOST, &target, &by_secret(&[("client_id", client)])).await;
            let registered = check(&lab, "application-registered");
            assert_eq!(registered.outcome, Outcome::Skipped { needs: needs.into() }, "{target} {client}");
        }
    }
}

#[tokio::test]
async fn an_assertion_is_told_the_address_it_could_have_named() {
    let lab = lab().await;
    let foreign =
        Draft::healthy().claim("aud", "https://login.microsoftonline.com/common/oauth2/token").signed();
    let healthy = Draft::healthy().signed();
    for (token, expected) in [
        (&foreign, format!("https://{LOCAL}/{TENANT}/oauth2/v2.0/token")),
        (&healthy, format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")),
    ] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", token.as_str()),
            ("resource", DATAVERSE),
        ];
        post(&lab, LOCAL, &v1(), &fields).await;
        assert_eq!(check(&lab, "assertion-audience").expected, expected);
    }
}

#[tokio::test]
async fn a_certificate_of_another_application_is_called_by_its_sha1_thumbprint() {
    let other = shipped::second_client().certificate();
    let at = application(RETIRED, &["certificates", &other.thumbprint().to_string()]);
    let lab = lab_with(vec![Edit::add(at, json!({ "certificate": other.pem() }))], Switches::default()).await;
    let token = Draft::of(shipped::second_client())
        .header("x5t", Value::Null)
        .header("x5t#S256", other.thumbprint256().base64url())
        .signed();
    assert_eq!(present(&lab, &token).await.code(), 700_027);
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.fact("thumbprint").unwrap().value, other.thumbprint().to_string());
}
