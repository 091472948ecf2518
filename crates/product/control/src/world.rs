//! The declaration: read whole or by pointer, changed by RFC 6902.
//!
//! Decides nothing about what may be declared; carries the world's own problems with their pointers. Says which
//! environment has to be restarted before a change counts, because that is what people forget.

use std::collections::HashSet;

use axum::extract::{Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use mocktenant_lab::Command;
use mocktenant_patch as patch;
use mocktenant_patch::short_name::{self, Found};
use mocktenant_verdict::Setting;
use mocktenant_world::pointers::reader_at_start;
use mocktenant_world::{Edit, EditedBy, Operation, Origin, World, place};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{Located, Problem, ok};
use crate::scenarios::apply_if;
use crate::tag::{self, Condition};
use crate::{ControlState, body};

/// Edits whose values are told.
const TOLD: usize = 20;

/// Query of [`get`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// RFC 6901 pointer to one value.
    #[serde(default)]
    pointer: Option<String>,
    /// Instead: what a person means by a short name, or by a pointer in another spelling.
    #[serde(default)]
    find: Option<String>,
    /// Whether secrets are hidden.
    #[serde(default)]
    masked: bool,
}

/// `GET /v1/world`: the declaration. With `?pointer=/a/b`: `{pointer, value, origin, place, restart}`; with `&masked=true`
/// secrets are hidden in it. With `?find=NAME`: `{name, settings, nearest, new}`. `ETag` names the state of the whole world
/// either way.
pub(crate) async fn get(
    State(state): State<ControlState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let (world, revision) = state.lab.world_and_revision();
    let masked = |value: &Value| if asked.masked { state.lab.mask().all(value) } else { value.clone() };
    if let Some(name) = &asked.find {
        let mut response = ok(&found(&world, name));
        tag::put(&state, revision, response.headers_mut());
        return Ok(response);
    }
    let Some(pointer) = asked.pointer else {
        let mut response = ok(&masked(&world.view()));
        tag::put(&state, revision, response.headers_mut());
        return Ok(response);
    };
    let setting = Setting::from_pointer(pointer);
    let Some(value) = world.read(&setting) else { return Err(missing(&world, &setting)) };
    let mut response = ok(&json!({
        "pointer": setting,
        "value": masked(&value),
        "origin": origin(&world, &setting),
        "place": place(&setting, &world),
        "restart": reader_at_start(&setting),
    }));
    tag::put(&state, revision, response.headers_mut());
    Ok(response)
}

/// What a name means: the settings that are there, and where none is, the nearest name and how a new one would be declared.
/// `new.entry` says that any name can be added there; otherwise only what the declaration knows can.
fn found(world: &World, name: &str) -> Value {
    let view = world.view();
    let Found { settings, nearest } = short_name::find(&view, name);
    let new = || {
        let (above, last) = name.rsplit_once('/')?;
        let parent = match (above.is_empty(), short_name::find(&view, above).settings.as_slice()) {
            (true, _) => Setting::from_pointer(String::new()),
            (false, [parent]) => parent.clone(),
            _ => return None,
        };
        let last = Setting::from_pointer(format!("/{last}")).segments().next()?;
        let open = match patch::value_at(&view, parent.as_str())? {
            Value::Object(_) => world.is_open(&parent),
            Value::Array(_) => false,
            _ => return None,
        };
        Some(json!({ "pointer": parent.join(&last), "entry": open }))
    };
    let new = if settings.is_empty() { new() } else { None };
    json!({ "name": name, "settings": settings, "nearest": nearest, "new": new })
}

/// Nothing is there; the world itself says what is nearest.
fn missing(world: &World, setting: &Setting) -> Problem {
    let test = Edit { op: Operation::Test, path: setting.clone(), from: None, value: Some(Value::Null) };
    let error = world.edited(&[test], EditedBy::Control).err();
    match error.as_ref().and_then(|error| error.problems().first()) {
        Some(problem) => Problem::missing(setting, problem.message.clone(), problem.hint.clone()),
        None => Problem::missing(setting, String::from("there is no such value"), None),
    }
}

fn origin(world: &World, setting: &Setting) -> Value {
    match world.origin(setting) {
        Origin::File { file, line, column } => {
            json!({ "from": "file", "file": file, "line": line, "column": column })
        }
        Origin::Control => json!({ "from": "control" }),
        Origin::Scenario(name) => json!({ "from": "scenario", "scenario": name }),
        Origin::Default => json!({ "from": "default" }),
        Origin::Assumed => json!({ "from": "assumed" }),
    }
}

/// `PATCH /v1/world`: RFC 6902, all edits or none; `restart` names the environments, or their nodes, that read something of it at start,
/// `edits` has each edited value as it was and as it is, secrets hidden.
/// With `If-Match` only if the world still is what the caller has seen, else 412.
pub(crate) async fn patch(
    State(state): State<ControlState>,
    headers: HeaderMap,
    body: body::Whole,
) -> Result<Response, Problem> {
    let edits = edits(body::json(body)?)?;
    let (mut restart, mut known) = (Vec::new(), HashSet::new());
    for edit in &edits {
        for setting in std::iter::once(&edit.path).chain(&edit.from) {
            if let Some(environment) = reader_at_start(setting)
                && known.insert(environment.clone())
            {
                restart.push(environment);
            }
        }
    }
    let count = edits.len();
    // The rest of a long patch is not told value by value.
    let told: Vec<Setting> = edits.iter().map(|edit| edit.path.clone()).take(TOLD).collect();
    let before = state.lab.world();
    let command = Command::Edit { edits, by: EditedBy::Control };
    let applied = apply_if(&state, Condition::read(&headers), command).await?;
    let is_there = |reader: &String| {
        let environment = reader.split_once('/').map_or(&**reader, |(environment, _)| environment);
        applied.world.environment(environment).is_some()
    };
    restart.retain(is_there);
    let mask = state.lab.mask();
    let shown = |world: &World, setting: &Setting| world.get(setting).map(|value| mask.all(value));
    let told: Vec<Value> = told
        .iter()
        .map(|path| json!({ "path": path, "before": shown(&before, path), "after": shown(&applied.world, path) }))
        .collect();
    let document = json!({
        "applied": count,
        "generation": applied.world.generation(),
        "restart": restart,
        "edits": told,
    });
    let mut response = ok(&document);
    tag::put(&state, applied.revision, response.headers_mut());
    Ok(response)
}

fn edits(document: Value) -> Result<Vec<Edit>, Problem> {
    let Value::Array(operations) = document else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the body must be a list of RFC 6902 operations"));
    };
    let mut edits = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        let edit = Edit::deserialize(operation).map_err(|error| {
            let located = Located { pointer: format!("/{index}"), detail: error.to_string(), hint: None };
            Problem::new(StatusCode::BAD_REQUEST, format!("operation {} is no RFC 6902 operation", index + 1))
                .error(located)
        })?;
        edits.push(edit);
    }
    Ok(edits)
}
