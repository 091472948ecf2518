//! The mechanics shared by every resource that judges a bearer token.
//!
//! Decides what the `Authorization` header holds, which trusted key a token names, whether its signature holds and how its
//! times stand to the clock. Never decides an answer: findings carry what was there and what would have been accepted,
//! the resource's own policy gives them an order, a code and a text. Keys come from the resource's trust alone; nothing a token
//! brings along (`jwk`, `jku`, `x5u`, `x5c`) is ever used as one.

use std::fmt;
use std::sync::Arc;

use mocktenant_keys::{Algorithm, Certificate, KeyError, PublicKey, Thumbprint, Thumbprint256};
use mocktenant_verdict::{Finding, Text};
use time::{Duration, OffsetDateTime};

use crate::strict_json::{SHOWN, excerpt};
use crate::{BadTime, Claims, Compact, Header, KeyMember, NumericDate};

/// What the `Authorization` header of a request holds (RFC 6750 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization<'h> {
    /// There is no such header.
    Missing,
    /// There is more than one, which no resource can choose between.
    Multiple {
        /// How many.
        count: usize,
    },
    /// Another first word than `Bearer`, as sent: a scheme's name, or, where a scheme was forgotten, the secret itself.
    OtherScheme(&'h str),
    /// The scheme is `Bearer`, but what follows is not exactly one token68 (RFC 9110 section 11.2); or the header is not
    /// visible ASCII.
    Malformed,
    /// The token as sent, not yet parsed.
    Bearer(&'h str),
}

/// Schemes that may be named to a person: IANA's registry of HTTP authentication schemes, and those in common use beside it.
const KNOWN_SCHEMES: &[&str] = &[
    "AWS4-HMAC-SHA256",
    "ApiKey",
    "Basic",
    "DPoP",
    "Digest",
    "GNAP",
    "HMAC",
    "HOBA",
    "Mutual",
    "NTLM",
    "Negotiate",
    "OAuth",
    "PoP",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SharedKey",
    "vapid",
];

impl fmt::Display for Authorization<'_> {
    /// What was there, without the token, and without a word that may be one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("no Authorization header"),
            Self::Multiple { count } => write!(formatter, "{count} Authorization headers"),
            Self::OtherScheme(scheme) => {
                match KNOWN_SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme)) {
                    Some(known) => write!(formatter, "the scheme {known}"),
                    None => formatter.write_str("something that is no known scheme"),
                }
            }
            Self::Malformed => formatter.write_str("an Authorization header without exactly one token"),
            Self::Bearer(_) => formatter.write_str("a bearer token"),
        }
    }
}

/// Reads the values of all `Authorization` headers of one request. The scheme is compared without case
/// (RFC 9110 section 11.1).
pub fn read_authorization<'h>(values: impl IntoIterator<Item = &'h [u8]>) -> Authorization<'h> {
    let mut values = values.into_iter();
    let Some(value) = values.next() else { return Authorization::Missing };
    let others = values.count();
    if others > 0 {
        return Authorization::Multiple { count: others + 1 };
    }
    let Some(value) = std::str::from_utf8(value).ok().filter(|value| value.is_ascii()) else {
        return Authorization::Malformed;
    };
    let value = value.trim_matches([' ', '\t']);
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return if scheme.is_empty() { Authorization::Malformed } else { Authorization::OtherScheme(scheme) };
    }
    let token = rest.trim_start_matches(' ');
    if is_token68(token) { Authorization::Bearer(token) } else { Authorization::Malformed }
}

fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

/// A key a resource trusts, with the names a token may call it by.
#[derive(Clone, Debug)]
pub struct TrustedKey {
    /// Its `kid` as published, if it has one.
    pub kid: Option<Arc<str>>,
    /// SHA-1 of its certificate, if it has one: what `x5t` encodes.
    pub thumbprint: Option<Thumbprint>,
    /// SHA-256 of its certificate, if it has one: what `x5t#S256` encodes.
    pub thumbprint256: Option<Thumbprint256>,
    /// The key itself.
    pub public_key: PublicKey,
}

