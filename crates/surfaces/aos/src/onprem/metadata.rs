//! The federation metadata that was read last: the nodes of a farm get the same document, one after the other, and again at every
//! restart.
//!
//! Decides that the same bytes are read once. Keeps what was read of them and not the bytes, and nothing that could not be read.
//! Reading is a pure function, so nobody can tell. Mirrors nothing: the real nodes are machines of their own.

use std::sync::{Arc, Mutex, PoisonError};

use mocktenant_federation::{FederationMetadata, read_metadata};
use mocktenant_keys::Thumbprint256;

/// A document's digest, and what was read of it.
#[derive(Default)]
pub(crate) struct LastRead(Mutex<Option<(Thumbprint256, Arc<FederationMetadata>)>>);

impl LastRead {
    /// Reads a document, or says why it cannot be.
    pub(crate) fn read(&self, document: &[u8]) -> Result<Arc<FederationMetadata>, String> {
        // The SHA-256 of any bytes.
        let digest = Thumbprint256::of_der(document);
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, metadata)) = kept.filter(|(known, _)| *known == digest) {
            return Ok(metadata);
        }
        let metadata = Arc::new(read_metadata(document).map_err(|error| error.to_string())?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, Arc::clone(&metadata)));
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_read_once_others_anew_and_what_cannot_be_read_is_not_kept() {
        let document = |host: &str| {
            format!(
                "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"http://{host}/adfs/services/trust\">\
                 <RoleDescriptor xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
                 xmlns:fed=\"http://docs.oasis-open.org/wsfed/federation/200706\" \
                 xsi:type=\"fed:SecurityTokenServiceType\"/></EntityDescriptor>"
            )
        };
        let last = LastRead::default();
        let (one, two) = (document("one.example"), document("two.example"));
        let first = last.read(one.as_bytes()).unwrap();
        assert!(Arc::ptr_eq(&first, &last.read(one.as_bytes()).unwrap()));
        assert!(last.read(b"<a").is_err());
        assert!(Arc::ptr_eq(&first, &last.read(one.as_bytes()).unwrap()));
        assert_eq!(last.read(two.as_bytes()).unwrap().entity_id, "http://two.example/adfs/services/trust");
    }
}
