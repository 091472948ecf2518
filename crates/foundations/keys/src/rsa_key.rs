//! RSA keys: verify and sign with keys parsed once.
//!
//! Decides that a usable modulus has 2048 to 8192 bits and that a signature is exactly one of the six JOSE algorithms of
//! RFC 7518 sections 3.3 and 3.5 (PSS with a salt as long as the hash, as the RFC asks). Never decides which algorithm a
//! product accepts, and never generates a key.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    self, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::der;

/// The smallest accepted modulus, in bits.
pub const MIN_MODULUS_BITS: usize = 2048;
/// The largest accepted modulus, in bits.
pub const MAX_MODULUS_BITS: usize = 8192;
/// The largest key input that is looked at, in bytes: a PEM of an 8192-bit private key has under 7 KiB.
const MAX_KEY_INPUT: usize = 64 * 1024;

/// Why a key is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key is of another kind, for instance elliptic curve.
    #[error("the key is not an RSA key")]
    NotRsa,
    /// The modulus is outside [`MIN_MODULUS_BITS`]..=[`MAX_MODULUS_BITS`].
    #[error("the RSA modulus has {bits} bits; {MIN_MODULUS_BITS} to {MAX_MODULUS_BITS} are accepted")]
    ModulusBits {
        /// The size found.
        bits: usize,
    },
    /// The numbers do not form an RSA key, for instance an even exponent.
    #[error("the numbers do not form an RSA key")]
    Inconsistent,
    /// The bytes are not the DER expected, or something follows them.
    #[error("the key is not well-formed DER")]
    Malformed,
    /// The text holds no `PRIVATE KEY` or `RSA PRIVATE KEY` block.
    #[error("no unencrypted private key in PEM was found")]
    NoPrivateKey,
    /// The PEM block is an `ENCRYPTED PRIVATE KEY`.
    #[error("the private key is encrypted; give it without a password, or as PFX")]
    Encrypted,
    /// The input is longer than any key.
    #[error("the input has {bytes} bytes, more than any key")]
    TooLong {
        /// The length found.
        bytes: usize,
    },
    /// The crypto library could not sign.
    #[error("signing failed")]
    SigningFailed,
}

/// A signature algorithm over an RSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256 and a 32-byte salt.
    Ps256,
    /// RSASSA-PSS with SHA-384 and a 48-byte salt.
    Ps384,
    /// RSASSA-PSS with SHA-512 and a 64-byte salt.
    Ps512,
}

impl Algorithm {
    /// All six, in the order of RFC 7518.
    pub const ALL: [Self; 6] = [Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Ps384, Self::Ps512];

