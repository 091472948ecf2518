//! `reproduce`: one failure told from end to end, in a lab of its own.
//!
//! Decides the order of the story: break the world, let the caller do what the user did, ask the diagnosis, then apply the
//! steps of the recipe one by one and let the caller try again after each. The answers come over real HTTP, the rest from
//! the journal; nothing here knows what a scenario is about.

mod caller;
mod chain;
mod story;
mod tell;

use std::time::{Duration, Instant};

use mocktenant_lab::Command;
use mocktenant_scenario::{self as scenario, Scenario};
use mocktenant_server::{Options, Ports, Running};
use mocktenant_world::{EditedBy, Errand};
use serde_json::json;

use crate::args::{Common, Reproduce};
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::needed_state_directory;
use crate::screen::Screen;
use crate::signals::Signals;
use crate::verbs::serve::{cannot_start, default_world, stop};

pub(super) use caller::words_of;

use caller::Caller;
use story::{Gone, Step, Story, Tally};

/// Nobody else calls this lab, so there is nothing to wait for.
const GRACE: Duration = Duration::from_millis(200);

/// Exits 0 if the failure appeared and the steps healed it, else 1.
pub(crate) async fn run(common: &Common, reproduce: Reproduce, began: Instant) -> Outcome {
    let Some(scenario) = scenario::find(&reproduce.scenario) else {
        let known: Vec<&str> = scenario::names().collect();
        return Err(Failure::new(Exit::Usage, format!("there is no scenario {:?}", reproduce.scenario))
            .hint(format!("there are: {}", known.join(", "))));
    };
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new(Exit::Unreachable, "cannot listen for signals").because(&error))?;
    let options = Options {
        ports: Ports::Free,
        control_token: common.control_token.clone().filter(|token| !token.is_empty()),
        ..Options::new(default_world()?, needed_state_directory(common)?)
    };
    let told = async {
        let running = mocktenant_server::start(options).await.map_err(|error| cannot_start(&error))?;
        let story = live(&running, &scenario, began).await?;
        Ok::<_, Failure>((running, story))
    };
    let (running, story) = tokio::select! {
        told = told => told?,
        () = signals.next() => return Ok(0),
    };
    if reproduce.json {
        let mut document = json!(story);
        if reproduce.keep {
            document["control_url"] = json!(running.urls().control);
        }
        console::line(&format!("{document:#}"))?;
    } else {
        console::line(&tell::text(&story, Screen::of_stdout()))?;
        if reproduce.keep {
            console::line(&kept(&running, common))?;
        }
    }
    if reproduce.keep {
        signals.next().await;
        stop(running, &mut signals, Vec::new()).await;
    } else {
        running.stop(GRACE).await;
    }
    Ok(u8::from(!story.as_told()))
}

fn kept(running: &Running, common: &Common) -> String {
    let token = if common.control_token.is_some() { " --control-token ..." } else { "" };
    let url = &running.urls().control;
    format!("the healed lab goes on until it is stopped: mocktenant settings --url {url}{token}")
}

/// Breaks the lab, and heals it step by step.
async fn live(running: &Running, scenario: &Scenario, began: Instant) -> Result<Story, Failure> {
    let lab = running.lab();
    lab.apply(Command::Scenario { name: scenario.name.clone() })
        .await
        .map_err(|error| Failure::new(Exit::Finding, "the scenario does not apply").because(&error))?;
    let serviced_away = Gone::all(lab, scenario);
    let mut tally = Tally::default();
    let caller = Caller::new(lab, running.outbound_client());
    let broken = caller.try_once().await?;
    tally.note(lab, &broken);
    let rolled_back = if broken.refused() { caller.is_absent(&broken).await? } else { None };
    let happened = chain::around(lab, &broken);
    let explanation = caller::explanation(lab, &broken).await;

    let mut steps = Vec::with_capacity(scenario.steps.len());
    let mut healed = false;
    let cast = lab.cast();
    for step in &scenario.steps {
        let failed = |error: &dyn std::error::Error| {
            Failure::new(Exit::Finding, format!("the step {:?} does not apply", step.title)).because(error)
        };
        let by = EditedBy::Scenario(scenario.name.clone());
        let act = step.act.clone();
        lab.apply(Command::Act { act, by }).await.map_err(|error| failed(&error))?;
        let step = cast.step(step).map_err(|error| failed(&error))?;
        if healed {
            steps.push(Step::unneeded(&step));
            continue;
        }
        let attempt = caller.try_once().await?;
        tally.note(lab, &attempt);
        let errand = caller.errand();
        let created = errand == Errand::CreateCustomer && !attempt.refused();
        let account = if created { caller.account().await? } else { None };
        let taken = Step::taken(&step, lab, &attempt, errand, account).await;
        healed = taken.heals();
        steps.push(taken);
    }
    Ok(Story {
        schema: 1,
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        saw: story::Saw::new(&caller, &broken, rolled_back),
        serviced_away,
        happened,
        explanation,
        steps,
        broke: broken.refused(),
        healed,
        exchanges: story::exchanges(lab),
        fidelity: tally.fidelity(lab),
        milliseconds: began.elapsed().as_secs_f64() * 1000.0,
    })
}
