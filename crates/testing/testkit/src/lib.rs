//! A lab for other people's tests: a real server on free ports, told what to break and asked what it saw.
//!
//! Decides how a test starts, changes and reads a lab, and what is printed when the test fails. Never decides anything
//! about an emulated product: what answers is the very server that `mocktenant serve` runs. Mirrors no real product.
//!
//! A [`Lab`] has its own ports, its own state directory and its own certificate authority, all gone when it is dropped;
//! any number of them share a process without seeing each other. It runs on a thread of its own, so a test may block, for
//! instance on a child process that calls the lab, whatever runtime the test itself uses.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use mocktenant_testkit::Lab;
//!
//! // A world half-way through the vendor's recipe: the AOS still asks as the application it asked as before.
//! let lab = Lab::scenario("half-done").start().await;
//!
//! // Your own code goes here; it is given URLs and credentials by `lab.settings()`. This is what the world's own caller
//! // does: a token, then a customer for the AOS.
//! let answer = lab.drive().await;
//! assert!(answer.text().contains("Unable to get access token"));
//!
//! // What the AOS was asked, and which check refused what it asked for in turn.
//! assert_eq!(lab.journal().only_request_to("aos").status, answer.status);
//! let check = lab.journal().failed_check().expect("something was refused");
//! assert_eq!((&*check.name, check.error.as_deref()), ("certificate-registered", Some("AADSTS700027")));
//!
//! // The one thing to change, which the refusing side could not know.
//! let cause = lab.explain_last().and_then(|explanation| explanation.cause).expect("a cause is known");
//! assert_eq!(cause.whereabouts(), "web.config:38");
//! assert_eq!(cause.name(), "Aad.Realm");
//! lab.apply(cause.change).await;
//! lab.restart("onebox").await;
//! assert_eq!(lab.drive().await.status, 201);
//!
//! // A user signs in at AD FS, as a browser and a client would: code, tokens, and what the id token says.
//! assert_eq!(lab.sign_in().await.claims()["upn"], "ada@contoso.com");
//! # }
//! ```

mod client;
mod journal;
mod lab;

pub use client::{Client, Reply};
pub use journal::Journal;
pub use lab::{Builder, Lab};
// Every type that stands in a signature or a public field of this crate has a name here; `tests/names.rs` spells them out.
pub use mocktenant_diagnosis::{Cause, ExplainedCheck, Explanation, Kind, Origin};
pub use mocktenant_lab::forge::{Defect, ForgeError, Forged, Order};
pub use mocktenant_lab::journal::{Kind as RecordKind, Record, RecordDocument};
pub use mocktenant_lab::{
    Applied, ClockChange, Command, CommandError, Entrance, Fact, Facts, Lab as Engine, Machine, Scope,
    SignedIn, Tree, UnknownPlace,
};
pub use mocktenant_scenario::{Act, Scenario, Step};
pub use mocktenant_server::{
    Adfs, Aos, CustomApi, Dataverse, Entra, ManagedIdentity, Settings, StartError, User,
};
pub use mocktenant_verdict::{Change, Check, Fault, Input, Need, Outcome, Remedy, Role, Setting};
pub use mocktenant_world::{Edit, EditError, EditedBy, Errand, Operation, Problem, World, WorldError};
// What a world, an engine or a start's error is made of further down, by its own crate's names.
pub use {
    mocktenant_diagnosis, mocktenant_lab, mocktenant_scenario, mocktenant_server, mocktenant_verdict,
    mocktenant_world,
};
// In the versions that those signatures mean.
pub use {bytes, http, indexmap, jsonwebtoken, serde_json, time};
