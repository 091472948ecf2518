//! Wrong passwords lock a user out where the service says so, and nobody by default.

use mocktenant_lab::{ClockChange, Command, Lab, Scope};
use mocktenant_verdict::Switches;
use mocktenant_world::Edit;
use serde_json::json;
use time::Duration;

use crate::front_door::*;

async fn guess(lab: &Lab, password: &str) -> u16 {
    ask(lab, &by_password(&[("password", password)])).await.status
}

#[tokio::test]
async fn by_default_nobody_is_locked_out() {
    let lab = lab().await;
    for _ in 0..50 {
        assert_eq!(guess(&lab, "wrong").await, 400);
    }
    assert_eq!(guess(&lab, PASSWORD).await, 200);
}

#[tokio::test]
async fn so_many_wrong_passwords_lock_for_so_long_and_the_client_is_told_nothing_new() {
    let lab = edited([(service().lockout(), json!({ "threshold": 3, "minutes": 15 }))]).await;
    for _ in 0..3 {
        assert_eq!(guess(&lab, "wrong").await, 400);
    }
    let reply = ask(&lab, &by_password(&[])).await;
    assert_eq!(
        reply.refusal(),
        ("invalid_grant".into(), "MSIS9659".into()),
        "the right password comes too late"
    );
    assert_eq!(decided(&lab), "user-not-locked-out");
    assert_eq!(last_check(&lab, "user-not-locked-out").settings, [service().lockout()]);
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::minutes(16)))).await.unwrap();
    assert_eq!(guess(&lab, PASSWORD).await, 200);
}

#[tokio::test]
async fn a_right_password_forgets_the_wrong_ones_and_a_reset_does_too() {
    let lab = edited([(service().lockout(), json!({ "threshold": 3, "minutes": 15 }))]).await;
    for _ in 0..4 {
        for _ in 0..2 {
            assert_eq!(guess(&lab, "wrong").await, 400);
        }
        assert_eq!(guess(&lab, PASSWORD).await, 200);
    }
    for _ in 0..3 {
        guess(&lab, "wrong").await;
    }
    assert_eq!(guess(&lab, PASSWORD).await, 400);
    // The base world has the policy still: it began with it.
    lab.apply(Command::Reset { scope: Some(Scope::federation_service(SERVICE)) }).await.unwrap();
    assert_eq!(guess(&lab, PASSWORD).await, 200);
}

#[tokio::test]
async fn who_may_not_ask_guesses_nothing() {
    let lab = edited([(service().lockout(), json!({ "threshold": 1, "minutes": 15 }))]).await;
    for fields in [
        by_password(&[("client_id", "nobody"), ("password", "wrong")]),
        by_password(&[("client_id", SERVER), ("password", "wrong")]),
        by_password(&[("username", "nobody@contoso.com")]),
        by_password(&[("resource", "https://nobody.example")]),
    ] {
        assert_eq!(ask(&lab, &fields).await.status, 400);
    }
    assert_eq!(guess(&lab, PASSWORD).await, 200);
}

#[tokio::test]
async fn the_question_is_what_locks() {
    let policy = Edit::add(service().lockout(), json!({ "threshold": 1, "minutes": 15 }));
    let lab = lab_with(vec![policy], Switches::off(["user-not-locked-out"])).await;
    for _ in 0..3 {
        assert_eq!(guess(&lab, "wrong").await, 400);
    }
    assert_eq!(guess(&lab, PASSWORD).await, 200);
}
