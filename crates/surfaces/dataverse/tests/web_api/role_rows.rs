//! Security roles and who holds them, as rows: clients list them, join and take apart, and the next request is judged by it.

use crate::support::{Bench, CLIENT, Seen, USER, bearer, claims_with, organization};
use http::Method;
use mocktenant_lab::{Command, Scope};
use mocktenant_world::{Edit, EditedBy};
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const ADMINISTRATOR: &str = "c0117050-0000-4000-8000-0000000d2001";
const BASIC_USER: &str = "c0117050-0000-4000-8000-0000000d2002";
/// Who administers here, whatever becomes of the caller.
const OTHER_CLIENT: &str = "c0117050-0000-4000-8000-00000000a002";
const OTHER: &str = "c0117050-0000-4000-8000-0000000d1002";

/// An organisation whose caller is declared to hold these roles.
async fn bench(roles: &[&str]) -> Bench {
    let own = organization(&["application_users", CLIENT]).join("roles");
    Bench::edited(&[Edit::replace(own, json!(roles))]).await
}

async fn administrator(bench: &Bench, method: Method, path: &str, body: Option<Value>) -> Seen {
    let token = bearer(&claims_with("appid", OTHER_CLIENT));
    let body = body.map(|body| body.to_string());
    bench.send(method, &format!("{ROOT}{path}"), body.as_deref(), &[("authorization", &token)]).await
}

/// The administrator gives the caller a role, or takes it away.
async fn give(bench: &Bench, role: &str) {
    let body = json!({ "@odata.id": format!("roles({role})") });
    let path = format!("systemusers({USER})/systemuserroles_association/$ref");
    let seen = administrator(bench, Method::POST, &path, Some(body)).await;
    assert_eq!(seen.status().as_u16(), 204, "{:?}", seen.refusal());
}

async fn take(bench: &Bench, role: &str) {
    let path = format!("systemusers({USER})/systemuserroles_association({role})/$ref");
    let seen = administrator(bench, Method::DELETE, &path, None).await;
    assert_eq!(seen.status().as_u16(), 204, "{:?}", seen.refusal());
}

async fn list(bench: &Bench, path: &str) -> Vec<Value> {
    let seen = administrator(bench, Method::GET, path, None).await;
    seen.json()["value"].as_array().unwrap_or_else(|| panic!("{path}: {:?}", seen.refusal())).clone()
}

