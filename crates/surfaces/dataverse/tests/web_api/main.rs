//! The Web API through `Lab::answer`: no sockets, a frozen clock, tokens on the shipped key.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

mod audience;
mod bad_input;
mod checks;
mod long;
mod rows;
mod support;
