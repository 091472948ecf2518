//! Which running lab a verb talks to.
//!
//! Decides the order: `--url`, else the lab whose settings.json is in the state directory, else port 7440 of this machine.
//! A settings file whose `instance` is not that of the lab at its URL is stale: another lab, or none, answers there. A
//! settings file that is there but cannot be used is an error: falling back would reach some other lab.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use mocktenant_server::client::{CallError, Client, Reply, read_json};
use mocktenant_server::{Settings, read_state_file};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::args::Common;
use crate::console;
use crate::failure::{Exit, Failure};

const FALLBACK: &str = "http://127.0.0.1:7440";
/// How long a lab may take to say how it is.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the control API's own deadline: a restart may have to wait for a call that times out.
const CALL_TIMEOUT: Duration = Duration::from_secs(130);
/// Largest file of the state directory read, in bytes.
const FILE_BUDGET: u64 = 1024 * 1024;

/// Where a lab is said to be.
pub(crate) struct Candidate {
    url: String,
    /// The instance the settings file promises.
    instance: Option<String>,
    token: Option<String>,
    file: Option<PathBuf>,
    ca_pem: String,
}

/// A lab that answers.
pub(crate) struct LabAt {
    url: String,
    client: Client,
}

/// The state directory: as asked, else the usual one, which is none without a home directory.
pub(crate) fn state_directory(common: &Common) -> Option<PathBuf> {
    let asked = common.state.clone().filter(|state| !state.as_os_str().is_empty());
    asked.or_else(mocktenant_server::default_state_dir)
}

/// The state directory of what writes there.
pub(crate) fn needed_state_directory(common: &Common) -> Result<PathBuf, Failure> {
    state_directory(common).ok_or_else(|| {
        Failure::new(Exit::Usage, "there is no home directory to keep the lab's state and keys in")
            .hint("say where with --state DIR or MOCKTENANT_STATE")
    })
}

/// The settings file's text, if there is one. A file that cannot be read is no absent file.
pub(crate) fn settings_text(state: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let path = state.join("settings.json");
    match read_state_file(&path, FILE_BUDGET) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(&path, "cannot be read").because(&error)),
    }
}

fn unusable(file: &Path, why: &str) -> Failure {
    Failure::new(Exit::Unreachable, format!("{} {why}", file.display()))
        .hint("start the lab again, or say where it is: --url URL")
}

impl Candidate {
    /// Looks where the flags and the state directory say.
    pub(crate) fn find(common: &Common) -> Result<Self, Failure> {
        let token = common.control_token.clone().filter(|token| !token.is_empty());
        let by_url = common.url.as_deref().filter(|url| !url.is_empty());
        let state = state_directory(common);
        let file = state.as_deref().unwrap_or(Path::new("")).join("settings.json");
        let settings = match state.as_deref().map_or(Ok(None), settings_text) {
            Ok(Some(text)) => Some(
                Settings::read(&text)
                    .map_err(|error| unusable(&file, "is no settings document").because(&error)),
            ),
            Ok(None) => None,
            Err(failure) => Some(Err(failure)),
        };
        let settings = match settings.transpose() {
            Ok(settings) => settings,
            // Where the lab is has been said; the file only adds the roots it trusts.
            Err(_) if by_url.is_some() => None,
            Err(failure) => return Err(failure),
        };
        let found = settings.is_some();
        let settings = settings.unwrap_or_default();
        // The roots of the lab in the file, and those that `reproduce` shares with it.
        let shared = state.and_then(|state| read_state_file(&state.join("ca.pem"), FILE_BUDGET).ok());
        let shared = shared.and_then(|text| String::from_utf8(text).ok());
        let ca_pem = [settings.ca_pem_text, shared.unwrap_or_default()].join("\n");
        if let Some(url) = by_url {
            if !(url.starts_with("http://") || url.starts_with("https://")) {
                return Err(Failure::new(Exit::Usage, format!("--url {url} is no http or https URL"))
                    .hint("the control URL is the line `Tools` of `mocktenant serve`, for instance http://127.0.0.1:7440"));
            }
            return Ok(Self {
                url: url.trim_end_matches('/').to_owned(),
                instance: None,
                token,
                file: None,
                ca_pem,
            });
        }
        if !found {
            // Whoever says which lab is meant means no other one.
            if let Some(state) = common.state.as_deref().filter(|state| !state.as_os_str().is_empty()) {
                let what = format!("no lab was started in {}", state.display());
                let start = format!("start one there: mocktenant serve --port 0{}", flags(common));
                return Err(Failure::new(Exit::Unreachable, what).hint(start));
            }
            return Ok(Self { url: FALLBACK.to_owned(), instance: None, token, file: None, ca_pem });
        }
        if settings.control_url.is_empty() || settings.instance.is_empty() {
            return Err(unusable(&file, "names no control_url and instance"));
        }
        Ok(Self {
            url: settings.control_url.trim_end_matches('/').to_owned(),
            instance: Some(settings.instance),
            token: token.or(settings.control_token),
            file: Some(file),
            ca_pem,
        })
    }

