//! What AD FS publishes, as it is served: by the name it has in the world, to curl.
//!
//! Decides by judges that are not ours whether the federation metadata is signed, also while its keys change, and by what
//! was captured of each Windows Server what openid-configuration lists. Changes are made by the control API.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use mocktenant_acceptance::judges::{self, Find, Judge};
use mocktenant_acceptance::programs::Missing;
use mocktenant_acceptance::{binary, tools, trials};
use mocktenant_keys::shipped;
use mocktenant_testkit::Lab;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const NAME: &str = "adfs.contoso.com";
const ISSUER: &str = "http://ADFS.contoso.com/adfs/services/trust";
const METADATA: &str = "/FederationMetadata/2007-06/FederationMetadata.xml";

/// A judge, as the test's name has it, and whether a machine has to have it where clients are required.
const JUDGES: [(&str, Find, bool); 3] = [
    ("xmlsec1", judges::xmlsec1, true),
    ("signxml_for_python", judges::signxml, true),
    ("signed_xml_of_dotnet", judges::signed_xml, false),
];

/// A profile; what it lists behind what all of them do: claims, grants, a last member, capabilities.
const PROFILES: [(&str, &str, &str, &str, &str); 3] = [
    ("2016", "pwd_exp sid", "", "", ""),
    ("2019", "pwd_exp mfa_auth_time sid", DEVICE_GRANTS, "device_authorization_endpoint", ""),
    ("2022", "pwd_exp mfa_auth_time sid nbf", DEVICE_GRANTS, "device_authorization_endpoint", "kdf_ver2"),
];
const CLAIMS: &str = "aud iss iat exp auth_time nonce at_hash c_hash sub upn unique_name pwd_url";
const GRANTS: &str = "authorization_code refresh_token client_credentials \
    urn:ietf:params:oauth:grant-type:jwt-bearer implicit password srv_challenge";
const DEVICE_GRANTS: &str = "urn:ietf:params:oauth:grant-type:device_code device_code";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let curl = tools::find("curl");
    let trial = |name: String, is_here: Result<(), (String, bool)>, run: Box<dyn FnOnce() + Send>| {
        let name = format!("metadata::{name}");
        let curl = curl.clone().map(drop).map_err(|why| (why, true));
        match curl.and(is_here) {
            Ok(()) => Trial::test(name, || {
                run();
                Ok(())
            }),
            Err((why, is_required)) => trials::skipped(&name, &Missing { why, is_required }),
        }
    };
    let judged = JUDGES.into_iter().map(|(name, find, is_required)| {
        let name = format!("served_by_name_it_is_taken_by_{name}_before_and_during_a_rollover");
        // What has to be compiled for it is compiled by its test.
        let is_here = if is_required { find().map(drop) } else { tools::find_csharp().map(drop) };
        let is_here = is_here.map_err(|why| (why, is_required));
        trial(name, is_here, Box::new(move || metadata(&find().unwrap())))
    });
    let listed = PROFILES.into_iter().map(|profile| {
        let name = format!("openid_configuration_of_{}_has_the_captured_members", profile.0);
        trial(name, Ok(()), Box::new(move || configuration(profile)))
    });
    judged.chain(listed).collect()
}

/// A lab, and curl that takes it for AD FS.
struct Served {
    runtime: Runtime,
    lab: Lab,
    scratch: tempfile::TempDir,
}

impl Served {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let lab = runtime.block_on(Lab::start());
        Self { runtime, lab, scratch: tempfile::tempdir().unwrap() }
    }

    /// Gets it into a file.
    fn get(&self, path: &str, file: &str) -> PathBuf {
        let settings = self.lab.settings();
        let port = binary::port_of(&settings.entra.base_url);
        let file = self.scratch.path().join(file);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--resolve"]);
        curl.arg(format!("{NAME}:{port}:127.0.0.1")).arg("--cacert").arg(&settings.ca_pem);
        curl.arg("--output").arg(&file).arg(format!("https://{NAME}:{port}{path}"));
        let output = tools::output(&mut curl);
        assert!(output.status.success(), "{}", tools::said(&output));
        file
    }

    /// Sets a value of the service by the control API.
    fn set(&self, name: &str, value: &Value) {
        let path = format!("/federation_services/contoso/{name}");
        let edits = json!([{ "op": "add", "path": path, "value": value }]).to_string();
        let url = format!("{}/v1/world", self.lab.settings().control_url);
        let headers = [("content-type", "application/json")];
        let reply = self.runtime.block_on(self.lab.client().send(http::Method::PATCH, &url, &headers, edits));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

/// The same with one letter of an address changed.
fn changed(file: &Path) -> PathBuf {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("/adfs/ls/"), "{text}");
    let changed = file.with_extension("changed.xml");
    std::fs::write(&changed, text.replacen("/adfs/ls/", "/adfs/lz/", 1)).unwrap();
    changed
}

