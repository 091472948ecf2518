//! The ports on which a name decides alone.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::*;
use crate::error::StartError;
use crate::listen::loopback;

struct Named {
    running: Running,
    _state: TempDir,
}

async fn named(public_urls: &[(Entrance, &str)]) -> Named {
    let state = tempfile::tempdir().unwrap();
    let public_urls =
        public_urls.iter().map(|(entrance, url)| (entrance.clone(), (*url).to_owned())).collect();
    let setup = Setup { real_names: RealNames::Free, public_urls, ..setup(&state) };
    let running = start_lab(lab(), setup).await.unwrap();
    Named { running, _state: state }
}

impl Named {
    fn ports(&self) -> Vec<u16> {
        self.running.settings().real_name_ports.clone()
    }

    /// What is answered on this port for a `Host`, over plain http.
    async fn asked(&self, port: u16, host: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET /echo HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    }

    fn entrance_of_last(&self) -> Option<Entrance> {
        self.running.lab().journal().records().last().and_then(|record| record.entrance.clone())
    }
}

#[tokio::test]
async fn a_name_of_the_world_decides_whatever_the_port() {
    let named = named(&[]).await;
    let ports = named.ports();
    assert_eq!(ports.len(), 2, "one for https, one for http");
    for port in ports {
        for (host, entrance) in [
            ("login.microsoftonline.com", Entrance::Identity),
            ("contoso.crm4.dynamics.com", Entrance::organization("contoso")),
            ("usnconeboxax1aos.cloud.onebox.dynamics.com", Entrance::environment("onebox")),
            ("ax.contoso.com:443", Entrance::environment("onprem")),
        ] {
            let answer = named.asked(port, host).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(host), "{port} {host}: {answer}");
            assert_eq!(named.entrance_of_last(), Some(entrance), "{host}");
        }
    }
}

#[tokio::test]
async fn both_ports_speak_https_with_the_name_s_own_certificate() {
    let named = named(&[]).await;
    let roots = CertificateDer::pem_slice_iter(named.running.ca_real_names_pem().as_bytes())
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = crate::tls::client_config(&provider, roots).unwrap();
    for port in named.ports() {
        let name = "login.microsoftonline.com";
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&config));
        let mut stream = connector.connect(name.try_into().unwrap(), stream).await.unwrap();
        let request = format!("GET /echo HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.ends_with(&format!("https {name} {name} /echo ")), "{answer}");
    }
}