async fn names(bench: &Bench, path: &str) -> Vec<String> {
    let mut names: Vec<String> =
        list(bench, path).await.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn declared_roles_and_who_holds_them_are_rows_from_both_sides() {
    let bench = bench(&["Basic User", "Service Reader"]).await;
    let own = format!("systemusers({USER})/systemuserroles_association?$select=name");
    assert_eq!(names(&bench, &own).await, ["Basic User", "Service Reader"]);
    let all = names(&bench, "roles?$select=name").await;
    assert!(all.len() >= 7 && all.iter().any(|name| name == "System Customizer"), "{all:?}");

    let role = administrator(&bench, Method::GET, &format!("roles({BASIC_USER})"), None).await.json();
    assert_eq!((&role["name"], &role["roleid"]), (&json!("Basic User"), &json!(BASIC_USER)));
    assert_eq!(role["_businessunitid_value"], "c0117050-0000-4000-8000-0000000d0002");
    assert_eq!(role["_parentrootroleid_value"], BASIC_USER);

    let holders =
        list(&bench, &format!("roles({BASIC_USER})/systemuserroles_association?$select=fullname")).await;
    assert_eq!(holders.len(), 1, "{holders:?}");
    assert_eq!(holders[0]["systemuserid"], USER);

    // filters and expansions, both ways
    let with =
        "systemusers?$select=systemuserid&$filter=systemuserroles_association/any(r:r/name eq 'Basic User')";
    let with = list(&bench, &with.replace(' ', "%20")).await;
    assert_eq!(with.len(), 1);
    assert_eq!(with[0]["systemuserid"], USER);
    let path =
        format!("systemusers({USER})?$select=fullname&$expand=systemuserroles_association($select=name)");
    let seen = administrator(&bench, Method::GET, &path, None).await.json();
    assert_eq!(seen["systemuserroles_association"].as_array().unwrap().len(), 2, "{seen}");
    let path =
        format!("roles({ADMINISTRATOR})?$select=name&$expand=systemuserroles_association($select=fullname)");
    let seen = administrator(&bench, Method::GET, &path, None).await.json();
    let holders = seen["systemuserroles_association"].as_array().unwrap();
    assert!(holders.iter().any(|row| row["systemuserid"] == OTHER), "{seen}");
    assert!(!holders.iter().any(|row| row["systemuserid"] == USER), "{seen}");
    let between =
        list(&bench, &format!("systemuserrolescollection?$filter=_systemuserid_value%20eq%20{USER}")).await;
    assert_eq!(between.len(), 2, "{between:?}");
    let again =
        list(&bench, &format!("systemuserrolescollection?$filter=_systemuserid_value%20eq%20{USER}")).await;
    assert_eq!(between, again, "their ids stay");
}

#[tokio::test]
async fn a_declared_role_that_a_client_gives_counts_with_the_next_request() {
    let bench = bench(&[]).await;
    let accounts = format!("{ROOT}accounts");
    assert_eq!(bench.get(&accounts).await.refusal(), (403, "0x80042f09".to_owned()));
    give(&bench, BASIC_USER).await;
    assert_eq!(bench.get(&accounts).await.status().as_u16(), 200);
    let seen = bench.get(&format!("{ROOT}tasks?$count=true")).await;
    assert_eq!(seen.status().as_u16(), 200, "{:?}", seen.refusal());
    // what it lacks is in the setting of the role
    let seen = bench.call(Method::POST, &format!("{ROOT}transactioncurrencies"), Some("{}")).await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains("roleCount=1, "), "{}", seen.message());
    let record = bench.lab.journal().last_refusal().unwrap();
    let check = record.checks.iter().find(|check| check.failed()).unwrap();
    let settings: Vec<String> = check.settings.iter().map(ToString::to_string).collect();
    assert!(
        settings.contains(&"/organizations/contoso/roles/Basic User/privileges".to_owned()),
        "{settings:?}"
    );
    // the other way round, of another role, which reaches every row
    let path = format!("roles({ADMINISTRATOR})/systemuserroles_association/$ref");
    let body = json!({ "@odata.id": format!("systemusers({USER})") });
    assert_eq!(administrator(&bench, Method::POST, &path, Some(body)).await.status().as_u16(), 204);
    let body = r#"{"currencyname":"Krone","isocurrencycode":"NOK","currencysymbol":"kr","currencyprecision":2,"exchangerate":10}"#;
    let seen = bench.call(Method::POST, &format!("{ROOT}transactioncurrencies"), Some(body)).await;
    assert_eq!(seen.status().as_u16(), 204, "{:?} {}", seen.refusal(), seen.message());
}

