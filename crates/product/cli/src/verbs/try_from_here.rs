//! `try --from-here`: this program is the caller, and sends what it does from where it runs.
//!
//! Decides what it sends (a token by the lab's settings, then a customer with a number of its own to the AOS they name), and
//! that only what a user sees is printed: a block when that is another than the last time, a short line when it is the same.
//! Whom it is and where everything is it asks the lab anew each time, so that a world that was changed counts. Never reads
//! the journal, and trusts nobody but the lab.

use std::time::{Duration, Instant};

use mocktenant_lab::outbound::{CallError, Reply};
use mocktenant_lab::{EXCHANGE_HEADER, real_now};
use mocktenant_server::client::{Client, read_json};
use mocktenant_server::{Settings, read_state_file};
use serde_json::{Value, json};

use crate::args::Common;
use crate::console::{self, harmless};
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::LabAt;
use crate::screen::{Paint, Screen};
use crate::signals::Signals;
use crate::verbs::reproduce::words_of;
use crate::verbs::try_once::Try;

/// The settings document of `exec`, and of whoever else says where it is.
const SETTINGS: &str = "MOCKTENANT_SETTINGS";
const MAX_SETTINGS: u64 = 1024 * 1024;
/// How far below the time of a line its words begin.
const BELOW: &str = "           ";

/// Sends it once: exits 0 if it was done, 1 if it was refused. Or until it is stopped: exits 0.
pub(crate) async fn run(common: &Common, attempt: &Try) -> Outcome {
    let Some(every) = attempt.every else {
        let seen = look(&settings(common).await?).await?;
        console::line(&if attempt.json {
            format!("{:#}", seen.document())
        } else {
            seen.block(Screen::of_stdout())
        })?;
        return Ok(u8::from(seen.refused()));
    };
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new(Exit::Unreachable, "cannot listen for signals").because(&error))?;
    tokio::select! {
        ended = again_and_again(common, every, attempt.json) => ended,
        () = signals.next() => Ok(0),
    }
}

async fn again_and_again(common: &Common, every: Duration, as_json: bool) -> Outcome {
    let screen = Screen::of_stdout();
    let mut known: Option<Settings> = None;
    let mut last: Option<String> = None;
    loop {
        let began = Instant::now();
        match settings(common).await {
            Ok(settings) => known = Some(settings),
            // A lab that answers and refuses will not mend by waiting; one that is not there yet will.
            Err(failure) if known.is_none() && failure.exit_code() != Exit::Unreachable as u8 => {
                return Err(failure);
            }
            // What it knew it goes on with: whoever calls the products asks no lab first.
            Err(failure) if known.is_none() => {
                let text = failure.to_string();
                if last.as_ref() != Some(&text) {
                    console::note(&text);
                    last = Some(text);
                }
            }
            Err(_) => {}
        }
        if let Some(settings) = &known {
            let seen = look(settings).await?;
            let same = seen.sameness();
            let text = match &last {
                _ if as_json => seen.document().to_string(),
                Some(last) if *last == same => seen.the_same(screen),
                _ => seen.block(screen),
            };
            console::line(&text)?;
            last = Some(same);
        }
        tokio::time::sleep(every.saturating_sub(began.elapsed())).await;
    }
}

/// Where everything is and who the caller is, from here.
async fn settings(common: &Common) -> Result<Settings, Failure> {
    let unreadable = |error| {
        Failure::new(Exit::Finding, "the lab's settings cannot be read")
            .because(&error as &dyn std::error::Error)
    };
    let by_url = common.url.as_deref().is_some_and(|url| !url.is_empty());
    let file =
        std::env::var_os(SETTINGS).filter(|file| !file.is_empty() && !by_url && common.state.is_none());
    if let Some(file) = file {
        let text = read_state_file(file.as_ref(), MAX_SETTINGS).map_err(|error| {
            let what = format!("{SETTINGS} names {}, which cannot be read", file.to_string_lossy());
            Failure::new(Exit::Unreachable, what).because(&error)
        })?;
        return Settings::read(&text).map_err(unreadable);
    }
    let lab = LabAt::find(common).await?;
    let path = if is_here(lab.url()) { "/v1/settings" } else { "/v1/settings?for=network" };
    Settings::read(&lab.get(path).await?.body).map_err(unreadable)
}

