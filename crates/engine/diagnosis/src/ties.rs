//! The few refusals that two settings explain equally well, each settled in a file of its own.
//!
//! Decides from roles and the world alone: who holds which certificate, whose clock is off. A tie is only here because
//! neither of the two products that met could know.

mod clock;
mod identity;

use mocktenant_verdict::{Check, Role};

use crate::Cause;
use crate::case::Case;

/// The cause, where one of the ties applies.
pub(crate) fn settle(case: &Case<'_, '_>, check: &Check) -> Option<Cause> {
    match check.role? {
        Role::Client => identity::client(case, check),
        Role::Key => identity::key(case, check),
        Role::Time => clock::of(case),
        _ => None,
    }
}
