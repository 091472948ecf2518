//! The fragment that Microsoft prints, files around it, and edits of each kind in each spelling.

use super::*;
use crate::artefact::{Artefact, MAX_BYTES};

const FRAGMENT: &str = include_str!("../../../../../testdata/configs/AXSF.fragment.xml");
const TENANT: &str = "<Parameter Name=\"Microsoft Entra IDTenantId\" Value=\"adfs\" />";

fn package(source: &str) -> AxsfPackage {
    AxsfPackage::parse("AXSF.Package.1.0.xml", source.as_bytes().to_vec()).unwrap_or_else(|error| {
        panic!("{error}\n{source}");
    })
}

fn source(file: &AxsfPackage) -> &str {
    std::str::from_utf8(file.bytes()).unwrap()
}

fn refused(source: &str) -> ParseError {
    AxsfPackage::parse("AXSF.Package.1.0.xml", source.as_bytes().to_vec()).expect_err(source)
}

/// The fragment as the file has it, before names of products were replaced.
fn real() -> String {
    FRAGMENT.replace("Microsoft Entra ID", "AAD")
}

/// Sections in a whole file, three levels deep.
fn rooted(sections: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ServicePackage xmlns=\"http://schemas.microsoft.com/2011/01/fabric\">\n\
         <DigestedConfigPackage><ConfigPackage Name=\"Config\" Version=\"1.0\" /><ConfigOverride><Settings>\n\
         {sections}</Settings></ConfigOverride></DigestedConfigPackage>\n</ServicePackage>\n"
    )
}

/// Sections and parameters with a prefix that the root declares.
fn prefixed(sections: &str) -> String {
    let prefixed = ["<Section", "</Section", "<Parameter"].iter().fold(sections.to_owned(), |text, tag| {
        let (bracket, name) = tag.split_at(if tag.starts_with("</") { 2 } else { 1 });
        text.replace(tag, &format!("{bracket}f:{name}"))
    });
    format!("<f:Settings xmlns:f='urn:x'>\n{prefixed}</f:Settings>")
}

fn entries(file: &AxsfPackage) -> Vec<(&str, &str, u32)> {
    file.entries.iter().map(|entry| (&*entry.key, &*entry.value, entry.line)).collect()
}

const EXPECTED: [(&str, &str, u32); 19] = [
    ("Aad.AADIssuerNameFormat", "http://ADFS.contoso.com/{0}/services/trust", 2),
    ("Aad.AADLoginWsfedEndpointFormat", "https://ADFS.contoso.com/{0}/wsfed", 3),
    (
        "Aad.AADMetadataLocationFormat",
        "https://ADFS.contoso.com/FederationMetadata/2007-06/FederationMetadata.xml",
        4,
    ),
    ("Aad.AADTenantId", "adfs", 5),
    ("Aad.AADValidAudience", "https://ax.contoso.com/", 6),
    ("Aad.ACSServiceEndpoint", "https://accounts.accesscontrol.windows-ppe.net/tokens/OAuth/2", 7),
    ("Aad.ACSServicePrincipal", "00000001-0001-0000-c000-000000000000", 8),
    ("Aad.ADFSEndpoint", "https://ADFS.contoso.com/adfs", 9),
    ("Aad.ADFSIdentifier", "http://ADFS.contoso.com/adfs/services/trust", 10),
    (
        "Aad.FederationMetadataLocation",
        "https://ADFS.contoso.com/FederationMetadata/2007-06/FederationMetadata.xml",
        11,
    ),
    ("Aad.Realm", "spn:00000015-0000-0000-c000-000000000000", 12),
    ("Aad.TenantDomainGUID", "adfs", 13),
    ("Aad.TrustedServiceAppIds", "913c6de4-2a4a-4a61-a9ce-945d2b2ce2e0", 14),
    ("OfficeApps.AppInsightsKey", "", 17),
    ("OfficeApps.AuthClientId", "d8230a86-015d-4c14-bcd6-c7fb65176b16", 18),
    ("OpenIDConnect.ClientID", "d8230a86-015d-4c14-bcd6-c7fb65176b16", 21),
    ("OpenIDConnect.Metadata", "https://ADFS.contoso.com/adfs/.well-known/openid-configuration", 22),
    ("Provisioning.AdminIdentityProvider", "http://ADFS.contoso.com/adfs/services/trust", 25),
    ("Provisioning.AdminPrincipalName", "axserviceuser@contoso.com", 26),
];

