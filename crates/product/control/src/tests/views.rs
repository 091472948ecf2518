//! Views of the world, and commands for its identity providers.

use super::*;

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const NATIVE: &str = "c0117050-0000-4000-8000-00000000a101";

async fn value(state: &ControlState, pointer: &str) -> Value {
    let (_, body, _) = read(state, get(&format!("/v1/world?pointer={pointer}"))).await;
    body["value"].clone()
}

async fn roll(state: &ControlState, of: &str) -> (u16, Value) {
    let request = write(Method::POST, "/v1/rollover", json!({ "of": of }).to_string());
    let (status, body, _) = read(state, request).await;
    (status, body)
}

#[tokio::test]
async fn application_groups_show_what_each_member_may_and_no_credential() {
    let state = state();
    let (status, groups, _) = read(&state, get("/v1/application-groups")).await;
    assert_eq!((status, groups.as_array().unwrap().len()), (200, 2), "{groups}");
    let group = &groups[0];
    assert_eq!(group["name"], "Microsoft Dynamics 365 for Operations On-premises");
    assert_eq!(
        (&group["federation_service"], &group["host_name"]),
        (&json!("contoso"), &json!("ADFS.contoso.com"))
    );
    let members = group["applications"].as_array().unwrap();
    let kinds: Vec<&str> = members.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Native application", "Native application", "Server application", "Web API"]);
    assert_eq!(members[1]["client_id"], NATIVE);
    assert_eq!(members[1]["redirect_uris"], json!(["http://localhost"]));
    assert_eq!(members[2]["secrets"], json!(["default"]));
    assert_eq!(members[2]["certificates"], json!(["AC8CE85E26ED732A9812AB09785B499F53D5951F"]));
    assert_eq!(members[3]["identifiers"].as_array().unwrap().len(), 3);
    let permission = &members[3]["permissions"][1];
    assert_eq!(
        (&permission["client_id"], &permission["name"]),
        (&json!(NATIVE), &json!("mocktenant sample native client"))
    );
    assert_eq!(permission["scopes"][0], "openid");
    assert!(!groups.to_string().contains("not-secret"), "{groups}");
    for member in members.iter().chain([group]) {
        let pointer = member["pointer"].as_str().unwrap();
        let asked = pointer.replace('~', "%7E").replace(' ', "%20");
        assert!(value(&state, &asked).await.is_object(), "{pointer}");
    }
}

#[tokio::test]
async fn users_are_those_of_tenants_and_of_federation_services_and_show_no_password() {
    let state = state();
    let (status, users, _) = read(&state, get("/v1/users")).await;
    assert_eq!(status, 200);
    let of: Vec<&Value> = users.as_array().unwrap().iter().map(|user| &user["of"]).collect();
    let service = json!("federation-service/contoso");
    assert_eq!(of, [&json!(format!("tenant/{TENANT}")), &service, &service]);
    assert_eq!(users[1]["account"], "CONTOSO\\ada");
    assert_eq!((&users[1]["enabled"], &users[1]["locked"]), (&json!(true), &json!(false)));
    assert!(!users.to_string().contains("ada-password"), "{users}");
    for user in users.as_array().unwrap() {
        let there = value(&state, user["pointer"].as_str().unwrap()).await;
        assert_eq!(there["name"], user["display_name"]);
    }
}

