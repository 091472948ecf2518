//! What each kind of answer leaves in the event logs.

use mocktenant_keys::shipped;
use mocktenant_lab::journal::{Record, RecordDocument};
use mocktenant_lab::{Event, Lab, Severity};
use serde_json::{Value, json};

use crate::front_door::{
    Draft, HOST, SECRET, SERVER, TOKEN, USER, by_assertion, by_password, by_secret, edited, form_request,
    get, lab, send, service, web_api,
};

const ACTIVITY: &str = "6f0c1a52-0000-4000-8000-00800000c0de";

/// The events of the last exchange.
fn left(lab: &Lab) -> Vec<Event> {
    lab.events(lab.journal().records().last().unwrap())
}

/// Those of a token request with an Activity ID of its own.
async fn asked(lab: &Lab, fields: &[(&str, &str)]) -> Vec<Event> {
    let headers = [("client-request-id", ACTIVITY), ("user-agent", "a <client>")];
    send(lab, form_request(HOST, TOKEN, fields, &headers)).await;
    left(lab)
}

fn ids(events: &[Event]) -> Vec<(&'static str, u16)> {
    events.iter().map(|event| (event.row.log.name, event.row.id)).collect()
}

#[tokio::test]
async fn a_token_for_an_application_leaves_an_audit_and_nothing_else() {
    let events = asked(&lab().await, &by_secret(&[])).await;
    assert_eq!(ids(&events), [("security", 1200)]);
    let [activity, audit] = events[0].row.data.as_slice() else { panic!("{events:?}") };
    assert_eq!(activity, ACTIVITY);
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
        assert!(audit.contains(part), "{part}\n{audit}");
    }
    assert!(events[0].to_text().contains("\nKeywords:      Classic,Audit Success\n"));
}

#[tokio::test]
async fn a_user_who_signs_in_leaves_an_audit_of_the_credential_before_that_of_the_token() {
    let events = asked(&lab().await, &by_password(&[])).await;
    assert_eq!(ids(&events), [("security", 1202), ("security", 1200)]);
    let [credential, issued] = [&events[0].row.data[1], &events[1].row.data[1]];
    assert!(
        credential.contains("FreshCredentialAudit") && credential.contains("<UserId>CONTOSO\\ada</UserId>")
    );
    assert!(issued.contains("AppTokenAudit") && issued.contains("PasswordProtectedTransport"), "{issued}");
}

#[tokio::test]
async fn a_user_who_is_refused_leaves_five_events_with_one_activity_id() {
    for name in [USER, "nobody@contoso.com"] {
        let events = asked(&lab().await, &by_password(&[("username", name), ("password", "wrong")])).await;
        assert_eq!(
            ids(&events),
            [("admin", 111), ("admin", 1000), ("admin", 364), ("security", 1203), ("security", 411)]
        );
        assert!(events.iter().all(|event| event.row.activity.as_deref() == Some(ACTIVITY)));
        let [first, caller, passive, credential, validation] = [0, 1, 2, 3, 4].map(|at| &events[at].row);
        assert_eq!(
            [first.severity, caller.severity, passive.severity],
            [Severity::Error, Severity::Warning, Severity::Error]
        );
        assert_eq!(caller.data[3], "http://ADFS.contoso.com/adfs/services/trust");
        assert_eq!(validation.data[3], format!("{name}-The user name or password is incorrect"));
        assert!(
            first.data[1].ends_with("Win32Exception: The user name or password is incorrect"),
            "{first:?}"
        );
        assert!(passive.data[2].contains("MSIS7012: ") && passive.data[2].contains(" ---> "), "{passive:?}");
        assert!(credential.data[1].contains("<FailureType>CredentialValidationError</FailureType>"));
        assert!(credential.data[1].contains(&format!("<UserId>{name}</UserId>")), "{credential:?}");
        assert!([credential, validation].iter().all(|audit| audit.keywords.1 == "Classic,Audit Failure"));
    }
}

