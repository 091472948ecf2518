//! Calls of the lab to itself, and to nobody else.

use mocktenant_lab::InProcess;
use mocktenant_lab::outbound::{CallError, Outbound as _};

use crate::limits::Room;

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
async fn in_process_a_call_comes_to_what_it_comes_to_over_sockets() {
    let state = tempfile::tempdir().unwrap();
    let public = "https://tenant.example:9443";
    let setup = Setup { public_urls: [(Entrance::Identity, public.to_owned())].into(), ..setup(&state) };
    let running = start_lab(lab(), setup).await.unwrap();
    let aside = lab();
    aside.set_addresses(Addresses::clone(&running.lab().addresses()));
    aside.set_outbound(InProcess::new(&aside, running.lab().dial().unwrap()));
    let urls = running.urls();
    let organization = address(&urls.organizations[0].1).port();
    let mut compared = Vec::new();
    for url in [
        "https://contoso.crm4.dynamics.com/echo?x=%41#fragment",
        "http://ax.contoso.com/echo",
        "https://ax.contoso.com:80/echo",
        "HTTPS://Login.MicrosoftOnline.COM./echo",
        &format!("https://login.microsoftonline.com:{organization}/echo"),
        &format!("http://localhost:{organization}/echo"),
        &format!("https://user:word@127.0.0.1:{organization}/echo"),
        &format!("https://127.0.0.2:{organization}/echo"),
        &format!("{public}/echo"),
        "https://tenant.example/echo",
        "https://contoso.crm4.dynamics.com",
        "https://contoso.crm4.dynamics.com?a",
        "https://contoso.crm4.dynamics.com/nowhere",
        "https://example.com/",
        "https://10.0.0.1/",
        "https://localhost:1/",
        "http://127.0.0.1/",
        "https://[::1]/",
        "https://login.microsoftonline.com:8443/",
        "ftp://localhost/",
        "/relative",
        "",
    ] {
        let sent = |identity: &str| Call {
            method: Method::POST,
            url: format!("{identity}/call"),
            headers: http::HeaderMap::new(),
            body: url.to_owned().into(),
        };
        let there = running.outbound_client().send(sent(public)).await.unwrap();
        let way_in = InProcess::new(&aside, running.lab().dial().unwrap());
        let here = way_in.call(sent("https://login.microsoftonline.com")).await.unwrap();
        assert_eq!((here.status, &here.body), (there.status, &there.body), "{url}");
        compared.push(here.status);
    }
    assert_eq!(compared.iter().filter(|status| **status == StatusCode::OK).count(), 8, "{compared:?}");
    // Nobody of the lab answers on its tools port.
    let error = running.lab().dial().unwrap().entrance(&aside, "localhost", address(&urls.control).port());
    assert!(matches!(error, Err(CallError::Refused { .. })), "{error:?}");
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

#[tokio::test]
async fn callers_that_take_every_place_do_not_keep_the_lab_from_calling_itself() {
    let limits = Limits::default();
    let surfaces = Room { connections: 24, ..limits.surfaces.clone() };
    let fixture = started(Limits { surfaces, ..limits }).await;
    let client = fixture.running.outbound_client();
    let identity = fixture.running.urls().identity.clone();
    // More than there are places, each of which needs a connection of the lab's to be answered.
    let callers = (0..64).map(|number| {
        let (client, url) = (client.clone(), format!("{identity}/call"));
        let call = Call {
            method: Method::POST,
            url,
            headers: http::HeaderMap::new(),
            body: format!("{identity}/echo?{number}").into(),
        };
        tokio::spawn(async move { client.send(call).await })
    });
    let callers: Vec<_> = callers.collect();
    let all = async {
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap().status, StatusCode::OK);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("nobody waits for himself");
}
