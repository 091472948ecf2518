//! X.509 certificates as files hold them: PEM, DER, or the bare base64 a portal shows.
//!
//! Decides what is well-formed (strict DER, one certificate, nothing after it, at most 64 KiB) and reads the parts people
//! compare: thumbprints, subject, issuer, validity, public key. Never decides whether a certificate is valid now,
//! trusted, or registered anywhere; a certificate without a usable RSA key is still a certificate.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::X509Name;

use crate::rsa_key::{KeyError, PublicKey};
use crate::thumbprint::{Thumbprint, Thumbprint256};

/// The largest input a certificate is read from, in bytes.
pub const MAX_CERTIFICATE_INPUT: usize = 64 * 1024;

/// Why an input holds no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The input is longer than [`MAX_CERTIFICATE_INPUT`].
    #[error("the input has {bytes} bytes; a certificate may have {MAX_CERTIFICATE_INPUT}")]
    TooLong {
        /// The length found.
        bytes: usize,
    },
    /// The bytes are not one X.509 certificate in DER.
    #[error("not a certificate: {0}")]
    NotDer(String),
    /// Bytes follow the certificate.
    #[error("{bytes} bytes follow the certificate")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// A PEM text without a `CERTIFICATE` block.
    #[error("the PEM text holds no CERTIFICATE block")]
    NoCertificateBlock,
    /// The armour of a PEM text is damaged.
    #[error("damaged PEM: {0}")]
    Pem(String),
    /// Neither PEM, nor DER, nor base64.
    #[error("neither PEM, nor DER, nor base64")]
    Unrecognised,
}

/// One X.509 certificate. Cloning shares it.
#[derive(Clone)]
pub struct Certificate(Arc<CertificateInner>);

struct CertificateInner {
    der: Vec<u8>,
    thumbprint: Thumbprint,
    thumbprint_text: Arc<str>,
    thumbprint256: Thumbprint256,
    subject: String,
    issuer: String,
    serial: Vec<u8>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    public_key: Result<PublicKey, KeyError>,
}

impl Certificate {
    /// Reads DER with nothing after it.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        check_length(der.len())?;
        let (trailing, parsed) =
            X509Certificate::from_der(der).map_err(|error| CertificateError::NotDer(error.to_string()))?;
        if !trailing.is_empty() {
            return Err(CertificateError::TrailingBytes { bytes: trailing.len() });
        }
        Ok(Self(Arc::new(CertificateInner {
            thumbprint: Thumbprint::of_der(der),
            thumbprint_text: Thumbprint::of_der(der).to_string().into(),
            thumbprint256: Thumbprint256::of_der(der),
            subject: name_text(parsed.subject()),
            issuer: name_text(parsed.issuer()),
            serial: parsed.raw_serial().to_vec(),
            not_before: parsed.validity().not_before.to_datetime(),
            not_after: parsed.validity().not_after.to_datetime(),
            public_key: PublicKey::from_parsed_spki(parsed.public_key()),
            der: der.to_vec(),
        })))
    }

    /// Reads the first `CERTIFICATE` block of a PEM text; other blocks and text around them are passed over.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        check_length(text.len())?;
        let blocks = pem::parse_many(text).map_err(|error| CertificateError::Pem(error.to_string()))?;
        let block = blocks
            .iter()
            .find(|block| matches!(block.tag(), "CERTIFICATE" | "X509 CERTIFICATE"))
            .ok_or(CertificateError::NoCertificateBlock)?;
        Self::from_der(block.contents())
    }

    /// Reads whatever a `.cer`, `.crt` or `.pem` file or a manifest's key value may hold: PEM, DER, or base64 text.
    pub fn from_any(bytes: &[u8]) -> Result<Self, CertificateError> {
        check_length(bytes.len())?;
        // DER's first byte, a SEQUENCE, is also the digit `0`; no base64 of DER begins with it.
        if bytes.first() == Some(&0x30) {
            return Self::from_der(bytes);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| CertificateError::Unrecognised)?;
        if text.contains("-----BEGIN") {
            return Self::from_pem(text);
        }
        let digits: String = text.trim_start_matches('\u{feff}').split_ascii_whitespace().collect();
        let der = STANDARD.decode(digits).map_err(|_| CertificateError::Unrecognised)?;
        Self::from_der(&der)
    }

    /// The DER bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-1 over the DER.
    pub fn thumbprint(&self) -> Thumbprint {
        self.0.thumbprint
    }

    /// [`Certificate::thumbprint`] as Windows prints it, held once for all who show it.
    pub fn thumbprint_text(&self) -> &Arc<str> {
        &self.0.thumbprint_text
    }

    /// SHA-256 over the DER.
    pub fn thumbprint256(&self) -> Thumbprint256 {
        self.0.thumbprint256
    }

    /// The subject, last encoded attribute first (RFC 4514 section 2.1), for instance
    /// `CN=myselfcert, OU=PUBLIC TEST KEY - not secret`.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The issuer, written like the subject.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The serial number's content octets, big-endian.
    pub fn serial(&self) -> &[u8] {
        &self.0.serial
    }

    /// Valid from, in whole seconds UTC.
    pub fn not_before(&self) -> OffsetDateTime {
        self.0.not_before
    }

    /// Valid to and including, in whole seconds UTC.
    pub fn not_after(&self) -> OffsetDateTime {
        self.0.not_after
    }

    /// The RSA public key, or why the certificate has none that can be used.
    pub fn public_key(&self) -> Result<&PublicKey, &KeyError> {
        self.0.public_key.as_ref()
    }

    /// The DER in standard base64 on one line, as in `x5c` (RFC 7515 section 4.1.6) and `X509Certificate` elements.
    pub fn base64_der(&self) -> String {
        STANDARD.encode(&self.0.der)
    }

    /// The certificate in PEM, lines of 64 characters ended by LF (RFC 7468).
    pub fn pem(&self) -> String {
        pem_text("CERTIFICATE", &self.0.der)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.0.subject)
            .field("thumbprint", &self.0.thumbprint)
            .finish_non_exhaustive()
    }
}

