//! `stop` and `start`: a machine of a running lab answers nobody, or answers again.
//!
//! Decides what is said of it. Which machine a name means, and what it is to be stopped, is the lab's answer.

use clap::Args;
use http::{Method, StatusCode};
use mocktenant_server::client::read_json;
use serde_json::{Value, json};

use crate::args::Common;
use crate::console::{self, harmless, quoted};
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, flags, refusal};

/// `stop`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What a client sees while AD FS does not run: its name refuses connections (502 through the
proxy), and its paths on localhost are closed without an answer. Where an environment is
stopped, 503 comes in the place of its AOS. What was being answered ends first. Everything
else goes on, and nothing is forgotten: users, sessions and keys are as they were when it
starts again; an AOS reads its files then. `mocktenant explain` names what is stopped.
Stopping twice changes nothing.

Examples:
  mocktenant stop adfs.contoso.com              a federation service, by host or short name
  mocktenant stop onprem                        an environment, by host or short name
  mocktenant get federation_services/contoso/stopped
  mocktenant start adfs.contoso.com             and back; a reset starts it too")]
pub(crate) struct Stop {
    /// An environment or a federation service, by host or short name
    #[arg(value_name = "MACHINE")]
    pub(crate) of: String,
}

/// `start`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Starts what `mocktenant stop` stopped, or what a world declares as stopped. Starting what
runs changes nothing.

Examples:
  mocktenant start adfs.contoso.com             a federation service, by host or short name
  mocktenant start onprem                       an environment, by host or short name")]
pub(crate) struct Start {
    /// An environment or a federation service, by host or short name
    #[arg(value_name = "MACHINE")]
    pub(crate) of: String,
}

/// Exits 2 if there is no such machine.
pub(crate) async fn stop(common: &Common, stop: Stop) -> Outcome {
    let (machine, changed) = sent(common, "/v1/stop", &stop.of).await?;
    if changed {
        console::line(&format!("{machine} is stopped"))?;
    } else {
        console::line(&format!("{machine} was stopped already"))?;
    }
    let of = quoted(&harmless(&stop.of));
    console::line(&format!("  it answers again after: mocktenant start {of}{}", flags(common)))?;
    Ok(0)
}

/// Exits 2 if there is no such machine.
pub(crate) async fn start(common: &Common, start: Start) -> Outcome {
    let (machine, changed) = sent(common, "/v1/start", &start.of).await?;
    let again = if changed { "runs again" } else { "runs already" };
    console::line(&format!("{machine} {again}"))?;
    Ok(0)
}

/// The machine that was meant, and whether anything was changed.
async fn sent(common: &Common, path: &str, of: &str) -> Result<(String, bool), Failure> {
    let lab = LabAt::find(common).await?;
    let reply = lab.try_write(Method::POST, path, &json!({ "of": of })).await?;
    match reply.status {
        StatusCode::NOT_FOUND => return Err(refusal(&reply).with_exit(Exit::Usage)),
        status if !status.is_success() => return Err(refusal(&reply)),
        _ => {}
    }
    let document = read_json(&reply).unwrap_or_default();
    let machine = harmless(document["machine"].as_str().unwrap_or_default()).into_owned();
    Ok((machine, document["changed"] == Value::Bool(true)))
}
