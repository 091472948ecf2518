//! Every check of the token endpoint decides something: a request that fails only there gets the check's refusal, and
//! another answer once the check is turned off. And every row of the catalogue is reached, or says why not.

use std::collections::BTreeSet;

use mocktenant_adfs::Adfs;
use mocktenant_adfs::errors::AdfsError;
use mocktenant_keys::{Certificate, SelfSigned, Subject, Validity, shipped};
use mocktenant_lab::{Lab, Surface};
use mocktenant_verdict::{Setting, Switches};
use mocktenant_world::Edit;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::front_door::*;

const ON_BEHALF: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A request that fails exactly one check.
struct Case {
    error: &'static str,
    number: &'static str,
    status: u16,
    edits: Vec<(Setting, Value)>,
    fields: Vec<(String, String)>,
}

fn case(error: &'static str, number: &'static str, fields: &[(&str, &str)]) -> Case {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Case { error, number, status: 400, edits: Vec::new(), fields }
}

impl Case {
    fn with(mut self, setting: impl Into<Setting>, value: impl Into<Value>) -> Self {
        self.edits.push((setting.into(), value.into()));
        self
    }

    async fn lab(&self, switches: Switches) -> Lab {
        let edits = self.edits.iter().map(|(setting, value)| Edit::add(setting.clone(), value.clone()));
        lab_with(edits.collect(), switches).await
    }

    async fn asked(&self, lab: &Lab) -> Reply {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ask(lab, &fields).await
    }
}

fn refused(assertion: &Draft) -> Case {
    case("invalid_client", "MSIS9622", &by_assertion(&assertion.signed()))
}

/// A certificate on the spare key.
fn valid(not_before: OffsetDateTime, not_after: OffsetDateTime) -> Certificate {
    let validity = Validity { not_before, not_after };
    SelfSigned { subject: Subject::common_name("short-lived"), validity, serial: &[1] }
        .issue(shipped::second_client().key())
        .unwrap()
}

/// What the sample client presents when it has this certificate.
fn of_certificate(certificate: &Certificate) -> Case {
    let thumbprint = certificate.thumbprint();
    let server = service().application_group(GROUP).server_application(SERVER);
    refused(&Draft::of(shipped::second_client()).header("x5t", thumbprint.base64url())).with(
        server.certificate(&thumbprint.to_string()).setting(),
        json!({ "certificate": certificate.pem() }),
    )
}

fn of_user(setting: Setting, value: impl Into<Value>) -> Case {
    case("invalid_grant", "MSIS9659", &by_password(&[])).with(setting, value)
}

/// On behalf of nobody yet.
fn on_behalf<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    changed(&by_secret(&[("grant_type", ON_BEHALF), ("requested_token_use", "on_behalf_of")]), changes)
}

