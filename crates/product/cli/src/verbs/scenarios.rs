//! `scenarios`: the broken worlds there are; puts a running lab into one, or back.

use http::{Method, StatusCode};
use mocktenant_scenario as scenario;
use serde_json::{Value, json};

use crate::args::{Common, Scenarios};
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, encoded_segment, flags, refusal};
use crate::screen::Screen;

/// Listing needs no lab.
pub(crate) async fn run(common: &Common, scenarios: Scenarios) -> Outcome {
    if let Some(name) = &scenarios.chosen {
        let lab = LabAt::find(common).await?;
        let reply = lab.try_write(Method::PUT, "/v1/scenario", &json!({ "name": name })).await?;
        match reply.status {
            // The only thing of this body that can be wrong is the name.
            StatusCode::UNPROCESSABLE_ENTITY => return Err(refusal(&reply).with_exit(Exit::Usage)),
            status if !status.is_success() => return Err(refusal(&reply)),
            _ => {}
        }
        console::line(&format!(
            "the lab at {} is now {}\nback: mocktenant scenarios --reset{}",
            lab.url(),
            console::harmless(name),
            flags(common)
        ))?;
        return Ok(0);
    }
    if scenarios.reset {
        let lab = LabAt::find(common).await?;
        let Some(scope) = &scenarios.scope else {
            lab.write(Method::POST, "/v1/reset", &json!({})).await?;
            console::line(&format!("the lab at {} is as it began", lab.url()))?;
            return Ok(0);
        };
        let path = format!("/v1/reset?scope={}", encoded_segment(scope));
        let reply = lab.try_write(Method::POST, &path, &json!({})).await?;
        match reply.status {
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => {
                return Err(refusal(&reply).with_exit(Exit::Usage));
            }
            status if !status.is_success() => return Err(refusal(&reply)),
            _ => {}
        }
        console::line(&format!("{} of the lab at {} is as it began", console::harmless(scope), lab.url()))?;
        return Ok(0);
    }
    let mut all = scenario::all();
    if let Some(name) = &scenarios.name {
        all.retain(|scenario| scenario.name == *name);
        if all.is_empty() {
            let what = format!("there is no scenario {:?}", console::harmless(name));
            return Err(Failure::new(Exit::Usage, what).hint("mocktenant scenarios lists them"));
        }
    }
    if scenarios.json {
        let list: Vec<Value> = all
            .iter()
            .map(|scenario| json!({ "name": scenario.name, "title": scenario.title, "symptom": scenario.symptom }))
            .collect();
        console::line(&format!("{:#}", Value::Array(list)))?;
        return Ok(0);
    }
    let screen = Screen::of_stdout();
    if let (Some(_), [scenario]) = (&scenarios.name, &all[..]) {
        let name = &scenario.name;
        console::line(&format!("{name}\n{}\n", screen.wrapped("", "", &scenario.title)))?;
        console::line(&format!("tell it from end to end:    mocktenant reproduce {name}"))?;
        console::line(&format!("break the running lab so:   mocktenant scenarios --use {name}"))?;
        return Ok(0);
    }
    let width = all.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    for scenario in &all {
        let first = format!("{:width$}  ", scenario.name);
        console::line(&screen.wrapped(&first, &" ".repeat(width + 2), &scenario.title))?;
    }
    console::line(
        "\ntell one from end to end:   mocktenant reproduce NAME\nbreak the running lab so:   mocktenant scenarios --use NAME",
    )?;
    Ok(0)
}
