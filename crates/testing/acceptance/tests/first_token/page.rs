//! `docs/clients.md`: written from the table and the files that the tests run.

use std::fmt::Write as _;
use std::path::Path;

use mocktenant_acceptance::tools;

use crate::clients::{CLIENTS, Client, Seen, Toolchain};

const HEAD: &str = "\
# Clients

## With nothing changed

`mocktenant exec -- COMMAND` runs an unchanged program: default options, Microsoft's own names, the credential from the
variables that the Azure SDKs read. These run so in the acceptance tests, by secret, by certificate and (the first five) as
managed identity, in a healthy world and in a broken one, and each says the errors a user meets most in its own words. The
MSAL ones keep their token and are asked twice; .NET's is asked by fifty at once:

| client | program |
| --- | --- |
| azure-identity for Python | [customer.py](../crates/testing/acceptance/clients/default_options/customer.py) |
| @azure/identity for Node.js | [customer.mjs](../crates/testing/acceptance/clients/default_options/customer.mjs) |
| azidentity for Go | [main.go](../crates/testing/acceptance/clients/default_options/go/main.go) |
| azure-identity for Java | [Customer.java](../crates/testing/acceptance/clients/default_options/Customer.java) |
| Azure.Identity for .NET | [customer.cs](../crates/testing/acceptance/clients/default_options/customer.cs) |
| PowerShell (secret only) | [customer.ps1](../crates/testing/acceptance/clients/default_options/customer.ps1) |
| MSAL for Python | [msal_python.py](../crates/testing/acceptance/clients/default_options/msal_python.py) |
| MSAL for Node.js (24) | [msal_node.mjs](../crates/testing/acceptance/clients/default_options/msal_node.mjs) |
| MSAL for Go | [main.go](../crates/testing/acceptance/clients/default_options/msal_go/main.go) |
| MSAL4J for Java (secret only) | [Msal.java](../crates/testing/acceptance/clients/default_options/Msal.java) |
| MSAL.NET | [msal_dotnet.cs](../crates/testing/acceptance/clients/default_options/msal_dotnet.cs) |

Node.js' own `fetch`, by which MSAL asks, follows the proxy from 22.21 and 24.5 on (`NODE_USE_ENV_PROXY`, which `exec` sets);
`@azure/identity` does in every version.

## By the addresses on localhost

What each client has to be told to get a token from a lab, and what is seen when it is not told. Every file here is run by
the acceptance tests: as it stands, in an environment that trusts other roots and has a company's proxy, and once without
each thing that the table beside it names. `curl`, Python and Node.js are run in every continuous integration; the others
where their toolchain is on the machine.

All of them read the settings of a running lab:

```console
$ mocktenant settings > settings.json
```

`ca_pem` is the root for localhost and may be trusted by a whole machine; `ca_bundle_pem` also has the system's roots, and
one for Microsoft's names: give it to one program. A proxy in `HTTPS_PROXY` needs `NO_PROXY=localhost,127.0.0.1`.

Whether a client asks login.microsoftonline.com about an authority is called instance discovery. Left on, it leaves the
machine before the first token, and Microsoft knows no lab.

<!-- written by `UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test first_token` -->
";

/// Writes the page if asked to; else it has to be what is there.
pub(crate) fn is_written() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/clients.md");
    let page = page();
    if std::env::var_os("UPDATE_CLIENTS").is_some() {
        std::fs::write(file, page).unwrap();
        return;
    }
    let there = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(
        there, page,
        "docs/clients.md is stale; run: UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test first_token"
    );
}

fn page() -> String {
    let mut page = String::from(HEAD);
    for client in CLIENTS {
        section(&mut page, client);
    }
    page
}

// Writing to a String cannot fail, here and below.
fn section(page: &mut String, client: &Client) {
    let _ = write!(page, "\n### {}\n\n```console\n", client.name);
    for command in [client.install, client.run] {
        if !command.is_empty() {
            let _ = writeln!(page, "$ {command}");
        }
    }
    let mut path = format!("crates/testing/acceptance/clients/first_token/{}", client.file);
    if client.toolchain == Toolchain::Go {
        path.push_str("/main.go");
    }
    let source = tools::clients().join("../../../..").join(&path);
    let text = std::fs::read_to_string(&source).unwrap();
    let language = match client.toolchain {
        Toolchain::Curl => "sh",
        Toolchain::Python => "python",
        Toolchain::Node => "js",
        Toolchain::Dotnet => "csharp",
        Toolchain::PowerShell => "powershell",
        Toolchain::Go => "go",
        Toolchain::Java => "java",
    };
    let name = path.rsplit('/').next().unwrap_or(&path);
    let _ = write!(page, "```\n\n[{name}](../{path}):\n\n```{language}\n{text}```\n\n");
    page.push_str("| to tell it | why | without it |\n| --- | --- | --- |\n");
    for told in client.told {
        let seen = match told.seen {
            Seen::Says(text) => format!("`{text}`"),
            Seen::AsksMicrosoft(known) => format!("it asks login.microsoftonline.com: {known}"),
        };
        let _ = writeln!(page, "| {} | {} | {seen} |", told.what, told.why);
    }
    for note in client.notes {
        page.push('\n');
        wrap(page, note);
    }
}

/// A paragraph in lines as the other documents have them.
fn wrap(page: &mut String, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 120 {
            let _ = writeln!(page, "{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(page, "{line}");
}
