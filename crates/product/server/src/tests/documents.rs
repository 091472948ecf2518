//! What an AOS on-premises fetches at its start, where it comes slowly, is endless, or leads away: over real sockets, from a surface
//! that stands in the place of AD FS. And who waits meanwhile: whoever asks a node, and nobody else.

use std::time::Instant;

use mocktenant_lab::NodeState;
use mocktenant_lab::journal::Kind;
use mocktenant_world::{Edit, EditedBy, Setting};

use super::*;
use crate::outbound::CALL_TIMEOUT;

/// Serves documents as nobody should.
struct Documents;

const HOST: &str = "documents.contoso.com";

static ROUTES: &[Route<Documents>] = &[
    Route {
        methods: &[Method::GET],
        pattern: "/slow",
        endpoint: "slow",
        handler: |_, _| {
            Box::pin(async {
                tokio::time::sleep(CALL_TIMEOUT * 2).await;
                text(StatusCode::OK, "too late")
            })
        },
    },
    Route {
        methods: &[Method::GET],
        pattern: "/large",
        endpoint: "large",
        handler: |_, _| Box::pin(async { text(StatusCode::OK, &"<a/>".repeat(50 * 1024 * 1024 / 4)) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/away",
        endpoint: "away",
        handler: |_, _| {
            let to = "https://away.example.com/FederationMetadata.xml".to_owned();
            Box::pin(async { Answer::typed(StatusCode::FOUND, Content::Redirect { to }) })
        },
    },
];

impl Surface for Documents {
    const NAME: &'static str = "documents";
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }
    fn fork(&self) -> Self {
        Self
    }
    fn hosts(&self, _: &World) -> Vec<(String, Entrance)> {
        vec![(HOST.to_owned(), Entrance::Identity)]
    }
    fn at(&self, _: &Entrance, _: &str) -> bool {
        false
    }
    fn machine(&self, _: &World, _: &Way<'_>) -> Option<Machine> {
        None
    }
    fn prepare(&self, _: &World, _: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, _: &mut Exchange, _: Refusal) -> Answer {
        text(StatusCode::NOT_FOUND, "not found")
    }
    fn judge(&self, _: &Context, _: &str, _: &mut Trail) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_are_slow_endless_or_elsewhere_end_a_start_in_time_and_only_whoever_asks_a_node_waits()
{
    let edits: Vec<Edit> = [("AOS_1", "large"), ("AOS_2", "away"), ("AOS_3", "slow")]
        .into_iter()
        .map(|(node, document)| {
            let at = format!("/environments/onprem/nodes/{node}/axsf/Aad.AADMetadataLocationFormat");
            Edit::add(Setting::from_pointer(at), format!("https://{HOST}/{document}"))
        })
        .collect();
    let world = World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap();
    let lab = Lab::builder(Arc::new(world)).surface(Documents).surface(mocktenant_adfs::Adfs);
    let lab = lab.surface(mocktenant_entra::Entra::new()).surface(mocktenant_aos::Aos::new()).build();
    let state = tempfile::tempdir().unwrap();
    let (setup, began) = (setup(&state), Instant::now());
    let starting = tokio::spawn({
        let lab = lab.clone();
        async move { start_lab(lab, setup).await.unwrap() }
    });
    let address = |entrance: &Entrance| {
        let addresses = lab.addresses();
        let port = addresses.get(entrance)?.rsplit_once(':')?.1.parse().ok()?;
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    };
    let (identity, onprem) = loop {
        let found = address(&Entrance::Identity).zip(address(&Entrance::environment("onprem")));
        match found {
            Some(found) => break found,
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    let get = |to: SocketAddr, target: &'static str| async move {
        let mut stream = loop {
            match TcpStream::connect(to).await {
                Ok(stream) => break stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let node = tokio::spawn(get(onprem, "/namespaces/AXSF/"));
    let answer = get(identity, "/adfs/.well-known/openid-configuration").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(began.elapsed() < CALL_TIMEOUT / 2, "AD FS waits for no node: {:?}", began.elapsed());
    let answer = node.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 500 "), "the first node did not start: {answer}");
    assert!(!starting.is_finished(), "and who asked it did not wait for the others");
    let running = starting.await.unwrap();
    assert!(began.elapsed() < CALL_TIMEOUT * 2, "{:?}", began.elapsed());
    assert!(lab.nodes("onprem").unwrap().iter().all(|node| node.state == NodeState::NotStarted));
    let starts: Vec<String> = lab
        .journal()
        .records()
        .iter()
        .filter(|record| {
            record.kind == Kind::Start
                && record.machine.as_ref().is_some_and(|at| at.environment() == Some("onprem"))
        })
        .map(|record| record.failed_check().unwrap().actual.to_string())
        .collect();
    let [large, away, slow] = &starts[..] else { panic!("{starts:?}") };
    assert!(large.contains("length limit exceeded"), "{large}");
    assert!(away.contains("away.example.com"), "{away}");
    assert_eq!(slow, &format!("no answer from {HOST} in 30 s"));
    running.stop(Duration::ZERO).await;
}
