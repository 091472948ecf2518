//! The last part of `docs/clients.md`: clients of AD FS, and what came of each of their flows.
//!
//! Decides what stands around the table.

use std::sync::Arc;

use mocktenant_acceptance::clients_page;

use crate::Row;

const HEAD: &str = "
## AD FS

Clients of the federation service, unmodified. On localhost they are told its address, `adfs.base_url` of the settings, and
trust `ca_pem`; *by name* they run inside `mocktenant exec` with `https://ADFS.contoso.com/adfs`, and nothing else is told
them. MSAL for Python knows by the path that this is AD FS; MSAL for Node.js needs it in `knownAuthorities`, with its port, and
ADAL `validate_authority=False`: both ask Microsoft otherwise. The sample client has the id, secret and certificate that it
has at Entra. Each line is what came of it in the acceptance tests.

| client | version | flow | result |
| --- | --- | --- | --- |
";

const NOTES: &str = "
AD FS knows no `.default`: ask for `https://ax.contoso.com/` with `/openid` behind it (`https://ax.contoso.com//openid`), or
send `resource`. MSAL for Go and for Java add `openid profile offline_access` to whatever they are asked for, the others only
for users: what stands beside the `.default` is what AD FS answers to. An assertion has to be signed with RS256 and to be for
the token endpoint, not for the issuer.

AD FS's answers name scopes without the resource that they are on. Every MSAL keeps a user's token under those names, so that
it is not found under `<resource>/openid` and each silent call is a refresh. MSAL for Go takes a scope that is not named
again for declined, and gives no token of a user but for userinfo (scope `openid`).

People sign in as in any browser: on AD FS's page, with the redirect URI that is registered, port and all. MSAL's system browser draws
a port of its own, and AD FS compares it (inferred): hand MSAL `http://localhost:PORT` and register that. A cookie that comes along with
a form posted by another site is `SameSite=None; Secure`: an ASP.NET application that is answered by `form_post` needs https.

On localhost MSAL.NET is told `WithAdfsAuthority(url, false)`: what it asks else, webfinger, it asks without the port. MSAL for
Go is told `WithInstanceDiscovery(false)`; MSAL for Java asks nobody. The password is the OAuth grant: no MSAL asks AD FS for
WS-Trust or a realm. What checks access tokens has to be told their issuer, openid-configuration's `access_token_issuer`, which
is not its `issuer`; JwtBearer takes the audience with and without a final slash.
";

/// Writes the part if asked to; else the lines of what ran are there, and a line for everything else.
pub(crate) fn is_written(rows: &[Arc<Row>]) {
    clients_page::ADFS.is_written(HEAD, rows.iter().map(|row| &row.page), NOTES);
}
