//! The state directory: everything a lab writes, and who may write it.
//!
//! Decides that directories are private to their owner (0700), files too (0600), that a file appears whole or not at all
//! (written aside, synchronised, renamed), and that one `serve` holds the directory at a time. Locks are advisory and end
//! with the process, so nothing has to be cleaned up after a crash. Never decides what is in a file.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::error::StartError;

/// The file other processes find a lab by.
pub(crate) const SETTINGS_FILE: &str = "settings.json";
const SERVE_LOCK: &str = "serve.lock";
const STATE_LOCK: &str = "state.lock";
const RUN: &str = "run";
const RUN_LOCK: &str = "lock";

/// Where a lab keeps its state unless told otherwise: `$XDG_STATE_HOME/mocktenant`, else `~/.local/state/mocktenant`, on
/// Windows `%LOCALAPPDATA%\mocktenant`, and without a home directory below the temporary directory.
pub fn default_state_dir() -> PathBuf {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("XDG_STATE_HOME").or_else(|| {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else {
            absolute("HOME").map(|home| home.join(".local/state"))
        }
    });
    home.unwrap_or_else(std::env::temp_dir).join("mocktenant")
}

/// A state directory.
#[derive(Clone, Debug)]
pub(crate) struct StateDir {
    root: PathBuf,
}

/// Who holds the directory, as `serve.lock` says.
#[derive(Deserialize, Serialize)]
struct Holder {
    pid: u32,
    instance: String,
}

/// The directory one lab writes to; it is given up when this is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    directory: PathBuf,
    /// Removed with everything in it at the end, unlike the state directory itself.
    temporary: bool,
    instance: String,
    /// Locked while the lab lives.
    _lock: File,
}

