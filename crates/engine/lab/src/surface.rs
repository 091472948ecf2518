//! What a product has to offer to take part in a lab.
//!
//! Decides the contract between the engine and the four products: hosts, the machine behind an entrance, one static route
//! table, the rows of a scope, a catalogue, a refusal in the product's own envelope, and a judgement of any token. Deciding
//! is pure; a handler may await only outbound calls and many rows. Surfaces never know each other.

use std::any::Any;
use std::sync::Arc;

use http::{HeaderMap, Method};
use mocktenant_scenario::Cast;
use mocktenant_verdict::{Fidelity, Question};
use mocktenant_world::{Artefact, Errand, Problem, World};
use serde::Serialize;
use time::OffsetDateTime;

use crate::event::{EventLog, EventRow};
use crate::forge::{ForgeError, Made, Order};
use crate::journal::Record;
use crate::masking::SecretNames;
use crate::request::BodyError;
use crate::rows::{DeclaredRow, Tables};
use crate::{
    Addresses, Answer, BoxFuture, Context, Entrance, Exchange, Machine, Scope, SharedFacts, SignInCall, Step,
    TokenCall, Trail,
};

/// One line of a route table.
pub struct Route<S: 'static> {
    /// Methods the endpoint takes. `GET` includes `HEAD`.
    pub methods: &'static [Method],
    /// `matchit` pattern over the folded path: literals in lower case, `{name}` a whole segment, `{*name}` the rest.
    pub pattern: &'static str,
    /// Stable endpoint name, kebab-case.
    pub endpoint: &'static str,
    /// The handler.
    pub handler: Handler<S>,
}

/// A route's handler.
pub type Handler<S> = for<'a> fn(&'a S, &'a mut Exchange) -> BoxFuture<'a, Answer>;

/// Why a request is refused before or instead of its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No route.
    NotFound,
    /// A route, but not for this method.
    MethodNotAllowed {
        /// `Allow`: the methods there are, comma-separated.
        allow: String,
    },
    /// The body could not be had.
    Body(BodyError),
    /// The handler panicked: our own defect, in the product's envelope for an internal error.
    Panic,
}

/// What is known of a request when its machine is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Way<'r> {
    /// The port it came to, or that of the world name it was sent to.
    pub entrance: &'r Entrance,
    /// The host name in lower case, without port; empty if there was none.
    pub host: &'r str,
    /// The folded path.
    pub path: &'r str,
    /// Who asks; `None` where nobody does, and only the one who would be asked first is meant.
    pub asker: Option<Asker<'r>>,
}

/// What a gateway is told of a request when it chooses a machine.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'r> {
    /// Its header fields.
    pub headers: &'r HeaderMap,
    /// The port that stands in the names of its cookies: that of a local name, since ports of one host share a jar.
    pub jar: Option<u16>,
    /// The machine that its turn is, whosever it would be: a rehearsal stays where it began.
    pub prefers: Option<&'r Machine>,
}

/// What became of a machine's last start.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its exchange.
    pub start: Arc<str>,
    /// The product's identifier of what kept it from starting.
    pub failure: Option<&'static str>,
    /// What it has read of its settings, each with its value then.
    pub read: SharedFacts,
    /// The startup file as it was read, where it has one of its own.
    pub file: Option<Arc<Artefact>>,
}

/// A row of a surface's catalogue for documents and the control API.
#[derive(Clone, Debug, Serialize)]
pub struct CatalogueRow {
    /// The product's identifier.
    pub id: &'static str,
    /// Status.
    pub status: u16,
    /// Class in the product's words.
    pub class: String,
    /// Text with placeholders.
    pub template: &'static str,
    /// How sure we are.
    pub fidelity: Fidelity,
    /// Where from.
    pub source: &'static str,
    /// Our cause.
    pub cause: &'static str,
    /// Our change.
    pub change: &'static str,
}

