//! Sign-in by e-mail address: who it finds, what tokens then say, and what is said where nobody is found by it.

use mocktenant_lab::{Command, Lab};
use mocktenant_verdict::{Edit, Fault, Remedy, Setting};
use mocktenant_world::EditedBy;
use serde_json::json;

use crate::browser::{Browser, typed};
use crate::device;
use crate::front_door::*;
use crate::sign_in::{WRONG, asked, of, sent_back};

const MAIL: &str = "grace.hopper@contoso.com";
const GRACE: &str = "grace@contoso.com";
const HERS: &str = "grace-password-not-secret";

fn by_mail<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    changed(&by_password(&[("username", MAIL), ("password", HERS)]), changes)
}

fn setting() -> Setting {
    service().alternate_login_id()
}

async fn off() -> Lab {
    lab_with(vec![Edit::remove(setting())], mocktenant_verdict::Switches::default()).await
}

async fn apply(lab: &Lab, edits: Vec<Edit>) {
    lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
}

fn remedy(lab: &Lab) -> Remedy {
    *last_check(lab, "user-known").remedy.unwrap()
}

#[tokio::test]
async fn whoever_sends_an_e_mail_address_gets_the_tokens_of_its_user() {
    let lab = lab().await;
    for name in [MAIL, "Grace.Hopper@CONTOSO.com", GRACE, "CONTOSO\\grace"] {
        let reply = ask(&lab, &by_mail(&[("username", name)])).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        let claims = verified(&lab, &reply.of("access_token")).await;
        assert_eq!(
            [&claims["upn"], &claims["unique_name"], &claims["email"]],
            [GRACE, "CONTOSO\\grace", MAIL],
            "{name}"
        );
        let id = verified(&lab, &reply.of("id_token")).await;
        assert_eq!([&id["upn"], &id["unique_name"]], [GRACE, "CONTOSO\\grace"], "{name}");
    }
}

#[tokio::test]
async fn the_check_says_by_what_the_user_was_found() {
    let lab = lab().await;
    for (name, by) in [
        (MAIL, "known by alternate login ID"),
        (GRACE, "known by user principal name"),
        ("contoso\\GRACE", "known by DOMAIN\\name"),
    ] {
        ask(&lab, &by_mail(&[("username", name)])).await;
        assert_eq!(&*last_check(&lab, "user-known").actual, by, "{name}");
    }
}

#[tokio::test]
async fn on_the_pages_an_e_mail_address_is_typed_or_hinted_and_stays_as_it_was_typed() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        let target = asked(&[("login_hint", MAIL)]);
        let mut browser = Browser::default();
        let page = browser.get(&lab, &target).await.text();
        assert!(page.contains(&format!("value=\"{MAIL}\"")), "{profile}: {page}");
        let wrong = browser.fill(&lab, &target, &typed(MAIL, "wrong")).await.text();
        assert!(wrong.contains(WRONG) && wrong.contains(&format!("value=\"{MAIL}\"")), "{profile}: {wrong}");
        let reply = browser.fill(&lab, &target, &typed(MAIL, HERS)).await;
        assert_eq!(reply.status, 302, "{profile}: {}", reply.text());
        // Her session is hers by either name, also where people no longer sign in by mail.
        apply(&lab, vec![Edit::remove(setting())]).await;
        let answer = sent_back(&browser.get(&lab, &target).await);
        let fact = lab.journal().records().pop().unwrap().fact("user").unwrap().value.to_string();
        assert_eq!((of(&answer, "code").is_empty(), &*fact), (false, GRACE), "{profile}");
    }
}

#[tokio::test]
async fn a_device_gets_the_tokens_of_whoever_typed_an_e_mail_address_for_it() {
    let lab = lab().await;
    let begun = device::begin(&lab, &[]).await;
    let signed_in = device::approve_as(&lab, &begun.of("user_code"), MAIL, HERS).await;
    assert!(signed_in.text().contains("You have signed in"), "{}", signed_in.text());
    let reply = device::poll(&lab, &begun.of("device_code"), &[]).await;
    assert_eq!(verified(&lab, &reply.of("access_token")).await["upn"], GRACE);
}

#[tokio::test]
async fn wrong_passwords_count_for_the_user_whichever_name_is_typed() {
    let policy = [(service().lockout(), json!({ "threshold": 2, "minutes": 5 }))];
    for place in ["token", "page", "device"] {
        let lab = edited(policy.clone()).await;
        for name in [MAIL, GRACE] {
            match place {
                "token" => drop(ask(&lab, &by_mail(&[("username", name), ("password", "wrong")])).await),
                "page" => {
                    let mut browser = Browser::default();
                    drop(browser.fill(&lab, &asked(&[]), &typed(name, "wrong")).await);
                }
                _ => {
                    let begun = device::begin(&lab, &[]).await;
                    drop(device::approve_as(&lab, &begun.of("user_code"), name, "wrong").await);
                }
            }
        }
        assert_eq!(ask(&lab, &by_mail(&[])).await.status, 400, "{place}");
        assert_eq!(decided(&lab), "user-not-locked-out", "{place}");
    }
}

