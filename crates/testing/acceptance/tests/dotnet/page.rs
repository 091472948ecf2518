//! `docs/dotnet.md`: written from the tables that the tests hold .NET to.

use std::fmt::Write as _;
use std::path::Path;

use crate::apis::{APIS, REASONS, ROWS};
use crate::version;
use crate::ways::{CREDENTIALS, INVALID_CLIENT, MISTAKES, Source, WAYS};

const HEAD: &str = "\
# .NET

What .NET's own libraries do inside `mocktenant exec`: default options, Microsoft's own names, nothing of a lab in a program. The
acceptance tests run every file of this page where a .NET is on the machine; [clients.md](clients.md) has the first token, and a
customer's way through Finance & Operations and Dataverse.

<!-- written by `UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test dotnet` -->
";

const MSAL: &str = "
[msal.cs](../crates/testing/acceptance/clients/dotnet/msal.cs) asks in these ways, in this order, in one process. `x5t` is a
certificate, `x5c` the same with `sendX5C: true`; the second tenant is one that a test adds.

| way | token | the assertion's header |
| --- | --- | --- |
";

const KEPT: &str = "
MSAL.NET keeps a token by client, tenant and resource. Fifty who ask at once and find none are fifty requests: nobody waits for
another's. It asks once for all whether it knows login.microsoftonline.com, and for a document only with an OIDC authority.
";

const IDENTITY: &str = "
[azure_identity.cs](../crates/testing/acceptance/clients/dotnet/azure_identity.cs). A managed identity is asked for at
169.254.169.254, which is the lab's too; one that the machine has not is `AuthenticationFailedException` with \"Identity not found\".

| credential | who Entra takes it for |
| --- | --- |
";

const ERRORS: &str = "
## What people are told

[errors.cs](../crates/testing/acceptance/clients/dotnet/errors.cs) makes each mistake. MSAL.NET throws `MsalServiceException` with the
whole of Entra's text in `Message`, behind words of its own where `ErrorCode` is `invalid_client`. Azure.Identity throws
`AuthenticationFailedException`, whose `Message` ends at \"ClientSecretCredential authentication failed: \"; MSAL's exception is its
`InnerException`, so a program that logs the message alone says nothing. `exec` tells the refusal and its cause either way.

| mistake | error | `ErrorCode` | `StatusCode` |
| --- | --- | --- | --- |
";

const TOKENS: &str = "
## An API that is shown tokens: PACKAGES

Two APIs with application roles, of the default world's `api://contoso-api`, which takes v2 tokens:
[api_jwt_bearer.cs](../crates/testing/acceptance/clients/dotnet/api_jwt_bearer.cs) and
[api_identity_web.cs](../crates/testing/acceptance/clients/dotnet/api_identity_web.cs). Each fetches discovery and keys from
login.microsoftonline.com, which is the lab. *Many* is an API of `organizations`, and the same of `common`. *No issuer check* is
`ValidateIssuer = false`, *validator* `AadIssuerValidator`, *strict* that, `EnableAadSigningKeyIssuerValidation()` and
`TryAllIssuerSigningKeys = false`. The tokens are those of `mocktenant token`, with one thing wrong:

```console
$ mocktenant exec -- sh
$ dotnet run api_jwt_bearer.cs organizations validator &
http://127.0.0.1:38211
$ curl -i -H \"Authorization: Bearer $(mocktenant token --resource api://contoso-api --defect expired)\" http://127.0.0.1:38211/tasks
```

A code is a 401 for that reason.

";

const TOLD: &str = "
A key that the tenant begins to sign with while an API runs is refused once (IDX10503, strict IDX10500); the API then fetches the
keys again, and goes on. [rollover.sh](../crates/testing/acceptance/clients/dotnet/rollover.sh) does so with
`mocktenant set .../signing_keys`.

What the codes come with. The caller reads the description in `WWW-Authenticate: Bearer error=\"invalid_token\"`, where it is not
empty; the code is in the API's own log alone.

| code | exception | `error_description` begins |
| --- | --- | --- |
";

#[test]
fn the_page_says_what_the_tables_say() {
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/dotnet.md");
    let page = page();
    if std::env::var_os("UPDATE_CLIENTS").is_some() {
        std::fs::write(written, page).unwrap();
        return;
    }
    let there = std::fs::read_to_string(written).unwrap_or_default();
    assert_eq!(
        there, page,
        "docs/dotnet.md is stale; run: UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test dotnet"
    );
}

// Writing to a String cannot fail, here and below.
fn page() -> String {
    let mut page = String::from(HEAD);
    let _ = writeln!(page, "\n## MSAL.NET {}", version("Microsoft.Identity.Client"));
    page.push_str(MSAL);
    for (name, source, ..) in WAYS {
        let (from, header) = match source {
            Source::Cache => ("kept", String::new()),
            Source::Asked(_, header) => ("asked for", format!("`{}`", header.replace(' ', "`, `"))),
        };
        let _ = writeln!(page, "| {name} | {from} | {header} |");
    }
    page.push_str(KEPT);
    let _ = writeln!(page, "\n## Azure.Identity {}", version("Azure.Identity"));
    page.push_str(IDENTITY);
    for (name, who) in CREDENTIALS {
        let (client, class) = who.split_once(" acr=").unwrap();
        let how = match (client, class) {
            (_, "1") => "the sample client, by its secret",
            ("a005", _) => "the machine",
            _ if name.contains("user-assigned") => "the identity assigned to the machine",
            _ => "the sample client, by its certificate",
        };
        let _ = writeln!(page, "| {name} | {how} |");
    }
    page.push_str(ERRORS);
    for (code, mistake, error, status) in MISTAKES {
        let _ = writeln!(page, "| {mistake} | AADSTS{code} | `{error}` | {status} |");
    }
    let _ =
        writeln!(page, "\nMSAL's own words before an `invalid_client`: \"{}\".", INVALID_CLIENT.trim_end());
    let packages = format!(
        "JwtBearer {}, Identity.Web {}",
        version("Microsoft.AspNetCore.Authentication.JwtBearer"),
        version("Microsoft.Identity.Web")
    );
    page.push_str(&TOKENS.replace("PACKAGES", &packages));
    apis(&mut page);
    page.push_str(TOLD);
    for (code, exception, description) in REASONS {
        let description = if description.is_empty() { String::new() } else { format!("`{description}`") };
        let _ = writeln!(page, "| {code} | `{exception}` | {description} |");
    }
    page
}

/// The table of tokens by APIs, and its rows that need a word.
fn apis(page: &mut String) {
    page.push_str("| token |");
    for api in &APIS {
        let _ = write!(page, " {} |", api.name);
    }
    let _ = writeln!(page, "\n| --- |{}", " --- |".repeat(APIS.len()));
    for row in ROWS {
        let _ = write!(page, "| {} |", row.token);
        for verdict in row.verdicts {
            let cell = match verdict {
                "200" => "let in",
                refused => refused.strip_prefix("401 ").unwrap_or(refused),
            };
            let _ = write!(page, " {cell} |");
        }
        page.push('\n');
    }
    page.push('\n');
    for row in ROWS.iter().filter(|row| !row.why.is_empty()) {
        let _ = writeln!(page, "- *{}*: {}.", row.token, row.why);
    }
}
