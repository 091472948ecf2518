//! Whether a bearer token of a service call is accepted, and whom it stands for.
//!
//! Decides the ordered checks of a one-box AOS: the token as such, then what web.config and the metadata fetched at the
//! last start say about it, then the live rows of SysAADClientTable and UserInfo. wif.config's audiences judge
//! interactive tokens and are not asked here. Deciding is pure: a token is judged the same with and without a request.

use std::sync::Arc;

use mocktenant_keys::Algorithm;
use mocktenant_lab::{Context, Exchange};
use mocktenant_token::bearer::{
    Authorization, SignatureFinding, TimeWindow, TrustedKey, read_authorization, select_key, verify_signature,
};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::foreign::cut;
use mocktenant_verdict::{
    Change, Check, Checklist, Finding, Question, Remedy, Role, Setting, Switches, Text,
};
use mocktenant_world::{Environment, World};
use time::{Duration, OffsetDateTime};

use crate::Aos;
use crate::advice::{self, Advice};
use crate::errors::BearerError;
use crate::node::NodeState;

static PRESENT: Question = Question::new("token-present", Role::Token);
static WELL_FORMED: Question = Question::new("token-well-formed", Role::Token).needs(&[&PRESENT]);
static ALGORITHM: Question = Question::new("token-algorithm", Role::Token).needs(&[&WELL_FORMED]);
static SIGNATURE: Question = Question::new("token-signature", Role::Authority).needs(&[&WELL_FORMED]);
static ISSUER: Question = Question::new("token-issuer", Role::Authority).needs(&[&WELL_FORMED]);
static AUDIENCE: Question = Question::new("token-audience", Role::Resource).needs(&[&WELL_FORMED]);
static TIME: Question = Question::new("token-time", Role::Time).needs(&[&WELL_FORMED]);
static TENANT: Question = Question::new("token-tenant", Role::Authority).needs(&[&WELL_FORMED]);
static OBJECT_ID: Question = Question::new("token-object-id", Role::Client).needs(&[&WELL_FORMED]);
static MAPPED: Question = Question::new("application-mapped", Role::User).needs(&[&WELL_FORMED]);
static ENABLED: Question = Question::new("user-enabled", Role::User).needs(&[&MAPPED]);

/// The questions about a bearer token, in order.
pub(crate) static QUESTIONS: [&Question; 11] = [
    &PRESENT,
    &WELL_FORMED,
    &ALGORITHM,
    &SIGNATURE,
    &ISSUER,
    &AUDIENCE,
    &TIME,
    &TENANT,
    &OBJECT_ID,
    &MAPPED,
    &ENABLED,
];

/// Clock skew a token's times are judged with, as Microsoft.IdentityModel has it.
const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };
/// How much of a claim goes into a check: a token may be 64 KiB.
const SHOWN: usize = 128;

/// Whom an accepted token stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The user's default company; absent only when a test turned checks off.
    pub(crate) company: Option<String>,
}

/// What became of a token.
pub(crate) struct Judgement {
    /// All checks, in order.
    pub(crate) checks: Vec<Check>,
    /// The application that called, as SysAADClientTable spells it, whatever else is asked of it.
    pub(crate) client_id: Option<String>,
    /// The first refusal, or the caller.
    pub(crate) outcome: Result<Caller, BearerError>,
}

/// Everything a judgement depends on.
pub(crate) struct Asked<'q> {
    /// What the node read at its start.
    pub(crate) node: &'q NodeState,
    /// The world, for advice alone.
    pub(crate) world: &'q World,
    /// The environment now: its database is live.
    pub(crate) environment: Option<&'q Environment>,
    /// The lab's own addresses of this environment, aliases of its URL.
    pub(crate) aliases: &'q [String],
    /// What was sent.
    pub(crate) authorization: Authorization<'q>,
    /// The AOS machine's clock.
    pub(crate) now: OffsetDateTime,
    /// Checks a test turned off.
    pub(crate) switches: &'q Switches,
}

impl Asked<'_> {
    /// What of the configuration is wrong, if that is what is; else what could have been presented instead.
    fn advice(&self, change: impl FnOnce(&Advice<'_>) -> Option<Change>, instead: Option<String>) -> Remedy {
        let advice = self.environment.map(|environment| Advice::about(self.world, environment));
        match advice.as_ref().and_then(change) {
            Some(change) => Remedy::here(change),
            None => Remedy::instead(instead),
        }
    }
}

/// Judges the request's token and records checks and facts.
pub(crate) fn authenticate(exchange: &mut Exchange, node: &Arc<NodeState>) -> Result<Caller, BearerError> {
    let Exchange { request, context, trail, .. } = exchange;
    trail.share(&node.facts.bearer);
    let values = request.headers.get_all(http::header::AUTHORIZATION);
    let authorization = read_authorization(values.iter().map(http::HeaderValue::as_bytes));
    let Judgement { checks, client_id, outcome } = question(context, node, authorization, context.now());
    trail.record_checks(checks);
    if let Some(client_id) = client_id {
        trail.fact("caller", client_id);
    }
    outcome
}

