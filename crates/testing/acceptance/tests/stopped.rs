//! AD FS is stopped: what explain says of it, and that what it says to change heals it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use http::Method;
use mocktenant_adfs::Adfs;
use mocktenant_aos::Aos;
use mocktenant_diagnosis::{Explanation, Kind, explain, explain_records};
use mocktenant_entra::Entra;
use mocktenant_lab::{Command, Delivery, EXCHANGE_HEADER, Entrance, InProcess, Lab, Request, Response};
use mocktenant_world::{Edit, EditedBy, Setting, World};

const STOPPED: &str = "/federation_services/contoso/stopped";
const METADATA: &str = "/environments/onebox/web_config/Aad.AADMetadataLocationFormat";
const FEDERATION_METADATA: &str = "/FederationMetadata/2007-06/FederationMetadata.xml";

async fn lab() -> Lab {
    let world = Arc::new(World::contoso().unwrap());
    let lab = Lab::builder(world).surface(Adfs).surface(Entra::default()).surface(Aos::new()).build();
    lab.set_outbound(InProcess::by_world_names(&lab));
    lab.start_all().await;
    lab
}

async fn stopped() -> Lab {
    let lab = lab().await;
    lab.apply(Command::Stop { of: "adfs.contoso.com".into(), by: EditedBy::Control }).await.unwrap();
    lab
}

async fn edit(lab: &Lab, edits: Vec<Edit>) {
    lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
}

async fn asked(lab: &Lab, host: &str, target: &str) -> Response {
    lab.answer(Request::new(Method::GET, host, target, Entrance::Identity)).await
}

async fn explained(lab: &Lab, response: &Response) -> Explanation {
    explain(lab, response.headers[EXCHANGE_HEADER].to_str().unwrap()).await.unwrap()
}

#[tokio::test]
async fn explain_says_that_ad_fs_is_stopped_and_its_change_heals_it() {
    let lab = stopped().await;
    for (host, target) in [("localhost", "/adfs/probe"), ("adfs.contoso.com", FEDERATION_METADATA)] {
        let response = asked(&lab, host, target).await;
        assert_eq!(response.delivery, Delivery::Reset, "{host}{target}");
        let explanation = explained(&lab, &response).await;
        let cause = explanation.cause.as_ref().unwrap();
        assert_eq!((cause.kind, cause.setting.as_str()), (Kind::Setting, STOPPED));
        assert_eq!((&*cause.expected, &*cause.actual), ("false", "true"));
        assert_eq!(cause.change, [Edit::add(Setting::fixed(STOPPED), false)]);
        assert!(explanation.also.is_empty(), "nothing else is wrong: {:?}", explanation.also);
        assert_eq!(explanation.symptom, "no answer (stopped)");
        let text = explanation.to_text(false);
        for line in [
            "cause   services.msc on ADFS.contoso.com: Active Directory Federation Services  stopped: expected false, is true",
            "run     mocktenant set /federation_services/contoso/stopped false",
            "service-runs               expected a service that runs, got AD FS is stopped  stopped",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
    let last = explain(&lab, "last").await.unwrap();
    let change = last.cause.unwrap().change;
    edit(&lab, change).await;
    assert_eq!(asked(&lab, "localhost", "/adfs/probe").await.status, 200);
}

#[tokio::test]
async fn a_journal_alone_says_how_it_is_started() {
    let lab = stopped().await;
    asked(&lab, "localhost", "/adfs/probe").await;
    let explanation = explain_records(&lab.journal().tree(), "last").unwrap();
    let cause = explanation.cause.unwrap();
    assert_eq!(cause.setting.as_str(), STOPPED);
    assert_eq!(cause.advice.as_deref(), Some("Start it: mocktenant start federation-service/contoso"));
}

#[tokio::test]
async fn whoever_calls_a_stopped_ad_fs_is_told_that_and_not_to_change_its_own_address() {
    let lab = lab().await;
    let address = format!("https://adfs.contoso.com{FEDERATION_METADATA}");
    edit(&lab, vec![Edit::add(Setting::fixed(METADATA), address)]).await;
    lab.apply(Command::Stop { of: "contoso".into(), by: EditedBy::Control }).await.unwrap();
    lab.apply(Command::Restart { environment: "onebox".into(), node: None }).await.unwrap();
    let start = lab.journal().records().into_iter().rfind(|record| &*record.endpoint == "start").unwrap();
    let explanation = explain(&lab, &start.id).await.unwrap();
    let cause = explanation.cause.as_ref().unwrap();
    assert_eq!(cause.setting.as_str(), STOPPED, "{}", explanation.to_text(true));
    assert_eq!(cause.change, [Edit::add(Setting::fixed(STOPPED), false)]);
    edit(&lab, cause.change.clone()).await;
    lab.apply(Command::Restart { environment: "onebox".into(), node: None }).await.unwrap();
    let record = lab.journal().records().into_iter().rfind(|record| &*record.endpoint == "start").unwrap();
    assert!(
        record.checks.iter().any(|check| check.name == "metadata-reachable" && check.holds()),
        "{record:?}"
    );
}

#[tokio::test]
async fn entra_and_the_environments_do_not_notice() {
    let lab = stopped().await;
    let tenant = "/contoso.com/v2.0/.well-known/openid-configuration";
    assert_eq!(asked(&lab, "localhost", tenant).await.status, 200);
    lab.apply(Command::Restart { environment: "onebox".into(), node: None }).await.unwrap();
    let start = lab.journal().records().into_iter().rfind(|record| &*record.endpoint == "start").unwrap();
    assert!(!start.refused(), "{start:?}");
}
