//! What a person is told of each refusal, and that what is printed to paste does what it says.
//!
//! Every setting that can be wrong alone, and what clients get wrong themselves, against a lab with sockets. The commands are
//! typed into a shell as they are printed, with the binary; afterwards the same request is refused for another reason, or not
//! at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use mocktenant_acceptance::binary;
use mocktenant_acceptance::breakages::{self, Breakage};
use mocktenant_acceptance::random_world::{Dice, RandomWorld, roll};
use mocktenant_diagnosis::{Cause, Explanation, Kind, explain, shell_word};
use mocktenant_lab::caller::ask_for_token;
use mocktenant_lab::outbound::Call;
use mocktenant_testkit::Lab;
use mocktenant_testkit::mocktenant_server::client::Client;
use mocktenant_world::{Edit, EditedBy, Setting};

/// The lab, and the world it began with.
struct Bench {
    names: RandomWorld,
    lab: Lab,
}

impl Bench {
    async fn new(seed: u64) -> Self {
        let names = roll(&mut Dice::new(seed));
        let world = names.world.edited(&[], EditedBy::Control).unwrap();
        Self { names, lab: Lab::builder().world(world).start().await }
    }

    /// Drives the caller with a customer of its own; the explanation, if it was refused.
    async fn refused(&self, number: usize) -> Option<Explanation> {
        let account = Edit::add(Setting::fixed("/caller/customer/CustomerAccount"), format!("E-{number:06}"));
        self.lab.apply([account]).await;
        let answer = self.lab.drive().await;
        if answer.status < 400 {
            return None;
        }
        explain(self.lab.lab(), answer.exchange().unwrap()).await
    }

