//! Properties of every file: any encoding, any content, any edit.

use mocktenant_artefacts::{AUDIENCE_URIS, Artefact, Kind, Splice, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Text that XML can carry, with the awkward characters often.
fn value() -> impl Strategy<Value = String> {
    let awkward = select(vec![
        "<",
        ">",
        "&",
        "\"",
        "'",
        "\t",
        "\n",
        "\r",
        "\r\n",
        " ",
        "]]>",
        "-->",
        "&#10;",
        "\u{e9}",
        "\u{200E}",
        "\u{FEFF}",
        "\u{FFFD}",
        "\u{1F600}",
        "spn:",
        "a",
    ]);
    vec(awkward, 0..8).prop_map(|parts| parts.concat())
}

fn key() -> impl Strategy<Value = String> {
    select(vec!["Aad.Realm", "aad.realm", "Infrastructure.HostUrl", "Common.X", "a&b", "\u{e9}", "<"])
        .prop_map(str::to_owned)
}

fn encode(text: &str, encoding: usize) -> Vec<u8> {
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order);
    match encoding {
        0 => text.as_bytes().to_vec(),
        1 => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        2 => [0xFF, 0xFE].into_iter().chain(utf16(u16::to_le_bytes)).collect(),
        3 => [0xFE, 0xFF].into_iter().chain(utf16(u16::to_be_bytes)).collect(),
        4 => utf16(u16::to_le_bytes).collect(),
        _ => utf16(u16::to_be_bytes).collect(),
    }
}

fn escape(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
        .replace('\r', "&#13;")
}

/// How one `<add/>` is written.
fn layout() -> impl Strategy<Value = (char, &'static str, &'static str, &'static str)> {
    (
        select(vec!['"', '\'']),
        select(vec![" />", "/>", "></add>", "\n/>"]),
        select(vec!["    ", "\t", ""]),
        select(vec!["", " <!-- note -->", "\u{1F600}", "<unknown a='b'>text</unknown>"]),
    )
}

fn document(before: &str, adds: &[String], after: &str, newline: &str) -> String {
    let mut text = before.to_owned();
    for add in adds {
        text.push_str(newline);
        text.push_str(add);
    }
    text + newline + after
}

prop_compose! {
    fn web()(
        adds in vec((key(), value(), layout()), 0..8),
        newline in select(vec!["\n", "\r\n", "\r", ""]),
        encoding in 0..6_usize,
    ) -> Vec<u8> {
        let adds: Vec<_> = adds.iter().map(|(key, value, (quote, end, indent, tail))| {
            format!("{indent}<add key={quote}{}{quote} value={quote}{}{quote}{end}{tail}", escape(key), escape(value))
        }).collect();
        let text = document("<configuration><!-- \u{e9} --><appSettings>", &adds, "</appSettings><x/></configuration>", newline);
        encode(&text, encoding)
    }
}

prop_compose! {
    fn wif()(
        adds in vec((value(), layout()), 0..6),
        newline in select(vec!["\n", "\r\n", "\r", ""]),
        encoding in 0..6_usize,
    ) -> Vec<u8> {
        let adds: Vec<_> = adds.iter().map(|(value, (quote, end, indent, tail))| {
            format!("{indent}<add value={quote}{}{quote}{end}{tail}", escape(value))
        }).collect();
        let before = "<system.identityModel><identityConfiguration><securityTokenHandlers><securityTokenHandlerConfiguration><audienceUris>";
        let after = "</audienceUris></securityTokenHandlerConfiguration></securityTokenHandlers></identityConfiguration></system.identityModel>";
        encode(&document(before, &adds, after, newline), encoding)
    }
}

/// Keys of an AXSF.Package.1.0.xml in both spellings.
fn parameter() -> impl Strategy<Value = String> {
    let names =
        ["AADTenantId", "Microsoft Entra IDTenantId", "aadTENANTID", "Realm", "a.b", "a&b", "\u{e9}", "<"];
    (select(vec!["Aad", "AAD", "OfficeApps"]), select(names.to_vec()))
        .prop_map(|(section, name)| format!("{section}.{name}"))
}

prop_compose! {
    fn axsf()(
        parameters in vec((parameter(), value(), layout()), 1..8),
        root in select(vec![("<!-- \u{e9} -->", ""), ("<p:r xmlns:p='u'>", "</p:r>"), ("<r>\n <s>", "</s></r>\n")]),
        newline in select(vec!["\n", "\r\n", "\r", ""]),
        encoding in 0..6_usize,
    ) -> Vec<u8> {
        let sections: Vec<_> = parameters.iter().map(|(key, value, (quote, end, indent, tail))| {
            let (section, name) = key.split_once('.').unwrap_or_default();
            let end = end.replace("add", "Parameter");
            format!(
                "{indent}<Section Name={quote}{section}{quote}>{newline}{indent}  <Parameter Name={quote}{}{quote} \
                 x='' Value={quote}{}{quote}{end}{tail}{newline}{indent}</Section>",
                escape(name),
                escape(value),
            )
        }).collect();
        encode(&document(root.0, &sections, root.1, newline), encoding)
    }
}

