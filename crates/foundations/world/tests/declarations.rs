//! What makes no world is told completely, each with its pointer and what would be right.

use std::fmt::Write as _;
use std::sync::Arc;

use mocktenant_world::{Artefacts, Declaration, Edit, EditedBy, Errand, Origins, Setting, World, pointers};
use serde_json::json;

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";

fn declaration() -> Declaration {
    World::contoso().expect("the default world compiles").declaration()
}

fn compiled(declaration: Declaration) -> Result<World, String> {
    World::compile(declaration, Artefacts::none(), Origins::default()).map_err(|error| error.to_string())
}

#[test]
fn every_problem_is_listed_at_once() {
    let mut wrong = declaration();
    let tenant = Arc::make_mut(&mut wrong.tenants[TENANT]);
    tenant.domains.push("Contoso.example".into());
    tenant.domains.push("contoso.com".into());
    let application = Arc::make_mut(&mut tenant.applications["c0117050-0000-4000-8000-00000000a001"]);
    application.object_id = "C0117050-0000-4000-8000-0000000B0001".into();
    application.requested_access_token_version = Some(3);
    application.secrets["expired"].expires = Some("yesterday".into());
    application.certificates[0].certificate = "shipped:sample-clint".into();
    application.granted_roles.insert("c0117050-0000-4000-8000-00000000a009".into(), vec![]);
    let onebox = Arc::make_mut(&mut wrong.environments["onebox"]);
    onebox.identity = "c0117050-0000-4000-8000-000000000002".into();
    onebox.host = "https://contoso.crm4.dynamics.com/".into();
    onebox.database.sys_flighting[0].enabled = 2;
    onebox.database.dual_write.as_mut().unwrap().maps["CustomersV3"].state = "Runing".into();
    let certificates = &mut onebox.machine.certificates;
    let my = certificates["LocalMachine"].shift_remove("My").unwrap();
    certificates["LocalMachine"].insert("Mine".into(), my);
    certificates["LocalMachine"]["Root"].insert(
        "lab-ca2".into(),
        mocktenant_world::declaration::StoreCertificate { certificate: "lab-ca".into(), private_key: None },
    );
    let organization = Arc::make_mut(&mut wrong.organizations["contoso"]);
    organization.api_host = organization.host.clone();
    let role = organization.roles["Basic User"].id.clone();
    Arc::make_mut(&mut organization.roles["System Administrator"]).id = role;
    Arc::make_mut(&mut organization.roles["Delegate"]).privileges = vec!["prvReadAccount:basic".into()];

    let error = compiled(wrong).unwrap_err();
    let onebox = "/environments/onebox";
    let application = format!("/tenants/{TENANT}/applications/c0117050-0000-4000-8000-00000000a001");
    let expected = [
        format!("/tenants/{TENANT}/domains/Contoso.example: `Contoso.example` is not a lower-case host name (write it as `contoso.example`)"),
        format!("{application}/granted_roles/c0117050-0000-4000-8000-00000000a009: there is no application `c0117050-0000-4000-8000-00000000a009` in this tenant to have roles on (did you mean"),
        format!("{application}/object_id: `C0117050-0000-4000-8000-0000000B0001` is not a lower-case GUID (write it as `c0117050-0000-4000-8000-0000000b0001`)"),
        format!("{application}/requested_access_token_version: there are no access tokens of version 3 (1 or 2)"),
        format!("{application}/secrets/expired/expires: `yesterday` is not a time"),
        format!("{application}/certificates/"),
        format!("/tenants/{TENANT}/domains/contoso.com: the domain `contoso.com` is already at"),
        format!("{onebox}/host: `https://contoso.crm4.dynamics.com/` is not a lower-case host name (write it as `contoso.crm4.dynamics.com`)"),
        format!("{onebox}/database/SysFlighting/DualWriteUnoAuthenticationFnoToCds/Enabled: 2 is neither on nor off (0 or 1)"),
        format!("{onebox}/database/DualWriteProjectConfiguration/Maps/CustomersV3/State: `Runing` is not a value here (did you mean `Running`?)"),
        format!("{onebox}/machine/certificates/LocalMachine/Root/lab-ca2: the lab's own roots are declared"),
        format!("{onebox}/machine/certificates/LocalMachine/Mine: `Mine` is not a value here"),
        "/organizations/contoso/roles/Basic User/id: the role id".to_owned(),
        "/organizations/contoso/roles/Delegate/privileges/prvReadAccount:basic: `prvReadAccount:basic` has no depth a privilege can have (write :Basic, :Local,".to_owned(),
        format!("{onebox}/identity: there is no identity provider `c0117050-0000-4000-8000-000000000002` (did you mean `{TENANT}`?)"),
        "/organizations/contoso/api_host: the host `contoso.crm4.dynamics.com` is already at /organizations/contoso/host".to_owned(),
    ];
    let lines: Vec<&str> = error.lines().collect();
    for expected in &expected {
        assert!(
            lines.iter().any(|line| line.starts_with(expected.as_str())),
            "missing: {expected}\nin:\n{error}"
        );
    }
    assert_eq!(lines.len(), expected.len(), "{error}");
}

