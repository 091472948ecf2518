//! The application a client id stands for.
//!
//! Decides whether the tenant has it, whether it is switched on, and whether it is one that can prove anything. Never
//! decides whether what it presents is its own.

use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Role, Setting};
use mocktenant_world::{is_guid, pointers};
use serde_json::json;

use crate::asking::Asking;
use crate::authority::TENANT;
use crate::client_auth::{CLIENT_ID, Checks, excerpt};
use crate::errors::EntraError;
use crate::prepared::PreparedTenant;

/// Whether the tenant has the application.
pub static REGISTERED: Question = Question::new("application-registered", Role::Client).needs(&[&TENANT]);
static ENABLED: Question = Question::new("application-enabled", Role::Client).needs(&[&REGISTERED]);
static CONFIDENTIAL: Question = Question::new("application-confidential", Role::Client).needs(&[&REGISTERED]);

/// The questions about an application, in the order asked.
pub static APPLICATION: [&Question; 3] = [&REGISTERED, &ENABLED, &CONFIDENTIAL];

/// Those of them that are asked whatever proves who the client is.
pub static KNOWN: [&Question; 2] = [&REGISTERED, &ENABLED];

/// Asks them, of a client that presents a credential or none.
pub(super) fn ask(asking: &Asking<'_, '_>, list: &mut Checks<'_>, presents: bool) {
    ask_known(asking, list);
    let application = asking.application;
    list.ask(
        &CONFIDENTIAL,
        "a confidential client",
        || below(asking, pointers::Application::public_client),
        || {
            let Some(application) = application else { return Finding::skip(REGISTERED.name) };
            // "Allow public client flows" beside a credential still is a confidential client.
            let public = application.public_client
                && application.secrets.is_empty()
                && application.certificates.is_empty();
            if public && presents {
                Finding::fail("a public client that holds no credential", EntraError::ClientIsPublic)
                    .mended_by(|| Change::set(application.pointer.public_client(), false))
            } else {
                Finding::pass(if public { "a public client" } else { "a confidential client" })
            }
        },
    );
}

/// Asks whether the tenant has the application, and whether it is switched on.
pub(crate) fn ask_known(asking: &Asking<'_, '_>, list: &mut Checks<'_>) {
    let application = asking.application;
    let named = asking.client_id.zip(asking.tenant);
    list.ask(
        &REGISTERED,
        "an application of the tenant",
        || below(asking, pointers::Application::setting),
        || match (application, named) {
            (Some(_), _) => Finding::pass("registered"),
            (None, None) if asking.client_id.is_none() => Finding::skip(CLIENT_ID.name),
            (None, None) => Finding::skip(TENANT.name),
            (None, Some((id, tenant))) => {
                let (client_id, directory) = (id.to_owned(), tenant.tenant.name.clone());
                Finding::fail(excerpt(id), EntraError::ApplicationNotFound { client_id, tenant: directory })
                    .mended_by(|| register(tenant, id))
            }
        },
    );
    list.ask(
        &ENABLED,
        "enabled",
        || below(asking, pointers::Application::enabled),
        || match application {
            None => Finding::skip(REGISTERED.name),
            Some(application) if application.enabled => Finding::pass("enabled"),
            Some(application) => {
                let (app_id, name) = (application.client_id.clone(), application.name.clone());
                Finding::fail("disabled", EntraError::ApplicationDisabled { app_id, name })
                    .mended_by(|| Change::set(application.pointer.enabled(), true))
            }
        },
    );
}

/// A member of the application that is asked about, whether or not the tenant has it.
fn below(asking: &Asking<'_, '_>, member: fn(&pointers::Application) -> Setting) -> Vec<Setting> {
    let pointer = match (asking.application, asking.client_id.zip(asking.tenant)) {
        (Some(application), _) => Some(application.pointer.clone()),
        (None, Some((id, tenant))) => {
            Some(tenant.tenant.pointer.application(&excerpt(id).to_ascii_lowercase()))
        }
        (None, None) => None,
    };
    pointer.iter().map(member).collect()
}

/// The registration that is missing. What can be no client id can be registered by nobody.
fn register(tenant: &PreparedTenant, id: &str) -> Change {
    let id = excerpt(id).to_ascii_lowercase();
    let setting = tenant.tenant.pointer.application(&id).setting();
    let mut need = Need::add(setting.clone(), "an app registration for this client id");
    if is_guid(&id) {
        let stand_in = json!({ "name": "made up", "object_id": made_up_object_id(&id) });
        need = need.stand_in([Edit::add(setting.clone(), stand_in)]);
    }
    Change::missing(setting)
        .expected(format!("an app registration {id}"))
        .actual("not in the tenant")
        .need(need)
}

/// An object id for an application that is made up: every digit of its client id turned round, so that two of them never
/// meet.
pub(crate) fn made_up_object_id(client_id: &str) -> String {
    let turned =
        |digit: char| digit.to_digit(16).and_then(|value| char::from_digit(15 - value, 16)).unwrap_or(digit);
    client_id.chars().map(turned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_of_a_made_up_id_is_turned_round() {
        let turned = made_up_object_id("01234567-89ab-4cde-8f00-0123456789AB");
        assert_eq!(turned, "fedcba98-7654-b321-70ff-fedcba987654");
        assert_eq!(made_up_object_id(&turned), "01234567-89ab-4cde-8f00-0123456789ab");
    }
}
