//! An AOS node: what it read at its last start, and the tokens it has got since.
//!
//! Decides whether a start succeeds, by what its kind asks: one-box or on-premises; both read where somebody else's documents
//! are, fetch them over HTTP, and find signing keys in them. A node that did not start answers every request with the 500 page
//! until a restart succeeds. Configuration is never re-read before that, which is what makes "edited but not restarted" look as
//! it does in the field; signing keys are read again after 24 hours where the environment says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mocktenant_lab::{Context, Machine, Scope, SharedFacts, Trail};
use mocktenant_token::bearer::TrustedKey;
use mocktenant_verdict::Question;
use time::{Duration, OffsetDateTime};

use crate::errors::StartError;
use crate::{onebox, onprem};

/// The questions of a start of either kind, in order.
pub(crate) fn questions() -> impl Iterator<Item = &'static Question> {
    onebox::QUESTIONS.iter().chain(onprem::start::QUESTIONS).copied()
}

/// What one node is between two starts.
#[derive(Clone)]
pub(crate) struct NodeState {
    /// What it is, with what it read.
    pub(crate) product: Product,
    /// The same as facts, behind every judgement.
    pub(crate) facts: SharedFacts,
    /// The keys of whoever signs people and services in; empty if the start failed.
    pub(crate) keys: Vec<TrustedKey>,
    /// Why it did not start.
    pub(crate) failure: Option<StartError>,
    /// The start's exchange id.
    pub(crate) start: Arc<str>,
    /// When it read the keys, by its own clock.
    pub(crate) read_at: OffsetDateTime,
}

/// How long a node that reads keys again is content with those it has.
const KEYS_KEPT: Duration = Duration::hours(24);

/// An AOS of either kind.
#[derive(Clone)]
pub(crate) enum Product {
    /// Online or one-box: web.config, Entra, Dual Write.
    OneBox(Arc<onebox::State>),
    /// On-premises: `AXSF.Package.1.0.xml`, AD FS.
    OnPremises(Arc<onprem::State>),
}

impl NodeState {
    /// What it reads of web.config, if it is a one-box.
    pub(crate) fn one_box(&self) -> Option<&onebox::State> {
        match &self.product {
            Product::OneBox(state) => Some(state),
            Product::OnPremises(_) => None,
        }
    }

    /// What it reads of its startup file, if it is on-premises.
    pub(crate) fn on_premises(&self) -> Option<&onprem::State> {
        match &self.product {
            Product::OneBox(_) => None,
            Product::OnPremises(state) => Some(state),
        }
    }

    /// What it read of its settings.
    pub(crate) fn read(&self) -> SharedFacts {
        let outbound = self.one_box().map(|state| &state.outbound);
        self.facts.iter().chain(outbound.into_iter().flat_map(SharedFacts::iter)).cloned().collect()
    }

    /// The same state with tokens of its own from here on.
    fn fork(&self) -> Self {
        let product = match &self.product {
            Product::OneBox(state) => Product::OneBox(Arc::new(state.fork())),
            Product::OnPremises(state) => Product::OnPremises(Arc::clone(state)),
        };
        Self { product, ..self.clone() }
    }
}

/// How a start went, whatever the kind.
pub(crate) struct Started {
    pub(crate) product: Product,
    pub(crate) facts: SharedFacts,
    pub(crate) keys: Vec<TrustedKey>,
    pub(crate) failure: Option<StartError>,
}

/// The nodes of one lab.
#[derive(Default)]
pub(crate) struct Nodes {
    states: Mutex<HashMap<Machine, Arc<NodeState>>>,
    last: onprem::LastRead,
}

impl Nodes {
    fn lock(&self) -> MutexGuard<'_, HashMap<Machine, Arc<NodeState>>> {
        // Entries are replaced whole, so what a panic leaves behind is still right.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node on a machine, if it was ever started.
    pub(crate) fn get(&self, machine: Option<&Machine>) -> Option<Arc<NodeState>> {
        self.lock().get(machine?).cloned()
    }

    /// The same nodes for a lab that nobody else sees: what they read is shared, the tokens they get from here on are not.
    pub(crate) fn fork(&self) -> Self {
        let nodes = self.lock();
        let copy = nodes.iter().map(|(machine, node)| (machine.clone(), Arc::new(node.fork())));
        Self { states: Mutex::new(copy.collect()), last: onprem::LastRead::default() }
    }

    /// Forgets the nodes of a scope, or all.
    pub(crate) fn forget(&self, scope: Option<&Scope>) {
        self.lock().retain(|machine, _| scope.is_some_and(|scope| machine.scope() != *scope));
    }

    /// Starts the node on the context's machine.
    pub(crate) async fn start(&self, context: &Context, trail: &mut Trail) {
        let (Some(machine), Some(name)) = (context.machine(), context.environment()) else { return };
        let Some(environment) = context.world().environment(name).cloned() else {
            self.lock().remove(machine);
            return;
        };
        let Started { product, facts, keys, failure } = if environment.is_on_premises() {
            onprem::start::start(context, trail, &environment, machine, &self.last).await
        } else {
            onebox::start(context, trail, &environment).await
        };
        let start = Arc::clone(context.id());
        let state = NodeState { product, facts, keys, failure, start, read_at: context.now() };
        self.lock().insert(machine.clone(), Arc::new(state));
    }

    /// Reads the signing keys again where the environment's nodes do that and they are a day old. Nothing else is read, and what
    /// cannot be had leaves those there are.
    pub(crate) async fn refresh(&self, context: &Context, trail: &mut Trail) {
        let due = || {
            let environment = context.world().environment(context.environment()?)?;
            let node = self.get(context.machine()).filter(|_| environment.refreshes_keys)?;
            let old = node.failure.is_none() && context.now() - node.read_at >= KEYS_KEPT;
            old.then(|| (Arc::clone(environment), node))
        };
        let (Some((environment, node)), Some(machine)) = (due(), context.machine()) else { return };
        // Who comes meanwhile goes on with the old ones.
        let mut next = NodeState { read_at: context.now(), ..NodeState::clone(&node) };
        self.lock().insert(machine.clone(), Arc::new(next.clone()));
        match &node.product {
            Product::OneBox(state) => {
                if let Some(keys) = onebox::keys(context, trail, state, &environment).await {
                    next.keys = keys;
                }
            }
            Product::OnPremises(state) => {
                let (keys, provider) =
                    onprem::start::keys(context, trail, state, &environment, &self.last).await;
                if let Some(keys) = keys {
                    next.keys = keys;
                }
                if let Some(provider) = provider {
                    let state = onprem::State { provider: Some(provider), ..onprem::State::clone(state) };
                    next.product = Product::OnPremises(Arc::new(state));
                }
            }
        }
        trail.fact("signing-keys", "read again");
        let mut nodes = self.lock();
        // Unless it was started anew meanwhile.
        if nodes.get(machine).is_some_and(|now| now.start == next.start) {
            nodes.insert(machine.clone(), Arc::new(next));
        }
    }
}
