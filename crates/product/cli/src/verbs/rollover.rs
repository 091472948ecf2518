//! `rollover`: another key signs, as Update-AdfsCertificate has it; the one before stays published.
//!
//! Decides only how that is told: who trusts a key because it read the metadata once notices at its next start.

use http::{Method, StatusCode};
use mocktenant_server::client::read_json;
use serde_json::{Value, json};

use crate::args::{Common, Rollover};
use crate::console::{self, harmless};
use crate::failure::{Exit, Outcome};
use crate::find_lab::{LabAt, refusal};

/// Rolls the keys of a federation service or a tenant over. Exits 2 where there is none of that name, or no other key.
pub(crate) async fn run(common: &Common, rollover: Rollover) -> Outcome {
    let lab = LabAt::find(common).await?;
    let reply = lab.try_write(Method::POST, "/v1/rollover", &json!({ "of": rollover.of })).await?;
    match reply.status {
        StatusCode::UNPROCESSABLE_ENTITY => return Err(refusal(&reply).with_exit(Exit::Usage)),
        status if !status.is_success() => return Err(refusal(&reply)),
        _ => {}
    }
    let document = read_json(&reply).unwrap_or_default();
    for line in told(&rollover.of, &document) {
        console::line(&line)?;
    }
    Ok(0)
}

/// What signs now, and what is published besides.
fn told(of: &str, document: &Value) -> Vec<String> {
    let published: Vec<&str> =
        document["published"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut lines = Vec::new();
    if let Some(first) = published.first() {
        lines.push(format!("{} signs with {}", harmless(of), harmless(first)));
    }
    lines.extend(published.iter().skip(1).map(|other| format!("  still published: {}", harmless(other))));
    lines.push(String::from("whoever read its keys at a start goes on with those until it is restarted"));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_now_is_told_first() {
        let lines = told("adfs.contoso.com", &json!({ "of": "x", "published": ["AA", "BB"] }));
        assert_eq!(lines[..2], ["adfs.contoso.com signs with AA", "  still published: BB"]);
    }
}
