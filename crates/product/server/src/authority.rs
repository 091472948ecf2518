//! The lab's CA in its state directory: read, or made once however many labs start at once.
//!
//! Decides when a saved CA is used, renewed or replaced, and which names the two roots speak for. A reader needs no lock:
//! the keys are one file, renamed into place after `ca.pem`. A writer takes the short lock and reads again under it, so
//! fifty first starts make one CA. A lab that shares the directory with a living `serve` never replaces that one's CA: it
//! makes one for itself and keeps it in memory.

use std::fs;
use std::path::Path;

use mocktenant_keys::{CaFiles, CaNames, IpNet, LabCa};
use time::OffsetDateTime;

use crate::error::StartError;
use crate::state::{Home, StateDir, holds, write_private};

/// Keys and certificates of both branches, secret.
const KEYS_FILE: &str = "ca-keys.pem";
/// Both roots.
pub(crate) const ROOTS_FILE: &str = "ca.pem";
/// Both roots and the system's.
pub(crate) const BUNDLE_FILE: &str = "ca-bundle.pem";

/// Microsoft's domains: names below them belong to the `real-names` root, which nobody should install for long.
const MICROSOFT: [&str; 14] = [
    "accesscontrol.windows.net",
    "azure.com",
    "azure.net",
    "azure.us",
    "dynamics.cn",
    "dynamics.com",
    "microsoft.com",
    "microsoftazure.us",
    "microsoftdynamics.us",
    "microsoftonline.cn",
    "microsoftonline.com",
    "microsoftonline.us",
    "office.com",
    "windows.net",
];

/// Where a bundle of the system's roots usually is: Debian, Fedora, openSUSE, RHEL, Alpine and the BSDs, macOS.
const SYSTEM_BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cacert.pem",
];

/// A system bundle larger than this is left out: real ones have 250 KB.
const MAX_SYSTEM_BUNDLE: u64 = 4 * 1024 * 1024;

/// The names of a world and of its public URLs, sorted to the root that may speak for them.
pub(crate) fn ca_names<'n>(hosts: impl IntoIterator<Item = &'n str>) -> CaNames {
    let mut names = CaNames::default();
    for host in hosts {
        if let Ok(address) = host.parse() {
            names.local_ip.push(IpNet::single(address));
        } else if is_microsoft(host) {
            names.real_dns.push(host.to_owned());
        } else {
            names.local_dns.push(host.to_owned());
        }
    }
    names
}

fn is_microsoft(host: &str) -> bool {
    MICROSOFT
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|head| head.is_empty() || head.ends_with('.')))
}

/// The CA for these names: the saved one if it does, else a new or renewed one. The `serve` that holds the directory may
/// replace a saved one; others only while no `serve` lives there.
pub(crate) fn load(
    state: &StateDir,
    home: &Home,
    names: &CaNames,
    now: OffsetDateTime,
) -> Result<LabCa, StartError> {
    load_as(state, home.serves(), names, now)
}

/// The same without a lab: what a `serve` would have.
pub(crate) fn load_for_serve(
    state: &StateDir,
    names: &CaNames,
    now: OffsetDateTime,
) -> Result<LabCa, StartError> {
    load_as(state, true, names, now)
}

fn load_as(
    state: &StateDir,
    serves: bool,
    names: &CaNames,
    now: OffsetDateTime,
) -> Result<LabCa, StartError> {
    let whole = |ca: &LabCa| {
        ca.covers(names, now).is_ok() && holds(&state.root().join(ROOTS_FILE), ca.ca_pem().as_bytes())
    };
    if let Some(ca) = saved(state.root()).filter(whole) {
        return Ok(ca);
    }
    let _one_at_a_time = state.lock_briefly()?;
    let found = saved(state.root());
    let ca = match &found {
        None => {
            tracing::info!(roots = %state.root().join(ROOTS_FILE).display(), "a new certificate authority");
            LabCa::create(names, now)?
        }
        Some(found) => {
            let why = found.covers(names, now).err();
            let (renewed, replaced) = found.renewed(names, now)?;
            if let (Some(why), false) = (why, replaced.is_empty()) {
                if !serves && state.seems_served() {
                    tracing::info!(%why, "a certificate authority of this lab's own");
                    return Ok(renewed);
                }
                let roots = state.root().join(ROOTS_FILE);
                tracing::warn!(
                    %why,
                    "a new root certificate; clients that were given the old one need {} again",
                    roots.display(),
                );
            }
            renewed
        }
    };
    // The keys last: whoever finds them finds the roots.
    write_private(&state.root().join(ROOTS_FILE), ca.ca_pem().as_bytes())?;
    write_private(&state.root().join(KEYS_FILE), ca.to_files().to_bundle().as_bytes())?;
    Ok(ca)
}

