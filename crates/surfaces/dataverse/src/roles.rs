//! Which security roles a user holds, as rows.
//!
//! Decides that declared roles, and which declared user holds which, are rows like those clients make: lists show them, `$ref` joins
//! and takes apart, and a check reads the rows. What a role allows stays a setting, so a role that a client made allows nothing here.
//! What the Web API took away stays away until a reset, whatever the setting says. Mirrors the table between users and roles of
//! real organisations; that the roles an organisation comes with are managed ones is inferred.

use mocktenant_lab::DeclaredRow;
use mocktenant_odata::Guid;
use mocktenant_odata::bind::hop;
use mocktenant_schema::{Cell, CellRef, Schema};
use mocktenant_tables::{At, Key, Snapshot};
use mocktenant_verdict::{Change, Edit, Need, Text};
use mocktenant_world::{Depth, Organization, SecurityRole, pointers};

use crate::store::{self, Declared};

/// The role that every organisation has and that may do everything.
const ADMINISTRATOR: &str = "System Administrator";

/// The relationship of users and roles, called the same from both sides.
const ASSOCIATION: &str = "systemuserroles_association";

/// A role that a user holds.
pub(crate) struct Held<'w> {
    /// What its row is called.
    name: &'w str,
    id: Guid,
    /// The setting it is the row of; a role that a client made has none.
    pub(crate) declared: Option<&'w SecurityRole>,
}

impl Held<'_> {
    /// How far it holds a privilege.
    pub(crate) fn depth(&self, privilege: &str) -> Option<Depth> {
        self.declared?.depth(privilege)
    }

    /// What a person is told: a declared role has settings that are named beside it, another one its row alone.
    pub(crate) fn told(&self) -> String {
        match self.declared {
            Some(role) => role.name.clone(),
            None => format!("{} (the row roles({}))", self.name, self.id),
        }
    }
}

/// The roles that the user of this `systemuserid` holds.
pub(crate) fn held<'w>(rows: &'w Snapshot, organization: &'w Organization, user: &str) -> Vec<Held<'w>> {
    let schema = rows.schema();
    let found = schema.table("systemuser").and_then(|table| {
        let key = Key::of([CellRef::Id(Guid::parse(user)?)]);
        Some((table, table.navigation(ASSOCIATION)?, rows.get(table, &key)?))
    });
    let Some((table, step, row)) = found else { return Vec::new() };
    let roles = step.target();
    let (Some(id), Some(name)) = (roles.id(), roles.column("name")) else { return Vec::new() };
    let role = |at: At<'w>| {
        let CellRef::Id(id) = at.row.value(id) else { return None };
        let name = at.row.value(name).as_text().unwrap_or_default();
        let mut text = [0; Guid::LENGTH];
        let text = id.write(&mut text);
        let same = |role: &&SecurityRole| role.id == text || role.id.eq_ignore_ascii_case(text);
        // most are still called as they are declared
        let declared = organization.roles.get(name).filter(same);
        let declared = declared.or_else(|| organization.roles.values().find(same));
        Some(Held { name, id, declared })
    };
    rows.related(At { table: table.position(), row }, hop(step)).into_iter().filter_map(role).collect()
}

/// What a person is told of a user that holds no role.
pub(crate) fn none(organization: &Organization, client_id: &str) -> Text {
    let declared = organization.application_user(client_id).map_or(&[][..], |user| &user.roles);
    match declared {
        [] => "none".into(),
        roles => format!("none: the Web API took away {}, until a reset", roles.join(", ")).into(),
    }
}

/// A role for a user that has none that is enough. Where there is no administrator's, or it was taken away, a person has to choose.
pub(crate) fn assign(organization: &Organization, client_id: &str) -> Change {
    let roles = organization.pointer.application_user(client_id).roles();
    let last = pointers::end_of(&roles);
    let user = organization.application_user(client_id);
    let is_new = |name: &str| !user.is_some_and(|user| user.roles.iter().any(|role| role == name));
    let change = Change::wrong(roles);
    if organization.roles.contains_key(ADMINISTRATOR) && is_new(ADMINISTRATOR) {
        return change.edit(Edit::add(last, ADMINISTRATOR));
    }
    let any = organization.declared.roles.keys().find(|name| is_new(name));
    let stand_in = any.map(|role| Edit::add(last.clone(), role.as_str()));
    change.need(Need::add(last, "a security role of the organisation").stand_in(stand_in))
}

/// The rows of declared roles, and of who is declared to hold them.
pub(crate) fn declared(schema: &Schema, organization: &Organization, now: i64) -> Vec<DeclaredRow> {
    let (Some(table), Some(between)) = (schema.table("role"), schema.table("systemuserroles")) else {
        return Vec::new();
    };
    let role = |role: &SecurityRole| {
        let mut row = Declared::of(table, &role.name);
        row.set("roleid", store::id(&role.id));
        row.set("name", Cell::text(role.name.as_str()));
        row.or("businessunitid", store::id(&organization.business_unit));
        row.or("organizationid", store::id(&organization.id));
        row.or("parentrootroleid", store::id(&role.id));
        row.or("roleidunique", store::id(&store::own_id(&["role", &role.name])));
        row.or("componentstate", Cell::Whole(PUBLISHED));
        row.or("isinherited", Cell::Whole(DIRECT));
        row.or("ismanaged", Cell::Flag(true));
        row.or("createdon", Cell::Moment(now));
        row.or("modifiedon", Cell::Moment(now));
        row.row
    };
    // in the order declared: rows have numbers
    let roles = organization.declared.roles.keys().filter_map(|name| organization.roles.get(name));
    let mut rows: Vec<DeclaredRow> = roles.map(role).collect();
    let users = organization.declared.application_users.keys();
    for user in users.filter_map(|client_id| organization.application_users.get(client_id)) {
        for role in user.roles.iter().filter_map(|name| organization.roles.get(name)) {
            let mut row = Declared::of(between, &format!("{}/{}", user.client_id, role.name));
            row.or("systemuserroleid", store::link_id(between, &role.id, &user.id));
            row.set("systemuserid", store::id(&user.id));
            row.set("roleid", store::id(&role.id));
            rows.push(row.row);
        }
    }
    rows
}

/// Of a component.
const PUBLISHED: i64 = 0;

/// Privileges of the user's own, and of its teams.
const DIRECT: i64 = 1;