#[test]
fn the_printed_fragment_gives_every_key_on_its_line_in_canonical_spelling() {
    let file = package(FRAGMENT);
    assert_eq!(entries(&file), EXPECTED);
    assert!(file.keys().eq(EXPECTED.map(|(key, ..)| key)));
    assert_eq!(source(&file), FRAGMENT);
    for entry in &file.entries {
        assert_eq!(FRAGMENT[entry.span.clone()], entry.value, "{}", entry.key);
        assert_eq!(entry.first, None, "{}", entry.key);
    }
}

#[test]
fn the_same_sections_are_found_in_any_root_namespace_and_depth() {
    let shifted = |by: u32| EXPECTED.map(|(key, value, line)| (key, value, line + by));
    for (text, by) in [
        (real(), 0),
        (rooted(FRAGMENT), 3),
        (rooted(&real()), 3),
        (prefixed(FRAGMENT), 1),
        (format!("<?xml version='1.0'?>\n<!-- cut out -->\n{}", real()), 2),
        (format!("<Settings>\n{}</Settings>", real().replace('\n', "\r\n")), 1),
        (format!("<a>\n<b/><c><d>x{}</d></c></a>", real()), 1),
        (real().replace('"', "'"), 0),
    ] {
        assert_eq!(entries(&package(&text)), shifted(by), "{text}");
    }
}

