//! A machine's certificate stores, kept as directories.
//!
//! Decides which certificates each of the four stores holds, and for which of them the private key is there and may be
//! read. It never decides whether one is *usable* (lookup order, expiry and purpose belong to the AOS) and never writes.
//!
//! Mirrors the Windows stores `LocalMachine\My`, `LocalMachine\Root`, `CurrentUser\My` and `CurrentUser\Root`, one
//! directory each. Public certificates are `.cer`, `.crt`, `.der` and `.pem`; with private key they are `.pfx` or
//! `.p12` (empty password), or any of the first together with its key in a `.pem` or `.key` in the same directory; key
//! and certificate are matched by the key itself, not by name. Other files and directories are ignored.
//!
//! Only regular files are ever opened. A FIFO, socket, device or symbolic link is refused by what it is, because
//! opening one can block for ever or lead out of the directory.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, FileType};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use mocktenant_keys::{Certificate, Identity, SigningKey, Thumbprint, read_pfx};
use thiserror::Error;

/// Most directory entries read, over all four stores.
const MAX_FILES: usize = 1_000;
/// Largest file read, in bytes (1 MiB).
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// One of the stores an AOS can find its certificate in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreName {
    /// Certificates of the machine, the place the AOS looks first.
    LocalMachineMy,
    /// Authorities the machine trusts.
    LocalMachineRoot,
    /// Certificates of the user the AOS runs as.
    CurrentUserMy,
    /// Authorities that user trusts.
    CurrentUserRoot,
}

impl StoreName {
    /// All stores, in the order of an AOS's interest.
    pub const ALL: [Self; 4] =
        [Self::LocalMachineMy, Self::LocalMachineRoot, Self::CurrentUserMy, Self::CurrentUserRoot];

    /// Location and store, as the two directory names.
    pub fn directories(self) -> [&'static str; 2] {
        match self {
            Self::LocalMachineMy => ["LocalMachine", "My"],
            Self::LocalMachineRoot => ["LocalMachine", "Root"],
            Self::CurrentUserMy => ["CurrentUser", "My"],
            Self::CurrentUserRoot => ["CurrentUser", "Root"],
        }
    }
}

impl fmt::Display for StoreName {
    /// Writes `LocalMachine/My`, as the directory is spelt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [location, store] = self.directories();
        write!(f, "{location}/{store}")
    }
}

/// One certificate in one store.
#[derive(Debug, Clone)]
pub struct StoredCertificate {
    /// SHA-1 of the certificate, the name under which it is looked up.
    pub thumbprint: Thumbprint,
    /// The certificate.
    pub certificate: Certificate,
    /// The certificate with its private key, when the key is there and readable.
    pub identity: Option<Identity>,
    /// The file that holds the certificate, relative to the stores' directory.
    pub file: PathBuf,
    /// False when a private key is there but may not be read. True without a key: there is nothing to read.
    pub readable: bool,
}

impl StoredCertificate {
    /// Whether the store holds the private key, readable or not.
    pub fn has_private_key(&self) -> bool {
        self.identity.is_some() || !self.readable
    }
}

/// The four stores of a machine; those without a directory are empty.
#[derive(Debug, Clone, Default)]
pub struct CertificateStores {
    stores: BTreeMap<StoreName, Vec<StoredCertificate>>,
}

/// A certificate directory that cannot be taken as it is. Files are named relative to it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// None of the four stores is there, so this is probably another directory.
    #[error(
        "{directory} holds no certificate store: expected LocalMachine/My, LocalMachine/Root, CurrentUser/My or \
             CurrentUser/Root in it"
    )]
    NoStore {
        /// The directory as given.
        directory: String,
    },
    /// Something that is neither a regular file nor a directory.
    #[error("{file} is {what}; only regular files are read, put the certificate file itself here")]
    NotRegular {
        /// The file.
        file: String,
        /// `a symbolic link`, `a FIFO`, `a socket`, `a device` or `not a regular file`.
        what: &'static str,
    },
    /// A store's name that is not a directory.
    #[error("{file} is not a directory")]
    NotDirectory {
        /// The file.
        file: String,
    },
    /// More entries, or more certificates and keys in one store, than are read.
    #[error(
        "the certificate stores hold more than {MAX_FILES} files, or one store more certificates and keys"
    )]
    TooMany,
    /// A file larger than is read.
    #[error("{file} is larger than {MAX_FILE_BYTES} bytes; no certificate is")]
    TooLarge {
        /// The file.
        file: String,
    },
    /// A file that holds no certificate or key although its name says so.
    #[error("{file}: {reason}")]
    Unusable {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A private key without its certificate.
    #[error("{file} holds a private key, but no certificate in {store} belongs to it")]
    StrayKey {
        /// The file.
        file: String,
        /// The store's directory.
        store: StoreName,
    },
    /// A file that may not be read, so that its certificate is unknown.
    #[error("{file} may not be read, and no certificate of the same name beside it says what it holds")]
    Forbidden {
        /// The file.
        file: String,
    },
    /// The file system refused.
    #[error("{file}: {error}")]
    Io {
        /// The file.
        file: String,
        /// Its answer.
        error: io::Error,
    },
}

