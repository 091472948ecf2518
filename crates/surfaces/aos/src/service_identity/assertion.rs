//! The client assertion, as ADAL.NET writes it.
//!
//! Decides members and encodings as ADAL.NET's source has them: RS256, `x5t` in base64url without padding, `x5c` as one string, numeric
//! `nbf` and `exp`, ten minutes, the v1 token URL as audience. Other clients write it differently; this is the AOS.

use mocktenant_keys::Algorithm;
use mocktenant_token::{HeaderSegment, MintError, mint};
use serde::Serialize;
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use super::certificate::Signer;

/// How long an assertion is good for.
const LIFETIME: Duration = Duration::minutes(10);

#[derive(Serialize)]
struct Claims<'c> {
    aud: &'c str,
    exp: i64,
    iss: &'c str,
    jti: &'c str,
    nbf: i64,
    sub: &'c str,
}

/// Signs an assertion that `client` is who it says, for the token endpoint `url`.
pub(super) fn sign(
    signer: &Signer,
    client: &str,
    url: &str,
    now: OffsetDateTime,
    id: &str,
) -> Result<String, MintError> {
    let mut header = Map::new();
    header.insert("alg".into(), Value::from(Algorithm::Rs256.name()));
    header.insert("typ".into(), Value::from("JWT"));
    header.insert("x5t".into(), Value::from(signer.certificate.thumbprint().base64url()));
    header.insert("x5c".into(), Value::from(signer.certificate.base64_der()));
    let claims = Claims {
        aud: url,
        exp: now.saturating_add(LIFETIME).unix_timestamp(),
        iss: client,
        jti: id,
        nbf: now.unix_timestamp(),
        sub: client,
    };
    mint(&signer.key, Algorithm::Rs256, &HeaderSegment::new(&header)?, &claims)
}
