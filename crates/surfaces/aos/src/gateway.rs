//! The gateway before the nodes of an installation on-premises: which of them a request is for.
//!
//! Decides it by the node's own name, then by the affinity cookie while the node it names runs, then by turns, from the first one.
//! Nodes that are stopped are passed over; one that did not start has its turn like any other and answers with its 500 page, for
//! a gateway does not ask how a node is. Never decides what is answered. Mirrors steps 2, 4 and 8 of "Authentication in finance
//! and operations (on-premises) environments"; the cookie's name is the online product's (inferred here), its value ours. A one-box
//! has no gateway: its first node answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mocktenant_idp::cookie::{Attributes, Cookies, Keep, SameSite, SetCookie, name_behind, name_for};
use mocktenant_lab::{Answer, Asker, Entrance, Exchange, Machine, Scope, Way};
use mocktenant_world::{Environment, Node, World};

use crate::bearer::clip;

/// The cookie that binds a browser to a node.
const AFFINITY: &str = "ms-dyn-affinity";

/// How many turns each environment's nodes have had.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<Arc<str>, usize>>);

impl Turns {
    /// The node a request is for.
    pub(crate) fn choose(&self, world: &World, way: &Way<'_>) -> Option<Machine> {
        let Entrance::Environment(name) = way.entrance else { return None };
        let environment = world.environment(name)?;
        let node = self.of(environment, way)?;
        Some(Machine::Node { environment: Arc::clone(&environment.id), node: Arc::clone(&node.name) })
    }

    fn of<'w>(&self, environment: &'w Arc<Environment>, way: &Way<'_>) -> Option<&'w Node> {
        let named = || environment.nodes.iter().find(|node| node.host.as_deref() == Some(way.host));
        if let [only] = environment.nodes.as_slice() {
            return Some(only);
        }
        let first = environment.nodes.first()?;
        let Some(asker) = way.asker.filter(|_| environment.is_on_premises()) else {
            return Some(named().unwrap_or(first));
        };
        let mut running = environment.nodes.iter().filter(|node| !node.stopped);
        let chosen =
            named().or_else(|| bound(environment, &asker)).or_else(|| preferred(environment, &asker));
        chosen.or_else(|| {
            let count = running.clone().count();
            match count {
                // Where none runs the first one stands for all.
                0 => Some(first),
                // The host alone leads to the application whoever answers.
                _ if way.path == "/" => running.next(),
                _ => running.nth(self.take(&environment.id) % count),
            }
        })
    }

    fn take(&self, environment: &Arc<str>) -> usize {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match turns.get_mut(environment) {
            Some(taken) => {
                *taken = taken.wrapping_add(1);
                *taken
            }
            None => {
                turns.insert(Arc::clone(environment), 0);
                0
            }
        }
    }

    /// The next turn is the first node's again.
    pub(crate) fn forget(&self, scope: Option<&Scope>) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|environment, _| scope.is_some_and(|scope| *scope != Scope::environment(environment)));
    }
}

/// The running node that the affinity cookie names.
fn bound<'w>(environment: &'w Environment, asker: &Asker<'_>) -> Option<&'w Node> {
    let name = name_behind(AFFINITY, asker.jar);
    let named = Cookies::read(asker.headers).get(&name)?;
    environment.nodes.iter().find(|node| &*node.name == named && !node.stopped)
}

/// The running node whose turn it always is.
fn preferred<'w>(environment: &'w Environment, asker: &Asker<'_>) -> Option<&'w Node> {
    let Some(Machine::Node { environment: of, node }) = asker.prefers else { return None };
    environment.node(node).filter(|node| **of == *environment.id && !node.stopped)
}

/// Notes what the gateway went by: which nodes it passed over, and whom the affinity cookie names.
pub(crate) fn note(exchange: &mut Exchange, environment: &Environment) {
    if environment.nodes.len() == 1 {
        return;
    }
    let stopped: Vec<&str> =
        environment.nodes.iter().filter(|node| node.stopped).map(|node| &*node.name).collect();
    let name = name_for(AFFINITY, exchange).into_owned();
    // Whatever else stands there is nobody's name.
    let named = Cookies::read(&exchange.request.headers).get(&name).map(clip);
    if let Some(named) = named {
        exchange.trail.fact("affinity", named);
    }
    if !stopped.is_empty() {
        exchange.trail.fact("stopped-nodes", stopped.join(", "));
    }
}

/// Binds a browser to the node that answers it, where there are several and it is not bound to it yet.
pub(crate) fn bind(exchange: &Exchange, environment: &Environment, answer: &mut Answer) {
    let Some(Machine::Node { node, .. }) = exchange.context.machine() else { return };
    let name = name_for(AFFINITY, exchange);
    if environment.nodes.len() == 1 || Cookies::read(&exchange.request.headers).get(&name) == Some(node) {
        return;
    }
    let secure = exchange.request.arrival.secure;
    let same_site = secure.then_some(SameSite::None);
    let attributes = Attributes { path: "/", http_only: true, secure, same_site };
    if let Ok(cookie) = SetCookie::new(&name, node, Keep::Session, &attributes) {
        answer.headers.append(http::header::SET_COOKIE, cookie.into_value());
    }
}

/// Whether a browser was bound to another node, which is gone.
pub(crate) fn is_bound_elsewhere(exchange: &Exchange) -> bool {
    let Some(Machine::Node { node, .. }) = exchange.context.machine() else { return false };
    let named = Cookies::read(&exchange.request.headers).get(&name_for(AFFINITY, exchange));
    named.is_some_and(|named| named != &**node)
}
