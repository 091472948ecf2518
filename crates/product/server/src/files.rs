//! Files of a state directory: opened only if they are what a lab would have written, and written whole or not at all.
//!
//! Decides what an honest file is: a regular one that belongs to this user (or to root), that nobody else may write, and,
//! where it holds a key, that nobody else may read. Links are never followed and nothing ever waits for a writer, so a
//! symbolic link or a named pipe is an error and no trap. A file is written aside, synchronised and renamed; what a killed
//! process left aside is known by its name and by nobody holding its lock. Never decides what is in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::error::StartError;

/// Who besides its owner may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Anybody: certificates, addresses.
    Public,
    /// Nobody: keys.
    Secrets,
    /// Nobody, and it is written in place: a second name would be another file that changes with it.
    Lock,
}

/// Why a file of a state directory is not used.
#[derive(Debug)]
pub(crate) enum FileError {
    /// The system's words; among them that it is not there.
    Io(io::Error),
    /// It is not a file that a lab of this user has written.
    Dishonest {
        /// What is wrong with it: "is a symbolic link".
        why: String,
        /// What its owner can do.
        remedy: String,
    },
}

impl FileError {
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn at(self, doing: &'static str, path: &Path) -> StartError {
        let path = path.to_owned();
        match self {
            Self::Io(source) => StartError::State { doing, path, source },
            Self::Dishonest { why, remedy } => StartError::Dishonest { path, why, remedy },
        }
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a file of a state directory holds, at most `limit` bytes; None if it has more.
pub(crate) fn read(path: &Path, holds: Holds, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    let mut options = OpenOptions::new();
    let file = open(options.read(true), path, holds)?;
    let mut content = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= limit).then_some(content))
}

/// Reads a file of a state directory as its own lab would: one that belongs to another user, that others may write, that
/// is a link or no regular file is an error, as is one of over `limit` bytes.
///
/// # Errors
/// The system's, or what is wrong with the file.
pub fn read_state_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    match read(path, Holds::Public, limit) {
        Ok(Some(content)) => Ok(content),
        Ok(None) => Err(io::Error::other(format!("it is longer than {limit} bytes"))),
        Err(FileError::Io(error)) => Err(error),
        Err(FileError::Dishonest { why, remedy }) => Err(io::Error::other(format!("it {why}; {remedy}"))),
    }
}

/// Whether an honest file holds exactly that.
pub(crate) fn holds(path: &Path, content: &[u8]) -> bool {
    read(path, Holds::Public, content.len() as u64).is_ok_and(|found| found.as_deref() == Some(content))
}

/// Opens a lock, which is made where it is not there.
pub(crate) fn open_lock(path: &Path) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    open(private(options.read(true).write(true).create(true).truncate(false)), path, Holds::Lock)
}

/// Opens without following a link and without waiting, then looks at what was opened.
fn open(options: &mut OpenOptions, path: &Path, holds: Holds) -> Result<File, FileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;
        // The flags of the system fit the integer they are handed over in.
        let flags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
        options.custom_flags(flags.bits().cast_signed());
    }
    let opened = options.open(path);
    #[cfg(unix)]
    if opened.is_err() && fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink()) {
        let remedy = String::from("remove it: the lab makes what it needs");
        return Err(FileError::Dishonest { why: String::from("is a symbolic link"), remedy });
    }
    let file = opened?;
    honest(&file.metadata()?, holds)?;
    Ok(file)
}

