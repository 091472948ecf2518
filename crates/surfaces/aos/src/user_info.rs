//! A user's row of UserInfo: who may come in as whom.
//!
//! Decides the questions that a sign-in and a user's bearer token share: a row whose NetworkAlias is the user's name, whose
//! IdentityProvider is the federation service that signed the user in, and that is enabled; and what would have to be added or
//! changed. ObjectId is not looked at, and a Sid is what the row says. Never reads a token. Mirrors "Troubleshoot on-premises
//! deployments", where the identity provider of UserInfo has to be the Federation Service Identifier.

use std::sync::Arc;

use mocktenant_keys::sha256_hex;
use mocktenant_verdict::{Change, Checklist, Edit, Finding, Need, Question, Role, Setting, Text};
use mocktenant_world::declaration::UserInfo;
use mocktenant_world::{Environment, pointers};
use serde_json::json;

use crate::bearer::clip;

/// There is such a user.
pub(crate) static KNOWN: Question = Question::new("user-known", Role::User);
/// Of the federation service that is trusted.
pub(crate) static PROVIDER: Question =
    Question::new("user-identity-provider", Role::Authority).needs(&[&KNOWN]);

/// And is switched on.
pub(crate) static ENABLED: Question = Question::new("user-enabled", Role::User);

/// The name of what only stands in for a person's choice.
pub(crate) const MADE_UP: &str = "made up";

/// Who comes in.
pub(crate) struct Person<'p> {
    /// The user's name, as the token has it.
    pub(crate) upn: &'p str,
    /// Who signed the user in: `entityID` of the metadata.
    pub(crate) entity_id: &'p Arc<str>,
}

/// A product's own refusals.
pub(crate) struct Errors<E> {
    /// No row.
    pub(crate) unknown: E,
    /// A row of somebody else's user.
    pub(crate) provider: E,
    /// A row that is switched off.
    pub(crate) disabled: E,
}

/// Asks; gives the row that was found, whatever became of it.
pub(crate) fn ask<'e, E>(
    list: &mut Checklist<'_, E>,
    environment: Option<&'e Environment>,
    person: &Person<'_>,
    errors: Errors<E>,
) -> Option<(&'e str, &'e UserInfo)> {
    let at = environment.map(|environment| &environment.pointer);
    let users = environment.map(|environment| &environment.database.user_info);
    let row = users.and_then(|users| {
        let (id, row) = users.iter().find(|(_, row)| row.network_alias.eq_ignore_ascii_case(person.upn))?;
        Some((id.as_str(), row))
    });
    let pointer = |id: &str| at.map(|at| at.user_info(id));
    let setting = |of: fn(&pointers::UserInfo) -> Setting| {
        move || row.and_then(|(id, _)| pointer(id)).map(|row| of(&row)).into_iter().collect::<Vec<_>>()
    };

    let expected = "a user in UserInfo with this NetworkAlias";
    let settings = || match row {
        Some((id, _)) => pointer(id).map(|row| row.network_alias()).into_iter().collect(),
        None => at.map(pointers::Environment::user_infos).into_iter().collect::<Vec<_>>(),
    };
    list.ask(&KNOWN, expected, settings, || match (row, at) {
        (Some(_), _) => Finding::pass("a row"),
        (None, None) => Finding::fail(missing(person), errors.unknown),
        (None, Some(at)) => Finding::fail(missing(person), errors.unknown).mended_by(|| add(at, person)),
    });

    let expected = Text::from(person.entity_id);
    list.ask(&PROVIDER, expected, setting(pointers::UserInfo::identity_provider), || match row {
        None => Finding::skip(KNOWN.name),
        Some((_, row)) if same_provider(&row.identity_provider, person.entity_id) => {
            Finding::pass("the same")
        }
        Some((id, row)) => {
            let refused = Finding::fail(row.identity_provider.clone(), errors.provider);
            match pointer(id) {
                Some(at) => refused.mended_by(|| {
                    Change::set(at.identity_provider(), &**person.entity_id)
                        .expected(person.entity_id)
                        .actual(row.identity_provider.clone())
                }),
                None => refused,
            }
        }
    });

    list.ask(&ENABLED, "an enabled user in UserInfo", setting(pointers::UserInfo::enable), || match row {
        None => Finding::skip(KNOWN.name),
        Some((_, row)) if row.enable == 1 => Finding::pass("enabled"),
        Some((id, row)) => {
            let actual = format!("{id} with Enable {}", row.enable);
            let refused = Finding::fail(actual, errors.disabled);
            match pointer(id) {
                Some(at) => refused
                    .mended_by(|| Change::set(at.enable(), 1).expected("1").actual(row.enable.to_string())),
                None => refused,
            }
        }
    });
    row
}

/// Whether these are one federation service: the host without case, the rest with it.
pub(crate) fn same_provider(one: &str, other: &str) -> bool {
    let parts = |text: &'_ str| -> Option<(String, String)> {
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find('/').unwrap_or(rest.len());
        Some((format!("{scheme}://{}", &rest[..end]).to_ascii_lowercase(), rest[end..].to_owned()))
    };
    one == other || parts(one).is_some_and(|one| Some(one) == parts(other))
}

/// The Sid of a row: as it says, or made from alias and identity provider as the product makes it; the digest is ours.
pub(crate) fn sid(row: &UserInfo) -> String {
    if !row.sid.is_empty() {
        return row.sid.clone();
    }
    let digest = sha256_hex(&format!("{}{}", row.network_alias, row.identity_provider).to_lowercase());
    let part = |at: usize| u32::from_str_radix(&digest[at..at + 8], 16).unwrap_or_default();
    format!("S-1-19-{}-{}-{}-{}", part(0), part(8), part(16), part(24))
}

fn missing(person: &Person<'_>) -> String {
    format!("no such user: {}", clip(person.upn))
}

/// The user that is missing: who that is only a person knows.
fn add(at: &pointers::Environment, person: &Person<'_>) -> Change {
    let id = person.upn.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let user = at.user_info(if id.is_empty() { "user" } else { &id }).setting();
    let row = json!({
        "Name": MADE_UP,
        "Enable": 1,
        "NetworkAlias": clip(person.upn),
        "IdentityProvider": &**person.entity_id,
        "Company": "DAT",
    });
    let need = Need::add(user.clone(), "a user in UserInfo").stand_in([Edit::add(user.clone(), row)]);
    Change::missing(user)
        .expected(format!("user {} in UserInfo", clip(person.upn)))
        .actual("no such user")
        .need(need)
}

/// A user that only stands in for one.
pub(crate) fn made_up(at: &pointers::Environment, id: &str) -> Edit {
    let user = json!({ "Name": MADE_UP, "Enable": 1, "Company": "DAT" });
    Edit::add(at.user_info(id).setting(), user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_federation_service_is_the_same_by_host_without_case_and_path_with_it() {
        let known = "http://ADFS.contoso.com/adfs/services/trust";
        for (other, same) in [
            (known, true),
            ("HTTP://adfs.contoso.com/adfs/services/trust", true),
            ("http://adfs.contoso.com/adfs/services/Trust", false),
            ("https://adfs.contoso.com/adfs/services/trust", false),
            ("http://adfs.contoso.com/adfs/services/trust/", false),
            ("", false),
        ] {
            assert_eq!(same_provider(known, other), same, "{other}");
        }
    }
}