#[test]
fn a_file_that_is_declared_by_its_keys_gets_the_usual_text_around_them() {
    let world = compiled(declaration()).unwrap();
    let file = world.artefact(&Setting::fixed("/environments/onebox/web_config")).unwrap();
    assert!(String::from_utf8_lossy(file.bytes()).contains("<add key=\"Aad.Realm\" value=\"spn:"));
    assert_eq!(
        world.view()["environments"]["onebox"]["web_config"],
        json!(declaration().environments["onebox"].web_config)
    );
    let mut empty = declaration();
    let onebox = Arc::make_mut(&mut empty.environments["onebox"]);
    onebox.web_config.as_mut().unwrap().clear();
    onebox.wif_config.as_mut().unwrap().audience_uris.clear();
    let world = compiled(empty).unwrap();
    assert_eq!(world.view()["environments"]["onebox"]["web_config"], json!({}));
    assert_eq!(world.view()["environments"]["onebox"]["wif_config"], json!({ "audienceUris": [] }));
}

#[test]
fn what_every_environment_has_is_completed_and_a_file_is_never_invented() {
    let mut empty = declaration();
    let onebox = Arc::make_mut(&mut empty.environments["onebox"]);
    (onebox.web_config, onebox.wif_config) = (None, None);
    onebox.machine.certificates.clear();
    onebox.nodes.clear();
    let onprem = Arc::make_mut(&mut empty.environments["onprem"]);
    onprem.nodes.clear();
    onprem.machine.certificates["LocalMachine"]["Root"].clear();
    let world = compiled(empty).unwrap();
    let onprem = world.view()["environments"]["onprem"].clone();
    assert_eq!(onprem["nodes"]["AOS_1"]["axsf"], json!({}), "as Service Fabric calls the first one");
    assert_eq!((onprem.get("web_config"), onprem.get("wif_config")), (None, None));
    assert_eq!(
        onprem["machine"]["certificates"]["LocalMachine"]["Root"],
        json!({}),
        "what is declared empty is empty"
    );
    let view = world.view()["environments"]["onebox"].clone();
    assert_eq!((view.get("web_config"), view.get("wif_config")), (None, None));
    let files: Vec<String> = world.artefacts().pointers().map(|pointer| pointer.to_string()).collect();
    assert_eq!(files, ["/environments/onprem/axsf"]);
    assert_eq!(
        view["nodes"],
        json!({ "aos1": { "stopped": false, "axsf": {}, "machine": { "certificates": {} } } }),
        "an environment has at least one node"
    );
    assert_eq!(
        world.view()["environments"]["onebox"]["machine"]["certificates"],
        json!({
            "LocalMachine": { "My": {}, "Root": { "lab-ca": { "certificate": "lab-ca" } } },
            "CurrentUser": { "My": {}, "Root": {} },
        }),
        "every machine has its four stores, and one of which nothing is said trusts the lab"
    );
    assert!(world.environment("onebox").unwrap().nodes[0].stores.holds_lab_ca("LocalMachine", "Root"));
    assert!(!world.environment("onprem").unwrap().nodes[0].stores.holds_lab_ca("LocalMachine", "Root"));
}

#[test]
fn a_file_of_an_environment_that_is_not_declared_is_refused() {
    let file = mocktenant_artefacts::WebConfig::parse(
        "web.config",
        b"<configuration><appSettings/></configuration>".to_vec(),
    );
    let artefacts = Artefacts::none().with_web_config("onbox", file.unwrap());
    let error = World::compile(declaration(), artefacts, Origins::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        "/environments/onbox/web_config: there is no environment `onbox` (did you mean `onebox`?)"
    );
}

