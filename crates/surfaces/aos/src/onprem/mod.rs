//! An AOS on-premises: what it read at its last start.
//!
//! Decides what it accepts: the issuer its startup file names, filled in, and the audiences that follow from it. It stands
//! behind AD FS and knows no tenant; Dual Write is no feature of it. Never reads anything again before the next start. Mirrors
//! "Authentication in finance and operations (on-premises) environments".

pub(crate) mod advice;
mod configuration;
mod metadata;
mod pages;
mod provider;
pub(crate) mod sign_in;
pub(crate) mod site;
pub(crate) mod start;

use std::sync::Arc;

use mocktenant_world::Artefact;

pub(crate) use configuration::Configuration;
pub(crate) use metadata::LastRead;
pub(crate) use provider::Provider;

use crate::configuration::FIRST_PARTY;
use crate::user_info::same_provider;

/// Where its pages, its data and its services are.
pub(crate) const BASE: &str = "/namespaces/AXSF";

/// The nine steps of the article, in short.
pub(crate) const STEPS: [&str; 9] = [
    "browser asks for the application",
    "gateway forwards it to an AOS node",
    "AOS looks for authentication cookies",
    "AOS redirects to AD FS, sets the affinity",
    "gateway passes the redirect on",
    "browser shows AD FS's page, user signs in",
    "AD FS sends the browser back",
    "gateway forwards to the affinity's node",
    "AOS checks the token and UserInfo",
];

/// What it is between two starts.
#[derive(Clone)]
pub(crate) struct State {
    /// What it read.
    pub(crate) configuration: Configuration,
    /// The file it read: `AXSF.Package.Current.xml` from here on.
    pub(crate) file: Option<Arc<Artefact>>,
    /// What it accepts, as checks show it.
    pub(crate) expected: Expected,
    /// Who the metadata is of; empty if the start failed.
    pub(crate) entity_id: Arc<str>,
    /// Where people sign in, from the openid-configuration; nothing if the start failed.
    pub(crate) provider: Option<Provider>,
}

/// What it accepts, made once per start.
#[derive(Clone)]
pub(crate) struct Expected {
    /// The issuer of access tokens.
    pub(crate) issuer: Arc<str>,
    /// Whether its final slash counts: that of `https://HOST/{0}/` does not.
    slash_counts: bool,
    /// Audiences of access tokens.
    pub(crate) audiences: Vec<String>,
    /// The same as checks show them.
    pub(crate) audiences_shown: Arc<str>,
}

impl Expected {
    fn of(configuration: &Configuration) -> Self {
        let audience = &configuration.valid_audience.value;
        let mut audiences = vec![audience.clone()];
        audiences.extend(audience.strip_suffix('/').map(str::to_owned));
        audiences.push(FIRST_PARTY.to_owned());
        audiences.retain(|audience| !audience.is_empty());
        Self {
            issuer: configuration.issuer().into(),
            slash_counts: !configuration.issuer_format.value.trim_end_matches('/').ends_with("{0}"),
            audiences_shown: audiences.join(", ").into(),
            audiences,
        }
    }

    /// Whether an access token is of the one who is trusted: hosts compare without case (inferred).
    pub(crate) fn accepts_issuer(&self, sent: &str) -> bool {
        let cut = |text: &'_ str| {
            if self.slash_counts { text.to_owned() } else { text.trim_end_matches('/').to_owned() }
        };
        !self.issuer.is_empty() && same_provider(&cut(&self.issuer), &cut(sent))
    }
}
