//! The roles an organisation comes with, and how deep they reach.

use crate::support::{Bench, CLIENT, USER, organization};
use http::Method;
use mocktenant_world::{Edit, World};
use serde_json::{Value, json};

const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const OTHER: &str = "c0117050-0000-4000-8000-0000000d1002";
const MINE: &str = "c0117050-0000-4000-8000-0000000f0001";
const THEIRS: &str = "c0117050-0000-4000-8000-0000000f0002";

/// An organisation with a row of the caller's, one of somebody else's, and these roles of the caller.
async fn bench(roles: &[&str]) -> Bench {
    let user = organization(&["application_users", CLIENT]);
    let rows = json!({
        "mine": { "accountid": MINE, "name": "mine", "_ownerid_value": USER },
        "theirs": { "accountid": THEIRS, "name": "theirs", "_ownerid_value": OTHER },
    });
    let rows = Edit::add(organization(&["records", "accounts"]), rows);
    Bench::edited(&[Edit::replace(user.join("roles"), json!(roles)), rows]).await
}

fn names(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

fn row(id: &str) -> String {
    format!("{ACCOUNTS}({id})")
}

#[tokio::test]
async fn a_basic_user_does_with_its_own_rows_what_it_likes() {
    let bench = bench(&["Basic User"]).await;
    for set in ["accounts", "contacts", "tasks"] {
        let seen = bench.call(Method::POST, &format!("/api/data/v9.2/{set}"), Some("{}")).await;
        assert_eq!(seen.status().as_u16(), 204, "{set}: {:?}", seen.refusal());
        let id = seen.header("odata-entityid").unwrap().to_owned();
        let target = id.split_once("dynamics.com").unwrap().1;
        for (method, body) in [(Method::GET, None), (Method::PATCH, Some("{}")), (Method::DELETE, None)] {
            let seen = bench.call(method.clone(), target, body).await;
            assert!(seen.status().is_success(), "{method} {target}: {:?}", seen.refusal());
        }
    }
    assert_eq!(
        bench.get("/api/data/v9.2/transactioncurrencies").await.json()["value"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_basic_user_sees_only_its_own_rows_in_a_list() {
    let bench = bench(&["Basic User"]).await;
    let list = bench.get(&format!("{ACCOUNTS}?$count=true")).await.json();
    assert_eq!((names(&list), &list["@odata.count"]), (vec!["mine"], &json!(1)));
    assert_eq!(
        names(&bench.get(&format!("{ACCOUNTS}?$filter=name%20eq%20'theirs'")).await.json()),
        Vec::<&str>::new()
    );
    let all = self::bench(&["System Administrator"]).await.get(ACCOUNTS).await.json();
    assert_eq!(names(&all).len(), 2);
    let all = self::bench(&["Basic User", "Service Reader"]).await.get(ACCOUNTS).await.json();
    assert_eq!(names(&all).len(), 2, "of two roles the deeper one counts");
}

#[tokio::test]
async fn a_basic_user_is_refused_anothers_row_by_its_id() {
    let bench = bench(&["Basic User"]).await;
    for (method, body, privilege) in [
        (Method::GET, None, "prvReadAccount"),
        (Method::PATCH, Some(r#"{"name":"x"}"#), "prvWriteAccount"),
        (Method::DELETE, None, "prvDeleteAccount"),
    ] {
        let seen = bench.call(method.clone(), &row(THEIRS), body).await;
        assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()), "{method}");
        assert!(seen.message().contains(&format!("is missing {privilege} privilege")), "{}", seen.message());
        assert_eq!(bench.failed_checks(), ["row-in-reach"]);
        assert!(bench.call(method, &row(MINE), body).await.status().is_success());
    }
    let gone = bench.get(&row("c0117050-0000-4000-8000-0000000f0009")).await;
    assert_eq!(gone.refusal(), (404, "0x80040217".to_owned()), "what is not there is not there");
}

#[tokio::test]
async fn a_basic_user_neither_creates_a_row_for_another_nor_gives_it_back_once_given() {
    let bench = bench(&["Basic User"]).await;
    let body = format!(r#"{{"ownerid@odata.bind":"/systemusers({OTHER})"}}"#);
    let seen = bench.call(Method::POST, ACCOUNTS, Some(&body)).await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert_eq!(bench.call(Method::PATCH, &row(MINE), Some(&body)).await.status().as_u16(), 204, "assigned");
    assert_eq!(bench.get(&row(MINE)).await.refusal(), (403, "0x80040220".to_owned()));
}

#[tokio::test]
async fn a_service_reader_reads_every_row_and_creates_none() {
    let bench = bench(&["Service Reader"]).await;
    assert_eq!(names(&bench.get(ACCOUNTS).await.json()).len(), 2);
    for (method, target, privilege) in [
        (Method::POST, ACCOUNTS.to_owned(), "prvCreateAccount"),
        (Method::PATCH, row(THEIRS), "prvWriteAccount"),
        (Method::DELETE, row(THEIRS), "prvDeleteAccount"),
    ] {
        let body = Some("{}").filter(|_| method != Method::DELETE);
        let seen = bench.call(method, &target, body).await;
        assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()), "{privilege}");
        assert!(seen.message().contains(&format!("is missing {privilege} privilege")), "{}", seen.message());
    }
}

#[tokio::test]
async fn an_owner_who_could_not_read_the_row_is_refused() {
    let other = organization(&["application_users", "c0117050-0000-4000-8000-00000000a002"]);
    let bench = Bench::edited(&[Edit::replace(other.join("roles"), json!(["Delegate"]))]).await;
    let body = format!(r#"{{"ownerid@odata.bind":"/systemusers({OTHER})"}}"#);
    let seen = bench.call(Method::POST, ACCOUNTS, Some(&body)).await;
    assert_eq!(seen.refusal(), (403, "0x80040299".to_owned()));
    let text = seen.message();
    assert!(
        text.starts_with(&format!(
            "Read Privilege Check For Owner failed with exception: Principal user (Id={OTHER}, type=8,"
        )) && text.contains("is missing prvReadAccount privilege (Id=886b280c-6396-4d56-a0a3-2c1b0a50ceb0)"),
        "{text}"
    );
    assert_eq!(bench.get(ACCOUNTS).await.json()["value"], json!([]), "nothing was written");
}

#[tokio::test]
async fn without_a_role_the_privilege_that_was_asked_for_is_named_and_who_am_i_is_answered() {
    let bench = bench(&[]).await;
    for (method, target, body, privilege) in [
        (Method::GET, "/api/data/v9.2/contacts", None, "prvReadContact"),
        (Method::POST, ACCOUNTS, Some("{}"), "prvCreateAccount"),
        (Method::GET, "/api/data/v9.2/systemusers", None, "prvReadUser"),
    ] {
        let seen = bench.call(method, target, body).await;
        assert_eq!(seen.refusal(), (403, "0x80042f09".to_owned()));
        assert_eq!(
            seen.message(),
            format!(
                "RetrievePrivilegeForUser: The user with id {USER} has not been assigned any roles. They need a role with the {privilege} privilege."
            )
        );
        assert_eq!(bench.failed_checks(), ["application-user-roles"]);
    }
    for target in ["WhoAmI", "RetrieveVersion()", ""] {
        assert_eq!(bench.get(&format!("/api/data/v9.2/{target}")).await.status().as_u16(), 200, "{target}");
    }
}

#[tokio::test]
async fn privilege_ids_that_nobody_captured_look_like_the_labs_own() {
    let bench = bench(&["Service Reader"]).await;
    let seen = bench.call(Method::DELETE, &row(MINE), None).await;
    assert!(
        seen.message().contains("is missing prvDeleteAccount privilege (Id=c0117050-0000-4000-8000-"),
        "{}",
        seen.message()
    );
}

/// Role, privilege, depth as real organisations of late 2025 have them; an empty depth is not at all.
const FACTS: &[(&str, &str, &str)] = &[
    ("Basic User", "prvCreateAccount", "Basic"),
    ("Basic User", "prvReadContact", "Basic"),
    ("Basic User", "prvWriteActivity", "Basic"),
    ("Basic User", "prvDeleteAccount", "Basic"),
    ("Basic User", "prvAssignContact", "Basic"),
    ("Basic User", "prvShareAccount", "Basic"),
    ("Basic User", "prvReadBusinessUnit", "Global"),
    ("Basic User", "prvReadRole", "Local"),
    ("Basic User", "prvReadTransactionCurrency", "Global"),
    ("Basic User", "prvCreateTransactionCurrency", ""),
    ("Basic User", "prvActOnBehalfOfAnotherUser", ""),
    ("Service Reader", "prvReadAccount", "Global"),
    ("Service Reader", "prvReadUser", "Global"),
    ("Service Reader", "prvCreateAccount", ""),
    ("Service Writer", "prvCreateContact", "Global"),
    ("Service Writer", "prvDeleteAccount", ""),
    ("System Customizer", "prvCreateAccount", "Basic"),
    ("System Customizer", "prvWriteUser", "Local"),
    ("Environment Maker", "prvReadAccount", ""),
    ("Environment Maker", "prvReadUser", "Global"),
    ("System Administrator", "prvDeleteAccount", "Global"),
    ("Delegate", "prvActOnBehalfOfAnotherUser", "Global"),
];

#[test]
fn the_default_roles_reach_as_deep_as_those_of_a_real_organisation() {
    let world = World::contoso().unwrap();
    let organization = world.organization("contoso").unwrap();
    for (role, privilege, depth) in FACTS {
        let held = organization.roles[*role].depth(privilege);
        let held = held.map(|depth| format!("{depth:?}")).unwrap_or_default();
        assert_eq!(held, *depth, "{role}: {privilege}");
    }
}

/// Line D32: role, table and what may be done to it, by a letter for how deep, as an organisation of late 2025 has them.
const TABLES: &str = include_str!("roles.csv");

#[test]
fn the_default_roles_hold_on_every_table_what_those_of_a_real_organisation_hold() {
    let world = World::contoso().unwrap();
    let organization = world.organization("contoso").unwrap();
    let mut lines = TABLES.lines();
    let head = "role,table,create,read,write,delete,append,appendto,assign,share";
    assert_eq!(lines.next(), Some(head));
    let verbs = ["Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share"];
    let mut known = 0;
    for line in lines {
        let [role, table, depths @ ..] = &line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        for (verb, depth) in verbs.iter().zip(depths) {
            let held = organization.roles[*role].depth(&format!("prv{verb}{table}"));
            let held = held.map(|held| format!("{held:?}")[..1].to_owned()).unwrap_or_default();
            assert_eq!(held, *depth, "{role}: prv{verb}{table}");
            known += usize::from(!depth.is_empty());
        }
    }
    let declared = |role: &str| organization.roles[role].privileges.len();
    let roles = ["Basic User", "Service Reader", "Service Writer", "System Customizer", "Environment Maker"];
    assert_eq!(roles.map(declared).iter().sum::<usize>(), known, "and nothing else");
}
