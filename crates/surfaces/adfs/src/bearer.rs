//! Whether a token that comes back to this federation service is one of its own, and for the place that it comes to.
//!
//! Decides by the service alone: its published signing keys, its identifier as the issuer, its clock, and the audiences that
//! the place takes. What differs between the places ([`Place`]: userinfo, on-behalf-of) is handed in. At userinfo that is
//! `urn:microsoft:userinfo` as the audience, and that there is a `sub`, which only a user's token has; on Windows Server 2022,
//! whose builds since June 2024 do, the audience of any of its Web APIs is taken too. Never trusts a key that a token brings
//! along, and never decides what a place says.
//!
//! Inferred: the order, the five minutes of skew, and that a token without `sub` is refused as any other bad one.

use std::sync::Arc;

use mocktenant_keys::Identity;
use mocktenant_lab::{Context, Trail};
use mocktenant_token::bearer::{Authorization, TimeWindow, TrustedKey};
use mocktenant_token::ladder::{self, Failure, Policy, Questions, Step};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::{Checklist, Finding, Question, Remedy, Role, Setting, Text};
use mocktenant_world::declaration::Profile;
use mocktenant_world::{Client, FederationService};
use time::Duration;

use crate::asking::excerpt;
use crate::claims::audience;
use crate::errors::{AdfsError, describe};
use crate::prepared::PreparedService;
use crate::scope::USERINFO;

static PRESENT: Question = Question::new("token-present", Role::Token);
static WELL_FORMED: Question = Question::new("token-well-formed", Role::Token).needs(&[&PRESENT]);
static ALGORITHM: Question = Question::new("token-algorithm", Role::Token).needs(&[&WELL_FORMED]);
static SIGNATURE: Question = Question::new("token-signature", Role::Authority).needs(&[&WELL_FORMED]);
static ISSUER: Question = Question::new("token-issuer", Role::Authority).needs(&[&WELL_FORMED]);
static TIME: Question = Question::new("token-time", Role::Time).needs(&[&WELL_FORMED]);
static AUDIENCE: Question = Question::new("token-audience", Role::Resource).needs(&[&WELL_FORMED]);
static SUBJECT: Question = Question::new("token-subject", Role::User).needs(&[&WELL_FORMED]);

static LADDER: Questions = Questions {
    present: &PRESENT,
    present_expected: "an Authorization header of the scheme Bearer",
    well_formed: &WELL_FORMED,
    well_formed_expected: "one JSON web token of three parts",
    well_formed_held: "a JSON web token of three parts",
    steps: &[
        (Step::Algorithm, &ALGORITHM),
        (Step::Signature, &SIGNATURE),
        (Step::Issuer, &ISSUER),
        (Step::Time, &TIME),
        (Step::Audience, &AUDIENCE),
    ],
    algorithm_expected: "an RSA signature algorithm and no critical extension",
    algorithm_missing: "a header without alg",
    whole_header: true,
};

/// The questions about an access token, in the order asked.
pub(crate) static QUESTIONS: &[&Question] =
    &[&PRESENT, &WELL_FORMED, &ALGORITHM, &SIGNATURE, &ISSUER, &TIME, &AUDIENCE, &SUBJECT];

/// How a client comes by a token that userinfo takes.
const WITHOUT_RESOURCE: &str = "ask for the token without `resource`, with scope `openid`";

/// For whoever sent an id token where an access token belongs.
pub(crate) const SEND_ACCESS_TOKEN: &str = "that is an id token: send the access token";

/// What a service trusts of the tokens that come back to it, prepared once per snapshot.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Its published keys.
    keys: Vec<TrustedKey>,
    /// Its identifier.
    issuer: Arc<str>,
    /// The audiences it takes, userinfo's first.
    audiences: Vec<String>,
    /// The same as checks show them.
    audiences_shown: Arc<str>,
}

impl Trust {
    /// What a service with this identifier trusts.
    pub(crate) fn of(service: &FederationService, identifier: &str) -> Self {
        // a signing identity has a usable RSA key, so none is left out
        let trusted = |identity: &Identity| TrustedKey::of_certificate(identity.certificate()).ok();
        let mut audiences = vec![USERINFO.to_owned()];
        if service.profile >= Profile::Server2022 {
            let identifiers = service.web_apis.iter().flat_map(|web_api| web_api.all_identifiers());
            audiences.extend(identifiers.map(|(identifier, _)| audience(identifier).into_owned()));
        }
        Self {
            keys: service.signing.iter().filter_map(trusted).collect(),
            issuer: identifier.into(),
            audiences_shown: audiences.join(" or ").into(),
            audiences,
        }
    }
}

impl Trust {
    /// Of access tokens.
    pub(crate) fn issuers(&self) -> [&str; 2] {
        [&self.issuer; 2]
    }
}

