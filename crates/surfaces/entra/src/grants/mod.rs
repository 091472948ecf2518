//! The grants of the token endpoint, one file each, and the table they stand in.
//!
//! Decides which `grant_type` is which. Never decides who the client is.

mod client_credentials;

use std::sync::Arc;

use mocktenant_verdict::{Finding, Question, Role};
use mocktenant_world::Application;

use crate::Version;
use crate::asking::Asking;
use crate::client_auth::{Checks, excerpt};
use crate::errors::EntraError;
use crate::tables::Tables;
use mocktenant_idp::form::Form;

/// The grants Entra has here.
pub static GRANTS: &[&Grant] = &[&client_credentials::GRANT];

/// Whether the request names a grant there is.
pub static GRANT_TYPE: Question = Question::new("grant-type", Role::Request);

/// One grant.
#[derive(Debug)]
pub struct Grant {
    /// `grant_type`.
    pub name: &'static str,
    /// The parameter that names what is asked for, at either generation of the endpoint.
    pub asks_by: fn(Version) -> &'static str,
    /// Its questions, in the order asked.
    pub questions: &'static [&'static Question],
    /// Whether a public client may use it without a credential.
    pub public_clients: bool,
    /// What any other client without a credential is told.
    pub without_credential: fn() -> EntraError,
    /// The documents that list it as `grant_types_supported`. Entra's list no grants at all.
    pub listed_in: &'static [Version],
    /// Asks its questions.
    pub ask: for<'p> fn(&Asking<'_, 'p>, &mut Checks<'_>) -> Option<Granted<'p>>,
}

/// What is granted.
#[derive(Debug)]
pub struct Granted<'p> {
    /// The resource as it was asked for: the audience of a v1 token.
    pub(crate) asked: String,
    /// The resource's application.
    pub(crate) resource: &'p Arc<Application>,
}

/// Asks `grant-type`. A form that cannot be read fails here: nothing else can be asked of it.
pub(crate) fn ask(
    list: &mut Checks<'_>,
    tables: &Tables,
    form: &Result<Form<'_>, EntraError>,
) -> Option<&'static Grant> {
    let named = form.as_ref().map(|form| form.get("grant_type"));
    let known = |name: &str| tables.grants().iter().copied().find(|grant| grant.name == name);
    let grant = named.as_ref().ok().copied().flatten().and_then(known);
    list.ask(&GRANT_TYPE, &tables.grant_names, Vec::new(), || match (named, grant) {
        (_, Some(grant)) => Finding::pass(grant.name),
        (Err(error), _) => Finding::fail("a form that cannot be read", error.clone()),
        (Ok(None), _) => {
            Finding::fail("none", EntraError::ParameterMissing { name: "grant_type".to_owned() })
        }
        (Ok(Some(other)), _) => {
            Finding::fail(excerpt(other), EntraError::GrantUnsupported { grant: other.to_owned() })
        }
    });
    grant
}
