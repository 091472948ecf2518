//! The variables by which an unchanged client finds the lab: proxy, trust, credential, and where the tools are.
//!
//! Decides what each is called and what it holds, and which of whoever starts the client must not come along. Never sets
//! `AZURE_AUTHORITY_HOST` or `IDENTITY_ENDPOINT`: with the proxy, clients find Microsoft's own names, which is the point.
//! Names are those of the SDKs' and runtimes' own documentation (Azure's variables; Node's `NODE_USE_ENV_PROXY`, Java's
//! `JAVA_TOOL_OPTIONS`, OpenSSL's and Go's `SSL_CERT_FILE`).

use clap::ValueEnum;
use mocktenant_server::{Adfs, Settings};

/// What a client says it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Credential {
    /// The sample client with its secret.
    #[default]
    Secret,
    /// The same with its certificate.
    Certificate,
    /// What the machine it runs on is.
    ManagedIdentity,
    /// Nothing: the program knows.
    None,
}

/// Package registries: tests fetch from them, and none is a name of a world.
pub(crate) const REGISTRIES: [&str; 21] = [
    "pypi.org",
    ".pythonhosted.org",
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "repo.maven.apache.org",
    "repo1.maven.org",
    "plugins.gradle.org",
    "services.gradle.org",
    "proxy.golang.org",
    "sum.golang.org",
    "storage.googleapis.com",
    "crates.io",
    ".crates.io",
    "static.rust-lang.org",
    "nuget.org",
    ".nuget.org",
    "www.powershellgallery.com",
    "rubygems.org",
    "github.com",
    ".githubusercontent.com",
    "deb.debian.org",
];

/// This machine.
const LOOPBACK: [&str; 4] = ["localhost", "127.0.0.1", "::1", ".localhost"];

/// Variables of whoever starts the client that would lead it elsewhere.
pub(crate) const TAKEN_AWAY: [&str; 16] = [
    "ALL_PROXY",
    "all_proxy",
    "AZURE_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
];

/// What the client has already, as far as it is added to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inherited {
    /// `NO_PROXY`.
    pub(crate) no_proxy: String,
    /// `JAVA_TOOL_OPTIONS`.
    pub(crate) java_tool_options: String,
}

impl Inherited {
    /// Of this process.
    pub(crate) fn of_this_process() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let (upper, lower) = (variable("NO_PROXY"), variable("no_proxy"));
        let no_proxy = if upper.is_empty() || upper == lower { lower } else { format!("{upper},{lower}") };
        Self { no_proxy, java_tool_options: variable("JAVA_TOOL_OPTIONS") }
    }
}

/// Name and value of each, in the order they are shown.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// The variables of a client of this lab.
pub(crate) fn variables(settings: &Settings, credential: Credential, inherited: &Inherited) -> Variables {
    let mut all = Variables::new();
    let proxy = &settings.proxy_url;
    let no_proxy = if proxy.is_empty() {
        past_every_proxy(&inherited.no_proxy, settings)
    } else {
        no_proxy(&inherited.no_proxy, &settings.world_names)
    };
    if !proxy.is_empty() {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            all.push((name, proxy.clone()));
        }
    }
    for name in ["NO_PROXY", "no_proxy"] {
        all.push((name, no_proxy.join(",")));
    }
    if !proxy.is_empty() {
        all.push(("NODE_USE_ENV_PROXY", String::from("1")));
    }
    // What is issued through the proxy names Microsoft's hosts: so does what is forged beside it.
    all.push(("MOCKTENANT_TOKEN_REAL_NAMES", String::from("1")));
    if let Some(bundle) = &settings.ca_bundle_pem {
        let bundle = bundle.to_string_lossy();
        for name in [
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
            "DENO_CERT",
            "GIT_SSL_CAINFO",
        ] {
            all.push((name, bundle.clone().into_owned()));
        }
    }
    let java = java(settings, &no_proxy, &inherited.java_tool_options);
    if !java.is_empty() {
        all.push(("JAVA_TOOL_OPTIONS", java));
    }
    let entra = &settings.entra;
    if matches!(credential, Credential::Secret | Credential::Certificate) {
        all.push(("AZURE_TENANT_ID", entra.tenant_id.clone()));
        all.push(("AZURE_CLIENT_ID", entra.client_id.clone()));
    }
    if let Some(adfs) = &settings.adfs {
        all.extend(adfs_variables(adfs, credential));
    }
    match (credential, &entra.certificate_pem) {
        (Credential::Secret, _) => all.push(("AZURE_CLIENT_SECRET", entra.client_secret.clone())),
        (Credential::Certificate, Some(pem)) => {
            all.push(("AZURE_CLIENT_CERTIFICATE_PATH", pem.to_string_lossy().into_owned()));
        }
        _ => {}
    }
    all
}

