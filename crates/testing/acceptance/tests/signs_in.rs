//! A user signs in over sockets, and where that is refused the page, its event and the explanation say why: the registered
//! value, and the setting to change on either side. What is offered was tried out, and heals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use mocktenant_lab::Command;
use mocktenant_testkit::{Cause, Edit, EditedBy, Errand, Explanation, Kind, Lab, Reply, Setting, World};
use mocktenant_world::pointers;
use serde_json::{Value, json};

const NATIVE: &str = "c0117050-0000-4000-8000-00000000a101";
const GROUP: &str = "Microsoft Dynamics 365 for Operations On-premises";

fn asked() -> pointers::SignIn {
    pointers::caller().sign_in()
}

fn registered() -> Setting {
    let group = pointers::federation_service("contoso").application_group(GROUP);
    group.native_application(NATIVE).redirect_uris()
}

/// A lab in which this is wrong, and the answer that the sign-in ended with.
async fn refused(setting: &Setting, value: Value) -> (Lab, Reply) {
    let lab = Lab::start().await;
    lab.apply([Edit::add(setting.clone(), value)]).await;
    let reply = lab.try_sign_in().await.unwrap_err();
    (lab, reply)
}

/// AD FS's page with this error, and event 364 under the same Activity ID; its explanation by that id, as pasted.
fn page_and_event(lab: &Lab, reply: &Reply, error: &str) -> Explanation {
    let text = reply.text();
    assert_eq!((reply.status, reply.header("location")), (200, None));
    assert!(text.contains("An error occurred") && text.contains(&format!("{error}: ")), "{text}");
    let (_, activity) = text.split_once("Activity ID: ").unwrap();
    let activity = &activity[..36];
    let record = lab.lab().journal().find(reply.exchange().unwrap()).unwrap();
    let events: Vec<_> = lab.lab().events(&record).iter().map(mocktenant_lab::Event::document).collect();
    let event = events.iter().find(|event| event.id == 364).unwrap();
    assert!(event.text.contains(error), "{}", event.text);
    assert!(json!(event).to_string().contains(activity), "{event:?}");
    lab.explain(activity).unwrap()
}

