//! PFX (PKCS#12, RFC 7292): an identity in one password-protected file.
//!
//! Decides that an identity is written as Windows exports one by default (3DES, HMAC-SHA1 over the whole): everything that
//! reads PFX reads that, and it protects a key that is published anyway, while Windows Server 2016 and Go's reader know
//! nothing newer. A trust store is modern (PBES2 with AES-256-CBC and HMAC-SHA256), and what is read may be either, or RC2.
//! Reading is bounded: size, number of key derivations and iterations are looked at before any is run. Never decides what
//! the identity is for.

use p12_keystore::{
    EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12Archive, PrivateKey, PrivateKeyChain,
};

use crate::certificate::Certificate;
use crate::identity::Identity;
use crate::rsa_key::{KeyError, SigningKey};

/// The largest PFX that is read, in bytes; one with an 8192-bit key and a chain of ten certificates is half of it.
pub const MAX_PFX_INPUT: usize = 64 * 1024;

/// The iterations of key derivation in what is written, as openssl's default is.
const ITERATIONS: u32 = 2048;

/// How many key derivations a file may visibly ask for: usually two or three.
const MAX_DERIVATIONS: usize = 16;

/// Why a PFX could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PfxError {
    /// The input is longer than [`MAX_PFX_INPUT`].
    #[error("the input has {bytes} bytes; a PFX may have {MAX_PFX_INPUT}")]
    TooLong {
        /// The length found.
        bytes: usize,
    },
    /// The file asks for more work than an honest one would: scrypt, or very many key derivations.
    #[error("the PFX asks for more key derivation than is allowed")]
    TooCostly,
    /// The password is wrong: the file's authentication code does not fit.
    #[error("the password is wrong, or the PFX is damaged")]
    Password,
    /// The bytes are not a PFX this can read.
    #[error("not a readable PFX: {0}")]
    Unreadable(String),
    /// The PFX holds no RSA private key.
    #[error("the PFX holds no RSA private key")]
    NoKey,
    /// A private key in it is not usable.
    #[error("the private key in the PFX cannot be used: {0}")]
    Key(KeyError),
    /// No certificate in it belongs to its private key.
    #[error("no certificate in the PFX belongs to its private key")]
    NoCertificate,
    /// The file could not be written.
    #[error("the PFX could not be written: {0}")]
    Write(String),
}

/// Writes key and certificate; the salts are random, so the bytes differ each time. Costs a few milliseconds at most.
///
/// The empty password is allowed and is what `openssl pkcs12 -passin pass:` and most client libraries read by default.
pub fn write_pfx(identity: &Identity, password: &str) -> Result<Vec<u8>, PfxError> {
    let written = |error: p12_keystore::error::Error| PfxError::Write(error.to_string());
    let key = PrivateKey::from_der(identity.key().pkcs8_der()).map_err(written)?;
    let certificate = p12_keystore::Certificate::from_der(identity.certificate().der()).map_err(written)?;
    let thumbprint = identity.certificate().thumbprint();
    let chain = PrivateKeyChain::new(thumbprint.as_bytes().as_slice(), key, [certificate]);
    let mut store = KeyStore::new();
    store.add_entry(&thumbprint.to_string(), KeyStoreEntry::PrivateKeyChain(chain));
    store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .mac_algorithm(MacAlgorithm::HmacSha1)
        .encryption_iterations(ITERATIONS)
        .mac_iterations(ITERATIONS)
        .write()
        .map_err(written)
}

/// Writes a PKCS#12 trust store: certificates only, each with the attribute by which Java knows a trusted certificate
/// (one made by openssl lacks it, and Java then finds no trust anchor). `entries` are alias and certificate.
pub fn write_truststore(entries: &[(&str, &Certificate)], password: &str) -> Result<Vec<u8>, PfxError> {
    let written = |error: p12_keystore::error::Error| PfxError::Write(error.to_string());
    let mut store = KeyStore::new();
    for (alias, certificate) in entries {
        let certificate = p12_keystore::Certificate::from_der(certificate.der()).map_err(written)?;
        store.add_entry(alias, KeyStoreEntry::Certificate(certificate));
    }
    store
        .writer(password)
        .encryption_iterations(ITERATIONS)
        .mac_iterations(ITERATIONS)
        .write()
        .map_err(written)
}

