use serde_json::{Value, json};

use super::*;

fn edits(patch: &Value) -> Vec<Edit> {
    serde_json::from_value(patch.clone()).unwrap()
}

fn applied(before: &Value, patch: &Value) -> Result<(Value, Vec<String>), String> {
    let mut view = before.clone();
    let touched = apply(&mut view, &edits(patch)).map_err(|refused| match refused.refusal {
        Refusal::Place(problem) => problem.to_string(),
        Refusal::Test(problem) => format!("test: {problem}"),
        Refusal::Budget(problem) => format!("budget: {problem}"),
    })?;
    Ok((view, touched.iter().map(ToString::to_string).collect()))
}

#[test]
fn maps_are_edited_exactly_as_an_independent_rfc_6902_implementation_edits_them() {
    let before = json!({"a": {"b": 1, "c/d": {"e~f": null}}, "g": {}, "": {"": 0}});
    for patch in [
        json!([{"op": "add", "path": "/g/x", "value": {"y": [1, 2]}}]),
        json!([{"op": "add", "path": "/a/b", "value": 2}]),
        json!([{"op": "remove", "path": "/a/c~1d/e~0f"}]),
        json!([{"op": "replace", "path": "/a/c~1d", "value": null}]),
        json!([{"op": "move", "from": "/a", "path": "/g/a"}]),
        json!([{"op": "move", "from": "/a", "path": "/a"}]),
        json!([{"op": "copy", "from": "/a/c~1d", "path": "/g/x"}, {"op": "remove", "path": "/a"}]),
        json!([{"op": "test", "path": "/a/c~1d/e~0f", "value": null}]),
        json!([{"op": "test", "path": "//", "value": 0}]),
        json!([{"op": "add", "path": "", "value": {"new": true}}]),
        json!([{"op": "replace", "path": "", "value": {"new": true}}]),
        json!([{"op": "test", "path": "/a/b", "value": "1"}]),
        json!([{"op": "remove", "path": "/a/x"}]),
        json!([{"op": "replace", "path": "/a/x", "value": 1}]),
        json!([{"op": "add", "path": "/x/y", "value": 1}]),
        json!([{"op": "add", "path": "/a/b/c", "value": 1}]),
        json!([{"op": "move", "from": "/a", "path": "/a/b"}]),
        json!([{"op": "copy", "from": "/x", "path": "/y"}]),
    ] {
        let mut expected = before.clone();
        let reference: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        let expected = json_patch::patch(&mut expected, &reference).map(|()| expected).ok();
        assert_eq!(applied(&before, &patch).ok().map(|(view, _)| view), expected, "{patch}");
    }
}

#[test]
fn elements_of_a_list_are_named_by_their_value() {
    let before = json!({"list": ["a", "b/c", "30"]});
    for (patch, after, touched) in [
        (json!([{"op": "remove", "path": "/list/b~1c"}]), json!(["a", "30"]), "/list/b~1c"),
        (json!([{"op": "replace", "path": "/list/a", "value": "z"}]), json!(["z", "b/c", "30"]), "/list/z"),
        (json!([{"op": "add", "path": "/list/-", "value": "z"}]), json!(["a", "b/c", "30", "z"]), "/list/z"),
        (json!([{"op": "add", "path": "/list/z", "value": "z"}]), json!(["a", "b/c", "30", "z"]), "/list/z"),
        (json!([{"op": "add", "path": "/list/a", "value": "a"}]), json!(["a", "b/c", "30"]), "/list/a"),
        (json!([{"op": "add", "path": "/list/a", "value": "z"}]), json!(["z", "a", "b/c", "30"]), "/list/z"),
        (json!([{"op": "remove", "path": "/list/30"}]), json!(["a", "b/c"]), "/list/30"),
    ] {
        let (view, settings) = applied(&before, &patch).unwrap();
        assert_eq!((&view["list"], settings), (&after, vec![touched.to_owned()]), "{patch}");
    }
    assert!(applied(&before, &json!([{"op": "test", "path": "/list/a", "value": "a"}])).is_ok());
}

