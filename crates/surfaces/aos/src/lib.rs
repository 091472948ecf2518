//! The Application Object Server of Finance & Operations, with Dual Write outbound.
//!
//! Decides what an AOS answers: its 500 page until it has started, 401 until a bearer token convinces it, then OData below
//! `/data` and one custom service. It takes every input from where the real one takes it: the files as read at the last start
//! (web.config and wif.config of a one-box, the startup file of an installation on-premises), the metadata they name, the
//! machine's certificate stores, the environment's database. It is an active client: Dual Write gets its own token from Entra
//! and writes to Dataverse over HTTP before a record counts.
//!
//! On-premises everything stands below `/namespaces/AXSF`, and browsers sign in at AD FS ([`onprem`]); a one-box's interactive
//! sign-in is not part of this cut.

mod advice;
mod batch;
mod bearer;
mod caller;
mod configuration;
mod data;
mod dual_write;
mod entities;
mod errors;
mod events;
mod fetch;
mod gateway;
mod node;
mod onebox;
mod onprem;
mod query;
mod routes;
mod schema;
mod service_identity;
mod services;
mod side;
mod user_info;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use http::{Method, StatusCode};
use mocktenant_lab::journal::Record;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{
    Addresses, Answer, BoxFuture, CatalogueRow, Content, Context, DeclaredRow, Entrance, EventLog, EventRow,
    Exchange, Machine, Refusal, Route, Scope, SecretNames, SignInCall, Started, Step, Surface, Tables, Trail,
    Way,
};
use mocktenant_scenario::Cast;
use mocktenant_schema::Schema;
use mocktenant_tables::Limits;
use mocktenant_token::bearer::{Authorization, read_authorization};
use mocktenant_verdict::Question;
use mocktenant_world::{Environment, Errand, Node, Problem, World};
use time::OffsetDateTime;

use bearer::Caller;
use data::{Resource, refused};
use errors::{BearerError, ODataError, P3P, StartError};
use node::{NodeState, Nodes, Product};
use onprem::site::Place;
use side::{Side, environment_of};

/// Rows of an environment: as many as an organisation has, and shorter ones.
const LIMITS: Limits = Limits { max_rows: 2_000_000, max_row_bytes: 64 * 1024 };

/// The AOS of every environment of one lab.
#[derive(Default)]
pub struct Aos {
    nodes: Nodes,
    turns: gateway::Turns,
}

/// What is known of each environment, once per snapshot.
pub struct Prepared {
    environments: HashMap<String, Known>,
}

/// What is known of an environment.
struct Known {
    /// The lab's own addresses of it: as audiences they mean its URL.
    aliases: Vec<String>,
    schema: Arc<Schema>,
}

impl Prepared {
    fn aliases(&self, environment: &str) -> &[String] {
        self.environments.get(environment).map_or(&[], |known| &known.aliases)
    }

    fn schema(&self, environment: &str) -> Option<&Arc<Schema>> {
        self.environments.get(environment).map(|known| &known.schema)
    }
}

/// What kind of place below `/data` a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// `/data` itself.
    Document,
    /// `$metadata`.
    Metadata,
    /// `$batch`.
    Batch,
    /// Records of a set, or one.
    Records,
    /// What is below a set or a record.
    Below,
}

impl Part {
    /// What a request at such a place asks for.
    fn of(self, exchange: &Exchange) -> Resource {
        let raw = |name| exchange.raw_parameter(name).to_owned();
        match self {
            Self::Document => Resource::Document,
            Self::Metadata => Resource::Metadata,
            Self::Batch => Resource::Batch,
            Self::Records => Resource::Records(raw("entity")),
            Self::Below => Resource::of(&format!("{}/{}", raw("entity"), raw("below"))),
        }
    }
}

/// The environment that a scope is.
fn declared_as<'w>(world: &'w World, scope: &Scope) -> Option<&'w Arc<Environment>> {
    match scope {
        Scope::Environment(name) => world.environment(name),
        Scope::Tenant(_) | Scope::FederationService(_) | Scope::Organization(_) => None,
    }
}

