//! openid-configuration, the signing keys, webfinger.
//!
//! Decides the members of the documents, their order and what each profile lists, as captured; slashes are escaped as AD FS's
//! writer does. Endpoint URLs are the patterns of the route table under the host that was called, in lower case; the issuer
//! keeps the letter case of the service's host name under a name of the world and follows the address elsewhere. Endpoints
//! that are not built yet are printed all the same, because clients read the document as a whole. Never decides who may
//! read: everybody may.

use std::borrow::Cow;

use http::StatusCode;
use mocktenant_idp::form::Form;
use mocktenant_idp::json::{push_name, push_string_escaping};
use mocktenant_keys::Identity;
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_world::declaration::Profile;

use crate::envelope::{self, JSON};
use crate::prepared::{Document, PreparedService};
use crate::scope::BUILT_IN;
use crate::{path, service};

/// What AD FS's writer of documents escapes beyond JSON.
const ESCAPED: &[u8] = b"/";

/// The value of a member.
enum Member {
    Issuer,
    AccessTokenIssuer,
    /// A path of this service.
    Endpoint(&'static str),
    /// The same, with the slash at its end that AD FS prints.
    EndpointSlash(&'static str),
    List(&'static [&'static str]),
    Flag(bool),
    Grants,
    Scopes,
    Claims,
    Capabilities,
}

use Member::{
    AccessTokenIssuer, Capabilities, Claims, Endpoint, EndpointSlash, Flag, Grants, Issuer, List, Scopes,
};

const MEMBERS: &[(&str, Member)] = &[
    ("issuer", Issuer),
    ("authorization_endpoint", EndpointSlash(path::AUTHORIZE)),
    ("token_endpoint", EndpointSlash(path::TOKEN)),
    ("jwks_uri", Endpoint(path::KEYS)),
    (
        "token_endpoint_auth_methods_supported",
        List(&[
            "client_secret_post",
            "client_secret_basic",
            "private_key_jwt",
            "windows_client_authentication",
        ]),
    ),
    (
        "response_types_supported",
        List(&["code", "id_token", "code id_token", "id_token token", "code token", "code id_token token"]),
    ),
    ("response_modes_supported", List(&["query", "fragment", "form_post"])),
    ("grant_types_supported", Grants),
    ("subject_types_supported", List(&["pairwise"])),
    ("scopes_supported", Scopes),
    ("id_token_signing_alg_values_supported", List(&["RS256"])),
    ("token_endpoint_auth_signing_alg_values_supported", List(&["RS256"])),
    ("access_token_issuer", AccessTokenIssuer),
    ("claims_supported", Claims),
    ("microsoft_multi_refresh_token", Flag(true)),
    ("userinfo_endpoint", Endpoint(path::USERINFO)),
    ("capabilities", Capabilities),
    ("end_session_endpoint", Endpoint(path::LOGOUT)),
    ("as_access_token_token_binding_supported", Flag(true)),
    ("as_refresh_token_token_binding_supported", Flag(true)),
    ("resource_access_token_token_binding_supported", Flag(true)),
    ("op_id_token_token_binding_supported", Flag(true)),
    ("rp_id_token_token_binding_supported", Flag(true)),
    ("frontchannel_logout_supported", Flag(true)),
    ("frontchannel_logout_session_supported", Flag(true)),
];
/// The last member, from Windows Server 2019 on.
const DEVICE: (&str, Member) = ("device_authorization_endpoint", Endpoint(path::DEVICE_CODE));

const GRANTS: [&str; 7] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "implicit",
    "password",
    "srv_challenge",
];
/// From Windows Server 2019 on.
const DEVICE_GRANTS: [&str; 2] = ["urn:ietf:params:oauth:grant-type:device_code", "device_code"];

const CLAIMS: [&str; 12] = [
    "aud",
    "iss",
    "iat",
    "exp",
    "auth_time",
    "nonce",
    "at_hash",
    "c_hash",
    "sub",
    "upn",
    "unique_name",
    "pwd_url",
];

/// Answers openid-configuration.
pub(crate) fn configuration(exchange: &mut Exchange) -> Answer {
    document(exchange, Document::Configuration, configuration_json)
}

/// Answers the keys.
pub(crate) fn keys(exchange: &mut Exchange) -> Answer {
    document(exchange, Document::Keys, |prepared, _, _| keys_json(&prepared.service.signing))
}

/// Answers a document: of the service, under the base URL that was called, with its issuer there.
fn document(
    exchange: &mut Exchange,
    document: Document,
    render: impl FnOnce(&PreparedService, &str, &str) -> Vec<u8>,
) -> Answer {
    if envelope::is_preflight(exchange) {
        return envelope::preflight(exchange);
    }
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    let base = exchange.own_base_url();
    let issuer = issuer(&prepared, exchange).into_owned();
    let body = prepared.document(document, &base, || Some(render(&prepared, &base, &issuer)));
    let content = Content::Json(body.unwrap_or_default(), JSON);
    envelope::dressed(exchange, Answer::typed(StatusCode::OK, content))
}

/// The issuer of id tokens: as the service's administrator spelled its host, or the lab's own address where that was called.
pub(crate) fn issuer<'p>(prepared: &'p PreparedService, exchange: &Exchange) -> Cow<'p, str> {
    if exchange.by_world_name() {
        return Cow::Borrowed(&prepared.canonical_issuer);
    }
    Cow::Owned(exchange.own_base_url() + "/adfs")
}

