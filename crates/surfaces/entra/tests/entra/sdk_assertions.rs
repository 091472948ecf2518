//! Client assertions as the SDKs write them, by algorithm, encoding of the thumbprint, type of the times and of `x5c`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use mocktenant_keys::{Algorithm, shipped};
use serde_json::{Value, json};

use crate::front_door::*;

/// One row: who writes it so, and the assertion.
fn rows() -> Vec<(&'static str, Draft)> {
    let certificate = shipped::sample_client().certificate();
    let (sha1, sha256) = (certificate.thumbprint(), certificate.thumbprint256());
    let x5c = certificate.base64_der();
    let now = NOW.unix_timestamp();
    let bare = |algorithm| Draft::healthy().header("x5t", Value::Null).algorithm(algorithm);
    let float = |seconds: i64| json!(f64::from(i32::try_from(seconds).unwrap()) + 0.5);
    vec![
        (
            "MSAL.NET: PS256, strings, one x5c string",
            bare(Algorithm::Ps256)
                .header("x5t#S256", sha256.base64url())
                .header("x5c", x5c.clone())
                .claim("nbf", now.to_string())
                .claim("exp", (now + 600).to_string()),
        ),
        ("MSAL.NET with an older key provider: RS256", Draft::healthy().claim("nbf", now.to_string())),
        (
            "MSAL Go: PS256, padded standard base64, x5c list",
            bare(Algorithm::Ps256)
                .header("x5t#S256", STANDARD.encode(sha256.as_bytes()))
                .header("x5c", json!([x5c])),
        ),
        (
            "MSAL Python: PS256, padded base64url, float times, no nbf",
            bare(Algorithm::Ps256)
                .header("x5t#S256", URL_SAFE.encode(sha256.as_bytes()))
                .claim("nbf", Value::Null)
                .claim("iat", float(now))
                .claim("exp", float(now + 600)),
        ),
        (
            "MSAL Python with a SHA-1 thumbprint: RS256, padded base64url",
            Draft::healthy().header("x5t", URL_SAFE.encode(sha1.as_bytes())),
        ),
        (
            "MSAL Java: RS256 with x5t#S256 in standard base64, no typ",
            bare(Algorithm::Rs256)
                .header("typ", Value::Null)
                .header("x5t#S256", STANDARD.encode(sha256.as_bytes()))
                .header("x5c", json!([x5c])),
        ),
        (
            "MSAL Node: PS256, integers with iat",
            bare(Algorithm::Ps256).header("x5t#S256", sha256.base64url()).claim("iat", now),
        ),
        ("ADAL.NET: RS256, one x5c string", Draft::healthy().header("x5c", x5c.clone())),
        ("kid as upper-case hex", bare(Algorithm::Rs256).header("kid", sha1.to_string())),
        ("kid as base64url", bare(Algorithm::Rs256).header("kid", sha1.base64url())),
        ("RS384", Draft::healthy().algorithm(Algorithm::Rs384)),
        ("RS512", Draft::healthy().algorithm(Algorithm::Rs512)),
        ("PS384", Draft::healthy().algorithm(Algorithm::Ps384)),
        ("PS512", Draft::healthy().algorithm(Algorithm::Ps512)),
        (
            "upper-case iss and sub",
            Draft::healthy().claim("iss", CLIENT.to_uppercase()).claim("sub", CLIENT.to_uppercase()),
        ),
    ]
}

#[tokio::test]
async fn every_sdk_s_assertion_is_accepted() {
    let lab = lab().await;
    for (who, draft) in rows() {
        let reply = present(&lab, &draft.signed()).await;
        assert_eq!(reply.status, 200, "{who}: {}", reply.description());
        let record = lab.journal().records().pop().unwrap();
        let registered = record.checks.iter().find(|check| check.name == "certificate-registered").unwrap();
        // Whatever the header holds, people know the certificate by its SHA-1.
        let sha1 = shipped::sample_client().certificate().thumbprint().to_string();
        assert_eq!(registered.actual, sha1, "{who}");
        assert_eq!(record.fact("thumbprint").unwrap().value, sha1, "{who}");
    }
}

#[tokio::test]
async fn a_certificate_in_x5c_is_no_registration() {
    let lab = lab().await;
    let stranger = shipped::second_client();
    let draft = Draft::of(stranger).algorithm(Algorithm::Ps256);
    let certificate = stranger.certificate();
    let draft = draft
        .header("x5t", Value::Null)
        .header("x5t#S256", certificate.thumbprint256().base64url())
        .header("x5c", json!([certificate.base64_der()]))
        .header("jwk", json!({ "kty": "RSA", "n": stranger.key().public().n_base64url(), "e": "AQAB" }))
        .header("jku", "https://localhost:1/keys")
        .header("x5u", "https://localhost:1/certificate");
    let reply = present(&lab, &draft.signed()).await;
    assert_eq!((reply.status, reply.code()), (401, 700_027));
    // The text prints what was sent, the journal what Windows calls the certificate.
    assert!(reply.description().contains(&format!("'{}'", certificate.thumbprint256())));
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.fact("thumbprint").unwrap().value, certificate.thumbprint().to_string());
}
