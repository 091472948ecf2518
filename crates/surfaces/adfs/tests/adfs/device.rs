//! Somebody signs in so that a device may go on: both codes, the pages, what the device gets, and who tries to cheat.

use mocktenant_lab::{ClockChange, Command, Lab};
use mocktenant_verdict::Switches;
use mocktenant_world::{Edit, EditedBy};
use serde_json::{Value, json};
use time::Duration;

use crate::browser::{Browser, typed};
use crate::front_door::*;

const DEVICE: &str = "/adfs/oauth2/devicecode";
const PAGE: &str = "/adfs/oauth2/deviceauth";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device begins.
pub(crate) async fn begin(lab: &Lab, changes: &[(&str, &str)]) -> Reply {
    let healthy = [("client_id", NATIVE), ("resource", RESOURCE), ("scope", "openid")];
    send(lab, form_request(HOST, DEVICE, &changed(&healthy, changes), &[])).await
}

/// It asks for its tokens.
pub(crate) async fn poll(lab: &Lab, code: &str, changes: &[(&str, &str)]) -> Reply {
    let healthy = [("grant_type", GRANT), ("client_id", NATIVE), ("device_code", code)];
    ask(lab, &changed(&healthy, changes)).await
}

async fn wait(lab: &Lab, seconds: i64) {
    lab.apply(Command::Clock(ClockChange::Forward(Duration::seconds(seconds)))).await.unwrap();
}

/// What stands between these in a page.
fn between(page: &str, before: &str, after: &str) -> String {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before}: {page}"));
    rest.split(after).next().unwrap().replace("&amp;", "&")
}

fn action(page: &Reply) -> String {
    between(&page.text(), "action=\"", "\"")
}

fn token(page: &Reply) -> String {
    between(&page.text(), "name=\"confirmation\" value=\"", "\"")
}

/// Types the code; the page that asks whether the client was meant.
async fn client_page(lab: &Lab, browser: &mut Browser, user_code: &str) -> Reply {
    let page = browser.get(lab, PAGE).await;
    assert!(page.text().contains("id=\"userCodeInput\""), "{}", page.text());
    browser.fill(lab, &action(&page), &[("user_code", user_code)]).await
}

/// Says that it was.
async fn confirm(lab: &Lab, browser: &mut Browser, page: &Reply) -> Reply {
    browser.fill(lab, &action(page), &[("confirmation", &token(page)), ("Confirm", "true")]).await
}

/// Everything that a person does.
async fn approve(lab: &Lab, user_code: &str) -> Reply {
    approve_as(lab, user_code, USER, PASSWORD).await
}

pub(crate) async fn approve_as(lab: &Lab, user_code: &str, user: &str, password: &str) -> Reply {
    let mut browser = Browser::default();
    let page = client_page(lab, &mut browser, user_code).await;
    let page = confirm(lab, &mut browser, &page).await;
    browser.fill(lab, &action(&page), &typed(user, password)).await
}

fn said(lab: &Lab) -> (String, Option<String>) {
    let record = lab.journal().records().pop().unwrap();
    (
        record.failed_check().map(|check| check.name.to_string()).unwrap_or_default(),
        record.error.as_deref().map(str::to_owned),
    )
}

