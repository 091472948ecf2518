//! What any identity provider does and none decides: values it hands out sealed, their single use, lockout, polling limits,
//! and what signing people in is made of: codes, device codes, sessions, cookies, response modes, whose page a form is of.
//!
//! Decides how such a thing is done: what a sealed text is made of and in which order it is judged, that of many who come at
//! once one wins, how guesses and polls are counted. Never decides whether it is done, for how long or how often, nor what
//! anybody is told: lifetimes, policies and texts are handed in by a surface, and a refusal is a value that it puts into
//! its product's words. Nothing here draws randomness or reads a clock by itself, and nothing outlives its lab.
//!
//! What belongs to whom goes by [`mocktenant_lab::Scope`], the *owner*: a reset of it forgets what was counted, and makes
//! void what was sealed for it.

pub mod address;
pub mod basic;
pub mod code;
pub mod cookie;
pub mod device_code;
pub mod forge;
pub mod form;
pub mod guard;
pub mod json;
mod ledger;
mod lockout;
mod moment;
pub mod nearest;
pub mod page;
pub mod pkce;
mod polling;
pub mod response_mode;
mod sealed;
pub mod secret;
pub mod session;
mod single_use;

pub use ledger::Ledger;
pub use lockout::{Attempt, Lockout, NotTried, Window};
pub use polling::{Poll, Polling};
pub use sealed::{Kind, Mark, Opened, Refused, SealError, Sealer};
pub use single_use::NotSpent;
