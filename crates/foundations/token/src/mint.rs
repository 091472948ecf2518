//! Claims to a signed compact JWS (RFC 7515 section 7.1).
//!
//! Besides the tokens of products there are those of attackers, for tests: unsigned, signed with a public key as a shared
//! secret, changed on the way. Decides only the encoding: members stay in the order the caller gave, the key was parsed long ago, one buffer holds the
//! token. Never decides what a token says, and never checks that the header's `alg` is the algorithm signed with; the
//! caller writes both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{Algorithm, SigningKey};
use serde::Serialize;
use serde_json::{Map, Value};

/// Why a token could not be made. None of it can come from a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// Header or claims have no JSON form, for instance a map with keys that are not strings.
    #[error("cannot be written as JSON: {0}")]
    Json(String),
    /// The key does not sign with this algorithm.
    #[error("signing failed: {0}")]
    Signing(String),
}

/// A header, already in base64url. Made once for each key, so that making a token encodes only its claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSegment(String);

impl HeaderSegment {
    /// Encodes header members in their order.
    pub fn new(members: &Map<String, Value>) -> Result<Self, MintError> {
        let json = serde_json::to_vec(members).map_err(|error| MintError::Json(error.to_string()))?;
        Ok(Self::from_json(&json))
    }

    /// Encodes header bytes as they are.
    pub fn from_json(json: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(json))
    }

    /// The segment before the first dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Signs claims, their members in the order they serialise.
pub fn mint(
    key: &SigningKey,
    algorithm: Algorithm,
    header: &HeaderSegment,
    claims: &impl Serialize,
) -> Result<String, MintError> {
    // a usual access token has 1,000 to 1,500 bytes of claims
    let mut json = Vec::with_capacity(1536);
    serde_json::to_writer(&mut json, claims).map_err(|error| MintError::Json(error.to_string()))?;
    mint_raw(key, algorithm, header, &json)
}

/// Signs claims that are JSON bytes already; the bytes are not looked at.
pub fn mint_raw(
    key: &SigningKey,
    algorithm: Algorithm,
    header: &HeaderSegment,
    claims: &[u8],
) -> Result<String, MintError> {
    let mut token = signing_input(header, claims);
    let signature =
        key.sign(algorithm, token.as_bytes()).map_err(|error| MintError::Signing(error.to_string()))?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
    Ok(token)
}

/// Claims under a header that says `none` (RFC 7519 section 6.1): nothing stands behind the second dot.
pub fn mint_unsigned(header: &HeaderSegment, claims: &[u8]) -> String {
    let mut token = signing_input(header, claims);
    token.push('.');
    token
}

/// Claims signed with HS256; the header is the caller's.
pub fn mint_hs256(secret: &[u8], header: &HeaderSegment, claims: &[u8]) -> String {
    let mut token = signing_input(header, claims);
    let signature = mocktenant_keys::hs256(secret, token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// The same token with the first bits of its signature changed: all of it can be read, and no key made it.
pub fn tampered(token: &str) -> String {
    let at = token.rfind('.').map_or(0, |dot| dot + 1);
    let (kept, signature) = token.split_at(at);
    let mut rest = signature.chars();
    let other = match rest.next() {
        Some('A') => "B",
        Some(_) => "A",
        None => "",
    };
    format!("{kept}{other}{}", rest.as_str())
}

/// Both segments, with room for the second dot and the 342 characters of a 2048-bit key's signature.
fn signing_input(header: &HeaderSegment, claims: &[u8]) -> String {
    let mut token = String::with_capacity(header.0.len() + claims.len().div_ceil(3) * 4 + 2 + 344);
    token.push_str(&header.0);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    token
}
