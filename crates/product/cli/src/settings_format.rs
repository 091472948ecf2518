//! The settings document as other programs read it: a shell, a file of variables, .NET's configuration, a hosts file.
//!
//! Decides syntax and quoting of each. The variables themselves are those of [`crate::client_variables`], the same that
//! `exec` sets. Never decides a value.

use clap::ValueEnum;
use mocktenant_diagnosis::shell_word;
use mocktenant_server::Settings;
use serde_json::json;

use crate::client_variables::{Credential, Inherited, TAKEN_AWAY, Variables, variables};

/// Who reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The document itself, as in settings.json.
    #[default]
    Json,
    /// A POSIX shell: `. <(mocktenant settings --format sh)`.
    Sh,
    /// PowerShell: `mocktenant settings --format ps1 | Invoke-Expression`.
    Ps1,
    /// Windows' command prompt.
    Cmd,
    /// A file of variables, for docker and dotenv libraries.
    Dotenv,
    /// .NET's appsettings.json: Microsoft.Identity.Web's section, and connection strings.
    Appsettings,
    /// .NET Framework's configuration file: its proxy and its settings.
    #[value(name = "web.config")]
    WebConfig,
    /// The part of an AOS's wif.config that says whom it trusts.
    #[value(name = "wif.config")]
    WifConfig,
    /// The names of the world for a hosts file.
    Hosts,
}

/// The document in a format.
pub(crate) fn rendered(settings: &Settings, format: Format, credential: Credential) -> String {
    let all = || {
        let mut all = variables(settings, credential, &Inherited::of_this_process());
        all.extend(ours(settings));
        all
    };
    match format {
        Format::Json => format!("{:#}\n", json!(settings)),
        Format::Sh => sh(&all()),
        Format::Ps1 => ps1(&all()),
        Format::Cmd => cmd(&all()),
        Format::Dotenv => lines(all().iter().map(|(name, value)| format!("{name}={value}"))),
        Format::Appsettings => format!("{:#}\n", appsettings(settings)),
        Format::WebConfig => web_config(settings),
        Format::WifConfig => wif_config(settings),
        Format::Hosts => hosts(settings),
    }
}

/// Each on a line of its own.
fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

/// Where the lab itself is.
fn ours(settings: &Settings) -> Variables {
    let mut all = Variables::new();
    // A lab that does not run has published none, and the folder of the roots holds nothing else.
    if let Some(directory) =
        settings.ca_pem.parent().filter(|_| !settings.instance.is_empty() && !in_network(settings))
    {
        all.push(("MOCKTENANT_SETTINGS", directory.join("settings.json").to_string_lossy().into_owned()));
    }
    let tools = if in_network(settings) { &settings.control_url } else { &settings.proxy_url };
    if !tools.is_empty() {
        all.push(("MOCKTENANT_URL", tools.clone()));
    }
    if let Some(token) = &settings.control_token {
        all.push(("MOCKTENANT_CONTROL_TOKEN", token.clone()));
    }
    all
}

/// Whether it is told to a caller in the lab's network: names of the world, and no proxy to them.
fn in_network(settings: &Settings) -> bool {
    settings.proxy_url.is_empty() && !settings.world_names.is_empty()
}

fn sh(all: &Variables) -> String {
    let unset = format!("unset {}", taken_away(all).join(" "));
    let set = all.iter().map(|(name, value)| format!("export {name}={}", shell_word(value)));
    lines(std::iter::once(unset).chain(set))
}

fn ps1(all: &Variables) -> String {
    let gone = taken_away(all).into_iter();
    let gone = gone.map(|name| format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue"));
    let set = all.iter().map(|(name, value)| format!("$env:{name} = '{}'", value.replace('\'', "''")));
    lines(gone.chain(set))
}

fn cmd(all: &Variables) -> String {
    let gone = taken_away(all).into_iter().map(|name| format!("set \"{name}=\"\r"));
    // A percent sign would name a variable.
    let set = all.iter().map(|(name, value)| format!("set \"{name}={}\"\r", value.replace('%', "%%")));
    lines(gone.chain(set))
}

/// Those that would lead a client elsewhere and are not set anew; Windows knows no case.
fn taken_away(all: &Variables) -> Vec<&'static str> {
    TAKEN_AWAY.into_iter().filter(|name| !all.iter().any(|(set, _)| set.eq_ignore_ascii_case(name))).collect()
}