    /// The JOSE name, for instance `RS256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    /// The algorithm of a JOSE name; names are case-sensitive (RFC 7515 section 4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn verification(self) -> &'static RsaParameters {
        match self {
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        }
    }

    fn signing(self) -> &'static dyn RsaEncoding {
        match self {
            Self::Rs256 => &signature::RSA_PKCS1_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_SHA512,
            Self::Ps256 => &signature::RSA_PSS_SHA256,
            Self::Ps384 => &signature::RSA_PSS_SHA384,
            Self::Ps512 => &signature::RSA_PSS_SHA512,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An RSA public key, parsed once. Cloning shares it.
#[derive(Clone)]
pub struct PublicKey(Arc<PublicKeyInner>);

struct PublicKeyInner {
    components: RsaPublicKeyComponents<Vec<u8>>,
    bits: usize,
    /// The crypto library binds a parsed key to one algorithm, so there is one per algorithm, made at its first use.
    parsed: [OnceLock<Option<ParsedPublicKey>>; 6],
}

impl PublicKey {
    /// A key from big-endian modulus and exponent; leading zeros are dropped.
    pub fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = (der::without_leading_zeros(n), der::without_leading_zeros(e));
        let bits = accepted_bits(n)?;
        // The crypto library checks this only at the first use: both odd, and the exponent at least 3, at most 33 bits.
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !odd(n) || !odd(e) || !(2..=33).contains(&bit_length(e)) {
            return Err(KeyError::Inconsistent);
        }
        let components = RsaPublicKeyComponents { n: n.to_vec(), e: e.to_vec() };
        Ok(Self(Arc::new(PublicKeyInner { components, bits, parsed: Default::default() })))
    }

    /// A key from a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1) with nothing after it.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        if spki.len() > MAX_KEY_INPUT {
            return Err(KeyError::TooLong { bytes: spki.len() });
        }
        match SubjectPublicKeyInfo::from_der(spki) {
            Ok(([], spki)) => Self::from_parsed_spki(&spki),
            _ => Err(KeyError::Malformed),
        }
    }

    pub(crate) fn from_parsed_spki(spki: &SubjectPublicKeyInfo<'_>) -> Result<Self, KeyError> {
        if spki.algorithm.algorithm != x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION {
            return Err(KeyError::NotRsa);
        }
        let (n, e) = der::rsa_public_key(&spki.subject_public_key.data).ok_or(KeyError::Malformed)?;
        Self::from_components(n, e)
    }

    /// The modulus as JWK's `n` (RFC 7518 section 6.3.1.1).
    pub fn n_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0.components.n)
    }

    /// The exponent as JWK's `e`, nearly always `AQAB`.
    pub fn e_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0.components.e)
    }

    /// The modulus, big-endian, without leading zeros.
    pub fn modulus(&self) -> &[u8] {
        &self.0.components.n
    }

    /// The exponent, big-endian, without leading zeros.
    pub fn exponent(&self) -> &[u8] {
        &self.0.components.e
    }

    /// The size of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.0.bits
    }

    /// Whether `signature` is `algorithm`'s signature of `message` by this key.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.0.parsed[algorithm as usize]
            .get_or_init(|| self.0.components.to_parsed_public_key(algorithm.verification()).ok())
            .as_ref()
            .is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus() == other.modulus() && self.exponent() == other.exponent()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("bits", &self.0.bits).field("n", &self.n_base64url()).finish()
    }
}

/// An RSA private key, parsed once. Cloning shares it; printing it shows only the public half.
#[derive(Clone)]
pub struct SigningKey(Arc<SigningKeyInner>);

struct SigningKeyInner {
    pair: KeyPair,
    public: PublicKey,
    pkcs8_der: Vec<u8>,
}

impl SigningKey {
    /// A key from PKCS#8 DER (RFC 5208) with nothing after it.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > MAX_KEY_INPUT {
            return Err(KeyError::TooLong { bytes: der.len() });
        }
        let (algorithm, octets) = der::pkcs8(der).ok_or(KeyError::Malformed)?;
        // The object identifier 1.2.840.113549.1.1.1, rsaEncryption.
        if !algorithm.starts_with(&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]) {
            return Err(KeyError::NotRsa);
        }
        accepted_bits(der::rsa_private_key_modulus(octets).ok_or(KeyError::Malformed)?)?;
        Self::from_pair(KeyPair::from_pkcs8(der).map_err(|_| KeyError::Inconsistent)?)
    }

    /// A key from PKCS#1 `RSAPrivateKey` DER (RFC 8017 appendix A.1.2) with nothing after it.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > MAX_KEY_INPUT {
            return Err(KeyError::TooLong { bytes: der.len() });
        }
        accepted_bits(der::rsa_private_key_modulus(der).ok_or(KeyError::Malformed)?)?;
        Self::from_pair(KeyPair::from_der(der).map_err(|_| KeyError::Inconsistent)?)
    }

    /// A key from the first `PRIVATE KEY` (PKCS#8) or `RSA PRIVATE KEY` (PKCS#1) block of `text`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_INPUT {
            return Err(KeyError::TooLong { bytes: text.len() });
        }
        let blocks = pem::parse_many(text).map_err(|_| KeyError::Malformed)?;
        for block in &blocks {
            match block.tag() {
                "PRIVATE KEY" => return Self::from_pkcs8_der(block.contents()),
                // The older form may be encrypted inside its block, with a header that says so (RFC 1421).
                "RSA PRIVATE KEY" if block.headers().get("DEK-Info").is_some() => {
                    return Err(KeyError::Encrypted);
                }
                "RSA PRIVATE KEY" => return Self::from_pkcs1_der(block.contents()),
                "EC PRIVATE KEY" => return Err(KeyError::NotRsa),
                "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
                _ => {}
            }
        }
        Err(KeyError::NoPrivateKey)
    }

    fn from_pair(pair: KeyPair) -> Result<Self, KeyError> {
        let (n, e) = der::rsa_public_key(pair.public_key().as_ref()).ok_or(KeyError::Malformed)?;
        let public = PublicKey::from_components(n, e)?;
        // Written again rather than kept, so that one key always has one spelling.
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Inconsistent)?;
        let pkcs8_der = pkcs8.as_ref().to_vec();
        Ok(Self(Arc::new(SigningKeyInner { pair, public, pkcs8_der })))
    }

    /// `algorithm`'s signature of `message`, as long as the modulus.
    ///
    /// RS256, RS384 and RS512 are deterministic; the PS family draws its salt from the operating system.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.0.pair.public_modulus_len()];
        self.0
            .pair
            .sign(algorithm.signing(), &crate::random::system(), message, &mut signature)
            .map_err(|_| KeyError::SigningFailed)?;
        Ok(signature)
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// The public half as PEM (`PUBLIC KEY`, RFC 7468 section 13): what a verifier keeps in a file.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        let der: PublicKeyX509Der<'_> =
            self.0.pair.public_key().as_der().map_err(|_| KeyError::Inconsistent)?;
        Ok(pem::encode_config(
            &pem::Pem::new("PUBLIC KEY", der.as_ref()),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        ))
    }

    /// The key as PKCS#8 DER: secret.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.0.pkcs8_der
    }

    /// The public half as PKCS#1 `RSAPublicKey` DER.
    pub(crate) fn public_pkcs1_der(&self) -> &[u8] {
        self.0.pair.public_key().as_ref()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.0.public).finish_non_exhaustive()
    }
}

