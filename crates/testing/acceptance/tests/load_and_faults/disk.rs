//! No space left: the lab goes on serving, says so, and leaves nothing torn.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::raw;
use serde_json::Value;

use crate::form::{result, say};
use crate::site::Site;

/// A file system of few bytes, if this process may mount one; gone with its value.
struct Tiny(PathBuf);

impl Tiny {
    fn mount(at: &Path, bytes: usize) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let size = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        if !mounted {
            say("full disk", "skipped: nothing can be mounted here");
        }
        mounted.then(|| Self(at.to_owned()))
    }

    /// Nothing can be written any more.
    fn fill(&self) {
        let filler = self.0.join("filler");
        let _ = fs::write(&filler, vec![0; 64 * 1024 * 1024]);
        assert!(fs::write(self.0.join("more"), [0; 8192]).is_err(), "the disk is full");
        let _ = fs::remove_file(self.0.join("more"));
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// Writes more into the journal than the file can take, and waits until the log says so.
fn outgrow(lab: &Serve, site: &Site, file: &Path) {
    let began = Instant::now();
    for number in 0.. {
        assert_eq!(raw::send(site.entra, &site.secret).unwrap().status, 200, "it goes on serving");
        if number % 20 == 0 && lab.log().contains("journal file") {
            break;
        }
        let length = fs::metadata(file).unwrap().len();
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{length} bytes, and nothing was said: {}",
            lab.log()
        );
    }
    site.assert_serves();
}

/// The program's own reader goes through it. Nothing in it was refused: 1 says that there is nothing to explain.
fn assert_readable(journal: &Path) {
    let mut command = binary::command_of(binary::path());
    command.arg("explain").arg("--journal").arg(journal);
    let read = binary::run(command, Duration::from_secs(20));
    assert_eq!(read.code, 1, "{read:?}");
}

/// How many of its lines are exchanges.
fn exchanges(journal: &Path) -> usize {
    let text = fs::read_to_string(journal).unwrap();
    let is_one = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|line| line["id"].is_string());
    text.lines().filter(is_one).count()
}

#[test]
fn a_journal_file_that_may_not_grow_is_said_once_can_be_read_and_the_lab_goes_on() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("journal");
    let serve = binary::command_of(binary::path());
    // A write beyond the limit is an error to whoever ignores the signal, as a full disk is.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 800; trap '' XFSZ; exec \"$@\"", "sh"]).arg(serve.get_program());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("MOCKTENANT_JOURNAL_FILE", &file);
    let mut lab = Serve::start_with(command);
    outgrow(&lab, &Site::of(&lab), &file);
    assert!(lab.is_alive() && !lab.log().contains("panicked"), "{}", lab.log());
    assert_eq!(lab.log().matches("the journal file cannot be written").count(), 1, "{}", lab.log());
    assert_readable(&file);
    result("journal file at its limit", "said, and can be read", "said, and can be read");
}

#[test]
fn a_full_disk_under_a_running_lab_costs_it_its_journal_file_and_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(tiny) = Tiny::mount(&scratch.path().join("disk"), 2 * 1024 * 1024) else { return };
    let home = tiny.0.join("home");
    fs::create_dir(&home).unwrap();
    let file = tiny.0.join("journal");
    let mut command = binary::command_of(binary::path());
    command.env("MOCKTENANT_JOURNAL_FILE", &file);
    let mut lab = Serve::start_at(command, &home, 0);
    let site = Site::of(&lab);
    site.assert_serves();
    let began = Instant::now();
    while exchanges(&file) < 3 {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is written");
        thread::sleep(Duration::from_millis(5));
    }
    tiny.fill();
    // The log lies on the same disk: that it is said can be read in the test above.
    for _ in 0..50 {
        site.assert_serves();
    }
    assert!(lab.is_alive() && !lab.log().contains("panicked"), "{}", lab.log());
    assert_eq!(lab.stop("TERM", Duration::from_secs(7)).and_then(|status| status.code()), Some(0));
    assert_readable(&file);
    let before = exchanges(&file);
    // With space again it starts as ever, and its exchanges stand behind what was torn.
    fs::remove_file(tiny.0.join("filler")).unwrap();
    let mut command = binary::command_of(binary::path());
    command.env("MOCKTENANT_JOURNAL_FILE", &file);
    let mut lab = Serve::start_at(command, &home, 0);
    Site::of(&lab).assert_serves();
    lab.stop("TERM", Duration::from_secs(7)).unwrap();
    assert_readable(&file);
    assert!(exchanges(&file) > before, "{before} exchanges, and none was added");
    result("full disk under a running lab", "serves", "serves");
}

#[test]
fn a_start_on_a_full_disk_or_one_that_is_read_only_is_refused_in_words_and_leaves_nothing_half() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(tiny) = Tiny::mount(&scratch.path().join("disk"), 2 * 1024 * 1024) else { return };
    let start = |home: &Path| {
        let mut command = binary::command_of(binary::path());
        command.args(["serve", "--port", "0", "--state"]).arg(home.join("state"));
        binary::run(command, Duration::from_secs(20))
    };
    let home = tiny.0.join("home");
    fs::create_dir(&home).unwrap();
    tiny.fill();
    let refused = start(&home);
    assert!(matches!(refused.code, 2 | 3), "{refused:?}");
    assert!(refused.stderr.starts_with("error: ") && !refused.stderr.contains("panicked"), "{refused:?}");
    let read_only = Command::new("mount").args(["-o", "remount,ro"]).arg(&tiny.0).output().unwrap();
    if read_only.status.success() {
        let refused = start(&home);
        assert!(matches!(refused.code, 2 | 3), "{refused:?}");
        assert!(refused.stderr.starts_with("error: ") && !refused.stderr.contains("panicked"), "{refused:?}");
        assert!(Command::new("mount").args(["-o", "remount,rw"]).arg(&tiny.0).status().unwrap().success());
    }
    fs::remove_file(tiny.0.join("filler")).unwrap();
    let lab = Serve::start_at(binary::command_of(binary::path()), &home, 0);
    Site::of(&lab).assert_serves();
    result("start on a full and a read-only disk", "refused in words", "refused in words");
}
