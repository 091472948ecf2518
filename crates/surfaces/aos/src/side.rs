//! Which of the two kinds of AOS is called, and which of them has a path.
//!
//! Decides that a one-box has everything at its host and an installation on-premises below `/namespaces/AXSF`, and what base the
//! addresses have that an AOS writes about its own data. Never decides what is answered there.

use std::sync::Arc;

use mocktenant_lab::{Context, Exchange};
use mocktenant_world::Environment;

use crate::onprem;

/// Where a one-box or an installation on-premises has what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// At the host itself.
    OneBox,
    /// Below `/namespaces/AXSF`.
    OnPremises,
}

/// `/namespaces/AXSF` as paths are matched.
pub(crate) const FOLDED_BASE: &str = "/namespaces/axsf";

/// The environment that is called, as it is now.
pub(crate) fn environment_of(context: &Context) -> Option<&Arc<Environment>> {
    context.world().environment(context.environment()?)
}

/// Which kind of AOS is called.
pub(crate) fn of_environment(exchange: &Exchange) -> Side {
    let on_premises =
        environment_of(&exchange.context).is_some_and(|environment| environment.is_on_premises());
    if on_premises { Side::OnPremises } else { Side::OneBox }
}

/// Which kind of AOS has a path.
pub(crate) fn of_path(exchange: &Exchange) -> Side {
    let path = exchange.folded_path();
    let below = path.strip_prefix(FOLDED_BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if below { Side::OnPremises } else { Side::OneBox }
}

/// The base of addresses that an AOS writes about its own data.
pub(crate) fn base_url(exchange: &Exchange) -> String {
    let mut url = exchange.own_base_url();
    if of_environment(exchange) == Side::OnPremises {
        url.push_str(onprem::BASE);
    }
    url
}
