//! What a stranger sends in the place of what AD FS issued or the AOS sealed.

use mocktenant_keys::{Algorithm, shipped};
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_verdict::Switches;
use serde_json::{Map, Value, json};

use crate::site::*;

fn with(fields: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let change = |(known, old): &(String, String)| {
        (known.clone(), if known == name { value.to_owned() } else { old.clone() })
    };
    fields.iter().map(change).collect()
}

fn of<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    &fields.iter().find(|(known, _)| known == name).unwrap().1
}

/// The id_token with other claims, signed by somebody.
fn minted(
    token: &str,
    signer: &mocktenant_keys::Identity,
    change: impl FnOnce(&mut Map<String, Value>),
) -> String {
    use base64::Engine as _;
    let decode = |part: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    let mut parts = token.split('.');
    let header = decode(parts.next().unwrap());
    let mut claims: Map<String, Value> = serde_json::from_slice(&decode(parts.next().unwrap())).unwrap();
    change(&mut claims);
    mint(signer.key(), Algorithm::Rs256, &HeaderSegment::from_json(&header), &claims).unwrap()
}

#[tokio::test]
async fn an_id_token_that_is_not_the_one_that_was_asked_for_is_refused_with_the_500_page_and_a_line_in_the_log()
 {
    let own = shipped::adfs_signing();
    let site = Site::new().await;
    let mut browser = Browser::default();
    let (to, fields) = browser.asked(&site).await;
    let token = of(&fields, "id_token").to_owned();
    let claim = |name: &'static str, value: Value| {
        minted(&token, own, |claims| drop(claims.insert(name.to_owned(), value)))
    };
    let (head, rest) = token.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0";
    let second = NOW.unix_timestamp();
    for (sent, question, log) in [
        (String::new(), "id-token-present", ""),
        ("x".to_owned(), "id-token-well-formed", ""),
        (format!("{none}.{rest}"), "id-token-algorithm", ""),
        (format!("{head}.{}", rest.replace('.', "x.")), "id-token-well-formed", ""),
        (minted(&token, shipped::adfs_signing_next(), |_| {}), "id-token-signature", "IDX10511"),
        (claim("iss", json!("http://ADFS.contoso.com/adfs/services/trust")), "id-token-issuer", "IDX10205"),
        (claim("aud", json!(NATIVE)), "id-token-audience", "IDX10214"),
        (claim("exp", json!(second - 301)), "id-token-time", "IDX10223"),
        (claim("nbf", json!(second + 301)), "id-token-time", "IDX10222"),
        (claim("nonce", json!("another")), "id-token-nonce", "IDX10311"),
        (claim("upn", json!("nobody@contoso.com")), "user-known", ""),
    ] {
        let reply = browser.clone().comes_back(&site, &to, &with(&fields, "id_token", &sent)).await;
        let record = site.last();
        assert_eq!(failed(&record).first().copied(), Some(question), "{sent}");
        assert_eq!(reply.status, if question == "user-known" { 401 } else { 500 }, "{question}");
        let told = record.fact("log").map(|fact| fact.value.to_string()).unwrap_or_default();
        assert!(told.starts_with(log), "{question}: {told}");
        assert!(!text(&reply).contains("IDX") && !reply.headers.contains_key("set-cookie"), "{question}");
    }
    // Within five minutes it is taken.
    let sent = claim("nbf", json!(second + 299));
    assert_eq!(browser.clone().comes_back(&site, &to, &with(&fields, "id_token", &sent)).await.status, 302);
}

#[tokio::test]
async fn each_question_of_an_id_token_alone_keeps_it_out() {
    let own = shipped::adfs_signing();
    for question in [
        "id-token-signature",
        "id-token-issuer",
        "id-token-audience",
        "id-token-time",
        "id-token-nonce",
        "state-genuine",
    ] {
        for (switches, status) in [(Switches::default(), 500), (Switches::off([question]), 302)] {
            let site = Site::with(&[], switches).await;
            let mut browser = Browser::default();
            let (to, fields) = browser.asked(&site).await;
            let token = of(&fields, "id_token").to_owned();
            let claim = |name: &'static str, value: Value| {
                minted(&token, own, |claims| drop(claims.insert(name.to_owned(), value)))
            };
            let (field, sent) = match question {
                "id-token-signature" => ("id_token", minted(&token, shipped::adfs_signing_next(), |_| {})),
                "id-token-issuer" => {
                    ("id_token", claim("iss", json!("http://ADFS.contoso.com/adfs/services/trust")))
                }
                "id-token-audience" => ("id_token", claim("aud", json!(NATIVE))),
                "id-token-time" => ("id_token", claim("exp", json!(NOW.unix_timestamp() - 301))),
                "id-token-nonce" => ("id_token", claim("nonce", json!("another"))),
                _ => ("state", "OpenIdConnect.AuthenticationProperties=AAAA".to_owned()),
            };
            let reply = browser.comes_back(&site, &to, &with(&fields, field, &sent)).await;
            let record = site.last();
            assert_eq!(reply.status, status, "{question}: {:?}", failed(&record));
            assert_eq!(failed(&record).contains(&question), status == 500, "{question}");
        }
    }
}

