//! Somebody signs in with her e-mail address, as the set-up of Finance & Operations on-premises has it: AD FS says who that is,
//! and the AOS goes by what AD FS says.

use mocktenant_diagnosis::{Kind, explain};
use mocktenant_verdict::Setting;
use mocktenant_world::Edit;

use crate::site::*;

const MAIL: &str = "grace.hopper@contoso.com";
const SETTING: &str = "/federation_services/contoso/alternate_login_id";

/// The caller is Grace, and types her e-mail address.
fn by_mail() -> Edit {
    set("/caller/sign_in/user", MAIL)
}

#[tokio::test]
async fn whoever_signs_in_with_an_e_mail_address_is_let_in_as_its_user() {
    let site = Site::of(&[by_mail()]).await;
    let attempt = site.opens().await;
    let page = String::from_utf8_lossy(&attempt.body);
    assert!(!attempt.refused(), "{page}");
    for line in ["User: grace", "Name: Grace Hopper", "Signed in as: grace@contoso.com"] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert!(!page.contains(MAIL), "the AOS is told no e-mail address of hers: {page}");
}

#[tokio::test]
async fn where_ad_fs_takes_no_e_mail_address_she_is_refused_and_the_setting_named_lets_her_in() {
    let site = Site::of(&[by_mail(), gone(SETTING)]).await;
    let attempt = site.opens().await;
    let shown = attempt.shown();
    assert!(attempt.refused() && shown.iter().any(|line| line.contains("Incorrect user ID")), "{shown:?}");
    let record = site.lab.journal().find(&attempt.exchange).unwrap();
    assert_eq!(failed(&record), ["user-known"]);
    let explanation = explain(&site.lab, &attempt.exchange).await.unwrap();
    assert!(explanation.also.is_empty(), "{:?}", explanation.also);
    let text = explanation.to_text(false);
    assert!(text.contains("Set-AdfsClaimsProviderTrust"), "{text}");
    let cause = explanation.cause.unwrap();
    let setting = Setting::fixed(SETTING);
    assert_eq!((cause.kind, &cause.setting), (Kind::Missing, &setting), "{cause:?}");
    assert_eq!(cause.change, [Edit::add(setting, "mail")]);
    site.apply(&cause.change).await;
    assert!(!site.opens().await.refused());
}

#[tokio::test]
async fn without_a_row_of_her_principal_name_her_e_mail_address_is_nobody_to_the_aos() {
    let row = "/environments/onprem/database/UserInfo/grace/NetworkAlias";
    let site = Site::of(&[by_mail(), set(row, MAIL)]).await;
    assert!(site.opens().await.refused());
    assert_eq!(failed(&site.last()), ["user-known"]);
}
