//! The default world is published: its ids, secrets and thumbprints stay as they are.

use std::sync::Arc;

use mocktenant_world::{Origin, Setting, World, place};

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const SAMPLE: &str = "c0117050-0000-4000-8000-00000000a001";
const ONEBOX: &str = "c0117050-0000-4000-8000-00000000a002";
const ONEBOX_CERTIFICATE: &str = "61142666E97BF830049B4B6CB322DBA8DFFB0C4D";

fn contoso() -> World {
    World::contoso().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn published_ids_secrets_and_thumbprints_never_change() {
    let world = contoso();
    let mut lines = Vec::new();
    let view = world.view();
    for tenant in world.tenants() {
        lines.push(format!("tenant {} {} {}", tenant.id, tenant.name, tenant.domains.join(" ")));
        for identity in &tenant.signing {
            lines.push(format!("signing {}", identity.certificate().thumbprint()));
        }
        let order = view["tenants"][&*tenant.id]["applications"].as_object().unwrap().keys();
        for application in order.map(|id| &tenant.applications[id]) {
            lines.push(format!(
                "application {} {} {}",
                application.client_id, application.object_id, application.name
            ));
            for secret in &application.secrets {
                let expires =
                    secret.expires.map_or_else(|| "never".to_owned(), |time| time.date().to_string());
                lines.push(format!("  secret {} {} {expires}", secret.name, secret.value.as_str()));
            }
            for certificate in &application.certificates {
                lines.push(format!("  certificate {}", certificate.thumbprint()));
            }
        }
        for (name, user) in &tenant.users {
            lines.push(format!("user {name} {} {}", user.object_id, user.password.as_str()));
        }
        for (client_id, identity) in &tenant.managed_identities {
            let named = identity.resource_id.rsplit('/').next().unwrap();
            lines.push(format!("managed identity {client_id} {:?} {named}", identity.assigned));
        }
    }
    for service in world.federation_services() {
        lines.push(format!("federation service {} {}", service.id, service.host_name));
        for identity in service.signing.iter().chain(&service.decrypting) {
            lines.push(format!("  key {}", identity.certificate().thumbprint()));
        }
        for (name, user) in &service.declared.users {
            lines.push(format!("  user {name} {} {} {}", user.account, user.sid, user.password.as_str()));
        }
        for (group, written) in &service.application_groups {
            lines.push(format!("  application group {group}"));
            let clients = written.native_applications.keys().chain(written.server_applications.keys());
            for client in clients.filter_map(|id| service.client(id)) {
                lines.push(format!("    client {} {}", client.client_id, client.name));
                for (name, value) in client.credentials.iter().flat_map(|one| &one.secrets) {
                    lines.push(format!("      secret {name} {}", value.as_str()));
                }
                for certificate in client.credentials.iter().flat_map(|one| &one.certificates) {
                    lines.push(format!("      certificate {}", certificate.thumbprint()));
                }
            }
            for web_api in service.web_apis.iter().filter(|web_api| *web_api.group == **group) {
                let identifiers: Vec<&str> = web_api.all_identifiers().map(|(one, _)| one).collect();
                lines.push(format!("    web api {}", identifiers.join(" ")));
                for (client_id, scopes) in &web_api.permissions {
                    lines.push(format!("      permits {client_id} {}", scopes.join(" ")));
                }
            }
        }
    }
    for environment in world.environments() {
        lines.push(format!("environment {} {}", environment.id, environment.host));
        for stored in environment.stores.iter() {
            let (location, store, thumbprint) =
                (&stored.location, &stored.store, stored.certificate.thumbprint());
            lines.push(format!("  {location}/{store} {thumbprint} key {}", stored.key.is_some()));
        }
        for node in &environment.nodes {
            let trusts = node.stores.holds_lab_ca("LocalMachine", "Root");
            lines.push(format!("  node {} trusts the lab {trusts}", node.name));
        }
        for (client_id, client) in &environment.database.sys_aad_client_table {
            lines.push(format!("  client {client_id} as {}", client.user_id));
        }
        for (id, user) in &environment.database.user_info {
            let whose = format!("{}{}", user.network_domain, user.identity_provider);
            lines.push(format!("  user {id} {} {whose} {}", user.network_alias, user.roles.join(", ")));
        }
        for entry in environment.axsf.iter().flat_map(|file| file.entries()) {
            lines.push(format!("  {} {}", entry.key, entry.value).trim_end().to_owned());
        }
    }
    for organization in world.organizations() {
        lines.push(format!("organization {} {} {}", organization.key, organization.id, organization.host));
        lines.push(format!("  api {} business unit {}", organization.api_host, organization.business_unit));
        let mut users: Vec<_> = organization.application_users.values().collect();
        users.sort_by(|a, b| a.id.cmp(&b.id));
        for user in users {
            lines.push(format!("  user {} {} {}", user.id, user.client_id, user.roles.join(" ")));
        }
    }
    assert_eq!(lines.join("\n"), include_str!("published.txt").trim_end());
}

#[test]
fn the_onebox_stands_at_the_end_of_the_recipe() {
    let world = contoso();
    let onebox = world.environment("onebox").unwrap();
    let get = |pointer: &str| world.get(&Setting::from_pointer(pointer)).cloned();
    let own = Some(serde_json::json!(ONEBOX_CERTIFICATE));
    assert_eq!(get("/environments/onebox/web_config/Infrastructure.S2SCertThumbprint"), own);
    assert_eq!(get("/environments/onebox/web_config/GraphApi.GraphAPIServicePrincipalCert"), own);
    assert_eq!(get("/environments/onebox/web_config/Aad.Realm"), Some(format!("spn:{ONEBOX}").into()));
    assert_eq!(get("/environments/onebox/web_config/Aad.TenantDomainGUID"), Some(TENANT.into()));
    assert_eq!(
        get("/environments/onebox/wif_config/audienceUris"),
        Some(serde_json::json!(["spn:00000015-0000-0000-c000-000000000000", format!("spn:{ONEBOX}")]))
    );
    let thumbprint = mocktenant_keys::Thumbprint::from_hex(ONEBOX_CERTIFICATE).unwrap();
    let stored = onebox.stores.find("LocalMachine", "My", &thumbprint).unwrap();
    assert!(
        stored.key.is_some() && stored.is_readable_by("Network Service") && !stored.is_readable_by("nobody")
    );
    assert!(onebox.stores.find("CurrentUser", "My", &thumbprint).is_none());
    assert!(onebox.stores.find("LocalMachine", "Root", &thumbprint).unwrap().key.is_none());
    assert!(
        onebox.stores.holds_lab_ca("LocalMachine", "Root")
            && !onebox.stores.holds_lab_ca("CurrentUser", "Root")
    );
    let application = world.tenant(TENANT).unwrap().application(ONEBOX).unwrap();
    assert_eq!(application.certificates[0].thumbprint(), thumbprint);
    assert_eq!(application.certificates[0], stored.certificate);
    let user = world.organization("contoso").unwrap().application_user(ONEBOX).unwrap();
    assert_eq!(user.roles, ["System Administrator"]);
    assert_eq!(
        onebox.database.dual_write.as_ref().unwrap().external_environment_url,
        "https://contoso.crm4.dynamics.com"
    );
}

#[test]
fn tenants_and_applications_are_found_in_any_letter_case() {
    let world = contoso();
    for name in [TENANT, &TENANT.to_uppercase(), "contoso.onmicrosoft.com", "Contoso.COM"] {
        assert_eq!(world.tenant(name).map(|tenant| &*tenant.id), Some(TENANT), "{name}");
    }
    for name in ["", "fabrikam.com", "contoso.com.", &"x".repeat(1 << 16)] {
        assert!(world.tenant(name).is_none(), "{name:.20}");
    }
    let tenant = world.tenant(TENANT).unwrap();
    assert_eq!(
        tenant.application(&SAMPLE.to_uppercase()).map(|found| found.name.as_str()),
        Some("mocktenant sample client")
    );
    assert_eq!(
        tenant.application("c0117050-0000-4000-8000-00000000a004").map(|found| found.token_version),
        Some(2)
    );
}

#[test]
fn the_custom_api_takes_v2_tokens_and_grants_the_sample_client_one_of_its_two_roles() {
    const API: &str = "c0117050-0000-4000-8000-00000000a004";
    let world = contoso();
    let tenant = world.tenant(TENANT).unwrap();
    let api = tenant.application(API).unwrap();
    assert_eq!((api.token_version, &*api.identifier_uris), (2, &["api://contoso-api".to_owned()][..]));
    assert_eq!(api.app_roles, ["Tasks.Read.All", "Tasks.ReadWrite.All"]);
    assert_eq!(tenant.application(SAMPLE).unwrap().granted_roles[API], ["Tasks.Read.All"]);
}

#[test]
fn a_list_element_is_read_by_its_value_and_never_by_an_index() {
    let world = contoso();
    let domains = Setting::of(["tenants", TENANT, "domains"]);
    assert_eq!(world.get(&domains.join("contoso.com")), Some(&"contoso.com".into()));
    assert_eq!(world.get(&domains.join("0")), None);
    assert_eq!(world.get(&domains.join("-")), None);
    assert_eq!(world.get(&Setting::fixed("no pointer")), None);
    assert_eq!(world.read(&Setting::fixed("")).as_deref(), Some(&world.view()));
    assert_eq!(world.read(&Setting::fixed("/tenants")).as_deref(), Some(&world.view()["tenants"]));
    assert_eq!(world.read(&domains).as_deref(), Some(&world.view()["tenants"][TENANT]["domains"]));
    assert_eq!(world.get(&Setting::fixed("/tenants")), None, "nothing is put together on the way");
    assert_eq!(world.get(&Setting::fixed("/caller/client_id")), Some(&SAMPLE.into()));
    assert_eq!(world.get(&Setting::fixed("/caller")), Some(&world.view()["caller"]));
}

#[test]
fn every_pointer_a_part_carries_is_a_declared_value() {
    let world = contoso();
    let mut pointers = Vec::new();
    for tenant in world.tenants() {
        pointers.push(tenant.pointer.setting());
        pointers.extend(tenant.applications.values().map(|application| application.pointer.setting()));
    }
    for environment in world.environments() {
        pointers.push(environment.pointer.setting());
        pointers.extend(environment.stores.iter().map(|stored| stored.pointer.setting()));
        pointers.extend(environment.nodes.iter().map(|node| node.pointer.setting()));
    }
    for organization in world.organizations() {
        pointers.push(organization.pointer.setting());
        pointers.extend(organization.application_users.values().map(|user| user.pointer.setting()));
        pointers.extend(organization.roles.values().map(|role| role.pointer.setting()));
    }
    for pointer in pointers {
        assert!(world.get(&pointer).is_some(), "{pointer}");
    }
}

#[test]
fn a_key_of_web_config_has_a_line_in_web_config() {
    let world = contoso();
    let line = |pointer: &str| match world.origin(&Setting::from_pointer(pointer)) {
        Origin::File { file, line, .. } => format!("{file}:{line}"),
        other => format!("{other:?}"),
    };
    assert_eq!(line("/environments/onebox/web_config/Aad.Realm"), "web.config:38");
    assert_eq!(line("/environments/onebox/web_config/Infrastructure.S2SCertThumbprint"), "web.config:41");
    assert_eq!(line(&format!("/environments/onebox/wif_config/audienceUris/spn:{ONEBOX}")), "wif.config:9");
    assert_eq!(line("/environments/onebox/wif_config/audienceUris"), "wif.config:8");
    assert_eq!(line("/environments/onebox/wif_config/audienceUris/spn:missing"), "wif.config:9");
    assert!(line("/environments/onebox/web_config/Missing.Key").starts_with("web.config:"));
    assert_eq!(line("/environments/onebox/host"), "Default");
    assert_eq!(line("/environments/elsewhere/web_config/Aad.Realm"), "Default");
    let text = String::from_utf8_lossy(
        world.artefact(&Setting::fixed("/environments/onebox/web_config")).unwrap().bytes(),
    )
    .into_owned();
    assert!(text.lines().nth(37).unwrap().contains("Aad.Realm"));
}

#[test]
fn a_key_of_the_startup_file_has_a_line_in_it() {
    let world = contoso();
    let at = |key: &str| Setting::of(["environments", "onprem", "axsf"]).join(key);
    let line = |key: &str| match world.origin(&at(key)) {
        Origin::File { file, line, .. } => format!("{file}:{line}"),
        other => format!("{other:?}"),
    };
    assert_eq!(line("Aad.AADIssuerNameFormat"), "AXSF.Package.1.0.xml:10");
    assert_eq!(line("Aad.AADTenantId"), "AXSF.Package.1.0.xml:13");
    assert_eq!(line("Aad.AADValidAudience"), "AXSF.Package.1.0.xml:14");
    assert_eq!(line("OpenIDConnect.ClientID"), "AXSF.Package.1.0.xml:29");
    assert_eq!(line("Provisioning.AdminPrincipalName"), "AXSF.Package.1.0.xml:34");
    assert_eq!(line("aad.aadtenantid"), "AXSF.Package.1.0.xml:13", "a person asking may spell it otherwise");
    assert_eq!(line("Aad.Nothing"), "AXSF.Package.1.0.xml:34", "the last line of what is there");
    let pointer = Setting::fixed("/environments/onprem/axsf");
    let text = String::from_utf8(world.artefact(&pointer).unwrap().bytes().to_vec()).unwrap();
    assert!(text.lines().nth(13).unwrap().contains("AADValidAudience"), "{text}");
    let onprem = world.environment("onprem").unwrap();
    assert!(onprem.is_on_premises() && !onprem.refreshes_keys && onprem.web_config.is_none());
    assert!(!world.environment("onebox").unwrap().is_on_premises());
    assert_eq!(onprem.identity.federation_service(), Some("contoso"));
    assert_eq!(
        world.linked_organization(onprem).map(|organization| &*organization.key),
        None,
        "no Dual Write"
    );
    assert!(Arc::ptr_eq(onprem.axsf.as_ref().unwrap(), onprem.nodes[0].axsf.as_ref().unwrap()));
}

#[test]
fn a_setting_is_changed_where_the_product_has_it() {
    let world = contoso();
    let application = Setting::of(["tenants", TENANT, "applications", ONEBOX]);
    let at = |setting: &Setting| place(setting, &world).unwrap_or_default();
    let fixed = |pointer: &str| at(&Setting::from_pointer(pointer));
    assert_eq!(
        at(&application.join("certificates").join(ONEBOX_CERTIFICATE)),
        "Microsoft Entra admin center > App registrations > Contoso one-box > Certificates & secrets"
    );
    assert_eq!(at(&application), "Microsoft Entra admin center > App registrations > Contoso one-box");
    assert_eq!(
        at(&application.join("redirect_uris")),
        "Microsoft Entra admin center > App registrations > Contoso one-box > Authentication"
    );
    assert_eq!(
        fixed(&format!("/tenants/{TENANT}/applications/nobody")),
        "Microsoft Entra admin center > App registrations > New registration"
    );
    let onebox = "/environments/onebox";
    let machine = format!("{onebox}/machine/certificates/LocalMachine/My/{ONEBOX_CERTIFICATE}");
    for (pointer, expected) in [
        (format!("{onebox}/database/SysFlighting/X/Enabled"), "AxDB, table SysFlighting"),
        (format!("{onebox}/database/UserInfo/Admin"), "System administration > Users"),
        (format!("{onebox}/machine/clock"), "Windows: date and time of every AOS machine"),
        (format!("{onebox}/nodes/aos1/clock"), "Windows: date and time of machine aos1"),
        (format!("{onebox}/nodes/aos1/host"), "DNS: the name of machine aos1"),
        (
            format!("/tenants/{TENANT}/users/ada@contoso.com/password"),
            "Microsoft Entra admin center > Users > Ada Lovelace > Reset password",
        ),
        (
            format!("/tenants/{TENANT}/users/bob@contoso.com"),
            "Microsoft Entra admin center > Users > New user",
        ),
        (
            format!("{onebox}/database/SysAADClientTable/{SAMPLE}"),
            "System administration > Setup > Microsoft Entra ID applications",
        ),
        (
            format!("{onebox}/database/DualWriteProjectConfiguration/ExternalEnvironmentURL"),
            "AxDB, table DualWriteProjectConfiguration",
        ),
        (machine.clone(), r"certlm.msc > Personal > Certificates (LocalMachine\My)"),
        (
            format!("{machine}/private_key/readable_by/NETWORK SERVICE"),
            "certlm.msc > Personal > Certificates > All Tasks > Manage Private Keys",
        ),
        (
            format!("{onebox}/machine/certificates/CurrentUser/Root/{ONEBOX_CERTIFICATE}"),
            r"certmgr.msc > Trusted Root Certification Authorities > Certificates (CurrentUser\Root)",
        ),
        (format!("{onebox}/web_config/Aad.Realm"), "web.config, appSettings, Aad.Realm"),
        (format!("{onebox}/wif_config/audienceUris"), "wif.config, audienceUris"),
        (
            "/environments/onprem/axsf/Aad.AADTenantId".to_owned(),
            "AXSF.Package.1.0.xml, Section Aad, AADTenantId",
        ),
        (
            "/environments/onprem/nodes/AOS_1/axsf/Aad.AADTenantId".to_owned(),
            "AXSF.Package.1.0.xml, Section Aad, AADTenantId on AOS_1",
        ),
        (
            "/environments/onprem/nodes/AOS_1/machine/certificates/LocalMachine/Root/lab-ca".to_owned(),
            r"certlm.msc > Trusted Root Certification Authorities > Certificates (LocalMachine\Root) on AOS_1",
        ),
        (
            "/federation_services/contoso/alternate_login_id".to_owned(),
            "PowerShell on the AD FS server: Set-AdfsClaimsProviderTrust -TargetIdentifier \"AD AUTHORITY\" \
             -AlternateLoginID mail -LookupForests contoso.com",
        ),
        (
            format!("/organizations/contoso/application_users/{ONEBOX}"),
            "Power Platform admin center > Environments > Contoso > Settings > Users + permissions > Application users",
        ),
        (
            format!("/organizations/contoso/application_users/{ONEBOX}/roles"),
            "Power Platform admin center > Environments > Contoso > Settings > Users + permissions > Application users > \
             Edit security roles",
        ),
    ] {
        assert_eq!(fixed(&pointer), expected, "{pointer}");
    }
    assert_eq!(place(&Setting::of(["tenants", TENANT, "signing_keys"]), &world), None);
    assert_eq!(place(&Setting::of(["tenants", TENANT, "clock"]), &world), None);
    assert_eq!(place(&Setting::fixed("/organizations/contoso/clock"), &world), None);
    assert_eq!(place(&Setting::fixed("/nowhere"), &world), None);
}

#[test]
fn a_world_is_shared_between_threads_and_prints_no_secret() {
    fn shared<T: Send + Sync>(_: &T) {}
    let world = contoso();
    shared(&world);
    let parts = (world.tenant(TENANT).unwrap(), world.environment("onebox").unwrap(), world.caller());
    let printed = format!("{world:?} {parts:?} {:?}", world.declaration());
    for secret in ["contoso-app-secret-not-secret", "ada-password-not-secret", "PRIVATE KEY"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("ada@contoso.com"), "{printed}");
}

#[test]
fn the_one_box_has_its_redirect_uris_with_and_without_a_final_slash() {
    let url = "https://usnconeboxax1aos.cloud.onebox.dynamics.com";
    let declared = &contoso().view()["tenants"][TENANT]["applications"][ONEBOX]["redirect_uris"];
    let uris: Vec<&str> = declared.as_array().unwrap().iter().filter_map(|uri| uri.as_str()).collect();
    assert_eq!(uris, [url, &format!("{url}/"), &format!("{url}/oauth"), &format!("{url}/oauth/")]);
}
