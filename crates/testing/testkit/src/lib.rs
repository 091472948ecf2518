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
//! // A world in which Dataverse does not know the application the one-box asks as.
//! let lab = Lab::scenario("app-user-missing").start().await;
//!
//! // Your own code goes here; it is given URLs and credentials by `lab.settings()`. This is the same by hand.
//! let aos = &lab.settings().aos["onebox"];
//! let token = lab.client().token(&aos.resource).await;
//! let answer = lab
//!     .client()
//!     .bearer(&token)
//!     .post_json(&format!("{}/data/CustomersV3", aos.url), &aos.sample_customer)
//!     .await;
//! assert!(answer.status >= 400, "the customer cannot be written: {}", answer.text());
//!
//! // What Dataverse was asked, and which check refused it.
//! let asked = lab.journal().only_request_to("dataverse");
//! assert_eq!(asked.error.as_deref(), Some("0x80072560"));
//! let check = lab.journal().failed_check().expect("something was refused");
//! assert_eq!(check.name, "application-user-exists");
//!
//! // The one thing to change; applying it heals the world as far as the next thing that is wrong.
//! let cause = lab.explain_last().and_then(|explanation| explanation.cause).expect("a cause is known");
//! lab.apply(cause.change).await;
//! # }
//! ```

mod client;
mod journal;
mod lab;
mod settings;

pub use client::{Client, Reply};
pub use journal::Journal;
pub use lab::{Builder, Lab};
pub use mocktenant_diagnosis::{Cause, Explanation, Kind};
pub use mocktenant_lab::journal::Record;
pub use mocktenant_lab::{ClockChange, Command, Site};
pub use mocktenant_server::StartError;
pub use mocktenant_verdict::{Check, Outcome, Setting};
pub use mocktenant_world::{Edit, World};
pub use settings::{Aos, CustomApi, Dataverse, Entra, Settings};