#[tokio::test]
async fn what_windows_says_of_an_account_is_in_the_log_and_nowhere_else() {
    let user = service().user(USER);
    for (setting, value, says) in [
        (user.enabled(), json!(false), "currently disabled"),
        (user.locked(), json!(true), "currently locked out"),
        (user.expired(), json!(true), "account has expired"),
        (user.password_expires(), json!("2020-01-01T00:00:00Z"), "password for this account has expired"),
    ] {
        let lab = edited([(setting, value)]).await;
        let events = asked(&lab, &by_password(&[])).await;
        assert_eq!(events.len(), 5, "{says}");
        assert!(events[4].row.data[3].contains(says), "{says}: {:?}", events[4].row.data);
        let answer = lab.journal().records().last().unwrap().document().answer.unwrap();
        assert!(answer.body.to_string().contains("MSIS9659") && !answer.body.to_string().contains(says));
    }
}

#[tokio::test]
async fn a_user_who_was_locked_out_by_wrong_passwords_is_refused_in_the_log_as_such() {
    let lab = edited([(service().lockout(), json!({ "threshold": 1, "minutes": 5 }))]).await;
    asked(&lab, &by_password(&[("password", "wrong")])).await;
    let events = asked(&lab, &by_password(&[])).await;
    assert!(events[4].row.data[3].contains("currently locked out"), "{:?}", events[4].row.data);
}

/// What the event of the log `admin` says, and whether an audit of a token that was not issued is beside it.
fn refused(events: &[Event]) -> (&str, bool) {
    assert_eq!(ids(events)[0], ("admin", 1021), "{events:?}");
    let audited = ids(events)[1..] == [("security", 1201)];
    assert!(audited || events.len() == 1, "{events:?}");
    (&events[0].row.data[0], audited)
}

/// Who is asked, what, what the log says, and whether there is an audit of a token that was not issued.
type Case<'c> = (&'c Lab, Vec<(&'c str, &'c str)>, &'c str, bool);

#[tokio::test]
async fn where_oauth_refuses_the_log_says_more_than_the_client_is_told() {
    let stranger = Draft::of(shipped::second_client()).signed();
    let late = Draft::healthy().claim("exp", 1).signed();
    let scopeless = edited([(web_api().permission(SERVER), json!(["openid"]))]).await;
    let healthy = lab().await;
    let cases: [Case<'_>; 10] = [
        (
            &healthy,
            by_secret(&[("client_id", "nobody")]),
            "OAuthInvalidClientException: MSIS9223: Received invalid OAuth authorization request. The received 'client_id' is \
             invalid as no registered client was found with this client identifier. Make sure that the client is registered. \
             Received client_id: 'nobody'.",
            false,
        ),
        (
            &healthy,
            by_secret(&[("client_secret", "wrong")]),
            "OAuthClientCredentialAuthenticationException: MSIS9622: Client authentication failed. Please verify",
            false,
        ),
        (
            &healthy,
            by_assertion(&stranger),
            "MSIS9344: OAuth Client JsonWebSecurityToken validation failed for the client 'c0117050-0000-4000-8000-00000000a001'. \
             Unable to find a certificate or public key configured under the client which can validate the signature.\n   at \
             Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthClientSigningKeyResolver.",
            false,
        ),
        (
            &healthy,
            by_assertion(&late),
            "OAuthClientCredentialAuthenticationException: MSIS9622: Client authentication failed.",
            false,
        ),
        (
            &healthy,
            by_secret(&[("resource", "https://ax.contoso.com//")]),
            "OAuthInvalidResourceException: MSIS9329: Received invalid OAuth authorization request. The 'resource' parameter's \
             value does not correspond to any valid registered relying party. Received resource: 'https://ax.contoso.com//'.",
            true,
        ),
        (
            &healthy,
            by_secret(&[("resource", SERVER)]),
            "OAuthUnauthorizedClientException: MSIS9321: Received invalid OAuth request. The client \
             'c0117050-0000-4000-8000-00000000a001' is forbidden to access the resource \
             'c0117050-0000-4000-8000-00000000a001'.",
            true,
        ),
        (
            &scopeless,
            by_secret(&[("scope", "email")]),
            "OAuthUnauthorizedClientException: MSIS9368: Received invalid OAuth request. The client \
             'c0117050-0000-4000-8000-00000000a001' is forbidden to access the resource 'https://ax.contoso.com/' with scope \
             'email'.",
            true,
        ),
        (&healthy, Vec::new(), "OAuthInvalidRequestException: MSIS9658: ", false),
        (&healthy, by_secret(&[("grant_type", "magic")]), "OAuthInvalidRequestException: MSIS9611: ", false),
        (
            &healthy,
            by_password(&[("grant_type", "refresh_token"), ("refresh_token", "made-up")]),
            "OAuthInvalidRefreshTokenException: MSIS9614: The refresh token received",
            false,
        ),
    ];
    for (lab, fields, says, wanted) in cases {
        let events = asked(lab, &fields).await;
        let (said, audited) = refused(&events);
        assert!(said.contains(says), "{says}\n{said}");
        assert_eq!(audited, wanted, "{said}");
    }
}

