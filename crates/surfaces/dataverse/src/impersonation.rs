//! One user who acts as another.
//!
//! Decides by the headers `CallerObjectId` (an object id of Entra ID, the newer of the two and the one that counts if both
//! are there) and `MSCRMCallerID` (a `systemuserid`): the caller needs the privilege to act for others, the named user has to
//! be there and enabled. What both may do is what the request may do; that is for `principal`. Mirrors the documented rules;
//! a user who names itself acts for nobody. What answers a name nobody has is inferred.

use mocktenant_verdict::{Checklist, Finding, Question, Role};
use mocktenant_world::ApplicationUser;

use crate::errors::{DataverseError, cut, excerpt};
use crate::principal::{ACT, Principal, Users, act_denied};

static MAY_ACT: Question = Question::new("may-act-for-others", Role::Privilege);
static NAMED: Question = Question::new("impersonated-user", Role::User);

/// The questions, asked only where a request names another user.
pub(crate) static QUESTIONS: &[&Question] = &[&MAY_ACT, &NAMED];

/// The headers, the one that wins first.
const HEADERS: [&str; 2] = ["callerobjectid", "mscrmcallerid"];

/// The user a request names to act as, and by which header; an empty name is refused.
pub(crate) fn named(headers: &http::HeaderMap) -> Result<Option<(&'static str, &str)>, DataverseError> {
    for name in HEADERS {
        let Some(value) = headers.get(name) else { continue };
        let value = value.to_str().unwrap_or_default().trim();
        return if value.is_empty() { Err(DataverseError::InvalidCallerId) } else { Ok(Some((name, value))) };
    }
    Ok(None)
}

/// Asks whether the caller may act as the named user, and is that user from then on.
pub(crate) fn ask(
    list: &mut Checklist<'_, DataverseError>,
    users: Users<'_>,
    caller: Principal,
    (header, id): (&'static str, &str),
) -> Principal {
    let user = find(users, header, id);
    if user.is_some_and(|user| user.id.eq_ignore_ascii_case(&caller.id)) {
        return caller;
    }
    let own = || vec![users.organization.pointer.application_user(&caller.client_id).roles()];
    list.ask(&MAY_ACT, ACT, own, || match users.depth(&caller, ACT) {
        Some(_) => Finding::pass("held"),
        None => act_denied(users, &caller),
    });
    let settings = || match user {
        Some(user) => vec![user.pointer.enabled()],
        None => vec![users.organization.pointer.application_users()],
    };
    list.ask(&NAMED, "an enabled user of the organisation", settings, || match user {
        None => Finding::fail(excerpt(id), DataverseError::CallerIdUnknown { id: cut(id) }),
        Some(user) => Finding::when(user.enabled, if user.enabled { "there" } else { "disabled" }, || {
            DataverseError::UserNotEnabled
        })
        .mended_by(|| mocktenant_verdict::Change::set(user.pointer.enabled(), true)),
    });
    match user {
        Some(user) => Principal::from(user).acted_by(caller),
        None => caller,
    }
}

fn find<'w>(users: Users<'w>, header: &str, id: &str) -> Option<&'w ApplicationUser> {
    if header == "mscrmcallerid" {
        return users.by_id(id);
    }
    let mut all = users.organization.application_users.values();
    all.find(|user| users.object_id(&user.client_id).is_some_and(|own| own.eq_ignore_ascii_case(id)))
}
