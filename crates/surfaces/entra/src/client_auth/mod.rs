//! Who the client is, and whether it can prove it.
//!
//! Decides which credential a request presents (an assertion before a secret, the form before Basic), which application
//! of the tenant it names, and whether the credential is one of that application's. The questions are asked in one fixed
//! order; all that can be asked are asked, the first failure decides. Never decides what an authenticated client may have.

pub(crate) mod assertion;
pub(crate) mod secret;

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_lab::Context;
use mocktenant_verdict::{Check, Checklist, Finding, foreign};
use mocktenant_world::Application;
use time::OffsetDateTime;

use self::assertion::{Assertion, Place};
use crate::Entra;
use crate::errors::{EntraError, describe};
use crate::form::{Form, decode};
use crate::prepared::PreparedTenant;

/// The questions of one request.
pub(crate) type Checks<'s> = Checklist<'s, EntraError>;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// What a client presents.
pub(crate) struct Client<'r> {
    /// The client id as sent: from the form, from Basic, or the assertion's subject.
    pub(crate) id: Option<Cow<'r, str>>,
    /// The credential.
    pub(crate) credential: Credential<'r>,
}

/// How a client proves who it is.
pub(crate) enum Credential<'r> {
    /// Not at all.
    None,
    /// Half of an assertion: the missing parameter.
    Incomplete {
        /// Its name.
        missing: &'static str,
    },
    /// A secret.
    Secret(Cow<'r, str>),
    /// A signed assertion.
    Assertion(Assertion<'r>),
}

impl<'r> Client<'r> {
    /// Reads the credential out of form and `Authorization` header.
    pub(crate) fn read(form: &'r Form<'r>, authorization: Option<&str>) -> Self {
        let basic = authorization.and_then(basic);
        let assertion = form.get("client_assertion");
        let kind = form.get("client_assertion_type");
        let credential = match (assertion, kind) {
            (Some(_), kind) if kind != Some(ASSERTION_TYPE) => {
                Credential::Incomplete { missing: "client_assertion_type" }
            }
            (Some(token), _) => Credential::Assertion(Assertion::read(token)),
            (None, Some(_)) => Credential::Incomplete { missing: "client_assertion" },
            (None, None) => match (form.get("client_secret"), &basic) {
                (Some(secret), _) => Credential::Secret(Cow::Borrowed(secret)),
                (None, Some((_, secret))) if !secret.is_empty() => {
                    Credential::Secret(Cow::Owned(secret.clone()))
                }
                (None, _) => Credential::None,
            },
        };
        let id = form
            .get("client_id")
            .map(Cow::Borrowed)
            .or_else(|| basic.map(|(id, _)| id).filter(|id| !id.is_empty()).map(Cow::Owned))
            .or_else(|| match &credential {
                Credential::Assertion(assertion) => assertion.subject().map(|id| Cow::Owned(id.to_owned())),
                _ => None,
            });
        Self { id, credential }
    }

    /// The credential's kind, as the fact `credential` has it.
    pub(crate) fn kind(&self) -> &'static str {
        match self.credential {
            Credential::None | Credential::Incomplete { .. } => "none",
            Credential::Secret(_) => "secret",
            Credential::Assertion(_) => "certificate",
        }
    }

    /// `appidacr` and `azpacr`: 1 for a secret, 2 for a certificate.
    pub(crate) fn context_class(&self) -> &'static str {
        match self.credential {
            Credential::Assertion(_) => "2",
            Credential::Secret(_) => "1",
            Credential::None | Credential::Incomplete { .. } => "0",
        }
    }

    /// What can be asked of the request alone.
    pub(crate) fn ask_request(&self, list: &mut Checks<'_>) {
        let finding = match self.id.as_deref() {
            None => Finding::fail("none", EntraError::ParameterMissing { name: "client_id".to_owned() }),
            Some(ZERO_GUID) => {
                Finding::fail(ZERO_GUID, EntraError::ClientIdInvalid { client_id: ZERO_GUID.to_owned() })
            }
            Some(_) => Finding::pass("a client id"),
        };
        list.ask_named("client-id", "the client id of an application", Vec::new(), finding);
        let finding = match &self.credential {
            Credential::None => Finding::fail("none", EntraError::CredentialMissing),
            Credential::Incomplete { missing } => Finding::fail(
                format!("no usable {missing}"),
                EntraError::ParameterMissing { name: (*missing).to_owned() },
            ),
            Credential::Secret(_) => Finding::pass("a secret"),
            Credential::Assertion(_) => Finding::pass("a client assertion"),
        };
        list.ask_named(
            "client-credential",
            "client_secret, or client_assertion with its type",
            Vec::new(),
            finding,
        );
        if let Credential::Assertion(assertion) = &self.credential {
            assertion.ask_claims(list, self.id.as_deref());
        }
    }

    /// What can be asked of the tenant's registrations. Gives the application, if there is one.
    pub(crate) fn ask_registration<'p>(
        &self,
        list: &mut Checks<'_>,
        tenant: Option<&'p PreparedTenant>,
        place: &Place<'_>,
    ) -> Option<&'p Arc<Application>> {
        let application = self.ask_application(list, tenant);
        match &self.credential {
            Credential::Assertion(assertion) => {
                assertion.ask_registration(list, place, tenant, application.map(AsRef::as_ref));
            }
            Credential::Secret(secret) => {
                secret::ask(list, secret, application.map(AsRef::as_ref), place.now);
            }
            Credential::None | Credential::Incomplete { .. } => {}
        }
        application
    }

    fn ask_application<'p>(
        &self,
        list: &mut Checks<'_>,
        tenant: Option<&'p PreparedTenant>,
    ) -> Option<&'p Arc<Application>> {
        let Some(id) = self.id.as_deref() else {
            skip_application(list, "client-id");
            return None;
        };
        let Some(tenant) = tenant else {
            skip_application(list, "tenant");
            return None;
        };
        let tenant = &tenant.tenant;
        let application = tenant.application(id);
        let setting = || {
            application.map_or_else(
                || tenant.pointer.application(&excerpt(id).to_ascii_lowercase()),
                |application| application.pointer.clone(),
            )
        };
        let finding = match application {
            Some(_) => Finding::pass("registered"),
            None => Finding::fail(
                excerpt(id),
                EntraError::ApplicationNotFound { client_id: id.to_owned(), tenant: tenant.name.clone() },
            ),
        };
        list.ask_named(
            "application-registered",
            "an application of the tenant",
            || vec![setting().into()],
            finding,
        );
        let Some(application) = application else {
            for name in ["application-enabled", "application-confidential"] {
                list.ask_named(name, "", Vec::new(), Finding::skip("application-registered"));
            }
            return None;
        };
        list.ask_named(
            "application-enabled",
            "enabled",
            || vec![setting().enabled()],
            Finding::when(
                application.enabled,
                if application.enabled { "enabled" } else { "disabled" },
                || EntraError::ApplicationDisabled {
                    app_id: application.client_id.clone(),
                    name: application.name.clone(),
                },
            ),
        );
        // "Allow public client flows" beside a credential still is a confidential client.
        let public = application.public_client
            && application.secrets.is_empty()
            && application.certificates.is_empty();
        let presents = !matches!(self.credential, Credential::None);
        list.ask_named(
            "application-confidential",
            "a confidential client",
            || vec![setting().public_client()],
            if public && presents {
                Finding::fail("a public client that holds no credential", EntraError::ClientIsPublic)
            } else {
                Finding::pass(if public { "a public client" } else { "a confidential client" })
            },
        );
        Some(application)
    }
}

