//! How long an explanation takes: of a chain of five calls whose last is refused, and with eight things wrong at once.
//!
//! Decides nothing; measures. A lab without sockets, journal on; every explanation tries out what it tells. Targets, from
//! the issue that asked for rehearsals: 10 ms and 60 ms. Exits 1 where one is missed.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mocktenant_aos::Aos;
use mocktenant_dataverse::Dataverse;
use mocktenant_diagnosis::{Explanation, explain};
use mocktenant_entra::Entra;
use mocktenant_lab::{Command, InProcess, Lab, caller};
use mocktenant_world::pointers::{self, environment, organization};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::json;

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const OWN: &str = "c0117050-0000-4000-8000-00000000a002";
const ROUNDS: usize = 40;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("no runtime: {error}"),
    };
    runtime.block_on(async {
        let user = organization("contoso").application_user(OWN);
        let privileges = organization("contoso").role("System Administrator").privileges();
        let readers = ["Account", "cdm_company", "msdyn_customergroup", "TransactionCurrency"];
        let readers: Vec<String> = readers.iter().map(|table| format!("prvRead{table}")).collect();
        let last = vec![Edit::replace(privileges, json!(readers))];
        let chain = time("a chain of five calls, the last refused", last, 5, 10).await;

        let onebox = environment("onebox");
        let application = pointers::tenant(TENANT).application(OWN);
        let web = |key: &str, value: &str| Edit::replace(onebox.web_config(key), value);
        let eight = vec![
            web("Aad.TenantDomainGUID", "garbage"),
            web("Infrastructure.S2SCertThumbprint", ""),
            Edit::replace(onebox.flight("DualWriteUnoAuthenticationFnoToCds").enabled(), 0),
            web("Aad.Realm", "spn:00000015-0000-0000-c000-000000000000"),
            web("Aad.AADLoginWsfedEndpointFormat", "https://login.nowhere.example/{0}/wsfed"),
            Edit::replace(application.enabled(), false),
            Edit::replace(user.enabled(), false),
            Edit::replace(user.roles(), json!([])),
        ];
        let many = time("eight things wrong", eight, 8, 60).await;
        if chain && many { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

/// Breaks a lab, lets the caller be refused, and times what is said about it.
async fn time(what: &str, edits: Vec<Edit>, expected: usize, limit: u64) -> bool {
    let world = match World::contoso() {
        Ok(world) => Arc::new(world),
        Err(error) => panic!("{error}"),
    };
    let lab = Lab::builder(world).surface(Entra::new()).surface(Aos::new()).surface(Dataverse::new()).build();
    lab.set_outbound(InProcess::by_world_names(&lab));
    lab.start_all().await;
    let by = EditedBy::Control;
    if let Err(error) = lab.apply(Command::Edit { edits, by }).await {
        panic!("{what}: {error}");
    }
    let restart = Command::Restart { environment: "onebox".into(), node: None };
    if let Err(error) = lab.apply(restart).await {
        panic!("{what}: {error}");
    }
    let attempt = match caller::drive(&lab, &InProcess::by_world_names(&lab)).await {
        Ok(attempt) => attempt,
        Err(error) => panic!("{what}: {error}"),
    };
    let mut took: Vec<Duration> = Vec::with_capacity(ROUNDS);
    let mut told: Option<Explanation> = None;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        told = explain(&lab, &attempt.exchange).await;
        took.push(began.elapsed());
    }
    took.sort();
    let told = told.unwrap_or_else(|| panic!("{what}: not explained"));
    let causes = told.cause.iter().chain(&told.also).count();
    let calls = lab.journal().tree().children(&attempt.exchange).count();
    let median = took[ROUNDS / 2];
    let holds = median <= Duration::from_millis(limit) && causes.max(calls) >= expected;
    let _ = writeln!(
        std::io::stdout(),
        "{what}: {:.2} ms (fastest {:.2}, slowest {:.2}; at most {limit}), {calls} calls, {causes} causes told{}",
        median.as_secs_f64() * 1e3,
        took[0].as_secs_f64() * 1e3,
        took[ROUNDS - 1].as_secs_f64() * 1e3,
        if holds { "" } else { "   MISSED" }
    );
    holds
}
