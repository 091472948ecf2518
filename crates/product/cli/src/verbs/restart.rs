//! `restart`: an environment reads its configuration again, as IISRESET would.
//!
//! Decides that an environment which did not start is a finding: every call to it is an error page until a restart
//! succeeds.

use http::{Method, StatusCode};
use mocktenant_server::client::read_json;
use serde_json::{Value, json};

use crate::args::{Common, Restart};
use crate::console::{self, harmless};
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, encoded_segment, refusal};

/// Waits until the environment, or one node of it, has started. Exits 1 if it did not start, 2 if there is none of that
/// name.
pub(crate) async fn run(common: &Common, restart: Restart) -> Outcome {
    let lab = LabAt::find(common).await?;
    let restart = restart.split();
    let environment = encoded_segment(&restart.environment);
    let node = restart.node.as_deref().map(|node| format!("?node={}", encoded_segment(node)));
    let path = format!("/v1/environments/{environment}/restart{}", node.unwrap_or_default());
    let reply = lab.try_write(Method::POST, &path, &json!({})).await?;
    match reply.status {
        StatusCode::NOT_FOUND => return Err(refusal(&reply).with_exit(Exit::Usage)),
        status if !status.is_success() => return Err(refusal(&reply)),
        _ => {}
    }
    let document = read_json(&reply).unwrap_or_default();
    if let Some(failure) = not_started(&restart.environment, &document) {
        return Err(failure);
    }
    let node = restart.node.map(|node| format!("/{node}")).unwrap_or_default();
    console::line(&format!("restarted {}", harmless(&format!("{}{node}", restart.environment))))?;
    Ok(0)
}

impl Restart {
    /// With the node apart, where it was written behind its environment.
    fn split(self) -> Self {
        let Some((environment, node)) = self.environment.split_once('/').filter(|_| self.node.is_none())
        else {
            return self;
        };
        Self { environment: environment.to_owned(), node: Some(node.to_owned()) }
    }
}

/// The start's failed check as a failure, if it has one.
fn not_started(environment: &str, document: &Value) -> Option<Failure> {
    let failed = document.get("failed").filter(|failed| !failed.is_null())?;
    let member = |name: &str| failed[name].as_str().unwrap_or_default();
    let failure = Failure::new(
        Exit::Finding,
        format!(
            "{environment} did not start: {}: expected {}, got {}",
            member("name"),
            member("expected"),
            member("actual")
        ),
    );
    Some(match document["start"].as_str() {
        Some(start) => failure.hint(format!("mocktenant explain {start}")),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_failed_is_a_finding_and_says_where_to_look() {
        let failed = json!({ "name": "metadata-reachable", "expected": "200", "actual": "a\nhint: b" });
        let document = json!({ "restarted": "onebox", "start": "x-1", "failed": failed });
        let failure = not_started("onebox", &document).unwrap();
        assert_eq!(failure.exit_code(), 1);
        assert_eq!(
            failure.to_string(),
            "error: onebox did not start: metadata-reachable: expected 200, got a\n    hint: b\nhint: mocktenant explain x-1"
        );
        assert!(not_started("onebox", &json!({ "restarted": "onebox", "failed": null })).is_none());
    }
}
