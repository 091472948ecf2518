//! Whether a bearer token is one this organisation accepts.
//!
//! Decides by what the world says: the tenant's issuer and signing keys, the organisation's two URLs as the only audiences
//! (its own and that of its API host; the lab's own addresses of it are aliases), lab time. Never trusts a key or URL that a
//! token brings along. Mirrors the Web API's answer to any such fault: 401 with a challenge and an empty body.
//!
//! Tokens for Dataverse are v1 tokens, because the resource asks for that version whatever endpoint issued them: issuer
//! `https://sts.windows.net/<tenant>/`, the client in `appid`. A v2 token of the same tenant has a foreign issuer.
//!
//! The order and the 5 minutes of clock skew are inferred; that the audience is compared without case and without one
//! final slash is a decision of the design.

use std::sync::Arc;

use mocktenant_lab::{Addresses, Context, Entrance, Exchange, Trail};
use mocktenant_token::bearer::{Authorization, TimeWindow, TrustedKey};
use mocktenant_token::ladder::{self, Failure, Policy, Questions, Step};
use mocktenant_verdict::{Checklist, Finding, Question, Remedy, Role, Setting, Text};
use mocktenant_world::{ApplicationUser, Organization, World, pointers};
use time::{Duration, OffsetDateTime};

use crate::Dataverse;
use crate::errors::{DataverseError, describe, excerpt};

static PRESENT: Question = Question::new("token-present", Role::Token);
pub(crate) static WELL_FORMED: Question = Question::new("token-well-formed", Role::Token).needs(&[&PRESENT]);
static ALGORITHM: Question = Question::new("token-algorithm", Role::Token).needs(&[&WELL_FORMED]);
static ISSUER: Question = Question::new("token-issuer", Role::Authority).needs(&[&WELL_FORMED]);
static SIGNATURE: Question = Question::new("token-signature", Role::Authority).needs(&[&WELL_FORMED]);
static AUDIENCE: Question = Question::new("token-audience", Role::Resource).needs(&[&WELL_FORMED]);
static TIME: Question = Question::new("token-time", Role::Time).needs(&[&WELL_FORMED]);
static TENANT: Question = Question::new("token-tenant", Role::Authority).needs(&[&WELL_FORMED]);

static LADDER: Questions = Questions {
    present: &PRESENT,
    present_expected: "an Authorization header of the scheme Bearer",
    well_formed: &WELL_FORMED,
    well_formed_expected: "one JSON web token of three parts",
    well_formed_held: "a JSON web token of three parts",
    steps: &[
        (Step::Algorithm, &ALGORITHM),
        (Step::Issuer, &ISSUER),
        (Step::Signature, &SIGNATURE),
        (Step::Audience, &AUDIENCE),
        (Step::Time, &TIME),
        (Step::Tenant, &TENANT),
    ],
    algorithm_expected: "an RSA signature algorithm and no critical extension",
    algorithm_missing: "a header without alg",
    whole_header: true,
};

/// The questions about a token, in the order asked.
pub(crate) static QUESTIONS: &[&Question] = &LADDER.all::<8>();

/// The host a challenge names under world names.
const LOGIN_HOST: &str = "login.microsoftonline.com";

/// What one organisation trusts, prepared once per snapshot.
pub(crate) struct Trust {
    /// The tenant's issuer of v1 tokens.
    issuer: Arc<str>,
    /// The tenant's id.
    tenant: Arc<str>,
    /// The tenant's token-signing keys.
    keys: Vec<TrustedKey>,
    /// Accepted audiences without their final slash, the organisation's URL first.
    audiences: Vec<String>,
    /// The same as checks show them.
    audiences_shown: Arc<str>,
    /// Where the signing keys are declared.
    signing: Setting,
}

impl Trust {
    /// What an organisation trusts in this world.
    pub(crate) fn of(organization: &Organization, world: &World, addresses: &Addresses) -> Self {
        let tenant = world.tenant(&organization.tenant);
        let tenant_id = tenant.map_or(organization.tenant.as_str(), |tenant| &*tenant.id);
        let issuer = format!("https://sts.windows.net/{tenant_id}/").into();
        let keys = tenant.map_or_else(Vec::new, |tenant| {
            // a signing identity has a usable RSA key, so none is left out
            let trusted =
                |identity: &mocktenant_keys::Identity| TrustedKey::of_certificate(identity.certificate());
            tenant.signing.iter().filter_map(|identity| trusted(identity).ok()).collect()
        });
        let declared = [&organization.host, &organization.api_host];
        let mut audiences: Vec<String> = declared.iter().map(|host| format!("https://{host}")).collect();
        audiences.extend(addresses.all(&Entrance::organization(&organization.key)).map(str::to_owned));
        let signing = pointers::tenant(tenant_id).signing_keys();
        Self {
            issuer,
            tenant: organization.tenant.as_str().into(),
            keys,
            audiences_shown: audiences.join(" or ").into(),
            audiences,
            signing,
        }
    }
}

