//! The token endpoint: parse, authenticate, dispatch to a grant, respond.
//!
//! Decides the order of the questions (what is asked, and who is dispatched to, stands in the tables of grants and of ways
//! to authenticate) and the shape of a success: v1 answers numbers as texts and names the resource, v2
//! answers numbers as numbers. The version and the audience of the token follow from the resource, not from the endpoint
//! (`issue` makes it). What would be a token of a kind that is not built is refused. Deciding is pure; ids, facts and checks are recorded around it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use mocktenant_lab::request::media_type;
use mocktenant_lab::{Answer, Exchange, Request};
use mocktenant_verdict::{Check, Checklist, Question};
use mocktenant_world::Application;

use crate::asking::{Asking, Sent};
use crate::authority::{self, host_and_port, v2_issuer_base};
use crate::claims::{AppOnly, Times};
use crate::client_auth::{APPLICATION, CLIENT_CREDENTIAL, CLIENT_ID, Checks, Client, Fact, Method, excerpt};
use crate::envelope::Envelope;
use crate::errors::{EntraError, describe};
use crate::grants::{self, GRANT_TYPE, Grant, Granted};
use crate::prepared::{Prepared, PreparedTenant};
use crate::tables::Tables;
use crate::{Entra, Version, issue, multipart, unbuilt};
use mocktenant_idp::form::Form;
use mocktenant_idp::json::{push_integer, push_member, push_name};

/// What was decided, and everything learnt on the way.
struct Decision<'p> {
    checks: Vec<Check>,
    facts: Vec<Fact>,
    outcome: Result<Ticket<'p>, EntraError>,
}

/// A token to be issued.
struct Ticket<'p> {
    tenant: &'p PreparedTenant,
    client: &'p Arc<Application>,
    granted: Granted<'p>,
    context_class: &'static str,
}

impl Ticket<'_> {
    fn token_version(&self) -> Version {
        issue::version_for(self.granted.resource)
    }

    fn audience(&self) -> &str {
        issue::audience(self.token_version(), self.granted.resource, &self.granted.asked)
    }
}

/// Answers a token request.
pub(crate) fn answer(tables: &Tables, exchange: &mut Exchange, version: Version) -> Answer {
    if exchange.request.method == http::Method::OPTIONS {
        return Envelope::open(exchange, None).preflight(exchange);
    }
    // Dispatch lets nobody without a body get here.
    let body = exchange.request.body.clone().unwrap_or_default();
    let form = read_form(&exchange.request, &body);
    let parameter = form.as_ref().ok().and_then(|form| form.get("client-request-id"));
    let envelope = Envelope::open(exchange, parameter);
    let Decision { checks, facts, outcome } =
        decide(tables, exchange, exchange.context.prepared::<Entra>(), &form, version);
    let issued = outcome.and_then(|ticket| issue(exchange, &envelope, &ticket, version));
    let missing = issued.as_ref().err().and_then(|error| {
        let (empty, headers) = (Form::default(), &exchange.request.headers);
        unbuilt::behind(error, Sent { form: form.as_ref().unwrap_or(&empty), headers })
    });
    for (name, value) in facts {
        exchange.trail.fact(name, value);
    }
    exchange.trail.record_checks(checks);
    if let Some(missing) = missing {
        missing.record(&mut exchange.trail);
    }
    match issued {
        Ok(body) => envelope.token(exchange, body),
        Err(error) => {
            exchange.trail.record_error(error.row().id);
            envelope.refusal(exchange, &error)
        }
    }
}

/// The parameters, of either kind of form; none, if the body is no form: JSON is not read, nor is the query.
fn read_form<'b>(request: &Request, body: &'b Bytes) -> Result<Form<'b>, EntraError> {
    let content_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.and_then(media_type).is_some_and(|kind| kind == mime::APPLICATION_WWW_FORM_URLENCODED) {
        return Ok(Form::parse(body)?);
    }
    match content_type.and_then(multipart::boundary) {
        Some(boundary) => Ok(multipart::parse(&boundary, body)?),
        None => Ok(Form::default()),
    }
}

