//! One federation service with its users and application groups.
//!
//! Decides which names can be: that nobody shares a sign-in name, a client id or an identifier with somebody else, that a
//! permission is one of a client that exists, and that a rule issues something. Never decides whether anybody may have a
//! token.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use mocktenant_keys::Identity;
use mocktenant_patch::Problem;
use mocktenant_patch::nearest::{clip, one_of};
use mocktenant_verdict::Setting;

use super::tenant::{certificates, expiry};
use super::{Distinct, Problems, clock, host, redirect_uri, short_name, unusable};
use crate::declaration::{self, SecretText};
use crate::federation_service::{Client, Credentials, FederationService, FederationUser, WebApi};
use crate::material;
use crate::pointers;

/// Compiles one federation service; keys and users that are declared as before are shared with `before`.
pub(crate) fn federation_service(
    id: &Arc<str>,
    declared: Arc<declaration::FederationService>,
    before: Option<&FederationService>,
    problems: &mut Problems,
) -> FederationService {
    let pointer = pointers::federation_service(id);
    short_name(id, pointer.setting(), problems);
    let lower = declared.host_name.to_ascii_lowercase();
    host(&lower, pointer.host_name(), problems);
    for origin in &declared.cors_trusted_origins {
        let bare = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        if bare.is_none_or(|bare| bare.is_empty() || bare.contains(['/', '?', '#', ' '])) {
            problems.push(
                Problem::new(pointer.cors_trusted_origin(origin), format!("`{}` is no origin", clip(origin)))
                    .hint("scheme, host and port without a path: `https://app.contoso.com`".to_owned()),
            );
        }
    }
    // As Set-AdfsProperties has it.
    if declared.sso_lifetime == 0 {
        problems.push(
            Problem::new(pointer.sso_lifetime(), "a session that ends when it begins signs nobody in")
                .hint("minutes, 480 unless said otherwise".to_owned()),
        );
    }
    if declared.loop_detection.is_some_and(|loops| loops.maximum_tokens < 1 || loops.interval_seconds < 5) {
        problems.push(
            Problem::new(pointer.loop_detection(), "no loop can be told from one token, or in no time")
                .hint("maximum_tokens is 1 or more, interval_seconds 5 or more".to_owned()),
        );
    }
    let signing = match before {
        Some(before) if before.signing_keys == declared.signing_keys => before.signing.clone(),
        _ => signing(&declared, &pointer, problems),
    };
    let decrypting = match before {
        Some(before) if before.decrypting_key == declared.decrypting_key => before.decrypting.clone(),
        _ => key(&declared.decrypting_key, pointer.decrypting_key(), problems),
    };
    if let Some(next) = &declared.next_signing_key
        && before.is_none_or(|before| before.next_signing_key.as_ref() != Some(next))
    {
        key(next, pointer.next_signing_key(), problems);
    }
    let (users, accounts) = users(&declared.users, &pointer, before, problems);
    let alternates = alternates(&declared, &users, problems);
    let clients = clients(&declared, &pointer, before, problems);
    let (web_apis, by_identifier) = web_apis(&declared, &pointer, &clients, problems);
    FederationService {
        id: Arc::clone(id),
        host: lower,
        signing,
        decrypting,
        users,
        accounts,
        alternates,
        clients,
        web_apis,
        by_identifier,
        clock: clock(declared.clock.as_deref(), || pointer.clock(), problems),
        pointer,
        declared,
    }
}

fn signing(
    declared: &declaration::FederationService,
    pointer: &pointers::FederationService,
    problems: &mut Problems,
) -> Vec<Identity> {
    if declared.signing_keys.is_empty() {
        problems.push(
            Problem::new(pointer.signing_keys(), "a federation service signs with at least one key")
                .hint("for instance `shipped:adfs-signing`".to_owned()),
        );
    }
    let at = |text: &SecretText| {
        // A bundle would make a pointer nobody can read, and would print a private key.
        let is_name = text.starts_with("shipped:");
        if is_name { pointer.signing_key(text) } else { pointer.signing_keys() }
    };
    declared.signing_keys.iter().filter_map(|text| key(text, at(text), problems)).collect()
}

fn key(text: &SecretText, at: Setting, problems: &mut Problems) -> Option<Identity> {
    material::identity(text).map_err(|why| problems.push(unusable(why, at))).ok()
}

type Users = (HashMap<Arc<str>, Arc<FederationUser>>, HashMap<String, Arc<FederationUser>>);

