//! People sign in: the page, the session, the code, what it is redeemed for, and every refusal on the way.

use http::header::{LOCATION, SET_COOKIE};
use mocktenant_lab::{ClockChange, Command, Lab};
use mocktenant_verdict::Switches;
use mocktenant_world::{Edit, EditedBy};
use serde_json::json;
use time::Duration;

use crate::browser::{Browser, typed};
use crate::front_door::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://localhost";
pub(crate) const WRONG: &str =
    "Incorrect user ID or password. Type the correct user ID and password, and try again.";

/// An authorization request of the native client, healthy but for what is changed.
pub(crate) fn asked(changes: &[(&str, &str)]) -> String {
    let healthy = [
        ("client_id", NATIVE),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("resource", RESOURCE),
        ("scope", "openid"),
        ("state", "1 2&3"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("client-request-id", "6f3f4a52-0000-4000-8000-000000000001"),
    ];
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(changed(&healthy, changes)).finish();
    format!("/adfs/oauth2/authorize/?{query}")
}

/// What a redirect holds, in its order.
pub(crate) fn sent_back(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.status, 302, "{}", reply.text());
    let to = reply.headers[LOCATION].to_str().unwrap();
    let (_, answer) = to.split_once(['?', '#']).unwrap_or_else(|| panic!("{to}"));
    form_urlencoded::parse(answer.as_bytes()).into_owned().collect()
}

pub(crate) fn of<'s>(answer: &'s [(String, String)], name: &str) -> &'s str {
    answer.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// A code for the native client.
async fn code(lab: &Lab, changes: &[(&str, &str)]) -> String {
    let reply = Browser::default().sign_in(lab, &asked(changes)).await;
    let answer = sent_back(&reply);
    assert!(!of(&answer, "code").is_empty(), "{answer:?}");
    of(&answer, "code").to_owned()
}

/// A redemption, healthy but for what is changed.
async fn redeem(lab: &Lab, code: &str, changes: &[(&str, &str)]) -> Reply {
    let healthy = [
        ("grant_type", "authorization_code"),
        ("client_id", NATIVE),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    let mut fields = changed(&healthy, changes);
    fields.push(("code", code));
    ask(lab, &fields).await
}

#[tokio::test]
async fn who_signs_in_comes_back_with_a_code_that_is_good_for_tokens() {
    let lab = lab().await;
    let mut browser = Browser::default();
    let page = browser.get(&lab, &asked(&[])).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("id=\"loginFormPaginated\""), "{}", page.text());
    assert!(
        page.header("content-security-policy").contains("form-action 'self' http://localhost"),
        "{:?}",
        page.headers
    );
    let reply = browser.fill(&lab, &asked(&[]), &typed(USER, PASSWORD)).await;
    assert_eq!(reply.status, 302);
    assert!(reply.header("location").starts_with("https://adfs.contoso.com/adfs/oauth2/authorize?"));
    let reply = browser.get(&lab, &asked(&[])).await;
    let answer = sent_back(&reply);
    let names: Vec<&str> = answer.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "client-request-id"]);
    assert_eq!(of(&answer, "state"), "1 2&3");
    assert_eq!(of(&answer, "client-request-id"), "6f3f4a52-0000-4000-8000-000000000001");
    assert!(reply.header("location").starts_with("http://localhost?code="), "{}", reply.header("location"));
    let token = redeem(&lab, of(&answer, "code"), &[]).await;
    assert_eq!(token.status, 200, "{}", token.text());
    assert_eq!(
        token.members(),
        [
            "access_token",
            "token_type",
            "expires_in",
            "resource",
            "refresh_token",
            "refresh_token_expires_in",
            "scope",
            "id_token",
        ]
    );
    assert_eq!(token.json()["resource"], RESOURCE);
    assert_eq!(token.json()["refresh_token_expires_in"], 28800);
    let refreshed = ask(
        &lab,
        &[
            ("grant_type", "refresh_token"),
            ("client_id", NATIVE),
            ("refresh_token", &token.of("refresh_token")),
        ],
    )
    .await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    // The session answers from now on, and says since when it is one.
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::minutes(20)))).await.unwrap();
    let answer = sent_back(&browser.get(&lab, &asked(&[])).await);
    let token = redeem(&lab, of(&answer, "code"), &[]).await;
    assert_eq!(token.json()["refresh_token_expires_in"], 28800 - 20 * 60);
    let claims = verified(&lab, &token.of("id_token")).await;
    assert_eq!(claims["auth_time"], NOW.unix_timestamp());
}

