//! Client secrets.
//!
//! Decides that a secret which matches is judged by its own expiry, that one which matches nothing is wrong, and that an
//! application whose secrets have all expired says so whatever was presented (7000222 speaks of "keys" in the plural).

use mocktenant_verdict::Finding;
use mocktenant_world::{Application, Secret};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client_auth::Checks;
use crate::errors::EntraError;

/// Asks `secret-matches` and `secret-in-date`.
pub(crate) fn ask(
    list: &mut Checks<'_>,
    presented: &str,
    application: Option<&Application>,
    now: OffsetDateTime,
) {
    const MATCHES: &str = "secret-matches";
    const IN_DATE: &str = "secret-in-date";
    let Some(application) = application else {
        for name in [MATCHES, IN_DATE] {
            list.ask_named(name, "", Vec::new(), Finding::skip("application-registered"));
        }
        return;
    };
    let setting = || application.pointer.secrets();
    let in_date = |secret: &Secret| secret.expires.is_none_or(|expires| now < expires);
    let mut matching = application.secrets.iter().filter(|secret| same(&secret.value, presented));
    // Of two secrets with one value, the one that lasts counts.
    let matched = matching.clone().find(|secret| in_date(secret)).or_else(|| matching.next());
    let all_expired = !application.secrets.is_empty() && !application.secrets.iter().any(in_date);
    let expired = || EntraError::SecretsExpired { app_id: application.client_id.clone() };
    let expected = "a client secret of the application";
    if let Some(secret) = matched {
        let own = || application.pointer.secret(&secret.name);
        list.ask_named(
            MATCHES,
            expected,
            || vec![own().setting()],
            Finding::pass("a secret of the application"),
        );
        list.ask_named(
            IN_DATE,
            "not expired",
            || vec![own().expires(), setting()],
            Finding::held(in_date(secret), "in date", || {
                let end = secret.expires.and_then(|expires| expires.format(&Rfc3339).ok());
                (format!("expires {}", end.unwrap_or_default()), expired())
            }),
        );
    } else if all_expired {
        list.ask_named(
            MATCHES,
            expected,
            || vec![setting()],
            Finding::not_applicable("every secret has expired"),
        );
        list.ask_named(
            IN_DATE,
            "not expired",
            || vec![setting()],
            Finding::fail("every secret has expired", expired()),
        );
    } else {
        let actual =
            if application.secrets.is_empty() { "the application has no secret" } else { "another value" };
        let wrong = EntraError::SecretWrong { app_id: application.client_id.clone() };
        list.ask_named(MATCHES, expected, || vec![setting()], Finding::fail(actual, wrong));
        list.ask_named(IN_DATE, "not expired", Vec::new(), Finding::skip(MATCHES));
    }
}

/// Compares without telling by its duration where two texts part; a habit, the secrets here are published.
fn same(known: &str, presented: &str) -> bool {
    known.len() == presented.len()
        && known.bytes().zip(presented.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
