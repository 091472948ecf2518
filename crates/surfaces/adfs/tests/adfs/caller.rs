//! The caller of the world signs its user in, whatever the pages are like, and is refused as anybody is.

use mocktenant_lab::caller::{DriveError, drive, drive_as};
use mocktenant_lab::{Attempt, InProcess, Lab, SignedIn};
use mocktenant_verdict::Switches;
use mocktenant_world::{Edit, Errand, Setting, pointers};
use serde_json::{Value, json};

use crate::front_door::*;
use crate::sign_in::WRONG;

fn asked() -> pointers::SignIn {
    pointers::caller().sign_in()
}

async fn lab_of(edits: impl IntoIterator<Item = (Setting, Value)>) -> Lab {
    let does = (pointers::caller().does(), json!("sign-in"));
    edited(std::iter::once(does).chain(edits)).await
}

async fn signs_in(lab: &Lab) -> Attempt {
    drive(lab, &InProcess::by_world_names(lab)).await.unwrap()
}

async fn done(lab: &Lab) -> SignedIn {
    let attempt = signs_in(lab).await;
    assert!(!attempt.refused(), "{} {}", attempt.status, String::from_utf8_lossy(&attempt.body));
    *attempt.signed_in.unwrap()
}

#[tokio::test]
async fn the_default_worlds_caller_signs_in_and_redeems_its_code_on_one_page_and_on_two() {
    for profile in PROFILES {
        for pages in [None, Some(true), Some(false)] {
            let set = pages.map(|on| (service().paginated_sign_in(), json!(on)));
            let lab = lab_of(std::iter::once((service().profile(), json!(profile))).chain(set)).await;
            let attempt = signs_in(&lab).await;
            let signed_in = attempt.signed_in.unwrap();
            let names: Vec<&str> = signed_in.returned.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["code", "state", "client-request-id"], "{profile} {pages:?}");
            assert_eq!(signed_in.tokens["resource"], WEB_API);
            assert_eq!(signed_in.claims()["upn"], USER);
            assert_eq!(attempt.token.as_deref(), signed_in.access_token());
            assert!(signed_in.refresh_token().is_some());
            let two = pages.unwrap_or(profile != "2016");
            // The page, its form or two, the redirect, and then the client.
            assert_eq!(attempt.before.len(), if two { 4 } else { 3 });
            let record = lab.journal().find(&attempt.exchange).unwrap();
            assert_eq!((&*record.endpoint, record.status), ("token", 200));
        }
    }
}

#[tokio::test]
async fn a_confidential_client_redeems_with_its_secret() {
    let server =
        |secret: &str| [(asked().client_id(), json!(SERVER)), (asked().client_secret(), json!(secret))];
    assert_eq!(done(&lab_of(server(SECRET)).await).await.claims()["upn"], USER);
    let lab = lab_of(server("another")).await;
    let attempt = signs_in(&lab).await;
    assert!(attempt.refused() && attempt.signed_in.as_ref().unwrap().code().is_some());
    assert_eq!((attempt.status.as_u16(), &*attempt.json()["error"].to_string()), (400, "\"invalid_client\""));
    assert_eq!(decided(&lab), "secret-matches");
}

#[tokio::test]
async fn an_id_token_is_posted_to_the_client() {
    let lab = lab_of([(asked().flow(), json!("id_token"))]).await;
    let attempt = signs_in(&lab).await;
    assert!(!attempt.refused());
    let signed_in = attempt.signed_in.unwrap();
    assert_eq!((signed_in.code(), signed_in.access_token()), (None, None));
    assert_eq!(signed_in.parameter("state"), Some("signing-in"));
    let claims = verified(&lab, signed_in.id_token().unwrap()).await;
    assert_eq!((&claims["aud"], &claims["upn"]), (&json!(NATIVE), &json!(USER)));
    assert_eq!(Value::Object(claims), signed_in.claims());
}

