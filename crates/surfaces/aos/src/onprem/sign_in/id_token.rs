//! What an id_token has to say for a browser to come in.
//!
//! Decides issuer, audience, keys and time as the openid-configuration fetched at the last start has them, and the client id of
//! the startup file. Mirrors OWIN's OpenIdConnect middleware, which validates before it looks at the nonce.

use mocktenant_token::bearer::{TimeWindow, TrustedKey};
use mocktenant_token::ladder::{Failure, Policy, Questions, Step};
use mocktenant_verdict::{Change, Finding, Need, Question, Role, Setting, Text};
use time::Duration;

use crate::bearer::clip;
use crate::errors::SignInError;
use crate::onprem::{Provider, State};

static PRESENT: Question = Question::new("id-token-present", Role::Token);
pub(super) static WELL_FORMED: Question =
    Question::new("id-token-well-formed", Role::Token).needs(&[&PRESENT]);
static ALGORITHM: Question = Question::new("id-token-algorithm", Role::Token).needs(&[&WELL_FORMED]);
static SIGNATURE: Question = Question::new("id-token-signature", Role::Authority).needs(&[&WELL_FORMED]);
static ISSUER: Question = Question::new("id-token-issuer", Role::Authority).needs(&[&WELL_FORMED]);
static AUDIENCE: Question = Question::new("id-token-audience", Role::Client).needs(&[&WELL_FORMED]);
static TIME: Question = Question::new("id-token-time", Role::Time).needs(&[&WELL_FORMED]);

static LADDER: Questions = Questions {
    present: &PRESENT,
    present_expected: "an id_token in the form",
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

/// Its questions, in the order asked.
pub(crate) static QUESTIONS: &[&Question] = &LADDER.all::<7>();

/// The policy of a node.
pub(super) struct IdToken<'q> {
    pub(super) state: &'q State,
    pub(super) provider: &'q Provider,
}

impl Policy for IdToken<'_> {
    type Error = SignInError;

    /// As Microsoft.IdentityModel has it.
    const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };

    fn questions(&self) -> &'static Questions {
        &LADDER
    }

    fn keys(&self) -> &[TrustedKey] {
        &self.provider.keys
    }

    fn issuer(&self) -> Text {
        (&self.provider.issuer).into()
    }

    fn accepts_issuer(&self, sent: &str) -> bool {
        sent == &*self.provider.issuer
    }

    fn accepts_audience(&self, sent: &str) -> bool {
        sent.eq_ignore_ascii_case(&self.state.configuration.client_id.value)
    }

    fn audiences(&self, _refused: bool) -> Text {
        self.state.configuration.client_id.value.clone().into()
    }

    fn any_key(&self) -> &'static str {
        "a key of the openid-configuration"
    }

    fn settings(&self, step: Step) -> Vec<Setting> {
        let configuration = &self.state.configuration;
        match step {
            Step::Signature | Step::Issuer => vec![configuration.openid_metadata.setting.clone()],
            Step::Audience => vec![configuration.client_id.setting.clone()],
            Step::Algorithm | Step::Time | Step::Tenant => Vec::new(),
        }
    }

    fn shown(&self, text: &str) -> String {
        clip(text)
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<SignInError> {
        let configuration = &self.state.configuration;
        let (error, input) = match failure {
            Failure::Missing => (SignInError::TokenMissing, None),
            Failure::Malformed => (SignInError::TokenMalformed, None),
            Failure::AlgorithmRefused => (SignInError::AlgorithmRefused, None),
            Failure::SignatureInvalid => {
                (SignInError::SignatureInvalid, Some(&configuration.openid_metadata))
            }
            Failure::IssuerUnknown { .. } | Failure::TenantWrong { .. } => {
                (SignInError::IssuerUnknown, Some(&configuration.openid_metadata))
            }
            Failure::AudienceWrong { .. } => (SignInError::AudienceWrong, Some(&configuration.client_id)),
            Failure::OutOfTime => (SignInError::TimeInvalid, None),
        };
        let refused = Finding::fail(actual, error);
        match input {
            // Whoever issued it is whom the file names, or was when the node started: what else it should be a person knows.
            Some(input) => refused.mended_by(|| {
                let need = Need::add(input.setting.clone(), "the value of the federation service in use");
                Change::wrong(input.setting.clone()).actual(input.value.clone()).need(need)
            }),
            None => refused,
        }
    }
}