/// PEM armour with LF line ends on every platform.
pub(crate) fn pem_text(tag: &str, contents: &[u8]) -> String {
    pem::encode_config(
        &pem::Pem::new(tag, contents),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

/// A name with its last attribute first; `, ` between them, as Windows prints names.
fn name_text(name: &X509Name<'_>) -> String {
    let mut reversed: Vec<_> = name.iter().cloned().collect();
    reversed.reverse();
    X509Name::new(reversed, name.as_raw()).to_string()
}

fn check_length(bytes: usize) -> Result<(), CertificateError> {
    if bytes > MAX_CERTIFICATE_INPUT { Err(CertificateError::TooLong { bytes }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{Certificate, CertificateError, MAX_CERTIFICATE_INPUT};
    use crate::rsa_key::KeyError;
    use crate::shipped;

    #[test]
    fn every_spelling_of_a_certificate_reads_as_the_same_certificate() {
        let certificate = shipped::sample_client().certificate();
        let base64 = certificate.base64_der();
        let wrapped = format!("\u{feff}{}\r\n{}\r\n", &base64[..64], &base64[64..]);
        let crlf = certificate.pem().replace('\n', "\r\n");
        let bundle = shipped::sample_client().certificate_pem_bundle();
        for spelling in
            [certificate.der(), base64.as_bytes(), wrapped.as_bytes(), crlf.as_bytes(), bundle.as_bytes()]
        {
            assert_eq!(&Certificate::from_any(spelling).unwrap(), certificate);
        }
        assert_eq!(&Certificate::from_pem(&certificate.pem()).unwrap(), certificate);
    }

    #[test]
    fn truncated_certificates_and_trailing_bytes_are_refused() {
        let whole = shipped::sample_client().certificate().der();
        for length in 0..whole.len() {
            Certificate::from_der(&whole[..length]).unwrap_err();
        }
        assert_eq!(
            Certificate::from_der(&[whole, &[0, 0]].concat()).unwrap_err(),
            CertificateError::TrailingBytes { bytes: 2 }
        );
    }

    #[test]
    fn flipping_any_byte_never_panics() {
        let whole = shipped::sample_client().certificate().der();
        for index in 0..whole.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut damaged = whole.to_vec();
                damaged[index] ^= bit;
                if let Ok(certificate) = Certificate::from_der(&damaged) {
                    assert_ne!(certificate.thumbprint(), shipped::sample_client().certificate().thumbprint());
                }
            }
        }
    }

    #[test]
    fn other_inputs_are_refused_with_their_reason() {
        let key = crate::certificate::pem_text("PRIVATE KEY", &[0x30, 0]);
        assert_eq!(Certificate::from_any(key.as_bytes()).unwrap_err(), CertificateError::NoCertificateBlock);
        assert_eq!(Certificate::from_any(&[0xff, 0xfe]).unwrap_err(), CertificateError::Unrecognised);
        assert_eq!(Certificate::from_any(b"{THUMBPRINT}").unwrap_err(), CertificateError::Unrecognised);
        assert!(matches!(Certificate::from_any(b""), Err(CertificateError::NotDer(_))));
        assert!(matches!(Certificate::from_any(b"AAAA"), Err(CertificateError::NotDer(_))));
        assert!(matches!(
            Certificate::from_any(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"),
            Err(CertificateError::Pem(_))
        ));
        let huge = vec![b'A'; MAX_CERTIFICATE_INPUT + 1];
        assert!(matches!(Certificate::from_any(&huge), Err(CertificateError::TooLong { .. })));
        assert!(matches!(Certificate::from_der(&huge), Err(CertificateError::TooLong { .. })));
    }

    #[test]
    fn a_certificate_without_a_usable_rsa_key_is_still_read() {
        let elliptic = Certificate::from_pem(include_str!("../testdata/p256-certificate.pem")).unwrap();
        assert_eq!(elliptic.public_key().unwrap_err(), &KeyError::NotRsa);
        assert_eq!(elliptic.subject(), "CN=elliptic");
        let shipped = shipped::onebox_s2s().certificate();
        assert_eq!(shipped.subject(), "CN=myselfcert, OU=PUBLIC TEST KEY - not secret");
        let small = Certificate::from_pem(include_str!("../testdata/rsa1024-certificate.pem")).unwrap();
        assert_eq!(small.public_key().unwrap_err(), &KeyError::ModulusBits { bits: 1024 });
    }
}
