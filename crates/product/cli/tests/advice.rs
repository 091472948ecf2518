//! What is said below a refusal on the screen, in the journal and by `explain` is the same.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn command(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mocktenant"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MOCKTENANT_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env("MOCKTENANT_STATE", state).stdin(Stdio::null());
    command
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Looks until a text is there.
fn wait_for(file: &Path, wanted: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if wanted(&text) {
            return text;
        }
        assert!(Instant::now() < deadline, "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn screen_journal_and_explain_name_the_same_cause_in_the_same_words() {
    let scratch = tempfile::tempdir().unwrap();
    let (state, screen) = (scratch.path().join("state"), scratch.path().join("screen"));
    let mut serve = command(&state);
    serve
        .args(["serve", "--port", "0"])
        .stdout(std::fs::File::create(&screen).unwrap())
        .stderr(Stdio::null());
    let _lab = Ended(serve.spawn().unwrap());
    wait_for(&screen, |text| text.contains("mocktenant ready in "));
    let run = |arguments: &[&str]| command(&state).args(arguments).output().unwrap();
    for scenario in ["tenant-cert-absent", "half-done", "app-user-missing", "config-not-reloaded"] {
        assert!(run(&["scenarios", "--use", scenario]).status.success());
        let refused = text(&run(&["try"]));
        let id = refused.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned();
        let told = text(&run(&["explain", &id]));
        let cause = told.lines().find_map(|line| line.strip_prefix("cause ")).unwrap().trim().to_owned();
        assert!(!cause.is_empty(), "{told}");
        let below = format!("cause: {cause}");
        let journal = text(&run(&["journal", "--failed"]));
        assert!(journal.lines().any(|line| line.trim() == below), "{scenario}: {below}\n{journal}");
        let said = wait_for(&screen, |text| text.contains(&id) && text.contains(&below));
        // Below the refusal it is about.
        let at = said.lines().position(|line| line.ends_with(&id)).unwrap();
        assert!(said.lines().skip(at).take(4).any(|line| line.trim() == below), "{scenario}: {said}");
    }
}