fn users(
    declared: &IndexMap<String, Arc<declaration::FederationUser>>,
    pointer: &pointers::FederationService,
    before: Option<&FederationService>,
    problems: &mut Problems,
) -> Users {
    let (mut users, mut accounts) = (HashMap::with_capacity(declared.len()), HashMap::new());
    let mut sids = Distinct::new("SID");
    for (name, written) in declared {
        let at = pointer.user(name);
        sids.claim(&written.sid, at.sid(), problems);
        let was = before.and_then(|before| before.users.get(name.as_str()));
        let user = match was {
            Some(was) if Arc::ptr_eq(&was.declared, written) => Arc::clone(was),
            _ => Arc::new(user(name, written, at, problems)),
        };
        let account = written.account.to_ascii_lowercase();
        if let Some(other) = accounts.insert(account, Arc::clone(&user)) {
            problems.push(Problem::new(
                user.pointer.account(),
                format!("the account `{}` is already {}'s", clip(&written.account), other.name),
            ));
        }
        users.insert(Arc::clone(&user.name), user);
    }
    (users, accounts)
}

/// AD FS finds out about two users of one value when either signs in, and lets neither in; here it is said when it is written.
fn alternates(
    declared: &declaration::FederationService,
    users: &HashMap<Arc<str>, Arc<FederationUser>>,
    problems: &mut Problems,
) -> HashMap<String, Arc<FederationUser>> {
    let mut alternates: HashMap<String, Arc<FederationUser>> = HashMap::new();
    let Some(attribute) = &declared.alternate_login_id else { return alternates };
    for user in declared.users.keys().filter_map(|name| users.get(name.as_str())) {
        let Some((name, value)) = user.attribute(attribute) else { continue };
        if let Some(other) = alternates.insert(value.to_ascii_lowercase(), Arc::clone(user)) {
            problems.push(
                Problem::new(
                    user.pointer.attribute(name),
                    format!("the {name} `{}` is already {}'s", clip(value), other.name),
                )
                .hint(format!(
                    "`alternate_login_id: {attribute}` makes it a name to sign in with: one user's alone"
                )),
            );
        }
    }
    alternates
}

fn user(
    name: &str,
    written: &Arc<declaration::FederationUser>,
    pointer: pointers::FederationUser,
    problems: &mut Problems,
) -> FederationUser {
    let lower = name.to_ascii_lowercase();
    let parts = lower.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if parts.is_none() || lower.contains(char::is_whitespace) {
        problems.push(
            Problem::new(pointer.setting(), format!("`{}` is not a user principal name", clip(name)))
                .hint("a name, `@` and a domain: `ada@contoso.com`".to_owned()),
        );
    } else if lower != name {
        problems.push(
            Problem::new(pointer.setting(), format!("`{}` is not in lower case", clip(name)))
                .hint(format!("write it as `{}`", clip(&lower))),
        );
    }
    let account = written.account.split_once('\\');
    if account.is_none_or(|(domain, name)| domain.is_empty() || name.is_empty() || name.contains('\\')) {
        problems.push(
            Problem::new(pointer.account(), format!("`{}` is not an account", clip(&written.account)))
                .hint("a domain, a backslash and a name: `CONTOSO\\ada`".to_owned()),
        );
    }
    if !written.sid.starts_with("S-1-") {
        problems.push(
            Problem::new(pointer.sid(), format!("`{}` is not a security identifier", clip(&written.sid)))
                .hint("for instance `S-1-5-21-1004336348-1177238915-682003330-1001`".to_owned()),
        );
    }
    let expires = written.password_expires.as_deref();
    FederationUser {
        name: name.into(),
        password_expires: expires.and_then(|text| expiry(text, || pointer.password_expires(), problems)),
        declared: Arc::clone(written),
        pointer,
    }
}

