//! From the check that decided to the one thing to change.
//!
//! One rule per check name. A rule may look beyond what the refusing side could know: Entra says 700016, the cause is
//! `Aad.Realm`. Ties are settled as the design, section 6, says.

use mocktenant_keys::Thumbprint;
use mocktenant_lab::Site;
use mocktenant_lab::journal::Record;
use mocktenant_verdict::{Check, Setting};
use mocktenant_world::{Edit, Environment, World};
use serde_json::{Value, json};

use crate::chain::{Chain, Deciding};
use crate::knowledge::{self, AOS_ACCOUNT, ERP};
use crate::{Cause, Kind};

struct Context<'c> {
    chain: &'c Chain,
    record: &'c Record,
    check: &'c Check,
    world: &'c World,
}

/// The cause of a refusal.
pub(crate) fn of(chain: &Chain, deciding: &Deciding, world: &World) -> Cause {
    let Some(check) = &deciding.check else { return without_check(&deciding.record, world) };
    let context = Context { chain, record: &deciding.record, check, world };
    match (deciding.record.surface, &*check.name) {
        ("aos", "dataverse-url-configured") => context.dataverse_url(),
        ("aos", "thumbprint-configured") => context.thumbprint_empty(),
        ("aos", "certificate-found") => context.certificate_found(),
        ("aos", "private-key-present") => context.private_key_present(),
        ("aos", "private-key-readable") => context.private_key_readable(),
        ("aos", "metadata-reachable" | "metadata-readable") => context.metadata(),
        ("aos", "token-issued") => context.input("login-endpoint", Kind::Setting),
        ("aos", "dataverse-accepted") => context.not_delivered(),
        ("aos", "token-issuer") => context.configured_or_caller("issuer", "Aad.AADIssuerNameFormat"),
        ("aos", "token-tenant") => context.configured_or_caller("tenant-guid", "Aad.TenantDomainGUID"),
        ("aos", "token-audience") => context.configured_or_caller("host-url", "Infrastructure.HostUrl"),
        ("entra", "tenant") if context.by_aos() => context.input("tenant-id", Kind::Setting),
        ("entra", "application-registered") => context.application_registered(),
        ("entra", "certificate-registered") => context.certificate_registered(),
        ("entra", "application-enabled") => context.switch_on("enabled"),
        ("entra", "resource") if context.by_aos() => context.dataverse_url(),
        ("entra", "assertion-audience") if context.by_aos() => context.input("login-endpoint", Kind::Setting),
        ("entra", "certificate-in-date") if context.by_aos() => context.input("certificate", Kind::Setting),
        ("entra", "assertion-time") if context.by_aos() => context.machine_clock(),
        ("dataverse", "token-audience") if context.by_aos() => context.dataverse_url(),
        ("dataverse", "application-user-exists") => context.application_user(),
        ("dataverse", "application-user-enabled") => context.switch_on("enabled"),
        ("dataverse", "application-user-roles") => context.application_user_roles(),
        ("dataverse", "privilege") => context.privilege(),
        ("aos", "application-mapped") => context.missing_row(),
        ("aos", "user-enabled") => context.first_setting(Kind::Setting).change_to(1),
        ("entra", "secret-in-date") => context.first_setting(Kind::Setting),
        _ => context.caller(),
    }
}

/// A refusal no check decided: the answer of a route that is not there, an unknown host, a broken body.
fn without_check(record: &Record, world: &World) -> Cause {
    let setting = record
        .facts
        .iter()
        .find_map(|fact| fact.setting.clone())
        .unwrap_or_else(|| Setting::fixed("/caller"));
    let actual = record.fact("call-error").map_or_else(
        || format!("{} {} {}", record.method, record.target, record.status),
        |fact| fact.value.to_string(),
    );
    Cause::new(Kind::Caller, setting, world).expected("a request this product answers").actual(actual)
}

trait ChangeTo {
    fn change_to(self, value: impl Into<Value>) -> Cause;
    fn change_unknown(self) -> Cause;
}

