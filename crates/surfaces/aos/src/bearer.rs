//! Whether a bearer token of a service call is accepted, and whom it stands for.
//!
//! Decides the ordered checks of a one-box AOS: the token as such, then what web.config and the metadata fetched at the
//! last start say about it, then the live rows of SysAADClientTable and UserInfo. wif.config's audiences judge
//! interactive tokens and are not asked here. Deciding is pure: a token is judged the same with and without a request.

use std::sync::Arc;

use mocktenant_lab::{Context, Trail};
use mocktenant_token::bearer::{Authorization, KeyFinding, SignatureFinding, TimeWindow, TrustedKey};
use mocktenant_token::ladder::{self, Failure, Policy, Questions, Step};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::foreign::cut;
use mocktenant_verdict::{
    Change, Check, Checklist, Edit, Finding, Need, Question, Remedy, Role, Setting, Switches, Text,
};
use mocktenant_world::{Environment, is_guid, pointers};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::Aos;
use crate::advice::ISSUER_FORMAT;
use crate::configuration::Input;
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
    &ENABLED,
];

/// The name of what only stands in for a person's choice.
const MADE_UP: &str = "made up";
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
    trail.share(&node.facts.bearer);
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
    let token = ladder::ask(&mut list, &OneBox(question), &question.authorization, question.now);
    let claims = token.as_ref().map(Compact::claims);
    list.ask(&OBJECT_ID, "an oid", Vec::new(), || {
        let Some(claims) = claims else { return Finding::skip(WELL_FORMED.name) };
        let sent = claims.text("oid");
        Finding::held(sent.is_some_and(|oid| !oid.is_empty()), "an oid", || {
            (sent.map_or_else(|| "no oid".to_owned(), clip), BearerError::ObjectIdMissing)
        })
    });
    let (client_id, caller) = ask_user(&mut list, question.environment, claims);
    let (checks, refusal) = list.finish();
    Judgement { checks, client_id, outcome: refusal.map_or(Ok(caller), Err) }
}

/// Azure AD Graph.
const AZURE_AD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
/// How a caller comes by a token for it.
const WITHOUT_RESOURCE: &str =
    "a token for Azure AD Graph: it was asked for at the v1 endpoint without `resource`";

/// The policy of a node on a one-box.
struct OneBox<'q>(&'q Asked<'q>);

impl Policy for OneBox<'_> {
    type Error = BearerError;

    /// As Microsoft.IdentityModel has it.
    const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };

    fn questions(&self) -> &'static Questions {
        &LADDER
    }

    fn keys(&self) -> &[TrustedKey] {
        &self.0.node.keys
    }

    fn issuer(&self) -> Text {
        (&self.0.node.expected.issuer).into()
    }

    fn accepts_issuer(&self, sent: &str) -> bool {
        sent == &*self.0.node.expected.issuer
    }

    fn accepts_audience(&self, sent: &str) -> bool {
        self.accepted().any(|accepted| accepted == sent)
    }

    fn audiences(&self, refused: bool) -> Text {
        if refused {
            self.accepted().collect::<Vec<_>>().join(", ").into()
        } else {
            (&self.0.node.expected.audiences_shown).into()
        }
    }

    fn tenant(&self) -> Text {
        (&self.0.node.expected.tenant).into()
    }

    fn accepts_tenant(&self, sent: &str) -> bool {
        let tenant = &self.0.node.expected.tenant;
        !tenant.is_empty() && sent.eq_ignore_ascii_case(tenant)
    }

    fn signature(&self, key: Option<&KeyFinding<'_>>, verified: Option<&SignatureFinding>) -> Text {
        match (key, verified) {
            (None, _) => "a key of the federation metadata".into(),
            (
                Some(key),
                None | Some(SignatureFinding::AlgorithmMissing | SignatureFinding::AlgorithmRefused { .. }),
            ) => key.expected(),
            (Some(_), Some(_)) => SignatureFinding::EXPECTED.into(),
        }
    }

    fn no_signature(&self, key: &KeyFinding<'_>, verified: Option<&SignatureFinding>) -> Text {
        verified.map_or_else(|| key.to_string(), ToString::to_string).into()
    }

    fn settings(&self, step: Step) -> Vec<Setting> {
        let configuration = &self.0.node.configuration;
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
        self.0.node.expected.audiences.iter().chain(self.0.aliases).map(String::as_str)
    }

    fn tenant_id(&self) -> Option<&str> {
        self.0.environment?.identity.tenant()
    }

    fn audience(&self, sent: &[&str]) -> Remedy {
        let url = self.0.environment.map(|environment| format!("https://{}", environment.host));
        match url {
            Some(url) if sent.contains(&url.as_str()) => {
                configure(&self.0.node.configuration.host_url, &format!("{url}/"))
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
        let configuration = &self.0.node.configuration;
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
            configure(&self.0.node.configuration.tenant_guid, tenant)
        } else {
            Remedy::instead([tenant.to_owned()])
        })
    }
}

