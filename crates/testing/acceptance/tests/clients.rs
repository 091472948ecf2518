//! Real, unmodified clients, one row per flow: what they see, and what the lab's journal says they did.
//!
//! The clients are in `clients/python/` and `clients/node/`, set up by `clients/install`. Where they are missing there is
//! one row that says so; `MOCKTENANT_REQUIRE_CLIENTS=1` makes that row fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use base64::Engine as _;
use libtest_mimic::{Arguments, Failed, Trial};
use mocktenant_acceptance::tools;
use mocktenant_testkit::{Lab, Record};
use serde_json::{Value, json};

/// A flow of `flows.py` and what has to be true of its result and of the lab afterwards.
struct Flow {
    name: &'static str,
    judge: fn(&Lab, &Value),
}

const FLOWS: &[Flow] = &[
    Flow {
        name: "secret",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "1");
            checked(&token_request(lab), "secret-matches");
        },
    },
    Flow {
        name: "secret_with_the_verify_parameter",
        judge: |_, seen| assert_eq!(seen["token_type"], "Bearer", "{seen}"),
    },
    Flow {
        name: "certificate_x5t",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "2");
            let header = assertion_header(lab);
            assert_eq!((&header["alg"], header["x5t"].is_string()), (&json!("RS256"), true), "{header}");
            assert!(header.get("x5c").is_none(), "{header}");
        },
    },
    Flow {
        name: "certificate_x5t_s256_x5c",
        judge: |lab, seen| {
            accepted(lab, seen);
            let header = assertion_header(lab);
            assert_eq!((&header["alg"], header["x5t#S256"].is_string()), (&json!("PS256"), true), "{header}");
            assert!(header["x5c"].is_array(), "{header}");
        },
    },
    Flow {
        name: "certificate_x5t_with_x5c",
        judge: |lab, seen| {
            accepted(lab, seen);
            let header = assertion_header(lab);
            assert!(header["x5t"].is_string() && header["x5c"].is_array(), "{header}");
        },
    },
    Flow {
        name: "certificate_pfx",
        judge: |lab, seen| {
            accepted(lab, seen);
            let header = assertion_header(lab);
            assert!(header["x5t#S256"].is_string() && header.get("x5c").is_none(), "{header}");
        },
    },
    Flow {
        name: "certificate_pfx_with_x5c",
        judge: |lab, seen| {
            accepted(lab, seen);
            let header = assertion_header(lab);
            assert!(header["x5t#S256"].is_string() && header["x5c"].is_array(), "{header}");
        },
    },
    Flow {
        name: "cache",
        judge: |lab, seen| {
            assert_eq!(seen["first"]["token_source"], "identity_provider", "{seen}");
            assert_eq!(seen["second"]["token_source"], "cache", "{seen}");
            assert_eq!(seen["first"]["claims"], seen["second"]["claims"]);
            assert_eq!(token_requests(lab).len(), 1, "the second token comes from MSAL's cache");
        },
    },
    Flow {
        name: "wrong_secret",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 7_000_215, 401);
            says(seen, "AADSTS7000215: Invalid client secret provided.");
            says(seen, &lab.settings().entra.client_id);
        },
    },
    Flow {
        name: "expired_secret",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 7_000_222, 401);
            says(seen, "are expired");
            says(seen, lab.settings().entra.expired_client_id.as_deref().unwrap());
        },
    },
    Flow {
        name: "unregistered_certificate",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 700_027, 401);
            says(seen, "The key was not found.");
            let check = lab.journal().failed_check().unwrap();
            assert_eq!(check.name, "certificate-registered");
            assert!(check.actual.contains(seen["thumbprint"].as_str().unwrap()), "{check:?}");
        },
    },
    Flow {
        name: "unregistered_application",
        judge: |lab, seen| {
            refused(lab, seen, "unauthorized_client", 700_016, 400);
            says(seen, seen["client_id"].as_str().unwrap());
        },
    },
    Flow {
        name: "unknown_tenant",
        judge: |lab, seen| {
            // MSAL's own words stand outside; what Entra said is in the context of its error.
            let context = seen["context"].as_str().unwrap();
            assert!(context.contains("HTTP status: 400"), "{context}");
            assert!(context.contains("AADSTS90002") && context.contains("invalid_tenant"), "{context}");
            assert!(context.contains("\"error_codes\":[90002]"), "{context}");
            let record = last(lab);
            assert_eq!((record.status, record.error.as_deref()), (400, Some("AADSTS90002")));
            assert!(token_requests(lab).is_empty());
        },
    },
    Flow {
        name: "unknown_tenant_at_the_token_endpoint",
        judge: |lab, seen| {
            assert_eq!(seen["status"], 400);
            refused(lab, seen, "invalid_request", 90002, 400);
        },
    },
    Flow {
        name: "unknown_resource",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_resource", 500_011, 400);
            says(seen, seen["resource"].as_str().unwrap());
        },
    },
    Flow { name: "managed_identity_app_service", judge: |lab, seen| managed(lab, seen, "app-service-token") },
    Flow { name: "managed_identity_imds", judge: |lab, seen| managed(lab, seen, "imds-token") },
    Flow {
        name: "managed_identity_imds_through_the_proxy",
        judge: |lab, seen| {
            managed(lab, seen, "imds-token");
            for record in lab.journal().requests_to("imds") {
                assert_eq!(&*record.host, "169.254.169.254", "{record:?}");
                assert_eq!(record.fact("via").unwrap().value, "proxy");
            }
        },
    },
    Flow {
        name: "managed_identity_by_default",
        judge: |lab, seen| {
            identity_of(lab, seen, VM);
            let requests = lab.journal().requests_to("imds");
            let statuses: Vec<u16> = requests.iter().map(|record| record.status).collect();
            assert_eq!(statuses, [400, 200], "a probe without the header, then a request");
        },
    },
    Flow {
        name: "token_v1",
        judge: |lab, seen| {
            let entra = &lab.settings().entra;
            for endpoint in ["v1_endpoint", "v2_endpoint"] {
                let verified = &seen[endpoint];
                assert_eq!(verified["claims"]["ver"], "1.0");
                assert_eq!(verified["claims"]["appid"], entra.client_id);
                let issuer = format!("https://sts.windows.net/{}/", entra.tenant_id);
                assert_eq!(verified["claims"]["iss"], issuer);
                assert_eq!(verified["header"]["kid"], verified["header"]["x5t"]);
            }
        },
    },
    Flow {
        name: "token_v2",
        judge: |lab, seen| {
            let entra = &lab.settings().entra;
            for endpoint in ["v1_endpoint", "v2_endpoint"] {
                let verified = &seen[endpoint];
                assert_eq!(verified["claims"]["ver"], "2.0");
                assert_eq!(verified["claims"]["azp"], entra.client_id);
                assert_eq!(verified["claims"]["iss"], format!("{}/v2.0", entra.authority));
                assert!(verified["header"]["kid"].is_string());
            }
        },
    },
    Flow {
        name: "token_forged",
        judge: |_, seen| assert!(seen["refused"].as_str().unwrap().contains("ignature"), "{seen}"),
    },
    Flow {
        name: "metadata_signature",
        judge: |lab, seen| {
            assert_eq!(seen["signed"], "EntityDescriptor");
            let entity = format!("https://sts.windows.net/{}/", lab.settings().entra.tenant_id);
            assert_eq!(seen["entity_id"], entity);
            assert_eq!(seen["published_key"], 0, "the active key signs");
            assert_eq!(seen["touched"], true);
            assert_ne!(seen["forged"], "accepted");
        },
    },
    Flow {
        name: "dataverse_sdk_rows",
        judge: |lab, seen| {
            assert_eq!(seen["read"]["name"], "Made by the SDK", "{seen}");
            assert_eq!(seen["read"]["customertypecode"], 3, "the SDK found the number of a label");
            assert_eq!(seen["read"]["primarycontactid"]["fullname"], "Ann Other", "{seen}");
            assert_eq!(seen["found"], json!(["SDK-1"]), "{seen}");
            assert_eq!(seen["after"]["name"], "Changed by the SDK", "{seen}");
            assert_eq!(seen["after"]["customertypecode"], 10, "{seen}");
            assert_eq!((&seen["pages"], &seen["gone"]), (&json!([1, 1]), &Value::Null), "{seen}");
            let unbuilt = |record: &&Arc<Record>| record.fact("not-built").is_some();
            let records = lab.journal().requests_to("dataverse");
            assert_eq!(records.iter().filter(unbuilt).count(), 0, "{}", lab.failure_report());
        },
    },
    Flow {
        name: "dataverse_sdk_definitions",
        judge: |_, seen| {
            let tables = seen["tables"].as_array().unwrap();
            assert!(tables.contains(&json!("account")) && tables.contains(&json!("contact")), "{seen}");
            assert_eq!((&seen["set"], &seen["id"]), (&json!("accounts"), &json!("accountid")), "{seen}");
            assert_eq!(seen["column"], "Picklist", "{seen}");
            assert!(seen["columns"].as_u64().unwrap() > 80, "{seen}");
            assert!(seen["unknown"].as_str().unwrap().contains("'acount'"), "{seen}");
        },
    },
    Flow {
        name: "dataverse_sdk_batch",
        judge: |_, seen| {
            let statuses = |name: &str| -> Vec<u64> {
                seen[name].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect()
            };
            assert_eq!(statuses("made"), [204, 204, 200, 200], "{seen}");
            assert!(seen["made"][1]["id"].is_string(), "{seen}");
            assert_eq!(seen["table"], "accounts", "{seen}");
            assert_eq!(statuses("mixed"), [412, 204], "{seen}");
            assert_eq!(seen["mixed"][0]["code"], "0x80060892", "{seen}");
            assert_eq!(seen["rows"], json!(["SDK-1", "SDK-3"]), "a change set is done as a whole: {seen}");
            assert_eq!(seen["contact"], "Other", "{seen}");
        },
    },
    Flow {
        name: "dataverse_sdk_refusals",
        judge: |lab, seen| {
            assert_eq!((&seen["status"], &seen["code"]), (&json!(400), &json!("0x80048d19")), "{seen}");
            assert_eq!(
                lab.journal().requests_to("dataverse").pop().unwrap().error.as_deref(),
                Some("0x80048d19")
            );
        },
    },
];