/// Asks every question about a token; gives its `sub`. Checks and facts go on the trail.
pub(crate) fn identify(
    context: &Context,
    trail: &mut Trail,
    prepared: &PreparedService,
    authorization: &Authorization<'_>,
) -> Result<String, AdfsError> {
    let mut list = Checklist::new(context.switches(), describe);
    let token = ladder::ask(&mut list, &Place::userinfo(prepared), authorization, context.now());
    let claims = token.as_ref().map(Compact::claims);
    let subject = claims.and_then(|claims| claims.text("sub")).filter(|subject| !subject.is_empty());
    list.ask(&SUBJECT, "a sub", Vec::new(), || match (claims, subject) {
        (None, _) => Finding::skip(WELL_FORMED.name),
        (Some(_), Some(_)) => Finding::pass("a sub"),
        (Some(_), None) => Finding::fail("no sub", AdfsError::UserinfoTokenInvalid).mended_by(|| {
            Remedy::instead(Vec::<String>::new())
                .advice("sign a user in and ask without `resource`: a client's own token has no sub")
        }),
    });
    for (fact, claim) in [("client-id", "appid"), ("audience", "aud")] {
        if let Some(value) = claims.and_then(|claims| claims.text(claim)) {
            trail.fact(fact, excerpt(value));
        }
    }
    let subject = subject.unwrap_or_default().to_owned();
    let (checks, refusal) = list.finish();
    trail.record_checks(checks);
    refusal.map_or(Ok(subject), Err)
}

/// Whether a pasted token is an access token rather than a client's assertion: only the former says how somebody signed in
/// or which kind of application asked, and is issued by the service.
pub(crate) fn is_access_token(prepared: &PreparedService, token: &str) -> bool {
    let Ok(token) = Compact::parse(token) else { return false };
    let claims: Claims<'_> = token.claims();
    let named = |claim| claims.text(claim).is_some();
    named("apptype") || named("authmethod") || claims.text("iss") == Some(&prepared.identifier)
}

/// A place that tokens come back to, and what it has for its own.
pub(crate) struct Place<'p> {
    pub(crate) prepared: &'p PreparedService,
    /// Its questions.
    pub(crate) questions: &'static Questions,
    /// The issuers it takes, the first as checks show it.
    pub(crate) issuers: [&'p str; 2],
    /// The audiences it takes.
    pub(crate) audiences: &'p [String],
    /// The same as checks show them.
    pub(crate) audiences_shown: Text,
    /// Whose identifier the audience is, where it is a client's.
    pub(crate) client: Option<&'p Client>,
    /// Its error for what is wrong with a token, and what would mend it.
    pub(crate) refuse: Refuse,
}

/// How a place refuses.
pub(crate) type Refuse = fn(&Place<'_>, Text, Failure<'_>) -> Finding<AdfsError>;

impl<'p> Place<'p> {
    fn userinfo(prepared: &'p PreparedService) -> Self {
        Self {
            prepared,
            questions: &LADDER,
            issuers: prepared.trust.issuers(),
            audiences: &prepared.trust.audiences,
            audiences_shown: (&prepared.trust.audiences_shown).into(),
            client: None,
            refuse: refused_at_userinfo,
        }
    }

    /// Whether a token's issuer is that of this service's id tokens, and not that of its access tokens.
    pub(crate) fn is_of_id_tokens(&self, issuer: Option<&str>) -> bool {
        issuer == Some(&self.prepared.canonical_issuer)
    }
}

fn refused_at_userinfo(place: &Place<'_>, actual: Text, failure: Failure<'_>) -> Finding<AdfsError> {
    match failure {
        Failure::Missing => Finding::fail(actual, AdfsError::UserinfoMissing),
        Failure::AudienceWrong { sent } => {
            let audience = excerpt(sent.first().copied().unwrap_or_default());
            Finding::fail(actual, AdfsError::UserinfoAudience { audience })
                .mended_by(|| Remedy::instead([USERINFO]).advice(WITHOUT_RESOURCE))
        }
        Failure::IssuerUnknown { sent } => {
            Finding::fail(actual, AdfsError::UserinfoTokenInvalid).mended_by(|| {
                let own = Remedy::instead([place.prepared.identifier.clone()]);
                if place.is_of_id_tokens(sent) { own.advice(SEND_ACCESS_TOKEN) } else { own }
            })
        }
        _ => Finding::fail(actual, AdfsError::UserinfoTokenInvalid),
    }
}

impl Policy for Place<'_> {
    type Error = AdfsError;

    const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };
    const BESIDE_ITS_KEY: bool = true;

    fn questions(&self) -> &'static Questions {
        self.questions
    }

    fn keys(&self) -> &[TrustedKey] {
        &self.prepared.trust.keys
    }

    fn issuer(&self) -> Text {
        self.issuers[0].to_owned().into()
    }

    fn accepts_issuer(&self, sent: &str) -> bool {
        self.issuers.contains(&sent)
    }

    fn accepts_audience(&self, sent: &str) -> bool {
        self.audiences.iter().any(|accepted| accepted == sent)
    }

    fn audiences(&self, _refused: bool) -> Text {
        self.audiences_shown.clone()
    }

    fn any_key(&self) -> &'static str {
        "a signature by a token-signing key of the service"
    }

    fn settings(&self, step: Step) -> Vec<Setting> {
        let at = &self.prepared.service.pointer;
        match step {
            Step::Signature => vec![at.signing_keys()],
            Step::Issuer => vec![at.host_name(), at.m365_compatibility()],
            Step::Audience => vec![self.client.map_or_else(|| at.profile(), |client| client.pointer.clone())],
            Step::Time => vec![at.clock()],
            Step::Algorithm | Step::Tenant => Vec::new(),
        }
    }

    fn shown(&self, text: &str) -> String {
        excerpt(text)
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<AdfsError> {
        (self.refuse)(self, actual, failure)
    }
}
