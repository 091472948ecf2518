//! The error page: when it comes, what stands in it, and what keeps it harmless.

use http::Method;
use mocktenant_idp::page::POLICY;

use crate::front_door::*;

/// Its lines of detail, without markup.
fn details(page: &str) -> Vec<String> {
    let items = page.lines().filter_map(|line| line.strip_prefix("<li")?.strip_suffix("</li>"));
    items.map(|item| item.split_once('>').unwrap().1.to_owned()).collect()
}

#[tokio::test]
async fn where_no_protocol_is_spoken_the_error_page_says_so_with_status_200() {
    let activity = "e5ca5b5f-0a2c-4d39-8900-0080000000ab";
    let headers = [("client-request-id", activity), ("user-agent", "Agent/1 <b>'x'")];
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        for (method, path) in [
            (Method::GET, "/adfs"),
            (Method::GET, "/adfs/nothing/here"),
            (Method::POST, "/adfs/portal/x"),
            (Method::GET, "/adfs/oauth2/token"),
        ] {
            let reply = send(&lab, request(method, path, &headers)).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, "text/html; charset=utf-8"));
            let page = reply.text();
            let mut lines = details(&page);
            let node = lines.remove(2);
            assert!(node.starts_with("Node name: ") && node.len() == 47, "{node}");
            assert_eq!(
                lines,
                [
                    format!("Activity ID: {activity}"),
                    format!(
                        "Error details: MSIS7065: There are no registered protocol handlers on path {path} to \
                         process the incoming request."
                    ),
                    "Error time: Fri, 21 Aug 2026 10:00:00 GMT".to_owned(),
                    "Cookie: enabled".to_owned(),
                    "User agent string: Agent/1 &lt;b>&#39;x&#39;".to_owned(),
                ],
                "{profile} {path}"
            );
        }
    }
}

#[tokio::test]
async fn the_error_page_has_the_ids_that_scripts_of_testers_look_for() {
    let page = get(&lab().await, HOST, "/adfs/x").await.text();
    for (element, id) in [
        ("main", "errorArea"),
        ("h1", "openingMessage"),
        ("p", "errorMessage"),
        ("summary", "errorDetailsLink"),
        ("ul", "errorDescription"),
        ("li", "activityId"),
        ("li", "timestamp"),
    ] {
        assert_eq!(page.matches(&format!("<{element} id=\"{id}\">")).count(), 1, "{id} in {page}");
    }
    // Whom the request was for is not known here.
    assert!(!page.contains("contextId") && !page.contains("Relying party"), "{page}");
    assert!(page.contains("An error occurred. Contact your administrator for more information."), "{page}");
}

#[tokio::test]
async fn the_error_page_runs_nothing_loads_nothing_and_does_not_say_who_made_it() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        for path in
            ["/adfs/<script>alert(1)</script>", "/adfs/\"onload=x", "/adfs/ls/", "/adfs/oauth2/authorize"]
        {
            let reply = get(&lab, HOST, path).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.headers.get_all("content-security-policy").iter().count(), 1, "{profile}");
            assert_eq!(reply.header("content-security-policy"), POLICY);
            assert_eq!(reply.header("cache-control"), "no-store");
            let page = reply.text().to_lowercase();
            for foreign in ["<script", "\"onload", "src=", "href=", "url(", "mocktenant"] {
                assert!(!page.contains(foreign), "{foreign}: {page}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_built_is_refused_in_the_products_words_and_said_beside_the_page() {
    let lab = lab().await;
    let page = get(&lab, LOCAL, "/adfs/ls/?wa=wsignin1.0").await.text();
    assert!(page.contains("Error details: MSIS7012: "), "{page}");
    let record = lab.journal().records().pop().unwrap();
    assert!(record.facts.get("not-built").is_some(), "{record:?}");
}
