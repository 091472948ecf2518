//! A provider of a hundred lines signs people in with these mechanics alone, and what strangers try on it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod toy_provider;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use mocktenant_idp::pkce::Method as Challenging;
use mocktenant_lab::{ClockChange, Command, Entrance, Lab, Machine, Request, Response, Scope};
use mocktenant_world::{EditedBy, World};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use toy_provider::Toy;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const ANOTHER: &str = "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const BACK: &str = "https://client.example/back";
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const ADA: &str = "user=ada&password=right";

async fn lab() -> Lab {
    let lab = Lab::builder(Arc::new(World::contoso().unwrap())).surface(Toy).build();
    lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
    lab
}

fn here() -> Entrance {
    Entrance::organization("contoso")
}

fn authorize() -> String {
    let challenge = Challenging::S256.challenge(VERIFIER);
    format!(
        "/authorize?client_id=client&redirect_uri={BACK}&state=s+1&code_challenge={challenge}&code_challenge_method=S256"
    )
}

/// A browser that keeps cookies, at one entrance.
struct Browser<'l> {
    lab: &'l Lab,
    at: Entrance,
    cookies: String,
    origin: &'static str,
}

impl<'l> Browser<'l> {
    fn new(lab: &'l Lab) -> Self {
        Self { lab, at: here(), cookies: String::new(), origin: "https://localhost:7446" }
    }

    async fn asks(&mut self, method: Method, target: &str, form: &str) -> Response {
        let post = method == Method::POST;
        let mut request = Request::new(method, "localhost:7446", target, self.at.clone());
        if post {
            request.body = Ok(Bytes::copy_from_slice(form.as_bytes()));
            request.headers.insert(ORIGIN, HeaderValue::from_static(self.origin));
        }
        if !self.cookies.is_empty() {
            request.headers.insert(COOKIE, HeaderValue::from_str(&self.cookies).unwrap());
        }
        let response = self.lab.answer(request).await;
        if let Some(set) = response.headers.get(SET_COOKIE) {
            set.to_str().unwrap().split(';').next().unwrap().clone_into(&mut self.cookies);
        }
        response
    }

    async fn get(&mut self, target: &str) -> Response {
        self.asks(Method::GET, target, "").await
    }

    async fn post(&mut self, target: &str, form: &str) -> Response {
        self.asks(Method::POST, target, form).await
    }

    /// Signs in and comes back with a code.
    async fn code(&mut self) -> String {
        code_of(&self.post(&authorize(), ADA).await)
    }

    /// Whether the provider knows who that is without a form.
    async fn is_signed_in(&mut self) -> bool {
        self.get(&authorize()).await.status == StatusCode::FOUND
    }
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.to_vec()).unwrap()
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status, StatusCode::FOUND, "{}", text(response));
    response.headers[LOCATION].to_str().unwrap()
}

fn code_of(response: &Response) -> String {
    let back = location(response).strip_prefix(&format!("{BACK}?code=")).unwrap();
    back.strip_suffix("&state=s+1").unwrap().to_owned()
}

fn between(page: &str, begin: &str, end: &str) -> String {
    page.split_once(begin).unwrap().1.split_once(end).unwrap().0.to_owned()
}

fn redemption(code: &str) -> String {
    format!("grant=code&client_id=client&redirect_uri={BACK}&code={code}&code_verifier={VERIFIER}")
}

async fn asked(lab: &Lab, target: &str, form: &str) -> String {
    text(&Browser::new(lab).post(target, form).await)
}

async fn redeemed(lab: &Lab, code: &str) -> String {
    asked(lab, "/token", &redemption(code)).await
}

async fn reset(lab: &Lab) {
    lab.apply(Command::Reset { scope: Some(Scope::organization("contoso")) }).await.unwrap();
    lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
}

