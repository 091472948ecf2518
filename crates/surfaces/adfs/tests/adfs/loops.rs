//! Loops: what the cookie counts, and who is stopped where the service looks for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::SET_COOKIE;
use mocktenant_lab::{ClockChange, Command, Lab};
use mocktenant_verdict::Switches;
use mocktenant_world::{Edit, World};
use serde_json::{Value, json};
use time::Duration;

use crate::browser::{Browser, typed};
use crate::front_door::*;
use crate::sign_in::asked;

const COOKIE: &str = "MSISLoopDetectionCookie";

/// What the cookie says.
fn counted(browser: &Browser) -> String {
    let (_, value) = browser.cookies.iter().find(|(name, _)| name == COOKIE).expect("a cookie");
    String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
}

async fn at(lab: &Lab, seconds: i64) {
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::seconds(seconds)))).await.unwrap();
}

async fn looking(setting: Value) -> Lab {
    edited([(service().loop_detection(), setting)]).await
}

fn went_on(reply: &Reply) -> bool {
    reply.status == 302 && reply.header("location").starts_with("http://localhost?code=")
}

#[tokio::test]
async fn the_cookie_counts_the_tokens_of_an_interval_and_begins_anew_behind_it() {
    for (setting, interval) in [(None, 20), (Some(json!({ "maximum_tokens": 50, "interval_seconds": 7 })), 7)]
    {
        let lab = edited(setting.map(|setting| (service().loop_detection(), setting))).await;
        let mut browser = Browser::default();
        assert!(went_on(&browser.sign_in(&lab, &asked(&[])).await));
        assert_eq!(counted(&browser), "2026-08-21:10:00:00Z\\1");
        for (after, tokens) in [(0, 2), (1, 3), (interval - 1, 4)] {
            at(&lab, after).await;
            assert!(went_on(&browser.get(&lab, &asked(&[])).await));
            assert_eq!(counted(&browser), format!("2026-08-21:10:00:00Z\\{tokens}"));
        }
        at(&lab, interval + 1).await;
        assert!(went_on(&browser.get(&lab, &asked(&[])).await));
        assert_eq!(counted(&browser), format!("2026-08-21:10:00:{:02}Z\\1", interval + 1));
    }
}

#[tokio::test]
async fn signing_in_alone_counts_nothing_and_neither_does_a_refusal() {
    let lab = lab().await;
    let mut browser = Browser::default();
    let reply = browser.fill(&lab, &asked(&[]), &typed(USER, PASSWORD)).await;
    let names: Vec<&str> = reply
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|cookie| cookie.to_str().unwrap().split('=').next().unwrap())
        .collect();
    assert_eq!(names, ["MSISAuth"]);
    let reply = browser.get(&lab, &asked(&[("response_mode", "pigeon")])).await;
    assert!(reply.headers.get(SET_COOKIE).is_none());
    let reply = browser.get(&lab, &asked(&[])).await;
    assert_eq!(reply.headers.get_all(SET_COOKIE).iter().count(), 3);
}

#[tokio::test]
async fn by_default_nobody_is_stopped() {
    let lab = lab().await;
    let mut browser = Browser::default();
    browser.sign_in(&lab, &asked(&[])).await;
    for _ in 0..30 {
        assert!(went_on(&browser.get(&lab, &asked(&[])).await));
    }
    assert_eq!(counted(&browser), "2026-08-21:10:00:00Z\\31");
}

#[tokio::test]
async fn the_sixth_token_in_twenty_seconds_is_refused_on_a_page_with_its_event() {
    let lab = looking(json!({})).await;
    let mut browser = Browser::default();
    assert!(went_on(&browser.sign_in(&lab, &asked(&[])).await));
    for _ in 0..4 {
        assert!(went_on(&browser.get(&lab, &asked(&[])).await));
    }
    at(&lab, 13).await;
    for _ in 0..2 {
        let reply = browser.get(&lab, &asked(&[])).await;
        assert_eq!((reply.status, reply.header("location")), (200, ""));
        assert!(reply.headers.get(SET_COOKIE).is_none());
        let said = "MSIS7042: The same client browser session has made &#39;6&#39; requests in the last &#39;13&#39; seconds. \
                    Contact your administrator for details.";
        assert!(reply.text().contains(said), "{}", reply.text());
        assert!(
            reply
                .text()
                .contains("Relying party: Microsoft Dynamics 365 for Operations On-premises - Web API")
        );
        assert_eq!(decided(&lab), "sign-in-loop");
        let check = last_check(&lab, "sign-in-loop");
        assert_eq!(check.settings, [service().loop_detection()]);
        assert_eq!((&*check.expected, &*check.actual), ("no more than 5 tokens in 20 seconds", "6 in 13"));
        let record = lab.journal().records().pop().unwrap();
        assert_eq!(record.error.as_deref(), Some("MSIS7042"));
        let rows = lab.events(&record);
        assert_eq!(rows.len(), 1);
        let event = rows[0].document();
        assert_eq!(event.id, 364);
        let logged = "Microsoft.IdentityServer.Web.InvalidRequestException: MSIS7042: The same client browser session has \
                      made '6' requests in the last '13' seconds. Contact your administrator for details.\n   at \
                      Microsoft.IdentityServer.Web.Protocols.PassiveProtocolHandler.UpdateLoopDetectionCookie(";
        assert!(event.text.replace("\r\n", "\n").contains(logged), "{}", event.text);
        assert!(reply.text().contains(event.activity.as_deref().unwrap()), "one Activity ID");
    }
    at(&lab, 21).await;
    assert!(went_on(&browser.get(&lab, &asked(&[])).await), "the interval is over");
    // Whoever throws the cookie away begins anew.
    let mut other = Browser::default();
    assert!(went_on(&other.sign_in(&lab, &asked(&[])).await));
}