impl ChangeTo for Cause {
    /// Adds the operation that sets the cause's own setting (`add` also replaces, RFC 6902 section 4.1).
    fn change_to(self, value: impl Into<Value>) -> Cause {
        let edit = Edit::add(self.setting.clone(), value);
        self.change(edit)
    }

    /// The same where the world cannot know the value.
    fn change_unknown(self) -> Cause {
        let edit = add_unknown(self.setting.clone());
        self.change(edit)
    }
}

/// An operation whose value the world cannot know.
fn add_unknown(path: Setting) -> Edit {
    let mut edit = Edit::add(path, Value::Null);
    edit.value = None;
    edit
}

impl Context<'_> {
    fn cause(&self, kind: Kind, setting: Setting) -> Cause {
        Cause::new(kind, setting, self.world)
            .expected(self.check.expected.to_string())
            .actual(self.check.actual.to_string())
    }

    /// Whether an AOS made the refused call.
    fn by_aos(&self) -> bool {
        self.chain.root().surface == "aos" && self.record.surface != "aos"
    }

    fn environment(&self) -> Option<&Environment> {
        self.world.environment(self.chain.environment()?).map(|environment| &**environment)
    }

    fn first_setting(&self, kind: Kind) -> Cause {
        match self.check.settings.first() {
            Some(setting) => self.cause(kind, setting.clone()),
            None => self.caller(),
        }
    }

    /// The request itself is wrong: the member of the caller's declaration that says so.
    fn caller(&self) -> Cause {
        let setting = match &*self.check.name {
            "secret-matches" | "secret-in-date" | "client-credential" => "/caller/client_secret",
            "client-id" | "application-registered" | "assertion-client-id" => "/caller/client_id",
            "resource" | "scope" | "token-audience" => "/caller/resource",
            "tenant" | "token-tenant" | "token-issuer" | "token-signature" => "/caller/tenant",
            _ => "/caller",
        };
        self.cause(Kind::Caller, Setting::fixed(setting))
    }

    /// The setting an AOS input came from.
    fn input(&self, name: &str, kind: Kind) -> Cause {
        match self.chain.input(name) {
            Some(fact) => match &fact.setting {
                Some(setting) => self.cause(kind, setting.clone()),
                None => self.first_setting(kind),
            },
            None => self.first_setting(kind),
        }
    }

    fn value_of(&self, input: &str) -> String {
        self.chain.input(input).map(|fact| fact.value.to_string()).unwrap_or_default()
    }

    fn thumbprint(&self) -> Option<Thumbprint> {
        let pasted = self.value_of("thumbprint").replace([' ', '\u{200e}'], "");
        Thumbprint::from_hex(&pasted)
    }

    fn web_config(&self, key: &str) -> Setting {
        let environment = self.chain.environment().unwrap_or_default();
        Setting::of(["environments", environment, "web_config", key])
    }

    fn in_store(&self, thumbprint: &Thumbprint) -> Setting {
        let environment = self.chain.environment().unwrap_or_default();
        let thumbprint = thumbprint.to_string();
        Setting::of([
            "environments",
            environment,
            "machine",
            "certificates",
            "LocalMachine",
            "My",
            &thumbprint,
        ])
    }

    fn dataverse_url(&self) -> Cause {
        let cause = self.input("dataverse-url", Kind::Setting);
        let tenant = self.environment().map(|environment| environment.tenant.clone()).unwrap_or_default();
        let mut linked = self.world.organizations().filter(|organization| organization.tenant == tenant);
        match (linked.next(), linked.next()) {
            (Some(only), None) => {
                let url = format!("https://{}", only.host);
                cause.expected(url.clone()).change_to(url)
            }
            _ => cause.change_unknown(),
        }
    }

    /// No call was refused, yet the write did not arrive: reference data is missing, or nobody answers at the URL.
    fn not_delivered(&self) -> Cause {
        match self.check.settings.first() {
            Some(setting) if setting.as_str().contains("/records/") => self.first_setting(Kind::Missing),
            _ => self.dataverse_url(),
        }
    }

    fn thumbprint_setting(&self, thumbprint: Option<Thumbprint>) -> Cause {
        let cause = self.cause(Kind::Setting, self.web_config("Infrastructure.S2SCertThumbprint"));
        match thumbprint {
            Some(thumbprint) => cause.expected(thumbprint.to_string()).change_to(thumbprint.to_string()),
            None => cause.expected("the thumbprint of a certificate in LocalMachine\\My").change_unknown(),
        }
    }

    fn thumbprint_empty(&self) -> Cause {
        let only = self.environment().and_then(|environment| only(knowledge::personal(environment)));
        self.thumbprint_setting(only)
    }

    /// The thumbprint names a certificate that is in no store, or not where the AOS looks.
    fn certificate_found(&self) -> Cause {
        let (Some(environment), Some(named)) = (self.environment(), self.thumbprint()) else {
            return self.thumbprint_setting(None);
        };
        let elsewhere = knowledge::in_any_store(environment, &named);
        if !elsewhere && let Some(wrong) = self.thumbprint_is_the_odd_one(environment, &named) {
            return wrong;
        }
        let setting = self.in_store(&named);
        let web_config =
            Cause::new(Kind::Setting, self.web_config("Infrastructure.S2SCertThumbprint"), self.world);
        let cause = self
            .cause(Kind::Missing, setting.clone())
            .expected(format!(
                "certificate {named} with its private key in LocalMachine\\My ({} Infrastructure.S2SCertThumbprint names it)",
                web_config.whereabouts()
            ))
            .actual(self.check.actual.to_string());
        match key_elsewhere(environment, &named) {
            Some(from) => {
                let mut copy = add_unknown(setting);
                copy.op = mocktenant_world::Operation::Copy;
                copy.from = Some(from);
                cause.change(copy)
            }
            None => cause.change(add_unknown(setting)),
        }
    }

    /// Whether the thumbprint rather than the store is wrong, though nothing has the certificate it names: exactly one
    /// usable certificate that the application knows, or that nothing contradicts, or the Graph thumbprint (which the
    /// recipe sets to the same value) names another one.
    fn thumbprint_is_the_odd_one(&self, environment: &Environment, named: &Thumbprint) -> Option<Cause> {
        let tenant = knowledge::tenant_of(self.world, &environment.id)?;
        let usable: Vec<Thumbprint> =
            knowledge::usable(environment).iter().map(|stored| stored.certificate.thumbprint()).collect();
        let mut registered =
            usable.iter().filter(|thumbprint| !knowledge::holders(tenant, thumbprint).is_empty());
        if let (Some(own), None) = (registered.next(), registered.next()) {
            return Some(self.thumbprint_setting(Some(*own)));
        }
        let named_is_registered = !knowledge::holders(tenant, named).is_empty();
        if named_is_registered {
            return None;
        }
        if let Some(own) = only(knowledge::personal(environment)) {
            return Some(self.thumbprint_setting(Some(own)));
        }
        let graph = self.world.get(&self.web_config("GraphApi.GraphAPIServicePrincipalCert"))?.as_str()?;
        let graph = Thumbprint::from_hex(graph).filter(|graph| graph != named)?;
        Some(self.thumbprint_setting(Some(graph)))
    }

    fn private_key_present(&self) -> Cause {
        let (Some(environment), Some(named)) = (self.environment(), self.thumbprint()) else {
            return self.first_setting(Kind::Missing);
        };
        if let Some(from) = key_elsewhere(environment, &named) {
            let setting = self.in_store(&named);
            let mut copy = add_unknown(setting.clone());
            copy.op = mocktenant_world::Operation::Copy;
            copy.from = Some(from);
            return self.cause(Kind::Missing, setting.join("private_key")).change(copy);
        }
        let setting = self.in_store(&named).join("private_key");
        self.cause(Kind::Missing, setting.clone())
            .expected("the private key of the certificate, in LocalMachine\\My")
            .change(add_unknown(setting))
    }

    fn private_key_readable(&self) -> Cause {
        let Some(named) = self.thumbprint() else { return self.first_setting(Kind::Setting) };
        let setting = self.in_store(&named).join("private_key").join("readable_by");
        let edit = Edit::add(setting.join("-"), AOS_ACCOUNT);
        self.cause(Kind::Setting, setting)
            .expected(format!("{AOS_ACCOUNT} may read the private key"))
            .change(edit)
    }

    /// The metadata could not be had: the tenant in the URL if the identity provider did not know it, else the URL.
    fn metadata(&self) -> Cause {
        let cause = self.input("metadata-url", Kind::Setting);
        cause.change_unknown()
    }

    /// A claim that fits the environment's own tenant and host but not its configuration: the configuration is wrong.
    fn configured_or_caller(&self, input: &str, key: &str) -> Cause {
        let Some(environment) = self.environment() else { return self.caller() };
        let actual = self.check.actual.as_ref();
        let genuine = match input {
            "host-url" => actual == format!("https://{}", environment.host),
            "issuer" => actual == format!("https://sts.windows.net/{}/", environment.tenant),
            _ => actual == environment.tenant,
        };
        if !genuine {
            return self.caller();
        }
        match input {
            "host-url" => {
                let url = format!("https://{}/", environment.host);
                self.cause(Kind::Setting, self.web_config(key)).expected(url.clone()).change_to(url)
            }
            "issuer" => {
                // The format is right if it gives the genuine issuer with the genuine tenant; then the GUID is wrong.
                let format = self.value_of("issuer");
                if format.contains("{0}") && format.replace("{0}", &environment.tenant) == actual {
                    let setting = self.web_config("Aad.TenantDomainGUID");
                    self.cause(Kind::Setting, setting)
                        .expected(environment.tenant.clone())
                        .actual(self.value_of("tenant-guid"))
                        .change_to(environment.tenant.clone())
                } else {
                    let genuine = "https://sts.windows.net/{0}/";
                    self.cause(Kind::Setting, self.web_config(key))
                        .expected(genuine)
                        .actual(format)
                        .change_to(genuine)
                }
            }
            _ => {
                let tenant = environment.tenant.clone();
                self.cause(Kind::Setting, self.web_config(key)).expected(tenant.clone()).change_to(tenant)
            }
        }
    }

    /// 700016: if a registered application holds the signing certificate the cause is Aad.Realm, else the registration.
    fn application_registered(&self) -> Cause {
        if self.by_aos()
            && let (Some(environment), Some(thumbprint)) = (self.environment(), self.thumbprint())
            && let Some(tenant) = knowledge::tenant_of(self.world, &environment.id)
            && let Some(holder) = knowledge::holders(tenant, &thumbprint).first()
        {
            return self.realm(Some(&holder.client_id));
        }
        let cause = self.first_setting(Kind::Missing);
        let client_id = cause.name();
        cause
            .expected(format!("an app registration {client_id}"))
            .actual("not in the tenant")
            .change_unknown()
    }

    fn realm(&self, client_id: Option<&str>) -> Cause {
        let cause = self.cause(Kind::Setting, self.web_config("Aad.Realm")).actual(self.value_of("realm"));
        match client_id {
            Some(client_id) => {
                let realm = format!("spn:{client_id}");
                cause.expected(realm.clone()).change_to(realm)
            }
            None => cause.expected("spn:<the application ID of your app registration>").change_unknown(),
        }
    }

    /// 700027: on 00000015-... the flight if off, else Aad.Realm; on the own application its certificate.
    fn certificate_registered(&self) -> Cause {
        if !self.by_aos() {
            return self
                .first_setting(Kind::Missing)
                .expected(format!("certificate {}", self.check.actual))
                .actual("not on the application")
                .change_unknown();
        }
        let client_id = self
            .record
            .fact("client-id")
            .map_or_else(|| self.value_of("client-id"), |fact| fact.value.to_string());
        if client_id.eq_ignore_ascii_case(ERP) {
            let flight = self.chain.input("flight");
            let off = flight.is_some_and(|flight| !matches!(&*flight.value, "1" | "on" | "true"));
            if let (true, Some(setting)) = (off, flight.and_then(|flight| flight.setting.clone())) {
                return self
                    .cause(Kind::Setting, setting)
                    .expected("1 (on): the AOS then uses Aad.Realm as its identity")
                    .actual(self.value_of("flight"))
                    .change_to(1);
            }
            let holder = self.thumbprint().and_then(|thumbprint| {
                let tenant = knowledge::tenant_of(self.world, self.chain.environment()?)?;
                knowledge::holders(tenant, &thumbprint).first().map(|holder| holder.client_id.clone())
            });
            return self.realm(holder.as_deref());
        }
        let cause = self
            .first_setting(Kind::Missing)
            .expected(format!("certificate {}", self.check.actual))
            .actual(format!("not on application {client_id}"));
        let stored = self.thumbprint().and_then(|thumbprint| {
            let stored = self
                .environment()?
                .stores
                .iter()
                .find(|stored| stored.certificate.thumbprint() == thumbprint)?;
            Some(json!({ "certificate": stored.certificate.base64_der() }))
        });
        match stored {
            Some(certificate) => cause.change_to(certificate),
            None => cause.change_unknown(),
        }
    }

    /// The check's first setting, or its member, set to true.
    fn switch_on(&self, member: &str) -> Cause {
        let cause = self.first_setting(Kind::Setting);
        let setting = if cause.name() == member { cause.setting.clone() } else { cause.setting.join(member) };
        self.cause(Kind::Setting, setting).change_to(true)
    }

    fn machine_clock(&self) -> Cause {
        let environment = self.chain.environment().unwrap_or_default();
        let setting = Setting::of(["environments", environment, "machine", "clock"]);
        self.cause(Kind::Setting, setting)
    }

    fn application_user(&self) -> Cause {
        let cause = self.first_setting(Kind::Missing);
        let client_id = cause.name();
        cause.expected(format!("an application user for {client_id}")).actual("no such user").change_unknown()
    }

    fn application_user_roles(&self) -> Cause {
        let cause = self.first_setting(Kind::Setting);
        let administrator = "System Administrator";
        let known = match &self.record.site {
            Some(Site::Organization(name)) => self
                .world
                .organization(name)
                .is_some_and(|organization| organization.roles.contains_key(administrator)),
            _ => false,
        };
        let last = cause.setting.join("-");
        if known { cause.change(Edit::add(last, administrator)) } else { cause.change(add_unknown(last)) }
    }

    fn privilege(&self) -> Cause {
        let cause = self.first_setting(Kind::Setting);
        let missing = self.check.expected.split_whitespace().find(|word| word.starts_with("prv"));
        let last = cause.setting.join("-");
        match missing {
            Some(privilege) => cause.change(Edit::add(last, privilege)),
            None => cause.change(add_unknown(last)),
        }
    }

    fn missing_row(&self) -> Cause {
        let cause = self.first_setting(Kind::Missing);
        let client_id = cause.name();
        cause.expected(format!("a row for {client_id}")).actual("no such row").change_unknown()
    }
}

/// Another personal store that has the certificate with its key.
fn key_elsewhere(environment: &Environment, thumbprint: &Thumbprint) -> Option<Setting> {
    environment
        .stores
        .iter()
        .find(|stored| stored.key.is_some() && stored.certificate.thumbprint() == *thumbprint)
        .map(|stored| stored.pointer.clone())
}

fn only<T>(mut found: Vec<T>) -> Option<T> {
    if found.len() == 1 { found.pop() } else { None }
}
