//! An identity: a certificate together with its private key.
//!
//! Decides that the two belong together. Never decides where a machine looks for either: certificate stores, with keys
//! elsewhere or unreadable, are the world's.

use crate::certificate::{Certificate, CertificateError, pem_text};
use crate::rsa_key::{KeyError, SigningKey};

/// Why two inputs are not an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The certificate could not be read.
    #[error("the certificate cannot be read: {0}")]
    Certificate(#[from] CertificateError),
    /// The private key could not be read.
    #[error("the private key cannot be read: {0}")]
    Key(#[from] KeyError),
    /// The certificate's own public key is not usable.
    #[error("the certificate's public key cannot be used: {0}")]
    CertificateKey(KeyError),
    /// Each is sound, but they do not belong together.
    #[error("the private key does not belong to the certificate {subject}")]
    Mismatch {
        /// The certificate's subject.
        subject: String,
    },
}

/// A certificate and the private key that belongs to it. Cloning shares both.
#[derive(Clone, Debug)]
pub struct Identity {
    certificate: Certificate,
    key: SigningKey,
}

impl Identity {
    /// Puts certificate and key together; [`IdentityError::Mismatch`] if they do not belong together.
    pub fn new(certificate: Certificate, key: SigningKey) -> Result<Self, IdentityError> {
        let public =
            certificate.public_key().map_err(|error| IdentityError::CertificateKey(error.clone()))?;
        if public != key.public() {
            return Err(IdentityError::Mismatch { subject: certificate.subject().to_owned() });
        }
        Ok(Self { certificate, key })
    }

    /// Reads both from PEM texts; giving one bundle twice is fine, each half finds its own block.
    pub fn from_pems(certificate_pem: &str, key_pem: &str) -> Result<Self, IdentityError> {
        Self::new(Certificate::from_pem(certificate_pem)?, SigningKey::from_pem(key_pem)?)
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The private key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The private key as PKCS#8 PEM: secret.
    pub fn key_pem(&self) -> String {
        pem_text("PRIVATE KEY", self.key.pkcs8_der())
    }

    /// The private key (PKCS#8 PEM), then the certificate (PEM), as client libraries want a certificate file: secret.
    pub fn certificate_pem_bundle(&self) -> String {
        self.key_pem() + &self.certificate.pem()
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, IdentityError};
    use crate::shipped;

    #[test]
    fn a_bundle_reads_back_as_the_same_identity() {
        let bundle = shipped::sample_client().certificate_pem_bundle();
        let read = Identity::from_pems(&bundle, &bundle).unwrap();
        assert_eq!(read.certificate(), shipped::sample_client().certificate());
        assert_eq!(read.key().public(), shipped::sample_client().key().public());
        assert!(bundle.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(bundle.ends_with("-----END CERTIFICATE-----\n"));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let certificate = shipped::sample_client().certificate().pem();
        let other = shipped::second_client().key_pem();
        assert!(matches!(Identity::from_pems(&certificate, &other), Err(IdentityError::Mismatch { .. })));
        assert!(matches!(Identity::from_pems(&certificate, &certificate), Err(IdentityError::Key(_))));
        assert!(matches!(Identity::from_pems(&other, &other), Err(IdentityError::Certificate(_))));
        let elliptic = include_str!("../testdata/p256-certificate.pem");
        assert!(matches!(Identity::from_pems(elliptic, &other), Err(IdentityError::CertificateKey(_))));
    }

    #[test]
    fn printing_an_identity_shows_no_secret() {
        let printed = format!("{:?}", shipped::sample_client());
        assert!(printed.contains("mocktenant sample client") && printed.len() < 700, "{printed}");
    }
}
