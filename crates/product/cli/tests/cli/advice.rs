//! What is said below a refusal on the screen, in the journal and by `explain` is the same.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::served::{command_in as command, text};

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

/// Without regard to where lines end.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
        let refused = text(&run(&["try"]).stdout);
        let id = refused.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned();
        let told = text(&run(&["explain", &id]).stdout);
        let from = told.find("\ncause ").unwrap();
        // It ends where the pointer stands on a line of its own.
        let cause = &told[from..][..told[from..].find("\n        /").unwrap()];
        let below = flowing(cause).replacen("cause", "cause:", 1);
        assert!(below.len() > 40, "{told}");
        let journal = text(&run(&["journal", "--failed"]).stdout);
        assert!(flowing(&journal).contains(&below), "{scenario}: {below}\n{journal}");
        let said = wait_for(&screen, |text| text.contains(&id) && flowing(text).contains(&below));
        // Below the refusal it is about, and above any other.
        let (_, after) = said.split_once(&format!("REFUSED {id}\n")).unwrap();
        let (above, _) = flowing(after)
            .split_once(&below)
            .map(|(above, rest)| (above.to_owned(), rest.to_owned()))
            .unwrap();
        assert!(!above.contains("x-"), "{scenario}: {said}");
    }
}
