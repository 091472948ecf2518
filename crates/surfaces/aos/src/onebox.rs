//! A one-box AOS: what it read at its last start, and how it starts.
//!
//! Decides the questions of its start: web.config says where the federation metadata of the tenant is, the machine trusts and
//! accepts the certificate that the address shows, the document can be had, and it holds signing keys. Never reads anything
//! again: what the node uses is what stood in the files then.

use std::sync::Arc;

use mocktenant_federation::read_metadata;
use mocktenant_lab::{Context, SharedFacts, Trail};
use mocktenant_token::bearer::TrustedKey;
use mocktenant_verdict::{Check, Checklist, Finding, Question, Role};
use mocktenant_world::Environment;

use crate::advice;
use crate::configuration::{Configuration, FIRST_PARTY};
use crate::errors::StartError;
use crate::fetch::{self, ROOT_TRUSTED, TIME_VALID};
use crate::node::{Product, Started};
use crate::service_identity::{TokenCache, names_a_code};

/// The files say where the metadata is.
pub(crate) static CONFIGURATION_READABLE: Question =
    Question::new("configuration-readable", Role::Configuration);
/// It can be had.
pub(crate) static METADATA_REACHABLE: Question = Question::new("metadata-reachable", Role::Address)
    .needs(&[&CONFIGURATION_READABLE, &ROOT_TRUSTED, &TIME_VALID])
    .relays();
/// And read.
pub(crate) static METADATA_READABLE: Question =
    Question::new("metadata-readable", Role::Address).needs(&[&METADATA_REACHABLE]);

/// The questions of a start, in order.
pub(crate) static QUESTIONS: &[&Question] =
    &[&CONFIGURATION_READABLE, &ROOT_TRUSTED, &TIME_VALID, &METADATA_REACHABLE, &METADATA_READABLE];

/// What it is between two starts.
pub(crate) struct State {
    /// What it read.
    pub(crate) configuration: Configuration,
    /// Facts behind every delivery to Dataverse.
    pub(crate) outbound: SharedFacts,
    /// What it accepts and asks for, as checks show it.
    pub(crate) expected: Expected,
    /// The environment as it was then, certificate stores included.
    pub(crate) environment: Arc<Environment>,
    /// Tokens got since.
    pub(crate) tokens: TokenCache,
}

impl State {
    /// The same with tokens of its own from here on.
    pub(crate) fn fork(&self) -> Self {
        Self {
            configuration: self.configuration.clone(),
            outbound: self.outbound.clone(),
            expected: self.expected.clone(),
            environment: Arc::clone(&self.environment),
            tokens: self.tokens.fork(),
        }
    }
}

/// What a node accepts and asks for, made once per start.
#[derive(Clone)]
pub(crate) struct Expected {
    /// The issuer.
    pub(crate) issuer: Arc<str>,
    /// The tenant; empty accepts none.
    pub(crate) tenant: Arc<str>,
    /// The audiences.
    pub(crate) audiences: Vec<String>,
    /// The same as checks show them.
    pub(crate) audiences_shown: Arc<str>,
    /// What it asks Entra for, as a check shows it.
    pub(crate) token: Arc<str>,
}

impl Expected {
    fn of(configuration: &Configuration) -> Self {
        let mut audiences =
            vec![configuration.audience().to_owned(), FIRST_PARTY.to_owned(), format!("spn:{FIRST_PARTY}")];
        audiences.retain(|audience| !audience.is_empty());
        Self {
            issuer: configuration.issuer().into(),
            tenant: configuration.tenant_guid.value.as_str().into(),
            audiences_shown: audiences.join(", ").into(),
            audiences,
            token: format!("an access token for {}", configuration.dataverse_url.value).into(),
        }
    }
}

