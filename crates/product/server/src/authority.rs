//! The lab's CA in its state directory: read, or made once however many labs start at once.
//!
//! Decides when a saved CA is used, renewed or replaced, and which names the two roots speak for. A reader needs no lock:
//! the keys are one file, renamed into place after the roots. A writer takes the short lock and reads again under it, so
//! fifty first starts make one CA. A lab that shares the directory with a living `serve` never replaces that one's CA, and
//! one that is no `serve` never replaces one for its names: it makes one for itself and keeps it in memory.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use mocktenant_keys::{Branch, CaFiles, CaNames, IpNet, LabCa, WhyNot};
use time::OffsetDateTime;

use crate::error::StartError;
use crate::files::{self, Holds, holds, write_if_changed, write_private};
use crate::state::StateDir;

/// Keys and certificates of both branches, secret.
pub(crate) const KEYS_FILE: &str = "ca-keys.pem";
/// The `local` root: the one a person may install.
pub(crate) const LOCAL_FILE: &str = "ca.pem";
/// The `real-names` root: whoever trusts it takes this lab for Microsoft.
pub(crate) const REAL_NAMES_FILE: &str = "ca-real-names.pem";
/// Which file has which root.
pub(crate) const ROOTS: [(&str, Branch); 2] =
    [(LOCAL_FILE, Branch::Local), (REAL_NAMES_FILE, Branch::RealNames)];
/// Both roots and the system's.
pub(crate) const TRUSTSTORE_FILE: &str = "truststore.p12";
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

/// Keys of a larger size are not a lab's.
const MAX_KEYS: u64 = 256 * 1024;

/// A system bundle larger than this is left out: real ones have 250 KB.
const MAX_SYSTEM_BUNDLE: u64 = 4 * 1024 * 1024;

