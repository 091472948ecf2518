//! The lab's own certificate authority: two roots, each with one issuing CA and nothing else.
//!
//! Decides which names a lab may have TLS certificates for. `local` speaks for localhost, reserved names, loopback, and
//! what a world declares; `real-names` speaks for the world's Microsoft names, for 30 days, and for no address. Both are
//! P-256, both carry critical DNS *and* address constraints, and their root keys are gone before [`LabCa::create`]
//! returns, so a trusted root can never speak for anything else. A saved CA is taken back only if it has exactly the shape
//! that one made here has. Time here is TLS's real time, given by the caller, never the lab's clock. Never writes a file
//! and never touches a trust store.

mod branch;
mod names;
mod shape;

use std::fmt;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::certificate::{Certificate, CertificateError};

use self::branch::IssuingCa;
pub use self::branch::{BACKDATED, LEAF_LIFE};
pub use self::names::{CaNames, IpNet};
use self::names::{Host, Permitted};

/// A CA with less than this left is replaced.
const RENEW_BEFORE: Duration = Duration::days(3);

/// Which of the two roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Branch {
    /// Local names and addresses; the one people install.
    Local,
    /// The world's Microsoft names.
    RealNames,
}

impl Branch {
    /// Both, in the order in which files and PEM texts hold them.
    pub const ALL: [Self; 2] = [Self::Local, Self::RealNames];