impl CertificateStores {
    /// Reads the stores below a directory. The directory itself may be a symbolic link, nothing in it may.
    pub fn read(directory: &Path) -> Result<Self, StoreError> {
        read_with(directory, &read_file)
    }

    /// The certificates of a store, ordered by file name, each thumbprint once.
    pub fn list(&self, store: StoreName) -> &[StoredCertificate] {
        self.stores.get(&store).map_or(&[], Vec::as_slice)
    }

    /// The certificate of that thumbprint in a store.
    pub fn find(&self, store: StoreName, thumbprint: Thumbprint) -> Option<&StoredCertificate> {
        self.list(store).iter().find(|stored| stored.thumbprint == thumbprint)
    }

    /// Every certificate with its store, in the order of [`StoreName::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (StoreName, &StoredCertificate)> {
        self.stores.iter().flat_map(|(store, list)| list.iter().map(move |stored| (*store, stored)))
    }
}

/// Opens and reads a regular file; a parameter so that tests can refuse permission even to root.
type Reader<'r> = &'r dyn Fn(&Path) -> io::Result<Vec<u8>>;

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed shows that a file grew after it was measured.
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_with(directory: &Path, reader: Reader<'_>) -> Result<CertificateStores, StoreError> {
    let mut stores = BTreeMap::new();
    let mut budget = MAX_FILES;
    for name in StoreName::ALL {
        let [location, store] = name.directories();
        let relative = Path::new(location).join(store);
        if is_directory(directory, Path::new(location))? && is_directory(directory, &relative)? {
            stores.insert(name, read_store(directory, name, &relative, &mut budget, reader)?);
        }
    }
    if stores.is_empty() {
        return Err(StoreError::NoStore { directory: directory.display().to_string() });
    }
    Ok(CertificateStores { stores })
}

/// Whether a directory is there; something else of that name is an error.
fn is_directory(root: &Path, relative: &Path) -> Result<bool, StoreError> {
    match fs::symlink_metadata(root.join(relative)) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(metadata) if metadata.is_file() => Err(StoreError::NotDirectory { file: shown(relative) }),
        Ok(metadata) => {
            Err(StoreError::NotRegular { file: shown(relative), what: what(metadata.file_type()) })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::Io { file: shown(relative), error }),
    }
}

/// What one directory holds before keys and certificates are matched.
#[derive(Default)]
struct Found {
    certificates: Vec<StoredCertificate>,
    keys: Vec<(PathBuf, SigningKey)>,
    forbidden: Vec<PathBuf>,
}

fn read_store(
    root: &Path,
    store: StoreName,
    relative: &Path,
    budget: &mut usize,
    reader: Reader<'_>,
) -> Result<Vec<StoredCertificate>, StoreError> {
    let io_error = |error| StoreError::Io { file: shown(relative), error };
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(relative)).map_err(io_error)? {
        *budget = budget.checked_sub(1).ok_or(StoreError::TooMany)?;
        names.push(entry.map_err(io_error)?.file_name());
    }
    names.sort_unstable();
    let mut found = Found::default();
    for name in names {
        let file = relative.join(name);
        read_entry(root, &file, &mut found, reader)?;
    }
    found.matched(store)
}

fn read_entry(root: &Path, file: &Path, found: &mut Found, reader: Reader<'_>) -> Result<(), StoreError> {
    let io_error = |error| StoreError::Io { file: shown(file), error };
    let path = root.join(file);
    // Never open before the metadata of the name itself says "regular file".
    let metadata = fs::symlink_metadata(&path).map_err(io_error)?;
    if metadata.is_dir() {
        return Ok(());
    }
    if !metadata.is_file() {
        return Err(StoreError::NotRegular { file: shown(file), what: what(metadata.file_type()) });
    }
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let take = match extension.as_deref() {
        Some("cer" | "crt" | "der" | "pem" | "key") => take_pem_or_der,
        Some("pfx" | "p12") => take_pfx,
        _ => return Ok(()),
    };
    let too_large = || StoreError::TooLarge { file: shown(file) };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    let bytes = match reader(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            found.forbidden.push(file.to_owned());
            return Ok(());
        }
        Err(error) => return Err(io_error(error)),
    };
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large());
    }
    take(file, &bytes, found).map_err(|reason| StoreError::Unusable { file: shown(file), reason })?;
    // One PEM file can hold many; matching keys to certificates compares each with each.
    if found.certificates.len() + found.keys.len() > MAX_FILES { Err(StoreError::TooMany) } else { Ok(()) }
}