impl TrustedKey {
    /// A key trusted by its certificate, with the `kid` Entra publishes for it: the SHA-1 thumbprint in base64url.
    /// Fails when the certificate has no RSA key that can be used.
    pub fn of_certificate(certificate: &Certificate) -> Result<Self, KeyError> {
        Ok(Self {
            kid: Some(certificate.thumbprint().base64url().into()),
            thumbprint: Some(certificate.thumbprint()),
            thumbprint256: Some(certificate.thumbprint256()),
            public_key: certificate.public_key().cloned().map_err(Clone::clone)?,
        })
    }

    fn is_named(&self, member: KeyMember, text: &str, bytes: Option<&[u8]>) -> bool {
        let by_thumbprint = bytes.is_some_and(|bytes| {
            self.thumbprint.is_some_and(|own| own.as_bytes() == bytes)
                || self.thumbprint256.is_some_and(|own| own.as_bytes() == bytes)
        });
        by_thumbprint || (member == KeyMember::Kid && self.kid.as_deref() == Some(text))
    }

    /// The name to show a person: the `kid`, else the SHA-1 thumbprint in upper-case hex.
    fn label(&self) -> Text {
        match (&self.kid, &self.thumbprint) {
            (Some(kid), _) if kid.len() <= SHOWN => kid.into(),
            (Some(kid), _) => excerpt(kid).into(),
            (None, Some(thumbprint)) => thumbprint.to_string().into(),
            (None, None) => "a key without a name".into(),
        }
    }
}

/// Which trusted key a token names.
#[derive(Clone, Debug)]
pub enum KeyFinding<'k> {
    /// This one.
    Found {
        /// The key.
        key: &'k TrustedKey,
        /// The header member that named it.
        by: KeyMember,
    },
    /// The header names a key that is not trusted.
    Unknown {
        /// What it names: member and text of each identifier.
        asked: String,
        /// What is trusted.
        known: String,
    },
    /// The header names no key.
    NotNamed {
        /// What is trusted.
        known: String,
    },
}

impl<'k> KeyFinding<'k> {
    /// The key, if one was found.
    pub fn key(&self) -> Option<&'k TrustedKey> {
        match self {
            Self::Found { key, .. } => Some(key),
            Self::Unknown { .. } | Self::NotNamed { .. } => None,
        }
    }

    /// What would have been accepted.
    pub fn expected(&self) -> Text {
        match self {
            Self::Found { key, .. } => key.label(),
            Self::Unknown { known, .. } | Self::NotNamed { known } => known.clone().into(),
        }
    }

    /// The finding as the answer to a check.
    pub fn finding<E>(&self, error: impl FnOnce() -> E) -> Finding<E> {
        Finding::held(self.key().is_some(), "a trusted key", || (self.to_string(), error()))
    }
}

impl fmt::Display for KeyFinding<'_> {
    /// What was there.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { key, by } => write!(formatter, "{} by {by}", key.label()),
            Self::Unknown { asked, .. } => formatter.write_str(asked),
            Self::NotNamed { .. } => formatter.write_str("the header names no key"),
        }
    }
}

/// Selects the trusted key a header names: by `kid` first (the published one, or a thumbprint), then `x5t`, then
/// `x5t#S256`. A key is never tried without being named.
pub fn select_key<'k>(header: Header<'_>, trusted: &'k [TrustedKey]) -> KeyFinding<'k> {
    let known = || match trusted {
        [] => "no key is trusted".to_owned(),
        keys => keys.iter().map(|key| key.label().to_string()).collect::<Vec<_>>().join(", "),
    };
    let mut identifiers = header.key_identifiers();
    // they come strongest first; a resource looks the published `kid` up first
    identifiers.reverse();
    for identifier in &identifiers {
        let named =
            |key: &&TrustedKey| key.is_named(identifier.member, identifier.text, identifier.bytes.as_deref());
        if let Some(key) = trusted.iter().find(named) {
            return KeyFinding::Found { key, by: identifier.member };
        }
    }
    if identifiers.is_empty() {
        return KeyFinding::NotNamed { known: known() };
    }
    let asked = identifiers
        .iter()
        .map(|id| format!("{} {}", id.member, excerpt(id.text)))
        .collect::<Vec<_>>()
        .join(", ");
    KeyFinding::Unknown { asked, known: known() }
}