#[test]
fn an_index_is_refused_and_the_message_names_the_elements() {
    let before = json!({"list": ["spn:one", "spn:two"], "numbers": [1, 2], "text": "x"});
    for (patch, message) in [
        (
            json!([{"op": "remove", "path": "/list/0"}]),
            "/list/0: elements of /list are addressed by their own value, not by index (there is `spn:one`, `spn:two`)",
        ),
        (
            json!([{"op": "remove", "path": "/list/spn:tow"}]),
            "/list/spn:tow: /list has no element `spn:tow` (did you mean `spn:two`?)",
        ),
        (
            json!([{"op": "replace", "path": "/list/-", "value": "x"}]),
            "/list/-: `-` is the place after the last element: it takes `add` only",
        ),
        (
            json!([{"op": "add", "path": "/list/-", "value": 5}]),
            "/list/-: only a text can be added to this list",
        ),
        (
            json!([{"op": "add", "path": "/list/5", "value": "x"}]),
            "/list/5: elements of /list are addressed by their own value, not by index (`-` appends; the value of an \
             element inserts before it)",
        ),
        (
            json!([{"op": "replace", "path": "/list/spn:one", "value": null}]),
            "/list/spn:one: an element of this list must be a text",
        ),
        (
            json!([{"op": "remove", "path": "/numbers/0"}]),
            "/numbers/0: elements of /numbers have no name (replace the whole list)",
        ),
        (
            json!([{"op": "remove", "path": "/text/x"}]),
            "/text/x: /text holds a plain value, so there is no `x` in it",
        ),
        (
            json!([{"op": "remove", "path": "/lsit/a"}]),
            "/lsit/a: the declaration has no member `lsit` (did you mean `list`?)",
        ),
        (json!([{"op": "remove", "path": ""}]), "/: the whole declaration cannot be removed"),
        (json!([{"op": "test", "path": "/text", "value": "y"}]), "test: /text: is \"x\", not \"y\""),
    ] {
        assert_eq!(applied(&before, &patch).unwrap_err(), message, "{patch}");
    }
}

#[test]
fn numbers_are_equal_by_value() {
    let before = json!({"n": 1, "o": {"a": [1.0], "b": null}});
    assert!(applied(&before, &json!([{"op": "test", "path": "/n", "value": 1.0}])).is_ok());
    assert!(applied(&before, &json!([{"op": "test", "path": "/o", "value": {"b": null, "a": [1]}}])).is_ok());
    assert!(applied(&before, &json!([{"op": "test", "path": "/o", "value": {"a": [1]}}])).is_err());
}

#[test]
fn an_edit_that_says_too_little_or_too_much_is_not_read() {
    for (edit, message) in [
        (json!({"op": "add", "path": "/x"}), "`add` needs a `value`"),
        (json!({"op": "remove", "path": "/x", "value": 1}), "`remove` takes no `value`"),
        (json!({"op": "move", "path": "/x"}), "`move` needs a `from`"),
        (json!({"op": "test", "path": "/x", "value": 1, "from": "/y"}), "`test` takes no `from`"),
        (json!({"op": "remove", "path": "x"}), "`x` is not a JSON pointer: it must begin with `/`"),
        (
            json!({"op": "remove", "path": "/~2"}),
            "in a JSON pointer `~` is written `~0` and `/` is written `~1`",
        ),
        (
            json!({"op": "copy", "path": "/x", "from": "y"}),
            "`y` is not a JSON pointer: it must begin with `/`",
        ),
        (json!({"op": "remove", "path": "/x".repeat(3000)}), "a pointer has at most 4096 bytes"),
    ] {
        assert_eq!(serde_json::from_value::<Edit>(edit.clone()).unwrap_err().to_string(), message, "{edit}");
    }
    for edit in [
        json!({"op": "add", "path": "/x", "vlaue": 1}),
        json!({"op": "put", "path": "/x"}),
        json!([]),
        json!({}),
    ] {
        assert!(serde_json::from_value::<Edit>(edit.clone()).is_err(), "{edit}");
    }
}

#[test]
fn the_value_null_is_a_value_and_comes_back_as_written() {
    let written =
        json!([{"op": "add", "path": "/x", "value": null}, {"op": "move", "path": "/a", "from": "/b"}]);
    let read = edits(&written);
    assert_eq!(read[0].value, Some(Value::Null));
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
}

