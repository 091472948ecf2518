//! Chromium of the machine, as tests start it.
//!
//! Decides that it shows nothing on a screen, asks its maker for nothing and keeps all it has in one folder. Whom it trusts is
//! what a person imports for NSS in their home. Never decides what it does.

pub mod devtools;
pub mod sign_in_page;
pub mod window;

use std::path::Path;
use std::process::{Command, Stdio};

use crate::binary::must;
use crate::tools;

/// A browser without a screen that asks its maker for nothing.
pub fn command(program: &Path, profile: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments(profile)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What it is told so.
pub fn arguments(profile: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    arguments
}

/// Makes the store of a person who has imported these roots: as authorities for web sites, and for nothing else.
pub fn trust(certutil: &Path, home: &Path, roots: &[&Path]) {
    let store = home.join(".pki/nssdb");
    must(std::fs::create_dir_all(&store), "a store for NSS");
    let store = format!("sql:{}", store.display());
    let run = |arguments: &[&str]| {
        let output = tools::output(Command::new(certutil).args(["-d", &store]).args(arguments));
        assert!(output.status.success(), "{arguments:?}: {}", tools::said(&output));
    };
    run(&["-N", "--empty-password"]);
    for (number, root) in roots.iter().enumerate() {
        let file = root.display().to_string();
        run(&["-A", "-n", &format!("root {number}"), "-t", "C,,", "-i", &file]);
    }
}