/// Whether a form waits in the document.
fn hides(page: &str, id: &str) -> bool {
    let form = page.split("<form ").find(|form| form.starts_with(&format!("id=\"{id}\"")));
    form.is_some_and(|form| form.split('>').next().unwrap().ends_with(" hidden"))
}

#[tokio::test]
async fn one_page_or_two_as_the_server_has_it() {
    for (profile, setting, two) in [
        ("2016", None, false),
        ("2019", None, true),
        ("2022", Some(false), false),
        ("2016", Some(true), true),
    ] {
        let mut edits = vec![(service().profile(), json!(profile))];
        edits.extend(setting.map(|on| (service().paginated_sign_in(), json!(on))));
        let lab = edited(edits).await;
        let mut browser = Browser::default();
        let target = asked(&[]);
        let text = browser.get(&lab, &target).await.text();
        assert_eq!(text.contains("id=\"nextButton\""), two, "{profile} {setting:?}");
        for id in ["loginForm", "userNameInput", "passwordInput", "kmsiInput", "submitButton"] {
            assert!(text.contains(&format!("id=\"{id}\"")), "{profile}: {id}");
        }
        assert_eq!((hides(&text, "loginForm"), hides(&text, "loginFormPaginated")), (two, false));
        // A name without a password opens the page for it, and one form with all of it signs in.
        let second = browser.fill(&lab, &target, &[("UserName", USER)]).await;
        assert_eq!(second.status, 200);
        if two {
            assert!(
                second
                    .text()
                    .contains(&format!("id=\"userNameInputHolder\" name=\"UserName\" value=\"{USER}\""))
            );
        } else {
            assert!(second.text().contains("Enter your password."));
        }
        let hinted = Browser::default().get(&lab, &asked(&[("login_hint", USER)])).await.text();
        assert!(hinted.contains(&format!("value=\"{USER}\"")));
        assert!(!hides(&hinted, "loginForm"), "at the password: {hinted}");
        let cursor = |page: &str| -> Vec<String> {
            let fields = page
                .split("<input ")
                .filter(|field| field.split('>').next().unwrap().ends_with(" autofocus"));
            let id = |field: &str| field.split("id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            fields.map(id).collect()
        };
        assert_eq!(
            (cursor(&text), cursor(&hinted)),
            (vec!["userNameInput".into()], vec!["passwordInput".into()])
        );
        let empty = browser.fill(&lab, &target, &[("UserName", USER), ("Password", "")]).await.text();
        assert!(empty.contains("Enter your password."), "{empty}");
        let back =
            browser.fill(&lab, &target, &[("UserName", USER), ("Password", "x"), ("Back", "true")]).await;
        assert_eq!(hides(&back.text(), "loginForm"), two);
        let nobody = browser.fill(&lab, &target, &[("Password", PASSWORD)]).await.text();
        assert!(
            nobody.contains("Enter your user ID in the format &#34;domain\\user&#34;")
                || nobody.contains("Enter your user ID in the format &quot;domain\\user&quot;"),
            "{nobody}"
        );
        let answer = sent_back(&browser.sign_in(&lab, &target).await);
        assert!(!of(&answer, "code").is_empty());
    }
}

#[tokio::test]
async fn a_password_that_is_wrong_is_told_on_the_page_and_in_the_log() {
    let lab = lab().await;
    let target = asked(&[]);
    for (user, password, failed) in [
        (USER, "wrong", "password-matches"),
        ("nobody@contoso.com", PASSWORD, "user-known"),
        ("CONTOSO\\nobody", PASSWORD, "user-known"),
    ] {
        let reply = Browser::default().fill(&lab, &target, &typed(user, password)).await;
        assert_eq!((reply.status, reply.header("location")), (200, ""));
        assert!(reply.text().contains(WRONG), "{}", reply.text());
        assert!(!reply.text().contains("value=\"wrong\""));
        assert!(reply.headers.get(SET_COOKIE).is_none());
        assert_eq!(decided(&lab), failed);
        let record = lab.journal().records().pop().unwrap();
        assert_eq!(record.error.as_deref(), Some("MSIS9659"));
        let ids: Vec<u16> = lab.events(&record).iter().map(|row| row.document().id).collect();
        assert_eq!(ids, [111, 1000, 364, 1203, 411]);
    }
    let user = service().user(USER);
    for (at, value, said) in [
        (user.enabled(), json!(false), WRONG),
        (user.locked(), json!(true), WRONG),
        (user.expired(), json!(true), WRONG),
        (user.password_expires(), json!("2026-08-20T00:00:00Z"), "Your password has expired."),
    ] {
        let lab = edited([(at, value)]).await;
        let reply = Browser::default().fill(&lab, &target, &typed(USER, PASSWORD)).await;
        assert!(reply.status == 200 && reply.text().contains(said), "{said}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_form_is_taken_from_the_services_own_page_alone() {
    let lab = lab().await;
    for headers in [
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        [("origin", "null"), ("sec-fetch-site", "same-origin")],
        [("origin", "https://adfs.contoso.com:7444"), ("sec-fetch-site", "same-site")],
    ] {
        let reply = send(&lab, form_request(HOST, &asked(&[]), &typed(USER, PASSWORD), &headers)).await;
        assert!(reply.status == 200 && reply.text().contains("MSIS7009"), "{}", reply.text());
        assert!(reply.headers.get(SET_COOKIE).is_none());
        assert_eq!(decided(&lab), "own-sign-in-form");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_goes_back_to_the_client() {
    for (changes, error, number, failed) in [
        (&[("response_type", "")][..], "invalid_request", "MSIS9658", "response-type"),
        (&[("response_type", "cod")], "unsupported_response_type", "MSIS9604", "response-type"),
        (&[("response_mode", "pigeon")], "invalid_request", "MSIS9604", "response-mode"),
        (
            &[("response_type", "id_token"), ("nonce", "n"), ("response_mode", "query")],
            "invalid_request",
            "MSIS9604",
            "response-mode",
        ),
        (&[("response_type", "id_token")], "invalid_request", "MSIS9658", "nonce-sent"),
        (&[("code_challenge", "short")], "invalid_request", "MSIS9604", "code-challenge"),
        (&[("max_age", "soon")], "invalid_request", "MSIS9604", "session-age"),
        (&[("resource", "https://nobody.example")], "invalid_resource", "MSIS9602", "resource"),
        (&[("scope", "nonsense"), ("resource", "")], "invalid_scope", "MSIS9603", "scope"),
        (&[("prompt", "none")], "interaction_required", "", "interaction-allowed"),
    ] {
        let lab = lab().await;
        let reply = get(&lab, HOST, &asked(changes)).await;
        let answer = sent_back(&reply);
        assert_eq!(of(&answer, "error"), error, "{changes:?}: {answer:?}");
        assert!(of(&answer, "error_description").starts_with(number), "{answer:?}");
        assert_eq!(of(&answer, "state"), "1 2&3");
        assert_eq!(of(&answer, "client-request-id"), "6f3f4a52-0000-4000-8000-000000000001");
        assert_eq!(decided(&lab), failed);
        let record = lab.journal().records().pop().unwrap();
        let rows = lab.events(&record);
        if error == "interaction_required" {
            assert!(rows.is_empty());
        } else {
            assert_eq!(rows.len(), 1, "{changes:?}");
            let document = rows[0].document();
            assert!(
                document.id == 364 && document.text.contains("OAuthAuthorizationProtocol"),
                "{}",
                document.text
            );
            assert!(document.text.contains("Exception: MSIS"), "{}", document.text);
            assert!(
                document.text.contains("OAuthAuthorizationRequestContext.ValidateCore()"),
                "{}",
                document.text
            );
        }
        // Switched off, nothing else stops it.
        let lab = lab_with(Vec::new(), Switches::off([failed])).await;
        let reply = get(&lab, HOST, &asked(changes)).await;
        let gone = reply.status == 200 || of(&sent_back(&reply), "error") != error;
        assert!(gone, "{failed}");
    }
}

#[tokio::test]
async fn a_redirect_of_a_refusal_is_spelled_as_captured() {
    let lab = edited([(web_api().permission(NATIVE), json!([]))]).await;
    let reply = get(&lab, HOST, &asked(&[("state", "12345")])).await;
    assert_eq!(
        reply.header("location"),
        "http://localhost?error=access_denied&error_description=MSIS9605%3a+The+client+is+not+allowed+to+access+the+requested+resource.&state=12345&client-request-id=6f3f4a52-0000-4000-8000-000000000001"
    );
}

#[tokio::test]
async fn a_code_is_good_once_for_its_own_client_redirect_uri_and_verifier() {
    let lab = lab().await;
    let refused = |reply: &Reply, error: &str, number: &str, failed: &str| {
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert_eq!(reply.refusal(), (error.to_owned(), number.to_owned()));
        assert_eq!(decided(&lab), failed);
    };
    let once = code(&lab, &[]).await;
    assert_eq!(redeem(&lab, &once, &[]).await.status, 200);
    refused(&redeem(&lab, &once, &[]).await, "invalid_grant", "MSIS9612", "code-unused");
    // Whoever has another's code can neither redeem nor burn it.
    let code = code(&lab, &[]).await;
    let other = [("client_id", SERVER), ("client_secret", SECRET)];
    refused(&redeem(&lab, &code, &other).await, "invalid_grant", "MSIS9612", "code-client");
    let elsewhere = [("redirect_uri", "http://localhost/other")];
    refused(&redeem(&lab, &code, &elsewhere).await, "invalid_request", "MSIS9609", "code-redirect-uri");
    refused(
        &redeem(&lab, &code, &[("redirect_uri", "")]).await,
        "invalid_request",
        "MSIS9609",
        "code-redirect-uri",
    );
    let wrong = [("code_verifier", CHALLENGE)];
    refused(&redeem(&lab, &code, &wrong).await, "invalid_grant", "MSIS9720", "code-verifier");
    refused(&redeem(&lab, &code, &[]).await, "invalid_grant", "MSIS9612", "code-unused");
    refused(&redeem(&lab, "", &[]).await, "invalid_request", "MSIS9658", "code-sent");
    for made_up in ["x", &code[1..], &format!("{code}A")] {
        refused(&redeem(&lab, made_up, &[]).await, "invalid_grant", "MSIS9612", "authorization-code");
    }
}

#[tokio::test]
async fn a_check_of_a_code_or_a_form_that_is_turned_off_keeps_nobody_back() {
    for (check, changes) in [
        ("code-client", &[("client_id", SERVER), ("client_secret", SECRET)][..]),
        ("code-redirect-uri", &[("redirect_uri", "")]),
        ("code-unused", &[]),
        ("code-verifier", &[("code_verifier", CHALLENGE)]),
    ] {
        let off = lab_with(Vec::new(), Switches::off([check])).await;
        let code = code(&off, &[]).await;
        if check == "code-unused" {
            redeem(&off, &code, &[]).await;
        }
        let reply = redeem(&off, &code, changes).await;
        assert_eq!(reply.status, 200, "{check}: {}", reply.text());
    }
    let off = lab_with(Vec::new(), Switches::off(["own-sign-in-form"])).await;
    let headers = [("origin", "https://evil.example")];
    let reply = send(&off, form_request(HOST, &asked(&[]), &typed(USER, PASSWORD), &headers)).await;
    assert_eq!(reply.status, 302);
}

#[tokio::test]
async fn a_request_may_be_posted_with_something_in_its_query() {
    let lab = lab().await;
    let mut browser = Browser::default();
    browser.sign_in(&lab, &asked(&[])).await;
    let reply = browser.fill(&lab, &asked(&[]), &[("something", "else")]).await;
    assert!(!of(&sent_back(&reply), "code").is_empty(), "the session answers: no form was filled in");
    let target = asked(&[]);
    let (path, query) = target.split_once('?').unwrap();
    let posted = posting(HOST, path, "application/x-www-form-urlencoded", query.to_owned());
    assert!(!of(&sent_back(&browser.send(&lab, posted).await), "code").is_empty());
    let twice = browser.fill(&lab, &target, &[("UserName", "a"), ("UserName", "b")]).await;
    assert!(twice.text().contains("MSIS7009"), "{}", twice.text());
}

#[tokio::test]
async fn over_plain_http_a_browser_stays_there_and_keeps_its_session() {
    let lab = lab().await;
    let mut request = form_request(LOCAL, &format!("{}&x=\u{e9}", asked(&[])), &typed(USER, PASSWORD), &[]);
    request.arrival.secure = false;
    let reply = send(&lab, request).await;
    assert!(reply.header("location").starts_with("/adfs/oauth2/authorize?"), "{:?}", reply.headers);
    assert!(reply.header("location").contains("x=%C3%A9"), "{:?}", reply.headers);
    for cookie in reply.headers.get_all(SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        assert!(!cookie.contains("Secure") && !cookie.contains("SameSite"), "{cookie}");
    }
}

#[tokio::test]
async fn a_session_whose_password_ran_out_signs_in_anew() {
    let lab = lab().await;
    let mut browser = Browser::default();
    browser.sign_in(&lab, &asked(&[])).await;
    let edit = Edit::add(service().user(USER).password_expires(), json!("2026-08-21T10:00:00Z"));
    lab.apply(Command::Edit { edits: vec![edit], by: EditedBy::Control }).await.unwrap();
    assert_eq!(browser.get(&lab, &asked(&[])).await.status, 200);
}

#[tokio::test]
async fn a_code_ends_and_its_user_must_be_there() {
    let lab = lab().await;
    let late = code(&lab, &[]).await;
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::minutes(10)))).await.unwrap();
    assert_eq!(redeem(&lab, &late, &[]).await.refusal().1, "MSIS9612");
    assert_eq!(decided(&lab), "authorization-code");
    let bare = code(&lab, &[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_eq!(redeem(&lab, &bare, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_who_redeem_one_code_at_once_have_one_winner() {
    let lab = lab().await;
    let code = code(&lab, &[]).await;
    let all: Vec<_> = (0..8)
        .map(|_| {
            let (lab, code) = (lab.clone(), code.clone());
            tokio::spawn(async move { redeem(&lab, &code, &[]).await.status })
        })
        .collect();
    let mut won = 0;
    for one in all {
        won += usize::from(one.await.unwrap() == 200);
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn an_id_token_comes_in_the_fragment_or_by_a_form_with_nonce_and_code_hash() {
    let lab = lab().await;
    let wants = [("response_type", "code id_token"), ("nonce", "n-1")];
    let mut browser = Browser::default();
    let reply = browser.sign_in(&lab, &asked(&wants)).await;
    assert!(reply.header("location").starts_with("http://localhost#code="), "{}", reply.header("location"));
    let answer = sent_back(&reply);
    let token = verified(&lab, of(&answer, "id_token")).await;
    assert_eq!(token["nonce"], "n-1");
    assert_eq!(token["aud"], NATIVE);
    assert!(token["c_hash"].is_string());
    let form = browser.get(&lab, &asked(&[("response_mode", "form_post"), wants[0], wants[1]])).await;
    let text = form.text();
    assert_eq!(form.status, 200);
    for part in [
        "Working...",
        "name=\"code\"",
        "name=\"id_token\"",
        "name=\"state\" value=\"1 2&amp;3\"",
        "action=\"http://localhost\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Nor an icon, which a browser fetches where nothing forbids it, and finds none.
    let policy = form.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{policy}");
    assert_eq!(form.header("cache-control"), "no-store");
    let refused = browser
        .get(&lab, &asked(&[("response_mode", "form_post"), ("resource", ""), ("scope", "nonsense")]))
        .await;
    assert_eq!(refused.status, 200);
    let rows = lab.events(&lab.journal().records().pop().unwrap());
    assert!(rows[0].document().text.contains("MSIS9603"), "{}", rows[0].document().text);
    // By code alone the nonce is in the id token of the redemption.
    let code = of(&sent_back(&browser.get(&lab, &asked(&[("nonce", "n-2")])).await), "code").to_owned();
    let token = redeem(&lab, &code, &[]).await;
    assert_eq!(verified(&lab, &token.of("id_token")).await["nonce"], "n-2");
}

#[tokio::test]
async fn prompt_and_max_age_ask_again() {
    let lab = lab().await;
    let mut browser = Browser::default();
    browser.sign_in(&lab, &asked(&[])).await;
    assert!(!of(&sent_back(&browser.get(&lab, &asked(&[("prompt", "none")])).await), "code").is_empty());
    let page = browser.get(&lab, &asked(&[("prompt", "login")])).await;
    assert!(page.status == 200 && page.text().contains("loginForm"));
    let answer = sent_back(&browser.fill(&lab, &asked(&[("prompt", "login")]), &typed(USER, PASSWORD)).await);
    assert!(!of(&answer, "code").is_empty(), "asked once, not for ever");
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::seconds(61)))).await.unwrap();
    assert_eq!(browser.get(&lab, &asked(&[("max_age", "61")])).await.status, 302);
    assert_eq!(browser.get(&lab, &asked(&[("max_age", "60")])).await.status, 200);
    assert_eq!(browser.get(&lab, &asked(&[("max_age", "0")])).await.status, 200, "nothing is younger");
    let quiet = browser.fill(&lab, &asked(&[("prompt", "none")]), &typed(USER, PASSWORD)).await;
    assert_eq!(
        of(&sent_back(&quiet), "error"),
        "interaction_required",
        "nobody is asked, and nobody answers"
    );
    let silent = sent_back(&browser.get(&lab, &asked(&[("max_age", "60"), ("prompt", "none")])).await);
    assert_eq!(of(&silent, "error"), "interaction_required");
}

#[tokio::test]
async fn a_session_is_sealed_bound_to_its_service_and_ends() {
    let lab = lab().await;
    let mut browser = Browser::default();
    let reply = browser.fill(&lab, &asked(&[]), &typed(USER, PASSWORD)).await;
    let cookies: Vec<&str> =
        reply.headers.get_all(SET_COOKIE).iter().map(|one| one.to_str().unwrap()).collect();
    assert!(
        cookies.iter().any(|one| one.starts_with("MSISAuth=")
            && one.contains("path=/adfs")
            && one.contains("HttpOnly")
            && one.contains("Secure")
            && one.contains("SameSite=None")),
        "{cookies:?}"
    );
    for spoil in
        [|value: &str| value[1..].to_owned(), |value: &str| format!("{value}A"), |_: &str| "x".to_owned()]
    {
        let mut forged = Browser { cookies: browser.cookies.clone() };
        for (name, value) in &mut forged.cookies {
            if name == "MSISAuth" {
                *value = spoil(value);
            }
        }
        assert_eq!(forged.get(&lab, &asked(&[])).await.status, 200);
    }
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::hours(8)))).await.unwrap();
    assert_eq!(browser.get(&lab, &asked(&[])).await.status, 200, "after SsoLifetime it is over");
    let mut kept = Browser::default();
    let mut fields = typed(USER, PASSWORD);
    fields.push(("Kmsi", "true"));
    kept.fill(&lab, &asked(&[]), &fields).await;
    lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::hours(8 + 23)))).await.unwrap();
    assert_eq!(kept.get(&lab, &asked(&[])).await.status, 302, "kept for a day");
    let old = edited([(service().profile(), json!("2016"))]).await;
    let reply = Browser::default().fill(&old, &asked(&[]), &typed(USER, PASSWORD)).await;
    assert!(!reply.header("set-cookie").contains("SameSite"));
}

#[tokio::test]
async fn windows_server_2016_passes_challenges_over() {
    let lab = lab_on("2016").await;
    let code = code(&lab, &[]).await;
    assert_eq!(redeem(&lab, &code, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn tokens_from_the_authorization_endpoint_are_refused_to_server_applications_and_not_built_for_others()
{
    let lab = lab().await;
    let page = get(&lab, HOST, &asked(&[("response_type", "id_token token"), ("nonce", "n")])).await;
    assert!(page.text().contains("MSIS7012"), "{}", page.text());
    let wants = [("client_id", SERVER), ("response_type", "id_token token"), ("nonce", "n")];
    let answer = sent_back(&get(&lab, HOST, &asked(&wants)).await);
    assert_eq!(of(&answer, "error"), "unsupported_response_type");
    assert!(of(&answer, "error_description").starts_with("MSIS9358"));
    assert_eq!(decided(&lab), "response-type");
}
