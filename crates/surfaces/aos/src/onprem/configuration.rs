//! What an AOS on-premises takes from `AXSF.Package.1.0.xml` when it starts.
//!
//! Decides which parameter means what, and whether a node's own file or the environment's says it. Both spellings of the `AAD`
//! parameters are one key to the file's reader. Every input remembers the setting it came from and the value read, so that a
//! later edit can be told from what the node uses: the file as read is what `AXSF.Package.Current.xml` holds in the field.
//! Never reads anything again.

use mocktenant_lab::SharedFacts;
use mocktenant_verdict::{Input as Use, Role, Setting};
use mocktenant_world::{Environment, Node};
use serde_json::Value;

use crate::configuration::{Input, filled};

/// Everything read at a start.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// `Aad.AADIssuerNameFormat`.
    pub(crate) issuer_format: Input<String>,
    /// `Aad.TenantDomainGUID`.
    pub(crate) tenant_guid: Input<String>,
    /// `Aad.AADMetadataLocationFormat`.
    pub(crate) metadata_format: Input<String>,
    /// `Aad.AADTenantId`.
    pub(crate) tenant_id: Input<String>,
    /// `Aad.AADValidAudience`.
    pub(crate) valid_audience: Input<String>,
    /// `Aad.TrustedServiceAppIds`.
    pub(crate) trusted_service_app_ids: Input<String>,
    /// `OpenIDConnect.ClientID`.
    pub(crate) client_id: Input<String>,
    /// `OpenIDConnect.Metadata`.
    pub(crate) openid_metadata: Input<String>,
    /// `Provisioning.AdminIdentityProvider`.
    pub(crate) admin_identity_provider: Input<String>,
}

impl Configuration {
    /// Reads a node's file.
    pub(crate) fn read(environment: &Environment, node: Option<&Node>) -> Self {
        let read = |key: &str| parameter(environment, node, key);
        Self {
            issuer_format: read("Aad.AADIssuerNameFormat"),
            tenant_guid: read("Aad.TenantDomainGUID"),
            metadata_format: read("Aad.AADMetadataLocationFormat"),
            tenant_id: read("Aad.AADTenantId"),
            valid_audience: read("Aad.AADValidAudience"),
            trusted_service_app_ids: read("Aad.TrustedServiceAppIds"),
            client_id: read("OpenIDConnect.ClientID"),
            openid_metadata: read("OpenIDConnect.Metadata"),
            admin_identity_provider: read("Provisioning.AdminIdentityProvider"),
        }
    }

    /// Where the federation metadata is.
    pub(crate) fn metadata_url(&self) -> String {
        filled(&self.metadata_format.value, &self.tenant_id.value)
    }

    /// The issuer an access token must have.
    pub(crate) fn issuer(&self) -> String {
        filled(&self.issuer_format.value, &self.tenant_guid.value)
    }

    /// Facts behind everything this node decides, each with the value as read.
    pub(crate) fn facts(&self) -> SharedFacts {
        [
            self.valid_audience.fact("valid-audience", Role::Resource, &self.valid_audience.value),
            self.issuer_format.fact("issuer", Role::Authority, &self.issuer_format.value),
            self.tenant_guid.fact("tenant-guid", Role::Authority, &self.tenant_guid.value),
            self.metadata_format.fact("metadata-url", Role::Address, &self.metadata_format.value),
            self.tenant_id.fact("tenant-id", Role::Authority, &self.tenant_id.value),
            self.openid_metadata.fact("openid-metadata-url", Role::Address, &self.openid_metadata.value),
            self.client_id
                .fact("client-id", Role::Client, &self.client_id.value)
                .used(Use::new(Role::Client)),
            self.trusted_service_app_ids.fact(
                "trusted-service-app-ids",
                Role::Client,
                &self.trusted_service_app_ids.value,
            ),
            self.admin_identity_provider.fact(
                "admin-identity-provider",
                Role::Authority,
                &self.admin_identity_provider.value,
            ),
        ]
        .into_iter()
        .collect()
    }
}

/// One parameter, where the node's own file says it otherwise than the environment's, from there.
fn parameter(environment: &Environment, node: Option<&Node>, key: &str) -> Input<String> {
    let own = node.filter(|node| node.declared.axsf.keys().any(|known| known.eq_ignore_ascii_case(key)));
    let file = node.map_or(environment.axsf.as_ref(), |node| node.axsf.as_ref());
    let found = file
        .and_then(|file| file.entries().into_iter().rev().find(|entry| entry.key.eq_ignore_ascii_case(key)));
    let at = |key: &str| -> Setting {
        match own {
            Some(node) => {
                let spelt = node.declared.axsf.keys().find(|known| known.eq_ignore_ascii_case(key));
                node.pointer.axsf(spelt.map_or(key, String::as_str))
            }
            None => environment.pointer.axsf(key),
        }
    };
    match found {
        Some(entry) => {
            Input { setting: at(&entry.key), read: Value::String(entry.value.clone()), value: entry.value }
        }
        None => Input { setting: at(key), read: Value::Null, value: String::new() },
    }
}