/// How a token's signature stands to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureFinding {
    /// It holds.
    Valid {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The header says no algorithm.
    AlgorithmMissing,
    /// The header says an algorithm that no RSA key verifies: `none`, HS*, ES*, or an unknown one. The key's type
    /// decides, never the header (RFC 8725 section 3.1).
    AlgorithmRefused {
        /// As sent, cut to 64 characters.
        actual: String,
    },
    /// The header demands an extension that is not understood (RFC 7515 section 4.1.11).
    CriticalHeader {
        /// What `crit` lists.
        names: Vec<String>,
    },
    /// There is no signature.
    Unsigned,
    /// It does not verify: another key made it, or the token was changed.
    Mismatch {
        /// The algorithm.
        algorithm: Algorithm,
        /// Whether the header has a `nonce`: then what was signed had another one, and only whom the token is for knows.
        nonce: bool,
    },
}

impl SignatureFinding {
    /// What is accepted.
    pub const EXPECTED: &'static str = "RS256, RS384, RS512, PS256, PS384 or PS512 by the named key";

    /// Whether the signature holds.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Valid { .. })
    }

    /// The finding as the answer to a check.
    pub fn finding<E>(&self, error: impl FnOnce() -> E) -> Finding<E> {
        Finding::held(self.holds(), "a valid signature", || (self.to_string(), error()))
    }
}

impl fmt::Display for SignatureFinding {
    /// What was there.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid { algorithm } => write!(formatter, "a valid {} signature", algorithm.name()),
            Self::AlgorithmMissing => formatter.write_str("a header without alg"),
            Self::AlgorithmRefused { actual } => write!(formatter, "alg {actual}"),
            Self::CriticalHeader { names } => write!(formatter, "crit {}", excerpt(&names.join(", "))),
            Self::Unsigned => formatter.write_str("an empty signature"),
            Self::Mismatch { algorithm, nonce } => {
                let nonce = if *nonce { " under a header with a nonce" } else { "" };
                write!(formatter, "a {} signature that does not verify{nonce}", algorithm.name())
            }
        }
    }
}

/// Verifies a token's signature against one trusted key.
pub fn verify_signature(token: &Compact<'_>, key: &TrustedKey) -> SignatureFinding {
    let names = token.unknown_crit();
    if !names.is_empty() {
        return SignatureFinding::CriticalHeader { names };
    }
    verify_bytes(token, key)
}

/// The same where an unknown `crit` was refused already.
pub(crate) fn verify_bytes(token: &Compact<'_>, key: &TrustedKey) -> SignatureFinding {
    // a number or null as `alg` is as good as none
    let Some(name) = token.header().alg() else { return SignatureFinding::AlgorithmMissing };
    let Some(algorithm) = Algorithm::from_name(name) else {
        return SignatureFinding::AlgorithmRefused { actual: excerpt(name) };
    };
    if token.signature().is_empty() {
        return SignatureFinding::Unsigned;
    }
    if key.public_key.verify(algorithm, token.signing_input(), token.signature()) {
        SignatureFinding::Valid { algorithm }
    } else {
        SignatureFinding::Mismatch { algorithm, nonce: token.header().text("nonce").is_some() }
    }
}

/// The tolerance with which a resource judges `nbf` and `exp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Clock skew tolerated in both directions; usually 300 s.
    pub skew: Duration,
}

