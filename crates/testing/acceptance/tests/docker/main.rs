//! The image and the compose files, run by a real Docker engine: Debian's, started for this test and ended with it.
//!
//! Every README below `docker/` is typed in its order, `docs/ci.md` where it has lines to type, and the image keeps to its
//! figures. Where no engine can run there is one row that says why; `MOCKTENANT_REQUIRE_CLIENTS=1` makes that row fail.
//! What is asked of one engine goes one after the other, and at last nothing of it is left on the machine.

#![cfg_attr(
    target_os = "linux",
    expect(clippy::print_stderr, reason = "a skipped test says why, and figures are for the log")
)]
#![cfg_attr(
    target_os = "linux",
    expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")
)]

#[cfg(target_os = "linux")]
mod browser;
#[cfg(target_os = "linux")]
mod ci;
#[cfg(target_os = "linux")]
mod engine;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod readmes;

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::process::{Command, ExitCode};
    use std::sync::Arc;

    use libtest_mimic::{Arguments, Failed, Trial};
    use mocktenant_acceptance::tools;

    use crate::engine::Engine;
    use crate::{ci, image, readmes};

    type Test = (&'static str, fn(&Engine));

    const TESTS: &[Test] = &[
        ("both_files_make_the_same_image", image::both_files_make_the_same_image),
        ("it_is_small_and_starts_in_no_time", image::it_is_small_and_starts_in_no_time),
        (
            "it_runs_as_a_numeric_user_read_only_without_capabilities",
            image::it_runs_as_a_numeric_user_read_only_without_capabilities,
        ),
        ("without_a_network_it_reproduces_the_failure", image::without_a_network_it_reproduces_the_failure),
        (
            "it_ends_at_once_whoever_ends_it_and_keeps_its_roots",
            image::it_ends_at_once_whoever_ends_it_and_keeps_its_roots,
        ),
        ("the_image_for_arm64_does_the_same", image::the_image_for_arm64_does_the_same),
        ("the_page_about_dual_write_is_true", readmes::dual_write),
        ("the_page_about_on_premises_is_true", readmes::on_premises),
        ("the_page_about_tests_beside_the_lab_is_true", readmes::tests_beside_the_lab),
        ("the_variables_for_a_network_are_what_settings_prints", readmes::variables),
        ("the_page_about_continuous_integration_is_true", ci::service_container),
    ];

    pub(crate) fn main() -> ExitCode {
        let mut arguments = Arguments::from_args();
        // One machine's worth of containers, and times that mean something.
        arguments.test_threads = Some(1);
        if arguments.list {
            let all = TESTS.iter().map(|(name, _)| Trial::test(*name, || Ok(()))).collect();
            return libtest_mimic::run(&arguments, all).exit_code();
        }
        let before = traces();
        let engine = match ready() {
            Ok(engine) => Arc::new(engine),
            Err(why) => return without(&arguments, why),
        };
        let (pid, directory) = (engine.pid(), engine.directory());
        let trial = |&(name, test): &Test| {
            let engine = Arc::clone(&engine);
            Trial::test(name, move || {
                test(&engine);
                Ok(())
            })
        };
        let ran = libtest_mimic::run(&arguments, TESTS.iter().map(trial).collect());
        if let Ok(engine) = Arc::try_unwrap(engine) {
            engine.end();
        }
        let gone = Trial::test("nothing_of_the_engine_is_left", move || {
            assert!(!directory.exists(), "{} is still there", directory.display());
            assert!(!Path::new("/proc").join(pid.to_string()).exists(), "the engine still runs");
            let left = Command::new("pgrep").arg("--full").arg(&directory).output()?;
            assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
            assert_eq!(traces(), before, "bridges, rules and mounts of the machine");
            Ok(())
        });
        arguments.filter = None;
        arguments.skip.clear();
        let gone = libtest_mimic::run(&arguments, vec![gone]);
        if ran.has_failed() || gone.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
    }

    fn ready() -> Result<Engine, String> {
        let binary = image::binary()?;
        let engine = Engine::start()?;
        image::build(&engine, &binary);
        Ok(engine)
    }

    /// The one row where there is no engine.
    fn without(arguments: &Arguments, why: String) -> ExitCode {
        if !tools::are_required() {
            eprintln!("skipped: {why}");
        }
        let row = Trial::test("a_docker_engine_runs_here", move || {
            if tools::are_required() {
                Err(Failed::from(format!("{why}, and MOCKTENANT_REQUIRE_CLIENTS is set")))
            } else {
                Ok(())
            }
        });
        libtest_mimic::run(arguments, vec![row]).exit_code()
    }

    /// What an engine leaves on a machine: its bridges, its chains, its mounts.
    fn traces() -> Vec<String> {
        let mut traces: Vec<String> = Vec::new();
        for entry in std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten() {
            traces.push(entry.file_name().to_string_lossy().into_owned());
        }
        let rules = Command::new("iptables-save").output().map(|output| output.stdout).unwrap_or_default();
        let rules = String::from_utf8_lossy(&rules).into_owned();
        traces.extend(rules.lines().filter(|line| line.contains("DOCKER")).map(str::to_owned));
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        traces.extend(mounts.lines().filter(|line| line.contains("docker")).map(str::to_owned));
        traces.retain(|trace| !trace.starts_with("veth"));
        traces.sort();
        traces
    }
}
