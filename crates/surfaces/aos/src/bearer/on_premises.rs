//! What a bearer token on-premises has to say: the startup file and the metadata fetched at the last start.
//!
//! Decides issuer, audiences and keys, and what would mend each refusal. AD FS has no tenants and writes no `oid`, so neither
//! is asked for. Which audiences are taken, and that hosts of issuers compare without case, is inferred from what set-up
//! registers and from what field notes on service clients ask for.

use mocktenant_token::bearer::{TimeWindow, TrustedKey};
use mocktenant_token::ladder::{Failure, Policy, Questions, Step};
use mocktenant_verdict::{Finding, Remedy, Setting, Text};
use time::Duration;

use super::{ALGORITHM, AUDIENCE, Asked, ISSUER, PRESENT, SIGNATURE, TIME, WELL_FORMED, clip};
use crate::errors::BearerError;
use crate::onprem::State;

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
    ],
    algorithm_expected: "RS256, RS384, RS512, PS256, PS384 or PS512",
    algorithm_missing: "no alg",
    whole_header: false,
};

/// The policy of a node on-premises.
pub(super) struct OnPremises<'q> {
    /// What is asked.
    pub(super) asked: &'q Asked<'q>,
    /// What the node read.
    pub(super) state: &'q State,
}

impl OnPremises<'_> {
    /// What a token may be for: the valid audience first.
    fn accepted(&self) -> impl Iterator<Item = &str> {
        self.state.expected.audiences.iter().chain(self.asked.aliases).map(String::as_str)
    }
}

impl Policy for OnPremises<'_> {
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
        self.state.expected.accepts_issuer(sent)
    }

    fn accepts_audience(&self, sent: &str) -> bool {
        self.accepted().any(|accepted| accepted == sent || accepted.strip_suffix('/') == Some(sent))
    }

    fn audiences(&self, refused: bool) -> Text {
        if refused {
            self.accepted().collect::<Vec<_>>().join(", ").into()
        } else {
            (&self.state.expected.audiences_shown).into()
        }
    }

    fn any_key(&self) -> &'static str {
        "a key of the federation metadata"
    }

    fn settings(&self, step: Step) -> Vec<Setting> {
        let configuration = &self.state.configuration;
        let inputs: &[_] = match step {
            Step::Signature => &[&configuration.metadata_format, &configuration.tenant_id],
            Step::Issuer => &[&configuration.issuer_format, &configuration.tenant_guid],
            Step::Audience => &[&configuration.valid_audience],
            Step::Tenant | Step::Algorithm | Step::Time => &[],
        };
        inputs.iter().map(|input| input.setting.clone()).collect()
    }

    fn shown(&self, text: &str) -> String {
        clip(text)
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<BearerError> {
        let advice = || self.asked.environment.zip(self.asked.world);
        let (error, remedy) = match failure {
            Failure::Missing => (BearerError::TokenMissing, None),
            Failure::Malformed => (BearerError::TokenMalformed, None),
            Failure::AlgorithmRefused => (BearerError::AlgorithmRefused, None),
            Failure::SignatureInvalid => (BearerError::StartupSignatureInvalid, None),
            Failure::IssuerUnknown { sent } => {
                let remedy = advice().zip(sent).and_then(|((environment, world), sent)| {
                    crate::onprem::advice::issuer(world, environment, &self.state.configuration, sent)
                });
                (BearerError::StartupIssuerUnknown, remedy)
            }
            Failure::AudienceWrong { sent } => (BearerError::StartupAudienceWrong, Some(self.audience(sent))),
            Failure::OutOfTime => (BearerError::TimeInvalid, None),
            // Never asked here.
            Failure::TenantWrong { .. } => (BearerError::TenantWrong, None),
        };
        let refused = Finding::fail(actual, error);
        match remedy {
            Some(remedy) => refused.mended_by(|| remedy),
            None => refused,
        }
    }
}

impl OnPremises<'_> {
    /// A token for the environment's own URL is right: then the startup file is wrong.
    fn audience(&self, sent: &[&str]) -> Remedy {
        let own = self.asked.environment.map(|environment| format!("https://{}/", environment.host));
        match own {
            Some(url) if sent.iter().any(|sent| *sent == url || url.strip_suffix('/') == Some(sent)) => {
                crate::onprem::advice::set(&self.state.configuration.valid_audience, &url).into()
            }
            _ => Remedy::instead(self.accepted().map(str::to_owned)),
        }
    }
}
