//! What a client did to a value that would have been right: said to the person who asks, and never in an answer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mocktenant_keys::shipped;
use mocktenant_lab::Lab;
use mocktenant_verdict::{Check, Switches};
use mocktenant_world::Edit;

use crate::front_door::*;

fn failed(lab: &Lab) -> Check {
    lab.journal().records().pop().unwrap().failed_check().unwrap().clone()
}

/// A lab whose client's secret has every letter that somebody trips over.
async fn lab_of_secret(secret: &str) -> Lab {
    lab_with(
        vec![Edit::replace(application(CLIENT, &["secrets", "default", "value"]), secret)],
        Switches::default(),
    )
    .await
}

#[tokio::test]
async fn of_a_wrong_secret_it_is_said_what_was_done_to_the_right_one() {
    let secret = "k8Q~+a/b%41==c";
    let lab = lab_of_secret(secret).await;
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for (presented, said) in [
        (encoded.as_str(), "the secret, URL-encoded once more"),
        ("k8Q~ a/b%41==c", "the secret with its `+` read as a blank"),
        ("k8Q~ a/bA==c", "the secret, decoded once too often"),
        (" k8Q~+a/b%41==c", "the secret with blanks or line ends around it"),
        ("k8Q~+a/b%41==c\n", "the secret with blanks or line ends around it"),
        ("\"k8Q~+a/b%41==c\"", "the secret in quotation marks"),
        ("K8Q~+A/B%41==C", "the secret in another letter case"),
        ("another one", "another value"),
    ] {
        for (target, fields) in [
            (v1(), by_secret(&[("client_secret", presented)])),
            (v2(), by_secret_v2(&[("client_secret", presented)])),
        ] {
            let reply = post(&lab, HOST, &target, &fields).await;
            assert_eq!((reply.status, reply.code()), (401, 7_000_215), "{presented}");
            let body = String::from_utf8(reply.body.to_vec()).unwrap();
            assert!(!body.contains("encoded") && !body.contains("blank"), "{body}");
            let check = failed(&lab);
            assert_eq!((&*check.name, check.actual.as_str()), ("secret-matches", said), "{presented}");
            let shown = serde_json::to_string(&check).unwrap();
            assert!(!shown.contains("k8Q~") && !shown.contains("K8Q~"), "{shown}");
            assert_eq!(
                check.change.is_some_and(|change| change.contains("use the Value")),
                said == "another value"
            );
        }
    }
    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[("client_secret", secret)])).await.status, 200);
}

