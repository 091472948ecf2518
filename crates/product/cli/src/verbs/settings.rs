//! `settings`: every URL, id, secret and file of a lab, as a person, a shell or another program reads them.

use clap::{Args, Parser as _, ValueEnum};
use mocktenant_server::{Settings as Document, settings_without_lab};
use serde_json::{Value, json};

use crate::args::{Cli, Common, Verb};
use crate::client_variables::Credential;
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{Candidate, LabAt, settings_text, state_directory};
use crate::settings_format::{Format, rendered};
use crate::verbs::serve::{cannot_start, options};

/// `settings`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  mocktenant settings | jq -r .entra.client_secret
  curl --cacert \"$(mocktenant settings | jq -r .ca_pem)\" https://localhost:7443/...
  . <(mocktenant settings --format sh)          clients of this shell use the lab
  mocktenant settings --format ps1 | Invoke-Expression
  mocktenant settings --url http://lab:7440 --for network --format dotenv
                                                for containers beside it

ca_pem is a root for localhost, reserved and declared names. ca_real_names_pem speaks for the Microsoft names of the
world, and ca_bundle_pem holds both and the system's: give these to one program, never to a whole machine.
For a network they are files of --ca-directory, which is a volume there: mount it at the same path.")]
pub(crate) struct Settings {
    /// Who is to read it
    #[arg(long, value_enum, default_value_t, env = "MOCKTENANT_FORMAT")]
    pub(crate) format: Format,

    /// From where the lab is called
    #[arg(long = "for", value_enum, default_value_t, env = "MOCKTENANT_FOR")]
    pub(crate) audience: Audience,

    /// What the SDKs' own variables say a client is
    #[arg(long, value_enum, default_value_t, env = "MOCKTENANT_CREDENTIAL")]
    pub(crate) credential: Credential,
}

/// From where the lab is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Audience {
    /// This machine: localhost and the proxy.
    #[default]
    Host,
    /// The network of a lab with --real-names: names of the world, no proxy, roots from --ca-directory.
    Network,
}

/// Prints exactly the file of the running lab, or what another program reads; without a lab, what `serve` would give.
pub(crate) async fn run(common: &Common, settings: Settings) -> Outcome {
    let text = match settings.audience {
        Audience::Host => document(common).await?,
        Audience::Network => of_network(common).await?,
    };
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
    read(&lab.get("/v1/settings").await?.body)
}

/// As a caller in the lab's network has to know it: only a lab that runs can say.
async fn of_network(common: &Common) -> Result<Vec<u8>, Failure> {
    let text = read(&LabAt::find(common).await?.get("/v1/settings?for=network").await?.body)?;
    if Document::read(&text).is_ok_and(|document| document.ca_bundle_pem.is_none()) {
        console::note("no file of roots is named: the lab was started without --ca-directory");
    }
    Ok(text)
}

fn read(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let document: Value = serde_json::from_slice(body)
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
