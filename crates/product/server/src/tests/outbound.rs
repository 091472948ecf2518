//! Calls of the lab to itself, and to nobody else.

use super::*;

/// What a call made by the lab came to.
async fn called(fixture: &Fixture, url: &str) -> (u16, String) {
    let client = fixture.running.outbound_client();
    let call = Call {
        method: Method::POST,
        url: format!("{}/call", fixture.running.urls().identity),
        headers: http::HeaderMap::new(),
        body: url.to_owned().into(),
    };
    let reply = client.send(call).await.unwrap();
    (reply.status.as_u16(), String::from_utf8(reply.body.to_vec()).unwrap())
}

#[tokio::test]
async fn world_names_lead_to_their_listener_and_are_verified() {
    let fixture = started(short()).await;
    let (status, body) = called(&fixture, "https://contoso.crm4.dynamics.com/echo?x").await;
    assert_eq!(
        (status, body.as_str()),
        (200, "https contoso.crm4.dynamics.com contoso.crm4.dynamics.com /echo?x ")
    );
    let (status, body) = called(&fixture, "http://ax.contoso.com/echo").await;
    assert_eq!((status, body.as_str()), (200, "http - ax.contoso.com /echo "));
    let port = fixture.identity().port();
    let (status, body) = called(&fixture, &format!("https://login.microsoftonline.com:{port}/echo")).await;
    assert_eq!(status, 200);
    assert!(body.contains(&format!("login.microsoftonline.com:{port}")), "{body}");
    // The child is in the journal, below the exchange that made it.
    let records = fixture.running.lab().journal().records();
    assert!(records.iter().any(|record| record.parent.is_some()), "{}", records.len());
}

#[tokio::test]
async fn nobody_else_is_ever_called() {
    let fixture = started(short()).await;
    for (url, word) in [
        ("https://example.com/", "no host of this world"),
        ("https://169.254.169.254/", "no host of this world"),
        ("https://10.0.0.1/", "no host of this world"),
        ("https://login.windows.net/", "no host of this world"),
        ("https://localhost:1/", "refused"),
        ("http://127.0.0.1/", "refused"),
        ("https://login.microsoftonline.com:8443/", "refused"),
        ("ftp://localhost/", "not an absolute http or https URL"),
        ("/relative", "not an absolute http or https URL"),
    ] {
        let (status, body) = called(&fixture, url).await;
        assert_eq!(status, 502, "{url}: {body}");
        assert!(body.contains(word), "{url}: {body}");
    }
}

#[tokio::test]
async fn public_urls_lead_back_in() {
    let state = tempfile::tempdir().unwrap();
    let public = "https://tenant.example:9443";
    let setup = Setup { public_urls: [(Entrance::Identity, format!("{public}/"))].into(), ..setup(&state) };
    let running = start_lab(lab(), setup).await.unwrap();
    assert_eq!(running.urls().identity, public);
    assert_eq!(running.lab().addresses().get(&Entrance::Identity).unwrap(), public);
    // TLS verifies it, and a name of the lab's own addresses is as local as localhost.
    let reply = running.outbound_client().get(&format!("{public}/echo")).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn a_public_url_with_a_path_is_refused() {
    for url in ["https://tenant.example/path", "tenant.example", "ftp://tenant.example", ""] {
        let state = tempfile::tempdir().unwrap();
        let setup = Setup { public_urls: [(Entrance::Identity, url.to_owned())].into(), ..setup(&state) };
        let error = start_lab(lab(), setup).await.unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
    }
}
