//! The ways in which one setting of a healthy world can be wrong, for tests that break several at once.
//!
//! Decides what each of them does to a random world and which setting a diagnosis may name for it. Never decides which of
//! several is met first: that is found out by reverting them.

use std::fmt;

use mocktenant_world::pointers::{self, File};
use mocktenant_world::{Edit, Setting};
use serde_json::{Value, json};

use crate::random_world::{Dice, RandomWorld};

/// The first-party application of Finance & Operations.
pub const ERP: &str = "00000015-0000-0000-c000-000000000000";
/// The first-party application of Dataverse.
pub const CDS: &str = "00000007-0000-0000-c000-000000000000";

/// One wrong setting.
#[derive(Clone, Debug)]
pub struct Breakage {
    /// What is wrong, for a person.
    pub what: String,
    /// What makes it so.
    pub edit: Edit,
    /// The settings a diagnosis may name for it.
    pub named: Vec<Setting>,
}

impl fmt::Display for Breakage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl Breakage {
    fn new(what: impl Into<String>, edit: Edit) -> Self {
        let named = vec![edit.path.clone()];
        Self { what: what.into(), edit, named }
    }

    fn or(mut self, setting: impl Into<Setting>) -> Self {
        self.named.push(setting.into());
        self
    }

    /// Whether both cannot be wrong at once, because one holds the other.
    pub fn excludes(&self, other: &Self) -> bool {
        self.edit.path.is_within(&other.edit.path) || other.edit.path.is_within(&self.edit.path)
    }

    /// Whether a diagnosis that names this setting means this.
    pub fn is_named_by(&self, setting: &Setting) -> bool {
        self.named.iter().any(|named| setting.is_within(named))
    }

    /// Puts back what the healthy world has there.
    pub fn revert(&self, names: &RandomWorld) -> Edit {
        match names.world.get(&self.edit.path) {
            Some(value) => Edit::add(self.edit.path.clone(), value.clone()),
            None => Edit::remove(self.edit.path.clone()),
        }
    }
}

/// Every breakage of this world.
pub fn all(names: &RandomWorld, dice: &mut Dice) -> Vec<Breakage> {
    let mut all = machine(names, dice);
    all.extend(configuration(names, dice));
    all.extend(registrations(names));
    all.extend(resources(names));
    all.extend(callers(names, dice));
    all
}

/// Certificates and clocks.
fn machine(names: &RandomWorld, dice: &mut Dice) -> Vec<Breakage> {
    let onebox = pointers::environment("onebox");
    let thumbprint = onebox.web_config("Infrastructure.S2SCertThumbprint");
    let own = names.thumbprint.to_string();
    let stored = onebox.stored_certificate("LocalMachine", "My", &own);
    let key = stored.private_key();
    let unknown = dice.hex(40);
    let nowhere = onebox.stored_certificate("LocalMachine", "My", &unknown);
    vec![
        Breakage::new("a thumbprint of no certificate", Edit::replace(thumbprint.clone(), unknown))
            .or(nowhere),
        Breakage::new("no thumbprint", Edit::replace(thumbprint.clone(), "")),
        Breakage::new("a thumbprint pasted with U+200E", Edit::replace(thumbprint, format!("\u{200e}{own}"))),
        Breakage::new("no certificate in LocalMachine\\My", Edit::remove(stored.setting())),
        Breakage::new("the certificate without its key", Edit::remove(key.setting())).or(stored),
        Breakage::new(
            "a key NETWORK SERVICE may not read",
            Edit::replace(key.readable_by(), json!(["SYSTEM"])),
        ),
        Breakage::new("the machine's clock 20 minutes ahead", Edit::add(onebox.clock(), "+20m")),
        Breakage::new(
            "the organisation's clock two hours behind",
            Edit::add(pointers::organization("contoso").clock(), "-2h"),
        ),
    ]
}

/// web.config, the flight and the link.
fn configuration(names: &RandomWorld, dice: &mut Dice) -> Vec<Breakage> {
    let onebox = pointers::environment("onebox");
    let web = |key: &str, value: String| {
        Breakage::new(format!("{key} = {value:?}"), Edit::replace(onebox.web_config(key), value))
    };
    let dataverse = format!("https://{}", names.organization_host);
    let aos = names.world.environment("onebox").map(|environment| format!("https://{}", environment.host));
    let aos = aos.unwrap_or_default();
    let stranger = dice.guid();
    let flight = onebox.flight("DualWriteUnoAuthenticationFnoToCds");
    let url = onebox.dataverse_url();
    let link =
        |value: &str| Breakage::new(format!("the link = {value:?}"), Edit::replace(url.clone(), value));
    vec![
        web("Aad.Realm", format!("spn:{ERP}")),
        // Nobody but a person can tell a wrong id from one that is not registered yet.
        web("Aad.Realm", format!("spn:{stranger}"))
            .or(pointers::tenant(&names.tenant).application(&stranger))
            .or(pointers::organization("contoso").application_user(&stranger)),
        web("Aad.Realm", String::new()),
        Breakage::new("no Aad.Realm", Edit::remove(onebox.web_config("Aad.Realm"))),
        web("Aad.AADTenantId", "fabrikam.example".into()),
        web("Aad.AADTenantId", String::new()),
        web("Aad.AADTenantId", "no tenant".into()),
        web("Aad.TenantDomainGUID", "garbage".into()),
        web("Aad.AADIssuerNameFormat", "https://sts.windows.net/{0}".into()),
        web("Aad.AADMetadataLocationFormat", "https://login.windows.net/{0}/nowhere.xml".into()),
        web("Aad.AADMetadataLocationFormat", "garbage".into()),
        web("Aad.AADLoginWsfedEndpointFormat", aos.clone()),
        web("Aad.AADLoginWsfedEndpointFormat", dataverse),
        web("Infrastructure.HostUrl", "https://another.cloud.onebox.dynamics.com/".into()),
        Breakage::new("no web.config", Edit::remove(onebox.file(File::WebConfig))),
        Breakage::new("the flight is off", Edit::replace(flight.enabled(), 0)),
        Breakage::new("no row of the flight", Edit::remove(flight.setting())),
        link(""),
        link(&aos),
        link("https://nowhere.crm4.dynamics.com"),
    ]
}

