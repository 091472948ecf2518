//! Every check of the token endpoint decides something: a request that fails only there gets the check's code, and
//! another answer once the check is turned off.

use mocktenant_keys::{Certificate, SelfSigned, Subject, Validity, shipped};
use mocktenant_lab::{Addresses, Entrance, Lab};
use mocktenant_verdict::{Outcome, Switches};
use mocktenant_world::Edit;
use serde_json::json;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::front_door::*;

/// A request that fails exactly one check.
pub(crate) struct Case {
    check: &'static str,
    code: u64,
    status: u16,
    pub(crate) edits: Vec<Edit>,
    target: String,
    pub(crate) fields: Vec<(&'static str, String)>,
}

fn case(check: &'static str, status: u16, code: u64, assertion: &str) -> Case {
    Case {
        check,
        code,
        status,
        edits: Vec::new(),
        target: v1(),
        fields: vec![
            ("grant_type", "client_credentials".into()),
            ("client_id", CLIENT.into()),
            ("client_assertion_type", ASSERTION_TYPE.into()),
            ("client_assertion", assertion.into()),
            ("resource", DATAVERSE.into()),
        ],
    }
}

fn plain(check: &'static str, status: u16, code: u64, fields: &[(&'static str, &str)]) -> Case {
    let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Case { check, code, status, edits: Vec::new(), target: v1(), fields }
}

/// A certificate on the spare key that ended in 2025.
fn ended() -> Certificate {
    valid(datetime!(2024-01-01 00:00:00 UTC), datetime!(2025-06-30 23:59:59 UTC))
}

/// A certificate on the spare key.
fn valid(not_before: OffsetDateTime, not_after: OffsetDateTime) -> Certificate {
    let validity = Validity { not_before, not_after };
    SelfSigned { subject: Subject::common_name("short-lived"), validity, serial: &[1] }
        .issue(shipped::second_client().key())
        .unwrap()
}

/// A lab whose client has this certificate, and an assertion signed with it.
async fn lab_of_certificate(certificate: &Certificate) -> (Lab, String) {
    let thumbprint = certificate.thumbprint();
    let declared = json!({ "certificate": certificate.pem() });
    let edit = Edit::add(application(CLIENT, &["certificates", &thumbprint.to_string()]), declared);
    let token = Draft::of(shipped::second_client()).header("x5t", thumbprint.base64url()).signed();
    (lab_with(vec![edit], Switches::default()).await, token)
}

