//! The first part of `docs/clients.md`: what this run has seen, a line for each flow of each client.
//!
//! Decides that a line of a flow that ran is in the page as it is, and that every flow has a line. Of those that were not
//! run it says why, or leaves what is there.

use std::sync::Arc;

use mocktenant_acceptance::clients_page;

use crate::programs::Language;
use crate::table::Client;
use crate::{Outcome, Row};

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
    let page = clients_page::text();
    let there = clients_page::unchanged_of(&page);
    let part = part(rows, there, clients_page::is_to_be_written());
    if clients_page::is_to_be_written() {
        let (old, new) = (clients_page::marked(there), clients_page::marked(&part));
        assert!(
            page.contains(&old),
            "docs/clients.md has no place for it; let first_token write the page first"
        );
        clients_page::write(&page.replacen(&old, &new, 1));
        return;
    }
    let other = |one: &str, other: &str| -> String {
        let lines = one.lines().filter(|line| !other.lines().any(|same| same == *line));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(
        there == part,
        "docs/clients.md is stale; run: UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test default_options\n\
         it has:\n{}\nthis run has:\n{}",
        other(there, &part),
        other(&part, there)
    );
}

fn part(rows: &[Arc<Row>], there: &str, is_to_be_written: bool) -> String {
    let mut part = String::from(HEAD);
    for row in rows {
        let client = format!("[{}](../{})", row.client.name, path(row.client));
        for (number, flow) in row.client.flows.iter().enumerate() {
            let line =
                |result: &str| format!("| {client} | {} | {} | {result} |", row.version(), flow.name());
            let is_it = |line: &&str| {
                let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
                matches!(cells.as_slice(), [it, _, as_it, _] if *it == client && *as_it == flow.name())
            };
            let new = match row.outcome(number) {
                Some(Outcome::Ran(said)) => line(&said),
                Some(Outcome::Missing(why)) if is_to_be_written => {
                    line(&format!("not run where this was written: {why}"))
                }
                // Its own test has said what is wrong, or nobody asked for it.
                _ => there.lines().find(is_it).map_or_else(|| line("not run"), str::to_owned),
            };
            part.push_str(&new);
            part.push('\n');
        }
    }
    part + NOTES + "\n"
}

/// Where the program is, from the root of the repository.
fn path(client: &Client) -> String {
    let inside = match client.language {
        Language::Go => "/main.go",
        Language::Rust => "/src/main.rs",
        _ => "",
    };
    format!("crates/testing/acceptance/clients/default_options/{}{inside}", client.file)
}
