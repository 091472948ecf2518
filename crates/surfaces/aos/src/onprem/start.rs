//! How a node on-premises starts: its startup file, its machine's Root store and clock, then three documents.
//!
//! Decides the questions and tells the reasons apart: no such parameter, a certificate that the machine does not trust, nobody
//! at the address, another document there. What signs the metadata is not looked at unless the environment names a certificate;
//! then nothing but what that one signed is read (that a node reads it over TLS alone is inferred). Whoever answers at the
//! addresses may be the lab's AD FS, another product, or this very node: what comes is read like anybody's.

use std::sync::Arc;

use bytes::Bytes;
use mocktenant_federation::{FederationMetadata, read_verified, signed_text, signed_tree, verify};
use mocktenant_keys::Certificate;
use mocktenant_lab::{Context, Machine, Trail};
use mocktenant_token::bearer::TrustedKey;
use mocktenant_verdict::{Check, Checklist, Finding, Question, Remedy, Role};
use mocktenant_world::Environment;

use super::provider::{self, Discovery, Provider};
use super::{Configuration, Expected, LastRead, State, advice};
use crate::configuration::Input;
use crate::errors::{LogText, StartError};
use crate::events::LOG;
use crate::fetch::{self, Missed, ROOT_TRUSTED, TIME_VALID};
use crate::node::{Product, Started};
use crate::onebox::{CONFIGURATION_READABLE, METADATA_REACHABLE, METADATA_READABLE};

/// The metadata is signed by whom the environment names.
static METADATA_SIGNED: Question = Question::new("metadata-signed", Role::Key).needs(&[&METADATA_REACHABLE]);
/// The openid-configuration can be had.
static DISCOVERY_REACHABLE: Question = Question::new("openid-configuration-reachable", Role::Address)
    .needs(&[&CONFIGURATION_READABLE, &ROOT_TRUSTED, &TIME_VALID])
    .relays();
/// And read.
static DISCOVERY_READABLE: Question =
    Question::new("openid-configuration-readable", Role::Address).needs(&[&DISCOVERY_REACHABLE]);
/// The keys it names can be had.
static KEYS_REACHABLE: Question =
    Question::new("openid-keys-reachable", Role::Address).needs(&[&DISCOVERY_READABLE]).relays();
/// And read.
static KEYS_READABLE: Question =
    Question::new("openid-keys-readable", Role::Authority).needs(&[&KEYS_REACHABLE]);

/// The questions that only this kind asks, in order.
pub(crate) static QUESTIONS: &[&Question] =
    &[&METADATA_SIGNED, &DISCOVERY_REACHABLE, &DISCOVERY_READABLE, &KEYS_REACHABLE, &KEYS_READABLE];

/// Starts the node on the context's machine.
pub(crate) async fn start(
    context: &Context,
    trail: &mut Trail,
    environment: &Arc<Environment>,
    machine: &Machine,
    last: &LastRead,
) -> Started {
    let node = match machine {
        Machine::Node { node, .. } => environment.node(node),
        _ => None,
    };
    let configuration = Configuration::read(environment, node);
    let facts = configuration.facts();
    trail.share(&facts);
    let mut starting = Starting {
        context,
        trail,
        environment,
        configuration: &configuration,
        last,
        list: Checklist::new(context.switches(), StartError::describe),
    };
    let dialled = starting.ask_files();
    let metadata = starting.metadata(dialled).await;
    let provider = starting.provider(dialled).await;
    let (checks, failure) = starting.list.finish();
    if let Some(text) = failure.as_ref().and_then(|failure| log_of(failure, &checks, &configuration)) {
        trail.fact(LOG, text.text());
    }
    trail.record_checks(checks);
    let (entity_id, keys) = metadata.map_or_else(Default::default, |metadata| {
        let keys = metadata.signing_certificates.iter();
        let keys = keys.filter_map(|certificate| TrustedKey::of_certificate(certificate).ok()).collect();
        (Arc::from(&*metadata.entity_id), keys)
    });
    let expected = Expected::of(&configuration);
    let file = node.and_then(|node| node.axsf.clone());
    let state = State { configuration, file, expected, entity_id, provider };
    Started { product: Product::OnPremises(Arc::new(state)), facts, keys, failure }
}

