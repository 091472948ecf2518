//! Access tokens, from what was decided: claims, header, signature.
//!
//! Decides which of a token's two versions has which audience and header, and that a token for Microsoft Graph is signed so
//! that nobody but Graph can verify it. Whoever issues a token, or forges one, makes it here. Never
//! decides whether anybody gets one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{Algorithm, sha256};
use mocktenant_lab::Context;
use mocktenant_token::{HeaderSegment, mint_raw};
use mocktenant_world::Application;

use crate::Version;
use crate::claims::AppOnly;
use crate::errors::EntraError;
use crate::prepared::{self, PreparedTenant};
use crate::resource::GRAPH;

/// The version of tokens that a resource wants.
pub(crate) fn version_for(resource: &Application) -> Version {
    if resource.token_version >= 2 { Version::V2 } else { Version::V1 }
}

/// A v2 token is for the resource's client id, a v1 token for what was asked.
pub(crate) fn audience<'a>(version: Version, resource: &'a Application, asked: &'a str) -> &'a str {
    match version {
        Version::V1 => asked,
        Version::V2 => &resource.client_id,
    }
}

/// The roles a client was granted on a resource.
pub(crate) fn granted_roles<'a>(client: &'a Application, resource: &Application) -> &'a [String] {
    client.granted_roles.get(&resource.client_id).map_or(&[], Vec::as_slice)
}

/// The token of these claims, signed with the tenant's active key.
pub(crate) fn token(
    context: &Context,
    tenant: &PreparedTenant,
    version: Version,
    statement: &AppOnly<'_>,
) -> Result<String, EntraError> {
    let claims = statement.to_json(version);
    let key = tenant.signing().ok_or(EntraError::TokenIssuance)?.key();
    let signed = |header: &HeaderSegment| {
        mint_raw(key, Algorithm::Rs256, header, &claims).map_err(|_| EntraError::TokenIssuance)
    };
    if statement.resource_id == GRAPH {
        let mut nonce = [0_u8; 32];
        context.random().fill(&mut nonce);
        let nonce = URL_SAFE_NO_PAD.encode(nonce);
        let header = |nonce: &str| prepared::header(&tenant.tenant, version, Some(nonce));
        Ok(under(&header(&nonce), &signed(&header(&hidden(&nonce)))?))
    } else {
        signed(match version {
            Version::V1 => &tenant.header_v1,
            Version::V2 => &tenant.header_v2,
        })
    }
}

/// What is signed in place of a nonce that is sent: its SHA-256 in base64url.
pub(crate) fn hidden(nonce: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(nonce))
}

/// A token under another header than the one that was signed.
pub(crate) fn under(header: &HeaderSegment, token: &str) -> String {
    let behind = token.find('.').map_or("", |at| &token[at..]);
    format!("{}{behind}", header.as_str())
}
