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
use mocktenant_verdict::{Check, Checklist, Finding, Setting, Switches, Text};
use mocktenant_world::Environment;
use time::{Duration, OffsetDateTime};

use crate::Aos;
use crate::errors::BearerError;
use crate::node::NodeState;

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
pub(crate) struct Question<'q> {
    /// What the node read at its start.
    pub(crate) node: &'q NodeState,
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
    judge(&Question {
        node,
        environment: environment.map(Arc::as_ref),
        aliases: context.environment().map_or(&[], |name| context.prepared::<Aos>().aliases(name)),
        authorization,
        now,
        switches: context.switches(),
    })
}

/// Asks every check in order.
pub(crate) fn judge(question: &Question<'_>) -> Judgement {
    let mut list = Checklist::new(question.switches, BearerError::describe);
    let shown = || question.authorization.to_string();
    let (present, token) = match &question.authorization {
        Authorization::Bearer(token) => (true, Some(*token)),
        Authorization::Malformed | Authorization::Multiple { .. } => (true, None),
        Authorization::Missing | Authorization::OtherScheme(_) => (false, None),
    };
    list.ask_named(
        "token-present",
        "Authorization: Bearer",
        vec![],
        Finding::held(present, "a bearer token", || (shown(), BearerError::TokenMissing)),
    );
    let parsed = token.map(Compact::parse);
    let finding = match &parsed {
        Some(Ok(_)) => Finding::pass("a signed token"),
        Some(Err(why)) => Finding::fail(why.to_string(), BearerError::TokenMalformed),
        None if present => Finding::fail(shown(), BearerError::TokenMalformed),
        None => Finding::skip("token-present"),
    };
    list.ask_named("token-well-formed", "one JSON web token", vec![], finding);
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
        None => Finding::skip("token-well-formed"),
        Some(header) => match header.alg() {
            Some(name) => match Algorithm::from_name(name) {
                Some(algorithm) => Finding::pass(algorithm.name()),
                None => Finding::fail(clip(name), BearerError::AlgorithmRefused),
            },
            None => Finding::fail("no alg", BearerError::AlgorithmRefused),
        },
    };
    list.ask_named("token-algorithm", "RS256, RS384, RS512, PS256, PS384 or PS512", vec![], finding);

    let configuration = &node.configuration;
    let settings =
        || vec![configuration.metadata_format.setting.clone(), configuration.tenant_id.setting.clone()];
    let Some(token) = token else {
        let expected = "a key of the federation metadata";
        list.ask_named("token-signature", expected, settings, Finding::skip("token-well-formed"));
        return;
    };
    let selected = select_key(token.header(), &node.keys);
    let mut expected = selected.expected();
    let finding = match selected.key().map(|key: &TrustedKey| verify_signature(token, key)) {
        // An algorithm no RSA key verifies is the question before this one.
        Some(SignatureFinding::AlgorithmMissing | SignatureFinding::AlgorithmRefused { .. }) => {
            Finding::skip("token-algorithm")
        }
        Some(signature) => {
            expected = SignatureFinding::EXPECTED.into();
            signature.finding(|| BearerError::SignatureInvalid)
        }
        None => selected.finding(|| BearerError::SignatureInvalid),
    };
    list.ask_named("token-signature", expected, settings, finding);
}

fn ask_claims(list: &mut Checklist<'_, BearerError>, question: &Question<'_>, claims: Option<Claims<'_>>) {
    let configuration = &question.node.configuration;
    let text = |name: &str| claims.and_then(|claims| claims.text(name));
    let shown = |name: &str| text(name).map_or_else(|| format!("no {name}"), clip);
    let asked = |finding: Finding<BearerError>| {
        if claims.is_some() { finding } else { Finding::skip("token-well-formed") }
    };

    let expected = &question.node.expected;
    let holds = text("iss") == Some(&*expected.issuer);
    list.ask_named(
        "token-issuer",
        &expected.issuer,
        || vec![configuration.issuer_format.setting.clone(), configuration.tenant_guid.setting.clone()],
        asked(Finding::held(holds, &expected.issuer, || (shown("iss"), BearerError::IssuerUnknown))),
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
    list.ask_named(
        "token-audience",
        shown_audiences,
        || vec![configuration.host_url.setting.clone()],
        asked(Finding::held(holds, "one of them", || (actual(), BearerError::AudienceWrong))),
    );

    let finding = claims.map_or_else(
        || Finding::skip("token-well-formed"),
        |claims| WINDOW.judge(claims, question.now).finding(|| BearerError::TimeInvalid),
    );
    list.ask_named("token-time", WINDOW.expected(), vec![], finding);

    let tenant = &expected.tenant;
    let holds = !tenant.is_empty() && text("tid").is_some_and(|tid| tid.eq_ignore_ascii_case(tenant));
    list.ask_named(
        "token-tenant",
        tenant,
        || vec![configuration.tenant_guid.setting.clone()],
        asked(Finding::held(holds, tenant, || (shown("tid"), BearerError::TenantWrong))),
    );

    let holds = text("oid").is_some_and(|oid| !oid.is_empty());
    list.ask_named(
        "token-object-id",
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
        (None, _) => Finding::skip("token-well-formed"),
        (_, None) => Finding::fail("neither appid nor azp", BearerError::ApplicationUnknown),
        (_, Some(client)) => {
            Finding::held(row.is_some(), "a row", || (clip(client), BearerError::ApplicationUnknown))
        }
    };
    list.ask_named("application-mapped", "a row in SysAADClientTable", settings, finding);

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
        (None, _) => Finding::skip("application-mapped"),
        (Some(id), None) => Finding::fail(format!("no user {}", clip(id)), BearerError::UserDisabled),
        (Some(_), Some((id, user))) => Finding::held(user.enable == 1, "enabled", || {
            (format!("{id} with Enable {}", user.enable), BearerError::UserDisabled)
        }),
    };
    list.ask_named("user-enabled", "an enabled user in UserInfo", settings, finding);
    let caller = Caller { company: user.map(|(_, user)| user.company.clone()) };
    (row.map(|(known, _)| known.to_owned()), caller)
}

/// A claim cut for a check.
fn clip(text: &str) -> String {
    cut(text, SHOWN).to_owned()
}