pub(crate) fn of_check(check: &str) -> Case {
    let now = NOW.unix_timestamp();
    let good = Draft::healthy;
    match check {
        "tenant" => {
            let target = "/7d8f9a10-0000-4000-8000-000000000000/oauth2/token".to_owned();
            Case { target, ..plain("tenant", 400, 90002, &by_secret(&[])) }
        }
        "grant-type" => plain("grant-type", 400, 70003, &by_secret(&[("grant_type", "magic")])),
        "client-id" => {
            let zero = "00000000-0000-0000-0000-000000000000";
            plain("client-id", 400, 700_038, &by_secret(&[("client_id", zero)]))
        }
        "client-credential" => {
            plain("client-credential", 401, 7_000_216, &by_secret(&[("client_secret", "")]))
        }
        "assertion-well-formed" => case("assertion-well-formed", 400, 50027, "not.a.token"),
        "assertion-type" => case("assertion-type", 400, 5_002_727, &good().header("typ", "at+jwt").signed()),
        "assertion-algorithm" => {
            case("assertion-algorithm", 401, 5_002_738, &good().header("alg", "HS256").signed())
        }
        "assertion-key-id" => {
            case("assertion-key-id", 401, 5_002_723, &good().header("x5t", json!(null)).signed())
        }
        "assertion-claims" => {
            case("assertion-claims", 400, 90014, &good().claim("exp", json!(null)).signed())
        }
        "assertion-issuer" => {
            let token = good().claim("iss", "https://token.actions.githubusercontent.com");
            case("assertion-issuer", 401, 700_211, &token.signed())
        }
        "assertion-subject" => case("assertion-subject", 401, 50048, &good().claim("sub", RETIRED).signed()),
        "assertion-client-id" => {
            let token = good().claim("iss", RETIRED).claim("sub", RETIRED);
            case("assertion-client-id", 401, 700_021, &token.signed())
        }
        "application-registered" => {
            let stranger = "c0117050-0000-4000-8000-00000000ffff";
            plain("application-registered", 400, 700_016, &by_secret(&[("client_id", stranger)]))
        }
        "application-enabled" => {
            let edits = vec![Edit::replace(application(CLIENT, &["enabled"]), false)];
            Case { edits, ..case("application-enabled", 400, 7_000_112, &good().signed()) }
        }
        "application-confidential" => {
            let edits = vec![
                Edit::replace(application(CLIENT, &["public_client"]), true),
                Edit::replace(application(CLIENT, &["secrets"]), json!({})),
                Edit::replace(application(CLIENT, &["certificates"]), json!({})),
            ];
            Case { edits, ..case("application-confidential", 401, 700_025, &good().signed()) }
        }
        "assertion-audience" => {
            let token = good().claim("aud", "https://login.microsoftonline.com/common/oauth2/token");
            case("assertion-audience", 401, 700_023, &token.signed())
        }
        "certificate-registered" => {
            case("certificate-registered", 401, 700_027, &Draft::of(shipped::second_client()).signed())
        }
        "assertion-signature" => {
            let mut token = good();
            token.key = shipped::second_client().key().clone();
            case("assertion-signature", 401, 700_027, &token.signed())
        }
        "certificate-in-date" => {
            let certificate = ended();
            let thumbprint = certificate.thumbprint();
            let declared = json!({ "certificate": certificate.pem() });
            let edits =
                vec![Edit::add(application(CLIENT, &["certificates", &thumbprint.to_string()]), declared)];
            let token = Draft::of(shipped::second_client()).header("x5t", thumbprint.base64url());
            Case { edits, ..case("certificate-in-date", 401, 700_027, &token.signed()) }
        }
        "assertion-time" => {
            let token = good().claim("nbf", now - 1200).claim("exp", now - 301);
            case("assertion-time", 401, 700_024, &token.signed())
        }
        "secret-matches" => {
            plain("secret-matches", 401, 7_000_215, &by_secret(&[("client_secret", "wrong")]))
        }
        "secret-in-date" => {
            plain("secret-in-date", 401, 7_000_222, &by_secret(&[("client_secret", EXPIRED_SECRET)]))
        }
        "resource" => {
            let other_region = "https://contoso.crm.dynamics.com";
            plain("resource", 400, 500_011, &by_secret(&[("resource", other_region)]))
        }
        "scope" => {
            let fields = by_secret_v2(&[("scope", "https://contoso.crm4.dynamics.com/user_impersonation")]);
            Case { target: v2(), ..plain("scope", 400, 1_002_012, &fields) }
        }
        other => panic!("no case for {other}"),
    }
}

/// Every check, in the order it is asked.
pub(crate) const CHECKS: [&str; 24] = [
    "tenant",
    "grant-type",
    "client-id",
    "client-credential",
    "assertion-well-formed",
    "assertion-type",
    "assertion-algorithm",
    "assertion-key-id",
    "assertion-claims",
    "assertion-issuer",
    "assertion-subject",
    "assertion-client-id",
    "application-registered",
    "application-enabled",
    "application-confidential",
    "assertion-audience",
    "certificate-registered",
    "assertion-signature",
    "certificate-in-date",
    "assertion-time",
    "secret-matches",
    "secret-in-date",
    "resource",
    "scope",
];

pub(crate) async fn run(case: &Case, switches: Switches) -> (Lab, Reply) {
    let lab = lab_with(case.edits.clone(), switches).await;
    let fields: Vec<(&str, &str)> = case.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = post(&lab, HOST, &case.target, &fields).await;
    (lab, reply)
}

