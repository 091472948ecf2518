//! The password grant: a token for a user whose password the client knows (RFC 6749 section 4.3).
//!
//! Decides who may sign in: a user of the directory, by user principal name, `DOMAIN\name` or, where the service has one set
//! up, alternate login ID, with this password, whose account is enabled, not locked, not expired, and whose password has not
//! run out. The client is told one and the same
//! whatever is wrong (that locked and expired users are told it too is inferred). Native applications may use it, and server
//! applications with their credential.

use std::sync::Arc;

use mocktenant_idp::nearest;
use mocktenant_idp::secret::{same, spoilt};
use mocktenant_verdict::{Change, Check, Edit, Finding, Need, Outcome, Question, Remedy, Role};
use mocktenant_world::declaration::Profile;
use mocktenant_world::{FederationService, FederationUser, MAIL, SignInName};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::asking::{Asking, Checks, excerpt};
use crate::errors::AdfsError;
use crate::grants::{Grant, Since, Subject, Ticket};
use crate::scope;

static CREDENTIALS: Question = Question::new("user-credentials", Role::Request);
static KNOWN: Question = Question::new("user-known", Role::User).needs(&[&CREDENTIALS]);
static PASSWORD: Question = Question::new("password-matches", Role::Password).needs(&[&KNOWN]);
static ENABLED: Question = Question::new("user-enabled", Role::User).needs(&[&KNOWN]);
static NOT_LOCKED: Question = Question::new("user-not-locked", Role::User).needs(&[&KNOWN]);
static NOT_EXPIRED: Question = Question::new("user-not-expired", Role::User).needs(&[&KNOWN]);
/// The question whether the password has not run out.
pub(crate) const IN_DATE: &str = "password-in-date";
static PASSWORD_IN_DATE: Question = Question::new(IN_DATE, Role::User).needs(&[&KNOWN]);

/// The questions about a user's account, in the order asked.
static ACCOUNT: [&Question; 4] = [&ENABLED, &NOT_LOCKED, &NOT_EXPIRED, &PASSWORD_IN_DATE];

/// The grant.
pub(super) static GRANT: Grant = Grant {
    name: "password",
    since: Profile::Server2016,
    public_clients: true,
    questions: || user_questions().chain(scope::QUESTIONS).collect(),
    ask,
};

fn ask<'p>(asking: &Asking<'_, 'p>, list: &mut Checks<'_>) -> Option<Ticket<'p>> {
    let (name, password) = (asking.sent.parameter("username"), asking.sent.parameter("password"));
    let user = ask_user(asking, list, name, password);
    let granted = scope::ask(asking, list, None);
    let user = user?;
    let ends = asking.now.saturating_add(Duration::minutes(i64::from(asking.prepared.service.sso_lifetime)));
    let since = Since { at: milliseconds(asking.now), ends, nonce: None };
    Some(Ticket { granted: granted?, subject: Subject::User { user, since }, refreshable: true })
}

/// Asks whether this is a user's password, and whether the user may sign in.
pub(crate) fn ask_user<'p>(
    asking: &Asking<'_, 'p>,
    list: &mut Checks<'_>,
    name: Option<&str>,
    password: Option<&str>,
) -> Option<&'p Arc<FederationUser>> {
    let service = &asking.prepared.service;
    list.ask(&CREDENTIALS, "username and password", Vec::new(), || match (name, password) {
        (Some(_), Some(_)) => Finding::pass("both"),
        (missing, _) => {
            let missing = if missing.is_none() { "username" } else { "password" };
            Finding::fail(format!("no {missing}"), AdfsError::ParameterMissing { name: missing.to_owned() })
        }
    });
    let found = name.and_then(|name| service.signs_in(name));
    let user = found.map(|(user, _)| user);
    let settings = || match (found, name) {
        (Some((user, _)), _) => vec![user.pointer.setting()],
        (None, Some(name)) => {
            vec![
                service.pointer.user(&excerpt(name).to_ascii_lowercase()).setting(),
                service.pointer.alternate_login_id(),
            ]
        }
        (None, None) => Vec::new(),
    };
    list.ask(&KNOWN, "a user of the directory", settings, || match (found, name) {
        (Some((_, SignInName::Alternate)), _) => Finding::pass("known by alternate login ID"),
        (Some((_, SignInName::Principal)), _) => Finding::pass("known by user principal name"),
        (Some((_, SignInName::Account)), _) => Finding::pass("known by DOMAIN\\name"),
        (None, None) => Finding::skip(CREDENTIALS.name),
        (None, Some(name)) => Finding::fail(excerpt(name), AdfsError::PasswordWrong)
            .mended_by(|| by_mail(service, name).unwrap_or_else(|| unknown(service, name))),
    });
    list.ask(
        &PASSWORD,
        "the user's password",
        || user.map(|user| user.pointer.password()).into_iter().collect(),
        || match (user, password) {
            (None, _) => Finding::skip(KNOWN.name),
            (Some(_), None) => Finding::skip(CREDENTIALS.name),
            (Some(user), Some(sent)) if same(&user.password, sent) => Finding::pass("the user's"),
            (Some(user), Some(sent)) => match spoilt(&user.password, sent) {
                // Its advice is about secrets of applications.
                Some((actual, _)) => {
                    let actual = actual.replace("the secret", "the password");
                    Finding::fail(actual, AdfsError::PasswordWrong).mended_by(|| {
                        Remedy::default().advice("send the password as it is, URL-encoded once")
                    })
                }
                None => Finding::fail("another value", AdfsError::PasswordWrong),
            },
        },
    );
    ask_account(list, user, asking.now, &AdfsError::PasswordWrong);
    user
}

