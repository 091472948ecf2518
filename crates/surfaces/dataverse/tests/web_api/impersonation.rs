//! A user who acts as another.

use crate::support::{Bench, CLIENT, HOST, USER, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::json;

const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const OTHER: &str = "c0117050-0000-4000-8000-0000000d1002";
const OTHER_OBJECT: &str = "c0117050-0000-4000-8000-0000000b0002";
const OTHER_CLIENT: &str = "c0117050-0000-4000-8000-00000000a002";
const HEADERS: [(&str, &str); 2] = [("MSCRMCallerID", OTHER), ("CallerObjectId", OTHER_OBJECT)];

/// An organisation where the caller and the other user have these roles.
async fn bench(caller: &[&str], other: &[&str]) -> Bench {
    let roles = |client: &str, roles: &[&str]| {
        Edit::replace(organization(&["application_users", client, "roles"]), json!(roles))
    };
    Bench::edited(&[roles(CLIENT, caller), roles(OTHER_CLIENT, other)]).await
}

#[tokio::test]
async fn the_named_user_is_who_i_am_and_who_wrote_the_row() {
    let bench = bench(&["System Administrator"], &["Basic User"]).await;
    for header in HEADERS {
        let who = bench.call_with(Method::GET, "/api/data/v9.2/WhoAmI", None, &[header]).await;
        assert_eq!(who.json()["UserId"], OTHER, "{header:?}");
        let prefer = ("prefer", "return=representation");
        let row = bench.call_with(Method::POST, ACCOUNTS, Some("{}"), &[header, prefer]).await.json();
        for (column, user) in [
            ("_createdby_value", OTHER),
            ("_ownerid_value", OTHER),
            ("_owninguser_value", OTHER),
            ("_createdonbehalfby_value", USER),
        ] {
            assert_eq!(row[column], user, "{header:?} {column}");
        }
    }
    let record = bench.lab.journal().records().pop().unwrap();
    assert_eq!(record.fact("acting-as").unwrap().value, OTHER);
}

#[tokio::test]
async fn the_named_users_roles_decide_and_the_refusal_names_that_user() {
    let bench = bench(&["System Administrator"], &["Service Reader"]).await;
    for header in HEADERS {
        let seen = bench.call_with(Method::POST, ACCOUNTS, Some("{}"), &[header]).await;
        assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()), "{header:?}");
        let text = seen.message();
        assert!(
            text.starts_with(&format!("Principal user (Id={OTHER}, ")) && text.contains("prvCreateAccount"),
            "{text}"
        );
        assert_eq!(bench.call_with(Method::GET, ACCOUNTS, None, &[header]).await.status().as_u16(), 200);
    }
    let none = self::bench(&["System Administrator"], &[]).await;
    let seen = none.call_with(Method::GET, ACCOUNTS, None, &[HEADERS[0]]).await;
    assert_eq!(seen.refusal(), (403, "0x80042f09".to_owned()));
    assert!(seen.message().contains(OTHER), "{}", seen.message());
}

#[tokio::test]
async fn what_is_done_for_another_takes_the_privileges_of_both() {
    let bench = bench(&["Delegate", "Service Reader"], &["System Administrator"]).await;
    assert_eq!(bench.call_with(Method::GET, ACCOUNTS, None, &[HEADERS[0]]).await.status().as_u16(), 200);
    let seen = bench.call_with(Method::POST, ACCOUNTS, Some("{}"), &[HEADERS[0]]).await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains(&format!("Id={OTHER}")), "the product names the named user all the same");
    let record = bench.lab.journal().last_refusal().unwrap();
    let settings = &record.failed_check().unwrap().settings;
    assert!(
        settings.iter().any(|setting| setting.as_str().contains(CLIENT)),
        "a person is led to whoever lacks it: {settings:?}"
    );
}

#[tokio::test]
async fn without_the_privilege_to_act_for_others_nobody_is_acted_for() {
    let bench = bench(&["Service Writer"], &["System Administrator"]).await;
    for header in HEADERS {
        let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[header]).await;
        assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()), "{header:?}");
        assert!(
            seen.message().starts_with(&format!("Principal user (Id={USER}, "))
                && seen.message().contains("is missing prvActOnBehalfOfAnotherUser privilege"),
            "{}",
            seen.message()
        );
        assert_eq!(bench.failed_checks(), ["may-act-for-others"]);
    }
    for own in [("MSCRMCallerID", USER), ("CallerObjectId", "c0117050-0000-4000-8000-0000000b0001")] {
        let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[own]).await;
        assert_eq!(seen.status().as_u16(), 200, "who names itself acts for nobody");
    }
}

#[tokio::test]
async fn a_user_who_is_not_there_or_disabled_cannot_be_acted_as() {
    let bench = Bench::new().await;
    for header in ["MSCRMCallerID", "CallerObjectId"] {
        for (id, refusal) in [
            ("11111111-1111-4111-8111-111111111111", (403, "0x80041d1f")),
            ("nobody", (403, "0x80041d1f")),
            (" ", (400, "0x80048d1a")),
        ] {
            let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[(header, id)]).await;
            let (status, code) = seen.refusal();
            assert_eq!((status, code.as_str()), refusal, "{header}: {id}");
        }
        let stranger = bench.send(Method::GET, ACCOUNTS, None, &[(header, OTHER)]).await;
        assert_eq!(stranger.status().as_u16(), 401, "{header} at {HOST}");
    }
    // an object id is no user id, nor the other way round
    for (header, id) in [("MSCRMCallerID", OTHER_OBJECT), ("CallerObjectId", OTHER)] {
        let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[(header, id)]).await;
        assert_eq!(seen.refusal(), (403, "0x80041d1f".to_owned()), "{header}");
    }
    let enabled = organization(&["application_users", OTHER_CLIENT, "enabled"]);
    let bench = Bench::edited(&[Edit::replace(enabled, false)]).await;
    let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[HEADERS[1]]).await;
    assert_eq!(seen.refusal(), (403, "0x80040225".to_owned()));
}
