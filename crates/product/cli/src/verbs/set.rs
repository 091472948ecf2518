//! `set`: changes one declared value of a running lab.
//!
//! Decides how the value on a command line becomes JSON, that a misspelt key is no new one, and says when a change waits
//! for a restart. A config file of an AOS is sent as it stands, byte for byte. What stands in a file is never shown.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use mocktenant_server::client::read_json;
use mocktenant_world::Setting;
use mocktenant_world::pointers::{self, File};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::args::{Common, Set};
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, encoded};
use crate::named::{self, Named, missing, told};

/// Bytes of a file whose content becomes a value: more than that the control API does not take.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Replaces what is there; adds what the declaration knows, and anything else only if told so.
pub(crate) async fn run(common: &Common, set: Set) -> Outcome {
    let given = Given::read(&set.value)?;
    let lab = LabAt::find(common).await?;
    let (pointer, there) = match place(&lab, &set.setting).await? {
        Named::There(pointer) => (pointer, true),
        Named::New { entry: true, nearest, .. } if !set.new => {
            let failure = missing(&set.setting, nearest.as_deref());
            return Err(failure.and_hint("--new adds one of this name"));
        }
        Named::New { pointer, .. } => (pointer, false),
    };
    let current = if there {
        let reply = lab.get(&format!("/v1/world?pointer={}", encoded(&pointer))).await?;
        read_json(&reply).ok().map(|mut document| document["value"].take())
    } else {
        None
    };
    let file = given.config_file(&pointer);
    let as_it_is = file.is_some();
    let (parsed, text) = match file {
        Some(file) => (file, String::new()),
        None => {
            let text = given.text()?;
            (value_of(&text, current.as_ref()), text)
        }
    };
    if let (Given::File { path, .. }, Value::String(_)) = (&given, &parsed)
        && current.as_ref().is_some_and(|current| current.is_object() || current.is_array())
        && !is_config_file(&pointer)
    {
        let pointer = console::harmless(&pointer);
        let what = format!("{path} is no JSON, and {pointer} is no text");
        let kinds = File::ALL.map(File::member).join(", ");
        let hint = format!(
            "write it as `mocktenant get` shows it; only {kinds} of an environment take a file as it is"
        );
        return Err(Failure::new(Exit::Usage, what).hint(hint));
    }
    let op = if there { "replace" } else { "add" };
    let patch = |value: &Value| json!([{ "op": op, "path": pointer, "value": value }]);
    let mut applied = match lab.write(Method::PATCH, "/v1/world", &patch(&parsed)).await {
        // A new key of web.config with the value 1 is the text "1": its neighbours are texts, which only the world knows.
        Err(failure) if current.is_none() && is_scalar(&parsed) => {
            lab.write(Method::PATCH, "/v1/world", &patch(&Value::String(text))).await.map_err(|_| failure)?
        }
        applied => applied?,
    };
    if as_it_is && let Some(document) = applied.as_object_mut() {
        // What it said and says is long, and a person has the file.
        document.remove("edits");
    }
    for line in told(if there { "changed" } else { "added" }, &pointer, &applied, common) {
        console::line(&line)?;
    }
    Ok(0)
}

/// Where the value goes; `-` behind a list is its end.
async fn place(lab: &LabAt, setting: &str) -> Result<Named, Failure> {
    match setting.strip_suffix("/-") {
        Some(list) => {
            let pointer = format!("{}/-", named::there(lab, list).await?);
            Ok(Named::New { pointer, entry: false, nearest: None })
        }
        None => named::named(lab, setting).await,
    }
}

/// What a command line gives.
enum Given<'v> {
    /// The value as written.
    Said(&'v str),
    /// The content of the file it names.
    File { path: &'v str, bytes: Vec<u8> },
}

impl<'v> Given<'v> {
    fn read(value: &'v str) -> Result<Self, Failure> {
        let Some(path) = value.strip_prefix('@') else { return Ok(Self::Said(value)) };
        let cannot = |error: std::io::Error| unreadable(path).because(&error);
        let mut bytes = Vec::new();
        // One byte more than is sent tells that it is too long.
        let file = std::fs::File::open(path).map_err(cannot)?;
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > LARGEST {
            let failure = Failure::new(Exit::Usage, format!("{path} is larger than {LARGEST} bytes"));
            return Err(failure.hint("a value of a declaration is sent whole; change it part by part"));
        }
        Ok(Self::File { path, bytes })
    }

    /// As a text: of a file without its last line end.
    fn text(&self) -> Result<String, Failure> {
        match self {
            Self::Said(value) => Ok((*value).to_owned()),
            Self::File { path, bytes } => {
                let text = std::str::from_utf8(bytes).map_err(|error| unreadable(path).because(&error))?;
                let line = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
                Ok(line.unwrap_or(text).to_owned())
            }
        }
    }

    /// For a config file of an AOS the file itself, to the last byte, unless it is JSON: then it is what such a file says.
    fn config_file(&self, pointer: &str) -> Option<Value> {
        let Self::File { bytes, .. } = self else { return None };
        if !is_config_file(pointer) || serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
            return None;
        }
        Some(Value::String(match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => format!("base64:{}", STANDARD.encode(bytes)),
        }))
    }
}

