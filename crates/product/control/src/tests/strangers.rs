//! Who may speak to the control API, rule by rule and both ways: what each lets in and the nearest thing it does not.

use super::*;

async fn with_token(token: &str, credentials: &[&str]) -> u16 {
    let state = ControlState { token: Some(token.to_owned()), ..state() };
    let mut request = get("/v1/world");
    for value in credentials {
        request = with(request, "authorization", value);
    }
    status(&state, request).await
}

#[tokio::test]
async fn every_byte_of_the_control_token_counts() {
    let token = "0123456789abcdef0123456789abcdeF~-._+/=";
    let credentials = |token: &str| format!("Bearer {token}");
    assert_eq!(with_token(token, &[&credentials(token)]).await, 200);
    for at in 0..token.len() {
        for bit in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20] {
            let mut wrong = token.as_bytes().to_vec();
            wrong[at] ^= bit;
            let Ok(wrong) = String::from_utf8(wrong) else { continue };
            if !wrong.bytes().all(|byte| byte.is_ascii_graphic()) {
                continue;
            }
            assert_eq!(with_token(token, &[&credentials(&wrong)]).await, 401, "{wrong}");
        }
    }
    for wrong in [
        "Z".repeat(token.len()),
        "0".repeat(token.len()),
        token[1..].to_owned(),
        token[..token.len() - 1].to_owned(),
        format!("{token}0"),
        format!("0{token}"),
        format!("{token}{token}"),
        token.to_uppercase(),
        token.chars().rev().collect(),
        String::new(),
    ] {
        assert_eq!(with_token(token, &[&credentials(&wrong)]).await, 401, "{wrong}");
    }
    // One difference undone by another one of the same bits.
    assert_eq!(with_token("ab", &["Bearer ba"]).await, 401);
    assert_eq!(with_token("aa", &["Bearer bb"]).await, 401);
}

#[tokio::test]
async fn a_token_is_presented_once_as_a_bearer_token() {
    for (credentials, expected) in [
        (&["Bearer token"][..], 200),
        (&["BEARER token"], 200),
        (&["bearer  token "], 200),
        (&["Bearertoken"], 401),
        (&["Bearer"], 401),
        (&["Bearer\ttoken"], 401),
        (&["Token token"], 401),
        (&["Bearer token", "Bearer token"], 401),
        (&["Bearer token", "Basic x"], 401),
        (&["Bearer token, Bearer token"], 401),
        (&[], 401),
    ] {
        assert_eq!(with_token("token", credentials).await, expected, "{credentials:?}");
    }
}

#[tokio::test]
async fn each_rule_about_hosts_lets_in_its_own_and_nobody_else() {
    let state = state();
    for (yes, no) in [
        // this machine, by its usual name
        ("localhost", "localhost.example"),
        ("localhost.:7440", "localhost.localdomain"),
        // an address
        ("10.1.2.3:7440", "10.1.2.3.example:7440"),
        ("192.168.0.1", "192.168.0.256"),
        ("[fe80::1]:7440", "[fe80::1"),
        ("127.0.0.1", "0x7f000001"),
        ("169.254.169.254", "2130706433"),
        // the machine's own names
        ("tenant", "tenants"),
        ("Tenant:7440", "tenan"),
        // what the world declares
        ("DOOR.contoso.com", "contoso.com"),
        ("door.contoso.com:7440", "door.contoso.com.evil.example"),
        ("door.contoso.com.", "xdoor.contoso.com"),
        // a port is a number
        ("localhost:1", "localhost:x"),
        ("localhost:", "localhost:65536"),
        // one name
        ("localhost:7440", "localhost, evil.example"),
        ("localhost", "evil"),
        ("localhost", "router"),
    ] {
        for (host, expected) in [(yes, 200), (no, 421)] {
            let mut request = get("/v1/world");
            request.headers_mut().insert(HOST, host.parse().unwrap());
            assert_eq!(status(&state, request).await, expected, "{host:?}");
        }
    }
}

#[tokio::test]
async fn a_host_in_the_target_counts_where_there_is_no_other() {
    let state = state();
    for (target, expected) in [("http://localhost:7440/health", 200), ("http://evil.example/health", 421)] {
        let mut request = get(target);
        request.headers_mut().remove(HOST);
        assert_eq!(status(&state, request).await, expected, "{target}");
    }
}

#[tokio::test]
async fn each_rule_about_origins_lets_in_its_own_and_nobody_else() {
    let state = state();
    for (host, origin, expected) in [
        ("localhost:7440", "http://localhost:7440", 200),
        ("localhost:7440", "http://localhost:7441", 403),
        ("localhost:7440", "http://localhost", 403),
        ("localhost", "http://localhost", 200),
        ("localhost", "http://localhost:80", 200),
        ("localhost", "https://localhost", 200),
        ("localhost:443", "https://localhost", 200),
        ("localhost:443", "http://localhost:80", 403),
        ("localhost:80", "https://localhost:80", 200),
        ("tenant:7440", "http://localhost:7440", 403),
        ("tenant:7440", "http://tenant:7440", 200),
        ("127.0.0.1:7440", "http://localhost:7440", 403),
        ("[::1]:7440", "http://[::1]:7440", 200),
        ("[::1]:7440", "http://127.0.0.1:7440", 403),
        ("localhost:7440", "HTTP://LOCALHOST:7440", 200),
        ("localhost:7440", "ws://localhost:7440", 403),
        ("localhost:7440", "chrome-extension://localhost:7440", 403),
        ("localhost:7440", "http://localhost:7440@evil.example", 403),
        ("localhost:7440", "http://evil.example#localhost:7440", 403),
        ("localhost:7440", "localhost:7440", 403),
        ("localhost:7440", "//localhost:7440", 403),
        ("localhost:7440", "null", 403),
    ] {
        for path in ["/health", "/v1/world", "/nothing"] {
            let mut request = with(get(path), "origin", origin);
            request.headers_mut().insert(HOST, host.parse().unwrap());
            let let_in = if path == "/nothing" { 404 } else { 200 };
            let expected = if expected == 200 { let_in } else { expected };
            assert_eq!(status(&state, request).await, expected, "{origin} at {host}{path}");
        }
    }
    for (first, second, expected) in [
        ("http://localhost:7440", "http://localhost:7440", 200),
        ("http://localhost:7440", "https://evil.example", 403),
        ("https://evil.example", "http://localhost:7440", 403),
    ] {
        let both = with(with(get("/health"), "origin", first), "origin", second);
        assert_eq!(status(&state, both).await, expected, "{first}, {second}");
    }
}

