//! Whether a bearer token is one this organisation accepts.
//!
//! Decides by what the world says: the tenant's issuer and signing keys, the organisation's URL as the only audience (the
//! lab's own address of the organisation is an alias of it, the API host is not), lab time. Never trusts a key or URL that a
//! token brings along. Mirrors the Web API's answer to any such fault: 401 with a challenge and an empty body.
//!
//! Tokens for Dataverse are v1 tokens, because the resource asks for that version whatever endpoint issued them: issuer
//! `https://sts.windows.net/<tenant>/`, the client in `appid`. A v2 token of the same tenant has a foreign issuer.
//!
//! The order and the 5 minutes of clock skew are inferred; that the audience is compared without case and without one
//! final slash is a decision of the design.

use std::borrow::Cow;
use std::sync::Arc;

use mocktenant_keys::Algorithm;
use mocktenant_lab::{Addresses, Entrance, Exchange};
use mocktenant_token::bearer::{Authorization, SignatureFinding, TimeWindow, TrustedKey, select_key};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::{Checklist, Finding, Question, Remedy, Role, Setting, Text};
use mocktenant_world::{Organization, World, pointers};
use time::{Duration, OffsetDateTime};

use crate::errors::{DataverseError, excerpt};

static PRESENT: Question = Question::new("token-present", Role::Token);
pub(crate) static WELL_FORMED: Question = Question::new("token-well-formed", Role::Token).needs(&[&PRESENT]);
static ALGORITHM: Question = Question::new("token-algorithm", Role::Token).needs(&[&WELL_FORMED]);
static ISSUER: Question = Question::new("token-issuer", Role::Authority).needs(&[&WELL_FORMED]);
static SIGNATURE: Question =
    Question::new("token-signature", Role::Authority).needs(&[&WELL_FORMED, &ALGORITHM]);
static AUDIENCE: Question = Question::new("token-audience", Role::Resource).needs(&[&WELL_FORMED]);
static TIME: Question = Question::new("token-time", Role::Time).needs(&[&WELL_FORMED]);
static TENANT: Question = Question::new("token-tenant", Role::Authority).needs(&[&WELL_FORMED]);

/// The questions about a token, in order.
pub(crate) static QUESTIONS: [&Question; 8] =
    [&PRESENT, &WELL_FORMED, &ALGORITHM, &ISSUER, &SIGNATURE, &AUDIENCE, &TIME, &TENANT];

/// The host a challenge names under world names.
const LOGIN_HOST: &str = "login.microsoftonline.com";

/// Tolerance of `nbf` and `exp`.
const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };

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
        let mut audiences = vec![format!("https://{}", organization.host)];
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

    fn accepts_audience(&self, audience: &str) -> bool {
        let audience = without_slash(audience);
        self.audiences.iter().any(|accepted| without_slash(accepted).eq_ignore_ascii_case(audience))
    }
}

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
    let refused = || DataverseError::Unauthorized;
    let present = !matches!(authorization, Authorization::Missing | Authorization::OtherScheme(_));
    list.ask(
        &PRESENT,
        "an Authorization header of the scheme Bearer",
        Vec::new(),
        Finding::held(present, "a bearer token", || (authorization.to_string(), refused())),
    );

    let parsed = match authorization {
        Authorization::Bearer(token) => Some(Compact::parse(token)),
        _ => None,
    };
    let well_formed = match (&parsed, present) {
        (_, false) => Finding::skip("token-present"),
        (None, true) => Finding::fail(authorization.to_string(), refused()),
        (Some(Err(malformed)), true) => Finding::fail(malformed.to_string(), refused()),
        (Some(Ok(_)), true) => Finding::pass("a JSON web token of three parts"),
    };
    list.ask(&WELL_FORMED, "one JSON web token of three parts", Vec::new(), well_formed);

    let Some(Ok(token)) = parsed else {
        for question in &QUESTIONS[2..] {
            list.skip(question, &WELL_FORMED);
        }
        return None;
    };
    let claims = token.claims();

    let algorithm = token.header().alg().and_then(Algorithm::from_name);
    let critical = token.unknown_crit();
    let asked = || match token.header().alg() {
        Some(name) if critical.is_empty() => excerpt(name),
        Some(name) => format!("{}, crit {}", excerpt(name), excerpt(&critical.join(", "))),
        None => "a header without alg".to_owned(),
    };
    let finding = match algorithm.filter(|_| critical.is_empty()) {
        Some(algorithm) => Finding::pass(algorithm.name()),
        None => Finding::fail(asked(), refused()),
    };
    list.ask(&ALGORITHM, "an RSA signature algorithm and no critical extension", Vec::new(), finding);

    let issuer = claims.text("iss");
    list.ask(
        &ISSUER,
        &trust.issuer,
        || vec![organization.pointer.tenant()],
        Finding::held(issuer == Some(&*trust.issuer), &trust.issuer, || (shown(issuer, "no iss"), refused())),
    );

    ask_signature(list, trust, &token, algorithm);
    ask_claims(list, organization, trust, claims, now);
    claims.text("appid").map(excerpt)
}

fn ask_signature(
    list: &mut Checklist<'_, DataverseError>,
    trust: &Trust,
    token: &Compact<'_>,
    algorithm: Option<Algorithm>,
) {
    let refused = || DataverseError::Unauthorized;
    let found = select_key(token.header(), &trust.keys);
    let finding = match (algorithm, found.key()) {
        (None, _) => Finding::skip("token-algorithm"),
        (Some(_), None) => Finding::fail(found.to_string(), refused()),
        (Some(algorithm), Some(key)) => {
            let valid = key.public_key.verify(algorithm, token.signing_input(), token.signature());
            Finding::held(valid, "a valid signature", || {
                (format!("{}, {found}", SignatureFinding::Mismatch { algorithm }), refused())
            })
        }
    };
    let expected: Text = match &finding {
        Finding::Pass { .. } => "a signature by a key of the tenant".into(),
        _ => format!("a signature by {}", found.expected()).into(),
    };
    list.ask(&SIGNATURE, expected, || vec![trust.signing.clone()], finding);
}

fn ask_claims(
    list: &mut Checklist<'_, DataverseError>,
    organization: &Organization,
    trust: &Trust,
    claims: Claims<'_>,
    now: OffsetDateTime,
) {
    let refused = || DataverseError::Unauthorized;
    let audience = claims.audience();
    let actual = || match audience.all() {
        [] => Cow::Borrowed("no aud"),
        all => Cow::Owned(excerpt(&all.join(", "))),
    };
    let holds = audience.all().iter().any(|one| trust.accepts_audience(one));
    list.ask(
        &AUDIENCE,
        &trust.audiences_shown,
        || vec![organization.pointer.host()],
        Finding::held(holds, "one of them", || (actual(), refused()))
            .mended_by(|| Remedy::instead([format!("https://{}", organization.host)])),
    );

    let time = WINDOW.judge(claims, now);
    list.ask(&TIME, WINDOW.expected(), Vec::new(), time.finding(refused));

    let tenant = claims.text("tid");
    list.ask(
        &TENANT,
        &trust.tenant,
        || vec![organization.pointer.tenant()],
        Finding::held(
            tenant.is_some_and(|tenant| tenant.eq_ignore_ascii_case(&trust.tenant)),
            &trust.tenant,
            || (shown(tenant, "no tid"), refused()),
        ),
    );
}

fn shown(value: Option<&str>, absent: &'static str) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed(absent), |value| Cow::Owned(excerpt(value)))
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
