//! The authorization endpoint's own page: a client or a redirect URI that is not registered is never redirected, leaves an
//! event under the page's Activity ID, and is told what is registered.

use mocktenant_lab::{Command, Lab};
use mocktenant_verdict::Switches;
use mocktenant_world::{Edit, EditedBy};
use serde_json::json;

use crate::front_door::*;

const DYNAMICS: &str = "d8230a86-015d-4c14-bcd6-c7fb65176b16";
const REGISTERED: &str = "https://ax.contoso.com/namespaces/AXSF";

/// An authorization request, healthy but for what is changed.
fn asked(changes: &[(&str, &str)]) -> String {
    let healthy = [
        ("client_id", DYNAMICS),
        ("redirect_uri", REGISTERED),
        ("response_type", "code"),
        ("resource", RESOURCE),
        ("state", "12345"),
    ];
    let fields = changed(&healthy, changes);
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/adfs/oauth2/authorize?{query}")
}

async fn page(lab: &Lab, target: &str) -> String {
    let reply = get(lab, HOST, target).await;
    assert_eq!((reply.status, reply.header("location")), (200, ""), "{target}");
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    reply.text()
}

/// What the event log says of the last exchange: id, and the details of the exception.
fn logged(lab: &Lab) -> (u16, String) {
    let record = lab.journal().records().pop().unwrap();
    let events = lab.events(&record);
    assert_eq!(events.len(), 1);
    let document = events[0].document();
    (document.id, document.text)
}