/// Each side's change alone heals it, and what was tried out said that nothing else is wrong.
async fn heals(lab: &Lab, explanation: &Explanation, setting: &Setting, wrong: &Value) {
    let cause = explanation.cause.as_ref().unwrap();
    assert!(explanation.also.is_empty(), "{:?}", explanation.also);
    let sides: Vec<&Cause> = std::iter::once(cause).chain(cause.or.as_deref()).collect();
    assert_eq!(sides.len(), 2, "{cause:?}");
    for side in sides.into_iter().filter(|side| side.needs.is_empty()) {
        assert!(!side.change.is_empty(), "{side:?}");
        lab.command(Command::Reset { scope: None }).await;
        lab.apply([Edit::add(setting.clone(), wrong.clone())]).await;
        assert!(lab.try_sign_in().await.is_err());
        lab.apply(side.change.clone()).await;
        assert!(lab.try_sign_in().await.is_ok(), "{side:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_uri_that_differs_is_told_with_the_registered_one_and_mended_on_either_side() {
    for (setting, wrong, sent, known) in [
        (asked().redirect_uri(), json!("http://localhost/cb"), "http://localhost/cb", "http://localhost"),
        (registered(), json!(["http://localhost/cb"]), "http://localhost", "http://localhost/cb"),
        (registered(), json!(["https://app.contoso.com"]), "http://localhost", "https://app.contoso.com"),
    ] {
        let (lab, reply) = refused(&setting, wrong.clone()).await;
        let explanation = page_and_event(&lab, &reply, "MSIS9224");
        let cause = explanation.cause.as_ref().unwrap();
        assert_eq!((cause.kind, &cause.setting), (Kind::Missing, &registered()), "{cause:?}");
        assert_eq!(cause.change, [Edit::add(pointers::end_of(&registered()), sent)]);
        assert!(cause.to_line().contains(known), "{}", cause.to_line());
        let or = cause.or.as_ref().unwrap();
        assert_eq!((or.kind, &or.setting, &*or.expected), (Kind::Caller, &asked().redirect_uri(), known));
        assert_eq!(or.change, [Edit::add(asked().redirect_uri(), known)]);
        let text = explanation.to_text(false);
        for told in [
            format!("cause   {}", cause.to_line()),
            format!("or      the request, redirect_uri: expected {known}, got {sent}"),
            format!("run     mocktenant set /caller/sign_in/redirect_uri {known}"),
        ] {
            assert!(text.contains(&told), "{told}\n{text}");
        }
        heals(&lab, &explanation, &setting, &wrong).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_id_that_nobody_has_is_told_with_the_registered_one_and_mended_by_the_client() {
    let wrong = json!(NATIVE.replace("a101", "a10l"));
    let (lab, reply) = refused(&asked().client_id(), wrong.clone()).await;
    let explanation = page_and_event(&lab, &reply, "MSIS9223");
    let cause = explanation.cause.as_ref().unwrap();
    assert_eq!((cause.kind, &cause.setting, &*cause.expected), (Kind::Caller, &asked().client_id(), NATIVE));
    assert_eq!(cause.change, [Edit::add(asked().client_id(), NATIVE)]);
    let or = cause.or.as_ref().unwrap();
    let groups = pointers::federation_service("contoso").application_groups();
    assert_eq!((or.kind, &or.setting), (Kind::Missing, &groups));
    assert_eq!(or.needs[0].path, groups);
    heals(&lab, &explanation, &asked().client_id(), &wrong).await;

    // Nothing like it is registered: which one is meant only a person knows, and all that would do are named.
    let (lab, reply) = refused(&asked().client_id(), json!("6f7d0213-62b1-43a8-b7f4-ff2bb8b7b452")).await;
    let explanation = page_and_event(&lab, &reply, "MSIS9223");
    let cause = explanation.cause.as_ref().unwrap();
    assert!(cause.change.is_empty() && !cause.needs.is_empty());
    let line = cause.to_line();
    assert!(line.contains(NATIVE) && line.contains("c0117050-0000-4000-8000-00000000a001"), "{line}");
    assert!(!line.contains("d8230a86"), "that one has another redirect URI: {line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_somebody_elses_request_the_registered_value_is_told_and_no_change_of_the_caller() {
    let lab = Lab::start().await;
    let base = lab.settings().adfs.as_ref().unwrap().base_url.clone();
    let url = |client: &str, to: &str| {
        format!("{base}/oauth2/authorize?client_id={client}&redirect_uri={to}&response_type=code")
    };
    let reply = lab.client().get(&url(NATIVE, "http://localhost/elsewhere")).await;
    let cause = page_and_event(&lab, &reply, "MSIS9224").cause.unwrap();
    assert_eq!(cause.setting, registered());
    let or = cause.or.unwrap();
    assert_eq!((&*or.expected, or.change.len(), or.needs.len()), ("http://localhost", 0, 0));
    let reply = lab.client().get(&url(&NATIVE.replace("a101", "a1012"), "http://localhost")).await;
    let cause = page_and_event(&lab, &reply, "MSIS9223").cause.unwrap();
    assert!(cause.or.is_none() && cause.to_line().contains(NATIVE), "{}", cause.to_line());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_else_a_client_and_a_user_get_wrong_names_what_they_say() {
    let service = pointers::federation_service("contoso");
    let user = service.user("ada@contoso.com");
    let web_api = service.application_group(GROUP).web_api("https://ax.contoso.com/namespaces/AXSF");
    for (setting, value, named) in [
        (asked().user(), json!("adda@contoso.com"), asked().user()),
        (asked().password(), json!("wrong"), asked().password()),
        (asked().resource(), json!("https://ax.contoso.com/namespaces/axsf"), web_api.identifiers()),
        (user.locked(), json!(true), user.locked()),
        (user.password_expires(), json!("2020-01-01T00:00:00Z"), user.password_expires()),
        (asked().client_id(), json!("c0117050-0000-4000-8000-00000000a001"), asked().client_secret()),
    ] {
        let (lab, reply) = refused(&setting, value).await;
        let explanation = lab.explain(reply.exchange().unwrap()).unwrap();
        let cause = explanation.cause.as_ref().unwrap();
        assert_eq!(cause.setting, named, "{setting}: {}", explanation.to_text(true));
        assert!(explanation.also.is_empty(), "{setting}: {:?}", explanation.also);
        let supplied = cause.needs.iter().map(|need| {
            if need.path == asked().client_secret() {
                Edit::add(need.path.clone(), "contoso-app-secret-not-secret")
            } else {
                Edit::remove(need.path.clone())
            }
        });
        lab.apply(cause.change.iter().cloned().chain(supplied).collect::<Vec<_>>()).await;
        assert!(lab.try_sign_in().await.is_ok(), "{setting}: {}", lab.failure_report());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_signs_in_by_mail_the_service_takes_mail_or_the_user_types_another_name() {
    let mail = json!("grace.hopper@contoso.com");
    let setting = pointers::federation_service("contoso").alternate_login_id();
    for edit in [Edit::remove(setting.clone()), Edit::add(setting.clone(), "sn")] {
        let lab = Lab::start().await;
        lab.apply([edit.clone(), Edit::add(asked().user(), mail.clone())]).await;
        let reply = lab.try_sign_in().await.unwrap_err();
        let explanation = lab.explain(reply.exchange().unwrap()).unwrap();
        assert!(explanation.also.is_empty(), "{:?}", explanation.also);
        let cause = explanation.cause.unwrap();
        assert_eq!((&cause.setting, &*cause.expected), (&setting, "mail"), "{cause:?}");
        let or = cause.or.unwrap();
        assert_eq!((&or.setting, &*or.expected), (&asked().user(), "grace@contoso.com"));
        for change in [cause.change, or.change] {
            lab.command(Command::Reset { scope: None }).await;
            lab.apply([edit.clone(), Edit::add(asked().user(), mail.clone())]).await;
            assert!(lab.try_sign_in().await.is_err());
            lab.apply(change.clone()).await;
            assert_eq!(lab.sign_in().await.claims()["upn"], "grace@contoso.com", "{change:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_of_a_sign_in_breaks_as_told_and_what_explain_says_heals_it() {
    let mut told = 0;
    for scenario in mocktenant_scenario::all() {
        if scenario.does != Some(Errand::SignIn) {
            continue;
        }
        told += 1;
        let lab = Lab::scenario(&scenario.name).start().await;
        let reply = lab.drive().await;
        let explanation = lab.explain(reply.exchange().unwrap()).unwrap();
        let cause = explanation.cause.clone().unwrap();
        assert!(explanation.also.is_empty(), "{}: {:?}", scenario.name, explanation.also);
        let restored = cause.needs.iter().map(|need| Edit::remove(need.path.clone()));
        let edits: Vec<Edit> = cause.change.iter().cloned().chain(restored).collect();
        // Where a row is missing, what is needed stands in for it.
        let edits = if cause.change.is_empty() && scenario.at.is_some() {
            cause.needs.iter().flat_map(|need| need.stand_in.iter().cloned()).collect()
        } else {
            edits
        };
        lab.command(Command::Edit { edits, by: EditedBy::Control }).await;
        if scenario.at.is_some() {
            lab.restart("onprem").await;
        }
        assert!(lab.try_sign_in().await.is_ok(), "{}: {}", scenario.name, lab.failure_report());
    }
    assert_eq!(told, 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_federation_service_is_signed_in_to_over_sockets_too() {
    let world = World::contoso().unwrap();
    let mut second = world.get(&pointers::federation_service("contoso")).unwrap().clone();
    second["host_name"] = json!("sts.fabrikam.com");
    let edits = [
        Edit::add(pointers::federation_service("fabrikam").setting(), second),
        Edit::replace(asked().provider(), "fabrikam"),
    ];
    let world = world.edited(&edits, EditedBy::Control).unwrap();
    let lab = Lab::builder().world(world).start().await;
    assert_eq!(lab.sign_in().await.claims()["iss"], "https://sts.fabrikam.com/adfs");
}