#[tokio::test]
async fn a_device_is_told_two_codes_and_gets_its_tokens_once_somebody_signed_in() {
    let lab = lab().await;
    let begun = begin(&lab, &[]).await;
    assert_eq!(
        begun.members(),
        [
            "device_code",
            "expires_in",
            "interval",
            "message",
            "user_code",
            "verification_uri",
            "verification_uri_complete",
            "verification_url"
        ]
    );
    let body = begun.json();
    assert_eq!((&body["expires_in"], &body["interval"]), (&json!(899), &json!(5)));
    let page = "https://adfs.contoso.com/adfs/oauth2/deviceauth";
    assert_eq!((&body["verification_uri"], &body["verification_url"]), (&json!(page), &json!(page)));
    assert!(begun.text().contains("https:\\/\\/adfs.contoso.com\\/adfs\\/oauth2\\/deviceauth"));
    let (code, user_code) = (begun.of("device_code"), begun.of("user_code"));
    assert_eq!(user_code.len(), 9);
    let complete = begun.of("verification_uri_complete");
    assert!(complete.starts_with(&format!("{page}?user_code={user_code}&client-request-id=")), "{complete}");
    assert_eq!(poll(&lab, &code, &[]).await.refusal().0, "authorization_pending");
    assert_eq!(said(&lab).0, "device-code-approved");

    let mut browser = Browser::default();
    let spelled = format!("{}-{}", user_code[..4].to_lowercase(), &user_code[4..]);
    let page = client_page(&lab, &mut browser, &spelled).await;
    assert!(page.text().contains("id=\"clientName\""), "{}", page.text());
    let page = confirm(&lab, &mut browser, &page).await;
    assert!(page.text().contains("loginForm"), "{}", page.text());
    let half = browser.fill(&lab, &action(&page), &[("UserName", USER)]).await;
    let done = browser.fill(&lab, &action(&half), &typed(USER, PASSWORD)).await;
    assert!(done.text().contains("You have signed in"), "{}", done.text());
    let record = lab.journal().records().pop().unwrap();
    let rows = lab.events(&record);
    assert_eq!(rows.iter().map(|row| row.row.id).collect::<Vec<_>>(), [1202]);
    assert!(rows[0].document().text.contains("<Endpoint>/adfs/oauth2/deviceauth</Endpoint>"));

    wait(&lab, 5).await;
    let answer = poll(&lab, &code, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.members(),
        [
            "access_token",
            "token_type",
            "expires_in",
            "resource",
            "refresh_token",
            "refresh_token_expires_in",
            "scope",
            "id_token"
        ]
    );
    let claims = claims_of(&answer.of("access_token"));
    assert_eq!((&claims["apptype"], &claims["aud"]), (&json!("Public"), &json!(RESOURCE)));
    assert!(claims["auth_time"].is_string() && claims.get("sub").is_none(), "{claims}");
    wait(&lab, 5).await;
    assert_eq!(poll(&lab, &code, &[]).await.refusal().0, "invalid_grant");
    // Who is signed in is asked no password for the next device.
    let next = begin(&lab, &[]).await;
    let page = browser.get(&lab, &format!("{PAGE}?user_code={}", next.of("user_code"))).await;
    assert!(confirm(&lab, &mut browser, &page).await.text().contains("You have signed in"));
    assert_eq!(poll(&lab, &next.of("device_code"), &[]).await.status, 200);
    assert!(lab.events(&lab.journal().records().pop().unwrap()).iter().all(|row| row.row.id != 1202));
}

fn claims_of(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap())
        .unwrap()
}

#[tokio::test]
async fn what_a_device_may_not_have_is_refused_where_it_begins() {
    let lab = lab().await;
    for (changes, error, number, check) in [
        (&[("client_id", "nobody")][..], "invalid_client", "MSIS9607", "client-registered"),
        (&[("client_id", "")], "invalid_request", "MSIS9658", "client-id"),
        (&[("resource", "https://nobody.example/")], "invalid_request", "MSIS9602", "resource"),
        (&[("resource", ""), ("scope", "nonsense")], "invalid_scope", "MSIS9603", "scope"),
    ] {
        let refused = begin(&lab, changes).await;
        assert_eq!(
            (refused.status, refused.refusal()),
            (400, (error.into(), number.into())),
            "{changes:?}: {}",
            refused.text()
        );
        assert_eq!(said(&lab).0, check);
        let rows = lab.events(&lab.journal().records().pop().unwrap());
        assert_eq!(rows[0].row.id, 1021, "{changes:?}");
    }
    let twice = send(&lab, form_request(HOST, DEVICE, &[("client_id", "a"), ("client_id", "b")], &[])).await;
    assert_eq!(twice.refusal().1, "MSIS9604");
    assert_eq!(said(&lab).0, "device-request");
    let long = begin(&lab, &[("scope", &"openid ".repeat(2_000))]).await;
    assert_eq!(long.status, 200, "a scope counts once");
    assert!(get(&lab, HOST, DEVICE).await.text().contains("MSIS7065"));
    for _ in 0..260 {
        begin(&lab, &[]).await;
    }
    let full = begin(&lab, &[]).await;
    assert_eq!((full.status, said(&lab).0.as_str()), (500, "device-may-wait"));
    wait(&lab, 899).await;
    assert_eq!(begin(&lab, &[]).await.status, 200, "what has ended makes room");
}