/// Judges a token as the context's machine does.
pub(crate) fn question(
    context: &Context,
    node: &NodeState,
    authorization: Authorization<'_>,
    now: OffsetDateTime,
) -> Judgement {
    let environment = context.environment().and_then(|name| context.world().environment(name));
    judge(&Asked {
        node,
        world: context.world(),
        environment: environment.map(Arc::as_ref),
        aliases: context.environment().map_or(&[], |name| context.prepared::<Aos>().aliases(name)),
        authorization,
        now,
        switches: context.switches(),
    })
}

/// Asks every check in order.
pub(crate) fn judge(question: &Asked<'_>) -> Judgement {
    let mut list = Checklist::new(question.switches, BearerError::describe);
    let shown = || question.authorization.to_string();
    let (present, token) = match &question.authorization {
        Authorization::Bearer(token) => (true, Some(*token)),
        Authorization::Malformed | Authorization::Multiple { .. } => (true, None),
        Authorization::Missing | Authorization::OtherScheme(_) => (false, None),
    };
    list.ask(
        &PRESENT,
        "Authorization: Bearer",
        vec![],
        Finding::held(present, "a bearer token", || (shown(), BearerError::TokenMissing)),
    );
    let parsed = token.map(Compact::parse);
    let finding = match &parsed {
        Some(Ok(_)) => Finding::pass("a signed token"),
        Some(Err(why)) => Finding::fail(why.to_string(), BearerError::TokenMalformed),
        None if present => Finding::fail(shown(), BearerError::TokenMalformed),
        None => Finding::skip(PRESENT.name),
    };
    list.ask(&WELL_FORMED, "one JSON web token", vec![], finding);
    let token = parsed.and_then(Result::ok);
    ask_signature(&mut list, question.node, token.as_ref());
    let claims = token.as_ref().map(Compact::claims);
    ask_claims(&mut list, question, claims);
    let (client_id, caller) = ask_user(&mut list, question.environment, claims);
    let (checks, refusal) = list.finish();
    Judgement { checks, client_id, outcome: refusal.map_or(Ok(caller), Err) }
}

fn ask_signature(list: &mut Checklist<'_, BearerError>, node: &NodeState, token: Option<&Compact<'_>>) {
    let finding = match token.map(Compact::header) {
        None => Finding::skip(WELL_FORMED.name),
        Some(header) => match header.alg() {
            Some(name) => match Algorithm::from_name(name) {
                Some(algorithm) => Finding::pass(algorithm.name()),
                None => Finding::fail(clip(name), BearerError::AlgorithmRefused),
            },
            None => Finding::fail("no alg", BearerError::AlgorithmRefused),
        },
    };
    list.ask(&ALGORITHM, "RS256, RS384, RS512, PS256, PS384 or PS512", vec![], finding);

    let configuration = &node.configuration;
    let settings =
        || vec![configuration.metadata_format.setting.clone(), configuration.tenant_id.setting.clone()];
    let Some(token) = token else {
        let expected = "a key of the federation metadata";
        list.ask(&SIGNATURE, expected, settings, Finding::skip(WELL_FORMED.name));
        return;
    };
    let selected = select_key(token.header(), &node.keys);
    let mut expected = selected.expected();
    let finding = match selected.key().map(|key: &TrustedKey| verify_signature(token, key)) {
        // An algorithm no RSA key verifies is the question before this one.
        Some(SignatureFinding::AlgorithmMissing | SignatureFinding::AlgorithmRefused { .. }) => {
            Finding::skip(ALGORITHM.name)
        }
        Some(signature) => {
            expected = SignatureFinding::EXPECTED.into();
            signature.finding(|| BearerError::SignatureInvalid)
        }
        None => selected.finding(|| BearerError::SignatureInvalid),
    };
    list.ask(&SIGNATURE, expected, settings, finding);
}