#[tokio::test]
async fn a_request_that_asks_for_the_password_each_time_loops_too_and_says_nothing_of_the_password() {
    let lab = looking(json!({ "maximum_tokens": 2 })).await;
    let mut browser = Browser::default();
    let target = asked(&[("prompt", "login")]);
    for _ in 0..2 {
        assert!(went_on(&browser.fill(&lab, &target, &typed(USER, PASSWORD)).await));
    }
    for password in [PASSWORD, "wrong"] {
        let reply = browser.fill(&lab, &target, &typed(USER, password)).await;
        assert!(reply.text().contains("MSIS7042"), "{}", reply.text());
        assert_eq!(decided(&lab), "sign-in-loop");
    }
}

#[tokio::test]
async fn the_check_turned_off_stops_nobody() {
    let edits = vec![Edit::add(service().loop_detection(), json!({ "maximum_tokens": 1 }))];
    let lab = lab_with(edits, Switches::off(["sign-in-loop"])).await;
    let mut browser = Browser::default();
    browser.sign_in(&lab, &asked(&[])).await;
    assert!(went_on(&browser.get(&lab, &asked(&[])).await));
}

#[tokio::test]
async fn a_cookie_that_somebody_wrote_himself_counts_what_it_says_or_nothing() {
    let lab = looking(json!({})).await;
    let mut browser = Browser::default();
    browser.sign_in(&lab, &asked(&[])).await;
    for (written, passes, next) in [
        ("2026-08-21:10:00:00Z\\4294967295", false, ""),
        ("2026-08-21:10:00:00Z\\5", false, ""),
        ("2026-08-21:10:00:00Z\\4", true, "2026-08-21:10:00:00Z\\5"),
        ("2026-08-21:10:00:00Z\\4294967296", true, "2026-08-21:10:00:00Z\\1"),
        ("2026-08-21:10:00:00Z\\-1", true, "2026-08-21:10:00:00Z\\1"),
        ("2026-08-21:10:00:01Z\\9", true, "2026-08-21:10:00:00Z\\1"),
        ("2026-02-30:10:00:00Z\\9", true, "2026-08-21:10:00:00Z\\1"),
        ("0000-00-00:00:00:00Z\\9", true, "2026-08-21:10:00:00Z\\1"),
        ("\\", true, "2026-08-21:10:00:00Z\\1"),
        ("", true, "2026-08-21:10:00:00Z\\1"),
    ] {
        browser.cookies.retain(|(name, _)| name != COOKIE);
        browser.cookies.push((COOKIE.to_owned(), STANDARD.encode(written)));
        let reply = browser.get(&lab, &asked(&[])).await;
        assert_eq!(went_on(&reply), passes, "{written}: {}", reply.text());
        if passes {
            assert_eq!(counted(&browser), next, "{written}");
        }
    }
    for value in ["x", "====", "w7w=", ""] {
        browser.cookies.retain(|(name, _)| name != COOKIE);
        browser.cookies.push((COOKIE.to_owned(), value.to_owned()));
        assert!(went_on(&browser.get(&lab, &asked(&[])).await), "{value}");
        assert_eq!(counted(&browser), "2026-08-21:10:00:00Z\\1");
    }
}

#[test]
fn a_setting_that_every_token_breaks_is_refused() {
    let world = World::contoso().unwrap();
    for (setting, good) in [
        (json!({}), true),
        (json!({ "maximum_tokens": 1, "interval_seconds": 5 }), true),
        (json!({ "maximum_tokens": 0 }), false),
        (json!({ "interval_seconds": 4 }), false),
        (json!({ "tokens": 4 }), false),
    ] {
        let edit = Edit::add(service().loop_detection(), setting.clone());
        let edited = world.edited(&[edit], mocktenant_world::EditedBy::Control);
        assert_eq!(edited.is_ok(), good, "{setting}");
    }
}