#[tokio::test]
async fn windows_server_2016_has_no_device_codes() {
    let lab = lab_on("2016").await;
    assert!(begin(&lab, &[]).await.text().contains("MSIS7065"));
    assert!(get(&lab, HOST, PAGE).await.text().contains("MSIS7065"));
    assert_eq!(poll(&lab, "x", &[]).await.refusal().1, "MSIS9611");
    for profile in ["2019", "2022"] {
        assert_eq!(begin(&lab_on(profile).await, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn a_device_that_is_too_early_denied_late_or_another_gets_nothing() {
    let lab = lab().await;
    let begun = begin(&lab, &[]).await;
    let code = begun.of("device_code");
    assert_eq!(poll(&lab, &code, &[]).await.refusal().0, "authorization_pending");
    assert_eq!(poll(&lab, &code, &[]).await.refusal().0, "slow_down");
    wait(&lab, 5).await;
    assert_eq!(poll(&lab, &code, &[]).await.refusal().0, "slow_down", "the interval is ten seconds now");
    for quiet in 0..2 {
        let record = lab.journal().records()[lab.journal().records().len() - 1 - quiet].clone();
        assert!(lab.events(&record).is_empty(), "who waits does nothing wrong");
    }
    let other = [("client_id", SERVER), ("client_secret", SECRET)];
    assert_eq!(poll(&lab, &code, &other).await.refusal().0, "invalid_grant");
    assert_eq!(said(&lab).0, "device-code-client");
    for (changes, error, check) in [
        (&[("device_code", "")][..], "invalid_request", "device-code-sent"),
        (&[("code", "another")], "invalid_request", "device-code-sent"),
        (&[("device_code", "made-up")], "invalid_grant", "device-code"),
        (&[("device_code", &code[1..])], "invalid_grant", "device-code"),
    ] {
        let refused = poll(&lab, &code, changes).await;
        assert_eq!((refused.refusal().0.as_str(), said(&lab).0.as_str()), (error, check), "{changes:?}");
    }
    // A server application shows its secret.
    assert_eq!(poll(&lab, &code, &[("client_id", SERVER)]).await.refusal().1, "MSIS9622");

    let mut browser = Browser::default();
    let page = client_page(&lab, &mut browser, &begun.of("user_code")).await;
    let no = [("confirmation", &*token(&page)), ("Cancel", "true")];
    let denied = browser.fill(&lab, &action(&page), &no).await;
    assert!(denied.text().contains("not signed in"), "{}", denied.text());
    wait(&lab, 60).await;
    assert_eq!(poll(&lab, &code, &[]).await.refusal().0, "access_denied");
    let again = client_page(&lab, &mut browser, &begun.of("user_code")).await;
    assert!(again.text().contains("not valid or has expired"), "{}", again.text());
    assert_eq!(said(&lab), ("device-waits".to_owned(), Some("user_code".to_owned())));

    let late = begin(&lab, &[]).await;
    wait(&lab, 899).await;
    assert_eq!(poll(&lab, &late.of("device_code"), &[]).await.refusal().0, "expired_token");
    let page = client_page(&lab, &mut browser, &late.of("user_code")).await;
    assert!(page.text().contains("not valid or has expired"));
    assert!(lab.events(&lab.journal().records().pop().unwrap()).is_empty());
}

#[tokio::test]
async fn the_short_names_of_grant_and_code_work_and_so_does_a_server_application() {
    let lab = lab().await;
    let begun = begin(&lab, &[("client_id", SERVER)]).await;
    approve(&lab, &begun.of("user_code")).await;
    let short = [
        ("grant_type", "device_code"),
        ("code", &*begun.of("device_code")),
        ("client_id", SERVER),
        ("client_secret", SECRET),
    ];
    let answer = ask(&lab, &short).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(claims_of(&answer.of("access_token"))["apptype"], "Confidential");
}

#[tokio::test]
async fn who_may_not_sign_in_approves_nothing() {
    let lab = lab().await;
    let begun = begin(&lab, &[]).await;
    let mut browser = Browser::default();
    let page = client_page(&lab, &mut browser, &begun.of("user_code")).await;
    let page = confirm(&lab, &mut browser, &page).await;
    let wrong = browser.fill(&lab, &action(&page), &typed(USER, "wrong")).await;
    assert!(wrong.text().contains(crate::sign_in::WRONG), "{}", wrong.text());
    assert_eq!(said(&lab).1.as_deref(), Some("MSIS9659"));
    assert!(wrong.headers.get("set-cookie").is_none());
    let ids: Vec<u16> =
        lab.events(&lab.journal().records().pop().unwrap()).iter().map(|row| row.row.id).collect();
    assert_eq!(ids, [111, 1000, 364, 1203, 411]);
    assert_eq!(poll(&lab, &begun.of("device_code"), &[]).await.refusal().0, "authorization_pending");
    // A session whose user was disabled is none, and tokens of one who was disabled meanwhile are not issued.
    let signed_in = approve(&lab, &begun.of("user_code")).await;
    assert!(signed_in.text().contains("You have signed in"));
    let edit = Edit::add(service().user(USER).enabled(), json!(false));
    lab.apply(Command::Edit { edits: vec![edit], by: EditedBy::Control }).await.unwrap();
    wait(&lab, 5).await;
    assert_eq!(poll(&lab, &begun.of("device_code"), &[]).await.refusal().0, "invalid_grant");
    assert_eq!(said(&lab).0, "user-enabled");
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_out_here_too() {
    let lab = edited([(service().lockout(), json!({"threshold": 2, "minutes": 5}))]).await;
    let begun = begin(&lab, &[]).await;
    let mut browser = Browser::default();
    let page = client_page(&lab, &mut browser, &begun.of("user_code")).await;
    let page = confirm(&lab, &mut browser, &page).await;
    for password in ["wrong", "wrong", PASSWORD] {
        let reply = browser.fill(&lab, &action(&page), &typed(USER, password)).await;
        assert!(reply.text().contains(crate::sign_in::WRONG), "{password}");
    }
    assert_eq!(said(&lab).0, "user-not-locked-out");
    assert_eq!(poll(&lab, &begun.of("device_code"), &[]).await.refusal().0, "authorization_pending");
}

#[tokio::test]
async fn nobody_confirms_for_another_browser_or_from_another_page() {
    let lab = lab().await;
    let begun = begin(&lab, &[]).await;
    let target = format!("{PAGE}?user_code={}", begun.of("user_code"));
    let mut ada = Browser::default();
    let first = begin(&lab, &[]).await;
    let page = client_page(&lab, &mut ada, &first.of("user_code")).await;
    let page = confirm(&lab, &mut ada, &page).await;
    ada.fill(&lab, &action(&page), &typed(USER, PASSWORD)).await;

    // Eve begins, opens the page herself, and makes Ada's browser send what she was shown.
    let page = Browser::default().get(&lab, &target).await;
    let (to, sent) = (action(&page), [("confirmation", token(&page)), ("Confirm", "true".to_owned())]);
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let headers = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let forged = ada.send(&lab, form_request(HOST, &to, &sent, &headers)).await;
    assert!(forged.text().contains("MSIS7009"), "{}", forged.text());
    assert_eq!(said(&lab).0, "own-sign-in-form");
    let asked = ada.fill(&lab, &to, &sent).await;
    assert!(asked.text().contains("loginForm"), "a token of no session needs a password: {}", asked.text());
    for bad in
        ["", "made-up", &*token(&ada.get(&lab, &format!("{PAGE}?user_code={}", other(&lab).await)).await)]
    {
        for button in ["Confirm", "Cancel"] {
            let reply = ada.fill(&lab, &target, &[("confirmation", bad), (button, "true")]).await;
            assert!(reply.text().contains("MSIS7009"), "{bad:.9}: {}", reply.text());
            assert_eq!(said(&lab).0, "device-confirmed");
            let rows = lab.events(&lab.journal().records().pop().unwrap());
            assert_eq!(rows[0].row.id, 364);
        }
    }
    // Nor does Ada's own session's token go with another session, nor a password without a confirmation.
    let hers = token(&ada.get(&lab, &target).await);
    let theirs =
        Browser::default().fill(&lab, &target, &[("confirmation", &hers), ("Confirm", "true")]).await;
    assert!(theirs.text().contains("MSIS7009"));
    let bare = Browser::default().fill(&lab, &target, &typed(USER, PASSWORD)).await;
    assert!(bare.text().contains("MSIS7009"));
    assert_eq!(poll(&lab, &begun.of("device_code"), &[]).await.refusal().0, "authorization_pending");
    let twice = ada.get(&lab, &format!("{target}&user_code=x")).await;
    assert!(twice.text().contains("MSIS7009"));
    assert_eq!(said(&lab).0, "device-page-request");
}

async fn other(lab: &Lab) -> String {
    begin(lab, &[]).await.of("user_code")
}

#[tokio::test]
async fn each_question_that_is_turned_off_lets_through_what_it_holds_back() {
    for (question, asks) in [("own-sign-in-form", 0), ("device-confirmed", 1), ("device-code-client", 2)] {
        let lab = lab_with(Vec::new(), Switches::off([question])).await;
        let begun = begin(&lab, &[]).await;
        let target = format!("{PAGE}?user_code={}", begun.of("user_code"));
        match asks {
            0 => {
                let headers = [("origin", "https://evil.example")];
                let fields = [("user_code", &*begun.of("user_code"))];
                let reply = send(&lab, form_request(HOST, PAGE, &fields, &headers)).await;
                assert!(reply.text().contains("id=\"clientName\""), "{}", reply.text());
            }
            1 => {
                let reply = Browser::default().fill(&lab, &target, &typed(USER, PASSWORD)).await;
                assert!(reply.text().contains("You have signed in"), "{}", reply.text());
            }
            _ => {
                approve(&lab, &begun.of("user_code")).await;
                let other = [("client_id", SERVER), ("client_secret", SECRET)];
                assert_eq!(poll(&lab, &begun.of("device_code"), &other).await.status, 200);
            }
        }
        assert_ne!(said(&lab).0, question);
    }
    // What these hold back is nothing that could go on: turned off, they do not decide.
    for (question, code) in [("device-code-sent", ""), ("device-code", "made-up")] {
        let lab = lab_with(Vec::new(), Switches::off([question])).await;
        poll(&lab, code, &[]).await;
        assert_ne!(said(&lab).0, question);
    }
    let lab = lab_with(Vec::new(), Switches::off(["device-code-approved"])).await;
    let begun = begin(&lab, &[]).await;
    poll(&lab, &begun.of("device_code"), &[]).await;
    assert_ne!(said(&lab).0, "device-code-approved");
    let lab = lab_with(Vec::new(), Switches::off(["device-request"])).await;
    send(&lab, form_request(HOST, DEVICE, &[("client_id", "a"), ("client_id", "b")], &[])).await;
    assert_ne!(said(&lab).0, "device-request");
    let lab = lab_with(Vec::new(), Switches::off(["device-waits"])).await;
    let page = get(&lab, HOST, &format!("{PAGE}?user_code=BBBBBBBBB")).await;
    assert!(page.text().contains("id=\"userCodeInput\""));
    assert_ne!(said(&lab).0, "device-waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_who_redeem_one_device_code_at_once_one_wins() {
    let lab = lab().await;
    let begun = begin(&lab, &[]).await;
    approve(&lab, &begun.of("user_code")).await;
    let all: Vec<_> = (0..8)
        .map(|_| {
            let (lab, code) = (lab.clone(), begun.of("device_code"));
            tokio::spawn(async move { poll(&lab, &code, &[]).await.status })
        })
        .collect();
    let mut won = 0;
    for one in all {
        won += usize::from(one.await.unwrap() == 200);
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn of_two_who_answer_one_device_the_second_is_told() {
    let lab = lab().await;
    let begun = begin(&lab, &[]).await;
    let (mut one, mut two) = (Browser::default(), Browser::default());
    let mut pages = Vec::new();
    for browser in [&mut one, &mut two] {
        let page = client_page(&lab, browser, &begun.of("user_code")).await;
        pages.push(confirm(&lab, browser, &page).await);
    }
    let first = one.fill(&lab, &action(&pages[0]), &typed(USER, PASSWORD)).await;
    assert!(first.text().contains("You have signed in"));
    let second = two.fill(&lab, &action(&pages[1]), &typed(USER, PASSWORD)).await;
    assert!(second.text().contains("not valid or has expired"), "{}", second.text());
    assert!(second.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn whatever_is_typed_is_a_word_on_the_page_and_no_code_stands_in_a_record() {
    let lab = lab().await;
    for code in ["<script>alert(1)</script>", "\"><b>", "\u{202e}", &"B".repeat(3_000), "\0"] {
        let mut browser = Browser::default();
        let page = client_page(&lab, &mut browser, code).await;
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("<script>alert") && !page.text().contains("\"><b>"));
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{:?}", page.headers);
    }
    let begun = begin(&lab, &[]).await;
    let (code, user_code) = (begun.of("device_code"), begun.of("user_code"));
    approve(&lab, &user_code).await;
    poll(&lab, &code, &[]).await;
    for record in lab.journal().records() {
        let mut shown = serde_json::to_value(record.document()).unwrap();
        // The sentence for people, which a device shows to whoever looks at it.
        if let Some(message) = shown.pointer_mut("/answer/body/message") {
            *message = Value::Null;
        }
        let shown = shown.to_string();
        for secret in [&code, &user_code] {
            assert!(!shown.contains(secret.as_str()), "{} {}: {shown}", record.method, record.endpoint);
        }
    }
}
