//! Who the client is, and whether it can prove it: the ways to authenticate, one file each, and the table they stand in.
//!
//! Decides which credential a request presents (the first of the table: an assertion before a secret, the form before
//! Basic) and which application of the tenant it names. The questions are asked in one fixed order; all that can be asked
//! are asked, the first failure decides. Whether the credential is one of the application's is for the method's own file.
//! Never decides what an authenticated client may have.

mod application;
mod client_secret_basic;
mod client_secret_post;
mod private_key_jwt;
mod secret;

use std::borrow::Cow;

use http::HeaderMap;
use mocktenant_lab::{Context, Trail};
use mocktenant_token::assertion::Assertion;
use mocktenant_verdict::{Checklist, Finding, Question, Role, Text, foreign};

pub(crate) use self::application::ask_known;
pub(crate) use self::application::made_up_object_id;
pub use self::application::{APPLICATION, KNOWN, REGISTERED};
pub(crate) use self::private_key_jwt::CONTEXT_CLASS as CERTIFICATE_CLASS;
pub(crate) use self::secret::CONTEXT_CLASS as SECRET_CLASS;
use crate::asking::{Asking, Sent};
use crate::errors::{EntraError, describe};
use crate::grants::Grant;
use crate::tables::Tables;
use crate::{Entra, Version};
use mocktenant_idp::form::Form;

/// The questions of one request.
pub type Checks<'s> = Checklist<'s, EntraError>;

/// Something learnt of a request, by name.
pub type Fact = (&'static str, Text);

/// The ways Entra takes here. A credential is looked for in this order.
pub static METHODS: &[&Method] =
    &[&private_key_jwt::METHOD, &client_secret_post::METHOD, &client_secret_basic::METHOD];

/// Whether the request names a client.
pub static CLIENT_ID: Question = Question::new("client-id", Role::Client);
/// Whether it presents anything to prove that with.
pub static CLIENT_CREDENTIAL: Question = Question::new("client-credential", Role::Secret);

const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// One way to authenticate a client.
#[derive(Debug)]
pub struct Method {
    /// Its name in `token_endpoint_auth_methods_supported` (RFC 7591 section 2).
    pub name: &'static str,
    /// Its place there: the lower, the earlier. In tens, so that another fits between.
    pub rank: u8,
    /// The parameters it is presented in, as a check expects them; empty where those of another method say it.
    pub parameters: &'static str,
    /// What is presented, as a check shows it.
    pub shown: &'static str,
    /// What is presented, as the fact `credential`.
    pub credential: &'static str,
    /// `appidacr` and `azpacr`: 1 for a secret, 2 for a certificate.
    pub context_class: &'static str,
    /// Its questions about the request alone, in the order asked.
    pub of_request: &'static [&'static Question],
    /// Its questions about what the tenant knows of the client, in the order asked.
    pub of_client: &'static [&'static Question],
    /// The client id that stands beside a credential of this kind, outside the form's `client_id`.
    pub client_beside: for<'r> fn(Sent<'r>) -> Option<Cow<'r, str>>,
    /// Reads a credential of this kind out of a request.
    pub read: for<'r> fn(Sent<'r>) -> Reading<'r>,
    /// Asks what can be asked of the request alone.
    pub ask_request: fn(&Asking<'_, '_>, &Credential<'_>, &mut Checks<'_>),
    /// Asks what can be asked of what the tenant knows of the client.
    pub ask_client: fn(&Asking<'_, '_>, &Credential<'_>, &mut Checks<'_>),
    /// What is learnt from the credential.
    pub facts: fn(&Asking<'_, '_>, &Credential<'_>, &mut Vec<Fact>),
}

/// What a method finds in a request.
#[derive(Debug)]
pub enum Reading<'r> {
    /// Nothing of its own.
    Nothing,
    /// A part of it.
    Incomplete {
        /// The parameter that is missing, or not as it has to be.
        missing: &'static str,
    },
    /// A credential.
    Found(Credential<'r>),
}

/// What is presented.
#[derive(Debug)]
pub enum Credential<'r> {
    /// A text that its method compares with something.
    Text(Cow<'r, str>),
    /// A signed assertion.
    Assertion(Assertion<'r>),
}

/// How a client proves who it is.
enum Proof<'r> {
    /// Not at all.
    None,
    /// With half of a credential.
    Incomplete { missing: &'static str },
    /// With this.
    By(&'static Method, Credential<'r>),
}

/// What a client presents.
pub(crate) struct Client<'r> {
    /// The client id as sent: from the form, from beside the credential, or from within it.
    pub(crate) id: Option<Cow<'r, str>>,
    proof: Proof<'r>,
}

impl<'r> Client<'r> {
    /// Reads client id and credential out of a request.
    pub(crate) fn read(tables: &Tables, sent: Sent<'r>) -> Self {
        let proof = tables.methods().iter().find_map(|method| match (method.read)(sent) {
            Reading::Nothing => None,
            Reading::Incomplete { missing } => Some(Proof::Incomplete { missing }),
            Reading::Found(credential) => Some(Proof::By(method, credential)),
        });
        let proof = proof.unwrap_or(Proof::None);
        let id = sent
            .parameter("client_id")
            .map(Cow::Borrowed)
            .or_else(|| tables.methods().iter().find_map(|method| (method.client_beside)(sent)))
            .or_else(|| match &proof {
                Proof::By(_, Credential::Assertion(assertion)) => {
                    assertion.subject().map(|id| Cow::Owned(id.to_owned()))
                }
                _ => None,
            });
        Self { id, proof }
    }

