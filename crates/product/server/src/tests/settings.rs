//! The document outside tests rely on.

use serde_json::json;

use super::*;
use crate::Settings;
use crate::state::SETTINGS_FILE;

/// The document of the default world, with `{name}` for what differs from lab to lab.
const GOLDEN: &str = include_str!("settings.golden");

#[tokio::test]
async fn the_settings_of_the_default_world_are_whole_and_their_files_are_there() {
    let fixture = started(Limits::default()).await;
    let settings = json!(*fixture.running.settings());
    let members: Vec<&String> = settings.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "schema",
            "entra",
            "adfs",
            "aos",
            "dataverse",
            "custom_api",
            "managed_identity",
            "user",
            "ca_pem",
            "ca_pem_text",
            "ca_real_names_pem",
            "ca_real_names_pem_text",
            "ca_bundle_pem",
            "truststore_p12",
            "truststore_password",
            "proxy_url",
            "world_names",
            "control_url",
            "instance",
            "pid"
        ]
    );
    let entra = &settings["entra"];
    let base = fixture.running.urls().identity.clone();
    assert_eq!(entra["base_url"], base);
    assert_eq!(entra["authority"], format!("{base}/c0117050-0000-4000-8000-000000000001"));
    assert_eq!(entra["client_id"], "c0117050-0000-4000-8000-00000000a001");
    assert_eq!(entra["expired_client_id"], "c0117050-0000-4000-8000-00000000a003");
    assert_eq!(entra["expired_client_secret"], "contoso-expired-secret-not-secret");
    assert_eq!(entra["certificate_thumbprint"], "AC8CE85E26ED732A9812AB09785B499F53D5951F");
    assert_eq!(entra["pfx_password"], "");
    let aos = &settings["aos"]["onebox"];
    assert_eq!(
        (&aos["url"], &aos["company"], &aos["currency"]),
        (&aos["resource"], &"usmf".into(), &"EUR".into())
    );
    assert_eq!(aos["sample_customer"]["CustomerAccount"], "DE-010");
    assert_eq!(settings["custom_api"]["role"], "Tasks.Read.All");
    assert_eq!(settings["dataverse"]["url"], fixture.running.urls().organizations[0].1);
    let no_null = settings.to_string();
    assert!(!no_null.contains("null"), "{no_null}");
    let files = [
        &settings["ca_pem"],
        &settings["ca_real_names_pem"],
        &settings["ca_bundle_pem"],
        &entra["certificate_pem"],
        &entra["certificate_pfx"],
    ];
    for path in files {
        let path = std::path::Path::new(path.as_str().unwrap());
        assert!(path.is_absolute() && std::fs::metadata(path).unwrap().len() > 0, "{}", path.display());
    }
    let pem = std::fs::read_to_string(entra["certificate_pem"].as_str().unwrap()).unwrap();
    assert_eq!(entra["certificate_pem_text"], pem);
}

#[tokio::test]
async fn a_pfx_is_made_once_per_state() {
    let state = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let setup = Setup { publish_settings: true, ..setup(&state) };
        let running = start_lab(lab(), setup).await.unwrap();
        seen.push(running.settings().entra.certificate_pfx_base64.clone());
        running.stop(Duration::from_secs(1)).await;
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn the_document_is_the_same_to_the_last_byte_and_reads_back_what_it_wrote() {
    let state = tempfile::tempdir().unwrap();
    let setup = Setup { publish_settings: true, ..setup(&state) };
    let running = start_lab(lab(), setup).await.unwrap();
    let settings = running.settings();
    let urls = running.urls();
    let quoted = |text: &str| json!(text).to_string();
    let values = [
        ("{identity}", urls.identity.clone()),
        ("{imds}", urls.identity.replace("https://", "http://")),
        ("{onebox}", urls.environments[0].1.clone()),
        ("{dataverse}", urls.organizations[0].1.clone()),
        ("{control}", urls.control.clone()),
        ("{proxy}", urls.control.replace("https://", "http://")),
        ("{names}", format!("{:#}", json!(settings.world_names)).replace('\n', "\n  ")),
        ("{state}", running.directory().to_str().unwrap().to_owned()),
        ("{instance}", quoted(running.instance())),
        ("{pid}", std::process::id().to_string()),
        ("{ca_pem_text}", quoted(&running.ca_pem())),
        ("{ca_real_names_pem_text}", quoted(&running.ca_real_names_pem())),
        ("{certificate_pem_text}", quoted(&settings.entra.certificate_pem_text)),
        ("{certificate_pfx_base64}", quoted(&settings.entra.certificate_pfx_base64)),
    ];
    let expected = values.iter().fold(GOLDEN.to_owned(), |text, (name, value)| text.replace(name, value));
    let written = std::fs::read_to_string(state.path().join(SETTINGS_FILE)).unwrap();
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_str::<Settings>(&written).unwrap(), *settings);
}
