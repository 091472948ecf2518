//! Real, unmodified clients, one row per flow: what they see, and what the lab's journal says they did.
//!
//! The clients are in `clients/python/` and `clients/node/`, set up by `clients/install`. Where they are missing there is
//! one row that says so; `MOCKTENANT_REQUIRE_CLIENTS=1` makes that row fail. A flow gets a lab of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod node;
mod oauth;
mod python;
mod seen;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use base64::Engine as _;
use libtest_mimic::{Arguments, Failed, Trial};
use mocktenant_acceptance::tools;
use mocktenant_testkit::Lab;
use serde_json::Value;

/// A flow of a script and what has to be true of its result and of the lab afterwards.
struct Flow {
    name: &'static str,
    judge: fn(&Lab, &Value),
}

/// A script under `clients/` and its flows, under the name their rows have.
struct Suite {
    name: &'static str,
    runs: Runs,
    script: &'static str,
    /// What the script is told before the flow.
    arguments: &'static [&'static str],
    flows: &'static [&'static [Flow]],
}

/// What runs a script.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    Python,
    Node,
}

const SUITES: &[Suite] = &[
    Suite {
        name: "python",
        runs: Runs::Python,
        script: "python/flows.py",
        arguments: &[],
        flows: &[python::FLOWS],
    },
    Suite {
        name: "authlib",
        runs: Runs::Python,
        script: "python/oauth.py",
        arguments: &[],
        flows: &[oauth::FLOWS, oauth::OF_AUTHLIB],
    },
    Suite { name: "node", runs: Runs::Node, script: "node/flows.js", arguments: &[], flows: &[node::FLOWS] },
    Suite {
        name: "openid_client",
        runs: Runs::Node,
        script: "node/oauth.mjs",
        arguments: &["openid_client"],
        flows: &[oauth::FLOWS],
    },
    Suite {
        name: "oauth4webapi",
        runs: Runs::Node,
        script: "node/oauth.mjs",
        arguments: &["oauth4webapi"],
        flows: &[oauth::FLOWS, oauth::OF_OAUTH4WEBAPI],
    },
];

fn start() -> Lab {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(Lab::start())
}

/// Runs one flow against a lab of its own and judges what it printed.
fn run(program: &Path, suite: &Suite, flow: &Flow) -> Result<(), Failed> {
    let lab = start();
    let script = tools::clients().join(suite.script);
    let mut command = Command::new(program);
    let scratch;
    match suite.runs {
        Runs::Python => {
            scratch = tempfile::tempdir()?;
            command.arg("-B").arg(script).env("REQUESTS_CA_BUNDLE", &lab.settings().ca_pem);
        }
        Runs::Node => {
            // Packages are found from where a script lies.
            scratch = tempfile::tempdir_in(tools::clients().join(".clients/node"))?;
            let copy = scratch.path().join(script.file_name().unwrap());
            std::fs::copy(script, &copy)?;
            command.arg(copy).env("NODE_EXTRA_CA_CERTS", &lab.settings().ca_pem);
        }
    }
    let settings = scratch.path().join("settings.json");
    std::fs::write(&settings, serde_json::to_string(lab.settings())?)?;
    command.args(suite.arguments).arg(flow.name).arg(&settings);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    let output = tools::output(&mut command);
    if !output.status.success() {
        return Err(format!("{}\n{}", tools::said(&output), lab.failure_report()).into());
    }
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    (flow.judge)(&lab, &seen);
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
    for (language, runs, found) in
        [("python", Runs::Python, tools::python()), ("node", Runs::Node, tools::node().map(|(node, _)| node))]
    {
        let program: Arc<PathBuf> = match found {
            Ok(program) => Arc::new(program),
            Err(why) => {
                rows.push(skip(language, why));
                continue;
            }
        };
        for suite in SUITES.iter().filter(|suite| suite.runs == runs) {
            rows.extend(suite.flows.iter().copied().flatten().map(|flow| {
                let program = Arc::clone(&program);
                Trial::test(format!("{}::{}", suite.name, flow.name), move || run(&program, suite, flow))
            }));
        }
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
