//! `serve`: runs a lab until it is stopped.
//!
//! Decides the one screen a person starts from: every URL and value to paste, and the command for what one may want next.
//! All of it is taken from the settings document, so that screen and settings.json never differ; the world only says which kind
//! of identity provider an environment has.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mocktenant_lab::Entrance;
use mocktenant_scenario as scenario;
use mocktenant_server::{Options, Ports, RealNames, Running, Settings, StartError};
use mocktenant_world::{IdentityProvider, World};

use crate::advice::Advisor;
use crate::args::{Common, Control, Serve};
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{flags, needed_state_directory, state_directory};
use crate::give_back;
use crate::journal_file;
use crate::screen::{Paint, Screen};
use crate::signals::Signals;
use crate::verbs::try_once::with_curl;

/// How long exchanges under way may take to end after the first signal: they take milliseconds, and a container that is
/// stopped should be gone within two seconds.
const GRACE: Duration = Duration::from_millis(1500);
/// How long the last lines may take to be written.
const LAST_LINES: Duration = Duration::from_millis(500);
/// Columns that the widest row of the table needs, values and remarks beside one another.
const WHOLE_ROW: usize = 138;

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
    let screen = Screen::of_stdout();
    let ready = format!("mocktenant ready in {} ms", began.elapsed().as_millis());
    let opening = opening(&running.settings(), &running.lab().world(), common, screen);
    let opening = format!("{opening}\n{}", screen.paint(Paint::Strong, &ready));
    // Without one the lines name the command that says it.
    let advisor = Advisor::new(running.lab().downgrade()).ok();
    let mut writers = vec![console::print_exchanges(opening, running.lab().journal().reader(), advisor)?];
    if let Some(file) = journal_file {
        writers.push(journal_file::write(file, running.lab().journal())?);
    }
    give_back::when_quiet(running.lab().journal().reader());
    signals.next().await;
    stop(running, &mut signals, writers).await;
    Ok(0)
}

/// Stops gracefully; at once at the next signal.
pub(crate) async fn stop(running: Running, signals: &mut Signals, writers: Vec<JoinHandle<()>>) {
    tokio::select! {
        () = running.stop(GRACE) => last_lines(&writers).await,
        () = signals.next() => {}
    }
}