/// How a token's times stand to the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFinding {
    /// Within its window.
    Within {
        /// Its `exp`.
        exp: NumericDate,
    },
    /// There is no `exp`.
    ExpMissing,
    /// `nbf` or `exp` cannot be read.
    Unreadable(BadTime),
    /// `nbf` lies after `exp`.
    Inverted {
        /// Its `nbf`.
        nbf: NumericDate,
        /// Its `exp`.
        exp: NumericDate,
    },
    /// `nbf` lies in the future by more than the skew.
    NotYetValid {
        /// Its `nbf`.
        nbf: NumericDate,
        /// The clock, whole seconds since 1970.
        now: i64,
    },
    /// `exp` has passed by more than the skew.
    Expired {
        /// Its `exp`.
        exp: NumericDate,
        /// The clock, whole seconds since 1970.
        now: i64,
    },
}

impl TimeFinding {
    /// Whether the token is within its window.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Within { .. })
    }

    /// The finding as the answer to a check.
    pub fn finding<E>(&self, error: impl FnOnce() -> E) -> Finding<E> {
        Finding::held(self.holds(), "within", || (self.to_string(), error()))
    }
}

impl fmt::Display for TimeFinding {
    /// What was there.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { exp } => write!(formatter, "exp {exp}"),
            Self::ExpMissing => formatter.write_str("no exp"),
            Self::Unreadable(bad) => bad.fmt(formatter),
            Self::Inverted { nbf, exp } => write!(formatter, "nbf {nbf} after exp {exp}"),
            Self::NotYetValid { nbf, now } => {
                write!(formatter, "nbf {nbf}, {} s from now", nbf.unix_seconds() - now)
            }
            Self::Expired { exp, now } => write!(formatter, "exp {exp}, {} s ago", now - exp.unix_seconds()),
        }
    }
}

impl TimeWindow {
    /// Judges `nbf` and `exp` at `now`. `nbf` may be missing, `exp` may not. A token is still good in the very moment that
    /// lies the skew after `exp`, as in Microsoft.IdentityModel, which refuses only what is past it.
    pub fn judge(self, claims: Claims<'_>, now: OffsetDateTime) -> TimeFinding {
        let (nbf, exp) = match (claims.time("nbf"), claims.time("exp")) {
            (Ok(nbf), Ok(Some(exp))) => (nbf, exp),
            (Ok(_), Ok(None)) => return TimeFinding::ExpMissing,
            (Err(bad), _) | (_, Err(bad)) => return TimeFinding::Unreadable(bad),
        };
        // 128-bit nanoseconds: any two moments and a skew fit many times over
        let skew = self.skew.whole_nanoseconds();
        let clock = now.unix_timestamp_nanos();
        let nanos = |date: NumericDate| date.datetime().unix_timestamp_nanos();
        if let Some(nbf) = nbf {
            if nanos(nbf) > nanos(exp) {
                return TimeFinding::Inverted { nbf, exp };
            }
            if nanos(nbf) > clock.saturating_add(skew) {
                return TimeFinding::NotYetValid { nbf, now: now.unix_timestamp() };
            }
        }
        if nanos(exp) < clock.saturating_sub(skew) {
            return TimeFinding::Expired { exp, now: now.unix_timestamp() };
        }
        TimeFinding::Within { exp }
    }

    /// What would have been accepted.
    pub fn expected(self) -> Text {
        match self.skew.whole_seconds() {
            // The products' own, everywhere so far: made once, when the program was.
            300 => "nbf and exp around now, within 300 s".into(),
            seconds => format!("nbf and exp around now, within {seconds} s").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_sent_without_a_scheme_is_not_shown() {
        let shown = |value: &str| read_authorization([value.as_bytes()]).to_string();
        assert_eq!(shown("basic YTpi"), "the scheme Basic");
        assert_eq!(shown("Negotiate"), "the scheme Negotiate");
        assert_eq!(shown("AWS4-HMAC-SHA256 Credential=a"), "the scheme AWS4-HMAC-SHA256");
        for value in ["SUPERSECRET", "SUPERSECRET more", "Bearer:SUPERSECRET", "Bearer\tSUPERSECRET"] {
            assert_eq!(shown(value), "something that is no known scheme", "{value}");
        }
    }
}
