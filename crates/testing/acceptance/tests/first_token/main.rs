//! The first token: each client of `docs/clients.md` with the file the page shows, against a lab of its own.
//!
//! Each gets its token in an environment as developers have it, which trusts other roots and has a proxy for everything
//! but localhost; and each is refused, as the page says, without any one of the things it has to be told. The proxy is a
//! wall that writes down who wanted out, so nothing leaves this machine. `UPDATE_CLIENTS=1` writes the page.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod clients;
mod page;
mod wall;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mocktenant_acceptance::tools;
use mocktenant_testkit::Lab;

use crate::clients::{CLIENTS, Client, DOTNET_TRUST, NODE_TRUST, Seen, Toolchain, Without};
use crate::wall::Wall;

#[test]
fn curl_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("curl.sh");
}

#[test]
fn msal_for_python_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("msal_python.py");
}

#[test]
fn azure_identity_for_python_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("azure_identity_python.py");
}

#[test]
fn authlib_for_python_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("authlib_python.py");
}

#[test]
fn msal_for_node_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("msal_node.mjs");
}

#[test]
fn azure_identity_for_node_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("azure_identity_node.mjs");
}

#[test]
fn openid_client_for_node_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("openid_client.mjs");
}

#[test]
fn oauth4webapi_for_node_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("oauth4webapi.mjs");
}

#[test]
fn msal_for_dotnet_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("msal_dotnet.cs");
}

#[test]
fn azure_identity_for_dotnet_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("azure_identity_dotnet.cs");
}

#[test]
fn powershell_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("powershell.ps1");
}

#[test]
fn azidentity_for_go_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("azidentity");
}

#[test]
fn msal4j_for_java_gets_its_first_token_and_needs_all_that_it_is_told() {
    judge("Msal4j.java");
}

#[test]
fn the_page_about_clients_shows_the_files_that_were_run() {
    page::is_written();
}

/// The client with what it is told, and without each of it.
fn judge(file: &str) {
    let client = CLIENTS.iter().find(|client| client.file == file).unwrap();
    let Some(program) = program(client.toolchain) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lab = runtime.block_on(Lab::start());

    let wall = Wall::new();
    let output = run(client, &program, &lab, &wall, None);
    let said = tools::said(&output);
    let token = token_in(&output).unwrap_or_else(|| panic!("no token: {said}\n{}", lab.failure_report()));
    assert!(
        wall.asked().is_empty() && !said.contains("asked for"),
        "it wanted out: {:?} {said}",
        wall.asked()
    );
    let who_am_i = format!("{}/api/data/v9.2/WhoAmI", lab.settings().dataverse.url);
    let answer = runtime.block_on(async { lab.client().bearer(&token).get(&who_am_i).await });
    assert_eq!(answer.status, 200, "Dataverse takes the token: {}", answer.text());
    assert!(lab.journal().refused().is_empty(), "{}", lab.failure_report());

    for told in client.told {
        let wall = Wall::new();
        let output = run(client, &program, &lab, &wall, Some(&told.without));
        let said = tools::said(&output);
        match told.seen {
            Seen::Says(text) => {
                assert!(said.contains(text), "without {}: {said}", told.what);
                assert!(token_in(&output).is_none(), "without {}: {said}", told.what);
            }
            Seen::AsksMicrosoft(_) => {
                let asked = wall.asked().iter().any(|line| line.contains("login.microsoftonline.com"))
                    || said.contains("asked for login.microsoftonline.com");
                assert!(asked, "without {}: {:?} {said}", told.what, wall.asked());
            }
        }
    }
}

/// What runs a client of that kind, or nothing where a test may do without it.
fn program(toolchain: Toolchain) -> Option<PathBuf> {
    match toolchain {
        Toolchain::Curl => {
            tools::or_skip("curl")?;
            tools::or_skip("jq")?;
            tools::or_skip("sh")
        }
        Toolchain::Python => tools::there_or_skip(tools::python()),
        Toolchain::Node => {
            let node = tools::or_skip("node")?;
            tools::there_or_skip(tools::installed("node", "node/package-lock.json"))?;
            Some(node)
        }
        Toolchain::Dotnet => tools::csharp(),
        Toolchain::PowerShell => tools::powershell(),
        Toolchain::Go => {
            let go = tools::optional("go")?;
            tools::there_or_skip(tools::installed("go", "first_token/azidentity/go.sum"))?;
            Some(go)
        }
        Toolchain::Java => {
            let java = tools::optional("java")?;
            tools::optional("mvn")?;
            tools::there_or_skip(tools::installed("java", "java/pom.xml"))?;
            Some(java)
        }
    }
}