/// By the addresses of this machine: nothing in this file could say which proxy to use.
fn appsettings(settings: &Settings) -> serde_json::Value {
    let entra = &settings.entra;
    let dataverse = &settings.dataverse;
    let connection = format!(
        "AuthType=ClientSecret;Url={};ClientId={};ClientSecret={}",
        dataverse.url, entra.client_id, entra.client_secret
    );
    let mut document = json!({
        "AzureAd": {
            "Instance": format!("{}/", entra.base_url),
            "TenantId": entra.tenant_id,
            "ClientId": entra.client_id,
            "ClientCredentials": [{ "SourceType": "ClientSecret", "ClientSecret": entra.client_secret }],
        },
    });
    if let Some(adfs) = &settings.adfs {
        document["Adfs"] = json!({
            "Authority": adfs.base_url,
            "MetadataAddress": adfs.openid_configuration_url,
            "ClientId": adfs.client_id,
            "ClientSecret": adfs.client_secret,
            "Resource": adfs.resource,
        });
    }
    if !dataverse.is_absent() {
        document["ConnectionStrings"] = json!({ "Dataverse": connection });
        document["Dataverse"] =
            json!({ "Url": dataverse.url, "Scope": format!("{}/.default", dataverse.resource) });
    }
    for (name, aos) in &settings.aos {
        document["FinanceAndOperations"][name] = match &aos.data_url {
            // An AOS on-premises has its data elsewhere, and its client is the section `Adfs`.
            Some(data) => json!({ "Url": aos.url, "Resource": aos.resource, "DataUrl": data }),
            None => json!({ "Url": aos.url, "Resource": aos.resource, "Company": aos.company }),
        };
    }
    document
}

/// .NET Framework reads no variables for a proxy (documented): it is told here, and finds Microsoft's own names.
fn web_config(settings: &Settings) -> String {
    let entra = &settings.entra;
    let mut keys = vec![
        ("ida:Tenant", entra.tenant_domain.as_str()),
        ("ida:TenantId", &entra.tenant_id),
        ("ida:ClientId", &entra.client_id),
        ("ida:ClientSecret", &entra.client_secret),
    ];
    if let Some(adfs) = &settings.adfs {
        keys.push(("ida:ADFSMetadata", &adfs.metadata_url));
        keys.push(("ida:ADFSDiscoveryDoc", &adfs.openid_configuration_url));
    }
    keys.retain(|(_, value)| !value.is_empty());
    let keys = lines(keys.iter().map(|(key, value)| {
        let value = attribute(value);
        format!("    <add key=\"{key}\" value=\"{value}\" />")
    }));
    if settings.proxy_url.is_empty() {
        return format!("<configuration>\n  <appSettings>\n{keys}  </appSettings>\n</configuration>\n");
    }
    format!(
        "<configuration>\n  <appSettings>\n{keys}  </appSettings>\n  <system.net>\n    <defaultProxy>\n      \
         <proxy proxyaddress=\"{}\" bypassonlocal=\"True\" />\n    </defaultProxy>\n  </system.net>\n</configuration>\n",
        attribute(&settings.proxy_url)
    )
}

/// What an AOS trusts: the issuer of the tenant, and its own addresses as audiences. On-premises it trusts no tenant.
fn wif_config(settings: &Settings) -> String {
    let of_the_tenant = settings.aos.values().filter(|aos| aos.data_url.is_none());
    let audiences = of_the_tenant.map(|aos| attribute(&aos.resource));
    let audiences = lines(audiences.map(|resource| format!("        <add value=\"{resource}\" />")));
    format!(
        "<system.identityModel>\n  <identityConfiguration>\n    <securityTokenHandlers>\n      \
         <securityTokenHandlerConfiguration>\n      <audienceUris>\n{audiences}      </audienceUris>\n      \
         <issuerNameRegistry>\n        <authority name=\"https://sts.windows.net/{tenant}/\">\n          \
         <validIssuers>\n            <add name=\"https://sts.windows.net/{tenant}/\" />\n          </validIssuers>\n        \
         </authority>\n      </issuerNameRegistry>\n      </securityTokenHandlerConfiguration>\n    \
         </securityTokenHandlers>\n  </identityConfiguration>\n</system.identityModel>\n",
        tenant = attribute(&settings.entra.tenant_id)
    )
}