/// The same for what is issued to a client: an environment's own, which compares it with what it fetched by the world's names, is
/// never told the lab's address.
pub(crate) fn issuer_for<'p>(
    prepared: &'p PreparedService,
    exchange: &Exchange,
    client_id: &str,
) -> Cow<'p, str> {
    if prepared.is_of_environment(client_id) {
        return Cow::Borrowed(&prepared.canonical_issuer);
    }
    issuer(prepared, exchange)
}

fn configuration_json(prepared: &PreparedService, base: &str, issuer: &str) -> Vec<u8> {
    let profile = prepared.service.profile;
    let mut out = Vec::with_capacity(3072);
    out.push(b'{');
    let device = (profile >= Profile::Server2019).then_some(&DEVICE);
    for (name, member) in MEMBERS.iter().chain(device) {
        push_name(&mut out, name);
        match member {
            Issuer => push(&mut out, issuer),
            AccessTokenIssuer => push(&mut out, &prepared.identifier),
            Endpoint(path) => push(&mut out, &format!("{base}{path}")),
            EndpointSlash(path) => push(&mut out, &format!("{base}{path}/")),
            Flag(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
            List(items) => push_all(&mut out, items.iter().copied()),
            Grants => {
                let device = if profile >= Profile::Server2019 { &DEVICE_GRANTS[..] } else { &[] };
                push_all(&mut out, GRANTS.iter().chain(device).copied());
            }
            Scopes => {
                let added = prepared.service.scope_descriptions.iter().map(String::as_str);
                push_all(&mut out, BUILT_IN.into_iter().chain(added));
            }
            Claims => {
                let rest: &[&str] = match profile {
                    Profile::Server2016 => &["pwd_exp", "sid"],
                    Profile::Server2019 => &["pwd_exp", "mfa_auth_time", "sid"],
                    Profile::Server2022 => &["pwd_exp", "mfa_auth_time", "sid", "nbf"],
                };
                push_all(&mut out, CLAIMS.iter().chain(rest).copied());
            }
            Capabilities => {
                let fresh: &[&str] = if profile >= Profile::Server2022 { &["kdf_ver2"] } else { &[] };
                push_all(&mut out, fresh.iter().copied());
            }
        }
    }
    out.push(b'}');
    out
}

fn keys_json(signing: &[Identity]) -> Vec<u8> {
    let mut out = Vec::with_capacity(signing.len() * 2048 + 16);
    out.extend_from_slice(br#"{"keys":["#);
    for (index, identity) in signing.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let certificate = identity.certificate();
        let public = identity.key().public();
        let kid = certificate.thumbprint().base64url();
        out.push(b'{');
        let members = [
            ("kty", "RSA"),
            ("use", "sig"),
            ("alg", "RS256"),
            ("kid", &kid),
            ("x5t", &kid),
            ("n", &public.n_base64url()),
            ("e", &public.e_base64url()),
        ];
        for (name, text) in members {
            push_name(&mut out, name);
            push(&mut out, text);
        }
        push_name(&mut out, "x5c");
        push_all(&mut out, [certificate.base64_der().as_str()]);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

fn push(out: &mut Vec<u8>, text: &str) {
    push_string_escaping(out, text, ESCAPED);
}

fn push_all<'t>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'t str>) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push(out, item);
    }
    out.push(b']');
}

const TRUSTED_REALM: &str = "http://schemas.microsoft.com/rel/trusted-realm";

/// Answers webfinger: that the service trusts itself, which clients ask before they believe an authority. What is said of
/// another host is inferred.
pub(crate) fn webfinger(exchange: &mut Exchange) -> Answer {
    if envelope::is_preflight(exchange) {
        return envelope::preflight(exchange);
    }
    let query = exchange.request.query().to_owned();
    let form = Form::parse(query.as_bytes()).unwrap_or_default();
    let own = exchange.own_base_url();
    let asked = form.get("resource").map(|resource| resource.strip_suffix('/').unwrap_or(resource));
    match (form.get("rel"), asked) {
        (Some(TRUSTED_REALM), Some(asked)) if asked.eq_ignore_ascii_case(&own) => {
            let mut out = b"{".to_vec();
            push_name(&mut out, "subject");
            push_string_escaping(&mut out, asked, b"");
            out.extend_from_slice(br#","links":[{"rel":"#);
            push_string_escaping(&mut out, TRUSTED_REALM, b"");
            push_name(&mut out, "href");
            push_string_escaping(&mut out, asked, b"");
            out.extend_from_slice(b"}]}");
            envelope::dressed(exchange, Answer::typed(StatusCode::OK, Content::Json(out.into(), JSON)))
        }
        (rel, resource) => {
            exchange.trail.record_error("404");
            let of = |text: Option<&str>| {
                text.map_or_else(
                    || "nothing".to_owned(),
                    |text| mocktenant_verdict::foreign::excerpt(text, 200).into_owned(),
                )
            };
            let what = format!("rel {} of {}", of(rel), of(resource));
            exchange.trail.refused(what, format!("rel {TRUSTED_REALM} of {own}"));
            envelope::dressed(exchange, Answer::empty(StatusCode::NOT_FOUND))
        }
    }
}
