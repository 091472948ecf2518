//! Whether a bearer token of a service call is accepted, and whom it stands for.
//!
//! Decides the ordered checks: the token as such, then what the node's files and the metadata fetched at the last start say
//! about it (a policy for each kind of AOS), then the live rows of SysAADClientTable and UserInfo. Deciding is pure: a token is
//! judged the same with and without a request.

mod on_premises;
mod one_box;
mod rows;

use std::sync::Arc;

use mocktenant_lab::{Context, Trail};
use mocktenant_token::bearer::Authorization;
use mocktenant_token::{Claims, Compact, ladder};
use mocktenant_verdict::foreign::cut;
use mocktenant_verdict::{Check, Checklist, Finding, Question, Role, Switches};
use mocktenant_world::{Environment, World};
use time::OffsetDateTime;

use crate::Aos;
use crate::errors::BearerError;
use crate::node::{NodeState, Product};
use crate::user_info;

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

/// The questions about a bearer token and whom it stands for, in the order asked.
pub(crate) static QUESTIONS: &[&Question] = &[
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
    &user_info::KNOWN,
    &user_info::PROVIDER,
    &user_info::ENABLED,
];

/// How much of a claim goes into a check: a token may be 64 KiB.
const SHOWN: usize = 128;

/// Whom an accepted token stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The row of UserInfo; absent only when a test turned checks off.
    pub(crate) user: Option<String>,
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
    /// The world now, for advice alone.
    pub(crate) world: Option<&'q World>,
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

/// Judges a token and records checks and facts.
pub(crate) fn authenticate(
    context: &Context,
    trail: &mut Trail,
    node: &Arc<NodeState>,
    authorization: Authorization<'_>,
) -> Result<Caller, BearerError> {
    trail.share(&node.facts);
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
        world: Some(context.world()),
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
    let (authorization, now) = (&question.authorization, question.now);
    let (client_id, caller) = match &question.node.product {
        Product::OneBox(state) => {
            let policy = one_box::OneBox { asked: question, state };
            let token = ladder::ask(&mut list, &policy, authorization, now);
            let claims = token.as_ref().map(Compact::claims);
            ask_object_id(&mut list, claims);
            rows::ask_application(&mut list, question.environment, claims)
        }
        Product::OnPremises(state) => {
            let policy = on_premises::OnPremises { asked: question, state };
            let token = ladder::ask(&mut list, &policy, authorization, now);
            let claims = token.as_ref().map(Compact::claims);
            rows::ask_either(&mut list, question.environment, claims, &state.entity_id)
        }
    };
    let (checks, refusal) = list.finish();
    Judgement { checks, client_id, outcome: refusal.map_or(Ok(caller), Err) }
}

fn ask_object_id(list: &mut Checklist<'_, BearerError>, claims: Option<Claims<'_>>) {
    list.ask(&OBJECT_ID, "an oid", Vec::new(), || {
        let Some(claims) = claims else { return Finding::skip(WELL_FORMED.name) };
        let sent = claims.text("oid");
        Finding::held(sent.is_some_and(|oid| !oid.is_empty()), "an oid", || {
            (sent.map_or_else(|| "no oid".to_owned(), clip), BearerError::ObjectIdMissing)
        })
    });
}

/// A claim cut for a check.
pub(crate) fn clip(text: &str) -> String {
    cut(text, SHOWN).to_owned()
}
