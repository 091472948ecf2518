//! Microsoft's samples of Dataverse's Web API as C# programs, basic operations in PowerShell too: against a running lab, with rows of
//! their own.
//!
//! Decides that what they read is what the captured runs of the samples read: formatted values, contexts, orders, statuses, texts of
//! refusals. Mirrors `dataverse/tests/web_api/samples`, which asks the same without a client.

use mocktenant_acceptance::tools;

use crate::{exec, file, program};

const BASIC: &str = "\
fullname: Ragna Holm
income: 80000.0000
income as shown: $80,000.00
description: null
currency: US Dollar
currency's link: transactioncurrencyid
currency's table: transactioncurrency
changed: $95,000.00, Senior Developer, Assignment to be decided
telephone: 555-0105
context: accounts(name,primarycontactid(fullname,jobtitle,annualincome))/$entity
primary contact: Ragna Holm, $95,000.00
its etag: True
task: Sign, 2023-04-18T20:00:00Z, 4/18/2023 1:00 PM
task: Ship, 2023-04-19T20:00:00Z, 4/19/2023 1:00 PM
task: Bill, 2023-04-20T20:00:00Z, 4/20/2023 1:00 PM
context of the joined: contacts(fullname,jobtitle)
joined: Nils Berg Manager
joined afterwards: 0
roles: Sample role
left: 404 404 404 404 404
";

const CONDITIONAL: &str = "\
made: 201
members: name revenue telephone1 description
revenue: 5000000.0000
with it: True
unchanged: 304
changed: 200, 555-0001, another etag
deleted with the old etag: 412 The version of the existing record doesn't match the RowVersion property provided.
updated with the old etag: 412 The version of the existing record doesn't match the RowVersion property provided.
updated with the new etag: 204
revenue afterwards: $7,500,000.00
made where there is one: 412 A record with matching key values already exists.
cleaned up: HTTP/1.1 204 No Content
";

const QUERIES: &str = "\
primary contact: Yngve Berg (sample), $45,000.00
contains: Solveig Nils Runa Maren Sigurd Roald Peder Jon
last hours: Solveig Nils Runa Maren Sigurd Roald Peder Jon
compared: Nils Sigurd Roald Peder Jon
parentheses: Nils Sigurd Roald Jon
not: Runa Sigurd Peder
ordered: Peder Runa Roald Maren Sigurd Jon Nils Solveig
aliases: Peder Runa Roald Maren Sigurd Jon Nils Solveig
five: Solveig Nils Runa Maren Sigurd
count: 9 behind EFBBBF
counted: 6 6
a page: 4 of 6, True
the next: Roald Jon, no more
deep: 24, Solveig Berg (sample), Berg & Sons (sample), # mocktenant sample client, no etag
several: 8 Task one, Task two, Task three
average: 61300.0000 $61,300.00 annualincome
total: 490400.0000 $490,400.00 annualincome
minimum: 31000.0000 $31,000.00 annualincome
maximum: 86000.0000 $86,000.00 annualincome
fetched: Solveig Sigurd Runa Roald Peder Nils Maren Jon, no more, no cookie
fetched: Solveig Sigurd Runa, true, <cookie pagenumber=\"2\" pagingcookie=\"%25
view: 00000000-0000-0000-00aa-000010001002, True
my query: Jon Nils Roald
cleaned up: 204
tasks left: 0
";

fn runs(stage: &str, wanted: &str) {
    let Some(mut samples) = program("samples.cs") else { return };
    samples.push(stage.into());
    assert_eq!(exec("secret", "\"$@\"", &samples), wanted);
}

#[test]
fn conditional_operations_run_in_csharp() {
    runs("conditional", CONDITIONAL);
}

#[test]
fn basic_operations_run_in_csharp() {
    runs("basic", BASIC);
}

#[test]
fn queries_run_in_csharp() {
    runs("queries", QUERIES);
}

#[test]
fn basic_operations_run_in_powershell() {
    let Some(pwsh) = tools::powershell() else { return };
    let script = [pwsh.into(), "-File".into(), file("basic_operations.ps1").into()];
    assert_eq!(exec("secret", "\"$@\"", &script).replace("\r\n", "\n"), BASIC);
}