#[tokio::test]
async fn another_service_than_the_first_is_reached_by_its_name() {
    let mut second = edited([]).await.world().get(&service()).unwrap().clone();
    second["host_name"] = json!("sts.fabrikam.com");
    let lab = lab_of([
        (pointers::federation_service("fabrikam").into(), second),
        (asked().provider(), json!("fabrikam")),
    ])
    .await;
    let signed_in = done(&lab).await;
    assert_eq!(signed_in.claims()["iss"], "https://sts.fabrikam.com/adfs");
    let hosts: Vec<String> = lab.journal().records().iter().map(|record| record.host.to_string()).collect();
    assert!(hosts.iter().all(|host| host == "sts.fabrikam.com"), "{hosts:?}");
}

/// A wrong setting, the check that refuses, and what a person reads.
#[tokio::test]
async fn what_is_wrong_is_refused_where_it_is() {
    let redirect_uris = service().application_group(GROUP).native_application(NATIVE).redirect_uris();
    let user = service().user(USER);
    for (setting, value, check, status, reads) in [
        (asked().client_id(), json!("nobody"), "client-registered", 200, "MSIS9223"),
        (asked().redirect_uri(), json!("http://localhost/"), "redirect-uri", 200, "MSIS9224"),
        (redirect_uris, json!(["http://localhost:1"]), "redirect-uri", 200, "MSIS9224"),
        (asked().resource(), json!("urn:nothing"), "resource", 302, "MSIS9602"),
        (asked().user(), json!("nobody@contoso.com"), "user-known", 200, WRONG),
        (asked().password(), json!("wrong"), "password-matches", 200, WRONG),
        (user.enabled(), json!(false), "user-enabled", 200, WRONG),
        (
            user.password_expires(),
            json!("2020-01-01T00:00:00Z"),
            "password-in-date",
            200,
            "Your password has expired.",
        ),
    ] {
        let lab = lab_of([(setting.clone(), value)]).await;
        let attempt = signs_in(&lab).await;
        assert!(attempt.refused(), "{setting}");
        assert_eq!((decided(&lab).as_str(), attempt.status.as_u16()), (check, status), "{setting}");
        let shown = attempt.shown();
        assert!(shown.iter().any(|line| line.contains(reads)), "{setting}: {shown:?}");
        assert_eq!(lab.journal().records().last().unwrap().id.to_string(), attempt.exchange, "{setting}");
        // Switched off, it would have been let through to another question.
        let does = Edit::add(pointers::caller().does(), "sign-in");
        let world = lab.world().get(&setting).unwrap().clone();
        let off = lab_with(vec![does, Edit::add(setting.clone(), world)], Switches::off([check])).await;
        let other = drive(&off, &InProcess::by_world_names(&off)).await;
        assert!(other.is_err() || decided(&off) != check, "{setting}");
    }
}

#[tokio::test]
async fn a_password_is_typed_once_and_a_page_that_asks_for_more_is_said() {
    let lab = lab_of([(asked().password(), json!("wrong"))]).await;
    signs_in(&lab).await;
    let posts = lab.journal().records().iter().filter(|record| record.method == "POST").count();
    assert_eq!(posts, 2, "the name, and the password once");
    let lab = lab_of([(asked().user(), json!(""))]).await;
    let error = drive(&lab, &InProcess::by_world_names(&lab)).await.unwrap_err();
    assert!(matches!(error, DriveError::AskedForMore { .. }), "{error}");
}

#[tokio::test]
async fn nobody_signs_in_where_the_world_does_not_say_how() {
    for edits in [vec![Edit::remove(asked().setting())], vec![Edit::add(asked().provider(), "nowhere")]] {
        let lab = lab_with(edits, Switches::default()).await;
        let way = InProcess::by_world_names(&lab);
        let error = drive_as(&lab, &way, Errand::SignIn, None).await.unwrap_err();
        assert_eq!(error.to_string(), "no product of this world is asked for sign-in");
    }
}
