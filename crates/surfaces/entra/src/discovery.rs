//! openid-configuration and the signing keys, v1 and v2.
//!
//! Decides the members of the documents and their order, which are those of captures of the real ones (the test data of
//! Microsoft's identity model extensions for .NET, 2024-02 and 2024-07). Endpoint URLs are the patterns of the route table,
//! filled with the host that was called; endpoints that are not built yet are printed all the same, because clients read
//! the document as a whole. Who asks for an application's view (`?appid=`) is led to that application's keys, which are the
//! tenant's here. What is said of grants and of ways to authenticate comes from their tables. Never decides who
//! may read: everybody may.

use bytes::Bytes;
use http::{Method, StatusCode};
use mocktenant_keys::Identity;
use mocktenant_lab::caller::encoded;
use mocktenant_lab::{Answer, Exchange};

use crate::authority::{self, Authority, STS_HOST, TENANT_PLACEHOLDER, Wanted};
use crate::envelope::Envelope;
use crate::errors::EntraError;
use crate::prepared::{Document, Subject};
use crate::tables::Tables;
use crate::{Entra, Version, path, unbuilt};
use mocktenant_idp::form::Form;
use mocktenant_idp::json::{push_list, push_member, push_name, push_string};

/// The value of a member.
enum Member {
    /// A fixed text.
    Text(&'static str),
    /// A path of this authority.
    Endpoint(&'static str),
    /// The path of its keys, those of the application that is asked about.
    Keys(&'static str),
    /// A fixed list.
    List(&'static [&'static str]),
    /// A fixed truth value.
    Flag(bool),
    /// The ways a client can authenticate, from the table, at their rank.
    AuthMethods,
    /// The grants that want to be listed, from the table; no member where none does.
    Grants,
    /// The issuer.
    Issuer,
    /// `tenant_region_scope`.
    Region,
}

use Member::{AuthMethods, Endpoint, Flag, Grants, Issuer, Keys, List, Region, Text};

const RESPONSE_MODES: Member = List(&["query", "fragment", "form_post"]);
const SUBJECT_TYPES: Member = List(&["pairwise"]);
const ALGORITHMS: Member = List(&["RS256"]);

const V1: &[(&str, Member)] = &[
    ("token_endpoint", Endpoint(path::TOKEN_V1)),
    ("token_endpoint_auth_methods_supported", AuthMethods),
    ("jwks_uri", Keys(path::KEYS_V1)),
    ("response_modes_supported", RESPONSE_MODES),
    ("grant_types_supported", Grants),
    ("subject_types_supported", SUBJECT_TYPES),
    ("id_token_signing_alg_values_supported", ALGORITHMS),
    ("response_types_supported", List(&["code", "id_token", "code id_token", "token id_token", "token"])),
    ("scopes_supported", List(&["openid"])),
    ("issuer", Issuer),
    ("microsoft_multi_refresh_token", Flag(true)),
    ("authorization_endpoint", Endpoint(unbuilt::AUTHORIZE_V1)),
    ("device_authorization_endpoint", Endpoint(unbuilt::DEVICE_V1)),
    ("http_logout_supported", Flag(true)),
    ("frontchannel_logout_supported", Flag(true)),
    ("end_session_endpoint", Endpoint(unbuilt::LOGOUT_V1)),
    (
        "claims_supported",
        List(&[
            "sub",
            "iss",
            "cloud_instance_name",
            "cloud_instance_host_name",
            "cloud_graph_host_name",
            "msgraph_host",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "acr",
            "amr",
            "nonce",
            "email",
            "given_name",
            "family_name",
            "nickname",
        ]),
    ),
    ("check_session_iframe", Endpoint(unbuilt::CHECK_SESSION)),
    ("userinfo_endpoint", Endpoint(unbuilt::USERINFO_V1)),
    ("kerberos_endpoint", Endpoint(unbuilt::KERBEROS)),
    ("tenant_region_scope", Region),
    ("cloud_instance_name", Text("microsoftonline.com")),
    ("cloud_graph_host_name", Text("graph.windows.net")),
    ("msgraph_host", Text("graph.microsoft.com")),
    ("rbac_url", Text("https://pas.windows.net")),
];

const V2: &[(&str, Member)] = &[
    ("token_endpoint", Endpoint(path::TOKEN_V2)),
    ("token_endpoint_auth_methods_supported", AuthMethods),
    ("jwks_uri", Keys(path::KEYS_V2)),
    ("response_modes_supported", RESPONSE_MODES),
    ("grant_types_supported", Grants),
    ("subject_types_supported", SUBJECT_TYPES),
    ("id_token_signing_alg_values_supported", ALGORITHMS),
    ("response_types_supported", List(&["code", "id_token", "code id_token", "id_token token"])),
    ("scopes_supported", List(&["openid", "profile", "email", "offline_access"])),
    ("issuer", Issuer),
    ("request_uri_parameter_supported", Flag(false)),
    ("userinfo_endpoint", Text("https://graph.microsoft.com/oidc/userinfo")),
    ("authorization_endpoint", Endpoint(unbuilt::AUTHORIZE_V2)),
    ("device_authorization_endpoint", Endpoint(unbuilt::DEVICE_V2)),
    ("http_logout_supported", Flag(true)),
    ("frontchannel_logout_supported", Flag(true)),
    ("end_session_endpoint", Endpoint(unbuilt::LOGOUT_V2)),
    (
        "claims_supported",
        List(&[
            "sub",
            "iss",
            "cloud_instance_name",
            "cloud_instance_host_name",
            "cloud_graph_host_name",
            "msgraph_host",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "acr",
            "nonce",
            "preferred_username",
            "name",
            "tid",
            "ver",
            "at_hash",
            "c_hash",
            "email",
        ]),
    ),
    ("kerberos_endpoint", Endpoint(unbuilt::KERBEROS)),
    ("tenant_region_scope", Region),
    ("cloud_instance_name", Text("microsoftonline.com")),
    ("cloud_graph_host_name", Text("graph.windows.net")),
    ("msgraph_host", Text("graph.microsoft.com")),
    ("rbac_url", Text("https://pas.windows.net")),
];

/// Answers openid-configuration.
pub(crate) fn configuration(tables: &Tables, exchange: &mut Exchange, version: Version) -> Answer {
    answer(exchange, Document::Configuration(version), |subject, base, issuer_base| {
        configuration_json(tables, subject, version, base, issuer_base)
    })
}

/// Answers the signing keys.
pub(crate) fn keys(exchange: &mut Exchange, version: Version) -> Answer {
    answer(exchange, Document::Keys(version), |subject, _, issuer_base| {
        keys_json(subject, version, issuer_base)
    })
}

fn answer(
    exchange: &mut Exchange,
    document: Document,
    render: impl FnOnce(&Subject<'_>, &str, &str) -> Vec<u8>,
) -> Answer {
    let envelope = Envelope::open(exchange, None);
    if exchange.request.method == Method::OPTIONS {
        return envelope.document(exchange, Answer::empty(StatusCode::OK));
    }
    match find(exchange, document, |exchange, subject, base| {
        Some(render(subject, base, &authority::v2_issuer_base(exchange)))
    }) {
        Ok(body) => envelope.document(exchange, Answer::json(StatusCode::OK, body)),
        Err(error) => {
            let answer = refused(exchange, &envelope, &error);
            envelope.document(exchange, answer)
        }
    }
}

/// The application a document is asked for, if it is asked for one. Such a document is made anew each time: anybody can
/// invent applications.
fn application(query: &str) -> Option<String> {
    if query.is_empty() {
        return None;
    }
    Form::parse(query.as_bytes()).ok()?.get("appid").map(str::to_owned)
}

/// Why a document cannot be had, without header fields. That it is for a tenant nobody has is the same question as at the token endpoint, so that
/// whoever called finds the same answer.
pub(crate) fn refused(exchange: &mut Exchange, envelope: &Envelope, error: &EntraError) -> Answer {
    if matches!(error, EntraError::TenantNotFound { .. } | EntraError::TenantEmpty { .. }) {
        authority::record_unknown(exchange, error);
    }
    exchange.trail.record_error(error.row().id);
    envelope.refused(exchange, error)
}

/// The document of the authority a request addresses, rendered if nobody asked for it before.
pub(crate) fn find(
    exchange: &Exchange,
    document: Document,
    render: impl FnOnce(&Exchange, &Subject<'_>, &str) -> Option<Vec<u8>>,
) -> Result<Bytes, EntraError> {
    let prepared = exchange.context.prepared::<Entra>();
    let authority: Authority<'_> = authority::resolve(prepared, exchange, Wanted::Document)?;
    let base = exchange.own_base_url();
    let application = application(exchange.request.query());
    let rendered = || {
        let mut subject = Subject::of(authority, exchange.context.world());
        subject.application = application.as_deref();
        render(exchange, &subject, &base)
    };
    let document = match application {
        Some(_) => rendered().map(Bytes::from),
        None => prepared.document(authority, document, &base, rendered),
    };
    document.ok_or(EntraError::TokenIssuance)
}

fn configuration_json(
    tables: &Tables,
    subject: &Subject<'_>,
    version: Version,
    base: &str,
    issuer_base: &str,
) -> Vec<u8> {
    let members = match version {
        Version::V1 => V1,
        Version::V2 => V2,
    };
    let mut out = Vec::with_capacity(2048);
    out.push(b'{');
    for (name, member) in members {
        if matches!(member, Grants) && tables.listed_grants(version).next().is_none() {
            continue;
        }
        push_name(&mut out, name);
        match member {
            Text(text) => push_string(&mut out, text),
            Endpoint(pattern) => push_string(&mut out, &endpoint(base, pattern, subject.segment)),
            Keys(pattern) => {
                let keys = endpoint(base, pattern, subject.segment);
                let of = subject.application.map(|id| format!("{keys}?appid={}", encoded(id)));
                push_string(&mut out, of.as_deref().unwrap_or(&keys));
            }
            List(items) => push_list(&mut out, items.iter().copied()),
            AuthMethods => push_list(&mut out, tables.listed_methods.iter().copied()),
            Grants => push_list(&mut out, tables.listed_grants(version)),
            Flag(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
            Issuer => push_string(&mut out, &issuer(version, issuer_base, subject.issuer_tenant)),
            Region => match subject.region {
                Some(region) => push_string(&mut out, region),
                None => out.extend_from_slice(b"null"),
            },
        }
    }
    out.push(b'}');
    out
}

fn endpoint(base: &str, pattern: &str, segment: &str) -> String {
    format!("{base}{}", pattern.replacen("{tenant}", segment, 1))
}

/// The issuer of a version: v1 names another host than the one called, and ends in a slash.
pub(crate) fn issuer(version: Version, issuer_base: &str, tenant: &str) -> String {
    match version {
        Version::V1 => format!("https://{STS_HOST}/{tenant}/"),
        Version::V2 => format!("{issuer_base}/{tenant}/v2.0"),
    }
}

fn keys_json(subject: &Subject<'_>, version: Version, issuer_base: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(subject.signing.len() * 2048 + 16);
    out.extend_from_slice(br#"{"keys":["#);
    for (index, identity) in subject.signing.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_key(&mut out, identity, version, issuer_base);
    }
    out.extend_from_slice(b"]}");
    out
}

/// One key. There is no `alg`; v2 keys say for which issuer they are, with the placeholder for work accounts.
fn push_key(out: &mut Vec<u8>, identity: &Identity, version: Version, issuer_base: &str) {
    let certificate = identity.certificate();
    let public = identity.key().public();
    let kid = certificate.thumbprint().base64url();
    out.push(b'{');
    push_member(out, "kty", "RSA");
    push_member(out, "use", "sig");
    push_member(out, "kid", &kid);
    push_member(out, "x5t", &kid);
    push_member(out, "n", &public.n_base64url());
    push_member(out, "e", &public.e_base64url());
    push_name(out, "x5c");
    push_list(out, [certificate.base64_der().as_str()]);
    if version == Version::V2 {
        push_member(out, "issuer", &issuer(version, issuer_base, TENANT_PLACEHOLDER));
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entra;
    use mocktenant_lab::Surface as _;

    #[test]
    fn every_endpoint_a_document_names_is_either_routed_or_listed_as_unbuilt() {
        for (name, member) in V1.iter().chain(V2) {
            if let Endpoint(pattern) | Keys(pattern) = member {
                let routed = Entra::routes().iter().any(|route| route.pattern == *pattern);
                assert_ne!(routed, unbuilt::endpoint(pattern).is_some(), "{name}");
            }
        }
    }
}