/// The case of a check is refused by that check and with its code.
async fn refused_by(check: &'static str) {
    let case = of_check(check);
    assert_eq!(case.check, check);
    let (lab, reply) = run(&case, Switches::default()).await;
    assert_eq!((reply.status, reply.code()), (case.status, case.code), "{}", reply.description());
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.failed_check().unwrap().name, check);
    assert_eq!(record.error.as_deref(), Some(format!("AADSTS{}", case.code).as_str()));
}

macro_rules! refusals {
    ($($name:ident: $check:literal;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                refused_by($check).await;
            }
        )+
    };
}

refusals! {
    an_unknown_tenant_is_refused: "tenant";
    an_unknown_grant_is_refused: "grant-type";
    the_zero_guid_is_no_client_id: "client-id";
    a_client_without_credential_is_refused: "client-credential";
    an_assertion_that_is_no_jwt_is_refused: "assertion-well-formed";
    an_assertion_of_another_type_is_refused: "assertion-type";
    an_assertion_with_a_symmetric_algorithm_is_refused: "assertion-algorithm";
    an_assertion_that_names_no_key_is_refused: "assertion-key-id";
    an_assertion_without_exp_is_refused: "assertion-claims";
    an_assertion_by_an_external_issuer_is_refused: "assertion-issuer";
    an_assertion_about_somebody_else_is_refused: "assertion-subject";
    an_assertion_of_another_client_is_refused: "assertion-client-id";
    an_unregistered_application_is_refused: "application-registered";
    a_disabled_application_is_refused: "application-enabled";
    a_public_client_with_a_credential_is_refused: "application-confidential";
    an_assertion_for_another_audience_is_refused: "assertion-audience";
    an_unregistered_certificate_is_refused: "certificate-registered";
    an_assertion_signed_with_another_key_is_refused: "assertion-signature";
    an_expired_certificate_is_refused: "certificate-in-date";
    an_expired_assertion_is_refused: "assertion-time";
    a_wrong_secret_is_refused: "secret-matches";
    an_expired_secret_is_refused: "secret-in-date";
    an_organisation_s_host_in_another_region_is_no_resource: "resource";
    a_delegated_scope_is_refused: "scope";
}

#[tokio::test]
async fn what_a_person_is_shown_of_each_check_is_written_down() {
    let lab = lab().await;
    let mut text = String::new();
    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[])).await.status, 200);
    assert_eq!(present(&lab, &Draft::healthy().signed()).await.status, 200);
    for record in lab.journal().records() {
        text += "--- passed\n";
        text.extend(record.checks.iter().map(ToString::to_string));
    }
    text += "--- failed\n";
    for check in CHECKS {
        let (lab, _) = run(&of_check(check), Switches::default()).await;
        text += &lab.journal().records().pop().unwrap().failed_check().unwrap().to_string();
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_check_turned_off_no_longer_decides() {
    for check in CHECKS {
        let case = of_check(check);
        let (_, reply) = run(&case, Switches::off([check])).await;
        assert_ne!((reply.status, reply.code()), (case.status, case.code), "{check} decides nothing");
    }
}

#[tokio::test]
async fn what_fails_only_at_one_assertion_check_is_accepted_without_it() {
    for check in
        CHECKS.iter().filter(|check| check.starts_with("assertion") || check.starts_with("certificate"))
    {
        let (_, reply) = run(&of_check(check), Switches::off([*check])).await;
        // A key that takes no part in a signature cannot verify one; the rest is a token.
        let expected = if *check == "assertion-algorithm" { 700_027 } else { 0 };
        assert_eq!(reply.code(), expected, "{check}: {}", reply.description());
    }
}

#[tokio::test]
async fn the_checks_are_asked_in_their_order_and_all_of_them() {
    let lab = lab().await;
    assert_eq!(present(&lab, &Draft::healthy().signed()).await.status, 200);
    let asked: Vec<String> =
        lab.journal().records().pop().unwrap().checks.iter().map(|check| check.name.to_string()).collect();
    let expected: Vec<&str> = CHECKS.into_iter().filter(|check| !check.starts_with("secret-")).collect();
    assert_eq!(asked, expected);

    // One failure at the beginning does not keep the others from being asked.
    let (lab, _) = run(&of_check("assertion-audience"), Switches::default()).await;
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.checks.len(), expected.len());
    assert!(!record.checks.iter().any(|check| matches!(check.outcome, Outcome::Skipped { .. })));
}

