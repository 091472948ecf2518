//! Signatures verified: what is, what is not, and why.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

mod bytes;
mod documents;
mod profile;
mod real;
mod wrapping;
