//! What a config file has to keep: its bytes as found, every span inside them, and an edit that reads back.

use mocktenant_artefacts::{Artefact, Kind, Value};

/// Reads the bytes as every kind of file.
pub(crate) fn artefact(data: &[u8]) {
    for kind in Kind::ALL {
        let Ok(mut file) = Artefact::parse(*kind, kind.usual_file_name(), data.to_vec()) else { continue };
        assert_eq!(file.bytes(), data, "a file is kept as found");
        for entry in file.entries() {
            assert!(entry.span.start <= entry.span.end && entry.span.end <= data.len(), "{entry:?}");
            assert!(entry.line > 0 && entry.column > 0, "{entry:?}");
            let _ = file.get(&entry.key);
        }
        let wanted = Value::Text("spn:<&\"'>".to_owned());
        if file.set("Aad.Realm", &wanted).is_ok() {
            let again =
                Artefact::parse(*kind, "again", file.bytes().to_vec()).expect("an edited file is a file");
            assert_eq!(again.get("Aad.Realm").map(|found| found.value), Some(wanted));
        }
    }
}
