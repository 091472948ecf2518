//! From the check that decided to the one thing to change.
//!
//! One rule per check name. A rule may look beyond what the refusing side could know: Entra says 700016, the cause is
//! `Aad.Realm`. Ties are settled as the design, section 6, says.

use mocktenant_keys::{PastedThumbprint, Thumbprint};
use mocktenant_lab::Machine;
use mocktenant_lab::journal::Record;
use mocktenant_verdict::{Check, Setting};
use mocktenant_world::pointers::{self, File};
use mocktenant_world::{Edit, Environment, World};
use serde_json::Value;

use crate::chain::{Chain, Deciding};
use crate::knowledge;
use crate::{Cause, Kind};

mod certificate;

struct Context<'c> {
    chain: &'c Chain<'c>,
    record: &'c Record,
    check: &'c Check,
    world: &'c World,
}

/// `flightServiceId` of Finance & Operations.
const FLIGHT_SERVICE: u64 = 12_719_367;
/// A clock that shows the lab's time.
const NO_OFFSET: &str = "+0s";
/// Endpoints of a genuine one-box, for settings that name none.
const LOGIN_FORMAT: &str = "https://login.windows.net/{0}/wsfed";
const METADATA_FORMAT: &str =
    "https://login.windows.net/{0}/FederationMetadata/2007-06/FederationMetadata.xml";

/// The cause of a refusal.
pub(crate) fn of(chain: &Chain, deciding: &Deciding, world: &World) -> Cause {
    let check = &asked(chain, deciding);
    let context = Context { chain, record: &deciding.record, check, world };
    if let Some(via) = deciding.via.as_deref()
        && let Some(cause) = context.of_a_call(via)
    {
        return cause;
    }
    match (&*deciding.record.surface, &*check.name) {
        ("aos", "dataverse-url-configured") => context.dataverse_url(),
        ("aos", "thumbprint-configured") => context.thumbprint_empty(),
        ("aos", "certificate-found") => context.certificate_found(),
        ("aos", "private-key-present") => context.private_key_present(),
        ("aos", "private-key-readable") => context.private_key_readable(),
        ("aos", "configuration-readable") if context.lacks_web_config() => context.no_web_config(),
        ("aos", "configuration-readable" | "metadata-reachable" | "metadata-readable") => context.metadata(),
        ("aos", "token-issued") => context.login_endpoint(),
        ("aos", "dataverse-accepted") => context.not_delivered(),
        ("aos", "token-issuer") => context.configured_or_caller("issuer", "Aad.AADIssuerNameFormat"),
        ("aos", "token-tenant") => context.configured_or_caller("tenant-guid", "Aad.TenantDomainGUID"),
        ("aos", "token-audience") => context.configured_or_caller("host-url", "Infrastructure.HostUrl"),
        ("aos", "application-mapped") => context.missing_row(),
        ("aos", "user-enabled") => context.user_enabled(),
        ("entra", "application-registered") => context.application_registered(),
        ("entra", "certificate-registered") => context.certificate_registered(),
        ("entra", "application-enabled") => context.switch_on("enabled"),
        ("entra", "resource") if context.names_a_switch() => context.switch_on("enabled"),
        ("entra", "secret-in-date") => context.first_setting(Kind::Setting).change_unknown(),
        ("dataverse", "application-user-exists") => context.application_user(),
        ("dataverse", "application-user-enabled") => context.switch_on("enabled"),
        ("dataverse", "application-user-roles") => context.application_user_roles(),
        ("dataverse", "privilege") => context.privilege(),
        _ => context.caller(),
    }
}

/// The check that decided; where none did, one that says what was answered.
pub(crate) fn asked(chain: &Chain, deciding: &Deciding) -> Check {
    deciding.check.clone().unwrap_or_else(|| Check {
        name: "answered".into(),
        role: None,
        relays: false,
        remedy: None,
        expected: "a request this product answers".into(),
        actual: unanswered(chain, &deciding.record).into(),
        outcome: mocktenant_verdict::Outcome::Failed,
        settings: Vec::new(),
        error: None,
        change: None,
    })
}

