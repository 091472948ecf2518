//! The table of endpoints, and what is made from it.

use std::collections::BTreeSet;

use super::*;

#[tokio::test]
async fn every_endpoint_of_the_table_answers_and_is_in_the_openapi_document() {
    let state = state();
    let (status, document, _) = read(&state, get("/v1/openapi.json")).await;
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
    let mut told = BTreeSet::new();
    for endpoint in endpoints::ALL {
        let operation = &document["paths"][endpoint.path][endpoint.method];
        assert_eq!(operation["summary"], endpoint.summary, "{}", endpoint.path);
        assert!(told.insert((endpoint.path, endpoint.method)), "{} twice", endpoint.path);
        let in_path = endpoint.parameters.iter().filter(|parameter| parameter.in_path).count();
        assert_eq!(in_path, endpoint.path.matches('{').count(), "{}", endpoint.path);
        if let Some(body) = &endpoint.body {
            assert!(serde_json::from_str::<Value>(body.example).is_ok(), "{}", endpoint.path);
        }
        // A place of the table is one of the router: nobody is told that nothing is there.
        let path = endpoint.path.replace("{id}", "onebox");
        let method: Method = endpoint.method.to_uppercase().parse().unwrap();
        let asked = match &endpoint.body {
            None => request(method, &path),
            Some(body) => write(method, &path, body.example),
        };
        let (status, body, _) = read(&state, asked).await;
        assert!(
            status != 405 && !body["detail"].as_str().unwrap_or_default().starts_with("there is nothing at"),
            "{path}: {status} {body}"
        );
    }
}

#[tokio::test]
async fn every_query_parameter_is_taken_and_no_other() {
    let state = state();
    for endpoint in endpoints::ALL.iter().filter(|endpoint| endpoint.method == "get") {
        let path = endpoint.path.replace("{id}", "x-1");
        for parameter in endpoint.parameters.iter().filter(|parameter| !parameter.in_path) {
            let value = match (parameter.kind, parameter.name) {
                ("boolean", _) => "true",
                ("integer" | "number", _) => "1",
                (_, "format") => "text",
                (_, "for") => "host",
                (_, "log") => "admin",
                _ => "/caller",
            };
            let (status, body, _) = read(&state, get(&format!("{path}?{}={value}", parameter.name))).await;
            assert!(status == 200 || status == 404, "{path} {}: {status} {body}", parameter.name);
        }
        if endpoint.parameters.iter().any(|parameter| !parameter.in_path) {
            let (status, _, _) = read(&state, get(&format!("{path}?no-such-thing=1"))).await;
            assert_eq!(status, 400, "{path}");
        }
    }
}

#[tokio::test]
async fn the_front_page_shows_urls_exchanges_and_scenarios_and_nothing_of_a_stranger_runs_in_it() {
    let state = state();
    let target = "/<script>alert(2)</script>";
    state.lab.answer(LabRequest::new(Method::GET, "localhost", target, Entrance::Identity)).await;
    let response = send(&state, get("/")).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let page = String::from_utf8(body.to_vec()).unwrap();
    for wanted in
        ["half-done", "/v1/openapi.json", "not affiliated with", "alert(2)", "/v1/explain?format=text"]
    {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test]
async fn whoever_may_not_use_the_control_api_does_not_see_the_page() {
    let state = ControlState { token: Some(String::from("t")), ..state() };
    let (status, _, _) = read(&state, get("/")).await;
    assert_eq!(status, 401);
    let mut elsewhere = get("/");
    elsewhere.headers_mut().insert(HOST, "evil.example".parse().unwrap());
    let (status, _, _) = read(&state, elsewhere).await;
    assert_eq!(status, 421);
}

#[tokio::test]
async fn settings_are_the_published_document_and_503_before_there_is_one() {
    let state = state();
    assert_eq!(read(&state, get("/v1/settings")).await.1, json!({ "schema": 1 }));
    let starting = ControlState { settings: Arc::default(), ..state };
    assert_eq!(status(&starting, get("/v1/settings")).await, 503);
}

#[tokio::test]
async fn the_catalogue_lists_every_mounted_surface() {
    let state = state();
    assert_eq!(read(&state, get("/v1/errors")).await.1, json!({ "doorkeeper": [] }));
}