const NODE_FLOWS: &[Flow] = &[
    Flow {
        name: "dynamics_web_api_rows",
        judge: |lab, seen| {
            assert_eq!(seen["created"]["name"], "Forest Wholesales", "{seen}");
            assert_eq!(
                seen["created"]["customertypecode@OData.Community.Display.V1.FormattedValue"],
                "Customer"
            );
            assert_eq!(seen["created"]["revenue@OData.Community.Display.V1.FormattedValue"], "$80,000.00");
            assert_eq!(seen["returned"]["name"], "Returned", "{seen}");
            assert!(seen["returned"]["accountid"].is_string(), "{seen}");
            assert_eq!((&seen["updated"], &seen["after"]["name"]), (&json!(true), &json!("Renamed")));
            let gone = &seen["gone"]["error"];
            assert_eq!((&gone["status"], &gone["code"]), (&json!(404), &json!("0x80040217")), "{seen}");
            let unknown = &seen["unknown"]["error"];
            assert_eq!((&unknown["status"], &unknown["code"]), (&json!(400), &json!("0x80048d19")), "{seen}");
            let record = lab.journal().requests_to("dataverse").pop().unwrap();
            assert!(record.fact("refused").unwrap().value.starts_with("Name = "), "{record:?}");
        },
    },
    Flow {
        name: "dynamics_web_api_upsert",
        judge: |_, seen| {
            assert_eq!(seen["names"], json!(["first", "second", "first", "second"]), "{seen}");
            assert_eq!(seen["count"], 2, "{seen}");
        },
    },
    Flow {
        name: "dynamics_web_api_conditions",
        judge: |lab, seen| {
            // the client tells a failed condition by its result, not by an error
            for (call, result) in [
                ("update", json!(false)),
                ("remove", json!(false)),
                ("prevented", json!(null)),
                ("missing", json!(null)),
            ] {
                assert_eq!(seen[call], result, "{call}: {seen}");
            }
            assert_eq!(seen["duplicate"]["error"]["status"], 412, "{seen}");
            assert_eq!(seen["duplicate"]["error"]["code"], "0x80040237", "{seen}");
            assert_eq!(seen["name"], "second", "no failed condition changed the row");
            let statuses: Vec<u16> =
                lab.journal().requests_to("dataverse").iter().map(|record| record.status).collect();
            assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 4, "{statuses:?}");
            assert!(statuses.contains(&304), "a row that the client has is not sent again: {statuses:?}");
        },
    },
    Flow {
        name: "dynamics_web_api_pages",
        judge: |_, seen| {
            assert_eq!(seen["pages"], json!([["P-1", "P-2"], ["P-3", "P-4"], ["P-5"]]), "{seen}");
            assert_eq!((&seen["all"], &seen["count"]), (&json!(5), &json!(5)), "{seen}");
            assert_eq!(seen["formatted"], "Customer", "{seen}");
        },
    },
    Flow {
        name: "dynamics_web_api_functions",
        judge: |lab, seen| {
            assert!(seen["user"].is_string(), "{seen}");
            assert_eq!(seen["impersonated"]["error"]["code"], "0x80041d1f", "nobody to act as: {seen}");
            assert!(seen["fetched"]["error"]["status"].is_number(), "{seen}");
            let said: Vec<String> = lab
                .journal()
                .requests_to("dataverse")
                .iter()
                .filter_map(|record| record.fact("not-built").map(|fact| fact.value.to_string()))
                .collect();
            assert_eq!(said, ["the query option fetchXml"]);
        },
    },
    Flow {
        name: "dynamics_web_api_batch",
        judge: |_, seen| {
            assert_eq!(seen["made"].as_array().unwrap().len(), 2, "{seen}");
            assert_eq!(seen["rows"][0]["accountnumber"], "N-1", "{seen}");
            assert_eq!(seen["rows"][0]["primarycontactid"]["lastname"], "Other", "{seen}");
            assert!(seen["refused"].to_string().contains("0x80060892"), "{seen}");
            assert_eq!(seen["count"], 1, "nothing of the refused change set was written: {seen}");
        },
    },
];

