//! Wrong passwords lock a user out where the service says so, and nobody by default.

use mocktenant_lab::{ClockChange, Command, Lab, Scope};
use mocktenant_verdict::Switches;
use mocktenant_world::Edit;
use serde_json::json;
use time::Duration;

use crate::browser::{Browser, typed};
use crate::front_door::*;
use crate::sign_in::{WRONG, asked};

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

#[tokio::test]
async fn wrong_passwords_on_the_page_lock_a_user_out_and_nobody_is_told() {
    let lab = edited([(service().lockout(), json!({ "threshold": 2, "minutes": 30 }))]).await;
    for password in ["wrong", "wrong", PASSWORD] {
        let reply = Browser::default().fill(&lab, &asked(&[]), &typed(USER, password)).await;
        assert!(reply.status == 200 && reply.text().contains(WRONG), "{}", reply.text());
    }
    assert_eq!(decided(&lab), "user-not-locked-out");
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::minutes(31)))).await.unwrap();
    assert_eq!(Browser::default().fill(&lab, &asked(&[]), &typed(USER, PASSWORD)).await.status, 302);
}

#[tokio::test]
async fn no_trick_forgets_wrong_passwords_or_tells_a_right_one() {
    let lockout = (service().lockout(), json!({ "threshold": 2, "minutes": 30 }));
    let lab = edited([lockout.clone()]).await;
    let wrong = typed(USER, "wrong");
    let mut back = wrong.clone();
    back.push(("Back", "true"));
    let unbuilt = asked(&[("response_type", "id_token token"), ("nonce", "n")]);
    for (target, fields) in
        [(asked(&[]), &wrong), (asked(&[]), &back), (unbuilt, &wrong), (asked(&[]), &wrong)]
    {
        Browser::default().fill(&lab, &target, fields).await;
    }
    let reply = Browser::default().fill(&lab, &asked(&[]), &typed(USER, PASSWORD)).await;
    assert!(reply.status == 200 && reply.text().contains(WRONG), "locked out all the same");
    // Somebody whose password has run out is told nothing else while locked out.
    let expired = (service().user(USER).password_expires(), json!("2026-08-20T00:00:00Z"));
    let lab = edited([lockout, expired]).await;
    for _ in 0..2 {
        Browser::default().fill(&lab, &asked(&[]), &wrong).await;
    }
    let reply = Browser::default().fill(&lab, &asked(&[]), &typed(USER, PASSWORD)).await;
    assert!(reply.text().contains(WRONG) && !reply.text().contains("expired"), "{}", reply.text());
    let reply = ask(&lab, &by_password(&[("resource", "https://nobody.example")])).await;
    assert_eq!(reply.refusal().1, "MSIS9659", "at the token endpoint neither");
}
