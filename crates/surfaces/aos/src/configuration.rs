//! What an AOS takes from web.config, wif.config and its database when it starts.
//!
//! Decides which key means what: how `{0}` is filled (the tenant's GUID in the issuer, the tenant as written in the two
//! URLs), what the AOS's own client id is, which certificate places are consulted. Every input remembers the setting it
//! came from and the value read, so that a later edit can be told from what the node uses. Never reads anything again.

use std::sync::Arc;

use mocktenant_keys::{PastedThumbprint, Thumbprint};
use mocktenant_lab::{Fact, SharedFacts};
use mocktenant_verdict::{Change, Input as Use, Role, Setting, Text};
use mocktenant_world::{Environment, World};
use serde_json::Value;

use crate::advice::Advice;

/// The first-party application an AOS is when the flight is off.
pub(crate) const FIRST_PARTY: &str = "00000015-0000-0000-c000-000000000000";
/// The flight that makes the AOS use its own application towards Dataverse.
pub(crate) const FLIGHT: &str = "DualWriteUnoAuthenticationFnoToCds";

/// One value as read at the start.
#[derive(Clone, Debug)]
pub(crate) struct Input<T> {
    /// What the AOS makes of it.
    pub(crate) value: T,
    /// Where it was declared, or would be.
    pub(crate) setting: Setting,
    /// The declared value then; null if absent.
    pub(crate) read: Value,
}

impl<T> Input<T> {
    pub(crate) fn fact(&self, name: &'static str, role: Role, shown: &str) -> Fact {
        Fact::new(name, Arc::<str>::from(shown)).read(self.setting.clone(), self.read.clone()).role(role)
    }
}

/// A place in the machine's certificate stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StorePlace {
    pub(crate) fact: &'static str,
    pub(crate) location: &'static str,
    pub(crate) store: &'static str,
}

/// Where the service's own certificate belongs.
pub(crate) const MACHINE_MY: StorePlace =
    StorePlace { fact: "certificate", location: "LocalMachine", store: "My" };
/// Where the field report installs the `.cer`.
pub(crate) const MACHINE_ROOT: StorePlace =
    StorePlace { fact: "certificate-root", location: "LocalMachine", store: "Root" };
/// Where the field report's `New-SelfSignedCertificate` leaves the key.
pub(crate) const USER_MY: StorePlace =
    StorePlace { fact: "certificate-user", location: "CurrentUser", store: "My" };

/// What the world says the values that calls are made with should be. For advice alone.
#[derive(Clone, Debug)]
struct Known {
    tenant: Vec<Text>,
    dataverse: Option<Text>,
    /// What switches `Aad.Realm` on, while the flight is off.
    switch: Option<Change>,
}

/// Everything read at a start.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// `Infrastructure.HostUrl`.
    pub(crate) host_url: Input<String>,
    /// `Aad.AADIssuerNameFormat`.
    pub(crate) issuer_format: Input<String>,
    /// `Aad.TenantDomainGUID`.
    pub(crate) tenant_guid: Input<String>,
    /// `Aad.AADMetadataLocationFormat`.
    pub(crate) metadata_format: Input<String>,
    /// `Aad.AADTenantId`.
    pub(crate) tenant_id: Input<String>,
    /// `Aad.AADLoginWsfedEndpointFormat`.
    pub(crate) login_format: Input<String>,
    /// `Aad.Realm`.
    pub(crate) realm: Input<String>,
    /// `Infrastructure.S2SCertThumbprint`.
    pub(crate) thumbprint: Input<String>,
    /// `audienceUris` of wif.config: they judge interactive tokens, never these bearers.
    pub(crate) audience_uris: Input<Vec<String>>,
    /// The flight.
    pub(crate) flight: Input<bool>,
    /// `ExternalEnvironmentURL`.
    pub(crate) dataverse_url: Input<String>,
    /// What another product is told, and what the world knows to be right there.
    known: Known,
    /// What was in each certificate place the lookup consults, if the thumbprint names any.
    pub(crate) places: Vec<(StorePlace, Input<bool>)>,
}