#[tokio::test]
async fn a_failed_check_names_the_settings_it_depends_on() {
    let (lab, _) = run(&of_check("certificate-registered"), Switches::default()).await;
    let record = lab.journal().records().pop().unwrap();
    let check = record.failed_check().unwrap();
    let thumbprint = shipped::second_client().certificate().thumbprint().to_string();
    assert_eq!(check.actual, thumbprint);
    assert_eq!(
        check.settings,
        [application(CLIENT, &["certificates", &thumbprint]), application(CLIENT, &["certificates"])]
    );
    assert_eq!(record.fact("thumbprint").unwrap().value, thumbprint);

    let (lab, _) = run(&of_check("application-registered"), Switches::default()).await;
    let record = lab.journal().records().pop().unwrap();
    let settings = &record.failed_check().unwrap().settings;
    assert_eq!(*settings, [application("c0117050-0000-4000-8000-00000000ffff", &[])]);

    let (lab, _) = run(&of_check("resource"), Switches::default()).await;
    let record = lab.journal().records().pop().unwrap();
    let settings: Vec<&str> =
        record.failed_check().unwrap().settings.iter().map(mocktenant_verdict::Setting::as_str).collect();
    assert_eq!(settings, ["/organizations/contoso/host", "/environments/onebox/host"]);
}

#[tokio::test]
async fn every_audience_of_the_tenant_is_taken_and_no_other() {
    let lab = lab().await;
    let good = [
        format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
        format!("https://login.microsoftonline.com/{TENANT}/oauth2/token"),
        format!("https://login.microsoftonline.com/{DOMAIN}/oauth2/token/"),
        format!("https://LOGIN.microsoftonline.com:443/{}/v2.0", TENANT.to_uppercase()),
        "https://login.windows.net/contoso.com/oauth2/token".to_owned(),
        format!("https://login.microsoft.com:7443/{TENANT}/oauth2/v2.0/token"),
    ];
    for audience in &good {
        for audience in [json!(audience), json!([audience])] {
            let reply = present(&lab, &Draft::healthy().claim("aud", audience.clone()).signed()).await;
            assert_eq!(reply.status, 200, "{audience}: {}", reply.description());
        }
    }
    let other = "7d8f9a10-0000-4000-8000-000000000000";
    for audience in [
        format!("https://login.microsoftonline.com/{other}/oauth2/token"),
        format!("https://sts.windows.net/{TENANT}/"),
        format!("https://login.evil.example/{TENANT}/oauth2/token"),
        format!("https://login.microsoftonline.com/{TENANT}/oauth2/authorize"),
        format!("https://localhost:7443/{TENANT}/oauth2/token"),
        format!("login.microsoftonline.com/{TENANT}/oauth2/token"),
        format!("http://login.microsoftonline.com/{TENANT}/oauth2/token"),
        format!("ftp://login.microsoftonline.com/{TENANT}/oauth2/token"),
        format!("://login.microsoftonline.com/{TENANT}/oauth2/token"),
        format!("https://login.microsoftonline.com:anything/{TENANT}/oauth2/token"),
        format!("https://login.microsoftonline.com:443:443/{TENANT}/oauth2/token"),
        format!("https://login.microsoftonline.com@evil.example/{TENANT}/oauth2/token"),
        "https://login.microsoftonline.com".into(),
        CLIENT.into(),
    ] {
        let reply = present(&lab, &Draft::healthy().claim("aud", audience.as_str()).signed()).await;
        assert_eq!((reply.status, reply.code()), (401, 700_023), "{audience}");
    }
    let two = json!([good[0], good[1]]);
    assert_eq!(present(&lab, &Draft::healthy().claim("aud", two).signed()).await.code(), 5_002_741);
    let mtls = format!("https://mtlsauth.microsoft.com/{TENANT}/oauth2/v2.0/token");
    assert_eq!(present(&lab, &Draft::healthy().claim("aud", mtls).signed()).await.code(), 50171);
}

