//! From what a person wrote to what the surfaces read.
//!
//! Decides whether a declaration is a world: shapes of ids and hosts, references, certificates and keys that read and
//! belong together, names that would be ambiguous. Lists every problem with its pointer and the nearest valid value.
//! Never decides whether a world is *healthy*: a thumbprint that names nothing, an expired secret or a SysAADClientTable
//! row without its user are worlds, and most of them are scenarios.

mod environment;
mod federation_service;
mod organization;
mod redirect_uri;
mod tenant;

use std::collections::HashMap;
use std::sync::Arc;

use mocktenant_verdict::Setting;
use time::Duration;

pub(crate) use environment::environment;
pub(crate) use federation_service::federation_service;
pub(crate) use organization::organization;
pub(crate) use tenant::tenant;

use crate::clock_offset;
use crate::compiled::{Environment, IdentityProvider, Organization, Tenant};
use crate::declaration::Caller;
use crate::federation_service::FederationService;
use crate::is_guid;
use crate::material::Unusable;
use crate::parts::Parts;
use crate::pointers;
use mocktenant_patch::Problem;
use mocktenant_patch::nearest::{clip, one_of};

/// Everything that is wrong so far.
pub(crate) type Problems = Vec<Problem>;

/// Questions about environments and organisations together: their identity providers exist and their hosts differ.
pub(crate) fn hosts_and_providers(
    tenants: &Parts<Tenant>,
    federation_services: &Parts<FederationService>,
    environments: &Parts<Environment>,
    organizations: &Parts<Organization>,
    problems: &mut Problems,
) {
    let mut hosts = Distinct::new("host");
    for service in federation_services.iter() {
        hosts.claim(&service.host, service.pointer.host_name(), problems);
    }
    for environment in environments.iter() {
        let pointer = &environment.pointer;
        let (id, known) = match &environment.identity {
            IdentityProvider::Tenant(id) => (id, tenants.has(id)),
            IdentityProvider::FederationService(id) => (id, federation_services.has(id)),
        };
        if !known {
            let others = federation_services.ids();
            no_provider("identity provider", id, pointer.identity(), (tenants, others), problems);
        }
        hosts.claim(&environment.host, pointer.host(), problems);
        for node in &environment.nodes {
            if let Some(host) = &node.host {
                hosts.claim(host, node.pointer.host(), problems);
            }
        }
    }
    let mut ids = Distinct::new("organisation id");
    for organization in organizations.iter() {
        let pointer = &organization.pointer;
        if !tenants.has(&organization.tenant) {
            let nobody = std::iter::empty();
            no_provider("tenant", &organization.tenant, pointer.tenant(), (tenants, nobody), problems);
        }
        ids.claim(&organization.id, pointer.id(), problems);
        hosts.claim(&organization.host, pointer.host(), problems);
        hosts.claim(&organization.api_host, pointer.api_host(), problems);
    }
}

fn no_provider<'p>(
    what: &str,
    name: &str,
    pointer: Setting,
    (tenants, others): (&'p Parts<Tenant>, impl Iterator<Item = &'p str> + Clone),
    problems: &mut Problems,
) {
    let by_domain =
        tenants.iter().find(|tenant| tenant.domains.iter().any(|domain| domain.eq_ignore_ascii_case(name)));
    let hint = match by_domain {
        Some(tenant) => Some(format!("its tenant id is `{}`", tenant.id)),
        None => one_of(name, tenants.ids().chain(others)),
    };
    problems.push(Problem::new(pointer, format!("there is no {what} `{}`", clip(name))).hint(hint));
}

/// Verified domain to tenant id; no domain is verified twice.
pub(crate) fn domains(tenants: &Parts<Tenant>, problems: &mut Problems) -> HashMap<String, Arc<str>> {
    let mut distinct = Distinct::new("domain");
    let mut domains = HashMap::with_capacity(2 * tenants.len());
    for tenant in tenants.iter() {
        for domain in &tenant.domains {
            distinct.claim(domain, tenant.pointer.domain(domain), problems);
            domains.insert(domain.clone(), Arc::clone(&tenant.id));
        }
    }
    domains
}

/// The caller may be wrong in every way a client can be, also in whom it sends its users to; only the environment it calls has to be
/// there.
pub(crate) fn caller(caller: &Caller, environments: &Parts<Environment>, problems: &mut Problems) {
    let environment = &caller.environment;
    if !environments.has(environment) {
        problems.push(
            Problem::new(
                pointers::caller().environment(),
                format!("there is no environment `{}`", clip(environment)),
            )
            .hint(one_of(environment, environments.ids())),
        );
    }
    // A load that never ends is no test.
    if let Some(count) = caller.count.filter(|count| !(1..=1000).contains(count)) {
        problems.push(
            Problem::new(pointers::caller().count(), format!("`{count}` is not a number of requests"))
                .hint(Some("1 to 1000".to_owned())),
        );
    }
}

