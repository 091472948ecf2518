//! Signing out: the end of a session and of every copy of it, where the browser may go then, who is told; and the hints that
//! name a sign-in.

use http::header::SET_COOKIE;
use mocktenant_lab::{ClockChange, Command, Lab};
use mocktenant_verdict::{Edit as Mend, Switches};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::json;
use time::Duration;

use crate::browser::Browser;
use crate::front_door::*;
use crate::on_behalf_of::{OWN, own_uri};
use crate::sign_in::asked;

const LOGOUT: &str = "/adfs/oauth2/logout";

/// A browser that signed in, and the id token of that.
async fn signed_in(lab: &Lab, changes: &[(&str, &str)]) -> (Browser, String) {
    let mut browser = Browser::default();
    let mut wants = vec![("response_type", "id_token"), ("nonce", "n")];
    wants.extend_from_slice(changes);
    let reply = browser.sign_in(lab, &asked(&wants)).await;
    let token = reply.header("location").split(['#', '&']).find_map(|pair| pair.strip_prefix("id_token="));
    let token = token.unwrap_or_else(|| panic!("{:?}", reply.headers)).to_owned();
    (browser, token)
}

fn target(fields: &[(&str, &str)]) -> String {
    format!("{LOGOUT}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

fn failed(lab: &Lab) -> String {
    let record = lab.journal().records().pop().unwrap();
    record.failed_check().map(|check| check.name.to_string()).unwrap_or_default()
}

fn event_ids(lab: &Lab) -> Vec<u16> {
    lab.events(&lab.journal().records().pop().unwrap()).iter().map(|event| event.row.id).collect()
}

async fn is_signed_in(lab: &Lab, browser: &mut Browser) -> bool {
    browser.get(lab, &asked(&[])).await.status == 302
}

#[tokio::test]
async fn signing_out_ends_the_session_and_every_copy_of_it() {
    let lab = lab().await;
    let (mut browser, _) = signed_in(&lab, &[]).await;
    let mut copy = Browser { cookies: browser.cookies.clone() };
    let page = browser.get(&lab, LOGOUT).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    assert!(page.text().contains("You have successfully signed out."), "{}", page.text());
    let cookies: Vec<&str> =
        page.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect();
    for name in ["MSISAuth", "MSISAuthenticated", "MSISLoopDetectionCookie"] {
        let gone = format!("{name}=; expires=Thu, 01 Jan 1970");
        assert!(
            cookies.iter().any(|cookie| cookie.to_lowercase().starts_with(&gone.to_lowercase())),
            "{name}: {cookies:?}"
        );
    }
    assert!(!is_signed_in(&lab, &mut browser).await);
    assert!(!is_signed_in(&lab, &mut copy).await, "who copied the cookie is signed out too");
    assert!(event_ids(&lab).is_empty());
    // Nobody is signed in, and it is said all the same.
    let again = Browser::default().fill(&lab, LOGOUT, &[("state", "s")]).await;
    assert!(again.text().contains("successfully signed out"));
    assert!(again.headers.get(SET_COOKIE).is_none());
}

#[tokio::test]
async fn a_browser_goes_on_to_a_registered_address_of_whom_its_hint_names() {
    let lab = lab().await;
    let (mut browser, hint) = signed_in(&lab, &[]).await;
    // Long after the id token ran out.
    lab.apply(Command::Clock(ClockChange::Forward(Duration::hours(7)))).await.unwrap();
    let fields =
        [("id_token_hint", &*hint), ("post_logout_redirect_uri", "http://localhost"), ("state", "a&b")];
    let reply = browser.get(&lab, &target(&fields)).await;
    assert_eq!((reply.status, reply.header("location")), (302, "http://localhost?state=a%26b"));
    assert!(!is_signed_in(&lab, &mut browser).await);
    // Posted, and without a session.
    let posted = Browser::default().fill(&lab, LOGOUT, &fields[..2]).await;
    assert_eq!((posted.status, posted.header("location")), (302, "http://localhost"));
    assert!(event_ids(&lab).is_empty());
    let shown = serde_json::to_string(&lab.journal().records().pop().unwrap().document()).unwrap();
    assert!(!shown.contains(hint.rsplit('.').next().unwrap()), "the hint's signature is hidden");
}

#[tokio::test]
async fn whoever_may_not_go_on_is_signed_out_and_stays() {
    let lab = lab().await;
    let (_, hint) = signed_in(&lab, &[]).await;
    let access = ask(&lab, &by_password(&[])).await.of("access_token");
    let at_localhost = hint.clone();
    let cut = format!("{}AAAA", &hint[..hint.len() - 4]);
    let none = format!("eyJhbGciOiJub25lIn0.{}.", hint.split('.').nth(1).unwrap());
    for (hint, to, check) in [
        ("", "http://localhost", "id-token-hint-present"),
        ("made up", "http://localhost", "id-token-hint-well-formed"),
        (&*none, "http://localhost", "id-token-hint-algorithm"),
        (&cut, "http://localhost", "id-token-hint-signature"),
        (&access, "http://localhost", "id-token-hint-issuer"),
        (&at_localhost, "http://localhost.evil.example", "post-logout-redirect-uri"),
        (&at_localhost, "http://localhost@evil.example", "post-logout-redirect-uri"),
        (&at_localhost, "http://localhost/#x", "post-logout-redirect-uri"),
        (&at_localhost, "javascript:alert(1)", "post-logout-redirect-uri"),
        (&at_localhost, "https://evil.example/\"><script>", "post-logout-redirect-uri"),
        (&at_localhost, "http://localhost:1", "post-logout-redirect-uri"),
        (&at_localhost, "//evil.example", "post-logout-redirect-uri"),
    ] {
        let (mut browser, _) = signed_in(&lab, &[]).await;
        let reply =
            browser.get(&lab, &target(&[("id_token_hint", hint), ("post_logout_redirect_uri", to)])).await;
        assert_eq!(reply.status, 200, "{check} {to}");
        assert!(reply.text().contains("successfully signed out") && !reply.text().contains("evil"), "{to}");
        assert_eq!(failed(&lab), check, "{to}");
        assert_eq!(event_ids(&lab), [554], "{check} {to}");
        assert!(!is_signed_in(&lab, &mut browser).await, "the logout was successful");
    }
    let twice = get(&lab, HOST, &format!("{LOGOUT}?state=1&state=2")).await;
    assert!(twice.text().contains("MSIS7009"), "{}", twice.text());
    assert_eq!((failed(&lab), event_ids(&lab)), ("logout-request".to_owned(), vec![364]));
}

#[tokio::test]
async fn another_applications_hint_opens_only_its_own_addresses() {
    let other = "http://localhost:9999/out";
    let server = service().application_group(GROUP).server_application(SERVER);
    let lab = edited([(server.redirect_uris(), json!([other]))]).await;
    let (mut browser, hint) = signed_in(&lab, &[]).await;
    let fields = [("id_token_hint", &*hint), ("post_logout_redirect_uri", other)];
    assert_eq!(browser.get(&lab, &target(&fields)).await.status, 200, "registered, and for somebody else");
    assert_eq!(failed(&lab), "post-logout-redirect-uri");
    let remedy = lab.journal().records().pop().unwrap().failed_check().unwrap().remedy.clone().unwrap();
    let edits: Vec<Mend> = remedy.here.unwrap().edits;
    lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
    assert_eq!(browser.get(&lab, &target(&fields)).await.header("location"), other);
}

/// What is asked of a hint in such a world, and what is asked next where that is turned off.
async fn decides(
    edits: &[(mocktenant_verdict::Setting, serde_json::Value)],
    fields: &[(&str, &str)],
    check: &str,
) {
    for off in [false, true] {
        let switches = if off { Switches::off([check.to_owned()]) } else { Switches::default() };
        let edits = edits.iter().map(|(setting, value)| Edit::add(setting.clone(), value.clone()));
        let lab = lab_with(edits.collect(), switches).await;
        let access = ask(&lab, fields).await.of("access_token");
        let sent = [("id_token_hint", &*access), ("post_logout_redirect_uri", "http://localhost")];
        get(&lab, HOST, &target(&sent)).await;
        assert_eq!(failed(&lab) == check, !off, "{check}: {}", failed(&lab));
    }
}

#[tokio::test]
async fn an_access_token_is_no_hint_whatever_it_has_in_common_with_one() {
    decides(&[], &by_password(&[]), "id-token-hint-issuer").await;
    let one_issuer = [(service().m365_compatibility(), json!(false))];
    decides(&one_issuer, &by_password(&[]), "id-token-hint-audience").await;
    let wants = [("client_id", OWN), ("client_secret", SECRET), ("resource", OWN)];
    decides(&own_uri(), &by_password(&wants), "id-token-hint-kind").await;
}

#[tokio::test]
async fn each_application_that_has_a_logout_uri_is_told_in_a_frame() {
    let native = service().application_group(GROUP).native_application(NATIVE);
    let lab = edited([(native.logout_uri(), json!("https://app.contoso.com/out?x=\"1\""))]).await;
    let (mut browser, hint) = signed_in(&lab, &[]).await;
    let page = browser.get(&lab, LOGOUT).await;
    let text = page.text();
    let sid = service_sid(&hint);
    let frame = format!(
        "<iframe hidden src=\"https://app.contoso.com/out?x=&quot;1&quot;&amp;iss=https%3A%2F%2FADFS.contoso.com%2Fadfs&amp;sid={sid}\"></iframe>"
    );
    assert!(text.contains(&frame), "{frame}\n{text}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-src https://app.contoso.com") && policy.contains("form-action 'none'"));
    assert_eq!(page.header("refresh"), "");
    // With somewhere to go, the frames come first.
    let (mut browser, hint) = signed_in(&lab, &[]).await;
    let fields = [("id_token_hint", &*hint), ("post_logout_redirect_uri", "http://localhost")];
    let page = browser.get(&lab, &target(&fields)).await;
    assert_eq!((page.status, page.header("refresh")), (200, "1;url=http://localhost"));
    assert!(page.text().contains("<iframe"));
    // Nobody is told of a session that was not used for him.
    assert!(!get(&lab, HOST, LOGOUT).await.text().contains("<iframe"));
    for bad in ["javascript:alert(1)", "urn:x", "https://a/#b", "https://u@a/"] {
        let world = World::contoso().unwrap();
        let edit = Edit::add(native.logout_uri(), json!(bad));
        assert!(world.edited(&[edit], EditedBy::Control).is_err(), "{bad}");
    }
}

/// `sid` of an id token, as it stands in a query.
fn service_sid(token: &str) -> String {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let claims: serde_json::Value =
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap())
            .unwrap();
    claims["sid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_hint_names_who_is_expected_and_what_is_none_is_passed_over() {
    let second = json!({"account": "CONTOSO\\bob", "password": "bob-password", "name": "Bob", "sid": "S-1-5-21-1-2-3-1105"});
    let lab = edited([(service().user("bob@contoso.com").setting(), second)]).await;
    let (mut ada, hint) = signed_in(&lab, &[]).await;
    let with_hint = asked(&[("id_token_hint", &hint), ("domain_hint", "contoso.com")]);
    assert_eq!(ada.get(&lab, &with_hint).await.status, 302);
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.fact("id-token-hint").unwrap().value.as_str(), USER);
    assert_eq!(record.fact("domain-hint").unwrap().value.as_str(), "contoso.com");
    let mut bob = Browser::default();
    let fields = [("UserName", "bob@contoso.com"), ("Password", "bob-password"), ("AuthMethod", "x")];
    assert_eq!(bob.fill(&lab, &asked(&[]), &fields).await.status, 302);
    assert_eq!(bob.get(&lab, &asked(&[])).await.status, 302);
    let page = bob.get(&lab, &with_hint).await;
    assert!(page.status == 200 && page.text().contains(USER), "Ada is expected: {}", page.text());
    let silent = bob.get(&lab, &asked(&[("id_token_hint", &hint), ("prompt", "none")])).await;
    assert!(silent.header("location").contains("error=interaction_required"), "{:?}", silent.headers);
    for none in ["made-up", &hint[1..]] {
        assert_eq!(bob.get(&lab, &asked(&[("id_token_hint", none)])).await.status, 302);
        let record = lab.journal().records().pop().unwrap();
        assert!(record.fact("id-token-hint").unwrap().value.contains("passed over"));
    }
}