/// A product in a lab.
pub trait Surface: Sized + Send + Sync + 'static {
    /// Short name: `entra`, `aos`, `dataverse`.
    const NAME: &'static str;

    /// Its name as people say it.
    const TITLE: &'static str = Self::NAME;

    /// Whether answering a request may call outside. Such an answer is brought to its end even if nobody waits for it any
    /// more, which costs a box; a surface that only answers says `false`.
    const CALLS_OUT: bool = true;

    /// Whether other products of a lab call it; one that only clients call says `false`, and nobody looks for it in a chain.
    const CALLED: bool = true;

    /// Whether it takes tokens, so that one can be judged as it would.
    const JUDGES: bool = true;

    /// Whether it makes tokens to order ([`Surface::forge`]).
    const FORGES: bool = false;

    /// The event logs it writes to, for people who look there.
    const EVENT_LOGS: &'static [&'static EventLog] = &[];

    /// What the steps of a sign-in to it are called, in order: those that its exchanges are marked with, and others' between them.
    const STEPS: &'static [&'static str] = &[];

    /// What is computed once per world snapshot (parsed headers, host tables, documents).
    type Prepared: Any + Send + Sync;

    /// The route table.
    fn routes() -> &'static [Route<Self>];

    /// A surface of its own in the same state, for a lab that nobody else sees: what one of them comes to hold later the
    /// other does not.
    #[must_use]
    fn fork(&self) -> Self;

    /// World names this surface answers, with the entrance each of them leads to.
    fn hosts(&self, world: &World) -> Vec<(String, Entrance)>;

    /// Where a lower-case host leads that no list names: one of a family of names that has no end, such as those of its
    /// regions. Asked only of hosts that are neither listed nor local; nobody is shown them, and no certificate is for them.
    fn plays(&self, _host: &str) -> Option<Entrance> {
        None
    }

    /// Whether this surface answers a local name at this entrance, for this folded path.
    fn at(&self, entrance: &Entrance, folded_path: &str) -> bool;

    /// The machine that answers a request: whose clock it sees and whose start it depends on. A gateway chooses a node
    /// here, once for each request that somebody makes. `None` where the request names none.
    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine>;

    /// Computes what lives as long as a snapshot.
    fn prepare(&self, world: &World, addresses: &Addresses) -> Self::Prepared;

    /// The error catalogue.
    fn catalogue(&self) -> Vec<CatalogueRow>;

    /// What this product calls its secrets, beyond what open standards do: they are shown nowhere.
    fn secret_names() -> SecretNames {
        SecretNames::default()
    }

    /// Every question this surface asks, in the order of its lists.
    fn questions() -> Vec<&'static Question> {
        Vec::new()
    }

    /// A refusal in the product's own envelope.
    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer;

    /// What answers in the place of a machine that is stopped, where the product has something before its machines; nobody does
    /// elsewhere.
    fn in_front(&self) -> Option<Answer> {
        None
    }

    /// Judges a token as the resource on the context's machine would, without a request: checks and facts go on the trail,
    /// and nothing else happens.
    fn judge(&self, context: &Context, token: &str, trail: &mut Trail);

    /// The tables this surface keeps for a scope in this world; `None` where it keeps none.
    fn tables(&self, _world: &World, _scope: &Scope) -> Option<Tables> {
        None
    }

    /// What is wrong with the tables and rows that a world declares for a scope; such a world is not taken.
    fn findings(&self, _world: &World, _scope: &Scope) -> Vec<Problem> {
        Vec::new()
    }

    /// The rows a scope begins with, as this world declares them. Referred rows stand before those that refer to them.
    fn declared_rows(&self, _world: &World, _scope: &Scope, _now: OffsetDateTime) -> Vec<DeclaredRow> {
        Vec::new()
    }

    /// Machines of this surface that read their configuration at a start.
    fn starts(&self, _world: &World) -> Vec<Machine> {
        Vec::new()
    }

    /// Starts the context's machine: reads configuration, may call out.
    fn start<'a>(&'a self, _context: &'a Context, _trail: &'a mut Trail) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// How a machine is since its last start; `None` before that, and where machines read nothing.
    fn started(&self, _machine: &Machine) -> Option<Started> {
        None
    }

    /// Forgets what machines of a scope, or all of them, hold besides rows.
    fn reset(&self, _scope: Option<&Scope>) {}

    /// How this product is asked for what the caller of the world does; `None` where that is another's. `number` tells
    /// the requests of one errand from each other, and from those of any errand before.
    fn step(&self, _world: &World, _errand: Errand, _number: u32) -> Option<Step> {
        None
    }

    /// How the caller of the world asks this provider for a token; `None` where it would not ask here.
    fn token_call(&self, _world: &World, _resource: &str) -> Option<TokenCall> {
        None
    }

    /// How the caller of the world signs a user in at this provider; `None` where it would not do it here.
    fn sign_in(&self, _world: &World) -> Option<SignInCall> {
        None
    }

    /// Makes a token that a test orders, as this provider issues tokens to the caller of the world, with what the order
    /// says changed; `None` where it issues none in this world. The order names its resource as a client would.
    fn forge(
        &self,
        _context: &Context,
        _order: &Order,
        _trail: &mut Trail,
    ) -> Option<Result<Made, ForgeError>> {
        None
    }

    /// Who plays which role of a scenario, as far as this product knows: what is set already stands.
    fn cast(&self, _world: &World, _cast: &mut Cast) {}

    /// What it writes into its event logs about an exchange it answered, in that order; asked whenever somebody looks there.
    fn events(&self, _world: &World, _record: &Record) -> Vec<EventRow> {
        Vec::new()
    }
}

