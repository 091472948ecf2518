//! What a product has to offer to take part in a lab.
//!
//! Decides the contract between the engine and the four products: hosts, one static route table, a catalogue, a
//! refusal in the product's own envelope, and a judgement of any token. Deciding is pure; a handler may await only
//! outbound calls. Surfaces never know each other.

use std::any::Any;

use http::Method;
use mocktenant_verdict::{Check, Fidelity};
use mocktenant_world::World;
use serde::Serialize;
use time::OffsetDateTime;

use crate::request::BodyError;
use crate::{Activity, Addresses, Answer, BoxFuture, Exchange, Site};

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

    /// What is computed once per world snapshot (parsed headers, host tables, documents).
    type Prepared: Any + Send + Sync;

    /// The route table.
    fn routes() -> &'static [Route<Self>];

    /// World names this surface answers, with their sites.
    fn hosts(&self, world: &World) -> Vec<(String, Site)>;

    /// Whether this surface answers a local name at this entrance, for this folded path.
    fn at(&self, entrance: &Site, folded_path: &str) -> bool;

    /// Computes what lives as long as a snapshot.
    fn prepare(&self, world: &World, addresses: &Addresses) -> Self::Prepared;

    /// The error catalogue.
    fn catalogue(&self) -> Vec<CatalogueRow>;

    /// A refusal in the product's own envelope.
    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer;

    /// Judges a token as the resource at `site` would, without an exchange.
    fn judge(&self, activity: &Activity, token: &str, now: OffsetDateTime) -> Vec<Check>;

    /// Sites of this surface that read their configuration at a start.
    fn starts(&self, _world: &World) -> Vec<Site> {
        Vec::new()
    }

    /// Starts one of them: reads configuration, may call out.
    fn start<'a>(&'a self, _activity: &'a mut Activity) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Forgets all live state (records, caches).
    fn reset(&self) {}
}

/// [`Surface`], object-safe.
pub(crate) trait Mount: Send + Sync {
    fn name(&self) -> &'static str;
    fn table(&self) -> Vec<TableRow>;
    fn hosts(&self, world: &World) -> Vec<(String, Site)>;
    fn at(&self, entrance: &Site, folded_path: &str) -> bool;
    fn prepare(&self, world: &World, addresses: &Addresses) -> Box<dyn Any + Send + Sync>;
    fn catalogue(&self) -> Vec<CatalogueRow>;
    fn handle<'a>(&'a self, route: usize, exchange: &'a mut Exchange) -> BoxFuture<'a, Answer>;
    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer;
    fn judge(&self, activity: &Activity, token: &str, now: OffsetDateTime) -> Vec<Check>;
    fn starts(&self, world: &World) -> Vec<Site>;
    fn start<'a>(&'a self, activity: &'a mut Activity) -> BoxFuture<'a, ()>;
    fn reset(&self);
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
    fn hosts(&self, world: &World) -> Vec<(String, Site)> {
        Surface::hosts(self, world)
    }
    fn at(&self, entrance: &Site, folded_path: &str) -> bool {
        Surface::at(self, entrance, folded_path)
    }
    fn prepare(&self, world: &World, addresses: &Addresses) -> Box<dyn Any + Send + Sync> {
        Box::new(Surface::prepare(self, world, addresses))
    }
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Surface::catalogue(self)
    }
    fn handle<'a>(&'a self, route: usize, exchange: &'a mut Exchange) -> BoxFuture<'a, Answer> {
        (S::routes()[route].handler)(self, exchange)
    }
    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        Surface::refuse(self, exchange, why)
    }
    fn judge(&self, activity: &Activity, token: &str, now: OffsetDateTime) -> Vec<Check> {
        Surface::judge(self, activity, token, now)
    }
    fn starts(&self, world: &World) -> Vec<Site> {
        Surface::starts(self, world)
    }
    fn start<'a>(&'a self, activity: &'a mut Activity) -> BoxFuture<'a, ()> {
        Surface::start(self, activity)
    }
    fn reset(&self) {
        Surface::reset(self);
    }
}