#[test]
fn every_encoding_is_read_and_kept_in_edits() {
    let utf16 = |order: fn(u16) -> [u8; 2]| FRAGMENT.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    for bytes in [
        [b"\xEF\xBB\xBF", FRAGMENT.as_bytes()].concat(),
        [vec![0xFF, 0xFE], utf16(u16::to_le_bytes)].concat(),
        [vec![0xFE, 0xFF], utf16(u16::to_be_bytes)].concat(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
    ] {
        let mut file = AxsfPackage::parse("x", bytes.clone()).unwrap();
        assert_eq!(entries(&file), EXPECTED);
        let span = file.get("Aad.AADTenantId").unwrap().span;
        file.set("Aad.AADTenantId", "\u{e9}\u{1F600}").unwrap();
        assert_eq!(file.bytes()[..span.start], bytes[..span.start]);
        let tail = bytes.len() - span.end;
        assert_eq!(file.bytes()[file.bytes().len() - tail..], bytes[span.end..]);
        file.set("New.Key", "x").unwrap();
        file.remove("Aad.Realm").unwrap();
        assert_eq!(file.get("Aad.AADTenantId").map(|found| found.value), Some("\u{e9}\u{1F600}"));
    }
}

#[test]
fn both_spellings_are_one_key_in_any_letter_case_and_the_file_keeps_its_own() {
    for (text, written) in [(FRAGMENT.to_owned(), "Microsoft Entra IDTenantId"), (real(), "AADTenantId")] {
        for key in ["Aad.AADTenantId", "aad.aadtenantid", "AAD.microsoft entra idTENANTid"] {
            let mut file = package(&text);
            assert_eq!(file.get(key).map(|found| (found.value, found.line)), Some(("adfs", 5)), "{key}");
            assert_eq!(file.written(key), Some(written));
            let splices = file.set(key, "contoso.com").unwrap();
            assert_eq!(splices.len(), 1);
            let (old, new) =
                (format!("{written}\" Value=\"adfs\""), format!("{written}\" Value=\"contoso.com\""));
            assert_eq!(source(&file), text.replacen(&old, &new, 1));
            assert_eq!(file.keys().nth(3), Some("Aad.AADTenantId"));
            file.remove(key).unwrap();
            assert_eq!((file.get(key), file.written(key)), (None, None));
            let line = format!("    <Parameter Name=\"{written}\" Value=\"adfs\" />\n");
            assert_eq!(source(&file), text.replace(&line, ""));
            assert_eq!(file.remove(key).unwrap(), []);
        }
    }
    // letter case is the file's own, and only the beginning of a name was replaced
    let file = package(
        "<Section Name='aad'><Parameter Name='microsoft entra idx'/><Parameter Name='aMicrosoft Entra ID'/><Parameter Name='aadY'/></Section>",
    );
    assert!(file.keys().eq(["aad.AADx", "aad.aMicrosoft Entra ID", "aad.aadY"]));
    let artefact = Artefact::from(file);
    assert_eq!(artefact.written("Aad.AADX").as_deref(), Some("microsoft entra idx"));
    assert_eq!(artefact.written("Aad.Z"), None);
    let web = "<configuration><appSettings><add key='aad.realm' value=''/></appSettings></configuration>";
    let web = Artefact::parse(Kind::WebConfig, "web.config", web.as_bytes().to_vec()).unwrap();
    assert_eq!(web.written("Aad.Realm").as_deref(), Some("aad.realm"));
}

#[test]
fn a_new_key_is_written_like_its_neighbours() {
    for (key, line) in [
        ("Aad.AADNew", "    <Parameter Name=\"AADNew\" Value=\"a&amp;'&quot;b\" />\n"),
        ("aad.Microsoft Entra IDNew", "    <Parameter Name=\"AADNew\" Value=\"a&amp;'&quot;b\" />\n"),
        ("Aad.with.dots", "    <Parameter Name=\"with.dots\" Value=\"a&amp;'&quot;b\" />\n"),
    ] {
        let mut file = package(FRAGMENT);
        file.set(key, "a&'\"b").unwrap();
        assert_eq!(source(&file), FRAGMENT.replacen("</Section>", &format!("{line}</Section>"), 1), "{key}");
        assert_eq!(file.get(key).map(|found| (found.value, found.line)), Some(("a&'\"b", 15)));
        file.remove(key).unwrap();
        assert_eq!(source(&file), FRAGMENT);
    }
    for (before, after) in [
        ("<Section Name='A'></Section>", "<Section Name='A'><Parameter Name=\"B\" Value=\"1\" /></Section>"),
        ("<Section Name='A'/>", "<Section Name='A'><Parameter Name=\"B\" Value=\"1\" /></Section>"),
        (
            "<Section Name='A'>\r\n\t<Parameter Value='' Name='X'/>\r\n</Section>",
            "<Section Name='A'>\r\n\t<Parameter Value='' Name='X'/>\r\n\t<Parameter Name='B' Value='1'/>\r\n</Section>",
        ),
        // an empty section takes its style from the one beside it
        (
            "<r>\n <Section Name='A' />\n <Section Name='C'>\n    <Parameter Name='X'/>\n </Section>\n</r>",
            "<r>\n <Section Name='A'>\n    <Parameter Name='B' Value='1'/>\n </Section>\n <Section Name='C'>\n    <Parameter Name='X'/>\n </Section>\n</r>",
        ),
        (
            "<f:r>\n<f:Section Name=\"A\">\n</f:Section>\n</f:r>",
            "<f:r>\n<f:Section Name=\"A\">\n  <f:Parameter Name=\"B\" Value=\"1\" />\n</f:Section>\n</f:r>",
        ),
        // the last of two sections of one name
        (
            "<Section Name='A'/>\n<Section Name='a'><Parameter Name='X'/></Section>",
            "<Section Name='A'/>\n<Section Name='a'><Parameter Name='X'/><Parameter Name='B' Value='1'/></Section>",
        ),
    ] {
        let mut file = package(before);
        file.set("A.B", "1").unwrap();
        assert_eq!(source(&file), after);
    }
}

#[test]
fn a_key_of_a_section_that_is_not_there_brings_the_section() {
    for (before, after) in [
        (
            FRAGMENT.to_owned(),
            format!("{FRAGMENT}<Section Name=\"New\">\n    <Parameter Name=\"B\" Value=\"1\" />\n</Section>\n"),
        ),
        (
            FRAGMENT.trim_end().to_owned(),
            format!("{FRAGMENT}<Section Name=\"New\">\n    <Parameter Name=\"B\" Value=\"1\" />\n</Section>"),
        ),
        (
            "<r>\r\n\t<Section Name='A'>\r\n\t\t<Parameter Name='X'/>\r\n\t</Section> <!-- a -->\r\n</r>".to_owned(),
            "<r>\r\n\t<Section Name='A'>\r\n\t\t<Parameter Name='X'/>\r\n\t</Section> <!-- a -->\r\n\t<Section Name='New'>\r\n\t\t<Parameter Name='B' Value='1'/>\r\n\t</Section>\r\n</r>".to_owned(),
        ),
        (
            "<r><Section Name='A'><Parameter Name='X' /></Section></r>".to_owned(),
            "<r><Section Name='A'><Parameter Name='X' /></Section><Section Name='New'><Parameter Name='B' Value='1' /></Section></r>".to_owned(),
        ),
        (
            "<r>\n  <Section Name=\"A\"/>\n</r>".to_owned(),
            "<r>\n  <Section Name=\"A\"/>\n  <Section Name=\"New\">\n    <Parameter Name=\"B\" Value=\"1\" />\n  </Section>\n</r>".to_owned(),
        ),
        // a prefix that each section declares for itself
        (
            "<r>\n<f:Section xmlns:f='urn:&amp;' Name='A'>\n</f:Section>\n</r>".to_owned(),
            "<r>\n<f:Section xmlns:f='urn:&amp;' Name='A'>\n</f:Section>\n<f:Section Name='New' xmlns:f='urn:&amp;'>\n  <f:Parameter Name=\"B\" Value=\"1\" />\n</f:Section>\n</r>".to_owned(),
        ),
        // after the outermost one
        (
            "<Section Name='A'><Section Name='C'/></Section>".to_owned(),
            "<Section Name='A'><Section Name='C'/></Section>\n<Section Name='New'>\n  <Parameter Name=\"B\" Value=\"1\" />\n</Section>".to_owned(),
        ),
    ] {
        let mut file = package(&before);
        file.set("New.B", "1").unwrap();
        assert_eq!(source(&file), after);
        assert_eq!(file.get("new.b").map(|found| found.value), Some("1"));
    }
}

#[test]
fn a_key_is_removed_wherever_it_stands_and_its_line_only_when_it_is_alone_there() {
    let text = "<r>\n<Section Name='A'>\n  <Parameter Name='X' Value='1' />\n  <Parameter Name='Y'/> <!-- y -->\n</Section>\n<Section Name='a'><Parameter Name='x'/></Section>\n</r>";
    let mut file = package(text);
    assert_eq!(file.remove("A.X").unwrap().len(), 2);
    file.remove("A.Y").unwrap();
    assert_eq!(
        source(&file),
        "<r>\n<Section Name='A'>\n   <!-- y -->\n</Section>\n<Section Name='a'></Section>\n</r>"
    );
    assert_eq!(file.entries, []);
    // one inside another goes with it, unless that would take something else along
    let inner = "<Section Name='A'><Parameter Name='X'/></Section>";
    let mut file = package(&format!("<Section Name='A'><Parameter Name='X'>{inner}</Parameter></Section>"));
    file.remove("A.X").unwrap();
    assert_eq!(source(&file), "<Section Name='A'></Section>");
    let text = format!("<Section Name='B'><Parameter Name='X'>{inner}</Parameter></Section>");
    let mut file = package(&text);
    assert!(matches!(file.remove("B.X"), Err(EditError::Unverified { .. })));
    assert_eq!(source(&file), text);
}

#[test]
fn the_last_of_equal_keys_counts_and_the_first_is_reported() {
    let text = format!(
        "{FRAGMENT}<Section Name=\"aad\">\n<Parameter Name=\"AADTenantId\" Value=\"2\"/>\n<Parameter Name=\"AADTENANTID\" Value=\"3\"/>\n</Section>\n"
    );
    let mut file = package(&text);
    let found = file.get("Aad.AADTenantId").unwrap();
    assert_eq!((found.value, found.line, found.first.map(|at| at.line)), ("3", 30, Some(5)));
    assert_eq!(file.written("Aad.AADTenantId"), Some("AADTENANTID"));
    assert_eq!(file.keys().filter(|key| key.eq_ignore_ascii_case("Aad.AADTenantId")).count(), 1);
    file.set("Aad.AADTenantId", "4").unwrap();
    assert_eq!(source(&file), text.replace("\"3\"", "\"4\""));
    assert_eq!(file.remove("Aad.AADTenantId").unwrap().len(), 3);
    assert!(!source(&file).contains(TENANT));
}

#[test]
fn what_is_no_named_parameter_directly_in_a_named_section_does_not_count() {
    let file = package(
        "<r Name='r'><Parameter Name='X'/><Section><Parameter Name='X'/></Section><Section Name=''><Parameter Name='X'/></Section>\
         <Section Name='A'><!-- <Parameter Name='X'/> --><g><Parameter Name='X'/></g><parameter Name='X'/><Parameter name='X'/>\
         <Parameter Name='' Value=''/><Parameter Value='X'/><Section Name='B'><Parameter Value='1' IsEncrypted='false' Name='X' /></Section>\
         <Parameter MustOverride='true' Name='Y'/></Section></r>",
    );
    assert_eq!(entries(&file), [("B.X", "1", 1), ("A.Y", "", 1)]);
}

#[test]
fn a_parameter_without_value_has_the_empty_one_and_can_be_given_one() {
    let mut file = package("<Section Name='A'><Parameter IsEncrypted='false' Name='X' /></Section>");
    assert_eq!(file.get("A.X").map(|found| (found.value, found.column)), Some(("", 58)));
    file.set("A.X", "1").unwrap();
    assert_eq!(
        source(&file),
        "<Section Name='A'><Parameter IsEncrypted='false' Name='X' Value=\"1\" /></Section>"
    );
}

#[test]
fn an_encrypted_parameter_has_its_cipher_text() {
    let text = "<Section Name='A'><Parameter Name='X' IsEncrypted='true' Value='MIIB=='/></Section>";
    let mut file = package(text);
    assert_eq!(file.get("A.X").map(|found| found.value), Some("MIIB=="));
    file.set("A.X", "MIIC==").unwrap();
    assert_eq!(source(&file), text.replace("MIIB", "MIIC"));
}

#[test]
fn unknown_parameters_survive_edits_byte_for_byte() {
    let line = |n: u32| {
        format!(
            "\t<Parameter  Name = 'Unknown.{n}'\r\n Value=\"&#{};\" x='y'></Parameter ><!-- {n} -->\r\n",
            65 + n
        )
    };
    let unknown = (0..300).map(line).collect::<Vec<_>>().concat();
    let text = FRAGMENT.replacen("</Section>\n", &format!("{unknown}</Section>\n"), 1);
    let mut file = package(&text);
    assert_eq!(file.keys().count(), 319);
    file.set("Aad.AADTenantId", "x").unwrap();
    file.set("OfficeApps.New", "x").unwrap();
    file.set("New.New", "x").unwrap();
    file.remove("Aad.Realm").unwrap();
    assert!(source(&file).contains(&unknown));
    assert_eq!(file.get("aad.unknown.299").map(|found| found.value), Some("\u{16C}"));
    file.set("Aad.Unknown.299", "A").unwrap();
    let changed = unknown.replace("&#364;", "A");
    assert!(source(&file).contains(&changed) && changed != unknown);
}

#[test]
fn edits_that_cannot_be_are_refused_and_change_nothing() {
    let mut file = package(FRAGMENT);
    for key in ["Realm", ".Realm", "Aad.", "."] {
        let error = file.set(key, "x").unwrap_err();
        assert!(matches!(error, EditError::WrongKey { .. }), "{key}: {error}");
        assert_eq!(file.remove(key).unwrap(), []);
    }
    assert_eq!(
        file.set("Realm", "x").unwrap_err().to_string(),
        "AXSF.Package.1.0.xml: \"Realm\" does not say where it belongs; write a section and a parameter, as in Aad.AADTenantId"
    );
    assert!(matches!(file.set("", "x"), Err(EditError::EmptyKey { .. })));
    assert!(matches!(file.set("Aad.Realm", "\u{0}"), Err(EditError::ForbiddenCharacter { code: 0, .. })));
    let list = Value::List(vec!["x".to_owned()]);
    assert!(matches!(edit(&mut file, "Aad.Realm", Some(&list)), Err(EditError::WrongShape { .. })));
    for (key, value) in
        [("Aad.Realm", "x".repeat(MAX_BYTES)), (&*format!("{}.x", "s".repeat(257)), String::new())]
    {
        assert!(matches!(file.set(key, &value), Err(EditError::Unverified { .. })));
    }
    assert_eq!(source(&file), FRAGMENT);
}

#[test]
fn what_is_no_such_file_is_refused_with_its_place_and_advice() {
    let deep = |depth: usize| {
        let around = depth - 2;
        let inner = "<Section Name='A'><Parameter Name='X'/></Section>";
        format!("{}{inner}{}", "<a>".repeat(around), "</a>".repeat(around))
    };
    assert_eq!(package(&deep(64)).keys().count(), 1);
    for (text, problem, line, column, message) in [
        (String::new(), Problem::Malformed, 1, 1, "holds no element"),
        ("\n<!-- x -->".to_owned(), Problem::Malformed, 2, 11, "holds no element"),
        ("<Settings/>".to_owned(), Problem::WrongFile, 1, 1, "begins with <Settings>"),
        (
            "<Section><Parameter Name='X'/></Section>".to_owned(),
            Problem::WrongFile,
            1,
            1,
            "no Section with a Name",
        ),
        (deep(65), Problem::TooDeep, 1, 208, "deeper than 64"),
        (format!("{FRAGMENT}<!DOCTYPE x>"), Problem::Doctype, 28, 1, "document type"),
        (format!("<!DOCTYPE x [<!ENTITY y 'z'>]>\n{FRAGMENT}"), Problem::Doctype, 1, 1, "document type"),
        (FRAGMENT.replacen("spn:", "\u{1}", 1), Problem::Character, 12, 36, "U+0001"),
        (FRAGMENT.replacen("spn:", "&nbsp;", 1), Problem::Entity, 12, 36, "&nbsp;"),
        (
            FRAGMENT.replacen("spn:", "<id>", 1),
            Problem::AngleBracket,
            12,
            36,
            "the value of Realm contains `<`",
        ),
        (FRAGMENT.replacen("</Section>", "", 1), Problem::Unclosed, 28, 1, "<Section>, opened on line 1"),
        (
            FRAGMENT.replacen("</Section>", "</Section>\nYou will also find", 1),
            Problem::Malformed,
            16,
            1,
            "text outside the elements",
        ),
        (format!("x{FRAGMENT}"), Problem::Malformed, 1, 1, "text before"),
        (format!("{FRAGMENT}<?xml version='1.0'?>{FRAGMENT}"), Problem::Malformed, 28, 1, "XML declaration"),
        (format!("{FRAGMENT}<Other/>"), Problem::Malformed, 28, 1, "second outermost element"),
        (format!("<Other/>\n{FRAGMENT}"), Problem::Malformed, 2, 1, "second outermost element"),
        (
            format!("<r>\n<Section Name='{}'/></r>", "s".repeat(257)),
            Problem::WrongFile,
            2,
            1,
            "more than 256 bytes",
        ),
        (
            format!("<r>{}</r>", "<a/>".repeat(100_000)),
            Problem::TooManyElements,
            1,
            400_000,
            "100000 elements",
        ),
    ] {
        let error = refused(&text);
        assert_eq!((error.problem, error.line, error.column), (problem, line, column), "{error}");
        assert!(error.message.contains(message) && !error.hint.is_empty(), "{error}");
        assert!(error.to_string().starts_with("AXSF.Package.1.0.xml:"), "{error}");
    }
    let error = AxsfPackage::parse("x", b"<Section Name='A'>\n\xFF</Section>".to_vec()).unwrap_err();
    assert_eq!((error.problem, error.line), (Problem::Encoding, 2));
}

#[test]
fn a_truncated_file_never_panics_and_is_read_only_where_it_is_whole() {
    for text in [FRAGMENT.to_owned(), rooted(FRAGMENT), prefixed(&real())] {
        for end in (0..text.len()).step_by(50).chain((0..text.len()).rev().take(200)) {
            match AxsfPackage::parse("x", text.as_bytes()[..end].to_vec()) {
                Ok(_) => assert!(text[..end].trim_end().ends_with('>'), "{}", &text[..end]),
                Err(error) => assert!(error.line > 0 && !error.hint.is_empty(), "{error}"),
            }
        }
    }
}

/// Each of these costs a minute or more if a section is looked at again for each of its parameters.
#[test]
fn hostile_files_are_read_and_edited_in_linear_time() {
    let parameters = "<Parameter Name='X'/>".repeat(30_000);
    let attributes = (0..40_000).map(|n| format!(" a{n}=''")).collect::<Vec<_>>().concat();
    let mut file = package(&format!("<Section{attributes} Name='A'>{parameters}</Section>"));
    file.set("A.X", "1").unwrap();
    file.set("A.Y", "1").unwrap();
    assert_eq!(file.remove("A.X").unwrap().len(), 30_000);
    assert!(file.keys().eq(["A.Y"]));
    let sections = "<Section Name='A'/>".repeat(30_000);
    let mut file = package(&sections);
    file.set("B.X", "1").unwrap();
    assert_eq!(
        source(&file),
        format!("{sections}<Section Name='B'><Parameter Name=\"X\" Value=\"1\" /></Section>")
    );
}
