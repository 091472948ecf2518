//! The explanation of an exchange, or of a token that somebody hands in, as JSON (a stable contract) or as the text a terminal shows.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mocktenant_diagnosis::Explanation;
use serde::Deserialize;
use serde_json::json;

use crate::problem::{Problem, ok};
use crate::{ControlState, body};

/// Query of [`get`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Exchange id, any id an answer carried, or `last` (the default): the last refusal.
    #[serde(default)]
    what: Option<String>,
    /// `json` (the default) or `text`.
    #[serde(default)]
    format: Format,
    /// As text: every check, not only those that failed.
    #[serde(default)]
    all: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Text,
}

/// `GET /v1/explain?what=<id|last>&format=<json|text>&all=<true|false>`; 404 if the journal has no such exchange.
pub(crate) async fn get(
    State(state): State<ControlState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let what = asked.what.as_deref().unwrap_or("last");
    let Some(explanation) = mocktenant_diagnosis::explain(&state.lab, what).await else {
        let detail = if what == "last" {
            String::from("nothing was refused since the lab began")
        } else {
            let shown: String = what.escape_debug().take(80).collect();
            format!("the journal has no exchange {shown}")
        };
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    Ok(shown(&state, asked.format, asked.all, &explanation).await)
}

/// Query of [`judge`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    /// `json` (the default) or `text`.
    #[serde(default)]
    format: Format,
}

/// Body of [`judge`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presented {
    at: String,
    token: String,
}

/// `POST /v1/explain?format=<json|text>` with `{"at": "<place>", "token": "<token>"}`: every check, whatever became of it.
pub(crate) async fn judge(
    State(state): State<ControlState>,
    Query(Shown { format }): Query<Shown>,
    body: body::Whole,
) -> Result<Response, Problem> {
    let presented: Presented = body::object(body, "{\"at\": \"<place>\", \"token\": \"<token>\"}")?;
    match mocktenant_diagnosis::judge(&state.lab, &presented.at, &presented.token).await {
        Ok(explanation) => Ok(shown(&state, format, true, &explanation).await),
        Err(unknown) => Err(Problem::new(StatusCode::NOT_FOUND, unknown.to_string())),
    }
}

/// Header field: whether what is explained was refused.
const REFUSED: &str = "x-mocktenant-refused";

async fn shown(state: &ControlState, format: Format, all: bool, explanation: &Explanation) -> Response {
    // Nothing a world says: without it, "mended since" would be all there is to say of a call that TLS ended.
    let ca = state.ca.health().await;
    let refused = if explanation.is_refused() { "true" } else { "false" };
    match format {
        Format::Json => {
            let mut document = json!(explanation);
            if ca.trouble.is_some() {
                document["ca"] = ca.document();
            }
            ([(REFUSED, refused)], ok(&document)).into_response()
        }
        // What a terminal needs beyond the text: whether there was something to explain.
        Format::Text => {
            let explained = if explanation.explained() { "true" } else { "false" };
            let mut text = explanation.to_text(all);
            if let Some(trouble) = ca.trouble {
                text = format!("the lab itself is unwell: {trouble}\n\n{text}");
            }
            ([("x-mocktenant-explained", explained), (REFUSED, refused)], text).into_response()
        }
    }
}
