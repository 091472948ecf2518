//! Keys and certificates as a declaration spells them.
//!
//! Decides the spellings: `shipped:NAME` for a published test identity, else the thing itself as text. Never decides
//! whether a certificate is expired or trusted.

use mocktenant_keys::{Certificate, Identity, SigningKey, shipped};

use mocktenant_patch::nearest::{clip, one_of};

/// What is wrong with a text, and what would be right.
pub(crate) type Unusable = (String, Option<String>);

pub(crate) fn certificate(text: &str) -> Result<Certificate, Unusable> {
    match text.strip_prefix("shipped:") {
        Some(name) => Ok(shipped_identity(name)?.certificate().clone()),
        None => Certificate::from_any(text.as_bytes()).map_err(|error| {
            (error.to_string(), Some("write `shipped:NAME`, a PEM text, or base64 of the DER".to_owned()))
        }),
    }
}

pub(crate) fn signing_key(text: &str) -> Result<SigningKey, Unusable> {
    match text.strip_prefix("shipped:") {
        Some(name) => Ok(shipped_identity(name)?.key().clone()),
        None => SigningKey::from_pem(text).map_err(|error| {
            (error.to_string(), Some("write `shipped:NAME` or the PEM text of a PKCS#8 key".to_owned()))
        }),
    }
}

pub(crate) fn identity(text: &str) -> Result<Identity, Unusable> {
    match text.strip_prefix("shipped:") {
        Some(name) => shipped_identity(name).cloned(),
        None => Identity::from_pems(text, text).map_err(|error| {
            (
                error.to_string(),
                Some("write `shipped:NAME`, or a private key and its certificate in PEM".to_owned()),
            )
        }),
    }
}

fn shipped_identity(name: &str) -> Result<&'static Identity, Unusable> {
    shipped::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = shipped::names().collect();
        (format!("no identity `{}` is shipped", clip(name)), one_of(name, names.iter().copied()))
    })
}
