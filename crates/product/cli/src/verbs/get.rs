//! `get`: one declared value of a running lab, or a document of its control API.
//!
//! Decides that a noun of the control API comes before a setting of the same short name, and that secrets are hidden unless
//! they are asked for; of the nodes of an environment it says how they are, and what each was started with.

use mocktenant_server::client::read_json;
use mocktenant_verdict::Setting;
use serde_json::Value;

use crate::args::{Common, Get};
use crate::console;
use crate::failure::Outcome;
use crate::find_lab::{LabAt, encoded, encoded_segment};
use crate::named::there;

/// What stands behind a node for the startup file that it was started with.
const CURRENT: &str = "/AXSF.Package.Current.xml";

/// The environment whose nodes a pointer is about, and what follows.
fn nodes_of(pointer: &str) -> Option<(String, Vec<String>)> {
    let setting = Setting::from_pointer(pointer.to_owned());
    let mut segments = setting.segments();
    let (environments, environment, nodes) = (segments.next()?, segments.next()?, segments.next()?);
    (environments == "environments" && nodes == "nodes").then(|| (environment, segments.collect()))
}

/// One line for each node: how it is, its last start, and what it read otherwise than it is now.
async fn nodes(lab: &LabAt, environment: &str, as_json: bool) -> Outcome {
    let reply = lab.get(&format!("/v1/environments/{}/nodes", encoded_segment(environment))).await?;
    let document = read_json(&reply).unwrap_or_default();
    if as_json {
        console::line(&format!("{document:#}"))?;
        return Ok(0);
    }
    for node in document["nodes"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let text = |name: &str| console::harmless(node[name].as_str().unwrap_or("-")).into_owned();
        let failure = node["failure"].as_str().map(|failure| format!("  {}", console::harmless(failure)));
        let line = format!(
            "{:<16} {:<12} start {}{}",
            text("node"),
            text("state"),
            text("start"),
            failure.unwrap_or_default()
        );
        console::line(line.trim_end())?;
        for setting in node["pending"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            console::line(&format!("  restart pending: {}", console::harmless(setting)))?;
        }
    }
    Ok(0)
}

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
    if let Some(node) = get.what.strip_suffix(CURRENT) {
        let pointer = there(&lab, node).await?;
        if let Some((environment, [node])) =
            nodes_of(&pointer).as_ref().map(|(of, rest)| (of, rest.as_slice()))
        {
            let (environment, node) = (encoded_segment(environment), encoded_segment(node));
            let file = lab.get(&format!("/v1/environments/{environment}/nodes/{node}/current")).await?;
            console::raw(&file.body)?;
            return Ok(0);
        }
    }
    let pointer = there(&lab, &get.what).await?;
    if let Some((environment, _)) = nodes_of(&pointer).filter(|(_, rest)| rest.is_empty()) {
        return nodes(&lab, &environment, get.json).await;
    }
    let reply = lab.get(&format!("/v1/world?pointer={}{masked}", encoded(&pointer))).await?;
    let document = read_json(&reply).unwrap_or_default();
    match &document["value"] {
        Value::String(text) if !get.json => console::line(&console::harmless_lines(text))?,
        value if !get.json => console::line(&format!("{value:#}"))?,
        _ => console::line(&format!("{document:#}"))?,
    }
    Ok(0)
}
