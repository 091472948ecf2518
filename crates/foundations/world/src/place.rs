//! Where a person changes a setting in the real products, in the words of their screens.
//!
//! Decides the words only; they are for journal, log and command line and never reach an emulated answer. A setting
//! nobody can change in the real products (a token-signing key of Entra) has no place.

use mocktenant_verdict::Setting;

use crate::World;
use crate::pointers::File;

const ENTRA: &str = "Microsoft Entra admin center";
const ADFS: &str = "AD FS Management";
const CLOCK: &str = "Windows: date and time";
const POWER_PLATFORM: &str = "Power Platform admin center > Environments";

/// Where a person changes `setting` in the real products; `None` where nobody can.
pub fn place(setting: &Setting, world: &World) -> Option<String> {
    let segments: Vec<String> = setting.segments().collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["tenants", tenant, "applications", client, rest @ ..] => {
            Some(application(world, tenant, client, rest))
        }
        ["tenants", tenant, "users", name, rest @ ..] => Some(user(world, tenant, name, rest)),
        ["tenants", _, "managed_identities" | "identity_header", ..] => {
            Some("Azure portal > the virtual machine or app > Identity".to_owned())
        }
        ["tenants", _, "domains", ..] => Some(format!("{ENTRA} > Settings > Domain names")),
        ["tenants", _, "name"] => Some(format!("{ENTRA} > Overview > Properties")),
        ["federation_services", _, "users", name, rest @ ..] => Some(directory_user(name, rest)),
        ["federation_services", service, rest @ ..] => Some(federation_service(world, service, rest)),
        ["environments", environment, rest @ ..] => match rest {
            ["web_config"] => Some(format!("{}, appSettings", file(world, environment, File::WebConfig))),
            ["web_config", key, ..] => {
                Some(format!("{}, appSettings, {key}", file(world, environment, File::WebConfig)))
            }
            ["wif_config", ..] => {
                Some(format!("{}, audienceUris", file(world, environment, File::WifConfig)))
            }
            ["axsf"] => Some(file(world, environment, File::Axsf)),
            ["axsf", key] => Some(parameter(&file(world, environment, File::Axsf), key)),
            ["nodes", node, "axsf", key] => {
                Some(format!("{} on {node}", parameter(&file(world, environment, File::Axsf), key)))
            }
            ["nodes", node, "machine", "certificates", location, store, rest @ ..] => {
                Some(format!("{} on {node}", certificate(location, store, rest)))
            }
            ["stopped"] => Some("Service Fabric Explorer > Nodes".to_owned()),
            ["machine", "clock"] => Some(format!("{CLOCK} of every AOS machine")),
            ["nodes", node, "stopped"] => Some(format!("Service Fabric Explorer > Nodes > {node}")),
            ["nodes", node, "clock"] => Some(format!("{CLOCK} of machine {node}")),
            ["nodes", node, "host"] => Some(format!("DNS: the name of machine {node}")),
            ["nodes", ..] => Some("the environment's deployment".to_owned()),
            ["machine", "certificates", location, store, rest @ ..] => {
                Some(certificate(location, store, rest))
            }
            ["machine", ..] => Some("certlm.msc".to_owned()),
            ["database", "SysFlighting", ..] => Some("AxDB, table SysFlighting".to_owned()),
            ["database", "SysAADClientTable", ..] => {
                Some("System administration > Setup > Microsoft Entra ID applications".to_owned())
            }
            ["database", "UserInfo", ..] => Some("System administration > Users".to_owned()),
            ["database", "DualWriteProjectConfiguration", "Maps", ..] => {
                Some("Data management > Dual-write".to_owned())
            }
            ["database", "DualWriteProjectConfiguration", ..] => {
                Some("AxDB, table DualWriteProjectConfiguration".to_owned())
            }
            ["tables", table, ..] => Some(format!("the environment's own data entities, {table}")),
            ["records", set, ..] => Some(format!("the environment's own records, {set}")),
            _ => None,
        },
        // Microsoft's machines have Microsoft's time.
        ["organizations", _, "clock"] => None,
        ["organizations", organization, rest @ ..] => {
            let name = world.organization(organization).map_or(*organization, |found| found.name.as_str());
            let settings = format!("{POWER_PLATFORM} > {name} > Settings > Users + permissions");
            Some(match rest {
                ["application_users", _, "roles", ..] => {
                    format!("{settings} > Application users > Edit security roles")
                }
                ["application_users", ..] => format!("{settings} > Application users"),
                ["roles", ..] => format!("{settings} > Security roles"),
                ["business_unit"] => format!("{settings} > Business units"),
                ["tables", table, ..] => format!("Power Apps > Tables > {table}"),
                ["records", set, ..] => format!("the organisation's own records, {set}"),
                _ => format!("{POWER_PLATFORM} > {name}"),
            })
        }
        ["caller", ..] => Some("the calling client's own configuration".to_owned()),
        _ => None,
    }
}

fn application(world: &World, tenant: &str, client: &str, rest: &[&str]) -> String {
    let Some(application) = world.tenant(tenant).and_then(|tenant| tenant.application(client)) else {
        return format!("{ENTRA} > App registrations > New registration");
    };
    let name = &application.name;
    if application.first_party {
        // Microsoft's own: only its presence and whether users may sign in are the customer's.
        return format!("{ENTRA} > Enterprise applications > {name}");
    }
    let registration = format!("{ENTRA} > App registrations > {name}");
    match rest.first() {
        Some(&("certificates" | "secrets")) => format!("{registration} > Certificates & secrets"),
        Some(&("redirect_uris" | "public_client")) => format!("{registration} > Authentication"),
        Some(&"identifier_uris") => format!("{registration} > Expose an API"),
        Some(&"app_roles") => format!("{registration} > App roles"),
        Some(&"requested_access_token_version") => format!("{registration} > Manifest"),
        Some(&"granted_roles") => format!("{registration} > API permissions"),
        Some(&("enabled" | "object_id" | "assignment_required")) => {
            format!("{ENTRA} > Enterprise applications > {name} > Properties")
        }
        _ => registration,
    }
}

