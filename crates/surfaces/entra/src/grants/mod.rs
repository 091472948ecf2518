//! The grants of the token endpoint, one file each.
//!
//! Decides which `grant_type` is which. Never decides who the client is.

pub(crate) mod client_credentials;

use mocktenant_verdict::Finding;

use crate::client_auth::{Checks, excerpt};
use crate::errors::EntraError;
use crate::form::Form;

/// A grant this endpoint knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    /// RFC 6749 section 4.4.
    ClientCredentials,
}

/// Asks `grant-type`. A form that cannot be read fails here: nothing else can be asked of it.
pub(crate) fn ask(list: &mut Checks<'_>, form: &Result<Form<'_>, EntraError>) -> Option<GrantType> {
    let named = form.as_ref().map(|form| form.get("grant_type"));
    let (grant, finding) = match named {
        Err(error) => (None, Finding::fail("a form that cannot be read", error.clone())),
        Ok(None) => {
            let error = EntraError::ParameterMissing { name: "grant_type".to_owned() };
            (None, Finding::fail("none", error))
        }
        Ok(Some("client_credentials")) => {
            (Some(GrantType::ClientCredentials), Finding::pass("client_credentials"))
        }
        Ok(Some(other)) => {
            let error = EntraError::GrantUnsupported { grant: other.to_owned() };
            (None, Finding::fail(excerpt(other), error))
        }
    };
    list.ask_named("grant-type", "client_credentials", Vec::new(), finding);
    grant
}