/// One key of web.config as it should be.
fn configure(input: &Input<String>, right: &str) -> Remedy {
    Change::set(input.setting.clone(), right).expected(right.to_owned()).actual(input.value.clone()).into()
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
    list.ask(&MAPPED, "a row in SysAADClientTable", settings, || match (claims, client) {
        (None, _) => Finding::skip(WELL_FORMED.name),
        (_, None) => Finding::fail("neither appid nor azp", BearerError::ApplicationUnknown),
        (_, Some(_)) if row.is_some() => Finding::pass("a row"),
        (_, Some(client)) => {
            let refused = Finding::fail(clip(client), BearerError::ApplicationUnknown);
            match environment {
                Some(environment) => refused.mended_by(|| map_application(environment, client)),
                None => refused,
            }
        }
    });

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
    list.ask(&ENABLED, "an enabled user in UserInfo", settings, || match (mapped, user) {
        (None, _) => Finding::skip(MAPPED.name),
        (Some(id), None) => {
            let refused = Finding::fail(format!("no user {}", clip(id)), BearerError::UserDisabled);
            match at {
                Some(at) => refused.mended_by(|| add_user(at, id)),
                None => refused,
            }
        }
        (Some(_), Some((_, user))) if user.enable == 1 => Finding::pass("enabled"),
        (Some(_), Some((id, user))) => {
            let actual = format!("{id} with Enable {}", user.enable);
            let refused = Finding::fail(actual, BearerError::UserDisabled);
            match at {
                Some(at) => refused.mended_by(|| {
                    let actual = user.enable.to_string();
                    Change::set(at.user_info(id).enable(), 1).expected("1").actual(actual)
                }),
                None => refused,
            }
        }
    });
    let caller = Caller { company: user.map(|(_, user)| user.company.clone()) };
    (row.map(|(known, _)| known.to_owned()), caller)
}

/// The row of "Microsoft Entra ID applications" that is missing: whom the application stands for, a person has to choose.
/// What can be no client id can be added by nobody.
fn map_application(environment: &Environment, client: &str) -> Change {
    let client = clip(client).to_ascii_lowercase();
    let row = environment.pointer.aad_client(&client).setting();
    let mut need = Need::add(row.clone(), "a row in SysAADClientTable");
    if is_guid(&client) {
        let enabled = environment.database.user_info.iter().find(|(_, user)| user.enable == 1);
        let (user, extra) = match enabled {
            Some((user, _)) => (user.as_str(), None),
            None => (MADE_UP, Some(made_up_user(&environment.pointer, MADE_UP))),
        };
        let stand_in = Edit::add(row.clone(), json!({ "Name": MADE_UP, "UserId": user }));
        need = need.stand_in(extra.into_iter().chain([stand_in]));
    }
    Change::missing(row).expected(format!("a row for {client}")).actual("no such row").need(need)
}

/// The user that is missing.
fn add_user(at: &pointers::Environment, id: &str) -> Change {
    let user = at.user_info(id).setting();
    let need = Need::add(user.clone(), "a user in UserInfo").stand_in([made_up_user(at, id)]);
    Change::missing(user).expected(format!("user {} in UserInfo", clip(id))).actual("no such user").need(need)
}

fn made_up_user(at: &pointers::Environment, id: &str) -> Edit {
    let user = json!({ "Name": MADE_UP, "Enable": 1, "Company": "DAT" });
    Edit::add(at.user_info(id).setting(), user)
}

/// A claim cut for a check.
fn clip(text: &str) -> String {
    cut(text, SHOWN).to_owned()
}
