//! Settings that changed since the AOS read them at its last start.

use mocktenant_lab::journal::Fact;
use mocktenant_verdict::Setting;
use mocktenant_world::World;
use serde_json::Value;

use crate::chain::{Chain, Deciding};
use crate::{Cause, Kind};

/// Inputs of the AOS's judgement of a bearer token.
const BEARER: &[&str] = &["host-url", "issuer", "tenant-guid", "metadata-url", "tenant-id", "audience-uris"];
/// Inputs of its certificate lookup.
const CERTIFICATE: &[&str] =
    &["thumbprint", "certificate", "certificate-root", "certificate-user", "dataverse-url"];
/// Inputs of its own token request, beyond the certificate.
const IDENTITY: &[&str] = &["realm", "flight", "tenant-id", "login-endpoint", "client-id"];

fn relevant_names(check: &str, surface: &str) -> Vec<&'static str> {
    match (surface, check) {
        ("aos", "dataverse-url-configured") => vec!["dataverse-url"],
        ("aos", "thumbprint-configured") => vec!["thumbprint"],
        ("aos", "certificate-found" | "private-key-present" | "private-key-readable") => CERTIFICATE.to_vec(),
        ("entra", _) | ("aos", "token-issued") => [CERTIFICATE, IDENTITY].concat(),
        ("dataverse", _) | ("aos", "dataverse-accepted") => [IDENTITY, &["dataverse-url"][..]].concat(),
        ("aos", _) => BEARER.to_vec(),
        _ => Vec::new(),
    }
}

/// The changed setting that decided, as a restart; for an exchange that was not refused, any changed setting.
pub(crate) fn relevant(chain: &Chain, deciding: Option<&Deciding>, world: &World) -> Option<Cause> {
    let Some(deciding) = deciding else {
        return chain.inputs().find_map(|fact| restart(fact, world));
    };
    let Some(check) = &deciding.check else {
        // A node that did not start: whatever it read may be the reason.
        return chain.inputs().find_map(|fact| restart(fact, world));
    };
    let names = relevant_names(&check.name, deciding.record.surface);
    names.iter().find_map(|name| {
        chain.inputs().filter(|fact| fact.name == *name).find_map(|fact| restart(fact, world))
    })
}

/// Every changed setting among the inputs.
pub(crate) fn all(chain: &Chain, world: &World) -> Vec<Cause> {
    chain.inputs().filter_map(|fact| restart(fact, world)).collect()
}

fn restart(fact: &Fact, world: &World) -> Option<Cause> {
    let setting = fact.setting.as_ref()?;
    let read = fact.read_at_start.as_ref()?;
    let now = world.get(setting).cloned().unwrap_or(Value::Null);
    if now == *read {
        return None;
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
