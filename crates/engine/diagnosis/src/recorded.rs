//! The cause as the records alone tell it: for a journal file, when the lab and its world are gone.
//!
//! Decides by the check that decided: its settings, expected and actual, and its own words for a change. Where the AOS made
//! the refused call, the cause is the input it made the call with, by the setting the record says it was read from. Looks
//! nothing up: it knows no file and line, proposes no edit, and leaves undecided what only a world can tell (which
//! application holds a certificate, whether a claim is genuine). Ties are settled as the design, section 6, says.

use mocktenant_keys::PastedThumbprint;
use mocktenant_verdict::{Check, Setting};
use mocktenant_world::pointers;

use crate::chain::{Chain, Deciding};
use crate::knowledge::ERP;
use crate::{Cause, Kind, cause};

/// Checks that ask whether something is there, and whose first setting is that thing.
const PRESENCE: &[&str] = &[
    "private-key-present",
    "application-registered",
    "certificate-registered",
    "application-mapped",
    "application-user-exists",
];

/// The cause of a refusal.
pub(crate) fn of(chain: &Chain, deciding: &Deciding) -> Cause {
    let check = cause::asked(chain, deciding);
    let (kind, setting) = named(chain, deciding, &check);
    Cause {
        kind,
        setting,
        origin: None,
        expected: check.expected.to_string(),
        actual: check.actual.to_string(),
        advice: check.change,
        change: Vec::new(),
    }
}

fn named(chain: &Chain, deciding: &Deciding, check: &Check) -> (Kind, Setting) {
    let own = check.settings.first();
    let used = input(chain, deciding, check).and_then(|name| chain.input(name)?.setting.as_ref());
    if let Some(setting) = used {
        return (Kind::Setting, setting.clone());
    }
    let via = deciding.via.as_deref();
    match (via, &*check.name) {
        (_, "certificate-found") if names_a_certificate(chain) => {
            // No world can say that the thumbprint is the odd one: then it is the store that lacks something.
            let stored = check.settings.last().cloned();
            return (Kind::Missing, stored.unwrap_or_else(|| environment(chain)));
        }
        (Some("token-issued"), "assertion-time") => {
            return (Kind::Setting, pointers::environment(chain.environment().unwrap_or_default()).clock());
        }
        (Some("dataverse-accepted"), "token-signature" | "token-time") => {
            // The AOS goes on with a token it was given before something changed: a restart drops it.
            let asked_as = chain.input("client-id").and_then(|fact| fact.setting.clone());
            return (Kind::Restart, asked_as.unwrap_or_else(|| environment(chain)));
        }
        _ => {}
    }
    let callers = cause::member_of_caller(check, &deciding.record);
    match own {
        Some(own) if PRESENCE.contains(&&*check.name) => (Kind::Missing, own.clone()),
        Some(own) if via.is_some() || is_a_switch(own) || check.name == "secret-in-date" => {
            (Kind::Setting, own.clone())
        }
        // What the AOS asks for is never its caller's fault.
        None if via.is_some() => (Kind::Setting, environment(chain)),
        Some(own) if callers == pointers::caller().setting() => (Kind::Setting, own.clone()),
        _ => (Kind::Caller, callers),
    }
}

/// The input of the AOS that a call was made with, where that is what was refused.
fn input(chain: &Chain, deciding: &Deciding, check: &Check) -> Option<&'static str> {
    let metadata = || if is_empty(chain, "tenant-id") { "tenant-id" } else { "metadata-url" };
    let name = match (deciding.via.as_deref(), &*deciding.record.surface, &*check.name) {
        (Some("metadata-reachable" | "token-issued"), "entra", "tenant") => "tenant-id",
        (Some("metadata-reachable"), ..) | (None, "aos", "metadata-reachable" | "metadata-readable") => {
            metadata()
        }
        (Some("token-issued"), "entra", name) => return token_input(chain, deciding, check, name),
        (Some("token-issued"), ..) | (None, "aos", "token-issued") => "login-endpoint",
        (Some("dataverse-accepted"), "dataverse", name)
            if name.starts_with("application-user")
                || ["privilege", "token-signature", "token-time"].contains(&name) =>
        {
            return None;
        }
        // A row the write refers to is a setting of the check's own.
        (None, "aos", "dataverse-accepted")
            if check.settings.first().is_some_and(|setting| setting.as_str().contains("/records/")) =>
        {
            return None;
        }
        (Some("dataverse-accepted"), ..)
        | (None, "aos", "dataverse-accepted" | "dataverse-url-configured") => "dataverse-url",
        _ => return None,
    };
    Some(name)
}

/// The same where Entra gave the AOS no token.
fn token_input(chain: &Chain, deciding: &Deciding, check: &Check, name: &str) -> Option<&'static str> {
    let as_erp = || {
        let asked = deciding.record.fact("client-id").or_else(|| chain.input("client-id"));
        asked.is_some_and(|fact| fact.value.eq_ignore_ascii_case(ERP))
    };
    let flight_is_off = || chain.input("flight").is_some_and(|fact| &*fact.value == "off");
    Some(match name {
        // 700027 on 00000015-...: the flight if off, else Aad.Realm.
        "certificate-registered" if as_erp() && flight_is_off() => "flight",
        "certificate-registered" if as_erp() => "realm",
        "client-id" | "assertion-issuer" | "assertion-subject" | "assertion-client-id" => "realm",
        "resource" if !check.settings.first().is_some_and(is_a_switch) => "dataverse-url",
        "certificate-in-date" => "certificate",
        "resource"
        | "application-registered"
        | "application-enabled"
        | "certificate-registered"
        | "assertion-time" => return None,
        _ => "login-endpoint",
    })
}

fn is_a_switch(setting: &Setting) -> bool {
    setting.as_str().ends_with("/enabled")
}

fn is_empty(chain: &Chain, input: &str) -> bool {
    chain.input(input).is_some_and(|fact| fact.value.is_empty())
}

/// Whether the thumbprint is one, as the AOS reads it.
fn names_a_certificate(chain: &Chain) -> bool {
    chain.input("thumbprint").is_some_and(|fact| PastedThumbprint::read(&fact.value).thumbprint.is_some())
}

fn environment(chain: &Chain) -> Setting {
    pointers::environment(chain.environment().unwrap_or_default()).setting()
}
