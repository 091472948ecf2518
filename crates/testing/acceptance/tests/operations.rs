//! Every public operation of Microsoft's Dataverse SDK for Python and of dynamics-web-api for Node.js, once, inside `mocktenant exec`.
//!
//! Decides that each passes or is refused as not built, and by name which ones a client cannot do here for another reason; that none
//! was left out; and that the last part of `docs/clients.md` lists what was seen. The programs are in `clients/operations`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fmt::Write as _;
use std::time::Duration;

use mocktenant_acceptance::programs::Language;
use mocktenant_acceptance::{binary, clients_page, tools};

const HEAD: &str = "
## Operations of the clients of Dataverse

Each public operation, done once in the acceptance tests with default options inside `mocktenant exec`. What is *not built* is
refused as the product refuses what it does not know, and the exchange is on record with the words below.
";

const CLIENTS: [(&str, Language, &str); 2] = [
    ("Dataverse SDK for Python", Language::Python, "dataverse_sdk.py"),
    ("dynamics-web-api for Node.js", Language::Node24, "dynamics_web_api.mjs"),
];

/// What a program says of each operation.
fn said(language: Language, file: &str) -> Vec<(String, String)> {
    let program = language.program(&tools::clients().join("operations").join(file));
    let state = tempfile::tempdir().unwrap();
    let mut command = binary::command();
    for name in ["NO_PROXY", "no_proxy", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    command.env("MOCKTENANT", binary::path());
    command.args(["exec", "--credential", "secret", "--state"]).arg(state.path());
    command.arg("--").args(&program.line);
    let run = binary::run(command, Duration::from_secs(300));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let told = run.stdout.lines().map(|line| line.split_once('\t').unwrap_or((line, "")));
    told.map(|(name, result)| (name.to_owned(), result.to_owned())).collect()
}

/// A text without ids of rows, which differ from run to run.
fn masked(text: &str) -> String {
    let is_id = |piece: &str| piece.len() == 36 && piece.bytes().filter(|byte| *byte == b'-').count() == 4;
    text.split_inclusive(['(', ')'])
        .map(|piece| match piece.strip_suffix([')']) {
            Some(id) if is_id(id) => "<id>)".to_owned(),
            _ => piece.to_owned(),
        })
        .collect()
}

#[test]
fn every_operation_of_both_clients_passes_or_is_refused_as_not_built() {
    let mut part = String::from(HEAD);
    for (name, language, file) in CLIENTS {
        if tools::there_or_skip(language.is_here().map_err(|missing| missing.why)).is_none() {
            return;
        }
        let mut told = said(language, file);
        assert_eq!(told.pop(), Some(("left".to_owned(), "nothing".to_owned())), "{file}: {told:?}");
        let odd: Vec<_> =
            told.iter().filter(|(_, said)| said != "passes" && !said.starts_with("not built: ")).collect();
        assert!(odd.is_empty(), "{file}: {odd:#?}");
        // Writing to a String cannot fail.
        let path = format!("../crates/testing/acceptance/clients/operations/{file}");
        let _ = write!(part, "\n### [{name}]({path})\n\n| operation | result |\n| --- | --- |\n");
        for (operation, result) in told {
            let result = match result.strip_prefix("not built: ") {
                Some(what) => format!("not built: `{}`", masked(what)),
                None => result,
            };
            let _ = writeln!(part, "| `{operation}` | {result} |");
        }
    }
    clients_page::OPERATIONS.is_written(&part, [], "");
}
