//! The command line: verbs, flags, and an environment twin for every flag.
//!
//! Decides names and help texts only. `serve` is the verb when none is given, so that `mocktenant --port 0` is
//! `mocktenant serve --port 0`.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::client_variables::Credential;
use crate::verbs::events::Events;
use crate::verbs::explain::Explain;
use crate::verbs::servicing::Servicing;
use crate::verbs::settings::Settings;
use crate::verbs::stop::{Start, Stop};
use crate::verbs::token::Token;
use crate::verbs::trust::Trust;
use crate::verbs::try_once::Try;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "mocktenant",
    version,
    about = "A Microsoft tenant on localhost, for tests: Entra ID, AD FS, a Dynamics 365 Finance & Operations AOS, Dataverse",
    after_help = "\
Without a verb, mocktenant is `mocktenant serve`.

Examples:
  mocktenant                                    run a lab on the default ports
  mocktenant --port 0 --state ./lab             run one on free ports, with its state in ./lab
  mocktenant ready --wait && npm test           wait until it answers, then test against it
  mocktenant settings                           every URL, id, secret and file of the running lab
  mocktenant reproduce                          \"Unable to get access token\", told from end to end
  mocktenant explain                            why a call was refused, what to change
  TOKEN=$(mocktenant token --defect expired)    a token that has to be refused

Exit codes: 0 fine, 1 a finding or refusal, 2 usage or configuration, 3 cannot listen or reach."
)]
pub(crate) struct Cli {
    /// Flags every verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Flags every verb takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// Directory that holds everything a lab writes
    ///
    /// Default: $XDG_STATE_HOME/mocktenant or ~/.local/state/mocktenant. It holds keys: one that others may write to is
    /// refused.
    #[arg(long, global = true, value_name = "DIR", env = "MOCKTENANT_STATE", help_heading = "Common")]
    pub(crate) state: Option<PathBuf>,

    /// Control URL of a running lab, for instance http://127.0.0.1:7440
    ///
    /// Default: the lab whose settings.json is in the state directory; without one, and without --state,
    /// http://127.0.0.1:7440.
    #[arg(long, global = true, value_name = "URL", env = "MOCKTENANT_URL", help_heading = "Common")]
    pub(crate) url: Option<String>,

    /// Bearer token of the control API; a lab that is started with one asks every caller for it
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "MOCKTENANT_CONTROL_TOKEN",
        hide_env_values = true,
        help_heading = "Common"
    )]
    pub(crate) control_token: Option<String>,

    /// How log lines on stderr look
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "MOCKTENANT_LOG_FORMAT",
        help_heading = "Common"
    )]
    pub(crate) log_format: LogFormat,

    /// Least severe log lines to show
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "MOCKTENANT_LOG_LEVEL",
        help_heading = "Common"
    )]
    pub(crate) log_level: LogLevel,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Least severe log lines to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// What broke.
    Error,
    /// What a person should look at.
    #[default]
    Warn,
    /// What happens.
    Info,
    /// How it happens.
    Debug,
    /// Everything.
    Trace,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a lab until it is stopped (what happens without a verb)
    Serve(Serve),
    /// Run a command with a lab of its own, found under Microsoft's own names
    Exec(Exec),
    /// Tell a failure from end to end: symptom, chain, cause, and the fix step by step
    Reproduce(Reproduce),
    /// Create the next customer in a running lab, and show the chain
    Try(Try),
    /// Say why a call was refused, and the one setting to change; or what a product says to a token
    Explain(Explain),
    /// Print a token: a good one, or one with exactly one thing wrong
    Token(Token),
    /// Show what happened: one line per exchange
    Journal(Journal),
    /// Show what the event logs of AD FS and of an AOS say, as Event Viewer does
    Events(Events),
    /// Show one declared value of a running lab
    Get(Get),
    /// Change one declared value of a running lab
    Set(Set),
    /// Take one declared value out of a running lab
    Unset(Unset),
    /// Restart an environment, as IISRESET would: it reads its configuration again
    Restart(Restart),
    /// Make the next token-signing key of an identity provider the primary one
    Rollover(Rollover),
    /// Stop AD FS or an AOS in a running lab: nobody is answered there
    Stop(Stop),
    /// Start what is stopped
    Start(Start),
    /// Service an environment: what was edited on single nodes is gone
    Servicing(Servicing),
    /// Print every URL, id, secret and file of a lab
    Settings(Settings),
    /// Say how a client comes to trust the lab; put its root into this machine, or take it out
    Trust(Trust),
    /// List the broken worlds there are, or put a running lab into one
    Scenarios(Scenarios),
    /// Say whether a lab answers
    Ready(Ready),
}

