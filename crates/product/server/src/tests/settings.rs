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
async fn what_a_client_of_the_federation_service_needs_is_what_the_world_registers_there() {
    let fixture = started(Limits::default()).await;
    let settings = fixture.running.settings();
    let base = &fixture.running.urls().identity;
    let adfs = settings.adfs.as_ref().unwrap();
    assert_eq!(adfs.base_url, format!("{base}/adfs"));
    let world = fixture.running.lab().world();
    let service = world.federation_service("contoso").unwrap();
    let web_api = service.web_api(&adfs.resource).unwrap();
    assert!(web_api.permission(&adfs.client_id).is_some());
    assert!(web_api.permission(&adfs.native_client_id).is_some());
    let native = service.client(&adfs.native_client_id).unwrap();
    assert!(native.credentials.is_none() && native.redirect_uris.contains(&adfs.redirect_uri));
    let user = settings.user.as_ref().unwrap();
    assert_eq!(service.user(&user.name).unwrap().password.as_str(), user.password);
}

#[tokio::test]
async fn a_world_without_a_federation_service_has_none_in_its_settings_and_another_user() {
    let edit = |path: &'static str| mocktenant_world::Edit::remove(mocktenant_world::Setting::fixed(path));
    let world = mocktenant_world::World::contoso().unwrap();
    let gone = [edit("/environments/onprem"), edit("/federation_services/contoso")];
    let none = world.edited(&gone, mocktenant_world::EditedBy::Control).unwrap();
    let identity = String::from("https://localhost:7443");
    assert_eq!(crate::settings::adfs(&none, Some(&identity)), None);
    assert_eq!(crate::settings::adfs(&world, None), None);
    let tenant = none.tenant(&none.caller().tenant).map(|tenant| &**tenant);
    assert_eq!(crate::settings::user(&none, tenant).unwrap().name, "ada@contoso.com");
    assert_eq!(crate::settings::user(&none, None), None);
}

#[tokio::test]
async fn on_premises_the_resource_is_the_audience_in_the_file_of_its_aos_or_its_host() {
    use mocktenant_world::{Edit, EditedBy, Setting, World};
    let audience = Setting::fixed("/environments/onprem/axsf/Aad.AADValidAudience");
    let host = Setting::fixed("/environments/onprem/host");
    for (edits, expected) in [
        (vec![], "https://ax.contoso.com/"),
        (vec![Edit::replace(audience.clone(), "https://mine.contoso.com")], "https://mine.contoso.com"),
        (vec![Edit::replace(host.clone(), "b.contoso.com")], "https://ax.contoso.com/"),
        (vec![Edit::replace(host, "b.contoso.com"), Edit::remove(audience)], "https://b.contoso.com/"),
    ] {
        let world = World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap();
        let aos =
            crate::settings::aos(&world, world.environment("onprem").unwrap(), "https://localhost:7445");
        assert_eq!((&*aos.url, &*aos.resource), ("https://localhost:7445", expected));
        assert_eq!(aos.data_url.as_deref(), Some("https://localhost:7445/namespaces/AXSF/data"));
        assert!(aos.company.is_none() && aos.sample_customer.is_null(), "the caller does not call it");
    }
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
        ("{onprem}", urls.environments[1].1.clone()),
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
