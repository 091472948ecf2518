//! Entra through its front door: requests to a lab of the default world, with a frozen clock and without sockets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing where it does")]

mod assertions;
mod bad_input;
mod documents;
mod forge;
mod front_door;
mod guards;
mod machines;
mod managed_identity;
mod misspelt;
mod not_built;
mod refusals;
mod remedies;
mod sdk_assertions;
mod tables;
mod tokens;