/// AD FS has no SDK and so no variables of one: these are the members of the settings, as settings of their own.
fn adfs_variables(adfs: &Adfs, credential: Credential) -> Variables {
    let mut all = vec![
        ("ADFS_AUTHORITY", adfs.base_url.clone()),
        ("ADFS_METADATA_URL", adfs.metadata_url.clone()),
        ("ADFS_OPENID_CONFIGURATION_URL", adfs.openid_configuration_url.clone()),
        ("ADFS_RESOURCE", adfs.resource.clone()),
        ("ADFS_NATIVE_CLIENT_ID", adfs.native_client_id.clone()),
        ("ADFS_REDIRECT_URI", adfs.redirect_uri.clone()),
    ];
    if matches!(credential, Credential::Secret | Credential::Certificate) {
        all.push(("ADFS_CLIENT_ID", adfs.client_id.clone()));
    }
    if matches!(credential, Credential::Secret) {
        all.push(("ADFS_CLIENT_SECRET", adfs.client_secret.clone()));
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// Where names of the world lead to the lab by themselves: no proxy of the caller's own network may take them elsewhere.
fn past_every_proxy(inherited: &str, settings: &Settings) -> Vec<String> {
    let tools = settings.control_url.split_once("://").map_or("", |(_, at)| at);
    let machine = tools.rsplit_once(':').map_or(tools, |(host, _)| host);
    let given = inherited.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
    let names = settings.world_names.iter().map(String::as_str);
    let mut all: Vec<String> = Vec::new();
    for entry in given.chain(LOOPBACK).chain(names).chain([machine]).filter(|entry| !entry.is_empty()) {
        if !all.iter().any(|known| known == entry) {
            all.push(entry.to_owned());
        }
    }
    all
}

/// What goes past the proxy: what did before, this machine, the registries; and never a name of the world.
fn no_proxy(inherited: &str, hosts: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let given = inherited.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
    let covers = |entry: &str| {
        let entry = entry.trim_start_matches('*').to_ascii_lowercase();
        let (bare, suffix) = (entry.trim_start_matches('.'), format!(".{}", entry.trim_start_matches('.')));
        entry.is_empty() || hosts.iter().any(|host| host == bare || host.ends_with(&suffix))
    };
    for entry in given.filter(|entry| !covers(entry)).chain(LOOPBACK).chain(REGISTRIES) {
        if !all.iter().any(|known| known == entry) {
            all.push(entry.to_owned());
        }
    }
    all
}

/// What Java reads; it knows no variables of its own for proxies and roots.
fn java(settings: &Settings, no_proxy: &[String], inherited: &str) -> String {
    let mut options: Vec<String> = inherited.split_whitespace().map(str::to_owned).collect();
    if let Some((host, port)) = settings.proxy_url.split_once("://").and_then(|(_, at)| at.rsplit_once(':')) {
        for scheme in ["https", "http"] {
            options.push(format!("-D{scheme}.proxyHost={host}"));
            options.push(format!("-D{scheme}.proxyPort={port}"));
        }
        // One list for both schemes, with a star where NO_PROXY has a dot.
        let past = no_proxy.iter().map(|entry| match entry.strip_prefix('.') {
            Some(suffix) => format!("*.{suffix}"),
            None if entry == "::1" => String::from("[::1]"),
            None => entry.clone(),
        });
        options.push(format!("-Dhttp.nonProxyHosts={}", past.collect::<Vec<_>>().join("|")));
    }
    if let Some(store) = &settings.truststore_p12 {
        options.push(format!("-Djavax.net.ssl.trustStore={}", store.to_string_lossy()));
        options.push(format!("-Djavax.net.ssl.trustStorePassword={}", settings.truststore_password));
        options.push(String::from("-Djavax.net.ssl.trustStoreType=PKCS12"));
    }
    options.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.proxy_url = String::from("http://localhost:7440");
        settings.ca_bundle_pem = Some("/lab/ca-bundle.pem".into());
        settings.truststore_p12 = Some("/lab/truststore.p12".into());
        settings.truststore_password = String::from("changeit");
        settings.world_names =
            ["login.microsoftonline.com", "contoso.crm4.dynamics.com"].map(String::from).to_vec();
        settings.entra.client_id = String::from("a001");
        settings.entra.client_secret = String::from("s3cret");
        settings.entra.certificate_pem = Some("/lab/certificate.pem".into());
        settings
    }

    fn of(credential: Credential, inherited: &Inherited) -> std::collections::HashMap<&'static str, String> {
        variables(&settings(), credential, inherited).into_iter().collect()
    }

    #[test]
    fn a_credential_is_the_variables_of_that_kind_and_no_other() {
        let names = ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"];
        for (credential, expected) in [
            (Credential::Secret, [true, true, false]),
            (Credential::Certificate, [true, false, true]),
            (Credential::ManagedIdentity, [false, false, false]),
            (Credential::None, [false, false, false]),
        ] {
            let all = of(credential, &Inherited::default());
            assert_eq!(names.map(|name| all.contains_key(name)), expected, "{credential:?}");
            assert!(!all.contains_key("AZURE_AUTHORITY_HOST") && !all.contains_key("IDENTITY_ENDPOINT"));
        }
    }

    #[test]
    fn a_client_of_the_federation_service_finds_it_by_variables_and_a_world_without_one_has_none() {
        let mut settings = settings();
        let names = |settings: &Settings, credential| -> Vec<&'static str> {
            let all = variables(settings, credential, &Inherited::default()).into_iter();
            all.map(|(name, _)| name).filter(|name| name.starts_with("ADFS_")).collect()
        };
        assert!(names(&settings, Credential::Secret).is_empty());
        let mut adfs = Adfs::at("https://localhost:7443");
        adfs.client_id = String::from("a001");
        adfs.client_secret = String::from("s3cret");
        settings.adfs = Some(adfs);
        let urls = ["ADFS_AUTHORITY", "ADFS_METADATA_URL", "ADFS_OPENID_CONFIGURATION_URL"];
        for (credential, more) in [
            (Credential::Secret, &["ADFS_CLIENT_ID", "ADFS_CLIENT_SECRET"][..]),
            (Credential::Certificate, &["ADFS_CLIENT_ID"]),
            (Credential::None, &[]),
        ] {
            assert_eq!(names(&settings, credential), [&urls[..], more].concat(), "{credential:?}");
        }
    }

    #[test]
    fn what_went_past_a_proxy_still_does_but_for_names_of_the_world() {
        let given = "intranet.example, .corp.example,*,microsoftonline.com .dynamics.com";
        let inherited = Inherited { no_proxy: given.to_owned(), ..Inherited::default() };
        let all = of(Credential::None, &inherited);
        let entries: Vec<&str> = all["NO_PROXY"].split(',').collect();
        assert_eq!(entries[..3], ["intranet.example", ".corp.example", "localhost"]);
        for gone in ["*", "microsoftonline.com", ".dynamics.com"] {
            assert!(!entries.contains(&gone), "{gone}");
        }
        assert!(entries.contains(&"pypi.org") && all["no_proxy"] == all["NO_PROXY"]);
    }

    #[test]
    fn java_is_told_in_its_own_words_and_keeps_what_it_had() {
        let inherited = Inherited { java_tool_options: String::from("-Xmx1g"), ..Inherited::default() };
        let options = &of(Credential::None, &inherited)["JAVA_TOOL_OPTIONS"];
        assert!(
            options.starts_with("-Xmx1g -Dhttps.proxyHost=localhost -Dhttps.proxyPort=7440 "),
            "{options}"
        );
        assert!(options.contains("|*.pythonhosted.org|") && options.contains("|[::1]|"), "{options}");
        assert!(options.contains("-Djavax.net.ssl.trustStore=/lab/truststore.p12"), "{options}");
    }

    #[test]
    fn no_registry_is_named_twice() {
        let mut registries = REGISTRIES.to_vec();
        registries.sort_unstable();
        registries.dedup();
        assert_eq!(registries.len(), REGISTRIES.len());
    }
}
