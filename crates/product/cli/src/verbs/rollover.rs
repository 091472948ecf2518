//! `rollover`: the next token-signing key of an identity provider becomes the primary one.
//!
//! Decides what is said of it. Which key that is, is the lab's answer.

use http::{Method, StatusCode};
use mocktenant_server::client::read_json;
use serde_json::json;

use crate::args::{Common, Rollover};
use crate::console::{self, harmless};
use crate::failure::{Exit, Outcome};
use crate::find_lab::{LabAt, refusal};

/// Exits 1 if there is no key to roll over to, 2 if there is no such identity provider.
pub(crate) async fn run(common: &Common, rollover: Rollover) -> Outcome {
    let lab = LabAt::find(common).await?;
    let reply = lab.try_write(Method::POST, "/v1/rollover", &json!({ "of": rollover.of })).await?;
    match reply.status {
        StatusCode::NOT_FOUND => return Err(refusal(&reply).with_exit(Exit::Usage)),
        status if !status.is_success() => return Err(refusal(&reply)),
        _ => {}
    }
    let document = read_json(&reply).unwrap_or_default();
    let keys = document["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut keys = keys.iter().filter_map(|key| key.as_str());
    let rolled = harmless(document["rolled"].as_str().unwrap_or_default());
    console::line(&format!("{rolled} signs with {}", harmless(keys.next().unwrap_or_default())))?;
    for key in keys {
        console::line(&format!("  still published: {}", harmless(key)))?;
    }
    Ok(0)
}
