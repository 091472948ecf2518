//! The Web API through `Lab::answer`: no sockets, a frozen clock, tokens on the shipped key.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

mod annotations;
mod append;
mod apply;
mod audience;
mod bad_input;
mod batch;
mod captured;
mod checks;
mod cookies;
mod cors;
mod csdl;
mod declared_tables;
mod deep_insert;
mod definitions;
mod deletions;
mod expand;
mod expanded_collections;
mod fetch;
mod full_metadata;
mod hostile;
mod impersonation;
mod long;
mod methods;
mod not_built;
mod payloads;
mod references;
mod role_rows;
mod roles;
mod rows;
mod samples;
mod support;
mod time_zones;
