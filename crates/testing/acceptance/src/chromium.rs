//! Chromium of the machine, as tests start it.
//!
//! Decides that it shows nothing on a screen, asks its maker for nothing and keeps all it has in one folder. Never decides whom
//! it trusts, nor what it does.

use std::path::Path;
use std::process::{Command, Stdio};

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