/// The member of the caller's declaration that a check is about; the caller as a whole where it is about none.
pub(crate) fn member_of_caller(check: &Check, record: &Record) -> Setting {
    let caller = pointers::caller();
    match &*check.name {
        "secret-matches" | "secret-in-date" | "client-credential" => caller.client_secret(),
        "client-id" | "application-registered" | "assertion-client-id" => caller.client_id(),
        "resource" | "scope" | "token-audience" => caller.resource(),
        "tenant" | "token-tenant" | "token-issuer" | "token-signature" => caller.tenant(),
        "answered" if record.status == 400 && record.surface == "aos" => caller.customer(),
        _ => caller.into(),
    }
}

/// What there is to say of a refusal no check decided: the product's own message, or the request line.
fn unanswered(chain: &Chain, record: &Record) -> String {
    let request = format!("{} {} {}", record.method, record.target, record.status);
    match record.fact("call-error") {
        Some(error) => error.value.to_string(),
        None if record.id == chain.root().id => format!("{request}: {}", chain.symptom().replace('\n', " ")),
        None => request,
    }
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

    /// A refused call of the AOS is never its caller's fault: which call it was says which of its settings is wrong.
    fn of_a_call(&self, via: &str) -> Option<Cause> {
        let cause = match (via, &*self.record.surface, &*self.check.name) {
            ("metadata-reachable", "entra", "tenant" | "answered") if self.tenant_refused() => {
                self.tenant_id()
            }
            ("metadata-reachable", ..) => self.metadata(),
            ("token-issued", "entra", "tenant") => self.tenant_id(),
            (
                "token-issued",
                "entra",
                "client-id" | "assertion-issuer" | "assertion-subject" | "assertion-client-id",
            ) => self.realm(self.holder().as_deref()),
            ("token-issued", "entra", "resource") if self.names_a_switch() => self.switch_on("enabled"),
            ("token-issued", "entra", "resource") => self.dataverse_url(),
            ("token-issued", "entra", "certificate-in-date") => {
                self.input("certificate", Kind::Setting).change_unknown()
            }
            ("token-issued", "entra", "assertion-time") => self.machine_clock(),
            (
                "token-issued",
                "entra",
                "application-registered" | "certificate-registered" | "application-enabled",
            ) => {
                return None;
            }
            ("token-issued", ..) => self.login_endpoint(),
            ("dataverse-accepted", "dataverse", name)
                if name.starts_with("application-user") || name == "privilege" =>
            {
                return None;
            }
            ("dataverse-accepted", "dataverse", "token-signature" | "token-time") => self.kept_token(),
            ("dataverse-accepted", ..) => self.not_delivered(),
            _ => return None,
        };
        Some(cause)
    }

    /// Whether the identity provider knew no such tenant (90002, 900023, and the aliases' codes).
    fn tenant_refused(&self) -> bool {
        let tenant_codes = ["AADSTS90002", "AADSTS900023", "AADSTS50059", "AADSTS9001023"];
        self.check.name == "tenant"
            || self.record.error.as_deref().is_some_and(|error| tenant_codes.contains(&error))
    }

    /// Whether the check points at something that was switched off.
    fn names_a_switch(&self) -> bool {
        self.check.settings.first().is_some_and(|setting| setting.as_str().ends_with("/enabled"))
    }

    fn tenant_id(&self) -> Cause {
        let tenant =
            self.environment().and_then(|environment| knowledge::tenant_of(self.world, &environment.id));
        let cause = self.input("tenant-id", Kind::Setting).actual(self.value_of("tenant-id"));
        match tenant.and_then(|tenant| tenant.domains.first()) {
            Some(domain) => cause.expected(domain.clone()).change_to(domain.clone()),
            None => cause.change_unknown(),
        }
    }

    fn login_endpoint(&self) -> Cause {
        self.input("login-endpoint", Kind::Setting)
            .actual(self.value_of("login-endpoint"))
            .expected(LOGIN_FORMAT)
            .change_to(LOGIN_FORMAT)
    }

    /// The AOS goes on with a token it was given before something changed: a restart drops it.
    fn kept_token(&self) -> Cause {
        let setting = self.check.settings.first().cloned().unwrap_or_else(|| self.web_config("Aad.Realm"));
        self.cause(Kind::Restart, setting)
            .expected("a token of the present keys")
            .actual("a token kept from before")
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
        self.cause(Kind::Caller, member_of_caller(self.check, self.record))
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

    /// The certificate the thumbprint setting names, as the AOS reads it; none where hidden characters are in it.
    fn thumbprint(&self) -> Option<Thumbprint> {
        PastedThumbprint::read(&self.value_of("thumbprint")).thumbprint
    }

    /// The application that has the AOS's certificate.
    fn holder(&self) -> Option<String> {
        let tenant = knowledge::tenant_of(self.world, self.chain.environment()?)?;
        let holders = knowledge::holders(tenant, &self.thumbprint()?);
        holders.first().map(|holder| holder.client_id.clone())
    }

    /// The environment as a pointer.
    fn at(&self) -> pointers::Environment {
        pointers::environment(self.chain.environment().unwrap_or_default())
    }

    fn web_config(&self, key: &str) -> Setting {
        self.at().web_config(key)
    }

    fn lacks_web_config(&self) -> bool {
        self.environment().is_some_and(|environment| environment.web_config.is_none())
    }

    /// No key of a file that is not there can be changed: the whole file is missing.
    fn no_web_config(&self) -> Cause {
        self.cause(Kind::Missing, self.at().file(File::WebConfig)).change_unknown()
    }

    fn dataverse_url(&self) -> Cause {
        let cause = self.input("dataverse-url", Kind::Setting).actual(self.value_of("dataverse-url"));
        let tenant = self.environment().and_then(|environment| environment.identity.tenant());
        let mut linked =
            self.world.organizations().filter(|organization| Some(organization.tenant.as_str()) == tenant);
        match (linked.next(), linked.next()) {
            (Some(only), None) => {
                let url = format!("https://{}", only.host);
                if cause.actual.trim_end_matches('/').eq_ignore_ascii_case(&url) {
                    // The URL is right; what it stands for is not in the tenant.
                    return self.first_setting(Kind::Missing).change_unknown();
                }
                cause.expected(url.clone()).change_to(url)
            }
            _ => cause.change_unknown(),
        }
    }

    /// No call was refused, yet the write did not arrive: reference data is missing, or nobody answers at the URL.
    fn not_delivered(&self) -> Cause {
        match self.check.settings.first() {
            Some(setting) if setting.as_str().contains("/records/") => {
                let set = setting.segments().last().unwrap_or_default();
                self.first_setting(Kind::Missing)
                    .expected(format!("the row of {set} the write refers to"))
                    .change(add_unknown(setting.join("added")))
            }
            _ => self.dataverse_url(),
        }
    }

    /// The metadata could not be had: the key that is empty, or the URL.
    fn metadata(&self) -> Cause {
        if self.value_of("tenant-id").is_empty() {
            return self.tenant_id();
        }
        self.input("metadata-url", Kind::Setting)
            .actual(self.value_of("metadata-url"))
            .expected(METADATA_FORMAT)
            .change_to(METADATA_FORMAT)
    }

    /// A claim that fits the environment's own tenant and host but not its configuration: the configuration is wrong.
    fn configured_or_caller(&self, input: &str, key: &str) -> Cause {
        let Some(environment) = self.environment() else { return self.caller() };
        let Some(tenant) = environment.identity.tenant() else { return self.caller() };
        let actual = self.check.actual.as_ref();
        let genuine = match input {
            "host-url" => actual == format!("https://{}", environment.host),
            "issuer" => actual == format!("https://sts.windows.net/{tenant}/"),
            _ => actual == tenant,
        };
        if !genuine {
            return self.caller();
        }
        match input {
            "host-url" => {
                let url = format!("https://{}/", environment.host);
                self.cause(Kind::Setting, self.web_config(key))
                    .expected(url.clone())
                    .actual(self.value_of(input))
                    .change_to(url)
            }
            "issuer" => {
                // The format is right if it gives the genuine issuer with the genuine tenant; then the GUID is wrong.
                let format = self.value_of("issuer");
                if format.contains("{0}") && format.replace("{0}", tenant) == actual {
                    let setting = self.web_config("Aad.TenantDomainGUID");
                    self.cause(Kind::Setting, setting)
                        .expected(tenant)
                        .actual(self.value_of("tenant-guid"))
                        .change_to(tenant)
                } else {
                    let genuine = "https://sts.windows.net/{0}/";
                    self.cause(Kind::Setting, self.web_config(key))
                        .expected(genuine)
                        .actual(format)
                        .change_to(genuine)
                }
            }
            _ => self
                .cause(Kind::Setting, self.web_config(key))
                .expected(tenant)
                .actual(self.value_of(input))
                .change_to(tenant),
        }
    }

    /// 700016: if a registered application holds the signing certificate the cause is Aad.Realm, else the registration.
    fn application_registered(&self) -> Cause {
        if self.by_aos()
            && let Some(holder) = self.holder()
        {
            return self.realm(Some(&holder));
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

    /// The check's first setting, or its member, set to true.
    fn switch_on(&self, member: &str) -> Cause {
        let cause = self.first_setting(Kind::Setting);
        let setting = if cause.name() == member { cause.setting.clone() } else { cause.setting.join(member) };
        self.cause(Kind::Setting, setting).change_to(true)
    }

    /// A disabled user is switched on; a user that is not there is missing.
    fn user_enabled(&self) -> Cause {
        let cause = self.first_setting(Kind::Setting);
        if cause.setting.as_str().ends_with("/Enable") && self.world.get(&cause.setting).is_some() {
            return cause.expected("1").actual("0").change_to(1);
        }
        let user = Setting::from_pointer(cause.setting.as_str().trim_end_matches("/Enable").to_owned());
        let name = user.segments().last().unwrap_or_default();
        self.cause(Kind::Missing, user)
            .expected(format!("user {name} in UserInfo"))
            .actual("no such user")
            .change_unknown()
    }

    /// A clock that is off: the tenant's where the machine that asked has the lab's time, else that machine's.
    fn machine_clock(&self) -> Cause {
        let asked = self.chain.root().machine.as_ref();
        let right = asked.is_none_or(|machine| machine.offset(self.world).is_zero());
        let tenant = self.environment().and_then(|found| knowledge::tenant_of(self.world, &found.id));
        let setting = match tenant {
            Some(tenant) if right && !tenant.clock.is_zero() => tenant.pointer.clock(),
            _ => asked
                .and_then(|machine| machine.clock_setting(self.world))
                .unwrap_or_else(|| self.at().clock()),
        };
        let cause = self.cause(Kind::Setting, setting);
        match self.world.get(&cause.setting).and_then(Value::as_str) {
            Some(declared) => cause.actual(declared).expected(NO_OFFSET).change_to(NO_OFFSET),
            None => cause,
        }
    }

    fn application_user(&self) -> Cause {
        let cause = self.first_setting(Kind::Missing);
        let client_id = cause.name();
        cause.expected(format!("an application user for {client_id}")).actual("no such user").change_unknown()
    }

    fn application_user_roles(&self) -> Cause {
        let cause = self.first_setting(Kind::Setting);
        let administrator = "System Administrator";
        let known = match &self.record.machine {
            Some(Machine::Organization(name)) => self
                .world
                .organization(name)
                .is_some_and(|organization| organization.roles.contains_key(administrator)),
            _ => false,
        };
        let last = pointers::end_of(&cause.setting);
        if known { cause.change(Edit::add(last, administrator)) } else { cause.change(add_unknown(last)) }
    }

    fn privilege(&self) -> Cause {
        let cause = self.first_setting(Kind::Setting);
        let missing = self.check.expected.split_whitespace().find(|word| word.starts_with("prv"));
        let last = pointers::end_of(&cause.setting);
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
