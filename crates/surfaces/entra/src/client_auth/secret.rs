//! Client secrets, however they are sent.
//!
//! Decides that a secret which matches is judged by its own expiry, that one which matches nothing is wrong, and that an
//! application whose secrets have all expired says so whatever was presented (7000222 speaks of "keys" in the plural). Of a
//! wrong one it is said what was done to the right one, where that can be told, and never what either is.

use mocktenant_idp::secret::{same, spoilt};
use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Remedy, Role};
use mocktenant_world::{Application, Secret};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::asking::Asking;
use crate::client_auth::{Checks, Credential, REGISTERED};
use crate::errors::EntraError;

pub(super) const SHOWN: &str = "a secret";
pub(super) const CREDENTIAL: &str = "secret";
pub(crate) const CONTEXT_CLASS: &str = "1";

static MATCHES: Question = Question::new("secret-matches", Role::Secret).needs(&[&REGISTERED]);
static IN_DATE: Question = Question::new("secret-in-date", Role::Secret).needs(&[&REGISTERED, &MATCHES]);

/// The questions about a secret, in the order asked.
pub(super) static QUESTIONS: [&Question; 2] = [&MATCHES, &IN_DATE];

/// What became of a presented secret.
enum Match<'a> {
    /// It is this one.
    Is(&'a Secret),
    /// It is none, and every one has expired.
    AllExpired,
    /// It is none.
    None,
}

/// Asks them.
pub(super) fn ask(asking: &Asking<'_, '_>, credential: &Credential<'_>, list: &mut Checks<'_>) {
    let Credential::Text(presented) = credential else { return };
    let found = asking.application.map(|application| (application, of(application, presented, asking.now)));
    let all = || found.as_ref().map(|(application, _)| application.pointer.secrets());
    let own = || match &found {
        Some((application, Match::Is(secret))) => Some(application.pointer.secret(&secret.name)),
        _ => None,
    };
    let settings = || own().map(Into::into).or_else(all).into_iter().collect::<Vec<_>>();
    list.ask(&MATCHES, "a client secret of the application", settings, || match &found {
        None => Finding::skip(REGISTERED.name),
        Some((_, Match::Is(_))) => Finding::pass("a secret of the application"),
        Some((_, Match::AllExpired)) => Finding::not_applicable("every secret has expired"),
        Some((application, Match::None)) => {
            let none = application.secrets.is_empty();
            let error = EntraError::SecretWrong { app_id: application.client_id.clone() };
            match application.secrets.iter().find_map(|secret| spoilt(&secret.value, presented)) {
                Some((actual, advice)) => {
                    Finding::fail(actual, error).mended_by(|| Remedy::default().advice(advice))
                }
                None if none => Finding::fail("the application has no secret", error),
                None => Finding::fail("another value", error),
            }
        }
    });
    let settings = || own().map(|own| own.expires()).into_iter().chain(all()).collect::<Vec<_>>();
    list.ask(&IN_DATE, "not expired", settings, || match &found {
        None => Finding::skip(REGISTERED.name),
        Some((_, Match::None)) => Finding::skip(MATCHES.name),
        Some((application, Match::AllExpired)) => {
            Finding::fail("every secret has expired", expired(application))
                .mended_by(|| any_lasts(application))
        }
        Some((_, Match::Is(secret))) if in_date(secret, asking.now) => Finding::pass("in date"),
        Some((application, Match::Is(secret))) => {
            let end = secret.expires.and_then(|expires| expires.format(&Rfc3339).ok()).unwrap_or_default();
            Finding::fail(format!("expires {end}"), expired(application))
                .mended_by(|| lasts(application, secret))
        }
    });
}

/// Of two secrets with one value, the one that lasts counts.
fn of<'a>(application: &'a Application, presented: &str, now: OffsetDateTime) -> Match<'a> {
    let mut matching = application.secrets.iter().filter(|secret| same(&secret.value, presented));
    match matching.clone().find(|secret| in_date(secret, now)).or_else(|| matching.next()) {
        Some(secret) => Match::Is(secret),
        None if application.secrets.is_empty() => Match::None,
        None if application.secrets.iter().any(|secret| in_date(secret, now)) => Match::None,
        None => Match::AllExpired,
    }
}

fn in_date(secret: &Secret, now: OffsetDateTime) -> bool {
    secret.expires.is_none_or(|expires| now < expires)
}

fn expired(application: &Application) -> EntraError {
    EntraError::SecretsExpired { app_id: application.client_id.clone() }
}

/// The presented secret has to last longer. A rehearsal goes on as if it never ended.
fn lasts(application: &Application, secret: &Secret) -> Change {
    let expires = application.pointer.secret(&secret.name).expires();
    let need = Need::add(expires.clone(), "a later expiry, or a new secret");
    Change::wrong(expires.clone()).need(need.stand_in([Edit::remove(expires)]))
}

/// Nobody can say which of them was meant: a new one is what the portal offers.
fn any_lasts(application: &Application) -> Change {
    let all = application.pointer.secrets();
    let ends = application
        .secrets
        .iter()
        .map(|secret| Edit::remove(application.pointer.secret(&secret.name).expires()));
    Change::wrong(all.clone()).need(Need::add(all, "a new secret").stand_in(ends))
}