fn user(world: &World, tenant: &str, name: &str, rest: &[&str]) -> String {
    let Some((_, user)) = world.tenant(tenant).and_then(|tenant| tenant.user(name)) else {
        return format!("{ENTRA} > Users > New user");
    };
    let page = format!("{ENTRA} > Users > {}", user.name);
    match rest.first() {
        None => page,
        Some(&"password") => format!("{page} > Reset password"),
        Some(_) => format!("{page} > Properties"),
    }
}

fn federation_service(world: &World, service: &str, rest: &[&str]) -> String {
    let host = world.federation_service(service).map_or(service, |service| service.host_name.as_str());
    match rest {
        ["application_groups"] => format!("{ADFS} > Application Groups"),
        ["application_groups", group] | ["application_groups", group, _] => {
            format!("{ADFS} > Application Groups > {group}")
        }
        ["application_groups", group, "web_apis", identifier, rest @ ..] => {
            let tab = match rest.first() {
                Some(&"permissions") => " > Client Permissions",
                Some(&"issued_claims") => " > Issuance Transform Rules",
                Some(_) => " > Identifiers",
                None => "",
            };
            let web_api = world.federation_service(service).and_then(|service| service.web_api(identifier));
            let name = web_api.map_or(*identifier, |web_api| web_api.name.as_str());
            format!("{ADFS} > Application Groups > {group} > {name}{tab}")
        }
        ["application_groups", group, _, client_id, rest @ ..] => {
            let client = world.federation_service(service).and_then(|service| service.client(client_id));
            let name = client.map_or(*client_id, |client| client.name.as_str());
            let tab = match rest.first() {
                Some(&("secrets" | "certificates")) => " > Credentials",
                Some(&"redirect_uris") => " > General, Redirect URI",
                Some(&"logout_uri") => {
                    " > Set-AdfsNativeClientApplication or Set-AdfsServerApplication -LogoutUri"
                }
                _ => "",
            };
            format!("{ADFS} > Application Groups > {group} > {name}{tab}")
        }
        ["clock"] => format!("{CLOCK} of {host}"),
        ["stopped"] => {
            format!("services.msc on {host}: Active Directory Federation Services")
        }
        ["signing_keys" | "next_signing_key" | "decrypting_key", ..] => {
            format!("{ADFS} > Service > Certificates")
        }
        ["cors_trusted_origins", ..] => {
            "PowerShell on the AD FS server: Set-AdfsResponseHeaders -CORSTrustedOrigins".to_owned()
        }
        ["alternate_login_id"] => {
            // Nothing says what forest its users are of: as a rule it is the one that the server is in.
            let forest = host.split_once('.').map_or(host, |(_, domain)| domain);
            format!(
                "PowerShell on the AD FS server: Set-AdfsClaimsProviderTrust -TargetIdentifier \"AD AUTHORITY\" \
                 -AlternateLoginID mail -LookupForests {forest}"
            )
        }
        ["sso_lifetime"] => "PowerShell on the AD FS server: Set-AdfsProperties -SsoLifetime".to_owned(),
        ["scope_descriptions", ..] => format!("{ADFS} > Service > Scope Descriptions"),
        ["m365_compatibility"] => "localagent-config.json: office365AdfsCompatibility".to_owned(),
        ["lockout", ..] => {
            "PowerShell on the AD FS server: Set-AdfsProperties -ExtranetLockoutThreshold".to_owned()
        }
        ["loop_detection", ..] => {
            "PowerShell on the AD FS server: Set-AdfsProperties -EnableLoopDetection".to_owned()
        }
        _ => format!("{ADFS} > Service > Edit Federation Service Properties ({host})"),
    }
}

fn directory_user(name: &str, rest: &[&str]) -> String {
    let page = format!("Active Directory Users and Computers > {name}");
    match rest.first() {
        None => page,
        Some(&"password") => format!("{page} > Reset Password"),
        Some(&"groups") => format!("{page} > Properties > Member Of"),
        Some(&"attributes") => format!("{page} > Properties > Attribute Editor"),
        Some(_) => format!("{page} > Properties > Account"),
    }
}

fn certificate(location: &str, store: &str, rest: &[&str]) -> String {
    let console = if location == "CurrentUser" { "certmgr.msc" } else { "certlm.msc" };
    let folder = if store == "Root" { "Trusted Root Certification Authorities" } else { "Personal" };
    if rest.get(1) == Some(&"private_key") && rest.len() > 2 {
        format!("{console} > {folder} > Certificates > All Tasks > Manage Private Keys")
    } else {
        format!("{console} > {folder} > Certificates ({location}\\{store})")
    }
}

/// A parameter of the AOS's startup file.
fn parameter(file: &str, key: &str) -> String {
    match key.split_once('.') {
        Some((section, parameter)) => format!("{file}, Section {section}, {parameter}"),
        None => format!("{file}, {key}"),
    }
}

fn file(world: &World, environment: &str, kind: File) -> String {
    world
        .environment(environment)
        .and_then(|environment| environment.file(kind))
        .map_or_else(|| kind.usual_name().to_owned(), |file| file.name().to_owned())
}