/// `serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Ports above the base: +0 tools, +3 Entra ID and AD FS, +4 and +5 AOS, +6 Dataverse.

Examples:
  mocktenant serve --port 0                     free ports; `mocktenant settings` says which
  mocktenant serve --state ./lab                several labs side by side: one state directory each
  mocktenant serve --real-names                 also https://login.microsoftonline.com, where that
                                                name leads here: no proxy, no other URL
  docker run -p 9443:7443 -e MOCKTENANT_PUBLIC_URL_ENTRA=https://localhost:9443 ...")]
pub(crate) struct Serve {
    /// First port; 0 takes free ones
    #[arg(long, value_name = "BASE", default_value_t = 7440, env = "MOCKTENANT_PORT")]
    pub(crate) port: u16,

    /// Address to listen on, repeatable; default 127.0.0.1 and, where there is one, ::1
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', env = "MOCKTENANT_BIND")]
    pub(crate) bind: Vec<IpAddr>,

    /// Listen on 443 and 80 too, where the name that is asked for says which product is meant
    ///
    /// For a network whose names lead here: aliases of a container, or a hosts file. Both speak http and https. What
    /// listens below 1024 needs a right: a container has it; elsewhere root gives it to everybody with
    /// `sysctl -w net.ipv4.ip_unprivileged_port_start=80`, or to this program with
    /// `setcap cap_net_bind_service=+ep`. Without it the proxy of the tools port leads to the same names.
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_REAL_NAMES")]
    pub(crate) real_names: bool,

    /// Who may call the control API when there is no --control-token
    #[arg(long, value_enum, default_value_t, env = "MOCKTENANT_CONTROL")]
    pub(crate) control: Control,

    /// What callers use for Entra ID where its port is mapped, for instance https://localhost:9443
    #[arg(long, value_name = "URL", env = "MOCKTENANT_PUBLIC_URL_ENTRA")]
    pub(crate) public_url_entra: Option<String>,

    /// The same for the AOS of the environment `onebox`
    #[arg(long, value_name = "URL", env = "MOCKTENANT_PUBLIC_URL_ONEBOX")]
    pub(crate) public_url_onebox: Option<String>,

    /// The same for the AOS of the environment `onprem`
    #[arg(long, value_name = "URL", env = "MOCKTENANT_PUBLIC_URL_ONPREM")]
    pub(crate) public_url_onprem: Option<String>,

    /// The same for Dataverse
    #[arg(long, value_name = "URL", env = "MOCKTENANT_PUBLIC_URL_DATAVERSE")]
    pub(crate) public_url_dataverse: Option<String>,

    /// Also write the roots here, for everybody to read: a volume that other containers mount
    ///
    /// ca.pem, ca-real-names.pem, ca-bundle.pem (both, and the system's where there are any) and truststore.p12 for Java;
    /// never a key. They are whole at every moment and renewed with the roots. `settings --for network` names them.
    #[arg(long, value_name = "DIR", env = "MOCKTENANT_CA_DIRECTORY")]
    pub(crate) ca_directory: Option<PathBuf>,

    /// Begin in this broken world instead of the healthy one; `scenarios` lists them, `scenarios --reset` heals it
    #[arg(long, value_name = "NAME", env = "MOCKTENANT_SCENARIO")]
    pub(crate) scenario: Option<String>,