impl Surface for Aos {
    const NAME: &'static str = "aos";
    const TITLE: &'static str = "AOS";
    const EVENT_LOGS: &'static [&'static EventLog] = events::LOGS;
    const STEPS: &'static [&'static str] = &onprem::STEPS;
    type Prepared = Prepared;

    fn routes() -> &'static [Route<Self>] {
        routes::ROUTES
    }

    fn secret_names() -> SecretNames {
        // Packages are fetched from storage, and the service stands behind gateways that have keys of their own.
        SecretNames {
            fields: &["sig", "SharedAccessSignature", "sas"],
            tokens: &["__RequestVerificationToken"],
            headers: &["ocp-apim-subscription-key", "x-functions-key"],
        }
    }

    fn questions() -> Vec<&'static Question> {
        let sign_in = node::questions().chain(onprem::sign_in::questions());
        let token = sign_in.chain(bearer::QUESTIONS.iter().copied());
        token.chain(dual_write::questions()).collect()
    }

    fn fork(&self) -> Self {
        Self { nodes: self.nodes.fork(), turns: gateway::Turns::default() }
    }

    fn hosts(&self, world: &World) -> Vec<(String, Entrance)> {
        let all = |environment: &Arc<Environment>| {
            let entrance = Entrance::Environment(Arc::clone(&environment.id));
            let nodes = environment.nodes.iter().filter_map(|node| node.host.clone());
            let hosts: Vec<String> = std::iter::once(environment.host.clone()).chain(nodes).collect();
            hosts.into_iter().map(move |host| (host, entrance.clone()))
        };
        world.environments().flat_map(all).collect()
    }

    fn at(&self, entrance: &Entrance, _folded_path: &str) -> bool {
        matches!(entrance, Entrance::Environment(_))
    }

    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine> {
        self.turns.choose(world, way)
    }

    fn prepare(&self, world: &World, addresses: &Addresses) -> Prepared {
        let known = |one: &Arc<Environment>| {
            let entrance = Entrance::environment(&one.id);
            let aliases = addresses.all(&entrance).map(str::to_owned).collect();
            (one.id.to_string(), Known { aliases, schema: schema::of(one) })
        };
        Prepared { environments: world.environments().map(known).collect() }
    }

    fn catalogue(&self) -> Vec<CatalogueRow> {
        errors::catalogue()
    }

    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        if why == Refusal::Panic {
            // Nothing more is asked: whatever broke may break again.
            return refused(exchange, &ODataError::Internal);
        }
        let reached = match elsewhere(exchange, side::of_path(exchange)) {
            Some(answer) => return answer,
            None => self.admit(exchange),
        };
        if let Err(answer) = reached {
            return *answer;
        }
        match why {
            Refusal::NotFound | Refusal::Panic => {
                let uri = called(exchange);
                refused(exchange, &ODataError::UnknownResource { uri })
            }
            Refusal::MethodNotAllowed { allow } => {
                refused(exchange, &ODataError::MethodNotAllowed).with_text("allow", &allow)
            }
            Refusal::Body(BodyError::TooLarge { .. }) => refused(exchange, &ODataError::TooLarge),
            Refusal::Body(BodyError::Timeout | BodyError::Incomplete) => {
                refused(exchange, &ODataError::BodyIncomplete)
            }
        }
    }

    /// The gateway, or IIS without its application.
    fn in_front(&self) -> Option<Answer> {
        Some(Answer::typed(StatusCode::SERVICE_UNAVAILABLE, Content::Page(errors::UNAVAILABLE.into())))
    }

    fn judge(&self, context: &Context, token: &str, trail: &mut Trail) {
        if let Err(Shut::Refused(error)) = self.let_in(context, trail, Authorization::Bearer(token)) {
            trail.record_error(error.row().id);
        }
    }

    fn tables(&self, world: &World, scope: &Scope) -> Option<Tables> {
        Some(Tables { schema: schema::of(declared_as(world, scope)?), limits: LIMITS })
    }

    fn findings(&self, world: &World, scope: &Scope) -> Vec<Problem> {
        declared_as(world, scope).map_or_else(Vec::new, |environment| entities::findings(environment))
    }

    fn declared_rows(&self, world: &World, scope: &Scope, _now: OffsetDateTime) -> Vec<DeclaredRow> {
        declared_as(world, scope).map_or_else(Vec::new, |environment| entities::declared_rows(environment))
    }

    fn starts(&self, world: &World) -> Vec<Machine> {
        let nodes = |environment: &Arc<Environment>| {
            let machine = |node: &Node| Machine::Node {
                environment: Arc::clone(&environment.id),
                node: Arc::clone(&node.name),
            };
            environment.nodes.iter().map(machine).collect::<Vec<_>>()
        };
        world.environments().flat_map(nodes).collect()
    }

    fn start<'a>(&'a self, context: &'a Context, trail: &'a mut Trail) -> BoxFuture<'a, ()> {
        Box::pin(self.nodes.start(context, trail))
    }

    fn started(&self, machine: &Machine) -> Option<Started> {
        let node = self.nodes.get(Some(machine))?;
        Some(Started {
            start: Arc::clone(&node.start),
            failure: node.failure.as_ref().map(|failure| failure.row().id),
            read: node.read(),
            file: node.on_premises().and_then(|state| state.file.clone()),
        })
    }

    fn reset(&self, scope: Option<&Scope>) {
        self.nodes.forget(scope);
        self.turns.forget(scope);
    }

    fn step(&self, world: &World, errand: Errand, number: u32) -> Option<Step> {
        caller::step(world, errand, number)
    }

    fn sign_in(&self, world: &World) -> Option<SignInCall> {
        caller::sign_in(world)
    }

    fn cast(&self, world: &World, cast: &mut Cast) {
        caller::cast(world, cast);
    }

    fn events(&self, world: &World, record: &Record) -> Vec<EventRow> {
        events::of(world, record)
    }
}

