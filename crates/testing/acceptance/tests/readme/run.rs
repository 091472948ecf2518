//! What README.md says to type, typed: console and Python in its order against one lab, Rust in a crate of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mocktenant_acceptance::binary::{self, Run, Serve};
use mocktenant_acceptance::tools;

use crate::page;

/// What a line of the page comes to; every other one exits 0.
const REFUSED: &[&str] = &["mocktenant try", "mocktenant exec --scenario app-user-missing -- mocktenant try"];

#[test]
fn what_the_readme_says_to_type_works_in_its_order() {
    let Some(sh) = tools::or_skip("sh") else { return };
    let lab = Serve::start();
    let mut typed = Vec::new();
    for block in page::blocks() {
        match block.language.as_str() {
            "console" => {
                for line in block.text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    type_in(&sh, &lab, line);
                    typed.push(line.to_owned());
                }
            }
            "python" => python(&lab, &block.text),
            // These make the crate of the test below.
            "rust" | "toml" => {}
            other => panic!("nothing runs a block of {other:?}"),
        }
    }
    for line in ["cargo run --release", "mocktenant reproduce", "mocktenant try", "mocktenant explain"] {
        assert!(typed.iter().any(|typed| typed == line), "{line} is in no block: {typed:?}");
    }
}

/// One line of a console, as the person types it who has `mocktenant` on the path.
fn type_in(sh: &Path, lab: &Serve, line: &str) {
    match line {
        // The lab that runs; building it for release is a stage of its own.
        "cargo run --release" => assert_eq!(default_members(), [String::from("crates/product/cli")]),
        "cargo install --path crates/product/cli" => {
            let manifest =
                std::fs::read_to_string(page::root().join("crates/product/cli/Cargo.toml")).unwrap();
            assert!(manifest.contains("name = \"mocktenant\""), "the package has no binary of that name");
        }
        line => {
            let mut command = Command::new(sh);
            command.args(["-c", line]).current_dir(page::root());
            let run = run_beside(command, lab);
            let expected = i32::from(REFUSED.contains(&line));
            assert_eq!(run.code, expected, "{line}\n{}{}", run.stdout, run.stderr);
            if line == "mocktenant explain" {
                assert!(run.stdout.contains("Infrastructure.S2SCertThumbprint"), "{}", run.stdout);
            }
        }
    }
}

/// The snippet gets a token although the environment trusts other roots, as a company's machine does.
fn python(lab: &Serve, text: &str) {
    let Some(python) = tools::there_or_skip(tools::python()) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("snippet.py");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(python);
    command.arg("-B").arg(file);
    let run = run_beside(command, lab);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("'access_token': 'eyJ"), "{}{}", run.stdout, run.stderr);
}

/// Runs a command with `mocktenant` on its path, the lab in its environment, and roots that are not the lab's.
fn run_beside(mut command: Command, lab: &Serve) -> Run {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("MOCKTENANT_") || text.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    let mut paths = vec![binary::path().parent().unwrap().to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    command.env("PATH", std::env::join_paths(paths).unwrap());
    command.env("MOCKTENANT_STATE", lab.state()).env("NO_COLOR", "1");
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        command.env(name, lab.setting("/ca_real_names_pem"));
    }
    binary::run(command, Duration::from_secs(120))
}

/// What `cargo run` at the root of the workspace means.
fn default_members() -> Vec<String> {
    let manifest = std::fs::read_to_string(page::root().join("Cargo.toml")).unwrap();
    let line = manifest.lines().find_map(|line| line.strip_prefix("default-members = [")).unwrap();
    line.trim_end_matches(']').split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

#[test]
fn the_readmes_rust_is_a_test_in_a_crate_of_somebody_else() {
    let root = page::root();
    let scratch = tempfile::tempdir().unwrap();
    let testkit = root.join("crates/testing/testkit");
    let there = "../mocktenant/crates/testing/testkit";
    let dependencies = page::only("toml");
    assert!(dependencies.contains(there), "{dependencies}");
    let dependencies = dependencies.replace(there, &testkit.display().to_string().replace('\\', "/"));
    let package = "[package]\nname = \"connector\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let manifest = format!("{package}\n{dependencies}\n{}", profiles(&root));
    std::fs::write(scratch.path().join("Cargo.toml"), manifest).unwrap();
    // The versions of the workspace are on this machine; nothing is fetched.
    std::fs::copy(root.join("Cargo.lock"), scratch.path().join("Cargo.lock")).unwrap();
    for directory in ["src", "tests"] {
        std::fs::create_dir(scratch.path().join(directory)).unwrap();
    }
    std::fs::write(scratch.path().join("src/lib.rs"), "").unwrap();
    std::fs::write(scratch.path().join("tests/connector.rs"), page::only("rust")).unwrap();

    let test = std::env::current_exe().unwrap();
    // target/<profile>/deps/<test>: what the workspace has built is used.
    let target = test.ancestors().nth(3).unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--quiet", "--offline", "--target-dir"]).arg(target).current_dir(scratch.path());
    let output = tools::output(&mut cargo);
    let said = tools::said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("test result: ok. 1 passed"), "{said}");
}

/// How the workspace builds: another profile would build all that is not its own once more. To this crate the house is a
/// stranger too, which would be optimised; nobody waits for that here.
fn profiles(root: &Path) -> String {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let begin = manifest.find("[profile.dev]").unwrap();
    let end = manifest.find("[profile.release]").unwrap();
    let mut profiles = manifest[begin..end].to_owned();
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    for name in lock.lines().filter_map(|line| line.strip_prefix("name = \"")) {
        let name = name.trim_end_matches('"');
        // Of the rest of the house cargo would say that nothing in the crate is called so.
        let used = !matches!(name, "mocktenant-acceptance" | "mocktenant-cli" | "mocktenant-xtask");
        if name.starts_with("mocktenant-") && used {
            let _ = write!(profiles, "[profile.dev.package.{name}]\nopt-level = 0\n");
        }
    }
    profiles
}

#[test]
fn the_readme_names_the_rust_that_is_needed() {
    let manifest = std::fs::read_to_string(page::root().join("Cargo.toml")).unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    let sentence = format!("Rust {} or later", version.trim_matches('"'));
    assert!(page::text().contains(&sentence), "README.md does not say {sentence:?}");
}
