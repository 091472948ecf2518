//! Claims to a signed compact JWS (RFC 7515 section 7.1).
//!
//! Decides only the encoding: members stay in the order the caller gave, the key was parsed long ago, one buffer holds the
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
    // both segments, two dots and the 342 characters of a 2048-bit key's signature
    let mut token = String::with_capacity(header.0.len() + claims.len().div_ceil(3) * 4 + 2 + 344);
    token.push_str(&header.0);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature =
        key.sign(algorithm, token.as_bytes()).map_err(|error| MintError::Signing(error.to_string()))?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
    Ok(token)
}
