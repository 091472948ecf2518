//! Whether the caller is someone here, and may do what it asks.
//!
//! Decides by the organisation's application users and security roles: the client id finds the application user, the user
//! must be enabled and, where a privilege is asked for, hold a role; a role must hold the privilege of the table and
//! operation, as deep as the row is. Which roles a user holds is in the rows (`roles`), what they allow in the settings. Never looks at
//! a token. Mirrors the order of real organisations: user, disabled, roles, privilege, row. An organisation has one business unit
//! here, so the depths Local and Deep reach the same rows. Teams and record sharing are not modelled.

use std::collections::BTreeSet;

use mocktenant_odata::Guid;
use mocktenant_schema::{CellRef, Table};
use mocktenant_tables::Snapshot;
use mocktenant_verdict::{Change, Checklist, Edit, Finding, Need, Question, Role, Setting};
use mocktenant_world::{Application, ApplicationUser, Depth, Organization, World, Zone, is_guid, pointers};
use serde_json::json;

use crate::bearer::WELL_FORMED;
use crate::errors::DataverseError;
use crate::roles::{self, Held};
use crate::tables;

static EXISTS: Question = Question::new("application-user-exists", Role::User).needs(&[&WELL_FORMED]);
static ENABLED: Question = Question::new("application-user-enabled", Role::User).needs(&[&EXISTS]);
pub(crate) static ROLES: Question = Question::new("application-user-roles", Role::User).needs(&[&EXISTS]);
static PRIVILEGE: Question = Question::new("privilege", Role::Privilege).needs(&[&ROLES]);
static OWNER: Question = Question::new("owner-may-read", Role::Privilege);
static ROW: Question = Question::new("row-in-reach", Role::Privilege);

/// The questions about a caller, in the order asked. The last two are asked only where a request names another owner, or
/// where the privilege does not reach every row.
pub(crate) static QUESTIONS: &[&Question] = &[&EXISTS, &ENABLED, &ROLES, &PRIVILEGE, &OWNER, &ROW];

/// Who is nobody.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// What is done to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Read,
    Write,
    Delete,
    /// A new owner of a row that is there.
    Assign,
    /// A lookup of a row is made to lead somewhere.
    Append,
    /// A lookup is made to lead to a row.
    AppendTo,
}

impl Operation {
    /// All of them.
    pub(crate) const ALL: [Self; 7] =
        [Self::Create, Self::Read, Self::Write, Self::Delete, Self::Assign, Self::Append, Self::AppendTo];

    /// As in the journal.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Assign => "assign",
            Self::Append => "append",
            Self::AppendTo => "append-to",
        }
    }
}

/// Who is calling, once the checks let it in.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// `systemuserid`.
    pub(crate) id: String,
    /// Client id of the application it stands for.
    pub(crate) client_id: String,
    /// In which dates are formatted, and days begin.
    pub(crate) zone: Zone,
    /// Who calls really, where one user acts as another: both have to hold a privilege.
    pub(crate) by: Option<Box<Self>>,
}

impl Principal {
    /// The caller of a lab whose test turned the deciding check off: nobody, with no role.
    pub(crate) fn nobody() -> Self {
        Self { id: NOBODY.to_owned(), client_id: NOBODY.to_owned(), zone: Zone::UTC, by: None }
    }

    /// This user, as whom `caller` acts.
    pub(crate) fn acted_by(mut self, caller: Self) -> Self {
        self.by = Some(Box::new(caller));
        self
    }

    /// Whether a privilege of this depth reaches a row with this value in each column.
    pub(crate) fn reaches<'r>(
        &self,
        table: Table<'_>,
        depth: Depth,
        value: impl Fn(&str) -> CellRef<'r>,
    ) -> bool {
        let is = |column: &str, id: &str| match value(column) {
            CellRef::Id(one) => Guid::parse(id) == Some(one),
            _ => false,
        };
        match table.view() {
            // the lab has one business unit, so whatever is more than one's own rows is all of them
            _ if depth > Depth::Basic => true,
            None => !table.is_owned() || is("ownerid", &self.id),
            Some("users" | "user-settings") => table.id().is_some_and(|column| is(column.name(), &self.id)),
            Some(_) => true,
        }
    }
}