fn decide<'p>(
    tables: &Tables,
    exchange: &'p Exchange,
    prepared: &'p Prepared,
    form: &Result<Form<'_>, EntraError>,
    version: Version,
) -> Decision<'p> {
    let empty = Form::default();
    let sent = Sent { form: form.as_ref().unwrap_or(&empty), headers: &exchange.request.headers };
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    let mut facts: Vec<Fact> = Vec::with_capacity(10);

    let tenant = authority::ask(&mut list, exchange, prepared);
    let named =
        tenant.map_or_else(|| excerpt(&exchange.parameter("tenant")), |tenant| tenant.tenant.id.to_string());
    facts.push(("tenant", named.into()));
    let grant = grants::ask(&mut list, tables, form);
    // Of a grant nobody knows, nobody can say what would have been asked: what the first of the table asks.
    let usual = tables.grants().first().copied();

    let client = Client::read(tables, sent);
    let client_id = client.id.as_deref();
    let base = exchange.own_base_url();
    let asking = Asking {
        world: exchange.context.world(),
        prepared,
        tenant: tenant.map(AsRef::as_ref),
        application: client_id.and_then(|id| tenant?.tenant.application(id)),
        client_id,
        sent,
        version,
        now: exchange.context.now(),
        called: Some(host_and_port(&base)),
    };
    client.ask_request(&asking, &mut list, tables, grant);
    facts.extend(client_id.map(|id| ("client-id", excerpt(id).into())));
    facts.push(("credential", client.kind().into()));
    client.ask_client(&asking, &mut list);
    client.facts(&asking, &mut facts);

    let granted = match grant {
        Some(grant) => (grant.ask)(&asking, &mut list),
        None => {
            for question in usual.iter().flat_map(|grant| grant.questions) {
                list.skip(question, &GRANT_TYPE);
            }
            None
        }
    };
    let asked = match &granted {
        Some(granted) => Some(granted.asked.as_str()),
        None => grant.or(usual).and_then(|grant| sent.parameter((grant.asks_by)(version))),
    };
    facts.extend(asked.map(|asked| ("resource", excerpt(asked).into())));

    let (checks, refusal) = list.finish();
    let outcome = match (refusal, tenant, asking.application, granted) {
        (Some(error), ..) => Err(error),
        (None, Some(tenant), Some(client_application), Some(granted)) => {
            Ok(Ticket { tenant, client: client_application, granted, context_class: client.context_class() })
        }
        // Only a check that a test turned off leads here.
        (None, ..) => Err(EntraError::TokenIssuance),
    };
    let outcome = outcome.and_then(|ticket| match not_built(exchange, sent) {
        Some(error) => Err(error),
        None => Ok(ticket),
    });
    if let Ok(ticket) = &outcome {
        if version == Version::V1 && sent.parameter("resource").is_none() {
            facts
                .push(("resource-not-asked", "without resource the v1 endpoint means Azure AD Graph".into()));
        }
        let version = if ticket.token_version() == Version::V1 { "1.0" } else { "2.0" };
        facts.push(("token-version", version.into()));
        facts.push(("audience", ticket.audience().to_owned().into()));
        facts.push(("object-id", ticket.client.object_id.clone().into()));
    }
    Decision { checks, facts, outcome }
}

/// Why a request that is in order gets no token here: it is for one of a kind the lab has not, or came to a host that has
/// none for ordinary applications.
fn not_built(exchange: &Exchange, sent: Sent<'_>) -> Option<EntraError> {
    if exchange.by_world_name() && authority::is_regional(exchange.host_name()) {
        return Some(EntraError::Regional);
    }
    unbuilt::parameter(sent).map(|_| EntraError::ParameterNotBuilt)
}

/// Every question of the endpoint, in the order asked, each once.
pub(crate) fn questions(grants: &[&Grant], methods: &[&Method]) -> Vec<&'static Question> {
    let fixed = [&authority::TENANT, &GRANT_TYPE, &CLIENT_ID, &CLIENT_CREDENTIAL];
    let mut all: Vec<&'static Question> = Vec::new();
    let of_request = methods.iter().flat_map(|method| method.of_request);
    let of_client = methods.iter().flat_map(|method| method.of_client);
    let of_grants = grants.iter().flat_map(|grant| grant.questions);
    let asked = fixed.iter().chain(of_request).chain(&APPLICATION).chain(of_client).chain(of_grants);
    for question in asked {
        if !all.iter().any(|known| known.name == question.name) {
            all.push(question);
        }
    }
    all
}

fn issue(
    exchange: &Exchange,
    envelope: &Envelope,
    ticket: &Ticket<'_>,
    version: Version,
) -> Result<Vec<u8>, EntraError> {
    let times = Times::at(exchange.context.now());
    let resource = ticket.granted.resource;
    let statement = AppOnly {
        tenant: &ticket.tenant.tenant.id,
        region: &ticket.tenant.tenant.region,
        client_id: &ticket.client.client_id,
        object_id: &ticket.client.object_id,
        managed_identity: None,
        roles: issue::granted_roles(ticket.client, resource),
        resource_id: &resource.client_id,
        audience: ticket.audience(),
        context_class: ticket.context_class,
        times,
        id: &envelope.uti(),
        issuer_base: &v2_issuer_base(exchange),
    };
    let token = issue::token(&exchange.context, ticket.tenant, ticket.token_version(), &statement)?;
    Ok(success(version, &token, times, &ticket.granted.asked))
}

fn success(version: Version, token: &str, times: Times, resource: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(token.len() + 256);
    out.push(b'{');
    push_member(&mut out, "token_type", "Bearer");
    match version {
        Version::V1 => {
            push_member(&mut out, "expires_in", &Times::EXPIRES_IN.to_string());
            push_member(&mut out, "ext_expires_in", &Times::EXPIRES_IN.to_string());
            push_member(&mut out, "expires_on", &times.expires_on.to_string());
            push_member(&mut out, "not_before", &times.not_before.to_string());
            push_member(&mut out, "resource", resource);
        }
        Version::V2 => {
            for name in ["expires_in", "ext_expires_in"] {
                push_name(&mut out, name);
                push_integer(&mut out, Times::EXPIRES_IN);
            }
        }
    }
    push_name(&mut out, "access_token");
    // A compact JWS is base64url and dots: nothing to escape.
    out.push(b'"');
    out.extend_from_slice(token.as_bytes());
    out.push(b'"');
    out.push(b'}');
    out
}
