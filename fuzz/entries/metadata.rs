//! What federation metadata has to keep: no panic, a line inside the document, and never more than it may hold.

use mocktenant_federation::read_metadata;

/// Reads the bytes as federation metadata.
pub(crate) fn metadata(data: &[u8]) {
    match read_metadata(data) {
        Ok(metadata) => {
            assert!(!metadata.entity_id.is_empty(), "an issuer has a name");
            assert!(metadata.signing_certificates.len() <= 64);
        }
        Err(error) => assert!(error.line >= 1 && error.line <= data.len() + 1, "{error}"),
    }
}
