//! Bodies of `$batch`: many requests in one, and their answers (OData protocol 11.7, multipart/mixed as RFC 2046 has it).
//!
//! Decides which operations a body holds, which of them stand or fall together, and the layout of what is answered. Knows no
//! product: the words in which a fault is told, the names of boundaries, and which header fields a part of the answer has, in which
//! order, belong to the surfaces. Never decides what a part is answered, nor whether there is something at its address.

mod answer;
mod request;
mod sent;

pub use answer::{Fields, Multipart, PartAnswer};
pub use request::{Batch, BatchError, BatchItem, Operation, path_of};
pub use sent::{Answered, ChangeSet, answers};