/// A token came, of the declared application and resource, and Dataverse took it.
fn accepted(lab: &Lab, seen: &Value) {
    let settings = lab.settings();
    assert_eq!(seen["token_type"], "Bearer", "{seen}");
    assert_eq!(seen["claims"]["appid"], settings.entra.client_id, "{seen}");
    assert_eq!(seen["claims"]["tid"], settings.entra.tenant_id);
    assert_eq!(seen["claims"]["aud"], settings.dataverse.resource);
    assert_eq!(seen["who_am_i"], 200, "Dataverse takes the token");
    assert_eq!(token_request(lab).status, 200);
    assert!(lab.journal().refused().is_empty(), "{}", lab.failure_report());
}

/// The machine's own identity.
const VM: &str = "c0117050-0000-4000-8000-00000000a005";

/// Each identity got its token by each of its names, at this endpoint, and nobody else did.
fn managed(lab: &Lab, seen: &Value, endpoint: &str) {
    for (named, client_id) in [
        ("own", VM),
        ("by_client_id", lab.settings().entra.client_id.as_str()),
        ("by_object_id", VM),
        ("by_resource_id", VM),
    ] {
        identity_of(lab, &seen[named], client_id);
    }
    assert_eq!(seen["customers"], 200, "the AOS takes its token");
    let stranger = seen["stranger"].as_str().unwrap();
    let requests = lab.journal().requests_to("imds");
    let refused = requests.last().unwrap();
    let id = if endpoint == "imds-token" {
        assert!(stranger.contains("Identity not found"), "{stranger}");
        "400 identity-assigned"
    } else {
        // The client looks for App Service's members in other letter case, and tells nothing of what it got.
        assert!(stranger.contains("(invalid_scope) None, None"), "{stranger}");
        "400 app-identity-assigned"
    };
    assert_eq!(refused.error.as_deref(), Some(id));
    for record in requests {
        assert_eq!((&*record.endpoint, &*record.scheme), (endpoint, "http"), "{record:?}");
    }
}

