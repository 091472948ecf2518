//! Scenarios and the way back: break the lab as a scenario says, or return to the base world.

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::{Applied, Command, CommandError, Scope};
use mocktenant_scenario as scenario;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{Problem, ok};
use crate::tag::{self, Condition};
use crate::{ControlState, body};

/// Applies a command to its end, even if the caller goes away or the deadline passes half-way: a lab is never left
/// between two worlds.
pub(crate) async fn apply(state: &ControlState, command: Command) -> Result<Applied, Problem> {
    apply_if(state, Condition::Any, command).await
}

/// [`apply`], if the world is one that the caller means.
pub(crate) async fn apply_if(
    state: &ControlState,
    condition: Condition,
    command: Command,
) -> Result<Applied, Problem> {
    let state = state.clone();
    let applied = tokio::spawn(async move {
        let here = state.clone();
        let current = move |revision| condition.holds(&tag::of(&here, revision));
        match state.lab.apply_if(current, command).await {
            Err(CommandError::Stale { revision }) => Err(tag::stale(&tag::of(&state, revision))),
            applied => applied.map_err(Problem::from),
        }
    });
    match applied.await {
        Ok(applied) => applied,
        Err(_) => {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "mocktenant failed; please report this"))
        }
    }
}

/// `GET /v1/scenarios`, with this lab's names for their roles where it has somebody for each. What a scenario notes for
/// the documentation is not part of it.
pub(crate) async fn list(State(state): State<ControlState>) -> Response {
    let cast = state.lab.cast();
    let scenarios: Vec<Value> = scenario::all()
        .into_iter()
        .map(|scenario| {
            let scenario = cast.scenario(&scenario).unwrap_or(scenario);
            let mut document = json!({
                "name": scenario.name,
                "title": scenario.title,
                "symptom": scenario.symptom,
                "edits": scenario.edits,
                "after": scenario.after,
                "steps": scenario.steps,
            });
            if let Some(does) = scenario.does {
                document["does"] = json!(does);
            }
            if let Some(at) = &scenario.at {
                document["at"] = json!(at);
            }
            document
        })
        .collect();
    ok(&Value::Array(scenarios))
}

/// `PUT /v1/scenario` with `{"name": "..."}`: the base world, broken as the scenario says.
pub(crate) async fn put(State(state): State<ControlState>, body: body::Whole) -> Result<Response, Problem> {
    let document = body::json(body)?;
    let name = match &document {
        Value::Object(members) if members.len() == 1 => members.get("name").and_then(Value::as_str),
        _ => None,
    };
    let Some(name) = name else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the body must be {\"name\": \"<scenario>\"}"));
    };
    let applied = apply(&state, Command::Scenario { name: name.to_owned() }).await?;
    Ok(ok(&json!({ "scenario": name, "generation": applied.world.generation() })))
}

/// Query of [`reset`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// `tenant/<id>`, `federation-service/<name>`, `environment/<name>` or `organization/<name>`; the whole lab if none is named.
    #[serde(default)]
    scope: Option<Scope>,
}

/// `POST /v1/reset`: the base world, no records, no caches, an empty journal, no offset of a clock. With `?scope=` only
/// that of one tenant, federation service, environment or organisation, and the journal stays.
pub(crate) async fn reset(
    State(state): State<ControlState>,
    Query(Asked { scope }): Query<Asked>,
) -> Result<Response, Problem> {
    let applied = apply(&state, Command::Reset { scope }).await?;
    Ok(ok(&json!({ "generation": applied.world.generation() })))
}