fn of_check(check: &str) -> Option<Case> {
    let good = Draft::healthy;
    let now = NOW.unix_timestamp();
    let user = || service().user(USER);
    Some(match check {
        "grant-named" => case("invalid_request", "MSIS9658", &by_secret(&[("grant_type", "")])),
        "client-id" => case("invalid_request", "MSIS9658", &by_secret(&[("client_id", "")])),
        "client-registered" => case(
            "invalid_client",
            "MSIS9607",
            &by_secret(&[("client_id", "c0117050-0000-4000-8000-00000000affe")]),
        ),
        "client-credential" => case("invalid_client", "MSIS9622", &by_secret(&[("client_secret", "")])),
        "secret-matches" => case("invalid_client", "MSIS9622", &by_secret(&[("client_secret", "wrong")])),
        "assertion-well-formed" => case("invalid_client", "MSIS9622", &by_assertion("not.a.token")),
        "assertion-algorithm" => refused(&good().header("alg", "HS256")),
        "assertion-key-id" => refused(&good().header("x5t", json!(null))),
        "assertion-claims" => refused(&good().claim("exp", json!(null))),
        "assertion-subject" => refused(&good().claim("sub", NATIVE)),
        "assertion-client-id" => case(
            "invalid_client",
            "MSIS9622",
            &changed(&by_assertion(&good().claim("iss", "x").claim("sub", "x").signed()), &[]),
        ),
        "assertion-audience" => refused(&good().claim("aud", "https://ADFS.contoso.com/adfs")),
        "certificate-registered" => refused(&Draft::of(shipped::second_client())),
        "assertion-signature" => {
            let x5t = shipped::sample_client().certificate().thumbprint().base64url();
            refused(&Draft::of(shipped::second_client()).header("x5t", x5t))
        }
        "certificate-in-date" => {
            of_certificate(&valid(datetime!(2024-01-01 0:00 UTC), datetime!(2025-06-30 0:00 UTC)))
        }
        "assertion-time" => refused(&good().claim("nbf", now - 7200).claim("exp", now - 3600)),
        "grant-type" => case("unsupported_grant_type", "MSIS9611", &by_secret(&[("grant_type", "magic")])),
        "resource" => {
            case("invalid_resource", "MSIS9602", &by_secret(&[("resource", "https://nobody.example")]))
        }
        "client-permitted" => {
            case("access_denied", "MSIS9605", &by_secret(&[])).with(web_api().permissions(), json!({}))
        }
        "scope" => case(
            "access_denied",
            "MSIS9605",
            &by_secret(&[("scope", "https://ax.contoso.com/.default"), ("resource", "")]),
        ),
        "user-credentials" => case("invalid_request", "MSIS9658", &by_password(&[("password", "")])),
        "user-known" => {
            case("invalid_grant", "MSIS9659", &by_password(&[("username", "nobody@contoso.com")]))
        }
        "password-matches" => case("invalid_grant", "MSIS9659", &by_password(&[("password", "wrong")])),
        "user-enabled" => of_user(user().enabled(), false),
        "user-not-locked" => of_user(user().locked(), true),
        "user-not-expired" => of_user(user().expired(), true),
        "password-in-date" => of_user(user().password_expires(), "2026-08-21T10:00:00Z"),
        "refresh-token-sent" => {
            case("invalid_request", "MSIS9658", &[("grant_type", "refresh_token"), ("client_id", NATIVE)])
        }
        "refresh-token" => case(
            "invalid_grant",
            "MSIS9614",
            &[("grant_type", "refresh_token"), ("client_id", NATIVE), ("refresh_token", "made-up")],
        ),
        "code-sent" => case(
            "invalid_request",
            "MSIS9658",
            &[("grant_type", "authorization_code"), ("client_id", NATIVE)],
        ),
        "authorization-code" => case(
            "invalid_grant",
            "MSIS9612",
            &[("grant_type", "authorization_code"), ("client_id", NATIVE), ("code", "made-up")],
        ),
        "requested-token-use" => {
            case("invalid_request", "MSIS9658", &by_secret(&[("grant_type", ON_BEHALF)]))
        }
        "user-assertion-sent" => case("invalid_request", "MSIS9658", &on_behalf(&[])),
        "user-assertion-well-formed" => case("invalid_grant", "MSIS9453", &on_behalf(&[("assertion", "x")])),
        _ => return None,
    })
}

