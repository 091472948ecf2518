//! Environments: restarting one, as IISRESET would.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::{Command, Lab, Site};
use serde_json::json;

use crate::ControlState;
use crate::problem::{Problem, ok};
use crate::scenarios::apply;

/// `POST /v1/environments/{id}/restart`: `{restarted, start, failed}` once it read its configuration again.
///
/// `start` is the exchange id of that start. `failed` is the check that kept the environment from starting, `null` if
/// it runs: the restart itself was done, so the status is 200 either way.
pub(crate) async fn restart(
    State(state): State<ControlState>,
    Path(environment): Path<String>,
) -> Result<Response, Problem> {
    let restarted = environment.clone();
    apply(&state, Command::Restart { environment }).await?;
    let start = last_start(&state.lab, &Site::environment(&restarted));
    Ok(ok(&json!({
        "restarted": restarted,
        "start": start.as_ref().map(|start| &start.id),
        "failed": start.as_ref().and_then(|start| start.failed_check()),
    })))
}

/// The newest start of a site, unless the journal has already pushed it out.
fn last_start(lab: &Lab, site: &Site) -> Option<Arc<Record>> {
    let records = lab.journal().records();
    records.into_iter().rev().find(|record| record.kind == Kind::Start && record.site.as_ref() == Some(site))
}
