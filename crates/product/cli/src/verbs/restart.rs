//! `restart`: an environment reads its configuration again, as IISRESET would.

use http::Method;
use serde_json::json;

use crate::args::{Common, Restart};
use crate::console;
use crate::failure::Outcome;
use crate::find_lab::{LabAt, encoded};

/// Waits until the environment has started.
pub(crate) async fn run(common: &Common, restart: Restart) -> Outcome {
    let lab = LabAt::find(common).await?;
    let environment = encoded(&restart.environment).replace('/', "%2F");
    lab.write(Method::POST, &format!("/v1/environments/{environment}/restart"), &json!({})).await?;
    console::line(&format!("restarted {}", console::harmless(&restart.environment)))?;
    Ok(0)
}
