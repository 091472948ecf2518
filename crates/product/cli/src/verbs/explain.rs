//! `explain`: why a call was refused, and the one setting to change.
//!
//! Decides that a journal file takes the place of a lab: none is looked for, and what only a world could tell is missing,
//! as the explanation itself says.

use std::path::Path;

use http::StatusCode;
use mocktenant_server::client::read_json;
use serde_json::json;

use crate::args::{Common, Explain};
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, encoded, flags, refusal};
use crate::screen::{Paint, Screen};
use crate::{console, journal_file};

/// What to do about an id nobody knows.
const UNKNOWN: &str = "mocktenant journal --failed lists the refusals with their ids; an answer carries its id in the header \
    x-mocktenant-exchange, and a reset or a restart of the lab forgets it";

/// Exits 0 if there is something to change, 1 if not or if the journal has no such exchange.
pub(crate) async fn run(common: &Common, explain: Explain) -> Outcome {
    if let Some(file) = &explain.journal {
        return from_file(file, &explain);
    }
    let lab = LabAt::find(common).await?;
    let format = if explain.json { "json" } else { "text" };
    let reply = lab
        .ask(&format!("/v1/explain?format={format}&all={}&what={}", explain.all, encoded(&explain.what)))
        .await?;
    if !reply.status.is_success() {
        return Err(match (reply.status, explain.what.as_str()) {
            (StatusCode::NOT_FOUND, "last") => {
                refusal(&reply).hint("mocktenant journal shows what was answered")
            }
            (StatusCode::NOT_FOUND, _) => refusal(&reply).hint(UNKNOWN),
            _ => refusal(&reply),
        });
    }
    let explained = if explain.json {
        let document = read_json(&reply).unwrap_or_default();
        console::line(&format!("{document:#}"))?;
        document.get("cause").is_some_and(|cause| !cause.is_null())
    } else {
        console::line(&shown(&String::from_utf8_lossy(&reply.body), &flags(common), Screen::of_stdout()))?;
        reply.headers.get("x-mocktenant-explained").is_some_and(|explained| explained.as_bytes() == b"true")
    };
    Ok(u8::from(!explained))
}

/// The text as the screen can show it: a line says by its first word what it is. What is to be pasted stays on its line,
/// with the `flags` that lead it to this lab.
fn shown(text: &str, flags: &str, screen: Screen) -> String {
    let mut pasted = false;
    let line = |line: &str| {
        let line = console::harmless(line);
        let tag = line.split_whitespace().next().unwrap_or_default();
        let below = match tag {
            "|" => "  | ",
            "FAILED" | "passed" | "skipped" | "no" => "             ",
            _ => "        ",
        };
        pasted = tag == "run" || (pasted && line.starts_with("        "));
        let paint = match tag {
            "cause" => Paint::Strong,
            "run" => Paint::Good,
            "|" | "FAILED" => Paint::Bad,
            "passed" | "skipped" | "no" => Paint::Faint,
            _ => Paint::Plain,
        };
        let (indent, words) = line.split_at(line.len() - line.trim_start().len());
        let wrapped = if pasted {
            format!("{line}{}", if words.starts_with("mocktenant ") { flags } else { "" })
        } else {
            screen.wrapped(indent, below, words)
        };
        let lines = wrapped.lines().map(|line| screen.paint(paint, line).into_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
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
        console::line(&shown(&explanation.to_text(explain.all), "", Screen::of_stdout()))?;
    }
    Ok(u8::from(!explanation.explained()))
}
