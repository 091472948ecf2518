//! The declaration, compiled; the default world.
//!
//! A [`Declaration`] is what a person wrote. [`World`] is that, validated and indexed, with
//! keys parsed and config files at hand: an immutable snapshot that surfaces read and an edit replaces whole.
//!
//! This crate decides what may be declared, where each value came from ([`Origin`]) and where a person would change it
//! ([`place()`]). It never decides what a product answers, never opens a file, and knows no time: expiry is judged by
//! whoever has the clock.

mod compile;
mod compiled;
mod federation_service;
mod files;
mod material;
mod origin;
mod parts;
mod place;
mod problem;
mod secrets;
mod touched;
mod world;

pub use compiled::{
    Application, ApplicationUser, Depth, Environment, IdentityProvider, Node, Organization, Secret,
    SecurityRole, StoredCertificate, Stores, Tenant,
};
pub use federation_service::{
    Client, Credentials, FederationService, FederationUser, MAIL, SignInName, WebApi,
};
pub use files::Artefacts;
pub mod servicing;
pub use mocktenant_artefacts::{Artefact, Entry};
pub use mocktenant_declaration::{
    self as declaration, Declaration, Errand, SecretText, clock_offset, is_guid, pointers,
};
pub use mocktenant_patch::document::DocumentError;
pub use mocktenant_patch::{Edit, Operation, Problem, nearest};
pub use mocktenant_verdict::Setting;
pub use mocktenant_zones::Zone;
pub use origin::{EditedBy, Origin, Origins};
pub use place::place;
pub use problem::{EditError, WorldError};
pub use world::World;