/// The offset of a clock; one that is absent is none.
fn clock(text: Option<&str>, pointer: impl FnOnce() -> Setting, problems: &mut Problems) -> Duration {
    let Some(text) = text else { return Duration::ZERO };
    clock_offset::parse(text, &pointer()).unwrap_or_else(|problem| {
        problems.push(problem);
        Duration::ZERO
    })
}

/// Values that may be there once, each with the place that had it first.
struct Distinct<'d> {
    what: &'static str,
    first: HashMap<&'d str, Setting>,
}

impl<'d> Distinct<'d> {
    fn new(what: &'static str) -> Self {
        Self { what, first: HashMap::new() }
    }

    fn claim(&mut self, value: &'d str, pointer: Setting, problems: &mut Problems) {
        match self.first.get(value) {
            Some(first) => problems.push(Problem::new(
                pointer,
                format!("the {} `{}` is already at {first}", self.what, clip(value)),
            )),
            None => {
                self.first.insert(value, pointer);
            }
        }
    }
}

/// A lower-case GUID in the usual form.
fn guid(value: &str, pointer: Setting, problems: &mut Problems) {
    if is_guid(value) && !value.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return;
    }
    let folded = value.trim().trim_matches(['{', '}']).to_ascii_lowercase();
    let hint = if is_guid(&folded) {
        format!("write it as `{folded}`")
    } else {
        "eight, four, four, four and twelve hex digits with hyphens, as `c0117050-0000-4000-8000-000000000001`".to_owned()
    };
    problems
        .push(Problem::new(pointer, format!("`{}` is not a lower-case GUID", clip(value))).hint(Some(hint)));
}

/// A lower-case DNS name of one or more labels (RFC 1123 section 2.1), without port.
fn host(value: &str, pointer: Setting, problems: &mut Problems) {
    let label = |label: &str| {
        matches!(label.len(), 1..=63)
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if value.len() <= 253 && value.split('.').all(label) {
        return;
    }
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest);
    let bare = bare.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let hint = (!bare.is_empty() && bare.len() <= 253 && bare.split('.').all(label))
        .then(|| format!("write it as `{bare}`"));
    problems
        .push(Problem::new(pointer, format!("`{}` is not a lower-case host name", clip(value))).hint(hint));
}

/// A short name that command lines and URLs can carry.
fn short_name(value: &str, pointer: Setting, problems: &mut Problems) {
    let fine = matches!(value.len(), 1..=64)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !fine {
        problems.push(
            Problem::new(pointer, format!("`{}` is not a short name", clip(value)))
                .hint(Some("one to 64 letters, digits, `-`, `_` or `.`".to_owned())),
        );
    }
}

/// One of a few names.
fn name_of(value: &str, known: &[&str], pointer: Setting, problems: &mut Problems) {
    if !known.contains(&value) {
        problems.push(
            Problem::new(pointer, format!("`{}` is not a value here", clip(value)))
                .hint(one_of(value, known.iter().copied())),
        );
    }
}

/// The key of a certificate's entry must be the certificate's thumbprint, or the entry would lie.
fn thumbprint_is(
    key: &str,
    actual: &mocktenant_keys::Thumbprint,
    pointer: &Setting,
    problems: &mut Problems,
) {
    let actual = actual.to_string();
    if key != actual {
        problems.push(
            Problem::new(
                pointer.clone(),
                format!("the certificate here has another thumbprint than `{}`", clip(key)),
            )
            .hint(Some(format!("its thumbprint is `{actual}`"))),
        );
    }
}

fn unusable((message, hint): Unusable, pointer: Setting) -> Problem {
    Problem::new(pointer, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(ask: impl FnOnce(&mut Problems)) -> Vec<String> {
        let mut problems = Vec::new();
        ask(&mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_id_is_a_lower_case_guid_and_the_hint_spells_it() {
        let at = || Setting::fixed("/x");
        assert!(problems(|p| guid("c0117050-0000-4000-8000-000000000001", at(), p)).is_empty());
        let found = problems(|p| guid("{C0117050-0000-4000-8000-00000000000A}", at(), p));
        assert!(found[0].contains("write it as `c0117050-0000-4000-8000-00000000000a`"), "{found:?}");
        for bad in ["", "c0117050", "c0117050-0000-4000-8000-00000000000g", &"é".repeat(18)] {
            assert_eq!(problems(|p| guid(bad, at(), p)).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_host_is_a_name_and_not_a_url() {
        let at = || Setting::fixed("/x");
        for good in ["localhost", "aos", "contoso.crm4.dynamics.com", "a-b.test", "127.0.0.1"] {
            assert!(problems(|p| host(good, at(), p)).is_empty(), "{good}");
        }
        let found = problems(|p| host("https://Contoso.crm4.dynamics.com:443/", at(), p));
        assert!(found[0].contains("write it as `contoso.crm4.dynamics.com`"), "{found:?}");
        for bad in ["", ".", "a..b", "-a.b", "a_b", "a b", &"a".repeat(64), "é.test"] {
            assert_eq!(problems(|p| host(bad, at(), p)).len(), 1, "{bad}");
        }
    }
}