/// For who reaches ports 443 and 80 of this machine as the lab's; the proxy needs no such file.
fn hosts(settings: &Settings) -> String {
    if in_network(settings) {
        let none = std::iter::once(String::from("# the network itself leads these names to the lab:"));
        return lines(none.chain(settings.world_names.iter().map(|name| format!("# {name}"))));
    }
    lines(settings.world_names.iter().map(|name| format!("127.0.0.1 {name}")))
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use mocktenant_server::{Adfs, Aos};

    use super::*;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.proxy_url = String::from("http://localhost:7440");
        settings.entra.client_secret = String::from("it's 100% \"<&");
        settings.entra.tenant_domain = String::from("contoso.onmicrosoft.com");
        settings.world_names = vec![String::from("login.microsoftonline.com")];
        settings
    }

    #[test]
    fn each_format_quotes_in_its_own_way() {
        let settings = settings();
        let of = |format| rendered(&settings, format, Credential::Secret);
        assert!(of(Format::Sh).contains("export AZURE_CLIENT_SECRET='it'\\''s 100% \"<&'\n"));
        assert!(of(Format::Ps1).contains("$env:AZURE_CLIENT_SECRET = 'it''s 100% \"<&'\n"));
        assert!(of(Format::Cmd).contains("set \"AZURE_CLIENT_SECRET=it's 100%% \"<&\"\r\n"));
        assert!(of(Format::Dotenv).contains("AZURE_CLIENT_SECRET=it's 100% \"<&\n"));
        assert!(of(Format::WebConfig).contains("value=\"it's 100% &quot;&lt;&amp;\""));
        assert!(of(Format::WebConfig).contains("<proxy proxyaddress=\"http://localhost:7440\""));
        assert_eq!(of(Format::Hosts), "127.0.0.1 login.microsoftonline.com\n");
        let appsettings: serde_json::Value = serde_json::from_str(&of(Format::Appsettings)).unwrap();
        assert_eq!(appsettings["AzureAd"]["ClientCredentials"][0]["ClientSecret"], "it's 100% \"<&");
    }

    #[test]
    fn the_federation_service_is_in_each_format_that_names_an_identity_provider_and_absent_without_one() {
        let mut settings = settings();
        let formats =
            [Format::Sh, Format::Ps1, Format::Cmd, Format::Dotenv, Format::Appsettings, Format::WebConfig];
        let address = "https://localhost:7443/adfs/.well-known/openid-configuration";
        for format in formats {
            let without = rendered(&settings, format, Credential::Secret);
            assert!(!without.to_ascii_lowercase().contains("adfs"), "{format:?}: {without}");
        }
        settings.adfs = Some(Adfs::at("https://localhost:7443"));
        for format in formats {
            assert!(rendered(&settings, format, Credential::Secret).contains(address), "{format:?}");
        }
    }

    #[test]
    fn an_aos_on_premises_comes_after_the_one_box_and_trusts_no_tenant() {
        let mut settings = settings();
        let mut onebox = Aos::default();
        (onebox.url, onebox.resource) = ("https://localhost:7444".into(), "https://localhost:7444".into());
        onebox.company = Some("usmf".into());
        settings.aos.insert("onebox".into(), onebox);
        let formats =
            [Format::Sh, Format::Ps1, Format::Cmd, Format::Dotenv, Format::WebConfig, Format::WifConfig];
        let told = |settings: &Settings| formats.map(|format| rendered(settings, format, Credential::Secret));
        let without = told(&settings);
        let onprem = Aos::on_premises("https://localhost:7445", "https://ax.contoso.com/");
        settings.aos.insert("onprem".into(), onprem);
        assert_eq!(told(&settings), without, "no variable and no audience of it");
        let appsettings = rendered(&settings, Format::Appsettings, Credential::Secret);
        let appsettings: serde_json::Value = serde_json::from_str(&appsettings).unwrap();
        assert_eq!(
            appsettings["FinanceAndOperations"],
            json!({
                "onebox": { "Url": "https://localhost:7444", "Resource": "https://localhost:7444", "Company": "usmf" },
                "onprem": {
                    "Url": "https://localhost:7445",
                    "Resource": "https://ax.contoso.com/",
                    "DataUrl": "https://localhost:7445/namespaces/AXSF/data",
                },
            })
        );
    }

    #[test]
    fn a_caller_in_the_network_is_given_no_proxy_and_no_file_but_the_shared_roots() {
        let mut settings = settings();
        settings.proxy_url = String::new();
        settings.control_url = String::from("http://lab:7440");
        settings.instance = String::from("i-1");
        settings.ca_pem = "/ca/ca.pem".into();
        settings.ca_bundle_pem = Some("/ca/ca-bundle.pem".into());
        let of = |format| rendered(&settings, format, Credential::Secret);
        let dotenv = of(Format::Dotenv);
        let names: Vec<&str> = dotenv.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        for absent in ["HTTPS_PROXY", "http_proxy", "NODE_USE_ENV_PROXY", "MOCKTENANT_SETTINGS"] {
            assert!(!names.contains(&absent), "{absent}\n{dotenv}");
        }
        for line in [
            "MOCKTENANT_URL=http://lab:7440",
            "SSL_CERT_FILE=/ca/ca-bundle.pem",
            "NO_PROXY=localhost,127.0.0.1,::1,.localhost,login.microsoftonline.com,lab",
        ] {
            assert!(dotenv.lines().any(|found| found == line), "{line}\n{dotenv}");
        }
        assert!(!of(Format::WebConfig).contains("proxy"), "{}", of(Format::WebConfig));
        assert!(of(Format::Hosts).lines().all(|line| line.starts_with('#')), "{}", of(Format::Hosts));
    }

    #[test]
    fn what_would_lead_a_client_elsewhere_is_taken_away_and_not_what_is_set() {
        let text = rendered(&settings(), Format::Sh, Credential::Secret);
        let unset = text.lines().next().unwrap();
        assert!(unset.contains(" AZURE_AUTHORITY_HOST") && unset.contains(" IDENTITY_ENDPOINT"), "{unset}");
        assert!(!unset.contains("AZURE_CLIENT_SECRET"), "{unset}");
        assert!(rendered(&settings(), Format::Sh, Credential::None).contains(" AZURE_CLIENT_SECRET "));
    }
}
