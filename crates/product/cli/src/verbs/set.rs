//! `set`: changes one declared value of a running lab.
//!
//! Decides how the value on a command line becomes JSON, that a misspelt key is no new one, and says when a change waits
//! for a restart. What stands in a file is never shown.

use std::io::Read as _;

use http::Method;
use mocktenant_server::client::read_json;
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
    let text = text_of(&set.value)?;
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
    let parsed = value_of(&text, current.as_ref());
    if let (Some(path), Value::String(_)) = (set.value.strip_prefix('@'), &parsed)
        && current.as_ref().is_some_and(|current| current.is_object() || current.is_array())
    {
        let what = format!("{path} is no JSON, and {} is no text", console::harmless(&pointer));
        let hint = "a config file cannot be replaced as a whole yet; set its keys one by one";
        return Err(Failure::new(Exit::Usage, what).hint(hint));
    }
    let op = if there { "replace" } else { "add" };
    let patch = |value: &Value| json!([{ "op": op, "path": pointer, "value": value }]);
    let applied = match lab.write(Method::PATCH, "/v1/world", &patch(&parsed)).await {
        // A new key of web.config with the value 1 is the text "1": its neighbours are texts, which only the world knows.
        Err(failure) if current.is_none() && is_scalar(&parsed) => {
            lab.write(Method::PATCH, "/v1/world", &patch(&Value::String(text))).await.map_err(|_| failure)?
        }
        applied => applied?,
    };
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

/// The value as written, or the content of the file it names.
fn text_of(value: &str) -> Result<String, Failure> {
    let Some(path) = value.strip_prefix('@') else { return Ok(value.to_owned()) };
    let cannot =
        |error: std::io::Error| Failure::new(Exit::Usage, format!("cannot read {path}")).because(&error);
    let mut text = String::new();
    // One byte more than is sent tells that it is too long.
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > LARGEST {
        let failure = Failure::new(Exit::Usage, format!("{path} is larger than {LARGEST} bytes"));
        return Err(failure.hint("a value of a declaration is sent whole; change it part by part"));
    }
    Ok(text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).to_owned()).unwrap_or(text))
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
        assert_eq!(text_of(&format!("@{}", path.display())).unwrap(), "{\"a\":1}");
        assert_eq!(text_of("@/nowhere/at/all").unwrap_err().exit_code(), 2);
        assert_eq!(text_of("plain").unwrap(), "plain");
    }

    #[test]
    fn a_file_without_an_end_is_refused_and_not_read_to_it() {
        let failure = text_of("@/dev/zero").unwrap_err();
        assert_eq!(failure.exit_code(), 2);
    }
}