#[tokio::test]
async fn somebody_signs_in_once_and_is_known_afterwards() {
    let lab = lab().await;
    let mut browser = Browser::new(&lab);
    let form = browser.get(&authorize()).await;
    assert_eq!((form.status, text(&form).contains("<form method=\"post\">")), (StatusCode::OK, true));
    let wrong = browser.post(&authorize(), "user=ada&password=wrong").await;
    assert_eq!((wrong.status, &*browser.cookies), (StatusCode::UNAUTHORIZED, ""));
    let signed_in = browser.post(&authorize(), ADA).await;
    let set = signed_in.headers[SET_COOKIE].to_str().unwrap();
    assert!(
        set.starts_with("ToyAuth-7446=") && set.ends_with("; path=/; HttpOnly; Secure; SameSite=None"),
        "{set}"
    );
    assert_eq!(redeemed(&lab, &code_of(&signed_in)).await, "token of ada");
    let second = browser.get(&authorize()).await;
    assert!(second.headers.get(SET_COOKIE).is_none());
    assert_eq!(redeemed(&lab, &code_of(&second)).await, "token of ada", "without a form");
    let posted = browser.get(&format!("{}&response_mode=form_post", authorize())).await;
    assert!(text(&posted).contains(&format!("action=\"{BACK}\"><input type=\"hidden\" name=\"code\"")));
    let fragment = browser.get(&format!("{}&response_mode=fragment", authorize())).await;
    assert!(location(&fragment).starts_with(&format!("{BACK}#code=")));
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_its_redirect_uri_and_its_verifier() {
    let lab = lab().await;
    let mut browser = Browser::new(&lab);
    let code = browser.code().await;
    let right = redemption(&code);
    for (wrong, said) in [
        (right.replace("client_id=client", "client_id=other"), "it was issued to client"),
        (right.replace("/back", "/elsewhere"), "it was asked for with https://client.example/back"),
        (right.replace("code=", "code=A"), "it was not sealed by this lab since it was started"),
        (right.replacen(&code, &code[..code.len() - 4], 1), "its end is missing"),
    ] {
        assert_eq!(asked(&lab, "/token", &wrong).await, said);
    }
    assert_eq!(redeemed(&lab, &code).await, "token of ada", "none of these used it");
    let replayed = redeemed(&lab, &code).await;
    assert!(replayed.starts_with("it was used before, by x-"), "{replayed}");
    let code = browser.code().await;
    let said = asked(&lab, "/token", &redemption(&code).replace(VERIFIER, ANOTHER)).await;
    assert_eq!(said, "the challenge does not follow from the verifier by S256");
    assert!(redeemed(&lab, &code).await.starts_with("it was used before"), "a wrong verifier burns here");
    let cookie = browser.cookies.split_once('=').unwrap().1;
    assert_eq!(redeemed(&lab, cookie).await, "it was sealed for another purpose");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_who_redeem_one_code_at_once_exactly_one_gets_a_token() {
    let lab = lab().await;
    for _ in 0..20 {
        let code = Browser::new(&lab).code().await;
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let (lab, code) = (lab.clone(), code.clone());
                tokio::spawn(async move { redeemed(&lab, &code).await })
            })
            .collect();
        let mut said = Vec::new();
        for one in asking {
            said.push(one.await.unwrap());
        }
        assert_eq!(said.iter().filter(|said| *said == "token of ada").count(), 1);
        assert_eq!(said.iter().filter(|said| said.starts_with("it was used before, by x-")).count(), 7);
    }
}

#[tokio::test]
async fn a_cookie_that_is_forged_cut_stale_or_anothers_signs_nobody_in() {
    let lab = lab().await;
    let mut browser = Browser::new(&lab);
    let code = browser.code().await;
    let genuine = browser.cookies.clone();
    assert!(browser.is_signed_in().await);
    let mut forged = genuine.clone().into_bytes();
    let at = forged.len() - 30;
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    for wrong in [
        String::from_utf8(forged).unwrap(),
        genuine[..genuine.len() - 4].to_owned(),
        format!("ToyAuth-7446={code}"),
        genuine.replace("-7446", "-7447"),
        genuine.replace("-7446", ""),
        String::from("ToyAuth-7446=ada"),
    ] {
        browser.cookies = wrong;
        assert!(!browser.is_signed_in().await, "{}", browser.cookies);
    }
    let mut elsewhere =
        Browser { at: Entrance::environment("onebox"), cookies: genuine.clone(), ..Browser::new(&lab) };
    assert!(!elsewhere.is_signed_in().await, "another provider's");
    browser.cookies = genuine;
    assert!(browser.is_signed_in().await);
    reset(&lab).await;
    assert!(!browser.is_signed_in().await, "of before a reset");
    assert_eq!(redeemed(&lab, &code).await, "its owner was reset after it was sealed");
}

