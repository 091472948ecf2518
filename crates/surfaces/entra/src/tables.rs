//! The grants and the ways to authenticate a client that one Entra has.
//!
//! Decides how the two tables read as a whole: which texts a check names them by and in which order discovery lists them.
//! Both are handed to [`crate::Entra`]; the product's own stand in `grants` and `client_auth`, a test brings others.

use std::sync::Arc;

use crate::Version;
use crate::client_auth::{self, Method};
use crate::grants::{self, Grant};

/// What the token endpoint dispatches by, and what discovery says of it.
#[derive(Clone, Debug)]
pub struct Tables {
    grants: &'static [&'static Grant],
    methods: &'static [&'static Method],
    /// `grant_type`s, as a check expects them.
    pub(crate) grant_names: Arc<str>,
    /// What a client may present, as a check expects it.
    pub(crate) credentials: Arc<str>,
    /// `token_endpoint_auth_methods_supported`.
    pub(crate) listed_methods: Arc<[&'static str]>,
}

impl Tables {
    /// Entra's own.
    pub fn of_entra() -> Self {
        Self::new(grants::GRANTS, client_auth::METHODS)
    }

    /// Others. A credential is looked for in the order of `methods`.
    pub fn new(grants: &'static [&'static Grant], methods: &'static [&'static Method]) -> Self {
        let mut ranked: Vec<&Method> = methods.to_vec();
        ranked.sort_by_key(|method| method.rank);
        let parameters = ranked.iter().map(|method| method.parameters).filter(|words| !words.is_empty());
        Self {
            grants,
            methods,
            grant_names: grants.iter().map(|grant| grant.name).collect::<Vec<_>>().join(", ").into(),
            credentials: parameters.collect::<Vec<_>>().join(", or ").into(),
            listed_methods: ranked.iter().map(|method| method.name).collect(),
        }
    }

    /// The grants.
    pub(crate) fn grants(&self) -> &'static [&'static Grant] {
        self.grants
    }

    /// The ways to authenticate, in the order a credential is looked for.
    pub(crate) fn methods(&self) -> &'static [&'static Method] {
        self.methods
    }

    /// `grant_types_supported` of a generation's document; empty where it has no such member.
    pub(crate) fn listed_grants(&self, version: Version) -> impl Iterator<Item = &'static str> {
        self.grants.iter().filter(move |grant| grant.listed_in.contains(&version)).map(|grant| grant.name)
    }
}
