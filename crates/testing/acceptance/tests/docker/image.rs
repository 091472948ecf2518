//! The image: what it weighs, how fast it is there, what it may do, and how it ends.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mocktenant_acceptance::{pages, tools};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::engine::Engine;

/// The image of Python with the demos' packages, as the compose files take it for `python:3.13-slim`.
pub(crate) const PYTHON: &str = "mocktenant-python";

/// Bytes of an image, and of the binary in it.
const MOST: u64 = 12_000_000;

/// Everything an image can be denied.
const CONFINED: &str = "--read-only --cap-drop ALL --security-opt no-new-privileges:true";

/// The static binary that goes into the image, or why there is none.
pub(crate) fn binary() -> Result<PathBuf, String> {
    let target = format!("target/{}-unknown-linux-gnu/release/mocktenant", std::env::consts::ARCH);
    let built =
        std::env::var_os("MOCKTENANT_BINARY").map_or_else(|| pages::root().join(target), PathBuf::from);
    if built.is_file() {
        Ok(built)
    } else {
        Err(format!("{} is not there; run: .ci/run --stage build", built.display()))
    }
}

/// Builds the image, as `docker/build` does for everybody.
pub(crate) fn build(engine: &Engine, binary: &Path) {
    engine.must(&format!("{} {} mocktenant", pages::root().join("docker/build").display(), binary.display()));
}

/// Takes in the image of Python, which is made once for what is pinned.
pub(crate) fn python(engine: &Engine) -> Result<(), String> {
    if engine.run(&format!("docker image inspect {PYTHON}")).code == 0 {
        return Ok(());
    }
    tools::find("debootstrap")?;
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut command = Command::new(tools::clients().join("base_image"));
    let made = tools::output(command.arg(tools::python()?).arg(cache));
    if !made.status.success() {
        return Err(format!("no image of Python: {}", tools::said(&made)));
    }
    let archive = String::from_utf8_lossy(&made.stdout).trim_end().to_owned();
    engine.must(&format!("docker import --change 'ENV PIP_BREAK_SYSTEM_PACKAGES=1' {archive} {PYTHON}"));
    Ok(())
}

pub(crate) fn it_is_small_and_starts_in_no_time(engine: &Engine) {
    let size: u64 = engine.inspect("mocktenant", "{{.Size}}").parse().unwrap();
    assert!(size <= MOST, "the image has {size} bytes");
    // The machine may be busy: the best of a few is what the image can do.
    let mut starts: Vec<(i128, u128)> = Vec::new();
    let (most_health, most_process) = (1000, 50);
    let good = |starts: &[(i128, u128)]| {
        starts.iter().any(|(health, process)| *health <= most_health && *process <= most_process)
    };
    while !good(&starts) && starts.len() < 10 {
        engine.must(&format!("docker run --detach --name start {CONFINED} mocktenant"));
        healthy(engine, "start");
        let began = moment(&engine.inspect("start", "{{.State.StartedAt}}"));
        let good = engine.inspect("start", "{{range .State.Health.Log}}{{.ExitCode}} {{.End.Format \"2006-01-02T15:04:05.999999999Z07:00\"}};{{end}}");
        let good = good.split(';').find_map(|entry| entry.strip_prefix("0 ")).unwrap();
        let log = engine.must("docker logs start 2>&1");
        let ready = log.split_once("mocktenant ready in ").and_then(|(_, rest)| rest.split_once(" ms"));
        let ready: u128 =
            ready.unwrap_or_else(|| panic!("it does not say how fast it was: {log}")).0.parse().unwrap();
        starts.push(((moment(good) - began).whole_milliseconds(), ready));
        engine.must("docker rm --force --volumes start");
    }
    eprintln!("image {size} bytes; healthy after, and process ready in, ms: {starts:?}");
    assert!(
        good(&starts),
        "none of {starts:?} was healthy within {most_health} ms and ready in {most_process} ms"
    );
}

pub(crate) fn it_runs_as_a_numeric_user_read_only_without_capabilities(engine: &Engine) {
    let user = engine.inspect("mocktenant", "{{.Config.User}}");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id != 0)), "{user}");
    engine.must(&format!("docker run --detach --name confined {CONFINED} mocktenant"));
    healthy(engine, "confined");
    let pid = engine.inspect("confined", "{{.State.Pid}}");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(of("Uid:").split_whitespace().next(), user.split(':').next());
    assert_eq!(
        (of("CapEff:"), of("CapPrm:"), of("NoNewPrivs:")),
        ("0".repeat(16), "0".repeat(16), "1".into())
    );
    engine.must("docker exec confined mocktenant try");
    engine.must("docker rm --force --volumes confined");
}

pub(crate) fn without_a_network_it_reproduces_the_failure(engine: &Engine) {
    let told = engine.must(&format!("docker run --rm {CONFINED} --network none mocktenant reproduce"));
    assert!(told.contains("broke as told, healed as told"), "{told}");
}

