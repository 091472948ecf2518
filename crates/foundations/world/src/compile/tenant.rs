//! One tenant with its applications.
//!
//! Decides what an application is once its secrets and certificates are parsed. Never decides whether a client may use
//! them.

use std::collections::HashMap;
use std::sync::Arc;

use mocktenant_keys::Certificate;
use mocktenant_verdict::Setting;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Before, Distinct, Problems, guid, host, thumbprint_is, unusable};
use crate::compiled::{Application, Secret, Tenant};
use crate::declaration;
use crate::material;
use crate::nearest::{clip, one_of};
use crate::problem::Problem;

/// Compiles one tenant; applications that are declared as before are shared with `before`.
pub(crate) fn tenant(
    id: &str,
    declared: &declaration::Tenant,
    before: Option<&Before<'_, declaration::Tenant, Tenant>>,
    problems: &mut Problems,
) -> Tenant {
    let pointer = Setting::of(["tenants", id]);
    guid(id, pointer.clone(), problems);
    if declared.domains.is_empty() {
        problems.push(
            Problem::new(pointer.join("domains"), "a tenant has at least its initial domain")
                .hint(Some("for instance `contoso.onmicrosoft.com`".to_owned())),
        );
    }
    for domain in &declared.domains {
        host(domain, pointer.join("domains").join(domain), problems);
    }
    let signing = signing(declared, &pointer, problems);

    let mut object_ids = Distinct::new("object id");
    let mut applications = HashMap::with_capacity(declared.applications.len());
    for (client_id, written) in &declared.applications {
        let at = pointer.join("applications").join(client_id);
        object_ids.claim(&written.object_id, at.join("object_id"), problems);
        for resource in written.granted_roles.keys() {
            if !declared.applications.contains_key(resource) {
                problems.push(
                    Problem::new(
                        at.join("granted_roles").join(resource),
                        format!(
                            "there is no application `{}` in this tenant to have roles on",
                            clip(resource)
                        ),
                    )
                    .hint(one_of(resource, declared.applications.keys().map(String::as_str))),
                );
            }
        }
        let was = before.and_then(|before| {
            Some(Before {
                declared: before.declared.applications.get(client_id)?,
                compiled: before.compiled.applications.get(client_id)?,
            })
        });
        let compiled = match &was {
            Some(was) if was.declared == written => Arc::clone(was.compiled),
            _ => Arc::new(application(client_id, written, at, was.as_ref(), problems)),
        };
        applications.insert(client_id.clone(), compiled);
    }
    Tenant {
        id: id.to_owned(),
        name: declared.name.clone(),
        domains: declared.domains.clone(),
        region: declared.region.clone(),
        signing,
        applications,
        pointer,
    }
}

fn signing(
    declared: &declaration::Tenant,
    pointer: &Setting,
    problems: &mut Problems,
) -> Vec<mocktenant_keys::Identity> {
    let at = pointer.join("signing_keys");
    if declared.signing_keys.is_empty() {
        problems.push(
            Problem::new(at.clone(), "a tenant signs with at least one key")
                .hint(Some("for instance `shipped:token-signing`".to_owned())),
        );
    }
    let mut identities = Vec::with_capacity(declared.signing_keys.len());
    for text in &declared.signing_keys {
        match material::identity(text) {
            Ok(identity) => identities.push(identity),
            // A bundle would make a pointer nobody can read, and would print a private key.
            Err(why) if text.starts_with("shipped:") => problems.push(unusable(why, at.join(text))),
            Err(why) => problems.push(unusable(why, at.clone())),
        }
    }
    identities
}

fn application(
    client_id: &str,
    declared: &declaration::Application,
    pointer: Setting,
    before: Option<&Before<'_, declaration::Application, Arc<Application>>>,
    problems: &mut Problems,
) -> Application {
    guid(client_id, pointer.clone(), problems);
    guid(&declared.object_id, pointer.join("object_id"), problems);
    let token_version = match declared.requested_access_token_version {
        None | Some(1) => 1,
        Some(2) => 2,
        Some(other) => {
            problems.push(
                Problem::new(
                    pointer.join("requested_access_token_version"),
                    format!("there are no access tokens of version {other}"),
                )
                .hint(Some("1 or 2".to_owned())),
            );
            1
        }
    };
    for resource in declared.granted_roles.keys() {
        guid(resource, pointer.join("granted_roles").join(resource), problems);
    }
    let secrets = declared
        .secrets
        .iter()
        .map(|(name, secret)| Secret {
            name: name.clone(),
            value: secret.value.clone(),
            expires: secret.expires.as_deref().and_then(|text| {
                expiry(text, || pointer.join("secrets").join(name).join("expires"), problems)
            }),
        })
        .collect();
    let mut certificates = Vec::with_capacity(declared.certificates.len());
    for (key, written) in &declared.certificates {
        let at = pointer.join("certificates").join(key);
        let parsed_before = before
            .filter(|before| before.declared.certificates.get(key) == Some(written))
            .and_then(|before| by_thumbprint(&before.compiled.certificates, key));
        if let Some(certificate) = parsed_before {
            certificates.push(certificate.clone());
            continue;
        }
        match material::certificate(&written.certificate) {
            Ok(certificate) => {
                thumbprint_is(key, &certificate.thumbprint(), &at, problems);
                if let Err(error) = certificate.public_key() {
                    problems.push(Problem::new(
                        at.join("certificate"),
                        format!("an application's certificate needs an RSA key: {error}"),
                    ));
                }
                certificates.push(certificate);
            }
            Err(why) => problems.push(unusable(why, at.join("certificate"))),
        }
    }
    Application {
        client_id: client_id.to_owned(),
        name: declared.name.clone(),
        object_id: declared.object_id.clone(),
        enabled: declared.enabled,
        first_party: declared.first_party,
        public_client: declared.public_client,
        identifier_uris: declared.identifier_uris.clone(),
        token_version,
        secrets,
        certificates,
        granted_roles: declared
            .granted_roles
            .iter()
            .map(|(key, roles)| (key.clone(), roles.clone()))
            .collect(),
        redirect_uris: declared.redirect_uris.clone(),
        pointer,
    }
}

fn by_thumbprint<'c>(certificates: &'c [Certificate], key: &str) -> Option<&'c Certificate> {
    let wanted = mocktenant_keys::Thumbprint::from_hex(key)?;
    certificates.iter().find(|certificate| certificate.thumbprint() == wanted)
}

fn expiry(text: &str, pointer: impl FnOnce() -> Setting, problems: &mut Problems) -> Option<OffsetDateTime> {
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(time) => Some(time),
        Err(error) => {
            problems.push(
                Problem::new(pointer(), format!("`{}` is not a time: {error}", clip(text)))
                    .hint(Some("write it as `2020-01-01T00:00:00Z`".to_owned())),
            );
            None
        }
    }
}
