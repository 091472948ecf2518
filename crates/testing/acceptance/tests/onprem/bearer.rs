//! Service calls with tokens of AD FS: whose, for what, and what is answered.

use http::Method;
use serde_json::{Value, json};

use crate::site::*;

const DATA: &str = "/namespaces/AXSF/data/Currencies";
const SESSION: &str =
    "/namespaces/AXSF/api/services/UserSessionService/AifUserSessionService/GetUserSessionInfo";

#[tokio::test]
async fn the_valid_audience_is_taken_with_and_without_its_slash_and_nothing_like_it() {
    let site = Site::new().await;
    for (resource, status) in [
        ("https://ax.contoso.com/", 200),
        ("https://ax.contoso.com", 200),
        ("https://ax.contoso.com/namespaces/AXSF", 401),
    ] {
        let token = site.token_for(resource).await;
        let reply = site.call(Method::GET, DATA, &token, "").await;
        assert_eq!(reply.status, status, "{resource}");
        if status == 401 {
            assert_eq!(failed(&site.last()), ["token-audience"]);
            assert!(reply.body.is_empty() && reply.headers.contains_key("p3p"));
        }
    }
    // The product's own id, where the Web API has it among its identifiers.
    let own = "00000015-0000-0000-c000-000000000000";
    let api = "/federation_services/contoso/application_groups/Microsoft Dynamics 365 for Operations On-premises/\
               web_apis/https:~1~1ax.contoso.com~1namespaces~1AXSF/identifiers/-";
    let site = Site::of(&[set(api, own)]).await;
    let token = site.token_for(own).await;
    let claims = mocktenant_token::Compact::parse(&token).unwrap().claims().text("aud").map(str::to_owned);
    // AD FS writes its own prefix before a GUID, which the AOS does not know.
    assert_eq!(claims.as_deref(), Some("microsoft:identityserver:00000015-0000-0000-c000-000000000000"));
    assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, 401);
}

#[tokio::test]
async fn an_application_needs_its_row_and_a_user_the_row_of_the_name() {
    let table = "/environments/onprem/database/SysAADClientTable";
    for (edit, of_user, question, status) in [
        (gone(&format!("{table}/{CLIENT}")), false, Some("application-mapped"), 403),
        (set(&format!("{table}/{CLIENT}/UserId"), "nobody"), false, Some("user-enabled"), 403),
        (set("/environments/onprem/database/UserInfo/Admin/Enable", 0), false, Some("user-enabled"), 403),
        // A user's token asks for no row of the application.
        (gone(&format!("{table}/{CLIENT}")), true, None, 200),
        (gone(ROW), true, Some("user-known"), 403),
        (set(&format!("{ROW}/Enable"), 0), true, Some("user-enabled"), 403),
        (
            set(&format!("{ROW}/IdentityProvider"), "http://x/adfs/services/trust"),
            true,
            Some("user-identity-provider"),
            403,
        ),
        (set(&format!("{ROW}/NetworkAlias"), "ADA@contoso.com"), true, None, 200),
        (set(&format!("{ROW}/ObjectId"), "c0117050-0000-4000-8000-00000000ffff"), true, None, 200),
        // AD FS's word for itself has a host, and that has no letter case.
        (
            set(&format!("{ROW}/IdentityProvider"), "http://adfs.CONTOSO.com/adfs/services/trust"),
            true,
            None,
            200,
        ),
    ] {
        let site = Site::of(&[edit]).await;
        let token = if of_user {
            site.token_of("ada@contoso.com").await
        } else {
            site.token_for("https://ax.contoso.com/").await
        };
        let reply = site.call(Method::GET, DATA, &token, "").await;
        assert_eq!(reply.status, status, "{question:?}: {}", text(&reply));
        assert_eq!(failed(&site.last()).first().copied(), question);
        if status == 403 {
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(
                (&body["Message"], &body["ExceptionMessage"]),
                (&json!("An error has occurred."), &json!("Forbidden"))
            );
        }
    }
}

