//! Self-signed certificates on keys that already exist.
//!
//! Decides their shape: sha256WithRSAEncryption, critical keyUsage digitalSignature, a subject key identifier, nothing
//! else, as a certificate made for signing client assertions has (one-box recipe: KeySpec Signature, RSA 2048, SHA-256).
//! With equal inputs the bytes are equal, because RSASSA-PKCS1-v1_5 is deterministic. Never generates a key, so a test can
//! make as many certificates as it likes, each with its own thumbprint, at the price of one signature.

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, KeyUsagePurpose, SerialNumber};
use time::{OffsetDateTime, UtcOffset};

use crate::certificate::{Certificate, CertificateError};
use crate::rsa_key::{Algorithm, KeyError, SigningKey};

/// Why no certificate could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelfSignedError {
    /// X.509 writes the years 0 to 9999 only (RFC 5280 section 4.1.2.5.2).
    #[error("a validity outside the years 0 to 9999 cannot be written")]
    Validity,
    /// A serial number has 1 to 20 octets (RFC 5280 section 4.1.2.2) and is not zero.
    #[error("a serial number has 1 to 20 octets and is not zero")]
    Serial,
    /// The certificate could not be written.
    #[error("the certificate could not be written: {0}")]
    Write(String),
    /// What was written could not be read back, for instance because the subject is too long.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The seeded key could not be derived.
    #[error("the key could not be derived: {0}")]
    Key(#[from] KeyError),
}

/// A subject of at most two attributes, which is all the lab's certificates have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The common name.
    pub common_name: &'a str,
    /// The organizational unit, encoded before the common name.
    pub organizational_unit: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// A subject of a common name only.
    pub const fn common_name(common_name: &'a str) -> Self {
        Self { common_name, organizational_unit: None }
    }
}

/// From when to when, both included, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: OffsetDateTime,
    /// The last second.
    pub not_after: OffsetDateTime,
}

/// Everything a self-signed certificate says besides its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfSigned<'a> {
    /// Subject and issuer.
    pub subject: Subject<'a>,
    /// From when to when; may lie wholly in the past, and may end before it begins.
    pub validity: Validity,
    /// The serial number, big-endian, 1 to 20 octets, not zero; written as a positive number.
    pub serial: &'a [u8],
}

impl SelfSigned<'_> {
    /// Signs with `key`.
    pub fn issue(&self, key: &SigningKey) -> Result<Certificate, SelfSignedError> {
        let writable = |moment: OffsetDateTime| {
            moment.checked_to_offset(UtcOffset::UTC).filter(|moment| (0..=9999).contains(&moment.year()))
        };
        let validity = writable(self.validity.not_before).zip(writable(self.validity.not_after));
        let (not_before, not_after) = validity.ok_or(SelfSignedError::Validity)?;
        if self.serial.len() > 20 || self.serial.iter().all(|&byte| byte == 0) {
            return Err(SelfSignedError::Serial);
        }
        let mut name = DistinguishedName::new();
        if let Some(unit) = self.subject.organizational_unit {
            name.push(DnType::OrganizationalUnitName, unit);
        }
        name.push(DnType::CommonName, self.subject.common_name);

        let mut params = CertificateParams::default();
        // Replaced, not pushed to: the default already holds a name, and a validity of 2,100 years.
        params.distinguished_name = name;
        params.not_before = not_before;
        params.not_after = not_after;
        params.serial_number = Some(SerialNumber::from_slice(self.serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let signer = CertificateSigner(key);
        let key_identifier = params.key_identifier(&signer);
        params.custom_extensions = vec![subject_key_identifier(&key_identifier)];
        let issued =
            params.self_signed(&signer).map_err(|error| SelfSignedError::Write(error.to_string()))?;
        Ok(Certificate::from_der(issued.der())?)
    }
}

/// A self-signed certificate on an existing key; another serial, subject or validity gives another thumbprint.
pub fn issue_self_signed(
    key: &SigningKey,
    subject_cn: &str,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    serial: u64,
) -> Result<Certificate, SelfSignedError> {
    let octets = serial.to_be_bytes();
    let validity = Validity { not_before, not_after };
    SelfSigned { subject: Subject::common_name(subject_cn), validity, serial: &octets }.issue(key)
}

/// The extension of RFC 5280 section 4.2.1.2; rcgen writes it only together with basicConstraints.
fn subject_key_identifier(identifier: &[u8]) -> CustomExtension {
    // An OCTET STRING of rcgen's 20-byte identifiers: the length fits one byte.
    let length = u8::try_from(identifier.len()).unwrap_or(0);
    let content = [&[crate::der::OCTET_STRING, length], identifier].concat();
    CustomExtension::from_oid_content(&[2, 5, 29, 14], content)
}

/// Lets rcgen sign with a key that is already parsed.
struct CertificateSigner<'k>(&'k SigningKey);

