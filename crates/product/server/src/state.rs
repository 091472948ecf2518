//! The state directory: everything a lab writes, and who may write it.
//!
//! Decides that directories are private to their owner (0700), that one which others may change is not used, and that one
//! `serve` holds the directory at a time. Locks are advisory and end with the process; what a crash leaves behind is swept
//! at the next start. Nobody waits for a lock for ever. Never decides what is in a file (`files` says which are read).

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::StartError;
use crate::files::{self, FileError, Holds, honest_directory, open_lock, sweep_asides};

/// The file other processes find a lab by.
pub(crate) const SETTINGS_FILE: &str = "settings.json";
const SERVE_LOCK: &str = "serve.lock";
const STATE_LOCK: &str = "state.lock";
const RUN: &str = "run";
const RUN_LOCK: &str = "lock";

/// How long a start waits for another one to be done with the shared files, which takes milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The largest settings file read.
const MAX_SETTINGS: u64 = 1024 * 1024;

/// Where a lab keeps its state unless told otherwise: `$XDG_STATE_HOME/mocktenant`, else `~/.local/state/mocktenant`, on
/// Windows `%LOCALAPPDATA%\mocktenant`. None without a home directory: a place that every user of a machine knows and may
/// write to is no place for keys.
pub fn default_state_dir() -> Option<PathBuf> {
    state_dir_by(|name| std::env::var_os(name))
}