    /// File every exchange is appended to as a line of JSON, secrets masked; `explain --journal FILE` reads it
    #[arg(long, value_name = "FILE", env = "MOCKTENANT_JOURNAL_FILE")]
    pub(crate) journal_file: Option<PathBuf>,
}

/// Who may call the control API when it has no token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Control {
    /// This machine only.
    #[default]
    Loopback,
    /// Whoever reaches the port.
    Open,
}

/// `exec`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A lab on free ports is ready before the command starts and gone when it has ended. The
command is told by variables: a proxy through which login.microsoftonline.com, the
environments and Dataverse are this lab, roots to trust, a credential as the Azure SDKs
read it, and MOCKTENANT_SETTINGS, a file with every URL, id and secret. Nothing has to be
changed in it, and nothing leaves this machine: any other name is refused by the proxy,
unless NO_PROXY has it, as it has the package registries.

If the command fails, every call that was refused is told with its cause, on stderr.
Exits with the command's code; 127 if there is no such command, 126 if it cannot be run.

Examples:
  mocktenant exec -- pytest
  mocktenant exec --credential certificate -- npm test
  mocktenant exec --scenario app-user-missing -- go test ./...
  mocktenant exec --journal-file calls.jsonl -- dotnet test
  mocktenant exec -- sh                         look around: mocktenant journal --follow")]
pub(crate) struct Exec {
    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,

    /// Begin in this broken world; `scenarios` lists them
    #[arg(long, value_name = "NAME", env = "MOCKTENANT_SCENARIO")]
    pub(crate) scenario: Option<String>,

    /// What the SDKs' own variables say the command is
    #[arg(long, value_enum, default_value_t, env = "MOCKTENANT_CREDENTIAL")]
    pub(crate) credential: Credential,

    /// File every exchange is appended to as a line of JSON, secrets masked; `explain --journal FILE` reads it
    #[arg(long, value_name = "FILE", env = "MOCKTENANT_JOURNAL_FILE")]
    pub(crate) journal_file: Option<PathBuf>,
}

/// `reproduce`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
The lab is its own, on free ports; nothing leaves this machine, and no running lab is touched.
Exits 0 if the failure appeared and the steps healed it, else 1.

Examples:
  mocktenant reproduce                          the default: a one-box without its tenant certificate
  mocktenant reproduce app-user-missing         others: mocktenant scenarios
  mocktenant reproduce --json | jq .cause       the same as data
  mocktenant reproduce --keep                   leave the healed lab running")]
pub(crate) struct Reproduce {
    /// Which failure
    #[arg(value_name = "SCENARIO", default_value = mocktenant_scenario::default_name())]
    pub(crate) scenario: String,

    /// Print JSON: scenario, what the user saw, chain, cause, and the steps with what each led to
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_JSON")]
    pub(crate) json: bool,

    /// Leave the lab running until it is stopped
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_KEEP")]
    pub(crate) keep: bool,
}

/// `journal`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  mocktenant journal --failed                   only what was refused, from the beginning
  mocktenant journal --follow --json            everything from now on, as JSON lines")]
pub(crate) struct Journal {
    /// Only refused exchanges
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_FAILED")]
    pub(crate) failed: bool,

    /// Print JSON, one exchange per line, as GET /v1/journal gives it
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_JSON")]
    pub(crate) json: bool,

    /// Show what happens from now on, until stopped; what happened before is not shown
    #[arg(long, short, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_FOLLOW")]
    pub(crate) follow: bool,
}

/// `get`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A setting is named by the last member of its pointer, with as many of the members
above it as tell it from others, or by the whole pointer. Secrets are hidden.

Examples:
  mocktenant get Infrastructure.S2SCertThumbprint
                                                a key of web.config
  mocktenant get onebox/Aad.Realm               where two environments have it
  mocktenant get /caller --json                 {pointer, value, origin, place, restart}
  mocktenant get onprem/nodes                   state, last start, and what waits for a restart
  mocktenant get onprem/nodes/AOS_2/AXSF.Package.Current.xml
                                                what the node was started with, byte for byte
  mocktenant get application-groups             what the AD FS console shows
  mocktenant get journal                        GET /v1/journal; likewise world, scenarios,
                                                users, errors, settings, openapi.json")]
