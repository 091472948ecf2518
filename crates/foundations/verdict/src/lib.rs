//! Checks, settings, error catalogues and fidelity: the words in which every other crate says "accepted" or "refused".
//!
//! Decides nothing about any product. A [`Checklist`] records an ordered list of named questions and keeps the first
//! refusal; a [`Setting`] names the one declared value a person could change; [`catalogue!`] is how a surface writes
//! the table of its product texts so that a missing placeholder does not compile; [`foreign`] cuts what strangers sent
//! and makes it harmless before it stands in a message. Nothing here ever has an effect.

mod catalogue;
mod check;
mod checklist;
mod edit;
pub mod foreign;
mod input;
mod question;
mod remedy;
mod setting;
mod text;

pub use catalogue::{Fidelity, Row};
pub use check::{Check, Outcome};
pub use checklist::{Answers, Checklist, Finding, Settings, Switches};
pub use edit::{Edit, Operation, heap_of, pointer_tokens};
pub use input::Input;
pub use question::{Question, Role};
pub use remedy::{Change, Fault, Need, Remedy};
pub use setting::Setting;
pub use text::Text;
