//! What a compact JWS has to keep: nothing it says makes its reader panic, and what is signed is what was sent.

use mocktenant_token::Compact;

/// Reads the bytes as a token.
pub(crate) fn compact(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(token) = Compact::parse(text) else { return };
    assert!(text.as_bytes().starts_with(token.signing_input()), "the signature covers what was sent");
    assert_eq!(text.bytes().filter(|byte| *byte == b'.').count(), 2, "three parts");
    let header = token.header();
    let _ = (header.alg(), header.kid(), header.x5c(), token.unknown_crit(), token.signature());
    for identifier in header.key_identifiers() {
        assert!(!identifier.text.is_empty() || identifier.bytes.is_none_or(|bytes| bytes.is_empty()));
    }
    let claims = token.claims();
    for name in ["exp", "nbf", "iat"] {
        if let Ok(Some(time)) = claims.time(name) {
            let _ = (time.datetime(), time.unix_seconds());
        }
    }
    let audience = claims.audience();
    assert!(audience.sole().is_none_or(|sole| audience.all() == [sole]), "the only audience is all of them");
}
