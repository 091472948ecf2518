//! Tokens, from what was decided: claims, header, signature.
//!
//! Decides nothing: whoever issues a token, or forges one, makes it here.

use mocktenant_keys::Algorithm;
use mocktenant_token::{HeaderSegment, mint_raw};
use mocktenant_world::FederationUser;

use crate::claims::{Beside, Statement};
use crate::errors::AdfsError;
use crate::prepared::PreparedService;

/// The access token of a statement, signed with the service's primary key.
pub(crate) fn access_token(statement: &Statement<'_>) -> Result<String, AdfsError> {
    signed(statement.prepared, &statement.prepared.access_header, &statement.access_token())
}

/// Its id token about this user.
pub(crate) fn id_token(
    statement: &Statement<'_>,
    user: &FederationUser,
    beside: &Beside<'_>,
) -> Result<String, AdfsError> {
    signed(statement.prepared, &statement.prepared.id_header, &statement.id_token(user, beside))
}

fn signed(prepared: &PreparedService, header: &HeaderSegment, claims: &[u8]) -> Result<String, AdfsError> {
    let key = prepared.signing().ok_or(AdfsError::ServerError)?.key();
    mint_raw(key, Algorithm::Rs256, header, claims).map_err(|_| AdfsError::ServerError)
}