    /// Types the commands as they are printed. What stands for something only a person knows is filled in first.
    fn paste(&self, cause: &Cause, dice: &mut Dice) -> Result<(), String> {
        let mut script = String::from("set -e\n");
        for command in cause.commands() {
            let need = cause.needs.iter().find(|need| {
                command.contains(&shell_word(need.path.as_str()))
                    && command.contains(&shell_word(&format!("<{}>", need.what)))
            });
            let Some(need) = need else {
                let _ = writeln!(script, "{command}");
                continue;
            };
            for edit in breakages::known_to_a_person(&self.names, &need.path, dice) {
                let value = edit.value.unwrap_or_default().to_string();
                let path = shell_word(edit.path.as_str());
                let _ = writeln!(script, "mocktenant set --new {path} {}", shell_word(&value));
            }
        }
        let mut paths = vec![binary::path().parent().unwrap().to_owned()];
        paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).env("PATH", std::env::join_paths(paths).unwrap());
        shell.env("MOCKTENANT_URL", &self.lab.settings().control_url);
        shell.env("MOCKTENANT_STATE", self.lab.directory()).stdin(Stdio::null());
        let done = shell.output().unwrap();
        if done.status.success() {
            return Ok(());
        }
        Err(format!(
            "{script}{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        ))
    }

    async fn edit(&self, edit: Edit) {
        self.lab.apply([edit]).await;
        self.lab.restart("onebox").await;
    }
}

/// Who decided, by which question.
fn decided(explanation: Option<&Explanation>) -> Option<(String, String)> {
    let failed = explanation?.checks.iter().rfind(|one| one.check.failed())?;
    Some((
        format!("{} {} {}", failed.surface, failed.check.name, failed.check.actual),
        explanation?.symptom.clone(),
    ))
}

/// The cause as it is printed, with its commands.
fn told(explanation: &Explanation) -> String {
    let text = explanation.to_text(false);
    let cause = text.lines().skip_while(|line| !line.starts_with("cause "));
    let cause = cause.take_while(|line| {
        line.starts_with("cause ") || line.starts_with("run ") || line.starts_with("        ")
    });
    cause.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_for_each_wrong_setting_is_pasted_as_it_is_and_changes_the_refusal() {
    let bench = Bench::new(7).await;
    let mut dice = Dice::new(8);
    let all: Vec<Breakage> = breakages::all(&bench.names, &mut dice);
    assert!(all.len() >= 40, "{}", all.len());
    let (mut page, mut wrong) = (String::new(), Vec::new());
    for (number, one) in all.iter().enumerate() {
        bench.edit(one.edit.clone()).await;
        let before = bench.refused(2 * number).await;
        let Some(explanation) = &before else {
            wrong.push(format!("{one}: not refused"));
            bench.edit(one.revert(&bench.names)).await;
            continue;
        };
        let _ = writeln!(page, "## {one}\n{}\n", told(explanation));
        match &explanation.cause {
            None => wrong.push(format!("{one}: no cause")),
            Some(cause) if cause.commands().is_empty() => {
                if !matches!(cause.kind, Kind::Caller | Kind::Wait) {
                    wrong.push(format!("{one}: nothing to paste\n{}", told(explanation)));
                }
            }
            Some(cause) => match bench.paste(cause, &mut dice) {
                Err(why) => wrong.push(format!("{one}: {why}")),
                Ok(()) => {
                    let after = bench.refused(2 * number + 1).await;
                    if decided(after.as_ref()) == decided(before.as_ref()) {
                        wrong.push(format!("{one}: refused as before\n{}", told(explanation)));
                    }
                }
            },
        }
        bench.lab.command(mocktenant_lab::Command::Reset { scope: None }).await;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n\n"));
    insta::assert_snapshot!("what a person is told of each wrong setting", page);
}

/// What clients ask that this lab refuses for what they ask, or has not: product, method, path, body.
const ASKED: &[(&str, &str, &str, &str)] = &[
    ("entra", "POST", "/oauth2/v2.0/token", "grant_type=authorization_code&code=x"),
    ("entra", "POST", "/oauth2/v2.0/token", "grant_type=urn:ietf:params:oauth:grant-type:device_code"),
    ("entra", "POST", "/oauth2/v2.0/token", "grant_type=frobnicate"),
    (
        "entra",
        "POST",
        "/oauth2/v2.0/token",
        "grant_type=client_credentials&client_id=ID&client_secret=SECRET",
    ),
    (
        "entra",
        "POST",
        "/oauth2/v2.0/token",
        "grant_type=client_credentials&client_id=ID&client_secret=SECRET&scope=x/.default",
    ),
    (
        "entra",
        "POST",
        "/oauth2/v2.0/token",
        "grant_type=client_credentials&client_id=ID&client_secret=SECRET%2520&scope=RESOURCE/.default",
    ),
    ("entra", "GET", "/oauth2/v2.0/authorize", ""),
    ("dataverse", "GET", "/api/data/v9.2/accounts?$select=Name", ""),
    ("dataverse", "GET", "/api/data/v9.2/accounts?partitionId=a", ""),
    ("dataverse", "GET", "/api/data/v9.2/accounts?$search=a", ""),
    ("dataverse", "GET", "/api/data/v9.2/RelationshipDefinitions", ""),
    ("dataverse", "GET", "/api/data/v9.2/EntityDefinitions(LogicalName='lead')", ""),
    ("dataverse", "GET", "/api/data/v9.2/EntityDefinitions(LogicalName='accounts')", ""),
    ("dataverse", "GET", "/api/data/v9.2/accountz", ""),
    ("dataverse", "POST", "/api/data/v9.2/accounts", "{\"Name\":\"a\"}"),
    ("dataverse", "POST", "/api/data/v9.2/accounts", "{\"numberofemployees\":\"many\"}"),
    ("dataverse", "POST", "/api/data/v9.2/$batch", "{}"),
    ("aos", "GET", "/data/CustomersV3?$filter=Nope%20eq%20'x'", ""),
    ("aos", "GET", "/data/VendorsV3", ""),
    ("aos", "GET", "/data/CustomersV3?$apply=groupby((PartyType))", ""),
    ("aos", "POST", "/data/CustomersV3", "{\"dataAreaId\":\"usmf\",\"Nope\":1}"),
    ("aos", "POST", "/data/CustomerGroups", "{\"dataAreaId\":\"usmf\"}"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_asks_wrongly_or_too_early_is_told_with_what_would_do() {
    let lab = Lab::start().await;
    let settings = lab.settings();
    let client = Client::new(&settings.ca_pem_text).unwrap();
    let aos = &settings.aos["onebox"];
    let (mut page, mut wrong) = (String::new(), Vec::new());
    for (product, method, path, body) in ASKED {
        let (base, resource) = match *product {
            "aos" => (aos.url.clone(), &aos.resource),
            "dataverse" => (settings.dataverse.url.clone(), &settings.dataverse.resource),
            _ => (settings.entra.authority.clone(), &settings.dataverse.resource),
        };
        let entra = *product == "entra";
        let mut headers = HeaderMap::new();
        if !entra {
            let (_, token) = ask_for_token(lab.lab(), &client, resource).await.unwrap();
            headers.insert(AUTHORIZATION, format!("Bearer {}", token.unwrap()).parse().unwrap());
        }
        let kind = if entra { "application/x-www-form-urlencoded" } else { "application/json" };
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let body = body
            .replace("SECRET", &settings.entra.client_secret)
            .replace("ID", &settings.entra.client_id)
            .replace("RESOURCE", resource);
        let call = Call {
            method: method.parse().unwrap(),
            url: format!("{base}{path}"),
            headers,
            body: body.into(),
        };
        let reply = client.send(call).await.unwrap();
        assert!(reply.status.is_client_error() || reply.status.is_server_error(), "{path}: {}", reply.status);
        let id = reply.headers["x-mocktenant-exchange"].to_str().unwrap();
        let explanation = explain(lab.lab(), id).await.unwrap();
        let cause = explanation.cause.as_ref().unwrap_or_else(|| panic!("{path}: no cause"));
        let _ = writeln!(page, "{method} {path}\n  {} {}", reply.status.as_u16(), cause.to_line());
        // What is not built is said to be; nobody is told that he asked for something no such product has.
        if cause.expected == "a request this product answers" {
            wrong.push(format!("{method} {path}: {}", cause.to_line()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!("what a person is told of each wrong request", page);
}
