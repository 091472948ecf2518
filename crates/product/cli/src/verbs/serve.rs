//! `serve`: runs a lab until it is stopped.
//!
//! Decides the one screen a person starts from: every URL and value to paste, and a line that creates a customer. All of it
//! is taken from the settings document, so that screen and settings.json never differ.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mocktenant_lab::Entrance;
use mocktenant_scenario as scenario;
use mocktenant_server::{Options, Ports, Running, Settings, StartError};
use mocktenant_world::World;

use crate::advice::Advisor;
use crate::args::{Common, Control, Serve};
use crate::console::{self, Paint, Palette};
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{needed_state_directory, state_directory};
use crate::journal_file;
use crate::signals::Signals;

/// How long exchanges under way may take to end after the first signal.
const GRACE: Duration = Duration::from_secs(5);
/// How long the last lines may take to be written.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Serves until a signal; exits 0.
pub(crate) async fn run(common: &Common, serve: Serve, began: Instant) -> Outcome {
    let journal_file = serve.journal_file.as_deref().map(journal_file::open).transpose()?;
    // From here on a signal is a wish to stop, also while starting.
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new(Exit::Unreachable, "cannot listen for signals").because(&error))?;
    let options = options(common, serve)?;
    let running = tokio::select! {
        running = mocktenant_server::start(options) => running.map_err(|error| cannot_start(&error))?,
        () = signals.next() => return Ok(0),
    };
    let palette = Palette::of_stdout();
    let ready = format!("mocktenant ready in {} ms", began.elapsed().as_millis());
    let opening =
        format!("{}\n{}", screen(&running.settings(), common, palette), palette.paint(Paint::Strong, &ready));
    // Without one the lines name the command that says it.
    let advisor = Advisor::new(running.lab().downgrade()).ok();
    let mut writers = vec![console::print_exchanges(opening, running.lab().journal().reader(), advisor)?];
    if let Some(file) = journal_file {
        // Followed before it is read, so that nothing falls between the two.
        let exchanges = running.lab().journal().follow();
        writers.push(journal_file::write(file, running.lab().journal().records(), exchanges)?);
    }
    signals.next().await;
    stop(running, &mut signals, writers).await;
    Ok(0)
}

/// Stops gracefully; at once at the next signal.
pub(crate) async fn stop(running: Running, signals: &mut Signals, writers: Vec<JoinHandle<()>>) {
    tokio::select! {
        () = running.stop(GRACE) => {
            let deadline = Instant::now() + LAST_LINES;
            while writers.iter().any(|writer| !writer.is_finished()) && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        () = signals.next() => {}
    }
}

/// The built-in world.
pub(crate) fn default_world() -> Result<Arc<World>, Failure> {
    match World::contoso() {
        Ok(world) => Ok(Arc::new(world)),
        Err(error) => Err(Failure::new(Exit::Usage, "the built-in world does not compile").because(&error)),
    }
}

/// Why there is no lab, with the exit code the start itself gives.
pub(crate) fn cannot_start(error: &StartError) -> Failure {
    let exit = if error.exit_code() == 2 { Exit::Usage } else { Exit::Unreachable };
    let failure = Failure::new(exit, "cannot start the lab").because(error);
    match error {
        StartError::Busy { .. } => failure.hint("--port 0 takes free ports"),
        StartError::Scenario(_) => {
            let known: Vec<&str> = scenario::names().collect();
            failure.hint(format!("there are: {}", known.join(", ")))
        }
        StartError::ControlUnguarded { .. } => failure.hint("without --bind only this machine is served"),
        StartError::Held { .. } => {
            failure.hint("mocktenant ready says where it answers; --port 0 --state DIR starts another")
        }
        StartError::Dishonest { .. } => {
            failure.hint("find out who put it there; --state DIR chooses another directory meanwhile")
        }
        _ => failure,
    }
}

/// What `serve` with these flags starts.
pub(crate) fn options(common: &Common, serve: Serve) -> Result<Options, Failure> {
    let world = default_world()?;
    let given = |url: Option<String>| url.filter(|url| !url.is_empty());
    let mut public_urls = HashMap::new();
    public_urls.extend(given(serve.public_url_entra).map(|url| (Entrance::Identity, url)));
    public_urls.extend(given(serve.public_url_onebox).map(|url| (Entrance::environment("onebox"), url)));
    if let Some(url) = given(serve.public_url_dataverse)
        && let Some(organization) = world.organizations().next()
    {
        public_urls.insert(Entrance::organization(&organization.key), url);
    }
    Ok(Options {
        ports: Ports::from(serve.port),
        bind: serve.bind,
        public_urls,
        scenario: given(serve.scenario),
        control_token: common.control_token.clone().filter(|token| !token.is_empty()),
        control_open: serve.control == Control::Open,
        publish_settings: true,
        ..Options::new(world, needed_state_directory(common)?)
    })
}

/// The screen, from the settings document; what is not in it is not on the screen.
fn screen(settings: &Settings, common: &Common, palette: Palette) -> String {
    let entra = &settings.entra;
    let state = state_directory(common).unwrap_or_default();
    let mut screen = String::with_capacity(2048);
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        screen,
        "{}   world: Contoso (built in)   state: {}   keys: published, not secret\n",
        palette.paint(Paint::Strong, concat!("mocktenant ", env!("CARGO_PKG_VERSION"))),
        from_home(&state.to_string_lossy()),
    );
    if !(entra.authority.is_empty() || entra.tenant_domain.is_empty()) {
        row(&mut screen, "Entra ID", &entra.authority, &entra.tenant_domain);
    }
    for (name, aos) in &settings.aos {
        row(&mut screen, "AOS", &aos.url, &format!("{name} (Entra)"));
    }
    if !settings.dataverse.is_absent() {
        row(&mut screen, "Dataverse", &settings.dataverse.url, "");
    }
    if !settings.control_url.is_empty() {
        row(&mut screen, "Tools", &settings.control_url, "control API and journal");
    }
    screen.push('\n');
    if !entra.is_absent() {
        row(&mut screen, "client", &entra.client_id, &format!("secret {}", entra.client_secret));
    }
    if let Some(pfx) = &entra.certificate_pfx {
        row(
            &mut screen,
            "certificate",
            &from_home(&pfx.to_string_lossy()),
            &format!("no password   SHA-1 {}", abridged(&entra.certificate_thumbprint)),
        );
    }
    let ca = settings.ca_pem.to_string_lossy();
    if !ca.is_empty() {
        row(
            &mut screen,
            "CA",
            &from_home(&ca),
            "local and declared names, never Microsoft's; not trusted yet",
        );
    }
    if let Some(bundle) = &settings.ca_bundle_pem {
        let bundle = bundle.to_string_lossy();
        row(
            &mut screen,
            "CA bundle",
            &from_home(&bundle),
            "also this world's Microsoft names: for one program",
        );
    }
    if let Some(lines) = create_a_customer(settings) {
        let _ = writeln!(screen, "\n  create a customer in the AOS, and an account in Dataverse");
        for line in lines {
            let _ = writeln!(screen, "    {line}");
        }
    }
    let flag =
        common.state.as_ref().map(|state| format!(" --state {}", console::quoted(&state.to_string_lossy())));
    let flag = flag.unwrap_or_default();
    let _ = writeln!(screen, "\n  the same, in three lines                      mocktenant try{flag}");
    let _ = writeln!(screen, "  every value of this lab, to paste             mocktenant settings{flag}");
    let _ = writeln!(screen, "  see a failure told from end to end            mocktenant reproduce");
    let _ = writeln!(screen, "  why was the last call refused                 mocktenant explain{flag}");
    screen
}

