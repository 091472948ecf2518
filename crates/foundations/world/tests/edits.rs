//! An edit makes the next snapshot, shares what it did not touch, and splices the files it touched.

use std::sync::Arc;

use mocktenant_keys::shipped;
use mocktenant_world::{Edit, EditError, EditedBy, Operation, Origin, Setting, World};
use serde_json::{Value, json};

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const SAMPLE: &str = "c0117050-0000-4000-8000-00000000a001";
const ONEBOX: &str = "c0117050-0000-4000-8000-00000000a002";

fn contoso() -> World {
    World::contoso().unwrap_or_else(|error| panic!("{error}"))
}

fn patch(patch: Value) -> Vec<Edit> {
    serde_json::from_value(patch).expect("a patch")
}

fn edited(world: &World, edits: Value) -> World {
    world.edited(&patch(edits), EditedBy::Control).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(edits: Value) -> String {
    contoso().edited(&patch(edits), EditedBy::Control).expect_err("a refusal").to_string()
}

fn text(world: &World, file: &'static str) -> String {
    let file = world.artefact(&Setting::fixed(file)).expect("a file");
    String::from_utf8(file.bytes().to_vec()).expect("UTF-8")
}

const WEB: &str = "/environments/onebox/web_config";
const WIF: &str = "/environments/onebox/wif_config";
const AXSF: &str = "/environments/onprem/axsf";

#[test]
fn a_changed_key_changes_its_span_in_the_file_and_nothing_else() {
    let before = contoso();
    let after = edited(
        &before,
        json!([{"op": "replace", "path": format!("{WEB}/Aad.Realm"), "value": "spn:x & \"y\""}]),
    );
    let (old, new) = (text(&before, WEB), text(&after, WEB));
    let changed: Vec<_> = old.lines().zip(new.lines()).enumerate().filter(|(_, (a, b))| a != b).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].0, old.lines().count()), (37, new.lines().count()));
    assert_eq!(
        after.get(&Setting::fixed("/environments/onebox/web_config/Aad.Realm")),
        Some(&json!("spn:x & \"y\""))
    );
    assert!(matches!(
        after.origin(&Setting::fixed("/environments/onebox/web_config/Aad.Realm")),
        Origin::File { file, line: 38, .. } if file == "web.config"
    ));
    assert_eq!(after.environment("onebox").unwrap().web_config.as_ref().unwrap().bytes(), new.as_bytes());
    assert_eq!(text(&before, WEB), old, "the snapshot before is as it was");
    assert_eq!((before.generation(), after.generation()), (0, 1));
}

#[test]
fn keys_and_audiences_come_and_go() {
    let world = edited(
        &contoso(),
        json!([
            {"op": "add", "path": format!("{WEB}/Mine.Key"), "value": "1"},
            {"op": "remove", "path": format!("{WEB}/GraphApi.GraphAPIServicePrincipalCert")},
            {"op": "add", "path": format!("{WIF}/audienceUris/-"), "value": "spn:mine"},
            {"op": "remove", "path": format!("{WIF}/audienceUris/spn:{ONEBOX}")},
        ]),
    );
    let web = text(&world, WEB);
    assert!(web.contains("<add key=\"Mine.Key\" value=\"1\" />"));
    assert!(!web.contains("GraphAPIServicePrincipalCert"));
    assert_eq!(
        world.get(&Setting::fixed("/environments/onebox/wif_config/audienceUris")),
        Some(&json!(["spn:00000015-0000-0000-c000-000000000000", "spn:mine"]))
    );
    assert!(text(&world, WIF).contains("<add value=\"spn:mine\" />"));
    assert_eq!(
        world.declaration().environments["onebox"].web_config.as_ref().unwrap().keys().collect::<Vec<_>>(),
        world.view()["environments"]["onebox"]["web_config"].as_object().unwrap().keys().collect::<Vec<_>>(),
        "the view has the order of the file"
    );
    let back =
        edited(&world, json!([{"op": "replace", "path": WIF, "value": {"audienceUris": ["z", "spn:mine"]}}]));
    assert_eq!(back.view()["environments"]["onebox"]["wif_config"]["audienceUris"], json!(["z", "spn:mine"]));
}

