//! Dataverse: one organisation's Web API over its tables, behind real token checks.
//!
//! Decides what an organisation answers: the challenge to a stranger (`bearer`), whether an application user may do what
//! it asks (`principal`), and the rows themselves (`operations`). Takes issuer and signing keys from the world, never
//! from a token. Mirrors the Dataverse Web API 9.0 to 9.2 for application users. Never builds SOAP, impersonation,
//! `$batch`, `$expand` or metadata: what is not built is refused.

mod bearer;
mod errors;
mod headers;
mod operations;
mod payload;
mod principal;
mod representation;
mod schema;
mod store;

use std::collections::HashMap;

use http::Method;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{Activity, Addresses, Answer, CatalogueRow, Exchange, Refusal, Route, Site, Surface};
use mocktenant_verdict::{Check, Checklist};
use mocktenant_world::World;
use time::OffsetDateTime;

pub use bearer::CHECKS;
pub use errors::{DataverseError, PayloadDefect};

use bearer::Trust;
use store::Store;

/// The surface. Holds the rows of every organisation; nothing else survives an answer.
#[derive(Default)]
pub struct Dataverse {
    store: Store,
}

impl Dataverse {
    /// A surface without rows: each organisation gets those of its declaration with the first request.
    pub fn new() -> Self {
        Self::default()
    }
}

/// What each organisation trusts, once per snapshot.
pub struct Prepared {
    organizations: HashMap<String, Trust>,
}

const READ: &[Method] = &[Method::GET];
const TABLE: &[Method] = &[Method::GET, Method::POST, Method::PATCH, Method::DELETE];

static ROUTES: &[Route<Dataverse>] = &[
    Route {
        methods: READ,
        pattern: "/api/data/{version}/whoami",
        endpoint: "who-am-i",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: READ,
        pattern: "/api/data/{version}/whoami()",
        endpoint: "who-am-i",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: READ,
        pattern: "/api/data/{version}/retrieveversion",
        endpoint: "retrieve-version",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: READ,
        pattern: "/api/data/{version}/retrieveversion()",
        endpoint: "retrieve-version",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: TABLE,
        pattern: "/api/data/{version}/{resource}",
        endpoint: "table",
        handler: |surface, exchange| Box::pin(async move { operations::resource(surface, exchange) }),
    },
    Route {
        methods: READ,
        pattern: "/xrmservices/2011/organization.svc",
        endpoint: "organization-service",
        handler: |_, exchange| Box::pin(async move { operations::organization_service(exchange) }),
    },
    Route {
        methods: READ,
        pattern: "/xrmservices/2011/organization.svc/web",
        endpoint: "organization-service",
        handler: |_, exchange| Box::pin(async move { operations::organization_service(exchange) }),
    },
];

impl Surface for Dataverse {
    const NAME: &'static str = "dataverse";

    type Prepared = Prepared;

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }

    fn hosts(&self, world: &World) -> Vec<(String, Site)> {
        let both = |organization: &mocktenant_world::Organization| {
            let site = Site::organization(&organization.key);
            [(organization.host.clone(), site.clone()), (organization.api_host.clone(), site)]
        };
        world.organizations().flat_map(|organization| both(organization)).collect()
    }

    fn at(&self, entrance: &Site, _folded_path: &str) -> bool {
        matches!(entrance, Site::Organization(_))
    }

    fn prepare(&self, world: &World, addresses: &Addresses) -> Prepared {
        let organizations = world
            .organizations()
            .map(|organization| (organization.key.to_string(), Trust::of(organization, world, addresses)))
            .collect();
        Prepared { organizations }
    }

    fn catalogue(&self) -> Vec<CatalogueRow> {
        errors::rows()
    }

    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        // what is there and what is not, a stranger learns neither
        let asks_for_something = matches!(why, Refusal::NotFound | Refusal::MethodNotAllowed { .. });
        if asks_for_something && let Some(error) = operations::stranger(exchange) {
            return operations::finish(exchange, Err(error));
        }
        let (error, allow) = match why {
            Refusal::NotFound => (DataverseError::NotFound, None),
            Refusal::MethodNotAllowed { allow } => (DataverseError::MethodNotAllowed, Some(allow)),
            Refusal::Body(BodyError::TooLarge { .. }) => (DataverseError::RequestLengthTooLarge, None),
            Refusal::Body(BodyError::Timeout) => (DataverseError::RequestTimeout, None),
            Refusal::Body(BodyError::Incomplete) => (DataverseError::IncompleteBody, None),
            Refusal::Panic => (DataverseError::Unexpected, None),
        };
        let answer = representation::refusal(exchange, &error);
        let answer = match allow {
            Some(allow) => answer.with_text("allow", &allow),
            None => answer,
        };
        headers::dress(exchange, answer)
    }

    fn judge(&self, activity: &Activity, token: &str, now: OffsetDateTime) -> Vec<Check> {
        let world = activity.world();
        let prepared: &Prepared = activity.prepared();
        let key = activity.site().name();
        let (Some(organization), Some(trust)) = (world.organization(key), prepared.organizations.get(key))
        else {
            return Vec::new();
        };
        let mut list = Checklist::new(activity.switches(), errors::describe);
        let header = format!("Bearer {token}");
        let authorization = mocktenant_token::bearer::read_authorization([header.as_bytes()]);
        let client_id = bearer::ask(&mut list, organization, trust, &authorization, now);
        principal::ask(&mut list, organization, client_id.as_deref());
        list.finish().0
    }

    fn reset(&self) {
        self.store.forget();
    }
}
