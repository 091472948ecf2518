//! Whether a bearer token of a service call is accepted, and whom it stands for.
//!
//! Decides the ordered checks of a one-box AOS: the token as such, then what web.config and the metadata fetched at the
//! last start say about it, then the live rows of SysAADClientTable and UserInfo. wif.config's audiences judge
//! interactive tokens and are not asked here. Deciding is pure: a token is judged the same with and without a request.

use std::sync::Arc;

use mocktenant_keys::Algorithm;
use mocktenant_lab::{Activity, Exchange};
use mocktenant_token::bearer::{
    Authorization, SignatureFinding, TimeWindow, TrustedKey, read_authorization, select_key, verify_signature,
};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::{Check, Checklist, Finding, Switches};
use mocktenant_world::{Environment, pointers};
use time::{Duration, OffsetDateTime};

use crate::configuration::FIRST_PARTY;
use crate::errors::BearerError;
use crate::node::NodeState;

/// Clock skew a token's times are judged with, as Microsoft.IdentityModel has it.
const SKEW: Duration = Duration::minutes(5);
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
    pub(crate) aliases: Vec<&'q str>,
    /// What was sent.
    pub(crate) authorization: Authorization<'q>,
    /// The AOS machine's clock.
    pub(crate) now: OffsetDateTime,
    /// Checks a test turned off.
    pub(crate) switches: &'q Switches,
}

/// Judges the request's token and records checks and facts.
pub(crate) fn authenticate(exchange: &mut Exchange, node: &Arc<NodeState>) -> Result<Caller, BearerError> {
    node.configuration.note_bearer(&mut exchange.activity);
    let values = exchange.request.headers.get_all(http::header::AUTHORIZATION);
    let authorization = read_authorization(values.iter().map(http::HeaderValue::as_bytes));
    let Judgement { checks, outcome } =
        question(&exchange.activity, node, authorization, exchange.activity.now());
    exchange.activity.record_checks(checks);
    outcome
}

/// Judges a token at an activity's site.
pub(crate) fn question(
    activity: &Activity,
    node: &NodeState,
    authorization: Authorization<'_>,
    now: OffsetDateTime,
) -> Judgement {
    let site = activity.site();
    judge(&Question {
        node,
        environment: activity.world().environment(site.name()).map(Arc::as_ref),
        aliases: activity.addresses(site).collect(),
        authorization,
        now,
        switches: activity.switches(),
    })
}

/// Asks every check in order.
pub(crate) fn judge(question: &Question<'_>) -> Judgement {
    let mut list = Checklist::new(question.switches, BearerError::describe);
    let shown = question.authorization.to_string();
    let (present, token) = match &question.authorization {
        Authorization::Bearer(token) => (true, Some(*token)),
        Authorization::Malformed | Authorization::Multiple { .. } => (true, None),
        Authorization::Missing | Authorization::OtherScheme(_) => (false, None),
    };
    list.ask(
        "token-present",
        "Authorization: Bearer",
        vec![],
        Finding::when(present, shown.clone(), || BearerError::TokenMissing),
    );
    let parsed = token.map(Compact::parse);
    let finding = match &parsed {
        Some(Ok(_)) => Finding::pass("a signed token"),
        Some(Err(why)) => Finding::fail(why.to_string(), BearerError::TokenMalformed),
        None if present => Finding::fail(shown, BearerError::TokenMalformed),
        None => Finding::skip("token-present"),
    };
    list.ask("token-well-formed", "one JSON web token", vec![], finding);
    let token = parsed.and_then(Result::ok);
    ask_signature(&mut list, question.node, token.as_ref());
    let claims = token.as_ref().map(Compact::claims);
    ask_claims(&mut list, question, claims);
    let caller = ask_user(&mut list, question.environment, claims);
    let (checks, refusal) = list.finish();
    Judgement { checks, outcome: refusal.map_or(Ok(caller), Err) }
}

fn ask_signature(list: &mut Checklist<'_, BearerError>, node: &NodeState, token: Option<&Compact<'_>>) {
    let finding = match token.map(Compact::header) {
        None => Finding::skip("token-well-formed"),
        Some(header) => match header.alg() {
            Some(name) => {
                let known = Algorithm::from_name(name).is_some();
                Finding::when(known, clip(name), || BearerError::AlgorithmRefused)
            }
            None => Finding::fail("no alg", BearerError::AlgorithmRefused),
        },
    };
    list.ask("token-algorithm", "RS256, RS384, RS512, PS256, PS384 or PS512", vec![], finding);

    let configuration = &node.configuration;
    let settings =
        vec![configuration.metadata_format.setting.clone(), configuration.tenant_id.setting.clone()];
    let Some(token) = token else {
        let expected = "a key of the federation metadata";
        list.ask("token-signature", expected, settings, Finding::skip("token-well-formed"));
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
            SignatureFinding::EXPECTED.clone_into(&mut expected);
            signature.finding(|| BearerError::SignatureInvalid)
        }
        None => selected.finding(|| BearerError::SignatureInvalid),
    };
    list.ask("token-signature", expected, settings, finding);
}