/// Starts the node on the context's machine.
pub(crate) async fn start(context: &Context, trail: &mut Trail, environment: &Arc<Environment>) -> Started {
    let configuration = Configuration::read(context.world(), environment);
    let (facts, outbound) = (configuration.bearer_facts(), configuration.outbound_facts());
    trail.share(&facts);
    trail.share(&outbound);
    let (checks, keys, failure) = fetch_trust(context, trail, &configuration, environment).await;
    trail.record_checks(checks);
    let state = State {
        expected: Expected::of(&configuration),
        outbound,
        configuration,
        environment: Arc::clone(environment),
        tokens: TokenCache::default(),
    };
    Started { product: Product::OneBox(Arc::new(state)), facts, keys, failure }
}

/// The keys as they are published now; nothing where they cannot be had.
pub(crate) async fn keys(
    context: &Context,
    trail: &mut Trail,
    state: &State,
    environment: &Environment,
) -> Option<Vec<TrustedKey>> {
    let (_, keys, failure) = fetch_trust(context, trail, &state.configuration, environment).await;
    failure.is_none().then_some(keys)
}

/// Fetches the signing keys of the tenant, and says how that went.
async fn fetch_trust(
    context: &Context,
    trail: &mut Trail,
    configuration: &Configuration,
    environment: &Environment,
) -> (Vec<Check>, Vec<TrustedKey>, Option<StartError>) {
    let mut list = Checklist::new(context.switches(), StartError::describe);
    let settings =
        || vec![configuration.metadata_format.setting.clone(), configuration.tenant_id.setting.clone()];
    let needed = [&configuration.metadata_format, &configuration.tenant_id];
    let missing: Vec<&str> = needed
        .into_iter()
        .filter(|input| input.value.is_empty())
        .map(|input| input.setting.as_str())
        .collect();
    let finding = if missing.is_empty() {
        Finding::pass("both are set")
    } else {
        Finding::fail(format!("empty: {}", missing.join(", ")), StartError::ConfigurationIncomplete)
    };
    let expected = "web.config with Aad.AADMetadataLocationFormat and Aad.AADTenantId";
    let finding =
        finding.mended_by(|| advice::remedy(context, |advice| Some(advice.incomplete(configuration))));
    let readable = list.ask(&CONFIGURATION_READABLE, expected, settings, finding);

    let url = configuration.metadata_url();
    let machine = fetch::Machine::of(context, environment);
    machine.note(trail);
    let dialled = fetch::ask_tls(&mut list, &machine, &[&url]);
    let mut document = None;
    let finding = if readable && dialled {
        // Where an identity provider answered that it knows no such tenant, the address is right.
        let wrong_address = |refused: bool| {
            advice::remedy(context, |advice| (!refused).then(|| advice.metadata(configuration)))
        };
        match fetch::get(context, trail, &url).await {
            Ok(body) => {
                document = Some(body);
                Finding::pass("200")
            }
            Err(fetch::Missed { actual, reply }) => {
                let refused = reply.is_some_and(|reply| names_a_code(&reply));
                Finding::fail(actual, StartError::MetadataUnreachable).mended_by(|| wrong_address(refused))
            }
        }
    } else {
        Finding::skip(CONFIGURATION_READABLE.name)
    };
    list.ask(&METADATA_REACHABLE, "200 from the address of the metadata", settings, finding);

    let mut keys = Vec::new();
    let finding = match document.map(|document| read_metadata(&document)) {
        None => Finding::skip(METADATA_REACHABLE.name),
        Some(Err(error)) => Finding::fail(error.to_string(), StartError::MetadataUnreadable),
        Some(Ok(metadata)) => {
            keys = metadata
                .signing_certificates
                .iter()
                .filter_map(|certificate| TrustedKey::of_certificate(certificate).ok())
                .collect();
            let finding = Finding::held(!keys.is_empty(), "with a signing key", || {
                (format!("{} without a signing key", metadata.entity_id), StartError::MetadataUnreadable)
            });
            trail.fact("metadata-entity", metadata.entity_id);
            finding
        }
    };
    let finding =
        finding.mended_by(|| advice::remedy(context, |advice| Some(advice.metadata(configuration))));
    list.ask(&METADATA_READABLE, "federation metadata with a signing certificate", settings, finding);
    let (checks, refusal) = list.finish();
    // With a check turned off there may be no refusal and still no keys: then no token is accepted.
    (checks, keys, refusal)
}