impl Configuration {
    /// Reads an environment's files, database and stores.
    pub(crate) fn read(world: &World, environment: &Arc<Environment>) -> Self {
        let web = |key: &str| web_config(environment, key);
        let flight_setting = environment.pointer.flight(FLIGHT).enabled();
        let flight = environment.database.sys_flighting.get(FLIGHT).is_some_and(|flight| flight.enabled == 1);
        let advice = Advice::about(world, environment);
        let known = Known {
            tenant: advice.tenant_names().into_iter().map(Text::from).collect(),
            dataverse: advice.organization_url().map(Text::from),
            switch: (!flight).then(|| advice.flight(FLIGHT)),
        };
        let link = environment.database.dual_write.as_ref();
        let link = link.map_or("", |link| link.external_environment_url.as_str());
        let audiences: Vec<String> =
            environment.wif_config.iter().flat_map(|file| file.entries()).map(|entry| entry.value).collect();
        let thumbprint = web("Infrastructure.S2SCertThumbprint");
        let places = named_thumbprint(&thumbprint.value)
            .map(|named| {
                [MACHINE_MY, MACHINE_ROOT, USER_MY]
                    .into_iter()
                    .map(|place| (place, certificate(world, environment, place, named)))
                    .collect()
            })
            .unwrap_or_default();
        Self {
            host_url: web("Infrastructure.HostUrl"),
            issuer_format: web("Aad.AADIssuerNameFormat"),
            tenant_guid: web("Aad.TenantDomainGUID"),
            metadata_format: web("Aad.AADMetadataLocationFormat"),
            tenant_id: web("Aad.AADTenantId"),
            login_format: web("Aad.AADLoginWsfedEndpointFormat"),
            realm: web("Aad.Realm"),
            thumbprint,
            audience_uris: Input {
                setting: environment.pointer.audience_uris(),
                read: Value::from(audiences.clone()),
                value: audiences,
            },
            flight: Input { value: flight, read: declared(world, &flight_setting), setting: flight_setting },
            dataverse_url: Input {
                value: link.to_owned(),
                setting: environment.pointer.dataverse_url(),
                read: declared(world, &environment.pointer.dataverse_url()),
            },
            known,
            places,
        }
    }

    /// Where the federation metadata is.
    pub(crate) fn metadata_url(&self) -> String {
        filled(&self.metadata_format.value, &self.tenant_id.value)
    }

    /// The issuer a bearer token must have.
    pub(crate) fn issuer(&self) -> String {
        filled(&self.issuer_format.value, &self.tenant_guid.value)
    }

    /// The environment's URL as an audience: without its final slash.
    pub(crate) fn audience(&self) -> &str {
        let url = &self.host_url.value;
        url.strip_suffix('/').unwrap_or(url)
    }

    /// The v1 token endpoint: `None` if the login endpoint is no http or https URL.
    pub(crate) fn token_url(&self) -> Option<String> {
        let origin = origin(&self.login_format.value)?;
        Some(format!("{origin}/{}/oauth2/token", self.tenant_id.value))
    }

    /// Who the AOS is towards Dataverse.
    pub(crate) fn client_id(&self) -> &str {
        if self.flight.value {
            let realm = self.realm.value.trim();
            realm.strip_prefix("spn:").unwrap_or(realm)
        } else {
            FIRST_PARTY
        }
    }

    /// The setting the client id came from.
    pub(crate) fn client_id_setting(&self) -> &Setting {
        if self.flight.value { &self.realm.setting } else { &self.flight.setting }
    }

    /// Facts behind every judgement of a bearer token, each with the value as read: `{0}` is not filled in.
    pub(crate) fn bearer_facts(&self) -> SharedFacts {
        [
            self.host_url.fact("host-url", Role::Resource, &self.host_url.value),
            self.issuer_format.fact("issuer", Role::Authority, &self.issuer_format.value),
            self.tenant_guid.fact("tenant-guid", Role::Authority, &self.tenant_guid.value),
            self.metadata_format.fact("metadata-url", Role::Address, &self.metadata_format.value),
            self.tenant_id
                .fact("tenant-id", Role::Authority, &self.tenant_id.value)
                .used(Use::new(Role::Authority).known(self.known.tenant.clone())),
            self.audience_uris.fact("audience-uris", Role::Resource, &self.audience_uris.value.join(", ")),
        ]
        .into_iter()
        .collect()
    }

