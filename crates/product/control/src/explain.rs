//! The explanation of an exchange, as JSON (a stable contract) or as the text a terminal shows.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::ControlState;
use crate::problem::{Problem, ok};

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
    // Nothing a world says: without it, "mended since" would be all there is to say of a call that TLS ended.
    let ca = state.ca.health().await;
    Ok(match asked.format {
        Format::Json => {
            let mut document = json!(explanation);
            if ca.trouble.is_some() {
                document["ca"] = ca.document();
            }
            ok(&document)
        }
        // The one member a terminal needs beyond the text: whether there was something to explain.
        Format::Text => {
            let explained = if explanation.explained() { "true" } else { "false" };
            let mut text = explanation.to_text(asked.all);
            if let Some(trouble) = ca.trouble {
                text = format!("the lab itself is unwell: {trouble}\n\n{text}");
            }
            ([("x-mocktenant-explained", explained)], text).into_response()
        }
    })
}
