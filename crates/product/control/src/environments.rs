//! Environments: restarting one, as IISRESET would.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::{Command, Lab, Machine};
use serde::Deserialize;
use serde_json::json;

use crate::ControlState;
use crate::problem::{Problem, ok};
use crate::scenarios::apply;

/// Query of [`restart`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Only this node; all of them if none is named.
    #[serde(default)]
    node: Option<String>,
}

/// `POST /v1/environments/{id}/restart`: `{restarted, start, failed}` once its nodes, or the one named by `?node=`, read
/// their configuration again.
///
/// `start` is the exchange id of the last of these starts. `failed` is the check that kept a node from starting, `null` if
/// all run: the restart itself was done, so the status is 200 either way.
pub(crate) async fn restart(
    State(state): State<ControlState>,
    Path(environment): Path<String>,
    Query(Asked { node }): Query<Asked>,
) -> Result<Response, Problem> {
    let restarted = environment.clone();
    let before = state.lab.journal().records().last().map_or(0, |record| record.sequence);
    apply(&state, Command::Restart { environment, node }).await?;
    let starts = starts_since(&state.lab, before, &restarted);
    let shown = |start: &Arc<Record>| start.mask().all(&start.failed_check().cloned());
    let failed = starts.iter().find_map(shown);
    Ok(ok(&json!({
        "restarted": restarted,
        "start": starts.last().map(|start| &start.id),
        "failed": failed,
    })))
}

/// The starts of an environment's nodes after a sequence number, as far as the journal has not pushed them out already.
fn starts_since(lab: &Lab, before: u64, environment: &str) -> Vec<Arc<Record>> {
    let mut records = lab.journal().records();
    records.retain(|record| {
        let here = record.machine.as_ref().and_then(Machine::environment) == Some(environment);
        record.sequence > before && record.kind == Kind::Start && here
    });
    records
}
