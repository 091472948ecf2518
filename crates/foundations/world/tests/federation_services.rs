//! A federation service is declared, looked up, edited and restored as every other part of a world is.

use std::sync::Arc;

use mocktenant_keys::shipped;
use mocktenant_world::declaration::{Declaration, Profile};
use mocktenant_world::{Artefacts, Edit, EditedBy, Origin, Origins, Setting, SignInName, World, place};
use serde_json::{Value, json};
use time::Duration;

const AT: &str = "/federation_services/contoso";
const NATIVE: &str = "c0117050-0000-4000-8000-00000000a101";
const SERVER: &str = "c0117050-0000-4000-8000-00000000a001";
const SETUP: &str = "Microsoft Dynamics 365 for Operations On-premises";
const WEB_API: &str = "https://ax.contoso.com/namespaces/AXSF";

fn contoso() -> World {
    World::contoso().unwrap_or_else(|error| panic!("{error}"))
}

fn patch(edits: Value) -> Vec<Edit> {
    serde_json::from_value(edits).expect("a patch")
}

fn edited(world: &World, edits: Value) -> World {
    world.edited(&patch(edits), EditedBy::Control).unwrap_or_else(|error| panic!("{error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "a literal, as it stands in a test")]
fn add(world: &World, path: &str, value: Value) -> World {
    edited(world, json!([{ "op": "add", "path": path, "value": value }]))
}

/// The pointer of a Web API or what is below it.
fn web_api(below: &str) -> String {
    format!("{AT}/application_groups/{SETUP}/web_apis/{}{below}", WEB_API.replace('/', "~1"))
}

#[expect(clippy::needless_pass_by_value, reason = "a literal, as it stands in a test")]
fn refused(path: &str, value: Value) -> Vec<String> {
    let edits = patch(json!([{ "op": "add", "path": path, "value": value }]));
    let error = contoso().edited(&edits, EditedBy::Control).expect_err(path);
    error.to_string().lines().map(str::to_owned).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: what is declared, and what is said of it")]
fn what_makes_no_federation_service_is_refused_at_its_pointer_and_says_what_would_be_right() {
    let group = format!("{AT}/application_groups/{SETUP}");
    let ada = format!("{AT}/users/ada@contoso.com");
    let user =
        |account: &str, sid: &str| json!({ "name": "B", "account": account, "password": "p", "sid": sid });
    let other = "S-1-5-21-1004336348-1177238915-682003330-1003";
    let rule = |claim: Value| json!([claim]);
    for (path, value, expected) in [
        (
            format!("{AT}/host_name"),
            json!("https://adfs.contoso.com/adfs"),
            format!(
                "{AT}/host_name: `https://adfs.contoso.com/adfs` is not a lower-case host name (write it as `adfs.contoso.com`)"
            ),
        ),
        (
            format!("{AT}/cors_trusted_origins/-"),
            json!("https://app.contoso.com/"),
            format!(
                "{AT}/cors_trusted_origins/https:~1~1app.contoso.com~1: `https://app.contoso.com/` is no origin (scheme, host and port without a path: `https://app.contoso.com`)"
            ),
        ),
        (
            format!("{AT}/cors_trusted_origins/-"),
            json!("app.contoso.com"),
            format!("{AT}/cors_trusted_origins/app.contoso.com: `app.contoso.com` is no origin"),
        ),
        (
            format!("{AT}/signing_keys"),
            json!([]),
            format!(
                "{AT}/signing_keys: a federation service signs with at least one key (for instance `shipped:adfs-signing`)"
            ),
        ),
        (
            format!("{AT}/signing_keys"),
            json!(["shipped:adfs-singing"]),
            format!("{AT}/signing_keys/shipped:adfs-singing: "),
        ),
        (format!("{AT}/signing_keys"), json!(["-----BEGIN NOTHING-----"]), format!("{AT}/signing_keys: ")),
        (format!("{AT}/next_signing_key"), json!("shipped:nothing"), format!("{AT}/next_signing_key: ")),
        (format!("{AT}/decrypting_key"), json!("shipped:nothing"), format!("{AT}/decrypting_key: ")),
        (format!("{AT}/clock"), json!("soon"), format!("{AT}/clock: ")),
        (
            format!("{AT}/users/bob"),
            user("CONTOSO\\bob", other),
            format!(
                "{AT}/users/bob: `bob` is not a user principal name (a name, `@` and a domain: `ada@contoso.com`)"
            ),
        ),
        (
            format!("{AT}/users/b ob@contoso.com"),
            user("CONTOSO\\bob", other),
            format!("{AT}/users/b ob@contoso.com: `b ob@contoso.com` is not a user principal name"),
        ),
        (
            format!("{AT}/users/Bob@contoso.com"),
            user("CONTOSO\\bob", other),
            format!(
                "{AT}/users/Bob@contoso.com: `Bob@contoso.com` is not in lower case (write it as `bob@contoso.com`)"
            ),
        ),
        (
            format!("{AT}/users/bob@contoso.com"),
            user("contoso\\ADA", other),
            format!(
                "{AT}/users/bob@contoso.com/account: the account `contoso\\ADA` is already ada@contoso.com's"
            ),
        ),
        (
            format!("{ada}/account"),
            json!("ada"),
            format!(
                "{ada}/account: `ada` is not an account (a domain, a backslash and a name: `CONTOSO\\ada`)"
            ),
        ),
        (
            format!("{ada}/sid"),
            json!("1001"),
            format!("{ada}/sid: `1001` is not a security identifier (for instance `S-1-5-21-"),
        ),
        (
            format!("{AT}/users/bob@contoso.com"),
            user("CONTOSO\\bob", "S-1-5-21-1004336348-1177238915-682003330-1001"),
            format!(
                "{AT}/users/bob@contoso.com/sid: the SID `S-1-5-21-1004336348-1177238915-682003330-1001` is already at {ada}/sid"
            ),
        ),
        (
            format!("{AT}/users/grace@contoso.com/attributes"),
            json!({ "Mail": "ADA@contoso.com" }),
            format!(
                "{AT}/users/grace@contoso.com/attributes/Mail: the Mail `ADA@contoso.com` is already ada@contoso.com's (`alternate_login_id: mail` makes it"
            ),
        ),
        (
            format!("{ada}/password_expires"),
            json!("tomorrow"),
            format!("{ada}/password_expires: `tomorrow` is not a time"),
        ),
        (
            format!("{group}/native_applications/"),
            json!({ "name": "N" }),
            format!("{group}/native_applications/: a client id cannot be empty"),
        ),
        (
            format!("{group}/native_applications/{}", SERVER.to_uppercase()),
            json!({ "name": "N" }),
            format!(
                "{group}/server_applications/{SERVER}: the client id `{}` is already at {group}/native_applications/{}",
                SERVER.to_uppercase(),
                SERVER.to_uppercase()
            ),
        ),
        (
            format!("{group}/server_applications/{SERVER}/certificates/00"),
            json!({ "certificate": "shipped:sample-client" }),
            format!(
                "{group}/server_applications/{SERVER}/certificates/00: the certificate here has another thumbprint than `00` (its thumbprint is `AC8CE85E26ED732A9812AB09785B499F53D5951F`)"
            ),
        ),
        (
            web_api("/identifiers/-"),
            json!(SERVER),
            format!(
                "{AT}/application_groups/mocktenant on-behalf-of sample/web_apis/{SERVER}: the identifier `{SERVER}` is already one of `{WEB_API}`"
            ),
        ),
        (
            web_api("/identifiers/-"),
            json!(WEB_API),
            format!(
                "{}: the identifier `{WEB_API}` is already one of `{WEB_API}`",
                web_api(&format!("/identifiers/{}", WEB_API.replace('/', "~1")))
            ),
        ),
        (
            web_api(&format!("/permissions/{}9", &NATIVE[..35])),
            json!(["openid"]),
            format!(
                "{}: there is no client `{}9` in an application group (did you mean `{NATIVE}`?)",
                web_api(&format!("/permissions/{}9", &NATIVE[..35])),
                &NATIVE[..35]
            ),
        ),
        (
            web_api(&format!("/permissions/{}", NATIVE.to_uppercase())),
            json!(["openid"]),
            format!(
                "{}: the client `{}` already has a permission here, as `{NATIVE}`",
                web_api(&format!("/permissions/{}", NATIVE.to_uppercase())),
                NATIVE.to_uppercase()
            ),
        ),
        (
            web_api("/issued_claims"),
            rule(json!({ "type": "t" })),
            format!(
                "{}: the claim `t` comes from an attribute or has a value, one of both (for instance `attribute: mail`)",
                web_api("/issued_claims")
            ),
        ),
        (
            web_api("/issued_claims"),
            rule(json!({ "type": "t", "attribute": "mail", "value": "v" })),
            format!("{}: the claim `t` comes", web_api("/issued_claims")),
        ),
        (
            "/environments/onebox/host".to_owned(),
            json!("adfs.contoso.com"),
            format!("/environments/onebox/host: the host `adfs.contoso.com` is already at {AT}/host_name"),
        ),
    ] {
        let said = refused(&path, value);
        assert!(said.len() == 1 && said[0].starts_with(&expected), "expected {expected}\ngot {said:#?}");
    }
    let twin = contoso().declaration().federation_services["contoso"].clone();
    let said = refused("/federation_services/a b", json!(*twin));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[0].starts_with("/federation_services/a b: `a b` is not a short name (one to 64"),
        "{said:#?}"
    );
    assert!(
        said[1].starts_with("/federation_services/a b/host_name: the host `adfs.contoso.com` is already"),
        "{said:#?}"
    );
}

#[test]
fn people_and_clients_are_found_in_any_letter_case_and_an_identifier_as_it_is_written() {
    let world = contoso();
    let service = world.federation_service("contoso").unwrap();
    for name in ["ada@contoso.com", "ADA@Contoso.COM", "CONTOSO\\ada", "contoso\\ADA"] {
        assert_eq!(service.user(name).map(|user| &*user.name), Some("ada@contoso.com"), "{name}");
    }
    for nobody in ["ada", "contoso/ada", "ada@contoso.com ", "FABRIKAM\\ada", ""] {
        assert!(service.user(nobody).is_none(), "{nobody}");
    }
    for client_id in [SERVER.to_owned(), SERVER.to_uppercase()] {
        let client = service.client(&client_id).unwrap();
        assert_eq!((&*client.client_id, client.credentials.is_some()), (SERVER, true));
    }
    assert!(service.client(NATIVE).unwrap().credentials.is_none(), "a native application proves nothing");
    assert!(service.client("").is_none());
    for identifier in [WEB_API, "https://ax.contoso.com", "https://ax.contoso.com/"] {
        assert_eq!(service.web_api(identifier).map(|one| &*one.identifier), Some(WEB_API), "{identifier}");
    }
    for none in [
        "https://ax.contoso.com/namespaces/AXSF/",
        "https://AX.contoso.com",
        "https://ax.contoso.com/namespaces/axsf",
    ] {
        assert!(service.web_api(none).is_none(), "{none}");
    }
    let web_api = service.web_api(WEB_API).unwrap();
    assert_eq!(web_api.permission(&NATIVE.to_uppercase()).unwrap().len(), 5);
    assert_eq!(web_api.permission("nobody"), None);
    assert_eq!(service.host, "adfs.contoso.com");
    assert_eq!(service.host_name, "ADFS.contoso.com", "issuers keep the letter case");
}

#[test]
fn who_signs_in_is_found_by_the_alternate_login_id_before_every_other_name() {
    let before = contoso();
    let signs_in = |world: &World, typed: &str| {
        let service = world.federation_service("contoso").unwrap();
        service.signs_in(typed).map(|(user, name)| (user.name.to_string(), name))
    };
    let grace = |name| Some(("grace@contoso.com".to_owned(), name));
    for (typed, found) in [
        ("grace.hopper@contoso.com", grace(SignInName::Alternate)),
        ("Grace.Hopper@Contoso.COM", grace(SignInName::Alternate)),
        ("grace@contoso.com", grace(SignInName::Principal)),
        ("contoso\\GRACE", grace(SignInName::Account)),
        ("Hopper", None),
        ("", None),
    ] {
        assert_eq!(signs_in(&before, typed), found, "{typed}");
    }
    assert!(before.federation_service("contoso").unwrap().user("grace.hopper@contoso.com").is_none());
    let at = format!("{AT}/alternate_login_id");
    // Without the setting, and by another attribute; its name has no letter case.
    let off = edited(&before, json!([{ "op": "remove", "path": at }]));
    assert_eq!(signs_in(&off, "grace.hopper@contoso.com"), None);
    assert_eq!(signs_in(&off, "grace@contoso.com"), grace(SignInName::Principal));
    let by_surname = add(&before, &at, json!("SN"));
    assert_eq!(signs_in(&by_surname, "hopper"), grace(SignInName::Alternate));
    assert_eq!(signs_in(&by_surname, "grace.hopper@contoso.com"), None);
    // One's alternate login ID and the other's user principal name: the other signs in by account alone.
    let mail = format!("{AT}/users/grace@contoso.com/attributes/mail");
    let taken = edited(
        &before,
        json!([
            { "op": "remove", "path": format!("{AT}/users/ada@contoso.com/attributes/mail") },
            { "op": "replace", "path": mail, "value": "ada@contoso.com" },
        ]),
    );
    assert_eq!(signs_in(&taken, "ada@contoso.com"), grace(SignInName::Alternate));
    let ada = Some(("ada@contoso.com".to_owned(), SignInName::Account));
    assert_eq!(signs_in(&taken, "CONTOSO\\ada"), ada);
    // Two may have one value as long as nobody signs in by it.
    let shared = add(&off, &mail, json!("ada@contoso.com"));
    let edits = patch(json!([{ "op": "add", "path": at, "value": "mail" }]));
    let error = shared.edited(&edits, EditedBy::Control).unwrap_err().to_string();
    assert!(error.contains("the mail `ada@contoso.com` is already ada@contoso.com's"), "{error}");
}

#[test]
fn edits_add_and_remove_parts_of_a_federation_service() {
    let before = contoso();
    let group = json!({ "native_applications": { "mine": { "name": "Mine" } }, "web_apis": { "urn:mine": { "name": "API", "permissions": { "MINE": ["openid"] } } } });
    let world = add(&before, &format!("{AT}/application_groups/Mine"), group);
    let service = world.federation_service("contoso").unwrap();
    assert_eq!(
        (&*service.client("mine").unwrap().group, &*service.web_api("urn:mine").unwrap().group),
        ("Mine", "Mine")
    );
    let world = edited(&world, json!([{ "op": "remove", "path": format!("{AT}/application_groups/Mine") }]));
    let service = world.federation_service("contoso").unwrap();
    assert!(service.client("mine").is_none() && service.web_api("urn:mine").is_none());

    let world = edited(
        &before,
        json!([
            { "op": "add", "path": web_api("/identifiers/-"), "value": "urn:more" },
            { "op": "remove", "path": web_api("/identifiers/https:~1~1ax.contoso.com~1") },
            { "op": "remove", "path": web_api(&format!("/permissions/{NATIVE}")) },
            { "op": "add", "path": format!("{AT}/users/bob@contoso.com"), "value": { "name": "Bob", "account": "CONTOSO\\bob", "password": "bobs", "sid": "S-1-5-21-1-2-3-1002" } },
            { "op": "add", "path": format!("{AT}/clock"), "value": "+20m" },
            { "op": "add", "path": format!("{AT}/profile"), "value": "2016" },
        ]),
    );
    let service = world.federation_service("contoso").unwrap();
    assert!(service.web_api("urn:more").is_some() && service.web_api("https://ax.contoso.com/").is_none());
    assert_eq!(service.web_api(WEB_API).unwrap().permission(NATIVE), None);
    assert_eq!(service.user("contoso\\BOB").unwrap().declared.name, "Bob");
    assert_eq!((service.clock, service.profile), (Duration::minutes(20), Profile::Server2016));
    let world = edited(&world, json!([{ "op": "remove", "path": format!("{AT}/users/ada@contoso.com") }]));
    let service = world.federation_service("contoso").unwrap();
    assert!(service.user("CONTOSO\\ada").is_none() && service.user("ada@contoso.com").is_none());
    assert!(!refused(&format!("{AT}/profile"), json!("2025")).is_empty());
}

#[test]
fn what_an_edit_does_not_touch_is_shared_and_a_restored_service_is_the_one_before() {
    let before = contoso();
    let ada = |world: &World| {
        Arc::clone(world.federation_service("contoso").unwrap().user("ada@contoso.com").unwrap())
    };
    let clock = Setting::from_pointer(format!("{AT}/clock"));
    let after = add(&before, clock.as_str(), json!("+1h"));
    assert!(Arc::ptr_eq(&ada(&before), &ada(&after)));
    assert!(Arc::ptr_eq(before.environment("onebox").unwrap(), after.environment("onebox").unwrap()));
    assert!(!Arc::ptr_eq(
        before.federation_service("contoso").unwrap(),
        after.federation_service("contoso").unwrap()
    ));
    let elsewhere = add(&before, "/environments/onebox/machine/clock", json!("+1h"));
    assert!(Arc::ptr_eq(
        before.federation_service("contoso").unwrap(),
        elsewhere.federation_service("contoso").unwrap()
    ));
    let password = format!("{AT}/users/ada@contoso.com/password");
    assert!(!Arc::ptr_eq(&ada(&before), &ada(&add(&before, &password, json!("other")))));

    assert_eq!(after.origin(&clock), Origin::Control);
    assert_eq!(before.origin(&Setting::from_pointer(format!("{AT}/host_name"))), Origin::Default);
    let both = add(&after, "/environments/onebox/machine/clock", json!("+1h"));
    let restored = both.restored(&before, &Setting::fixed(AT)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(restored.federation_service("contoso").unwrap().clock, Duration::ZERO);
    assert_eq!(restored.environment("onebox").unwrap().nodes[0].clock, Duration::hours(1));
    let error =
        before.edited(&patch(json!([{ "op": "remove", "path": AT }])), EditedBy::Control).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/environments/onprem/identity: there is no identity provider `contoso`"),
        "{error}"
    );
    let gone = edited(
        &before,
        json!([{ "op": "remove", "path": "/environments/onprem" }, { "op": "remove", "path": AT }]),
    );
    assert!(gone.federation_service("contoso").is_none());
    let back = gone.restored(&before, &Setting::fixed(AT)).unwrap_or_else(|error| panic!("{error}"));
    assert!(back.federation_service("contoso").unwrap().client(SERVER).is_some());
}

#[test]
fn passwords_secrets_and_private_keys_are_secrets_and_names_of_published_keys_are_not() {
    let pem = shipped::by_name("adfs-signing-next").unwrap().certificate_pem_bundle();
    let group = format!("{AT}/application_groups/{SETUP}");
    let world = edited(
        &contoso(),
        json!([
            { "op": "add", "path": format!("{AT}/users/ada@contoso.com/password"), "value": "adas-own" },
            { "op": "add", "path": format!("{group}/server_applications/{SERVER}/secrets/second"), "value": "second-secret" },
            { "op": "add", "path": format!("{AT}/next_signing_key"), "value": pem },
            { "op": "add", "path": format!("{AT}/decrypting_key"), "value": format!("{pem}\n") },
            { "op": "add", "path": format!("{AT}/signing_keys"), "value": ["shipped:adfs-signing", format!("\n{pem}")] },
        ]),
    );
    let secrets: Vec<&str> = world.secrets().map(mocktenant_world::SecretText::as_str).collect();
    for secret in ["adas-own", "second-secret", &pem, &format!("{pem}\n"), &format!("\n{pem}")] {
        assert!(secrets.contains(&secret), "{secret}");
    }
    assert!(!secrets.iter().any(|secret| secret.starts_with("shipped:")), "{secrets:?}");
    assert!(!format!("{:?}", world.federation_service("contoso").unwrap().declared).contains("adas-own"));
}

#[test]
fn a_world_without_federation_services_is_a_world() {
    let mut document = serde_json::to_value(contoso().declaration()).unwrap();
    document.as_object_mut().unwrap().remove("federation_services");
    document["environments"].as_object_mut().unwrap().remove("onprem");
    let declaration: Declaration = serde_json::from_value(document).unwrap();
    let world = World::compile(declaration, Artefacts::none(), Origins::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(world.federation_services().count(), 0);
    assert!(world.federation_service("contoso").is_none());
}

#[test]
fn each_setting_has_the_place_where_a_person_changes_it_in_the_real_products() {
    let world = contoso();
    let group = format!("application_groups/{SETUP}");
    let api = web_api("").replace(&format!("{AT}/"), "");
    let in_group = format!("AD FS Management > Application Groups > {SETUP}");
    for (below, expected) in [
        ("application_groups".to_owned(), "AD FS Management > Application Groups".to_owned()),
        (group.clone(), in_group.clone()),
        (format!("{group}/description"), in_group.clone()),
        (format!("{group}/native_applications"), in_group.clone()),
        (format!("{group}/web_apis"), in_group.clone()),
        (
            format!("{group}/native_applications/{NATIVE}/redirect_uris"),
            format!("{in_group} > mocktenant sample native client > General, Redirect URI"),
        ),
        (
            format!("{group}/server_applications/{SERVER}/secrets/default"),
            format!("{in_group} > mocktenant sample client > Credentials"),
        ),
        (
            format!("{group}/server_applications/{SERVER}/certificates"),
            format!("{in_group} > mocktenant sample client > Credentials"),
        ),
        (format!("{group}/server_applications/new"), format!("{in_group} > new")),
        (api.clone(), format!("{in_group} > {SETUP} - Web API")),
        (format!("{api}/identifiers"), format!("{in_group} > {SETUP} - Web API > Identifiers")),
        (
            format!("{api}/permissions/{NATIVE}"),
            format!("{in_group} > {SETUP} - Web API > Client Permissions"),
        ),
        (
            format!("{api}/issued_claims"),
            format!("{in_group} > {SETUP} - Web API > Issuance Transform Rules"),
        ),
        ("clock".to_owned(), "Windows: date and time of ADFS.contoso.com".to_owned()),
        (
            "signing_keys/shipped:adfs-signing".to_owned(),
            "AD FS Management > Service > Certificates".to_owned(),
        ),
        ("next_signing_key".to_owned(), "AD FS Management > Service > Certificates".to_owned()),
        ("decrypting_key".to_owned(), "AD FS Management > Service > Certificates".to_owned()),
        (
            "cors_trusted_origins".to_owned(),
            "PowerShell on the AD FS server: Set-AdfsResponseHeaders -CORSTrustedOrigins".to_owned(),
        ),
        (
            "sso_lifetime".to_owned(),
            "PowerShell on the AD FS server: Set-AdfsProperties -SsoLifetime".to_owned(),
        ),
        ("scope_descriptions".to_owned(), "AD FS Management > Service > Scope Descriptions".to_owned()),
        ("m365_compatibility".to_owned(), "localagent-config.json: office365AdfsCompatibility".to_owned()),
        (
            "lockout/threshold".to_owned(),
            "PowerShell on the AD FS server: Set-AdfsProperties -ExtranetLockoutThreshold".to_owned(),
        ),
        (
            "loop_detection".to_owned(),
            "PowerShell on the AD FS server: Set-AdfsProperties -EnableLoopDetection".to_owned(),
        ),
        (
            "host_name".to_owned(),
            "AD FS Management > Service > Edit Federation Service Properties (ADFS.contoso.com)".to_owned(),
        ),
        (
            "users/ada@contoso.com".to_owned(),
            "Active Directory Users and Computers > ada@contoso.com".to_owned(),
        ),
        (
            "stopped".to_owned(),
            "services.msc on ADFS.contoso.com: Active Directory Federation Services".to_owned(),
        ),
        (
            "users/ada@contoso.com/password".to_owned(),
            "Active Directory Users and Computers > ada@contoso.com > Reset Password".to_owned(),
        ),
        (
            "users/ada@contoso.com/groups".to_owned(),
            "Active Directory Users and Computers > ada@contoso.com > Properties > Member Of".to_owned(),
        ),
        (
            "users/ada@contoso.com/attributes/mail".to_owned(),
            "Active Directory Users and Computers > ada@contoso.com > Properties > Attribute Editor"
                .to_owned(),
        ),
        (
            "users/ada@contoso.com/enabled".to_owned(),
            "Active Directory Users and Computers > ada@contoso.com > Properties > Account".to_owned(),
        ),
    ] {
        assert_eq!(place(&Setting::from_pointer(format!("{AT}/{below}")), &world), Some(expected), "{below}");
    }
}

#[test]
fn a_federation_service_runs_unless_it_is_declared_as_stopped_and_that_is_always_shown() {
    let (world, at) = (contoso(), Setting::from_pointer(format!("{AT}/stopped")));
    assert_eq!(world.get(&at), Some(&json!(false)));
    let stopped = add(&world, &format!("{AT}/stopped"), json!(true));
    let service = stopped.federation_service("contoso").expect("it is still there");
    assert!(service.stopped && service.pointer.stopped() == at);
    assert_eq!(stopped.get(&at), Some(&json!(true)));
    for no_answer in [json!("yes"), json!(1), json!(null)] {
        let refused = refused(&format!("{AT}/stopped"), no_answer);
        assert!(refused.iter().any(|line| line.contains("/stopped")), "{refused:?}");
    }
}

#[test]
fn a_redirect_uri_that_nobody_can_be_sent_to_is_refused_and_says_why() {
    for kind in ["native_applications", "server_applications"] {
        let at = format!("{AT}/application_groups/{SETUP}/{kind}/a");
        for (uri, why) in [
            ("https://a.example/#x", "it has a fragment (the answer"),
            ("app://x#", "it has a fragment"),
            ("javascript:alert(1)", "a browser would run or read it instead of going there (an absolute"),
            ("Data:text/html,x", "a browser would run or read it"),
            ("https://ada:secret@a.example/", "it has user information before its host (leave"),
            ("app://ada@x", "it has user information"),
            ("https://a.example\\b", "it has a backslash (browsers"),
            ("https://a.example/ b", "it has blanks or control characters (blanks"),
            ("https://a.example/\n", "it has blanks or control characters"),
            ("/signin", "it has no scheme (an absolute"),
            ("localhost", "it has no scheme"),
            ("1://a", "it has no scheme"),
            ("", "it has no scheme"),
            ("https:///signin", "it names no host"),
            ("http:a.example", "it names no host"),
        ] {
            let said = refused(&at, json!({ "name": "a", "redirect_uris": ["https://good.example/", uri] }));
            assert_eq!(said.len(), 1, "{uri}: {said:#?}");
            assert!(
                said[0].starts_with(&format!("{at}/redirect_uris: ")) && said[0].contains(why),
                "{uri}: {said:#?}"
            );
        }
    }
    let good = json!([
        "https://a.example",
        "HTTP://localhost:5000/x?y=z",
        "http://[::1]/",
        "urn:ietf:wg:oauth:2.0:oob",
        "msalc0117050-0000-4000-8000-00000000a101://auth",
        "ms-appx-web://Microsoft.AAD.BrokerPlugin/c0117050-0000-4000-8000-00000000a101",
        "msauth.com.contoso.app://auth",
        "com.contoso.app:/callback",
        "app://58145B91-0C36-4500-8554-080854F2AC97",
        "https://a.example/x@y",
    ]);
    let at = format!("{AT}/application_groups/{SETUP}/native_applications/a");
    add(&contoso(), &at, json!({ "name": "a", "redirect_uris": good }));
}
