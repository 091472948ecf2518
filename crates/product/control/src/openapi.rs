//! The control API as an OpenAPI 3.1 document, made from the table of endpoints.

use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::endpoint::{Endpoint, JSON, Parameter};
use crate::endpoints;
use crate::problem::ok;

/// `GET /v1/openapi.json`.
pub(crate) async fn get() -> Response {
    ok(&document())
}

/// The document.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints::ALL {
        let methods = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        methods[endpoint.method] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mocktenant control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Reads and changes one running lab. Every write needs Content-Type: application/json.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Problem": {
                "type": "object",
                "description": "RFC 9457",
                "properties": {
                    "status": { "type": "integer" },
                    "title": { "type": "string" },
                    "detail": { "type": "string" },
                    "errors": { "type": "array", "items": { "type": "object", "properties": {
                        "pointer": { "type": "string" },
                        "detail": { "type": "string" },
                        "hint": { "type": "string" },
                    } } },
                },
            } },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "summary": endpoint.summary,
        "responses": { "200": {
            "description": endpoint.answer,
            "content": { endpoint.answers: {} },
        } },
    });
    for (status, when) in endpoint.statuses {
        operation["responses"][status.to_string()] = problem(when);
    }
    operation["responses"]["default"] = problem("refused");
    if !endpoint.parameters.is_empty() {
        operation["parameters"] = endpoint.parameters.iter().map(parameter).collect();
    }
    if let Some(body) = &endpoint.body {
        let example = serde_json::from_slice(body.example.as_bytes())
            .unwrap_or_else(|_| Value::String(body.example.to_owned()));
        operation["requestBody"] =
            json!({ "description": body.about, "content": { JSON: { "example": example } } });
    }
    // None of them where the lab has no token; then the system says whose the caller is.
    operation["security"] = if endpoint.free { json!([]) } else { json!([{}, { "token": [] }]) };
    operation
}

fn problem(when: &str) -> Value {
    json!({
        "description": when,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": if parameter.in_path { "path" } else { "query" },
        "required": parameter.in_path,
        "description": parameter.about,
        "schema": { "type": parameter.kind },
    })
}
