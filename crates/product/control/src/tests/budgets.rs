//! A patch that multiplies is refused by the budget it would go beyond, before anything of it is done.

use std::fmt::Write as _;

use super::*;

/// The problem a patch is answered with. Nothing of it was done.
async fn refused(patch: &str) -> String {
    let state = state();
    let (status, body, _) = read(&state, write(Method::PATCH, "/v1/world", patch.to_owned())).await;
    assert_eq!(status, 422, "{body}");
    assert_eq!(state.lab.world().generation(), 0);
    let detail = body["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail.contains("nothing was changed"), "{body}");
    assert!(body["errors"][0]["hint"].is_string(), "{body}");
    detail
}

fn listed(edits: impl IntoIterator<Item = Value>) -> String {
    Value::Array(edits.into_iter().collect()).to_string()
}

#[tokio::test]
async fn a_patch_that_doubles_the_world_eighteen_times_is_refused_by_its_bytes() {
    let doubling = (0..18).map(|n| json!({"op": "copy", "from": "", "path": format!("/x{n}")}));
    let patch = listed(doubling);
    assert!(patch.len() < 1024, "a small patch");
    let detail = refused(&patch).await;
    assert!(detail.contains("the budget `bytes` is 67108864"), "{detail}");
}

#[tokio::test]
async fn a_patch_that_nests_a_value_in_itself_is_refused_by_its_depth() {
    let begin = json!({"op": "add", "path": "/x", "value": {}});
    let nest = json!({"op": "copy", "from": "/x", "path": "/x/x"});
    let copies = listed(std::iter::once(begin.clone()).chain(std::iter::repeat_n(nest, 2_000)));
    let moves = (0..2_000).flat_map(|_| {
        [
            json!({"op": "move", "from": "/x", "path": "/caller/x"}),
            json!({"op": "add", "path": "/x", "value": {}}),
            json!({"op": "move", "from": "/caller/x", "path": "/x/x"}),
        ]
    });
    let moves = listed(std::iter::once(begin).chain(moves));
    for patch in [copies, moves] {
        let detail = refused(&patch).await;
        assert!(detail.contains("the budget `depth` is 64"), "{detail}");
    }
}

#[tokio::test]
async fn deep_values_and_deep_pointers_are_refused_by_their_depth() {
    for op in ["add", "replace", "test"] {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        let detail = refused(&format!(r#"[{{"op":"{op}","path":"/caller","value":{deep}}}]"#)).await;
        assert!(detail.contains("the budget `depth` is 64"), "{op}: {detail}");
    }
    let far = "/x".repeat(65);
    for edit in [
        json!({"op": "remove", "path": far}),
        json!({"op": "copy", "from": far, "path": "/x"}),
        json!({"op": "test", "path": far, "value": 1}),
    ] {
        let detail = refused(&listed([edit])).await;
        assert!(detail.contains("the budget `depth` is 64"), "{detail}");
    }
}

#[tokio::test]
async fn more_edits_than_a_patch_has_are_refused_by_their_number() {
    let edit = json!({"op": "test", "path": "/caller", "value": 0});
    let detail = refused(&listed(std::iter::repeat_n(edit, 10_001))).await;
    assert!(detail.contains("the budget `edits` is 10000") && detail.contains("10001"), "{detail}");
}

#[tokio::test]
async fn a_body_of_nothing_but_values_is_refused_before_it_is_read() {
    let mut body = String::from("[");
    for _ in 0..400_000 {
        // Writing to a String cannot fail.
        let _ = write!(body, "[],");
    }
    body.push_str("[]]");
    let (status, body, _) = read(&state(), super::write(Method::PATCH, "/v1/world", body)).await;
    assert_eq!(status, 422, "{body}");
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("the budget `values` is 250000"), "{detail}");
}
