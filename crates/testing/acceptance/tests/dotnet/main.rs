//! .NET, unchanged, under Microsoft's own names: MSAL.NET, Azure.Identity, and APIs that judge what is issued.
//!
//! Decides by the programs of `clients/dotnet`, which know nothing of a lab, what each way of asking for a token comes to,
//! what the lab saw of it, and what people are told of their mistakes. What APIs make of tokens is in `apis.rs`,
//! what Microsoft's OData library makes of both `$metadata` in `documents.rs`, and of queries in `queries.rs`. Mirrors what an application's own test suite does
//! inside `mocktenant exec`. `page.rs` writes all but the last of it down.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod answers;
mod apis;
mod documents;
mod page;
mod queries;
mod samples;
mod ways;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use mocktenant_acceptance::{binary, tools};

/// A file beside the programs.
fn file(name: &str) -> PathBuf {
    tools::clients().join("dotnet").join(name)
}

/// What runs a program of that folder.
fn program(name: &str) -> Option<Vec<OsString>> {
    Some(tools::compiled_csharp(&tools::csharp()?, &file(name)))
}

/// A shell's line inside `exec`, with a program and its arguments as the shell's own.
fn exec(credential: &str, line: &str, program: &[OsString]) -> String {
    let state = tempfile::tempdir().unwrap();
    let mut command = binary::command();
    for name in ["NO_PROXY", "no_proxy", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    command.env("MOCKTENANT", binary::path()).env("SECOND_TENANT", file("second_tenant.json"));
    command.args(["exec", "--credential", credential, "--state"]).arg(state.path());
    command.args(["--", "sh", "-euc", line, "sh"]).args(program);
    let run = binary::run(command, Duration::from_secs(300));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run.stdout
}

/// The version of a package, which every program that has it names alike.
fn version(package: &str) -> String {
    let programs = std::fs::read_dir(file("")).unwrap().map(|entry| entry.unwrap().path());
    let programs = programs.filter(|path| path.extension().is_some_and(|found| found == "cs"));
    let mut found: Vec<String> = Vec::new();
    for program in programs {
        let text = std::fs::read_to_string(program).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&*format!("#:package {package}@")));
        found.extend(line.map(str::to_owned));
    }
    found.dedup();
    let [version] = found.as_slice() else { panic!("{package} is pinned as {found:?}") };
    version.clone()
}