    /// Facts behind every delivery to Dataverse. `tenant-id` is already there from the bearer token.
    pub(crate) fn outbound_facts(&self) -> SharedFacts {
        let read = if self.flight.value { &self.realm.read } else { &self.flight.read };
        let client = Fact::new("client-id", Arc::<str>::from(self.client_id()))
            .read(self.client_id_setting().clone(), read.clone())
            .role(Role::Client);
        let mut realm = Use::new(Role::Client).written("spn:{}");
        if let Some(switch) = &self.known.switch {
            realm = realm.switched_on_by(switch.clone());
        }
        let places = self.places.iter().map(|(place, found)| {
            let is_in = if found.value { "in" } else { "not in" };
            found.fact(place.fact, Role::Key, &format!("{is_in} {}\\{}", place.location, place.store))
        });
        [
            self.login_format.fact("login-endpoint", Role::Address, &self.login_format.value),
            self.realm.fact("realm", Role::Client, &self.realm.value).used(realm),
            self.flight.fact("flight", Role::Client, if self.flight.value { "on" } else { "off" }),
            client,
            self.thumbprint.fact("thumbprint", Role::Key, &self.thumbprint.value).used(Use::new(Role::Key)),
        ]
        .into_iter()
        .chain(places)
        .chain([self
            .dataverse_url
            .fact("dataverse-url", Role::Resource, &self.dataverse_url.value)
            .used(Use::new(Role::Resource).known(self.known.dataverse.clone()))])
        .collect()
    }
}

/// The thumbprint a person meant: what the text names, hidden characters or not. Only for naming settings.
pub(crate) fn named_thumbprint(text: &str) -> Option<Thumbprint> {
    PastedThumbprint::read(text).intended
}

fn certificate(
    world: &World,
    environment: &Environment,
    place: StorePlace,
    thumbprint: Thumbprint,
) -> Input<bool> {
    let found = environment.stores.find(place.location, place.store, &thumbprint);
    let setting = found.map_or_else(
        || {
            environment
                .pointer
                .stored_certificate(place.location, place.store, &thumbprint.to_string())
                .into()
        },
        |stored| stored.pointer.setting(),
    );
    Input { value: found.is_some(), read: declared(world, &setting), setting }
}

/// One key of web.config. ASP.NET compares keys without case, so the setting is spelt as the file spells it.
fn web_config(environment: &Environment, key: &str) -> Input<String> {
    let mut entries = environment.web_config.iter().flat_map(|file| file.entries()).rev();
    match entries.find(|entry| entry.key.eq_ignore_ascii_case(key)) {
        Some(entry) => Input {
            setting: environment.pointer.web_config(&entry.key),
            read: Value::String(entry.value.clone()),
            value: entry.value,
        },
        None => {
            Input { setting: environment.pointer.web_config(key), read: Value::Null, value: String::new() }
        }
    }
}

fn declared(world: &World, setting: &Setting) -> Value {
    world.get(setting).cloned().unwrap_or(Value::Null)
}

pub(crate) fn filled(format: &str, tenant: &str) -> String {
    format.replace("{0}", tenant)
}

/// Scheme and authority of an http or https URL as written, without a final slash.
pub(crate) fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let known = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain =
        !authority.is_empty() && authority.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'{');
    (known && plain).then(|| &url[..scheme.len() + 3 + authority.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_format_is_what_stands_before_its_path() {
        assert_eq!(origin("https://login.windows.net/{0}/wsfed"), Some("https://login.windows.net"));
        assert_eq!(origin("HTTP://localhost:7443"), Some("HTTP://localhost:7443"));
        for bad in ["", "login.windows.net/{0}", "ftp://x/", "https:///x", "https://{0}/x", "https://a b/"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
