//! `get`: one declared value of a running lab, or a document of its control API.
//!
//! Decides that a noun of the control API comes before a setting of the same short name, and that secrets are hidden unless
//! they are asked for.

use mocktenant_server::client::read_json;
use serde_json::Value;

use crate::args::{Common, Get};
use crate::console;
use crate::failure::Outcome;
use crate::find_lab::{LabAt, encoded};
use crate::named::there;

/// Prints a text as it is, everything else as JSON.
pub(crate) async fn run(common: &Common, get: Get) -> Outcome {
    let lab = LabAt::find(common).await?;
    let masked = if get.show_secrets { "" } else { "&masked=true" };
    if mocktenant_server::control_nouns().any(|noun| noun == get.what) {
        let query = if get.what == "world" { masked.replace('&', "?") } else { String::new() };
        let reply = lab.get(&format!("/v1/{}{query}", get.what)).await?;
        console::line(&format!("{:#}", read_json(&reply).unwrap_or_default()))?;
        return Ok(0);
    }
    let pointer = there(&lab, &get.what).await?;
    let reply = lab.get(&format!("/v1/world?pointer={}{masked}", encoded(&pointer))).await?;
    let document = read_json(&reply).unwrap_or_default();
    match &document["value"] {
        Value::String(text) if !get.json => console::line(&console::harmless_lines(text))?,
        value if !get.json => console::line(&format!("{value:#}"))?,
        _ => console::line(&format!("{document:#}"))?,
    }
    Ok(0)
}