#[tokio::test]
async fn a_secret_sent_bare_is_a_wrong_secret_and_no_missing_client() {
    let secret = "50%+k8Q~%e4";
    let lab = lab_of_secret(secret).await;
    let bare =
        format!("grant_type=client_credentials&client_id={CLIENT}&resource={DATAVERSE}&client_secret=");
    let form = "application/x-www-form-urlencoded";
    for (sent, code) in [
        ("50%+k8Q~%25e4", 7_000_215),
        ("50%2Bk8Q~%25e4", 7_000_215),
        // A sign that begins no escape stands for itself, so this is it.
        ("50%%2Bk8Q~%25e4", 0),
        ("50%25%2Bk8Q~%25e4", 0),
        ("%", 7_000_215),
        ("100%", 7_000_215),
    ] {
        let reply = send(&lab, posting(HOST, &v1(), form, format!("{bare}{sent}"))).await;
        assert_eq!(reply.code(), code, "{sent}: {}", reply.description());
    }
    for (inside, code) in [
        (format!("{CLIENT}:{secret}"), 7_000_215),
        (format!("{CLIENT}:%"), 7_000_215),
        (format!("{CLIENT}:50%25%2Bk8Q~%25e4"), 0),
    ] {
        let header = format!("Basic {}", STANDARD.encode(&inside));
        for (target, fields) in [
            (v1(), by_secret(&[("client_id", ""), ("client_secret", "")])),
            (v2(), by_secret_v2(&[("client_id", ""), ("client_secret", "")])),
        ] {
            let reply = send(&lab, form_request(HOST, &target, &fields, &[("authorization", &header)])).await;
            assert_eq!(reply.code(), code, "{inside}: {}", reply.description());
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_twice_encoded_or_without_its_scheme_is_told_from_what_nobody_has() {
    let lab = lab().await;
    let twice = "https%3A%2F%2Fcontoso.crm4.dynamics.com";
    for (target, fields, check, code, said) in [
        (v1(), by_secret(&[("resource", twice)]), "resource", 500_011, true),
        (v1(), by_secret(&[("resource", "https%3A%2F%2Fnobody.example")]), "resource", 500_011, false),
        (v2(), by_secret_v2(&[("scope", &format!("{twice}%2F.default"))]), "scope", 1_002_012, true),
        (v2(), by_secret_v2(&[("scope", &format!("{twice}/.default"))]), "scope", 70011, true),
        (
            v2(),
            by_secret_v2(&[("scope", "https%3A%2F%2Fnobody.example%2F.default")]),
            "scope",
            1_002_012,
            false,
        ),
    ] {
        assert_eq!(post(&lab, HOST, &target, &fields).await.code(), code, "{fields:?}");
        let failed = failed(&lab);
        assert_eq!(failed.name, check);
        assert_eq!(failed.actual.ends_with(", URL-encoded twice"), said, "{}", failed.actual);
        if said {
            assert_eq!(failed.remedy.unwrap().instead, [DATAVERSE]);
            assert!(failed.change.unwrap().contains("once"));
        }
    }
    post(&lab, HOST, &v2(), &by_secret_v2(&[("scope", "contoso.crm4.dynamics.com/.default")])).await;
    assert_eq!(failed(&lab).remedy.unwrap().instead, [DATAVERSE]);
}

#[tokio::test]
async fn a_thumbprint_that_is_no_hash_of_its_kind_is_printed_as_what_it_decodes_to_and_explained() {
    let lab = lab().await;
    let certificate = shipped::sample_client().certificate();
    let (sha1, sha256) = (certificate.thumbprint(), certificate.thumbprint256());
    let upper = |bytes: &[u8]| mocktenant_token::assertion::hex(bytes);
    let hex = sha1.to_string();
    for (member, sent, digits, holds) in [
        ("x5t", sha256.base64url(), sha256.to_string(), "x5t holds a SHA-256"),
        ("x5t#S256", sha1.base64url(), hex.clone(), "x5t#S256 holds a SHA-1"),
        ("x5t", hex.clone(), upper(&STANDARD.decode(&hex).unwrap()), "x5t holds the hexadecimal text itself"),
        (
            "x5t",
            URL_SAFE_NO_PAD.encode(&hex),
            upper(hex.as_bytes()),
            "x5t holds the base64 of the hexadecimal text",
        ),
        (
            "x5t#S256",
            STANDARD.encode(sha256.to_string()),
            upper(sha256.to_string().as_bytes()),
            "x5t#S256 holds the base64 of the hexadecimal text",
        ),
    ] {
        let token =
            Draft::healthy().header("x5t", serde_json::Value::Null).header(member, sent.as_str()).signed();
        let reply = present(&lab, &token).await;
        assert_eq!((reply.status, reply.code()), (401, 700_027), "{holds}");
        let said =
            format!("[Reason - The key was not found., Thumbprint of key used by client: '{digits}', Please");
        assert!(reply.description().contains(&said), "{holds}: {}", reply.description());
        let record = lab.journal().records().pop().unwrap();
        let check = record.failed_check().unwrap();
        assert_eq!(
            (&*check.name, check.actual.as_str()),
            ("certificate-registered", &*format!("{sha1}: {holds}"))
        );
        // Nothing declared is wrong, and nothing is to be uploaded.
        assert!(check.settings.is_empty() && check.remedy.as_ref().unwrap().here.is_none(), "{holds}");
        assert!(check.change.as_ref().unwrap().contains("SHA-"), "{holds}");
        assert_eq!(record.fact("thumbprint").unwrap().value, sha1.to_string());
    }
    let guid = Draft::healthy().header("x5t", CLIENT).signed();
    let digits = upper(&URL_SAFE_NO_PAD.decode(CLIENT).unwrap());
    assert!(present(&lab, &guid).await.description().contains(&format!("used by client: '{digits}', ")));
    assert!(failed(&lab).actual.ends_with(": x5t holds a GUID, no hash of a certificate"));
    let none = Draft::healthy().header("x5t", "{THUMBPRINT}").signed();
    assert!(
        present(&lab, &none).await.description().contains("[Reason - The key was not found., Please visit")
    );
    assert_eq!(failed(&lab).actual, "x5t holds no base64");
    // However long it is, the product prints it whole and the journal does not.
    let long = Draft::healthy().header("x5t", "A".repeat(4000)).signed();
    assert!(present(&lab, &long).await.description().contains(&"0".repeat(6000)));
    assert!(failed(&lab).actual.len() < 300);
}
