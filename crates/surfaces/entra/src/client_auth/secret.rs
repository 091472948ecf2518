//! Client secrets, however they are sent.
//!
//! Decides that a secret which matches is judged by its own expiry, that one which matches nothing is wrong, and that an
//! application whose secrets have all expired says so whatever was presented (7000222 speaks of "keys" in the plural). Of a
//! wrong one it is said what was done to the right one, where that can be told, and never what either is.

use mocktenant_lab::request::percent_decoded;
use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Remedy, Role};
use mocktenant_world::{Application, Secret};
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::asking::Asking;
use crate::client_auth::{Checks, Credential, REGISTERED};
use crate::errors::EntraError;
use crate::form::decode_lossy;

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

/// Compares without telling by its duration where two texts part; a habit, the secrets here are published.
pub(crate) fn same(known: &str, presented: &str) -> bool {
    known.as_bytes().ct_eq(presented.as_bytes()).into()
}

/// What was done to a secret until it was what was presented, and what a person would do instead; `None` where it is another
/// one. Asked only of what was refused already.
fn spoilt(known: &str, presented: &str) -> Option<(&'static str, &'static str)> {
    const ENCODE_ONCE: &str = "URL-encode the secret once: a form does it by itself";
    const ENCODE: &str =
        "URL-encode the secret: sent bare, a form takes `+` for a blank and `%` for an escape";
    const AS_IT_IS: &str =
        "send the Value of the client secret as it is, without blanks, line ends or quotation marks";
    let bare = presented.trim();
    let unquoted = bare.trim_matches(['"', '\'']);
    if bare == known.trim() {
        return Some(("the secret with blanks or line ends around it", AS_IT_IS));
    }
    if unquoted == known {
        return Some(("the secret in quotation marks", AS_IT_IS));
    }
    let encoded_again = |text: &str| {
        percent_decoded(text).is_some_and(|decoded| decoded == known) || decode_lossy(text) == known
    };
    if encoded_again(bare) {
        return Some(("the secret, URL-encoded once more", ENCODE_ONCE));
    }
    if known.contains('+') && presented.replace(' ', "+") == known {
        return Some(("the secret with its `+` read as a blank", ENCODE));
    }
    if decode_lossy(known) == presented {
        return Some(("the secret, decoded once too often", ENCODE));
    }
    known.eq_ignore_ascii_case(bare).then_some(("the secret in another letter case", AS_IT_IS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_to_a_secret_is_named_and_anything_else_is_another_one() {
        let said = |known: &str, presented: &str| spoilt(known, presented).map_or("", |(said, _)| said);
        for (known, presented, expected) in [
            ("a~b", " a~b\r\n", "the secret with blanks or line ends around it"),
            ("a~b", "\"a~b\"", "the secret in quotation marks"),
            ("a+b/c", "a%2Bb%2Fc", "the secret, URL-encoded once more"),
            ("a b", "a+b", "the secret, URL-encoded once more"),
            ("a+b", "a b", "the secret with its `+` read as a blank"),
            ("a%41b+", "aAb ", "the secret, decoded once too often"),
            ("aBc", "abc", "the secret in another letter case"),
            ("abc", "abd", ""),
            ("abc", "", ""),
            ("abc", "%", ""),
        ] {
            assert_eq!(said(known, presented), expected, "{known} {presented}");
        }
    }
}
