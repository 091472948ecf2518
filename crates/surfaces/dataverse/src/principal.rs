//! Whether the caller is someone here, and may do what it asks.
//!
//! Decides by the organisation's application users and security roles: the client id finds the application user, the user
//! must be enabled and hold a role, and a role must hold the privilege of the table and operation. Never looks at a token.
//! Mirrors the order of real organisations: user, disabled, roles, privilege. Privilege depth, teams, record sharing and
//! the append privileges of a lookup are not modelled.

use std::collections::BTreeSet;

use mocktenant_verdict::{Change, Checklist, Edit, Finding, Need, Question, Role};
use mocktenant_world::{ApplicationUser, Organization, SecurityRole, pointers};
use serde_json::json;

use crate::bearer::WELL_FORMED;

use crate::errors::DataverseError;
use crate::schema::Table;

static EXISTS: Question = Question::new("application-user-exists", Role::User);
static ENABLED: Question = Question::new("application-user-enabled", Role::User).needs(&[&EXISTS]);
static ROLES: Question = Question::new("application-user-roles", Role::User).needs(&[&EXISTS]);
static PRIVILEGE: Question = Question::new("privilege", Role::Privilege);

/// The questions about the caller, in order.
pub(crate) static QUESTIONS: [&Question; 4] = [&EXISTS, &ENABLED, &ROLES, &PRIVILEGE];

/// The role that may do everything.
const ADMINISTRATOR: &str = "System Administrator";

/// What is done to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Read,
    Write,
    Delete,
}

impl Operation {
    /// As in the journal.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    fn privilege(self, table: &Table) -> &'static str {
        match self {
            Self::Create => table.privileges.create,
            Self::Read => table.privileges.read,
            Self::Write => table.privileges.write,
            Self::Delete => table.privileges.delete,
        }
    }
}

/// Who is calling, once the checks let it in.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// `systemuserid`.
    pub(crate) id: String,
    /// Client id of the application it stands for.
    client_id: String,
    /// Names of its security roles.
    roles: Vec<String>,
}

impl Principal {
    /// The caller of a lab whose test turned the deciding check off: nobody, with no role.
    pub(crate) fn nobody() -> Self {
        let nil = "00000000-0000-0000-0000-000000000000";
        Self { id: nil.to_owned(), client_id: nil.to_owned(), roles: Vec::new() }
    }
}

impl From<&ApplicationUser> for Principal {
    fn from(user: &ApplicationUser) -> Self {
        Self { id: user.id.clone(), client_id: user.client_id.clone(), roles: user.roles.clone() }
    }
}

/// Asks for the application user, whether it is enabled, and whether it holds a role.
pub(crate) fn ask<'o>(
    list: &mut Checklist<'_, DataverseError>,
    organization: &'o Organization,
    client_id: Option<&str>,
) -> Option<&'o ApplicationUser> {
    let user = client_id.and_then(|id| organization.application_user(id));
    let finding = match (client_id, user) {
        (None, _) if list.refusal().is_some() => Finding::skip(WELL_FORMED.name),
        (None, _) => Finding::fail("no appid in the token", DataverseError::UserNotMemberOfOrg),
        (Some(id), None) => {
            Finding::fail(format!("no application user for {id}"), DataverseError::UserNotMemberOfOrg)
                .mended_by(|| user_missing(organization, id))
        }
        (Some(_), Some(_)) => Finding::pass("there"),
    };
    let settings = || {
        let pointer = &organization.pointer;
        vec![match (client_id, user) {
            (_, Some(user)) => user.pointer.setting(),
            (Some(id), None) => pointer.application_user(&id.to_ascii_lowercase()).setting(),
            (None, None) => pointer.application_users(),
        }]
    };
    list.ask(&EXISTS, "an application user for the client id", settings, finding);

    let Some(user) = user else {
        list.ask(&ENABLED, "enabled", Vec::new(), Finding::skip(EXISTS.name));
        let roles = Finding::skip(EXISTS.name);
        list.ask(&ROLES, "at least one security role", Vec::new(), roles);
        return None;
    };
    let state = if user.enabled { "enabled" } else { "disabled" };
    list.ask(
        &ENABLED,
        "enabled",
        || vec![user.pointer.enabled()],
        Finding::when(user.enabled, state, || DataverseError::UserNotEnabled)
            .mended_by(|| Change::set(user.pointer.enabled(), true)),
    );
    list.ask(
        &ROLES,
        "at least one security role",
        || vec![user.pointer.roles()],
        Finding::held(!user.roles.is_empty(), "held", || {
            ("none", DataverseError::UserNotAssignedRoles { user: user.id.clone() })
        })
        .mended_by(|| role_missing(organization, user)),
    );
    Some(user)
}

