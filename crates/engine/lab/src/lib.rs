//! What runs: one lab with its clock, randomness, rows, journal, world snapshot and surfaces, without sockets.
//!
//! Decides host choice, folding, the machine and dispatch, and that everything mutable has one home. Never decides what a product
//! answers: that is each [`Surface`]'s. [`Lab::answer`] works without a socket; `server` adds sockets and an
//! [`outbound::Outbound`].

mod answer;
pub mod caller;
mod calling;
mod clock;
mod command;
mod context;
pub mod declared;
mod dispatch;
mod document;
pub mod event;
mod exchange;
pub mod forge;
mod fork;
mod forward;
mod gate;
mod in_process;
pub mod journal;
mod judge;
mod lab;
mod masking;
mod nodes;
pub mod outbound;
mod page;
mod part;
mod patience;
mod place;
mod random;
mod record;
pub mod request;
mod rollover;
mod rows;
mod run_on;
mod starting;
pub mod steps;
mod stopping;
pub mod store;
mod surface;
mod target;
mod trail;
mod tree;
mod written;

pub use answer::{Answer, AutoPostWords, Content, Delivery, Response, escaped};
pub use caller::{Ask, Attempt, DriveError, OwnClient, SignInCall, SignedIn, Step, TokenCall};
pub use calling::{CALL_HEADER, HOP_LIMIT};
pub use clock::{Clock, ClockChange, real_now};
pub use command::{Applied, Command, CommandError};
pub use context::Context;
pub use dispatch::EXCHANGE_HEADER;
pub use event::{Event, EventDocument, EventLog, EventRow, Severity};
pub use exchange::Exchange;
pub use in_process::{InProcess, WorldNames};
pub use judge::UnknownPlace;
pub use lab::{Addresses, GRACE, JOURNAL_BUDGET, Lab, LabBuilder, OUTWARD_AT_ONCE, WeakLab};
pub use masking::{Mask, SecretNames};
pub use nodes::{NodeState, NodeView};
pub use outbound::BoxFuture;
pub use page::{Listing, PAGE_BYTES};
pub use part::Part;
pub use patience::TookTooLong;
pub use place::{Entrance, Machine, NoPlace, Scope};
pub use random::{Random, SeededSequence};
pub use request::{Arrival, Request};
pub use rows::{DeclaredRow, NoRows, RowRefused, Tables};
pub use stopping::{SERVICE_RUNS, Stoppable};
pub use store::Store;
pub use surface::{Asker, CatalogueRow, Handler, Refusal, Route, Started, Surface, Way};
pub use trail::{BUILT_HERE, EXPECTED, Fact, Facts, NOT_BUILT, REFUSED, SharedFacts, Trail};
pub use tree::Tree;
pub use written::written;