    /// Asks for its health.
    pub(crate) async fn reach(self) -> Result<LabAt, Failure> {
        let client = Client::new(&self.ca_pem)
            .map_err(|error| Failure::new(Exit::Usage, "TLS cannot be set up").because(&error))?
            .with_token(self.token.as_deref());
        let health = client.clone().with_timeout(HEALTH_TIMEOUT).get(&format!("{}/health", self.url)).await;
        let reply = health.map_err(|error| self.unreachable(&error))?;
        let document = read_json(&reply).unwrap_or_default();
        let actual = document["instance"].as_str().unwrap_or_default();
        if let Some(expected) = &self.instance
            && expected != actual
        {
            let file = self.file.as_deref().unwrap_or(Path::new("settings.json")).display();
            return Err(Failure::new(
                Exit::Unreachable,
                format!("{file} is stale: another lab answers at {}", self.url),
            )
            .hint("start the lab again, or name the one you mean with --url"));
        }
        match reply.status.as_u16() {
            200 => Ok(LabAt { url: self.url, client: client.with_timeout(CALL_TIMEOUT) }),
            // Unwell, it still answers what can be asked of it: why, for instance.
            503 if document["status"] == "unwell" => {
                Ok(LabAt { url: self.url, client: client.with_timeout(CALL_TIMEOUT) })
            }
            503 => Err(Failure::new(Exit::Unreachable, format!("the lab at {} is still starting", self.url))
                .hint("mocktenant ready --wait")),
            status => Err(Failure::new(
                Exit::Unreachable,
                format!("no lab answers at {} (status {status})", self.url),
            )),
        }
    }

    fn unreachable(&self, error: &CallError) -> Failure {
        match &self.file {
            Some(file) => {
                let what = format!("{} is stale: no lab answers at {}", file.display(), self.url);
                Failure::new(Exit::Unreachable, what).because(error).hint("start one: mocktenant serve")
            }
            None => Failure::new(Exit::Unreachable, format!("no lab answers at {}", self.url))
                .because(error)
                .hint("start one with `mocktenant serve`, or say where it is: --state DIR or --url URL"),
        }
    }
}

impl LabAt {
    /// The lab the flags mean, if it answers.
    pub(crate) async fn find(common: &Common) -> Result<Self, Failure> {
        Candidate::find(common)?.reach().await
    }

    /// Its control URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// `GET`; a refusal is a failure.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Failure> {
        let reply = self.client.get(&format!("{}{path}", self.url)).await;
        self.accepted(reply)
    }

    /// `GET`; a refusal is an answer.
    pub(crate) async fn ask(&self, path: &str) -> Result<Reply, Failure> {
        self.client.get(&format!("{}{path}", self.url)).await.map_err(|error| self.lost(&error))
    }

    /// A write; a refusal is a failure.
    pub(crate) async fn write(&self, method: Method, path: &str, document: &Value) -> Result<Value, Failure> {
        let reply =
            self.accepted(self.client.send_json(method, &format!("{}{path}", self.url), document).await)?;
        Ok(read_json(&reply).unwrap_or_default())
    }

    /// A write; a refusal is an answer.
    pub(crate) async fn try_write(
        &self,
        method: Method,
        path: &str,
        document: &Value,
    ) -> Result<Reply, Failure> {
        let reply = self.client.send_json(method, &format!("{}{path}", self.url), document).await;
        reply.map_err(|error| self.lost(&error))
    }

    fn accepted(&self, reply: Result<Reply, CallError>) -> Result<Reply, Failure> {
        let reply = reply.map_err(|error| self.lost(&error))?;
        if reply.status.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
    }

    fn lost(&self, error: &CallError) -> Failure {
        Failure::new(Exit::Unreachable, format!("the lab at {} does not answer", self.url)).because(error)
    }
}

/// The flags that lead another command of the same shell to the same lab, with a blank before each. What a variable says it
/// says to that command too.
pub(crate) fn flags(common: &Common) -> String {
    let state = common.state.as_ref().map(|state| state.to_string_lossy().into_owned());
    let given = [("--state", "MOCKTENANT_STATE", state), ("--url", "MOCKTENANT_URL", common.url.clone())];
    let flag = |(flag, twin, value): (&str, &str, Option<String>)| {
        let value =
            value.filter(|value| !value.is_empty() && std::env::var(twin).ok().as_ref() != Some(value))?;
        Some(format!(" {flag} {}", console::quoted(&value)))
    };
    given.into_iter().filter_map(flag).collect()
}

/// A problem document (RFC 9457) as a failure.
pub(crate) fn refusal(reply: &Reply) -> Failure {
    let document = read_json(reply).unwrap_or_default();
    let detail = document["detail"]
        .as_str()
        .map_or_else(|| format!("the lab answers {}", reply.status), str::to_owned);
    let mut failure = Failure::new(Exit::Finding, detail);
    let mut hint = match reply.status.as_u16() {
        401 => Some(String::from("--control-token TOKEN, or MOCKTENANT_CONTROL_TOKEN")),
        _ => None,
    };
    for located in document["errors"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let member = |name: &str| located[name].as_str().unwrap_or_default();
        // A value that is not there says so once; the pointer is what was typed.
        if document["detail"].as_str() != Some(member("detail")) {
            failure = failure.cause(format!("{}: {}", member("pointer"), member("detail")));
        }
        if hint.is_none() && !member("hint").is_empty() {
            hint = Some(member("hint").to_owned());
        }
    }
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// RFC 3986's unreserved characters stand as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const QUERY: &AsciiSet = &SEGMENT.remove(b'/');

/// A query value, percent-encoded but for unreserved characters and `/`.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// One segment of a path.
pub(crate) fn encoded_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_encoded() {
        assert_eq!(encoded("/a b/é&x=1+2~0"), "/a%20b/%C3%A9%26x%3D1%2B2~0");
        assert_eq!(encoded_segment("/a b/é&x=1+2~0"), "%2Fa%20b%2F%C3%A9%26x%3D1%2B2~0");
    }
}
