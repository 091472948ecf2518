//! Enveloped XML signatures (XML Signature 1.1), made.
//!
//! Decides the one profile Entra and AD FS write: exclusive canonicalisation, RSA with SHA-256, one reference to the
//! root's ID, the signature as the root's first child, the certificate in it. Never decides what is signed, and keeps
//! no key; verifying is the affair of [`crate::verify`].

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::{Algorithm, Certificate, SigningKey};
use mocktenant_xml::{Document, Element, Namespace, Unwritable, is_ncname};

use crate::names::{DS, DSIG, ENVELOPED, EXC_C14N, RSA_SHA256, SHA256};

/// How the signature's names are written. Both mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureForm {
    /// The XML Signature namespace as the default one, as in Entra's metadata.
    Unprefixed,
    /// `ds:` from `Signature` to `SignatureValue`, while `KeyInfo` declares the namespace again as the default one, as in
    /// AD FS 2012 R2 and later.
    Prefixed,
}

/// Why something cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The root lacks the ID attribute, or it is not a name in ASCII that starts with a letter or `_`.
    #[error("the root element has no usable {attribute} attribute")]
    NoId {
        /// The attribute looked for.
        attribute: &'static str,
    },
    /// The tree has no XML form.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// The key does not sign.
    #[error("signing failed: {0}")]
    Key(String),
}

/// A key and its certificate, ready to sign documents.
#[derive(Clone, Copy)]
pub struct Signer<'k> {
    /// The key.
    pub key: &'k SigningKey,
    /// Its certificate, carried in the signature.
    pub certificate: &'k Certificate,
    /// How the signature is written.
    pub form: SignatureForm,
}

impl Signer<'_> {
    /// Signs a tree as a whole and puts the signature in as its first child. `id_attribute` names the root's ID attribute:
    /// `ID` in SAML 2.0 and metadata, `AssertionID` in SAML 1.1.
    pub fn envelop(self, root: Element, id_attribute: &'static str) -> Result<Document, SignError> {
        let id = root
            .attribute_value(id_attribute)
            .filter(|id| id.is_ascii() && is_ncname(id))
            .ok_or(SignError::NoId { attribute: id_attribute })?
            .to_owned();
        let unsigned = Document::new(root)?;
        let names = match self.form {
            SignatureForm::Unprefixed => DSIG,
            SignatureForm::Prefixed => DS,
        };
        let signed_info = Document::new(signed_info(&names, &id, &unsigned.canonical_bytes()))?;
        let value = self
            .key
            .sign(Algorithm::Rs256, &signed_info.canonical_bytes())
            .map_err(|error| SignError::Key(error.to_string()))?;
        let signature = Element::new(&names, "Signature")
            .child(signed_info.into_root())
            .child(Element::new(&names, "SignatureValue").text(STANDARD.encode(value)))
            .child(key_info(self.certificate));
        let mut root = unsigned.into_root();
        root.insert_first(signature);
        Ok(Document::new(root)?)
    }
}

/// `KeyInfo` with one certificate, in the default namespace as every Microsoft document writes it.
pub(crate) fn key_info(certificate: &Certificate) -> Element {
    Element::new(DSIG, "KeyInfo").child(
        Element::new(DSIG, "X509Data")
            .child(Element::new(DSIG, "X509Certificate").text(certificate.base64_der())),
    )
}

fn signed_info(names: &Namespace, id: &str, canonical: &[u8]) -> Element {
    let algorithm = |local, uri: &'static str| Element::new(names, local).attribute("Algorithm", uri);
    let digest = digest::digest(&digest::SHA256, canonical);
    Element::new(names, "SignedInfo")
        .child(algorithm("CanonicalizationMethod", EXC_C14N))
        .child(algorithm("SignatureMethod", RSA_SHA256))
        .child(
            Element::new(names, "Reference")
                .attribute("URI", format!("#{id}"))
                .child(
                    Element::new(names, "Transforms")
                        .child(algorithm("Transform", ENVELOPED))
                        .child(algorithm("Transform", EXC_C14N)),
                )
                .child(algorithm("DigestMethod", SHA256))
                .child(Element::new(names, "DigestValue").text(STANDARD.encode(digest))),
        )
}
