//! Chromium, told what to do through its DevTools pipe.
//!
//! Decides how it is started, whom it trusts (what an administrator imports for NSS; certificates are judged as ever), and how a
//! command and its answer travel: JSON with a NUL behind it, over two pipes that a shell opens for it. One browser serves every
//! test; each has a window with cookies of its own. Never decides what a person does.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mocktenant_acceptance::{chromium, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long an answer may take, on a loaded machine.
const LIMIT: Duration = Duration::from_secs(30);

/// A running browser. Ends with its value.
pub(crate) struct Chromium {
    child: Child,
    pipe: Mutex<Pipe>,
    /// What pages wrote to their log: session and entry.
    log: Arc<Mutex<Vec<(String, Value)>>>,
    _home: TempDir,
}

struct Pipe {
    to: File,
    from: Receiver<Value>,
    last: u64,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Told to, it ends its own children as well.
        let _ = self.try_ask("", "Browser.close", json!({}));
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Chromium {
    /// Starts it; it trusts these roots beside its own.
    pub(crate) fn open(program: &Path, certutil: &Path, roots: &[&Path]) -> Self {
        let home = tempfile::tempdir().unwrap();
        trust(certutil, home.path(), roots);
        let [to, from] = ["to", "from"].map(|name| home.path().join(name));
        let mut fifos = Command::new("mkfifo");
        assert!(tools::output(fifos.args([&to, &from])).status.success(), "mkfifo");
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$@\" 3<\"$HOME/to\" 4>\"$HOME/from\"", "sh"])
            .arg(program)
            .args(chromium::arguments(&home.path().join("profile")))
            .args(["--remote-debugging-pipe", "about:blank"])
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name);
        }
        let child = command.spawn().unwrap();
        let to = File::options().write(true).open(to).unwrap();
        let (tell, told) = channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&log);
        let from = BufReader::new(File::open(from).unwrap());
        std::thread::spawn(move || {
            for message in from.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice::<Value>(&message) else { continue };
                if message["method"] == "Log.entryAdded" {
                    let session = message["sessionId"].as_str().unwrap_or_default().to_owned();
                    noted.lock().unwrap().push((session, message["params"]["entry"].clone()));
                } else if message.get("id").is_some() && tell.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, pipe: Mutex::new(Pipe { to, from: told, last: 0 }), log, _home: home }
    }

    /// A command to a page, or to the browser where the session is empty; what it answers, or why it cannot.
    pub(crate) fn try_ask(&self, session: &str, method: &str, parameters: Value) -> Result<Value, String> {
        let mut pipe = self.pipe.lock().map_err(|_| "a test broke off in the middle of a command")?;
        pipe.last += 1;
        let id = pipe.last;
        let mut message = json!({ "id": id, "method": method });
        message["params"] = parameters;
        if !session.is_empty() {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        pipe.to.write_all(&bytes).map_err(|error| format!("Chromium has gone: {error}"))?;
        loop {
            let answer = pipe.from.recv_timeout(LIMIT).map_err(|error| format!("{method}: {error}"))?;
            if answer["id"] == id {
                let error = answer["error"]["message"].as_str();
                return error.map_or_else(|| Ok(answer["result"].clone()), |error| Err(error.to_owned()));
            }
        }
    }

    /// The same where it has to be possible.
    pub(crate) fn ask(&self, session: &str, method: &str, parameters: Value) -> Value {
        let shown = parameters.to_string();
        match self.try_ask(session, method, parameters) {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {shown}: {error}"),
        }
    }

    /// What a page wrote to its log until now.
    pub(crate) fn log_of(&self, session: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(of, _)| of == session).map(|(_, entry)| entry.clone()).collect()
    }
}

/// The store of a user who has imported these roots: as authorities for web sites, and for nothing else.
fn trust(certutil: &Path, home: &Path, roots: &[&Path]) {
    let store = home.join(".pki/nssdb");
    std::fs::create_dir_all(&store).unwrap();
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