/// The size of a modulus without leading zeros, if it is one the lab works with.
fn accepted_bits(n: &[u8]) -> Result<usize, KeyError> {
    let bits = bit_length(n);
    if (MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&bits) {
        Ok(bits)
    } else {
        Err(KeyError::ModulusBits { bits })
    }
}

/// The size in bits of a big-endian number without leading zeros.
fn bit_length(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, KeyError, PublicKey, SigningKey};
    use crate::shipped;

    const MESSAGE: &[u8] = b"header.claims";

    #[test]
    fn every_algorithm_signs_and_its_signature_verifies_under_no_other() {
        let key = shipped::sample_client().key();
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            let signature = key.sign(algorithm, MESSAGE).unwrap();
            assert_eq!(signature.len(), 256);
            for other in Algorithm::ALL {
                assert_eq!(
                    key.public().verify(other, MESSAGE, &signature),
                    other == algorithm,
                    "{algorithm} {other}"
                );
            }
            assert!(!key.public().verify(algorithm, b"header.other", &signature));
            assert!(!shipped::second_client().key().public().verify(algorithm, MESSAGE, &signature));
            assert!(!key.public().verify(algorithm, MESSAGE, &signature[..255]));
            assert!(!key.public().verify(algorithm, MESSAGE, &[]));
        }
        for name in ["none", "rs256", "HS256", "ES256", ""] {
            assert_eq!(Algorithm::from_name(name), None);
        }
    }

    #[test]
    fn a_key_survives_its_own_components() {
        let public = shipped::sample_client().key().public().clone();
        let padded = [&[0, 0], public.modulus()].concat();
        assert_eq!(PublicKey::from_components(&padded, &[0, 1, 0, 1]).unwrap(), public);
        assert_eq!((public.bits(), public.e_base64url().as_str()), (2048, "AQAB"));
        assert_eq!(public.n_base64url().len(), 342);
    }

    #[test]
    fn a_modulus_outside_the_range_is_refused_before_any_arithmetic() {
        for bits in [8_usize, 1024, 2040, 8200, 16384] {
            let mut n = vec![0xff; bits / 8];
            n[0] = 0x80;
            assert_eq!(
                PublicKey::from_components(&n, &[1, 0, 1]).unwrap_err(),
                KeyError::ModulusBits { bits }
            );
        }
        assert_eq!(PublicKey::from_components(&[], &[]).unwrap_err(), KeyError::ModulusBits { bits: 0 });
        assert!(matches!(
            PublicKey::from_components(&vec![1; 1 << 20], &[1, 0, 1]),
            Err(KeyError::ModulusBits { .. })
        ));
    }

    #[test]
    fn an_exponent_that_is_even_one_or_huge_is_refused() {
        let public = shipped::sample_client().key().public().clone();
        for e in [&[][..], &[1], &[2], &[1, 0, 0], &[0xff; 256]] {
            assert_eq!(
                PublicKey::from_components(public.modulus(), e).unwrap_err(),
                KeyError::Inconsistent,
                "{e:?}"
            );
        }
    }

    #[test]
    fn real_private_keys_of_1024_and_16384_bits_are_refused_by_size() {
        let small = include_str!("../testdata/rsa1024.pem");
        assert_eq!(SigningKey::from_pem(small).unwrap_err(), KeyError::ModulusBits { bits: 1024 });
        let huge = include_str!("../testdata/rsa16384-public.pem");
        let huge = pem::parse(huge).unwrap();
        assert_eq!(
            PublicKey::from_spki_der(huge.contents()).unwrap_err(),
            KeyError::ModulusBits { bits: 16384 }
        );
    }

    #[test]
    fn pkcs1_and_pkcs8_give_the_same_key_and_other_kinds_are_named() {
        let key = shipped::sample_client().key();
        let (_, octets) = crate::der::pkcs8(key.pkcs8_der()).unwrap();
        for (tag, contents) in [("RSA PRIVATE KEY", octets), ("PRIVATE KEY", key.pkcs8_der())] {
            let text = format!("some text\n{}", pem::encode(&pem::Pem::new(tag, contents)));
            let read = SigningKey::from_pem(&text).unwrap();
            assert_eq!((read.public(), read.pkcs8_der()), (key.public(), key.pkcs8_der()));
        }
        let elliptic = include_str!("../testdata/p256.pem");
        assert_eq!(SigningKey::from_pem(elliptic).unwrap_err(), KeyError::NotRsa);
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert_eq!(SigningKey::from_pem(encrypted).unwrap_err(), KeyError::Encrypted);
        assert_eq!(SigningKey::from_pem("").unwrap_err(), KeyError::NoPrivateKey);
    }

    #[test]
    fn truncated_keys_and_trailing_bytes_are_refused() {
        let whole = shipped::sample_client().key().pkcs8_der();
        for length in (0..whole.len()).step_by(7) {
            SigningKey::from_pkcs8_der(&whole[..length]).unwrap_err();
        }
        assert_eq!(SigningKey::from_pkcs8_der(&[whole, &[0]].concat()).unwrap_err(), KeyError::Malformed);
        let (_, octets) = crate::der::pkcs8(whole).unwrap();
        assert_eq!(SigningKey::from_pkcs1_der(&[octets, &[0]].concat()).unwrap_err(), KeyError::Malformed);
        assert!(matches!(SigningKey::from_pem(&"-".repeat(1 << 20)), Err(KeyError::TooLong { .. })));
        assert!(matches!(PublicKey::from_spki_der(&vec![0x30; 1 << 20]), Err(KeyError::TooLong { .. })));
    }

    #[test]
    fn a_changed_private_key_is_refused() {
        let mut der = shipped::sample_client().key().pkcs8_der().to_vec();
        let last = der.len() - 1;
        der[last] ^= 1;
        assert_eq!(SigningKey::from_pkcs8_der(&der).unwrap_err(), KeyError::Inconsistent);
    }

    #[test]
    fn printing_a_signing_key_shows_only_its_public_half() {
        let key = shipped::sample_client().key();
        let printed = format!("{key:?}");
        assert!(printed.contains(&key.public().n_base64url()), "{printed}");
        assert!(printed.len() < 450, "{printed}");
    }

    #[test]
    fn keys_can_be_shared_between_threads() {
        fn shared<T: Send + Sync + Clone>() {}
        shared::<PublicKey>();
        shared::<SigningKey>();
    }
}
