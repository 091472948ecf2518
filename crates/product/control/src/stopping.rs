//! Machines are stopped and started.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::{Command, Stoppable};
use mocktenant_world::EditedBy;
use serde_json::{Value, json};

use crate::problem::{Problem, ok};
use crate::scenarios::apply;
use crate::{ControlState, body};

/// `POST /v1/stop` with `{"of": "..."}`: nobody is answered there any more.
pub(crate) async fn stop(State(state): State<ControlState>, body: body::Whole) -> Result<Response, Problem> {
    run_or_stop(&state, body, |of, by| Command::Stop { of, by }).await
}

/// `POST /v1/start` with `{"of": "..."}`: it answers again.
pub(crate) async fn start(State(state): State<ControlState>, body: body::Whole) -> Result<Response, Problem> {
    run_or_stop(&state, body, |of, by| Command::Start { of, by }).await
}

async fn run_or_stop(
    state: &ControlState,
    body: body::Whole,
    command: fn(String, EditedBy) -> Command,
) -> Result<Response, Problem> {
    let document = body::json(body)?;
    let of = match &document {
        Value::Object(members) if members.len() == 1 => members.get("of").and_then(Value::as_str),
        _ => None,
    };
    let Some(of) = of else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the body must be {\"of\": \"<machine>\"}"));
    };
    let before = state.lab.world();
    let applied = apply(state, command(of.to_owned(), EditedBy::Control)).await?;
    let world = &applied.world;
    let machine = Stoppable::named(world, of);
    let is_stopped = |world| machine.as_ref().is_some_and(|machine| machine.is_stopped(world));
    Ok(ok(&json!({
        "machine": machine.as_ref().map(Stoppable::to_string),
        "stopped": is_stopped(world),
        "changed": is_stopped(world) != is_stopped(&before),
        "generation": world.generation(),
    })))
}
