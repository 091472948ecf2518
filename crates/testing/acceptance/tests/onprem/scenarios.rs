//! Every story of an AOS on-premises: broken, explained, healed by what the explanation says and nothing else.

use base64::Engine as _;
use mocktenant_acceptance::random_world::Dice;
use mocktenant_diagnosis::{Cause, Kind, explain};
use mocktenant_lab::{Command, CommandError};
use mocktenant_scenario as scenario;
use mocktenant_verdict::Setting;
use mocktenant_world::{Edit, EditedBy, World};

use crate::site::*;

/// What heals, with stand-ins for what only a person knows.
pub(crate) fn healing(cause: &Cause) -> Vec<Edit> {
    let stand_ins = cause.needs.iter().flat_map(|need| need.stand_in.iter());
    cause.change.iter().chain(stand_ins).cloned().collect()
}

async fn scenario_in(site: &Site, name: &str) -> Result<(), CommandError> {
    site.lab.apply(Command::Scenario { name: name.to_owned() }).await.map(drop)
}

#[tokio::test]
async fn each_story_breaks_is_explained_by_its_setting_and_heals_by_what_is_said() {
    let (axsf, row) = (AXSF, ROW);
    let group = format!("{SERVICE}/application_groups/Microsoft Dynamics 365 for Operations On-premises");
    let native = format!("{group}/native_applications/d8230a86-015d-4c14-bcd6-c7fb65176b16");
    let api = format!("{group}/web_apis/https:~1~1ax.contoso.com~1namespaces~1AXSF");
    let node = "/environments/onprem/nodes/AOS_2";
    let root = "/environments/onprem/machine/certificates/LocalMachine/Root/lab-ca";
    for (name, kind, setting) in [
        ("adfs-metadata-unreachable", Kind::Setting, format!("{axsf}/Aad.AADMetadataLocationFormat")),
        ("adfs-metadata-wrong-path", Kind::Setting, format!("{axsf}/Aad.AADMetadataLocationFormat")),
        ("adfs-root-untrusted", Kind::Missing, root.to_owned()),
        ("adfs-client-mismatch", Kind::Setting, format!("{axsf}/OpenIDConnect.ClientID")),
        ("adfs-redirect-uri-missing", Kind::Missing, format!("{native}/redirect_uris")),
        ("userinfo-missing", Kind::Missing, row.to_owned()),
        ("userinfo-disabled", Kind::Setting, format!("{row}/Enable")),
        ("nonce-lost", Kind::Caller, "/caller/sign_in/loses".to_owned()),
        ("adfs-identifier-slash", Kind::Missing, format!("{api}/identifiers")),
        ("adfs-issuer-mismatch", Kind::Setting, format!("{row}/IdentityProvider")),
        ("m365-compat-toggled", Kind::Setting, format!("{row}/IdentityProvider")),
        ("signing-key-rollover", Kind::Restart, format!("{axsf}/OpenIDConnect.Metadata")),
        ("adfs-clock-skew", Kind::Setting, format!("{SERVICE}/clock")),
        ("one-node-stale", Kind::Restart, format!("{axsf}/OpenIDConnect.ClientID")),
        ("servicing-reverts-edits", Kind::Setting, format!("{axsf}/Aad.AADMetadataLocationFormat")),
        ("node-clock-skew", Kind::Setting, format!("{node}/clock")),
        (
            "node-root-untrusted",
            Kind::Missing,
            format!("{node}/machine/certificates/LocalMachine/Root/lab-ca"),
        ),
    ] {
        assert!(scenario::find(name).is_some(), "{name}");
        let site = Site::new().await;
        scenario_in(&site, name).await.unwrap();
        let attempt = site.opens().await;
        assert!(attempt.refused(), "{name}");
        let explanation = explain(&site.lab, &attempt.exchange).await.unwrap();
        let cause = explanation.cause.unwrap_or_else(|| panic!("{name}: no cause"));
        assert_eq!((cause.kind, cause.setting.as_str()), (kind, &*setting), "{name}: {cause:?}");
        assert!(explanation.also.is_empty(), "{name}: {:?}", explanation.also);
        if kind != Kind::Restart {
            let edits = healing(&cause);
            assert!(!edits.is_empty(), "{name}");
            site.lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
        }
        site.restart().await;
        let healed = site.opens().await;
        assert!(!healed.refused(), "{name}: {:?} {}", healed.status, String::from_utf8_lossy(&healed.body));
    }
}