/// Reads the first usable RSA key and the certificate that belongs to it; other certificates are passed over.
pub fn read_pfx(bytes: &[u8], password: &str) -> Result<Identity, PfxError> {
    if bytes.len() > MAX_PFX_INPUT {
        return Err(PfxError::TooLong { bytes: bytes.len() });
    }
    check_cost(bytes)?;
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| match error {
        p12_keystore::error::Error::MacError(_) | p12_keystore::error::Error::UnpadError => {
            PfxError::Password
        }
        other => PfxError::Unreadable(other.to_string()),
    })?;
    let mut refused = PfxError::NoKey;
    for bag in &archive.keys {
        match SigningKey::from_pkcs8_der(bag.key.as_der()) {
            Ok(key) => {
                let own = archive
                    .certs
                    .iter()
                    .filter_map(|bag| Certificate::from_der(bag.cert.as_der()).ok())
                    .find_map(|certificate| Identity::new(certificate, key.clone()).ok());
                match own {
                    Some(identity) => return Ok(identity),
                    None => refused = PfxError::NoCertificate,
                }
            }
            Err(KeyError::NotRsa) => {}
            Err(error) => refused = PfxError::Key(error),
        }
    }
    Err(refused)
}

/// Refuses what would cost seconds or gigabytes. The reader below allows a million iterations for each derivation and a
/// gibibyte for scrypt, so the number of derivations is what is left to bound.
fn check_cost(bytes: &[u8]) -> Result<(), PfxError> {
    // The object identifiers in DER: scrypt 1.3.6.1.4.1.11591.4.11, PBKDF2 1.2.840.113549.1.5.12, and the common head of
    // the PKCS#12 password-based schemes 1.2.840.113549.1.12.1.
    const SCRYPT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];
    const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
    const PBES1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
    let count = |oid: &[u8]| bytes.windows(oid.len()).filter(|window| *window == oid).count();
    if count(SCRYPT) > 0 || count(PBKDF2) + count(PBES1) > MAX_DERIVATIONS {
        return Err(PfxError::TooCostly);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MAX_PFX_INPUT, PfxError, read_pfx, write_pfx, write_truststore};
    use crate::shipped;

    #[test]
    fn a_pfx_reads_back_with_its_password_and_with_no_other() {
        let identity = shipped::sample_client();
        for password in ["", "pfx-password", "Pässwort €"] {
            let pfx = write_pfx(identity, password).unwrap();
            let read = read_pfx(&pfx, password).unwrap();
            assert_eq!(read.certificate(), identity.certificate());
            assert_eq!(read.key().pkcs8_der(), identity.key().pkcs8_der());
            assert_eq!(read_pfx(&pfx, "another").unwrap_err(), PfxError::Password);
        }
    }

    #[test]
    fn garbage_truncation_and_huge_input_are_refused() {
        for garbage in
            [&b""[..], b"-----BEGIN CERTIFICATE-----", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30; 4096]]
        {
            assert!(matches!(read_pfx(garbage, ""), Err(PfxError::Unreadable(_))), "{garbage:?}");
        }
        let whole = write_pfx(shipped::sample_client(), "x").unwrap();
        for length in (0..whole.len()).step_by(53) {
            read_pfx(&whole[..length], "x").unwrap_err();
        }
        assert!(matches!(read_pfx(&vec![0x30; MAX_PFX_INPUT + 1], ""), Err(PfxError::TooLong { .. })));
    }

    #[test]
    fn a_trust_store_holds_each_certificate_marked_as_trusted_and_no_key() {
        let (first, second) =
            (shipped::sample_client().certificate(), shipped::second_client().certificate());
        let store = write_truststore(&[("first", first), ("second", second)], "changeit").unwrap();
        let archive = p12_keystore::Pkcs12Archive::from_pkcs12(&store, "changeit").unwrap();
        let held: Vec<_> = archive.certs.iter().map(|bag| (bag.trusted, bag.cert.as_der())).collect();
        assert_eq!(held, [(true, first.der()), (true, second.der())]);
        assert_eq!(read_pfx(&store, "changeit").unwrap_err(), PfxError::NoKey);
    }

    #[test]
    fn flipping_bytes_never_panics() {
        let whole = write_pfx(shipped::sample_client(), "x").unwrap();
        // The head is structure; damage further in only fails the authentication code, at its price.
        for index in (0..120).chain((120..whole.len()).step_by(211)) {
            let mut damaged = whole.clone();
            damaged[index] ^= 0x11;
            let _ = read_pfx(&damaged, "x");
        }
    }

    #[test]
    fn a_pfx_that_asks_for_very_much_work_is_refused_unread() {
        let pbkdf2 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
        assert_eq!(read_pfx(&pbkdf2.repeat(17), "").unwrap_err(), PfxError::TooCostly);
        let scrypt = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];
        assert_eq!(read_pfx(&scrypt, "").unwrap_err(), PfxError::TooCostly);
    }
}
