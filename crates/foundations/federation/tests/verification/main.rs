//! Signatures verified: what is, what is not, and why; and the signed metadata of AD FS, made again.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

mod adfs;
mod bytes;
mod documents;
mod profile;
mod real;
mod wrapping;