pub(crate) fn it_ends_at_once_whoever_ends_it_and_keeps_its_roots(engine: &Engine) {
    let run = format!("docker run --detach --name kept --volume kept:/state {CONFINED} mocktenant");
    engine.must(&run);
    healthy(engine, "kept");
    let roots = engine.must("docker cp kept:/ca/ca.pem - | tar --extract --to-stdout");
    let key = "docker cp kept:/ca/ca-keys.pem - | tar --extract --to-stdout";
    assert_ne!(engine.run(key).code, 0, "the public folder holds a key");
    // Ctrl-C in a terminal is SIGINT.
    for end in ["docker stop kept", "docker kill --signal INT kept >/dev/null && docker wait kept"] {
        let began = Instant::now();
        engine.must(end);
        assert!(began.elapsed() < Duration::from_secs(2), "{end} took {:?}", began.elapsed());
        assert_eq!(engine.inspect("kept", "{{.State.ExitCode}}"), "0", "{end}");
        engine.must("docker start kept");
        healthy(engine, "kept");
        let now = engine.must("docker cp kept:/ca/ca.pem - | tar --extract --to-stdout");
        assert_eq!(now, roots, "{end}: who trusted it has to trust it again");
    }
    // Another container on the same volume, as after an update of the image.
    engine.must(&format!("docker rm --force kept && {run}"));
    healthy(engine, "kept");
    assert_eq!(engine.must("docker cp kept:/ca/ca.pem - | tar --extract --to-stdout"), roots);
    engine.must("docker rm --force --volumes kept && docker volume rm kept");
}

/// The same binary for the other processor, in an image of its own, emulated.
pub(crate) fn the_image_for_arm64_does_the_same(engine: &Engine) {
    let built = pages::root().join("target/aarch64-unknown-linux-gnu/release/mocktenant");
    let built = if built.is_file() {
        Ok(built)
    } else {
        Err("no binary for arm64; run: .ci/run --stage arm64".into())
    };
    let Some(built) = tools::there_or_skip(built) else { return };
    let Some(qemu) = tools::or_skip("qemu-aarch64-static") else { return };
    let tag = "mocktenant:arm64";
    let build = pages::root().join("docker/build");
    engine.must(&format!("{} {} {tag} linux/arm64", build.display(), built.display()));
    assert_eq!(engine.inspect(tag, "{{.Os}}/{{.Architecture}}"), "linux/arm64");
    let size: u64 = engine.inspect(tag, "{{.Size}}").parse().unwrap();
    assert!(size <= MOST, "the image has {size} bytes");
    let emulated = format!("--volume {}:/qemu:ro --entrypoint /qemu {tag} /mocktenant", qemu.display());
    let told = engine.must(&format!("docker run --rm {CONFINED} --network none {emulated} reproduce"));
    assert!(told.contains("broke as told, healed as told"), "{told}");
}

/// The image for people with a registry is the same from its labels on.
/// There is no image of Rust here, so the file from source ends where it compiles; all else of it is the same.
pub(crate) fn both_files_make_the_same_image(engine: &Engine) {
    let [source, prebuilt] =
        ["Dockerfile", "Dockerfile.prebuilt"].map(|name| pages::root().join("docker").join(name));
    let ends = [&source, &prebuilt].map(|file| {
        let text = std::fs::read_to_string(file).unwrap();
        let lines: Vec<&str> = text.lines().skip_while(|line| *line != "FROM scratch").collect();
        // Where the two trees come from differs, and what is said of it.
        let same = lines.into_iter().filter(|line| !line.starts_with("COPY") && !line.starts_with('#'));
        same.map(str::to_owned).collect::<Vec<String>>()
    });
    assert!(ends[0].iter().any(|line| line.starts_with("HEALTHCHECK")), "{ends:?}");
    assert_eq!(ends[0], ends[1]);

    let context = engine.directory().join("empty");
    std::fs::create_dir_all(&context).unwrap();
    std::fs::write(context.join("file"), "").unwrap();
    let line = format!(
        "docker build --build-arg RUST=mocktenant --file {} {} 2>&1",
        source.display(),
        context.display()
    );
    let built = engine.run(&line);
    assert!(built.stdout.contains(" : RUN target=") && built.stdout.contains("/bin/sh"), "{}", built.stdout);
}

/// Waits until its health check has passed once.
pub(crate) fn healthy(engine: &Engine, container: &str) {
    let began = Instant::now();
    loop {
        let health = engine.inspect(container, "{{.State.Status}} {{.State.Health.Status}}");
        if health == "running healthy" {
            return;
        }
        let log = || engine.run(&format!("docker logs {container} 2>&1")).stdout;
        assert!(began.elapsed() < Duration::from_secs(20), "{container} is {health}: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn moment(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