impl Aos {
    /// An AOS that has not started yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a call of data and services passes first, with its answer where it does not: a bearer token, or on-premises the
    /// cookie of somebody who signed in.
    fn admit(&self, exchange: &mut Exchange) -> Result<(Arc<NodeState>, Caller), Box<Answer>> {
        if exchange.request.headers.get(http::header::AUTHORIZATION).is_none()
            && let Some(node) = self.nodes.get(exchange.context.machine())
            && let Some(caller) = by_cookie(exchange, &node)
        {
            return caller.map(|caller| (node, caller));
        }
        let Exchange { request, context, trail, .. } = exchange;
        let values = request.headers.get_all(http::header::AUTHORIZATION);
        let authorization = read_authorization(values.iter().map(http::HeaderValue::as_bytes));
        self.let_in(context, trail, authorization).map_err(|shut| Box::new(shut.answer()))
    }

    /// A node that has started.
    fn started(&self, context: &Context, trail: &mut Trail) -> Result<Arc<NodeState>, Shut> {
        let Some(node) = self.nodes.get(context.machine()) else {
            return Err(not_started(trail, &StartError::ConfigurationIncomplete));
        };
        if let Some(failure) = &node.failure {
            trail.fact("start", &node.start);
            trail.share(&node.facts);
            if let Some(state) = node.one_box() {
                trail.share(&state.outbound);
            }
            return Err(not_started(trail, failure));
        }
        Ok(node)
    }

    /// A started node, then the bearer token.
    fn let_in(
        &self,
        context: &Context,
        trail: &mut Trail,
        authorization: Authorization<'_>,
    ) -> Result<(Arc<NodeState>, Caller), Shut> {
        let node = self.started(context, trail)?;
        let caller = bearer::authenticate(context, trail, &node, authorization).map_err(Shut::Refused)?;
        Ok((node, caller))
    }

    /// A page for a browser. A one-box's interactive sign-in is not part of this cut, so there is nothing to show.
    async fn page(&self, exchange: &mut Exchange, place: Place) -> Answer {
        let side = if place == Place::Root { side::of_environment(exchange) } else { Side::OnPremises };
        if let Some(answer) = elsewhere(exchange, side) {
            return answer;
        }
        self.nodes.refresh(&exchange.context, &mut exchange.trail).await;
        let environment = environment_of(&exchange.context).cloned();
        if let Some(environment) = environment.as_ref().filter(|found| found.is_on_premises()) {
            gateway::note(exchange, environment);
        }
        let node = match self.started(&exchange.context, &mut exchange.trail) {
            Ok(node) => node,
            Err(shut) => {
                if side == Side::OnPremises {
                    exchange.trail.steps(None, "1 2");
                }
                return shut.answer();
            }
        };
        match (&node.product, environment) {
            (Product::OnPremises(state), Some(environment)) => {
                exchange.trail.share(&node.facts);
                onprem::site::answer(exchange, &node, &environment, state, place).await
            }
            _ => match self.admit(exchange) {
                Ok(_) => {
                    let uri = called(exchange);
                    refused(exchange, &ODataError::UnknownResource { uri })
                }
                Err(answer) => *answer,
            },
        }
    }