fn skip_application(list: &mut Checks<'_>, needs: &'static str) {
    for name in ["application-registered", "application-enabled", "application-confidential"] {
        list.ask_named(name, "", Vec::new(), Finding::skip(needs));
    }
}

/// Client id and secret of an `Authorization: Basic` header, both form-encoded inside it (RFC 6749 section 2.3.1). What
/// cannot be read presents nothing.
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((decode(id)?.into_owned(), decode(secret)?.into_owned()))
}

/// A text as a check, a fact or a pointer shows it, cut so that the journal stays small whatever was sent. Never for what
/// a product says: its texts repeat what was sent.
pub(crate) fn excerpt(text: &str) -> String {
    foreign::excerpt(text, 200).into_owned()
}

/// Judges a client assertion outside a request: the client and the tenant are the ones it names itself.
pub(crate) fn judge(context: &Context, token: &str, now: OffsetDateTime) -> Vec<Check> {
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
    let mut list = Checklist::new(context.switches(), describe);
    assertion.ask_claims(&mut list, id.as_deref());
    let client = Client { id: id.map(Cow::Owned), credential: Credential::Assertion(assertion) };
    let place = Place { prepared, now, called: None };
    client.ask_registration(&mut list, tenant.map(AsRef::as_ref), &place);
    list.finish().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(basic(&header("id:a%3Ab+c")), Some(("id".into(), "a:b c".into())));
        assert_eq!(basic(&header("id:")), Some(("id".into(), String::new())));
        for bad in [
            "",
            "Basic",
            "Basic !!!",
            "Bearer eA==",
            &header("nocolon"),
            &header("id:%zz"),
            &format!("Basic {}", STANDARD.encode([0xff, b':', b'x'])),
        ] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }
}
