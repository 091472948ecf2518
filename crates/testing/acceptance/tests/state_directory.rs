//! A state directory that somebody else had a hand in: the binary says what is wrong and touches nothing.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mocktenant_acceptance::binary::{self, Run, Serve};
use mocktenant_keys::{Branch, CaFiles, CaNames, LabCa};

/// Longer than a start that waits for nobody.
const SOON: Duration = Duration::from_secs(20);

fn serve(state: &Path) -> Run {
    let mut command = binary::command();
    command.args(["serve", "--port", "0", "--state"]).arg(state);
    binary::run(command, SOON)
}

/// A state directory as a lab left it.
fn used() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("state");
    let mut command = binary::command();
    command.args(["settings", "--state"]).arg(&state);
    assert_eq!(binary::run(command, SOON).code, 0);
    scratch
}

fn refused(state: &Path, file: &str, why: &str) {
    let run = serve(state);
    assert_eq!(run.code, 3, "{}", run.stderr);
    for part in ["error:", file, why, "--state DIR"] {
        assert!(run.stderr.contains(part), "{part:?} is not in {}", run.stderr);
    }
}

#[test]
fn keys_that_others_may_read_or_write_are_refused_with_what_to_do() {
    let scratch = used();
    let state = scratch.path().join("state");
    let keys = state.join("ca-keys.pem");
    let text = fs::read(&keys).unwrap();
    for (mode, why) in [(0o666, "can be written by others"), (0o644, "can be read by others")] {
        fs::set_permissions(&keys, fs::Permissions::from_mode(mode)).unwrap();
        refused(&state, "ca-keys.pem", why);
    }
    assert_eq!(fs::read(&keys).unwrap(), text, "nothing was touched");
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    let scratch = used();
    let state = scratch.path().join("state");
    let give = |path: &Path| std::os::unix::fs::chown(path, Some(12_345), None);
    if give(&state.join("ca-keys.pem")).is_err() {
        // Only root can give files away; the same rule is asked of modes above.
        return;
    }
    refused(&state, "ca-keys.pem", "belongs to user 12345");
    fs::remove_file(state.join("ca-keys.pem")).unwrap();
    give(&state).unwrap();
    refused(&state, "state", "belongs to user 12345");
}

#[test]
fn a_link_in_the_place_of_a_file_is_refused_and_what_it_names_is_left_alone() {
    for file in ["serve.lock", "state.lock", "ca-keys.pem"] {
        let scratch = used();
        let state = scratch.path().join("state");
        let precious = scratch.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        let _ = fs::remove_file(state.join(file));
        symlink(&precious, state.join(file)).unwrap();
        if file == "state.lock" {
            // It is asked for only where something is to be written.
            fs::remove_file(state.join("ca-keys.pem")).unwrap();
        }
        refused(&state, file, "is a symbolic link");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious", "{file}");
    }
}

#[test]
fn a_named_pipe_in_the_place_of_a_file_is_not_waited_for() {
    for file in ["ca-keys.pem", "serve.lock"] {
        let scratch = used();
        let state = scratch.path().join("state");
        let _ = fs::remove_file(state.join(file));
        assert!(Command::new("mkfifo").arg(state.join(file)).status().unwrap().success());
        refused(&state, file, "is no regular file");
    }
    // Nor by whoever looks for a lab.
    let scratch = used();
    let state = scratch.path().join("state");
    assert!(Command::new("mkfifo").arg(state.join("settings.json")).status().unwrap().success());
    let mut command = binary::command();
    command.args(["explain", "--state"]).arg(&state);
    let run = binary::run(command, SOON);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("is no regular file"), "{}", run.stderr);
}

#[test]
fn a_directory_that_others_may_write_is_refused() {
    let scratch = used();
    let state = scratch.path().join("state");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    refused(&state, "state", "can be written by others (mode 0777)");
}

#[test]
fn a_ca_that_may_speak_for_more_than_the_world_is_replaced_and_said() {
    let scratch = used();
    let state = scratch.path().join("state");
    let now = mocktenant_lab::real_now();
    let names = CaNames {
        local_dns: ["com", "net", "org"].map(String::from).to_vec(),
        real_dns: ["com", "net", "org"].map(String::from).to_vec(),
        ..CaNames::default()
    };
    let forged = LabCa::create(&names, now).unwrap();
    let put = |file: &str, text: &str| fs::write(state.join(file), text).unwrap();
    put("ca-keys.pem", &forged.to_files().to_bundle());
    put("ca.pem", &forged.root(Branch::Local).pem());
    put("ca-real-names.pem", &forged.root(Branch::RealNames).pem());
    let mut command = binary::command();
    command.args(["settings", "--state"]).arg(&state);
    let run = binary::run(command, SOON);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for branch in ["local", "real-names"] {
        let said = format!("the {branch} root also speaks for com");
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
    let keys = CaFiles::from_bundle(&fs::read_to_string(state.join("ca-keys.pem")).unwrap()).unwrap();
    let ca = LabCa::from_files(&keys).unwrap();
    for branch in Branch::ALL {
        assert!(!ca.permitted(branch).contains(&String::from("com")));
        assert_ne!(ca.root(branch), forged.root(branch));
    }
}

#[test]
fn without_a_home_directory_the_start_asks_where_its_state_is_to_be() {
    for arguments in [&["serve", "--port", "0"][..], &["reproduce"], &["settings"]] {
        let mut command = binary::command();
        for name in ["HOME", "XDG_STATE_HOME", "LOCALAPPDATA"] {
            command.env_remove(name);
        }
        let run = binary::run(
            {
                command.args(arguments);
                command
            },
            SOON,
        );
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains("--state DIR or MOCKTENANT_STATE"), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn what_a_killed_lab_left_half_written_is_swept() {
    let lab = Serve::start();
    let state = lab.state();
    let left = [".ca-keys.pem.123.0", ".settings.json.0123456789abcdef.new"];
    let _scratch = lab.kept();
    for name in left {
        fs::write(state.join(name), "half").unwrap();
    }
    let mut command = binary::command();
    command.args(["serve", "--port", "0", "--state"]).arg(&state);
    let mut child = command.spawn().unwrap();
    let began = std::time::Instant::now();
    while left.iter().any(|name| state.join(name).exists()) && began.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(left.iter().all(|name| !state.join(name).exists()));
}
