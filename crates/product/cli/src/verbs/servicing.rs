//! `servicing`: what was edited by hand on single nodes of an environment is gone, as after each servicing operation.
//!
//! Decides what is said of it. What that takes away is the lab's answer.

use clap::Args;
use http::{Method, StatusCode};
use mocktenant_server::client::read_json;
use serde_json::{Value, json};

use crate::args::Common;
use crate::console::{self, harmless};
use crate::failure::{Exit, Outcome};
use crate::find_lab::{LabAt, encoded_segment, refusal};

/// `servicing`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
AXSF.Package.1.0.xml can be edited by hand on a node, and so can a node's certificate
stores; the next servicing operation brings back what the environment was deployed with.
That is /environments/ID/axsf and /environments/ID/machine, which stay as they are; what
stands below /environments/ID/nodes/NODE/axsf and .../machine is gone, and all nodes
start again.

Examples:
  mocktenant set --new onprem/nodes/AOS_2/axsf/Aad.AADTenantId other   by hand, on one node
  mocktenant servicing onprem                                          and it is gone")]
pub(crate) struct Servicing {
    /// The environment's short name
    #[arg(value_name = "ENVIRONMENT", default_value = "onprem")]
    pub(crate) environment: String,
}

/// Exits 2 if there is no such environment.
pub(crate) async fn run(common: &Common, servicing: Servicing) -> Outcome {
    let lab = LabAt::find(common).await?;
    let path = format!("/v1/environments/{}/servicing", encoded_segment(&servicing.environment));
    let reply = lab.try_write(Method::POST, &path, &json!({})).await?;
    match reply.status {
        StatusCode::NOT_FOUND => return Err(refusal(&reply).with_exit(Exit::Usage)),
        status if !status.is_success() => return Err(refusal(&reply)),
        _ => {}
    }
    let document = read_json(&reply).unwrap_or_default();
    console::line(&format!("serviced {}", harmless(&servicing.environment)))?;
    let reverted = document["reverted"].as_array().map(Vec::as_slice).unwrap_or_default();
    for setting in reverted.iter().filter_map(Value::as_str) {
        console::line(&format!("  gone: {}", harmless(setting)))?;
    }
    if reverted.is_empty() {
        console::line("  nothing was edited on single nodes")?;
    }
    Ok(0)
}
