//! Who the client is, and whether it can prove it: the ways to authenticate, one file each, and the table they stand in.
//!
//! Decides which credential a request presents (an assertion before a secret, the form before Basic) and that a native
//! application has none. Whether a credential is one of the server application's is for the method's own file. Never decides
//! what an authenticated client may have.

mod private_key_jwt;
mod secret;

use std::borrow::Cow;

use mocktenant_idp::nearest;
use mocktenant_token::assertion::Assertion;
use mocktenant_verdict::{Change, Finding, Need, Question, Remedy, Role};
use mocktenant_world::Client;

pub(crate) use self::private_key_jwt::judge;
pub(crate) use self::secret::AUTH_METHOD as SECRET_METHOD;
use crate::asking::{Asking, Checks, Fact, Sent, excerpt};
use crate::errors::AdfsError;
use crate::grants::Grant;

/// The ways AD FS takes here. A credential is looked for in this order.
pub(crate) static METHODS: [&Method; 3] = [&private_key_jwt::METHOD, &secret::POST, &secret::BASIC];

/// Whether the request names a client.
pub(crate) static CLIENT_ID: Question = Question::new("client-id", Role::Client);
/// Whether an application group has that client.
pub(crate) static REGISTERED: Question = Question::new("client-registered", Role::Client);
/// Whether it presents what its kind of application has.
pub(crate) static CREDENTIAL: Question =
    Question::new("client-credential", Role::Secret).needs(&[&REGISTERED]);

/// One way to authenticate a client.
#[derive(Debug)]
pub(crate) struct Method {
    /// What is presented, as a check shows it.
    pub(crate) shown: &'static str,
    /// What is presented, as the fact `credential`.
    pub(crate) credential: &'static str,
    /// `authmethod` of an app-only token.
    pub(crate) authmethod: &'static str,
    /// Its questions, in the order asked.
    pub(crate) questions: &'static [&'static Question],
    /// The client id that stands beside a credential of this kind, outside the form's `client_id`.
    pub(crate) client_beside: for<'r> fn(Sent<'r>) -> Option<Cow<'r, str>>,
    /// Reads a credential of this kind out of a request.
    pub(crate) read: for<'r> fn(Sent<'r>) -> Option<Credential<'r>>,
    /// Asks its questions.
    pub(crate) ask: fn(&Asking<'_, '_>, &Credential<'_>, &mut Checks<'_>),
    /// What is learnt from the credential.
    pub(crate) facts: fn(&Asking<'_, '_>, &Credential<'_>, &mut Vec<Fact>),
}

/// What is presented.
#[derive(Debug)]
pub(crate) enum Credential<'r> {
    /// A text that its method compares with something.
    Text(Cow<'r, str>),
    /// A signed assertion.
    Assertion(Assertion<'r>),
}

/// What a client presents.
pub(crate) struct Presented<'r> {
    /// The client id as sent: from the form, from beside the credential, or from within it.
    pub(crate) id: Option<Cow<'r, str>>,
    proof: Option<(&'static Method, Credential<'r>)>,
}

impl<'r> Presented<'r> {
    /// Reads client id and credential out of a request.
    pub(crate) fn read(sent: Sent<'r>) -> Self {
        let proof = METHODS.iter().find_map(|method| Some((*method, (method.read)(sent)?)));
        let id = sent
            .parameter("client_id")
            .map(Cow::Borrowed)
            .or_else(|| METHODS.iter().find_map(|method| (method.client_beside)(sent)))
            .or_else(|| match &proof {
                // It is the issuer that AD FS looks a client up by.
                Some((_, Credential::Assertion(assertion))) => {
                    assertion.issuer().map(|id| Cow::Owned(id.to_owned()))
                }
                _ => None,
            });
        Self { id, proof }
    }

