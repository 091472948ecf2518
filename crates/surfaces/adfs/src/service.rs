//! Which federation service a request is for.
//!
//! Decides that a host name of the world names its service, and that on localhost it is the first one declared. Never decides
//! what the service answers.

use std::sync::Arc;

use http::StatusCode;
use mocktenant_lab::{Answer, Context, Exchange, Machine};
use mocktenant_world::{FederationService, World};

use crate::Adfs;
use crate::prepared::PreparedService;

/// The service of a host name; the first one for a local name.
pub(crate) fn of_host<'w>(world: &'w World, host: &str) -> Option<&'w Arc<FederationService>> {
    let named = world.federation_services().find(|service| service.host == host);
    named.or_else(|| world.federation_services().next())
}

/// The service that answers an exchange, with what was made ready for it.
pub(crate) fn of(exchange: &Exchange) -> Option<&Arc<PreparedService>> {
    of_context(&exchange.context)
}

/// The service that is the context's machine.
pub(crate) fn of_context(context: &Context) -> Option<&Arc<PreparedService>> {
    match context.machine() {
        Some(Machine::FederationService(id)) => context.prepared::<Adfs>().service(id),
        _ => None,
    }
}

/// Paths of the identity port that are a federation service's.
pub(crate) fn is_of_federation_service(folded_path: &str) -> bool {
    folded_path == "/adfs"
        || folded_path.starts_with("/adfs/")
        || folded_path.starts_with("/federationmetadata/")
        || folded_path == crate::path::WEBFINGER
}

/// What a world without a federation service answers at these paths: nothing is there.
pub(crate) fn none(exchange: &mut Exchange) -> Answer {
    exchange.trail.record_error("404");
    exchange.trail.refused("a federation service", "one that is declared under federation_services");
    Answer::empty(StatusCode::NOT_FOUND)
}
