//! The questions about a request for a token of a managed identity.
//!
//! Decides their order and what each looks at, for both services: what tells that the request is meant, the parameters, the
//! identity. Entra then asks its own, as of any client: whether the application is there and enabled, and whether the
//! tenant has the resource. Asking has no effects. Never decides what a refusal looks like.

use std::sync::Arc;

use mocktenant_lab::Exchange;
use mocktenant_verdict::{Change, Check, Checklist, Edit, Finding, Need, Question, Remedy, Role, Setting};
use mocktenant_world::declaration::Assigned;
use mocktenant_world::{Application, World, is_guid};
use serde_json::json;

use super::Service;
use super::assigned::{Identity, Machine, Named, Way};
use crate::Version;
use crate::asking::{Asking, Sent};
use crate::client_auth::{self, Checks, REGISTERED, excerpt};
use crate::errors::{EntraError, ManagedIdentityError, describe};
use crate::grants::Granted;
use crate::resource::{self, RESOURCE};
use mocktenant_idp::form::Form;
use mocktenant_idp::secret;

static METADATA: Question = Question::new("metadata-header", Role::Request);
static NOT_FORWARDED: Question = Question::new("not-forwarded", Role::Request);
static HEADER: Question = Question::new("identity-header", Role::Secret);
static QUERY: Question = Question::new("query-readable", Role::Request);
static API_VERSION: Question = Question::new("api-version", Role::Request).needs(&[&QUERY]);
static RESOURCE_GIVEN: Question = Question::new("resource-given", Role::Resource).needs(&[&QUERY]);
static ASSIGNED: Question = Question::new("identity-assigned", Role::Client).needs(&[&QUERY]);
static UNAMBIGUOUS: Question = Question::new("identity-unambiguous", Role::Client).needs(&[&ASSIGNED]);

/// Every question, in the order asked; those of one service alone stand where it asks them.
pub(super) fn questions() -> Vec<&'static Question> {
    let own =
        [&METADATA, &NOT_FORWARDED, &HEADER, &QUERY, &API_VERSION, &RESOURCE_GIVEN, &ASSIGNED, &UNAMBIGUOUS];
    own.into_iter().chain(client_auth::KNOWN).chain([&RESOURCE]).collect()
}

/// The versions of IMDS that have identities, as its article lists them.
const IMDS_VERSIONS: [&str; 30] = [
    "2018-02-01",
    "2018-04-02",
    "2018-10-01",
    "2019-02-01",
    "2019-03-11",
    "2019-04-30",
    "2019-06-01",
    "2019-06-04",
    "2019-08-01",
    "2019-08-15",
    "2019-11-01",
    "2020-06-01",
    "2020-07-15",
    "2020-09-01",
    "2020-10-01",
    "2020-12-01",
    "2021-01-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2021-10-01",
    "2021-11-01",
    "2021-11-15",
    "2021-12-13",
    "2023-07-01",
    "2023-11-15",
    "2024-03-15",
    "2024-07-17",
    "2025-04-07",
];
/// That of App Service.
const APP_SERVICE_VERSION: &str = "2019-08-01";
/// Its older one: other parameters, another header, another answer.
pub(super) const OLD_APP_SERVICE_VERSION: &str = "2017-09-01";

/// The questions of one request that the service itself asks.
type OwnChecks<'s> = Checklist<'s, ManagedIdentityError>;

/// Who refused.
pub(super) enum Refused {
    /// The service.
    Service(ManagedIdentityError),
    /// Entra, behind it.
    Entra(EntraError),
}

/// What was decided.
pub(super) struct Decision<'m> {
    pub(super) checks: Vec<Check>,
    /// Whose token was asked for, as far as that is known.
    pub(super) identity: Option<&'m Identity>,
    pub(super) outcome: Result<Ticket<'m>, Refused>,
}

/// A token to be issued.
pub(super) struct Ticket<'m> {
    pub(super) identity: &'m Identity,
    pub(super) application: &'m Arc<Application>,
    pub(super) granted: Granted<'m>,
}

/// One request.
pub(super) struct Request<'r, 'm> {
    pub(super) service: Service,
    pub(super) exchange: &'r Exchange,
    pub(super) form: &'r Result<Form<'r>, EntraError>,
    pub(super) world: &'m World,
    pub(super) machine: &'m Machine,
}

