//! One tenant with its applications and users.
//!
//! Decides what an application is once its secrets and certificates are parsed, and which names a user can have. Never
//! decides whether a client or a person may use them.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use mocktenant_keys::{Certificate, KeyError};
use mocktenant_verdict::Setting;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Distinct, Problems, clock, guid, host, thumbprint_is, unusable};
use crate::compiled::{Application, Secret, Tenant};
use crate::declaration::{self, ApplicationCertificate, Assigned};
use crate::material;
use crate::pointers;
use mocktenant_patch::Problem;
use mocktenant_patch::nearest::{clip, one_of};

/// Compiles one tenant; applications and signing keys that are declared as before are shared with `before`.
pub(crate) fn tenant(
    id: &Arc<str>,
    declared: Arc<declaration::Tenant>,
    before: Option<&Tenant>,
    problems: &mut Problems,
) -> Tenant {
    let pointer = pointers::tenant(id);
    guid(id, pointer.setting(), problems);
    if declared.domains.is_empty() {
        problems.push(
            Problem::new(pointer.domains(), "a tenant has at least its initial domain")
                .hint("for instance `contoso.onmicrosoft.com`".to_owned()),
        );
    }
    for domain in &declared.domains {
        host(domain, pointer.domain(domain), problems);
    }
    let signing = match before {
        Some(before) if before.signing_keys == declared.signing_keys => before.signing.clone(),
        _ => signing(&declared, &pointer, problems),
    };
    let mut object_ids = Distinct::new("object id");
    let mut applications = HashMap::with_capacity(declared.applications.len());
    for (client_id, written) in &declared.applications {
        let at = pointer.application(client_id);
        object_ids.claim(&written.object_id, at.object_id(), problems);
        granted(written, &declared, &at, problems);
        let was = before.and_then(|before| before.applications.get(client_id));
        let compiled = match was {
            Some(was) if Arc::ptr_eq(&was.declared, written) => Arc::clone(was),
            _ => Arc::new(application(client_id, written, &at, was.map(Arc::as_ref), problems)),
        };
        applications.insert(client_id.clone(), compiled);
    }
    for (name, written) in &declared.users {
        let at = pointer.user(name);
        guid(&written.object_id, at.object_id(), problems);
        object_ids.claim(&written.object_id, at.object_id(), problems);
        user_name(name, &declared.domains, &at, problems);
    }
    managed_identities(&declared, &pointer, problems);
    Tenant {
        id: Arc::clone(id),
        signing,
        applications,
        clock: clock(declared.clock.as_deref(), || pointer.clock(), problems),
        pointer,
        declared,
    }
}

/// One machine has one identity of its own, and a resource id is one identity's. That an identity's application is there
/// nobody asks: it may have been deleted under the machine.
fn managed_identities(declared: &declaration::Tenant, pointer: &pointers::Tenant, problems: &mut Problems) {
    let mut own: Option<&str> = None;
    let folded: Vec<(&String, String)> = (declared.managed_identities.iter())
        .map(|(client_id, identity)| (client_id, identity.resource_id.to_ascii_lowercase()))
        .collect();
    let mut resource_ids = Distinct::new("resource id");
    for (client_id, resource_id) in &folded {
        let at = pointer.managed_identity(client_id);
        guid(client_id, at.setting(), problems);
        resource_ids.claim(resource_id, at.resource_id(), problems);
        if !resource_id.starts_with("/subscriptions/") {
            problems.push(
                Problem::new(
                    at.resource_id(),
                    format!("`{}` is not an Azure resource id", clip(resource_id)),
                )
                .hint("it begins with `/subscriptions/` and the subscription's id".to_owned()),
            );
        }
        if declared.managed_identities[*client_id].assigned == Assigned::System
            && let Some(first) = own.replace(client_id)
        {
            problems.push(
                Problem::new(
                    at.assigned(),
                    format!("the machine's own identity is already `{}`", clip(first)),
                )
                .hint("`user` for every other one".to_owned()),
            );
        }
    }
}

/// Roles are granted on an application of the tenant, and are those it defines, if it says which.
fn granted(
    written: &declaration::Application,
    declared: &declaration::Tenant,
    at: &pointers::Application,
    problems: &mut Problems,
) {
    for (resource, roles) in &written.granted_roles {
        let Some(defines) = declared.applications.get(resource) else {
            let resource_name = clip(resource);
            problems.push(
                Problem::new(
                    at.granted_roles(resource),
                    format!("there is no application `{resource_name}` in this tenant to have roles on"),
                )
                .hint(one_of(resource, declared.applications.keys().map(String::as_str))),
            );
            continue;
        };
        let known = &defines.app_roles;
        for role in roles.iter().filter(|role| !known.is_empty() && !known.contains(role)) {
            let (role_name, resource_name) = (clip(role), clip(&defines.name));
            problems.push(
                Problem::new(
                    at.granted_roles(resource),
                    format!("`{resource_name}` defines no application role `{role_name}`"),
                )
                .hint(one_of(role, known.iter().map(String::as_str))),
            );
        }
    }
}