#[test]
fn a_value_a_file_cannot_hold_is_refused_at_its_pointer() {
    let message = refused(json!([{"op": "replace", "path": format!("{WEB}/Aad.Realm"), "value": "a\u{0}b"}]));
    assert!(message.starts_with("/environments/onebox/web_config/Aad.Realm: "), "{message}");
    let message = refused(json!([{"op": "replace", "path": format!("{WEB}/Aad.Realm"), "value": 5}]));
    assert!(message.starts_with("/environments/onebox/web_config/Aad.Realm: "), "{message}");
}

#[test]
fn what_an_edit_does_not_touch_is_shared() {
    let before = contoso();
    let pointer = format!("/tenants/{TENANT}/applications/{SAMPLE}/enabled");
    let after = edited(&before, json!([{"op": "replace", "path": pointer, "value": false}]));
    let application =
        |world: &World, id: &str| Arc::clone(world.tenant(TENANT).unwrap().application(id).unwrap());
    assert!(!application(&after, SAMPLE).enabled && application(&before, SAMPLE).enabled);
    assert!(Arc::ptr_eq(&application(&before, ONEBOX), &application(&after, ONEBOX)));
    assert!(Arc::ptr_eq(before.environment("onebox").unwrap(), after.environment("onebox").unwrap()));
    assert!(Arc::ptr_eq(before.organization("contoso").unwrap(), after.organization("contoso").unwrap()));
    assert_eq!(after.origin(&Setting::from_pointer(pointer)), Origin::Control);

    let flight = "/environments/onebox/database/SysFlighting/DualWriteUnoAuthenticationFnoToCds/Enabled";
    let after = edited(&before, json!([{"op": "replace", "path": flight, "value": 0}]));
    let (old, new) = (before.environment("onebox").unwrap(), after.environment("onebox").unwrap());
    assert!(Arc::ptr_eq(old.web_config.as_ref().unwrap(), new.web_config.as_ref().unwrap()));
    assert!(Arc::ptr_eq(&old.records, &new.records));
    assert!(Arc::ptr_eq(before.tenant(TENANT).unwrap(), after.tenant(TENANT).unwrap()));
}

#[test]
fn a_pem_certificate_can_be_added_under_its_thumbprint_only() {
    let spare = shipped::second_client();
    let at = format!("/tenants/{TENANT}/applications/{SAMPLE}/certificates");
    let thumbprint = spare.certificate().thumbprint();
    let value = json!({"certificate": spare.certificate().pem()});
    let world =
        edited(&contoso(), json!([{"op": "add", "path": format!("{at}/{thumbprint}"), "value": value}]));
    let certificates = &world.tenant(TENANT).unwrap().application(SAMPLE).unwrap().certificates;
    assert_eq!(certificates.last(), Some(spare.certificate()));
    assert_eq!(certificates.len(), 2);

    let wrong = "0".repeat(40);
    assert_eq!(
        refused(json!([{"op": "add", "path": format!("{at}/{wrong}"), "value": value}])),
        format!(
            "{at}/{wrong}: the certificate here has another thumbprint than `{wrong}` (its thumbprint is `{thumbprint}`)"
        )
    );
    let my = format!("/environments/onebox/machine/certificates/CurrentUser/My/{thumbprint}");
    let stored =
        json!({"certificate": spare.certificate().base64_der(), "private_key": {"key": spare.key_pem()}});
    let world = edited(&contoso(), json!([{"op": "add", "path": my, "value": stored}]));
    let stored = world.environment("onebox").unwrap().stores.find("CurrentUser", "My", &thumbprint);
    assert!(stored.is_some_and(|stored| stored.key.is_some() && stored.readable_by.is_empty()));
    let other = json!({"certificate": "shipped:second-client", "private_key": {"key": "shipped:onebox-s2s"}});
    assert_eq!(
        refused(json!([{"op": "add", "path": my, "value": other}])),
        format!("{my}/private_key/key: the private key does not belong to the certificate")
    );
}

