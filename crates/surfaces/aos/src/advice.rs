//! What an owner of an AOS would change where one of its questions fails, in the words of web.config and the stores.
//!
//! Decides from the world as it is now: which value the environment's own tenant, organisation and certificate stores say
//! is the right one, and what stands in for it where only a person knows. Asked for a failure alone, never for a decision:
//! an AOS accepts what its files and the metadata say, whatever stands here.

mod certificate;

use mocktenant_lab::Context;
use mocktenant_verdict::{Change, Need, Remedy};
use mocktenant_world::pointers::File;
use mocktenant_world::{Edit, Environment, Tenant, World};
use serde_json::json;

use crate::configuration::{Configuration, Input};

/// Endpoints of a genuine one-box, for settings that name none.
const LOGIN_FORMAT: &str = "https://login.windows.net/{0}/wsfed";
const METADATA_FORMAT: &str =
    "https://login.windows.net/{0}/FederationMetadata/2007-06/FederationMetadata.xml";
/// The issuer of v1 tokens.
pub(crate) const ISSUER_FORMAT: &str = "https://sts.windows.net/{0}/";
/// `flightServiceId` of Finance & Operations.
const FLIGHT_SERVICE: u64 = 12_719_367;

/// Everything advice is given from.
pub(crate) struct Advice<'c> {
    world: &'c World,
    /// The environment now, which may differ from what the node read.
    environment: &'c Environment,
    tenant: Option<&'c Tenant>,
}

impl<'c> Advice<'c> {
    /// `None` where the environment is no longer declared.
    pub(crate) fn of(context: &'c Context) -> Option<Self> {
        Some(Self::about(context.world(), context.world().environment(context.environment()?)?))
    }

    /// Advice on this environment of a world.
    pub(crate) fn about(world: &'c World, environment: &'c Environment) -> Self {
        let tenant = environment.identity.tenant().and_then(|id| world.tenant(id)).map(AsRef::as_ref);
        Self { world, environment, tenant }
    }

    /// Ways to write the environment's own tenant in `Aad.AADTenantId`, the usual one first.
    pub(crate) fn tenant_names(&self) -> Vec<String> {
        let names = |tenant: &Tenant| tenant.domains.iter().cloned().chain([tenant.id.to_string()]).collect();
        self.tenant.map(names).unwrap_or_default()
    }

    /// The URL of the organisation Dual Write is for, where the tenant has one and no other.
    pub(crate) fn organization_url(&self) -> Option<String> {
        let tenant = self.environment.identity.tenant();
        let mut own = self.world.organizations().filter(|one| Some(one.tenant.as_str()) == tenant);
        match (own.next(), own.next()) {
            (Some(only), None) => Some(format!("https://{}", only.host)),
            _ => None,
        }
    }

    /// What a start lacks: the file, or the first of its keys that is empty.
    pub(crate) fn incomplete(&self, configuration: &Configuration) -> Change {
        if self.environment.web_config.is_none() {
            let file = self.environment.pointer.file(File::WebConfig);
            let need = Need::add(file.clone(), "the environment's web.config");
            let need = need.stand_in([Edit::add(file.clone(), self.genuine_web_config())]);
            return Change::missing(file)
                .expected("a web.config")
                .actual("the environment has none")
                .need(need);
        }
        if configuration.tenant_id.value.is_empty() {
            return self.tenant_id(configuration);
        }
        self.metadata(configuration)
    }

    /// The address of the metadata as a genuine one-box has it; where it is that already, the tenant in it.
    pub(crate) fn metadata(&self, configuration: &Configuration) -> Change {
        if configuration.metadata_format.value != METADATA_FORMAT {
            return genuine(&configuration.metadata_format, METADATA_FORMAT);
        }
        self.tenant_id(configuration)
    }

    /// How the AOS's files name the tenant.
    fn tenant_id(&self, configuration: &Configuration) -> Change {
        let input = &configuration.tenant_id;
        let setting = input.setting.clone();
        let names = self.tenant_names();
        let change = match names.first() {
            Some(name) if !names.contains(&input.value) => {
                Change::set(setting, name.as_str()).expected(name.clone())
            }
            _ => Change::wrong(setting.clone()).need(Need::add(setting, "the tenant's id or a domain of it")),
        };
        change.actual(input.value.clone())
    }

    /// The link to Dataverse.
    pub(crate) fn link(&self, configuration: &Configuration) -> Change {
        let input = &configuration.dataverse_url;
        let setting = input.setting.clone();
        let change = match self.organization_url() {
            Some(url) => Change::set(setting, url.as_str()).expected(url),
            None => {
                Change::wrong(setting.clone()).need(Need::add(setting, "the URL of the linked organisation"))
            }
        };
        change.actual(input.value.clone())
    }

    /// What makes the AOS ask as the application of `Aad.Realm`.
    pub(crate) fn flight(&self, name: &str) -> Change {
        let flight = self.environment.pointer.flight(name);
        let change = Change::wrong(flight.enabled())
            .expected("1 (on): the AOS then uses Aad.Realm as its identity")
            .actual("off");
        if self.world.get(&flight).is_some() {
            return change.edit(Edit::add(flight.enabled(), 1));
        }
        // No such row: the whole of it.
        change.edit(Edit::add(flight.setting(), json!({ "Enabled": 1, "FlightServiceId": FLIGHT_SERVICE })))
    }

    /// A web.config for this environment that a person would recognise.
    fn genuine_web_config(&self) -> serde_json::Value {
        let tenant = self.tenant.map_or("", |tenant| &*tenant.id);
        let own = self.only_personal();
        let holder = own.and_then(|own| self.holder(&own));
        json!({
            "Infrastructure.HostUrl": format!("https://{}/", self.environment.host),
            "Infrastructure.S2SCertThumbprint": own.map(|own| own.to_string()).unwrap_or_default(),
            "Aad.AADIssuerNameFormat": ISSUER_FORMAT,
            "Aad.TenantDomainGUID": tenant,
            "Aad.AADTenantId": self.tenant_names().into_iter().next().unwrap_or_default(),
            "Aad.AADMetadataLocationFormat": METADATA_FORMAT,
            "Aad.AADLoginWsfedEndpointFormat": LOGIN_FORMAT,
            "Aad.Realm": holder.map(|holder| format!("spn:{holder}")).unwrap_or_default(),
        })
    }
}

/// The advice of a context as a remedy; nothing where there is none to give.
pub(crate) fn remedy<'c>(context: &'c Context, change: impl FnOnce(Advice<'c>) -> Option<Change>) -> Remedy {
    Advice::of(context).and_then(change).map(Remedy::here).unwrap_or_default()
}

/// The sign-in endpoint as a genuine one-box has it.
pub(crate) fn login_endpoint(configuration: &Configuration) -> Change {
    genuine(&configuration.login_format, LOGIN_FORMAT)
}

fn genuine(input: &Input<String>, value: &'static str) -> Change {
    Change::set(input.setting.clone(), value).expected(value).actual(input.value.clone())
}