/// A user principal name: what Entra allows before the `@`, in lower case, and one of the tenant's domains after it.
fn user_name(name: &str, domains: &[String], pointer: &Setting, problems: &mut Problems) {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || b"'.-_!#^~".contains(&byte);
    let lower = name.to_ascii_lowercase();
    let (local, domain) = lower.split_once('@').unwrap_or((&lower, ""));
    if !matches!(local.len(), 1..=64) || !local.bytes().all(allowed) || domain.is_empty() {
        problems.push(
            Problem::new(pointer.clone(), format!("`{}` is not a user principal name", clip(name))).hint(
                "letters, digits or one of '.-_!#^~, then `@` and a domain: `ada@contoso.com`".to_owned(),
            ),
        );
    } else if !domains.iter().any(|known| known == domain) {
        problems.push(
            Problem::new(pointer.clone(), format!("`{}` is no domain of this tenant", clip(domain)))
                .hint(one_of(domain, domains.iter().map(String::as_str))),
        );
    } else if lower != name {
        problems.push(
            Problem::new(pointer.clone(), format!("`{}` is not in lower case", clip(name)))
                .hint(format!("write it as `{}`", clip(&lower))),
        );
    }
}

fn signing(
    declared: &declaration::Tenant,
    pointer: &pointers::Tenant,
    problems: &mut Problems,
) -> Vec<mocktenant_keys::Identity> {
    if declared.signing_keys.is_empty() {
        problems.push(
            Problem::new(pointer.signing_keys(), "a tenant signs with at least one key")
                .hint("for instance `shipped:token-signing`".to_owned()),
        );
    }
    let mut identities = Vec::with_capacity(declared.signing_keys.len());
    for text in &declared.signing_keys {
        match material::identity(text) {
            Ok(identity) => identities.push(identity),
            // A bundle would make a pointer nobody can read, and would print a private key.
            Err(why) if text.starts_with("shipped:") => {
                problems.push(unusable(why, pointer.signing_key(text)));
            }
            Err(why) => problems.push(unusable(why, pointer.signing_keys())),
        }
    }
    identities
}

fn application(
    client_id: &str,
    declared: &Arc<declaration::Application>,
    pointer: &pointers::Application,
    before: Option<&Application>,
    problems: &mut Problems,
) -> Application {
    guid(client_id, pointer.setting(), problems);
    guid(&declared.object_id, pointer.object_id(), problems);
    let token_version = match declared.requested_access_token_version {
        None | Some(1) => 1,
        Some(2) => 2,
        Some(other) => {
            problems.push(
                Problem::new(
                    pointer.requested_access_token_version(),
                    format!("there are no access tokens of version {other}"),
                )
                .hint("1 or 2".to_owned()),
            );
            1
        }
    };
    for resource in declared.granted_roles.keys() {
        guid(resource, pointer.granted_roles(resource), problems);
    }
    let secrets = declared
        .secrets
        .iter()
        .map(|(name, secret)| Secret {
            name: name.clone(),
            value: secret.value.clone(),
            expires: secret
                .expires
                .as_deref()
                .and_then(|text| expiry(text, || pointer.secret(name).expires(), problems)),
        })
        .collect();
    Application {
        client_id: client_id.to_owned(),
        token_version,
        secrets,
        certificates: certificates(
            &declared.certificates,
            |key| pointer.certificate(key),
            before.map(|before| (&before.declared.certificates, before.certificates.as_slice())),
            problems,
        ),
        pointer: pointer.clone(),
        declared: Arc::clone(declared),
    }
}

/// What certificates were declared, and what they were parsed to.
type Parsed<'b> = (&'b IndexMap<String, ApplicationCertificate>, &'b [Certificate]);

/// The certificates of an application; equal ones keep what was parsed before.
pub(super) fn certificates(
    declared: &IndexMap<String, ApplicationCertificate>,
    pointer: impl Fn(&str) -> pointers::Certificate,
    before: Option<Parsed<'_>>,
    problems: &mut Problems,
) -> Vec<Certificate> {
    let mut certificates = Vec::with_capacity(declared.len());
    for (key, written) in declared {
        let parsed_before = before
            .filter(|(declared, _)| declared.get(key) == Some(written))
            .and_then(|(_, parsed)| by_thumbprint(parsed, key));
        if let Some(certificate) = parsed_before {
            certificates.push(certificate.clone());
            continue;
        }
        let at = pointer(key);
        match material::certificate(&written.certificate) {
            Ok(certificate) => {
                thumbprint_is(key, &certificate.thumbprint(), &at, problems);
                // One on an elliptic curve is taken, as the portal takes it; whoever signs with it is refused.
                if let Err(error) = certificate.public_key()
                    && *error != KeyError::NotRsa
                {
                    problems.push(Problem::new(
                        at.certificate(),
                        format!("an application's certificate needs a key that can be used: {error}"),
                    ));
                }
                certificates.push(certificate);
            }
            Err(why) => problems.push(unusable(why, at.certificate())),
        }
    }
    certificates
}

fn by_thumbprint<'c>(certificates: &'c [Certificate], key: &str) -> Option<&'c Certificate> {
    let wanted = mocktenant_keys::Thumbprint::from_hex(key)?;
    certificates.iter().find(|certificate| certificate.thumbprint() == wanted)
}

pub(super) fn expiry(
    text: &str,
    pointer: impl FnOnce() -> Setting,
    problems: &mut Problems,
) -> Option<OffsetDateTime> {
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(time) => Some(time),
        Err(error) => {
            problems.push(
                Problem::new(pointer(), format!("`{}` is not a time: {error}", clip(text)))
                    .hint("write it as `2020-01-01T00:00:00Z`".to_owned()),
            );
            None
        }
    }
}