fn take_pfx(file: &Path, bytes: &[u8], found: &mut Found) -> Result<(), String> {
    let identity =
        read_pfx(bytes, "").map_err(|error| format!("{error} (it must have an empty password)"))?;
    found.add(file, identity.certificate().clone(), Some(identity));
    Ok(())
}

fn take_pem_or_der(file: &Path, bytes: &[u8], found: &mut Found) -> Result<(), String> {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.contains("-----BEGIN ")) else {
        let certificate = Certificate::from_any(bytes).map_err(|error| error.to_string())?;
        found.add(file, certificate, None);
        return Ok(());
    };
    let mut any = false;
    for block in pem_blocks(text) {
        if block.label.ends_with("CERTIFICATE") {
            let certificate = Certificate::from_pem(block.text).map_err(|error| error.to_string())?;
            found.add(file, certificate, None);
            any = true;
        } else if block.label.ends_with("PRIVATE KEY") {
            let key = SigningKey::from_pem(block.text).map_err(|error| error.to_string())?;
            found.keys.push((file.to_owned(), key));
            any = true;
        }
    }
    if any { Ok(()) } else { Err("no complete CERTIFICATE or PRIVATE KEY block in it".to_owned()) }
}

/// One `-----BEGIN label-----` ... `-----END label-----`, whole.
struct PemBlock<'t> {
    label: &'t str,
    text: &'t str,
}

/// The blocks of a PEM text (RFC 7468 section 2); a block without its end is the last and is not given.
fn pem_blocks(mut text: &str) -> impl Iterator<Item = PemBlock<'_>> {
    std::iter::from_fn(move || {
        let block = &text[text.find("-----BEGIN ")?..];
        let label = block.strip_prefix("-----BEGIN ")?.split("-----").next()?;
        let last = block.find("-----END ")?;
        let end = last + "-----END ".len();
        let end = end + block[end..].find("-----")? + "-----".len();
        text = &block[end..];
        Some(PemBlock { label, text: &block[..end] })
    })
}

impl Found {
    /// Adds a certificate; the same one in two files is one, with the key if either has it.
    fn add(&mut self, file: &Path, certificate: Certificate, identity: Option<Identity>) {
        let thumbprint = certificate.thumbprint();
        if let Some(known) = self.certificates.iter_mut().find(|known| known.thumbprint == thumbprint) {
            if known.identity.is_none() && identity.is_some() {
                known.identity = identity;
                file.clone_into(&mut known.file);
            }
            return;
        }
        self.certificates.push(StoredCertificate {
            thumbprint,
            certificate,
            identity,
            file: file.to_owned(),
            readable: true,
        });
    }

    fn matched(mut self, store: StoreName) -> Result<Vec<StoredCertificate>, StoreError> {
        for (file, key) in self.keys {
            let mut owners = self
                .certificates
                .iter_mut()
                .filter(|stored| stored.certificate.public_key().is_ok_and(|public| public == key.public()))
                .peekable();
            if owners.peek().is_none() {
                return Err(StoreError::StrayKey { file: shown(&file), store });
            }
            for owner in owners.filter(|owner| owner.identity.is_none()) {
                let identity = Identity::new(owner.certificate.clone(), key.clone());
                owner.identity = Some(identity.map_err(|error| StoreError::Unusable {
                    file: shown(&file),
                    reason: error.to_string(),
                })?);
            }
        }
        for file in self.forbidden {
            let stem = file.file_stem();
            let mut owners =
                self.certificates.iter_mut().filter(|stored| stored.file.file_stem() == stem).peekable();
            if owners.peek().is_none() {
                return Err(StoreError::Forbidden { file: shown(&file) });
            }
            for owner in owners.filter(|owner| owner.identity.is_none()) {
                owner.readable = false;
            }
        }
        Ok(self.certificates)
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn what(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        return "a symbolic link";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    "not a regular file"
}

#[cfg(test)]
mod tests;