/// Azure AD Graph.
const AZURE_AD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
/// How a caller comes by a token for it.
const WITHOUT_RESOURCE: &str =
    "a token for Azure AD Graph: it was asked for at the v1 endpoint without `resource`";

fn without_slash(url: &str) -> &str {
    url.strip_suffix('/').unwrap_or(url)
}

/// Asks every question about the token; gives the client id it was issued to, if it can be read at all.
pub(crate) fn ask(
    list: &mut Checklist<'_, DataverseError>,
    organization: &Organization,
    trust: &Trust,
    authorization: &Authorization<'_>,
    now: OffsetDateTime,
) -> Option<String> {
    let token = ladder::ask(list, &Own { organization, trust }, authorization, now)?;
    token.claims().text("appid").map(excerpt)
}

/// Who presents a token, as `asked` knows users, or why nobody is let in: with a request or without one. Checks and facts
/// go on the trail.
pub(crate) fn identify<'o>(
    context: &Context,
    trail: &mut Trail,
    organization: &'o Organization,
    authorization: &Authorization<'_>,
    asked: impl FnOnce(&mut Checklist<'_, DataverseError>, Option<&str>) -> Option<&'o ApplicationUser>,
) -> Result<Option<&'o ApplicationUser>, DataverseError> {
    trail.fact_from("organization", &organization.key, organization.pointer.setting());
    let prepared = context.prepared::<Dataverse>();
    let known = prepared.organizations.get(&*organization.key).ok_or(DataverseError::Unexpected)?;
    let mut list = Checklist::new(context.switches(), describe);
    let client_id = ask(&mut list, organization, &known.trust, authorization, context.now());
    let user = asked(&mut list, client_id.as_deref());
    if let Some(client_id) = client_id {
        trail.fact("client-id", client_id);
    }
    if let Some(user) = user {
        trail.fact_from("user", user.id.clone(), user.pointer.setting());
    }
    let (checks, refusal) = list.finish();
    trail.record_checks(checks);
    refusal.map_or(Ok(user), Err)
}

/// An organisation's policy.
struct Own<'a> {
    organization: &'a Organization,
    trust: &'a Trust,
}

impl Policy for Own<'_> {
    type Error = DataverseError;

    const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };
    const BESIDE_ITS_KEY: bool = true;

    fn questions(&self) -> &'static Questions {
        &LADDER
    }

    fn keys(&self) -> &[TrustedKey] {
        &self.trust.keys
    }

    fn issuer(&self) -> Text {
        (&self.trust.issuer).into()
    }

    fn accepts_issuer(&self, sent: &str) -> bool {
        sent == &*self.trust.issuer
    }

    fn accepts_audience(&self, sent: &str) -> bool {
        let sent = without_slash(sent);
        self.trust.audiences.iter().any(|accepted| without_slash(accepted).eq_ignore_ascii_case(sent))
    }

    fn audiences(&self, _refused: bool) -> Text {
        (&self.trust.audiences_shown).into()
    }

    fn tenant(&self) -> Text {
        (&self.trust.tenant).into()
    }

    fn accepts_tenant(&self, sent: &str) -> bool {
        sent.eq_ignore_ascii_case(&self.trust.tenant)
    }

    fn any_key(&self) -> &'static str {
        "a signature by a key of the tenant"
    }

    fn settings(&self, step: Step) -> Vec<Setting> {
        let at = &self.organization.pointer;
        match step {
            Step::Issuer | Step::Tenant => vec![at.tenant()],
            Step::Signature => vec![self.trust.signing.clone()],
            Step::Audience => vec![at.host()],
            Step::Algorithm | Step::Time => Vec::new(),
        }
    }

    fn shown(&self, text: &str) -> String {
        excerpt(text)
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<DataverseError> {
        let url = || Remedy::instead([format!("https://{}", self.organization.host)]);
        let error = DataverseError::Unauthorized;
        match failure {
            Failure::AudienceWrong { sent: [AZURE_AD_GRAPH] } => {
                let actual = format!("{actual}, {WITHOUT_RESOURCE}");
                Finding::fail(actual, error).mended_by(|| url().advice(WITHOUT_RESOURCE))
            }
            // The organisation's URLs are its own: whoever asked for the token asked for another one's.
            Failure::AudienceWrong { .. } => Finding::fail(actual, error).mended_by(url),
            _ => Finding::fail(actual, error),
        }
    }
}

/// The challenge: `Bearer authorization_uri=https://login.microsoftonline.com/<tid>/oauth2/authorize,
/// resource_id=https://<org>/`. Both URLs are those the caller can reach; the resource is the organisation's URL also at the
/// API host.
pub(crate) fn challenge(exchange: &Exchange, organization: &Organization) -> String {
    let authority = exchange.base_url_of(&Entrance::Identity, LOGIN_HOST);
    let resource = exchange.base_url_of(&Entrance::organization(&organization.key), &organization.host);
    format!(
        "Bearer authorization_uri={authority}/{}/oauth2/authorize, resource_id={resource}/",
        organization.tenant
    )
}