fn ask_claims(list: &mut Checklist<'_, BearerError>, question: &Question<'_>, claims: Option<Claims<'_>>) {
    let configuration = &question.node.configuration;
    let text = |name: &str| claims.and_then(|claims| claims.text(name));
    let shown = |name: &str| text(name).map_or_else(|| format!("no {name}"), clip);
    let asked = |finding: Finding<BearerError>| {
        if claims.is_some() { finding } else { Finding::skip("token-well-formed") }
    };

    let issuer = configuration.issuer();
    let holds = text("iss") == Some(issuer.as_str());
    list.ask(
        "token-issuer",
        issuer,
        vec![configuration.issuer_format.setting.clone(), configuration.tenant_guid.setting.clone()],
        asked(Finding::when(holds, shown("iss"), || BearerError::IssuerUnknown)),
    );

    let service = format!("spn:{FIRST_PARTY}");
    let mut accepted = vec![configuration.audience(), FIRST_PARTY, &service];
    accepted.extend(&question.aliases);
    accepted.retain(|audience| !audience.is_empty());
    let audience = claims.map(Claims::audience);
    let sent: &[&str] = audience.as_ref().map_or(&[], |audience| audience.all());
    let holds = sent.iter().any(|sent| accepted.contains(sent));
    let actual = if sent.is_empty() { "no aud".to_owned() } else { clip(&sent.join(", ")) };
    list.ask(
        "token-audience",
        accepted.join(", "),
        vec![configuration.host_url.setting.clone()],
        asked(Finding::when(holds, actual, || BearerError::AudienceWrong)),
    );

    let finding = claims.map_or_else(
        || Finding::skip("token-well-formed"),
        |claims| TimeWindow { skew: SKEW }.judge(claims, question.now).finding(|| BearerError::TimeInvalid),
    );
    let expected = format!("nbf and exp around {}, 300 s of skew", question.now.unix_timestamp());
    list.ask("token-time", expected, vec![], finding);

    let tenant = configuration.tenant_guid.value.as_str();
    let holds = !tenant.is_empty() && text("tid").is_some_and(|tid| tid.eq_ignore_ascii_case(tenant));
    list.ask(
        "token-tenant",
        tenant.to_owned(),
        vec![configuration.tenant_guid.setting.clone()],
        asked(Finding::when(holds, shown("tid"), || BearerError::TenantWrong)),
    );

    let holds = text("oid").is_some_and(|oid| !oid.is_empty());
    list.ask(
        "token-object-id",
        "an oid",
        vec![],
        asked(Finding::when(holds, shown("oid"), || BearerError::ObjectIdMissing)),
    );
}

/// The live rows: SysAADClientTable, then UserInfo.
fn ask_user(
    list: &mut Checklist<'_, BearerError>,
    environment: Option<&Environment>,
    claims: Option<Claims<'_>>,
) -> Caller {
    let at = environment.map_or_else(|| pointers::environment(""), |environment| environment.pointer.clone());
    let client = claims.and_then(|claims| claims.text("appid").or_else(|| claims.text("azp")));
    let table = environment.map(|environment| &environment.database.sys_aad_client_table);
    let row = client.and_then(|client| {
        table?
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(client))
            .map(|(known, row)| (known.as_str(), row))
    });
    // The row is named as the table spells it, or as it would be added.
    let pointer = match (row, client) {
        (Some((known, _)), _) => Some(at.aad_client(known)),
        (None, Some(client)) => Some(at.aad_client(&clip(client).to_ascii_lowercase())),
        (None, None) => None,
    };
    let setting = pointer.as_ref().map_or_else(|| at.aad_clients(), Into::into);
    let finding = match (claims, client) {
        (None, _) => Finding::skip("token-well-formed"),
        (_, None) => Finding::fail("neither appid nor azp", BearerError::ApplicationUnknown),
        (_, Some(client)) => Finding::when(row.is_some(), clip(client), || BearerError::ApplicationUnknown),
    };
    list.ask("application-mapped", "a row in SysAADClientTable", vec![setting], finding);

    let mapped = row.map(|(_, row)| row.user_id.as_str());
    let user = mapped.and_then(|id| {
        let users = &environment?.database.user_info;
        users.iter().find(|(known, _)| known.eq_ignore_ascii_case(id))
    });
    let mut settings = Vec::new();
    if let Some(id) = mapped {
        let known = user.map_or(id, |(known, _)| known.as_str());
        let record = at.user_info(known);
        settings.push(if user.is_some() { record.enable() } else { record.into() });
        settings.extend(pointer.map(|pointer| pointer.user_id()));
    }
    let finding = match (mapped, user) {
        (None, _) => Finding::skip("application-mapped"),
        (Some(id), None) => Finding::fail(format!("no user {}", clip(id)), BearerError::UserDisabled),
        (Some(_), Some((id, user))) => {
            let actual = format!("{id} with Enable {}", user.enable);
            Finding::when(user.enable == 1, actual, || BearerError::UserDisabled)
        }
    };
    list.ask("user-enabled", "an enabled user in UserInfo", settings, finding);
    Caller { company: user.map(|(_, user)| user.company.clone()) }
}

/// A claim cut for a check.
fn clip(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