#[test]
fn an_edit_made_in_code_that_lacks_its_value_is_refused_and_not_a_panic() {
    let edit = Edit { op: Operation::Add, path: Setting::fixed("/x"), from: None, value: None };
    let refusal = apply(&mut json!({}), &[edit]).map_err(|refused| refused.refusal);
    assert!(matches!(refusal, Err(Refusal::Place(_))));
    let edit = Edit { op: Operation::Copy, path: Setting::fixed("no pointer"), from: None, value: None };
    let refusal = apply(&mut json!({}), &[edit]).map_err(|refused| refused.refusal);
    assert!(matches!(refusal, Err(Refusal::Place(_))));
}

/// The budget by which a patch is refused, and how many of its edits came before.
fn over(before: &Value, patch: Vec<Value>) -> (usize, String) {
    let refused = apply(&mut before.clone(), &edits(&Value::Array(patch))).unwrap_err();
    let Refusal::Budget(problem) = refused.refusal else { panic!("{refused:?}") };
    (refused.edit, problem.message.split('`').nth(1).unwrap().to_owned())
}

#[test]
fn what_a_patch_adds_is_counted_before_it_is_added_and_taking_it_away_gives_nothing_back() {
    let before = json!({"text": "x".repeat(20 << 20), "gone": 1});
    let copy = json!({"op": "copy", "from": "/text", "path": "/more"});
    let remove = json!({"op": "remove", "path": "/more"});
    let patch = [&copy, &remove, &copy, &remove, &copy, &remove, &copy].map(Value::clone);
    assert_eq!(over(&before, patch.to_vec()), (6, "bytes".to_owned()));
    let moves = (0..1_000).flat_map(|_| {
        [
            json!({"op": "move", "from": "/text", "path": "/t"}),
            json!({"op": "move", "from": "/t", "path": "/text"}),
        ]
    });
    assert_eq!(applied(&before, &Value::Array(moves.collect())).unwrap().0["text"], before["text"]);
}

#[test]
fn a_document_becomes_no_deeper_than_its_readers_go() {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| json!({ "x": inner }));
    let add = |path: &str, levels| vec![json!({"op": "add", "path": path, "value": nested(levels)})];
    assert!(applied(&json!({"a": {}}), &Value::Array(add("/a/b", 62))).is_ok());
    assert_eq!(over(&json!({"a": {}}), add("/a/b", 63)), (0, "depth".to_owned()));
    for op in ["copy", "move"] {
        let step = vec![json!({"op": op, "from": "/a", "path": "/b/c"})];
        assert_eq!(over(&json!({"a": nested(63), "b": {}}), step), (0, "depth".to_owned()));
    }
}

#[test]
fn what_a_patch_looks_at_is_counted_however_little_it_adds() {
    let list: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    let wide: serde_json::Map<String, Value> = (0..100_000).map(|n| (n.to_string(), Value::Null)).collect();
    let before = json!({"list": list, "wide": wide, "a": {}, "b": {}});
    for patch in [
        (0..200).map(|n| json!({"op": "remove", "path": format!("/wide/{n}")})).collect::<Vec<_>>(),
        (0..200).map(|n| json!({"op": "remove", "path": format!("/list/{n}")})).collect(),
        (0..200)
            .map(|n| json!({"op": "test", "path": format!("/list/{n}"), "value": n.to_string()}))
            .collect(),
        (0..200)
            .flat_map(|_| {
                [
                    json!({"op": "move", "from": "/wide", "path": "/a/w"}),
                    json!({"op": "move", "from": "/a/w", "path": "/wide"}),
                ]
            })
            .collect(),
    ] {
        let (edit, budget) = over(&before, patch);
        assert!(budget == "steps" && (90..110).contains(&edit), "{budget} at {edit}");
    }
}

#[test]
fn a_test_that_fails_on_a_huge_value_shows_its_beginning() {
    let before = json!({"text": "x".repeat(1 << 20), "many": vec![0; 100_000]});
    for name in ["text", "many"] {
        let test = json!([{"op": "test", "path": format!("/{name}"), "value": 1}]);
        let message = applied(&before, &test).unwrap_err();
        assert!(message.len() < 200, "{message}");
    }
}