impl From<&ApplicationUser> for Principal {
    fn from(user: &ApplicationUser) -> Self {
        let (id, client_id) = (user.id.clone(), user.client_id.clone());
        Self { id, client_id, zone: user.zone.clone(), by: None }
    }
}

/// The users of an organisation and where they come from.
#[derive(Clone, Copy)]
pub(crate) struct Users<'w> {
    pub(crate) organization: &'w Organization,
    pub(crate) world: &'w World,
    /// Which roles each holds. Without rows nobody holds any.
    pub(crate) rows: Option<&'w Snapshot>,
}

impl<'w> Users<'w> {
    fn application(self, client_id: &str) -> Option<&'w Application> {
        self.world.tenant(&self.organization.tenant)?.application(client_id).map(|one| &**one)
    }

    /// Object id of the service principal of an application.
    pub(crate) fn object_id(self, client_id: &str) -> Option<&'w str> {
        self.application(client_id).map(|one| one.object_id.as_str())
    }

    /// A user's full name: `# ` and the name of its application.
    pub(crate) fn full_name(self, client_id: &str) -> String {
        format!("# {}", self.application(client_id).map_or(client_id, |one| one.name.as_str()))
    }

    /// The user of this `systemuserid`.
    pub(crate) fn by_id(self, id: &str) -> Option<&'w ApplicationUser> {
        self.organization.application_users.values().find(|user| user.id.eq_ignore_ascii_case(id))
    }

    fn roles(self, principal: &Principal) -> Vec<Held<'w>> {
        self.rows.map(|rows| roles::held(rows, self.organization, &principal.id)).unwrap_or_default()
    }

    /// How far a principal holds a privilege, `None` if not at all; of two who act as one, what both of them hold.
    pub(crate) fn depth(self, principal: &Principal, privilege: &str) -> Option<Depth> {
        let own = self.roles(principal).into_iter().filter_map(|role| role.depth(privilege)).max()?;
        match &principal.by {
            None => Some(own),
            Some(caller) => Some(own.min(self.depth(caller, privilege)?)),
        }
    }

    /// The settings a privilege depends on.
    fn settings(self, principal: &Principal) -> Vec<Setting> {
        let own = self.organization.pointer.application_user(&principal.client_id).roles();
        let roles = self.roles(principal);
        roles.iter().filter_map(|held| Some(held.declared?.pointer.privileges())).chain([own]).collect()
    }

    /// What a person sees of a privilege that is missing.
    fn lacking(self, principal: &Principal) -> String {
        let names: Vec<String> = self.roles(principal).iter().map(Held::told).collect();
        if names.is_empty() { "no role".to_owned() } else { format!("in none of {}", names.join(", ")) }
    }

    /// A privilege added, for every row, to the first declared role of whoever lacks it; where clients made all of them, a role.
    fn grant(self, principal: &Principal, privilege: &str) -> Option<Change> {
        let roles = self.roles(principal);
        let Some(role) = roles.iter().find_map(|held| held.declared) else {
            return roles.first().map(|_| roles::assign(self.organization, &principal.client_id));
        };
        let privileges = role.pointer.privileges();
        let last = pointers::end_of(&privileges);
        Some(Change::wrong(privileges).edit(Edit::add(last, privilege)))
    }

    /// A refusal for want of a privilege, in one of the product's wordings.
    fn denied(
        self,
        principal: &Principal,
        table: Table<'_>,
        privilege: &str,
        wording: Wording,
    ) -> DataverseError {
        let Portrait { user, role_count, privilege_count, object_id, known, business_unit } =
            self.portrait(principal);
        let (privilege_id, type_code) = (privilege_id(privilege), table.code());
        let (privilege, entity, label) = (privilege.into(), table.name().into(), table.label().into());
        match wording {
            Wording::Missing => DataverseError::PrivilegeDenied {
                user,
                role_count,
                privilege_count,
                object_id,
                known,
                business_unit,
                privilege,
                privilege_id,
                type_code,
                entity,
                label,
            },
            Wording::OutOfReach => DataverseError::RecordDenied {
                user,
                role_count,
                privilege_count,
                object_id,
                known,
                business_unit,
                privilege,
                privilege_id,
                type_code,
                entity,
                label,
            },
            Wording::Owner => DataverseError::OwnerLacksRead {
                user,
                role_count,
                privilege_count,
                object_id,
                known,
                business_unit,
                privilege,
                privilege_id,
                type_code,
                entity,
                label,
            },
        }
    }

    fn portrait(self, principal: &Principal) -> Portrait {
        let roles = self.roles(principal);
        let declared = roles.iter().filter_map(|held| held.declared);
        let names = declared.flat_map(|role| role.privileges.iter().filter_map(|held| Depth::of(held)));
        let held: BTreeSet<&str> = names.map(|(name, _)| name).collect();
        let count = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Portrait {
            user: principal.id.as_str().into(),
            role_count: count(roles.len()),
            privilege_count: count(held.len()),
            object_id: self.object_id(&principal.client_id).unwrap_or(NOBODY).into(),
            known: count(tables::of(self.organization).tables().count() * PRIVILEGES_OF_A_TABLE),
            business_unit: self.organization.business_unit.as_str().into(),
        }
    }
}

