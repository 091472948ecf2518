//! `explain`: why a call was refused, and the one setting to change.

use mocktenant_server::client::read_json;

use crate::args::{Common, Explain};
use crate::console;
use crate::failure::Outcome;
use crate::find_lab::{LabAt, encoded, refusal};

/// Exits 0 if there is something to change, 1 if not or if the journal has no such exchange.
pub(crate) async fn run(common: &Common, explain: Explain) -> Outcome {
    let lab = LabAt::find(common).await?;
    let format = if explain.json { "json" } else { "text" };
    let reply = lab.ask(&format!("/v1/explain?format={format}&what={}", encoded(&explain.what))).await?;
    if !reply.status.is_success() {
        return Err(refusal(&reply));
    }
    let explained = if explain.json {
        let document = read_json(&reply).unwrap_or_default();
        console::line(&format!("{document:#}"))?;
        document.get("cause").is_some_and(|cause| !cause.is_null())
    } else {
        console::line(&console::harmless_lines(&String::from_utf8_lossy(&reply.body)))?;
        reply.headers.get("x-mocktenant-explained").is_some_and(|explained| explained.as_bytes() == b"true")
    };
    Ok(u8::from(!explained))
}