/// Checks that no request of their own makes fail, and why.
const WITHOUT: [(&str, &str); 46] = [
    ("authorize-request", "of the authorization endpoint: `authorize.rs`"),
    ("redirect-uri", "of the authorization endpoint: `authorize.rs`"),
    ("response-type", "of the authorization endpoint: `sign_in.rs`"),
    ("response-mode", "of the authorization endpoint: `sign_in.rs`"),
    ("nonce-sent", "of the authorization endpoint: `sign_in.rs`"),
    ("code-challenge", "of the authorization endpoint: `sign_in.rs`"),
    ("session-age", "of the authorization endpoint: `sign_in.rs`"),
    ("own-sign-in-form", "of the authorization endpoint: `sign_in.rs`"),
    ("interaction-allowed", "of the authorization endpoint: `sign_in.rs`"),
    ("code-client", "needs a code of the lab: `sign_in.rs`"),
    ("code-redirect-uri", "needs a code of the lab: `sign_in.rs`"),
    ("code-unused", "needs a code of the lab: `sign_in.rs`"),
    ("code-verifier", "needs a code of the lab: `sign_in.rs`"),
    ("assertion-type", "whatever `typ` says is taken"),
    ("assertion-issuer", "any text can be a client id"),
    ("refresh-token-client", "needs a refresh token of the lab: `refresh.rs`"),
    ("user-assertion-algorithm", "needs a token of the lab: `on_behalf_of.rs`"),
    ("user-assertion-signature", "needs a token of the lab: `on_behalf_of.rs`"),
    ("user-assertion-issuer", "needs a token of the lab: `on_behalf_of.rs`"),
    ("user-assertion-time", "needs a token of the lab: `on_behalf_of.rs`"),
    ("user-assertion-audience", "needs a token of the lab: `on_behalf_of.rs`"),
    ("user-assertion-kind", "needs a token of the lab: `on_behalf_of.rs`"),
    ("user-assertion-scope", "needs a token of the lab: `on_behalf_of.rs`"),
    ("user-assertion-user", "needs a token of the lab: `on_behalf_of.rs`"),
    ("resource-named", "needs a token of the lab: `on_behalf_of.rs`"),
    ("logout-request", "needs a browser of the lab: `logout.rs`"),
    ("id-token-hint-present", "needs a browser of the lab: `logout.rs`"),
    ("id-token-hint-well-formed", "needs a browser of the lab: `logout.rs`"),
    ("id-token-hint-algorithm", "needs a browser of the lab: `logout.rs`"),
    ("id-token-hint-signature", "needs a browser of the lab: `logout.rs`"),
    ("id-token-hint-issuer", "needs a browser of the lab: `logout.rs`"),
    ("id-token-hint-audience", "needs a browser of the lab: `logout.rs`"),
    ("id-token-hint-kind", "needs a browser of the lab: `logout.rs`"),
    ("post-logout-redirect-uri", "needs a browser of the lab: `logout.rs`"),
    ("sign-in-loop", "needs a browser of the lab: `loops.rs`"),
    ("device-request", "needs a device of the lab: `device.rs`"),
    ("device-may-wait", "needs a device of the lab: `device.rs`"),
    ("device-page-request", "needs a device of the lab: `device.rs`"),
    ("device-waits", "needs a device of the lab: `device.rs`"),
    ("device-confirmed", "needs a device of the lab: `device.rs`"),
    ("device-still-waits", "needs a device of the lab: `device.rs`"),
    ("device-code-sent", "needs a device of the lab: `device.rs`"),
    ("device-code", "needs a device of the lab: `device.rs`"),
    ("device-code-client", "needs a device of the lab: `device.rs`"),
    ("device-code-approved", "needs a device of the lab: `device.rs`"),
    ("user-not-locked-out", "needs wrong passwords before it: `lockout.rs`"),
];

#[tokio::test]
async fn every_check_refuses_alone_and_turned_off_does_not() {
    // Those about an access token are userinfo's: `forge.rs`, `userinfo.rs`.
    for question in Adfs::questions().into_iter().filter(|question| !question.name.starts_with("token-")) {
        let Some(case) = of_check(question.name) else {
            assert!(WITHOUT.iter().any(|(name, _)| *name == question.name), "{} has no case", question.name);
            continue;
        };
        let lab = case.lab(Switches::default()).await;
        let reply = case.asked(&lab).await;
        assert_eq!(
            (reply.status, reply.refusal()),
            (case.status, (case.error.to_owned(), case.number.to_owned())),
            "{}",
            question.name
        );
        assert_eq!(decided(&lab), question.name);
        assert_eq!(reply.members(), ["error", "error_description"], "{}", question.name);
        let record = lab.journal().records().pop().unwrap();
        assert_eq!(record.error.as_deref(), Some(case.number), "{}", question.name);
        let failed: Vec<&str> =
            record.checks.iter().filter(|check| check.failed()).map(|check| check.name.as_ref()).collect();
        let off = case.lab(Switches::off([question.name])).await;
        case.asked(&off).await;
        assert_ne!(decided(&off), question.name, "turned off it still decides; failed were {failed:?}");
    }
}