/// The token on standard output, which is all that the file prints.
fn token_in(output: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find(|line| line.starts_with("eyJ")).map(|line| line.trim().to_owned())
}

/// Runs the client's file in a directory of its own, with the settings beside it.
fn run(client: &Client, program: &Path, lab: &Lab, wall: &Wall, without: Option<&Without>) -> Output {
    let directory = directory(client);
    let settings = serde_json::to_string(lab.settings()).unwrap();
    std::fs::write(directory.path().join("settings.json"), settings).unwrap();
    let source = tools::clients().join("first_token").join(client.file);
    let mut file = client.file;
    if client.toolchain == Toolchain::Go {
        for name in ["main.go", "go.mod", "go.sum"] {
            std::fs::copy(source.join(name), directory.path().join(name)).unwrap();
        }
        file = "main.go";
    } else {
        std::fs::copy(source, directory.path().join(file)).unwrap();
    }
    if let Some(Without::Text(from, to)) = without {
        let text = std::fs::read_to_string(directory.path().join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        std::fs::write(directory.path().join(file), text.replace(from, to)).unwrap();
    }
    let mut command = prepared(client.toolchain, program, file, directory.path());
    command.current_dir(directory.path());
    developers_environment(&mut command, lab, wall);
    if !matches!(without, Some(Without::Variable)) {
        let settings = serde_json::to_value(lab.settings()).unwrap();
        for (name, member) in [DOTNET_TRUST, NODE_TRUST] {
            if client.run.contains(name) {
                command.env(name, settings[member].as_str().unwrap());
            }
        }
    }
    tools::output(&mut command)
}

/// A scratch directory; of Node, where its packages are found from.
fn directory(client: &Client) -> tempfile::TempDir {
    match client.toolchain {
        Toolchain::Node => tempfile::tempdir_in(tools::clients().join(".clients/node")).unwrap(),
        _ => tempfile::tempdir().unwrap(),
    }
}

/// The command of the page, what it compiles already compiled: a registry is behind the wall.
fn prepared(toolchain: Toolchain, program: &Path, file: &str, directory: &Path) -> Command {
    let built = |arguments: &[&str]| {
        let output = tools::output(Command::new(program).args(arguments).current_dir(directory));
        assert!(output.status.success(), "{}", tools::said(&output));
    };
    let mut command = Command::new(program);
    match toolchain {
        Toolchain::Curl | Toolchain::Python => command.arg(file),
        Toolchain::Node => {
            let require = format!("--require={}", tools::clients().join("node/no_outside.cjs").display());
            command.arg(require).arg(file)
        }
        Toolchain::Dotnet if tools::is_runner(program) => {
            built(&["--compile", file]);
            command.arg(file)
        }
        Toolchain::Dotnet => {
            built(&["build", file]);
            command.args(["run", "--no-build", file])
        }
        Toolchain::PowerShell => command.args(["-NoProfile", "-File", file]),
        Toolchain::Go => {
            built(&["build", "-o", "first_token", "."]);
            command = Command::new(directory.join("first_token"));
            &mut command
        }
        Toolchain::Java => {
            let libraries = tools::clients().join(".clients/java/lib/*");
            command.arg("-cp").arg(libraries).arg(file)
        }
    };
    command
}

/// Other roots everywhere, a proxy for everything but localhost: what a company's machine has.
fn developers_environment(command: &mut Command, lab: &Lab, wall: &Wall) {
    // A root that is well-formed and not the lab's own for localhost.
    let other = lab.settings().ca_real_names_pem.as_ref().unwrap();
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", DOTNET_TRUST.0, NODE_TRUST.0] {
        command.env(name, other);
    }
    command.env_remove("SSL_CERT_DIR");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, wall.url());
    }
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, "localhost,127.0.0.1");
    }
    for name in ["ALL_PROXY", "all_proxy", "NODE_OPTIONS"] {
        command.env_remove(name);
    }
    // Java reads no such variable.
    let java = format!("-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={}", wall.port());
    command.env("JAVA_TOOL_OPTIONS", java);
}