/// A token of this identity, which Dataverse took.
fn identity_of(lab: &Lab, seen: &Value, client_id: &str) {
    assert_eq!(seen["claims"]["appid"], client_id, "{seen}");
    assert_eq!(seen["claims"]["aud"], lab.settings().dataverse.resource);
    assert_eq!(seen["who_am_i"], 200, "Dataverse takes the token");
}

/// The client saw this error, and the journal says that this was sent.
fn refused(lab: &Lab, seen: &Value, error: &str, code: u32, status: u16) {
    assert_eq!(seen["error"], error, "{seen}");
    assert_eq!(seen["error_codes"], json!([code]), "{seen}");
    says(seen, &format!("AADSTS{code}: "));
    let record = token_request(lab);
    assert_eq!(record.status, status);
    assert_eq!(record.error.as_deref(), Some(format!("AADSTS{code}").as_str()));
    // What people paste into a search, byte for byte the same on both sides.
    let sent: Value = serde_json::from_slice(&record.response_body).unwrap();
    for member in ["error_description", "correlation_id", "trace_id", "timestamp"] {
        assert_eq!(seen[member], sent[member]);
    }
}

fn says(seen: &Value, text: &str) {
    let description = seen["error_description"].as_str().unwrap_or_default();
    assert!(description.contains(text), "{description:?} does not say {text:?}");
}