#[cfg(unix)]
fn honest(found: &fs::Metadata, holds: Holds) -> Result<(), FileError> {
    use std::os::unix::fs::MetadataExt as _;

    let dishonest = |why: String| {
        let remedy = String::from("remove it: the lab makes what it needs");
        Err(FileError::Dishonest { why, remedy })
    };
    if !found.is_file() {
        return dishonest(String::from("is no regular file"));
    }
    if let Some(why) = of_another(found.uid(), rustix::process::geteuid().as_raw()) {
        return dishonest(why);
    }
    let mode = found.mode() & 0o777;
    if mode & 0o022 != 0 {
        return dishonest(format!("can be written by others (mode {mode:04o})"));
    }
    if holds == Holds::Secrets && mode & 0o044 != 0 {
        return dishonest(format!("holds keys and can be read by others (mode {mode:04o})"));
    }
    if holds == Holds::Lock && found.nlink() > 1 {
        return dishonest(String::from("has a second name (a hard link)"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn honest(found: &fs::Metadata, _: Holds) -> Result<(), FileError> {
    if found.is_file() {
        return Ok(());
    }
    let (why, remedy) = (String::from("is no regular file"), String::from("remove it"));
    Err(FileError::Dishonest { why, remedy })
}

/// Whose it is, unless it is this user's or root's: root could write anything anyway.
#[cfg(unix)]
fn of_another(owner: u32, user: u32) -> Option<String> {
    (owner != user && owner != 0).then(|| format!("belongs to user {owner}, not to user {user}"))
}

/// Refuses a directory in which somebody else could change what the lab reads.
#[cfg(unix)]
pub(crate) fn honest_directory(path: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::MetadataExt as _;

    let found = fs::metadata(path)?;
    let elsewhere = || String::from("`--state DIR` chooses another directory");
    if !found.is_dir() {
        return Err(FileError::Dishonest { why: String::from("is no directory"), remedy: elsewhere() });
    }
    if let Some(why) = of_another(found.uid(), rustix::process::geteuid().as_raw()) {
        return Err(FileError::Dishonest { why, remedy: elsewhere() });
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(FileError::Dishonest {
            why: format!("can be written by others (mode {mode:04o})"),
            remedy: format!("{}, or `chmod go-w {}`", elsewhere(), path.display()),
        });
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn honest_directory(path: &Path) -> Result<(), FileError> {
    if fs::metadata(path)?.is_dir() {
        return Ok(());
    }
    let remedy = String::from("`--state DIR` chooses another directory");
    Err(FileError::Dishonest { why: String::from("is no directory"), remedy })
}

/// Writes a private file, whole or not at all. What is there, be it a link, is replaced and never written to.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), StartError> {
    replace(path, content).map_err(|source| StartError::State {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that everybody may read, whole or not at all, in the same way.
pub(crate) fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_as(path, content, |aside| {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Whatever the mask of this process: it is there for others.
            aside.set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        #[cfg(not(unix))]
        let _ = aside;
        Ok(())
    })
}

/// Writes a private file, unless it holds exactly that already.
pub(crate) fn write_if_changed(path: &Path, content: &[u8]) -> Result<(), StartError> {
    if holds(path, content) { Ok(()) } else { write_private(path, content) }
}

/// The end of the name of a file that is being written.
const ASIDE: &str = ".new";

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_as(path, content, |_| Ok(()))
}

/// `ready` is done to the file before it has its name.
fn replace_as(path: &Path, content: &[u8], ready: impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    unless_swept(|| {
        // Random: process ids are the same in two containers that share a directory.
        let mut mark = [0_u8; 8];
        mocktenant_keys::fill_from_system(&mut mark);
        let aside = path.with_file_name(format!(".{name}.{:016x}{ASIDE}", u64::from_be_bytes(mark)));
        let written = write_aside(&aside, content).and_then(|held| {
            ready(&held)?;
            fs::rename(&aside, path)
        });
        written.inspect_err(|_| drop(fs::remove_file(&aside)))
    })
}

/// Tries again, three times at the most, what was swept between being made and being locked.
fn unless_swept<T>(mut once: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut again = 0..3;
    loop {
        match once() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && again.next().is_some() => {}
            outcome => return outcome,
        }
    }
}

/// The file, locked while it is held.
fn write_aside(aside: &Path, content: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let mut file = private(options.write(true).create_new(true)).open(aside)?;
    // Where files cannot be locked nothing is swept either.
    let _ = file.try_lock();
    file.write_all(content)?;
    file.sync_all()?;
    Ok(file)
}

/// Removes what killed processes left aside while they wrote one of the files `ours`.
pub(crate) fn sweep_asides(directory: &Path, ours: &[&str]) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let aside = name.to_str().and_then(|name| name.strip_prefix('.')).is_some_and(|name| {
            ours.iter().any(|file| name.strip_prefix(file).is_some_and(|rest| rest.starts_with('.')))
        });
        if aside && abandoned(&entry.path()) {
            tracing::debug!(path = %entry.path().display(), "removing what was left half written");
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn abandoned(path: &Path) -> bool {
    let mut options = OpenOptions::new();
    open(options.read(true), path, Holds::Public).is_ok_and(|file| file.try_lock().is_ok())
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
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn why(outcome: Result<Option<Vec<u8>>, FileError>) -> String {
        match outcome {
            Err(FileError::Dishonest { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_regular_file_of_this_user_that_nobody_else_may_write_is_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        write_private(&path, b"content").unwrap();
        assert_eq!(read(&path, Holds::Secrets, 7).unwrap().as_deref(), Some(&b"content"[..]));
        assert_eq!(read(&path, Holds::Secrets, 6).unwrap(), None, "more than a reader wants");
        assert!(read(&scratch.path().join("none"), Holds::Public, 7).unwrap_err().is_absent());

        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        read(&path, Holds::Public, 7).unwrap();
        assert_eq!(why(read(&path, Holds::Secrets, 7)), "holds keys and can be read by others (mode 0644)");
        mode(0o620);
        assert_eq!(why(read(&path, Holds::Public, 7)), "can be written by others (mode 0620)");
        mode(0o600);

        let link = scratch.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(why(read(&link, Holds::Public, 7)), "is a symbolic link");
        assert_eq!(why(read(scratch.path(), Holds::Public, 7)), "is no regular file");
        let pipe = scratch.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(why(read(&pipe, Holds::Public, 7)), "is no regular file");
    }

    #[test]
    fn a_lock_that_is_a_link_leaves_what_it_names_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let (target, lock) = (scratch.path().join("target"), scratch.path().join("lock"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &lock).unwrap();
        assert!(matches!(open_lock(&lock), Err(FileError::Dishonest { .. })));
        fs::remove_file(&lock).unwrap();
        fs::hard_link(&target, &lock).unwrap();
        assert!(matches!(open_lock(&lock), Err(FileError::Dishonest { .. })));
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }

    #[test]
    fn a_file_that_is_written_replaces_a_link_and_leaves_nothing_aside() {
        let scratch = tempfile::tempdir().unwrap();
        let (target, path) = (scratch.path().join("target"), scratch.path().join("ca.pem"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(!holds(&path, b"precious"), "what a link leads to is nobody's word");
        write_if_changed(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_holds_exactly_that_is_not_written_again() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("ca.pem");
        let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
        write_if_changed(&path, b"first").unwrap();
        // Held open, so that its number is not given to another file.
        let (_held, first) = (File::open(&path).unwrap(), inode());
        write_if_changed(&path, b"first").unwrap();
        assert_eq!(inode(), first);
        for other in [&b"firs"[..], b"first ", b"First"] {
            assert!(!holds(&path, other));
        }
        write_if_changed(&path, b"other").unwrap();
        assert_ne!(inode(), first);
    }

    #[test]
    fn what_a_killed_process_left_aside_is_swept_and_what_is_being_written_is_not() {
        let scratch = tempfile::tempdir().unwrap();
        for left in [".ca.pem.123.0", ".ca.pem.0123456789abcdef.new", ".ca.pemx.1", ".other.1", "ca.pem"] {
            fs::write(scratch.path().join(left), "half").unwrap();
        }
        let aside = scratch.path().join(".ca.pem.fedcba9876543210.new");
        let held = write_aside(&aside, b"half").unwrap();
        sweep_asides(scratch.path(), &["ca.pem"]);
        let mut left: Vec<String> = fs::read_dir(scratch.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [".ca.pem.fedcba9876543210.new", ".ca.pemx.1", ".other.1", "ca.pem"]);
        drop(held);
        // A program that another test starts holds it too, from its fork to its exec.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while aside.exists() && std::time::Instant::now() < deadline {
            sweep_asides(scratch.path(), &["ca.pem"]);
            std::thread::yield_now();
        }
        assert!(!aside.exists());
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused_with_what_to_do() {
        let scratch = tempfile::tempdir().unwrap();
        honest_directory(scratch.path()).unwrap();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let Err(FileError::Dishonest { why, remedy }) = honest_directory(scratch.path()) else { panic!() };
        assert_eq!(why, "can be written by others (mode 1777)");
        assert!(remedy.contains("--state DIR") && remedy.contains("chmod go-w"), "{remedy}");
    }
    #[test]
    fn a_file_of_another_user_is_not_used_unless_he_is_root() {
        assert_eq!(of_another(1000, 1000), None);
        assert_eq!(of_another(0, 1000), None, "root could write anything anyway");
        assert_eq!(of_another(0, 0), None);
        let why = Some(String::from("belongs to user 1001, not to user 1000"));
        assert_eq!(of_another(1001, 1000), why);
        assert_eq!(of_another(1000, 0).as_deref(), Some("belongs to user 1000, not to user 0"));
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        fs::write(&path, "").unwrap();
        // Only root can give a file away.
        if std::os::unix::fs::chown(&path, Some(1001), None).is_ok() {
            assert!(why_not(&path).contains("belongs to user"));
        }
    }

    fn why_not(path: &Path) -> String {
        read_state_file(path, 1024).unwrap_err().to_string()
    }

    #[test]
    fn who_reads_a_state_file_is_told_what_is_wrong_with_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("settings.json");
        assert_eq!(read_state_file(&path, 4).unwrap_err().kind(), io::ErrorKind::NotFound);
        write_private(&path, b"1234").unwrap();
        assert_eq!(read_state_file(&path, 4).unwrap(), b"1234");
        assert_eq!(read_state_file(&path, 3).unwrap_err().to_string(), "it is longer than 3 bytes");
        for mode in [0o602, 0o620, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(why_not(&path).starts_with("it can be written by others"), "{mode:o}");
        }
        for mode in [0o604, 0o640] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(why(read(&path, Holds::Secrets, 4)).contains("can be read by others"), "{mode:o}");
            read_state_file(&path, 4).unwrap();
        }
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(why_not(&link), "it is a symbolic link; remove it: the lab makes what it needs");
    }

    #[test]
    fn what_was_swept_while_it_was_made_is_made_again_and_nothing_else_is() {
        let tried = |outcomes: &[Option<io::ErrorKind>]| {
            let mut outcomes = outcomes.iter();
            let outcome = unless_swept(|| match outcomes.next() {
                Some(Some(kind)) => Err(io::Error::from(*kind)),
                _ => Ok(()),
            });
            (outcome.map_err(|error| error.kind()), outcomes.len())
        };
        let (gone, denied) = (Some(io::ErrorKind::NotFound), Some(io::ErrorKind::PermissionDenied));
        assert_eq!(tried(&[None, None]), (Ok(()), 1));
        assert_eq!(tried(&[gone, gone, gone, None]), (Ok(()), 0));
        assert_eq!(tried(&[gone; 5]), (Err(io::ErrorKind::NotFound), 1), "not for ever");
        assert_eq!(tried(&[denied, None]), (Err(io::ErrorKind::PermissionDenied), 1));
    }

    #[test]
    fn a_file_that_cannot_be_put_in_its_place_leaves_nothing_aside() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("ca.pem");
        fs::create_dir(&directory).unwrap();
        assert!(write_private(&directory, b"new").is_err());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
        assert!(write_private(&scratch.path().join("gone/ca.pem"), b"new").is_err());
    }

    #[test]
    fn a_file_in_place_of_a_directory_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("state");
        assert!(honest_directory(&path).unwrap_err().is_absent());
        fs::write(&path, "").unwrap();
        let Err(FileError::Dishonest { why, .. }) = honest_directory(&path) else { panic!() };
        assert_eq!(why, "is no directory");
        assert!(!FileError::from(io::Error::from(io::ErrorKind::PermissionDenied)).is_absent());
    }
}
