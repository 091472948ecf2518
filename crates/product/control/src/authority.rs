//! The lab's certificate authority, as a person and a script see it: two roots, and whether they are well.
//!
//! Decides what `/health` and an explanation say about it: without a valid one nothing of the lab works over https, and no
//! setting of a world is to blame. Never decides what the roots permit, nor when they are renewed: that is `server`'s.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use mocktenant_lab::BoxFuture;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::ControlState;
use crate::problem::Problem;

/// The lab's certificate authority.
pub trait Authority: Send + Sync {
    /// The root that speaks for local and declared names, PEM.
    fn local_pem(&self) -> String;
    /// The root that speaks for the world's Microsoft names, PEM.
    fn real_names_pem(&self) -> String;
    /// How it is, renewed first if its time has come.
    fn health(&self) -> BoxFuture<'_, Health>;
}

/// How the certificate authority is.
#[derive(Clone, Debug)]
pub struct Health {
    /// Both roots.
    pub roots: Vec<Root>,
    /// Whether both are valid by the clock of this machine.
    pub valid: bool,
    /// What is wrong with it, for a person.
    pub trouble: Option<String>,
}

/// One root.
#[derive(Clone, Copy, Debug)]
pub struct Root {
    /// `local` or `real-names`.
    pub name: &'static str,
    /// The first moment at which it can be served with.
    pub not_before: OffsetDateTime,
    /// The last one.
    pub not_after: OffsetDateTime,
}

impl Health {
    /// As a member of a document.
    pub(crate) fn document(&self) -> Value {
        let moment = |moment: OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
        let status = match (self.valid, &self.trouble) {
            (true, None) => "ok",
            (true, Some(_)) => "not saved",
            (false, _) => "not valid",
        };
        let mut document = json!({ "status": status });
        for root in &self.roots {
            document[root.name.replace('-', "_")] =
                json!({ "not_before": moment(root.not_before), "not_after": moment(root.not_after) });
        }
        if let Some(trouble) = &self.trouble {
            document["why"] = json!(trouble);
        }
        document
    }
}

/// `GET /ca.pem`: the root a person may trust.
pub(crate) async fn local(State(state): State<ControlState>) -> Result<Response, Problem> {
    pem(state.ca.local_pem())
}

/// `GET /ca-real-names.pem`: the other one.
pub(crate) async fn real_names(State(state): State<ControlState>) -> Result<Response, Problem> {
    pem(state.ca.real_names_pem())
}

fn pem(text: String) -> Result<Response, Problem> {
    Response::builder()
        .header(CONTENT_TYPE, "application/x-pem-file")
        .body(text.into())
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the CA cannot be sent"))
}
