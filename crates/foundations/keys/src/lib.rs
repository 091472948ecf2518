//! RSA, X.509, thumbprints, PFX, seeded keys, the lab's CA and sealing.
//!
//! Decides what a usable key or certificate is (RSA 2048 to 8192 bits, strict DER, bounded input), how a thumbprint is
//! spelt and read, and which published keys the lab ships. It never decides whether a certificate is *accepted*: that is
//! the surfaces' question. Keys are parsed once and then cheap to clone and share; nothing here knows the time.

mod ca;
mod certificate;
mod der;
mod identity;
mod pfx;
mod random;
mod rsa_key;
mod sealing;
mod seeded;
mod self_signed;
mod shared_secret;
pub mod shipped;
mod thumbprint;

pub use ca::{
    BACKDATED as LEAF_BACKDATED, Branch, CaError, CaFile, CaFiles, CaNames, IpNet, LEAF_LIFE, LabCa, Leaf,
    LeafPurpose, WhyNot,
};
pub use certificate::{Certificate, CertificateError, MAX_CERTIFICATE_INPUT};
pub use identity::{Identity, IdentityError};
pub use pfx::{MAX_PFX_INPUT, PfxError, read_pfx, write_pfx, write_truststore};
pub use random::fill_from_system;
pub use rsa_key::{Algorithm, KeyError, MAX_MODULUS_BITS, MIN_MODULUS_BITS, PublicKey, SigningKey};
pub use sealing::{LABEL, NotGenuine, SEALING_NONCE, SEALING_SECRET, SEALING_TAG, SealingKey};
pub use seeded::identity_from_seed;
pub use self_signed::{SelfSigned, SelfSignedError, Subject, Validity, issue_self_signed};
pub use shared_secret::hs256;
pub use thumbprint::{
    PastedThumbprint, Thumbprint, Thumbprint256, decode_hash_member, decode_key_identifier, sha256,
    sha256_hex,
};
