//! Scenarios are edits: what they note for the documentation changes nothing that anybody sees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::sync::Arc;

use mocktenant_acceptance::random_world::{Dice, roll};
use mocktenant_artefacts::{WebConfig, WifConfig};
use mocktenant_lab::Command;
use mocktenant_scenario::{self as scenario, Act, Scenario};
use mocktenant_testkit::{Kind, Lab};
use mocktenant_world::pointers::{self, File};
use mocktenant_world::{Artefacts, Edit, EditedBy, Errand, Origins, World};
use serde_json::{Value, json};
use time::macros::datetime;

/// The file of a built-in scenario.
fn text(name: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../foundations/scenario/scenarios");
    std::fs::read_to_string(directory.join(format!("{name}.yaml"))).unwrap()
}

/// The file without its top-level members `notes` and `expect`.
fn stripped(text: &str) -> String {
    let mut keep = true;
    let mut kept = String::new();
    for line in text.lines() {
        if !line.starts_with([' ', '#']) && !line.is_empty() {
            keep = !line.starts_with("notes:") && !line.starts_with("expect:");
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Breaks a lab, walks the steps, and writes down all a person could see: answers, explanations, journal.
async fn story(scenario: &Scenario) -> Vec<Value> {
    let lab = Lab::builder().seeded(7).frozen_at(datetime!(2026-11-22 12:00 UTC)).start().await;
    let by = || EditedBy::Scenario(scenario.name.clone());
    lab.command(Command::Act { act: scenario.before(), by: by() }).await;
    lab.restart(if scenario.at.is_some() { "onprem" } else { "onebox" }).await;
    for act in &scenario.after {
        lab.command(Command::Act { act: act.clone(), by: by() }).await;
    }
    let mut seen = vec![attempt(&lab).await];
    for step in &scenario.steps {
        lab.command(Command::Act { act: step.act.clone(), by: by() }).await;
        seen.push(json!(step.title));
        seen.push(attempt(&lab).await);
    }
    // A customer that is there is not created again.
    let created = seen.last().unwrap()["status"] == 201;
    assert!(created || works(&lab).await, "{}: {}", scenario.name, lab.failure_report());
    seen
}

/// Whether the caller does what its world says it does.
async fn works(lab: &Lab) -> bool {
    match lab.world().caller().does {
        does if does.signs_in() => lab.try_sign_in().await.is_ok(),
        Errand::ReadCustomers => lab.drive().await.status == 200,
        _ => lab.drive().await.status == 201,
    }
}

async fn attempt(lab: &Lab) -> Value {
    let answer = lab.drive().await;
    let exchange = answer.exchange().unwrap();
    let explanation = lab.explain(exchange).unwrap();
    let told = format!("{}\n{}", answer.text(), explanation.to_text(true));
    // Ports are free ones, so they differ from lab to lab.
    let told = told.replace(&lab.settings().aos["onebox"].url, "AOS");
    let told = told.replace(&lab.settings().aos["onprem"].url, "ONPREM");
    let told = told.replace(&lab.settings().entra.base_url, "ENTRA");
    let told = told.replace(&lab.settings().dataverse.url, "DATAVERSE");
    // An issuer has a port, too, and within a token nothing is replaced.
    let told: Vec<&str> = told.lines().filter(|line| !line.contains("access_token")).collect();
    json!({ "status": answer.status, "told": told })
}

/// The same world with other short names for its environment and its organisation.
fn renamed(world: &World) -> World {
    let mut declaration = world.declaration();
    let environment = declaration.environments.shift_remove("onebox").unwrap();
    declaration.environments.insert("box7".into(), environment);
    let organization = declaration.organizations.shift_remove("contoso").unwrap();
    declaration.organizations.insert("org7".into(), organization);
    Arc::make_mut(&mut declaration.caller).environment = "box7".into();
    let file = |file: File| world.environment("onebox").unwrap().file(file).unwrap().bytes().to_vec();
    let artefacts = Artefacts::none()
        .with_web_config("box7", WebConfig::parse("web.config", file(File::WebConfig)).unwrap())
        .with_wif_config("box7", WifConfig::parse("wif.config", file(File::WifConfig)).unwrap());
    World::compile(declaration, artefacts, Origins::default()).unwrap()
}

#[tokio::test]
async fn every_scenario_breaks_a_world_of_other_names_and_its_steps_heal_it() {
    let mut dice = Dice::new(0x000C_A57E);
    for scenario in scenario::all() {
        let lab = Lab::builder().world(renamed(&roll(&mut dice).world)).start().await;
        let mut healthy = lab.world().view();
        if let Some(does) = scenario.does {
            lab.apply([Edit::replace(pointers::caller().does(), json!(does))]).await;
            healthy["caller"]["does"] = json!(does);
        }
        if scenario.at.is_some() {
            let at = [pointers::caller().environment(), pointers::caller().sign_in().provider()];
            lab.apply(at.map(|setting| Edit::replace(setting, "onprem"))).await;
            healthy["caller"]["environment"] = json!("onprem");
            healthy["caller"]["sign_in"]["provider"] = json!("onprem");
        }
        assert!(works(&lab).await, "{}: {}", scenario.name, lab.failure_report());
        lab.command(Command::Scenario { name: scenario.name.clone() }).await;
        let by = EditedBy::Scenario(scenario.name.clone());
        for step in &scenario.steps {
            let refused = lab.drive().await;
            // Pages of people have no status of their own, and those of an AOS many.
            let expected = if scenario.does.is_some() { 200 } else { 400 };
            let told = scenario.at.is_some() || refused.status == expected;
            assert!(told, "{} before {:?}: {}", scenario.name, step.title, refused.status);
            assert!(!works(&lab).await, "{} before {:?}", scenario.name, step.title);
            lab.command(Command::Act { act: step.act.clone(), by: by.clone() }).await;
        }
        assert!(works(&lab).await, "{}: {}", scenario.name, lab.failure_report());
        assert_eq!(lab.world().view(), healthy, "{}", scenario.name);
    }
}

#[tokio::test]
async fn a_world_that_moved_after_the_start_is_noticed_at_the_next_one() {
    let lab = Lab::scenario("config-not-reloaded").start().await;
    assert_eq!(lab.world().view(), World::contoso().unwrap().view(), "every setting is right");
    assert_eq!(lab.drive().await.status, 400);
    let cause = lab.explain_last().unwrap().cause.unwrap();
    assert_eq!(cause.kind, Kind::Restart, "{cause:?}");
    lab.restart("onebox").await;
    assert_eq!(lab.drive().await.status, 201);
}

#[tokio::test]
async fn a_step_can_wait_and_restart_one_node_and_edit_the_caller() {
    let text = "title: t\nsymptom: s\nedits: []\nsteps:\n  - title: all of it\n    edits:\n      \
                - { op: replace, path: /caller/does, value: read-customers }\n      \
                - { op: remove, path: \"/tenants/{tenant}/users/nobody@nowhere.example\" }\n    \
                wait: 1h30m\n    restart: [\"{onebox}/aos1\"]\n";
    let scenario = scenario::parse("mine", text).unwrap();
    let instant = datetime!(2026-11-22 12:00 UTC);
    let lab = Lab::builder().frozen_at(instant).start().await;
    let starts = || lab.journal().records().iter().filter(|record| &*record.endpoint == "start").count();
    let before = starts();
    let by = EditedBy::Scenario("mine".into());
    lab.command(Command::Act { act: scenario.steps[0].act.clone(), by: by.clone() }).await;
    assert_eq!(starts(), before + 1);
    let read = lab.drive().await;
    assert_eq!((read.status, read.header("date")), (200, Some("Sun, 22 Nov 2026 13:30:00 GMT")));

    let nobody = Act { restart: vec!["{onebox}/aos9".into()], ..Act::default() };
    let error = lab.try_command(Command::Act { act: nobody, by }).await.unwrap_err();
    assert!(error.to_string().contains("aos9"), "{error}");
}

#[test]
fn every_built_in_scenario_is_its_file() {
    let read: Vec<Scenario> =
        scenario::names().map(|name| scenario::parse(name, &text(name)).unwrap()).collect();
    assert_eq!(read, scenario::all());
}

#[tokio::test]
async fn deleting_notes_and_expectations_changes_nothing_that_is_seen() {
    for name in scenario::names() {
        let text = text(name);
        let whole = scenario::parse(name, &text).unwrap();
        let bare = scenario::parse(name, &stripped(&text)).unwrap();
        assert!(whole.notes.is_some() && whole.expect.is_some(), "{name} has something to delete");
        assert!(bare.notes.is_none() && bare.expect.is_none(), "{name}");
        assert_eq!(story(&whole).await, story(&bare).await, "{name}");
    }
}

#[tokio::test]
async fn nothing_that_a_scenario_notes_reaches_a_lab() {
    for name in scenario::names() {
        let lab = Lab::scenario(name).start().await;
        attempt(&lab).await;
        let found = scenario::find(name).unwrap();
        let records: Vec<Value> =
            lab.journal().records().iter().map(|record| json!(record.document())).collect();
        let seen = format!("{}{}", json!(records), lab.failure_report());
        for noted in found.notes.iter().chain(found.expect.iter().flatten()) {
            assert!(!seen.contains(noted.trim()), "{name}: {noted}");
        }
    }
}
