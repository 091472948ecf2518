//! Names, certificates and protocols on one port.

use std::process::Stdio;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;

use super::*;

async fn handshake(fixture: &Fixture, name: ServerName<'static>) -> Result<Vec<Vec<u8>>, std::io::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = fixture.running.ca_pem() + &fixture.running.ca_real_names_pem();
    let roots = CertificateDer::pem_slice_iter(roots.as_bytes()).map(Result::unwrap);
    let config = crate::tls::client_config(&provider, roots.collect::<Vec<_>>()).unwrap();
    let stream = TlsConnector::from(config).connect(name, fixture.connect().await).await?;
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    Ok(chain.iter().map(|certificate| certificate.to_vec()).collect())
}

#[tokio::test]
async fn world_names_localhost_and_addresses_verify_and_leaves_are_kept() {
    let fixture = started(short()).await;
    for name in [
        "login.microsoftonline.com",
        "contoso.crm4.dynamics.com",
        "ax.contoso.com",
        "localhost",
        "a.test",
        "127.0.0.1",
        "::1",
    ] {
        let name: ServerName<'static> = ServerName::try_from(name).unwrap();
        let first = handshake(&fixture, name.clone()).await.unwrap();
        assert_eq!(first.len(), 2, "leaf and issuing CA");
        assert_eq!(handshake(&fixture, name).await.unwrap(), first);
    }
}

#[tokio::test]
async fn whoever_trusts_ca_pem_cannot_be_told_that_this_is_microsoft() {
    let fixture = started(short()).await;
    let settings = fixture.running.settings();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let trusting = |text: &str| {
        let roots = CertificateDer::pem_slice_iter(text.as_bytes()).map(Result::unwrap).collect::<Vec<_>>();
        TlsConnector::from(crate::tls::client_config(&provider, roots).unwrap())
    };
    let bundle = std::fs::read_to_string(settings.ca_bundle_pem.as_ref().unwrap()).unwrap();
    for (roots, local, microsoft) in [
        (&std::fs::read_to_string(&settings.ca_pem).unwrap(), true, false),
        (&settings.ca_pem_text, true, false),
        (&std::fs::read_to_string(settings.ca_real_names_pem.as_ref().unwrap()).unwrap(), false, true),
        (&settings.ca_real_names_pem_text, false, true),
        (&bundle, true, true),
    ] {
        for (name, expected) in [
            ("localhost", local),
            ("ax.contoso.com", local),
            ("127.0.0.1", local),
            ("login.microsoftonline.com", microsoft),
            ("contoso.crm4.dynamics.com", microsoft),
        ] {
            let name: ServerName<'static> = ServerName::try_from(name).unwrap();
            let stream = trusting(roots).connect(name.clone(), fixture.connect().await).await;
            assert_eq!(stream.is_ok(), expected, "{name:?}");
        }
    }
}

#[tokio::test]
async fn names_outside_end_the_handshake() {
    let fixture = started(short()).await;
    for name in ["evil.example", "evil.login.microsoftonline.com", "microsoftonline.com", "10.0.0.1"] {
        handshake(&fixture, ServerName::try_from(name).unwrap()).await.unwrap_err();
    }
    fixture.is_healthy().await;
}

#[tokio::test]
async fn http_https_and_both_versions_share_one_port() {
    let fixture = started(short()).await;
    let client = fixture.running.outbound_client();
    let port = fixture.identity().port();
    let body = |reply: Result<crate::client::Reply, _>| -> String {
        let reply: crate::client::Reply = Result::<_, mocktenant_lab::outbound::CallError>::unwrap(reply);
        String::from_utf8(reply.body.to_vec()).unwrap()
    };
    assert_eq!(
        body(client.get(&format!("http://localhost:{port}/echo")).await),
        format!("http - localhost:{port} /echo ")
    );
    assert_eq!(
        body(client.get("https://login.microsoftonline.com/echo").await),
        "https login.microsoftonline.com login.microsoftonline.com /echo "
    );
    assert_eq!(
        body(client.get(&format!("https://127.0.0.1:{port}/echo")).await),
        format!("https - 127.0.0.1:{port} /echo ")
    );
}

/// curl's answer, or none where there is no curl.
pub(crate) async fn curl(fixture: &Fixture, arguments: &[&str]) -> Option<Result<String, i32>> {
    let roots = fixture.state.path().join("roots.pem");
    std::fs::write(&roots, fixture.running.ca_pem() + &fixture.running.ca_real_names_pem()).unwrap();
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = move || {
        std::process::Command::new("curl")
            .args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "10", "--cacert"])
            .arg(roots)
            .args(arguments)
            .stderr(Stdio::null())
            .output()
    };
    match tokio::task::spawn_blocking(run).await.unwrap() {
        Ok(output) if output.status.success() => Some(Ok(String::from_utf8(output.stdout).unwrap())),
        Ok(output) => Some(Err(output.status.code().unwrap_or(-1))),
        Err(error) => {
            assert!(std::env::var_os("MOCKTENANT_REQUIRE_CLIENTS").is_none(), "no curl: {error}");
            tracing::warn!(%error, "skipped: no curl");
            None
        }
    }
}

#[tokio::test]
async fn curl_verifies_names_and_speaks_both_versions() {
    let fixture = started(short()).await;
    let port = fixture.identity().port();
    let local = format!("https://localhost:{port}/echo");
    let Some(answer) = curl(&fixture, &["--http1.1", &local]).await else { return };
    assert_eq!(answer.unwrap(), format!("https localhost localhost:{port} /echo "));
    let version = ["--http2", "--write-out", "%{http_version}", &local];
    if let Some(Ok(answer)) = curl(&fixture, &version).await {
        // A curl built without HTTP/2 falls back.
        assert!(answer.ends_with(" /echo 2") || answer.ends_with(" /echo 1.1"), "{answer}");
    }
    let plain = format!("http://127.0.0.1:{port}/echo");
    let prior = ["--http2-prior-knowledge", "--data-binary", "body", &plain];
    if let Some(Ok(answer)) = curl(&fixture, &prior).await {
        assert_eq!(answer, format!("http - 127.0.0.1:{port} /echo body"));
    }
    let resolve = format!("login.microsoftonline.com:{port}:127.0.0.1");
    let world = format!("https://login.microsoftonline.com:{port}/echo");
    let answer = curl(&fixture, &["--resolve", &resolve, &world]).await.unwrap().unwrap();
    assert!(answer.starts_with("https login.microsoftonline.com login.microsoftonline.com:"), "{answer}");
    let resolve = format!("evil.example:{port}:127.0.0.1");
    let outside = format!("https://evil.example:{port}/echo");
    let refused = curl(&fixture, &["--resolve", &resolve, &outside]).await.unwrap();
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn the_tools_port_gives_the_very_roots_that_the_files_hold() {
    let fixture = started(short()).await;
    for (path, root) in
        [("/ca.pem", fixture.running.ca_pem()), ("/ca-real-names.pem", fixture.running.ca_real_names_pem())]
    {
        let url = format!("{}{path}", fixture.running.urls().control);
        let reply = fixture.running.outbound_client().get(&url).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&reply.body), root, "{path}");
        assert_eq!(
            std::fs::read_to_string(fixture.running.directory().join(&path[1..])).unwrap(),
            root,
            "{path}"
        );
    }
}