pub(crate) struct Get {
    /// A setting, by pointer or short name, or a noun of the control API; an empty pointer is the whole declaration
    #[arg(value_name = "SETTING|NOUN")]
    pub(crate) what: String,

    /// Show secrets too
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_SHOW_SECRETS")]
    pub(crate) show_secrets: bool,

    /// Print the value with its origin as JSON
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_JSON")]
    pub(crate) json: bool,
}

/// `set`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A setting is named by the last member of its pointer, with as many of the members
above it as tell it from others, or by the whole pointer. Says so if an environment
has to be restarted before the change counts.

Examples:
  mocktenant set onebox/Aad.Realm spn:00000015-0000-0000-c000-000000000000
  mocktenant set onebox/DualWriteUnoAuthenticationFnoToCds/Enabled 0
  mocktenant set federation_services/contoso/clock +20m
  mocktenant set onebox/wif_config/audienceUris/- spn:c0117050-0000-4000-8000-00000000a002
  mocktenant set --new onebox/web_config/My.Key 1    a key that was not there
  mocktenant set /tenants/.../certificates/AB12 @certificate.json
  mocktenant set onprem/axsf @AXSF.Package.1.0.xml   your own, byte for byte; likewise web_config, wif_config")]
pub(crate) struct Set {
    /// A setting, by pointer or short name; `/-` at the end of a list appends
    #[arg(value_name = "SETTING")]
    pub(crate) setting: String,

    /// JSON, or else a text; @FILE reads it from a file, which may be a config file of an AOS
    #[arg(value_name = "VALUE|@FILE", allow_hyphen_values = true)]
    pub(crate) value: String,

    /// Add a key or an entry that is not there
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) new: bool,
}

/// `unset`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  mocktenant unset Infrastructure.S2SCertThumbprint
  mocktenant unset onebox/SysAADClientTable/c0117050-0000-4000-8000-00000000a001")]
pub(crate) struct Unset {
    /// A setting, by pointer or short name
    #[arg(value_name = "SETTING")]
    pub(crate) setting: String,
}

/// `restart`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  mocktenant restart onprem                     every node of it
  mocktenant restart onprem/AOS_2               one, while the others go on with what they read
  mocktenant get onprem/nodes                   how they are, and which of them waits for it")]
pub(crate) struct Restart {
    /// The environment's short name, or one node of it: onprem/AOS_2
    #[arg(value_name = "ENVIRONMENT[/NODE]", default_value = "onebox")]
    pub(crate) environment: String,

    /// The same as ENVIRONMENT/NODE
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
}

/// `rollover`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What Update-AdfsCertificate does on AD FS, and what Entra ID does by itself: the next
key signs from now on, and those before it stay published, so that whoever reads the
keys again takes old and new tokens. Where no key is declared as the next one the
published keys take turns. A client that keeps the keys it once read fails from now on.

Examples:
  mocktenant rollover adfs.contoso.com          a federation service, by host or short name
  mocktenant rollover contoso.onmicrosoft.com   a tenant, by a domain or its id
  mocktenant get federation_services/contoso/signing_keys
  mocktenant scenarios --reset --scope federation-service/contoso
                                                and back")]
pub(crate) struct Rollover {
    /// A tenant by id or domain, or a federation service by host or short name
    #[arg(value_name = "IDENTITY-PROVIDER")]
    pub(crate) of: String,
}

/// `scenarios`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  mocktenant scenarios                          what there is
  mocktenant scenarios half-done                what this one is; nothing is changed
  mocktenant scenarios --use half-done          break the running lab
  mocktenant scenarios --reset                  and back
  mocktenant scenarios --reset --scope organization/contoso
                                                one organisation only")]
pub(crate) struct Scenarios {
    /// Show only this one, and what can be done with it
    #[arg(value_name = "NAME", conflicts_with_all = ["chosen", "reset"])]
    pub(crate) name: Option<String>,

    /// Put the running lab into this broken world; its records and journal begin anew
    #[arg(long = "use", value_name = "NAME", conflicts_with = "reset")]
    pub(crate) chosen: Option<String>,

