//! The sample files: the healthy pair of the default world, and the files as people have them.

use mocktenant_artefacts::{Artefact, AxsfPackage, Kind, ParseError, Problem, Value, WebConfig, WifConfig};

const WEB: &[u8] = include_bytes!("../../world/assets/web.config");
const WIF: &[u8] = include_bytes!("../../world/assets/wif.config");

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/configs/", $name)).as_slice()
    };
}

const REALM: &str = "spn:c0117050-0000-4000-8000-00000000a002";

fn web(bytes: &[u8]) -> WebConfig {
    WebConfig::parse("web.config", bytes.to_vec()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(bytes: &[u8]) -> ParseError {
    match WebConfig::parse("web.config", bytes.to_vec()) {
        Ok(_) => panic!("a broken file was read"),
        Err(error) => error,
    }
}

#[test]
fn the_healthy_web_config_has_its_settings_on_the_lines_the_documentation_names() {
    let file = web(WEB);
    let realm = file.get("Aad.Realm").unwrap();
    assert_eq!((realm.value, realm.line), (REALM, 38));
    assert_eq!(file.get("Infrastructure.S2SCertThumbprint").unwrap().line, 41);
    for key in [
        "Aad.AADTenantId",
        "Aad.TenantDomainGUID",
        "Aad.AADIssuerNameFormat",
        "Aad.AADMetadataLocationFormat",
        "Aad.AADLoginWsfedEndpointFormat",
        "Aad.AADValidAudience",
        "Aad.FederationMetadataLocation",
        "Aad.ACSServiceEndpoint",
        "Aad.ACSServicePrincipal",
        "Infrastructure.HostUrl",
        "GraphApi.GraphAPIServicePrincipalCert",
        "Provisioning.AdminPrincipalName",
        "Provisioning.AdminIdentityProvider",
    ] {
        assert!(!file.get(key).unwrap().value.is_empty(), "{key}");
    }
}

#[test]
fn the_healthy_wif_config_accepts_both_audiences_and_trusts_one_issuer_by_thumbprint() {
    let file = WifConfig::parse("wif.config", WIF.to_vec()).unwrap();
    let audiences: Vec<_> = file.audience_uris().map(|found| (found.value, found.line)).collect();
    assert_eq!(audiences, [("spn:00000015-0000-0000-c000-000000000000", 8), (REALM, 9)]);
    assert_eq!(file.authorities()[0].thumbprints[0].line, 14);
}

#[test]
fn every_encoding_gives_the_same_settings_at_the_same_places() {
    let entries = |bytes| {
        let file = Artefact::parse(Kind::WebConfig, "web.config", Vec::from(bytes)).unwrap();
        // One sample has another password, and thumbprints follow the shipped certificate.
        let differ = [
            "DataAccess.SqlPwd",
            "Infrastructure.S2SCertThumbprint",
            "GraphApi.GraphAPIServicePrincipalCert",
        ];
        let entries = file.entries().into_iter().filter(|entry| !differ.contains(&entry.key.as_str()));
        entries.map(|entry| (entry.key, entry.value, entry.line, entry.column)).collect::<Vec<_>>()
    };
    for sample in [
        sample!("web.utf16le.config"),
        sample!("web.utf16be-no-bom.config"),
        sample!("web.windows-1252.config"),
    ] {
        assert_eq!(entries(sample), entries(WEB));
    }
    assert_eq!(
        web(sample!("web.windows-1252.config")).get("DataAccess.SqlPwd").unwrap().value,
        "kein Passwort f\u{fc}r 5 \u{20ac} & not used"
    );
}

#[test]
fn the_seeds_recipe_is_one_changed_line_per_setting_in_every_encoding() {
    for sample in [WEB, sample!("web.utf16le.config"), sample!("web.utf16be-no-bom.config")] {
        let mut file = web(sample);
        let span = file.get("Aad.Realm").unwrap().span;
        file.set("Aad.Realm", "spn:\u{e9}<\u{1F600}>").unwrap();
        let after = file.bytes();
        let tail = sample.len() - span.end;
        assert_eq!(after[..span.start], sample[..span.start]);
        assert_eq!(after[after.len() - tail..], sample[span.end..]);
        assert_eq!(file.get("Aad.Realm").unwrap().value, "spn:\u{e9}<\u{1F600}>");
        file.set("Aad.Realm", REALM).unwrap();
        assert_eq!(file.bytes(), sample);
    }
}

#[test]
fn a_code_page_takes_foreign_characters_as_references() {
    let mut file = web(sample!("web.windows-1252.config"));
    file.set("Aad.Realm", "\u{20ac}\u{1F600}").unwrap();
    assert!(file.bytes().windows(11).any(|bytes| bytes == b"\x80&#128512;\""));
    assert_eq!(file.get("Aad.Realm").unwrap().value, "\u{20ac}\u{1F600}");
}

#[test]
fn adding_and_removing_an_audience_gives_the_file_back() {
    for sample in [WIF, sample!("wif.lf.config")] {
        let mut file = WifConfig::parse("wif.config", sample.to_vec()).unwrap();
        file.add_audience("spn:new").unwrap();
        assert_eq!(file.audience_uris().last().unwrap().line, 10);
        file.remove_audience("spn:new").unwrap();
        assert_eq!(file.bytes(), sample);
    }
}

#[test]
fn adding_and_removing_a_key_gives_the_file_back() {
    let mut file = Artefact::parse(Kind::WebConfig, "web.config", WEB.to_vec()).unwrap();
    file.set("Aad.TrustedServiceAppIds", &Value::Text("x".to_owned())).unwrap();
    assert_eq!(file.get("Aad.TrustedServiceAppIds").unwrap().line, 44);
    file.remove("Aad.TrustedServiceAppIds").unwrap();
    assert_eq!(file.bytes(), WEB);
}

#[test]
fn the_last_duplicate_wins_and_the_first_is_reported() {
    let file = web(sample!("web.duplicate-key.config"));
    let realm = file.get("Aad.Realm").unwrap();
    assert_eq!((realm.line, realm.first.unwrap().line), (44, 38));
}

#[test]
fn a_hidden_character_is_kept_as_it_is() {
    let file = web(sample!("web.hidden-character.config"));
    assert!(file.get("Infrastructure.S2SCertThumbprint").unwrap().value.starts_with('\u{200E}'));
}

#[test]
fn the_fragment_microsoft_prints_is_edited_as_it_is() {
    let sample = sample!("AXSF.fragment.xml");
    let mut file = AxsfPackage::parse("AXSF.Package.1.0.xml", sample.to_vec()).unwrap();
    assert_eq!(file.keys().count(), 19);
    let tenant = file.get("Aad.AADTenantId").unwrap();
    assert_eq!((tenant.value, tenant.line, tenant.column), ("adfs", 5, 57));
    file.set("Aad.AADTenantId", "contoso.com").unwrap();
    file.set("Infrastructure.HostUrl", "https://ax.contoso.com/").unwrap();
    assert_eq!(file.get("infrastructure.hosturl").unwrap().line, 29);
    assert_eq!(file.written("Aad.AADTenantId"), Some("Microsoft Entra IDTenantId"));
    let section = "<Section Name=\"Infrastructure\">\n    <Parameter Name=\"HostUrl\" Value=\"https://ax.contoso.com/\" />\n</Section>\n";
    let sample = std::str::from_utf8(sample).unwrap();
    let expected = sample.replacen("\"adfs\"", "\"contoso.com\"", 1) + section;
    assert_eq!(file.bytes(), expected.as_bytes());
}

#[test]
fn each_broken_file_is_refused_with_line_and_hint() {
    for (sample, problem, line, message) in [
        (
            sample!("web.angle-brackets.config"),
            Problem::AngleBracket,
            38,
            "the value of Aad.Realm contains `<`",
        ),
        (sample!("web.missing-quote.config"), Problem::Unclosed, 38, "quotation mark"),
        (sample!("web.doctype.config"), Problem::Doctype, 3, "document type"),
        (sample!("web.entity-bomb.config"), Problem::Doctype, 3, "document type"),
        (sample!("web.undefined-entity.config"), Problem::Entity, 20, "&nbsp;"),
        (sample!("web.declaration-not-first.config"), Problem::Malformed, 2, "XML declaration"),
        (sample!("web.encrypted.config"), Problem::Encrypted, 8, "<appSettings> is encrypted"),
    ] {
        let error = refused(sample);
        assert_eq!((error.problem, error.line), (problem, line), "{error}");
        assert!(error.message.contains(message) && !error.hint.is_empty(), "{error}");
        assert!(error.to_string().starts_with(&format!("web.config:{line}:")));
        assert!(!error.to_string().contains("bm90IHJ"), "no value is repeated");
    }
}

#[test]
fn the_unclosed_wif_config_names_the_open_element_and_its_line() {
    let error = WifConfig::parse("wif.config", sample!("wif.unclosed.config").to_vec()).unwrap_err();
    assert_eq!(error.problem, Problem::Unclosed);
    assert_eq!(error.message, "the file ends, but <audienceUris>, opened on line 6, is not closed");
    assert!(error.hint.contains("</audienceUris></securityTokenHandlerConfiguration>"));
}