#[tokio::test]
async fn a_session_that_is_too_long_for_one_cookie_is_cut_and_put_together_again() {
    let name = format!("{}@contoso.com", "b".repeat(3_000));
    let user = json!({"account": "CONTOSO\\bob", "password": "bob-password", "name": "Bob", "sid": "S-1-5-21-1-2-3-1105"});
    let lab = edited([(service().user(&name).setting(), user)]).await;
    let mut browser = Browser::default();
    let fields = [("UserName", &*name), ("Password", "bob-password"), ("AuthMethod", "x")];
    let reply = browser.fill(&lab, &asked(&[]), &fields).await;
    let cookies: Vec<String> = reply
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|cookie| cookie.to_str().unwrap().split('=').next().unwrap().to_owned())
        .collect();
    assert_eq!(cookies, ["MSISAuth", "MSISAuth1", "MSISAuth2"]);
    assert!(is_signed_in(&lab, &mut browser).await);
    // A shorter session takes the rest of the longer one away.
    let ada = [("UserName", USER), ("Password", PASSWORD), ("AuthMethod", "x")];
    browser.fill(&lab, &asked(&[("prompt", "login")]), &ada).await;
    assert!(is_signed_in(&lab, &mut browser).await);
    assert_eq!(browser.cookies.iter().find(|(name, _)| name == "MSISAuth1").unwrap().1, "");
    browser.get(&lab, LOGOUT).await;
    assert!(!is_signed_in(&lab, &mut browser).await);
    let world = World::contoso().unwrap();
    let edit = Edit::add(service().sso_lifetime(), json!(0));
    assert!(world.edited(&[edit], EditedBy::Control).is_err(), "a session of no length signs nobody in");
}