/// The same by variables of the environment.
fn state_dir_by(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("XDG_STATE_HOME").or_else(|| {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else {
            absolute("HOME").map(|home| home.join(".local/state"))
        }
    });
    home.map(|home| home.join("mocktenant"))
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
    /// The directory at `path`, made private where it does not exist yet; the path becomes absolute. One that somebody
    /// else could change is refused.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::State { doing: "create", path: path.to_owned(), source };
        make_private(path).map_err(failed)?;
        honest_directory(path).map_err(|error| error.at("use", path))?;
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
        let mut lock = open_lock(&path).map_err(|error| error.at("open", &path))?;
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
        sweep_asides(&self.root, &crate::settings::FILES);
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
        make_private(&all).map_err(failed)?;
        honest_directory(&all).map_err(|error| error.at("use", &all))?;
        make_private(&directory).map_err(failed)?;
        let path = directory.join(RUN_LOCK);
        let lock = open_lock(&path).map_err(|error| error.at("open", &path))?;
        lock.try_lock().map_err(|error| FileError::from(io::Error::from(error)).at("lock", &path))?;
        Ok(Home { directory, temporary: true, instance: instance.to_owned(), _lock: lock })
    }

    /// Waits for the lock under which the shared files of the directory change; held until the value is dropped.
    pub(crate) fn lock_briefly(&self) -> Result<File, StartError> {
        self.lock_within(LOCK_WAIT)
    }

    fn lock_within(&self, wait: Duration) -> Result<File, StartError> {
        let path = self.root.join(STATE_LOCK);
        let lock = open_lock(&path).map_err(|error| error.at("open", &path))?;
        let began = Instant::now();
        loop {
            let source = match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if !wait.saturating_sub(began.elapsed()).is_zero() => {
                    std::thread::sleep(Duration::from_millis(2));
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    io::Error::other(format!("another process has held it for over {} s", wait.as_secs()))
                }
                Err(TryLockError::Error(source)) => source,
            };
            return Err(StartError::State { doing: "lock", path, source });
        }
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
        let text = files::read(&path, Holds::Public, MAX_SETTINGS).ok().flatten();
        let whose = text.and_then(|text| serde_json::from_slice::<Whose>(&text).ok());
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
        // A lab makes its lock under the short lock, which is held here: one without is as dead as one nobody holds.
        let dead = match open_lock(&directory.join(RUN_LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(FileError::Io(_)) => false,
            Err(FileError::Dishonest { .. }) => true,
        };
        if dead {
            tracing::debug!(directory = %directory.display(), "removing what a dead lab left behind");
            let _ = fs::remove_dir_all(&directory);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_private;

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

    #[test]
    fn a_lock_that_is_never_given_up_is_not_waited_for_for_ever() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let held = state.lock_briefly().unwrap();
        let StartError::State { doing, .. } = state.lock_within(Duration::from_millis(20)).unwrap_err()
        else {
            panic!()
        };
        assert_eq!(doing, "lock");
        drop(held);
        state.lock_within(Duration::ZERO).unwrap();
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
    #[cfg(unix)]
    #[test]
    fn state_is_kept_where_the_user_keeps_state_and_nowhere_without_a_home() {
        let kept = |variables: &[(&str, &str)]| {
            state_dir_by(|name| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| value.into()))
        };
        let home = ("HOME", "/home/ada");
        assert_eq!(kept(&[home]), Some("/home/ada/.local/state/mocktenant".into()));
        assert_eq!(kept(&[home, ("XDG_STATE_HOME", "/state")]), Some("/state/mocktenant".into()));
        assert_eq!(
            kept(&[home, ("XDG_STATE_HOME", "state")]),
            kept(&[home]),
            "a path that depends on where one stands is no place"
        );
        assert_eq!(kept(&[("HOME", "ada")]), None);
        assert_eq!(kept(&[]), None);
        assert_eq!(default_state_dir(), state_dir_by(|name| std::env::var_os(name)));
    }

    #[test]
    fn a_settings_file_that_no_lab_could_have_written_is_not_withdrawn() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let home = state.hold("mine").unwrap();
        let path = scratch.path().join(SETTINGS_FILE);
        let text = r#"{"instance":"mine"}"#;
        let of_size = |bytes: usize| [text, &*" ".repeat(bytes - text.len())].concat();
        write_private(&path, of_size(1_048_577).as_bytes()).unwrap();
        home.withdraw_settings();
        assert!(path.exists(), "over a mebibyte");
        write_private(&path, of_size(1_048_576).as_bytes()).unwrap();
        home.withdraw_settings();
        assert!(!path.exists());
    }

    #[test]
    fn who_holds_the_directory_finds_it_without_what_an_earlier_one_left_behind() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let left = scratch.path().join(".ca.pem.0123456789abcdef.new");
        for path in [&scratch.path().join(SETTINGS_FILE), &left] {
            write_private(path, b"{}").unwrap();
        }
        assert!(state.seems_served());
        let home = state.hold("one").unwrap();
        assert!(!state.seems_served() && !left.exists());
        assert!(home.serves() && home.directory() == state.root());
        assert!(!state.run("two").unwrap().serves(), "a lab of its own speaks for no directory");
    }

    #[test]
    fn what_no_lab_made_among_the_run_directories_is_swept_as_dead() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let run = scratch.path().join(RUN);
        fs::create_dir_all(run.join("without-lock")).unwrap();
        fs::create_dir_all(run.join("odd/lock")).unwrap();
        fs::write(run.join("file"), "").unwrap();
        let alive = state.run("alive").unwrap();
        assert!(!run.join("without-lock").exists(), "one without a lock is as dead as one nobody holds");
        assert!(run.join("file").exists() && alive.directory().exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_is_made_private_unless_somebody_uses_it_and_refused_where_others_write() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (empty, used) = (scratch.path().join("empty"), scratch.path().join("used"));
        for path in [&empty, &used] {
            fs::create_dir(path).unwrap();
            set(path, 0o755);
        }
        fs::write(used.join("notes"), "").unwrap();
        for path in [&empty, &used] {
            assert_eq!(StateDir::open(path).unwrap().root(), path);
        }
        assert_eq!((mode(&empty), mode(&used)), (0o700, 0o755));
        set(&used, 0o777);
        assert!(matches!(StateDir::open(&used), Err(StartError::Dishonest { .. })));
    }

    #[test]
    fn a_lock_is_waited_for_as_long_as_it_takes_and_no_longer_than_was_said() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::open(scratch.path()).unwrap();
        let held = state.lock_briefly().unwrap();
        let given_up = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(held);
        });
        state.lock_within(Duration::from_secs(20)).unwrap();
        given_up.join().unwrap();
    }
}
