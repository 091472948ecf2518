//! On-behalf-of: a token for a user whose access token a middle tier was called with (RFC 7523 section 2.1, [MS-OAPXBC]).
//!
//! Decides which assertions are good: an access token that this service issued, in time, for the client itself (the client id
//! of the server application is the identifier of the Web API that was called), with the scope `user_impersonation`, of a
//! user who may still sign in. An id token is none, nor is a token that a client has for itself, whatever its claims say. The
//! user is found by what the Web API's rules issued: `upn`, or `DOMAIN\name` (inferred). Of two errors AD FS has here
//! MSIS9650 is for the missing scope, and MSIS9453 for everything else (inferred but for the audience). No refresh token comes
//! with it. The resource is named by `resource`, or in `scope` from Windows Server 2019 on.
//!
//! `requested_token_use=logon_cert` and primary refresh tokens (`request`) are not built: `unbuilt` says so.

use mocktenant_token::bearer::Authorization;
use mocktenant_token::ladder::{self, Failure, Questions, Step};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Remedy, Role, Setting, Text};
use mocktenant_world::declaration::Profile;
use mocktenant_world::{FederationService, WebApi, pointers};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::asking::{Asking, Checks, excerpt};
use crate::bearer::{Place, SEND_ACCESS_TOKEN};
use crate::claims::{audience, is_of_access_token, is_of_user};
use crate::errors::AdfsError;
use crate::grants::{Grant, Since, Subject, Ticket, milliseconds, password};
use crate::scope;

/// Its `grant_type`.
pub(crate) const NAME: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The scope that lets a middle tier act for the user.
const IMPERSONATION: &str = "user_impersonation";
/// Claims that name a user, the first of them that is there.
const NAMES: [&str; 3] = ["upn", "unique_name", "winaccountname"];

static USE: Question = Question::new("requested-token-use", Role::Request);
static PRESENT: Question = Question::new("user-assertion-sent", Role::Request);
static WELL_FORMED: Question = Question::new("user-assertion-well-formed", Role::Token).needs(&[&PRESENT]);
static ALGORITHM: Question = Question::new("user-assertion-algorithm", Role::Token).needs(&[&WELL_FORMED]);
static SIGNATURE: Question =
    Question::new("user-assertion-signature", Role::Authority).needs(&[&WELL_FORMED]);
static ISSUER: Question = Question::new("user-assertion-issuer", Role::Authority).needs(&[&WELL_FORMED]);
static TIME: Question = Question::new("user-assertion-time", Role::Time).needs(&[&WELL_FORMED]);
static AUDIENCE: Question = Question::new("user-assertion-audience", Role::Client).needs(&[&WELL_FORMED]);
static KIND: Question = Question::new("user-assertion-kind", Role::Token).needs(&[&WELL_FORMED]);
static OF_USER: Question = Question::new("user-assertion-user", Role::User).needs(&[&WELL_FORMED]);
static SCOPE: Question = Question::new("user-assertion-scope", Role::Privilege).needs(&[&WELL_FORMED]);
static RESOURCE_NAMED: Question = Question::new("resource-named", Role::Request);