#[tokio::test]
async fn a_client_that_nobody_registered_gets_the_page_and_its_event() {
    let lab = lab().await;
    let text = page(&lab, &asked(&[("client_id", "d8230a86-0000-4000-8000-000000000000")])).await;
    assert!(text.contains("MSIS9223") && text.contains("d8230a86-0000-4000-8000-000000000000"), "{text}");
    assert_eq!(decided(&lab), "client-registered");
    let record = lab.journal().records().pop().unwrap();
    let activity = record.activities.iter().find(|(name, _)| name == "activity-id").unwrap().1.clone();
    assert!(text.contains(&format!("Activity ID: {activity}")));
    let (id, event) = logged(&lab);
    assert!(
        id == 364
            && event.contains("OAuthAuthorizationProtocol")
            && event.contains("OAuthInvalidClientException"),
        "{event}"
    );
    assert!(
        text.contains("Microsoft Dynamics 365 for Operations On-premises - Web API"),
        "the relying party is known: {text}"
    );
    let text = page(&lab, &asked(&[("client_id", "")])).await;
    assert!(text.contains("MSIS9223"));
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_registered_gets_the_page_and_is_told_which_is() {
    let lab = lab().await;
    for (sent, near, by) in [
        ("https://ax.contoso.com/namespaces/axsf", REGISTERED, "letter case"),
        ("http://ax.contoso.com/namespaces/AXSF", REGISTERED, "its scheme"),
        ("https://ax.contoso.com:7445/namespaces/AXSF", REGISTERED, "its port"),
        ("https://ax.contoso.com/", "https://ax.contoso.com/namespaces/AXSF/", "its path"),
    ] {
        let text = page(&lab, &asked(&[("redirect_uri", sent)])).await;
        assert!(text.contains("MSIS9224") && text.contains(sent), "{sent}: {text}");
        let check = last_check(&lab, "redirect-uri");
        assert!(
            check.failed() && check.actual.contains(near) && check.actual.contains(by),
            "{sent}: {}",
            check.actual
        );
        let remedy = check.remedy.unwrap();
        assert_eq!(remedy.instead[0].to_string(), near);
        let (id, event) = logged(&lab);
        assert!(
            id == 364 && event.contains("MSIS9224") && event.contains("OAuthAuthorizationRequestContext"),
            "{event}"
        );
        // Registered, it is taken.
        let edits = remedy.here.unwrap().edits;
        let healed = crate::front_door::lab().await;
        healed.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
        assert!(page(&healed, &asked(&[("redirect_uri", sent)])).await.contains("loginForm"), "{sent}");
    }
    let text = page(&lab, &asked(&[("redirect_uri", "")])).await;
    assert!(text.contains("MSIS9221"), "two are registered, and none is named: {text}");
}

#[tokio::test]
async fn no_trick_leads_to_a_redirect_uri_that_is_not_registered() {
    let lab = lab().await;
    for sent in [
        "https://ax.contoso.com.evil.example/namespaces/AXSF",
        "https://ax.contoso.com@evil.example/namespaces/AXSF",
        "https://evil.example\\@ax.contoso.com/namespaces/AXSF",
        "https://ax.contoso.com/namespaces/AXSF/../evil",
        "https://ax.contoso.com/namespaces/AXSF#x",
        "https://ax.contoso.com/namespaces/AXSF?x=1",
        "https://ax.contoso.com/namespaces/%41XSF",
        " https://ax.contoso.com/namespaces/AXSF",
        "javascript:alert(1)//https://ax.contoso.com/namespaces/AXSF",
        "//ax.contoso.com/namespaces/AXSF",
        "https:ax.contoso.com/namespaces/AXSF",
    ] {
        let text = page(&lab, &asked(&[("redirect_uri", sent)])).await;
        assert!(text.contains("MSIS9224"), "{sent}");
        assert!(!text.contains("<script") && !text.contains("href=\"javascript"), "{sent}");
        assert_eq!(decided(&lab), "redirect-uri", "{sent}");
    }
    let host = "https://AX.contoso.com/namespaces/AXSF";
    assert!(
        page(&lab, &asked(&[("redirect_uri", host)])).await.contains("loginForm"),
        "a host has no letter case"
    );
}

#[tokio::test]
async fn what_is_echoed_is_escaped() {
    let lab = lab().await;
    let script = "<script>alert('1')</script>\"'&";
    for field in ["client_id", "redirect_uri", "login_hint", "state"] {
        let text = page(&lab, &asked(&[(field, script)])).await;
        assert!(!text.contains("<script>"), "{field}: {text}");
    }
}

#[tokio::test]
async fn a_request_in_order_is_answered_with_the_page_to_sign_in_on() {
    let lab = lab().await;
    for one in [asked(&[]), asked(&[("client_id", SERVER), ("redirect_uri", "")])] {
        assert!(page(&lab, &one).await.contains("loginForm"));
        let record = lab.journal().records().pop().unwrap();
        assert!(record.error.is_none() && record.checks.iter().all(|check| !check.failed()));
    }
    let text = page(&lab, &format!("{}&client_id=x", asked(&[]))).await;
    assert!(text.contains("MSIS7009"), "a parameter twice: {text}");
}

#[tokio::test]
async fn a_check_that_is_turned_off_keeps_nobody_back() {
    for (check, changes) in [
        ("redirect-uri", ("redirect_uri", "https://evil.example/")),
        ("client-id", ("client_id", "")),
        ("client-registered", ("client_id", "nobody")),
    ] {
        let lab = lab_with(Vec::new(), Switches::off([check])).await;
        get(&lab, HOST, &asked(&[changes])).await;
        assert_ne!(decided(&lab), check);
    }
    let twice = format!("{}&state=1", asked(&[]));
    let lab = lab_with(Vec::new(), Switches::off(["authorize-request"])).await;
    get(&lab, HOST, &twice).await;
    assert_ne!(decided(&lab), "authorize-request");
}

#[tokio::test]
async fn an_application_that_registered_nothing_has_nowhere_to_go() {
    let native = service().application_group(GROUP).native_application(DYNAMICS);
    let lab = lab_with(vec![Edit::add(native.redirect_uris(), json!([]))], Switches::default()).await;
    assert!(page(&lab, &asked(&[])).await.contains("MSIS9224"));
    assert!(page(&lab, &asked(&[("redirect_uri", "")])).await.contains("MSIS9221"));
}

#[tokio::test]
async fn page_and_event_say_the_same_whole_however_long_it_is() {
    let lab = lab().await;
    let long = "x".repeat(3_000);
    let uri = format!("https://ax.contoso.com/{long}");
    let client = format!("nobody{long}");
    for (changes, number) in [
        (("redirect_uri", uri.as_str()), "MSIS9224"),
        (("redirect_uri", "https://ax.contoso.com/namespaces/axsf"), "MSIS9224"),
        (("client_id", client.as_str()), "MSIS9223"),
        (("redirect_uri", ""), "MSIS9221"),
    ] {
        let text = page(&lab, &asked(&[changes])).await;
        let (_, said) = text.split_once(&format!("Error details: {number}: ")).unwrap();
        let said = said.split("</li>").next().unwrap().replace("&#39;", "'");
        let (id, event) = logged(&lab);
        assert!(id == 364 && event.contains(&format!("Exception: {number}: {said}")), "{said}\n{event}");
        assert!(said.contains(changes.1), "{said}");
        assert!(event.contains("OAuthAuthorizationRequestContext.ValidateCore()"), "{event}");
    }
}