fn unreadable(path: &str) -> Failure {
    Failure::new(Exit::Usage, format!("cannot read {path}"))
}

/// Whether it is a whole config file of an environment.
fn is_config_file(pointer: &str) -> bool {
    let setting = Setting::from_pointer(pointer);
    let environment = setting.segments().nth(1).unwrap_or_default();
    File::ALL.into_iter().any(|file| pointers::environment(&environment).file(file) == setting)
}

/// JSON where it is JSON, else a text; a text stays a text whatever it looks like.
fn value_of(text: &str, current: Option<&Value>) -> Value {
    let as_text = || Value::String(text.to_owned());
    match serde_json::from_slice(text.as_bytes()) {
        Ok(Value::String(inner)) => Value::String(inner),
        Ok(_) if current.is_some_and(Value::is_string) => as_text(),
        Ok(value) => value,
        Err(_) => as_text(),
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(_) | Value::Number(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_where_it_is_json_and_a_text_stays_a_text() {
        assert_eq!(value_of("1", None), json!(1));
        assert_eq!(value_of("1", Some(&json!("0"))), json!("1"));
        assert_eq!(value_of("\"1\"", None), json!("1"));
        assert_eq!(value_of("spn:c0117050", None), json!("spn:c0117050"));
        assert_eq!(value_of("{\"a\": [1]}", Some(&json!({}))), json!({ "a": [1] }));
        assert_eq!(value_of("", None), json!(""));
    }

    #[test]
    fn a_file_gives_the_value_without_its_last_line_end() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("value");
        std::fs::write(&path, "{\"a\":1}\r\n").unwrap();
        let text_of = |value: &str| Given::read(value).and_then(|given| given.text());
        assert_eq!(text_of(&format!("@{}", path.display())).unwrap(), "{\"a\":1}");
        assert_eq!(text_of("@/nowhere/at/all").unwrap_err().exit_code(), 2);
        assert_eq!(text_of("plain").unwrap(), "plain");
        std::fs::write(&path, b"\xFF\xFEa\0").unwrap();
        assert_eq!(text_of(&format!("@{}", path.display())).unwrap_err().exit_code(), 2, "no text at all");
    }

    #[test]
    fn a_config_file_is_sent_to_the_last_byte_and_as_base64_where_it_is_no_utf_8() {
        let file = |bytes: &[u8]| Given::File { path: "AXSF.Package.1.0.xml", bytes: bytes.to_vec() };
        let axsf = "/environments/onprem/axsf";
        for at in [axsf, "/environments/onebox/web_config", "/environments/a~1b/wif_config"] {
            assert_eq!(
                file(b"\xEF\xBB\xBF<a/>\r\n").config_file(at),
                Some(json!("\u{feff}<a/>\r\n")),
                "{at}"
            );
        }
        assert_eq!(file(b"\xFF\xFE<\0").config_file(axsf), Some(json!("base64://48AA==")));
        assert_eq!(file(b"").config_file(axsf), Some(json!("")), "no file at all is for the lab to refuse");
        assert_eq!(file(b"{\"Aad.Realm\": \"x\"}\n").config_file(axsf), None, "what it says");
        for at in [
            "/environments/onprem",
            "/environments/onprem/axsf/Aad.Realm",
            "/environments/onprem/machine",
            "",
        ] {
            assert_eq!(file(b"<a/>").config_file(at), None, "{at}");
        }
        assert_eq!(Given::Said("<a/>").config_file(axsf), None, "is a text as it is");
    }

    #[test]
    fn a_file_without_an_end_is_refused_and_not_read_to_it() {
        let failure = Given::read("@/dev/zero").err().unwrap();
        assert_eq!(failure.exit_code(), 2);
    }
}