/// The application user, to be made in the admin center.
fn user_missing(organization: &Organization, client_id: &str) -> Change {
    let setting = organization.pointer.application_user(&client_id.to_ascii_lowercase()).setting();
    let what = format!("an application user for {client_id}");
    let made_up = mocktenant_odata::Guid::from_bytes(crate::store::digest(&[client_id]).to_be_bytes());
    let stand_in = json!({ "id": made_up.to_string(), "roles": [] });
    let need = Need::add(setting.clone(), what.clone()).stand_in([Edit::add(setting.clone(), stand_in)]);
    Change::missing(setting).expected(what).actual("no such user").need(need)
}

/// Any security role; the one that surely does, where the organisation has it.
fn role_missing(organization: &Organization, user: &ApplicationUser) -> Change {
    let last = pointers::end_of(&user.pointer.roles());
    let change = Change::wrong(user.pointer.roles());
    if organization.roles.contains_key(ADMINISTRATOR) {
        return change.edit(Edit::add(last, ADMINISTRATOR));
    }
    let any = organization.roles.keys().min().map(|role| Edit::add(last.clone(), role.as_str()));
    change.need(Need::add(last, "a security role that holds the privileges").stand_in(any))
}

/// The privilege in a role of the user, or a role for the user.
fn privilege_missing(
    organization: &Organization,
    principal: &Principal,
    roles: &[&SecurityRole],
    privilege: &str,
) -> Change {
    match roles.first() {
        Some(role) => {
            let held = role.pointer.privileges();
            Change::wrong(held.clone()).edit(Edit::add(pointers::end_of(&held), privilege))
        }
        None => {
            let own = organization.pointer.application_user(&principal.client_id).roles();
            let need = Need::add(pointers::end_of(&own), format!("a security role with {privilege}"));
            Change::wrong(own).need(need)
        }
    }
}

/// Asks for the privilege of one operation on one table.
pub(crate) fn ask_privilege(
    list: &mut Checklist<'_, DataverseError>,
    organization: &Organization,
    principal: &Principal,
    table: &'static Table,
    operation: Operation,
) {
    let privilege = operation.privilege(table);
    let roles: Vec<&SecurityRole> =
        principal.roles.iter().filter_map(|name| organization.roles.get(name)).collect();
    let granting = roles.iter().find(|role| role.grants(privilege));
    let finding = match granting {
        Some(_) => Finding::pass("held"),
        None => {
            let held: BTreeSet<&str> =
                roles.iter().flat_map(|role| role.privileges.iter().map(String::as_str)).collect();
            let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
            Finding::fail(
                if names.is_empty() {
                    "no role".to_owned()
                } else {
                    format!("in none of {}", names.join(", "))
                },
                DataverseError::PrivilegeDenied {
                    user: principal.id.clone(),
                    role_count: roles.len(),
                    privilege_count: held.len(),
                    privilege_id: privilege_id(privilege),
                    privilege: privilege.to_owned(),
                    type_code: table.type_code,
                    entity: table.logical,
                },
            )
            .mended_by(|| privilege_missing(organization, principal, &roles, privilege))
        }
    };
    let settings = || {
        let own = organization.pointer.application_user(&principal.client_id).roles();
        roles.iter().map(|role| role.pointer.privileges()).chain([own]).collect()
    };
    list.ask(&PRIVILEGE, privilege, settings, finding);
}

/// A stable GUID for a privilege: privileges have the same id in every organisation, but no source lists them all, so this
/// one is derived from the name (FNV-1a, 128 bits).
fn privilege_id(name: &str) -> String {
    mocktenant_odata::Guid::from_bytes(crate::store::digest(&[name]).to_be_bytes()).to_string()
}
