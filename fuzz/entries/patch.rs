//! What a patch has to keep: no panic, never more than its budgets, and a refusal that names one of its edits.

use mocktenant_patch::{Edit, Refusal, apply, budget, value_at};
use serde_json::{Value, json};

/// Reads the bytes as a patch and makes it on a small declaration.
pub(crate) fn patch(data: &[u8]) {
    let Ok(Value::Array(operations)) = serde_json::from_slice(data) else { return };
    let read = |operation| serde_json::from_value::<Edit>(operation).ok();
    let patch: Vec<Edit> = operations.into_iter().filter_map(read).collect();
    let before = json!({
        "tenants": { "t": { "domains": ["a.example", "b.example"], "applications": {} } },
        "caller": { "customer": { "CustomerAccount": "1" }, "count": null },
    });
    let mut view = before.clone();
    match apply(&mut view, &patch) {
        Ok(touched) => {
            assert!(touched.len() <= 2 * patch.len(), "an edit changes a place or two");
            let _ = touched.iter().filter_map(|setting| value_at(&view, setting.as_str())).count();
        }
        Err(refused) => {
            assert!(refused.edit < patch.len(), "one of its edits is refused");
            let (Refusal::Place(problem) | Refusal::Test(problem) | Refusal::Budget(problem)) =
                refused.refusal;
            assert!(problem.to_string().len() < 16 * 1024 && !problem.message.contains('\n'), "{problem}");
        }
    }
    let (bytes, depth) = weigh(&view);
    assert!(depth <= budget::MAX_DEPTH, "{depth} levels");
    assert!(bytes <= budget::MAX_BYTES + weigh(&before).0, "{bytes} bytes");
}

/// Bytes of texts and names, and levels.
fn weigh(value: &Value) -> (usize, usize) {
    let parts: Vec<(usize, usize)> = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => return (0, 0),
        Value::String(text) => return (text.len(), 0),
        Value::Array(elements) => elements.iter().map(weigh).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let (bytes, depth) = weigh(member);
                (name.len() + bytes, depth)
            })
            .collect(),
    };
    (parts.iter().map(|part| part.0).sum(), 1 + parts.iter().map(|part| part.1).max().unwrap_or(0))
}
