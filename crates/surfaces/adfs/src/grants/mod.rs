//! The grants of the token endpoint, one file each, and the table they stand in.
//!
//! Decides which `grant_type` is which. Never decides who the client is.

pub(crate) mod authorization_code;
mod client_credentials;
mod device_code;
pub(crate) mod on_behalf_of;
pub(crate) mod password;
mod refresh_token;

use std::sync::Arc;

use mocktenant_verdict::{Finding, Question, Role};
use mocktenant_world::FederationUser;
use mocktenant_world::declaration::Profile;
use time::OffsetDateTime;

pub(crate) use self::password::milliseconds;
pub(crate) use self::refresh_token::{REFRESH_TOKEN, Refresh};
use crate::asking::{Asking, Checks, excerpt};
use crate::errors::AdfsError;
use crate::scope::Granted;

/// The grants AD FS has here.
pub(crate) static GRANTS: [&Grant; 7] = [
    &client_credentials::GRANT,
    &password::GRANT,
    &refresh_token::GRANT,
    &authorization_code::GRANT,
    &on_behalf_of::GRANT,
    &device_code::GRANT,
    &device_code::SHORT,
];

/// Whether the request says which grant it is.
pub(crate) static GRANT_NAMED: Question = Question::new("grant-named", Role::Request);
/// Whether there is such a grant.
pub(crate) static GRANT_TYPE: Question = Question::new("grant-type", Role::Request);

/// One grant.
#[derive(Debug)]
pub(crate) struct Grant {
    /// `grant_type`.
    pub(crate) name: &'static str,
    /// The Windows Server that has it first.
    pub(crate) since: Profile,
    /// Whether a native application may use it, without a credential.
    pub(crate) public_clients: bool,
    /// Its questions, in the order asked.
    pub(crate) questions: fn() -> Vec<&'static Question>,
    /// Asks them.
    pub(crate) ask: for<'p> fn(&Asking<'_, 'p>, &mut Checks<'_>) -> Option<Ticket<'p>>,
}

/// What is granted, and to whom.
pub(crate) struct Ticket<'p> {
    pub(crate) granted: Granted,
    pub(crate) subject: Subject<'p>,
    /// Whether a refresh token comes with it. A refresh gives none: the old one stays good.
    pub(crate) refreshable: bool,
}

/// Whom a token is about.
pub(crate) enum Subject<'p> {
    /// The client itself.
    Client,
    /// A user.
    User {
        /// Who.
        user: &'p Arc<FederationUser>,
        /// The sign-in it follows from.
        since: Since,
    },
}

/// A sign-in that tokens follow from.
#[derive(Clone, Debug)]
pub(crate) struct Since {
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// When its session ends: refresh tokens last as long.
    pub(crate) ends: OffsetDateTime,
    /// What the client wants to find again in its id token.
    pub(crate) nonce: Option<String>,
}

/// Asks whether a grant is named.
pub(crate) fn ask_named(list: &mut Checks<'_>, named: Result<Option<&str>, &AdfsError>) {
    list.ask(&GRANT_NAMED, "a grant_type", Vec::new(), || match named {
        Ok(Some(_)) => Finding::pass("one is named"),
        Ok(None) => Finding::fail("none", AdfsError::ParameterMissing { name: "grant_type".to_owned() }),
        Err(error) => Finding::fail("a form that cannot be read", error.clone()),
    });
}

/// Asks whether there is such a grant.
pub(crate) fn ask_known(list: &mut Checks<'_>, named: Option<&str>, grant: Option<&'static Grant>) {
    list.ask(
        &GRANT_TYPE,
        "client_credentials, password, refresh_token, authorization_code, jwt-bearer or device_code",
        Vec::new(),
        || match (named, grant) {
            (_, Some(grant)) => Finding::pass(grant.name),
            (None, None) => Finding::skip(GRANT_NAMED.name),
            (Some(other), None) => Finding::fail(excerpt(other), AdfsError::GrantUnsupported),
        },
    );
}

/// The grant of a name, where the service has it.
pub(crate) fn of(name: &str, profile: Profile) -> Option<&'static Grant> {
    GRANTS.iter().copied().find(|grant| grant.name == name && grant.since <= profile)
}
