//! Refresh tokens: what they give, how long they are good, and whose.

use mocktenant_lab::{ClockChange, Command, Lab, Scope};
use mocktenant_verdict::Switches;
use mocktenant_world::{Edit, EditedBy};
use serde_json::json;
use time::Duration;

use crate::front_door::*;

async fn signed_in(lab: &Lab, changes: &[(&str, &str)]) -> String {
    ask(lab, &by_password(changes)).await.of("refresh_token")
}

async fn refresh(lab: &Lab, token: &str, changes: &[(&str, &str)]) -> Reply {
    let fields = [("grant_type", "refresh_token"), ("client_id", NATIVE), ("refresh_token", token)];
    ask(lab, &changed(&fields, changes)).await
}

async fn apply(lab: &Lab, edit: Edit) {
    lab.apply(Command::Edit { edits: vec![edit], by: EditedBy::Control }).await.unwrap();
}

#[tokio::test]
async fn a_refresh_gives_no_new_refresh_token_and_the_old_one_stays_good() {
    let lab = lab().await;
    let token = signed_in(&lab, &[]).await;
    for hours in 1..4 {
        lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::hours(hours)))).await.unwrap();
        let reply = refresh(&lab, &token, &[]).await;
        assert_eq!(reply.members().join(" "), "access_token token_type expires_in scope id_token");
        let access = verified(&lab, &reply.of("access_token")).await;
        assert_eq!(access["auth_time"], "2026-08-21T10:00:00.250Z", "when the user signed in");
        assert_eq!(access["aud"], RESOURCE);
        assert_eq!(verified(&lab, &reply.of("id_token")).await["auth_time"], NOW.unix_timestamp());
    }
}

#[tokio::test]
async fn a_refresh_for_another_resource_gives_a_token_for_that_one_if_the_client_is_permitted() {
    let lab = lab().await;
    let token = signed_in(&lab, &[]).await;
    let reply = refresh(&lab, &token, &[("resource", SERVER)]).await;
    let access = verified(&lab, &reply.of("access_token")).await;
    assert_eq!(access["aud"], format!("microsoft:identityserver:{SERVER}"));
    assert_eq!(
        refresh(&lab, &token, &[("resource", "https://nobody.example")]).await.refusal().1,
        "MSIS9602"
    );
    apply(&lab, Edit::add(web_api().permissions(), json!({}))).await;
    assert_eq!(
        refresh(&lab, &token, &[]).await.refusal().1,
        "MSIS9605",
        "permissions are looked at each time"
    );
}

#[tokio::test]
async fn after_the_session_it_has_expired_which_is_a_401() {
    let lab = lab().await;
    let token = signed_in(&lab, &[]).await;
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::seconds(28_799)))).await.unwrap();
    assert_eq!(refresh(&lab, &token, &[]).await.status, 200);
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::seconds(28_800)))).await.unwrap();
    let reply = refresh(&lab, &token, &[]).await;
    assert_eq!((reply.status, reply.refusal()), (401, ("invalid_grant".into(), "MSIS9615".into())));
}

