//! The last part of `docs/clients.md`: clients of AD FS, and what came of each of their flows.
//!
//! Decides what stands around the table.

use std::sync::Arc;

use mocktenant_acceptance::clients_page;

use crate::Row;

const HEAD: &str = "
## AD FS

Clients of the federation service, unmodified. On localhost they are told its address,
`adfs.base_url` of the settings, and trust `ca_pem`; *by name* they run inside `mocktenant exec`, with
`https://ADFS.contoso.com/adfs` and nothing else. The sample client has the same id, secret and certificate as at Entra; the
user is `ada@contoso.com`; the resource is `https://ax.contoso.com/`. Each line is what came of it in the acceptance tests.

| client | version | flow | result |
| --- | --- | --- | --- |
";

const NOTES: &str = "
AD FS knows no `.default`: ask for `https://ax.contoso.com/` with `/openid` behind it (`https://ax.contoso.com//openid`), or
send `resource`. MSAL for Go and for Java add `openid profile offline_access` to whatever they are asked for, MSAL.NET only
for users: what stands beside the `.default` is what AD FS answers to.

AD FS's answers name scopes without the resource that they are on. MSAL.NET and MSAL for Java keep a user's token under
those names and do not find it under `<resource>/openid`: each silent call is a refresh. MSAL for Go takes a scope that is
not named again for declined, and gives no token of a user but for userinfo (scope `openid`).

MSAL.NET is told `WithAdfsAuthority(url, false)`, MSAL for Go and for Java to leave out instance discovery. MSAL's password
at AD FS is the OAuth grant: none of them asks for WS-Trust or a realm there. What checks access tokens has to be told
their issuer, the `access_token_issuer` of openid-configuration: it is not the document's `issuer`.
";

/// Writes the part if asked to; else the lines of what ran are there, and a line for everything else.
pub(crate) fn is_written(rows: &[Arc<Row>]) {
    clients_page::ADFS.is_written(HEAD, rows.iter().map(|row| &row.page), NOTES);
}
