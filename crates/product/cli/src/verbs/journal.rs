//! `journal`: what happened, one line per exchange.

use mocktenant_server::client::read_json;
use serde_json::Value;

use crate::args::{Common, Journal};
use crate::console;
use crate::exchange_line::ExchangeLine;
use crate::failure::{Failure, Outcome};
use crate::find_lab::{LabAt, encoded};
use crate::screen::Screen;

/// Exchanges asked for at once.
const PAGE: usize = 500;
/// So many refusals are explained; the others name the command that does it.
const EXPLAINED: usize = 50;
/// How long one call waits for the next exchange, in seconds.
const WAIT: u32 = 20;

/// Prints what there is; with `--follow`, what happens from now on until stopped or until nobody reads.
pub(crate) async fn run(common: &Common, journal: Journal) -> Outcome {
    let lab = LabAt::find(common).await?;
    let screen = Screen::of_stdout();
    let failed = journal.failed;
    let mut since = if journal.follow { end(&lab).await? } else { 0 };
    let mut left = EXPLAINED;
    loop {
        let wait = if journal.follow { WAIT } else { 0 };
        let path = format!("/v1/journal?failed={failed}&since={since}&limit={PAGE}&wait={wait}");
        let page = read_json(&lab.get(&path).await?).unwrap_or_default();
        let records = page["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        for record in records {
            let printed = if journal.json {
                console::line(&record.to_string())
            } else {
                console::line(&told(&lab, record, screen, &mut left).await)
            };
            match printed {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(0),
                printed => printed.map_err(Failure::from)?,
            }
        }
        since = page["next"].as_u64().unwrap_or(since);
        if !journal.follow && records.len() < PAGE {
            return Ok(0);
        }
    }
}

/// Where the journal ends now.
async fn end(lab: &LabAt) -> Result<u64, Failure> {
    let mut since = 0;
    loop {
        let page = read_json(&lab.get(&format!("/v1/journal?since={since}&limit={PAGE}")).await?)
            .unwrap_or_default();
        since = page["next"].as_u64().unwrap_or(since);
        if page["records"].as_array().is_none_or(|records| records.len() < PAGE) {
            return Ok(since);
        }
    }
}

/// The line of a record, with its cause in the words of `explain` while there are any `left` to be asked for.
pub(crate) async fn told(lab: &LabAt, record: &Value, screen: Screen, left: &mut usize) -> String {
    // A newer lab may write what this program cannot read: then it is shown as it is.
    let Some(line) = ExchangeLine::from_json(record) else {
        return console::harmless(&record.to_string()).into_owned();
    };
    let cause = if line.is_told() && *left > 0 {
        *left -= 1;
        cause(lab, line.id()).await
    } else {
        None
    };
    line.with_cause(cause).to_text(screen)
}

/// What `explain` names; `None` where the lab does not say.
async fn cause(lab: &LabAt, id: &str) -> Option<String> {
    let reply = lab.ask(&format!("/v1/explain?format=text&what={}", encoded(id))).await.ok()?;
    let text = String::from_utf8_lossy(&reply.body);
    let line = text.lines().find_map(|line| line.strip_prefix("cause "))?;
    Some(line.trim_start().to_owned())
}
