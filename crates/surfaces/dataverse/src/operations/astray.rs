//! What leads nowhere: paths, methods, functions and tables that are not there.
//!
//! Decides what a path is that no operation answers: a part of the real product that is not built here (the exchange says
//! so), a function with the wrong verb, or nothing at all. Never tells a stranger which of them it is.

use mocktenant_lab::Exchange;
use mocktenant_odata::{Arguments, ResourceSegment};

use super::call::{Call, identify};
use super::{definitions, functions, organization};
use crate::errors::{DataverseError, cut, excerpt};
use crate::not_built;
use crate::tables;

/// Most of a request's address in a text, in characters.
const MAX_URI: usize = 2_048;

/// Why the caller of a path or method that is not there is a stranger: the checks of its token alone, because nothing here
/// belongs to an application user. `None` if the token is accepted.
pub(crate) fn stranger(exchange: &mut Exchange) -> Option<DataverseError> {
    let organization = organization(exchange)?;
    identify(exchange, &organization, |_, _| None).err()
}

/// What a path that leads nowhere, or the wrong verb, is to somebody who is let in. A path below a version may be a part of
/// the real Web API.
pub(crate) fn astray(exchange: &mut Exchange, wrong_verb: bool) -> Option<DataverseError> {
    let path = exchange.request.path().to_owned();
    let beside = [("/api/search/", "the search API"), ("/api/backgroundoperation/", "background operations")];
    for (begin, what) in beside {
        if exchange.folded_path().starts_with(begin) {
            exchange.trail.not_built(what, not_built::FUNCTIONS_HERE);
        }
    }
    let mut segments = path.trim_matches('/').split('/').skip(3);
    let first = segments.next().filter(|_| exchange.folded_path().starts_with("/api/data/v9."))?;
    let bare = |segment: &str| segment.split('(').next().unwrap_or_default().to_owned();
    let (name, last) = (bare(first), bare(segments.last().unwrap_or(first)));
    if functions::is_function_name(&last)
        || not_built::operation(&last)
        || last.starts_with(not_built::PREFIX)
    {
        return Some(no_function(exchange, &last));
    }
    if definitions::begin(first) {
        let what = format!("{name} {}", exchange.request.method);
        exchange.trail.not_built(what, not_built::DEFINITIONS_HERE);
        return Some(DataverseError::NotImplemented);
    }
    if wrong_verb && !not_built::part(&name) {
        return None;
    }
    if not_built::part(&name) {
        exchange.trail.not_built(name, not_built::SETS_HERE);
        return Some(DataverseError::NotImplemented);
    }
    let tables =
        organization(exchange).map_or_else(tables::built_in, |organization| tables::of(&organization));
    if tables.by_set(&name).is_some() || not_built::entity_set(&name).is_some() {
        let below = path.split('/').skip(4).collect::<Vec<_>>().join("/");
        exchange.trail.not_built(format!("the path {}", excerpt(&below)), not_built::PATHS_HERE);
    }
    None
}

/// A function or action that is not there, or that was called with the wrong verb.
pub(super) fn no_function(exchange: &mut Exchange, name: &str) -> DataverseError {
    if not_built::operation(name) {
        let what = format!("the function or action {}", excerpt(name));
        exchange.trail.not_built(what, not_built::FUNCTIONS_HERE);
    }
    let (path, query) = (exchange.request.path(), exchange.request.query());
    let mark = if query.is_empty() { "" } else { "?" };
    let uri = format!("{}{path}{mark}{query}", exchange.own_base_url());
    DataverseError::NoHttpResource { uri: mocktenant_verdict::foreign::cut(&uri, MAX_URI).to_owned() }
}

impl Call<'_> {
    /// What a path below a table, a function or nothing is: no operation answers it.
    pub(super) fn leads_nowhere(&mut self) -> DataverseError {
        astray(self.exchange, false).unwrap_or(DataverseError::NotFound)
    }

    /// The resource segment: a table or function, with its arguments.
    pub(super) fn segment(&mut self) -> Result<ResourceSegment, DataverseError> {
        ResourceSegment::parse(&self.raw).map_err(|_| {
            let name = self.raw.split_once('(').map(|(name, _)| name.to_owned());
            match name {
                // the name is fine, what stands in the parentheses is not
                Some(name) if self.schema.by_set(&name).is_some() => DataverseError::QuerySyntax,
                Some(name) => no_function(self.exchange, &name),
                None if not_built::part(&self.raw) => self.no_part(),
                None => DataverseError::ResourceNotFound { segment: cut(&self.raw) },
            }
        })
    }

    /// What is there in place of a table: a part of the Web API, a function, a table that is not built, or nothing.
    pub(super) fn no_table(&mut self, segment: &ResourceSegment) -> DataverseError {
        let name = segment.name.as_str();
        if not_built::part(name) {
            return self.no_part();
        }
        if not_built::entity_set(name).is_some() {
            self.exchange.trail.not_built(format!("the entity set {name}"), not_built::SETS_HERE);
            return DataverseError::ResourceNotFound { segment: cut(name) };
        }
        if segment.arguments != Arguments::None
            || name.starts_with(not_built::PREFIX)
            || not_built::operation(name)
        {
            return no_function(self.exchange, name);
        }
        DataverseError::ResourceNotFound { segment: cut(name) }
    }

    pub(super) fn no_part(&mut self) -> DataverseError {
        self.exchange.trail.not_built(excerpt(&self.raw), not_built::SETS_HERE);
        DataverseError::NotImplemented
    }
}