#[tokio::test]
async fn every_value_of_sec_fetch_site_must_be_ours() {
    let state = state();
    for (sites, expected) in [
        (&["same-origin"][..], 200),
        (&["none"], 200),
        (&["same-origin", "none"], 200),
        (&["same-origin", "cross-site"], 403),
        (&["cross-site", "same-origin"], 403),
        (&["Same-Origin"], 403),
        (&["same-origin, cross-site"], 403),
        (&[""], 403),
        (&[], 200),
    ] {
        for path in ["/health", "/ca.pem", "/v1/world"] {
            let mut request = get(path);
            for site in sites {
                request = with(request, "sec-fetch-site", site);
            }
            assert_eq!(status(&state, request).await, expected, "{sites:?} {path}");
        }
    }
}

#[tokio::test]
async fn whatever_is_no_read_says_that_it_is_json() {
    let state = state();
    for (method, expected) in [
        (Method::GET, 200),
        (Method::HEAD, 200),
        (Method::OPTIONS, 405),
        (Method::POST, 415),
        (Method::PUT, 415),
        (Method::PATCH, 415),
        (Method::DELETE, 415),
        (Method::TRACE, 415),
        (Method::CONNECT, 415),
        (Method::from_bytes(b"PROPFIND").unwrap(), 415),
    ] {
        assert_eq!(status(&state, request(method.clone(), "/v1/world")).await, expected, "{method}");
        if expected == 415 {
            let json = with(request(method.clone(), "/v1/world"), "content-type", "application/json");
            let answered = status(&state, json).await;
            assert!(answered != 415, "{method}: {answered}");
        }
    }
}

#[tokio::test]
async fn nothing_that_is_guarded_is_had_without_the_token() {
    let state = ControlState { token: Some(String::from("token")), open: true, ..state() };
    for (method, path) in [
        (Method::GET, "/v1/settings"),
        (Method::GET, "/v1/journal"),
        (Method::GET, "/v1/journal/x-1"),
        (Method::GET, "/v1/world"),
        (Method::PATCH, "/v1/world"),
        (Method::GET, "/v1/scenarios"),
        (Method::PUT, "/v1/scenario"),
        (Method::POST, "/v1/reset"),
        (Method::POST, "/v1/environments/onebox/restart"),
        (Method::GET, "/v1/explain"),
        (Method::GET, "/v1/errors"),
    ] {
        let (status, body, _) = read(&state, write(method.clone(), path, "")).await;
        assert_eq!(status, 401, "{method} {path}");
        let shown = body.to_string();
        assert!(!shown.contains("secret") && !shown.contains("contoso"), "{shown}");
    }
    assert_eq!(state.lab.world().generation(), 0);
}

#[tokio::test]
async fn of_this_machine_only_the_labs_own_user_may_call_without_a_token() {
    use crate::neighbour::Neighbour;

    let closed = state();
    let open = ControlState { open: true, ..state() };
    let token = ControlState { token: Some(String::from("token")), ..state() };
    for (neighbour, address, expected) in [
        (Neighbour::Own, "127.0.0.1:5000", 200),
        (Neighbour::Unknown, "127.0.0.1:5000", 200),
        (Neighbour::Stranger, "127.0.0.1:5000", 403),
        (Neighbour::Stranger, "[::1]:5000", 403),
        (Neighbour::Own, "10.0.0.9:5000", 403),
        (Neighbour::Unknown, "10.0.0.9:5000", 403),
    ] {
        let ask = |path: &str| {
            let mut request = get(path);
            let peer = Peer {
                address: Some(address.parse().unwrap()),
                neighbour: Arc::new(OnceLock::from(neighbour)),
            };
            request.extensions_mut().insert(peer);
            request
        };
        for path in ["/v1/settings", "/v1/world"] {
            assert_eq!(status(&closed, ask(path)).await, expected, "{neighbour:?} {address} {path}");
            assert_eq!(status(&open, ask(path)).await, 200, "{neighbour:?} {address} {path}");
            assert_eq!(status(&token, ask(path)).await, 401, "{neighbour:?} {address} {path}");
        }
        let with_token = with(ask("/v1/world"), "authorization", "Bearer token");
        assert_eq!(status(&token, with_token).await, 200, "{neighbour:?} {address}");
        assert_eq!(status(&closed, ask("/health")).await, 200, "what is free is free");
    }
}