#[tokio::test]
async fn state_and_nonce_belong_to_this_environment_this_browser_and_this_hour() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let (to, fields) = browser.asked(&site).await;
    let state = of(&fields, "state").to_owned();
    for (sent, question) in [
        (String::new(), "state-genuine"),
        (state.replace("OpenIdConnect.AuthenticationProperties=", ""), "state-genuine"),
        (state[..state.len() - 2].to_owned(), "state-genuine"),
        (format!("{state}A"), "state-genuine"),
        ("<script>alert(1)</script>".to_owned(), "state-genuine"),
    ] {
        let reply = browser.clone().comes_back(&site, &to, &with(&fields, "state", &sent)).await;
        assert_eq!((reply.status.as_u16(), failed(&site.last())[0]), (500, question), "{sent}");
        assert!(!text(&reply).contains("<script>"));
    }
    // A browser that did not begin it, and one whose cookie was swapped for that of another sign-in.
    let reply = Browser::default().comes_back(&site, &to, &fields).await;
    assert_eq!((reply.status.as_u16(), failed(&site.last())), (500, vec!["id-token-nonce"]));
    let mut other = Browser::default();
    other.asked(&site).await;
    let name = browser.names()[0].to_owned();
    let foreign = other.cookies.iter().find(|((host, _), _)| host == "ax.contoso.com").unwrap().1.clone();
    for value in [foreign.as_str(), "x", ""] {
        let mut swapped = browser.clone();
        swapped.cookies.insert(("ax.contoso.com".to_owned(), name.clone()), value.to_owned());
        let reply = swapped.comes_back(&site, &to, &fields).await;
        assert_eq!((reply.status.as_u16(), failed(&site.last())), (500, vec!["id-token-nonce"]), "{value}");
    }
    // Later than an hour neither is good any more.
    let later = mocktenant_lab::ClockChange::Forward(time::Duration::minutes(61));
    site.lab.apply(mocktenant_lab::Command::Clock(later)).await.unwrap();
    browser.clone().comes_back(&site, &to, &fields).await;
    assert_eq!(failed(&site.last())[0], "state-genuine");
}

#[tokio::test]
async fn an_answer_of_ad_fs_is_good_for_the_browser_that_asked_and_once() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let (to, fields) = browser.asked(&site).await;
    assert_eq!(browser.comes_back(&site, &to, &fields).await.status, 302);
    // The nonce's cookie went with it.
    let again = browser.comes_back(&site, &to, &fields).await;
    assert_eq!((again.status.as_u16(), failed(&site.last())), (500, vec!["id-token-nonce"]));
}

#[tokio::test]
async fn cookies_that_are_forged_cut_swapped_or_too_long_are_nobodys() {
    let site = Site::new().await;
    let browser = Browser::signed_in(&site).await;
    let key = ("ax.contoso.com".to_owned(), "DynamicsOwinAuth".to_owned());
    let good = browser.cookies[&key].clone();
    let long = "A".repeat(60_000);
    for value in [
        "",
        "x",
        &good[..good.len() - 1],
        &format!("{good}A"),
        "chunks:2",
        "chunks:99999",
        "chunks:-1",
        &long,
    ] {
        let mut other = browser.clone();
        other.cookies.insert(key.clone(), value.to_owned());
        let reply = other.get(&site, &format!("{APPLICATION}/")).await;
        assert_eq!(reply.status, 302, "{value:.40}");
    }
    // Sealed elsewhere: in another lab, and by another environment of this one.
    let elsewhere = Site::seeded(16).await;
    let foreign = Browser::signed_in(&elsewhere).await.cookies[&key].clone();
    let mut other = browser.clone();
    other.cookies.insert(key.clone(), foreign);
    assert_eq!(other.get(&site, &format!("{APPLICATION}/")).await.status, 302);
    let mut onprem =
        site.lab.world().get(&mocktenant_verdict::Setting::fixed("/environments/onprem")).unwrap().clone();
    onprem["host"] = json!("ax2.contoso.com");
    site.apply(&[set("/environments/second", onprem)]).await;
    let restart = mocktenant_lab::Command::Restart { environment: "second".to_owned(), node: None };
    site.lab.apply(restart).await.unwrap();
    let second = mocktenant_lab::Entrance::environment("second");
    let mut request =
        mocktenant_lab::Request::new(http::Method::GET, "ax2.contoso.com", "/namespaces/AXSF/", second);
    request.headers.insert("cookie", format!("DynamicsOwinAuth={good}").parse().unwrap());
    assert_eq!(site.lab.answer(request).await.status, 302);
}

#[tokio::test]
async fn what_ad_fs_says_instead_of_a_token_ends_in_the_page_and_in_the_log() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let (to, fields) = browser.asked(&site).await;
    let state = of(&fields, "state").to_owned();
    let sent = [("error", "access_denied"), ("error_description", "MSIS9999: <b>no</b>"), ("state", &*state)];
    let reply = browser.post(&site, &to, "https://adfs.contoso.com", &sent).await;
    assert_eq!(reply.status, 500);
    assert!(!text(&reply).contains("MSIS9999"));
    assert_eq!(site.last().fact("log").unwrap().value.to_string(), "access_denied: MSIS9999: <b>no</b>");
}
