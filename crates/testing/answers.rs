//! Answers that the benches of the products get, kept in a folder for Microsoft's own OData library.
//!
//! Decides that an answer is kept where `MOCKTENANT_KEEP_ODATA_ANSWERS` names a folder, as one file each: a line of JSON about it, then its
//! body. The acceptance suite's `tests/dotnet/answers.rs` has them read and written anew. Never looks at an answer itself, and does
//! nothing without the variable. A module of both benches, which share no crate.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

/// The variable that names the folder.
const VARIABLE: &str = "MOCKTENANT_KEEP_ODATA_ANSWERS";

/// Keeps an answer to a request, where that is asked for.
pub(crate) fn keep(method: &Method, url: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let Some(folder) = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) else { return };
    let Ok(body) = std::str::from_utf8(body) else { return };
    let headers: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let head = json!({"method": method.as_str(), "url": url, "status": status.as_u16(), "headers": headers});
    let mut hasher = DefaultHasher::new();
    (url, status.as_u16(), body).hash(&mut hasher);
    let file = PathBuf::from(folder).join(format!("{:016x}", hasher.finish()));
    let written = std::fs::write(&file, format!("{head}\n{body}"));
    assert!(written.is_ok(), "{}: {written:?}", file.display());
}