/// Whether a lab's URL leads to this machine.
fn is_here(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Asks for a token, and creates the next customer with it.
async fn look(settings: &Settings) -> Result<Seen, Failure> {
    let aos = settings.aos.values().find(|aos| !aos.sample_customer.is_null());
    let Some(aos) = aos.filter(|_| !settings.entra.authority.is_empty()) else {
        return Err(Failure::new(Exit::Finding, "this lab has no customer to create"));
    };
    let roots = format!("{}\n{}", settings.ca_pem_text, settings.ca_real_names_pem_text);
    let client = Client::new(&roots)
        .map_err(|error| Failure::new(Exit::Usage, "TLS cannot be set up").because(&error))?;
    let at = real_now();
    // Its own each time, also where several send at once: the last digits are milliseconds.
    let number = format!("DE-{}", at.unix_timestamp_nanos() / 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second());
    let mut seen = Seen { clock, number, ..Seen::default() };

    let entra = &settings.entra;
    let url = format!("{}/oauth2/v2.0/token", entra.authority);
    let scope = format!("{}/.default", aos.resource);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &entra.client_id),
        ("client_secret", &entra.client_secret),
        ("scope", &scope),
    ];
    let token = seen.answered(&url, client.post_form(&url, &fields).await);
    seen.token_exchange.clone_from(&seen.exchange);
    let Some(token) = token.as_ref().and_then(|token| token["access_token"].as_str()) else {
        return Ok(seen);
    };

    let url = format!("{}/data/CustomersV3", aos.url);
    let mut customer = aos.sample_customer.clone();
    customer["CustomerAccount"] = seen.number.clone().into();
    let sent = client.with_token(Some(token)).post_json(&url, &customer).await;
    seen.created = seen.answered(&url, sent).is_some();
    Ok(seen)
}

/// What a user sees: the answer that ended it.
#[derive(Default)]
struct Seen {
    clock: String,
    /// The customer's number.
    number: String,
    url: String,
    /// None where nobody answered.
    status: Option<u16>,
    exchange: String,
    token_exchange: String,
    body: Value,
    created: bool,
}

impl Seen {
    /// Notes an answer; gives its document where it is a good one.
    fn answered(&mut self, url: &str, answer: Result<Reply, CallError>) -> Option<Value> {
        url.clone_into(&mut self.url);
        self.exchange.clear();
        match answer {
            Ok(reply) => {
                self.status = Some(reply.status.as_u16());
                let exchange = reply.headers.get(EXCHANGE_HEADER).and_then(|id| id.to_str().ok());
                exchange.unwrap_or_default().clone_into(&mut self.exchange);
                let text = || Value::String(String::from_utf8_lossy(&reply.body).into_owned());
                self.body = read_json(&reply).unwrap_or_else(|_| text());
                reply.status.is_success().then(|| std::mem::take(&mut self.body))
            }
            Err(error) => {
                self.status = None;
                self.body = Value::String(error.to_string());
                None
            }
        }
    }

    fn refused(&self) -> bool {
        !self.created
    }

    /// What is printed of the outcome, beside the words.
    fn outcome(&self, screen: Screen) -> String {
        let status = self.status.map_or_else(|| String::from("no answer"), |status| status.to_string());
        if self.created {
            return screen.paint(Paint::Good, &format!("{status} created {}", self.number)).into_owned();
        }
        let word = if self.status.is_some() { format!("{status} refused") } else { status };
        screen.paint(Paint::Bad, &word).into_owned()
    }

