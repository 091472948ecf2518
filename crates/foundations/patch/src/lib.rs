//! Documents: read strictly, edited by pointer (RFC 6902), and problems that name the nearest valid thing.
//!
//! This crate decides what an [`Edit`] does to a JSON document whose list elements are named by their value, and how a
//! [`Problem`] is told, and how much one patch may ask for ([`budget`]). It never decides what a document may say: that is the world's question.

pub mod budget;
pub mod document;
pub mod nearest;
mod patch;
mod problem;
mod reader;
pub mod short_name;

pub use mocktenant_verdict::{Edit, Operation};
pub use patch::{Refusal, Refused, apply, check, value_at};
pub use problem::Problem;
