//! Wrong passwords, counted: at the token endpoint and on the sign-in page alike.
//!
//! Decides whether a password that was judged comes too late, by the setting that locks users out (by default nobody is). Never
//! decides what is told of it: a user and a client are told of a wrong password, whatever it was.

use std::num::NonZeroU32;

use mocktenant_idp::{Ledger, Lockout, NotTried, Window};
use mocktenant_lab::{Exchange, Scope};
use mocktenant_verdict::{Check, Checklist, Finding, Question, Role};
use mocktenant_world::FederationUser;
use time::Duration;

use crate::asking::Checks;
use crate::errors::{AdfsError, describe};
use crate::prepared::PreparedService;

/// Whether the user was locked out by wrong passwords.
pub(crate) static LOCKOUT: Question = Question::new("user-not-locked-out", Role::User);

/// Counts a password that was judged, where the service locks users out: the checks of one that comes too late.
pub(crate) fn count(
    exchange: &Exchange,
    prepared: &PreparedService,
    user: &FederationUser,
    right: bool,
) -> Option<Vec<Check>> {
    let declared = prepared.service.lockout?;
    let lasts = Duration::minutes(i64::from(declared.minutes));
    let policy = Lockout {
        kind: "adfs-password",
        attempts: NonZeroU32::new(declared.threshold)?,
        window: Window::FromLast(lasts),
        lasts,
    };
    let owner = Scope::federation_service(&prepared.service.id);
    let now = exchange.context.now();
    let counted = exchange.context.remember(|store| {
        let ledger = Ledger::new(store, &owner, now);
        let attempt = ledger.attempt(Some(&policy), &user.name)?;
        if right {
            ledger.succeeded(attempt);
        }
        Ok::<(), NotTried>(())
    });
    // What a reset came over counts nothing, and is refused further on by whoever looks.
    let refused = counted.ok()?.err()?;
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    let settings = || vec![prepared.service.pointer.lockout()];
    list.ask(&LOCKOUT, "fewer wrong passwords than lock out", settings, || {
        Finding::fail(refused.to_string(), AdfsError::PasswordWrong)
    });
    let (checks, refusal) = list.finish();
    refusal.map(|_| checks)
}
