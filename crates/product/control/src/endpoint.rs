//! What an endpoint of the control API says of itself.
//!
//! Decides nothing: the router, `GET /v1/openapi.json`, the reference and the command line's nouns are made from these.

use axum::routing::MethodRouter;

use crate::ControlState;

/// One method of one path.
pub struct Endpoint {
    /// `get`, `post`, `put` or `patch`, as OpenAPI writes it.
    pub method: &'static str,
    /// The path; `{name}` stands for one segment.
    pub path: &'static str,
    /// Whether nobody has to be the lab's user, or hold its token.
    pub free: bool,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What it takes in path and query.
    pub parameters: &'static [Parameter],
    /// The body it takes, by example; none where it takes none.
    pub body: Option<Body>,
    /// Media type of its answer.
    pub answers: &'static str,
    /// What is in its answer.
    pub answer: &'static str,
    /// Statuses besides 200, and when.
    pub statuses: &'static [(u16, &'static str)],
    pub(crate) handler: fn() -> MethodRouter<ControlState>,
}

/// A part of a path or a query.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it stands in the path, where it must be.
    pub in_path: bool,
    /// JSON schema type: `string`, `boolean`, `number`, `integer`.
    pub kind: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// A body.
pub struct Body {
    /// What it is.
    pub about: &'static str,
    /// One, as JSON.
    pub example: &'static str,
}

/// A part of a query.
pub(crate) const fn query(name: &'static str, kind: &'static str, about: &'static str) -> Parameter {
    Parameter { name, in_path: false, kind, about }
}

/// A segment of a path.
pub(crate) const fn segment(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, in_path: true, kind: "string", about }
}

/// JSON.
pub(crate) const JSON: &str = "application/json";

/// The body of a write that needs none.
pub(crate) const NOTHING: Option<Body> = Some(Body { about: "nothing, or an empty object", example: "{}" });
