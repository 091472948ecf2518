//! `settings`: every URL, id, secret and file of a lab, as a person, a shell or another program reads them.

use clap::Parser as _;
use mocktenant_server::{Settings as Document, settings_without_lab};
use serde_json::{Value, json};

use crate::args::{Cli, Common, Settings, Verb};
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{Candidate, LabAt, settings_text, state_directory};
use crate::settings_format::{Format, rendered};
use crate::verbs::serve::{cannot_start, options};

/// Prints exactly the file of the running lab, or what another program reads; without a lab, what `serve` would give.
pub(crate) async fn run(common: &Common, settings: Settings) -> Outcome {
    let text = document(common).await?;
    if settings.format == Format::Json {
        console::raw(&text)?;
        return Ok(0);
    }
    let document = Document::read(&text)
        .map_err(|error| Failure::new(Exit::Finding, "the lab's settings cannot be read").because(&error))?;
    console::raw(rendered(&document, settings.format, settings.credential).as_bytes())?;
    Ok(0)
}

/// The document as it stands in the file.
pub(crate) async fn document(common: &Common) -> Result<Vec<u8>, Failure> {
    let by_url = common.url.as_deref().is_some_and(|url| !url.is_empty());
    if by_url {
        return live(&LabAt::find(common).await?).await;
    }
    let state = state_directory(common);
    if let Some(text) = state.as_deref().map_or(Ok(None), settings_text)? {
        // A stale file is worth nothing: ask before it is handed on.
        Candidate::find(common)?.reach().await?;
        return Ok(text);
    }
    if let Ok(lab) = LabAt::find(common).await {
        return live(&lab).await;
    }
    let document = would_be(common)?;
    console::note("no lab is running; this is what `mocktenant serve` would give");
    Ok(format!("{:#}\n", json!(document)).into_bytes())
}

/// As the lab gives it, member by member: a newer one may have more than this program knows.
async fn live(lab: &LabAt) -> Result<Vec<u8>, Failure> {
    let reply = lab.get("/v1/settings").await?;
    let document: Value = serde_json::from_slice(&reply.body)
        .map_err(|error| Failure::new(Exit::Finding, "the lab's settings are not JSON").because(&error))?;
    Ok(format!("{document:#}\n").into_bytes())
}

/// `serve` with this state directory and whatever the environment says of its other flags.
fn would_be(common: &Common) -> Result<Document, Failure> {
    let Verb::Serve(serve) = Cli::try_parse_from(["mocktenant", "serve"])
        .map_err(|error| {
            Failure::new(Exit::Usage, "the environment does not say how to serve").because(&error)
        })?
        .verb
    else {
        return Err(Failure::new(Exit::Usage, "there is no way to serve"));
    };
    settings_without_lab(options(common, serve)?).map_err(|error| cannot_start(&error))
}