static LADDER: Questions = Questions {
    present: &PRESENT,
    present_expected: "an assertion",
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

/// The grant.
pub(super) static GRANT: Grant = Grant {
    name: NAME,
    since: Profile::Server2016,
    public_clients: false,
    questions: || {
        [&USE, &PRESENT, &WELL_FORMED, &ALGORITHM, &SIGNATURE, &ISSUER, &TIME, &AUDIENCE]
            .into_iter()
            .chain([&KIND, &SCOPE, &OF_USER])
            .chain(password::account_questions())
            .chain([&RESOURCE_NAMED])
            .chain(scope::QUESTIONS)
            .collect()
    },
    ask,
};

fn ask<'p>(asking: &Asking<'_, 'p>, list: &mut Checks<'_>) -> Option<Ticket<'p>> {
    let service = &asking.prepared.service;
    let named = asking.sent.parameter("requested_token_use");
    list.ask(&USE, "on_behalf_of", Vec::new(), || match named {
        Some("on_behalf_of") => Finding::pass("on_behalf_of"),
        Some(other) => Finding::fail(excerpt(other), AdfsError::TokenUseUnknown)
            .mended_by(|| Remedy::instead(["on_behalf_of".to_owned()])),
        None => Finding::fail("none", AdfsError::ParameterMissing { name: "requested_token_use".to_owned() }),
    });
    let sent = asking.sent.parameter("assertion").map_or(Authorization::Missing, Authorization::Bearer);
    let own: Vec<String> =
        asking.client.iter().map(|client| audience(&client.client_id).into_owned()).collect();
    let place = Place {
        prepared: asking.prepared,
        questions: &LADDER,
        issuers: asking.prepared.trust.issuers(),
        audiences_shown: own.first().map(String::as_str).unwrap_or_default().to_owned().into(),
        audiences: &own,
        client: asking.client.map(AsRef::as_ref),
        refuse,
    };
    let token = ladder::ask(list, &place, &sent, asking.now);
    let claims = token.as_ref().map(Compact::claims);
    let given = |answer: &dyn Fn(Claims<'_>) -> Finding<AdfsError>| {
        claims.map_or_else(|| Finding::skip(WELL_FORMED.name), answer)
    };
    list.ask(&KIND, "an access token", Vec::new(), || {
        given(&|claims| {
            if is_of_access_token(claims) {
                return Finding::pass("an access token");
            }
            Finding::fail("an id token", AdfsError::UserTokenFailed)
                .mended_by(|| Remedy::default().advice(SEND_ACCESS_TOKEN))
        })
    });
    let called = called(service, claims);
    let at = || called.iter().map(|web_api| web_api.pointer.permissions()).collect::<Vec<_>>();
    list.ask(&SCOPE, "scp with user_impersonation", at, || {
        given(&|claims| {
            let scopes = claims.text("scp").unwrap_or_default();
            if scopes.split_ascii_whitespace().any(|scope| scope == IMPERSONATION) {
                return Finding::pass(IMPERSONATION);
            }
            let shown = if scopes.is_empty() { "no scp".to_owned() } else { excerpt(scopes) };
            no_impersonation(shown.into(), claims, called)
        })
    });
    let name = claims.and_then(named_user);
    let rules = || called.iter().map(|web_api| web_api.pointer.issued_claims()).collect::<Vec<_>>();
    list.ask(&OF_USER, "a user's token, which names the user", rules, || {
        given(&|claims| match name {
            _ if !is_of_user(claims) => Finding::fail("a client's own token", AdfsError::UserTokenFailed)
                .mended_by(|| Remedy::default().advice("sign a user in, and call with the user's token")),
            Some(_) => Finding::pass("a user's"),
            None => Finding::fail("a user's, without upn or unique_name", AdfsError::UserTokenFailed)
                .mended_by(|| Remedy { here: called.map(name_the_user), ..Remedy::default() }),
        })
    });
    let user = name.and_then(|name| service.user(name));
    let failed = AdfsError::UserTokenFailed;
    password::ask_still_known(list, name, user, &OF_USER, &failed);
    password::ask_account(list, user, asking.now, &failed);
    list.ask(&RESOURCE_NAMED, "a resource, in resource or in scope", Vec::new(), || {
        match scope::resource_named(asking) {
            Some(_) => Finding::pass("one is named"),
            None => Finding::fail("none", AdfsError::ResourceMissing)
                .mended_by(|| Remedy::default().advice("send `resource`: the Web API that is to be called")),
        }
    });
    let granted = scope::ask(asking, list, None)?;
    let signed_in = claims.and_then(|claims| OffsetDateTime::parse(claims.text("auth_time")?, &Rfc3339).ok());
    let since = Since { at: milliseconds(signed_in.unwrap_or(asking.now)), ends: asking.now, nonce: None };
    Some(Ticket { granted, subject: Subject::User { user: user?, since }, refreshable: false })
}

/// Who the user is, as the Web API's rules have it.
pub(crate) fn named_user(claims: Claims<'_>) -> Option<&str> {
    NAMES.into_iter().find_map(|name| claims.text(name)).filter(|name| !name.is_empty())
}

/// The Web API that a token is for.
fn called<'s>(service: &'s FederationService, claims: Option<Claims<'_>>) -> Option<&'s WebApi> {
    let sent = claims?.text("aud")?;
    let has =
        |web_api: &WebApi| web_api.all_identifiers().any(|(identifier, _)| audience(identifier) == sent);
    service.web_apis.iter().map(AsRef::as_ref).find(|web_api| has(web_api))
}

fn no_impersonation(actual: Text, claims: Claims<'_>, called: Option<&WebApi>) -> Finding<AdfsError> {
    Finding::fail(actual, AdfsError::NoImpersonation).mended_by(|| {
        const ASK: &str = "the first client asks for the scope user_impersonation too, and signs in again";
        let client = claims.text("appid").unwrap_or_default();
        let permitted = called.and_then(|web_api| Some((web_api, web_api.permission(client)?)));
        match permitted {
            Some((web_api, scopes)) if !scopes.iter().any(|scope| scope == IMPERSONATION) => {
                let at = web_api.pointer.permission(client);
                let edit = Edit::add(pointers::end_of(&at), IMPERSONATION);
                Remedy::here(Change::wrong(at).expected(IMPERSONATION).edit(edit)).advice(ASK)
            }
            _ => Remedy::default().advice(ASK),
        }
    })
}

/// A rule that is missing.
fn name_the_user(web_api: &WebApi) -> Change {
    let at: Setting = web_api.pointer.issued_claims();
    let upn = serde_json::json!({
        "type": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
        "attribute": "userPrincipalName",
    });
    let need =
        Need::add(at.clone(), "a rule that issues upn").stand_in([Edit::add(pointers::end_of(&at), upn)]);
    Change::missing(at).expected("a rule that issues upn").need(need)
}

fn refuse(place: &Place<'_>, actual: Text, failure: Failure<'_>) -> Finding<AdfsError> {
    match failure {
        Failure::Missing => {
            Finding::fail("none", AdfsError::ParameterMissing { name: "assertion".to_owned() })
        }
        Failure::AudienceWrong { .. } => Finding::fail(actual, AdfsError::UserTokenFailed).mended_by(|| {
            let own = place.client.map(|client| client.client_id.clone());
            Remedy::instead(own).advice(
                "the first client asks with `resource=<client id>`: the Web API that it calls has the client id of the \
                 server application among its identifiers",
            )
        }),
        Failure::IssuerUnknown { sent } => {
            Finding::fail(actual, AdfsError::UserTokenFailed).mended_by(|| {
                let own = Remedy::instead([place.prepared.identifier.clone()]);
                if place.is_of_id_tokens(sent) { own.advice(SEND_ACCESS_TOKEN) } else { own }
            })
        }
        _ => Finding::fail(actual, AdfsError::UserTokenFailed),
    }
}