/// Sections and parameters inside one another in any way, each closed in the end.
fn nested() -> impl Strategy<Value = Vec<u8>> {
    let part = select(vec![
        "<Section Name='Aad'>",
        "<Section Name='B'>",
        "<Section>",
        "<Parameter Name='Realm'>",
        "<Parameter Name='AADTenantId'/>",
        "<Parameter Name='Realm' Value=''/>",
        "</",
        "</",
        "\n",
        "  ",
    ]);
    vec(part, 0..30).prop_map(|parts| {
        let (mut text, mut open) = ("<Section Name='Aad'>".to_owned(), vec!["</Section>"]);
        for part in parts {
            match part {
                "</" if open.len() > 1 => text.extend(open.pop()),
                "</" => {}
                _ => text.push_str(part),
            }
            match part {
                _ if part.ends_with("/>") => {}
                _ if part.starts_with("<S") => open.push("</Section>"),
                _ if part.starts_with("<P") => open.push("</Parameter>"),
                _ => {}
            }
        }
        text.extend(open.into_iter().rev());
        text.into_bytes()
    })
}

/// What equal keys of an AXSF.Package.1.0.xml have in common.
fn folded(key: &str) -> String {
    key.to_ascii_lowercase().replace(".microsoft entra id", ".aad")
}

/// The file before an edit with its splices applied by hand.
fn applied(before: &[u8], splices: &[Splice]) -> Vec<u8> {
    let mut bytes = before.to_vec();
    for splice in splices.iter().rev() {
        bytes.splice(splice.at.clone(), splice.with.iter().copied());
    }
    bytes
}