fn ask_claims(list: &mut Checklist<'_, BearerError>, question: &Asked<'_>, claims: Option<Claims<'_>>) {
    let configuration = &question.node.configuration;
    let text = |name: &str| claims.and_then(|claims| claims.text(name));
    let shown = |name: &str| text(name).map_or_else(|| format!("no {name}"), clip);
    let asked = |finding: Finding<BearerError>| {
        if claims.is_some() { finding } else { Finding::skip(WELL_FORMED.name) }
    };

    let expected = &question.node.expected;
    let holds = text("iss") == Some(&*expected.issuer);
    list.ask(
        &ISSUER,
        &expected.issuer,
        || vec![configuration.issuer_format.setting.clone(), configuration.tenant_guid.setting.clone()],
        asked(
            Finding::held(holds, &expected.issuer, || (shown("iss"), BearerError::IssuerUnknown))
                .mended_by(|| question.advice(|advice| advice.issuer(configuration, text("iss")), None)),
        ),
    );

    let audience = claims.map(Claims::audience);
    let sent: &[&str] = audience.as_ref().map_or(&[], |audience| audience.all());
    let accepted = || expected.audiences.iter().chain(question.aliases).map(String::as_str);
    let holds = sent.iter().any(|sent| accepted().any(|accepted| accepted == *sent));
    let shown_audiences: Text = if holds {
        (&expected.audiences_shown).into()
    } else {
        accepted().collect::<Vec<_>>().join(", ").into()
    };
    let actual = || if sent.is_empty() { "no aud".to_owned() } else { clip(&sent.join(", ")) };
    list.ask(
        &AUDIENCE,
        shown_audiences,
        || vec![configuration.host_url.setting.clone()],
        asked(Finding::held(holds, "one of them", || (actual(), BearerError::AudienceWrong)).mended_by(
            || {
                let instead = question.node.expected.audiences.first().cloned();
                question.advice(|advice| advice.host_url(configuration, sent), instead)
            },
        )),
    );

    let finding = claims.map_or_else(
        || Finding::skip(WELL_FORMED.name),
        |claims| WINDOW.judge(claims, question.now).finding(|| BearerError::TimeInvalid),
    );
    list.ask(&TIME, WINDOW.expected(), vec![], finding);

    let tenant = &expected.tenant;
    let holds = !tenant.is_empty() && text("tid").is_some_and(|tid| tid.eq_ignore_ascii_case(tenant));
    list.ask(
        &TENANT,
        tenant,
        || vec![configuration.tenant_guid.setting.clone()],
        asked(Finding::held(holds, tenant, || (shown("tid"), BearerError::TenantWrong)).mended_by(|| {
            let instead = Some(tenant.to_string()).filter(|tenant| !tenant.is_empty());
            question.advice(|advice| advice.tenant_guid(configuration, text("tid")), instead)
        })),
    );

    let holds = text("oid").is_some_and(|oid| !oid.is_empty());
    list.ask(
        &OBJECT_ID,
        "an oid",
        vec![],
        asked(Finding::held(holds, "an oid", || (shown("oid"), BearerError::ObjectIdMissing))),
    );
}

/// The live rows: SysAADClientTable, then UserInfo.
fn ask_user(
    list: &mut Checklist<'_, BearerError>,
    environment: Option<&Environment>,
    claims: Option<Claims<'_>>,
) -> (Option<String>, Caller) {
    let at = environment.map(|environment| &environment.pointer);
    let client = claims.and_then(|claims| claims.text("appid").or_else(|| claims.text("azp")));
    let table = environment.map(|environment| &environment.database.sys_aad_client_table);
    let row = client.and_then(|client| {
        table?
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(client))
            .map(|(known, row)| (known.as_str(), row))
    });
    // The row is named as the table spells it, or as it would be added.
    let pointer = || match (row, client) {
        (Some((known, _)), _) => Some(at?.aad_client(known)),
        (None, Some(client)) => Some(at?.aad_client(&clip(client).to_ascii_lowercase())),
        (None, None) => None,
    };
    let settings = || {
        let table = || Some(at?.aad_clients());
        pointer().map(Setting::from).or_else(table).into_iter().collect()
    };
    let finding = match (claims, client) {
        (None, _) => Finding::skip(WELL_FORMED.name),
        (_, None) => Finding::fail("neither appid nor azp", BearerError::ApplicationUnknown),
        (_, Some(client)) => {
            Finding::held(row.is_some(), "a row", || (clip(client), BearerError::ApplicationUnknown))
                .mended_by(|| environment.map(|environment| advice::row_missing(environment, &clip(client))))
        }
    };
    list.ask(&MAPPED, "a row in SysAADClientTable", settings, finding);

    let mapped = row.map(|(_, row)| row.user_id.as_str());
    let user = mapped.and_then(|id| {
        let users = &environment?.database.user_info;
        users.iter().find(|(known, _)| known.eq_ignore_ascii_case(id))
    });
    let settings = || {
        let Some(id) = mapped else { return Vec::new() };
        let known = user.map_or(id, |(known, _)| known.as_str());
        let record = at.map(|at| at.user_info(known));
        let record = record.map(|record| if user.is_some() { record.enable() } else { record.into() });
        record.into_iter().chain(pointer().map(|pointer| pointer.user_id())).collect()
    };
    let finding = match (mapped, user) {
        (None, _) => Finding::skip(MAPPED.name),
        (Some(id), None) => Finding::fail(format!("no user {}", clip(id)), BearerError::UserDisabled)
            .mended_by(|| at.map(|at| advice::user_missing(at, id))),
        (Some(_), Some((id, user))) => Finding::held(user.enable == 1, "enabled", || {
            (format!("{id} with Enable {}", user.enable), BearerError::UserDisabled)
        })
        .mended_by(|| {
            let enable = at.map(|at| at.user_info(id).enable());
            enable.map(|enable| Change::set(enable, 1).expected("1").actual(user.enable.to_string()))
        }),
    };
    list.ask(&ENABLED, "an enabled user in UserInfo", settings, finding);
    let caller = Caller { company: user.map(|(_, user)| user.company.clone()) };
    (row.map(|(known, _)| known.to_owned()), caller)
}

/// A claim cut for a check.
fn clip(text: &str) -> String {
    cut(text, SHOWN).to_owned()
}