    /// Put the running lab back into the world it began with
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) reset: bool,

    /// With --reset: only `environment/NAME`, `organization/NAME`, `federation-service/NAME` or `tenant/ID`; the journal stays
    #[arg(long, value_name = "SCOPE", requires = "reset")]
    pub(crate) scope: Option<String>,

    /// Print JSON: a list of name, title and symptom
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_JSON")]
    pub(crate) json: bool,
}

/// `ready`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  mocktenant ready                              exit 0 if a lab answers, 3 if not
  mocktenant ready --wait=60                    wait up to a minute for one")]
pub(crate) struct Ready {
    /// Wait until a lab answers, at most so many seconds
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "30",
        env = "MOCKTENANT_WAIT"
    )]
    pub(crate) wait: Option<u64>,
}

/// Puts `serve` in front where no verb is given.
///
/// A verb is the first argument that is neither a common flag nor its value. A flag that is not a common one can only
/// be one of `serve`'s, so the search ends there.
pub(crate) fn with_default_verb(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.is_empty() {
        arguments.push(OsString::from("mocktenant"));
    }
    let command = Cli::command();
    let common: Vec<String> =
        command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect();
    let mut at = 1;
    let serve = loop {
        let Some(argument) = arguments.get(at).map(|argument| argument.to_string_lossy()) else { break true };
        match argument.split_once('=') {
            _ if !argument.starts_with('-') => break false,
            Some((flag, _)) if common.iter().any(|known| known == flag) => at += 1,
            None if common.iter().any(|known| *known == argument) => at += 2,
            _ => break !matches!(&*argument, "-h" | "--help" | "-V" | "--version"),
        }
    };
    if serve {
        arguments.insert(1, OsString::from("serve"));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(with_default_verb(line.split_whitespace().map(OsString::from)))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_an_environment_twin_but_those_that_change_a_running_lab() {
        // A variable that stays in the environment must not turn a listing into a change.
        const CHANGES: [&str; 8] = ["chosen", "reset", "scope", "new", "node", "install", "remove", "yes"];
        let command = Cli::command();
        for command in std::iter::once(&command).chain(command.get_subcommands()) {
            for argument in command.get_arguments().filter(|argument| !argument.is_positional()) {
                let name = argument.get_id().as_str();
                if ["help", "version"].contains(&name) {
                    continue;
                }
                let twin = argument.get_env().and_then(|twin| twin.to_str());
                if CHANGES.contains(&name) {
                    assert_eq!(twin, None, "{}: {name}", command.get_name());
                    continue;
                }
                assert!(
                    twin.is_some_and(|twin| twin.starts_with("MOCKTENANT_")),
                    "{}: {name}",
                    command.get_name()
                );
            }
        }
    }

    #[test]
    fn serve_is_the_verb_when_none_is_given() {
        for line in ["m", "m --port 0", "m --state serve", "m --state=x --port 0", "m --state x --bind ::1"] {
            assert!(matches!(parse(line).map(|cli| cli.verb), Ok(Verb::Serve(_))), "{line}");
        }
        let cli = parse("m --state explain --url=http://x get /caller").unwrap();
        assert!(matches!(cli.verb, Verb::Get(_)));
        assert_eq!(cli.common.state, Some(PathBuf::from("explain")));
        assert_eq!(parse("m --help").unwrap_err().exit_code(), 0);
        assert_eq!(parse("m --version").unwrap_err().exit_code(), 0);
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for line in [
            "m frobnicate",
            "m --colour",
            "m serve --port 99999",
            "m serve --bind here",
            "m get",
            "m ready --wait=x",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn ready_waits_thirty_seconds_unless_told_otherwise() {
        let wait = |line: &str| match parse(line).unwrap().verb {
            Verb::Ready(ready) => ready.wait,
            _ => None,
        };
        assert_eq!(
            (wait("m ready"), wait("m ready --wait"), wait("m ready --wait=5")),
            (None, Some(30), Some(5))
        );
    }
}