/// Create, read, write, delete, append, append to, assign, share.
const PRIVILEGES_OF_A_TABLE: usize = 8;

/// What a refusal says of a user.
struct Portrait {
    user: Box<str>,
    role_count: u16,
    privilege_count: u16,
    object_id: Box<str>,
    known: u16,
    business_unit: Box<str>,
}

/// For what a privilege was wanting.
#[derive(Clone, Copy)]
enum Wording {
    Missing,
    OutOfReach,
    Owner,
}

/// Asks for the application user, and whether it is enabled.
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

/// Says that no role was asked for: what needs no privilege needs none.
pub(crate) fn ask_no_role(list: &mut Checklist<'_, DataverseError>) {
    list.ask(&ROLES, "", Vec::new(), || Finding::not_applicable("no privilege is asked for"));
}

/// Asks for the privilege of one operation on one table, and how far it reaches.
pub(crate) fn ask_privilege(
    list: &mut Checklist<'_, DataverseError>,
    users: Users<'_>,
    principal: &Principal,
    table: Table<'_>,
    operation: Operation,
) -> Option<Depth> {
    let name = tables::privilege(operation, table);
    let privilege = name.as_str();
    // of two who act as one, who lacks it
    let alone = |one: &Principal| Principal { by: None, ..one.clone() };
    let own = || vec![users.organization.pointer.application_user(&principal.client_id).roles()];
    let roles = users.roles(principal);
    list.ask(&ROLES, "at least one security role", own, || {
        Finding::held(!roles.is_empty(), "held", || {
            (
                roles::none(users.organization, &principal.client_id),
                DataverseError::UserNotAssignedRoles {
                    user: principal.id.clone(),
                    privilege: privilege.into(),
                },
            )
        })
        .mended_by(|| roles::assign(users.organization, &principal.client_id))
    });
    let depth = match principal.by {
        None => roles.iter().filter_map(|role| role.depth(privilege)).max(),
        Some(_) => users.depth(principal, privilege),
    };
    let lacks = || match &principal.by {
        Some(caller) if users.depth(&alone(principal), privilege).is_some() => caller.as_ref(),
        _ => principal,
    };
    list.ask(
        &PRIVILEGE,
        name.clone(),
        || users.settings(lacks()),
        || {
            if depth.is_some() {
                return Finding::pass("held");
            }
            let who = lacks();
            // the product names the user who is acted as, whoever of the two lacks it
            let error = users.denied(principal, table, privilege, Wording::Missing);
            mended(Finding::fail(users.lacking(who), error), users.grant(who, privilege))
        },
    );
    depth
}

