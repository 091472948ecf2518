//! One Dataverse organisation.
//!
//! Decides that every role an application user names is declared. Whether a role is enough is Dataverse's question.

use std::collections::HashMap;
use std::sync::Arc;

use mocktenant_verdict::Setting;

use super::{Before, Distinct, Problems, guid, host, short_name};
use crate::compiled::{ApplicationUser, Organization, SecurityRole};
use crate::declaration;
use crate::nearest::{clip, one_of};
use crate::problem::Problem;

/// Compiles one organisation; unchanged records are shared with `before`.
pub(crate) fn organization(
    key: &str,
    declared: &declaration::Organization,
    before: Option<&Before<'_, declaration::Organization, Organization>>,
    problems: &mut Problems,
) -> Organization {
    let pointer = Setting::of(["organizations", key]);
    short_name(key, pointer.clone(), problems);
    guid(&declared.id, pointer.join("id"), problems);
    guid(&declared.business_unit, pointer.join("business_unit"), problems);
    host(&declared.host, pointer.join("host"), problems);
    host(&declared.api_host, pointer.join("api_host"), problems);

    let mut ids = Distinct::new("user id");
    let mut application_users = HashMap::with_capacity(declared.application_users.len());
    for (client_id, user) in &declared.application_users {
        let at = pointer.join("application_users").join(client_id);
        guid(client_id, at.clone(), problems);
        guid(&user.id, at.join("id"), problems);
        ids.claim(&user.id, at.join("id"), problems);
        for role in user.roles.iter().filter(|role| !declared.roles.contains_key(*role)) {
            problems.push(
                Problem::new(
                    at.join("roles").join(role),
                    format!("there is no security role `{}` in this organisation", clip(role)),
                )
                .hint(one_of(role, declared.roles.keys().map(String::as_str))),
            );
        }
        application_users.insert(
            client_id.clone(),
            ApplicationUser {
                client_id: client_id.clone(),
                id: user.id.clone(),
                enabled: user.enabled,
                roles: user.roles.clone(),
                pointer: at,
            },
        );
    }
    let mut role_ids = Distinct::new("role id");
    let mut roles = HashMap::with_capacity(declared.roles.len());
    for (name, role) in &declared.roles {
        let at = pointer.join("roles").join(name);
        guid(&role.id, at.join("id"), problems);
        role_ids.claim(&role.id, at.join("id"), problems);
        roles.insert(
            name.clone(),
            SecurityRole {
                name: name.clone(),
                id: role.id.clone(),
                privileges: role.privileges.clone(),
                pointer: at,
            },
        );
    }
    let records = match before {
        Some(before) if before.declared.records == declared.records => Arc::clone(&before.compiled.records),
        _ => Arc::new(declared.records.clone()),
    };
    Organization {
        key: key.to_owned(),
        id: declared.id.clone(),
        tenant: declared.tenant.clone(),
        name: declared.name.clone(),
        host: declared.host.clone(),
        api_host: declared.api_host.clone(),
        business_unit: declared.business_unit.clone(),
        application_users,
        roles,
        records,
        pointer,
    }
}