    async fn service(&self, exchange: &mut Exchange, side: Side) -> Answer {
        if let Some(answer) = elsewhere(exchange, side) {
            return answer;
        }
        self.nodes.refresh(&exchange.context, &mut exchange.trail).await;
        match self.admit(exchange) {
            Ok((_, caller)) => {
                let environment = environment_of(&exchange.context).cloned();
                services::answer(exchange, environment.as_deref(), &caller)
            }
            Err(answer) => *answer,
        }
    }

    async fn odata(&self, exchange: &mut Exchange, side: Side, part: Part) -> Answer {
        if let Some(answer) = elsewhere(exchange, side) {
            return answer;
        }
        self.nodes.refresh(&exchange.context, &mut exchange.trail).await;
        let (node, caller) = match self.admit(exchange) {
            Ok(admitted) => admitted,
            Err(answer) => return *answer,
        };
        match part.of(exchange) {
            Resource::Batch => batch::answer(exchange, &node, &caller).await,
            resource => data::answer(exchange, &node, &caller, &resource).await,
        }
    }
}

fn unauthorized(error: &BearerError) -> Answer {
    let status = StatusCode::from_u16(error.row().status).unwrap_or(StatusCode::UNAUTHORIZED);
    let answer = match error.body() {
        Some(body) => Answer::typed(status, Content::Json(body.into(), "application/json; charset=utf-8")),
        None => Answer::empty(status),
    };
    answer.with("p3p", P3P)
}

/// What is asked for where the other kind of AOS has it: 404, without a word of who may ask.
fn elsewhere(exchange: &mut Exchange, side: Side) -> Option<Answer> {
    let own = side::of_environment(exchange);
    if own == side {
        return None;
    }
    let path = exchange.request.path().to_owned();
    let there = match own {
        Side::OnPremises => format!("{}{path}", onprem::BASE),
        Side::OneBox => path.get(onprem::BASE.len()..).unwrap_or("/").to_owned(),
    };
    exchange.trail.refused(path, there);
    let uri = called(exchange);
    exchange.trail.record_error(ODataError::UnknownResource { uri }.row().id);
    Some(Answer::empty(StatusCode::NOT_FOUND))
}

/// Who signed in, where a browser brings a cookie that says so; what changes something comes from this environment's own pages.
fn by_cookie(exchange: &mut Exchange, node: &NodeState) -> Option<Result<Caller, Box<Answer>>> {
    let state = node.on_premises().filter(|_| node.failure.is_none())?;
    let environment = environment_of(&exchange.context).cloned()?;
    let signed = onprem::sign_in::session(exchange, &environment, state)?;
    exchange.trail.share(&node.facts);
    Some(match signed {
        Ok((_, caller)) => {
            let reads = matches!(exchange.request.method, Method::GET | Method::HEAD);
            match mocktenant_idp::guard::from_own_page(exchange) {
                Err(why) if !reads => {
                    exchange.trail.record_error("403 origin");
                    exchange.trail.refused("the request's origin", why.to_string());
                    Err(Box::new(onprem::sign_in::forbidden()))
                }
                _ => Ok(caller),
            }
        }
        Err(error) => Err(Box::new(onprem::sign_in::refused(exchange, &error))),
    })
}

/// The whole address that was called.
fn called(exchange: &Exchange) -> String {
    let query = exchange.request.query();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{query}", exchange.own_base_url(), exchange.request.path())
}

/// Why a request gets no further.
enum Shut {
    /// The node has not started: its page.
    NotStarted(String),
    /// The token is not accepted.
    Refused(BearerError),
}

impl Shut {
    fn answer(self) -> Answer {
        match self {
            Self::NotStarted(page) => {
                Answer::typed(StatusCode::INTERNAL_SERVER_ERROR, Content::Page(page.into()))
            }
            Self::Refused(error) => unauthorized(&error),
        }
    }
}

fn not_started(trail: &mut Trail, failure: &StartError) -> Shut {
    trail.record_error(failure.row().id);
    Shut::NotStarted(failure.page())
}