impl rcgen::PublicKeyData for CertificateSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_pkcs1_der()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for CertificateSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(Algorithm::Rs256, message).map_err(|_| rcgen::Error::RingUnspecified)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{SelfSigned, SelfSignedError, Subject, Validity, issue_self_signed};
    use crate::shipped;

    const FROM: time::OffsetDateTime = datetime!(2024-01-01 00:00 UTC);
    const TO: time::OffsetDateTime = datetime!(2049-12-31 23:59:59 UTC);

    #[test]
    fn equal_inputs_give_equal_bytes_and_any_difference_another_thumbprint() {
        let key = shipped::sample_client().key();
        let issue = |cn, to, serial| issue_self_signed(key, cn, FROM, to, serial).unwrap();
        let first = issue("CHEAuth", TO, 1);
        assert_eq!(first, issue("CHEAuth", TO, 1));
        let others = [
            issue("CHEAuth", TO, 2),
            issue("CHEAuth2", TO, 1),
            issue("CHEAuth", TO - time::Duration::DAY, 1),
        ];
        for other in others {
            assert_ne!(first.thumbprint(), other.thumbprint());
        }
        assert_eq!((first.subject(), first.issuer()), ("CN=CHEAuth", "CN=CHEAuth"));
        assert_eq!((first.not_before(), first.not_after()), (FROM, TO));
        assert_eq!(first.public_key().unwrap(), key.public());
    }

    #[test]
    fn offsets_and_fractions_of_seconds_are_folded_away() {
        let odd = datetime!(2024-01-01 02:00:00.75 +2);
        let certificate = issue_self_signed(shipped::sample_client().key(), "x", odd, TO, 1).unwrap();
        assert_eq!(certificate.not_before(), FROM);
    }

    #[test]
    fn a_certificate_may_be_expired_or_end_before_it_begins() {
        let key = shipped::sample_client().key();
        let early = datetime!(1999-01-01 00:00 UTC);
        assert_eq!(issue_self_signed(key, "x", TO, early, 1).unwrap().not_after(), early);
    }

    #[test]
    fn validity_serial_and_subject_that_cannot_be_written_are_refused() {
        let key = shipped::sample_client().key();
        let before_christ = datetime!(-1-01-01 00:00 UTC);
        let past_the_end = datetime!(9999-12-31 23:59:59 -2);
        for beyond in [before_christ, past_the_end] {
            assert_eq!(issue_self_signed(key, "x", beyond, TO, 1).unwrap_err(), SelfSignedError::Validity);
        }
        let (first, last) = (datetime!(0000-01-01 00:00 UTC), datetime!(9999-12-31 23:59:59 UTC));
        assert_eq!(issue_self_signed(key, "x", first, last, 1).unwrap().not_after(), last);
        assert_eq!(issue_self_signed(key, "x", FROM, TO, 0).unwrap_err(), SelfSignedError::Serial);
        let subject = Subject::common_name("x");
        let validity = Validity { not_before: FROM, not_after: TO };
        for serial in [&[][..], &[0; 4], &[1; 21]] {
            let refused = SelfSigned { subject, validity, serial }.issue(key).unwrap_err();
            assert_eq!(refused, SelfSignedError::Serial);
        }
        let huge = "x".repeat(1 << 20);
        assert!(matches!(issue_self_signed(key, &huge, FROM, TO, 1), Err(SelfSignedError::Certificate(_))));
        for odd in ["", "名前 😀", "a\0b", "x, OU=y"] {
            issue_self_signed(key, odd, FROM, TO, 1).unwrap();
        }
    }
}