/// What the product's own log says of a start that failed.
fn log_of(failure: &StartError, checks: &[Check], configuration: &Configuration) -> Option<LogText> {
    let check = checks.iter().find(|check| check.failed())?;
    let of_metadata = [&ROOT_TRUSTED, &TIME_VALID, &METADATA_REACHABLE, &METADATA_SIGNED, &METADATA_READABLE];
    let address = if of_metadata.iter().any(|question| check.name == question.name) {
        configuration.metadata_url()
    } else {
        configuration.openid_metadata.value.clone()
    };
    match failure {
        StartError::RootUntrusted | StartError::ClockOff => Some(LogText::Untrusted { address }),
        StartError::ProviderUnreachable
        | StartError::ProviderUnreadable
        | StartError::MetadataUnreachable
        | StartError::MetadataUnreadable
        | StartError::MetadataUnsigned => Some(LogText::Document { address, why: check.actual.to_string() }),
        StartError::ConfigurationIncomplete | StartError::StartupFileIncomplete => None,
    }
}

/// The keys of both documents as they are now; nothing where they cannot be had. What the file says is not read again.
pub(crate) async fn keys(
    context: &Context,
    trail: &mut Trail,
    state: &State,
    environment: &Environment,
    last: &LastRead,
) -> (Option<Vec<TrustedKey>>, Option<Provider>) {
    let configuration = &state.configuration;
    let list = Checklist::new(context.switches(), StartError::describe);
    let mut starting = Starting { context, trail, environment, configuration, last, list };
    let dialled = starting.ask_files();
    let metadata = starting.metadata(dialled).await;
    let keys = metadata.map(|metadata| {
        let certificates = metadata.signing_certificates.iter();
        certificates.filter_map(|certificate| TrustedKey::of_certificate(certificate).ok()).collect()
    });
    (keys, starting.provider(dialled).await)
}

/// A start on its way.
struct Starting<'s> {
    context: &'s Context,
    trail: &'s mut Trail,
    environment: &'s Environment,
    configuration: &'s Configuration,
    last: &'s LastRead,
    list: Checklist<'s, StartError>,
}