#[tokio::test]
async fn the_host_that_was_called_and_the_labs_own_addresses_are_audiences() {
    let lab = lab().await;
    let public = [(Entrance::Identity, "https://entra.lab.example".to_owned())];
    lab.set_addresses(
        Addresses::from(public).with_other(Entrance::Identity, "https://entra.lab.internal:9443".to_owned()),
    );
    for (host, audience, code) in [
        (LOCAL, format!("https://localhost:7443/{TENANT}/oauth2/v2.0/token"), 0),
        (LOCAL, format!("https://entra.lab.internal:9443/{DOMAIN}/oauth2/v2.0/token"), 0),
        (HOST, format!("https://entra.lab.internal:9443/{DOMAIN}/oauth2/v2.0/token"), 0),
        (HOST, format!("https://entra.lab.example/{DOMAIN}/oauth2/v2.0/token"), 0),
        (HOST, format!("https://Entra.lab.example:443/{DOMAIN}/oauth2/v2.0/token"), 0),
        (HOST, format!("http://entra.lab.example/{DOMAIN}/oauth2/v2.0/token"), 700_023),
        (LOCAL, format!("http://localhost:7443/{TENANT}/oauth2/v2.0/token"), 0),
        ("[::1]:7443", format!("http://[::1]:7443/{TENANT}/oauth2/v2.0/token"), 0),
        (LOCAL, format!("ftp://localhost:7443/{TENANT}/oauth2/v2.0/token"), 700_023),
        (LOCAL, format!("https://localhost:7444/{TENANT}/oauth2/v2.0/token"), 700_023),
        ("sts.windows.net", format!("https://sts.windows.net/{TENANT}/"), 0),
    ] {
        let token = Draft::healthy().claim("aud", audience.as_str()).signed();
        let fields = by_secret(&[
            ("client_secret", ""),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &token),
        ]);
        let reply = post(&lab, host, &v1(), &fields).await;
        assert_eq!(reply.code(), code, "{audience}: {}", reply.description());
    }
}

#[tokio::test]
async fn times_are_taken_within_five_minutes_and_not_beyond() {
    let lab = lab().await;
    let now = NOW.unix_timestamp();
    for (nbf, exp, code) in [
        (json!(now + 300), json!(now + 900), 0),
        (json!(now + 301), json!(now + 900), 700_024),
        (json!(now - 900), json!(now - 300), 0),
        (json!(now - 900), json!(now - 301), 700_024),
        (json!(now + 900), json!(now + 600), 700_024),
        (json!(null), json!(now + 600), 0),
        (json!(now.to_string()), json!((now + 600).to_string()), 0),
        (json!(null), json!(f64::from(i32::try_from(now).unwrap()) + 600.25), 0),
    ] {
        let token = Draft::healthy().claim("nbf", nbf.clone()).claim("exp", exp.clone()).signed();
        let reply = present(&lab, &token).await;
        assert_eq!(reply.code(), code, "{nbf} {exp}: {}", reply.description());
    }
    let reply =
        present(&lab, &Draft::healthy().claim("nbf", json!(null)).claim("exp", now - 600).signed()).await;
    assert!(
        reply.description().starts_with(
            "AADSTS700024: Client assertion is not within its valid time range. Current time: \
             2026-08-21T10:00:00.0000000Z, assertion valid from 1970-01-01T00:00:00.0000000Z, expiry time of \
             assertion 2026-08-21T09:50:00.0000000Z. Review"
        ),
        "{}",
        reply.description()
    );
}