impl StateDir {
    /// The directory at `path`, made private where it does not exist yet; the path becomes absolute.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::State { doing: "create", path: path.to_owned(), source };
        make_private(path).map_err(failed)?;
        let root = std::path::absolute(path).map_err(failed)?;
        Ok(Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Holds the directory for one `serve`; what an earlier one left behind is removed.
    pub(crate) fn hold(&self, instance: &str) -> Result<Home, StartError> {
        let path = self.root.join(SERVE_LOCK);
        let failed = |doing| {
            let path = path.clone();
            move |source| StartError::State { doing, path, source }
        };
        let mut lock = open_lock(&path).map_err(failed("open"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder =
                    read_bounded(&mut lock).and_then(|text| serde_json::from_str::<Holder>(&text).ok());
                return Err(StartError::Held {
                    pid: holder.as_ref().map(|holder| holder.pid),
                    instance: holder.map(|holder| holder.instance),
                    state: self.root.clone(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let holder = Holder { pid: std::process::id(), instance: instance.to_owned() };
        let text = serde_json::to_vec(&holder).unwrap_or_default();
        let written = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| lock.write_all(&text));
        written.map_err(failed("write"))?;
        // Whoever wrote it is gone, since the lock is ours.
        let _ = fs::remove_file(self.root.join(SETTINGS_FILE));
        Ok(Home {
            directory: self.root.clone(),
            temporary: false,
            instance: instance.to_owned(),
            _lock: lock,
        })
    }

    /// A directory of its own for a lab that does not publish itself; those of dead labs are removed.
    pub(crate) fn run(&self, instance: &str) -> Result<Home, StartError> {
        // Under the short lock, so that nobody takes a directory for a dead one before its lock is held.
        let _one_at_a_time = self.lock_briefly()?;
        let all = self.root.join(RUN);
        sweep(&all);
        let directory = all.join(instance);
        let failed = |source| StartError::State { doing: "create", path: directory.clone(), source };
        make_private(&directory).map_err(failed)?;
        let lock = open_lock(&directory.join(RUN_LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Home { directory: directory.clone(), temporary: true, instance: instance.to_owned(), _lock: lock })
    }

    /// Waits for the lock under which the shared files of the directory change; held until the value is dropped.
    pub(crate) fn lock_briefly(&self) -> Result<File, StartError> {
        let path = self.root.join(STATE_LOCK);
        let lock = open_lock(&path).and_then(|lock| lock.lock().map(|()| lock));
        lock.map_err(|source| StartError::State { doing: "lock", path, source })
    }

    /// Whether a `serve` seems to live here. A stale file says so too, which only costs a saved CA.
    pub(crate) fn seems_served(&self) -> bool {
        self.root.join(SETTINGS_FILE).exists()
    }
}

impl Home {
    /// Where this lab writes.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether this is the state directory itself, held by a `serve`.
    pub(crate) fn serves(&self) -> bool {
        !self.temporary
    }

    /// Removes `settings.json` if it is this lab's.
    pub(crate) fn withdraw_settings(&self) {
        #[derive(Deserialize)]
        struct Whose {
            instance: String,
        }
        let path = self.directory.join(SETTINGS_FILE);
        let whose = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Whose>(&text).ok());
        if whose.is_some_and(|whose| whose.instance == self.instance) {
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.withdraw_settings();
        if self.temporary {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// Removes the directories of labs that are gone.
fn sweep(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let directory = entry.path();
        let dead = match OpenOptions::new().read(true).write(true).open(directory.join(RUN_LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if dead {
            tracing::debug!(directory = %directory.display(), "removing what a dead lab left behind");
            let _ = fs::remove_dir_all(&directory);
        }
    }
}

/// Writes a private file, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), StartError> {
    replace(path, content).map_err(|source| StartError::State {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

/// The same, unless the file holds exactly that already.
pub(crate) fn write_if_changed(path: &Path, content: &[u8]) -> Result<(), StartError> {
    if holds(path, content) { Ok(()) } else { write_private(path, content) }
}

/// Whether the file holds exactly that.
pub(crate) fn holds(path: &Path, content: &[u8]) -> bool {
    // The length first: most changes show there, and nothing large is read for them.
    fs::metadata(path)
        .is_ok_and(|found| usize::try_from(found.len()).is_ok_and(|length| length == content.len()))
        && fs::read(path).is_ok_and(|found| found == content)
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Process and counter make the name unique; several labs in one process write here too.
    let aside = path.with_file_name(format!(
        ".{name}.{}.{}",
        std::process::id(),
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    let written = write_aside(&aside, content).and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

fn write_aside(aside: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = private(&mut options).open(aside)?;
    file.write_all(content)?;
    file.sync_all()
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    private(options.read(true).write(true).create(true).truncate(false)).open(path)
}

fn read_bounded(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Creates a directory and its parents for the owner alone. One that is there stays as it is, unless it is empty: then
/// nobody relies on others reading it.
fn make_private(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        #[cfg(unix)]
        if fs::read_dir(path)?.next().is_none() {
            use std::os::unix::fs::PermissionsExt as _;
            // Not ours to change, then: its files are private all the same.
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
        }
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_holds_the_directory() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(&scratch.path().join("state")).unwrap();
        let first = state.hold("one").unwrap();
        let StartError::Held { pid, instance, .. } = state.hold("two").unwrap_err() else { panic!() };
        assert_eq!((pid, instance.as_deref()), (Some(std::process::id()), Some("one")));
        drop(first);
        state.hold("three").unwrap();
    }

    #[test]
    fn only_the_own_settings_file_is_withdrawn() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let home = state.hold("mine").unwrap();
        let path = scratch.path().join(SETTINGS_FILE);
        write_private(&path, br#"{"instance":"another"}"#).unwrap();
        home.withdraw_settings();
        assert!(path.exists());
        write_private(&path, br#"{"instance":"mine"}"#).unwrap();
        drop(home);
        assert!(!path.exists());
    }

    #[test]
    fn a_run_directory_goes_with_its_lab_and_dead_ones_are_swept() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let dead = scratch.path().join("run/dead");
        fs::create_dir_all(&dead).unwrap();
        fs::write(dead.join(RUN_LOCK), "").unwrap();
        let alive = state.run("alive").unwrap();
        let other = state.run("other").unwrap();
        assert!(!dead.exists() && alive.directory().exists());
        let path = other.directory().to_owned();
        drop(other);
        assert!(!path.exists() && alive.directory().exists());
    }

    #[cfg(unix)]
    #[test]
    fn directories_and_files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("a/b");
        let state = StateDir::open(&root).unwrap();
        let home = state.hold("one").unwrap();
        write_private(&root.join("secret"), b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&root), 0o700);
        assert_eq!(mode(&root.join("secret")), 0o600);
        assert_eq!(mode(&root.join(SERVE_LOCK)), 0o600);
        assert_eq!(fs::read_dir(home.directory()).unwrap().count(), 2, "nothing is left aside");
    }
}
