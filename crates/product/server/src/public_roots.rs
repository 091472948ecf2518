//! The folder in which whoever shares a network with a lab finds its roots: a volume of certificates and nothing else.
//!
//! Decides what is in it (both roots, the bundle, Java's store), that everybody may read it, and that each file is whole at
//! every moment, also while the roots are renewed. Never puts a key, a secret or a settings document there, and is no part
//! of the state directory, which nobody but its owner may read. Mirrors no product.

use std::fs;
use std::path::{Path, PathBuf};

use crate::authority::{BUNDLE_FILE, LOCAL_FILE, REAL_NAMES_FILE, TRUSTSTORE_FILE};
use crate::error::StartError;
use crate::files::{self, Holds, sweep_asides, write_public};

/// All there is. The bundle last: most clients are given that one, and it holds what the others hold.
const FILES: [&str; 4] = [LOCAL_FILE, REAL_NAMES_FILE, TRUSTSTORE_FILE, BUNDLE_FILE];

/// A bundle and a store of the system's roots have some 300 KB each.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct PublicRoots {
    directory: PathBuf,
}

impl PublicRoots {
    /// The folder at `path`, made where it is not there. `state` is the state directory, which it must not be in.
    pub(crate) fn open(path: &Path, state: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::CaDirectory { path: path.to_owned(), source };
        let made = !path.exists();
        fs::create_dir_all(path).map_err(failed)?;
        let directory = fs::canonicalize(path).map_err(failed)?;
        if fs::canonicalize(state).is_ok_and(|state| directory.starts_with(state)) {
            return Err(StartError::CaDirectoryInState { path: path.to_owned() });
        }
        if made {
            open_to_readers(&directory).map_err(failed)?;
        }
        if others_may_write(&directory) {
            tracing::warn!(
                directory = %directory.display(),
                "others may write here, and could put a root of their own in place of the lab's",
            );
        }
        sweep_asides(&directory, &FILES);
        // As it was named: that is how clients are told to find it.
        Ok(Self { directory: std::path::absolute(path).map_err(failed)? })
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Takes over what the lab has written for itself.
    pub(crate) fn take_over(&self, own: &Path) -> Result<(), StartError> {
        for file in FILES {
            let failed = |source| StartError::CaDirectory { path: self.directory.join(file), source };
            let content = match files::read(&own.join(file), Holds::Public, MAX_FILE) {
                Ok(Some(content)) => content,
                Ok(None) => continue,
                // A store for Java is left out where it cannot be made.
                Err(error) if error.is_absent() => continue,
                Err(error) => return Err(error.at("read", &own.join(file))),
            };
            let path = self.directory.join(file);
            if fs::read(&path).is_ok_and(|found| found == content) && everybody_may_read(&path) {
                continue;
            }
            write_public(&path, &content).map_err(failed)?;
        }
        Ok(())
    }

    /// Says so where the bundle holds nothing but the lab's roots: whoever trusts it alone reaches nothing else.
    pub(crate) fn say_what_is_missing(&self) {
        let read = |file: &str| fs::read(self.directory.join(file)).unwrap_or_default();
        if read(BUNDLE_FILE) == [read(LOCAL_FILE), read(REAL_NAMES_FILE)].concat() {
            tracing::warn!(
                bundle = %self.directory.join(BUNDLE_FILE).display(),
                "there are no system roots here, so the bundle holds the lab's alone: a client that is given it verifies \
                 nothing outside the lab",
            );
        }
    }
}

#[cfg(unix)]
fn open_to_readers(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn open_to_readers(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    fs::symlink_metadata(path).ok().map(|found| found.mode())
}

#[cfg(unix)]
fn others_may_write(directory: &Path) -> bool {
    mode(directory).is_some_and(|mode| mode & 0o022 != 0)
}

#[cfg(not(unix))]
fn others_may_write(_: &Path) -> bool {
    false
}

/// Whether it is a file, and no link, that nobody else may change.
#[cfg(unix)]
fn everybody_may_read(path: &Path) -> bool {
    mode(path).is_some_and(|mode| mode & 0o170_777 == 0o100_644)
}

#[cfg(not(unix))]
fn everybody_may_read(_: &Path) -> bool {
    true
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn it_is_made_for_everybody_to_read_and_is_no_part_of_the_state_directory() {
        let scratch = tempfile::tempdir().unwrap();
        let (state, folder) = (scratch.path().join("state"), scratch.path().join("a/ca"));
        fs::create_dir(&state).unwrap();
        PublicRoots::open(&folder, &state).unwrap();
        assert_eq!(mode(&folder).unwrap() & 0o777, 0o755);
        for inside in [state.clone(), state.join("ca")] {
            let error = PublicRoots::open(&inside, &state).unwrap_err();
            assert!(matches!(error, StartError::CaDirectoryInState { .. }), "{error}");
        }
    }

    #[test]
    fn what_is_taken_over_is_certificates_and_replaces_whatever_is_in_the_way() {
        let scratch = tempfile::tempdir().unwrap();
        let (state, folder) = (scratch.path().join("state"), scratch.path().join("ca"));
        fs::create_dir(&state).unwrap();
        for file in FILES.iter().chain(&["ca-keys.pem", "settings.json", "certificate.pem"]) {
            fs::write(state.join(file), file).unwrap();
            set_mode(&state.join(file), 0o600);
        }
        let roots = PublicRoots::open(&folder, &state).unwrap();
        let (precious, link) = (scratch.path().join("precious"), folder.join(LOCAL_FILE));
        fs::write(&precious, "precious").unwrap();
        std::os::unix::fs::symlink(&precious, &link).unwrap();
        fs::write(folder.join(BUNDLE_FILE), BUNDLE_FILE).unwrap();
        set_mode(&folder.join(BUNDLE_FILE), 0o666);
        roots.take_over(&state).unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        let mut found: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        found.sort();
        let mut expected = FILES;
        expected.sort_unstable();
        assert_eq!(found, expected, "and no key, no settings");
        for file in FILES {
            assert_eq!(mode(&folder.join(file)).unwrap(), 0o100_644, "{file}");
            assert_eq!(fs::read_to_string(folder.join(file)).unwrap(), file);
        }
    }
}