fn token_requests(lab: &Lab) -> Vec<Arc<Record>> {
    let requests = lab.journal().requests_to("entra");
    requests.into_iter().filter(|record| record.target.ends_with("/token")).collect()
}

fn token_request(lab: &Lab) -> Arc<Record> {
    let mut requests = token_requests(lab);
    assert_eq!(requests.len(), 1, "one token request");
    requests.remove(0)
}

fn last(lab: &Lab) -> Arc<Record> {
    lab.journal().requests_to("entra").pop().unwrap()
}

fn checked(record: &Record, name: &str) {
    let names: Vec<&str> = record.checks.iter().map(|check| &*check.name).collect();
    assert!(names.contains(&name), "{names:?}");
}

/// The JOSE header of the client assertion that was sent.
fn assertion_header(lab: &Lab) -> Value {
    let record = token_request(lab);
    let form: Vec<(String, String)> = form_urlencoded::parse(&record.request_body).into_owned().collect();
    let assertion = &form.iter().find(|(name, _)| name == "client_assertion").unwrap().1;
    let header = assertion.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice(&header).unwrap()
}

fn start() -> Lab {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(Lab::start())
}

/// Runs one flow against a lab of its own.
fn run(python: &Path, flow: &Flow) -> Result<(), Failed> {
    let lab = start();
    let scratch = tempfile::tempdir()?;
    let settings = scratch.path().join("settings.json");
    std::fs::write(&settings, serde_json::to_string(lab.settings())?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/flows.py");
    let mut command = Command::new(python);
    command.arg("-B").arg(script).arg(flow.name).arg(&settings);
    command.env("REQUESTS_CA_BUNDLE", &lab.settings().ca_pem);
    judged(&lab, flow, command)
}

/// The same with Node.
fn run_node(program: &Path, modules: &Path, flow: &Flow) -> Result<(), Failed> {
    let lab = start();
    let scratch = tempfile::tempdir()?;
    let settings = scratch.path().join("settings.json");
    std::fs::write(&settings, serde_json::to_string(lab.settings())?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/node/flows.js");
    let mut command = Command::new(program);
    command.arg(script).arg(flow.name).arg(&settings);
    command.env("NODE_PATH", modules).env("NODE_EXTRA_CA_CERTS", &lab.settings().ca_pem);
    judged(&lab, flow, command)
}

/// Runs a flow and judges what it printed.
fn judged(lab: &Lab, flow: &Flow, mut command: Command) -> Result<(), Failed> {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    let output = tools::output(&mut command);
    if !output.status.success() {
        return Err(format!("{}\n{}", tools::said(&output), lab.failure_report()).into());
    }
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    (flow.judge)(lab, &seen);
    Ok(())
}

/// xmlsec1 verifies the federation metadata with the published certificate, and refuses it once a byte has changed.
fn xmlsec1(program: &Path) -> Result<(), Failed> {
    let lab = start();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (document, keys) = runtime.block_on(async {
        let authority = &lab.settings().entra.authority;
        let client = lab.client();
        let document =
            client.get(&format!("{authority}/federationmetadata/2007-06/federationmetadata.xml")).await;
        (document, client.get(&format!("{authority}/discovery/keys")).await.json())
    });
    assert_eq!(document.status, 200);
    let scratch = tempfile::tempdir()?;
    let certificate = scratch.path().join("signing.pem");
    let base64 = keys["keys"][0]["x5c"][0].as_str().unwrap();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    std::fs::write(&certificate, pem::encode(&pem::Pem::new("CERTIFICATE", der)))?;
    let verify = |text: &[u8]| {
        let file = scratch.path().join("FederationMetadata.xml");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(program);
        command.args(["--verify", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"]);
        tools::output(command.arg("--pubkey-cert-pem").arg(&certificate).arg(file))
    };
    let output = verify(&document.body);
    assert!(output.status.success(), "{}", tools::said(&output));
    let touched = document.text().replacen("https://sts.windows.net/", "https://sts.windows.nex/", 1);
    assert_ne!(touched.as_bytes(), document.body);
    assert!(!verify(touched.as_bytes()).status.success(), "xmlsec1 took a document that was changed");
    Ok(())
}

/// One row that says why what it stands for is not run.
fn skip(what: &str, why: String) -> Trial {
    let name = format!("{what}: skipped, {why}");
    if tools::are_required() {
        return Trial::test(
            name,
            move || Err(format!("{why}, and MOCKTENANT_REQUIRE_CLIENTS is set").into()),
        );
    }
    Trial::test(format!("{what}: skipped, {why}"), move || Err(why.into())).with_ignored_flag(true)
}

fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    match tools::python() {
        Ok(python) => {
            let python: Arc<PathBuf> = Arc::new(python);
            rows.extend(FLOWS.iter().map(|flow| {
                let python = Arc::clone(&python);
                Trial::test(format!("python::{}", flow.name), move || run(&python, flow))
            }));
        }
        Err(why) => rows.push(skip("python", why)),
    }
    match tools::node() {
        Ok(found) => {
            let found = Arc::new(found);
            rows.extend(NODE_FLOWS.iter().map(|flow| {
                let found = Arc::clone(&found);
                Trial::test(format!("node::{}", flow.name), move || run_node(&found.0, &found.1, flow))
            }));
        }
        Err(why) => rows.push(skip("node", why)),
    }
    match tools::find("xmlsec1") {
        Ok(program) => rows.push(Trial::test("xmlsec1::metadata_signature", move || xmlsec1(&program))),
        Err(why) => rows.push(skip("xmlsec1", why)),
    }
    rows
}

fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), rows()).exit_code()
}
