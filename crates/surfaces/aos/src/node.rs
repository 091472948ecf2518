//! An AOS node: what it read at its last start, and the tokens it has got since.
//!
//! Decides whether a start succeeds: the files say where the federation metadata is, it can be fetched over HTTP, and it
//! holds signing keys. A node that did not start answers every request with the 500 page until a restart succeeds.
//! Configuration is never re-read before that, which is what makes "edited but not restarted" look as it does in the field.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use mocktenant_federation::read_metadata;
use mocktenant_lab::outbound::Call;
use mocktenant_lab::{Context, Machine, Scope, SharedFacts, Trail};
use mocktenant_token::bearer::TrustedKey;
use mocktenant_verdict::{Check, Checklist, Finding, Question, Role};
use mocktenant_world::Environment;

use crate::advice;
use crate::configuration::{Configuration, FIRST_PARTY};
use crate::errors::StartError;
use crate::service_identity::{TokenCache, names_a_code};

/// The files say where the metadata is.
static CONFIGURATION_READABLE: Question = Question::new("configuration-readable", Role::Configuration);
/// It can be had.
static METADATA_REACHABLE: Question =
    Question::new("metadata-reachable", Role::Address).needs(&[&CONFIGURATION_READABLE]).relays();
/// And read.
static METADATA_READABLE: Question =
    Question::new("metadata-readable", Role::Address).needs(&[&METADATA_REACHABLE]);

/// The questions of a start, in order.
pub(crate) static QUESTIONS: &[&Question] =
    &[&CONFIGURATION_READABLE, &METADATA_REACHABLE, &METADATA_READABLE];

/// What one node is between two starts.
pub(crate) struct NodeState {
    /// What it read.
    pub(crate) configuration: Configuration,
    /// The same as facts, for every request after the start.
    pub(crate) facts: NodeFacts,
    /// What it accepts and asks for, as checks show it.
    pub(crate) expected: Expected,
    /// The environment as it was then, certificate stores included.
    pub(crate) environment: Arc<Environment>,
    /// The keys of the metadata fetched; empty if the start failed.
    pub(crate) keys: Vec<TrustedKey>,
    /// Why it did not start.
    pub(crate) failure: Option<StartError>,
    /// The start's exchange id.
    pub(crate) start: Arc<str>,
    /// Tokens got since.
    pub(crate) tokens: TokenCache,
}

impl NodeState {
    /// The same state with tokens of its own from here on.
    fn fork(&self) -> Self {
        Self {
            configuration: self.configuration.clone(),
            facts: self.facts.clone(),
            expected: self.expected.clone(),
            environment: Arc::clone(&self.environment),
            keys: self.keys.clone(),
            failure: self.failure.clone(),
            start: Arc::clone(&self.start),
            tokens: self.tokens.fork(),
        }
    }
}

/// Facts a node holds since its start.
#[derive(Clone)]
pub(crate) struct NodeFacts {
    /// Behind every judgement of a bearer token.
    pub(crate) bearer: SharedFacts,
    /// Behind every delivery to Dataverse.
    pub(crate) outbound: SharedFacts,
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

/// The nodes of one lab.
#[derive(Default)]
pub(crate) struct Nodes(Mutex<HashMap<Machine, Arc<NodeState>>>);

impl Nodes {
    fn lock(&self) -> MutexGuard<'_, HashMap<Machine, Arc<NodeState>>> {
        // Entries are replaced whole, so what a panic leaves behind is still right.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node on a machine, if it was ever started.
    pub(crate) fn get(&self, machine: Option<&Machine>) -> Option<Arc<NodeState>> {
        self.lock().get(machine?).cloned()
    }

    /// The same nodes for a lab that nobody else sees: what they read is shared, the tokens they get from here on are not.
    pub(crate) fn fork(&self) -> Self {
        let nodes = self.lock();
        let copy = nodes.iter().map(|(machine, node)| (machine.clone(), Arc::new(node.fork())));
        Self(Mutex::new(copy.collect()))
    }

    /// Forgets the nodes of a scope, or all.
    pub(crate) fn forget(&self, scope: Option<&Scope>) {
        self.lock().retain(|machine, _| scope.is_some_and(|scope| machine.scope() != *scope));
    }

    /// Starts the node on the context's machine.
    pub(crate) async fn start(&self, context: &Context, trail: &mut Trail) {
        let (Some(machine), Some(name)) = (context.machine(), context.environment()) else { return };
        let world = context.world();
        let Some(environment) = world.environment(name).cloned() else {
            self.lock().remove(machine);
            return;
        };
        let configuration = Configuration::read(world, &environment);
        let facts =
            NodeFacts { bearer: configuration.bearer_facts(), outbound: configuration.outbound_facts() };
        trail.share(&facts.bearer);
        trail.share(&facts.outbound);
        let (checks, keys, failure) = fetch_trust(context, trail, &configuration).await;
        trail.record_checks(checks);
        let state = NodeState {
            expected: Expected::of(&configuration),
            facts,
            configuration,
            environment,
            keys,
            failure,
            start: Arc::clone(context.id()),
            tokens: TokenCache::default(),
        };
        self.lock().insert(machine.clone(), Arc::new(state));
    }
}

/// Fetches the signing keys of the tenant, and says how that went.
async fn fetch_trust(
    context: &Context,
    trail: &mut Trail,
    configuration: &Configuration,
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
    let mut document = None;
    let finding = if readable {
        let call = Call {
            method: Method::GET,
            url: url.clone(),
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        // Where an identity provider answered that it knows no such tenant, the address is right.
        let wrong_address = |refused: bool| {
            advice::remedy(context, |advice| (!refused).then(|| advice.metadata(configuration)))
        };
        match context.call(trail, call).await {
            Ok(reply) if reply.status == StatusCode::OK => {
                document = Some(reply.body);
                Finding::pass("200")
            }
            Ok(reply) => {
                let actual = format!("{} from {url}", reply.status.as_u16());
                let refused = names_a_code(&reply);
                Finding::fail(actual, StartError::MetadataUnreachable).mended_by(|| wrong_address(refused))
            }
            Err(error) => Finding::fail(error.to_string(), StartError::MetadataUnreachable)
                .mended_by(|| wrong_address(false)),
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