/// [`Surface`], object-safe.
pub(crate) trait Mount: Send + Sync {
    fn name(&self) -> &'static str;
    fn title(&self) -> &'static str;
    fn calls_out(&self) -> bool;
    fn called(&self) -> bool;
    fn steps(&self) -> &'static [&'static str];
    fn table(&self) -> Vec<TableRow>;
    fn fork(&self) -> Box<dyn Mount>;
    fn hosts(&self, world: &World) -> Vec<(String, Entrance)>;
    fn plays(&self, host: &str) -> Option<Entrance>;
    fn at(&self, entrance: &Entrance, folded_path: &str) -> bool;
    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine>;
    fn prepare(&self, world: &World, addresses: &Addresses) -> Box<dyn Any + Send + Sync>;
    fn catalogue(&self) -> Vec<CatalogueRow>;
    fn secret_names(&self) -> SecretNames;
    fn questions(&self) -> Vec<&'static Question>;
    fn handle<'a>(&'a self, route: usize, exchange: &'a mut Exchange) -> BoxFuture<'a, Answer>;
    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer;
    fn in_front(&self) -> Option<Answer>;
    fn judges(&self) -> bool;
    fn forges(&self) -> bool;
    fn judge(&self, context: &Context, token: &str, trail: &mut Trail);
    fn tables(&self, world: &World, scope: &Scope) -> Option<Tables>;
    fn findings(&self, world: &World, scope: &Scope) -> Vec<Problem>;
    fn declared_rows(&self, world: &World, scope: &Scope, now: OffsetDateTime) -> Vec<DeclaredRow>;
    fn starts(&self, world: &World) -> Vec<Machine>;
    fn start<'a>(&'a self, context: &'a Context, trail: &'a mut Trail) -> BoxFuture<'a, ()>;
    fn started(&self, machine: &Machine) -> Option<Started>;
    fn reset(&self, scope: Option<&Scope>);
    fn step(&self, world: &World, errand: Errand, number: u32) -> Option<Step>;
    fn token_call(&self, world: &World, resource: &str) -> Option<TokenCall>;
    fn sign_in(&self, world: &World) -> Option<SignInCall>;
    fn forge(&self, context: &Context, order: &Order, trail: &mut Trail) -> Option<Result<Made, ForgeError>>;
    fn cast(&self, world: &World, cast: &mut Cast);
    fn event_logs(&self) -> &'static [&'static EventLog];
    fn events(&self, world: &World, record: &Record) -> Vec<EventRow>;
}

pub(crate) struct TableRow {
    pub(crate) methods: &'static [Method],
    pub(crate) pattern: &'static str,
    pub(crate) endpoint: &'static str,
}

