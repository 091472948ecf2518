//! A Docker engine of this test's own: data, socket, network and mounts that nobody else sees.
//!
//! Decides that it lives in a network and a mount namespace: bridge, rules of iptables and mounts end with it, and an engine
//! that the machine runs already is not in its way. Never pulls anything: there is no way out of that network. What is typed
//! is typed in it, so that published ports are reached on its localhost, by somebody with a home of their own: what a page says
//! to trust is trusted there and by nobody else.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mocktenant_acceptance::{binary, tools};
use tempfile::TempDir;

/// What is typed and ends; a build of an image with packages is the longest.
const LIMIT: Duration = Duration::from_secs(180);

/// A running engine. Everything that is of it goes with [`Engine::end`].
pub(crate) struct Engine {
    child: Child,
    scratch: TempDir,
    path: OsString,
}

impl Engine {
    /// Starts one, or says why there can be none here.
    pub(crate) fn start() -> Result<Self, String> {
        let owner = fs::metadata("/proc/self").map_err(|error| error.to_string())?.uid();
        if owner != 0 {
            return Err(String::from("an engine of one's own takes root"));
        }
        for need in ["dockerd", "iptables", "unshare", "nsenter", "ip"] {
            tools::find(need)?;
        }
        let docker = tools::find("docker")?;
        let scratch = tempfile::Builder::new().prefix("mocktenant-docker-").tempdir().unwrap();
        let path = with_compose(&docker, &scratch.path().join("bin"))?;
        // As a browser has left it that was started once.
        fs::create_dir_all(scratch.path().join("home/.pki/nssdb")).map_err(|error| error.to_string())?;
        let log = fs::File::create(scratch.path().join("log")).unwrap();
        let at = |name: &str| scratch.path().join(name);
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--mount", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", "dockerd"])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("--host")
            .arg(format!("unix://{}", at("socket").display()));
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn();
        let mut engine = Self { child: child.map_err(|error| error.to_string())?, scratch, path };
        let began = Instant::now();
        while engine.run("docker version").code != 0 {
            let ended = engine.child.try_wait().ok().flatten();
            if ended.is_some() || began.elapsed() > Duration::from_secs(60) {
                let log = fs::read_to_string(engine.scratch.path().join("log")).unwrap_or_default();
                engine.end();
                return Err(format!("no Docker engine runs here ({ended:?}): {log}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(engine)
    }

    /// What leads a program into its network: the first words of a command.
    pub(crate) fn network_words(&self) -> [OsString; 2] {
        // unshare and sh became the engine: its id is the child's.
        ["nsenter".into(), format!("--net=/proc/{}/ns/net", self.child.id()).into()]
    }

    /// The home of who types.
    pub(crate) fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    /// A line as a person types it in that directory.
    pub(crate) fn typed(&self, line: &str, directory: &Path) -> binary::Run {
        let [nsenter, network] = self.network_words();
        let mut command = Command::new(nsenter);
        command.arg(network).args(["sh", "-c", line]);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let proxy = text.to_ascii_lowercase().ends_with("_proxy");
            if proxy || text.starts_with("MOCKTENANT_") || text.starts_with("COMPOSE_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(directory)
            .env("PATH", &self.path)
            .env("HOME", self.home())
            // Compose may be a plug-in of who runs this.
            .env("DOCKER_CONFIG", configuration())
            .env("DOCKER_HOST", format!("unix://{}", self.scratch.path().join("socket").display()))
            // Debian has neither buildx nor Compose v2.
            .env("DOCKER_BUILDKIT", "0")
            .env("COMPOSE_DOCKER_CLI_BUILD", "0")
            .env("PYTHON_IMAGE", crate::image::PYTHON)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        binary::run(command, LIMIT)
    }

    /// A line anywhere.
    pub(crate) fn run(&self, line: &str) -> binary::Run {
        self.typed(line, self.scratch.path())
    }

    /// What a line prints; it has to end well.
    pub(crate) fn must(&self, line: &str) -> String {
        let run = self.run(line);
        assert_eq!(run.code, 0, "{line}\n{}{}", run.stdout, run.stderr);
        run.stdout.trim_end().to_owned()
    }

    /// What an object of the engine is, by a template.
    pub(crate) fn inspect(&self, object: &str, template: &str) -> String {
        self.must(&format!("docker inspect --format '{template}' {object}"))
    }

    /// Takes away what a test left that failed: containers, networks, volumes.
    pub(crate) fn clear(&self) {
        self.run("docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes");
        self.run("docker network prune --force; docker volume prune --force");
    }

    /// Ends all containers, then the engine.
    pub(crate) fn end(mut self) {
        self.sweep();
    }

    fn sweep(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.clear();
            let _ = Command::new("kill").arg(self.child.id().to_string()).status();
            let _ = binary::wait(&mut self.child, Duration::from_secs(30));
        }
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.sweep();
    }
}

/// Where this machine's user has what belongs to Docker's client.
fn configuration() -> OsString {
    let usual = || std::env::home_dir().unwrap_or_default().join(".docker").into();
    std::env::var_os("DOCKER_CONFIG").unwrap_or_else(usual)
}

/// A path on which `docker compose` is what the machine has of it, and nothing else is another thing.
fn with_compose(docker: &Path, bin: &Path) -> Result<OsString, String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let version = Command::new(docker).args(["compose", "version"]).output();
    if version.is_ok_and(|output| output.status.success()) {
        return Ok(paths);
    }
    let compose = tools::find("docker-compose")?;
    fs::create_dir(bin).map_err(|error| error.to_string())?;
    let shim = format!(
        "#!/bin/sh\nif [ \"$1\" = compose ]; then shift; exec {} \"$@\"; fi\nexec {} \"$@\"\n",
        compose.display(),
        docker.display()
    );
    fs::write(bin.join("docker"), shim).map_err(|error| error.to_string())?;
    fs::set_permissions(bin.join("docker"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut all = vec![bin.to_owned()];
    all.extend(std::env::split_paths(&paths));
    std::env::join_paths(all).map_err(|error| error.to_string())
}