fn saved(root: &Path) -> Option<LabCa> {
    let path = root.join(KEYS_FILE);
    let text = fs::read_to_string(&path).ok()?;
    let ca = CaFiles::from_bundle(&text).map(|files| LabCa::from_files(&files));
    match ca {
        Some(Ok(ca)) => Some(ca),
        Some(Err(error)) => {
            tracing::warn!(path = %path.display(), %error, "the saved certificate authority is replaced");
            None
        }
        None => {
            tracing::warn!(path = %path.display(), "the saved certificate authority is damaged and is replaced");
            None
        }
    }
}

/// The lab's roots followed by the system's, if the system keeps them in one of the usual files.
pub(crate) fn with_system_roots(roots: &str) -> Option<Vec<u8>> {
    SYSTEM_BUNDLES.iter().find_map(|path| {
        let usable =
            fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= MAX_SYSTEM_BUNDLE);
        let system = usable.then(|| fs::read(path).ok()).flatten()?;
        let mut bundle = Vec::with_capacity(roots.len() + system.len());
        bundle.extend_from_slice(roots.as_bytes());
        bundle.extend_from_slice(&system);
        Some(bundle)
    })
}

#[cfg(test)]
mod tests {
    use mocktenant_keys::Branch;

    use super::*;

    fn now() -> OffsetDateTime {
        mocktenant_lab::real_now()
    }

    #[test]
    fn microsoft_names_go_to_their_own_root() {
        let names = ca_names([
            "login.windows.net",
            "contoso.crm4.dynamics.com",
            "notmicrosoft.com",
            "ax",
            "10.1.1.1",
        ]);
        assert_eq!(names.real_dns, ["login.windows.net", "contoso.crm4.dynamics.com"]);
        assert_eq!(names.local_dns, ["notmicrosoft.com", "ax"]);
        assert_eq!(names.local_ip.len(), 1);
    }

    #[test]
    fn fifty_first_starts_at_once_make_one_ca() {
        let scratch = tempfile::tempdir().unwrap();
        let names = ca_names(["login.windows.net"]);
        let roots: Vec<String> = std::thread::scope(|scope| {
            let start = |index: usize| {
                let (path, names) = (scratch.path(), &names);
                scope.spawn(move || {
                    let state = StateDir::open(path).unwrap();
                    let home = state.run(&format!("i{index}")).unwrap();
                    load(&state, &home, names, now()).unwrap().ca_pem()
                })
            };
            let threads: Vec<_> = (0..50).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(roots.iter().all(|root| *root == roots[0]));
        assert_eq!(fs::read_to_string(scratch.path().join(ROOTS_FILE)).unwrap(), roots[0]);
    }

    #[test]
    fn only_the_root_that_lacks_a_name_is_replaced_and_damage_is_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let home = state.hold("one").unwrap();
        let first = load(&state, &home, &ca_names(["login.windows.net"]), now()).unwrap();
        let wider = load(&state, &home, &ca_names(["login.windows.net", "ax.contoso.com"]), now()).unwrap();
        assert_eq!(first.root(Branch::RealNames), wider.root(Branch::RealNames));
        assert_ne!(first.root(Branch::Local), wider.root(Branch::Local));
        for damage in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            fs::write(scratch.path().join(KEYS_FILE), damage).unwrap();
            let new = load(&state, &home, &ca_names(["login.windows.net"]), now()).unwrap();
            assert_eq!(saved(scratch.path()).unwrap().ca_pem(), new.ca_pem());
        }
    }

    #[test]
    fn a_lab_beside_a_serve_leaves_its_ca_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let serving = state.hold("serve").unwrap();
        let theirs = load(&state, &serving, &ca_names(["login.windows.net"]), now()).unwrap();
        write_private(&scratch.path().join(crate::state::SETTINGS_FILE), b"{}").unwrap();
        let beside = state.run("beside").unwrap();
        let ours = load(&state, &beside, &ca_names(["ax.contoso.com"]), now()).unwrap();
        assert_ne!(ours.root(Branch::Local), theirs.root(Branch::Local));
        assert_eq!(saved(scratch.path()).unwrap().ca_pem(), theirs.ca_pem());
    }
}