/// The events of a record that says this.
async fn of_record(record: Value) -> Vec<Event> {
    let mut document = json!({
        "sequence": 1, "id": "x-1", "parent": null, "kind": "request", "at": "2026-11-22T12:00:00Z", "surface": "adfs",
        "machine": "federation-service/contoso", "endpoint": "token", "error": "MSIS9622", "facts": [],
        "checks": [{ "name": "assertion-issuer", "expected": "", "actual": "Mysoft", "outcome": "failed" }],
        "request": { "method": "POST", "url": "https://adfs.contoso.com/adfs/oauth2/token" },
        "answer": { "status": 400 }, "activities": {}, "micros": 0, "generation": 0,
    });
    document.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
    let document: RecordDocument = serde_json::from_value(document).unwrap();
    lab().await.events(&Record::from(document))
}

#[tokio::test]
async fn an_assertion_of_somebody_else_names_whom_the_key_was_looked_for() {
    let events = of_record(json!({})).await;
    assert!(refused(&events).0.contains("validation failed for the client 'Mysoft'."), "{events:?}");
}

#[tokio::test]
async fn what_is_no_request_or_of_a_service_that_is_gone_leaves_nothing() {
    for changed in [
        json!({ "kind": "judged" }),
        json!({ "kind": "forged" }),
        json!({ "machine": "federation-service/gone" }),
        json!({ "surface": "nobody" }),
        json!({ "endpoint": "userinfo", "error": "MSIS9921" }),
    ] {
        let nothing = of_record(changed.clone()).await;
        assert!(nothing.is_empty(), "{changed}: {nothing:?}");
    }
}

#[tokio::test]
async fn a_page_leaves_its_364_and_a_document_leaves_nothing() {
    let lab = lab().await;
    get(&lab, HOST, "/adfs/wsfed?wa=1").await;
    let events = left(&lab);
    assert_eq!(ids(&events), [("admin", 364)]);
    let said = &events[0].row.data[2];
    assert!(
        said.contains("MSIS7065: There are no registered protocol handlers on path /adfs/wsfed to process")
    );
    assert!(said.ends_with("OnGetContext(WrappedHttpListenerContext context)"), "{said}");
    let activity = events[0].row.activity.as_deref().unwrap();
    let page = lab.journal().records().last().unwrap().document().answer.unwrap().body;
    assert!(page.to_string().contains(activity), "{page}");
    get(&lab, HOST, "/adfs/discovery/keys").await;
    assert!(left(&lab).is_empty());
}

#[tokio::test]
async fn nothing_that_is_sent_begins_a_line_of_a_log_and_no_secret_stands_in_one() {
    let evil = "a\nLog Name:      Security\u{fffe}\u{0}";
    let events = asked(&lab().await, &by_secret(&[("client_id", evil)])).await;
    let text = events[0].to_text();
    assert_eq!(text.lines().filter(|line| line.starts_with("Log Name:")).count(), 1, "{text}");
    for event in asked(&lab().await, &by_secret(&[("client_id", SECRET)])).await {
        let document = serde_json::to_string(&event.document()).unwrap();
        assert!(document.contains("'***'") && !document.contains(SECRET), "{document}");
    }
}

#[tokio::test]
async fn a_whole_event_is_what_event_viewer_and_its_xml_show() {
    let refused = asked(&lab().await, &by_password(&[("password", "wrong")])).await;
    insta::assert_snapshot!("refused_user_as_text", refused[2].to_text());
    insta::assert_snapshot!("refused_user_as_xml", refused[2].to_xml());
    insta::assert_snapshot!("audit_as_text", refused[3].to_text());
    insta::assert_snapshot!("audit_as_xml", refused[3].to_xml());
}
