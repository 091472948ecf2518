//! Every question of a start and of a sign-in, switched off by a test: then it refuses nobody. An AOS that accepts everything
//! fails here, and so does a question that nothing asks.

use mocktenant_verdict::Switches;

use crate::site::*;

/// For one question: the edits that fail it and it alone.
fn broken(question: &str) -> Vec<mocktenant_world::Edit> {
    let key = |name: &str| format!("{AXSF}/{name}");
    match question {
        "configuration-readable" => vec![set(&key("OpenIDConnect.ClientID"), "")],
        "tls-root-trusted" => {
            vec![gone("/environments/onprem/machine/certificates/LocalMachine/Root/lab-ca")]
        }
        "tls-time-valid" => vec![set("/environments/onprem/machine/clock", "-2h")],
        "metadata-reachable" => vec![set(&key("Aad.AADMetadataLocationFormat"), "https://x.example/x")],
        "metadata-signed" => {
            vec![set("/environments/onprem/metadata_signing_certificate", "shipped:adfs-signing-next")]
        }
        "metadata-readable" => {
            vec![set(&key("Aad.AADMetadataLocationFormat"), format!("{ADFS}/adfs/discovery/keys"))]
        }
        "openid-configuration-reachable" => vec![set(&key("OpenIDConnect.Metadata"), "https://x.example/x")],
        "openid-configuration-readable" => {
            vec![set(&key("OpenIDConnect.Metadata"), format!("{ADFS}/adfs/discovery/keys"))]
        }
        "user-known" => vec![gone(ROW)],
        "user-identity-provider" => vec![set(&format!("{ROW}/IdentityProvider"), "http://x.example/adfs")],
        "user-enabled" => vec![set(&format!("{ROW}/Enable"), 0)],
        "id-token-time" => vec![set(&format!("{SERVICE}/clock"), "+20m")],
        "id-token-nonce" => vec![set("/caller/sign_in/loses", serde_json::json!(["OpenIdConnect.nonce"]))],
        other => panic!("{other} is broken by no edit"),
    }
}

/// Those that an edit of the world can fail; of the others each is failed by a token in `hostile` or `bearer`.
const BY_EDIT: [&str; 13] = [
    "configuration-readable",
    "tls-root-trusted",
    "tls-time-valid",
    "metadata-reachable",
    "metadata-signed",
    "metadata-readable",
    "openid-configuration-reachable",
    "openid-configuration-readable",
    "user-known",
    "user-identity-provider",
    "user-enabled",
    "id-token-time",
    "id-token-nonce",
];

#[tokio::test]
async fn each_question_alone_keeps_a_browser_out_and_switched_off_it_does_not_refuse() {
    for question in BY_EDIT {
        let edits = broken(question);
        let site = Site::of(&edits).await;
        let attempt = site.opens().await;
        assert!(attempt.refused(), "{question} keeps nobody out");
        let asked = |site: &Site| {
            let records = site.lab.journal().records();
            let failed: Vec<String> = records
                .iter()
                .flat_map(|record| record.checks.iter().filter(|check| check.failed()))
                .map(|check| check.name.to_string())
                .collect();
            failed
        };
        assert!(asked(&site).iter().any(|failed| failed == question), "{question}: {:?}", asked(&site));
        let off = Site::with(&edits, Switches::off([question])).await;
        let attempt = off.opens().await;
        // Without documents there is nobody to send a browser to; but the question itself refuses nobody.
        let record = off.lab.journal().find(&attempt.exchange).unwrap();
        assert_ne!(record.failed_check().map(|check| &*check.name), Some(question));
        assert!(!asked(&off).iter().any(|failed| failed == question), "{question}");
    }
}