fn clients(
    declared: &declaration::FederationService,
    pointer: &pointers::FederationService,
    before: Option<&FederationService>,
    problems: &mut Problems,
) -> HashMap<String, Arc<Client>> {
    let mut clients: HashMap<String, Arc<Client>> = HashMap::new();
    let mut add = |client: Client, problems: &mut Problems| {
        let folded = client.client_id.to_ascii_lowercase();
        if folded.is_empty() {
            problems.push(Problem::new(client.pointer.clone(), "a client id cannot be empty"));
        }
        let setting = client.pointer.clone();
        if let Some(other) = clients.insert(folded, Arc::new(client)) {
            problems.push(Problem::new(
                setting,
                format!("the client id `{}` is already at {}", clip(&other.client_id), other.pointer),
            ));
        }
    };
    for (group, written) in &declared.application_groups {
        let at = pointer.application_group(group);
        let group: Arc<str> = group.as_str().into();
        for (client_id, native) in &written.native_applications {
            let pointer = at.native_application(client_id);
            redirect_uri::check(&native.redirect_uris, &pointer.redirect_uris(), problems);
            redirect_uri::check_web(native.logout_uri.as_deref(), &pointer.logout_uri(), problems);
            let client = Client {
                client_id: client_id.clone(),
                name: native.name.clone(),
                group: Arc::clone(&group),
                redirect_uris: native.redirect_uris.clone(),
                logout_uri: native.logout_uri.clone(),
                credentials: None,
                pointer: pointer.setting(),
                redirect_uris_at: pointer.redirect_uris(),
            };
            add(client, problems);
        }
        for (client_id, server) in &written.server_applications {
            let pointer = at.server_application(client_id);
            redirect_uri::check(&server.redirect_uris, &pointer.redirect_uris(), problems);
            redirect_uri::check_web(server.logout_uri.as_deref(), &pointer.logout_uri(), problems);
            let was = before.and_then(|before| {
                let written =
                    &before.application_groups.get(&*group)?.server_applications.get(client_id)?.certificates;
                Some((written, before.client(client_id)?.credentials.as_ref()?.certificates.as_slice()))
            });
            let secrets = server.secrets.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let client = Client {
                client_id: client_id.clone(),
                name: server.name.clone(),
                group: Arc::clone(&group),
                redirect_uris: server.redirect_uris.clone(),
                logout_uri: server.logout_uri.clone(),
                pointer: pointer.setting(),
                redirect_uris_at: pointer.redirect_uris(),
                credentials: Some(Credentials {
                    secrets,
                    certificates: certificates(
                        &server.certificates,
                        |key| pointer.certificate(key),
                        was,
                        problems,
                    ),
                    pointer,
                }),
            };
            add(client, problems);
        }
    }
    clients
}

fn web_apis(
    declared: &declaration::FederationService,
    pointer: &pointers::FederationService,
    clients: &HashMap<String, Arc<Client>>,
    problems: &mut Problems,
) -> (Vec<Arc<WebApi>>, HashMap<String, usize>) {
    let (mut web_apis, mut by_identifier) = (Vec::new(), HashMap::new());
    for (group, written) in &declared.application_groups {
        let at = pointer.application_group(group);
        for (identifier, written) in &written.web_apis {
            let web_api = WebApi {
                identifier: identifier.as_str().into(),
                declared: written.clone(),
                group: group.as_str().into(),
                pointer: at.web_api(identifier),
            };
            for (identifier, setting) in web_api.all_identifiers() {
                if let Some(other) = by_identifier.insert(identifier.to_owned(), web_apis.len()) {
                    let other: &str =
                        web_apis.get(other).map_or(&web_api.identifier, |one: &Arc<WebApi>| &one.identifier);
                    problems.push(Problem::new(
                        setting,
                        format!("the identifier `{}` is already one of `{}`", clip(identifier), clip(other)),
                    ));
                }
            }
            permissions(&web_api, clients, problems);
            rules(&web_api, problems);
            web_apis.push(Arc::new(web_api));
        }
    }
    (web_apis, by_identifier)
}

fn permissions(web_api: &WebApi, clients: &HashMap<String, Arc<Client>>, problems: &mut Problems) {
    let mut permitted: HashMap<String, &str> = HashMap::new();
    for client_id in web_api.permissions.keys() {
        if let Some(other) = permitted.insert(client_id.to_ascii_lowercase(), client_id) {
            problems.push(Problem::new(
                web_api.pointer.permission(client_id),
                format!(
                    "the client `{}` already has a permission here, as `{}`",
                    clip(client_id),
                    clip(other)
                ),
            ));
        }
        if !clients.contains_key(&client_id.to_ascii_lowercase()) {
            problems.push(
                Problem::new(
                    web_api.pointer.permission(client_id),
                    format!("there is no client `{}` in an application group", clip(client_id)),
                )
                .hint(one_of(client_id, clients.values().map(|client| client.client_id.as_str()))),
            );
        }
    }
}

fn rules(web_api: &WebApi, problems: &mut Problems) {
    for claim in &web_api.issued_claims {
        if claim.attribute.is_some() == claim.value.is_some() {
            problems.push(
                Problem::new(
                    web_api.pointer.issued_claims(),
                    format!(
                        "the claim `{}` comes from an attribute or has a value, one of both",
                        clip(&claim.claim_type)
                    ),
                )
                .hint("for instance `attribute: mail`".to_owned()),
            );
        }
    }
}