fn metadata(judge: &Judge) {
    let served = Served::new();
    let (first, next) = (shipped::adfs_signing().certificate(), shipped::adfs_signing_next().certificate());
    let before = served.get(METADATA, "before.xml");
    let files = [before.clone(), changed(&before)];
    assert_eq!(judge.takes(first, ISSUER, &files), [true, false], "before");
    assert_eq!(judge.takes(next, ISSUER, &files), [false, false], "before, by the next key");
    served.set("signing_keys", &json!(["shipped:adfs-signing-next", "shipped:adfs-signing"]));
    let during = served.get(METADATA, "during.xml");
    let text = std::fs::read_to_string(&during).unwrap();
    assert!([first, next].iter().all(|one| text.contains(&one.base64_der())), "both are published: {text}");
    let files = [during.clone(), changed(&during), before];
    assert_eq!(judge.takes(next, ISSUER, &files), [true, false, false], "during");
    assert_eq!(judge.takes(first, ISSUER, &files), [false, false, true], "who has read the old one only");
}

fn words(text: &str) -> Value {
    json!(text.split_whitespace().collect::<Vec<_>>())
}

/// The document of a profile, member by member in this order.
fn expected(
    (_, claims, grants, last, capabilities): (&str, &str, &str, &str, &str),
    base: &str,
) -> Vec<(String, Value)> {
    let url = |path: &str| json!(format!("{base}{path}"));
    let yes = || json!(true);
    let mut all = vec![
        ("issuer", json!("https://ADFS.contoso.com/adfs")),
        ("authorization_endpoint", url("/adfs/oauth2/authorize/")),
        ("token_endpoint", url("/adfs/oauth2/token/")),
        ("jwks_uri", url("/adfs/discovery/keys")),
        (
            "token_endpoint_auth_methods_supported",
            words("client_secret_post client_secret_basic private_key_jwt windows_client_authentication"),
        ),
        (
            "response_types_supported",
            json!([
                "code",
                "id_token",
                "code id_token",
                "id_token token",
                "code token",
                "code id_token token"
            ]),
        ),
        ("response_modes_supported", words("query fragment form_post")),
        ("grant_types_supported", words(&format!("{GRANTS} {grants}"))),
        ("subject_types_supported", words("pairwise")),
        (
            "scopes_supported",
            words(
                "allatclaims email user_impersonation logon_cert aza profile vpn_cert winhello_cert openid",
            ),
        ),
        ("id_token_signing_alg_values_supported", words("RS256")),
        ("token_endpoint_auth_signing_alg_values_supported", words("RS256")),
        ("access_token_issuer", json!(ISSUER)),
        ("claims_supported", words(&format!("{CLAIMS} {claims}"))),
        ("microsoft_multi_refresh_token", yes()),
        ("userinfo_endpoint", url("/adfs/userinfo")),
        ("capabilities", words(capabilities)),
        ("end_session_endpoint", url("/adfs/oauth2/logout")),
        ("as_access_token_token_binding_supported", yes()),
        ("as_refresh_token_token_binding_supported", yes()),
        ("resource_access_token_token_binding_supported", yes()),
        ("op_id_token_token_binding_supported", yes()),
        ("rp_id_token_token_binding_supported", yes()),
        ("frontchannel_logout_supported", yes()),
        ("frontchannel_logout_session_supported", yes()),
    ];
    all.extend((!last.is_empty()).then(|| (last, url("/adfs/oauth2/devicecode"))));
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn configuration(profile: (&str, &str, &str, &str, &str)) {
    let served = Served::new();
    served.set("profile", &json!(profile.0));
    let file = served.get("/adfs/.well-known/openid-configuration", "configuration.json");
    let document: serde_json::Map<String, Value> =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let port = binary::port_of(&served.lab.settings().entra.base_url);
    let members: Vec<(String, Value)> = document.into_iter().collect();
    assert_eq!(members, expected(profile, &format!("https://{NAME}:{port}")));
}