impl<'m> Request<'_, 'm> {
    /// Asks everything that can be asked.
    pub(super) fn decide(&self) -> Decision<'m> {
        let mut own: OwnChecks<'_> = Checklist::new(self.exchange.context.switches(), |error| {
            let row = error.row();
            (row.id, row.change)
        });
        match self.service {
            Service::Imds => self.ask_metadata(&mut own),
            Service::AppService => self.ask_header(&mut own),
        }
        self.ask_parameters(&mut own);
        let identity = self.ask_identity(&mut own);
        let (mut checks, refused) = own.finish();
        let (of_entra, granted, refused_by_entra) = self.ask_entra(identity);
        checks.extend(of_entra);
        let application = identity.and_then(|identity| identity.application.as_ref());
        let outcome = match (refused, refused_by_entra) {
            (Some(error), _) => Err(Refused::Service(error)),
            (None, Some(error)) => Err(Refused::Entra(error)),
            (None, None) => match (identity, application, granted) {
                (Some(identity), Some(application), Some(granted)) => {
                    Ok(Ticket { identity, application, granted })
                }
                // Only a check that a test turned off leads here.
                _ => Err(Refused::Entra(EntraError::TokenIssuance)),
            },
        };
        Decision { checks, identity, outcome }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.form.as_ref().ok()?.get(name)
    }

    fn ask_metadata(&self, list: &mut OwnChecks<'_>) {
        let request = &self.exchange.request;
        list.ask(&METADATA, "Metadata: true", Vec::new(), || {
            match (request.header("metadata"), request.headers.contains_key("metadata")) {
                (Some("true"), _) => Finding::pass("Metadata: true"),
                (Some(other), _) => Finding::fail(excerpt(other), ManagedIdentityError::MetadataMissing),
                (None, true) => Finding::fail("several", ManagedIdentityError::MetadataMissing),
                (None, false) => Finding::fail("none", ManagedIdentityError::MetadataMissing),
            }
        });
        list.ask(&NOT_FORWARDED, "no X-Forwarded-For", Vec::new(), || {
            match request.headers.get("x-forwarded-for") {
                None => Finding::pass("no X-Forwarded-For"),
                Some(by) => {
                    let by = excerpt(&String::from_utf8_lossy(by.as_bytes()));
                    Finding::fail(format!("X-Forwarded-For: {by}"), ManagedIdentityError::Forwarded)
                }
            }
        });
    }

    fn ask_header(&self, list: &mut OwnChecks<'_>) {
        let tenant = &self.machine.tenant.tenant;
        let given = tenant.identity_header.as_ref();
        let settings = || vec![tenant.pointer.identity_header()];
        list.ask(&HEADER, "X-IDENTITY-HEADER as the app was given it", settings, || {
            let refused = |actual| Finding::fail(actual, ManagedIdentityError::HeaderWrong);
            match (given, self.exchange.request.header("x-identity-header")) {
                (Some(given), Some(sent)) if secret::same(given, sent) => Finding::pass("as it was given"),
                (None, _) => {
                    let setting = tenant.pointer.identity_header();
                    let need = Need::add(setting.clone(), "a value for the header");
                    refused("the tenant has no App Service").mended_by(|| {
                        Change::missing(setting.clone()).need(need.stand_in([Edit::add(setting, "made-up")]))
                    })
                }
                (Some(_), Some(_)) => refused("another value"),
                (Some(_), None) => refused("none"),
            }
        });
    }

    fn ask_parameters(&self, list: &mut OwnChecks<'_>) {
        let of = |imds, app_service| match self.service {
            Service::Imds => imds,
            Service::AppService => app_service,
        };
        list.ask(&QUERY, "every parameter once, as text", Vec::new(), || {
            Finding::when(self.form.is_ok(), "readable", || {
                of(ManagedIdentityError::QueryMalformed, ManagedIdentityError::AppQueryMalformed)
            })
        });
        let (known, usual): (&[&str], &str) = match self.service {
            Service::Imds => (&IMDS_VERSIONS, "2018-02-01 or a later one"),
            Service::AppService => (&[APP_SERVICE_VERSION], APP_SERVICE_VERSION),
        };
        list.ask(&API_VERSION, usual, Vec::new(), || {
            let sent = self.parameter("api-version");
            match sent.and_then(|sent| known.iter().find(|known| **known == sent)) {
                Some(known) => Finding::pass(*known),
                None => {
                    let error = of(ManagedIdentityError::ApiVersion, ManagedIdentityError::AppApiVersion);
                    Finding::fail(sent.map_or("none".to_owned(), excerpt), error)
                        .mended_by(|| Remedy::instead([known[0]]))
                }
            }
        });
        list.ask(&RESOURCE_GIVEN, "a resource", Vec::new(), || match self.parameter("resource") {
            Some(_) => Finding::pass("a resource"),
            None => Finding::fail(
                "none",
                of(ManagedIdentityError::ResourceMissing, ManagedIdentityError::AppResourceMissing),
            ),
        });
    }

    /// Asks which identity is meant. Without a name it is the machine's own; IMDS goes on to the only other one.
    fn ask_identity(&self, list: &mut OwnChecks<'_>) -> Option<&'m Identity> {
        let machine = self.machine;
        let named = match self.form {
            Ok(form) => machine.named(form),
            Err(_) => Named::Nobody,
        };
        let not_found = match self.service {
            Service::Imds => ManagedIdentityError::IdentityNotFound,
            Service::AppService => ManagedIdentityError::AppIdentityNotFound,
        };
        let all = || vec![machine.tenant.tenant.pointer.managed_identities()];
        let settings = || match &named {
            Named::One(identity) => vec![identity.pointer.setting()],
            _ => all(),
        };
        let usual = match (self.service, machine.identities.as_slice()) {
            (Service::Imds, [only]) => Some(only),
            _ => machine.own(),
        };
        let alone = self.service == Service::AppService && usual.is_none();
        list.ask(&ASSIGNED, "an identity of the machine", settings, || match &named {
            Named::One(_) => Finding::pass("an identity of the machine"),
            Named::Nobody if machine.identities.is_empty() => {
                Finding::fail("the machine has none", not_found).mended_by(|| self.assign_one())
            }
            Named::Nobody if alone => {
                Finding::fail("none is named, and the app has none of its own", not_found)
                    .mended_by(|| self.instead(Way::Client))
            }
            Named::Nobody => Finding::pass("none is named"),
            Named::Stranger(way, name) => {
                Finding::fail(excerpt(name), not_found).mended_by(|| self.assign(*way, name))
            }
        });
        list.ask(&UNAMBIGUOUS, "the machine's own identity, or the name of one", all, || {
            match (&named, usual) {
                (Named::One(_), _) => Finding::pass("it is named"),
                (_, Some(usual)) if usual.assigned == Assigned::System => Finding::pass("the machine's own"),
                (_, Some(_)) => Finding::pass("the only one"),
                (_, None) => {
                    let many = format!("none is named, of {}", machine.identities.len());
                    Finding::fail(many, ManagedIdentityError::IdentityAmbiguous)
                        .mended_by(|| self.instead(Way::Client))
                }
            }
        });
        match named {
            Named::One(identity) => Some(identity),
            Named::Nobody => usual,
            Named::Stranger(..) => None,
        }
    }

    /// What Entra asks: whether the identity's application is there and enabled, and whether the tenant has the resource.
    fn ask_entra(
        &self,
        identity: Option<&'m Identity>,
    ) -> (Vec<Check>, Option<Granted<'m>>, Option<EntraError>) {
        let empty = Form::default();
        let form = self.form.as_ref().unwrap_or(&empty);
        let asking = Asking {
            world: self.world,
            prepared: &self.machine.entra,
            tenant: Some(&self.machine.tenant),
            application: identity.and_then(|identity| identity.application.as_ref()),
            client_id: identity.map(|identity| identity.client_id.as_str()),
            sent: Sent { form, headers: &self.exchange.request.headers },
            version: Version::V1,
            now: self.exchange.context.now(),
            called: None,
        };
        let mut list: Checks<'_> = Checklist::new(self.exchange.context.switches(), describe);
        if identity.is_some() {
            client_auth::ask_known(&asking, &mut list);
        } else {
            for question in client_auth::KNOWN {
                list.skip(
                    question,
                    if question.name == REGISTERED.name { &UNAMBIGUOUS } else { &REGISTERED },
                );
            }
        }
        let granted = match form.get("resource") {
            Some(asked) => resource::ask(&asking, &mut list, Ok(asked)),
            None => {
                list.skip(&RESOURCE, &RESOURCE_GIVEN);
                None
            }
        };
        let (checks, refused) = list.finish();
        (checks, granted, refused)
    }

    /// The names of those there are.
    fn instead(&self, way: Way) -> Remedy {
        Remedy::instead(self.machine.identities.iter().filter_map(|one| one.name(way)).map(str::to_owned))
    }

    /// The identity that was named could be assigned, if the tenant has its application; or another one named.
    fn assign(&self, way: Way, name: &str) -> Remedy {
        let known = self.instead(way);
        let tenant = &self.machine.tenant.tenant;
        let there = (way == Way::Client)
            .then(|| tenant.application(name))
            .flatten()
            .filter(|application| !application.first_party);
        match there {
            Some(application) => {
                Remedy::from(self.missing(&application.client_id, "user")).or_instead(known.instead)
            }
            None => known,
        }
    }

    /// The machine could have an identity of its own: the caller's application, in want of a better one.
    fn assign_one(&self) -> Remedy {
        let client_id = self.world.caller().client_id.to_ascii_lowercase();
        if is_guid(&client_id) { self.missing(&client_id, "system").into() } else { Remedy::default() }
    }

    fn missing(&self, client_id: &str, assigned: &str) -> Change {
        let setting: Setting = self.machine.tenant.tenant.pointer.managed_identity(client_id).into();
        let resource_id =
            format!("/subscriptions/made-up/resourcegroups/made-up/providers/made-up/{client_id}");
        let stand_in = json!({ "assigned": assigned, "resource_id": resource_id });
        let need = Need::add(setting.clone(), "the identity, with its Azure resource id");
        Change::missing(setting.clone())
            .expected(format!("the identity {client_id}"))
            .actual("not assigned to the machine")
            .need(need.stand_in([Edit::add(setting, stand_in)]))
    }
}
