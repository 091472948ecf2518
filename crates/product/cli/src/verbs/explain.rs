//! `explain`: why a call was refused, and the one setting to change.
//!
//! Decides that a journal file takes the place of a lab: none is looked for, and what only a world could tell is missing,
//! as the explanation itself says.

use std::path::Path;

use mocktenant_server::client::read_json;
use serde_json::json;

use crate::args::{Common, Explain};
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, encoded, refusal};
use crate::{console, journal_file};

/// Exits 0 if there is something to change, 1 if not or if the journal has no such exchange.
pub(crate) async fn run(common: &Common, explain: Explain) -> Outcome {
    if let Some(file) = &explain.journal {
        return from_file(file, &explain);
    }
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

/// The same from a journal file.
fn from_file(file: &Path, explain: &Explain) -> Outcome {
    let journal = journal_file::read(file)?;
    for note in &journal.notes {
        console::note(note);
    }
    let Some(explanation) = mocktenant_diagnosis::explain_records(&journal.tree, &explain.what) else {
        let name = file.display();
        let what = match explain.what.as_str() {
            "last" => format!("nothing was refused in {name}"),
            what => format!("{name} has no exchange {}", console::harmless(what)),
        };
        return Err(Failure::new(Exit::Finding, what));
    };
    if explain.json {
        console::line(&format!("{:#}", json!(explanation)))?;
    } else {
        console::line(&console::harmless_lines(&explanation.to_text()))?;
    }
    Ok(u8::from(!explanation.explained()))
}