#[test]
fn an_edit_is_all_or_nothing_and_says_which_one_failed() {
    let world = contoso();
    let edits = patch(json!([
        {"op": "replace", "path": "/organizations/contoso/name", "value": "Fabrikam"},
        {"op": "remove", "path": "/organizations/contoso/application_user"},
    ]));
    let error = world.edited(&edits, EditedBy::Control).unwrap_err();
    assert!(matches!(&error, EditError::Refused { edit: 1, .. }));
    assert_eq!(
        error.to_string(),
        "edit 2: /organizations/contoso/application_user: /organizations/contoso has no member `application_user` \
         (did you mean `application_users`?)"
    );
    let test = [Edit {
        op: Operation::Test,
        path: Setting::fixed("/organizations/contoso/name"),
        from: None,
        value: Some("Fabrikam".into()),
    }];
    assert!(matches!(world.edited(&test, EditedBy::Control), Err(EditError::TestFailed { edit: 0, .. })));
}

#[test]
fn a_misspelt_member_is_named_with_the_nearest_valid_one() {
    let at = "/organizations/contoso/application_users/c0117050-0000-4000-8000-00000000a002";
    assert_eq!(
        refused(json!([{"op": "add", "path": format!("{at}/role"), "value": []}])),
        format!("{at}/role: unknown field `role` (did you mean `roles`?)")
    );
    assert_eq!(
        refused(json!([{"op": "add", "path": format!("{at}/roles/-"), "value": "System Administator"}])),
        format!(
            "{at}/roles/System Administator: there is no security role `System Administator` in this organisation (did you mean `System Administrator`?)"
        )
    );
    assert_eq!(
        refused(json!([{"op": "add", "path": "/environment", "value": {}}])),
        "/environment: there is no member `environment` here (did you mean `environments`?)"
    );
    assert_eq!(
        refused(json!([{"op": "replace", "path": "/caller/environment", "value": "oneboxx"}])),
        "/caller/environment: there is no environment `oneboxx` (did you mean `onebox`?)"
    );
    assert_eq!(
        refused(
            json!([{"op": "replace", "path": format!("/tenants/{TENANT}/signing_keys/shipped:token-signing"), "value": "shipped:token-sining"}])
        ),
        format!(
            "/tenants/{TENANT}/signing_keys/shipped:token-sining: no identity `token-sining` is shipped (did you mean `token-signing`?)"
        )
    );
}

#[test]
fn whatever_is_put_in_the_place_of_the_declaration_is_no_panic() {
    for value in [json!(null), json!(5), json!([]), json!({}), json!({"tenants": []}), json!("x")] {
        assert!(contoso().edited(&[Edit::replace(Setting::fixed(""), value)], EditedBy::Control).is_err());
    }
    for path in [
        "/tenants",
        "/environments",
        "/organizations",
        "/caller",
        "/environments/onebox",
        "/environments/onebox/machine",
    ] {
        for value in [json!(null), json!(5), json!(["x"]), json!({"x": 1})] {
            let edit = Edit::replace(Setting::from_pointer(path), value.clone());
            assert!(contoso().edited(&[edit], EditedBy::Control).is_err(), "{path} {value}");
        }
        if !path.ends_with("machine") {
            assert!(
                contoso().edited(&[Edit::remove(Setting::from_pointer(path))], EditedBy::Control).is_err(),
                "{path}"
            );
        }
    }
}

