//! Dataverse: one organisation's Web API over its tables, behind real token checks.
//!
//! Decides what an organisation answers: the challenge to a stranger (`bearer`), whether an application user may do what
//! it asks (`principal`), and the rows themselves (`operations`). Takes issuer and signing keys from the world, never
//! from a token. Mirrors the Dataverse Web API 9.0 to 9.2 for application users. Never builds SOAP or the
//! writing of definitions: what is not built is refused, and the exchange says so (`not_built`).

mod bearer;
mod caller;
mod cors;
mod csdl;
mod errors;
mod expanded;
mod formatted;
mod headers;
mod ids;
mod impersonation;
mod metadata;
mod not_built;
mod operations;
mod payload;
mod principal;
mod queries;
mod representation;
mod roles;
mod store;
mod tables;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Context, DeclaredRow, Entrance, Exchange, Machine, Refusal, Route,
    Scope, SecretNames, Step, Surface, Tables, Trail, Way,
};
use mocktenant_schema::Schema;
use mocktenant_tables::Limits;
use mocktenant_token::bearer::Authorization;
use mocktenant_verdict::{Checklist, Question};
use mocktenant_world::{Errand, Organization, Problem, World};
use time::OffsetDateTime;

pub use errors::{BatchDefect, DataverseError, FetchDefect, PayloadDefect};

use bearer::Trust;
use ids::Ids;

/// The surface. The rows are the lab's; nothing else survives an answer.
#[derive(Default)]
pub struct Dataverse {
    /// Held while a request reads what it is about to change: of two writes to one row, one waits.
    writing: Mutex<()>,
    ids: Ids,
}

impl Dataverse {
    /// The surface.
    pub fn new() -> Self {
        Self::default()
    }

    fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Waits until no other request writes. Never to be held across an await.
    fn begin_write(&self, context: &Context) -> MutexGuard<'_, ()> {
        match self.writing.try_lock() {
            Ok(guard) => guard,
            // the end of a row may take many others with it
            Err(_) => context.aside(|| self.writing.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// What each organisation trusts and which tables it has, once per snapshot.
pub struct Prepared {
    organizations: HashMap<String, Known>,
}

/// What is known of an organisation.
struct Known {
    trust: Trust,
    schema: Arc<Schema>,
}

const READ: &[Method] = &[Method::GET];
const TABLE: &[Method] = &[Method::GET, Method::POST, Method::PATCH, Method::DELETE];

const BELOW: &[Method] = &[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

static ROUTES: &[Route<Dataverse>] = &[
    Route {
        methods: READ,
        pattern: "/api/data/{version}",
        endpoint: "service-document",
        handler: |surface, exchange| {
            Box::pin(async move { operations::service_document::answer(surface, exchange) })
        },
    },
    Route {
        methods: READ,
        pattern: "/api/data/{version}/$metadata",
        endpoint: "metadata-document",
        handler: |surface, exchange| Box::pin(async move { operations::csdl::answer(surface, exchange) }),
    },
    Route {
        methods: TABLE,
        pattern: "/api/data/{version}/whoami",
        endpoint: "who-am-i",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: TABLE,
        pattern: "/api/data/{version}/whoami()",
        endpoint: "who-am-i",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: TABLE,
        pattern: "/api/data/{version}/retrieveversion",
        endpoint: "retrieve-version",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: TABLE,
        pattern: "/api/data/{version}/retrieveversion()",
        endpoint: "retrieve-version",
        handler: |surface, exchange| Box::pin(async move { operations::function(surface, exchange) }),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/api/data/{version}/$batch",
        endpoint: "batch",
        handler: |surface, exchange| Box::pin(operations::batch::answer(surface, exchange)),
    },
    Route {
        methods: TABLE,
        pattern: "/api/data/{version}/{resource}",
        endpoint: "table",
        handler: |surface, exchange| Box::pin(operations::resource(surface, exchange)),
    },
    Route {
        methods: BELOW,
        pattern: "/api/data/{version}/{resource}/{*below}",
        endpoint: "below-a-table",
        handler: |surface, exchange| Box::pin(operations::resource(surface, exchange)),
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

/// The organisation that a scope is.
fn organization_of<'w>(world: &'w World, scope: &Scope) -> Option<&'w Arc<Organization>> {
    match scope {
        Scope::Organization(name) => world.organization(name),
        Scope::Tenant(_) | Scope::FederationService(_) | Scope::Environment(_) => None,
    }
}

impl Surface for Dataverse {
    const NAME: &'static str = "dataverse";
    const TITLE: &'static str = "Dataverse";
    const CALLS_OUT: bool = false;

    type Prepared = Prepared;

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }

    fn fork(&self) -> Self {
        Self { ids: self.ids.clone(), ..Self::default() }
    }

    fn hosts(&self, world: &World) -> Vec<(String, Entrance)> {
        let both = |organization: &Organization| {
            let entrance = Entrance::organization(&organization.key);
            [(organization.host.clone(), entrance.clone()), (organization.api_host.clone(), entrance)]
        };
        world.organizations().flat_map(|organization| both(organization)).collect()
    }

    fn at(&self, entrance: &Entrance, _folded_path: &str) -> bool {
        matches!(entrance, Entrance::Organization(_))
    }

    fn machine(&self, _world: &World, way: &Way<'_>) -> Option<Machine> {
        match way.entrance {
            Entrance::Organization(name) => Some(Machine::Organization(Arc::clone(name))),
            Entrance::Identity | Entrance::Environment(_) => None,
        }
    }

    fn prepare(&self, world: &World, addresses: &Addresses) -> Prepared {
        let known = |organization: &Arc<Organization>| {
            let schema = tables::of(organization);
            let known = Known { trust: Trust::of(organization, world, addresses), schema };
            (organization.key.to_string(), known)
        };
        Prepared { organizations: world.organizations().map(known).collect() }
    }

    fn catalogue(&self) -> Vec<CatalogueRow> {
        errors::rows()
    }

    fn secret_names() -> SecretNames {
        SecretNames {
            fields: &["sig", "SharedAccessSignature", "sasToken"],
            tokens: &["CrmOwinAuth"],
            headers: &["x-functions-key", "x-zumo-auth", "aeg-sas-key", "aeg-sas-token"],
        }
    }

    fn questions() -> Vec<&'static Question> {
        [bearer::QUESTIONS, principal::QUESTIONS, impersonation::QUESTIONS].concat()
    }

    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        if let Some(answer) = cors::preflight(exchange) {
            return headers::dress(exchange, answer);
        }
        // what is there and what is not, a stranger learns neither
        let asks_for_something = matches!(why, Refusal::NotFound | Refusal::MethodNotAllowed { .. });
        if asks_for_something && let Some(error) = operations::stranger(exchange) {
            return operations::finish(exchange, Err(error));
        }
        let wrong_verb = matches!(why, Refusal::MethodNotAllowed { .. });
        if asks_for_something && let Some(error) = operations::astray(exchange, wrong_verb) {
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
            Some(routed) => answer.with_text("allow", operations::allowed(exchange).unwrap_or(&routed)),
            None => answer,
        };
        headers::dress(exchange, answer)
    }

    fn judge(&self, context: &Context, token: &str, trail: &mut Trail) {
        let key = context.organization().unwrap_or_default();
        let Some(organization) = context.world().organization(key) else { return };
        let authorization = Authorization::Bearer(token);
        let asked = |list: &mut Checklist<'_, _>, client_id: Option<&str>| {
            let user = principal::ask(list, organization, client_id);
            principal::ask_no_role(list);
            user
        };
        if let Err(error) = bearer::identify(context, trail, organization, &authorization, asked) {
            trail.record_error(error.row().id);
        }
    }

    fn tables(&self, world: &World, scope: &Scope) -> Option<Tables> {
        let schema = tables::of(organization_of(world, scope)?);
        Some(Tables { schema, limits: Limits::default() })
    }

    fn findings(&self, world: &World, scope: &Scope) -> Vec<Problem> {
        organization_of(world, scope).map_or_else(Vec::new, |organization| store::findings(organization))
    }

    fn declared_rows(&self, world: &World, scope: &Scope, now: OffsetDateTime) -> Vec<DeclaredRow> {
        let organization = organization_of(world, scope);
        organization.map(|one| store::declared(one, world, now.unix_timestamp())).unwrap_or_default()
    }

    fn step(&self, world: &World, errand: Errand, _number: u32) -> Option<Step> {
        caller::step(world, errand)
    }
}
