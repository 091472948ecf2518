//! Whether the caller is someone here, and may do what it asks.
//!
//! Decides by the organisation's application users and security roles: the client id finds the application user, the user
//! must be enabled and hold a role, and a role must hold the privilege of the table and operation. Never looks at a token.
//! Mirrors the order of real organisations: user, disabled, roles, privilege. Privilege depth, teams, record sharing and
//! the append privileges of a lookup are not modelled.

use std::collections::BTreeSet;

use mocktenant_verdict::{Checklist, Finding};
use mocktenant_world::{ApplicationUser, Organization, SecurityRole};

use crate::errors::DataverseError;
use crate::schema::Table;

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
        (None, _) if list.refusal().is_some() => Finding::skip("token-well-formed"),
        (None, _) => Finding::fail("no appid in the token", DataverseError::UserNotMemberOfOrg),
        (Some(id), None) => {
            Finding::fail(format!("no application user for {id}"), DataverseError::UserNotMemberOfOrg)
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
    list.ask_named("application-user-exists", "an application user for the client id", settings, finding);

    let Some(user) = user else {
        list.ask_named(
            "application-user-enabled",
            "enabled",
            Vec::new(),
            Finding::skip("application-user-exists"),
        );
        let roles = Finding::skip("application-user-exists");
        list.ask_named("application-user-roles", "at least one security role", Vec::new(), roles);
        return None;
    };
    let state = if user.enabled { "enabled" } else { "disabled" };
    list.ask_named(
        "application-user-enabled",
        "enabled",
        || vec![user.pointer.enabled()],
        Finding::when(user.enabled, state, || DataverseError::UserNotEnabled),
    );
    list.ask_named(
        "application-user-roles",
        "at least one security role",
        || vec![user.pointer.roles()],
        Finding::held(!user.roles.is_empty(), "held", || {
            ("none", DataverseError::UserNotAssignedRoles { user: user.id.clone() })
        }),
    );
    Some(user)
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
        }
    };
    let settings = || {
        let own = organization.pointer.application_user(&principal.client_id).roles();
        roles.iter().map(|role| role.pointer.privileges()).chain([own]).collect()
    };
    list.ask_named("privilege", privilege, settings, finding);
}

/// A stable GUID for a privilege: privileges have the same id in every organisation, but no source lists them all, so this
/// one is derived from the name (FNV-1a, 128 bits).
fn privilege_id(name: &str) -> String {
    mocktenant_odata::Guid::from_bytes(crate::store::digest(&[name]).to_be_bytes()).to_string()
}
