//! What runs: one lab with its clock, randomness, journal, world snapshot and surfaces, without sockets.
//!
//! Decides host choice, folding and dispatch, and that everything mutable has one home. Never decides what a product
//! answers: that is each [`Surface`]'s. [`Lab::answer`] works without a socket; `server` adds sockets and an
//! [`outbound::Outbound`].

mod answer;
mod clock;
mod command;
mod dispatch;
mod exchange;
pub mod journal;
mod lab;
mod masking;
pub mod outbound;
mod random;
pub mod request;
mod site;
mod surface;

pub use answer::{Answer, Content, Delivery, Response};
pub use clock::{Clock, ClockChange, real_now};
pub use command::{Applied, Command, CommandError};
pub use dispatch::EXCHANGE_HEADER;
pub use exchange::{Activity, CALL_HEADER, Exchange, HOP_LIMIT};
pub use lab::{Addresses, JOURNAL_BUDGET, Lab, LabBuilder};
pub use outbound::BoxFuture;
pub use random::{Random, SeededSequence};
pub use request::{Arrival, Request};
pub use site::Site;
pub use surface::{CatalogueRow, Handler, Refusal, Route, Surface};
