//! Settings that changed since the AOS read them at its last start.

use mocktenant_lab::Fact;
use mocktenant_verdict::Setting;
use mocktenant_world::World;
use serde_json::Value;

use crate::chain::{Chain, Deciding};
use crate::{Cause, Kind};

/// Inputs of the AOS's certificate lookup.
const CERTIFICATE: &[&str] = &["thumbprint", "certificate", "certificate-root", "certificate-user"];
/// Inputs that decide who the AOS says it is.
const IDENTITY: &[&str] = &["flight", "realm", "client-id"];

/// The inputs that could have turned the check that decided.
fn relevant_names(surface: &str, check: &str, via: Option<&str>) -> Vec<&'static str> {
    let metadata = &["metadata-url", "tenant-id"][..];
    let token = &["login-endpoint", "tenant-id"][..];
    match (surface, check) {
        ("aos", "dataverse-url-configured") => vec!["dataverse-url"],
        ("aos", "thumbprint-configured") => vec!["thumbprint"],
        ("aos", "certificate-found" | "private-key-present" | "private-key-readable") => CERTIFICATE.to_vec(),
        ("aos", "configuration-readable" | "metadata-reachable" | "metadata-readable") => metadata.to_vec(),
        ("aos", "token-issued") => token.to_vec(),
        ("aos", "dataverse-accepted") => vec!["dataverse-url"],
        ("aos", "token-issuer") => vec!["issuer", "tenant-guid"],
        ("aos", "token-tenant") => vec!["tenant-guid"],
        ("aos", "token-audience") => vec!["host-url"],
        ("aos", "token-signature") => metadata.to_vec(),
        ("entra", _) if via == Some("metadata-reachable") => metadata.to_vec(),
        ("entra", "application-registered" | "application-enabled" | "client-id") => IDENTITY.to_vec(),
        ("entra", "certificate-registered") => [IDENTITY, CERTIFICATE].concat(),
        ("entra", "tenant" | "assertion-audience") => token.to_vec(),
        ("entra", "resource") => vec!["dataverse-url"],
        ("entra", _) => CERTIFICATE.to_vec(),
        (
            "dataverse",
            "application-user-exists" | "application-user-enabled" | "application-user-roles" | "privilege",
        ) => IDENTITY.to_vec(),
        ("dataverse", _) => vec!["dataverse-url"],
        _ => match via {
            Some("metadata-reachable") => metadata.to_vec(),
            Some("token-issued") => token.to_vec(),
            Some("dataverse-accepted") => vec!["dataverse-url"],
            _ => Vec::new(),
        },
    }
}

/// The changed setting that decided, as a restart; for an exchange that was not refused, any changed setting.
pub(crate) fn relevant(chain: &Chain, deciding: Option<&Deciding>, world: &World) -> Option<Cause> {
    let Some(deciding) = deciding else {
        return chain.inputs().find_map(|fact| restart(chain, fact, world));
    };
    let check = deciding.check.as_ref().map_or("", |check| &*check.name);
    let names = relevant_names(&deciding.record.surface, check, deciding.via.as_deref());
    names.iter().find_map(|name| {
        chain.inputs().filter(|fact| fact.name == *name).find_map(|fact| restart(chain, fact, world))
    })
}

/// Every changed setting among the inputs.
pub(crate) fn all(chain: &Chain, world: &World) -> Vec<Cause> {
    chain.inputs().filter_map(|fact| restart(chain, fact, world)).collect()
}

fn restart(chain: &Chain, fact: &Fact, world: &World) -> Option<Cause> {
    let setting = fact.setting.as_ref()?;
    let read = fact.read_at_start.as_ref()?;
    let now = world.get(setting).cloned().unwrap_or(Value::Null);
    if now == *read {
        return None;
    }
    if chain.read_since(&fact.name) == Some(&now) {
        // Changed and read since: what this exchange met is no longer so.
        let cause = Cause::new(Kind::Wait, setting.clone(), world);
        return Some(cause.expected(shown(setting, &now)).actual(shown(setting, read)));
    }
    let (setting, read, now) = narrowed(setting.clone(), read, &now);
    let cause = Cause::new(Kind::Restart, setting.clone(), world);
    Some(cause.expected(shown(&setting, now)).actual(shown(&setting, read)))
}

/// The deepest member that alone differs: a key's readers rather than the whole certificate.
fn narrowed<'v>(
    mut setting: Setting,
    mut read: &'v Value,
    mut now: &'v Value,
) -> (Setting, &'v Value, &'v Value) {
    while let (Value::Object(before), Value::Object(after)) = (read, now) {
        let same_members = before.len() == after.len() && before.keys().all(|name| after.contains_key(name));
        let mut changed = before.iter().filter(|(name, value)| after.get(*name) != Some(value));
        let (Some((name, value)), None, true) = (changed.next(), changed.next(), same_members) else { break };
        setting = setting.join(name);
        (read, now) = (value, &after[name]);
    }
    (setting, read, now)
}

fn shown(setting: &Setting, value: &Value) -> String {
    match value {
        Value::Null => String::from("absent"),
        Value::String(text) if text.is_empty() => String::from("empty"),
        Value::String(text) => text.clone(),
        Value::Object(_) if setting.as_str().contains("/machine/certificates/") => {
            String::from("in the store")
        }
        other => other.to_string(),
    }
}