#[tokio::test]
async fn a_world_without_federation_services_has_no_application_groups() {
    let state = state();
    let service = json!({ "op": "remove", "path": "/federation_services/contoso" });
    let alone = json!([service]).to_string();
    assert_eq!(
        status(&state, write(Method::PATCH, "/v1/world", alone)).await,
        422,
        "it is onprem's provider"
    );
    let gone = json!([{ "op": "remove", "path": "/environments/onprem" }, service]).to_string();
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", gone)).await, 200);
    assert_eq!(read(&state, get("/v1/application-groups")).await.1, json!([]));
    assert_eq!(read(&state, get("/v1/users")).await.1.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rollover_says_who_signs_with_what_and_what_stays_published() {
    let state = state();
    let keys = "/federation_services/contoso/signing_keys";
    let (status, once) = roll(&state, "adfs.contoso.com").await;
    assert_eq!((status, &once["rolled"]), (200, &json!("federation-service/contoso")), "{once}");
    assert_eq!(value(&state, keys).await, json!(["shipped:adfs-signing-next", "shipped:adfs-signing"]));
    let (_, body, _) = read(&state, get(&format!("/v1/world?pointer={keys}"))).await;
    assert_eq!(body["origin"]["from"], "control");
    let (status, twice) = roll(&state, "contoso").await;
    assert_eq!((status, &twice["keys"][0], &twice["keys"][1]), (200, &once["keys"][1], &once["keys"][0]));
    let (status, tenant) = roll(&state, "contoso.com").await;
    assert_eq!((status, &tenant["rolled"]), (200, &json!(format!("tenant/{TENANT}"))), "{tenant}");
    let tenants = value(&state, &format!("/tenants/{TENANT}/signing_keys")).await;
    assert_eq!(tenants, json!(["shipped:token-signing-next", "shipped:token-signing"]));
}

#[tokio::test]
async fn a_rollover_of_nobody_or_without_a_next_key_changes_nothing() {
    let state = state();
    let (status, body) = roll(&state, "adfs.contoso.example").await;
    assert_eq!(status, 404);
    assert!(body["detail"].as_str().unwrap().contains("federation-service/contoso"), "{body}");
    let gone =
        json!([{ "op": "remove", "path": "/federation_services/contoso/next_signing_key" }]).to_string();
    assert_eq!(self::status(&state, write(Method::PATCH, "/v1/world", gone)).await, 200);
    let generation = state.lab.world().generation();
    assert_eq!(roll(&state, "contoso").await.0, 409);
    for body in ["{}", "[]", r#"{"of":1}"#, r#"{"of":"contoso","by":"me"}"#] {
        assert_eq!(self::status(&state, write(Method::POST, "/v1/rollover", body)).await, 400, "{body}");
    }
    assert_eq!(state.lab.world().generation(), generation);
}

#[tokio::test]
async fn a_federation_service_is_reset_alone_with_its_clock_and_its_keys() {
    let state = state();
    let clocks = json!([
        { "op": "add", "path": "/federation_services/contoso/clock", "value": "+20m" },
        { "op": "add", "path": format!("/tenants/{TENANT}/clock"), "value": "+1h" },
    ]);
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", clocks.to_string())).await, 200);
    assert_eq!(roll(&state, "contoso").await.0, 200);
    let machine = Machine::federation_service("contoso");
    let ten = time::Duration::minutes(10);
    let clock = mocktenant_lab::Command::MachineClock {
        machine: machine.clone(),
        offset: ten,
        by: mocktenant_world::EditedBy::Control,
    };
    state.lab.apply(clock).await.unwrap();
    assert_eq!(value(&state, "/federation_services/contoso/clock").await, "+10m");
    assert_eq!(machine.offset(&state.lab.world()), ten);
    let reset = |scope: &str| write(Method::POST, &format!("/v1/reset?scope={scope}"), "");
    assert_eq!(status(&state, reset("federation-service/none")).await, 404);
    assert_eq!(status(&state, reset("federation-service/contoso")).await, 200);
    assert_eq!(machine.offset(&state.lab.world()), time::Duration::ZERO);
    assert_eq!(Machine::tenant(TENANT).offset(&state.lab.world()), time::Duration::hours(1));
    let keys = value(&state, "/federation_services/contoso/signing_keys").await;
    assert_eq!(keys, json!(["shipped:adfs-signing"]));
    assert_eq!(
        value(&state, "/federation_services/contoso/next_signing_key").await,
        "shipped:adfs-signing-next"
    );
}

#[tokio::test]
async fn a_stop_and_a_start_say_which_machine_it_is_and_whether_anything_was_changed() {
    let state = state();
    let ask = async |path: &str, of: &str| {
        let (status, body, _) =
            read(&state, write(Method::POST, path, json!({ "of": of }).to_string())).await;
        assert_eq!(
            (status, &body["machine"]),
            (200, &json!("federation-service/contoso")),
            "{path} {of}: {body}"
        );
        (body["stopped"].as_bool().unwrap(), body["changed"].as_bool().unwrap())
    };
    let setting = "/federation_services/contoso/stopped";
    assert_eq!(ask("/v1/start", "contoso").await, (false, false));
    assert_eq!(ask("/v1/stop", "ADFS.contoso.com").await, (true, true));
    assert_eq!(ask("/v1/stop", "federation-service/contoso").await, (true, false));
    let (_, body, _) = read(&state, get(&format!("/v1/world?pointer={setting}"))).await;
    assert_eq!((&body["value"], &body["origin"]["from"]), (&json!(true), &json!("control")), "{body}");
    assert!(body["place"].as_str().unwrap().starts_with("services.msc on ADFS.contoso.com"), "{body}");
    assert_eq!(ask("/v1/start", "adfs.contoso.com").await, (false, true));
    assert_eq!(value(&state, setting).await, false);
    assert_eq!(ask("/v1/stop", "contoso").await, (true, true));
    assert_eq!(self::status(&state, write(Method::POST, "/v1/reset", "")).await, 200);
    assert_eq!(value(&state, setting).await, false);
}

#[tokio::test]
async fn what_cannot_be_stopped_changes_nothing_and_says_what_can() {
    let state = state();
    let generation = state.lab.world().generation();
    for path in ["/v1/stop", "/v1/start"] {
        for nobody in ["box7", "", "adfs.contoso.example", &format!("tenant/{TENANT}")] {
            let (status, body, _) =
                read(&state, write(Method::POST, path, json!({ "of": nobody }).to_string())).await;
            let told = body["detail"].as_str().unwrap();
            assert!(
                status == 404 && told.ends_with("onebox, onprem, onprem/AOS_1, onprem/AOS_2, onprem/AOS_3"),
                "{path} {told}"
            );
        }
        for body in ["{}", "[]", r#"{"of":1}"#, r#"{"of":"contoso","by":"me"}"#] {
            assert_eq!(self::status(&state, write(Method::POST, path, body)).await, 400, "{path} {body}");
        }
    }
    assert_eq!(state.lab.world().generation(), generation);
}