    /// The credential's kind, as the fact `credential` has it.
    pub(crate) fn kind(&self) -> &'static str {
        self.proof.as_ref().map_or("none", |(method, _)| method.credential)
    }

    /// `authmethod` of an app-only token.
    pub(crate) fn auth_method(&self) -> &'static str {
        self.proof.as_ref().map_or(secret::AUTH_METHOD, |(method, _)| method.authmethod)
    }

    /// What is learnt from the credential.
    pub(crate) fn facts(&self, asking: &Asking<'_, '_>, facts: &mut Vec<Fact>) {
        if let Some((method, credential)) = &self.proof {
            (method.facts)(asking, credential, facts);
        }
    }

    /// Asks who it is, and for its proof.
    pub(crate) fn ask(&self, asking: &Asking<'_, '_>, list: &mut Checks<'_>, grant: Option<&Grant>) {
        list.ask(&CLIENT_ID, "the client id of an application", Vec::new(), || match self.id {
            Some(_) => Finding::pass("a client id"),
            None => Finding::fail("none", AdfsError::ParameterMissing { name: "client_id".to_owned() }),
        });
        ask_registered(asking, list, |_| AdfsError::ClientUnknown);
        list.ask(
            &CREDENTIAL,
            "what its kind of application has: a secret or an assertion, or nothing",
            || asking.client.map(|client| client.pointer.clone()).into_iter().collect(),
            || self.credential(asking, grant),
        );
        if let Some((method, credential)) = &self.proof {
            (method.ask)(asking, credential, list);
        }
    }

    fn credential(&self, asking: &Asking<'_, '_>, grant: Option<&Grant>) -> Finding<AdfsError> {
        let Some(client) = asking.client else { return Finding::skip(REGISTERED.name) };
        match (&self.proof, &client.credentials) {
            (Some((method, _)), Some(_)) => Finding::pass(method.shown),
            (None, Some(_)) => Finding::fail("none", AdfsError::ClientRefused).mended_by(|| {
                Remedy::default().advice(
                    "send the server application's secret, or an assertion signed with its certificate",
                )
            }),
            (Some((method, _)), None) => Finding::fail(
                format!("{} of a native application, which has none", method.shown),
                AdfsError::ClientRefused,
            ),
            (None, None) if grant.is_some_and(|grant| !grant.public_clients) => {
                Finding::fail("a native application, which can prove nothing", AdfsError::ClientRefused)
            }
            (None, None) => Finding::pass("none, as a native application"),
        }
    }
}

/// Asks whether an application group has the client; each endpoint has an error of its own for one that none has.
pub(crate) fn ask_registered(
    asking: &Asking<'_, '_>,
    list: &mut Checks<'_>,
    unknown: impl Fn(&str) -> AdfsError,
) {
    let service = &asking.prepared.service;
    let settings = || match asking.client {
        Some(client) => vec![client.pointer.clone()],
        None => vec![service.pointer.application_groups()],
    };
    list.ask(&REGISTERED, "an application of an application group", settings, || {
        match (asking.client, asking.client_id) {
            (Some(_), _) => Finding::pass("registered"),
            (None, None) => Finding::skip(CLIENT_ID.name),
            (None, Some(id)) => not_registered(asking, id, unknown(id)),
        }
    });
}

/// A client id that no application has: with the one that was probably meant, or those whose redirect URI was sent with it, or all.
fn not_registered(asking: &Asking<'_, '_>, sent: &str, error: AdfsError) -> Finding<AdfsError> {
    let service = &asking.prepared.service;
    let mut clients: Vec<&Client> = service.clients.values().map(AsRef::as_ref).collect();
    clients.sort_by(|left, right| left.client_id.cmp(&right.client_id));
    let near = nearest::mistyped(sent, clients.iter().map(|client| client.client_id.as_str()));
    let redirect_uri = asking.sent.parameter("redirect_uri");
    let has_it = |client: &&Client| client.redirect_uris.iter().any(|one| Some(one.as_str()) == redirect_uri);
    let meant = |client: &&Client| near.is_none_or(|near| client.client_id == near);
    if near.is_none() && clients.iter().any(&has_it) {
        clients.retain(has_it);
    }
    let known: Vec<String> =
        clients.into_iter().filter(meant).map(|client| client.client_id.clone()).take(8).collect();
    let actual = match (near, known.is_empty()) {
        (Some(near), _) => format!("{}: nearly {near}, which is registered", excerpt(sent)),
        (None, false) => format!("{}; registered: {}", excerpt(sent), excerpt(&known.join(", "))),
        (None, true) => format!("{}; none is registered", excerpt(sent)),
    };
    Finding::fail(actual, error).mended_by(|| {
        let at = service.pointer.application_groups();
        let need = Need::add(at.clone(), "a native or server application with this client id");
        Remedy::here(Change::missing(at).expected(format!("an application {}", excerpt(sent))).need(need))
            .or_instead(known)
    })
}
