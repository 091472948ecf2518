//! What federation metadata has to keep: no panic, a line inside the document, never more than it may hold, and nobody's
//! word for a signature.

use mocktenant_federation::{read_metadata, read_verified, signed_text, signed_tree, verify};
use mocktenant_keys::shipped;

/// Reads the bytes as federation metadata, and verifies them with a certificate whose key the fuzzer does not have.
pub(crate) fn metadata(data: &[u8]) {
    match read_metadata(data) {
        Ok(metadata) => {
            assert!(!metadata.entity_id.is_empty(), "an issuer has a name");
            assert!(metadata.signing_certificates.len() <= 64);
        }
        Err(error) => assert!(error.line >= 1 && error.line <= data.len() + 1, "{error}"),
    }
    let Ok(text) = signed_text(data.to_vec()) else { return };
    let Ok(tree) = signed_tree(&text) else { return };
    let trusted = shipped::token_signing().certificate();
    if let Ok(verified) = verify(tree.root(), "ID", trusted) {
        let read = read_verified(&verified).map(|metadata| metadata.entity_id);
        assert_eq!(read, read_metadata(data).map(|metadata| metadata.entity_id), "both read the same text");
    }
}
