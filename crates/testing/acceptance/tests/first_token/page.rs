//! `docs/clients.md`: written from the table and the files that the tests run. Its first and its last
//! part are other tests', and left as they are.

use std::fmt::Write as _;

use mocktenant_acceptance::{clients_page, tools};

use crate::clients::{CLIENTS, Client, Seen, Toolchain};

const HEAD: &str = "
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
    let there = clients_page::text();
    let of_others = [clients_page::UNCHANGED, clients_page::ADFS, clients_page::OPERATIONS]
        .map(|part| part.marked(part.of(&there)));
    let page = page(&of_others);
    if clients_page::is_to_be_written() {
        clients_page::write(&page);
        return;
    }
    assert_eq!(
        there, page,
        "docs/clients.md is stale; run: UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test first_token"
    );
}

fn page([unchanged, adfs, operations]: &[String; 3]) -> String {
    let mut page = format!("# Clients\n\n{unchanged}{HEAD}");
    for client in CLIENTS {
        section(&mut page, client);
    }
    page.push('\n');
    page.push_str(adfs);
    page.push('\n');
    page.push_str(operations);
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
