//! Writes to the declaration: on which state they are made, and what of a body is no JSON.

use super::*;

const SECRET: &str = "/caller/client_secret";

fn patch(value: &str) -> String {
    json!([{ "op": "replace", "path": SECRET, "value": value }]).to_string()
}

fn only_if(request: Request, tags: &str) -> Request {
    with(request, "if-match", tags)
}

async fn etag(state: &ControlState) -> String {
    let (_, _, headers) = read(state, get("/v1/world")).await;
    headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_patch_made_for_another_state_of_the_world_changes_nothing() {
    let state = state();
    let first = etag(&state).await;
    let (_, _, of_pointer) = read(&state, get(&format!("/v1/world?pointer={SECRET}"))).await;
    assert_eq!(of_pointer["etag"], first.as_str());
    let send = async |tags: String, value: &str| {
        let request = only_if(write(Method::PATCH, "/v1/world", patch(value)), &tags);
        let (status, _, headers) = read(&state, request).await;
        (status, headers.get("etag").cloned())
    };
    let (status, second) = send(first.clone(), "one").await;
    assert_eq!(status, 200);
    let second = second.unwrap().to_str().unwrap().to_owned();
    assert_eq!(second, etag(&state).await, "the answer says the tag of what it made");
    for stale in [
        first.clone(),
        format!("W/{second}"),
        format!("\"x\", {first}"),
        second.trim_matches('"').to_owned(),
        format!("{second}x"),
        String::from("\"\""),
        String::new(),
    ] {
        assert_eq!(send(stale.clone(), "stale").await, (412, None), "{stale}");
    }
    assert_eq!(etag(&state).await, second);
    assert_eq!(send(format!("\"x\" ,{second}"), "two").await.0, 200);
    assert_eq!(send(String::from("*"), "three").await.0, 200);
    let twice = only_if(only_if(write(Method::PATCH, "/v1/world", patch("x")), "\"a\""), &etag(&state).await);
    assert_eq!(self::status(&state, twice).await, 200, "a field in two lines is one list");
}

#[tokio::test]
async fn a_stale_patch_says_which_state_there_is() {
    let state = state();
    let request = only_if(write(Method::PATCH, "/v1/world", patch("x")), "\"old\"");
    let (status, body, headers) = read(&state, request).await;
    assert_eq!(
        (status, &headers[CONTENT_TYPE]),
        (412, &HeaderValue::from_static("application/problem+json"))
    );
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.contains(&etag(&state).await) && detail.contains("nothing was changed"), "{detail}");
}

#[tokio::test]
async fn a_tag_never_comes_back_with_a_reset() {
    let state = state();
    let mut seen = vec![etag(&state).await];
    for _ in 0..2 {
        assert_eq!(self::status(&state, write(Method::PATCH, "/v1/world", patch("x"))).await, 200);
        seen.push(etag(&state).await);
        assert_eq!(self::status(&state, write(Method::POST, "/v1/reset", "")).await, 200);
        seen.push(etag(&state).await);
    }
    let different: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(different.len(), seen.len(), "{seen:?}");
    let another_run = ControlState { instance: String::from("i-2"), ..self::state() };
    assert_ne!(etag(&another_run).await, seen[0], "nor with another start of the lab");
}

#[tokio::test]
async fn of_many_patches_for_one_state_one_is_made() {
    let state = state();
    let tag = etag(&state).await;
    let mut patches = Vec::new();
    for number in 0..8 {
        let request = only_if(write(Method::PATCH, "/v1/world", patch(&format!("v{number}"))), &tag);
        let state = state.clone();
        patches.push(tokio::spawn(async move { status(&state, request).await }));
    }
    let mut statuses = Vec::new();
    for patch in patches {
        statuses.push(patch.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}

#[tokio::test]
async fn a_member_that_is_there_twice_is_refused_by_its_name() {
    let state = state();
    for (method, path, body, name, pointer) in [
        (
            Method::PATCH,
            "/v1/world",
            r#"[{"op":"replace","op":"test","path":"/caller/client_secret","value":"x"}]"#,
            "op",
            "/0/op",
        ),
        (
            Method::PATCH,
            "/v1/world",
            r#"[{"op":"replace","path":"/caller","value":{"a":[1,{"b/c":1,"b\u002fc":2}]}}]"#,
            "b/c",
            "/0/value/a/1/b~1c",
        ),
        (Method::PUT, "/v1/scenario", r#"{"name":"x","name":"tenant-cert-absent"}"#, "name", "/name"),
    ] {
        let (status, answer, _) = read(&state, write(method, path, body)).await;
        assert_eq!((status, &answer["errors"][0]["pointer"]), (400, &json!(pointer)), "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(&format!("{name:?}")), "{answer}");
    }
    assert_eq!(state.lab.world().generation(), 0);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", deep)).await, 422, "a budget");
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", "[] x")).await, 400);
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", "[1e999]")).await, 400);
    let numbers = r#"[{"op":"test","path":"/caller/client_secret","value":[1,-1,1.5,true,null,"x",18446744073709551615]}]"#;
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", numbers)).await, 409, "all of JSON is read");
}

#[tokio::test]
async fn what_a_restart_says_of_a_failed_check_shows_no_secret() {
    let state = state();
    let edits = json!([
        { "op": "replace", "path": METADATA, "value": "garbage" },
        { "op": "replace", "path": SECRET, "value": "garbage" },
    ]);
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", edits.to_string())).await, 200);
    let (status, body, _) = read(&state, write(Method::POST, "/v1/environments/onebox/restart", "")).await;
    assert_eq!((status, &body["failed"]["actual"]), (200, &json!("***")), "{body}");
    let (_, explanation, _) = read(&state, get("/v1/explain")).await;
    assert!(!explanation.to_string().contains("garbage"), "{explanation}");
    let (_, journal, _) = read(&state, get("/v1/journal")).await;
    assert!(!journal.to_string().contains("garbage"), "{journal}");
}
