//! Chromium, told what to do through its DevTools pipe.
//!
//! Decides how it is started, and how a command and its answer travel: JSON with a NUL behind it, over two pipes that a shell
//! opens for it. It is somebody's: it trusts what was imported for NSS in their home (certificates are judged as ever). One
//! browser serves every test of a program; each has a window with cookies of its own. Never decides what a person does.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::must;
use crate::{chromium, tools};

/// How long an answer may take, on a loaded machine.
const LIMIT: Duration = Duration::from_secs(30);

/// A running browser. Ends with its value.
pub struct Chromium {
    child: Child,
    pipe: Mutex<Pipe>,
    /// What pages wrote to their log: session and entry.
    log: Arc<Mutex<Vec<(String, Value)>>>,
    _pipes: TempDir,
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
    /// Starts it for whoever lives in that folder. `words` are its program, behind whatever leads to it.
    pub fn open(words: &[&OsStr], home: &Path) -> Self {
        let pipes = must(tempfile::tempdir(), "a scratch directory");
        let [to, from] = ["to", "from"].map(|name| pipes.path().join(name));
        let mut fifos = Command::new("mkfifo");
        assert!(tools::output(fifos.args([&to, &from])).status.success(), "mkfifo");
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec 3<\"$1/to\" 4>\"$1/from\" && shift && exec \"$@\"", "sh"])
            .arg(pipes.path())
            .args(words)
            .args(chromium::arguments(&home.join("browser")))
            .args(["--remote-debugging-pipe", "about:blank"])
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name);
        }
        let child = must(command.spawn(), "a browser");
        let to = must(File::options().write(true).open(to), "a pipe to the browser");
        let (tell, told) = channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&log);
        let from = BufReader::new(must(File::open(from), "a pipe from the browser"));
        std::thread::spawn(move || {
            for message in from.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice::<Value>(&message) else { continue };
                if message["method"] == "Log.entryAdded" {
                    let session = message["sessionId"].as_str().unwrap_or_default().to_owned();
                    noted
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((session, message["params"]["entry"].clone()));
                } else if message.get("id").is_some() && tell.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, pipe: Mutex::new(Pipe { to, from: told, last: 0 }), log, _pipes: pipes }
    }

    /// A command to a page, or to the browser where the session is empty; what it answers, or why it cannot.
    pub fn try_ask(&self, session: &str, method: &str, parameters: Value) -> Result<Value, String> {
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
    pub fn ask(&self, session: &str, method: &str, parameters: Value) -> Value {
        let shown = parameters.to_string();
        match self.try_ask(session, method, parameters) {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {shown}: {error}"),
        }
    }

    /// What a page wrote to its log until now.
    pub fn log_of(&self, session: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|(of, _)| of == session).map(|(_, entry)| entry.clone()).collect()
    }
}
