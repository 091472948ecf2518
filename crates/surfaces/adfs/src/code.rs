//! Authorization codes of AD FS.
//!
//! Decides their policy: good for ten minutes, once; S256 and plain; a wrong verifier uses a code up, so that who sends the
//! right one afterwards comes too late (measured by one blog). Never decides who gets one.

use mocktenant_idp::Kind;
use mocktenant_idp::code::{Code, Codes};
use mocktenant_idp::pkce::{Method, Pkce};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// What a code stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    /// The user's principal name.
    pub(crate) user: String,
    /// When the user signed in, in milliseconds since 1970.
    pub(crate) at: i64,
    /// When the session ends.
    pub(crate) ends: OffsetDateTime,
    /// The resource as it was asked for.
    pub(crate) resource: String,
    /// The scopes that were granted.
    pub(crate) scopes: Vec<String>,
    /// The nonce of the request.
    pub(crate) nonce: Option<String>,
}

/// What is sealed as a code.
pub(crate) const CODE: Kind<Code<SignedIn>> = Kind::new("adfs-authorization-code");

/// Policy.
pub(crate) const CODES: Codes = Codes {
    lifetime: Duration::minutes(10),
    pkce: Pkce { methods: &[Method::S256, Method::Plain], required: false, refuses_unasked: false },
    burnt_by_wrong_verifier: true,
};