/// Waits for what writes exchanges down, which ends with its lab.
pub(crate) async fn last_lines(writers: &[JoinHandle<()>]) {
    let deadline = Instant::now() + LAST_LINES;
    while writers.iter().any(|writer| !writer.is_finished()) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
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
        StartError::RealNames { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => failure
            .hint("stop what listens there, or leave --real-names out: mocktenant exec -- COMMAND needs no port"),
        StartError::RealNames { .. } => failure.hint(
            "as root: sysctl -w net.ipv4.ip_unprivileged_port_start=80, or setcap cap_net_bind_service=+ep on this \
             program; without --real-names the proxy leads to the same names: mocktenant exec -- COMMAND",
        ),
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
    public_urls.extend(given(serve.public_url_onprem).map(|url| (Entrance::environment("onprem"), url)));
    if let Some(url) = given(serve.public_url_dataverse)
        && let Some(organization) = world.organizations().next()
    {
        public_urls.insert(Entrance::organization(&organization.key), url);
    }
    Ok(Options {
        ports: Ports::from(serve.port),
        real_names: if serve.real_names { RealNames::Yes } else { RealNames::No },
        bind: serve.bind,
        public_urls,
        ca_directory: serve.ca_directory.filter(|directory| !directory.as_os_str().is_empty()),
        scenario: given(serve.scenario),
        control_token: common.control_token.clone().filter(|token| !token.is_empty()),
        control_open: serve.control == Control::Open,
        publish_settings: true,
        ..Options::new(world, needed_state_directory(common)?)
    })
}

/// What is printed first, from the settings document; what is not in it is not on the screen.
fn opening(settings: &Settings, world: &World, common: &Common, screen: Screen) -> String {
    let entra = &settings.entra;
    let state = from_home(&state_directory(common).unwrap_or_default().to_string_lossy());
    let version = concat!("mocktenant ", env!("CARGO_PKG_VERSION"));
    let origin = "   world: Contoso (built in)   keys: published, not secret";
    let beside = screen.fits(version.len() + origin.len() + "   state: ".len() + state.chars().count());
    let mut text = format!(
        "{}{origin}{}state: {state}\n\n",
        screen.paint(Paint::Strong, version),
        if beside { "   " } else { "\n" }
    );
    let mut row = |name: &str, value: &str, remark: &str| text.push_str(&row(name, value, remark, screen));
    if !(entra.authority.is_empty() || entra.tenant_domain.is_empty()) {
        row("Entra ID", &entra.authority, &entra.tenant_domain);
    }
    if let Some(adfs) = &settings.adfs {
        let user = settings.user.as_ref().map(|user| format!("   user {}", user.name)).unwrap_or_default();
        row("AD FS", &adfs.base_url, &format!("resource {}{user}", adfs.resource));
    }
    for (name, aos) in &settings.aos {
        let provider = match world.environment(name).map(|environment| &environment.identity) {
            Some(IdentityProvider::Tenant(_)) => format!("{name} (Entra)"),
            Some(IdentityProvider::FederationService(_)) => format!("{name} (AD FS)"),
            _ => name.clone(),
        };
        row("AOS", &aos.url, &provider);
    }
    if !settings.dataverse.is_absent() {
        row("Dataverse", &settings.dataverse.url, "");
    }
    if !settings.control_url.is_empty() {
        row("Tools", &settings.control_url, "control API and journal");
    }
    if !settings.real_name_ports.is_empty() {
        let ports: Vec<String> = settings.real_name_ports.iter().map(ToString::to_string).collect();
        row(
            "Real names",
            &format!("ports {}", ports.join(" and ")),
            "every name of this world leads to its product",
        );
    }
    row("", "", "");
    if !entra.is_absent() {
        row("client", &entra.client_id, &format!("secret {}", entra.client_secret));
    }
    if let Some(pfx) = &entra.certificate_pfx {
        let remark = format!("no password   SHA-1 {}", abridged(&entra.certificate_thumbprint));
        row("certificate", &from_home(&pfx.to_string_lossy()), &remark);
    }
    let ca = settings.ca_pem.to_string_lossy();
    if !ca.is_empty() {
        row("CA", &from_home(&ca), "local and declared names, never Microsoft's; not trusted yet");
    }
    if let Some(bundle) = &settings.ca_bundle_pem {
        let bundle = from_home(&bundle.to_string_lossy());
        row("CA bundle", &bundle, "also this world's Microsoft names: for one program");
    }
    text.push('\n');
    text.push_str(&what_now(with_curl(settings).is_some(), common, screen));
    text
}

/// A line of the table; the remark below the value where it does not fit beside it.
fn row(name: &str, value: &str, remark: &str, screen: Screen) -> String {
    let beside = if screen.fits(WHOLE_ROW) { 60 } else { 26 };
    let mut row = format!("  {name:<12} {value:<beside$}  {remark}");
    if !screen.fits(row.chars().count()) && !remark.is_empty() {
        row = format!("  {name:<12} {value}\n{:15}{remark}", "");
    }
    row.truncate(row.trim_end().len());
    row.push('\n');
    row
}

/// What a person may want next, and the command; below it where one does not fit beside.
fn what_now(creates: bool, common: &Common, screen: Screen) -> String {
    let flags = flags(common);
    let next = [
        ("create a customer, and see it travel", format!("mocktenant try{flags}")),
        ("the same with curl, to paste", format!("mocktenant try --curl{flags}")),
        ("every value of this lab, to paste", format!("mocktenant settings{flags}")),
        ("see a failure told from end to end", String::from("mocktenant reproduce")),
        ("why was the last call refused", format!("mocktenant explain{flags}")),
    ];
    let next = if creates { &next[..] } else { &next[2..] };
    let beside = next.iter().all(|(_, command)| screen.fits(42 + command.chars().count()));
    let line = |(what, command): &(&str, String)| {
        if beside { format!("  {what:<38}  {command}\n") } else { format!("  {what}\n      {command}\n") }
    };
    next.iter().map(line).collect()
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
        let world = default_world().unwrap();
        let screen = opening(&settings, &world, &common, Screen::plain(80));
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
