//! Which setting of a running lab a person means.
//!
//! Decides that a name has to mean exactly one setting, and what is said where it does not. Which settings a name means is
//! the lab's answer.

use mocktenant_server::client::read_json;
use serde_json::Value;

use crate::args::Common;
use crate::console::{harmless, quoted};
use crate::failure::{Exit, Failure};
use crate::find_lab::{LabAt, encoded, flags};

/// What a name stands for.
pub(crate) enum Named {
    /// A setting that is there, by its pointer.
    There(String),
    /// One that could be declared.
    New {
        /// Its pointer.
        pointer: String,
        /// Whether any name could be added beside it: then it is one only if somebody says so.
        entry: bool,
        /// The nearest name that is there.
        nearest: Option<String>,
    },
}

/// Asks the lab. `Err` where several are meant, or none and nothing could be.
pub(crate) async fn named(lab: &LabAt, name: &str) -> Result<Named, Failure> {
    if name.is_empty() {
        return Ok(Named::There(String::new()));
    }
    let name = &as_it_is(name);
    let reply = lab.get(&format!("/v1/world?find={}", encoded(name))).await?;
    let document = read_json(&reply).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let settings: Vec<String> = document["settings"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(text)
        .collect();
    let nearest = text(&document["nearest"]);
    match (settings.as_slice(), text(&document["new"]["pointer"])) {
        ([one], _) => Ok(Named::There(one.clone())),
        ([], Some(pointer)) => {
            Ok(Named::New { pointer, entry: document["new"]["entry"] == Value::Bool(true), nearest })
        }
        ([], None) => Err(missing(name, nearest.as_deref())),
        (several, _) => Err(ambiguous(name, several)),
    }
}

/// A name as it is, where it was written as we show it: what nobody sees as `\u{200e}`, which a person can paste.
fn as_it_is(name: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(name.len()), name);
    while let Some(at) = rest.find("\\u{") {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let end = escape.find('}').map_or(escape.len(), |end| end + 1);
        let (escape, after) = escape.split_at(end);
        let hidden = escape
            .strip_prefix("\\u{")
            .and_then(|escape| u32::from_str_radix(escape.strip_suffix('}')?, 16).ok());
        match hidden.and_then(char::from_u32) {
            // Only what would be shown so: anything else may be a name of its own.
            Some(hidden) if harmless(hidden.encode_utf8(&mut [0; 4])) == escape => text.push(hidden),
            _ => text.push_str(escape),
        }
        rest = after;
    }
    text + rest
}

/// The pointer of a setting that is there.
pub(crate) async fn there(lab: &LabAt, name: &str) -> Result<String, Failure> {
    match named(lab, name).await? {
        Named::There(pointer) => Ok(pointer),
        Named::New { nearest, .. } => Err(missing(name, nearest.as_deref())),
    }
}

/// Nothing of this name.
pub(crate) fn missing(name: &str, nearest: Option<&str>) -> Failure {
    let failure = Failure::new(Exit::Finding, format!("there is no setting {}", harmless(name)));
    match nearest {
        Some(nearest) => failure.hint(format!("did you mean `{}`?", harmless(nearest))),
        None => failure.hint("mocktenant get world shows every setting"),
    }
}

fn ambiguous(name: &str, several: &[String]) -> Failure {
    let what = format!("{} settings are called {}", several.len(), harmless(name));
    let mut failure = Failure::new(Exit::Usage, what);
    for one in several {
        failure = failure.cause(one.clone());
    }
    failure.hint("give the whole pointer, or put what is above it in front: onebox/NAME")
}

/// The lines that tell a change: what it was and is, and what has to be restarted for it to count.
pub(crate) fn told(done: &str, pointer: &str, applied: &Value, common: &Common) -> Vec<String> {
    let edit = &applied["edits"][0];
    let mut lines = vec![format!("{done} {}", harmless(pointer))];
    lines.extend(match (&edit["before"], &edit["after"]) {
        (Value::Null, Value::Null) => None,
        (Value::Null, after) => Some(format!("  {}", shown(after))),
        (before, Value::Null) => Some(format!("  was {}", shown(before))),
        (before, after) if before == after => Some(format!("  {}, as it was", shown(after))),
        (before, after) => Some(format!("  {} -> {}", shown(before), shown(after))),
    });
    for environment in applied["restart"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let environment = quoted(&harmless(environment.as_str().unwrap_or_default()));
        let restart = format!("mocktenant restart {environment}{}", flags(common));
        lines.push(format!("read at start only, so it counts after: {restart}"));
    }
    lines
}

/// A value on one line: a text as it is.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => harmless(text).into_owned(),
        other => harmless(&other.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_taken_as_we_show_it() {
        for name in ["/a/\u{200e}3C0D", "\u{202e}a\u{feff}/b", "plain", "a\u{7f}"] {
            assert_eq!(as_it_is(&harmless(name)), name);
        }
        for name in ["\\u{41}", "\\u{", "\\u{zz}", "\\u{110000}", "a\\b", "\\u{20000000e}"] {
            assert_eq!(as_it_is(name), name, "nothing that we would show so");
        }
    }
}