fn row(screen: &mut String, name: &str, value: &str, remark: &str) {
    let line = format!("  {name:<12} {value:<60}  {remark}");
    screen.push_str(line.trim_end());
    screen.push('\n');
}

/// Two commands: a token, and the customer with it.
fn create_a_customer(settings: &Settings) -> Option<[String; 2]> {
    let aos = settings.aos.values().find(|aos| !aos.sample_customer.is_null())?;
    let entra = &settings.entra;
    let (authority, url, resource) = (&entra.authority, &aos.url, &aos.resource);
    if authority.is_empty() {
        return None;
    }
    let ca = console::quoted(&settings.ca_pem.to_string_lossy());
    let token = format!(
        "TOKEN=$(curl -s --cacert {ca} {authority}/oauth2/v2.0/token -d grant_type=client_credentials -d client_id={} \
         -d client_secret={} -d scope={resource}/.default | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')",
        console::quoted(&entra.client_id),
        console::quoted(&entra.client_secret),
    );
    // A number of its own each time the line is run, or it could be run once.
    let number = "DE-NUMBER";
    let mut sample = aos.sample_customer.clone();
    sample["CustomerAccount"] = number.into();
    let sample = console::quoted(&sample.to_string()).replace(number, "DE-'\"$(date +%s)\"'");
    let customer = format!(
        "curl -s --cacert {ca} {url}/data/CustomersV3 -H \"Authorization: Bearer $TOKEN\" \
         -H 'Content-Type: application/json' -d {sample}"
    );
    Some([token, customer])
}

/// A path with `~` for the home directory.
fn from_home(path: &str) -> String {
    let home = std::env::var("HOME").ok().filter(|home| home.len() > 1);
    match home.and_then(|home| path.strip_prefix(&home).map(str::to_owned)) {
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}

/// First and last four digits of a thumbprint.
pub(crate) fn abridged(thumbprint: &str) -> String {
    match (thumbprint.get(..4), thumbprint.get(thumbprint.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) if thumbprint.len() > 8 => format!("{first}...{last}"),
        _ => thumbprint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_settings_is_not_on_the_screen() {
        let common = Common {
            state: Some("/tmp/a b".into()),
            url: None,
            control_token: None,
            log_format: crate::args::LogFormat::Text,
            log_level: crate::args::LogLevel::Warn,
        };
        let mut settings = Settings::default();
        settings.dataverse.url = String::from("https://localhost:7446");
        let screen = screen(&settings, &common, Palette::plain());
        assert!(screen.contains("Dataverse    https://localhost:7446"));
        assert!(!screen.contains("AOS") && !screen.contains("curl"), "{screen}");
        assert!(screen.contains("mocktenant explain --state '/tmp/a b'"), "{screen}");
    }

    #[test]
    fn thumbprints_are_abridged_to_both_ends() {
        assert_eq!(abridged("AC8CE85E26ED732A9812AB09785B499F53D5951F"), "AC8C...951F");
        assert_eq!(abridged("é"), "é");
    }
}