    fn block(&self, screen: Screen) -> String {
        let request = format!("{}  POST {}", self.clock, harmless(&self.url));
        let mut lines = vec![request, format!("{BELOW}{}", self.outcome(screen))];
        for words in words_of(&self.body) {
            lines.push(screen.wrapped(BELOW, BELOW, &harmless(&words)));
        }
        if self.refused() && !self.exchange.is_empty() {
            lines.push(format!(
                "{BELOW}why, and what to change: mocktenant explain {}",
                harmless(&self.exchange)
            ));
        }
        lines.join("\n")
    }

    fn the_same(&self, screen: Screen) -> String {
        let same = if self.created { String::new() } else { String::from(", the same") };
        format!("{}  {}{same}", self.clock, self.outcome(screen))
    }

    /// What has to be equal for two outcomes to be the same to a user: all but ids, times and the customer's number.
    fn sameness(&self) -> String {
        let words = words_of(&self.body).join("\n").replace(&self.number, "#");
        let words: Vec<&str> = words.split_whitespace().filter(|word| !varies(word)).collect();
        format!("{} {:?} {}", self.url, self.status, words.join(" "))
    }

    /// As `try --json` has it.
    fn document(&self) -> Value {
        json!({
            "did": "create-customer",
            "at": self.clock,
            "exchange": self.exchange,
            "token_exchange": self.token_exchange,
            "status": self.status,
            "refused": self.refused(),
            "body": self.body,
        })
    }
}

/// Whether a word of a message is an id or a time: another one in each answer.
fn varies(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let guid = word.len() == 36 && word.matches('-').count() == 4;
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let time = digits >= 6 && word.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ".contains(&byte));
    guid || time || word.starts_with("x-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> Seen {
        Seen {
            clock: String::from("10:00:00Z"),
            number: String::from("DE-17"),
            url: String::from("https://login.microsoftonline.com/t/oauth2/v2.0/token"),
            status: Some(401),
            exchange: String::from("x-1"),
            body: json!({ "error": "invalid_client", "error_description": message }),
            ..Seen::default()
        }
    }

    #[test]
    fn ids_times_and_numbers_make_no_other_outcome_and_an_error_code_does() {
        let text = |code: &str, id: &str, at: &str| {
            refused(&format!("{code}: Wrong DE-17. Trace ID: {id} Timestamp: 2026-11-22 {at}Z"))
        };
        let first = text("AADSTS700027", "11111111-2222-3333-4444-555555555555", "10:00:00").sameness();
        assert_eq!(
            first,
            text("AADSTS700027", "aaaaaaaa-2222-3333-4444-555555555555", "10:00:05").sameness()
        );
        assert_ne!(
            first,
            text("AADSTS7000215", "11111111-2222-3333-4444-555555555555", "10:00:00").sameness()
        );
    }

    #[test]
    fn a_block_says_what_a_user_sees_and_which_command_says_why() {
        let seen = refused("AADSTS7000215: Invalid \u{1b}[2Jsecret.");
        assert_eq!(
            seen.block(Screen::plain(80)),
            "10:00:00Z  POST https://login.microsoftonline.com/t/oauth2/v2.0/token\n           401 refused\n           \
             AADSTS7000215: Invalid \\u{1b}[2Jsecret.\n           why, and what to change: mocktenant explain x-1"
        );
        assert_eq!(seen.the_same(Screen::plain(80)), "10:00:00Z  401 refused, the same");
        let done = Seen { created: true, status: Some(201), body: Value::Null, ..seen };
        assert_eq!(done.the_same(Screen::plain(80)), "10:00:00Z  201 created DE-17");
        assert!(!done.block(Screen::plain(80)).contains("explain"));
    }

    #[test]
    fn only_another_machine_is_asked_for_its_network() {
        for (url, here) in [
            ("http://127.0.0.1:7440", true),
            ("https://localhost:7440/", true),
            ("http://[::1]:7440", true),
            ("http://lab:7440", false),
            ("http://172.17.0.2:7440", false),
        ] {
            assert_eq!(is_here(url), here, "{url}");
        }
    }
}