#[tokio::test]
async fn each_question_that_is_turned_off_decides_no_more() {
    for (question, hint, to) in [
        ("id-token-hint-present", "", "http://localhost"),
        ("id-token-hint-well-formed", "made-up", "http://localhost"),
        ("post-logout-redirect-uri", "own", "https://evil.example/"),
        ("id-token-hint-signature", "cut", "http://localhost"),
        ("id-token-hint-algorithm", "none", "http://localhost"),
    ] {
        let lab = lab_with(Vec::new(), Switches::off([question])).await;
        let (mut browser, own) = signed_in(&lab, &[]).await;
        let cut = format!("{}AAAA", &own[..own.len() - 4]);
        let none = format!("eyJhbGciOiJub25lIn0.{}.", own.split('.').nth(1).unwrap());
        let hint = match hint {
            "none" => &none,
            "own" => &own,
            "cut" => &cut,
            other => other,
        };
        let fields = [("id_token_hint", hint), ("post_logout_redirect_uri", to)];
        let reply = browser.get(&lab, &target(&fields)).await;
        assert_ne!(failed(&lab), question);
        if question == "id-token-hint-signature" || question == "post-logout-redirect-uri" {
            assert_eq!(reply.header("location"), to, "{question}");
        }
    }
    let lab = lab_with(Vec::new(), Switches::off(["logout-request"])).await;
    let twice = get(&lab, HOST, &format!("{LOGOUT}?state=1&state=2")).await;
    assert!(twice.text().contains("successfully signed out"));
}
