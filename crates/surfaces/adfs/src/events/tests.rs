//! What each kind of answer leaves in the logs, asked of a lab.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use mocktenant_lab::journal::RecordDocument;
use mocktenant_lab::{Entrance, Event, Lab, Random, Request};
use mocktenant_verdict::{Edit, Setting};
use mocktenant_world::EditedBy;
use serde_json::json;

use super::*;
use crate::Adfs;

const APP: &str = "c0117050-0000-4000-8000-00000000a001";
const NATIVE: &str = "c0117050-0000-4000-8000-00000000a101";
const SECRET: &str = "contoso-app-secret-not-secret";
const AX: &str = "https://ax.contoso.com/";
const ACTIVITY: &str = "6f0c1a52-0000-4000-8000-00800000c0de";

fn lab() -> Lab {
    let world = Arc::new(World::contoso().unwrap());
    Lab::builder(world).surface(Adfs).random(Random::seeded(7)).build()
}

fn asked(lab: &Lab, mut request: Request) -> Vec<Event> {
    request.headers.insert("client-request-id", HeaderValue::from_static(ACTIVITY));
    request.headers.insert("user-agent", HeaderValue::from_static("a <client>"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(lab.answer(request));
    lab.events(lab.journal().records().last().unwrap())
}

fn token(lab: &Lab, form: &[(&str, &str)]) -> Vec<Event> {
    let mut request =
        Request::new(Method::POST, "adfs.contoso.com", "/adfs/oauth2/token", Entrance::Identity);
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request.body = Ok(Bytes::from(body));
    asked(lab, request)
}

fn client(secret: &str, resource: &str) -> Vec<Event> {
    token(
        &lab(),
        &[
            ("grant_type", "client_credentials"),
            ("client_id", APP),
            ("client_secret", secret),
            ("resource", resource),
        ],
    )
}

fn user(name: &str, password: &str) -> [(&'static str, String); 5] {
    [
        ("grant_type", "password".to_owned()),
        ("client_id", NATIVE.to_owned()),
        ("username", name.to_owned()),
        ("password", password.to_owned()),
        ("resource", AX.to_owned()),
    ]
}

fn password(name: &str, password: &str) -> Vec<Event> {
    let form = user(name, password);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    token(&lab(), &form)
}

fn ids(events: &[Event]) -> Vec<(&'static str, u16)> {
    events.iter().map(|event| (event.row.log.name, event.row.id)).collect()
}

#[test]
fn a_token_for_an_application_leaves_an_audit_and_nothing_else() {
    let events = client(SECRET, AX);
    assert_eq!(ids(&events), [("security", 1200)]);
    let audit = &events[0];
    assert_eq!(audit.row.data[0], ACTIVITY);
    for part in [
        "xsi:type=\"AppTokenAudit\"",
        "<AuditResult>Success</AuditResult>",
        "<RelyingParty>https://ax.contoso.com/</RelyingParty>",
        "<UserId>N/A</UserId>",
        "<OAuthClientId>c0117050-0000-4000-8000-00000000a001</OAuthClientId>",
        "<OAuthGrant>client_credentials</OAuthGrant>",
        "<UserAgentString>a &lt;client&gt;</UserAgentString>",
        "<ForwardedIpAddress />",
    ] {
        assert!(audit.row.data[1].contains(part), "{part}\n{}", audit.row.data[1]);
    }
    assert_eq!(audit.row.keywords, AUDIT_SUCCESS);
}

#[test]
fn a_user_who_signs_in_leaves_an_audit_of_the_credential_before_that_of_the_token() {
    let events = password("ada@contoso.com", "ada-password-not-secret");
    assert_eq!(ids(&events), [("security", 1202), ("security", 1200)]);
    let [credential, issued] = [&events[0].row.data[1], &events[1].row.data[1]];
    assert!(
        credential.contains("FreshCredentialAudit") && credential.contains("<UserId>CONTOSO\\ada</UserId>")
    );
    assert!(issued.contains("AppTokenAudit") && issued.contains("PasswordProtectedTransport"), "{issued}");
    assert!(events.iter().all(|event| !event.to_xml().contains("ada-password")));
}

#[test]
fn a_user_who_is_refused_leaves_five_events_with_one_activity_id() {
    for (name, sent) in [("ada@contoso.com", "wrong"), ("nobody@contoso.com", "wrong")] {
        let events = password(name, sent);
        assert_eq!(
            ids(&events),
            [("admin", 111), ("admin", 1000), ("admin", 364), ("security", 1203), ("security", 411)]
        );
        assert!(events.iter().all(|event| event.row.activity.as_deref() == Some(ACTIVITY)));
        assert_eq!(events[1].row.severity, Severity::Warning);
        assert_eq!(events[1].row.data[3], "http://ADFS.contoso.com/adfs/services/trust");
        assert_eq!(events[4].row.data[3], format!("{name}-The user name or password is incorrect"));
        assert!(events[2].row.data[2].contains("MSIS7012: ") && events[2].row.data[2].contains(" ---> "));
        assert!(events[3].row.data[1].contains("<FailureType>CredentialValidationError</FailureType>"));
        assert!(events[3..].iter().all(|event| event.row.keywords == AUDIT_FAILURE));
    }
}

#[test]
fn what_windows_says_of_an_account_is_in_the_log_and_nowhere_else() {
    for (member, says) in [
        ("enabled", "currently disabled"),
        ("locked", "currently locked out"),
        ("expired", "account has expired"),
        ("password_expires", "password for this account has expired"),
    ] {
        let value = match member {
            "enabled" => json!(false),
            "password_expires" => json!("2020-01-01T00:00:00Z"),
            _ => json!(true),
        };
        let at = format!("/federation_services/contoso/users/ada@contoso.com/{member}");
        let edit = Edit::add(Setting::from_pointer(at), value);
        let world = Arc::new(World::contoso().unwrap().edited(&[edit], EditedBy::Control).unwrap());
        let lab = Lab::builder(world).surface(Adfs).build();
        let form = user("ada@contoso.com", "ada-password-not-secret");
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let events = token(&lab, &form);
        assert_eq!(events.len(), 5, "{member}");
        assert!(events[4].row.data[3].contains(says), "{member}: {}", events[4].row.data[3]);
        let answered = lab.journal().records().last().unwrap().document().answer.unwrap();
        assert!(!answered.body.to_string().contains(says));
    }
}

/// The only event of the log `admin`, and whether an audit of a token that was not issued is beside it.
fn refused(events: &[Event]) -> (&str, bool) {
    assert_eq!(ids(events)[0], ("admin", 1021), "{events:?}");
    let audited = ids(events)[1..] == [("security", 1201)];
    assert!(audited || events.len() == 1, "{events:?}");
    (&events[0].row.data[0], audited)
}

#[test]
fn where_oauth_refuses_the_log_says_more_than_the_client_is_told() {
    let unknown = token(
        &lab(),
        &[("grant_type", "client_credentials"), ("client_id", "nobody"), ("client_secret", "x")],
    );
    let (said, audited) = refused(&unknown);
    assert!(
        said.contains("OAuthInvalidClientException: MSIS9223: ")
            && said.contains("Received client_id: 'nobody'")
    );
    assert!(!audited);
    let secret = client("wrong", AX);
    let (said, audited) = refused(&secret);
    assert!(said.contains("OAuthClientCredentialAuthenticationException: MSIS9622: ") && !audited, "{said}");
    let resource = client(SECRET, "https://ax.contoso.com//");
    let (said, audited) = refused(&resource);
    assert!(said.contains("OAuthInvalidResourceException: MSIS9329: "), "{said}");
    assert!(said.ends_with("Received resource: 'https://ax.contoso.com//'.") && audited, "{said}");
    let forbidden = client(SECRET, APP);
    let (said, audited) = refused(&forbidden);
    assert!(said.contains("OAuthUnauthorizedClientException: MSIS9321: ") && audited, "{said}");
    let assertion = token(
        &lab(),
        &[
            ("grant_type", "client_credentials"),
            ("client_id", APP),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", "e30.e30.AA"),
        ],
    );
    assert!(refused(&assertion).0.contains("MSIS9622: Client authentication failed."));
    let nothing = token(&lab(), &[]);
    assert!(refused(&nothing).0.contains("OAuthInvalidRequestException: MSIS9658: "));
    let refresh = token(
        &lab(),
        &[("grant_type", "refresh_token"), ("client_id", NATIVE), ("refresh_token", "made-up")],
    );
    assert!(refused(&refresh).0.contains("OAuthInvalidRefreshTokenException: MSIS9614: "));
}

/// The events of a record that says this.
fn of_record(record: serde_json::Value) -> Vec<EventRow> {
    let mut document = json!({
        "sequence": 1, "id": "x-1", "parent": null, "kind": "request", "at": "2026-11-22T12:00:00Z", "surface": "adfs",
        "machine": "federation-service/contoso", "endpoint": "token", "error": null, "checks": [], "facts": [],
        "request": { "method": "POST", "url": "https://adfs.contoso.com/adfs/oauth2/token" },
        "answer": { "status": 400 }, "activities": {}, "micros": 0, "generation": 0,
    });
    document.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
    let document: RecordDocument = serde_json::from_value(document).unwrap();
    of(&World::contoso().unwrap(), &Record::from(document))
}

fn failed(name: &str, actual: &str) -> serde_json::Value {
    json!([{ "name": name, "expected": "", "actual": actual, "outcome": "failed" }])
}

#[test]
fn an_assertion_whose_key_nobody_has_names_whom_the_key_was_looked_for() {
    let facts = json!([{ "name": "client-id", "value": "app" }]);
    for (check, client) in [("certificate-registered", "app"), ("assertion-issuer", "Mysoft")] {
        let rows =
            of_record(json!({ "error": "MSIS9622", "facts": facts, "checks": failed(check, "Mysoft") }));
        let said = &rows[0].data[0];
        assert!(said.contains(&format!(
            "MSIS9344: OAuth Client JsonWebSecurityToken validation failed for the client '{client}'."
        )));
        assert_eq!(said.lines().filter(|line| line.starts_with("   at Microsoft.")).count(), 6);
    }
}

#[test]
fn a_scope_that_decided_is_named_in_the_log() {
    let facts = json!([{ "name": "client-id", "value": "app" }, { "name": "resource", "value": "urn:r" },
        { "name": "scope", "value": "profile" }]);
    let rows =
        of_record(json!({ "error": "MSIS9605", "facts": facts, "checks": failed("scope", "profile") }));
    assert!(rows[0].data[0].ends_with(
        "MSIS9368: Received invalid OAuth request. The client 'app' is forbidden to access the resource 'urn:r' with scope 'profile'."
    ));
}

#[test]
fn a_page_leaves_its_364_and_what_is_no_request_leaves_nothing() {
    let request = Request::new(Method::GET, "adfs.contoso.com", "/adfs/wsfed?wa=1", Entrance::Identity);
    let events = asked(&lab(), request);
    assert_eq!(ids(&events), [("admin", 364)]);
    let said = &events[0].row.data[2];
    assert!(
        said.contains("MSIS7065: There are no registered protocol handlers on path /adfs/wsfed to process")
    );
    assert!(said.ends_with("OnGetContext(WrappedHttpListenerContext context)"), "{said}");
    for (kind, error) in [("judged", "MSIS9622"), ("forged", "MSIS9602")] {
        let nothing = of_record(json!({ "kind": kind, "error": error }));
        assert!(nothing.is_empty(), "{nothing:?}");
    }
    let request = Request::new(Method::GET, "adfs.contoso.com", "/adfs/discovery/keys", Entrance::Identity);
    assert!(asked(&lab(), request).is_empty());
}

#[test]
fn nothing_that_is_sent_begins_a_line_of_a_log_and_no_secret_stands_in_one() {
    let evil = "a\nLog Name:      Security\u{fffe}\u{0}";
    let events =
        token(&lab(), &[("grant_type", "client_credentials"), ("client_id", evil), ("client_secret", "x")]);
    let text = events[0].to_text();
    assert_eq!(text.lines().filter(|line| line.starts_with("Log Name:")).count(), 1, "{text}");
    let secret = [("grant_type", "client_credentials"), ("client_id", SECRET), ("client_secret", SECRET)];
    for event in token(&lab(), &secret) {
        let document = serde_json::to_string(&event.document()).unwrap();
        assert!(document.contains("'***'") && !document.contains(SECRET), "{document}");
    }
}

#[test]
fn a_whole_event_is_what_event_viewer_and_its_xml_show() {
    let mut refused = password("ada@contoso.com", "wrong");
    for event in &mut refused {
        event.at = time::macros::datetime!(2026-11-22 12:00:03.114873 UTC);
    }
    insta::assert_snapshot!("refused_user_as_text", refused[2].to_text());
    insta::assert_snapshot!("refused_user_as_xml", refused[2].to_xml());
    insta::assert_snapshot!("audit_as_text", refused[3].to_text());
    insta::assert_snapshot!("audit_as_xml", refused[3].to_xml());
}