#[test]
fn parts_can_be_added_moved_and_removed() {
    let other = "c0117050-0000-4000-8000-000000000002";
    let world = edited(
        &contoso(),
        json!([
            {"op": "add", "path": format!("/tenants/{other}"), "value": {
                "name": "Fabrikam", "domains": ["fabrikam.com"], "region": "EU", "signing_keys": ["shipped:token-signing"]}},
            {"op": "copy", "from": "/organizations/contoso", "path": "/organizations/fabrikam"},
            {"op": "replace", "path": "/organizations/fabrikam/id", "value": "c0117050-0000-4000-8000-0000000d0009"},
            {"op": "replace", "path": "/organizations/fabrikam/host", "value": "fabrikam.crm4.dynamics.com"},
            {"op": "replace", "path": "/organizations/fabrikam/api_host", "value": "fabrikam.api.crm4.dynamics.com"},
            {"op": "move", "from": "/environments/onebox", "path": "/environments/box"},
            {"op": "replace", "path": "/caller/environment", "value": "box"},
        ]),
    );
    assert!(world.tenant("FABRIKAM.com").is_some() && world.organization("fabrikam").is_some());
    assert!(world.environment("onebox").is_none());
    assert!(world.artefact(&Setting::fixed("/environments/onebox/web_config")).is_none());
    assert_eq!(
        world.get(&Setting::fixed("/environments/box/web_config/Aad.TenantDomainGUID")),
        Some(&TENANT.into()),
        "an environment that moves takes the values of its files along"
    );
    assert_eq!(world.view()["tenants"][other]["applications"], json!({}), "what was left out is completed");
    let world = edited(&world, json!([{"op": "remove", "path": format!("/tenants/{other}")}]));
    assert!(world.tenant("fabrikam.com").is_none());
    assert_eq!(world.generation(), 2);
}

#[test]
fn edits_in_a_row_give_the_same_world_as_compiling_what_they_declare() {
    let mut world = contoso();
    for edits in [
        json!([{"op": "replace", "path": format!("{WEB}/Aad.Realm"), "value": "spn:other"}]),
        json!([{"op": "remove", "path": format!("/tenants/{TENANT}/applications/{SAMPLE}/granted_roles")}]),
        json!([{"op": "add", "path": "/environments/onebox/database/SysFlighting/Other", "value": {"Enabled": 0, "FlightServiceId": 1}}]),
        json!([{"op": "add", "path": "/caller/resource", "value": "https://elsewhere"}]),
    ] {
        world = edited(&world, edits);
    }
    let again = World::compile(world.declaration(), world.artefacts(), mocktenant_world::Origins::default());
    assert_eq!(again.unwrap().view(), world.view());
    assert_eq!(serde_json::to_value(world.declaration()).unwrap(), world.view());
}

#[test]
fn a_key_of_a_file_an_environment_does_not_have_is_refused_with_the_reason() {
    let world = edited(&contoso(), json!([{"op": "remove", "path": WEB}]));
    assert!(world.artefact(&Setting::fixed(WEB)).is_none());
    assert!(world.environment("onebox").unwrap().web_config.is_none());
    assert_eq!(world.get(&Setting::fixed("/environments/onebox/web_config/Aad.Realm")), None);
    for edit in [
        json!({"op": "add", "path": format!("{WEB}/Aad.Realm"), "value": "x"}),
        json!({"op": "replace", "path": format!("{WEB}/Aad.Realm"), "value": "x"}),
        json!({"op": "remove", "path": format!("{WEB}/Aad.Realm")}),
    ] {
        let error = world.edited(&patch(json!([edit])), EditedBy::Control).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "edit 1: {WEB}/Aad.Realm: environment `onebox` has no web.config (`add` at {WEB} brings it into being: `{{}}`, or the whole of it)"
            )
        );
    }
    let again = edited(
        &world,
        json!([
            {"op": "add", "path": WEB, "value": {}},
            {"op": "add", "path": format!("{WEB}/Aad.Realm"), "value": "spn:mine"},
        ]),
    );
    assert!(text(&again, WEB).contains("<add key=\"Aad.Realm\" value=\"spn:mine\" />"));
    assert!(text(&again, WIF).contains("issuerNameRegistry"), "the other file is as it was");
    let gone = edited(&again, json!([{"op": "remove", "path": WIF}]));
    let audience = json!([{"op": "add", "path": format!("{WIF}/audienceUris/-"), "value": "x"}]);
    let error = gone.edited(&patch(audience), EditedBy::Control).unwrap_err().to_string();
    assert!(error.contains("environment `onebox` has no wif.config"), "{error}");
    let left: Vec<String> = gone.artefacts().pointers().map(|pointer| pointer.to_string()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!([WEB, AXSF].iter().all(|file| left.iter().any(|left| left == file)), "{left:?}");
}