#[tokio::test]
async fn every_row_of_the_catalogue_is_reached_or_says_why_not() {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for question in Adfs::questions() {
        if let Some(case) = of_check(question.name) {
            reached.insert(case.number.to_owned());
        }
    }
    // In other files of this test.
    for (number, _where) in [
        ("MSIS9603", "scopes.rs: a scope nobody described"),
        ("MSIS9604", "bad_input.rs: a form that cannot be read"),
        ("MSIS9609", "sign_in.rs: another redirect URI than the code's"),
        ("MSIS9612", "sign_in.rs: a code twice"),
        ("MSIS9720", "sign_in.rs: another verifier"),
        ("MSIS9358", "sign_in.rs: a server application asks for a token"),
        ("interaction_required", "sign_in.rs: prompt=none without a session"),
        ("authorization_pending", "device.rs: nobody answered yet"),
        ("slow_down", "device.rs: too early"),
        ("access_denied", "device.rs: somebody canceled"),
        ("expired_token", "device.rs: a quarter of an hour later"),
        ("user_code", "device.rs: a code that no device waits with"),
        ("MSIS9615", "refresh.rs: after the session"),
        ("MSIS9650", "on_behalf_of.rs: a token without user_impersonation"),
        ("MSIS9601", "on_behalf_of.rs: no resource"),
        ("MSIS9712", "scopes.rs: Windows Server 2016"),
        ("MSIS9921", "userinfo.rs: a token of a Web API"),
        ("401 userinfo-token", "userinfo.rs: without a token"),
        ("401 userinfo-token-invalid", "userinfo.rs: a token of somebody else"),
        ("MSIS7065", "not_built.rs: a path nobody has"),
        ("MSIS9223", "authorize.rs: a client nobody registered"),
        ("MSIS9224", "authorize.rs: a redirect URI nobody registered"),
        ("MSIS9221", "authorize.rs: no redirect URI"),
        ("MSIS7042", "loops.rs: a browser that is sent again and again"),
        ("554", "logout.rs: an address that is not registered"),
        ("MSIS7009", "authorize.rs: a parameter twice"),
        ("MSIS7012", "not_built.rs: a path that is not built"),
    ] {
        reached.insert(number.to_owned());
    }
    for row in AdfsError::ROWS {
        assert!(reached.contains(row.id), "{} ({}) is reached by nobody", row.id, row.name);
    }
}

#[tokio::test]
async fn who_asks_is_looked_at_before_what_is_asked() {
    let lab = lab().await;
    let wrong = [("grant_type", "magic"), ("resource", "https://nobody.example"), ("client_secret", "wrong")];
    let reply = ask(&lab, &by_secret(&wrong)).await;
    assert_eq!(reply.refusal().1, "MSIS9622");
    let reply = ask(&lab, &by_secret(&wrong[..2])).await;
    assert_eq!(reply.refusal().1, "MSIS9611");
    let reply = ask(&lab, &by_secret(&wrong[1..2])).await;
    assert_eq!(reply.refusal().1, "MSIS9602");
}

#[tokio::test]
async fn an_assertion_is_signed_with_what_discovery_lists() {
    let lab = lab().await;
    let listed = get(&lab, LOCAL, "/adfs/.well-known/openid-configuration").await.json();
    assert_eq!(listed["token_endpoint_auth_signing_alg_values_supported"], json!(["RS256"]));
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let reply = ask(&lab, &by_assertion(&Draft::healthy().header("alg", algorithm).signed())).await;
        if algorithm == "RS256" {
            assert_eq!(reply.status, 200, "{algorithm}: {}", reply.text());
        } else {
            assert_eq!(reply.refusal(), ("invalid_client".into(), "MSIS9622".into()), "{algorithm}");
            assert_eq!(decided(&lab), "assertion-algorithm");
        }
    }
}

#[tokio::test]
async fn a_native_application_proves_nothing_and_gets_no_token_for_itself() {
    let lab = lab().await;
    let reply = ask(&lab, &by_secret(&[("client_id", NATIVE), ("client_secret", "")])).await;
    assert_eq!(reply.refusal().1, "MSIS9622");
    let reply = ask(&lab, &by_password(&[("client_secret", "x")])).await;
    assert_eq!(reply.refusal().1, "MSIS9622");
}

#[tokio::test]
async fn a_server_application_needs_its_credential_for_every_grant() {
    let lab = lab().await;
    for secret in ["", "wrong"] {
        let reply = ask(&lab, &by_password(&[("client_id", SERVER), ("client_secret", secret)])).await;
        assert_eq!(reply.refusal(), ("invalid_client".into(), "MSIS9622".into()), "{secret}");
    }
}

#[tokio::test]
async fn a_remedy_of_every_refused_account_mends_it() {
    let user = || service().user(USER);
    for (setting, value) in
        [(user().enabled(), json!(false)), (user().locked(), json!(true)), (user().expired(), json!(true))]
    {
        let lab = edited([(setting.clone(), value)]).await;
        ask(&lab, &by_password(&[])).await;
        let record = lab.journal().records().pop().unwrap();
        let check = record.failed_check().unwrap();
        assert_eq!(check.settings, [setting]);
        let edits = check.remedy.as_ref().unwrap().here.as_ref().unwrap().edits.clone();
        lab.apply(mocktenant_lab::Command::Edit { edits, by: mocktenant_world::EditedBy::Control })
            .await
            .unwrap();
        assert_eq!(ask(&lab, &by_password(&[])).await.status, 200);
    }
}
