//! The Web API through `Lab::answer`: no sockets, a frozen clock, tokens on the shipped key.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

mod annotations;
mod audience;
mod bad_input;
mod batch;
mod checks;
mod definitions;
mod expand;
mod impersonation;
mod long;
mod not_built;
mod payloads;
mod roles;
mod rows;
mod support;
