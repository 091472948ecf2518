//! Id tokens that come back as hints: whose sign-in a request is about.
//!
//! Decides that a hint is an id token that this service issued to one of its applications; one that has run out is as good as any
//! other (for signing out that is known of AD FS, for signing in it is inferred). Never decides what a hint that holds is good
//! for, nor what becomes of a request whose hint does not: that is for who asks.

use std::sync::Arc;

use mocktenant_lab::Exchange;
use mocktenant_token::bearer::Authorization;
use mocktenant_token::ladder::{self, Failure, Questions, Step};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::{Finding, Question, Remedy, Role, Text};
use mocktenant_world::{Client, FederationUser};

use crate::asking::Checks;
use crate::bearer::Place;
use crate::claims::is_of_access_token;
use crate::discovery;
use crate::errors::AdfsError;
use crate::grants::on_behalf_of::named_user;
use crate::prepared::PreparedService;

static PRESENT: Question = Question::new("id-token-hint-present", Role::Token);
static WELL_FORMED: Question = Question::new("id-token-hint-well-formed", Role::Token).needs(&[&PRESENT]);
static ALGORITHM: Question = Question::new("id-token-hint-algorithm", Role::Token).needs(&[&WELL_FORMED]);
static SIGNATURE: Question = Question::new("id-token-hint-signature", Role::Authority).needs(&[&WELL_FORMED]);
static ISSUER: Question = Question::new("id-token-hint-issuer", Role::Authority).needs(&[&WELL_FORMED]);
static AUDIENCE: Question = Question::new("id-token-hint-audience", Role::Client).needs(&[&WELL_FORMED]);
static KIND: Question = Question::new("id-token-hint-kind", Role::Token).needs(&[&WELL_FORMED]);

/// The questions, in the order asked.
pub(crate) static QUESTIONS: [&Question; 7] =
    [&PRESENT, &WELL_FORMED, &ALGORITHM, &SIGNATURE, &ISSUER, &AUDIENCE, &KIND];

static LADDER: Questions = Questions {
    present: &PRESENT,
    present_expected: "an id_token_hint",
    well_formed: &WELL_FORMED,
    well_formed_expected: "one JSON web token of three parts",
    well_formed_held: "a JSON web token of three parts",
    steps: &[
        (Step::Algorithm, &ALGORITHM),
        (Step::Signature, &SIGNATURE),
        (Step::Issuer, &ISSUER),
        (Step::Audience, &AUDIENCE),
    ],
    algorithm_expected: "an RSA signature algorithm and no critical extension",
    algorithm_missing: "a header without alg",
    whole_header: true,
};

/// Whose sign-in a hint is of.
pub(crate) struct Hinted<'p> {
    /// The application that the id token was issued to.
    pub(crate) client: &'p Arc<Client>,
    /// Its user, where the service still has that one.
    pub(crate) user: Option<&'p Arc<FederationUser>>,
}

/// Asks whether a hint is one.
pub(crate) fn ask<'p>(
    exchange: &Exchange,
    prepared: &'p PreparedService,
    list: &mut Checks<'_>,
    sent: Option<&str>,
) -> Option<Hinted<'p>> {
    let service = &prepared.service;
    let own: Vec<String> = service.clients.values().map(|client| client.client_id.clone()).collect();
    let called = discovery::issuer(prepared, exchange);
    let place = Place {
        prepared,
        questions: &LADDER,
        issuers: [&prepared.canonical_issuer, &called],
        audiences_shown: "the client id of an application".into(),
        audiences: &own,
        client: None,
        refuse: refused,
    };
    let sent = sent.map_or(Authorization::Missing, Authorization::Bearer);
    let token = ladder::ask(list, &place, &sent, exchange.context.now());
    let claims = token.as_ref().map(Compact::claims);
    list.ask(&KIND, "an id token", Vec::new(), || match claims {
        None => Finding::skip(WELL_FORMED.name),
        Some(claims) if is_of_access_token(claims) => {
            Finding::fail("an access token", AdfsError::LogoutStays)
                .mended_by(|| Remedy::default().advice("that is an access token: send the id token"))
        }
        Some(_) => Finding::pass("an id token"),
    });
    let claims: Claims<'_> = claims.filter(|_| list.refusal().is_none())?;
    let client = service.client(claims.text("aud")?)?;
    Some(Hinted { client, user: named_user(claims).and_then(|name| service.user(name)) })
}

fn refused(place: &Place<'_>, actual: Text, failure: Failure<'_>) -> Finding<AdfsError> {
    let refused = Finding::fail(actual, AdfsError::LogoutStays);
    match failure {
        Failure::IssuerUnknown { .. } => {
            refused.mended_by(|| Remedy::instead([place.prepared.canonical_issuer.clone()]))
        }
        Failure::Missing => refused
            .mended_by(|| Remedy::default().advice("send the id token of the sign-in as `id_token_hint`")),
        _ => refused,
    }
}
