//! `unset`: takes one declared value out of a running lab.

use http::Method;
use serde_json::json;

use crate::args::{Common, Unset};
use crate::console;
use crate::failure::Outcome;
use crate::find_lab::LabAt;
use crate::named::{there, told};

/// Removes what is there; what the declaration cannot do without stays, and the lab says why.
pub(crate) async fn run(common: &Common, unset: Unset) -> Outcome {
    let lab = LabAt::find(common).await?;
    let pointer = there(&lab, &unset.setting).await?;
    let patch = json!([{ "op": "remove", "path": pointer }]);
    let applied = lab.write(Method::PATCH, "/v1/world", &patch).await?;
    for line in told("removed", &pointer, &applied, common) {
        console::line(&line)?;
    }
    Ok(0)
}