#[tokio::test]
async fn audits_name_the_account_of_who_signed_in_and_the_text_of_who_did_not() {
    let lab = lab().await;
    for (password, expected) in [(HERS, "CONTOSO\\grace"), ("wrong", MAIL)] {
        ask(&lab, &by_mail(&[("password", password)])).await;
        let record = lab.journal().records().pop().unwrap();
        let events: Vec<_> = lab.events(&record).iter().map(|event| event.document().text).collect();
        let named = format!("<UserId>{expected}</UserId>");
        assert!(events.iter().any(|text| text.contains(&named)), "{named}: {events:#?}");
    }
}

#[tokio::test]
async fn where_nobody_signs_in_by_mail_an_e_mail_address_is_nobodys_and_the_setting_is_named() {
    let lab = off().await;
    assert_eq!(ask(&lab, &by_mail(&[])).await.refusal(), ("invalid_grant".into(), "MSIS9659".into()));
    assert_eq!(decided(&lab), "user-known");
    let Remedy { here, instead, .. } = remedy(&lab);
    let change = here.unwrap();
    assert_eq!((change.fault, &change.setting), (Fault::Missing, &setting()));
    assert_eq!(instead.iter().map(|name| &**name).collect::<Vec<_>>(), [GRACE]);
    apply(&lab, change.edits).await;
    assert_eq!(ask(&lab, &by_mail(&[])).await.status, 200);

    // By another attribute, which is the wrong one then.
    let lab = edited([(setting(), json!("sn"))]).await;
    assert_eq!(ask(&lab, &by_mail(&[("username", "hopper")])).await.status, 200);
    assert_eq!(ask(&lab, &by_mail(&[])).await.status, 400);
    let change = remedy(&lab).here.unwrap();
    assert_eq!((change.fault, change.actual.as_deref()), (Fault::Wrong, Some("sn")));
    apply(&lab, change.edits).await;
    assert_eq!(ask(&lab, &by_mail(&[])).await.status, 200);
}

#[tokio::test]
async fn the_setting_is_not_named_where_it_would_find_nobody_or_two() {
    let named = |lab: &Lab| remedy(lab).here.unwrap().setting == setting();
    let lab = off().await;
    ask(&lab, &by_mail(&[("username", "nobody@contoso.com")])).await;
    assert!(!named(&lab));
    ask(&lab, &by_mail(&[])).await;
    assert!(named(&lab));
    apply(&lab, vec![Edit::add(service().user(USER).attribute("mail"), MAIL)]).await;
    ask(&lab, &by_mail(&[])).await;
    assert!(!named(&lab), "whose it is cannot be told");
}

#[tokio::test]
async fn whose_principal_name_is_anothers_e_mail_address_signs_in_by_account_alone() {
    let lab = lab_with(
        vec![
            Edit::remove(service().user(USER).attribute("mail")),
            Edit::add(service().user(GRACE).attribute("mail"), USER),
        ],
        mocktenant_verdict::Switches::default(),
    )
    .await;
    assert_eq!(ask(&lab, &by_password(&[])).await.status, 400);
    assert_eq!(decided(&lab), "password-matches");
    let reply = ask(&lab, &by_password(&[("password", HERS)])).await;
    assert_eq!(verified(&lab, &reply.of("access_token")).await["upn"], GRACE);
    let reply = ask(&lab, &by_password(&[("username", "CONTOSO\\ada")])).await;
    assert_eq!(verified(&lab, &reply.of("access_token")).await["upn"], USER);
    // What is issued again is about who it was issued to.
    let again = [("grant_type", "refresh_token"), ("client_id", NATIVE), ("resource", RESOURCE)];
    let token = reply.of("refresh_token");
    let again = ask(&lab, &changed(&again, &[("refresh_token", &token)])).await;
    assert_eq!(verified(&lab, &again.of("access_token")).await["upn"], USER);
}

#[tokio::test]
async fn a_name_that_is_nearly_somebodys_is_told_with_that_one() {
    let lab = lab().await;
    ask(&lab, &by_password(&[("username", "adda@contoso.com")])).await;
    assert_eq!(remedy(&lab).instead.iter().map(|name| &**name).collect::<Vec<_>>(), [USER]);
    ask(&lab, &by_password(&[("username", "somebody.else@fabrikam.com")])).await;
    assert_eq!(remedy(&lab).instead.len(), 2);
}
