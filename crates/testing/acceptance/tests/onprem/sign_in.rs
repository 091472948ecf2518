//! A browser signs in: what it is sent to AD FS with, what it comes back with, what it keeps, how it leaves.

use http::Method;
use http::header::{AUTHORIZATION, SET_COOKIE};
use serde_json::Value;

use crate::site::*;

/// The parameters of an address.
fn query(url: &str) -> Vec<(String, String)> {
    let (_, query) = url.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn parameter(url: &str, name: &str) -> String {
    query(url).into_iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[tokio::test]
async fn the_application_sends_a_browser_to_ad_fs_with_a_nonce_and_keeps_that_in_a_cookie() {
    let site = Site::new().await;
    let root = site.get(&format!("{AOS}/")).await;
    assert_eq!((root.status.as_u16(), location(&root)), (302, "/namespaces/AXSF/".to_owned()));
    let mut browser = Browser::default();
    let reply = browser.get(&site, &format!("{APPLICATION}/?company=USMF")).await;
    assert_eq!(reply.status, 302);
    let to = location(&reply);
    assert!(to.starts_with("https://adfs.contoso.com/adfs/oauth2/authorize"), "{to}");
    let asked = query(&to);
    let names: Vec<&str> = asked.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        [
            "client_id",
            "response_type",
            "scope",
            "state",
            "response_mode",
            "nonce",
            "redirect_uri",
            "x-client-SKU",
            "x-client-ver"
        ]
    );
    assert_eq!(parameter(&to, "client_id"), "d8230a86-015d-4c14-bcd6-c7fb65176b16");
    assert_eq!(parameter(&to, "response_type"), "id_token");
    assert_eq!(parameter(&to, "response_mode"), "form_post");
    assert_eq!(parameter(&to, "redirect_uri"), APPLICATION);
    assert!(parameter(&to, "state").starts_with("OpenIdConnect.AuthenticationProperties="));
    let nonce = parameter(&to, "nonce");
    let (ticks, random) = nonce.split_once('.').unwrap();
    assert_eq!((ticks.len(), ticks.parse::<i64>().is_ok(), random.len()), (18, true, 96));
    let [name, "ms-dyn-affinity"] = browser.names()[..] else { panic!("{:?}", browser.names()) };
    assert!(name.starts_with("OpenIdConnect.nonce.") && name.ends_with("%3D"), "{name}");
    let cookie = &header(&reply, SET_COOKIE)[0];
    assert!(cookie.ends_with("; path=/; HttpOnly; Secure; SameSite=None"), "{cookie}");
}

#[tokio::test]
async fn who_comes_back_is_let_in_keeps_a_cookie_and_lands_where_it_wanted_to_go() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let (to, fields) = browser.asked(&site).await;
    assert_eq!(to, APPLICATION);
    let reply = browser.comes_back(&site, &to, &fields).await;
    assert_eq!((reply.status.as_u16(), location(&reply)), (302, "/namespaces/AXSF/?company=USMF".to_owned()));
    // The nonce is spent; who came in is in one cookie, or in several and one that says how many.
    assert_eq!(browser.names(), ["DynamicsOwinAuth", "ms-dyn-affinity"]);
    let page = text(&browser.get(&site, &format!("{APPLICATION}/")).await);
    for line in [
        "User: ada",
        "Name: Ada Lovelace",
        "Signed in as: ada@contoso.com",
        "Company: USMF",
        "Roles: Accounting manager, System user",
        "Identity provider: http://ADFS.contoso.com/adfs/services/trust",
        "Sid: S-1-19-",
        "Node: AOS_1",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

#[tokio::test]
async fn a_long_token_is_kept_in_pieces_and_none_of_them_alone_is_anybody() {
    // Claims of the Web API reach the id token of a client that may have all of them.
    let long = "x".repeat(2_500);
    let user = "/federation_services/contoso/users/ada@contoso.com/attributes/mail";
    let group =
        "/federation_services/contoso/application_groups/Microsoft Dynamics 365 for Operations On-premises";
    let api = format!("{group}/web_apis/https:~1~1ax.contoso.com~1namespaces~1AXSF");
    let site = Site::of(&[
        set(user, long),
        // The client's own id is an identifier of the Web API, so its rules count for the id token.
        set(&format!("{api}/identifiers/-"), "d8230a86-015d-4c14-bcd6-c7fb65176b16"),
    ])
    .await;
    let mut browser = Browser::signed_in(&site).await;
    let own = browser.names().into_iter().filter(|name| *name != "ms-dyn-affinity");
    let names: Vec<String> = own.map(str::to_owned).collect();
    if names.len() > 1 {
        assert_eq!(names[0], "DynamicsOwinAuth");
        assert!(names[1..].iter().all(|name| name.starts_with("DynamicsOwinAuthC")), "{names:?}");
        let whole = browser.clone();
        for name in &names {
            let mut cut = whole.clone();
            cut.cookies.remove(&("ax.contoso.com".to_owned(), name.clone()));
            assert_eq!(cut.get(&site, &format!("{APPLICATION}/")).await.status, 302, "without {name}");
        }
    }
    assert_eq!(browser.get(&site, &format!("{APPLICATION}/")).await.status, 200);
}

#[tokio::test]
async fn customers_are_shown_and_a_form_of_ones_own_session_makes_one() {
    let site = Site::new().await;
    let mut browser = Browser::signed_in(&site).await;
    let list = format!("{APPLICATION}/customers");
    assert!(text(&browser.get(&site, &list).await).contains("There is none yet."));
    let page = text(&browser.get(&site, &format!("{list}/new")).await);
    let form = mocktenant_lab::caller::page::Page::read(&page).forms.remove(0);
    let token =
        form.fields.iter().find(|field| field.name == "__RequestVerificationToken").unwrap().value.clone();
    let filled = |token: &str| {
        [
            ("__RequestVerificationToken", token.to_owned()),
            ("CustomerAccount", "OP-2".to_owned()),
            ("OrganizationName", "<script>alert(1)</script>".to_owned()),
            ("CustomerGroupId", "30".to_owned()),
            ("SalesCurrencyCode", "USD".to_owned()),
        ]
    };
    let good = filled(&token);
    let good: Vec<(&str, &str)> = good.iter().map(|(name, value)| (*name, &**value)).collect();
    let url = format!("{list}/new");
    // From another page, without the token, with another session's token.
    assert_eq!(browser.post(&site, &url, "https://evil.example", &good).await.status, 403);
    assert_eq!(browser.post(&site, &url, AOS, &good[1..]).await.status, 403);
    let mut other = Browser::signed_in(&site).await;
    assert_eq!(other.post(&site, &url, AOS, &good).await.status, 403);
    let reply = browser.post(&site, &url, AOS, &good).await;
    assert_eq!((reply.status.as_u16(), location(&reply)), (302, "/namespaces/AXSF/customers".to_owned()));
    let page = text(&browser.get(&site, &list).await);
    assert!(page.contains("OP-2 &lt;script>alert(1)&lt;/script> (30)"), "{page}");
    // What the product refuses stands above the form, with what was typed still in it.
    let again = browser.post(&site, &url, AOS, &good).await;
    let page = text(&again);
    assert!(
        again.status == 200 && page.contains("already exists") && page.contains("value=\"OP-2\""),
        "{page}"
    );
}

#[tokio::test]
async fn the_cookie_opens_the_data_too_and_writes_only_from_ones_own_pages() {
    let site = Site::new().await;
    let browser = Browser::signed_in(&site).await;
    let url = format!("{APPLICATION}/data/CustomerGroups?$top=1");
    let reply = browser.clone().get(&site, &url).await;
    assert_eq!(reply.status, 200);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["value"][0]["dataAreaId"], "usmf");
    let record = site.last();
    assert!(record.checks.iter().any(|check| check.name == "user-enabled" && check.holds()));
    let reply = browser
        .clone()
        .post(&site, &format!("{APPLICATION}/data/CustomersV3"), "https://evil.example", &[])
        .await;
    assert_eq!(reply.status, 403);
    // A token counts before a cookie.
    let mut headers = http::HeaderMap::new();
    headers.insert(AUTHORIZATION, http::HeaderValue::from_static("Bearer x"));
    assert_eq!(site.send(Method::GET, &url, headers, "").await.status, 401);
}

#[tokio::test]
async fn signing_out_takes_the_cookies_and_tells_ad_fs_with_the_token_it_issued() {
    let site = Site::new().await;
    let mut browser = Browser::signed_in(&site).await;
    let reply = browser.post(&site, &format!("{APPLICATION}/signout"), AOS, &[]).await;
    let to = location(&reply);
    assert!(to.starts_with("https://adfs.contoso.com/adfs/oauth2/logout?"), "{to}");
    assert_eq!(parameter(&to, "post_logout_redirect_uri"), APPLICATION);
    assert_eq!(parameter(&to, "id_token_hint").split('.').count(), 3);
    assert_eq!(browser.names(), ["ms-dyn-affinity"]);
    let gone = browser.get(&site, &to).await;
    assert_eq!((gone.status.as_u16(), location(&gone)), (302, APPLICATION.to_owned()));
    // AD FS forgot the browser as well.
    let reply = browser.get(&site, &format!("{APPLICATION}/")).await;
    let page = text(&browser.get(&site, &location(&reply)).await);
    assert!(page.contains("loginForm"), "{page}");
}

#[tokio::test]
async fn a_user_who_is_switched_off_meanwhile_is_out_at_once() {
    let site = Site::new().await;
    let mut browser = Browser::signed_in(&site).await;
    site.apply(&[set(&format!("{ROW}/Enable"), 0)]).await;
    let reply = browser.get(&site, &format!("{APPLICATION}/")).await;
    assert_eq!(reply.status, 401);
    assert!(text(&reply).contains("You are not authorized to login with your current credentials."));
}

#[tokio::test]
async fn a_restart_signs_nobody_out_and_a_reset_everybody() {
    let site = Site::new().await;
    let mut browser = Browser::signed_in(&site).await;
    site.restart().await;
    assert_eq!(browser.get(&site, &format!("{APPLICATION}/")).await.status, 200);
    site.lab.apply(mocktenant_lab::Command::Reset { scope: None }).await.unwrap();
    assert_eq!(browser.get(&site, &format!("{APPLICATION}/")).await.status, 302);
}
