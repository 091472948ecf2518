//! `events`: what the event logs of AD FS and of an AOS say, as Event Viewer would show it.
//!
//! Decides which of the forms of an event is printed, and that one follows the other at a blank line where they have several
//! lines. Which events there are is the lab's.

use clap::builder::{FalseyValueParser, PossibleValuesParser};
use clap::{ArgAction, Args, ValueEnum};
use mocktenant_server::client::read_json;
use serde_json::Value;

use crate::args::Common;
use crate::console;
use crate::failure::{Failure, Outcome};
use crate::find_lab::{LabAt, encoded};

/// `events`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
AD FS tells a client little and its log more. `AD FS/Admin` has 1021 where OAuth refused
the client, its credential, the resource or a scope; 111, 1000 and 364 in a row where the
user was refused; 364 for a page. `Security` has the audits: 1200 and 1201 of a token,
1202, 1203 and 411 of a credential. One Activity ID ties them to each other, to the page
and to the exchange. An AOS on-premises has a log of its own, `aos`: why a node did not
start, and what is wrong with an id_token, in the words of Microsoft's token library
(IDX...). Times are UTC.

Examples:
  mocktenant events                             all logs, as Event Viewer copies them
  mocktenant events --log admin --follow        what goes wrong from now on
  mocktenant events --log aos                   what a node says of a start or a sign-in
  mocktenant events --activity 6f0c1a52-...     the events of one request
  mocktenant events --format xml                event XML, as wevtutil prints it
  mocktenant explain 6f0c1a52-...               the setting behind that Activity ID")]
pub(crate) struct Events {
    /// Only this log: `AD FS/Admin`, the audits of `Security`, or that of an AOS on-premises
    #[arg(long, value_name = "LOG", value_parser = PossibleValuesParser::new(["admin", "security", "aos"]), env = "MOCKTENANT_EVENT_LOG")]
    pub(crate) log: Option<String>,

    /// Only with this Activity ID
    #[arg(long, value_name = "ID", env = "MOCKTENANT_EVENT_ACTIVITY")]
    pub(crate) activity: Option<String>,

    /// Show what is logged from now on, until stopped; what was logged before is not shown
    #[arg(long, short, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_FOLLOW")]
    pub(crate) follow: bool,

    /// How an event is printed
    #[arg(long, value_enum, default_value_t, env = "MOCKTENANT_EVENT_FORMAT")]
    pub(crate) format: Format,
}

/// How an event is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The block of text that Event Viewer copies.
    #[default]
    Text,
    /// Event XML, one element after the other.
    Xml,
    /// One JSON object per line, as GET /v1/events gives it.
    Json,
}

/// Events asked for at once.
const PAGE: usize = 200;
/// How long one call waits for the next event, in seconds.
const WAIT: u32 = 20;

/// Prints what there is; with `--follow`, what is logged from now on until stopped or until nobody reads.
pub(crate) async fn run(common: &Common, events: Events) -> Outcome {
    let lab = LabAt::find(common).await?;
    let mut wanted = String::new();
    for (name, value) in [("log", &events.log), ("activity", &events.activity)] {
        if let Some(value) = value {
            wanted.extend(["&", name, "=", &encoded(value)]);
        }
    }
    let mut since = if events.follow { newest(&lab).await? } else { 0 };
    let wait = if events.follow { WAIT } else { 0 };
    let mut first = true;
    loop {
        let path = format!("/v1/events?since={since}&limit={PAGE}&wait={wait}{wanted}");
        let page = read_json(&lab.get(&path).await?).unwrap_or_default();
        let found = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        for event in found {
            let between = if first || events.format != Format::Text { "" } else { "\n" };
            first = false;
            match console::line(&format!("{between}{}", printed(event, events.format))) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(0),
                printed => printed.map_err(Failure::from)?,
            }
        }
        since = page["next"].as_u64().unwrap_or(since);
        if !events.follow && found.len() < PAGE {
            return Ok(0);
        }
    }
}

/// The number of the newest event of any log.
async fn newest(lab: &LabAt) -> Result<u64, Failure> {
    let page = read_json(&lab.get("/v1/events?limit=1").await?).unwrap_or_default();
    Ok(page["next"].as_u64().unwrap_or(0))
}

fn printed(event: &Value, format: Format) -> String {
    let form = match format {
        Format::Text => event["text"].as_str(),
        Format::Xml => event["xml"].as_str(),
        Format::Json => None,
    };
    // JSON has no line ends of its own.
    form.map_or_else(|| event.to_string(), console::harmless_lines)
}
