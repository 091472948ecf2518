//! `get`: one declared value of a running lab.

use mocktenant_server::client::read_json;
use serde_json::Value;

use crate::args::{Common, Get};
use crate::console;
use crate::failure::Outcome;
use crate::find_lab::{LabAt, encoded, is_pointer};

/// Prints a text as it is, everything else as JSON.
pub(crate) async fn run(common: &Common, get: Get) -> Outcome {
    is_pointer(&get.pointer)?;
    let lab = LabAt::find(common).await?;
    let reply = lab.get(&format!("/v1/world?pointer={}", encoded(&get.pointer))).await?;
    let document = read_json(&reply).unwrap_or_default();
    match &document["value"] {
        Value::String(text) if !get.json => console::line(&console::harmless_lines(text))?,
        value if !get.json => console::line(&format!("{value:#}"))?,
        _ => console::line(&format!("{document:#}"))?,
    }
    Ok(0)
}