#[tokio::test]
async fn it_is_nobody_elses() {
    let second = service().application_group(GROUP).native_application("another-client");
    let other_service = json!({
        "host_name": "sts.fabrikam.com",
        "display_name": "Fabrikam",
        "signing_keys": ["shipped:adfs-signing-next"],
        "decrypting_key": "shipped:adfs-decrypting",
        "application_groups": { "g": { "native_applications": { NATIVE: { "name": "native" } } } },
        "users": { USER: { "name": "Ada", "account": "FABRIKAM\\ada", "password": PASSWORD, "sid": "S-1-5-21-1" } },
    });
    let lab = edited([
        (second.setting(), json!({ "name": "another" })),
        (mocktenant_world::pointers::federation_service("fabrikam").setting(), other_service),
    ])
    .await;
    let token = signed_in(&lab, &[("resource", "")]).await;
    let stolen = refresh(&lab, &token, &[("client_id", "another-client")]).await;
    assert_eq!(stolen.refusal(), ("invalid_grant".into(), "MSIS9614".into()));
    assert_eq!(decided(&lab), "refresh-token-client");
    let fields = [("grant_type", "refresh_token"), ("client_id", NATIVE), ("refresh_token", token.as_str())];
    let elsewhere = send(&lab, form_request("sts.fabrikam.com", TOKEN, &fields, &[])).await;
    assert_eq!(elsewhere.refusal().1, "MSIS9614");
    assert!(last_check(&lab, "refresh-token").actual.contains("another owner's"));
    let theirs =
        send(&lab, form_request("sts.fabrikam.com", TOKEN, &by_password(&[("resource", "")]), &[])).await;
    assert_eq!(refresh(&lab, &theirs.of("refresh_token"), &[]).await.refusal().1, "MSIS9614");
    // Turned off, the client's question lets it through: the guard is that question.
    let off = lab_with(
        vec![Edit::add(second.setting(), json!({ "name": "another" }))],
        Switches::off(["refresh-token-client"]),
    )
    .await;
    let token = signed_in(&off, &[("resource", "")]).await;
    assert_eq!(refresh(&off, &token, &[("client_id", "another-client")]).await.status, 200);
}

#[tokio::test]
async fn forged_cut_and_changed_ones_are_invalid() {
    let lab = lab().await;
    let token = signed_in(&lab, &[]).await;
    let other = seeded(2).await;
    let mut wrong = vec![String::from("x"), format!("{token}A"), signed_in(&other, &[]).await];
    wrong.extend((1..token.len()).step_by(7).map(|end| token[..end].to_owned()));
    wrong.extend((0..token.len()).step_by(11).map(|at| {
        let swap = if &token[at..=at] == "A" { "B" } else { "A" };
        format!("{}{swap}{}", &token[..at], &token[at + 1..])
    }));
    for one in wrong {
        assert_eq!(refresh(&lab, &one, &[]).await.refusal().1, "MSIS9614", "{one}");
    }
    assert_eq!(refresh(&lab, &token, &[]).await.status, 200);
}

#[tokio::test]
async fn a_reset_of_the_service_makes_it_void_and_one_of_another_scope_does_not() {
    let lab = lab().await;
    let token = signed_in(&lab, &[]).await;
    let reset = |scope| Command::Reset { scope: Some(scope) };
    lab.apply(reset(Scope::environment("onebox"))).await.unwrap();
    assert_eq!(refresh(&lab, &token, &[]).await.status, 200);
    lab.apply(reset(Scope::federation_service(SERVICE))).await.unwrap();
    assert_eq!(refresh(&lab, &token, &[]).await.refusal().1, "MSIS9614");
    assert!(last_check(&lab, "refresh-token").actual.contains("reset"));
}

#[tokio::test]
async fn a_user_who_may_not_sign_in_any_more_is_not_refreshed() {
    for (setting, value) in [
        (service().user(USER).enabled(), json!(false)),
        (service().user(USER).locked(), json!(true)),
        (service().user(USER).expired(), json!(true)),
    ] {
        let lab = lab().await;
        let token = signed_in(&lab, &[]).await;
        apply(&lab, Edit::add(setting, value)).await;
        assert_eq!(refresh(&lab, &token, &[]).await.refusal(), ("invalid_grant".into(), "MSIS9614".into()));
    }
    let lab = lab().await;
    let token = signed_in(&lab, &[]).await;
    apply(&lab, Edit::remove(service().user(USER).setting())).await;
    assert_eq!(refresh(&lab, &token, &[]).await.refusal().1, "MSIS9614");
}

#[tokio::test]
async fn a_client_alone_gets_none() {
    let body = ask(&lab().await, &by_secret(&[("scope", "openid")])).await.json();
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
}