#[tokio::test]
async fn issuers_compare_hosts_without_case_and_the_early_format_without_its_slash() {
    let format = format!("{AXSF}/Aad.AADIssuerNameFormat");
    for (written, m365, status) in [
        ("http://adfs.contoso.com/{0}/services/trust", true, 200),
        ("HTTP://ADFS.CONTOSO.COM/{0}/services/trust", true, 200),
        ("http://ADFS.contoso.com/{0}/services/Trust", true, 401),
        ("http://ADFS.contoso.com/{0}/services/trust/", true, 401),
        ("https://ADFS.contoso.com/{0}/", false, 200),
        ("https://ADFS.contoso.com/{0}", false, 200),
        ("https://ADFS.contoso.com/{0}/", true, 401),
    ] {
        let site =
            Site::of(&[set(&format, written), set(&format!("{SERVICE}/m365_compatibility"), m365)]).await;
        let token = site.token_for("https://ax.contoso.com/").await;
        assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, status, "{written}");
        if status == 401 {
            assert_eq!(failed(&site.last()), ["token-issuer"]);
            let cause = mocktenant_diagnosis::explain(&site.lab, "last").await.unwrap().cause.unwrap();
            assert_eq!(cause.setting.as_str(), format, "{cause:?}");
            site.apply(&cause.change).await;
            site.restart().await;
            assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, 200, "{cause:?}");
        }
    }
}

#[tokio::test]
async fn data_and_services_stand_below_the_base_and_nowhere_else() {
    let site = Site::new().await;
    let token = site.token_for("https://ax.contoso.com/").await;
    let reply = site.call(Method::GET, DATA, &token, "").await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["@odata.context"], "https://ax.contoso.com/namespaces/AXSF/data/$metadata#Currencies");
    for path in ["/data/Currencies", "/data/Currencies/$count", "/nowhere"] {
        for token in [&*token, "x"] {
            let reply = site.call(Method::GET, path, token, "").await;
            assert_eq!((reply.status.as_u16(), reply.body.len()), (404, 0), "{path}");
            let record = site.last();
            let there = record.fact("expected").unwrap().value.to_string();
            assert_eq!(there, format!("/namespaces/AXSF{path}"));
        }
    }
    let customer = json!({ "dataAreaId": "usmf", "CustomerAccount": "OP-1", "OrganizationName": "On Premises",
                           "CustomerGroupId": "30", "SalesCurrencyCode": "USD" });
    let reply =
        site.call(Method::POST, "/namespaces/AXSF/data/CustomersV3", &token, &customer.to_string()).await;
    assert_eq!(reply.status, 201, "{}", text(&reply));
    let at = reply.headers["location"].to_str().unwrap();
    assert!(at.starts_with("https://ax.contoso.com/namespaces/AXSF/data/CustomersV3("), "{at}");
    let reply = site.call(Method::GET, "/namespaces/AXSF/data/CustomersV3/$count", &token, "").await;
    assert_eq!(text(&reply).trim_start_matches('\u{feff}'), "1");
}

#[tokio::test]
async fn get_user_session_info_says_who_calls_and_an_unknown_service_is_none() {
    let site = Site::new().await;
    let application = site.token_for("https://ax.contoso.com/").await;
    let person = site.token_of("ada@contoso.com").await;
    for (token, user, administers) in [(&application, "Admin", true), (&person, "ada", false)] {
        let reply = site.call(Method::POST, SESSION, token, "").await;
        assert_eq!(reply.status, 200, "{}", text(&reply));
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((&body["UserId"], &body["IsSysAdmin"]), (&json!(user), &json!(administers)));
        assert_eq!(
            (&body["Company"], &body["CurrencyInfo"]["ISOCurrencyCode"]),
            (&json!("USMF"), &json!("USD"))
        );
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 9, "{names:?}");
    }
    for path in [SESSION.replace("Info", "Infos"), SESSION.replace("UserSessionService/", "NoService/")] {
        assert_eq!(site.call(Method::POST, &path, &person, "").await.status, 404, "{path}");
    }
    assert_eq!(site.call(Method::GET, SESSION, &person, "").await.status, 405);
    assert_eq!(site.call(Method::POST, SESSION, "no.token.here", "").await.status, 401);
}