#[tokio::test]
async fn where_no_name_says_who_is_meant_it_is_421() {
    let named = named(&[]).await;
    for port in named.ports() {
        for host in ["evil.example", "localhost", "127.0.0.1", "lab", "some.internal", ""] {
            let answer = named.asked(port, host).await;
            assert!(answer.starts_with("HTTP/1.1 421"), "{host}: {answer}");
        }
    }
    // On a product's own port the same names mean that product.
    let identity = address(&named.running.urls().identity).port();
    assert!(named.asked(identity, "lab").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_name_of_one_public_url_says_who_is_meant() {
    let organization = Entrance::organization("contoso");
    let named = named(&[(organization.clone(), "https://dataverse.test")]).await;
    let port = named.ports()[0];
    assert!(named.asked(port, "dataverse.test").await.starts_with("HTTP/1.1 200"));
    assert_eq!(named.entrance_of_last(), Some(organization));
    assert!(named.asked(port, "other.test").await.starts_with("HTTP/1.1 421"));
}

#[tokio::test]
async fn the_lab_s_own_calls_need_no_such_port() {
    let named = named(&[]).await;
    let client = named.running.outbound_client();
    let reply = client.get("https://login.microsoftonline.com/echo").await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
    client.get(&format!("http://localhost:{}/echo", named.ports()[0])).await.unwrap_err();
}

#[test]
fn a_port_that_cannot_be_had_names_the_flag() {
    let address = loopback()[0];
    for (kind, words) in [
        (std::io::ErrorKind::AddrInUse, "`--real-names` needs port 443 on 127.0.0.1, which is taken"),
        (std::io::ErrorKind::PermissionDenied, "which this user may not listen on"),
    ] {
        let error = StartError::RealNames { port: 443, address, source: kind.into() };
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.exit_code(), 3);
    }
}

#[tokio::test]
async fn a_caller_in_the_network_is_told_world_names_and_the_folder_of_roots_and_no_proxy() {
    let state = tempfile::tempdir().unwrap();
    let ca = tempfile::tempdir().unwrap();
    let setup = Setup {
        real_names: RealNames::Free,
        ca_directory: Some(ca.path().to_owned()),
        public_urls: [(Entrance::Identity, String::from("https://localhost:9443"))].into(),
        ..setup(&state)
    };
    let running = start_lab(lab(), setup).await.unwrap();
    let own = running.settings();
    let url = format!("{}/v1/settings?for=network", running.urls().control);
    let reply = running.outbound_client().get(&url).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
    let told = crate::Settings::read(&reply.body).unwrap();
    let port = own.real_name_ports[0];
    let tenant = "c0117050-0000-4000-8000-000000000001";
    assert_eq!(told.entra.authority, format!("https://login.microsoftonline.com:{port}/{tenant}"));
    let adfs = told.adfs.unwrap();
    assert_eq!(adfs.base_url, format!("https://adfs.contoso.com:{port}/adfs"));
    assert!(adfs.metadata_url.starts_with(&format!("https://adfs.contoso.com:{port}/FederationMetadata/")));
    assert_eq!(adfs.resource, own.adfs.as_ref().unwrap().resource);
    let onebox = "https://usnconeboxax1aos.cloud.onebox.dynamics.com";
    assert_eq!(told.aos["onebox"].url, format!("{onebox}:{port}"));
    assert_eq!(told.aos["onebox"].resource, onebox, "a resource has no port of a test");
    assert_eq!(told.aos["onebox"].data_url, None);
    let onprem = &told.aos["onprem"];
    assert_eq!(onprem.url, format!("https://ax.contoso.com:{port}"));
    assert_eq!(onprem.data_url, Some(format!("https://ax.contoso.com:{port}/namespaces/AXSF/data")));
    assert_eq!(onprem.resource, own.aos["onprem"].resource, "what its AOS takes, whoever asks");
    assert_eq!(told.dataverse.resource, "https://contoso.crm4.dynamics.com");
    assert_eq!(told.proxy_url, "");
    assert_eq!(told.world_names, own.world_names);
    let machine = gethostname::gethostname().to_string_lossy().into_owned();
    let tools = address(&running.urls().control).port();
    assert_eq!(
        told.control_url,
        format!("http://{machine}:{tools}"),
        "asked from itself, it says its own name"
    );
    let imds = told.managed_identity.unwrap();
    let identity = running.lab().addresses();
    assert!(imds.imds_url.starts_with(&format!("http://{machine}:")) && !imds.imds_url.contains("9443"));
    assert!(
        identity.all(&Entrance::Identity).any(|url| imds.imds_url.ends_with(&url[url.rfind(':').unwrap()..]))
    );
    assert!(
        imds.app_service_url.starts_with(&imds.imds_url) && imds.app_service_url.len() > imds.imds_url.len()
    );
    let files = [
        Some(&told.ca_pem),
        told.ca_bundle_pem.as_ref(),
        told.ca_real_names_pem.as_ref(),
        told.truststore_p12.as_ref(),
    ];
    for file in files {
        let file = file.unwrap();
        assert!(file.starts_with(ca.path()) && file.is_file(), "{}", file.display());
    }
    // No file of the lab's own directory is named anywhere.
    let text = String::from_utf8_lossy(&reply.body).replace(&adfs.redirect_uri, "the client's own machine");
    assert!(!text.contains(&*state.path().to_string_lossy()) && !text.contains("localhost"), "{text}");
    assert_eq!((told.entra.certificate_pem, told.pid), (None, None));
    assert_eq!(told.entra.certificate_pem_text, own.entra.certificate_pem_text);

    // As it was called, where it was called from beyond.
    let mut stream = TcpStream::connect(("127.0.0.1", tools)).await.unwrap();
    let host = "login.microsoftonline.com:7440";
    let request =
        format!("GET /v1/settings?for=network HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.contains(&format!("\"http://login.microsoftonline.com:{tools}\"")), "{answer}");
}

#[tokio::test]
async fn without_real_names_there_is_nothing_to_tell_a_network() {
    let fixture = started(Limits::default()).await;
    let client = fixture.running.outbound_client();
    let url = |query: &str| format!("{}/v1/settings?{query}", fixture.running.urls().control);
    let reply = client.get(&url("for=network")).await.unwrap();
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert!(String::from_utf8_lossy(&reply.body).contains("--real-names"));
    assert_eq!(client.get(&url("for=host")).await.unwrap().status, StatusCode::OK);
    assert_eq!(client.get(&url("for=nobody")).await.unwrap().status, StatusCode::BAD_REQUEST);
}
