//! Who is let in: each check alone, and that each of them decides something.

use crate::support::{
    API_HOST, Bench, CLIENT, HOST, NOW, Seen, TENANT, USER, bearer, claims, claims_with, header_of,
    organization, token,
};
use http::Method;
use mocktenant_dataverse::Dataverse;
use mocktenant_keys::shipped;
use mocktenant_lab::{Command, Entrance, Machine, Surface};
use mocktenant_verdict::{Outcome, Remedy, Role, Switches};
use mocktenant_world::{Edit, EditedBy};
use serde_json::json;

/// The names of all checks, in the order asked.
fn names_asked() -> Vec<&'static str> {
    Dataverse::questions().iter().map(|question| question.name).collect()
}

/// Those that every write of one's own row is asked.
fn names_always_asked() -> Vec<&'static str> {
    let last = names_asked().iter().position(|name| *name == "privilege").unwrap();
    names_asked()[..=last].to_vec()
}

/// A request in which exactly one check fails.
struct Case {
    check: &'static str,
    authorization: String,
    edits: Vec<Edit>,
    /// Header fields beside the token.
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
    expected: (u16, &'static str),
}

/// A row that is to be another user's.
const OTHERS: &str = r#"{"name":"Forest Wholesales","ownerid@odata.bind":"/systemusers(c0117050-0000-4000-8000-0000000d1002)"}"#;

const BODY: &str = r#"{"name":"Forest Wholesales"}"#;

/// A second user of the organisation, who may read every row and create none.
const OTHER: &str = "c0117050-0000-4000-8000-0000000d1002";

fn case(check: &'static str, authorization: String) -> Case {
    Case { check, authorization, edits: Vec::new(), headers: Vec::new(), body: BODY, expected: (401, "") }
}

fn broken(check: &'static str, edit: Edit, code: &'static str) -> Case {
    let edits = vec![edit];
    Case { edits, expected: (403, code), ..case(check, bearer(&claims())) }
}

fn cases() -> Vec<Case> {
    let signer = shipped::token_signing();
    let user = organization(&["application_users", CLIENT]);
    let other = organization(&["application_users", "c0117050-0000-4000-8000-00000000a002"]);
    let mut critical = header_of(signer);
    critical["crit"] = json!(["b64"]);
    let forged = token(shipped::second_client(), &header_of(signer), &claims());
    let other_tenant = "11111111-1111-4111-8111-111111111111";
    let now = NOW.unix_timestamp();
    vec![
        case("token-present", String::new()),
        case("token-well-formed", "Bearer e30.e30".to_owned()),
        case("token-algorithm", format!("Bearer {}", token(signer, &critical, &claims()))),
        case("token-issuer", bearer(&claims_with("iss", format!("https://sts.windows.net/{other_tenant}/")))),
        case("token-signature", format!("Bearer {forged}")),
        case("token-audience", bearer(&claims_with("aud", "https://contoso.crm.dynamics.com"))),
        case("token-time", bearer(&claims_with("exp", now - 301))),
        case("token-tenant", bearer(&claims_with("tid", other_tenant))),
        broken("application-user-exists", Edit::remove(user.clone()), "0x80072560"),
        broken("application-user-enabled", Edit::replace(user.join("enabled"), false), "0x80040225"),
        broken("application-user-roles", Edit::replace(user.join("roles"), json!([])), "0x80042f09"),
        broken("privilege", Edit::replace(user.join("roles"), json!(["Service Reader"])), "0x80040220"),
        Case {
            body: OTHERS,
            ..broken("owner-may-read", Edit::replace(other.join("roles"), json!(["Delegate"])), "0x80040299")
        },
        Case {
            body: OTHERS,
            ..broken("row-in-reach", Edit::replace(user.join("roles"), json!(["Basic User"])), "0x80040220")
        },
        Case {
            headers: vec![("MSCRMCallerID", OTHER)],
            ..broken(
                "may-act-for-others",
                Edit::replace(user.join("roles"), json!(["Service Writer"])),
                "0x80040220",
            )
        },
        Case {
            headers: vec![("MSCRMCallerID", OTHER)],
            ..broken("impersonated-user", Edit::replace(other.join("enabled"), false), "0x80040225")
        },
    ]
}

/// Creates the row of a case.
async fn post(bench: &Bench, case: &Case) -> Seen {
    let mut headers = vec![("authorization", case.authorization.as_str())];
    headers.extend(case.headers.iter().copied());
    bench.send(Method::POST, "/api/data/v9.2/accounts", Some(case.body), &headers).await
}

async fn answer(case: &Case, switches: Switches) -> ((u16, String), Vec<String>) {
    let bench = Bench::with(switches, &case.edits).await;
    let seen = post(&bench, case).await;
    (seen.refusal(), bench.failed_checks())
}

#[tokio::test]
async fn each_check_alone_refuses_with_its_own_code_and_is_the_only_one_that_failed() {
    for case in cases() {
        let (refusal, failed) = answer(&case, Switches::default()).await;
        assert_eq!((refusal.0, refusal.1.as_str()), case.expected, "{}", case.check);
        assert_eq!(failed, [case.check], "{}", case.check);
    }
}

#[tokio::test]
async fn every_check_turned_off_lets_its_case_be_answered_differently() {
    let cases = cases();
    let named: Vec<&str> = cases.iter().map(|case| case.check).collect();
    assert_eq!(named, names_asked(), "every check has a case");
    for case in &cases {
        let (refusal, _) = answer(case, Switches::off([case.check])).await;
        assert_ne!((refusal.0, refusal.1.as_str()), case.expected, "{} decides nothing", case.check);
    }
}

#[tokio::test]
async fn what_a_person_is_shown_of_each_check_is_written_down() {
    let posted = |case: Case| async move {
        let bench = Bench::edited(&case.edits).await;
        post(&bench, &case).await;
        bench.lab.journal().records().pop().unwrap()
    };
    let post = |authorization: String| posted(case("", authorization));
    let mut text = String::from("--- passed\n");
    text.extend(post(bearer(&claims())).await.checks.iter().map(ToString::to_string));
    text += "--- failed\n";
    for case in cases() {
        text += &posted(case).await.failed_check().unwrap().to_string();
    }
    text += "--- keys nobody knows\n";
    let signer = shipped::token_signing();
    let mut strange = header_of(signer);
    strange["kid"] = json!("nobody");
    strange["x5t"] = json!("nobody");
    for header in [strange, json!({ "alg": "RS256" })] {
        let record = post(format!("Bearer {}", token(signer, &header, &claims()))).await;
        text += &record.failed_check().unwrap().to_string();
    }
    let long = post(bearer(&claims_with("iss", "x".repeat(5_000)))).await;
    text += &long.failed_check().unwrap().to_string();
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_good_token_passes_every_check_in_order() {
    let bench = Bench::new().await;
    let seen = bench.call(Method::POST, "/api/data/v9.2/accounts", Some("{}")).await;
    assert_eq!(seen.status().as_u16(), 204);
    let id = seen.header("x-mocktenant-exchange").unwrap();
    let record = bench.lab.journal().find(id).unwrap();
    let names: Vec<&str> = record.checks.iter().map(|check| check.name.as_ref()).collect();
    assert_eq!(names, names_always_asked());
    assert!(record.checks.iter().all(|check| check.outcome == Outcome::Passed));
    for (fact, value) in [
        ("client-id", CLIENT),
        ("organization", "contoso"),
        ("user", USER),
        ("table", "accounts"),
        ("operation", "create"),
    ] {
        assert_eq!(record.fact(fact).map(|fact| fact.value.as_ref()), Some(value), "{fact}");
    }
    assert!(record.fact("record-id").is_some());
    let named: Vec<&str> = record.activities.iter().map(|(name, _)| &**name).collect();
    assert_eq!(named, ["request-id", "activity-id"]);
}

#[tokio::test]
async fn a_stranger_gets_the_challenge_and_nothing_else() {
    let bench = Bench::new().await;
    let challenge = format!(
        "Bearer authorization_uri=https://login.microsoftonline.com/{TENANT}/oauth2/authorize, resource_id=https://{HOST}/"
    );
    for (host, method, target) in [
        (HOST, Method::GET, "/api/data/v9.2/WhoAmI"),
        (API_HOST, Method::GET, "/api/data/v9.2/accounts"),
        (HOST, Method::GET, "/api/data/v9.2/nothing"),
        (HOST, Method::GET, "/api/data/v1.0/accounts"),
        (HOST, Method::GET, "/XRMServices/2011/Organization.svc/web?SDKClientVersion=9.2.49.9492"),
        (HOST, Method::GET, "/XRMServices/2011/Organization.svc"),
        (HOST, Method::GET, "/"),
        (HOST, Method::GET, "/api/data"),
        (API_HOST, Method::GET, "/api/data/"),
        (HOST, Method::GET, "/api/data/v9.2"),
        (HOST, Method::GET, "/api/data/v9.2/"),
        (HOST, Method::GET, "/api/data/v9.2/accounts(c0117050-0000-4000-8000-0000000f0001)/name"),
        (HOST, Method::POST, "/api/data/v9.2/WhoAmI"),
        (HOST, Method::PUT, "/api/data/v9.2/accounts"),
    ] {
        let seen = bench.send_to(host, method.clone(), target, None, &[]).await;
        assert_eq!(seen.status().as_u16(), 401, "{method} {target}");
        assert_eq!(seen.header("www-authenticate"), Some(challenge.as_str()), "{method} {target}");
        assert_eq!(seen.header("content-length"), Some("0"), "{method} {target}");
        assert_eq!(seen.header("allow"), None, "{method} {target}");
        assert!(seen.response.body.is_empty() && seen.header("content-type").is_none(), "{method} {target}");
        if !target.starts_with("/XRM") {
            assert_eq!(bench.failed_checks(), ["token-present"], "{method} {target}");
        }
    }
    let expired = bearer(&claims_with("exp", 1));
    let seen = bench.send(Method::GET, "/", None, &[("authorization", &expired)]).await;
    assert_eq!(seen.status().as_u16(), 401);
    assert_eq!(bench.failed_checks(), ["token-time"]);
}

#[tokio::test]
async fn under_a_local_host_the_challenge_names_the_labs_own_addresses() {
    let bench = Bench::new().await;
    let addresses = [
        (Entrance::Identity, "https://localhost:7443".to_owned()),
        (Entrance::organization("contoso"), "https://localhost:7446".to_owned()),
    ];
    bench.lab.set_addresses(addresses.into_iter().collect());
    let seen = bench.send_to("localhost:7446", Method::GET, "/api/data/v9.2/WhoAmI", None, &[]).await;
    assert_eq!(
        seen.header("www-authenticate").unwrap(),
        format!(
            "Bearer authorization_uri=https://localhost:7443/{TENANT}/oauth2/authorize, resource_id=https://localhost:7446/"
        )
    );
    assert!(seen.header("strict-transport-security").is_none());

    let authorization = bearer(&claims_with("aud", "https://localhost:7446/"));
    let headers = [("authorization", authorization.as_str())];
    let seen = bench.send_to("localhost:7446", Method::GET, "/api/data/v9.1/WhoAmI()", None, &headers).await;
    assert_eq!(
        seen.json()["@odata.context"],
        "https://localhost:7446/api/data/v9.1/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    );
}

#[tokio::test]
async fn the_audience_ignores_case_and_one_final_slash_only() {
    let bench = Bench::new().await;
    for (audience, accepted) in [
        (json!("https://contoso.crm4.dynamics.com"), true),
        (json!("https://contoso.crm4.dynamics.com/"), true),
        (json!("https://Contoso.CRM4.dynamics.com/"), true),
        (json!(["https://contoso.crm4.dynamics.com"]), true),
        (json!("https://contoso.crm4.dynamics.com//"), false),
        (json!("http://contoso.crm4.dynamics.com"), false),
        (json!("contoso.crm4.dynamics.com"), false),
        (json!("https://contoso.api.crm4.dynamics.com"), true),
        (json!("https://contoso.api.crm4.dynamics.com/"), true),
        (json!("https://contoso.api.crm.dynamics.com"), false),
        (json!("00000007-0000-0000-c000-000000000000"), false),
        (json!("https://localhost:7446"), false),
        (json!(""), false),
        (json!("/"), false),
        (json!([]), false),
        (json!(null), false),
    ] {
        let authorization = bearer(&claims_with("aud", audience.clone()));
        let headers = [("authorization", authorization.as_str())];
        let seen = bench.send(Method::GET, "/api/data/v9.2/WhoAmI", None, &headers).await;
        assert_eq!(seen.status().is_success(), accepted, "{audience}");
    }
}

#[tokio::test]
async fn times_have_five_minutes_of_skew() {
    let bench = Bench::new().await;
    let now = NOW.unix_timestamp();
    for (claim, value, accepted) in [
        ("exp", now - 300, true),
        ("exp", now - 301, false),
        ("nbf", now + 300, true),
        ("nbf", now + 301, false),
    ] {
        let authorization = bearer(&claims_with(claim, value));
        let headers = [("authorization", authorization.as_str())];
        let seen = bench.send(Method::GET, "/api/data/v9.2/WhoAmI", None, &headers).await;
        assert_eq!(seen.status().is_success(), accepted, "{claim} {value}");
    }
}

#[tokio::test]
async fn strange_tokens_are_refused_like_any_other() {
    let bench = Bench::new().await;
    let good = bearer(&claims());
    let signer = shipped::token_signing();
    let header = |alg: &str| {
        let mut header = header_of(signer);
        header["alg"] = json!(alg);
        format!("Bearer {}", token(signer, &header, &claims()))
    };
    let mut named_key = header_of(shipped::second_client());
    named_key["jwk"] = json!({ "kty": "RSA" });
    named_key["jku"] = json!("https://evil.example/keys");
    let strangers = [
        "Bearer".to_owned(),
        "Basic dXNlcjpwYXNz".to_owned(),
        format!("{good} x"),
        good.trim_end_matches(|character| character != '.').to_owned(),
        header("none"),
        header("HS256"),
        header("ES256"),
        header("RS512"),
        format!("Bearer {}", token(shipped::second_client(), &named_key, &claims())),
        bearer(&claims_with("exp", 1e300)),
        // a v2 token of this very tenant
        bearer(&claims_with("iss", format!("https://login.microsoftonline.com/{TENANT}/v2.0"))),
        bearer(&claims_with("exp", "soon")),
        format!("Bearer {}", "a".repeat(100_000)),
    ];
    for stranger in strangers {
        let headers = [("authorization", stranger.as_str())];
        let seen = bench.send(Method::GET, "/api/data/v9.2/WhoAmI", None, &headers).await;
        assert_eq!(seen.refusal(), (401, String::new()), "{}", &stranger[..stranger.len().min(80)]);
    }
    let twice = [("authorization", good.as_str()), ("authorization", good.as_str())];
    let seen = bench.send(Method::GET, "/api/data/v9.2/WhoAmI", None, &twice).await;
    assert_eq!(seen.status().as_u16(), 401);
}

#[tokio::test]
async fn refusals_have_the_products_text() {
    let user = organization(&["application_users", CLIENT]);
    for (edit, message) in [
        (Edit::remove(user.clone()), "The user is not a member of the organization.".to_owned()),
        (
            Edit::replace(user.join("enabled"), false),
            "The specified user(Id = {0}) is disabled. Consider enabling this user. Additional Details: {1}"
                .to_owned(),
        ),
        (
            Edit::replace(user.join("roles"), json!([])),
            format!(
                "RetrievePrivilegeForUser: The user with id {USER} has not been assigned any roles. They need a role with the prvReadAccount privilege."
            ),
        ),
    ] {
        let bench = Bench::edited(&[edit]).await;
        let seen = bench.get("/api/data/v9.2/accounts").await;
        assert_eq!(seen.message(), message);
        assert_eq!(seen.header("content-type"), Some("application/json; odata.metadata=minimal"));
    }
    let bench = Bench::edited(&[Edit::replace(user.join("roles"), json!(["Service Reader"]))]).await;
    let seen = bench.call(Method::POST, "/api/data/v9.2/accounts", Some("{}")).await;
    assert_eq!(
        seen.message(),
        format!(
            "Principal user (Id={USER}, type=8, roleCount=1, privilegeCount=11, accessMode='4 Non-interactive', AADObjectId='c0117050-0000-4000-8000-0000000b0001', MetadataCachePrivilegesCount=152, businessUnitId=c0117050-0000-4000-8000-0000000d0002), is missing prvCreateAccount privilege (Id=d26fe964-230b-42dd-ad93-5cc879de411e) on OTC=1 for entity 'account' (LocalizedName='Account'). context.Caller={USER}. Consider adding missed privilege to one of the principal (user/team) roles."
        )
    );
    assert_eq!(
        bench.get("/api/data/v9.2/accounts").await.status().as_u16(),
        200,
        "reading needs its own privilege"
    );
    assert_eq!(bench.get("/api/data/v9.2/WhoAmI").await.status().as_u16(), 200, "WhoAmI needs none");
}

#[tokio::test]
async fn each_operation_needs_its_own_privilege() {
    let user = organization(&["application_users", CLIENT]);
    let id = "c0117050-0000-4000-8000-0000000f0001";
    let target = format!("/api/data/v9.2/accounts({id})");
    let steps = [
        (
            Method::POST,
            "/api/data/v9.2/accounts",
            Some(format!(r#"{{"accountid":"{id}"}}"#)),
            "prvCreateAccount",
        ),
        (Method::GET, target.as_str(), None, "prvReadAccount"),
        (Method::PATCH, target.as_str(), Some(r#"{"name":"x"}"#.to_owned()), "prvWriteAccount"),
        (Method::DELETE, target.as_str(), None, "prvDeleteAccount"),
    ];
    let all: Vec<&str> = steps.iter().map(|step| step.3).collect();
    for (lacking, (_, _, _, privilege)) in steps.iter().enumerate() {
        let held: Vec<&&str> = all.iter().filter(|held| *held != privilege).collect();
        let role = json!({ "id": "c0117050-0000-4000-8000-0000000d2009", "privileges": held });
        let record = json!({ "made": { "accountid": id } });
        let mut edits = vec![
            Edit::add(organization(&["roles", "Tester"]), role),
            Edit::replace(user.join("roles"), json!(["Tester"])),
        ];
        if lacking == 0 {
            edits.push(Edit::add(organization(&["records", "accounts"]), record));
        }
        let bench = Bench::edited(&edits).await;
        for (index, (method, target, body, privilege)) in steps.iter().enumerate() {
            let seen = bench.call(method.clone(), target, body.as_deref()).await;
            if index == lacking {
                assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()), "{privilege}");
                assert!(seen.message().contains(privilege), "{}", seen.message());
            } else {
                assert!(seen.status().is_success(), "{privilege}: {:?}", seen.refusal());
            }
        }
    }
}

#[tokio::test]
async fn a_failed_check_names_the_setting_a_person_would_change() {
    let user = format!("/organizations/contoso/application_users/{CLIENT}");
    for case in cases() {
        let wanted = match case.check {
            "token-audience" => "/organizations/contoso/host".to_owned(),
            "token-issuer" | "token-tenant" => "/organizations/contoso/tenant".to_owned(),
            "token-signature" => format!("/tenants/{TENANT}/signing_keys"),
            "application-user-exists" => user.clone(),
            "application-user-enabled" => format!("{user}/enabled"),
            "application-user-roles" => format!("{user}/roles"),
            "privilege" => "/organizations/contoso/roles/Service Reader/privileges".to_owned(),
            "owner-may-read" => "/organizations/contoso/roles/Delegate/privileges".to_owned(),
            "row-in-reach" => "/organizations/contoso/roles/Basic User/privileges".to_owned(),
            "may-act-for-others" => format!("{user}/roles"),
            "impersonated-user" => {
                "/organizations/contoso/application_users/c0117050-0000-4000-8000-00000000a002/enabled"
                    .to_owned()
            }
            _ => continue,
        };
        let bench = Bench::edited(&case.edits).await;
        post(&bench, &case).await;
        let record = bench.lab.journal().last_refusal().unwrap();
        let check = record.failed_check().unwrap();
        assert_eq!(
            check.settings.first().map(|setting| setting.as_str().to_owned()),
            Some(wanted),
            "{}",
            case.check
        );
        assert!(check.change.is_some() && check.error.is_some());
        assert_eq!(record.error, check.error);
    }
}

#[tokio::test]
async fn a_token_can_be_judged_without_a_request() {
    let bench = Bench::new().await;
    let machine = Machine::organization("contoso");
    let judged = |claims| {
        let bearer = bearer(&claims);
        bench.lab.judge("dataverse", Some(&machine), bearer.trim_start_matches("Bearer ")).unwrap()
    };
    let checks = judged(claims());
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_ref()).collect();
    assert_eq!(names, names_asked()[..11]);
    let outcomes: Vec<&Outcome> = checks.iter().map(|check| &check.outcome).collect();
    assert!(outcomes[..10].iter().all(|outcome| **outcome == Outcome::Passed), "{outcomes:?}");
    assert_eq!(outcomes[10], &Outcome::NotApplicable, "no privilege is asked for, so no role is");
    let stranger = judged(claims_with("appid", "11111111-1111-4111-8111-111111111111"));
    let failed: Vec<&str> =
        stranger.iter().filter(|check| check.failed()).map(|check| check.name.as_ref()).collect();
    assert_eq!(failed, ["application-user-exists"]);
    let garbage = bench.lab.judge("dataverse", Some(&machine), "not a token").unwrap();
    assert!(garbage.iter().any(mocktenant_verdict::Check::failed));
}

/// What the check says of itself that its case fails, in the world of the case.
async fn failed(case: &Case) -> (Bench, Option<Role>, Option<Remedy>) {
    let bench = Bench::edited(&case.edits).await;
    post(&bench, case).await;
    let record = bench.lab.journal().last_refusal().unwrap();
    assert!(record.checks.iter().all(|check| check.failed() || check.remedy.is_none()));
    let check = record.failed_check().unwrap();
    (bench, check.role, check.remedy.as_deref().cloned())
}

/// Does what a remedy says, stand-ins included.
async fn heal(bench: &Bench, remedy: &Remedy) {
    let change = remedy.here.as_ref().unwrap();
    let stand_ins = change.needs.iter().flat_map(|need| need.stand_in.iter());
    let edits: Vec<Edit> = change.edits.iter().chain(stand_ins).cloned().collect();
    assert!(!edits.is_empty(), "{change:?}");
    bench.lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
}

#[tokio::test]
async fn every_failed_check_says_what_it_is_about_and_what_could_be_presented_instead() {
    let url = format!("https://{HOST}");
    for case in cases() {
        let (_, role, remedy) = failed(&case).await;
        let (wanted, instead) = match case.check {
            "token-present" | "token-well-formed" | "token-algorithm" => (Role::Token, None),
            "token-issuer" | "token-signature" | "token-tenant" => (Role::Authority, None),
            "token-audience" => (Role::Resource, Some(url.as_str())),
            "token-time" => (Role::Time, None),
            "privilege" | "owner-may-read" | "row-in-reach" | "may-act-for-others" => (Role::Privilege, None),
            _ => (Role::User, None),
        };
        assert_eq!(role, Some(wanted), "{}", case.check);
        let known = remedy.as_ref().and_then(|remedy| remedy.instead.first());
        assert_eq!(known.map(|known| &**known), instead, "{}", case.check);
        let here = remedy.is_some_and(|remedy| remedy.here.is_some());
        assert_eq!(here, case.expected.0 == 403, "{}: nothing of ours can mend a token", case.check);
    }
}

#[tokio::test]
async fn what_is_missing_of_the_application_user_is_put_there_one_after_the_other() {
    for case in cases().into_iter().filter(|case| case.expected.0 == 403) {
        let (bench, _, remedy) = failed(&case).await;
        heal(&bench, &remedy.unwrap()).await;
        let answered = post(&bench, &case).await;
        let next = if case.check == "application-user-exists" { (403, "0x80042f09") } else { (204, "") };
        let (status, code) = answered.refusal();
        assert_eq!((status, code.as_str()), next, "{}", case.check);
    }
}

#[tokio::test]
async fn a_role_is_a_persons_choice_where_there_is_no_administrator() {
    let roles = organization(&["application_users", CLIENT, "roles"]);
    let only = json!({ CLIENT: { "id": USER, "roles": [] } });
    let alone = Edit::replace(organization(&["application_users"]), only);
    let mut case = broken("application-user-roles", alone, "0x80042f09");
    case.edits.push(Edit::remove(organization(&["roles", "System Administrator"])));
    let (bench, _, remedy) = failed(&case).await;
    let change = remedy.as_ref().unwrap().here.as_ref().unwrap();
    assert_eq!((&change.setting, change.edits.len(), change.needs.len()), (&roles, 0, 1));
    heal(&bench, remedy.as_ref().unwrap()).await;
}

#[tokio::test]
async fn a_privilege_is_added_to_the_first_role() {
    let case = cases().into_iter().find(|case| case.check == "privilege").unwrap();
    let (_, _, remedy) = failed(&case).await;
    let change = remedy.unwrap().here.unwrap();
    assert_eq!(change.setting, organization(&["roles", "Service Reader", "privileges"]));
    assert_eq!(change.edits, [Edit::add(change.setting.join("-"), "prvCreateAccount")]);
}

#[tokio::test]
async fn a_made_up_user_takes_nobodys_id() {
    let user = organization(&["application_users", CLIENT]);
    let case = broken("application-user-exists", Edit::remove(user.clone()), "0x80072560");
    let made_up = |remedy: Option<Remedy>| {
        let change = remedy.unwrap().here.unwrap();
        assert_eq!(change.setting, user);
        assert_eq!(change.expected.as_deref(), Some(&*format!("an application user for {CLIENT}")));
        assert_eq!(change.actual.as_deref(), Some("no such user"));
        change.needs[0].stand_in[0].value.as_ref().unwrap()["id"].clone()
    };
    let first = made_up(failed(&case).await.2);
    let taken = organization(&["application_users", "11111111-1111-4111-8111-111111111111"]);
    let edits = vec![Edit::remove(user.clone()), Edit::add(taken, json!({ "id": first, "roles": [] }))];
    let case = Case { edits, ..case };
    let (bench, _, remedy) = failed(&case).await;
    heal(&bench, remedy.as_ref().unwrap()).await;
    assert_ne!(made_up(remedy), first);
}