    /// `local` or `real-names`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::RealNames => "real-names",
        }
    }

    fn life(self) -> Duration {
        match self {
            Self::Local => Duration::days(365),
            Self::RealNames => Duration::days(30),
        }
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a leaf may be used for. Only [`LabCa::leaf_unchecked`] makes another than [`LeafPurpose::ServerAuth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafPurpose {
    /// TLS servers.
    ServerAuth,
    /// TLS clients: outside what the issuing CAs may sign.
    ClientAuth,
    /// Programs: outside what the issuing CAs may sign.
    CodeSigning,
}

/// Why the CA cannot do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaError {
    /// The text is neither a host name nor an address.
    #[error("{name:?} is neither a host name nor an address")]
    NotAName {
        /// The text, cut at 80 characters.
        name: String,
    },
    /// More names than a certificate should carry.
    #[error("more than {} names for one root", names::MAX_NAMES)]
    TooManyNames,
    /// A leaf was asked for without any name.
    #[error("a certificate needs at least one name")]
    NoNames,
    /// Neither root may speak for the name.
    #[error("{name} is outside the names this CA may speak for")]
    Outside {
        /// The name or address.
        name: String,
    },
    /// One leaf was asked for names of both roots.
    #[error("{name} belongs to the {branch} root, the names before it to the other")]
    TwoBranches {
        /// The first name of the other root.
        name: String,
        /// Its root.
        branch: Branch,
    },
    /// The moment lies outside the CA's validity.
    #[error("the {branch} CA is not valid now")]
    NotValidNow {
        /// Which.
        branch: Branch,
    },
    /// The clock is outside the years a certificate can name.
    #[error("the clock is outside the years 0 to 9999")]
    Clock,
    /// The saved CA is damaged, or its files do not belong together.
    #[error("the saved {branch} CA cannot be used: {reason}")]
    Files {
        /// Which.
        branch: Branch,
        /// What does not fit.
        reason: &'static str,
    },
    /// A certificate could not be written.
    #[error("the certificate could not be written: {0}")]
    Write(String),
}

impl From<rcgen::Error> for CaError {
    fn from(error: rcgen::Error) -> Self {
        Self::Write(error.to_string())
    }
}

impl From<CertificateError> for CaError {
    fn from(error: CertificateError) -> Self {
        Self::Write(error.to_string())
    }
}

/// Why a saved CA will not do for this start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyNot {
    /// A name of the world lies outside.
    #[error("the {branch} root does not cover {name}")]
    Name {
        /// The root that should.
        branch: Branch,
        /// The name or address range.
        name: String,
    },
    /// It speaks for something that is not asked for: whoever trusts it would trust too much.
    #[error("the {branch} root also speaks for {name}")]
    Wider {
        /// The root.
        branch: Branch,
        /// The name or address range it should not speak for.
        name: String,
    },
    /// It ends in under three days, or has ended.
    #[error("the {branch} root ends on {}", not_after.date())]
    Ending {
        /// Which.
        branch: Branch,
        /// Its last second.
        not_after: OffsetDateTime,
    },
    /// It begins in the future: the clock was set back.
    #[error("the {branch} root begins on {}", not_before.date())]
    NotYetValid {
        /// Which.
        branch: Branch,
        /// Its first second.
        not_before: OffsetDateTime,
    },
    /// The wanted names are not names.
    #[error(transparent)]
    Names(#[from] CaError),
}

impl WhyNot {
    /// The root concerned, if it is one of them.
    pub fn branch(&self) -> Option<Branch> {
        match self {
            Self::Name { branch, .. }
            | Self::Wider { branch, .. }
            | Self::Ending { branch, .. }
            | Self::NotYetValid { branch, .. } => Some(*branch),
            Self::Names(_) => None,
        }
    }
}

/// A TLS server certificate with its key.
#[derive(Clone)]
pub struct Leaf {
    /// The leaf, then the issuing CA; the root is what clients hold.
    pub chain_der: Vec<Vec<u8>>,
    /// The P-256 private key as PKCS#8 DER: secret.
    pub key_pkcs8_der: Vec<u8>,
    /// The root it chains to.
    pub branch: Branch,
    /// The first second of its validity.
    pub not_before: OffsetDateTime,
    /// The last second of its validity, at most seven days after its first.
    pub not_after: OffsetDateTime,
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf")
            .field("branch", &self.branch)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// One file of a saved CA.
#[derive(Clone, Copy)]
pub struct CaFile<'f> {
    /// Its name, for instance `local-issuing.key.pem`.
    pub name: &'static str,
    /// Its PEM text.
    pub text: &'f str,
    /// Whether it must be readable by its owner only.
    pub secret: bool,
}

/// A CA as six PEM texts. The names it covers are in its certificates and nowhere else, so they cannot disagree.
#[derive(Clone, PartialEq, Eq)]
pub struct CaFiles {
    /// In the order of [`CaFiles::NAMES`].
    texts: [String; 6],
}

impl CaFiles {
    /// The names of the files: root, issuing CA, issuing key of `local`, then of `real-names`.
    pub const NAMES: [&'static str; 6] = [
        "local-root.pem",
        "local-issuing.pem",
        "local-issuing.key.pem",
        "real-names-root.pem",
        "real-names-issuing.pem",
        "real-names-issuing.key.pem",
    ];

    /// The files to write.
    pub fn files(&self) -> [CaFile<'_>; 6] {
        std::array::from_fn(|index| CaFile {
            name: Self::NAMES[index],
            text: &self.texts[index],
            secret: index % 3 == 2,
        })
    }

    /// Collects the files through `read`, which is given each name and returns the text; stops at the first error.
    pub fn read_with<E>(mut read: impl FnMut(&'static str) -> Result<String, E>) -> Result<Self, E> {
        let mut texts: [String; 6] = Default::default();
        for (text, name) in texts.iter_mut().zip(Self::NAMES) {
            *text = read(name)?;
        }
        Ok(Self { texts })
    }

    /// All six as one PEM text in the same order, for a state that is replaced in one rename: secret.
    pub fn to_bundle(&self) -> String {
        self.texts.concat()
    }

    /// Splits what [`Self::to_bundle`] made; None if it does not hold exactly six PEM blocks, or has over 256 KiB.
    pub fn from_bundle(bundle: &str) -> Option<Self> {
        if bundle.len() > 256 * 1024 {
            return None;
        }
        let blocks = pem::parse_many(bundle).ok()?;
        let texts: Vec<String> =
            blocks.iter().map(|block| crate::certificate::pem_text(block.tag(), block.contents())).collect();
        Some(Self { texts: texts.try_into().ok()? })
    }
}

impl fmt::Debug for CaFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(Self::NAMES).finish()
    }
}

/// The CA of one state directory. Cloning shares it; `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct LabCa {
    local: Arc<IssuingCa>,
    real_names: Arc<IssuingCa>,
}

impl LabCa {
    /// A new CA: four P-256 keys, under a millisecond once the process has drawn randomness before.
    pub fn create(names: &CaNames, now: OffsetDateTime) -> Result<Self, CaError> {
        let create = |branch, permitted| IssuingCa::create(branch, permitted, now).map(Arc::new);
        Ok(Self {
            local: create(Branch::Local, Permitted::local(names)?)?,
            real_names: create(Branch::RealNames, Permitted::real_names(names)?)?,
        })
    }

    /// Replaces only the branches that do not cover `names` at `now`, and says which; a root someone installed stays as
    /// long as it can.
    pub fn renewed(&self, names: &CaNames, now: OffsetDateTime) -> Result<(Self, Vec<Branch>), CaError> {
        let mut renewed = self.clone();
        let mut replaced = Vec::new();
        for branch in Branch::ALL {
            match self.covers_branch(branch, names, now) {
                Ok(()) => continue,
                Err(WhyNot::Names(error)) => return Err(error),
                Err(_) => replaced.push(branch),
            }
            let created = Arc::new(IssuingCa::create(branch, branch_names(branch, names)?, now)?);
            match branch {
                Branch::Local => renewed.local = created,
                Branch::RealNames => renewed.real_names = created,
            }
        }
        Ok((renewed, replaced))
    }

    /// Reads a saved CA; refuses files that are damaged or do not belong together.
    pub fn from_files(files: &CaFiles) -> Result<Self, CaError> {
        let [local_root, local, local_key, real_root, real, real_key] = &files.texts;
        Ok(Self {
            local: Arc::new(IssuingCa::from_pems(Branch::Local, local_root, local, local_key)?),
            real_names: Arc::new(IssuingCa::from_pems(Branch::RealNames, real_root, real, real_key)?),
        })
    }

    /// What to save. There is no root key to save.
    pub fn to_files(&self) -> CaFiles {
        let (local, real) = (&self.local, &self.real_names);
        CaFiles {
            texts: [
                local.root.pem(),
                local.certificate.pem(),
                local.key_pem(),
                real.root.pem(),
                real.certificate.pem(),
                real.key_pem(),
            ],
        }
    }

    /// Both roots in PEM, `local` first: what a client trusts that also uses the world's Microsoft names.
    pub fn roots_pem(&self) -> String {
        self.local.root.pem() + &self.real_names.root.pem()
    }

    /// One root.
    pub fn root(&self, branch: Branch) -> &Certificate {
        &self.branch(branch).root
    }

    /// Everything one root speaks for, names before addresses, in the words of its constraints.
    pub fn permitted(&self, branch: Branch) -> Vec<String> {
        self.branch(branch).permitted.words()
    }

    /// The first and the last moment at which a root and its issuing CA are both valid.
    pub fn validity(&self, branch: Branch) -> (OffsetDateTime, OffsetDateTime) {
        let ca = self.branch(branch);
        (ca.not_before(), ca.not_after())
    }

    /// From when on and until when neither root has to be replaced because of the time.
    pub fn carefree(&self) -> (OffsetDateTime, OffsetDateTime) {
        let (local, real) = (self.validity(Branch::Local), self.validity(Branch::RealNames));
        (local.0.max(real.0), local.1.min(real.1).saturating_sub(RENEW_BEFORE))
    }

    /// Whether both roots are valid at this moment, however little is left of them.
    pub fn is_valid_at(&self, now: OffsetDateTime) -> bool {
        Branch::ALL.into_iter().all(|branch| self.branch(branch).is_valid_at(now))
    }

    /// Whether the CA does for these names at this moment: each root speaks for exactly its names, has begun, and has three
    /// days left.
    pub fn covers(&self, names: &CaNames, now: OffsetDateTime) -> Result<(), WhyNot> {
        Branch::ALL.into_iter().try_for_each(|branch| self.covers_branch(branch, names, now))
    }

    /// The same for one root.
    pub fn covers_branch(&self, branch: Branch, names: &CaNames, now: OffsetDateTime) -> Result<(), WhyNot> {
        let ca = self.branch(branch);
        let wanted = branch_names(branch, names)?;
        if let Some(name) = ca.permitted.first_missing(&wanted) {
            return Err(WhyNot::Name { branch, name });
        }
        if let Some(name) = wanted.first_missing(&ca.permitted) {
            return Err(WhyNot::Wider { branch, name });
        }
        let not_before = ca.not_before();
        if now < not_before {
            return Err(WhyNot::NotYetValid { branch, not_before });
        }
        if ca.not_after() - now < RENEW_BEFORE {
            return Err(WhyNot::Ending { branch, not_after: ca.not_after() });
        }
        Ok(())
    }

    /// A leaf for one host name or address, under the root that may speak for it.
    pub fn leaf(&self, host: &str, now: OffsetDateTime) -> Result<Leaf, CaError> {
        self.leaf_for(&[host], now)
    }

    /// One leaf for several host names and addresses of one root; a new P-256 key each time, 0.1 ms.
    pub fn leaf_for(&self, hosts: &[&str], now: OffsetDateTime) -> Result<Leaf, CaError> {
        let mut chosen = None;
        let mut read = Vec::new();
        for text in hosts {
            let host = Host::read(text)?;
            let branch = self.branch_of(&host).ok_or_else(|| CaError::Outside { name: shown(text) })?;
            if *chosen.get_or_insert(branch) != branch {
                return Err(CaError::TwoBranches { name: shown(text), branch });
            }
            if !read.contains(&host) {
                read.push(host);
            }
            if read.len() > names::MAX_NAMES {
                return Err(CaError::TooManyNames);
            }
        }
        let branch = chosen.ok_or(CaError::NoNames)?;
        self.branch(branch).sign_leaf(branch, &read, LeafPurpose::ServerAuth, now)
    }

    /// Signs a leaf the CA must never give out, so that tests can show clients refusing it.
    #[doc(hidden)]
    pub fn leaf_unchecked(
        &self,
        branch: Branch,
        hosts: &[&str],
        purpose: LeafPurpose,
        now: OffsetDateTime,
    ) -> Result<Leaf, CaError> {
        let hosts: Vec<Host> = hosts.iter().map(|text| Host::read(text)).collect::<Result<_, _>>()?;
        self.branch(branch).sign_leaf(branch, &hosts, purpose, now)
    }

    /// The root that may speak for a host, if either may.
    fn branch_of(&self, host: &Host) -> Option<Branch> {
        Branch::ALL.into_iter().find(|branch| {
            let permitted = &self.branch(*branch).permitted;
            match host {
                Host::Dns(name) => permitted.covers_name(name),
                Host::Ip(address) => permitted.covers_net(&IpNet::single(*address)),
            }
        })
    }

    fn branch(&self, branch: Branch) -> &IssuingCa {
        match branch {
            Branch::Local => &self.local,
            Branch::RealNames => &self.real_names,
        }
    }
}

fn branch_names(branch: Branch, names: &CaNames) -> Result<Permitted, CaError> {
    match branch {
        Branch::Local => Permitted::local(names),
        Branch::RealNames => Permitted::real_names(names),
    }
}

/// A text for an error message, cut at 80 characters.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
