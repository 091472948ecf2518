//! Scenarios are edits: what they note for the documentation changes nothing that anybody sees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;

use mocktenant_lab::Command;
use mocktenant_testkit::Lab;
use mocktenant_world::EditedBy;
use mocktenant_world::scenario::{self, Scenario};
use serde_json::{Value, json};
use time::macros::datetime;

/// The file of a built-in scenario.
fn text(name: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../foundations/world/scenarios");
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
    lab.command(Command::Edit { edits: scenario.edits.clone(), by: by() }).await;
    lab.restart("onebox").await;
    let mut seen = vec![attempt(&lab).await];
    for step in &scenario.steps {
        lab.command(Command::Edit { edits: step.edits.clone(), by: by() }).await;
        for environment in &step.restart {
            lab.restart(environment).await;
        }
        seen.push(json!(step.title));
        seen.push(attempt(&lab).await);
    }
    assert_eq!(seen.last().unwrap()["status"], 201, "{}: {}", scenario.name, lab.failure_report());
    seen
}

async fn attempt(lab: &Lab) -> Value {
    let aos = &lab.settings().aos["onebox"];
    let token = lab.client().token(&aos.resource).await;
    let url = format!("{}/data/CustomersV3", aos.url);
    let answer = lab.client().bearer(&token).post_json(&url, &aos.sample_customer).await;
    let exchange = answer.exchange().unwrap();
    let explanation = lab.explain(exchange).unwrap();
    let told = format!("{}\n{}", answer.text(), explanation.to_text());
    // Ports are free ones, so they differ from lab to lab.
    let told = told.replace(&aos.url, "AOS").replace(&lab.settings().entra.base_url, "ENTRA");
    let told = told.replace(&lab.settings().dataverse.url, "DATAVERSE");
    json!({ "status": answer.status, "told": told })
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
