//! Which page a browser gets on-premises, and that it has to sign in for each.
//!
//! Decides nothing but that: who brings the cookie of a user of this environment sees the page, everybody else is sent to AD FS and
//! comes back to it; a token in place of the cookie is for data and services alone.

use std::sync::Arc;

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_world::Environment;

use super::pages::Signed;
use super::{BASE, State, sign_in};
use crate::gateway;
use crate::node::NodeState;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The host itself.
    Root,
    /// The application, and where AD FS sends a browser back to.
    Application,
    /// The customers.
    Customers,
    /// A new one.
    NewCustomer,
    /// The end.
    SignOut,
}

/// What a browser is answered by a node that has started.
pub(crate) async fn answer(
    exchange: &mut Exchange,
    node: &NodeState,
    environment: &Arc<Environment>,
    state: &Arc<State>,
    place: Place,
) -> Answer {
    let posted = exchange.request.method == http::Method::POST;
    match place {
        // Inferred.
        Place::Root => return Answer::typed(StatusCode::FOUND, Content::Redirect { to: format!("{BASE}/") }),
        Place::Application if posted => return sign_in::callback(exchange, environment, state),
        Place::SignOut => return sign_in::sign_out(exchange, environment, state),
        _ => {}
    }
    let (ticket, caller) = match sign_in::session(exchange, environment, state) {
        None => {
            let mut answer = sign_in::challenge(exchange, environment, state);
            if answer.status.is_redirection() {
                gateway::bind(exchange, environment, &mut answer);
            }
            return answer;
        }
        Some(Err(error)) => return sign_in::refused(exchange, &error),
        Some(Ok(signed)) => signed,
    };
    // Whoever was bound to a node that is gone stays with this one from here on (inferred).
    let moved = gateway::is_bound_elsewhere(exchange);
    let signed = Signed { environment, state, ticket, caller };
    let mut answer = match place {
        Place::Customers => signed.customers(exchange),
        Place::NewCustomer => signed.new_customer(exchange, node).await,
        _ => signed.home(exchange),
    };
    if moved {
        gateway::bind(exchange, environment, &mut answer);
    }
    answer
}