impl Starting<'_> {
    /// What can be asked before anybody is called, and whether anybody may be.
    fn ask_files(&mut self) -> bool {
        let configuration = self.configuration;
        let needed =
            [&configuration.metadata_format, &configuration.openid_metadata, &configuration.client_id];
        let missing = || needed.into_iter().filter(|input| input.value.is_empty());
        let finding = match missing().next() {
            None => Finding::pass("all are set"),
            Some(first) => {
                let names: Vec<&str> = missing().map(|input| input.setting.as_str()).collect();
                let actual = format!("empty: {}", names.join(", "));
                Finding::fail(actual, StartError::StartupFileIncomplete)
                    .mended_by(|| self.genuine(first).unwrap_or_default())
            }
        };
        let settings = || needed.into_iter().map(|input| input.setting.clone()).collect();
        let expected = "Aad.AADMetadataLocationFormat, OpenIDConnect.Metadata and OpenIDConnect.ClientID";
        let readable = self.list.ask(&CONFIGURATION_READABLE, expected, settings, finding);
        let urls = [configuration.metadata_url(), configuration.openid_metadata.value.clone()];
        let machine = fetch::Machine::of(self.context, self.environment);
        machine.note(self.trail);
        fetch::ask_tls(&mut self.list, &machine, &urls.each_ref().map(String::as_str)) && readable
    }

    /// What the world says this parameter should be; nothing where it is that already.
    fn genuine(&self, input: &Input<String>) -> Option<Remedy> {
        advice::genuine(self.context.world(), self.environment, self.configuration, input)
    }

    /// A document, and what to say where it did not come.
    async fn fetched(
        &mut self,
        url: &str,
        input: Option<&Input<String>>,
    ) -> (Option<Bytes>, Finding<StartError>) {
        match fetch::get(self.context, self.trail, url).await {
            Ok(body) => (Some(body), Finding::pass("200")),
            Err(Missed { actual, .. }) => {
                let refused = Finding::fail(actual, StartError::ProviderUnreachable);
                let remedy = input.and_then(|input| self.genuine(input));
                (
                    None,
                    match remedy {
                        Some(remedy) => refused.mended_by(|| remedy),
                        None => refused,
                    },
                )
            }
        }
    }

    /// The federation metadata, if it is to be believed.
    async fn metadata(&mut self, dialled: bool) -> Option<Arc<FederationMetadata>> {
        let input = &self.configuration.metadata_format;
        let settings = || vec![input.setting.clone(), self.configuration.tenant_id.setting.clone()];
        let (document, finding) = if dialled {
            self.fetched(&self.configuration.metadata_url(), Some(input)).await
        } else {
            (None, Finding::skip(CONFIGURATION_READABLE.name))
        };
        self.list.ask(&METADATA_REACHABLE, "200 from the address of the metadata", settings, finding);

        let signed_by = self.environment.metadata_signing_certificate.as_ref();
        let own = || signed_by.map(|_| self.environment.pointer.metadata_signing_certificate());
        let verified = document.as_ref().zip(signed_by).map(|(document, by)| verified(document, by));
        let finding = match (&verified, signed_by) {
            (_, None) => Finding::not_applicable("the environment names no certificate"),
            (None, Some(_)) => Finding::skip(METADATA_REACHABLE.name),
            (Some(Ok(_)), _) => Finding::pass("signed by it"),
            (Some(Err(why)), _) => Finding::fail(why.clone(), StartError::MetadataUnsigned),
        };
        let expected = "the signature of metadata_signing_certificate";
        let signed = self.list.ask(&METADATA_SIGNED, expected, || own().into_iter().collect(), finding);

        let read = match verified {
            Some(verified) => verified.ok().map(|read| Ok(Arc::new(read))),
            None => document.map(|document| self.last.read(&document)),
        };
        let finding = match &read {
            None if signed => Finding::skip(METADATA_REACHABLE.name),
            None => Finding::skip(METADATA_SIGNED.name),
            Some(Err(why)) => Finding::fail(why.clone(), StartError::ProviderUnreadable),
            Some(Ok(metadata)) => {
                Finding::held(!metadata.signing_certificates.is_empty(), "with a signing key", || {
                    (format!("{} without a signing key", metadata.entity_id), StartError::ProviderUnreadable)
                })
            }
        };
        let remedy = self.genuine(input).unwrap_or_default();
        let finding = finding.mended_by(|| remedy);
        self.list.ask(
            &METADATA_READABLE,
            "federation metadata with a signing certificate",
            settings,
            finding,
        );
        let metadata = read?.ok()?;
        self.trail.fact("metadata-entity", metadata.entity_id.clone());
        Some(metadata)
    }

    /// The openid-configuration with its keys.
    async fn provider(&mut self, dialled: bool) -> Option<Provider> {
        let input = &self.configuration.openid_metadata;
        let settings = || vec![input.setting.clone()];
        let (document, finding) = if dialled {
            self.fetched(&input.value, Some(input)).await
        } else {
            (None, Finding::skip(CONFIGURATION_READABLE.name))
        };
        self.list.ask(
            &DISCOVERY_REACHABLE,
            "200 from the address of the openid-configuration",
            settings,
            finding,
        );

        let read = document.map(|document| serde_json::from_slice::<Discovery>(&document));
        let finding = match &read {
            None => Finding::skip(DISCOVERY_REACHABLE.name),
            Some(Err(error)) => Finding::fail(error.to_string(), StartError::ProviderUnreadable),
            Some(Ok(_)) => Finding::pass("it is one"),
        };
        let remedy = self.genuine(input).unwrap_or_default();
        let finding = finding.mended_by(|| remedy);
        self.list.ask(&DISCOVERY_READABLE, "an openid-configuration", settings, finding);
        let discovery = read.and_then(Result::ok);

        let (document, finding) = match &discovery {
            None => (None, Finding::skip(DISCOVERY_READABLE.name)),
            Some(discovery) => self.fetched(&discovery.jwks_uri, None).await,
        };
        self.list.ask(&KEYS_REACHABLE, "200 from jwks_uri", settings, finding);
        let keys = document.map(|document| provider::keys(&document));
        let finding = match &keys {
            None => Finding::skip(KEYS_REACHABLE.name),
            Some(Err(error)) => Finding::fail(error.to_string(), StartError::ProviderUnreadable),
            Some(Ok(keys)) => Finding::held(!keys.is_empty(), "with a signing key", || {
                ("without a signing key", StartError::ProviderUnreadable)
            }),
        };
        self.list.ask(&KEYS_READABLE, "keys with a certificate", settings, finding);
        let Discovery { issuer, authorization_endpoint, end_session_endpoint, .. } = discovery?;
        let keys = keys?.ok()?;
        self.trail.fact("openid-issuer", issuer.clone());
        Some(Provider { issuer: issuer.into(), authorization_endpoint, end_session_endpoint, keys })
    }
}

/// What the owner of a certificate signed.
fn verified(document: &Bytes, by: &Certificate) -> Result<FederationMetadata, String> {
    let text = signed_text(document.to_vec()).map_err(|refused| refused.to_string())?;
    let tree = signed_tree(&text).map_err(|refused| refused.to_string())?;
    let verified = verify(tree.root(), "ID", by).map_err(|refused| refused.to_string())?;
    read_verified(&verified).map_err(|error| error.to_string())
}
