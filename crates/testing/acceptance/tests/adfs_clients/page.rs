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
send `resource`.
";

/// Writes the part if asked to; else the lines of what ran are there, and a line for everything else.
pub(crate) fn is_written(rows: &[Arc<Row>]) {
    clients_page::ADFS.is_written(HEAD, rows.iter().map(|row| &row.page), NOTES);
}
