//! Makes the shipped keys and certificates, or checks that a directory holds exactly those.
//!
//! `cargo run -p mocktenant-keys --example make_shipped_keys -- [--check] DIRECTORY`
//!
//! The same bytes on every machine and every run: the seed and the recipes are in `shipped.rs`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use mocktenant_keys::{identity_from_seed, shipped};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut check = false;
    let mut directory = None;
    for argument in std::env::args_os().skip(1) {
        if argument == "--check" {
            check = true;
        } else {
            directory = Some(PathBuf::from(argument));
        }
    }
    let directory = directory.ok_or("give the directory to write, usually crates/foundations/keys/assets")?;

    let mut out = std::io::stdout().lock();
    let mut differing = 0;
    for recipe in shipped::RECIPES {
        let identity = identity_from_seed(shipped::SEED, recipe.name, recipe.subject(), shipped::VALIDITY)?;
        let files = [
            (format!("{}.cer", recipe.name), identity.certificate().der()),
            (format!("{}.key.der", recipe.name), identity.key().pkcs8_der()),
        ];
        for (name, bytes) in files {
            let path = directory.join(name);
            if !check {
                std::fs::write(&path, bytes)?;
            } else if std::fs::read(&path).ok().as_deref() != Some(bytes) {
                writeln!(out, "differs: {}", path.display())?;
                differing += 1;
            }
        }
        writeln!(out, "{:20} {}", recipe.name, identity.certificate().thumbprint())?;
    }
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
