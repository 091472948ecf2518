//! Environments: restarting one, as IISRESET would; its nodes and what they were started with; servicing it.
//!
//! Decides nothing of it: a start, what is pending, and what servicing takes away are the lab's.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::{Command, Lab, Machine};
use mocktenant_world::{EditedBy, servicing::taken_away};
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

/// `GET /v1/environments/{id}/nodes`: `{environment, nodes}`, each node with `state`, `start`, `failure` and `pending`.
pub(crate) async fn nodes(
    State(state): State<ControlState>,
    Path(environment): Path<String>,
) -> Result<Response, Problem> {
    let Some(nodes) = state.lab.nodes(&environment) else { return Err(nowhere(&state.lab, &environment)) };
    Ok(ok(&json!({ "environment": environment, "nodes": nodes })))
}

/// `GET /v1/environments/{id}/nodes/{node}/current`: `AXSF.Package.Current.xml` of the node, byte for byte: what its last start
/// wrote from `AXSF.Package.1.0.xml`.
pub(crate) async fn current(
    State(state): State<ControlState>,
    Path((environment, node)): Path<(String, String)>,
) -> Result<Response, Problem> {
    if state.lab.world().environment(&environment).is_none() {
        return Err(nowhere(&state.lab, &environment));
    }
    let machine = Machine::node(&environment, &node);
    let Some(file) = state.lab.started_with(&machine) else {
        let detail = format!("{machine} has no startup file that it was started with");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    Ok(([(header::CONTENT_TYPE, "application/xml")], file.bytes().to_vec()).into_response())
}

/// `POST /v1/environments/{id}/servicing`: what was edited on single nodes is gone, and all start again: `{serviced, reverted}`.
pub(crate) async fn servicing(
    State(state): State<ControlState>,
    Path(environment): Path<String>,
) -> Result<Response, Problem> {
    let before = state.lab.world();
    let (serviced, by) = (environment.clone(), EditedBy::Control);
    let applied = apply(&state, Command::Servicing { environment, by }).await?;
    let reverted = taken_away(&before, &applied.world);
    Ok(ok(&json!({ "serviced": serviced, "reverted": reverted, "generation": applied.world.generation() })))
}

fn nowhere(lab: &Lab, environment: &str) -> Problem {
    let world = lab.world();
    let known: Vec<String> = world.environments().map(|environment| environment.id.to_string()).collect();
    let shown: String = environment.escape_debug().take(80).collect();
    Problem::unknown(StatusCode::NOT_FOUND, &format!("no environment is called \"{shown}\""), &known)
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
