//! AD FS rolls its token-signing certificate over, and who notices when; and an environment that is stopped.

use http::Method;
use mocktenant_lab::{ClockChange, Command};
use serde_json::json;
use time::Duration;

use crate::site::*;

const DATA: &str = "/namespaces/AXSF/data/Currencies";

async fn rolled(site: &Site) {
    site.apply(&[set(&format!("{SERVICE}/signing_keys"), json!(["shipped:adfs-signing-next"]))]).await;
    site.apply(&[set(&format!("{SERVICE}/next_signing_key"), "shipped:adfs-signing")]).await;
}

async fn later(site: &Site, hours: i64) {
    site.lab.apply(Command::Clock(ClockChange::Forward(Duration::hours(hours)))).await.unwrap();
}

#[tokio::test]
async fn a_node_keeps_the_keys_of_its_start_and_where_it_refreshes_them_no_longer_than_a_day() {
    for (refreshes, after_a_day) in [(None, 401), (Some(false), 401), (Some(true), 200)] {
        let at = "/environments/onprem/refreshes_keys";
        let edits: Vec<_> = refreshes.map(|refreshes| set(at, refreshes)).into_iter().collect();
        let site = Site::of(&edits).await;
        rolled(&site).await;
        later(&site, 23).await;
        let token = site.token_for("https://ax.contoso.com/").await;
        assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, 401, "{refreshes:?}");
        assert_eq!(failed(&site.last()), ["token-signature"]);
        later(&site, 1).await;
        let token = site.token_for("https://ax.contoso.com/").await;
        assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, after_a_day, "{refreshes:?}");
        assert_eq!(!site.opens().await.refused(), after_a_day == 200, "{refreshes:?}");
        site.restart().await;
        assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, 200);
    }
}

#[tokio::test]
async fn keys_that_cannot_be_had_again_leave_those_there_are() {
    let site = Site::of(&[set("/environments/onprem/refreshes_keys", true)]).await;
    let token = site.token_for("https://ax.contoso.com/").await;
    let fresh = || site.token_for("https://ax.contoso.com/");
    later(&site, 25).await;
    let next = fresh().await;
    site.apply(&[set(&format!("{SERVICE}/stopped"), true)]).await;
    assert_eq!(site.call(Method::GET, DATA, &next, "").await.status, 200);
    assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, 401, "it has run out");
}

#[tokio::test]
async fn a_stopped_environment_answers_503_until_it_is_started_or_reset_and_reads_its_file_then() {
    let site = Site::new().await;
    let stop = |of: &str| Command::Stop { of: of.to_owned(), by: mocktenant_world::EditedBy::Control };
    let start = |of: &str| Command::Start { of: of.to_owned(), by: mocktenant_world::EditedBy::Control };
    let url = format!("{APPLICATION}/");
    site.lab.apply(stop("onprem")).await.unwrap();
    let reply = site.get(&url).await;
    assert_eq!(reply.status, 503);
    assert!(text(&reply).contains("The service is unavailable."));
    let cause = mocktenant_diagnosis::explain(&site.lab, "last").await.unwrap().cause.unwrap();
    assert_eq!(cause.setting.as_str(), "/environments/onprem/stopped");
    let audience = format!("{AXSF}/Aad.AADValidAudience");
    site.apply(&[set(&audience, "https://elsewhere.example/")]).await;
    site.lab.apply(start("ax.contoso.com")).await.unwrap();
    assert_eq!(site.get(&url).await.status, 302);
    let token = site.token_for("https://ax.contoso.com/").await;
    assert_eq!(site.call(Method::GET, DATA, &token, "").await.status, 401, "the edit counts");
    site.lab.apply(stop("onprem")).await.unwrap();
    site.lab.apply(Command::Reset { scope: None }).await.unwrap();
    assert_eq!(site.get(&url).await.status, 302);
}
