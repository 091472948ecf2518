//! Other users of this machine have no part in a lab that was started without a token.
//!
//! Decides with two users: the one the tests run as, and `nobody`, as whom curl is started. Needs root to be both.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use mocktenant_acceptance::tools;
use mocktenant_testkit::Lab;

const NOBODY: u32 = 65_534;

fn status(curl: &Path, user: Option<u32>, arguments: &[&str]) -> String {
    let mut command = Command::new(curl);
    command
        .args(["-s", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}"])
        .args(arguments)
        .current_dir("/");
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    String::from_utf8(tools::output(&mut command).stdout).unwrap()
}

#[tokio::test]
async fn another_user_of_this_machine_neither_reads_nor_changes_a_lab() {
    let Some(curl) = tools::or_skip("curl") else { return };
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
        {
            eprintln!("skipped: only root can be another user");
        }
        return;
    }
    let lab = Lab::start().await;
    let before = lab.lab().world_and_revision().1;
    let control = &lab.settings().control_url;
    for (path, write, own, other) in [
        ("/v1/settings", false, "200", "403"),
        ("/v1/world", false, "200", "403"),
        ("/v1/journal", false, "200", "403"),
        ("/health", false, "200", "200"),
        ("/ca.pem", false, "200", "200"),
        ("/v1/environments/nowhere/restart", true, "404", "403"),
        ("/v1/reset?scope=nothing", true, "400", "403"),
    ] {
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("{control}{path}").replace("https://localhost", &format!("http://{host}"));
            let json = ["-X", "POST", "-H", "content-type: application/json", "-d", "{}", &url];
            let arguments = if write { &json[..] } else { &json[6..] };
            assert_eq!(status(&curl, None, arguments), own, "{url} as the lab's own user");
            assert_eq!(status(&curl, Some(NOBODY), arguments), other, "{url} as another user");
        }
    }
    assert_eq!(lab.lab().world_and_revision().1, before);
}
