//! Managed identities: the endpoints that give a machine's identity its tokens.
//!
//! Decides what IMDS (169.254.169.254, plain http) and App Service answer a client that runs on a machine with identities:
//! a token of one of them, or a refusal in the service's own body. Who the client is nobody asks: that it is on the machine
//! is all it proves, and at App Service that it knows the app's header. Never decides what a token says or whether a
//! resource is there: it is Entra that issues, in the crate's own rooms. Mirrors version 2018-02-01 and later of IMDS and
//! version 2019-08-01 of App Service.

mod answer;
mod asking;
mod assigned;

use std::sync::{Arc, OnceLock};

use http::{Method, StatusCode};
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Context, Entrance, Exchange, Machine, Refusal, Route, SecretNames,
    Surface, Trail, Way,
};
use mocktenant_verdict::Question;
use mocktenant_world::World;

pub use self::assigned::tenant;

use self::answer::refused;
use self::asking::{OLD_APP_SERVICE_VERSION, Refused, Request};
use crate::asking::Sent;
use crate::authority::v2_issuer_base;
use crate::claims::{AppOnly, Times};
use crate::client_auth::{CERTIFICATE_CLASS, excerpt};
use crate::envelope::Envelope;
use crate::errors::ManagedIdentityError;
use crate::{Version, issue, unbuilt};
use mocktenant_idp::form::Form;

/// The address of IMDS, the same on every machine of Azure.
pub const HOST: &str = "169.254.169.254";
/// Where App Service answers on the identity port. The real path is the machine's own and known by the variable alone.
pub const APP_SERVICE: &str = "/msi/token";
/// Where IMDS does.
const IMDS: &str = "/metadata/identity/oauth2/token";
/// What stands in for everything else of it.
const BUILT: &str = "tokens of managed identities (/metadata/identity/oauth2/token)";

/// What else IMDS has, by the beginning of its folded path.
const UNBUILT: [(&str, &str); 7] = [
    ("/metadata/instance", "what IMDS knows of the machine"),
    ("/metadata/attested", "attested data"),
    ("/metadata/scheduledevents", "scheduled events"),
    ("/metadata/loadbalancer", "load balancer metadata"),
    ("/metadata/versions", "the list of IMDS versions"),
    ("/metadata/identity", "the rest of IMDS's identity documents"),
    ("/metadata", "the other documents of IMDS"),
];

/// Which of the two was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Imds,
    AppService,
}

/// The managed identity endpoints. Holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManagedIdentity;

/// What is made ready for a snapshot, at the first request for a token.
#[derive(Debug, Default)]
pub struct Prepared(OnceLock<Option<Arc<assigned::Machine>>>);

static ROUTES: [Route<ManagedIdentity>; 2] = [
    Route {
        methods: &[Method::GET],
        pattern: IMDS,
        endpoint: "imds-token",
        handler: |_, exchange| Box::pin(async move { token(exchange, Service::Imds) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: APP_SERVICE,
        endpoint: "app-service-token",
        handler: |_, exchange| Box::pin(async move { token(exchange, Service::AppService) }),
    },
];

/// Whether a local name's folded path is one of these endpoints' rather than a tenant's.
pub(crate) fn has(folded_path: &str) -> bool {
    folded_path == APP_SERVICE || folded_path == "/metadata" || folded_path.starts_with("/metadata/")
}

impl Surface for ManagedIdentity {
    const NAME: &'static str = "imds";
    const TITLE: &'static str = "Managed identity";
    const CALLS_OUT: bool = false;
    const CALLED: bool = false;
    const JUDGES: bool = false;

    type Prepared = Prepared;

    fn routes() -> &'static [Route<Self>] {
        &ROUTES
    }

    fn fork(&self) -> Self {
        *self
    }

    fn hosts(&self, _world: &World) -> Vec<(String, Entrance)> {
        vec![(HOST.to_owned(), Entrance::Identity)]
    }

    fn at(&self, entrance: &Entrance, folded_path: &str) -> bool {
        *entrance == Entrance::Identity && has(folded_path)
    }

    /// Azure's clock is Entra's.
    fn machine(&self, world: &World, _way: &Way<'_>) -> Option<Machine> {
        Some(Machine::Tenant(Arc::clone(&tenant(world)?.id)))
    }

    fn prepare(&self, _world: &World, _addresses: &Addresses) -> Self::Prepared {
        Prepared::default()
    }

    fn catalogue(&self) -> Vec<CatalogueRow> {
        answer::catalogue_rows()
    }

    fn secret_names() -> SecretNames {
        SecretNames { headers: &["X-IDENTITY-HEADER"], ..SecretNames::default() }
    }

    fn questions() -> Vec<&'static Question> {
        asking::questions()
    }

    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        match why {
            Refusal::NotFound => not_found(exchange),
            Refusal::MethodNotAllowed { allow } => {
                bare(exchange, StatusCode::METHOD_NOT_ALLOWED, "405").with_text("allow", &allow)
            }
            Refusal::Body(BodyError::Timeout) => bare(exchange, StatusCode::REQUEST_TIMEOUT, "408"),
            Refusal::Body(BodyError::TooLarge { .. }) => bare(exchange, StatusCode::PAYLOAD_TOO_LARGE, "413"),
            Refusal::Body(BodyError::Incomplete) => bare(exchange, StatusCode::BAD_REQUEST, "400"),
            Refusal::Panic => refused(exchange, &ManagedIdentityError::Unknown),
        }
    }

    /// Tokens are only given here.
    fn judge(&self, _context: &Context, _token: &str, _trail: &mut Trail) {}
}

