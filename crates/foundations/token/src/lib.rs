//! Claims to JWT, and any JWT to checks.
//!
//! [`Compact`] takes a token apart without believing any of it; [`Header`] and [`Claims`] read what real client
//! libraries write (numbers as strings, `x5c` as one string, thumbprints in three spellings); [`mint`] puts one together with
//! a key that is already parsed; [`bearer`] holds the mechanics every resource shares and [`ladder`] the questions it asks of
//! a bearer token, [`assertion`] those an identity provider asks of a client's. No policy and no product text lives here: which finding becomes which answer is decided by the surfaces.

pub mod assertion;
pub mod bearer;
mod claims;
mod compact;
mod header;
pub mod ladder;
mod mint;
pub mod strict_json;

pub use claims::{Audience, BadTime, BadTimeReason, Claims, NumericDate};
pub use compact::{Compact, MAX_TOKEN_BYTES, Malformed, Part};
pub use header::{Header, KeyIdentifier, KeyMember, X5c};
pub use mint::{HeaderSegment, MintError, mint, mint_hs256, mint_raw, mint_unsigned, tampered};