#[tokio::test]
async fn one_assertion_may_be_sent_again_and_its_jti_is_recorded() {
    let lab = lab().await;
    let token = Draft::healthy().signed();
    for _ in 0..3 {
        assert_eq!(present(&lab, &token).await.status, 200);
    }
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.fact("jti").unwrap().value, "0b7d2c0a-6d1b-4a54-9f0e-3f1f2a6b7c8d");
    assert_eq!(record.fact("credential").unwrap().value, "certificate");
}

#[tokio::test]
async fn a_missing_client_id_is_the_assertions_subject() {
    let lab = lab().await;
    let token = Draft::healthy().signed();
    let fields = by_secret(&[
        ("client_id", ""),
        ("client_secret", ""),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &token),
    ]);
    assert_eq!(post(&lab, HOST, &v1(), &fields).await.status, 200);
}

#[tokio::test]
async fn an_assertion_can_be_judged_without_a_request() {
    let lab = lab().await;
    let checks = lab.judge("entra", None, &Draft::healthy().signed()).unwrap();
    assert!(checks.iter().all(|check| check.outcome == Outcome::Passed), "{checks:?}");
    let judged = |token: String| {
        let checks = lab.judge("entra", None, &token).unwrap();
        checks.into_iter().find(mocktenant_verdict::Check::failed).map(|check| check.name.into_owned())
    };
    assert_eq!(
        judged(Draft::of(shipped::second_client()).signed()).as_deref(),
        Some("certificate-registered")
    );
    assert_eq!(judged("rubbish".into()).as_deref(), Some("assertion-well-formed"));
    let stranger = "c0117050-0000-4000-8000-00000000ffff";
    let token = Draft::healthy().claim("iss", stranger).claim("sub", stranger).signed();
    assert_eq!(judged(token).as_deref(), Some("application-registered"));
}

#[tokio::test]
async fn a_certificate_that_has_ended_or_not_begun_is_told_so_by_the_clock_of_the_lab() {
    let bracket = "Thumbprint of key used by client: '";
    for (from, until, said) in [
        (
            NOW - time::Duration::days(9),
            NOW - time::Duration::SECOND,
            "is expired on application. [Reason - The key used is expired., ",
        ),
        (
            NOW + time::Duration::SECOND,
            NOW + time::Duration::days(9),
            "is not yet valid on application. [Reason - The key used is not yet valid., ",
        ),
    ] {
        let (lab, token) = lab_of_certificate(&valid(from, until)).await;
        let reply = present(&lab, &token).await;
        assert_eq!((reply.status, reply.code()), (401, 700_027), "{said}");
        let begins = format!(
            "AADSTS700027: The certificate with identifier used to sign the client assertion {said}{bracket}"
        );
        assert!(reply.description().starts_with(&begins), "{}", reply.description());
        let failed = lab.journal().records().pop().unwrap().failed_check().unwrap().clone();
        assert_eq!(
            (&*failed.name, failed.expected.as_str()),
            ("certificate-in-date", "begun and not expired")
        );
    }
    for (from, until) in [(NOW, NOW + time::Duration::days(9)), (NOW - time::Duration::days(9), NOW)] {
        let (lab, token) = lab_of_certificate(&valid(from, until)).await;
        assert_eq!(present(&lab, &token).await.status, 200, "{from} {until}");
    }
}

#[tokio::test]
async fn a_certificate_on_an_elliptic_curve_is_registered_and_of_no_use() {
    let pem = include_str!("../../../../foundations/keys/testdata/p256-certificate.pem");
    let certificate = Certificate::from_pem(pem).unwrap();
    let (lab, _) = lab_of_certificate(&certificate).await;
    let named = Draft::of(shipped::second_client()).header("x5t", certificate.thumbprint().base64url());
    for (alg, status, code) in [("ES256", 401, 5_002_738), ("RS256", 400, 5_002_730)] {
        let reply = present(&lab, &named.clone().header("alg", alg).signed()).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{alg}: {}", reply.description());
    }
}