#[test]
fn a_declaration_in_yaml_is_wrong_at_a_line_and_column() {
    let text = "tenants: {}\nenvironments:\n  onebox:\n    identity: x\n    hots: y\n";
    let error = Declaration::from_yaml("mine.yaml", text).unwrap_err();
    assert_eq!(error.to_string(), "mine.yaml:5:5: there is no member `hots` here (did you mean `host`?)");
    for bad in ["", "5", "tenants: 5", "tenants: {}\ntenants: {}", "\u{0}", "a: &a [*a]"] {
        let error = Declaration::from_yaml("mine.yaml", bad).unwrap_err();
        assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
    }
}

/// A world of this many tenants of one application each, beside the healthy one-box.
fn large(tenants: usize) -> World {
    let mut text = String::from("environments: {}\norganizations: {}\ntenants:\n");
    for number in 0..tenants {
        write!(
            text,
            "  c0117050-0000-4000-8000-{number:012x}:\n    name: Tenant {number}\n    domains: [t{number}.onmicrosoft.com]\n    \
             region: EU\n    signing_keys: [\"shipped:token-signing\"]\n    applications:\n      \
             c0117050-0000-4000-9000-{number:012x}:\n        name: client\n        \
             object_id: c0117050-0000-4000-a000-{number:012x}\n        secrets: {{ default: {{ value: s }} }}\n"
        )
        .expect("memory");
    }
    text.push_str(
        "caller: { tenant: x, client_id: x, client_secret: x, environment: onebox, customer: {} }\n",
    );
    let mut declaration = Declaration::from_yaml("large.yaml", &text).expect("a declaration");
    // The caller needs an environment; the healthy one-box is at hand.
    declaration.environments = self::declaration().environments;
    declaration.environments.shift_remove("onprem");
    Arc::make_mut(&mut declaration.environments["onebox"]).identity =
        "c0117050-0000-4000-8000-000000000000".into();
    compiled(declaration).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn ten_thousand_tenants_are_a_world_that_can_be_edited() {
    let world = large(10_000);
    assert_eq!(world.tenants().count(), 10_000);
    let last = world.tenant("T9999.onmicrosoft.com").unwrap();
    let edit = Edit::replace(last.pointer.join("name"), "Renamed");
    let after = world.edited(&[edit], EditedBy::Control).unwrap();
    assert_eq!(after.tenant(&last.id).unwrap().name, "Renamed");
    assert!(Arc::ptr_eq(
        world.tenant("t0.onmicrosoft.com").unwrap(),
        after.tenant("t0.onmicrosoft.com").unwrap()
    ));
}

#[test]
fn an_edit_makes_anew_the_one_part_it_is_about_and_shares_thousands() {
    let world = large(3_000);
    let edited = "c0117050-0000-4000-8000-000000000007";
    let edit = Edit::add(pointers::tenant(edited).clock(), "+20m");
    let after = world.edited(&[edit], EditedBy::Control).unwrap();
    let mut shared = 0;
    for (old, new) in world.tenants().zip(after.tenants()) {
        let same = Arc::ptr_eq(old, new);
        assert_eq!(same, *old.id != *edited, "{}", old.id);
        // What a person sees of it is the very same value too.
        let view = |world: &World| world.get(&old.pointer).map(std::ptr::from_ref);
        assert_eq!(view(&world) == view(&after), same, "{}", old.id);
        shared += usize::from(same && Arc::ptr_eq(&old.declared, &new.declared));
    }
    assert_eq!(shared, 2_999);
    let (old, new) = (world.tenant(edited).unwrap(), after.tenant(edited).unwrap());
    let client = "c0117050-0000-4000-9000-000000000007";
    assert!(Arc::ptr_eq(old.application(client).unwrap(), new.application(client).unwrap()));
    assert!(Arc::ptr_eq(world.environment("onebox").unwrap(), after.environment("onebox").unwrap()));

    // An edit elsewhere does not even copy the list of the tenants.
    let elsewhere = Edit::replace(pointers::caller().client_id(), "y");
    let after = world.edited(&[elsewhere], EditedBy::Control).unwrap();
    let slot = |world: &World| world.tenants().next().map(std::ptr::from_ref);
    assert_eq!(slot(&world), slot(&after));
}

#[test]
fn a_caller_does_one_of_a_few_things_and_a_load_ends() {
    let world = compiled(declaration()).unwrap();
    let caller = pointers::caller();
    assert_eq!(world.get(&caller.does()), Some(&json!("create-customer")), "what is left out is shown");
    assert_eq!([Errand::CreateCustomer, Errand::Load].map(|errand| world.caller().turns(errand)), [1, 10]);
    for (edit, said) in [
        (Edit::replace(caller.does(), "loads"), "/caller/does: unknown variant `loads`"),
        (Edit::add(caller.count(), 0), "/caller/count: `0` is not a number of requests (1 to 1000)"),
        (Edit::add(caller.count(), 1001), "/caller/count: `1001` is not a number of requests"),
    ] {
        let error = world.edited(&[edit], EditedBy::Control).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let text = "caller: { tenant: x, client_id: x, client_secret: x, environment: onebox, does: loads, customer: {} }";
    let error = Declaration::from_yaml("mine.yaml", text).unwrap_err();
    assert_eq!((error.line, error.hint.as_deref()), (1, Some("did you mean `load`?")), "{error}");
}

#[test]
fn a_machine_has_one_identity_of_its_own_and_a_resource_id_is_one_identitys() {
    let refused = |edits: &[(&str, &str, serde_json::Value)]| -> Vec<String> {
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(client_id, member, value)| {
                let identity = pointers::tenant(TENANT).managed_identity(client_id);
                Edit::add(identity.join(member), value.clone())
            })
            .collect();
        let error = World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap_err();
        error.problems().iter().map(ToString::to_string).collect()
    };
    let sample = "c0117050-0000-4000-8000-00000000a001";
    let own = refused(&[(sample, "assigned", json!("system"))]);
    assert!(own[0].contains("the machine's own identity is already `c0117050-"), "{own:?}");
    let twice = refused(&[(
        sample,
        "resource_id",
        json!(
            "/Subscriptions/c0117050-0000-4000-8000-0000000c0001/resourceGroups/contoso/providers/Microsoft.Compute/virtualMachines/contoso-vm"
        ),
    )]);
    assert!(twice[0].contains("is already at /tenants/"), "{twice:?}");
    let none = refused(&[(sample, "resource_id", json!("sample-client"))]);
    assert!(none[0].contains("`sample-client` is not an Azure resource id"), "{none:?}");
    let other = refused(&[(sample, "assigned", json!("nobody"))]);
    assert!(other[0].contains("nobody"), "{other:?}");
}

#[test]
fn a_managed_identity_whose_application_was_deleted_is_a_world() {
    let application = pointers::tenant(TENANT).application("c0117050-0000-4000-8000-00000000a005").setting();
    let world = World::contoso().unwrap().edited(&[Edit::remove(application)], EditedBy::Control).unwrap();
    let tenant = world.tenant(TENANT).unwrap();
    assert!(tenant.managed_identities.contains_key("c0117050-0000-4000-8000-00000000a005"));
    let header = tenant.identity_header.as_ref().unwrap();
    assert!(world.secrets().any(|secret| secret == header));
}

#[test]
fn a_role_can_be_granted_where_the_resource_defines_it_or_says_nothing_of_its_roles() {
    const API: &str = "c0117050-0000-4000-8000-00000000a004";
    const SAMPLE: &str = "c0117050-0000-4000-8000-00000000a001";
    let granting = |roles: &[&str], defined: Option<&[&str]>| {
        let mut world = declaration();
        let tenant = Arc::make_mut(&mut world.tenants[TENANT]);
        if let Some(defined) = defined {
            Arc::make_mut(&mut tenant.applications[API]).app_roles =
                defined.iter().map(|role| (*role).to_owned()).collect();
        }
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Arc::make_mut(&mut tenant.applications[SAMPLE]).granted_roles.insert(API.into(), roles);
        compiled(world).map(|_| ())
    };
    assert_eq!(granting(&["Tasks.Read.All", "Tasks.ReadWrite.All"], None), Ok(()));
    assert_eq!(granting(&["Anything"], Some(&[])), Ok(()));
    let error = granting(&["Tasks.ReadWrit.All"], None).unwrap_err();
    assert!(
        error.contains(&format!("{SAMPLE}/granted_roles/{API}: `Contoso API` defines no application role `Tasks.ReadWrit.All` (did you mean `Tasks.ReadWrite.All`?)")),
        "{error}"
    );
}