/// A refusal nobody has shown a body of.
fn bare(exchange: &mut Exchange, status: StatusCode, id: &'static str) -> Answer {
    exchange.trail.record_error(id);
    Answer::empty(status)
}

/// Nothing here answers this path; what real machines have there is said beside it.
fn not_found(exchange: &mut Exchange) -> Answer {
    let folded = exchange.folded_path();
    let begins =
        |known: &str| folded.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if let Some((_, what)) = UNBUILT.iter().find(|(known, _)| begins(known)) {
        let what = format!("{what} ({})", excerpt(folded));
        exchange.trail.not_built(what, BUILT);
    }
    refused(exchange, &ManagedIdentityError::NotFound)
}

/// Answers a request for a token.
fn token(exchange: &mut Exchange, service: Service) -> Answer {
    // App Service has no name in the world: its address is what an app is told.
    if service == Service::AppService && exchange.by_world_name() {
        return not_found(exchange);
    }
    let world = Arc::clone(exchange.context.world());
    let prepared = &exchange.context.prepared::<ManagedIdentity>().0;
    let machine = prepared
        .get_or_init(|| assigned::Machine::of(&world, exchange.context.addresses()).map(Arc::new))
        .clone();
    let Some(machine) = machine else {
        let none = match service {
            Service::Imds => ManagedIdentityError::IdentityNotFound,
            Service::AppService => ManagedIdentityError::AppIdentityNotFound,
        };
        return refused(exchange, &none);
    };
    let query = exchange.request.query().to_owned();
    let form = Form::parse(query.as_bytes()).map_err(crate::errors::EntraError::from);
    let request = Request { service, exchange, form: &form, world: &world, machine: &machine };
    let asking::Decision { checks, identity, outcome } = request.decide();
    exchange.trail.fact("tenant", machine.tenant.tenant.id.to_string());
    exchange.trail.fact("credential", "managed identity");
    if let Some(identity) = identity {
        exchange.trail.fact_from("client-id", identity.client_id.clone(), identity.pointer.setting());
    }
    let parameter = |name| form.as_ref().ok().and_then(|form| form.get(name));
    if let Some(asked) = parameter("resource") {
        exchange.trail.fact("resource", excerpt(asked));
    }
    exchange.trail.record_checks(checks);
    match outcome {
        Ok(ticket) => issued(exchange, service, &machine, &ticket),
        Err(Refused::Service(error)) => {
            if error == ManagedIdentityError::AppApiVersion
                && parameter("api-version") == Some(OLD_APP_SERVICE_VERSION)
            {
                exchange.trail.not_built("App Service's version 2017-09-01", "its version 2019-08-01");
            }
            refused(exchange, &error)
        }
        Err(Refused::Entra(error)) => {
            let empty = Form::default();
            let sent = Sent { form: form.as_ref().unwrap_or(&empty), headers: &exchange.request.headers };
            if let Some(missing) = unbuilt::behind(&error, sent) {
                missing.record(&mut exchange.trail);
            }
            answer::refused_by_entra(exchange, service, &error)
        }
    }
}

/// Issues a token as Entra does for any client; what proved the identity was a certificate that Azure keeps.
fn issued(
    exchange: &mut Exchange,
    service: Service,
    machine: &assigned::Machine,
    ticket: &asking::Ticket<'_>,
) -> Answer {
    let envelope = Envelope::open(exchange, None);
    let resource = ticket.granted.resource;
    let version = issue::version_for(resource);
    let audience = issue::audience(version, resource, &ticket.granted.asked);
    exchange.trail.fact("token-version", if version == Version::V1 { "1.0" } else { "2.0" });
    exchange.trail.fact("audience", audience.to_owned());
    exchange.trail.fact("object-id", ticket.application.object_id.clone());
    let times = Times::of_a_day(exchange.context.now());
    let tenant = &machine.tenant.tenant;
    let statement = AppOnly {
        tenant: &tenant.id,
        region: &tenant.region,
        client_id: &ticket.application.client_id,
        object_id: &ticket.application.object_id,
        managed_identity: Some(&ticket.identity.resource_id),
        roles: issue::granted_roles(ticket.application, resource),
        resource_id: &resource.client_id,
        audience,
        context_class: CERTIFICATE_CLASS,
        times,
        id: &envelope.uti(),
        issuer_base: &v2_issuer_base(exchange),
    };
    match issue::token(&exchange.context, &machine.tenant, version, &statement) {
        Ok(token) => answer::success(service, ticket, &token, times),
        Err(error) => answer::refused_by_entra(exchange, service, &error),
    }
}