fn mended(finding: Finding<DataverseError>, change: Option<Change>) -> Finding<DataverseError> {
    match change {
        Some(change) => finding.mended_by(|| change),
        None => finding,
    }
}

/// Asks whether a privilege of this depth reaches a row.
pub(crate) fn ask_row<'r>(
    list: &mut Checklist<'_, DataverseError>,
    users: Users<'_>,
    principal: &Principal,
    (table, operation, depth): (Table<'_>, Operation, Depth),
    value: impl Fn(&str) -> CellRef<'r>,
) {
    let name = tables::privilege(operation, table);
    let privilege = name.as_str();
    list.ask(
        &ROW,
        "a row of the user's own",
        || users.settings(principal),
        || {
            if principal.reaches(table, depth, &value) {
                return Finding::pass("its own");
            }
            let owner = value("ownerid").as_id().map_or_else(|| "nobody".to_owned(), |id| id.to_string());
            let error = users.denied(principal, table, privilege, Wording::OutOfReach);
            let short = match &principal.by {
                Some(caller) if users.depth(caller, privilege) <= Some(Depth::Basic) => caller,
                _ => principal,
            };
            mended(Finding::fail(format!("owned by {owner}"), error), users.grant(short, privilege))
        },
    );
}

/// Asks whether a user who is to own a row could read it.
pub(crate) fn ask_owner(
    list: &mut Checklist<'_, DataverseError>,
    users: Users<'_>,
    owner: &ApplicationUser,
    table: Table<'_>,
) {
    let (name, owner) = (tables::privilege(Operation::Read, table), Principal::from(owner));
    let privilege = name.as_str();
    list.ask(
        &OWNER,
        name.clone(),
        || users.settings(&owner),
        || {
            if users.depth(&owner, privilege).is_some() {
                return Finding::pass("held");
            }
            let error = users.denied(&owner, table, privilege, Wording::Owner);
            let change = users.grant(&owner, privilege);
            let change = change.unwrap_or_else(|| roles::assign(users.organization, &owner.client_id));
            Finding::fail(users.lacking(&owner), error).mended_by(|| change)
        },
    );
}

/// The privilege to act as another user, of no table.
pub(crate) const ACT: &str = "prvActOnBehalfOfAnotherUser";

/// The role that an organisation comes with and that holds nothing else.
const DELEGATE: &str = "Delegate";

/// A caller that acts as another user and may not.
pub(crate) fn act_denied(users: Users<'_>, caller: &Principal) -> Finding<DataverseError> {
    let Portrait { user, role_count, privilege_count, object_id, known, business_unit } =
        users.portrait(caller);
    let (privilege, privilege_id) = (ACT.into(), privilege_id(ACT));
    let error = DataverseError::ActOnBehalfDenied {
        user,
        role_count,
        privilege_count,
        object_id,
        known,
        business_unit,
        privilege,
        privilege_id,
    };
    let roles = users.organization.pointer.application_user(&caller.client_id).roles();
    let change = if users.organization.roles.contains_key(DELEGATE) {
        Some(Change::wrong(roles.clone()).edit(Edit::add(pointers::end_of(&roles), DELEGATE)))
    } else {
        users.grant(caller, ACT)
    };
    mended(Finding::fail(users.lacking(caller), error), change)
}

/// The id of a privilege, the same in every organisation. Two are known; the others are the lab's own and look it.
fn privilege_id(name: &str) -> Box<str> {
    match name {
        "prvReadAccount" => "886b280c-6396-4d56-a0a3-2c1b0a50ceb0".into(),
        "prvCreateAccount" => "d26fe964-230b-42dd-ad93-5cc879de411e".into(),
        _ => crate::store::own_id(&[name]).into(),
    }
}