#[tokio::test]
async fn without_its_last_role_a_user_is_refused_until_a_reset_or_another_role() {
    let bench = bench(&["Basic User"]).await;
    let accounts = format!("{ROOT}accounts");
    assert_eq!(bench.get(&accounts).await.status().as_u16(), 200);
    take(&bench, BASIC_USER).await;
    let seen = bench.get(&accounts).await;
    assert_eq!(seen.refusal(), (403, "0x80042f09".to_owned()));
    assert_eq!(
        seen.message(),
        format!(
            "RetrievePrivilegeForUser: The user with id {USER} has not been assigned any roles. They need a role with the prvReadAccount privilege."
        )
    );
    assert_eq!(bench.failed_checks(), ["application-user-roles"]);
    let record = bench.lab.journal().last_refusal().unwrap();
    let check = record.checks.iter().find(|check| check.failed()).unwrap();
    assert_eq!(check.actual, "none: the Web API took away Basic User, until a reset");
    // an edit of something else does not bring it back, one that adds a role does
    let user = organization(&["application_users", CLIENT]);
    let edit = |edits| bench.lab.apply(Command::Edit { edits, by: EditedBy::Scenario("test".into()) });
    edit(vec![Edit::add(user.join("enabled"), true)]).await.unwrap();
    assert_eq!(bench.get(&accounts).await.status().as_u16(), 403);
    edit(vec![Edit::add(user.join("roles").join("-"), "Service Reader")]).await.unwrap();
    assert_eq!(bench.get(&accounts).await.status().as_u16(), 200);
    bench.lab.apply(Command::Reset { scope: Some(Scope::organization("contoso")) }).await.unwrap();
    let own = format!("systemusers({USER})/systemuserroles_association?$select=name");
    assert_eq!(names(&bench, &own).await, ["Basic User"], "as the base world has it");
}

#[tokio::test]
async fn a_setting_that_says_what_a_client_did_already_is_no_contradiction() {
    let bench = bench(&[]).await;
    give(&bench, BASIC_USER).await;
    let own = organization(&["application_users", CLIENT]).join("roles");
    let edit = |edits| bench.lab.apply(Command::Edit { edits, by: EditedBy::Scenario("test".into()) });
    edit(vec![Edit::add(own.join("-"), "Basic User")]).await.unwrap();
    let held = format!("systemusers({USER})/systemuserroles_association?$select=name");
    assert_eq!(names(&bench, &held).await, ["Basic User"]);
    edit(vec![Edit::replace(own, json!([]))]).await.unwrap();
    assert_eq!(names(&bench, &held).await, [""; 0], "the setting takes away what it gave");
}

#[tokio::test]
async fn a_role_that_a_client_made_is_held_and_allows_nothing() {
    let bench = bench(&[]).await;
    let unit = "businessunits(c0117050-0000-4000-8000-0000000d0002)";
    let body = json!({ "name": "Own role", "businessunitid@odata.bind": unit });
    let seen = administrator(&bench, Method::POST, "roles", Some(body)).await;
    let address = seen.header("odata-entityid").unwrap().to_owned();
    let role = address.split_once("roles(").unwrap().1.trim_end_matches(')');
    give(&bench, role).await;
    let seen = bench.get(&format!("{ROOT}accounts")).await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains("roleCount=1, privilegeCount=0, "), "{}", seen.message());
    assert_eq!(bench.failed_checks(), ["privilege"]);
    let record = bench.lab.journal().last_refusal().unwrap();
    let check = record.checks.iter().find(|check| check.failed()).unwrap();
    assert_eq!(check.actual, format!("in none of Own role (the row roles({role}))"));
    // a role that is gone is held by nobody
    assert_eq!(
        administrator(&bench, Method::DELETE, &format!("roles({role})"), None).await.status().as_u16(),
        204
    );
    assert_eq!(bench.get(&format!("{ROOT}accounts")).await.refusal(), (403, "0x80042f09".to_owned()));
}

#[tokio::test]
async fn who_owns_a_row_or_is_acted_as_is_judged_by_rows_too() {
    let bench = bench(&["System Administrator"]).await;
    let path = format!("systemusers({OTHER})/systemuserroles_association({ADMINISTRATOR})/$ref");
    assert_eq!(bench.call(Method::DELETE, &format!("{ROOT}{path}"), None).await.status().as_u16(), 204);
    let body = format!(r#"{{"ownerid@odata.bind":"/systemusers({OTHER})"}}"#);
    let seen = bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body)).await;
    assert_eq!(seen.refusal(), (403, "0x80040299".to_owned()));
    let seen =
        bench.call_with(Method::GET, &format!("{ROOT}accounts"), None, &[("mscrmcallerid", OTHER)]).await;
    assert_eq!(seen.refusal(), (403, "0x80042f09".to_owned()));
}