/// Whoever typed an e-mail address would be known, if people signed in with theirs here.
fn by_mail(service: &FederationService, name: &str) -> Option<Remedy> {
    let user = service.of_mail(name)?;
    let at = service.pointer.alternate_login_id();
    let edit = Edit::add(at.clone(), MAIL);
    let change = match &service.alternate_login_id {
        Some(other) => Change::wrong(at).actual(other.clone()),
        None => Change::missing(at).actual("none: people do not sign in with their e-mail address"),
    };
    Some(Remedy::here(change.expected(MAIL).edit(edit)).or_instead([user.name.to_string()]))
}

/// Nobody has that name.
fn unknown(service: &FederationService, name: &str) -> Remedy {
    let at = service.pointer.user(&excerpt(name).to_ascii_lowercase()).setting();
    let mut known: Vec<&str> = service.users.keys().map(|known| &**known).collect();
    known.sort_unstable();
    let near = nearest::mistyped(name, known.iter().copied());
    let known = near.map_or(known, |near| vec![near]);
    Remedy::here(Change::missing(at.clone()).need(Need::add(at, "a user with this sign-in name")))
        .or_instead(known.into_iter().take(8).map(str::to_owned))
}

/// Asks whether a user's account may be used, in the order asked; what is wrong is told as `error`.
pub(super) fn ask_account(
    list: &mut Checks<'_>,
    user: Option<&Arc<FederationUser>>,
    now: OffsetDateTime,
    error: &AdfsError,
) {
    let mut flag = |question: &'static Question,
                    expected: &'static str,
                    wrong: fn(&FederationUser) -> bool,
                    set: Set| {
        list.ask(
            question,
            expected,
            || user.map(|user| (set.at)(user)).into_iter().collect(),
            || match user {
                None => Finding::skip(KNOWN.name),
                Some(user) if wrong(user) => Finding::fail(set.actual, error.clone())
                    .mended_by(|| Change::set((set.at)(user), set.healthy)),
                Some(_) => Finding::pass(expected),
            },
        );
    };
    flag(
        &ENABLED,
        "enabled",
        |user| !user.enabled,
        Set { at: |u| u.pointer.enabled(), actual: "disabled", healthy: true },
    );
    flag(
        &NOT_LOCKED,
        "not locked out",
        |user| user.locked,
        Set { at: |u| u.pointer.locked(), actual: "locked out", healthy: false },
    );
    flag(
        &NOT_EXPIRED,
        "not expired",
        |user| user.expired,
        Set { at: |u| u.pointer.expired(), actual: "expired", healthy: false },
    );
    let expires = user.and_then(|user| user.password_expires);
    list.ask(
        &PASSWORD_IN_DATE,
        "not run out",
        || user.map(|user| user.pointer.password_expires()).into_iter().collect(),
        || match (user, expires) {
            (None, _) => Finding::skip(KNOWN.name),
            (Some(user), Some(end)) if end <= now => {
                let at = user.pointer.password_expires();
                Finding::fail(user.declared.password_expires.clone().unwrap_or_default(), error.clone())
                    .mended_by(|| {
                        let need = Need::add(at.clone(), "a later expiry: a new password");
                        Change::wrong(at.clone()).need(need.stand_in([Edit::remove(at)]))
                    })
            }
            (Some(_), _) => Finding::pass("in date"),
        },
    );
}

/// A flag of an account: where it is, what it is called when it is wrong, and what it is otherwise.
#[derive(Clone, Copy)]
struct Set {
    at: fn(&FederationUser) -> mocktenant_verdict::Setting,
    actual: &'static str,
    healthy: bool,
}

/// Whether the password was right, where it was compared and nothing before it was wrong: what lockout counts.
pub(crate) fn judged(checks: &[Check]) -> Option<bool> {
    for check in checks {
        match (check.name == PASSWORD.name, &check.outcome) {
            (true, Outcome::Passed) => return Some(true),
            (true, Outcome::Failed) => return Some(false),
            (true, _) | (false, Outcome::Failed) => return None,
            (false, _) => {}
        }
    }
    None
}

/// Whether a session of the user is still good: whoever could not sign in now has to (inferred).
pub(crate) fn may_sign_in(user: &FederationUser, now: OffsetDateTime) -> bool {
    let in_date = user.password_expires.is_none_or(|end| now < end);
    user.enabled && !user.locked && !user.expired && in_date
}

/// A moment as tokens keep it.
pub(crate) fn milliseconds(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// The questions of [`ask_user`], in the order asked.
pub(crate) fn user_questions() -> impl Iterator<Item = &'static Question> {
    [&CREDENTIALS, &KNOWN, &PASSWORD].into_iter().chain(ACCOUNT)
}

/// The questions about an account, for whoever asks them again.
pub(super) fn account_questions() -> impl Iterator<Item = &'static Question> {
    std::iter::once(&KNOWN).chain(ACCOUNT)
}

/// Asks whether the user of a code or a refresh token is still there; what is wrong is told as `error`.
pub(super) fn ask_still_known(
    list: &mut Checks<'_>,
    named: Option<&str>,
    user: Option<&Arc<FederationUser>>,
    opens: &Question,
    error: &AdfsError,
) {
    let settings = || user.map(|user| user.pointer.setting()).into_iter().collect::<Vec<_>>();
    list.ask(&KNOWN, "a user of the directory", settings, || match (named, user) {
        (None, _) => Finding::skip(opens.name),
        (Some(_), Some(_)) => Finding::pass("known"),
        (Some(name), None) => Finding::fail(json!(name).to_string(), error.clone()),
    });
}