fn pairs(file: &Artefact) -> Vec<(String, String)> {
    file.entries().into_iter().map(|entry| (entry.key, entry.value)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_key_that_was_set_reads_back_and_all_other_bytes_stay(bytes in web(), key in key(), value in value()) {
        let mut file = Artefact::parse(Kind::WebConfig, "web.config", bytes.clone()).unwrap();
        prop_assert_eq!(file.bytes(), &bytes);
        let before = file.get(&key);
        let splices = file.set(&key, &Value::Text(value.clone())).unwrap();
        let after = file.get(&key).unwrap();
        prop_assert_eq!(&after.value, &Value::Text(value));
        prop_assert_eq!(file.bytes(), applied(&bytes, &splices));
        prop_assert!(splices.len() <= 1);
        if let (Some(before), [splice]) = (before, splices.as_slice()) {
            prop_assert_eq!(&splice.at, &before.span);
            prop_assert_eq!(after.span.start, before.span.start);
        }
    }

    #[test]
    fn a_key_that_was_removed_is_gone_and_the_others_stay(bytes in web(), key in key()) {
        let mut file = Artefact::parse(Kind::WebConfig, "web.config", bytes.clone()).unwrap();
        let mut others = pairs(&file);
        others.retain(|(other, _)| !other.eq_ignore_ascii_case(&key));
        let splices = file.remove(&key).unwrap();
        prop_assert!(file.get(&key).is_none());
        prop_assert_eq!(pairs(&file), others);
        prop_assert_eq!(file.bytes(), applied(&bytes, &splices));
    }

    #[test]
    fn a_list_that_was_set_reads_back_and_all_other_bytes_stay(bytes in wif(), wanted in vec(value(), 0..6)) {
        let mut file = Artefact::parse(Kind::WifConfig, "wif.config", bytes.clone()).unwrap();
        let splices = file.set(AUDIENCE_URIS, &Value::List(wanted.clone())).unwrap();
        let found: Vec<_> = pairs(&file).into_iter().map(|(_, value)| value).collect();
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(file.bytes(), applied(&bytes, &splices));
    }

    #[test]
    fn a_parameter_that_was_set_reads_back_and_all_other_bytes_stay(bytes in axsf(), key in parameter(), value in value()) {
        let mut file = Artefact::parse(Kind::AxsfPackage, "AXSF.Package.1.0.xml", bytes.clone()).unwrap();
        prop_assert_eq!(file.bytes(), &bytes);
        let (before, written) = (file.get(&key), file.written(&key));
        let splices = file.set(&key, &Value::Text(value.clone())).unwrap();
        let after = file.get(&key).unwrap();
        prop_assert_eq!(&after.value, &Value::Text(value));
        prop_assert_eq!(file.bytes(), applied(&bytes, &splices));
        prop_assert!(splices.len() <= 1);
        prop_assert!(file.entries().iter().all(|entry| !entry.key.contains("Microsoft")));
        if let (Some(before), [splice]) = (before, splices.as_slice()) {
            prop_assert_eq!(&splice.at, &before.span);
            prop_assert_eq!(after.span.start, before.span.start);
            prop_assert_eq!(file.written(&key), written);
        }
    }

    #[test]
    fn a_parameter_that_was_removed_is_gone_and_the_others_stay(bytes in axsf(), key in parameter()) {
        let mut file = Artefact::parse(Kind::AxsfPackage, "AXSF.Package.1.0.xml", bytes.clone()).unwrap();
        let mut others = pairs(&file);
        others.retain(|(other, _)| folded(other) != folded(&key));
        let splices = file.remove(&key).unwrap();
        prop_assert!(file.get(&key).is_none());
        prop_assert_eq!(pairs(&file), others);
        prop_assert_eq!(file.bytes(), applied(&bytes, &splices));
    }

    #[test]
    fn sections_and_parameters_in_one_another_are_edited_or_refused(bytes in nested(), key in parameter()) {
        let file = Artefact::parse(Kind::AxsfPackage, "AXSF.Package.1.0.xml", bytes.clone()).unwrap();
        for key in [key.as_str(), "Aad.Realm", "B.Realm", "New.Key"] {
            let mut edited = file.clone();
            let value = Value::Text("x".to_owned());
            let splices = edited.set(key, &value).unwrap();
            prop_assert_eq!(edited.get(key).map(|found| found.value), Some(value));
            prop_assert_eq!(edited.bytes(), applied(&bytes, &splices));
            let mut edited = file.clone();
            match edited.remove(key) {
                Ok(splices) => {
                    prop_assert!(edited.get(key).is_none());
                    prop_assert_eq!(edited.bytes(), applied(&bytes, &splices));
                }
                // It would have taken something else along.
                Err(_) => prop_assert_eq!(edited.bytes(), &bytes),
            }
        }
    }

    #[test]
    fn every_span_holds_its_value((kind, bytes) in prop_oneof![
        web().prop_map(|bytes| (Kind::WebConfig, bytes)),
        axsf().prop_map(|bytes| (Kind::AxsfPackage, bytes)),
    ]) {
        let file = Artefact::parse(kind, kind.usual_file_name(), bytes.clone()).unwrap();
        for entry in file.entries() {
            prop_assert!(entry.span.end <= bytes.len());
            // Setting a value to itself with other bytes in its span is a splice of exactly that span.
            let mut edited = file.clone();
            let splices = edited.set(&entry.key, &Value::Text(entry.value.clone() + "x")).unwrap();
            prop_assert_eq!(&splices[0].at, &entry.span);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        for kind in Kind::ALL {
            let _ = Artefact::parse(*kind, "file", bytes.clone());
        }
    }

    #[test]
    fn arbitrary_markup_never_panics(parts in vec(select(vec![
        "<", ">", "</", "/>", "<!", "<!--", "-->", "--", "<![CDATA[", "]]>", "<?", "?>", "<?xml", "<!DOCTYPE", "[", "]", "&", ";",
        "&#", "&#x", "=", "\"", "'", " ", "\n", "\r", "a", "add", "key", "value", "configuration", "appSettings",
        "<Section Name='A'>", "</Section>", "<Parameter Name='X' Value='1'/>",
        "system.identityModel", "\u{e9}", "\u{FEFF}", "\0", "version=\"1.0\"", "encoding=\"", "utf-16", "big5",
    ]), 0..40), encoding in 0..6_usize) {
        for kind in Kind::ALL {
            let _ = Artefact::parse(*kind, "file", encode(&parts.concat(), encoding));
        }
    }

    #[test]
    fn damaged_files_never_panic(mut bytes in prop_oneof![web(), wif(), axsf()], at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let at = at.index(bytes.len());
        bytes[at] = with;
        for kind in Kind::ALL {
            if let Ok(mut file) = Artefact::parse(*kind, "file", bytes.clone()) {
                let _ = file.set("Aad.Realm", &Value::Text("x".to_owned()));
                let _ = file.set(AUDIENCE_URIS, &Value::List(vec!["x".to_owned()]));
                let _ = file.set("New.Key", &Value::Text("x".to_owned()));
                let _ = file.remove("Aad.Realm");
            }
        }
        bytes.truncate(cut.index(bytes.len()));
        for kind in Kind::ALL {
            let _ = Artefact::parse(*kind, "file", bytes.clone());
        }
    }
}