#[tokio::test]
async fn nobody_can_be_given_a_session_that_he_signs_in_to() {
    let lab = lab().await;
    let (mut attacker, mut victim) = (Browser::new(&lab), Browser::new(&lab));
    attacker.post(&authorize(), "user=eve&password=right").await;
    victim.cookies.clone_from(&attacker.cookies);
    victim.post(&authorize(), ADA).await;
    assert_ne!(victim.cookies, attacker.cookies);
    let said = async |response: Response| redeemed(&lab, &code_of(&response)).await;
    assert_eq!(said(attacker.get(&authorize()).await).await, "token of eve");
    assert_eq!(said(victim.get(&authorize()).await).await, "token of ada");
    let copy = victim.cookies.clone();
    victim.post("/logout", "").await;
    assert_eq!(victim.cookies, "ToyAuth-7446=");
    let mut thief = Browser { cookies: copy, ..Browser::new(&lab) };
    assert!(!thief.is_signed_in().await, "who signs out is signed out everywhere");
}

#[tokio::test]
async fn a_form_that_another_page_posts_signs_nobody_in() {
    let lab = lab().await;
    for origin in ["https://evil.example", "null", "https://localhost:7443"] {
        let mut browser = Browser { origin, ..Browser::new(&lab) };
        let refused = browser.post(&authorize(), ADA).await;
        assert_eq!((refused.status, &*browser.cookies), (StatusCode::FORBIDDEN, ""), "{origin}");
    }
}

#[tokio::test]
async fn what_lasts_goes_by_the_providers_own_clock() {
    let lab = lab().await;
    let mut browser = Browser::new(&lab);
    let code = browser.code().await;
    let skew = async |minutes| {
        let offset = Duration::minutes(minutes);
        let machine = Machine::organization("contoso");
        lab.apply(Command::MachineClock { machine, offset, by: EditedBy::Control }).await.unwrap();
    };
    skew(10).await;
    assert_eq!(redeemed(&lab, &code).await, "it ended at 1970-01-01 0:10:00.0 +00:00:00");
    assert!(browser.is_signed_in().await);
    skew(60).await;
    assert!(!browser.is_signed_in().await);
    skew(9).await;
    assert_eq!(redeemed(&lab, &code).await, "token of ada");
    skew(-9).await;
    assert!(browser.is_signed_in().await, "it began in what is the future now");
}

#[tokio::test]
async fn a_device_signs_in_by_way_of_another_one() {
    let lab = lab().await;
    let begun: Value = serde_json::from_str(&asked(&lab, "/device", "client_id=client").await).unwrap();
    let [device, user] = ["device_code", "user_code"].map(|name| begun[name].as_str().unwrap());
    let poll = format!("grant=device&client_id=client&code={device}");
    assert_eq!(asked(&lab, "/token", &poll).await, "nobody has answered yet");
    let mut browser = Browser::new(&lab);
    let typed = format!("user_code={}", user.to_lowercase());
    assert_eq!(text(&browser.post("/confirm", &typed).await), "sign in first");
    browser.post(&authorize(), ADA).await;
    let page = browser.get(&format!("/confirm?{typed}")).await;
    let token = between(&text(&page), "name=\"token\" value=\"", "\"");
    let without = browser.post("/confirm", &typed).await;
    assert_eq!((without.status, &*text(&without)), (StatusCode::FORBIDDEN, "there is no token"));
    let mut other = Browser::new(&lab);
    other.post(&authorize(), "user=eve&password=right").await;
    let theirs = other.post("/confirm", &format!("{typed}&token={token}")).await;
    assert_eq!(text(&theirs), "it is of another session or flow");
    let done = browser.post("/confirm", &format!("{typed}&token={token}")).await;
    assert_eq!(text(&done), "confirmed");
    let wrong = poll.replace("client_id=client", "client_id=other");
    assert_eq!(asked(&lab, "/token", &wrong).await, "it was issued to client");
    assert_eq!(asked(&lab, "/token", &poll).await, "token of ada");
    let again = asked(&lab, "/token", &poll).await;
    assert!(again.starts_with("it was redeemed before, by x-"), "{again}");
}

#[tokio::test]
async fn a_reset_forgets_the_devices_that_wait_and_makes_room_for_others() {
    let lab = lab().await;
    let mut user = String::new();
    for _ in 0..3 {
        let begun: Value = serde_json::from_str(&asked(&lab, "/device", "client_id=client").await).unwrap();
        user = begun["user_code"].as_str().unwrap().to_owned();
    }
    let full = asked(&lab, "/device", "client_id=client").await;
    assert_eq!(full, "3 device codes wait already");
    reset(&lab).await;
    assert!(asked(&lab, "/device", "client_id=client").await.contains("user_code"));
    let mut browser = Browser::new(&lab);
    browser.post(&authorize(), ADA).await;
    let gone = text(&browser.get(&format!("/confirm?user_code={user}")).await);
    assert_eq!(gone, "no device waits with this user code");
}