    /// The credential's kind, as the fact `credential` has it.
    pub(crate) fn kind(&self) -> &'static str {
        match self.proof {
            Proof::None | Proof::Incomplete { .. } => "none",
            Proof::By(method, _) => method.credential,
        }
    }

    /// `appidacr` and `azpacr`; 0 for a client that presents nothing.
    pub(crate) fn context_class(&self) -> &'static str {
        match self.proof {
            Proof::None | Proof::Incomplete { .. } => "0",
            Proof::By(method, _) => method.context_class,
        }
    }

    /// What is learnt from the credential.
    pub(crate) fn facts(&self, asking: &Asking<'_, '_>, facts: &mut Vec<Fact>) {
        if let Proof::By(method, credential) = &self.proof {
            (method.facts)(asking, credential, facts);
        }
    }

    /// Asks what can be asked of the request alone.
    pub(crate) fn ask_request(
        &self,
        asking: &Asking<'_, '_>,
        list: &mut Checks<'_>,
        tables: &Tables,
        grant: Option<&Grant>,
    ) {
        list.ask(&CLIENT_ID, "the client id of an application", Vec::new(), || match self.id.as_deref() {
            None => Finding::fail("none", EntraError::ParameterMissing { name: "client_id".to_owned() }),
            Some(ZERO_GUID) => {
                Finding::fail(ZERO_GUID, EntraError::ClientIdInvalid { client_id: ZERO_GUID.to_owned() })
            }
            Some(_) => Finding::pass("a client id"),
        });
        list.ask(&CLIENT_CREDENTIAL, &tables.credentials, Vec::new(), || match &self.proof {
            Proof::None => without_credential(asking, grant),
            Proof::Incomplete { missing } => Finding::fail(
                format!("no usable {missing}"),
                EntraError::ParameterMissing { name: (*missing).to_owned() },
            ),
            Proof::By(method, _) => Finding::pass(method.shown),
        });
        if let Proof::By(method, credential) = &self.proof {
            (method.ask_request)(asking, credential, list);
        }
    }

    /// Asks what can be asked of what the tenant knows of the client.
    pub(crate) fn ask_client(&self, asking: &Asking<'_, '_>, list: &mut Checks<'_>) {
        application::ask(asking, list, !matches!(self.proof, Proof::None));
        if let Proof::By(method, credential) = &self.proof {
            (method.ask_client)(asking, credential, list);
        }
    }
}

/// A public client needs no credential where the grant is for public clients too.
fn without_credential(asking: &Asking<'_, '_>, grant: Option<&Grant>) -> Finding<EntraError> {
    let refused = || grant.map_or(EntraError::CredentialMissing, |grant| (grant.without_credential)());
    match asking.application {
        _ if !grant.is_some_and(|grant| grant.public_clients) => Finding::fail("none", refused()),
        // Whether it needs one nobody can say; that it is unknown is for the question after this one.
        None => Finding::skip(REGISTERED.name),
        Some(application) if application.public_client => Finding::pass("none, as a public client"),
        Some(_) => Finding::fail("none", refused()),
    }
}

/// A text as a check, a fact or a pointer shows it, cut so that the journal stays small whatever was sent. Never for what
/// a product says: its texts repeat what was sent.
pub(crate) fn excerpt(text: &str) -> String {
    foreign::excerpt(text, 200).into_owned()
}

/// Judges a client assertion outside a request: the client and the tenant are the ones it names itself.
pub(crate) fn judge(context: &Context, token: &str, trail: &mut Trail) {
    let prepared = context.prepared::<Entra>();
    let world = context.world();
    let assertion = Assertion::read(token);
    let id = assertion.issuer().map(str::to_owned);
    // Without a registration anywhere, the first tenant is as good a place to look as any.
    let tenant = world
        .tenants()
        .find(|tenant| id.as_deref().is_some_and(|id| tenant.application(id).is_some()))
        .or_else(|| world.tenants().next())
        .and_then(|tenant| prepared.tenant(&tenant.id));
    let (form, headers) = (Form::default(), HeaderMap::new());
    let asking = Asking {
        world,
        prepared,
        tenant: tenant.map(AsRef::as_ref),
        application: id.as_deref().and_then(|id| tenant?.tenant.application(id)),
        client_id: id.as_deref(),
        sent: Sent { form: &form, headers: &headers },
        version: Version::V2,
        now: context.now(),
        called: None,
    };
    let mut list = Checklist::new(context.switches(), describe);
    let (method, credential) = (&private_key_jwt::METHOD, Credential::Assertion(assertion));
    (method.ask_request)(&asking, &credential, &mut list);
    application::ask(&asking, &mut list, true);
    (method.ask_client)(&asking, &credential, &mut list);
    let mut facts = Vec::new();
    (method.facts)(&asking, &credential, &mut facts);
    for (name, value) in facts {
        trail.fact(name, value);
    }
    trail.record_checks(list.finish().0);
}
