//! What a bearer token of a one-box has to say: web.config and the metadata fetched at the last start.
//!
//! Decides issuer, audiences, tenant and keys, and what would mend each refusal. wif.config's audiences judge interactive
//! tokens and are not asked here. Mirrors "Troubleshoot service authentication" of Finance & Operations.

use mocktenant_token::bearer::{TimeWindow, TrustedKey};
use mocktenant_token::ladder::{Failure, Policy, Questions, Step};
use mocktenant_verdict::{Change, Finding, Remedy, Setting, Text};
use time::Duration;

use super::{ALGORITHM, AUDIENCE, Asked, ISSUER, PRESENT, SIGNATURE, TENANT, TIME, WELL_FORMED, clip};
use crate::advice::ISSUER_FORMAT;
use crate::configuration::Input;
use crate::errors::BearerError;
use crate::onebox::State;

static LADDER: Questions = Questions {
    present: &PRESENT,
    present_expected: "Authorization: Bearer",
    well_formed: &WELL_FORMED,
    well_formed_expected: "one JSON web token",
    well_formed_held: "a signed token",
    steps: &[
        (Step::Algorithm, &ALGORITHM),
        (Step::Signature, &SIGNATURE),
        (Step::Issuer, &ISSUER),
        (Step::Audience, &AUDIENCE),
        (Step::Time, &TIME),
        (Step::Tenant, &TENANT),
    ],
    algorithm_expected: "RS256, RS384, RS512, PS256, PS384 or PS512",
    algorithm_missing: "no alg",
    whole_header: false,
};

/// Azure AD Graph.
const AZURE_AD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
/// How a caller comes by a token for it.
const WITHOUT_RESOURCE: &str =
    "a token for Azure AD Graph: it was asked for at the v1 endpoint without `resource`";

/// The policy of a node on a one-box.
pub(super) struct OneBox<'q> {
    /// What is asked.
    pub(super) asked: &'q Asked<'q>,
    /// What the node read.
    pub(super) state: &'q State,
}

impl Policy for OneBox<'_> {
    type Error = BearerError;

    /// As Microsoft.IdentityModel has it.
    const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };

    fn questions(&self) -> &'static Questions {
        &LADDER
    }

    fn keys(&self) -> &[TrustedKey] {
        &self.asked.node.keys
    }

    fn issuer(&self) -> Text {
        (&self.state.expected.issuer).into()
    }

    fn accepts_issuer(&self, sent: &str) -> bool {
        sent == &*self.state.expected.issuer
    }

    fn accepts_audience(&self, sent: &str) -> bool {
        self.accepted().any(|accepted| accepted == sent)
    }

    fn audiences(&self, refused: bool) -> Text {
        if refused {
            self.accepted().collect::<Vec<_>>().join(", ").into()
        } else {
            (&self.state.expected.audiences_shown).into()
        }
    }

    fn tenant(&self) -> Text {
        (&self.state.expected.tenant).into()
    }

    fn accepts_tenant(&self, sent: &str) -> bool {
        let tenant = &self.state.expected.tenant;
        !tenant.is_empty() && sent.eq_ignore_ascii_case(tenant)
    }

    fn any_key(&self) -> &'static str {
        "a key of the federation metadata"
    }

    fn settings(&self, step: Step) -> Vec<Setting> {
        let configuration = &self.state.configuration;
        let inputs: &[_] = match step {
            Step::Signature => &[&configuration.metadata_format, &configuration.tenant_id],
            Step::Issuer => &[&configuration.issuer_format, &configuration.tenant_guid],
            Step::Audience => &[&configuration.host_url],
            Step::Tenant => &[&configuration.tenant_guid],
            Step::Algorithm | Step::Time => &[],
        };
        inputs.iter().map(|input| input.setting.clone()).collect()
    }

    fn shown(&self, text: &str) -> String {
        clip(text)
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<BearerError> {
        let (error, remedy) = match failure {
            Failure::Missing => (BearerError::TokenMissing, None),
            Failure::Malformed => (BearerError::TokenMalformed, None),
            Failure::AlgorithmRefused => (BearerError::AlgorithmRefused, None),
            Failure::SignatureInvalid => (BearerError::SignatureInvalid, None),
            Failure::IssuerUnknown { sent } => (BearerError::IssuerUnknown, self.own_issuer(sent)),
            Failure::AudienceWrong { sent: sent @ [AZURE_AD_GRAPH] } => {
                let remedy = self.audience(sent).advice(WITHOUT_RESOURCE);
                return Finding::fail(format!("{actual}, {WITHOUT_RESOURCE}"), BearerError::AudienceWrong)
                    .mended_by(|| remedy);
            }
            Failure::AudienceWrong { sent } => (BearerError::AudienceWrong, Some(self.audience(sent))),
            Failure::OutOfTime => (BearerError::TimeInvalid, None),
            Failure::TenantWrong { sent } => (BearerError::TenantWrong, self.own_tenant(sent)),
        };
        let refused = Finding::fail(actual, error);
        match remedy {
            Some(remedy) => refused.mended_by(|| remedy),
            None => refused,
        }
    }
}

/// What would mend a refusal. A claim that fits the environment's own tenant and host but not its configuration is right:
/// then the configuration is wrong.
impl OneBox<'_> {
    /// What a token may be for: the environment's URL first.
    fn accepted(&self) -> impl Iterator<Item = &str> {
        self.state.expected.audiences.iter().chain(self.asked.aliases).map(String::as_str)
    }

    fn tenant_id(&self) -> Option<&str> {
        self.asked.environment?.identity.tenant()
    }

    fn audience(&self, sent: &[&str]) -> Remedy {
        let url = self.asked.environment.map(|environment| format!("https://{}", environment.host));
        match url {
            Some(url) if sent.contains(&url.as_str()) => {
                configure(&self.state.configuration.host_url, &format!("{url}/"))
            }
            _ => Remedy::instead(self.accepted().map(str::to_owned)),
        }
    }

    fn own_issuer(&self, sent: Option<&str>) -> Option<Remedy> {
        let tenant = self.tenant_id()?;
        if sent? != ISSUER_FORMAT.replace("{0}", tenant) {
            return None;
        }
        // The format is right if it gives the genuine issuer with the genuine tenant; then the GUID is wrong.
        let configuration = &self.state.configuration;
        let format = &configuration.issuer_format;
        Some(if format.value.contains("{0}") && format.value.replace("{0}", tenant) == sent? {
            configure(&configuration.tenant_guid, tenant)
        } else {
            configure(format, ISSUER_FORMAT)
        })
    }

    fn own_tenant(&self, sent: Option<&str>) -> Option<Remedy> {
        let tenant = self.tenant_id()?;
        Some(if sent.is_some_and(|sent| sent.eq_ignore_ascii_case(tenant)) {
            configure(&self.state.configuration.tenant_guid, tenant)
        } else {
            Remedy::instead([tenant.to_owned()])
        })
    }
}

/// One key of web.config as it should be.
fn configure(input: &Input<String>, right: &str) -> Remedy {
    Change::set(input.setting.clone(), right).expected(right.to_owned()).actual(input.value.clone()).into()
}