/// The names of a world and of its public URLs, sorted to the root that may speak for them, and the addresses beyond
/// loopback that a lab listens on: those given, or the private ranges for one that listens on all.
pub(crate) fn ca_names<'n>(hosts: impl IntoIterator<Item = &'n str>, bind: &[IpAddr]) -> CaNames {
    let mut names = CaNames::default();
    if bind.iter().any(IpAddr::is_unspecified) {
        names.local_ip.extend(IpNet::PRIVATE);
    }
    let beyond = |address: &&IpAddr| !address.is_unspecified() && !address.is_loopback();
    names.local_ip.extend(bind.iter().filter(beyond).map(|address| IpNet::single(address.to_canonical())));
    for host in hosts {
        if let Ok(address) = host.parse::<IpAddr>() {
            // What answers at a link-local address speaks plain http on every machine.
            if !matches!(address, IpAddr::V4(v4) if v4.is_link_local()) {
                names.local_ip.push(IpNet::single(address));
            }
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

/// What a start or a running lab needs a CA for.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    pub(crate) state: StateDir,
    /// Whether this is the `serve` that holds the directory, or speaks for one.
    pub(crate) serves: bool,
    pub(crate) names: CaNames,
}

impl Need {
    /// The CA for these names now: the saved one if it does, else `spare` if that does, else a new or renewed one. The
    /// `serve` that holds the directory may replace a saved one; others replace none for its names, and none at all while
    /// a `serve` lives there.
    pub(crate) fn load(&self, now: OffsetDateTime, spare: Option<&LabCa>) -> Result<LabCa, StartError> {
        let root = self.state.root();
        let whole = |ca: &LabCa| {
            let published = |(file, branch)| holds(&root.join(file), ca.root(branch).pem().as_bytes());
            ca.covers(&self.names, now).is_ok() && ROOTS.into_iter().all(published)
        };
        if let Some(ca) = saved(root)?.filter(whole) {
            return Ok(ca);
        }
        let _one_at_a_time = self.state.lock_briefly()?;
        let found = saved(root)?;
        let does = |ca: &&LabCa| ca.covers(&self.names, now).is_ok();
        let ca = match (&found, spare.filter(does)) {
            (Some(found), _) if does(&found) => found.clone(),
            (Some(found), spare) => {
                let why = found.covers(&self.names, now).err();
                let of_names = matches!(why, Some(WhyNot::Name { .. } | WhyNot::Wider { .. }));
                let (renewed, replaced) = found.renewed(&self.names, now)?;
                let renewed = spare.cloned().unwrap_or(renewed);
                if !self.serves && (of_names || self.state.seems_served()) {
                    tracing::info!(
                        why = why.map(tracing::field::display),
                        "a certificate authority of this lab's own"
                    );
                    return Ok(renewed);
                }
                for (file, branch) in ROOTS.into_iter().filter(|(_, branch)| replaced.contains(branch)) {
                    tracing::warn!(
                        why =
                            found.covers_branch(branch, &self.names, now).err().map(tracing::field::display),
                        "a new {branch} root certificate; clients that were given the old one need {} again",
                        root.join(file).display(),
                    );
                }
                renewed
            }
            (None, Some(spare)) => spare.clone(),
            (None, None) => {
                tracing::info!(roots = %root.join(LOCAL_FILE).display(), "a new certificate authority");
                LabCa::create(&self.names, now)?
            }
        };
        // The keys last: whoever finds them finds the roots.
        for (file, branch) in ROOTS {
            write_if_changed(&root.join(file), ca.root(branch).pem().as_bytes())?;
        }
        write_private(&root.join(KEYS_FILE), ca.to_files().to_bundle().as_bytes())?;
        Ok(ca)
    }
}

/// The saved CA. One that somebody else could have put there is an error; one that no lab of this kind made is none.
fn saved(root: &Path) -> Result<Option<LabCa>, StartError> {
    let path = root.join(KEYS_FILE);
    let replaced = |why: &dyn std::fmt::Display| {
        tracing::warn!(path = %path.display(), %why, "the saved certificate authority is not used and is replaced");
        Ok(None)
    };
    let text = match files::read(&path, Holds::Secrets, MAX_KEYS) {
        Ok(text) => text.and_then(|text| String::from_utf8(text).ok()),
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error.at("read", &path)),
    };
    match text.and_then(|text| CaFiles::from_bundle(&text)).map(|files| LabCa::from_files(&files)) {
        Some(Ok(ca)) => Ok(Some(ca)),
        Some(Err(error)) => replaced(&error),
        None => replaced(&"it is damaged"),
    }
}

/// The lab's roots followed by the system's, if the system keeps them in one of the usual files.
pub(crate) fn with_system_roots(roots: &str) -> Option<Vec<u8>> {
    with_roots_of(roots, &SYSTEM_BUNDLES)
}

/// The same with those of the first of these files that can be one.
fn with_roots_of(roots: &str, bundles: &[impl AsRef<Path>]) -> Option<Vec<u8>> {
    bundles.iter().find_map(|path| {
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
    use super::*;
    use crate::state::Home;

    fn now() -> OffsetDateTime {
        mocktenant_lab::real_now()
    }

    fn names<'n>(hosts: impl IntoIterator<Item = &'n str>) -> CaNames {
        ca_names(hosts, &[])
    }

    fn load(state: &StateDir, home: &Home, names: CaNames) -> LabCa {
        let need = Need { state: state.clone(), serves: home.serves(), names };
        need.load(now(), None).unwrap()
    }

    #[test]
    fn microsoft_names_go_to_their_own_root() {
        let names = names([
            "login.windows.net",
            "contoso.crm4.dynamics.com",
            "notmicrosoft.com",
            "ax",
            "10.1.1.1",
            "169.254.169.254",
            "office.com",
        ]);
        assert_eq!(names.real_dns, ["login.windows.net", "contoso.crm4.dynamics.com", "office.com"]);
        assert_eq!(names.local_dns, ["notmicrosoft.com", "ax"]);
        assert_eq!(names.local_ip, [IpNet::single("10.1.1.1".parse().unwrap())], "IMDS speaks plain http");
    }

    #[test]
    fn private_addresses_are_permitted_only_where_a_lab_listens_on_them() {
        let permitted = |bind: &[&str]| {
            let bind: Vec<IpAddr> = bind.iter().map(|address| address.parse().unwrap()).collect();
            LabCa::create(&ca_names([], &bind), now()).unwrap().permitted(Branch::Local)
        };
        let always = ["test", "local", "internal", "localhost", "127.0.0.0/8", "::1/128"];
        assert_eq!(permitted(&[]), always);
        assert_eq!(permitted(&["127.0.0.1", "::1"]), always);
        assert!(permitted(&["192.168.7.7"]).contains(&String::from("192.168.7.7/32")));
        assert!(!permitted(&["192.168.7.7"]).contains(&String::from("192.168.0.0/16")));
        for range in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"] {
            assert!(permitted(&["0.0.0.0"]).contains(&String::from(range)), "{range}");
        }
        assert_eq!(
            permitted(&["0.0.0.0"]).len(),
            always.len() + IpNet::PRIVATE.len(),
            "and no more than those"
        );
    }

    #[test]
    fn fifty_first_starts_at_once_make_one_ca() {
        let scratch = tempfile::tempdir().unwrap();
        let roots: Vec<String> = std::thread::scope(|scope| {
            let start = |index: usize| {
                let path = scratch.path();
                scope.spawn(move || {
                    let state = StateDir::open(path).unwrap();
                    let home = state.run(&format!("i{index}")).unwrap();
                    load(&state, &home, names(["login.windows.net"])).roots_pem()
                })
            };
            let threads: Vec<_> = (0..50).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(roots.iter().all(|root| *root == roots[0]));
        let saved = ROOTS.map(|(file, _)| fs::read_to_string(scratch.path().join(file)).unwrap());
        assert_eq!(saved.concat(), roots[0], "the local root, then the other");
    }

    #[test]
    fn only_the_root_whose_names_changed_is_replaced_and_damage_is_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let home = state.hold("one").unwrap();
        let first = load(&state, &home, names(["login.windows.net"]));
        let wider = load(&state, &home, names(["login.windows.net", "ax.contoso.com"]));
        assert_eq!(first.root(Branch::RealNames), wider.root(Branch::RealNames));
        assert_ne!(first.root(Branch::Local), wider.root(Branch::Local));
        let narrower = load(&state, &home, names(["login.windows.net"]));
        assert!(!narrower.permitted(Branch::Local).contains(&String::from("ax.contoso.com")));
        for damage in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            write_private(&scratch.path().join(KEYS_FILE), damage.as_bytes()).unwrap();
            let new = load(&state, &home, names(["login.windows.net"]));
            assert_eq!(saved(scratch.path()).unwrap().unwrap().roots_pem(), new.roots_pem());
        }
        let large = vec![b'-'; usize::try_from(MAX_KEYS).unwrap() + 1];
        write_private(&scratch.path().join(KEYS_FILE), &large).unwrap();
        load(&state, &home, names(["login.windows.net"]));
    }

    #[test]
    fn a_lab_beside_a_serve_leaves_its_ca_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let serving = state.hold("serve").unwrap();
        let theirs = load(&state, &serving, names(["login.windows.net"]));
        write_private(&scratch.path().join(crate::state::SETTINGS_FILE), b"{}").unwrap();
        let beside = state.run("beside").unwrap();
        let ours = load(&state, &beside, names(["ax.contoso.com"]));
        assert_ne!(ours.root(Branch::Local), theirs.root(Branch::Local));
        assert_eq!(saved(scratch.path()).unwrap().unwrap().roots_pem(), theirs.roots_pem());
    }

    #[test]
    fn a_lab_that_is_no_serve_leaves_a_ca_of_other_names_to_those_who_trust_it() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let theirs = load(&state, &state.hold("serve").unwrap(), names(["login.windows.net"]));
        let alone = state.run("alone").unwrap();
        let ours = load(&state, &alone, names(["ax.contoso.com"]));
        assert_ne!(ours.root(Branch::Local), theirs.root(Branch::Local));
        assert_eq!(saved(scratch.path()).unwrap().unwrap().roots_pem(), theirs.roots_pem());
    }

    #[test]
    fn a_lab_that_is_no_serve_renews_a_saved_ca_only_where_no_serve_lives() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let serving = state.hold("serve").unwrap();
        let theirs = load(&state, &serving, names(["login.windows.net"])).roots_pem();
        let settings = scratch.path().join(crate::state::SETTINGS_FILE);
        write_private(&settings, b"{}").unwrap();
        let need = Need { state: state.clone(), serves: false, names: names(["login.windows.net"]) };
        let later = now() + time::Duration::days(28);
        let ours = need.load(later, None).unwrap();
        assert_ne!(ours.roots_pem(), theirs, "it runs out in three days");
        assert_eq!(saved(scratch.path()).unwrap().unwrap().roots_pem(), theirs);
        fs::remove_file(settings).unwrap();
        let ours = need.load(later, None).unwrap();
        assert_eq!(saved(scratch.path()).unwrap().unwrap().roots_pem(), ours.roots_pem());
    }

    #[test]
    fn a_lab_whose_files_were_taken_away_puts_its_own_ca_back() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let home = state.hold("one").unwrap();
        let first = load(&state, &home, names(["login.windows.net"]));
        let need = Need { state: state.clone(), serves: true, names: names(["login.windows.net"]) };
        let local = scratch.path().join(LOCAL_FILE);
        for damage in [None, Some("another root")] {
            fs::remove_file(&local).unwrap();
            if let Some(text) = damage {
                fs::write(&local, text).unwrap();
            }
            assert_eq!(need.load(now(), None).unwrap().roots_pem(), first.roots_pem());
            assert_eq!(fs::read_to_string(&local).unwrap(), first.root(Branch::Local).pem());
        }
        // What is saved goes before what a lab has in memory: others use it too.
        let another = LabCa::create(&names(["login.windows.net"]), now()).unwrap();
        fs::remove_file(&local).unwrap();
        assert_eq!(need.load(now(), Some(&another)).unwrap().roots_pem(), first.roots_pem());
        fs::remove_file(scratch.path().join(KEYS_FILE)).unwrap();
        assert_eq!(need.load(now(), Some(&first)).unwrap().roots_pem(), first.roots_pem());
        assert_eq!(saved(scratch.path()).unwrap().unwrap().roots_pem(), first.roots_pem());
        // One that would have to be renewed itself is no help.
        let later = now() + time::Duration::days(400);
        let renewed = need.load(later, Some(&first)).unwrap();
        assert_ne!(renewed.roots_pem(), first.roots_pem());
        // What is saved does not do any more, and what the lab uses does.
        write_private(&scratch.path().join(KEYS_FILE), first.to_files().to_bundle().as_bytes()).unwrap();
        assert_eq!(need.load(later, Some(&renewed)).unwrap().roots_pem(), renewed.roots_pem());
    }

    #[test]
    fn the_roots_of_the_system_follow_the_labs_own_and_a_file_of_another_size_is_none() {
        let scratch = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: usize| {
            let path = scratch.path().join(name);
            fs::write(&path, "x".repeat(bytes)).unwrap();
            path
        };
        let limit = 4 * 1_048_576;
        let (large, most, small) = (file("large", limit + 1), file("most", limit), file("small", 3));
        let none = scratch.path().join("none");
        let directory = scratch.path().to_owned();
        let bundle = with_roots_of("ours\n", &[&none, &directory, &large, &small]);
        assert_eq!(bundle.as_deref(), Some(&b"ours\nxxx"[..]));
        assert_eq!(with_roots_of("ours\n", &[&most, &small]).unwrap().len(), limit + 5);
        assert_eq!(with_roots_of("ours\n", &[&large]), None);
        assert_eq!(with_system_roots("a"), with_roots_of("a", &SYSTEM_BUNDLES));
    }

    #[cfg(unix)]
    #[test]
    fn a_saved_ca_that_somebody_else_could_have_written_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let home = state.hold("one").unwrap();
        load(&state, &home, names(["login.windows.net"]));
        let path = scratch.path().join(KEYS_FILE);
        let need = Need { state: state.clone(), serves: true, names: names(["login.windows.net"]) };
        for mode in [0o666, 0o644, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = need.load(now(), None).unwrap_err().to_string();
            assert!(error.contains("ca-keys.pem") && error.contains("remove it"), "{error}");
        }
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(matches!(need.load(now(), None), Err(StartError::Dishonest { .. })));
    }
}
