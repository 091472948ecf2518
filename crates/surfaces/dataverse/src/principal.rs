//! Whether the caller is someone here, and may do what it asks.
//!
//! Decides by the organisation's application users and security roles: the client id finds the application user, the user
//! must be enabled and hold a role, and a role must hold the privilege of the table and operation. Never looks at a token.
//! Mirrors the order of real organisations: user, disabled, roles, privilege. Privilege depth, teams, record sharing and
//! the append privileges of a lookup are not modelled.

use std::collections::BTreeSet;

use mocktenant_verdict::{Change, Checklist, Edit, Finding, Need, Question, Role};
use mocktenant_world::{ApplicationUser, Organization, SecurityRole, is_guid, pointers};
use serde_json::json;

use crate::bearer::WELL_FORMED;
use crate::errors::DataverseError;
use crate::schema::Table;

static EXISTS: Question = Question::new("application-user-exists", Role::User).needs(&[&WELL_FORMED]);
static ENABLED: Question = Question::new("application-user-enabled", Role::User).needs(&[&EXISTS]);
static ROLES: Question = Question::new("application-user-roles", Role::User).needs(&[&EXISTS]);
static PRIVILEGE: Question = Question::new("privilege", Role::Privilege);

/// The questions about a caller, in the order asked.
pub(crate) static QUESTIONS: &[&Question] = &[&EXISTS, &ENABLED, &ROLES, &PRIVILEGE];

/// The role that every organisation has and that may do everything.
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
    let settings = || {
        let pointer = &organization.pointer;
        vec![match (client_id, user) {
            (_, Some(user)) => user.pointer.setting(),
            (Some(id), None) => pointer.application_user(&id.to_ascii_lowercase()).setting(),
            (None, None) => pointer.application_users(),
        }]
    };
    // A token that is refused for another reason may well name no client.
    let refused = list.refusal().is_some();
    list.ask(&EXISTS, "an application user for the client id", settings, || match (client_id, user) {
        (None, _) if refused => Finding::skip(WELL_FORMED.name),
        (None, _) => Finding::fail("no appid in the token", DataverseError::UserNotMemberOfOrg),
        (Some(id), None) => {
            Finding::fail(format!("no application user for {id}"), DataverseError::UserNotMemberOfOrg)
                .mended_by(|| add_user(organization, id))
        }
        (Some(_), Some(_)) => Finding::pass("there"),
    });
    let enabled = || user.map(|user| user.pointer.enabled()).into_iter().collect();
    list.ask(&ENABLED, "enabled", enabled, || {
        let Some(user) = user else { return Finding::skip(EXISTS.name) };
        let state = if user.enabled { "enabled" } else { "disabled" };
        Finding::when(user.enabled, state, || DataverseError::UserNotEnabled)
            .mended_by(|| Change::set(user.pointer.enabled(), true))
    });
    let roles = || user.map(|user| user.pointer.roles()).into_iter().collect();
    list.ask(&ROLES, "at least one security role", roles, || {
        let Some(user) = user else { return Finding::skip(EXISTS.name) };
        Finding::held(!user.roles.is_empty(), "held", || {
            ("none", DataverseError::UserNotAssignedRoles { user: user.id.clone() })
        })
        .mended_by(|| assign_role(organization, user))
    });
    user
}

/// The application user that is missing. What can be no client id can be added by nobody.
fn add_user(organization: &Organization, client_id: &str) -> Change {
    let client_id = client_id.to_ascii_lowercase();
    let setting = organization.pointer.application_user(&client_id).setting();
    let mut need = Need::add(setting.clone(), format!("an application user for {client_id}"));
    if is_guid(&client_id) {
        let user = json!({ "id": made_up_id(organization, &client_id), "roles": [] });
        need = need.stand_in([Edit::add(setting.clone(), user)]);
    }
    Change::missing(setting)
        .expected(format!("an application user for {client_id}"))
        .actual("no such user")
        .need(need)
}

/// The id of a user that is made up: derived from its client id, and nobody else's.
fn made_up_id(organization: &Organization, client_id: &str) -> String {
    let mut digest = crate::store::digest(&["application user", client_id]);
    loop {
        let id = mocktenant_odata::Guid::from_bytes(digest.to_be_bytes()).to_string();
        if !organization.application_users.values().any(|user| user.id.eq_ignore_ascii_case(&id)) {
            return id;
        }
        digest = digest.wrapping_add(1);
    }
}

/// A role for a user that has none. Where there is no administrator's, a person has to choose.
fn assign_role(organization: &Organization, user: &ApplicationUser) -> Change {
    let roles = user.pointer.roles();
    let last = pointers::end_of(&roles);
    let change = Change::wrong(roles);
    if organization.roles.contains_key(ADMINISTRATOR) {
        return change.edit(Edit::add(last, ADMINISTRATOR));
    }
    let any = organization.declared.roles.keys().next();
    let stand_in = any.map(|role| Edit::add(last.clone(), role.as_str()));
    change.need(Need::add(last, "a security role of the organisation").stand_in(stand_in))
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
    let settings = || {
        let own = organization.pointer.application_user(&principal.client_id).roles();
        roles.iter().map(|role| role.pointer.privileges()).chain([own]).collect()
    };
    list.ask(&PRIVILEGE, privilege, settings, || {
        if roles.iter().any(|role| role.grants(privilege)) {
            return Finding::pass("held");
        }
        let held: BTreeSet<&str> =
            roles.iter().flat_map(|role| role.privileges.iter().map(String::as_str)).collect();
        let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
        let actual =
            if names.is_empty() { "no role".to_owned() } else { format!("in none of {}", names.join(", ")) };
        let error = DataverseError::PrivilegeDenied {
            user: principal.id.clone(),
            role_count: roles.len(),
            privilege_count: held.len(),
            privilege_id: privilege_id(privilege),
            privilege: privilege.to_owned(),
            type_code: table.type_code,
            entity: table.logical,
        };
        let refused = Finding::fail(actual, error);
        match roles.first() {
            Some(role) => refused.mended_by(|| {
                let privileges = role.pointer.privileges();
                let last = pointers::end_of(&privileges);
                Change::wrong(privileges).edit(Edit::add(last, privilege))
            }),
            None => refused,
        }
    });
}

/// A stable GUID for a privilege: privileges have the same id in every organisation, but no source lists them all, so this
/// one is derived from the name (FNV-1a, 128 bits).
fn privilege_id(name: &str) -> String {
    mocktenant_odata::Guid::from_bytes(crate::store::digest(&[name]).to_be_bytes()).to_string()
}