#[test]
fn nodes_and_clocks_are_settings() {
    let world = edited(
        &contoso(),
        json!([
            {"op": "add", "path": "/environments/onebox/nodes/aos2", "value": {"host": "aos2.contoso.com"}},
            {"op": "add", "path": "/environments/onebox/nodes/aos3", "value": {"clock": "-1h30m"}},
            {"op": "add", "path": "/environments/onebox/machine/clock", "value": "+20m"},
            {"op": "add", "path": format!("/tenants/{TENANT}/clock"), "value": "+1d"},
            {"op": "add", "path": "/organizations/contoso/clock", "value": "-5s"},
        ]),
    );
    let onebox = world.environment("onebox").unwrap();
    let clocks: Vec<_> = onebox.nodes.iter().map(|node| (&*node.name, node.clock.whole_seconds())).collect();
    assert_eq!(clocks, [("aos1", 1_200), ("aos2", 1_200), ("aos3", -5_400)]);
    assert_eq!(onebox.node("aos2").unwrap().host.as_deref(), Some("aos2.contoso.com"));
    assert_eq!(world.tenant(TENANT).unwrap().clock.whole_days(), 1);
    assert_eq!(world.organization("contoso").unwrap().clock.whole_seconds(), -5);
    let back = edited(&world, json!([{"op": "remove", "path": "/environments/onebox/machine/clock"}]));
    assert!(back.environment("onebox").unwrap().node("aos1").unwrap().clock.is_zero());

    for (path, value, message) in [
        ("machine/clock", json!("20m"), "`20m` is not an offset of a clock (write it as `+20m`)"),
        ("nodes/aos1/clock", json!("+40000d"), "`+40000d` is too far from the lab's time"),
        ("nodes/aos1/host", json!("Aos1"), "`Aos1` is not a lower-case host name"),
        (
            "nodes/aos1/host",
            json!("contoso.crm4.dynamics.com"),
            "the host `contoso.crm4.dynamics.com` is already at /environments/onebox/nodes/aos1/host",
        ),
        ("nodes/a b", json!({}), "`a b` is not a short name"),
        (
            "identity",
            json!("contoso.com"),
            &format!("there is no identity provider `contoso.com` (its tenant id is `{TENANT}`)"),
        ),
    ] {
        let path = format!("/environments/onebox/{path}");
        let error = refused(json!([{"op": "add", "path": path, "value": value}]));
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_user_has_a_name_under_a_domain_of_the_tenant_and_an_object_id_of_its_own() {
    let users = format!("/tenants/{TENANT}/users");
    let user = |id: &str| json!({"name": "Bob", "object_id": id, "password": "bob-password-not-secret"});
    let free = "c0117050-0000-4000-8000-0000000b1002";
    let world = edited(
        &contoso(),
        json!([{"op": "add", "path": format!("{users}/bob@contoso.com"), "value": user(free)}]),
    );
    let (name, bob) = world.tenant(TENANT).unwrap().user("Bob@Contoso.com").unwrap();
    assert_eq!((name, bob.enabled, bob.given_name.as_deref()), ("bob@contoso.com", true, None));
    assert!(world.tenant(TENANT).unwrap().user("eve@contoso.com").is_none());
    for (name, id, message) in [
        ("bob@fabrikam.com", free, "`fabrikam.com` is no domain of this tenant"),
        ("Bob@contoso.com", free, "`Bob@contoso.com` is not in lower case (write it as `bob@contoso.com`)"),
        ("bob", free, "`bob` is not a user principal name"),
        ("@contoso.com", free, "`@contoso.com` is not a user principal name"),
        ("b b@contoso.com", free, "`b b@contoso.com` is not a user principal name"),
        ("bob@contoso.com", "5", "`5` is not a lower-case GUID"),
        (
            "bob@contoso.com",
            "c0117050-0000-4000-8000-0000000b0001",
            "the object id `c0117050-0000-4000-8000-0000000b0001` is already at",
        ),
    ] {
        let error = refused(json!([{"op": "add", "path": format!("{users}/{name}"), "value": user(id)}]));
        assert!(error.starts_with(&format!("{users}/{name}")) && error.contains(message), "{error}");
    }
}

#[test]
fn records_that_are_declared_as_before_are_the_same_records() {
    let before = contoso();
    let after = edited(
        &before,
        json!([
            {"op": "replace", "path": "/environments/onebox/host", "value": "box.contoso.com"},
            {"op": "replace", "path": "/organizations/contoso/name", "value": "Fabrikam"},
        ]),
    );
    let (old, new) = (before.environment("onebox").unwrap(), after.environment("onebox").unwrap());
    assert!(!Arc::ptr_eq(old, new) && Arc::ptr_eq(&old.records, &new.records));
    let (old, new) = (before.organization("contoso").unwrap(), after.organization("contoso").unwrap());
    assert!(!Arc::ptr_eq(old, new) && Arc::ptr_eq(&old.records, &new.records));
    let role = |organization: &mocktenant_world::Organization| {
        Arc::clone(&organization.roles["Basic User"].declared)
    };
    assert!(Arc::ptr_eq(&role(old), &role(new)));
    let records = json!([{"op": "add", "path": "/organizations/contoso/records/accounts", "value": {}}]);
    let changed = edited(&after, records);
    assert!(!Arc::ptr_eq(&new.records, &changed.organization("contoso").unwrap().records));
}

#[test]
fn an_edit_that_changes_nothing_shares_everything_but_its_number() {
    let before = contoso();
    let path = format!("/tenants/{TENANT}/name");
    let after = edited(&before, json!([{"op": "replace", "path": path, "value": "Contoso"}]));
    assert!(Arc::ptr_eq(before.tenant(TENANT).unwrap(), after.tenant(TENANT).unwrap()));
    assert_eq!(after.generation(), 1);
    let whole = json!([{"op": "replace", "path": "/tenants", "value": before.view()["tenants"]}]);
    let after = edited(&before, whole);
    assert!(Arc::ptr_eq(before.tenant(TENANT).unwrap(), after.tenant(TENANT).unwrap()));
}

#[test]
fn a_world_does_not_remember_every_name_that_came_and_went() {
    let noted = |world: &World| {
        let shown = format!("{world:?}");
        let (_, origins) = shown.split_once("origins: ").expect("how many origins are noted");
        origins.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse::<usize>().unwrap()
    };
    let path = |number: usize| format!("/tenants/{TENANT}/users/u{number}@contoso.com");
    let user = |number: usize| {
        let object_id = format!("c0117050-0000-4000-8000-{number:012}");
        json!({ "name": "U", "object_id": object_id, "password": "u-password-not-secret" })
    };
    let base = contoso();
    let mut world = base.clone();
    for number in 0..150 {
        world = edited(&world, json!([{"op": "add", "path": path(number), "value": user(number)}]));
        world = edited(&world, json!([{"op": "remove", "path": path(number)}]));
    }
    assert!(noted(&world) <= noted(&base) + 64, "{} origins of what is not there", noted(&world));
    let origin = |world: &World, number: usize| world.origin(&Setting::from_pointer(path(number)));
    assert_eq!(origin(&world, 149), Origin::Control, "who took the last ones away is known");
    assert_eq!(origin(&world, 0), Origin::Default);
    let kept = edited(&world, json!([{"op": "add", "path": path(149), "value": user(149)}]));
    let mut later = kept.clone();
    for number in 200..300 {
        later = edited(&later, json!([{"op": "add", "path": path(number), "value": user(number)}]));
        later = edited(&later, json!([{"op": "remove", "path": path(number)}]));
    }
    assert_eq!(origin(&later, 149), Origin::Control, "what came back is not forgotten with what is gone");
    let again = edited(&later, json!([{"op": "remove", "path": format!("/tenants/{TENANT}/users")}]));
    assert!(noted(&again) < noted(&later), "nothing is kept below what went as a whole");
    let restored = again
        .restored(&base, &Setting::from_pointer(format!("/tenants/{TENANT}")))
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(noted(&restored), noted(&base));
}