#[tokio::test]
async fn a_page_of_ad_fs_has_its_event_under_the_activity_id_it_shows_and_both_are_explained() {
    for (name, number) in [("adfs-client-mismatch", "MSIS9223"), ("adfs-redirect-uri-missing", "MSIS9224")] {
        let site = Site::new().await;
        scenario_in(&site, name).await.unwrap();
        let attempt = site.opens().await;
        let page = String::from_utf8_lossy(&attempt.body).into_owned();
        let (_, activity) = page.split_once("Activity ID: ").unwrap();
        let activity = &activity[..36];
        assert!(page.contains(number));
        let record = site.lab.journal().find(&attempt.exchange).unwrap();
        let events: Vec<_> = site.lab.events(&record).iter().map(mocktenant_lab::Event::document).collect();
        assert!(events.iter().any(|event| event.id == 364 && event.text.contains(number)), "{name}");
        let explanation = explain(&site.lab, activity).await.unwrap();
        let cause = explanation.cause.unwrap();
        assert!(cause.to_line().contains(if number == "MSIS9223" {
            "AXSF.Package.1.0.xml:29"
        } else {
            "Redirect URI"
        }));
    }
}

/// The default world under other names: hosts, client id, the user's row, and a file as others have it.
fn renamed(dice: &mut Dice) -> Vec<Edit> {
    let world = World::contoso().unwrap();
    let name = |dice: &mut Dice, letters: &[u8]| -> String {
        let sides = u64::try_from(letters.len()).unwrap();
        (0..6).map(|_| char::from(letters[usize::try_from(dice.below(sides)).unwrap()])).collect()
    };
    let adfs = format!("{}.Example.ORG", name(dice, b"abcXYZ019"));
    let ax = format!("{}.example.net", name(dice, b"abcdef0123"));
    let client =
        format!("d8230a86-015d-4c14-bcd6-{}{}", name(dice, b"0123456789ab"), name(dice, b"0123456789ab"));
    let row = name(dice, b"ABCuvw789");
    let nodes = 2 + dice.below(4);
    let nodes: serde_json::Map<_, _> =
        (0..nodes).map(|_| (name(dice, b"ABCuvw789"), serde_json::json!({}))).collect();
    let provider = format!("http://{adfs}/adfs/services/trust");
    let changed = |text: String| {
        text.replace("ax.contoso.com", &ax)
            .replace("d8230a86-015d-4c14-bcd6-c7fb65176b16", &client)
            .replace("ADFS.contoso.com", &adfs)
    };
    let read = |pointer: &str| world.get(&Setting::from_pointer(pointer.to_owned())).unwrap().clone();
    let groups = changed(read(&format!("{SERVICE}/application_groups")).to_string());
    let mut users = read("/environments/onprem/database/UserInfo");
    let mut ada = users.as_object_mut().unwrap().remove("ada").unwrap();
    ada["IdentityProvider"] = provider.as_str().into();
    users["Admin"]["IdentityProvider"] = provider.as_str().into();
    users[&row] = ada;
    let file = world.artefact(&Setting::from_pointer(AXSF.to_owned())).unwrap();
    let mut text = changed(String::from_utf8(file.bytes().to_vec()).unwrap());
    if dice.below(2) == 0 {
        text = text.replace("Name=\"AAD", "Name=\"Microsoft Entra ID");
    }
    if dice.below(2) == 0 {
        // A fragment, as the article prints it.
        let (_, rest) = text.split_once("<Settings>").unwrap();
        text = rest.split_once("</Settings>").unwrap().0.into();
    }
    let given = match dice.below(3) {
        0 => text,
        1 => format!("\u{feff}{text}"),
        _ => {
            let text = text.replace("encoding=\"utf-8\"", "encoding=\"utf-16\"");
            let bytes: Vec<u8> =
                "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            format!("base64:{}", base64::engine::general_purpose::STANDARD.encode(bytes))
        }
    };
    vec![
        set(&format!("{SERVICE}/host_name"), adfs),
        set(
            &format!("{SERVICE}/application_groups"),
            serde_json::from_str::<serde_json::Value>(&groups).unwrap(),
        ),
        set("/environments/onprem/host", ax),
        set("/environments/onprem/nodes", nodes),
        set("/environments/onprem/database/UserInfo", users),
        set(AXSF, given),
    ]
}

#[tokio::test]
async fn each_story_is_told_and_healed_in_worlds_of_other_names_and_files() {
    let mut dice = Dice::new(0x0A05_0155);
    let ours = scenario::all().into_iter().filter(|scenario| scenario.at.is_some());
    for scenario in ours {
        let edits = renamed(&mut dice);
        let name = &scenario.name;
        let site = Site::of(&edits).await;
        assert!(!site.opens().await.refused(), "{name} before: {edits:?}");
        scenario_in(&site, name).await.unwrap();
        let attempt = site.opens().await;
        assert!(attempt.refused(), "{name}");
        let explanation = explain(&site.lab, &attempt.exchange).await.unwrap();
        let json: serde_json::Value = serde_json::to_value(&explanation).unwrap();
        let cause = explanation.cause.unwrap_or_else(|| panic!("{name}: no cause"));
        assert_eq!(json["cause"]["setting"], cause.setting.as_str());
        if cause.kind != Kind::Restart {
            site.lab.apply(Command::Edit { edits: healing(&cause), by: EditedBy::Control }).await.unwrap();
        }
        site.restart().await;
        let healed = site.opens().await;
        assert!(!healed.refused(), "{name}: {cause:?} {}", String::from_utf8_lossy(&healed.body));
    }
}
