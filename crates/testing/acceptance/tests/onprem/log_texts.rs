//! The AOS's log speaks Microsoft's token library: every sentence that is said to be of its resources stands in them.
//!
//! Where the library is not on the machine nothing is compared, and the test says so.

use mocktenant_acceptance::tools;

use crate::site::*;

/// What a library holds of texts, whichever way they are aligned.
fn texts(library: &[u8]) -> [String; 2] {
    let at = |begin: usize| {
        let units: Vec<u16> =
            library[begin..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    [at(0), at(1)]
}

/// The pieces of a sentence between what is filled in, and between one sentence and the one inside it.
fn pieces(template: &str) -> Vec<String> {
    let mut text = template.to_owned();
    for between in [
        "'. Exception: 'System.IO.IOException: ",
        " ---> System.Net.WebException: The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure channel.",
    ] {
        text = text.replace(between, "{}");
    }
    for name in ["kid", "keys", "sent", "expected", "from", "until", "now", "address", "why"] {
        text = text.replace(&format!("{{{name}}}"), "{}");
    }
    // What we fill in for the library's own placeholders.
    for word in ["'null'", "'Null'"] {
        text = text.replace(word, "'{}'");
    }
    text.split("{}").map(str::to_owned).filter(|piece| piece.len() > 12).collect()
}

#[tokio::test]
async fn every_sentence_of_the_token_library_stands_in_it() {
    let Some(packages) = tools::token_library() else { return };
    let mut known = Vec::new();
    for library in ["Tokens", "Protocols", "Protocols.OpenIdConnect"] {
        known.extend(texts(
            &std::fs::read(packages.join(format!("Microsoft.IdentityModel.{library}.dll"))).unwrap(),
        ));
    }
    let site = Site::new().await;
    let catalogues = site.lab.catalogues();
    let (_, rows) = catalogues.iter().find(|(surface, _)| *surface == "aos").unwrap();
    let ours: Vec<_> = rows.iter().filter(|row| row.source.contains("resources")).collect();
    assert!(ours.len() >= 9, "{}", ours.len());
    for row in ours {
        for piece in pieces(row.template) {
            let piece = piece.trim_end_matches(['.', '\'']);
            assert!(known.iter().any(|text| text.contains(piece)), "{}: {piece}", row.id);
        }
    }
}