impl<S: Surface> Mount for S {
    fn name(&self) -> &'static str {
        S::NAME
    }
    fn title(&self) -> &'static str {
        S::TITLE
    }
    fn called(&self) -> bool {
        S::CALLED
    }

    fn steps(&self) -> &'static [&'static str] {
        S::STEPS
    }

    fn calls_out(&self) -> bool {
        S::CALLS_OUT
    }
    fn table(&self) -> Vec<TableRow> {
        S::routes()
            .iter()
            .map(|route| TableRow {
                methods: route.methods,
                pattern: route.pattern,
                endpoint: route.endpoint,
            })
            .collect()
    }
    fn fork(&self) -> Box<dyn Mount> {
        Box::new(Surface::fork(self))
    }
    fn hosts(&self, world: &World) -> Vec<(String, Entrance)> {
        Surface::hosts(self, world)
    }
    fn plays(&self, host: &str) -> Option<Entrance> {
        Surface::plays(self, host)
    }
    fn at(&self, entrance: &Entrance, folded_path: &str) -> bool {
        Surface::at(self, entrance, folded_path)
    }
    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine> {
        Surface::machine(self, world, way)
    }
    fn prepare(&self, world: &World, addresses: &Addresses) -> Box<dyn Any + Send + Sync> {
        Box::new(Surface::prepare(self, world, addresses))
    }
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Surface::catalogue(self)
    }
    fn secret_names(&self) -> SecretNames {
        S::secret_names()
    }
    fn questions(&self) -> Vec<&'static Question> {
        S::questions()
    }
    fn handle<'a>(&'a self, route: usize, exchange: &'a mut Exchange) -> BoxFuture<'a, Answer> {
        (S::routes()[route].handler)(self, exchange)
    }
    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        Surface::refuse(self, exchange, why)
    }
    fn in_front(&self) -> Option<Answer> {
        Surface::in_front(self)
    }
    fn judges(&self) -> bool {
        S::JUDGES
    }
    fn forges(&self) -> bool {
        S::FORGES
    }
    fn judge(&self, context: &Context, token: &str, trail: &mut Trail) {
        Surface::judge(self, context, token, trail);
    }
    fn tables(&self, world: &World, scope: &Scope) -> Option<Tables> {
        Surface::tables(self, world, scope)
    }
    fn findings(&self, world: &World, scope: &Scope) -> Vec<Problem> {
        Surface::findings(self, world, scope)
    }
    fn declared_rows(&self, world: &World, scope: &Scope, now: OffsetDateTime) -> Vec<DeclaredRow> {
        Surface::declared_rows(self, world, scope, now)
    }
    fn starts(&self, world: &World) -> Vec<Machine> {
        Surface::starts(self, world)
    }
    fn start<'a>(&'a self, context: &'a Context, trail: &'a mut Trail) -> BoxFuture<'a, ()> {
        Surface::start(self, context, trail)
    }
    fn started(&self, machine: &Machine) -> Option<Started> {
        Surface::started(self, machine)
    }
    fn reset(&self, scope: Option<&Scope>) {
        Surface::reset(self, scope);
    }
    fn step(&self, world: &World, errand: Errand, number: u32) -> Option<Step> {
        Surface::step(self, world, errand, number)
    }
    fn token_call(&self, world: &World, resource: &str) -> Option<TokenCall> {
        Surface::token_call(self, world, resource)
    }
    fn sign_in(&self, world: &World) -> Option<SignInCall> {
        Surface::sign_in(self, world)
    }
    fn forge(&self, context: &Context, order: &Order, trail: &mut Trail) -> Option<Result<Made, ForgeError>> {
        Surface::forge(self, context, order, trail)
    }
    fn cast(&self, world: &World, cast: &mut Cast) {
        Surface::cast(self, world, cast);
    }
    fn event_logs(&self) -> &'static [&'static EventLog] {
        S::EVENT_LOGS
    }
    fn events(&self, world: &World, record: &Record) -> Vec<EventRow> {
        Surface::events(self, world, record)
    }
}
