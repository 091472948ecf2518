//! Identities derived from a seed: the same seed and label give the same key, certificate and thumbprints everywhere.
//!
//! Decides the derivation, which is part of what the project publishes and must never change: the generator is ChaCha20
//! keyed with SHA-256 of seed, a zero octet and label; the key is the first RSA-2048 key `rsa` 0.9 finds with it. Seeded
//! keys are no secrets to whoever knows the seed. The `rsa` crate does no private-key operation: the key is turned into
//! PKCS#8 once and used through aws-lc-rs.

use aws_lc_rs::digest;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rsa::pkcs8::EncodePrivateKey as _;

use crate::identity::Identity;
use crate::rsa_key::{KeyError, SigningKey};
use crate::self_signed::{SelfSigned, SelfSignedError, Subject, Validity};

/// The RSA-2048 identity of `seed` and `label`, with a self-signed certificate of a serial derived from both.
///
/// Costs 50 to 300 ms: it is the one place that searches primes.
pub fn identity_from_seed(
    seed: &str,
    label: &str,
    subject: Subject<'_>,
    validity: Validity,
) -> Result<Identity, SelfSignedError> {
    let key = key_from_seed(seed, label)?;
    let serial = serial_from_seed(seed, label);
    let certificate = SelfSigned { subject, validity, serial: &serial }.issue(&key)?;
    // The certificate was just issued on this key, so the two belong together.
    Identity::new(certificate, key).map_err(|error| SelfSignedError::Write(error.to_string()))
}

fn key_from_seed(seed: &str, label: &str) -> Result<SigningKey, KeyError> {
    let mut generator = ChaCha20Rng::from_seed(sha256(&[seed.as_bytes(), &[0], label.as_bytes()]));
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the keys crate: keys derived from a seed are made here"
    )]
    let key = rsa::RsaPrivateKey::new(&mut generator, 2048).map_err(|_| KeyError::Inconsistent)?;
    let pkcs8 = key.to_pkcs8_der().map_err(|_| KeyError::Inconsistent)?;
    SigningKey::from_pkcs8_der(pkcs8.as_bytes())
}

/// 16 octets, positive and never zero.
pub(crate) fn serial_from_seed(seed: &str, label: &str) -> [u8; 16] {
    let hash = sha256(&[b"serial", &[0], seed.as_bytes(), &[0], label.as_bytes()]);
    let mut serial = [0; 16];
    serial.copy_from_slice(&hash[..16]);
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::{identity_from_seed, serial_from_seed};
    use crate::shipped;

    /// The only test that generates an RSA key.
    #[test]
    fn the_published_seed_gives_the_published_key_and_certificate() {
        let recipe = &shipped::RECIPES[0];
        let made =
            identity_from_seed(shipped::SEED, recipe.name, recipe.subject(), shipped::VALIDITY).unwrap();
        let published = shipped::by_name(recipe.name).unwrap();
        assert_eq!(made.key().pkcs8_der(), published.key().pkcs8_der());
        assert_eq!(made.certificate(), published.certificate());
    }

    #[test]
    fn serials_depend_on_seed_and_label_and_on_where_one_ends() {
        let serials = [serial_from_seed("a", "bc"), serial_from_seed("ab", "c"), serial_from_seed("a", "b")];
        assert!(serials[0] != serials[1] && serials[1] != serials[2] && serials[0] != serials[2]);
        assert!(serials.iter().all(|serial| serial[0] & 0x80 == 0 && serial[0] != 0));
    }
}
