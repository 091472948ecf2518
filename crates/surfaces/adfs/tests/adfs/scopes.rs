//! Resource and scope: what is taken from where, and what is refused.

use serde_json::json;

use crate::front_door::*;

#[tokio::test]
async fn dot_default_alone_is_refused_and_openid_of_the_resource_gives_a_token() {
    let lab = lab().await;
    let asked = |scope: &'static str| by_secret(&[("resource", ""), ("scope", scope)]);
    let reply = ask(&lab, &asked("https://ax.contoso.com//.default")).await;
    assert_eq!((reply.status, reply.refusal()), (400, ("access_denied".into(), "MSIS9605".into())));
    let check = last_check(&lab, "scope");
    let remedy = check.remedy.unwrap();
    assert_eq!(remedy.instead[0].to_string(), "https://ax.contoso.com//openid");
    let reply = ask(&lab, &asked("https://ax.contoso.com//openid")).await;
    let claims = verified(&lab, &reply.of("access_token")).await;
    assert_eq!((&claims["aud"], &claims["scp"]), (&json!(RESOURCE), &json!("openid")));
    assert_eq!(reply.members(), ["access_token", "token_type", "expires_in"]);
}

#[tokio::test]
async fn beside_a_scope_dot_default_names_the_resource_as_msal_sends_it() {
    let lab = lab().await;
    let scope = "https://ax.contoso.com/.default openid profile offline_access";
    let reply = ask(&lab, &by_password(&[("resource", ""), ("scope", scope)])).await;
    let claims = verified(&lab, &reply.of("access_token")).await;
    assert_eq!(
        (&claims["aud"], &claims["scp"]),
        (&json!("https://ax.contoso.com"), &json!("openid profile"))
    );
}

#[tokio::test]
async fn a_resource_parameter_beats_the_one_in_scope() {
    let fields = by_password(&[("resource", WEB_API), ("scope", "https://ax.contoso.com/openid")]);
    let lab = lab().await;
    let token = ask(&lab, &fields).await.of("access_token");
    assert_eq!(verified(&lab, &token).await["aud"], WEB_API);
}

#[tokio::test]
async fn windows_server_2016_takes_no_resource_in_scope() {
    let lab = edited([(service().profile(), json!("2016"))]).await;
    let fields = by_password(&[("resource", ""), ("scope", "https://ax.contoso.com/openid")]);
    assert_eq!(ask(&lab, &fields).await.refusal().1, "MSIS9712");
    assert_eq!(ask(&lab, &by_password(&[])).await.status, 200);
}

#[tokio::test]
async fn of_the_scopes_asked_for_those_are_granted_that_are_permitted() {
    let lab = edited([(web_api().permission(NATIVE), json!(["openid"]))]).await;
    let reply = ask(&lab, &by_password(&[("scope", "profile openid email nonsense")])).await;
    assert_eq!(reply.of("scope"), "openid");
    let reply = ask(&lab, &by_password(&[("scope", "profile email")])).await;
    assert_eq!(reply.refusal(), ("access_denied".into(), "MSIS9605".into()));
    assert_eq!(decided(&lab), "scope");
    let change = last_check(&lab, "scope").remedy.unwrap().here.unwrap();
    assert_eq!(change.edits.len(), 2, "both are added to the permission");
}

#[tokio::test]
async fn scopes_that_nobody_described_are_unknown_without_a_resource_and_forbidden_with_one() {
    let lab = lab().await;
    let reply = ask(&lab, &by_password(&[("resource", ""), ("scope", "nonsense")])).await;
    assert_eq!(reply.refusal(), ("invalid_scope".into(), "MSIS9603".into()));
    assert!(reply.text().contains(r"\u0027scope\u0027"), "{}", reply.text());
    let reply = ask(&lab, &by_password(&[("scope", "nonsense")])).await;
    assert_eq!(reply.refusal(), ("access_denied".into(), "MSIS9605".into()));
    let two = "https://ax.contoso.com/openid urn:x/openid";
    assert_eq!(ask(&lab, &by_password(&[("resource", ""), ("scope", two)])).await.refusal().1, "MSIS9603");
}

#[tokio::test]
async fn an_identifier_that_nearly_is_one_is_told_what_it_differs_in() {
    let lab = lab().await;
    for (asked, known, by) in [
        ("https://AX.contoso.com/", RESOURCE, "letter case"),
        ("https://ax.contoso.com/namespaces/AXSF/", WEB_API, "a final slash"),
        ("http://ax.contoso.com/", RESOURCE, "its scheme"),
        ("https://ax.contoso.com:7445", "https://ax.contoso.com", "its port"),
    ] {
        let reply = ask(&lab, &by_secret(&[("resource", asked)])).await;
        assert_eq!(reply.refusal(), ("invalid_resource".into(), "MSIS9602".into()));
        let check = last_check(&lab, "resource");
        assert!(check.actual.contains(by), "{asked}: {}", check.actual);
        let remedy = check.remedy.unwrap();
        assert_eq!(remedy.instead[0].to_string(), known);
        // The other way to mend it holds: the identifier is registered then.
        let change = remedy.here.unwrap();
        let healed = edited([]).await;
        healed
            .apply(mocktenant_lab::Command::Edit {
                edits: change.edits,
                by: mocktenant_world::EditedBy::Control,
            })
            .await
            .unwrap();
        assert_eq!(ask(&healed, &by_secret(&[("resource", asked)])).await.status, 200, "{asked}");
    }
}
