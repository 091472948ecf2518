//! What one token request is judged from.
//!
//! Decides nothing: the request as it was read, the tenant and the application it names, the clock. A question that a
//! grant or a way to authenticate asks is answered from this and from nothing else, so that asking has no effects.

use std::sync::Arc;

use http::HeaderMap;
use mocktenant_world::{Application, World};
use time::OffsetDateTime;

use crate::client_auth::Checks;
use crate::errors::EntraError;
use crate::grants::Granted;
use crate::prepared::{Prepared, PreparedTenant};
use crate::{Version, resource};
use mocktenant_idp::form::Form;

/// What one token request is judged from: `'r` is the request, `'p` the world.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'r, 'p> {
    pub(crate) world: &'p World,
    pub(crate) prepared: &'p Prepared,
    pub(crate) tenant: Option<&'p PreparedTenant>,
    pub(crate) application: Option<&'p Arc<Application>>,
    pub(crate) client_id: Option<&'r str>,
    pub(crate) sent: Sent<'r>,
    pub(crate) version: Version,
    pub(crate) now: OffsetDateTime,
    /// Host and port that were called, lower-case; none outside a request.
    pub(crate) called: Option<&'r str>,
}

/// What a token request holds.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'r> {
    pub(crate) form: &'r Form<'r>,
    pub(crate) headers: &'r HeaderMap,
}

impl<'r> Sent<'r> {
    /// A parameter of the form that is there and not empty.
    pub fn parameter(&self, name: &str) -> Option<&'r str> {
        self.form.get(name)
    }

    /// A header field that is a text.
    pub fn header(&self, name: &str) -> Option<&'r str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl<'r, 'p> Asking<'r, 'p> {
    /// What was sent.
    pub fn sent(&self) -> Sent<'r> {
        self.sent
    }

    /// The client id as sent, whether or not anybody has it.
    pub fn client_id(&self) -> Option<&'r str> {
        self.client_id
    }

    /// The client's application, if the tenant has it.
    pub fn application(&self) -> Option<&'p Arc<Application>> {
        self.application
    }

    /// Which generation of the endpoint was called.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The tenant's clock.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Asks `resource`: whether the tenant has what is asked for. Every grant that ends in a token asks it.
    pub fn ask_resource(
        &self,
        list: &mut Checks<'_>,
        asked: Result<&str, EntraError>,
    ) -> Option<Granted<'p>> {
        resource::ask(self, list, asked)
    }
}