/// The tenant.
fn registrations(names: &RandomWorld) -> Vec<Breakage> {
    let tenant = pointers::tenant(&names.tenant);
    let own = tenant.application(&names.application);
    let cds = tenant.application(CDS);
    vec![
        Breakage::new("no app registration", Edit::remove(own.setting())),
        Breakage::new("a disabled application", Edit::replace(own.enabled(), false)),
        Breakage::new(
            "no certificate on the application",
            Edit::remove(own.certificate(&names.thumbprint.to_string()).setting()),
        ),
        Breakage::new("no Dataverse in the tenant", Edit::remove(cds.setting())),
        Breakage::new("Dataverse disabled in the tenant", Edit::replace(cds.enabled(), false)),
    ]
}

/// What the two resources hold.
fn resources(names: &RandomWorld) -> Vec<Breakage> {
    let onebox = pointers::environment("onebox");
    let contoso = pointers::organization("contoso");
    let user = contoso.application_user(&names.application);
    let caller = names.world.caller().client_id.clone();
    let mut all = vec![
        Breakage::new("no application user", Edit::remove(user.setting())),
        Breakage::new("a disabled application user", Edit::replace(user.enabled(), false)),
        Breakage::new("an application user without a role", Edit::replace(user.roles(), json!([]))),
        Breakage::new("no row in SysAADClientTable", Edit::remove(onebox.aad_client(&caller).setting())),
        Breakage::new("a disabled user", Edit::replace(onebox.user_info("Admin").enable(), 0)),
        Breakage::new("no user", Edit::remove(onebox.user_info("Admin").setting())),
    ];
    let currencies = contoso.records("transactioncurrencies");
    let rows = names.world.get(&currencies).and_then(Value::as_object);
    let euro = rows.and_then(|rows| rows.iter().find(|(_, row)| row["isocurrencycode"] == "EUR"));
    all.extend(euro.map(|(name, _)| {
        Breakage::new("no currency", Edit::remove(currencies.join(name))).or(currencies.clone())
    }));
    all
}

/// The client that is driven, and what it depends on.
fn callers(names: &RandomWorld, dice: &mut Dice) -> Vec<Breakage> {
    let caller = pointers::caller();
    let id = names.world.caller().client_id.clone();
    let own = pointers::tenant(&names.tenant).application(&id);
    let stranger = dice.guid();
    let mut all = vec![
        Breakage::new("a caller with a wrong secret", Edit::replace(caller.client_secret(), "wrong")),
        Breakage::new("a caller of another tenant", Edit::replace(caller.tenant(), dice.guid())),
        Breakage::new(
            "a caller that asks for nothing known",
            Edit::add(caller.resource(), "https://nowhere.example"),
        ),
        Breakage::new(
            "a caller that is not registered",
            Edit::replace(caller.client_id(), stranger.as_str()),
        )
        .or(pointers::tenant(&names.tenant).application(&stranger))
        .or(pointers::environment("onebox").aad_client(&stranger)),
        Breakage::new("the caller's application is disabled", Edit::replace(own.enabled(), false)),
    ];
    all.push(Breakage::new("the caller's application is gone", Edit::remove(own.setting())));
    all
}

/// What a person would fill in for a value that only a person knows.
///
/// # Panics
/// If no person knows one.
pub fn known_to_a_person(names: &RandomWorld, path: &Setting, dice: &mut Dice) -> Vec<Edit> {
    // A row that has to be added has a name of the person's own: here the collection comes back as it was.
    let collection = path.as_str().strip_suffix("/added").map(|text| Setting::from_pointer(text.to_owned()));
    let path = collection.as_ref().unwrap_or(path);
    if let Some(value) = names.world.get(path) {
        return vec![Edit::add(path.clone(), value.clone())];
    }
    let text = path.as_str();
    let value = if text.contains("/LocalMachine/My/") {
        // Their own certificate, under its own thumbprint; the next thing to change is the setting that names it.
        let thumbprint = names.thumbprint.to_string();
        let own = pointers::environment("onebox").stored_certificate("LocalMachine", "My", &thumbprint);
        let value = names.world.get(&own).cloned().unwrap_or_default();
        return vec![Edit::add(own.setting(), value)];
    } else if text.contains("/applications/") {
        let secret = names.world.caller().client_secret.as_str();
        json!({ "name": "new", "object_id": dice.guid(), "secrets": { "main": { "value": secret } } })
    } else if text.contains("/application_users/") {
        json!({ "id": dice.guid(), "roles": ["System Administrator"] })
    } else if text.contains("/SysAADClientTable/") {
        json!({ "Name": "new", "UserId": "Admin" })
    } else {
        panic!("nobody knows a value for {path}");
    };
    vec![Edit::add(path.clone(), value)]
}
