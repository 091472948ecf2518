//! Client credentials: a token for the server application itself (RFC 6749 section 4.4).
//!
//! Decides nothing but that: which resource and scopes is [`crate::scope`]'s. No refresh token comes with it.

use crate::grants::{Grant, Subject, Ticket};
use crate::scope;
use mocktenant_world::declaration::Profile;

/// The grant.
pub(super) static GRANT: Grant = Grant {
    name: "client_credentials",
    since: Profile::Server2016,
    public_clients: false,
    questions: || scope::QUESTIONS.to_vec(),
    ask: |asking, list| {
        let granted = scope::ask(asking, list, None)?;
        Some(Ticket { granted, subject: Subject::Client, refreshable: false })
    },
};
