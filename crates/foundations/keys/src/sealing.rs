//! What only its maker can read and nobody can change: AES-256-GCM-SIV (RFC 8452), and keyed labels beside it.
//!
//! Decides how one secret of 32 octets becomes the two keys of a [`SealingKey`], and nothing about what is sealed, for whom
//! or for how long. SIV, because a copy of a lab goes on with the same key: two values that meet under one nonce show at
//! most that they are equal. Whether a value is genuine is compared inside aws-lc, in a time that says nothing.

use std::fmt;
use std::io;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;

/// Octets of the secret that a [`SealingKey`] is made from.
pub const SEALING_SECRET: usize = 32;

/// Octets of a nonce.
pub const SEALING_NONCE: usize = NONCE_LEN;

/// Octets of what a seal adds to a value: its authentication tag.
pub const SEALING_TAG: usize = 16;

/// Octets of a label.
pub const LABEL: usize = 16;

/// It was not sealed with this key and this data beside it, or it was changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sealed with this key, or changed since")]
pub struct NotGenuine;

/// A key that seals values, parsed once.
pub struct SealingKey {
    values: LessSafeKey,
    labels: hmac::Key,
}

impl SealingKey {
    /// The key of a secret. Values and labels are made with keys of their own: HMAC-SHA-256 of the secret over what they are
    /// for, so that nothing said of the one helps with the other.
    pub fn from_secret(secret: &[u8; SEALING_SECRET]) -> Self {
        let derive =
            |purpose: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), purpose.as_bytes());
        // An HMAC-SHA-256 has the 32 octets that AES-256 asks for.
        let values = UnboundKey::new(&AES_256_GCM_SIV, derive("sealed values").as_ref())
            .expect("32 octets are a key of AES-256");
        let labels = hmac::Key::new(hmac::HMAC_SHA256, derive("labels").as_ref());
        Self { values: LessSafeKey::new(values), labels }
    }

    /// Seals `value` where it stands; what comes back belongs behind it. `beside` is not hidden, but cannot be changed either
    /// (associated data).
    pub fn seal(&self, nonce: [u8; SEALING_NONCE], beside: &[u8], value: &mut [u8]) -> [u8; SEALING_TAG] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self.values.seal_in_place_separate_tag(nonce, Aad::from(beside), value);
        // Refused are only values of 2^36 octets and more, which no memory of ours holds.
        let tag = sealed.expect("a value that fits into memory can be sealed");
        let mut octets = [0; SEALING_TAG];
        octets.copy_from_slice(tag.as_ref());
        octets
    }

    /// Opens a value with its tag behind it, where it stands. What was there is lost either way.
    pub fn open<'v>(
        &self,
        nonce: [u8; SEALING_NONCE],
        beside: &[u8],
        sealed: &'v mut [u8],
    ) -> Result<&'v mut [u8], NotGenuine> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.values.open_in_place(nonce, Aad::from(beside), sealed).map_err(|_| NotGenuine)
    }

    /// A name for a text that says nothing of it to whoever has not the key: the first half of its HMAC-SHA-256. `domain`
    /// keeps labels of different things apart.
    pub fn label(&self, domain: &'static str, text: impl fmt::Display) -> [u8; LABEL] {
        struct Fed(hmac::Context);
        impl io::Write for Fed {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                self.0.update(octets);
                Ok(octets.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut fed = Fed(hmac::Context::with_key(&self.labels));
        // Domains are ours and hold no zero octet, so where one ends is never in doubt. Feeding a hash cannot fail.
        let _ = io::Write::write_fmt(&mut fed, format_args!("{domain}\0{text}"));
        let mut label = [0; LABEL];
        label.copy_from_slice(&fed.0.sign().as_ref()[..LABEL]);
        label
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SealingKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_nonce_and_data_and_with_no_other() {
        let (key, other) = (SealingKey::from_secret(&[1; 32]), SealingKey::from_secret(&[2; 32]));
        let mut sealed = b"value".to_vec();
        let tag = key.seal([7; 12], b"beside", &mut sealed);
        sealed.extend(tag);
        assert!(!sealed.starts_with(b"value"));
        let open = |key: &SealingKey, nonce, beside: &[u8]| {
            let mut sealed = sealed.clone();
            key.open(nonce, beside, &mut sealed).map(|opened| opened.to_vec())
        };
        assert_eq!(open(&key, [7; 12], b"beside").unwrap(), b"value");
        assert_eq!(open(&key, [8; 12], b"beside"), Err(NotGenuine));
        assert_eq!(open(&key, [7; 12], b"besides"), Err(NotGenuine));
        assert_eq!(open(&other, [7; 12], b"beside"), Err(NotGenuine));
        assert_eq!(key.open([7; 12], b"beside", &mut []), Err(NotGenuine));
    }

    #[test]
    fn sealing_is_that_of_rfc_8452() {
        // Appendix C.2, the first vector with a plaintext: key 01 00.., nonce 03 00.., plaintext 01 00.. of 8 octets.
        let mut secret = [0; 32];
        secret[0] = 1;
        let mut nonce = [0; 12];
        nonce[0] = 3;
        let key = UnboundKey::new(&AES_256_GCM_SIV, &secret).unwrap();
        let mut value = [1, 0, 0, 0, 0, 0, 0, 0];
        let key = SealingKey { values: LessSafeKey::new(key), ..SealingKey::from_secret(&secret) };
        let tag = key.seal(nonce, &[], &mut value);
        assert_eq!(value, [0xc2, 0xef, 0x32, 0x8e, 0x5c, 0x71, 0xc8, 0x3b]);
        assert_eq!(
            tag,
            [0x84, 0x31, 0x22, 0x13, 0x0f, 0x73, 0x64, 0xb7, 0x61, 0xe0, 0xb9, 0x74, 0x27, 0xe3, 0xdf, 0x28]
        );
    }

    #[test]
    fn a_label_depends_on_key_domain_and_text_and_on_where_one_ends() {
        let (key, other) = (SealingKey::from_secret(&[1; 32]), SealingKey::from_secret(&[2; 32]));
        let labels = [
            key.label("kind", "a"),
            key.label("kind", "b"),
            key.label("kin", "da"),
            key.label("owner", "a"),
            other.label("kind", "a"),
        ];
        for (index, label) in labels.iter().enumerate() {
            assert!(!labels[..index].contains(label), "{index}");
        }
        assert_eq!(labels[0], key.label("kind", 'a'), "it is the text that counts");
    }

    #[test]
    fn a_key_is_not_written_into_a_log() {
        assert_eq!(format!("{:?}", SealingKey::from_secret(&[65; 32])), "SealingKey { .. }");
    }
}
