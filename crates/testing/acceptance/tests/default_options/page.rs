//! The first part of `docs/clients.md`: what this run has seen, a line for each flow of each client.
//!
//! Decides what stands around the table.

use std::sync::Arc;

use mocktenant_acceptance::clients_page;

use crate::Row;

const HEAD: &str = "
## With nothing changed

`mocktenant exec -- COMMAND` runs an unchanged program: default options, Microsoft's own names, the credential from the
variables that the Azure SDKs read. The table is what came of it when the acceptance tests did so. The azure-identity
programs, and PowerShell's, make a customer in Finance & Operations and read the account that Dual Write made of it in
Dataverse; the Dataverse SDKs create, read, find, update and delete an account; those of MSAL ask for a token, and again for
one that they have. Behind a certificate stands how the client signs with it, and what it names it by or sends of it. The
user that is missing is the application user of `--scenario app-user-missing`. Errors are those that the client itself shows.

| client | version | flow | result |
| --- | --- | --- | --- |
";

const NOTES: &str = "
Node.js' own `fetch`, by which MSAL asks, follows the proxy from 22.21 and 24.5 on (`NODE_USE_ENV_PROXY`, which `exec` sets);
`@azure/identity` does in every version.

A PFX is taken by a program that is told so: `exec` gives the PEM, and the PFX lies beside it (`entra.certificate_pfx` in the
settings). The SDKs for Node.js and MSAL for Go read none; the crate for Rust reads nothing else, and has no
`DefaultAzureCredential`.

[dotnet.md](dotnet.md) has MSAL.NET and Azure.Identity in each of their ways, and what APIs in .NET make of each forged token.
How PyJWT, go-oidc, Nimbus, jose and openidconnect judge the tokens of `mocktenant token --defect` is in a table that is run,
[verifiers.rs](../crates/testing/acceptance/tests/verifiers.rs); its programs are what an API of your own would have.
";

/// Writes the part if asked to; else the lines of what ran are there, and a line for everything else.
pub(crate) fn is_written(rows: &[Arc<Row>]) {
    clients_page::UNCHANGED.is_written(HEAD, rows.iter().map(|row| &row.page), NOTES);
}
