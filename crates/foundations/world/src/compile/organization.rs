//! One Dataverse organisation.
//!
//! Decides that every role and time zone an application user names is there, and that a privilege's depth is one. Whether a role is enough is Dataverse's question.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Distinct, Problems, clock, guid, host, short_name};
use crate::compiled::{ApplicationUser, Depth, Organization, SecurityRole};
use crate::declaration;
use crate::pointers;
use mocktenant_patch::Problem;
use mocktenant_patch::nearest::{clip, one_of};
use mocktenant_zones::Zone;

/// Compiles one organisation.
pub(crate) fn organization(
    key: &Arc<str>,
    declared: Arc<declaration::Organization>,
    problems: &mut Problems,
) -> Organization {
    let pointer = pointers::organization(key);
    short_name(key, pointer.setting(), problems);
    guid(&declared.id, pointer.id(), problems);
    guid(&declared.business_unit, pointer.business_unit(), problems);
    host(&declared.host, pointer.host(), problems);
    host(&declared.api_host, pointer.api_host(), problems);

    let mut ids = Distinct::new("user id");
    let mut application_users = HashMap::with_capacity(declared.application_users.len());
    for (client_id, user) in &declared.application_users {
        let at = pointer.application_user(client_id);
        guid(client_id, at.setting(), problems);
        guid(&user.id, at.id(), problems);
        ids.claim(&user.id, at.id(), problems);
        for role in user.roles.iter().filter(|role| !declared.roles.contains_key(*role)) {
            let message = format!("there is no security role `{}` in this organisation", clip(role));
            problems.push(
                Problem::new(at.role(role), message)
                    .hint(one_of(role, declared.roles.keys().map(String::as_str))),
            );
        }
        let named = user.time_zone.as_deref().map(|name| (name, Zone::find(name)));
        if let Some((name, None)) = named {
            let message = format!("there is no time zone `{}`", clip(name));
            problems.push(Problem::new(at.time_zone(), message).hint(one_of(name, Zone::names())));
        }
        let zone = named.and_then(|(_, zone)| zone).unwrap_or(Zone::UTC);
        let declared = Arc::clone(user);
        let compiled = ApplicationUser { client_id: client_id.clone(), declared, zone, pointer: at };
        application_users.insert(client_id.clone(), compiled);
    }
    let mut role_ids = Distinct::new("role id");
    let mut roles = HashMap::with_capacity(declared.roles.len());
    for (name, role) in &declared.roles {
        let at = pointer.role(name);
        guid(&role.id, at.id(), problems);
        role_ids.claim(&role.id, at.id(), problems);
        for held in role.privileges.iter().filter(|held| Depth::of(held).is_none()) {
            let message = format!("`{}` has no depth a privilege can have", clip(held));
            problems.push(
                Problem::new(at.privilege(held), message)
                    .hint("write :Basic, :Local, :Deep or :Global after its name, or nothing".to_owned()),
            );
        }
        let compiled = SecurityRole { name: name.clone(), declared: Arc::clone(role), pointer: at };
        roles.insert(name.clone(), compiled);
    }
    Organization {
        key: Arc::clone(key),
        application_users,
        roles,
        clock: clock(declared.clock.as_deref(), || pointer.clock(), problems),
        pointer,
        declared,
    }
}
