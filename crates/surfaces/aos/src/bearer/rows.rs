//! The live rows: SysAADClientTable for an application, UserInfo for whoever it stands for.
//!
//! Decides which row a client id or a user's name leads to, and what would have to be added where there is none. Never reads a
//! token beyond its claims. Rows are settings, and a change of one counts at once.

use std::sync::Arc;

use mocktenant_token::Claims;
use mocktenant_verdict::{Change, Checklist, Edit, Finding, Need, Setting};
use mocktenant_world::{Environment, is_guid, pointers};
use serde_json::json;

use super::{Caller, MAPPED, WELL_FORMED, clip};
use crate::errors::BearerError;
use crate::user_info::{self, ENABLED, MADE_UP, Person};

/// Whom a token of AD FS stands for: a user by `upn`, else an application.
pub(super) fn ask_either(
    list: &mut Checklist<'_, BearerError>,
    environment: Option<&Environment>,
    claims: Option<Claims<'_>>,
    entity_id: &Arc<str>,
) -> (Option<String>, Caller) {
    let Some(upn) = claims.and_then(|claims| claims.text("upn")) else {
        let not_asked = "a token of an application";
        list.ask(&user_info::KNOWN, "a user in UserInfo", Vec::new(), || match claims {
            None => Finding::skip(WELL_FORMED.name),
            Some(_) => Finding::not_applicable(not_asked),
        });
        list.ask(&user_info::PROVIDER, "the identity provider of the row", Vec::new(), || match claims {
            None => Finding::skip(WELL_FORMED.name),
            Some(_) => Finding::not_applicable(not_asked),
        });
        return ask_application(list, environment, claims);
    };
    let settings = Vec::<Setting>::new;
    list.ask(&MAPPED, "a row in SysAADClientTable", settings, Finding::not_applicable("a token of a user"));
    let errors = user_info::Errors {
        unknown: BearerError::UserUnknown,
        provider: BearerError::UserOfAnotherProvider,
        disabled: BearerError::UserDisabled,
    };
    let user = user_info::ask(list, environment, &Person { upn, entity_id }, errors);
    let client = claims.and_then(|claims| claims.text("appid")).map(clip);
    (
        client,
        Caller { user: user.map(|(id, _)| id.to_owned()), company: user.map(|(_, row)| row.company.clone()) },
    )
}

/// The live rows: SysAADClientTable, then UserInfo.
pub(super) fn ask_application(
    list: &mut Checklist<'_, BearerError>,
    environment: Option<&Environment>,
    claims: Option<Claims<'_>>,
) -> (Option<String>, Caller) {
    let at = environment.map(|environment| &environment.pointer);
    let client = claims.and_then(|claims| claims.text("appid").or_else(|| claims.text("azp")));
    let table = environment.map(|environment| &environment.database.sys_aad_client_table);
    let row = client.and_then(|client| {
        table?
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(client))
            .map(|(known, row)| (known.as_str(), row))
    });
    // The row is named as the table spells it, or as it would be added.
    let pointer = || match (row, client) {
        (Some((known, _)), _) => Some(at?.aad_client(known)),
        (None, Some(client)) => Some(at?.aad_client(&clip(client).to_ascii_lowercase())),
        (None, None) => None,
    };
    let settings = || {
        let table = || Some(at?.aad_clients());
        pointer().map(Setting::from).or_else(table).into_iter().collect()
    };
    list.ask(&MAPPED, "a row in SysAADClientTable", settings, || match (claims, client) {
        (None, _) => Finding::skip(WELL_FORMED.name),
        (_, None) => Finding::fail("neither appid nor azp", BearerError::ApplicationUnknown),
        (_, Some(_)) if row.is_some() => Finding::pass("a row"),
        (_, Some(client)) => {
            let refused = Finding::fail(clip(client), BearerError::ApplicationUnknown);
            match environment {
                Some(environment) => refused.mended_by(|| map_application(environment, client)),
                None => refused,
            }
        }
    });

    let mapped = row.map(|(_, row)| row.user_id.as_str());
    let user = mapped.and_then(|id| {
        let users = &environment?.database.user_info;
        users.iter().find(|(known, _)| known.eq_ignore_ascii_case(id))
    });
    let settings = || {
        let Some(id) = mapped else { return Vec::new() };
        let known = user.map_or(id, |(known, _)| known.as_str());
        let record = at.map(|at| at.user_info(known));
        let record = record.map(|record| if user.is_some() { record.enable() } else { record.into() });
        record.into_iter().chain(pointer().map(|pointer| pointer.user_id())).collect()
    };
    list.ask(&ENABLED, "an enabled user in UserInfo", settings, || match (mapped, user) {
        (None, _) => Finding::skip(MAPPED.name),
        (Some(id), None) => {
            let refused = Finding::fail(format!("no user {}", clip(id)), BearerError::UserDisabled);
            match at {
                Some(at) => refused.mended_by(|| add_user(at, id)),
                None => refused,
            }
        }
        (Some(_), Some((_, user))) if user.enable == 1 => Finding::pass("enabled"),
        (Some(_), Some((id, user))) => {
            let actual = format!("{id} with Enable {}", user.enable);
            let refused = Finding::fail(actual, BearerError::UserDisabled);
            match at {
                Some(at) => refused.mended_by(|| {
                    let actual = user.enable.to_string();
                    Change::set(at.user_info(id).enable(), 1).expected("1").actual(actual)
                }),
                None => refused,
            }
        }
    });
    let caller = Caller {
        user: user.map(|(id, _)| id.to_owned()),
        company: user.map(|(_, user)| user.company.clone()),
    };
    (row.map(|(known, _)| known.to_owned()), caller)
}

/// The row of "Microsoft Entra ID applications" that is missing: whom the application stands for, a person has to choose.
/// What can be no client id can be added by nobody.
fn map_application(environment: &Environment, client: &str) -> Change {
    let client = clip(client).to_ascii_lowercase();
    let row = environment.pointer.aad_client(&client).setting();
    let mut need = Need::add(row.clone(), "a row in SysAADClientTable");
    if is_guid(&client) {
        let enabled = environment.database.user_info.iter().find(|(_, user)| user.enable == 1);
        let (user, extra) = match enabled {
            Some((user, _)) => (user.as_str(), None),
            None => (MADE_UP, Some(user_info::made_up(&environment.pointer, MADE_UP))),
        };
        let stand_in = Edit::add(row.clone(), json!({ "Name": MADE_UP, "UserId": user }));
        need = need.stand_in(extra.into_iter().chain([stand_in]));
    }
    Change::missing(row).expected(format!("a row for {client}")).actual("no such row").need(need)
}

/// The user that is missing.
fn add_user(at: &pointers::Environment, id: &str) -> Change {
    let user = at.user_info(id).setting();
    let need = Need::add(user.clone(), "a user in UserInfo").stand_in([user_info::made_up(at, id)]);
    Change::missing(user).expected(format!("user {} in UserInfo", clip(id))).actual("no such user").need(need)
}
