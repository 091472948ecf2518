//! `explain`: why a call was refused, and the one setting to change.
//!
//! Decides that a journal file takes the place of a lab: none is looked for, and what only a world could tell is missing,
//! as the explanation itself says. A token that is to be judged is read from a file or stdin, never from the command line.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};
use http::{Method, StatusCode};
use mocktenant_server::client::read_json;
use serde_json::json;

use crate::args::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, encoded, flags, refusal};
use crate::screen::{Paint, Screen};
use crate::{console, journal_file};

/// `explain`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Exits 0 if there is something to explain, 1 if not, 2 if the journal file cannot be read.
With --at: 0 if the token would be accepted, 1 if not.

With --journal no lab is needed. The file is what `serve --journal-file` wrote, or `journal --json` printed. The world
the lab had is not in it: the cause is the deciding check's own advice, without file and line and without a change to
send, and the output says so (`world: false` in JSON).

Examples:
  mocktenant explain                            the last refusal
  mocktenant explain x-01JD7N                   this exchange (header x-mocktenant-exchange)
  mocktenant explain 4f1f2a0e-...               the answer that carried this request, trace or correlation id
  mocktenant explain --all                      with the checks that passed
  mocktenant explain --json | jq .cause.change  the change as RFC 6902
  mocktenant explain --journal lab.jsonl        the last refusal of a lab that is gone
  echo $TOKEN | mocktenant explain --at onebox  what the AOS asks of this token, without a call
  mocktenant explain --at dataverse --file token.txt
  mocktenant explain --at entra --file assertion.jwt
                                                a client assertion, as Entra judges it")]
pub(crate) struct Explain {
    /// An exchange id, a request, trace, correlation or activity id, or `last`
    #[arg(value_name = "WHAT", default_value = "last")]
    pub(crate) what: String,

    /// Read this journal file instead of asking a running lab
    #[arg(long, value_name = "FILE", env = "MOCKTENANT_JOURNAL")]
    pub(crate) journal: Option<PathBuf>,

    /// Judge a token from stdin here, without a call: `entra` (a client assertion), `dataverse`, `aos`, or the short name of an
    /// environment or organisation
    #[arg(long, value_name = "PLACE", env = "MOCKTENANT_AT", conflicts_with_all = ["what", "journal", "all"])]
    pub(crate) at: Option<String>,

    /// With --at: the file that holds the token
    #[arg(long, value_name = "FILE", env = "MOCKTENANT_FILE", requires = "at")]
    pub(crate) file: Option<PathBuf>,

    /// Show every check, not only those that failed
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_ALL")]
    pub(crate) all: bool,

    /// Print JSON: exchange, symptom, checks, cause and also, as docs/explain.md has it
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_JSON")]
    pub(crate) json: bool,
}

/// More of a token is not read: no product takes one of that length.
const LONGEST: u64 = 256 * 1024;

/// What to do about an id nobody knows.
const UNKNOWN: &str = "mocktenant journal --failed lists the refusals with their ids; an answer carries its id in the header \
    x-mocktenant-exchange, and a reset or a restart of the lab forgets it";

/// Exits 0 if there is something to change, 1 if not or if the journal has no such exchange.
pub(crate) async fn run(common: &Common, explain: Explain) -> Outcome {
    if let Some(file) = &explain.journal {
        return from_file(file, &explain);
    }
    if let Some(place) = &explain.at {
        return at(common, place, &explain).await;
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

/// What the product at that place says to a token, read before any lab is asked. Exits 0 if it would accept it, 1 if not.
async fn at(common: &Common, place: &str, explain: &Explain) -> Outcome {
    let token = presented(explain.file.as_deref())?;
    let lab = LabAt::find(common).await?;
    let format = if explain.json { "json" } else { "text" };
    let body = json!({ "at": place, "token": token });
    let reply = lab.try_write(Method::POST, &format!("/v1/explain?format={format}"), &body).await?;
    if !reply.status.is_success() {
        return Err(refusal(&reply));
    }
    if explain.json {
        console::line(&format!("{:#}", read_json(&reply).unwrap_or_default()))?;
    } else {
        console::line(&shown(&String::from_utf8_lossy(&reply.body), &flags(common), Screen::of_stdout()))?;
    }
    let refused = reply.headers.get("x-mocktenant-refused");
    Ok(u8::from(refused.is_some_and(|refused| refused.as_bytes() == b"true")))
}

/// The token of a file or of stdin, without what a header has before it.
fn presented(file: Option<&Path>) -> Result<String, Failure> {
    let mut text = String::new();
    let (name, read) = match file {
        Some(file) => {
            let read = File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
            (file.display().to_string(), read)
        }
        None => ("stdin".to_owned(), io::stdin().lock().take(LONGEST).read_to_string(&mut text)),
    };
    read.map_err(|error| Failure::new(Exit::Usage, format!("{name} cannot be read")).because(&error))?;
    let text = text.trim();
    let bare = text.split_once(char::is_whitespace);
    let token =
        bare.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map_or(text, |(_, rest)| rest);
    match token.trim() {
        "" => Err(Failure::new(Exit::Usage, format!("there is no token in {name}"))
            .hint("mocktenant token | mocktenant explain --at onebox")),
        token => Ok(token.to_owned()),
    }
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
